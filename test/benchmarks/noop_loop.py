"""What watching a mailbox costs its server: beside us, a client that says NOOP every 5 ms for ever."""

import imaplib
import ssl
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import process  # noqa: E402

SPACING = 0.005


class NoopLoop(threading.Thread):
    """Runs from its making until `end`; `sent` counts."""

    def __init__(self, host, user):
        super().__init__(daemon=True)
        self.sent = 0
        self._over = False
        context = ssl.create_default_context(cafile=host.lab.authority)
        context.check_hostname = False
        self._client = imaplib.IMAP4(host.address, 143, timeout=10)
        self._client.starttls(context)
        self._client.login(f"{user}@{host.domain}", host.password(user))
        self._client.select("INBOX")
        self.start()

    def run(self):
        due = time.monotonic()
        while not self._over:
            self._client.noop()
            self.sent += 1
            due = max(due + SPACING, time.monotonic() - SPACING)
            time.sleep(max(0, due - time.monotonic()))

    def end(self):
        self._over = True
        self.join()
        self._client.logout()


def sessions(host):
    """{pid: seconds of the processor so far} of the processes that serve IMAP there."""
    found = {}
    for pid in process.in_namespace_of(host.pid).values():
        if process.runs(pid, "imap"):
            found[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return found
