"""Commands that print tokens, and mailflow-token run on them by hand."""

import contextlib
import json
import os
import pathlib
import subprocess
import time

from process import patient

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
PROGRAM = BUILD / "probes" / "mailflow-token"


def script(folder, body, name="command", interpreter="/bin/sh"):
    """A program with this text; its path."""
    file = pathlib.Path(folder) / name
    draft = file.with_suffix(".new")
    draft.write_text(f"#!{interpreter}\n{body}\n")
    draft.chmod(0o755)
    draft.rename(file)
    return file


def job(*words, seconds=5.0, **members):
    deadline = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(patient(seconds) * 1e9)
    return {"number": 1, "deadline": deadline, "words": [str(word) for word in words],
            "home": "/", "credentials": ""} | members


def start(*words, **how):
    """The program with that job in its hands."""
    process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, close_fds=False,
                               **how.pop("process", {}))
    process.stdin.write(json.dumps(job(*words, **how)).encode() + b"\n")
    process.stdin.flush()
    return process


def run(*words, **how):
    """(outcome, seconds it took); the program must end in good health and say nothing."""
    began = time.monotonic()
    process = start(*words, **how)
    output, said = process.communicate(timeout=patient(30))
    assert (process.returncode, said) == (0, b""), (process.returncode, said)
    assert len(output) <= 8192
    [line] = output.splitlines()
    return json.loads(line), time.monotonic() - began


def running(mark):
    """The pids of processes that have this word in their command line."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (place / "cmdline").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found
