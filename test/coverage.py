"""Which lines the tests run, floor by floor, by gcov; fails below what is asked.

The counts are of a build of its own without optimisation. Those of the probers, which may write no
file, are written by test/coverage/keeper.c.
"""

import json
import os
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("agent/", "config/", "probes/")

SETUP = ("--buildtype=debug", "-Db_coverage=true", "--prefix=/usr")

CORE = "agent/core"
CORE_MINIMUM = 95.0  # per cent of its lines
REST_MINIMUM = 85.0  # of all others together

BATCH = 16
SHOWN = 20  # files with the most lines that no test runs


def forget(build):
    """Counts of other runs, and of other sources."""
    for file in build.rglob("*.gcda"):
        file.unlink()


def read_batch(build, files):
    """{source: {line: times}} of some objects; a line of several functions counts once."""
    command = ("gcov", "--json-format", "--stdout", *map(str, files))
    done = subprocess.run(command, cwd=build, capture_output=True, text=True, check=True)
    found = defaultdict(lambda: defaultdict(int))
    for report in map(json.loads, done.stdout.splitlines()):
        for file in report["files"]:
            name = os.path.relpath(os.path.join(build, file["file"]), ROOT)
            for line in file["lines"]:
                found[name][line["line_number"]] += line["count"]
    return found


def read(build):
    files = sorted(build.rglob("*.gcno"))  # of what never ran there are no counts, but notes
    batches = [files[at : at + BATCH] for at in range(0, len(files), BATCH)]
    whole = defaultdict(lambda: defaultdict(int))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda batch: read_batch(build, batch), batches):
            for name, lines in found.items():
                for line, count in lines.items():
                    whole[name][line] += count
    return {name: lines for name, lines in whole.items() if name.startswith(SHIPPED)}


def floor_of(name):
    parts = name.split("/")
    return parts[0] if len(parts) == 2 else "/".join(parts[:2])


def per_cent(run, all_lines):
    return 100.0 * run / all_lines if all_lines else 100.0


def figures(lines):
    """{floor: [lines run, lines]}"""
    found = defaultdict(lambda: [0, 0])
    for name, counts in lines.items():
        floor = found[floor_of(name)]
        floor[0] += sum(count > 0 for count in counts.values())
        floor[1] += len(counts)
    return found


def print_missed(lines):
    missed = {
        name: sorted(line for line, count in counts.items() if count == 0)
        for name, counts in lines.items()
    }
    for name in sorted(missed, key=lambda name: -len(missed[name]))[:SHOWN]:
        print(f"  {name}: {len(missed[name])} of {len(lines[name])}:", *missed[name][:12])


def report(build, count):
    """Prints the table, and counts the two figures that are asked for."""
    lines = read(build)
    floors = figures(lines)
    rest = [sum(numbers) for numbers in zip(*(floors[key] for key in floors if key != CORE))]
    print(f"{'floor':20} {'lines':>7} {'run':>7}")
    for floor in sorted(floors):
        run, every = floors[floor]
        print(f"{floor:20} {every:7} {per_cent(run, every):6.1f}%")
    core, others = per_cent(*floors[CORE]), per_cent(*rest)
    print(f"{'all but agent/core':20} {rest[1]:7} {others:6.1f}%")
    print("the most lines that no test runs:")
    print_missed(lines)
    count.add(f"coverage: agent/core at least {CORE_MINIMUM:.0f} %", core >= CORE_MINIMUM)
    count.add(f"coverage: the rest at least {REST_MINIMUM:.0f} %", others >= REST_MINIMUM)
