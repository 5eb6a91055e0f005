"""mailflow-calendar, by hand: what is maintenance in a calendar, when, and what is wrong with it."""

import json
import time

import pytest
from calendar_program import Calendar, answers, answers_of, job, run, utc, window
from process import patient

STOCKHOLM = {"zone": "Europe/Stockholm"}
WEEKLY = "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2"
EVENT = "UID:{}\nDTSTART;TZID=Europe/Stockholm:{}\nDURATION:PT30M\nSUMMARY:kernel update\n"
AUTUMN = {"begins": "2026-10-24T00:00", "ends": "2026-10-27T00:00"}


def event(uid="one@x", start="20260322T020000", more=""):
    return EVENT.format(uid, start) + more


# ---- windows of the configuration ----


def test_a_rule_keeps_its_local_time_over_a_change_of_the_clocks():
    assert window(start="2026-01-04T02:00", rule=WEEKLY, **STOCKHOLM) == [
        ("2026-03-22T01:00Z", "2026-03-22T01:15Z"),
        ("2026-03-29T01:00Z", "2026-03-29T01:15Z"),
        ("2026-04-05T00:00Z", "2026-04-05T00:15Z"),
    ]


def test_the_hour_that_does_not_come_and_the_hour_that_comes_twice():
    spring = {"begins": "2026-03-28T00:00", "ends": "2026-03-31T00:00"}
    once = {"start": "2026-03-29T02:30", **STOCKHOLM}
    daily = {"start": "2026-01-01T02:30", "rule": "FREQ=DAILY", **STOCKHOLM}
    assert window(**once, **spring) == [("2026-03-29T01:30Z", "2026-03-29T01:45Z")]
    assert [begin for begin, _ in window(**daily, **spring)] == [
        "2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"]
    assert [begin for begin, _ in window(**daily, **AUTUMN)] == [
        "2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"]


def test_a_window_is_known_while_it_lasts():
    active = {"start": "2026-03-20T00:00", "zone": "UTC", "length": 7200 * 10**9}
    assert window(**active, begins="2026-03-20T01:59") == [("2026-03-20T00:00Z", "2026-03-20T02:00Z")]
    assert window(**active, begins="2026-03-20T02:00") == []
    assert window(**active, begins="2026-03-19T00:00", ends="2026-03-20T00:00") == []


@pytest.mark.parametrize("rule, complaint", [
    ("FREQ=SECONDLY;BYMONTH=12", "RRULE: FREQ=SECONDLY: maintenance that recurs every second is none: "
     "FREQ is HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY"),
    ("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=" + ",".join(map(str, range(60))),
     "it recurs more than 400 times in 21 days: maintenance this frequent is none, correct its rule"),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
     "RRULE: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30 makes no sense together"),
    ("WEEKLY", "RRULE: 'WEEKLY' is not NAME=VALUE"),
])
def test_rules_that_are_refused(rule, complaint):
    assert window(start="2026-01-04T02:00", rule=rule, **STOCKHOLM) == complaint


def test_a_rule_that_is_never_worked_out_ends_at_the_deadline():
    began = time.monotonic()
    never = {"start": "2026-01-04T02:00", "rule": "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"}
    assert window(**never, seconds=1) == (
        "working out when it recurs took too long: simplify its rule, or begin it later")
    assert time.monotonic() - began < patient(4)


def test_an_unknown_zone():
    assert window(start="2026-01-04T02:00", zone="Europe/Stokholm") == (
        "the time zone 'Europe/Stokholm' is neither known to this system nor defined in the file: "
        "use a name like Europe/Stockholm")


# ---- events ----


def test_an_event_and_what_it_says(tmp_path):
    said = "LOCATION:mx01\\, rack 7\nCATEGORIES:MAIL,EMERGENCY\n"
    calendar = Calendar(tmp_path, event(more=said))
    (line,) = calendar.occurrences
    assert calendar.begins == ["2026-03-22T01:00Z"] and utc(line["end"]) == "2026-03-22T01:30Z"
    assert (line["line"], line["uid"], line["reason"]) == (4, "one@x", "kernel update")
    assert (line["location"], line["categories"]) == ("mx01, rack 7", "MAIL,EMERGENCY")
    assert line["emergency"] and line["summary"] == "kernel update" and line["objects"] == []


def test_recurrence_with_further_dates_and_exceptions(tmp_path):
    more = (
        "RRULE:FREQ=WEEKLY;UNTIL=20260405T000000Z\n"
        "RDATE;TZID=Europe/Stockholm:20260324T020000,20260322T020000\n"
        "RDATE;VALUE=PERIOD:20260326T100000Z/PT2H\n"
        "EXDATE;TZID=Europe/Stockholm:20260329T020000\n"
    )
    calendar = Calendar(tmp_path, event(more=more))
    assert calendar.begins == [
        "2026-03-22T01:00Z", "2026-03-24T01:00Z", "2026-03-26T10:00Z", "2026-04-05T00:00Z"]
    assert utc(calendar.occurrences[2]["end"]) == "2026-03-26T12:00Z"


def test_until_is_compared_in_utc(tmp_path):
    # 02:00 in Stockholm on that day is 00:00Z: one second less of UNTIL leaves it out.
    rule = "RRULE:FREQ=WEEKLY;UNTIL={}\n"
    whole = Calendar(tmp_path, event(more=rule.format("20260405T000000Z")))
    less = Calendar(tmp_path, event(more=rule.format("20260404T235959Z")))
    assert (len(whole.begins), len(less.begins)) == (3, 2)


def test_one_occurrence_is_moved_and_one_is_cancelled(tmp_path):
    moved = event(start="20260330T040000", more="RECURRENCE-ID;TZID=Europe/Stockholm:20260329T020000\n")
    off = event(start="20260405T020000",
                more="RECURRENCE-ID:20260405T000000Z\nSTATUS:CANCELLED\n")
    calendar = Calendar(tmp_path, off, moved, event(more="RRULE:FREQ=WEEKLY\n"))
    assert calendar.begins == ["2026-03-22T01:00Z", "2026-03-30T02:00Z"]


def test_the_highest_sequence_holds(tmp_path):
    newer = event(start="20260323T020000", more="SEQUENCE:2\n")
    calendar = Calendar(tmp_path, newer, event(more="SEQUENCE:1\n"), event())
    assert calendar.begins == ["2026-03-23T01:00Z"]
    cancelled = event(start="20260323T020000", more="SEQUENCE:3\nSTATUS:CANCELLED\n")
    assert Calendar(tmp_path, newer, cancelled).begins == []
    assert Calendar(tmp_path, event(), before="METHOD:CANCEL").begins == []


def test_days(tmp_path):
    day = "UID:d\nDTSTART;VALUE=DATE:20260328\nSUMMARY:mx01\n"
    zone = "X-WR-TIMEZONE:Europe/Stockholm"
    one = Calendar(tmp_path, day, before=zone).occurrences
    two = Calendar(tmp_path, day + "DTEND;VALUE=DATE:20260330\n", before=zone).occurrences
    assert [(utc(line["begin"]), utc(line["end"])) for line in one + two] == [
        ("2026-03-27T23:00Z", "2026-03-28T23:00Z"), ("2026-03-27T23:00Z", "2026-03-29T22:00Z")]


def test_days_of_a_duration_are_days_of_the_calendar(tmp_path):
    by_days = "UID:d\nDTSTART;TZID=Europe/Stockholm:20260328T120000\nDURATION:{}\n"
    ends = [utc(Calendar(tmp_path, by_days.format(length)).occurrences[0]["end"])
            for length in ("P1D", "PT24H", "P1DT1H")]
    assert ends == ["2026-03-29T10:00Z", "2026-03-29T11:00Z", "2026-03-29T11:00Z"]


ZONE = """BEGIN:VTIMEZONE
TZID:{}
BEGIN:STANDARD
DTSTART:20001029T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000326T020000
RRULE:{}
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""
EUROPEAN = "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"


def with_zone(tmp_path, name, rule=EUROPEAN, starts=("20260329T023000",)):
    events = "".join(
        f"BEGIN:VEVENT\nUID:{start}\nDTSTART;TZID={name}:{start}\nDURATION:PT30M\nEND:VEVENT\n"
        for start in starts)
    text = f"BEGIN:VCALENDAR\n{events}{ZONE.format(name, rule)}END:VCALENDAR"
    return Calendar(tmp_path, raw=text.encode())


def test_a_zone_that_the_file_defines(tmp_path):
    starts = ("20260328T023000", "20260329T023000", "20260330T023000")
    calendar = with_zone(tmp_path, "W. Europe Standard Time", starts=starts)
    assert calendar.begins == ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"]
    with_zone(tmp_path, "W. Europe Standard Time", starts=("20261025T023000",))
    lines = answers_of(calendar.file, **AUTUMN)
    assert [utc(line["begin"]) for line in lines[:-1]] == ["2026-10-25T00:30Z"]


def test_zones_that_cannot_be_used(tmp_path):
    spinning = with_zone(tmp_path, "Custom", rule="FREQ=SECONDLY;BYMONTH=12")
    unknown = Calendar(tmp_path, event().replace("Europe/Stockholm", "Mars/Olympus"))
    for calendar, line, uid, name in ((spinning, 2, "20260329T023000", "Custom"),
                                      (unknown, 4, "one@x", "Mars/Olympus")):
        assert calendar.problems == [(line, uid, (
            f"DTSTART: the time zone '{name}' is neither known to this system nor defined in the "
            "file: use a name like Europe/Stockholm"))]
    vendors = event().replace("Europe/Stockholm", "/example.org/20260101/Europe/Stockholm")
    assert Calendar(tmp_path, vendors).begins == ["2026-03-22T01:00Z"]


def test_maintenance_notes(tmp_path):
    note = (
        "UID:42\nDTSTART:20260322T010000Z\nDTEND:20260322T020000Z\nSUMMARY:Line card\n"
        "X-MAINTNOTE-PROVIDER:example.com\nX-MAINTNOTE-MAINTENANCE-ID:WorkOrder-31415\n"
        "X-MAINTNOTE-IMPACT:{}\nX-MAINTNOTE-STATUS:{}\n"
        'X-MAINTNOTE-OBJECT-ID;ALTREP="https://example.org/a?id=mx01":mx0\n 1\n'
        "X-MAINTNOTE-OBJECT-ID:mx03, mx04\n"
    )
    kept = [("OUTAGE", "TENTATIVE"), ("REDUCED-REDUNDANCY", "CONFIRMED"), ("DEGRADED", "IN-PROCESS")]
    for impact, status in kept:
        (line,) = Calendar(tmp_path, note.format(impact, status)).occurrences
        assert [each["name"] for each in line["objects"]] == ["mx01", "mx03", "mx04"]
        assert line["reason"] == "Line card (example.com WorkOrder-31415)"
    for impact, status in [("NO-IMPACT", "CONFIRMED"), ("OUTAGE", "CANCELLED"), ("OUTAGE", "COMPLETED")]:
        assert Calendar(tmp_path, note.format(impact, status)).begins == []
    works = note.format("OUTAGE", "CONFIRMED")
    other = works.replace("31415", "31416").replace("T010000Z", "T013000Z")
    assert Calendar(tmp_path, works, other).begins == ["2026-03-22T01:00Z", "2026-03-22T01:30Z"]


# ---- what is wrong with an event: its line, its UID, what to do ----


@pytest.mark.parametrize("properties, complaint", [
    ("UID:a\nDURATION:PT5M", "it has no DTSTART: say when it begins"),
    ("UID:a\nDTSTART:20260322T010000Z", "it has neither DTEND nor DURATION: say how long it is"),
    ("UID:a\nDTSTART:20260322T010000Z\nDTEND:20260322T000000Z",
     "it ends before or when it begins: correct DTEND"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:-PT5M",
     "DURATION -PT5M is no length: write one like PT15M"),
    ("UID:a\nDTSTART:20260322T010000Z\nDTEND:20270426T010000Z",
     "it is 400 days long, and maintenance may be 366: correct its end"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:P5000W",
     "it is 35000 days long, and maintenance may be 366: correct its end"),
    ("UID:a\nDTSTART;VALUE=DATE:20260322\nDTEND:20260322T000000Z",
     "of DTSTART and DTEND one is a day and the other a time"),
    ("UID:a\nDTSTART:20260332T250000Z\nDURATION:PT5M",
     "DTSTART: 20260332T250000Z is no time in the years 1970 to 2199"),
    ("UID:a\nDTSTART:tomorrow\nDURATION:PT5M", "DTSTART cannot be read: tomorrow"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:PT5M\nRRULE:FREQ=NEVER",
     "RRULE cannot be read: FREQ=NEVER"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:PT5M\nRRULE:FREQ=SECONDLY;BYMONTH=12",
     "RRULE: FREQ=SECONDLY: maintenance that recurs every second is none: FREQ is HOURLY, DAILY, "
     "WEEKLY, MONTHLY or YEARLY"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:P99999999W",
     "it is 699999993 days long, and maintenance may be 366: correct its end"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:PT5M\n"
     "RDATE;VALUE=PERIOD:20260325T010000Z/20280101T000000Z",
     "RDATE: a period of it is longer than 366 days"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:PT5M\nEXRULE:FREQ=DAILY",
     "EXRULE is not supported: name the dates in EXDATE"),
    ("UID:a\nDTSTART:20260322T010000Z\nDURATION:PT5M\n"
     "RECURRENCE-ID;RANGE=THISANDFUTURE:20260322T010000Z",
     "RECURRENCE-ID with RANGE is not supported: end the event with UNTIL, and make another one "
     "from then on"),
])
def test_events_that_cannot_be_used(tmp_path, properties, complaint):
    calendar = Calendar(tmp_path, event(uid="good@x"), properties)
    assert calendar.problems == [(10, "a", complaint)]
    assert len(calendar.occurrences) == 1 and calendar.last["kind"] == "done"


def test_an_event_needs_a_uid_and_little_else(tmp_path):
    nameless = Calendar(tmp_path, "DTSTART:20260322T010000Z\nDURATION:PT5M")
    assert nameless.problems == [(4, "", "it has no UID: give it one that stays when it is changed")]
    odd = event(more="LOCATION:\nATTENDEE:\nnonsense\nX-COLOUR:\x01red\nCREATED:then\n")
    assert Calendar(tmp_path, odd).begins == ["2026-03-22T01:00Z"]


def test_problems_and_windows_are_bounded(tmp_path):
    many = Calendar(tmp_path, *(f"UID:{i}\nDTSTART:20260322T010000Z" for i in range(60)))
    assert len(many.problems) == 51
    assert many.problems[-1] == (0, "", "10 more events have problems: no windows come of them")
    often = Calendar(tmp_path, *(event(uid=f"{i}", more="RRULE:FREQ=DAILY\n") for i in range(20)))
    assert len(often.occurrences) == 256
    assert often.problems == [
        (0, "", "380 windows are more than the 256 that are taken: the others are left out")]


# ---- what is no calendar ----

HEAD = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"


@pytest.mark.parametrize("content, line, complaint", [
    (b"", 0, "the file has no calendar in it"),
    (b"garbage\xff\xfe\x1b[2J", 1, "this is no calendar: 'garbage\\xff\\xfe\\x1b[2J' is not "
     "BEGIN:VCALENDAR"),
    (b"BEGIN:VCALENDAR\n\0", 2, "this is no calendar: it has a NUL byte in it"),
    (HEAD + b"UID:cut", 2,
     "the file ends before what begins here does: it has been cut short, or is still being written"),
    (HEAD + b"END:VCALENDAR\n", 3, "END:VCALENDAR does not end the BEGIN of line 2"),
    (b"BEGIN:VEVENT\n", 1, "BEGIN:VEVENT stands outside of any VCALENDAR"),
    (b"BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:X\n", 3, "END:X ends what has not begun"),
    (b"BEGIN:VCALENDAR\n" + b"BEGIN:A\n" * 80000, 7,
     "BEGIN:A nests deeper than 6: this is no calendar"),
    (b"BEGIN:VCALENDAR\n" + b"BEG\n IN:A\n" * 80000, 12,
     "BEGIN:A nests deeper than 6: this is no calendar"),
], ids=["empty", "garbage", "zero", "cut", "crossed", "outside", "excess", "bomb", "folded bomb"])
def test_files_that_are_no_calendar(tmp_path, content, line, complaint):
    last = Calendar(tmp_path, raw=content).last
    assert (last["kind"], last["line"], last["message"]) == ("failed", line, complaint)


def test_files_that_cannot_be_read(tmp_path):
    large = tmp_path / "large.ics"
    large.write_bytes(b"BEGIN:VCALENDAR\n" + b"X" * 10_000_000)
    for file, complaint in [
        (large, "has 10000016 bytes, and a calendar may have 1 MiB: split it, or drop what is long "
         "past"),
        (tmp_path, "is not a regular file"),
        (tmp_path / "missing.ics", "No such file or directory"),
    ]:
        last = answers_of(file)[-1]
        assert (last["kind"], last["message"]) == ("failed", complaint)


def test_a_large_calendar_takes_no_time(tmp_path):
    whole = event(uid="{}", more="X-NOTE:" + "x" * 200 + "\nRRULE:FREQ=WEEKLY;BYDAY=MO\n")
    began = time.monotonic()
    calendar = Calendar(tmp_path, *(whole.replace("{}", str(i)) for i in range(2500)))
    assert calendar.file.stat().st_size > 700_000
    assert len(calendar.occurrences) == 256 and time.monotonic() - began < patient(5)


def test_jobs_that_are_none():
    for text, complaint in [
        (b"", "job: not JSON at byte 0: '[' or '{' expected near end of file"),
        (b"x" * 9000 + b"\n", "job: line of 9000 bytes is longer than 8192"),
        (json.dumps(job()).encode(), 'job: give "file" or "start", one of them'),
        (json.dumps(job(file="relative.ics")).encode(), 'job: "file" is not an absolute path'),
    ]:
        process = run(text)
        assert process.returncode == 65
        assert json.loads(process.stdout)["message"].replace("\\\"", '"') == complaint


def test_the_answer_to_one_job_names_no_other_file():
    assert answers(start="2026-03-22T01:00", zone="UTC")[0]["line"] == 0
