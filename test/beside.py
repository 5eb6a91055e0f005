"""Parts of the test run that are done beside others, with what those leave of the machine."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).resolve().parent / "runner.py"


def become_idle():
    """Whoever else wants a processor gets it first."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class Beside:
    """A run of some parts, from now on; used as a context, at whose end it is waited for. Only then
    what it printed is printed, but for its count, which is added to `count`.
    """

    def __init__(self, parts, log, count):
        self.parts, self.log, self.count = parts, log, count
        print(f"\n== from now on beside the others: {', '.join(parts)}", flush=True)
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                (sys.executable, RUNNER, *parts),
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                preexec_fn=become_idle,
            )

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
            return
        self.process.wait()
        text = self.log.read_text(errors="replace")
        ending = re.search(r"((?:^FAILED .*\n)*)^(\d+) passed, \d+ failed\n\Z", text, re.MULTILINE)
        print(text[:ending.start()] if ending else text, end="", flush=True)
        if not ending:
            self.count.add(f"{', '.join(self.parts)}: they did not run to their end", False)
            return
        self.count.passed += int(ending[2])
        self.count.failed += [line.removeprefix("FAILED ") for line in ending[1].splitlines()]
