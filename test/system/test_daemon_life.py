"""mailflowd and the machine it runs on: systemd, a machine that sleeps, a syslog that is away."""

import contextlib
import os
import signal
import socket
import time

import pytest

import smtp_server
from daemon import Daemon, Syslog, wait_for
from process import patient

ARRIVED = r"probe ARRIVED path=mx02->mx01 .*"
AS_SYSTEMD_DOES = ("sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh")
SILENT_AFTER = 4.0  # seconds: three intervals of at most 1.05 s, and the hold


@contextlib.contextmanager
def listening(address):
    """The socket on which systemd listens to its services."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(patient(10))
        yield manager


@pytest.fixture(name="manager")
def fixture_manager(tmp_path):
    with listening(str(tmp_path / "notify")) as manager:
        yield manager


def wait_told(manager, word):
    """Wait until the manager is told this."""
    while manager.recv(4096).decode() != word:
        pass


# ---- systemd ----


@pytest.mark.parametrize("before", ((), AS_SYSTEMD_DOES), ids=("whoever reads it", "for this process"))
def test_systemd_is_told_of_start_life_and_end(tmp_path, office, manager, before):
    told = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "400000"}
    with Daemon(tmp_path, office).start(before=before, **told) as daemon:
        assert manager.recv(4096) == b"READY=1"
        assert daemon.count("agent STARTED .*") == 1
        begun = time.monotonic()
        for _ in range(5):
            assert manager.recv(4096) == b"WATCHDOG=1"
        took = time.monotonic() - begun
        print(f"five signs of life in {took:.3f} s, one every 0.2 s wanted")
        assert 0.7 <= took <= 2.0
        daemon.process.send_signal(signal.SIGTERM)
        wait_told(manager, "STOPPING=1")
        assert daemon.process.wait(patient(2)) == 0


@pytest.mark.parametrize("watchdog", (
    {}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"},
), ids=("none", "unreadable", "another's"))
def test_without_a_watchdog_there_are_no_signs_of_life(tmp_path, office, manager, watchdog):
    address = manager.getsockname()
    with Daemon(tmp_path, office).start(NOTIFY_SOCKET=address, **watchdog) as daemon:
        assert manager.recv(4096) == b"READY=1"
        daemon.wait(ARRIVED, count=2)
        daemon.process.send_signal(signal.SIGINT)
        assert manager.recv(4096) == b"STOPPING=1"
        assert daemon.process.wait(patient(2)) == 0


def test_a_manager_may_listen_in_the_abstract(tmp_path, office):
    name = f"mailflow-test-{os.getpid()}"
    with listening(f"\0{name}") as manager:
        with Daemon(tmp_path, office).start(NOTIFY_SOCKET=f"@{name}"):
            assert manager.recv(4096) == b"READY=1"
        assert manager.recv(4096) == b"STOPPING=1"


def test_one_that_cannot_start_is_never_ready(tmp_path, office, manager):
    daemon = Daemon(tmp_path, office)
    daemon.configure(daemon.settings, {"state_dir": str(tmp_path / "missing/state")})
    with contextlib.closing(daemon.syslog):
        daemon.refuses_to_start(before=("env", f"NOTIFY_SOCKET={manager.getsockname()}"))
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(4096)


# ---- sleep ----


def test_a_sleep_longer_than_the_silence_is_no_silence(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED, count=2)
        os.kill(daemon.pid, signal.SIGSTOP)
        time.sleep(SILENT_AFTER + 2)
        os.kill(daemon.pid, signal.SIGCONT)
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, count=arrived + 4)
        assert daemon.count(r"\w+ (FIRING|SUPPRESSED|RESOLVED) .*") == 0
        missed = daemon.metric("slots_missed_total", peer="mx01")
        slots = [slot for slot, in daemon.ledger("SELECT slot FROM probes ORDER BY slot")]
        print(f"slept {SILENT_AFTER + 2:g} s: {missed:g} slots missed")
        assert missed >= SILENT_AFTER and slots[-1] - slots[0] + 1 == len(slots) + missed


# ---- syslog ----


def notified(daemon, state):
    """Whether the ledger has a notified incident that is open, or closed."""
    kept = "SELECT count(*) FROM incidents WHERE notified AND (closed IS NULL) = (? = 'open')"
    return daemon.ledger(kept, state)[0][0] == 1


def test_without_syslog_notifications_wait(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED)
        daemon.syslog.close()
        before = daemon.syslog
        office.smtp.script["mail"] = [smtp_server.reply("550 5.7.1 not today")]
        wait_for(lambda: notified(daemon, "open"), 10, "a notification, unheard")
        office.smtp.script.pop("mail")
        wait_for(lambda: notified(daemon, "closed"), 10, "its end, unheard")
        assert not [text for _, text in before.lines if "FIRING" in text]
        assert len(daemon.unheard) == 1 and "refused FIRING" in daemon.unheard[0]

        daemon.syslog = Syslog(daemon.home / "log")
        daemon.wait("refused RESOLVED .*")
        told = [(priority, text.split(" ", 2)[:2]) for priority, text in daemon.syslog.lines
                if priority != "debug"]
        assert told == [("crit", ["refused", "FIRING"]), ("notice", ["refused", "RESOLVED"])]


def test_more_than_can_wait_for_syslog_is_counted(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED)
        daemon.syslog.close()
        daemon.configure(daemon.settings, {"defaults": {"interval": "never"}})
        for _ in range(140):  # two lines each, and 256 may wait
            assert daemon.request("POST", "/api/v1/reload")[0] == 422
        daemon.syslog = Syslog(daemon.home / "log")
        priority, match = daemon.wait(r"journal GAP dropped=(\d+)")
        assert (priority, match[1]) == ("warning", str(2 * 140 - 256))
