"""What a benchmark was asked, what it measured, and whether that holds: the rows of one table.

A limit is firm where a busy machine does not move what it limits, as a ratio of two figures of one
run. Whoever misses a firm one fails; another limit is marked MISSED. Before that it is tried again,
for a machine that is busy with something else may tell more of that than of us: a firm one always,
another when MAILFLOW_BENCH_SECONDS asks for a long measurement.

Each row is printed, and written as a line of JSON to the file MAILFLOW_BENCH_ROWS where that is set:
test/runner.py makes one table of them.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path

ROUNDS = 3
SECONDS = float(os.environ.get("MAILFLOW_BENCH_SECONDS", "0"))


@dataclasses.dataclass
class Row:
    what: str
    asked: str  # "at most 2 ms"
    measured: str  # "1.3 ms"
    good: bool
    detail: str = ""  # what it was made of, or its ratio to a rival: "0.1 of mailexporter"
    firm: bool = True

    @property
    def mark(self):
        return "ok" if self.good else "FAILED" if self.firm else "MISSED"


def seconds(short):
    """How long to measure: so long as MAILFLOW_BENCH_SECONDS says, else this short time."""
    return SECONDS or short


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def at_most(what, limit, value, unit, **more):
    """The row of a value with an upper bound; digits as the bound needs them."""
    return Row(what, f"at most {limit:g} {unit}", f"{value:.3g} {unit}", value <= limit, **more)


def command():
    """That which measures this again."""
    name = Path(sys.argv[0]).stem.removeprefix("bench_")
    longer = f"MAILFLOW_BENCH_SECONDS={SECONDS:g} " if SECONDS else ""
    return f"{longer}test/bench {name}"


def publish(row):
    print(f"{row.mark}: {row.what}: {row.measured} ({row.asked}) {row.detail}".rstrip(), flush=True)
    file = os.environ.get("MAILFLOW_BENCH_ROWS")
    if file:
        with open(file, "a") as table:
            line = {**dataclasses.asdict(row), "mark": row.mark, "command": command()}
            table.write(json.dumps(line) + "\n")


def conclude(measure, rounds=ROUNDS):
    """Publish the rows that measure() returns; the exit status.

    While one is bad that is worth it, measure again; a row counts as it was when it was good, else
    as it was last.
    """
    best = {}
    for number in range(rounds):
        for row in measure():
            if not best.get(row.what, row).good or row.what not in best:
                best[row.what] = row
        bad = [row for row in best.values() if not row.good and (row.firm or SECONDS)]
        if not bad:
            break
        again = "once more" if number < rounds - 1 else "that was the last round"
        print(*(f"  {row.what}: {row.measured}" for row in bad), f"  {again}", sep="\n", flush=True)
    for row in best.values():
        publish(row)
    return 1 if any(row.firm and not row.good for row in best.values()) else 0


def table(file):
    """The rows of a file as text, columns aligned; "" when there are none."""
    heads = ("measured thing", "asked", "measured", "detail", "", "command")
    names = ("what", "asked", "measured", "detail", "mark", "command")
    try:
        rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
    except FileNotFoundError:
        return ""
    lines = [heads, *(tuple(row[name] for name in names) for row in rows)] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines)]
    aligned = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )
    return "\n".join(aligned)
