"""Runs ninja: how far it is shows on a terminal in the line of its own, elsewhere now and then as a
count. What fails is printed as it comes.
"""

import re
import signal
import subprocess
import sys
import time

PAUSE = 15  # seconds
STEP = re.compile(r"\[(\d+)/(\d+)\] ")
OF_NO_INTEREST = ("ninja: Entering directory", "ninja: no work to do.")


def show(lines, pause):
    told = time.monotonic()
    for line in lines:
        step = STEP.match(line)
        if step is None and not line.startswith(OF_NO_INTEREST):
            print(line, end="", flush=True)
        elif step and time.monotonic() - told >= pause:
            print(f"  {step[1]} of {step[2]} steps", flush=True)
            told = time.monotonic()


def build(directory, *targets, pause=PAUSE):
    """Whether everything is built. A Ctrl-C that only we were told of ends ninja, too."""
    shown = None if sys.stdout.isatty() else subprocess.PIPE
    command = ("ninja", "-C", directory, *targets)
    with subprocess.Popen(command, stdout=shown, text=True, errors="replace") as process:
        try:
            show(process.stdout or (), pause)
            return process.wait() == 0
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            raise


if __name__ == "__main__":
    try:
        sys.exit(not build(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
