"""A running mailflow-collect: commands go in, reports are waited for."""

import json
import os
import pathlib
import queue
import subprocess
import threading
import time

from process import patient
from tag import Key

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
PATIENCE = 10.0


class Collector:
    """The program; used as a context, at whose end it must end by itself and in good health."""

    def __init__(self, timeout="2s", renew="6h"):
        self.process = subprocess.Popen(
            [BUILD / "probes" / "mailflow-collect", "--timeout", timeout,
             "--renew", renew],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.reports = queue.Queue()
        self.writes = []  # what came at once, as far as it can be told
        self.seen = []
        self.errors = []
        self.threads = [
            threading.Thread(target=self._read_reports, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def _read_reports(self):
        while written := self.process.stdout.read1():
            if not written.endswith(b"\n"):
                written += self.process.stdout.readline()
            self.writes.append(written)
            for line in written.splitlines():
                assert len(line) < 8192
                self.reports.put(json.loads(line))

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.decode(errors="replace"))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        try:
            self.process.wait(patient(PATIENCE))
        except subprocess.TimeoutExpired:
            self.process.kill()
        for thread in self.threads:
            thread.join(patient(PATIENCE))
        if kind is None:
            assert self.process.returncode == 0, "".join(self.errors)

    def say(self, **command):
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def watch(self, port, mailbox="local", tls="none", ca_file="", password="secret", **options):
        endpoint = {
            "host": options.pop("host", "127.0.0.1"),
            "port": port,
            "tls": tls,
            "ca_file": str(ca_file),
            "user": options.pop("user", "probe"),
            "password": password,
        } | options.pop("oauth", {})
        keys = [key.as_json() for key in options.pop("keys", [Key()])]
        rest = {
            "folders": options.pop("folders", ["INBOX"]),
            "authserv_id": options.pop("authserv_id", ""),
        }
        assert not options
        self.say(command="watch", mailbox=mailbox, endpoint=endpoint, keys=keys, **rest)

    def delete(self, *arrivals):
        self.say(
            command="delete",
            mailbox=arrivals[0]["mailbox"],
            folder=arrivals[0]["folder"],
            uid_validity=arrivals[0]["uid_validity"],
            uids=[arrival["uid"] for arrival in arrivals],
        )

    def expect(self, kind, patience=PATIENCE, **members):
        """The next report of that kind with those members; others before it are passed over."""
        end = time.monotonic() + patient(patience)
        passed = []
        while True:
            try:
                report = self.reports.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"no {kind} {members} within {patience} s, but {passed} {self.errors}"
                ) from None
            self.seen.append(report)
            if report["report"] == kind and all(report[n] == v for n, v in members.items()):
                return report
            passed.append(report)

    def count(self, kind):
        return sum(report["report"] == kind for report in self.seen)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def block(probe, **options):
    """The headers of a message, as a server gives them."""
    return probe.header_block(**options) + b"\r\n"


def cause_of(server, timeout="2s", **options):
    """Why the mailbox is down; the words say by what time limit, if by one."""
    with Collector(timeout) as collector:
        collector.watch(server.port, **options)
        return collector.expect("down", patience=2 * PATIENCE)["cause"]
