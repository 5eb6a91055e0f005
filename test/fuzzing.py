"""Builds and runs the fuzzers of test/fuzz: short beside the other tests, long by hand.

MAILFLOW_FUZZ_SECONDS says how long each is to run. What they find in long runs is kept under the
build and is where the next run begins; the corpora of test/fuzz are small and chosen.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "test/fuzz"

SIDE_BY_SIDE = 2
SECONDS = 40  # of all together, when nothing else is said

COMPILER = "clang-14"
QUICK_LINKER = "-Dc_link_args=-fuse-ld=gold"  # takes half of the time for programs with sanitizers
SETUP = (
    "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined",
    "-Dbuildtype=debugoptimized",
    "-Doptimization=1",
    "-Db_sanitize=address,undefined",
    "-Db_lundef=false",
    QUICK_LINKER,
)

# An input of more seconds, or a fuzzer of more memory than this, is a finding.
LIMITS = ("-timeout=10", "-rss_limit_mb=1024")

# Seeds that are there anyway, for the tests of the same module.
SHARED = {"dsn": ("test/unit/bounces",)}


def names():
    return sorted(file.stem.removeprefix("fuzz_") for file in SOURCE.glob("fuzz_*.c"))


def command(name, build, *limits):
    grown = build / "corpus" / name
    found = build / "found"
    for directory in (grown, found):
        directory.mkdir(parents=True, exist_ok=True)
    seeds = (SOURCE / "corpus" / name, *(ROOT / shared for shared in SHARED.get(name, ())))
    dictionary = SOURCE / f"{name}.dict"
    return (
        build / f"test/fuzz/fuzz_{name}",
        "-print_final_stats=1",
        f"-artifact_prefix={found}/{name}-",
        *((f"-dict={dictionary}",) if dictionary.exists() else ()),
        *LIMITS,
        *limits,
        grown,
        *(seed for seed in seeds if seed.exists()),
    )


def figures(output):
    """(executions, executions a second, edges reached, edges there are) as libFuzzer has them"""

    def last(pattern):
        return int((re.findall(pattern, output) or ["0"])[-1])

    return (
        last(r"stat::number_of_executed_units: (\d+)"),
        last(r"stat::average_exec_per_sec: *(\d+)"),
        last(r"cov: (\d+)"),
        last(r"Loaded \d+ modules +\((\d+) inline"),
    )


def fuzz(name, build, *limits):
    """Whether nothing was found; what was is named, with where it stands."""
    words = [str(word) for word in command(name, build, *limits)]
    environment = dict(
        os.environ,
        ASAN_OPTIONS="quarantine_size_mb=16",  # more takes new pages all the time
        UBSAN_OPTIONS="print_stacktrace=1",
        LSAN_OPTIONS=f"suppressions={SOURCE}/leaks.supp:print_suppressions=0",
    )
    done = subprocess.run(
        words, cwd=build, env=environment, capture_output=True, text=True, errors="replace"
    )
    executions, rate, reached, edges = figures(done.stderr)
    good = done.returncode == 0 and executions > 0
    line = f"{name:10} {executions:10} {rate:10} {reached:10} of {edges}"
    if not good:
        line += "\n" + done.stderr[-6000:]
        line += f"\n{name}: again with {Path(words[0]).name} FILE, which is named above"
    return line, good


def fuzz_all(build, count, part, *limits):
    print(f"{'fuzzer':10} {'executions':>10} {'a second':>10} {'edges':>10}", flush=True)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for name, (line, good) in zip(
            names(), pool.map(lambda name: fuzz(name, build, *limits), names())
        ):
            print(line, flush=True)
            count.add(f"{part}: {name}", good)


def run(build, count):
    seconds = int(os.environ.get("MAILFLOW_FUZZ_SECONDS", 0))
    seconds = seconds or max(1, SECONDS * SIDE_BY_SIDE // len(names()))
    fuzz_all(build, count, "fuzz", f"-max_total_time={seconds}")


def replay(build, count):
    """The inputs that there are, each once; beside others that may take long."""
    fuzz_all(build, count, "corpus", "-runs=0", "-timeout=300")
