"""Windows that nobody begins by hand: flags, calendars and the configuration, in a running agent."""

import datetime
import os
import signal
import time

import pytest

from daemon import Daemon, wait_for


def now(**more):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**more)
    return at.replace(microsecond=0)


def stamp(at):
    return at.strftime("%Y%m%dT%H%M%SZ")


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds(window):
    return (parse(window["end"]) - parse(window["begin"])).total_seconds()


def event(uid, begin, minutes=30, more="SUMMARY:mx01 kernel update"):
    return (f"BEGIN:VEVENT\nUID:{uid}\nDTSTART:{stamp(begin)}\nDURATION:PT{minutes}M\n"
            f"{more}\nEND:VEVENT\n")


def calendar(*events):
    return "BEGIN:VCALENDAR\nVERSION:2.0\n" + "".join(events) + "END:VCALENDAR\n"


class Origins:
    """A daemon with a directory of flags and a calendar, which are to be written."""

    def __init__(self, home, **maintenance):
        self.flags = home / "flags"
        self.flags.mkdir(exist_ok=True)
        self.file = home / "maintenance.ics"
        self.daemon = Daemon(home, peers=("mx01", "mx03"), maintenance={
            "flags_dir": str(self.flags), **maintenance})

    def __enter__(self):
        self.daemon.__enter__()
        return self

    def __exit__(self, *why):
        self.daemon.__exit__(*why)

    def windows(self, **members):
        """The windows that have these members, the first to begin first."""
        found = [window for window in self.daemon.api("maintenance")["maintenance"]
                 if members.items() <= window.items()]
        return sorted(found, key=lambda window: window["begin"])

    def window(self, **members):
        """The one window that has these members, as soon as there is one."""
        wait_for(lambda: len(self.windows(**members)) == 1, 10, f"a window {members}")
        return self.windows(**members)[0]

    def write(self, *events):
        self.file.write_text(calendar(*events))

    def flag_problem(self, name, problem, counts=True):
        consequence = ("the server is in maintenance while the file exists, but for what the problem "
                       "says" if counts else "no window comes of it")
        return (f'flag PROBLEM file={self.flags}/{name} problem="{problem}" '
                f'consequence="{consequence}"')


@pytest.fixture(name="origins")
def fixture_origins(tmp_path):
    with Origins(tmp_path) as origins:
        yield origins


# ---- flags ----


def test_a_flag_is_a_window_while_it_exists(origins):
    before = time.monotonic()
    (origins.flags / "mx01").touch()
    window = origins.window(server="mx01", state="active")
    took = time.monotonic() - before
    assert (window["origin"], window["by"], window["kind"]) == ("flag", "flag@mx02", "routine")
    assert (window["reason"], seconds(window)) == ("flag file", 4 * 3600)
    assert took < 0.9, f"{took:.2f} s: the kernel has not told of it"
    (origins.flags / "mx01").unlink()
    ended = origins.window(server="mx01", state="recovering")
    assert ended["id"] == window["id"] and ended["revision"] == 2
    assert abs((parse(ended["end"]) - now()).total_seconds()) < 3


def test_what_a_flag_says(origins):
    until = now(hours=2)
    (origins.flags / "mx01").write_text(f"# note\nuntil={until:%Y-%m-%dT%H:%M:%SZ}\nreason=new disk\n")
    (origins.flags / "mx02").write_text("for=30m\nkind=emergency\nreason=data recovery\n")
    window = origins.window(server="mx01")
    assert (parse(window["end"]), window["reason"]) == (until, "new disk")
    own = origins.window(server="mx02")
    assert (own["kind"], own["reason"], seconds(own)) == ("emergency", "data recovery", 1800)
    (origins.flags / "mx01").write_text("for=3h\nreason=new disk, slowly\n")
    longer = origins.window(server="mx01", revision=2)
    assert (longer["id"], longer["begin"]) == (window["id"], window["begin"])
    assert 3 * 3600 <= seconds(longer) < 3 * 3600 + 10
    assert longer["reason"] == "new disk, slowly"


def test_a_flag_outlives_a_restart(tmp_path):
    origins = Origins(tmp_path)
    flag = origins.flags / "mx01"
    flag.touch()
    an_hour_ago = time.time() - 3600
    os.utime(flag, (an_hour_ago, an_hour_ago))
    with origins:
        first = origins.window(server="mx01", state="active")
        assert abs((now() - parse(first["begin"])).total_seconds() - 3600) < 10
        assert origins.daemon.stop() == 0
        origins.daemon.start()
        again = origins.window(server="mx01")
        assert (again["id"], again["revision"]) == (first["id"], 1)
        assert origins.daemon.stop() == 0
        flag.unlink()
        origins.daemon.start()
        assert origins.window(server="mx01", revision=2)["state"] == "recovering"


def test_flags_that_cannot_be_used_are_said_once(origins):
    for name, content in [("mx07", ""), ("MX01", ""), ("mx03", "until=tomorrow\nfoo\nfor=-3m\n"),
                          ("mx02", "\x7fELF\0\0"), (".mx01", ""), ("mx01~", ""), ("mx01.swp", "")]:
        (origins.flags / name).write_text(content)
    (origins.flags / "sub").mkdir()
    os.mkfifo(origins.flags / "mx01")
    expected = [
        origins.flag_problem("mx07", "no server of the mesh is called so", False),
        origins.flag_problem("MX01", "no server of the mesh is called so: did you mean mx01?", False),
        origins.flag_problem("mx03", "line 1: until=tomorrow is no time: write 22:30, "
                             "2026-01-04T22:30 or 2026-01-04T21:30:00Z"),
        origins.flag_problem("mx03", "line 2: 'foo' is not until=, for=, reason= or kind="),
        origins.flag_problem("mx03", "line 3: for=-3m is no length: write 30m or 6h"),
        origins.flag_problem("mx02", "what is in it is no flag's text: only its name counts"),
        origins.flag_problem("sub", "it is not a regular file: a flag is a file named like a server",
                             False),
        origins.flag_problem("mx01", "it is not a regular file: a flag is a file named like a server",
                             False),
    ]
    said = lambda: sorted(text for _, text in origins.daemon.syslog.lines  # noqa: E731
                          if text.startswith("flag "))
    wait_for(lambda: len(said()) >= len(expected), 10, "the problems of the flags")
    origins.window(server="mx03", state="active")
    origins.window(server="mx02", state="active")
    time.sleep(2.2)  # two more looks
    assert said() == sorted(expected)
    assert origins.windows(server="mx01") == []


def test_the_directory_may_come_later_and_go(tmp_path):
    with Origins(tmp_path) as origins:
        origins.flags.rmdir()
        time.sleep(1.2)
        origins.flags.mkdir()
        (origins.flags / "mx03").touch()
        origins.window(server="mx03", state="active")
        (origins.flags / "mx03").unlink()
        origins.flags.rmdir()
        origins.window(server="mx03", state="recovering")
        assert origins.daemon.count("flag .*") == 0


def test_a_flag_in_the_past_is_none(origins):
    (origins.flags / "mx01").write_text("until=2020-01-01T00:00:00Z\n")
    origins.daemon.wait("flag PROBLEM .* problem=\"it ends before it was written: no maintenance\" .*")
    assert origins.windows() == []
    (origins.flags / "mx03").write_text("for=400d\nkind=emergency\n")
    window = origins.window(server="mx03")
    assert (window["kind"], seconds(window)) == ("routine", 4 * 3600)
    origins.daemon.wait(".* problem=\"an emergency needs a reason=: taken as routine\" .*")
    origins.daemon.wait(".* problem=\"it is longer than 366d: taken as 4h\" .*")


# ---- the configuration ----


def test_configured_windows(tmp_path):
    begin = now(minutes=-5)
    rule = {"server": "mx01", "start": f"{begin:%Y-%m-%dT%H:%M:%S}", "zone": "UTC", "for": "30m",
            "rrule": "FREQ=WEEKLY", "reason": "updates"}
    with Origins(tmp_path, windows=[rule]) as origins:
        wait_for(lambda: len(origins.windows(server="mx01")) == 3, 10, "three windows")
        active, announced, last = origins.windows()
        assert (active["state"], announced["state"]) == ("active", "announced")
        assert (active["origin"], active["by"]) == ("config", "config@mx02")
        assert (active["reason"], seconds(active)) == ("updates", 1800)
        assert parse(active["begin"]) == begin
        assert parse(announced["begin"]) == begin + datetime.timedelta(days=7)
        assert parse(last["begin"]) == begin + datetime.timedelta(days=14)
        settings = {**origins.daemon.settings}
        settings["maintenance"] = {**settings["maintenance"], "windows": [{**rule, "for": "20m"}]}
        origins.daemon.configure(settings, {})
        origins.daemon.process.send_signal(signal.SIGHUP)
        shorter = origins.window(server="mx01", state="active", revision=2)
        assert (shorter["id"], seconds(shorter)) == (active["id"], 1200)
        settings["maintenance"] = {**settings["maintenance"], "windows": []}
        origins.daemon.configure(settings, {})
        origins.daemon.process.send_signal(signal.SIGHUP)
        origins.window(server="mx01", state="recovering", revision=3)
        wait_for(lambda: len(origins.windows(cancelled=True, revision=3)) == 2, 10, "two cancelled")


def test_what_was_over_before_its_rule_was_seen_is_no_window(tmp_path):
    over = {"server": "mx01", "start": f"{now(minutes=-40):%Y-%m-%dT%H:%M:%S}", "zone": "UTC",
            "for": "10m", "rrule": "FREQ=WEEKLY"}
    with Origins(tmp_path, windows=[over]) as origins:
        wait_for(lambda: len(origins.windows(state="announced")) == 2, 10, "two windows")
        assert len(origins.windows()) == 2


def test_a_rule_of_too_many_windows_says_what_is_left_out(tmp_path):
    hourly = {"server": "mx01", "start": "2026-01-04T02:30", "zone": "UTC", "for": "1m",
              "rrule": "FREQ=HOURLY"}
    with Origins(tmp_path, windows=[hourly]) as origins:
        origins.daemon.wait(
            r'calendar PROBLEM source=maintenance.windows\[0\] problem="33\d windows are more than '
            'the 256 that are taken: the others are left out"')


# ---- calendars ----


def test_a_calendar_and_its_changes(tmp_path):
    origins = Origins(tmp_path, calendars=[str(tmp_path / "maintenance.ics")])
    soon = now(hours=2)
    both = event("two@x", now(minutes=-10), 60, "LOCATION:MX01.example, rack 2; mx03\nSUMMARY:Power")
    origins.write(event("one@x", soon), both)
    with origins:
        window = origins.window(server="mx01", state="announced")
        assert (window["origin"], window["by"]) == ("calendar", "calendar@mx02")
        assert (parse(window["begin"]), seconds(window)) == (soon, 1800)
        assert window["reason"] == "mx01 kernel update"
        for server in ("mx01", "mx03"):
            assert origins.window(server=server, state="active")["reason"] == "Power"
        origins.write(event("one@x", soon, 45), both)
        longer = origins.window(server="mx01", state="announced", revision=2)
        assert (longer["id"], seconds(longer)) == (window["id"], 2700)
        origins.write(event("one@x", soon, 45, "STATUS:CANCELLED\nSUMMARY:mx01"))
        assert origins.window(id=window["id"], cancelled=True)["revision"] == 3
        assert origins.window(server="mx03", state="recovering")["revision"] == 2
        origins.write(event("one@x", soon, 45))
        assert origins.window(id=window["id"], cancelled=False)["revision"] == 4


def test_a_calendar_that_becomes_garbage_keeps_its_windows(tmp_path):
    file = tmp_path / "maintenance.ics"
    unusable = rf'calendar UNUSABLE source={file} problem="{{}}" consequence="the windows last read from it stand"'
    origins = Origins(tmp_path, calendars=[str(file)])
    origins.write(event("one@x", now(hours=2)), event("two@x", now(minutes=-10)))
    with origins:
        wait_for(lambda: len(origins.windows(server="mx01")) == 2, 10, "two windows")
        file.write_text("garbage")
        origins.daemon.wait(unusable.format("line 1: this is no calendar: 'garbage' is not BEGIN:VCALENDAR"))
        file.write_bytes(b"BEGIN:VCALENDAR\n" + b"X" * 10_000_000)
        origins.daemon.wait(unusable.format(
            "has 10000016 bytes, and a calendar may have 1 MiB: split it, or drop what is long past"))
        file.unlink()
        origins.daemon.wait(unusable.format("No such file or directory"))
        assert origins.daemon.stop() == 0
        origins.daemon.start()  # without having ever read it
        origins.daemon.wait(unusable.format("No such file or directory"), count=2)
        assert f"warning: calendars: {file}: No such file or directory: no " in origins.daemon.said
        (tmp_path / "stderr").write_text("")
        states = [window["state"] for window in origins.windows(server="mx01")]
        assert states == ["active", "announced"]
        origins.write(event("two@x", now(minutes=-10)))
        origins.daemon.wait(f"calendar USABLE source={file}")
        origins.window(server="mx01", cancelled=True)


def test_events_that_cannot_be_used_are_said_once_and_keep_their_windows(tmp_path):
    file = tmp_path / "maintenance.ics"
    origins = Origins(tmp_path, calendars=[str(file)])
    soon = now(hours=2)
    origins.write(event("one@x", soon), event("long@x", now(hours=3), 360, "SUMMARY:mx03"),
                  event("else@x", soon, more="X-MAINTNOTE-OBJECT-ID:acme\nSUMMARY:mx01"))
    with origins:
        window = origins.window(server="mx01", state="announced")
        origins.daemon.wait(
            f'calendar NOTE source={file} line=15 uid=else@x problem="it names no server of the mesh '
            r"\(X-MAINTNOTE-OBJECT-ID acme\): name one in X-MAINTNOTE-OBJECT-ID, LOCATION, CATEGORIES or "
            'SUMMARY"')
        origins.daemon.wait(
            f'calendar NOTE source={file} line=9 uid=long@x problem="it is long for routine maintenance '
            r'\(more than 4h\): every alert of the server is held back for all of it"')
        assert seconds(origins.window(server="mx03")) == 6 * 3600
        origins.write(event("one@x", soon, more="RRULE:FREQ=SECONDLY;BYMONTH=12\nSUMMARY:mx01"),
                      event("other@x", now(hours=1)))
        origins.daemon.wait(
            f'calendar PROBLEM source={file} line=3 uid=one@x problem="RRULE: FREQ=SECONDLY: maintenance '
            "that recurs every second is none: FREQ is HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY\" "
            'consequence="no window comes of it; one that it was stands"')
        origins.window(server="mx03", cancelled=True)
        assert len(origins.windows(server="mx01", state="announced")) == 2
        assert origins.windows(id=window["id"])[0]["revision"] == 1
        file.touch()
        time.sleep(3.5)  # it has been read again
        assert origins.daemon.count("calendar .*") == 3


def test_a_program_that_is_not_there_is_said(tmp_path):
    origins = Origins(tmp_path, calendars=[str(tmp_path / "maintenance.ics")])
    origins.write()
    (tmp_path / "probers").mkdir()
    origins.daemon.start(probers=tmp_path / "probers")
    with origins:
        origins.daemon.wait(r'calendar UNUSABLE .* problem="cannot start .*/mailflow-calendar: no such '
                            'file or directory" .*')
