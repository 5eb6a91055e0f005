"""A notification when mailflowd is killed (SIGKILL) about the instant at which it is said: none is
lost, and one that may have been said already says so.
"""

import contextlib
import signal
import sqlite3

import pytest

from daemon import BUILD, Daemon, PostOffice, Syslog, wait_for
from process import patient
from smtp_server import reply

FIRING = r"refused FIRING .* path=mx02->mx01 .*"
AGAIN = r"refused FIRING .* path=mx02->mx01 .* incident=1 repeated=maybe .*"
WAITING = 256  # lines, while nobody takes them
RESOLVED = r"refused RESOLVED .* path=mx02->mx01 .* incident=1"
PRELOAD = {
    "LD_PRELOAD": str(BUILD / "test/system/libkilled_at_line.so"),
    "ASAN_OPTIONS": "verify_asan_link_order=0",
}


@pytest.fixture(name="refusing")
def fixture_refusing():
    with PostOffice(rcpt=[reply("550 5.1.1 nobody")]) as office:
        yield office


def agent(directory, office):
    return Daemon(directory, office, incidents={"refused_after": 1, "close_after": 1})


def start_and_be_killed(daemon, **environment):
    daemon.start(**environment)
    assert daemon.process.wait(patient(10)) == -signal.SIGKILL, daemon.said
    daemon.errors.close()


def owed(daemon):
    return daemon.ledger("SELECT notice FROM notices")


@pytest.mark.parametrize("after, said", [({}, 1), ({"KILLED_AFTER": "yes"}, 2)])
def test_killed_as_it_notifies(tmp_path, refusing, after, said):
    daemon = agent(tmp_path, refusing)
    start_and_be_killed(daemon, **PRELOAD, KILLED_AT_LINE="refused FIRING", **after)
    assert daemon.count(FIRING) == said - 1 and owed(daemon) == [("FIRING",)]
    with daemon.start():
        priority, _ = daemon.wait(AGAIN)
        assert priority == "crit"
        daemon.wait("probe REFUSED .*", count=3)
        assert owed(daemon) == []
        daemon.stop()
        daemon.start().wait("probe REFUSED .*", count=5)
        assert daemon.count(FIRING) == said and daemon.count(AGAIN) == 1


def test_killed_as_it_says_that_it_is_over(tmp_path, refusing):
    daemon = agent(tmp_path, refusing)
    with daemon.start(**PRELOAD, KILLED_AT_LINE="refused RESOLVED"):
        daemon.wait(FIRING)
        refusing.smtp.script["rcpt"] = [reply("250 2.1.5 Ok")]
        assert daemon.process.wait(patient(10)) == -signal.SIGKILL, daemon.said
        daemon.errors.close()
        daemon.start().wait(RESOLVED + " repeated=maybe")
        assert daemon.count(FIRING) == 1


def test_killed_while_nobody_takes_its_lines(tmp_path, refusing):
    with agent(tmp_path, refusing) as daemon:
        daemon.syslog.close()
        wait_for(lambda: owed(daemon), 10, "a notification that is owed")
        daemon.process.kill()
        daemon.process.wait()
        daemon.errors.close()
        daemon.syslog = Syslog(tmp_path / "log")
        daemon.start().wait(AGAIN)
        assert daemon.count(FIRING) == 1
        wait_for(lambda: not owed(daemon), 10, "a word that it was said")


def owe(daemon, count):
    with contextlib.closing(sqlite3.connect(daemon.state / "ledger.db")) as ledger, ledger:
        ledger.executemany("INSERT INTO notices (incident, notice) VALUES (1, ?)",
                           [("REMINDER",)] * count)


def test_many_that_nobody_takes_are_bounded_and_said_once(tmp_path, refusing):
    reminder = r"refused REMINDER .* incident=1 repeated=maybe .*"
    with agent(tmp_path, refusing) as daemon:
        daemon.wait(FIRING)
        wait_for(lambda: not owed(daemon), 10, "a word that it was said")
        daemon.syslog.close()
        refusing.smtp.script["rcpt"] = [reply("250 2.1.5 Ok")]
        wait_for(lambda: owed(daemon) == [("RESOLVED",)], 10, "its end, unheard")
        daemon.stop()
        owe(daemon, 3 * WAITING)
        for _ in range(2):
            before = daemon.states()["arrived"]
            daemon.launch()
            wait_for(lambda: daemon.states()["arrived"] > before, 10, "a probe, unheard")
            assert len(owed(daemon)) == WAITING
            daemon.stop()
        daemon.syslog = Syslog(tmp_path / "log")
        daemon.start()
        wait_for(lambda: not owed(daemon), 30, "a word that all were said")
        daemon.stop()
        arrived = daemon.count("probe ARRIVED .*")
        daemon.start().wait("probe ARRIVED .*", count=arrived + 1)
        assert daemon.count(FIRING) == 0 and daemon.count(reminder) == WAITING
