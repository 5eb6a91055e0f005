"""A program that takes jobs, run by hand: the time of a job begins when the program is ready for it,
however long that takes on a busy machine.
"""

import json
import select
import subprocess
import time

from process import patient


def within(seconds):
    """A deadline, so long after the job is given."""
    return lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(patient(seconds) * 1e9)


def encode(*jobs):
    """The lines to give now; bytes are no job, and stay as they are."""
    return b"".join(one if isinstance(one, bytes) else
                    json.dumps(one, default=lambda deadline: deadline()).encode() + b"\n" for one in jobs)


def run(command, jobs, *, over, timeout, env=None):
    """What the program answers to jobs. One that is over before it begins shows that it is ready."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, **pipes) as process:
        try:
            process.stdin.write(encode(over | {"deadline": 1}))
            process.stdin.flush()
            if select.select([process.stdout], [], [], patient(timeout))[0]:
                process.stdout.readline()
            output, errors = process.communicate(encode(*jobs), timeout=patient(timeout))
        except BrokenPipeError:
            output, errors = process.communicate()
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)
