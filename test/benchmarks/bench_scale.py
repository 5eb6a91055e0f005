"""What ten thousand peers cost, and how that grows from ten: processor, memory, slip and scrape.

An agent with so many peers at a probe a minute each (many_peers.py has its world). With few peers a
probe a minute is next to nothing, and what an idle agent does would hide in the cost of each: where
the peers together would send less than ten a second, the cadence is faster instead.

With MAILFLOW_BENCH_SECONDS each size is measured for so long, and there are more of them; then the
agent also starts with what five days leave behind: a million probes, half of them still in flight to
the thousand peers that are dead. Draws build/bench/scale.svg.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import plot
import rows
from many_peers import PATIENCE, Scrape, configure, quantile, remember
from usage import memory_by_program, processor_seconds

SIZES = (10, 100, 1000, 3000, 10000) if rows.SECONDS else (10, 1000, 10000)
SECONDS = rows.seconds(5)
WARM_UP = 4
MOST = 10000
FIVE_DAYS = {"each": 28, "dead": 488}  # makes a million probes of 10,000 peers
LITTLE = {"each": 2, "dead": 2}
BUILD = Path(os.environ["MAILFLOW_BUILD"])
SLIPS = "mailflow_slot_slip_seconds"
# In memory: the disk of a machine that tests is not what is measured.
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def cadence(peers):
    return max(1, min(60, peers // 10))


def hand_over_wait(daemon, since):
    """Seconds, p99: from the slot to the message data. One that is refused hands over nothing."""
    waits = daemon.ledger("SELECT sent - planned FROM probes WHERE noted > ? AND sent IS NOT NULL"
                          " AND direction = 'outbound' AND state <> 'uncertain'", since)
    return rows.percentile([wait / 1e9 for wait, in waits], 0.99)


def run(home, peers, past):
    """{what: figure} of an agent with so many peers."""
    daemon, mesh, port = configure(home, peers, cadence(peers))
    with mesh:
        probes = remember(daemon, peers, **past)
        begun = time.monotonic()
        daemon.start(patience=PATIENCE)
        found = {"peers": peers, "probes": probes, "start": time.monotonic() - begun,
                 "start_processor": processor_seconds(daemon.pid)}
        time.sleep(WARM_UP)
        first, since = Scrape(port), time.time_ns()
        used, sent = processor_seconds(daemon.pid), mesh.sent
        time.sleep(SECONDS)
        used, sent = processor_seconds(daemon.pid) - used, mesh.sent - sent
        memory = memory_by_program(daemon.pid)
        last = Scrape(port)
        slip = quantile(first.buckets(SLIPS), last.buckets(SLIPS), 0.99)
        found.update(sent=sent, cost=used / sent, memory=sum(memory.values()), slip=slip,
                     parts=memory, wait=hand_over_wait(daemon, since), scrape=last.seconds)
        assert daemon.stop(seconds=PATIENCE) == 0, daemon.said
        daemon.syslog.close()
    return found


def measure_size(peers):
    past = FIVE_DAYS if peers == MOST and rows.SECONDS else LITTLE
    with tempfile.TemporaryDirectory(prefix="mailflow-", dir=PLACE) as home:
        found = run(home, peers, past)
    parts = ", ".join(f"{name} {size:.1f}" for name, size in found["parts"].items())
    print(f"  {peers} peers, {found['probes']} probes in the ledger, {found['sent']} sent: started in"
          f" {found['start']:.2f} s ({found['start_processor']:.2f} s of the processor), "
          f"{found['cost'] * 1e3:.2f} ms a probe, {found['memory']:.1f} MiB ({parts}), slip p99 "
          f"{found['slip'] * 1e3:.1f} ms, handed over {found['wait'] * 1e3:.1f} ms later (p99), "
          f"scraped in {found['scrape'] * 1e3:.0f} ms", flush=True)
    return found


LINE = re.compile(r"(\S+)\s+(\d+) B\s+([\d.]+) ms\s+([\d.]+) ms of the processor, first byte\s+"
                  r"([\d.]+) ms, longest turn\s+([\d.]+) ms,\s+([\d.]+) ms of the processor")
FIGURES = ("size", "total", "processor", "first_byte", "turn", "turn_processor")


def scrape_figures():
    """{what was served: {figure: the best of the rounds, of the loop's turn the worst}}; the first
    round of each warms up."""
    program = BUILD / "test/benchmarks/http_bench"
    done = subprocess.run((program, str(MOST)), stdout=subprocess.PIPE, text=True, check=True)
    rounds = {}
    for line in LINE.findall(done.stdout):
        rounds.setdefault(line[0], []).append([float(figure) for figure in line[1:]])
    found = {}
    for what, lines in rounds.items():
        columns = dict(zip(FIGURES, zip(*lines[1:])))
        found[what] = {name: min(column) for name, column in columns.items()}
        found[what]["turn"] = max(columns["turn"])
    return found


def scrape_rows():
    served = scrape_figures()
    ours, rival = served["/metrics"], served["static-file"]
    size = f"{ours['size'] / 1e6:.0f} MB"
    ratio = ours["total"] / rival["total"]
    return [
        rows.at_most("scrape of 10,000 peers: first byte", 10, ours["first_byte"], "ms", firm=False),
        rows.at_most("scrape of 10,000 peers: the loop held", 20, ours["turn"], "ms", firm=False,
                     detail=f"{ours['turn_processor']:.1f} ms of the processor"),
        # Not firm: the kernel hands the file over in 17 to 58 ms, as its caches are.
        rows.at_most("scrape of 10,000 peers: total, to a static file of its size", 3, ratio, "times",
                     firm=False,
                     detail=f"{size} in {ours['total']:.0f} ms, the file in {rival['total']:.0f} ms"),
    ]


def growth_rows(found):
    least, most = found[0], found[-1]
    growth = (most["cost"] / least["cost"] - 1) * 100
    lag = (most["slip"] + most["wait"]) * 1e3
    return [
        rows.at_most(f"CPU per probe, from {least['peers']} to {most['peers']} peers: growth", 20,
                     growth, "%", detail=f"{most['cost'] * 1e3:.2f} ms of {least['cost'] * 1e3:.2f}",
                     firm=rows.SECONDS > 0),  # in five seconds a busy machine moves even that
        rows.at_most("10,000 peers: slots slip, p99", 100, most["slip"] * 1e3, "ms", firm=False,
                     detail=f"message data {lag:.0f} ms after the slot was due"),
    ]


def past_rows(found):
    most = found[-1]
    return [
        rows.at_most(f"start with a ledger of {most['probes']} probes, 10,000 peers", 2, most["start"],
                     "s", firm=False, detail=f"{most['start_processor']:.1f} s of the processor"),
        rows.at_most("10,000 peers, 1,000 dead for 5 days: PSS of everything", 64, most["memory"],
                     "MiB", detail=", ".join(f"{name} {size:.1f}"
                                            for name, size in most["parts"].items())),
    ] if rows.SECONDS else []


def draw(found):
    curve = {name: [(each["peers"], each[name]) for each in found]
             for name in ("cost", "memory", "slip", "wait", "scrape")}

    def milliseconds(name):
        return [(x, max(y * 1e3, 0.01)) for x, y in curve[name]]

    folder = BUILD.parent / "bench"
    folder.mkdir(exist_ok=True)
    panels = [
        plot.Panel("CPU per probe, agent and probers", "ms", {"": milliseconds("cost")}),
        plot.Panel("Memory (PSS) of everything", "MiB", {"": curve["memory"]}, 64, "64 MiB"),
        plot.Panel("After a slot was due, p99", "ms",
                   {"slot taken": milliseconds("slip"), "data handed over": milliseconds("wait")},
                   100, "100 ms"),
        plot.Panel("Scrape", "ms", {"": milliseconds("scrape")}),
    ]
    plot.write(folder / "scale.svg", panels, "peers, a tenth of them dead")
    print(f"drawn: {folder / 'scale.svg'}", flush=True)


def measure():
    found = [measure_size(peers) for peers in SIZES]
    draw(found)
    return [*growth_rows(found), *past_rows(found), *scrape_rows()]


if __name__ == "__main__":
    sys.exit(rows.conclude(measure, rounds=1))  # they take too long to be repeated
