"""The truth about arrivals: the instant at which each message appears in a Maildir, by inotify."""

import ctypes
import os
import re
import select
import struct
import threading
import time

IN_MOVED_TO = 0x80
IN_CREATE = 0x100
EVENT = struct.Struct("iIII")
MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([A-Z2-7]{26})\.", re.MULTILINE | re.IGNORECASE)


class MaildirWatch(threading.Thread):
    """Collects {probe id: unix time at which its file appeared} until `end` is called."""

    def __init__(self, maildir):
        super().__init__(daemon=True)
        self.appeared = {}
        self._folder = maildir / "new"
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_CLOEXEC)
        path = str(self._folder).encode()
        if self._libc.inotify_add_watch(self._descriptor, path, IN_MOVED_TO | IN_CREATE) < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {self._folder}")
        self._ending = False
        self.start()

    def run(self):
        while not self._ending:
            ready, _, _ = select.select([self._descriptor], [], [], 0.2)
            if ready:
                events = os.read(self._descriptor, 65536)
                self._note(events, time.time())

    def _note(self, events, now):
        at = 0
        while at < len(events):
            *_, length = EVENT.unpack_from(events, at)
            name = events[at + EVENT.size : at + EVENT.size + length].rstrip(b"\0").decode()
            at += EVENT.size + length
            probe = self._probe_of(name)
            if probe:
                self.appeared.setdefault(probe, now)

    def _probe_of(self, name):
        """The file may have been moved to cur/ or collected already: then it is not counted."""
        base = name.split(":")[0]
        candidates = [self._folder / name, *self._folder.parent.glob(f"cur/{base}*")]
        for file in candidates:
            try:
                found = MESSAGE_ID.search(file.read_bytes())
            except OSError:
                continue
            if found:
                return found[1].decode().upper()
        return None

    def end(self):
        self._ending = True
        self.join()
        os.close(self._descriptor)
        return self.appeared
