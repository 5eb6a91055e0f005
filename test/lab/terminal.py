"""A program at a pseudo-terminal, and a person before it who reads what is asked and types."""

import os
import pty
import select
import subprocess
import termios
import time

CTRL_C = "\x03"


class Terminal:
    """`with Terminal(command) as terminal:` the command's only terminal, of 100 columns."""

    def __init__(self, command, environment=None):
        self.master, self.slave = pty.openpty()
        self.said = ""
        self.read_to = 0
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *map(str, command)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**(environment or os.environ), "TERM": "dumb", "COLUMNS": "100"},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _read(self, seconds):
        if select.select([self.master], [], [], max(seconds, 0))[0]:
            self.said += os.read(self.master, 65536).decode().replace("\r\n", "\n")
            return True
        return False

    def expect(self, text, seconds=30.0):
        """Wait until this has been said, after what was expected last; what came before it."""
        deadline = time.monotonic() + seconds
        while (found := self.said.find(text, self.read_to)) < 0:
            if not self._read(min(0.1, deadline - time.monotonic())):
                over = self.process.poll() is not None and not self._read(0)
                if over or time.monotonic() > deadline:
                    raise AssertionError(f"no {text!r} in: {self.said[self.read_to:]}")
        before = self.said[self.read_to : found]
        self.read_to = found + len(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def answer(self, question, text="", seconds=30.0):
        """Wait for the question and type a line."""
        self.expect(question, seconds)
        self.expect(": ", seconds)
        self.type(text + "\n")

    def end(self, seconds=60.0):
        """The exit code, once it has ended; `said` is complete then."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self._read(0.1)
            if time.monotonic() > deadline:
                raise AssertionError(f"does not end: {self.said[self.read_to:]}")
        while self._read(0):
            pass
        return self.process.returncode

    @property
    def echoes(self):
        """Whether what is typed would show."""
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)
