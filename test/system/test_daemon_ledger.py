"""mailflowd and its ledger: damaged, of another version, and on a disk that is full or read-only."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess

import pytest

from daemon import Daemon, wait_for
from process import patient
from tag import Probe

ARRIVED = r"probe ARRIVED path=mx02->mx01 .*"
ACCEPTED = r"probe ACCEPTED path=mx02->mx01 .*"
KEPT = (
    r'ledger CORRUPT kept=(\S+) consequence="a fresh ledger was begun; probes in flight before now '
    r'are not known any more"'
)
FAILING = (
    r'ledger FAILING reason="(.*)" '
    r'consequence="no probe is sent and no mail is deleted until it works again"'
)
WORKING = "ledger WORKING"


def test_a_corrupt_ledger_is_kept_and_the_work_goes_on(tmp_path, office):
    daemon = Daemon(tmp_path, office)
    damaged = os.urandom(20000)
    (daemon.state / "ledger.db").write_bytes(damaged)
    with daemon:
        priority, match = daemon.wait(KEPT)
        assert priority == "crit"
        kept = pathlib.Path(match[1])
        assert kept.parent == daemon.state and kept.read_bytes() == damaged
        daemon.wait(ARRIVED)
        assert daemon.states()["arrived"] >= 1
    assert kept.read_bytes() == damaged


def test_a_damaged_page_is_found_at_the_start(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED, count=2)
        daemon.stop()
        ledger = daemon.state / "ledger.db"
        content = bytearray(ledger.read_bytes())
        content[4096:8192] = bytes(4096)
        ledger.write_bytes(content)
        daemon.start()
        _, match = daemon.wait(KEPT)
        assert pathlib.Path(match[1]).read_bytes() == content
        daemon.wait(ARRIVED, count=3)


def test_a_ledger_cut_to_nothing_is_said_to_be_lost(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED)
        daemon.process.kill()
        daemon.process.wait()
        daemon.errors.close()
        log = (daemon.state / "ledger.db-wal").read_bytes()
        os.truncate(daemon.state / "ledger.db", 0)
        daemon.start()
        priority, match = daemon.wait(KEPT)
        kept = pathlib.Path(match[1])
        assert priority == "crit" and kept.read_bytes() == b""
        assert log and pathlib.Path(f"{kept}-wal").read_bytes() == log
        daemon.wait(ARRIVED, count=2)


def test_damage_while_running_ends_it_for_a_fresh_start(tmp_path, office):
    daemon = Daemon(tmp_path, office).start()
    daemon.wait(ARRIVED)
    ledger = daemon.state / "ledger.db"
    with contextlib.closing(sqlite3.connect(ledger)) as other:  # so that it reads its pages anew
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(ledger, "r+b") as opened:
        opened.seek(4096)
        opened.write(os.urandom(ledger.stat().st_size - 4096))
    assert daemon.process.wait(patient(30)) == 1  # for the supervisor to start it again
    daemon.errors.close()
    wait_for(lambda: daemon.count("ledger FAILING .*") == 1, 5, "a word about the ledger")
    with daemon.start():
        daemon.wait(KEPT)
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, count=arrived + 2)


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path):
    with Daemon(tmp_path) as daemon:
        daemon.stop()
        ledger = daemon.state / "ledger.db"
        with contextlib.closing(sqlite3.connect(ledger)) as database:
            known = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute("PRAGMA user_version = 99")
        before = ledger.read_bytes()
        assert daemon.refuses_to_start() == (
            f"mailflowd: ledger {ledger} was written by a newer version of this program (schema 99,"
            f" this one knows {known}): run that version, or move the ledger away\n"
        )
        assert ledger.read_bytes() == before


# ---- a full disk ----

FILE_SYSTEM = "mount -t tmpfs -o size=4m none {} && exec \"$@\""


class Disk:
    """The state directory of a running agent that sees a small file system there."""

    def __init__(self, daemon):
        self.directory = pathlib.Path(f"/proc/{daemon.pid}/root{daemon.state}")

    def fill(self):
        with open(self.directory / "filler", "ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(size))

    def free(self):
        (self.directory / "filler").unlink()


def is_recorded(daemon, probe):
    status, text = daemon.request("GET", f"/api/v1/probes/{probe.id_text}")
    return status == 200 and json.loads(text)["verdict"] == "on_time"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_stops_the_probes_and_nothing_else(tmp_path, office):
    daemon = Daemon(tmp_path, office)
    peers = [*daemon.settings["peers"], {"name": "mx03", "address": "probe@mx03.example"}]
    daemon.configure(daemon.settings, {"peers": peers})
    mount = ("unshare", "--mount", "sh", "-c", FILE_SYSTEM.format(daemon.state), "sh")
    with daemon.start(before=mount):
        disk = Disk(daemon)
        daemon.wait(ARRIVED, count=2)
        disk.fill()
        priority, match = daemon.wait(FAILING)
        assert priority == "crit"
        assert match[1] == (
            f"ledger {daemon.state}/ledger.db: database or disk is full; "
            "free space on its file system, nothing more is needed"
        )
        taken = office.taken
        probe = Probe(daemon.key, sender="mx03", addressee="mx02", next=3600.0)
        uid = office.put(probe.header_block() + b"\r\n")
        daemon.wait(rf"probe ARRIVED path=mx03->mx02 probe={probe.id_text} .* verdict=on_time .*")
        again = office.put(probe.header_block() + b"\r\n")
        daemon.wait(r"probe REFUSED path=mx02->mx01 .*", count=3)
        assert office.taken == taken
        assert {uid, again} <= set(office.mailbox) and not is_recorded(daemon, probe)
        assert daemon.count(WORKING) == 0

        disk.free()
        assert daemon.wait(WORKING)[0] == "notice"
        accepted = daemon.count(ACCEPTED)
        daemon.wait(ACCEPTED, count=accepted + 2)
        wait_for(lambda: not {uid, again} & set(office.mailbox), 10, "deletion of both")
        assert is_recorded(daemon, probe)
        assert daemon.metric("probe_duplicates_total", peer="mx03") == 1
        assert (daemon.count(FAILING), daemon.count(WORKING)) == (1, 1)
        assert daemon.count(rf"probe ARRIVED .* probe={probe.id_text} .*") == 1


# ---- a disk that fails, as a file system does that turns itself read-only ----


class Image:
    """A file system of its own for the state directory of an agent, and it in a file."""

    def __init__(self, file):
        self.file = file
        with open(file, "wb") as image:
            image.truncate(16 << 20)
        subprocess.run(("mkfs.ext4", "-q", file), check=True)

    def before(self, daemon):
        """What to run the agent with; it goes with the agent."""
        mount = f'mount -o loop {self.file} {daemon.state} && exec "$@"'
        return ("unshare", "--mount", "sh", "-c", mount, "sh")

    @staticmethod
    def fail(daemon):
        """Tell it that it has seen an error."""
        inside = ("nsenter", f"--target={daemon.pid}", "--mount")
        subprocess.run((*inside, "mount", "-o", "remount,abort", daemon.state), check=True)


def may_mount_images():
    """Machines without loop devices cannot be told from those with them but by trying."""
    return os.geteuid() == 0 and os.path.exists("/dev/loop-control")


@pytest.mark.skipif(not may_mount_images(), reason="mounting needs root, and a loop device")
def test_a_disk_that_turns_read_only_stops_the_probes_and_loses_none(tmp_path, office):
    daemon = Daemon(tmp_path, office)
    peers = [*daemon.settings["peers"], {"name": "mx03", "address": "probe@mx03.example"}]
    daemon.configure(daemon.settings, {"peers": peers})
    image = Image(tmp_path / "image")
    with daemon.start(before=image.before(daemon)):
        daemon.wait(ARRIVED, count=2)
        image.fail(daemon)
        priority, match = daemon.wait(FAILING)
        assert priority == "crit" and match[1].startswith(f"ledger {daemon.state}/ledger.db: ")
        assert match[1].endswith("whether its disk fails, or its file system has turned read-only")
        taken = office.taken
        probe = Probe(daemon.key, sender="mx03", addressee="mx02", next=3600.0)
        uid = office.put(probe.header_block() + b"\r\n")
        daemon.wait(rf"probe ARRIVED path=mx03->mx02 probe={probe.id_text} .* verdict=on_time .*")
        daemon.wait(r"probe REFUSED path=mx02->mx01 .*", count=2)
        assert office.taken == taken and uid in office.mailbox
        assert daemon.count("[a-z]+ FIRING .*") == 0
        daemon.stop()
        with daemon.start(before=image.before(daemon)):
            assert daemon.count(KEPT) == 0
            daemon.wait(ARRIVED, count=daemon.count(ARRIVED) + 2)
            wait_for(lambda: uid not in office.mailbox, 10, "its deletion")
            assert is_recorded(daemon, probe)
            assert daemon.metric("probe_duplicates_total", peer="mx03") == 0
            assert daemon.count("[a-z]+ FIRING .*") == 0
