"""Builds mailflow and runs its tests, part by part; the last line counts them.

The C tests and the scripted servers run under the address and undefined-behaviour sanitizers; the
lab, the page and the benchmarks run what is installed for users, an optimised build.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import beside
import coverage
import fuzzing
import under_valgrind

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = Path(os.environ.get("MAILFLOW_OUTPUT", ROOT / "build"))
SANITIZED = OUTPUT / "sanitized"
RELEASE = OUTPUT / "release"
FUZZING = OUTPUT / "fuzz"
COVERAGE = OUTPUT / "coverage"
VALGRIND = OUTPUT / "valgrind"
PYTEST = ("/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider")

SIDE_BY_SIDE = ("-n", "4", "--dist", "loadfile")  # for tests that mostly wait

LIMIT = 1800  # seconds for one command: a hang shall fail, not last
CLEANING_UP = 60  # seconds

REPEATED_MAXIMUM = 15  # more than that is no accident

# What no XML can hold, and a report does.
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Random worlds without sanitizers; with them meson runs fewer.
WORLDS = int(os.environ.get("MAILFLOW_WORLDS", 2000))

LINES_ONLY = "-Dc_args=-g1"  # enough for the traces of sanitizers, and built in half of the time


class Count:
    """What passed and what failed, by name."""

    def __init__(self, only=()):
        self.only = only
        self.passed = 0
        self.failed = []

    def add(self, name, good):
        if good:
            self.passed += 1
        else:
            self.failed.append(name)


def run(command, **options):
    """Whether it ends well, and in time: past that it is told to end as by Ctrl-C, and then made to.
    Of either Ctrl-C it cleans up behind itself, which is waited for.
    """
    said = " ".join(str(word).replace(f"{ROOT}/", "") for word in command)
    print("+", said, flush=True)
    with subprocess.Popen([str(word) for word in command], cwd=ROOT, **options) as process:
        for seconds, force in (LIMIT, signal.SIGINT), (CLEANING_UP, signal.SIGKILL):
            try:
                return process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                print(f"== not over after {seconds} s more, {force.name}: {said}", flush=True)
                process.send_signal(force)
            except KeyboardInterrupt:
                process.wait(CLEANING_UP)
                raise
    return False


def build(directory, *options, targets=(), compiler=None):
    """Configure once, then build what has changed."""
    if not (directory / "build.ninja").exists():
        shutil.rmtree(directory, ignore_errors=True)
        strict = () if compiler else ("--werror",)  # the warnings of one compiler are enough
        setup = ("meson", "setup", directory, "-Dauto_features=enabled", *strict, *options)
        environment = dict(os.environ, CC=compiler) if compiler else None
        if not run(setup, stdout=subprocess.DEVNULL, env=environment):
            sys.exit("the build could not be configured")
    if not run((sys.executable, ROOT / "test/building.py", directory, *targets)):
        sys.exit("the build failed")


def build_sanitized():
    sanitizers = ("-Db_sanitize=address,undefined", "-Db_lundef=false")
    build(SANITIZED, *sanitizers, "--optimization=1", LINES_ONLY, fuzzing.QUICK_LINKER)


def build_release(*more):
    """What the tests use of it; and `more`."""
    options = ("--buildtype=debugoptimized", "--prefix=/usr", LINES_ONLY)
    build(RELEASE, *options, targets=("programs", "test-tools", *more))


def outcomes(file):
    """{(class name, name): whether it passed} of a JUnit report; None when there is none."""
    try:
        text = file.read_text(errors="replace")  # tests of hostile input may print it
        cases = ElementTree.fromstring(NOT_XML.sub("?", text)).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return None
    return {
        (case.get("classname", ""), case.get("name")): case.find("failure") is None
        and case.find("error") is None
        for case in cases
        if case.find("skipped") is None
    }


def count_outcomes(count, found, prefix):
    """Adds them; a report that is missing is one failure."""
    if found is None:
        count.add(f"{prefix}: no report", False)
        return
    for (place, name), good in found.items():
        count.add(f"{prefix}: {place} {name}", good)


def meson_suite(count, suite):
    build_sanitized()
    report = SANITIZED / "meson-logs/testlog.junit.xml"
    report.unlink(missing_ok=True)
    environment = dict(
        os.environ,
        ASAN_OPTIONS="detect_stack_use_after_return=1",
        UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
    )
    command = ("meson", "test", "-C", SANITIZED, "--no-rebuild", "-t", "5", "--suite", suite)
    run((*command, "--print-errorlogs"), env=environment)
    count_outcomes(count, outcomes(report), suite)


def run_pytest(report, build_directory, arguments, **variables):
    report.unlink(missing_ok=True)
    environment = dict(os.environ, MAILFLOW_BUILD=str(build_directory), PYTHONDONTWRITEBYTECODE="1")
    environment.update(variables)
    run((*PYTEST, f"--junitxml={report}", *arguments), env=environment)
    return outcomes(report)


def repeat_failed(found, name, build_directory, **variables):
    """Tests against the clock may fail of a machine that is short of processors for a moment: what
    fails beside others is repeated once without them, and counts as it ends then. That is said.
    """
    failed = [which for which, good in (found or {}).items() if not good]
    if not 0 < len(failed) <= REPEATED_MAXIMUM:
        return {}
    print(f"== {name}: {len(failed)} failed; once more, by themselves", flush=True)
    places = [f"{place.replace('.', '/')}.py::{test}" for place, test in failed]
    report = OUTPUT / f"{name}-again.xml"
    variables["MAILFLOW_ONE_BY_ONE"] = "yes"
    again = run_pytest(report, build_directory, places, **variables) or {}
    for which in failed:
        if again.get(which):
            print(f"REPEATED {name}: {' '.join(which)} failed among the others and passed alone")
    return again


def pytest_part(count, name, build_directory, *arguments, **variables):
    found = run_pytest(OUTPUT / f"{name}.xml", build_directory, arguments, **variables)
    again = repeat_failed(found, name, build_directory, **variables)
    count_outcomes(count, found and {**found, **again}, name)


def run_worlds(programs):
    """The seeds from 1 on, parted among so many programs at the same time."""
    share = -(-WORLDS // programs)
    commands = [
        (RELEASE / "test/simulation/test_worlds", str(first), str(min(share, WORLDS + 1 - first)))
        for first in range(1, WORLDS + 1, share)
    ]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return all(list(pool.map(run, commands)))


def benchmarks():
    """{name: program}"""
    programs = sorted((ROOT / "test/benchmarks").glob("bench_*.py"))
    return {program.stem.removeprefix("bench_"): program for program in programs}


# The parts


def unit(count):
    """pure modules and the ledger, in C"""
    meson_suite(count, "unit")


def simulation(count):
    """scenarios and random worlds: the real core on a virtual clock"""
    meson_suite(count, "simulation")
    build_release()
    count.add(f"simulation: {WORLDS} worlds", run_worlds(os.cpu_count() or 1))


def system(count):
    """programs against scripted servers that do what real ones won't"""
    build_sanitized()
    pytest_part(count, "system", SANITIZED, *SIDE_BY_SIDE, "test/system")
    build_release()  # what the sanitizers leave out: they have a word of their own to say of memory
    pytest_part(count, "memory", RELEASE, "-k", "memory", "test/system/test_daemon_limits.py")


def lab(count):
    """real Postfix and Dovecot hosts in namespaces"""
    build_release()
    pytest_part(count, "lab", RELEASE, "test/lab")


def page(count):
    """the status page in a real browser"""
    build_release()
    environment = dict(os.environ, MAILFLOW_BUILD=str(RELEASE))
    report = OUTPUT / "page.tap"
    report.unlink(missing_ok=True)
    reporters = [
        f"--test-reporter{part}"
        for part in ("=spec", "-destination=stdout", "=tap", f"-destination={report}")
    ]
    good = run(("node", "--test", *reporters, "test/page/page.test.mjs"), env=environment)
    text = report.read_text() if report.exists() else ""
    found = re.findall(r"^ {4}(not ok|ok) \d+ - (.*)$", text, re.MULTILINE)  # of the suite
    for outcome, name in found:
        count.add(f"page: {name}", outcome == "ok" and "# SKIP" not in name)
    if not found or (not good and all(outcome == "ok" for outcome, _ in found)):
        count.add("page: the tests did not run to their end", False)


def bench(count):
    """figures, printed; in the end as one table"""
    build_release()
    table = OUTPUT / "bench-rows.jsonl"
    table.unlink(missing_ok=True)
    for name, program in benchmarks().items():
        if count.only and name not in count.only:
            continue
        environment = dict(os.environ, MAILFLOW_BUILD=str(RELEASE), PYTHONDONTWRITEBYTECODE="1")
        environment["MAILFLOW_BENCH_ROWS"] = str(table)
        count.add(f"bench: {program.stem}", run(("/usr/bin/python3", program), env=environment))
    sys.path.insert(0, str(ROOT / "test/benchmarks"))
    from rows import table as as_table

    print(as_table(table), flush=True)


def build_fuzzers():
    targets = [f"test/fuzz/fuzz_{name}" for name in fuzzing.names()]
    build(FUZZING, *fuzzing.SETUP, targets=targets, compiler=fuzzing.COMPILER)


def corpus(count):
    """the fuzzers' chosen inputs and what they once found, each once"""
    build_fuzzers()
    fuzzing.replay(FUZZING, count)


def fuzz(count):
    """hostile input to everything that reads, by libFuzzer"""
    build_fuzzers()
    fuzzing.run(FUZZING, count)


def line_coverage(count):
    """which lines unit, simulation and system tests run (by name only: 10 minutes)"""
    build(COVERAGE, *coverage.SETUP)
    coverage.forget(COVERAGE)
    suites = ("--suite", "unit", "--suite", "simulation")
    run(("meson", "test", "-C", COVERAGE, "--no-rebuild", "-t", "10", *suites))
    run_pytest(OUTPUT / "coverage.xml", COVERAGE, (*SIDE_BY_SIDE, "test/system"))
    coverage.report(COVERAGE, count)  # whether the tests pass is for the other parts to say


def package(count):
    """the Debian package: built, installed, upgraded, purged (by name only: builds all anew)"""
    pytest_part(count, "package", RELEASE, "test/package")


def valgrind(count):
    """memory errors of unit, simulation and some system tests (by name only: half an hour)"""
    build_release("all")
    report = RELEASE / "meson-logs/testlog-valgrind.junit.xml"
    environment = {**os.environ, **under_valgrind.PATIENCE}
    for suite in ("unit", "simulation"):
        report.unlink(missing_ok=True)
        run(under_valgrind.suite(RELEASE, suite), env=environment)
        count_outcomes(count, outcomes(report), f"valgrind {suite}")
    good = run(under_valgrind.worlds(RELEASE))
    count.add(f"valgrind: {under_valgrind.WORLDS} worlds", good)

    build(VALGRIND, *under_valgrind.SETUP, targets=("programs", "test-tools"))
    programs, logs = OUTPUT / "valgrind-programs", OUTPUT / "valgrind-logs"
    under_valgrind.wrap(VALGRIND, programs, logs)
    tests = (*SIDE_BY_SIDE, *under_valgrind.system_tests())
    pytest_part(count, "valgrind", programs, *tests, **under_valgrind.PATIENCE_OF_SYSTEM)
    under_valgrind.sum_up(logs, count)


def lint(count):
    """format, walls between the floors, static analysis"""
    build_release()
    for check in (ROOT / "test/floors", *sorted((ROOT / "test/lint").iterdir())):
        if os.access(check, os.X_OK) and check.is_file():
            environment = dict(os.environ, MAILFLOW_BUILD=str(RELEASE))
            count.add(f"lint: {check.name}", run((check,), env=environment))


PARTS = {
    part.__name__: part
    for part in (unit, simulation, corpus, system, lab, page, bench, fuzz, lint)
}
# Work without a clock, and tests that mostly wait.
BUSY, WAITING = ("simulation", "corpus", "lint"), ("system", "lab")
BY_NAME = {"coverage": line_coverage, "package": package, "valgrind": valgrind}  # not among all
KNOWN = {**PARTS, **BY_NAME}


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="test/run",
        description="Builds mailflow and runs its tests: all, or the parts named.",
        epilog="; ".join(f"{name}: {part.__doc__}" for name, part in KNOWN.items())
        + ". More of a part: MAILFLOW_BENCH_SECONDS=20, MAILFLOW_FUZZ_SECONDS=3600 (each target),"
        " MAILFLOW_WORLDS=10000, MAILFLOW_KILLS=1000, MAILFLOW_SESSIONS=1000,"
        " MAILFLOW_STRANGERS=50000.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(KNOWN))
    known = ", ".join(benchmarks())
    help_only = f"of the benchmarks these: {known}"
    parser.add_argument("--only", nargs="*", default=(), metavar="NAME", help=help_only)
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in KNOWN:
            parser.error(f"no part {part!r}: there are {', '.join(KNOWN)}")
    for name in arguments.only:
        if name not in benchmarks():
            parser.error(f"no benchmark {name!r}: there are {known}")
    return arguments


def run_part(name, count):
    begun = time.monotonic()
    print(f"\n== {name}: {KNOWN[name].__doc__}", flush=True)
    KNOWN[name](count)
    print(f"== {name}: {time.monotonic() - begun:.0f} s", flush=True)


def run_parts(parts, count):
    """In their order, but first those that go well beside each other, if both kinds are wanted."""
    waiting = [name for name in parts if name in WAITING]
    busy = [name for name in parts if name in BUSY]
    if waiting and busy:
        build_sanitized()  # now, for two programs do not build in one place
        build_release()
        with beside.Beside(busy, OUTPUT / "beside.log", count):
            for name in waiting:
                run_part(name, count)
        parts = [name for name in parts if name not in waiting + busy]
    for name in parts:
        run_part(name, count)


def main():
    arguments = parse_arguments()
    parts = arguments.parts or list(PARTS)
    OUTPUT.mkdir(exist_ok=True)
    count = Count(arguments.only)
    run_parts(parts, count)
    for failure in count.failed:
        print("FAILED", re.sub(r"\s+", " ", failure))
    print(f"{count.passed} passed, {len(count.failed)} failed")
    return 1 if count.failed or count.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
