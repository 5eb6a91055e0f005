"""How large the page is and how long it takes to be made: 40 peers, a day of a probe a minute each
way in the ledger. Prints size and time of each view; fails when one is above its limit.
"""

import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "system"), str(TESTS / "page")]

from daemon import Daemon, PostOffice  # noqa: E402
from dovecot import free_port  # noqa: E402
from history import DAY, MINUTE, SECOND, History  # noqa: E402

PEERS = [f"mx{number:02}" for number in range(3, 43)]
ROUNDS = 30
VIEWS = {  # KiB, milliseconds
    "/": (128, 100),
    "/path?name=mx02-%3Emx03&range=24h": (96, 100),
    "/path?name=mx02-%3Emx03&range=30d": (96, 200),
}


def remember(daemon):
    daemon.start()
    daemon.stop()
    with History(daemon.state / "ledger.db") as history:
        for number, name in enumerate(PEERS):
            for way in "outbound", "inbound":
                history.cadence(name, way, (100 + 10 * number) * 1_000_000, history.now - DAY,
                                history.now, MINUTE)
            history.probe(name, "outbound", history.now - 2 * MINUTE, 70 * SECOND, "late")


def measure(url):
    """Size in KiB, the median and the worst time in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        with urllib.request.urlopen(url) as answer:
            size = len(answer.read())
        times.append((time.perf_counter() - begun) * 1000)
    return size / 1024, statistics.median(times), max(times)


def main():
    good = True
    with tempfile.TemporaryDirectory() as home, PostOffice() as office:
        port = free_port()
        peers = [{"name": name, "address": f"probe@{name}.example"} for name in PEERS]
        with_page = {"http": {"listen": [f"127.0.0.1:{port}"]},
                     "defaults": {"interval": "60s", "latency": {"warning": "60s", "critical": "5m"}}}
        daemon = Daemon(home, office, peers, **with_page)
        remember(daemon)
        with daemon.start():
            for view, (size_limit, time_limit) in VIEWS.items():
                size, median, worst = measure(f"http://127.0.0.1:{port}{view}")
                print(f"GET {view}: {size:.0f} KiB, median {median:.1f} ms, worst {worst:.1f} ms")
                good = good and size <= size_limit and median <= time_limit
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
