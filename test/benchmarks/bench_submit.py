"""How fast a backlog is handed over: mailflow-submit against Postfix's smtp-source, both to smtp-sink.

Equal parallelism, equal numbers of messages of the same size, in turns. Processes of both are
running before the clock does: what is measured is the backlog, not the start.
"""

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

for beside in ("lab", "system"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / beside))

import prober  # noqa: E402
import ready  # noqa: E402
import rows  # noqa: E402
from dovecot import free_port  # noqa: E402

PARALLEL = 16
MESSAGE_BYTES = 1300  # as large as a probe
TURNS = 3
MESSAGES = PARALLEL * int(rows.seconds(10) * 25)
PATIENCE = 30


@contextlib.contextmanager
def sink():
    port = free_port()
    user = ("-u", "postfix") if os.geteuid() == 0 else ()
    program = subprocess.Popen(("smtp-sink", *user, f"127.0.0.1:{port}", "1024"))
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield port
    finally:
        program.terminate()
        program.wait()


class Submitter:
    """One mailflow-submit, which has done a first job."""

    def __init__(self, port, count, output):
        self.output = open(output, "w+")
        options = dict(stdin=subprocess.PIPE, stdout=self.output, env=prober.ENVIRONMENT)
        self.program = subprocess.Popen((prober.SUBMIT,), **options)
        jobs = [prober.job(port, number=number, seconds=300) for number in range(1, count + 2)]
        self.backlog = ready.encode(*jobs[1:])
        self.program.stdin.write(ready.encode(jobs[0]))
        self.program.stdin.flush()
        deadline = time.monotonic() + PATIENCE
        while self.accepted() < 1:
            if time.monotonic() > deadline:
                raise TimeoutError("mailflow-submit has not done its first job")
            time.sleep(0.01)

    def accepted(self):
        return Path(self.output.name).read_text().count('"accepted","class"')

    def run(self):
        self.program.stdin.write(self.backlog)
        self.program.stdin.close()
        self.program.wait()


def submit_rate(port):
    """Messages a second by our program."""
    with tempfile.TemporaryDirectory() as directory:
        count = MESSAGES // PARALLEL
        all_of_them = [Submitter(port, count, f"{directory}/{each}") for each in range(PARALLEL)]
        threads = [threading.Thread(target=each.run) for each in all_of_them]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - begun
        accepted = sum(each.accepted() for each in all_of_them)
        if accepted != PARALLEL * (count + 1):
            sys.exit(f"{accepted} of {PARALLEL * (count + 1)} messages were accepted")
    return MESSAGES / seconds


def source_rate(port, *options):
    command = ("smtp-source", *options, "-s", str(PARALLEL), "-m", str(MESSAGES), "-l",
               str(MESSAGE_BYTES), "-f", "probe@mx02.example", "-t", "probe@mx01.example")
    begun = time.monotonic()
    subprocess.run((*command, f"127.0.0.1:{port}"), check=True)
    return MESSAGES / (time.monotonic() - begun)


def measure():
    with sink() as port:
        turns = [(submit_rate(port), source_rate(port), source_rate(port, "-d"))
                 for _ in range(TURNS)]
    ours, single, kept = (statistics.median(each) for each in zip(*turns))
    what = f"backlog handed over, {PARALLEL} at a time"
    measured = f"{ours:.0f}/s"
    return [
        rows.Row(f"{what}, against smtp-source", "at least 100 %", measured, ours >= single,
                 f"{ours / single:.0%} of {single:.0f}/s",
                 firm=ours < 0.8 * single),  # the same build has 87 to 121 % as the machine has it
        rows.Row(f"{what}, against smtp-source -d", "at least 50 %", measured, ours >= kept / 2,
                 f"{ours / kept:.0%} of {kept:.0f}/s",
                 firm=False),  # 16 processes beside the sink, where smtp-source is one
    ]


if __name__ == "__main__":
    sys.exit(rows.conclude(measure))
