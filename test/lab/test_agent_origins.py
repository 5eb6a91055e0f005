"""Windows that nobody types: a flag file, a calendar and a rule of the configuration, told on by
the agent that has them.
"""

import datetime
import zoneinfo

import together
from announced import wait_for_window, windows, write_flag
from told import count, start, wait_for_arrivals, wait_for_line

UTC = datetime.timezone.utc
ZONE = "Europe/Stockholm"
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//mailflow//lab//EN
BEGIN:VEVENT
UID:kernel-1@provider.example
DTSTAMP:20260101T000000Z
DTSTART:{begin:%Y%m%dT%H%M%SZ}
DTEND:{end:%Y%m%dT%H%M%SZ}
SUMMARY:kernel update
X-MAINTNOTE-OBJECT-ID:{server}
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
"""


def now():
    return datetime.datetime.now(UTC).replace(microsecond=0)


def minutes(number):
    return datetime.timedelta(minutes=number)


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def the_window(host, server, origin):
    """The only window that the agent knows, once it does."""

    def known():
        found = [window for window in windows(host).values() if window["server"] == server]
        return found[0] if found else None

    window = host.wait_for(known, 15, f"{host.name} to know of a window of {server}")
    assert window["origin"] == origin, window
    return window


@together.on(hosts=2)
def test_a_flag_file(mx01, mx02):
    start(mx01, mx02, maintenance={"flags_dir": str(mx01.agent_directory / "flags")})
    start(mx02, mx01)
    wait_for_arrivals(mx01, mx02)
    flag = write_flag(mx01, mx01.name, "reason=kernel update\n")
    here = the_window(mx01, mx01.name, "flag")
    there = the_window(mx02, mx01.name, "peer")
    assert here["id"] == there["id"] and here["id"].startswith("f-")
    assert {here["state"], there["state"]} == {"active"}
    assert here["reason"] == there["reason"] == "kernel update"
    assert 3.9 < (time_of(here["end"]) - time_of(here["begin"])).total_seconds() / 3600 <= 4

    until = now() + minutes(10)
    write_flag(mx01, mx01.name, f"until={until:%Y-%m-%dT%H:%M:%SZ}\nreason=kernel update\n")
    for host in mx01, mx02:
        ends = lambda: time_of(windows(host)[here["id"]]["end"])  # noqa: E731
        host.wait_for(lambda: ends() == until, 15, "the end that the flag says")

    flag.unlink()
    for host in mx01, mx02:
        wait_for_window(host, here["id"], 15, state="recovering")
        wait_for_line(host, rf"maintenance END server={mx01.name} .*")


@together.on(hosts=2)
def test_a_calendar_that_both_agents_read(mx01, mx02):
    """One window, whoever reads it first; and again when the file is replaced."""
    calendar = mx01.directory / "maintenance.ics"

    def write(end):
        draft = calendar.with_suffix(".new")
        text = CALENDAR.format(begin=begin, end=end, server=mx02.name)
        draft.write_bytes(text.replace("\n", "\r\n").encode())
        draft.rename(calendar)

    begin = now() - minutes(1)
    write(begin + minutes(30))
    for host, peer in (mx01, mx02), (mx02, mx01):
        start(host, peer, maintenance={"calendars": [str(calendar)]})
    (identity,) = {the_window(host, mx02.name, "calendar")["id"] for host in (mx01, mx02)}
    assert identity.startswith("c-")
    wait_for_arrivals(mx01, mx02)

    write(begin + minutes(45))
    for host in mx01, mx02:
        ends = lambda: time_of(windows(host)[identity]["end"])  # noqa: E731
        host.wait_for(lambda: ends() == begin + minutes(45), 20, "the end that the calendar says")
    assert {len(windows(host)) for host in (mx01, mx02)} == {1}
    assert {count(host, "maintenance BEGIN .*") for host in (mx01, mx02)} == {1}


@together.on(hosts=2)
def test_a_rule_of_the_configuration(mx01, mx02):
    """Of one agent; the other one has it from there."""
    begin = now() - minutes(1)
    local = begin.astimezone(zoneinfo.ZoneInfo(ZONE)) - datetime.timedelta(days=7)
    rule = {
        "server": mx02.name,
        "rrule": "FREQ=DAILY",
        "start": f"{local:%Y-%m-%dT%H:%M}",
        "for": "15m",
        "zone": ZONE,
    }
    start(mx01, mx02, maintenance={"windows": [rule]})
    start(mx02, mx01)
    here = {window["id"]: window for window in windows(mx01).values()}
    active = [window for window in here.values() if window["state"] == "active"]
    assert [window["origin"] for window in active] == ["config"]
    there = wait_for_window(mx02, active[0]["id"], 15, state="active", origin="peer")
    assert time_of(there["begin"]) == begin.replace(second=0)
    wait_for_line(mx02, rf"maintenance BEGIN server={mx02.name} .*")
