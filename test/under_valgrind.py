"""Valgrind over unit tests, scenarios, and the programs as some system tests run them.

For the latter there is a build of its own, in which somebody does for the probers what valgrind
cannot (test/valgrind/stand_ins.c), and in front of each program a script that runs it under
valgrind.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = (
    "--error-exitcode=99 --leak-check=full --show-leak-kinds=definite"
    " --errors-for-leak-kinds=definite"
)
WRAPPER = f"valgrind -q {OPTIONS}"

# Valgrind does not know seccomp(2): no prober gets confined in it, and none runs unconfined; the
# tests of that and of the owner's rights would fail by it. The worlds are run, but fewer.
NOT_THERE = ("prober", "rights", "worlds")
WORLDS = 50
PATIENCE = {"MAILFLOW_PATIENCE": "30"}  # times as long as usual, for tests of how long work takes

# Hardened, a memmove that overlaps would be taken for a memcpy: glibc has one function for both.
SETUP = (
    "--buildtype=debugoptimized", "--prefix=/usr",
    "-Dc_args=-DUNDER_VALGRIND -g1 -U_FORTIFY_SOURCE",
)
PROGRAMS = (
    "agent/mailflowd", "agent/ctl/mailflowctl",
    *(f"probes/mailflow-{prober}" for prober in (
        "submit", "collect", "fetch", "calendar", "greet", "discover", "token")),
)
PATIENCE_OF_SYSTEM = {"MAILFLOW_PATIENCE": "20"}

# The system tests that are run: of every program some, and those in which time matters least. A
# program takes seconds to start in valgrind, and of the others many give it one.
SYSTEM_TESTS = (
    "calendar", "collect_bounce", "ctl_explain", "ctl_history", "ctl_usage", "daemon_bounce",
    "discover", "submit_steps",
    "fetch.py::test_jobs_one_after_the_other_share_a_connection", "fetch.py::test_tls",
    "greet.py::test_an_envelope_that_is_taken", "greet.py::test_an_envelope_that_is_refused",
    "token.py::test_a_command_that_fails", "token.py::test_a_program_that_cannot_be_run",
)

# What is only a local variable's then is lost in the middle of the work, which is no leak.
TOLD_TO_END = re.compile(r"Process terminating with default action of signal (2|14|15) ")
FINDING = re.compile(r"^==\d+==    at 0x", re.MULTILINE)


def suite(build, name):
    """The command that runs a suite of the C tests."""
    listed = ("meson", "test", "-C", build, "--no-rebuild", "--list", "--suite", name)
    lines = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    tests = [line.split(" / ")[-1] for line in lines if " / " in line]
    chosen = [test for test in tests if test not in NOT_THERE]
    command = ("meson", "test", "-C", build, "--no-rebuild", "-t", "30", "--print-errorlogs")
    return (*command, "--wrap", WRAPPER, *chosen)


def worlds(build):
    return (*WRAPPER.split(), build / "test/simulation/test_worlds", "1", str(WORLDS))


def system_tests():
    """What pytest is to run."""
    return [f"test/system/test_{name}" if "::" in name else f"test/system/test_{name}.py"
            for name in SYSTEM_TESTS]


def wrap(build, beside, logs):
    """A second tree beside the build: its programs run the real ones under valgrind."""
    for folder in (beside, logs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for program in PROGRAMS:
        script = beside / program
        script.parent.mkdir(parents=True, exist_ok=True)
        log = logs / f"{script.name}.%p"
        script.write_text(
            "#!/bin/sh\n"
            # To read the system's takes longer than all else.
            "export SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/nonexistent\n"
            f'exec valgrind {OPTIONS} --log-file={log} {build / program} "$@"\n'
        )
        script.chmod(0o755)
    for name in ("config", "test"):
        os.symlink(build / name, beside / name)


def finding(text):
    """What valgrind found, of a log; "" when that is nothing."""
    told = TOLD_TO_END.split(text)[0]
    return told if FINDING.search(told) else ""


def sum_up(logs, count):
    """A program is clean if some of its logs are whole, and none has a finding. Those are not whole
    that were killed, and those of processes that became another program."""
    for program in PROGRAMS:
        name = Path(program).name
        texts = [log.read_text(errors="replace") for log in sorted(logs.glob(f"{name}.*"))]
        whole = sum("ERROR SUMMARY" in text for text in texts)
        found = [finding(text) for text in texts if finding(text)]
        print(f"{name}: {len(texts)} logs, {whole} of them whole, {len(found)} with findings",
              *found, sep="\n", flush=True)
        count.add(f"valgrind: {name}", whole > 0 and not found)
