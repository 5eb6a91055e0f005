"""A thousand clients that hold places: whoever asks something is answered all the same."""

import http.client
import pathlib
import re
import statistics
import time

import pytest

from crowd import crowd
from daemon import Daemon
from dovecot import free_port

CROWD = 1000
SCRAPES = 25
MARK = 0.050  # seconds, for a scrape
MEMORY = 24 << 20  # bytes that the crowd may cost


def scrape(port, source):
    """The seconds that it took, from the connection on."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, 10, source_address=(source, 0))
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200 and b"mailflow_build_info" in answer.read()
    connection.close()
    return time.monotonic() - begun


def scrape_control(daemon):
    begun = time.monotonic()
    assert daemon.request("GET", "/metrics")[0] == 200
    return time.monotonic() - begun


def measure(one_scrape):
    """Median and slowest of some, with a little time between them."""
    taken = []
    for _ in range(SCRAPES):
        taken.append(one_scrape())
        time.sleep(0.02)
    return statistics.median(taken), max(taken)


def memory(pid):
    """Its proportional set size in bytes."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)[1]) << 10


@pytest.mark.parametrize("addresses", ["one", "many"])
def test_scrapes_stay_fast(tmp_path, office, addresses):
    port = free_port()
    with Daemon(tmp_path, office, http={"listen": [f"127.0.0.1:{port}"]}) as daemon:
        daemon.wait(r"probe ARRIVED .*")
        quiet, _ = measure(lambda: scrape(port, "127.0.0.2"))
        before = memory(daemon.pid)
        with crowd(port, CROWD, addresses) as counts:
            others = measure(lambda: scrape(port, "127.0.0.2"))
            control = measure(lambda: scrape_control(daemon))
            grown = memory(daemon.pid) - before
            arrived = daemon.count(r"probe ARRIVED .*")
            daemon.wait(r"probe ARRIVED .*", count=arrived + 2)
        print(f"{CROWD} of {addresses} address: {counts}; a scrape took {quiet * 1e3:.1f} ms before, then "
              f"over TCP {others[0] * 1e3:.1f} ms (slowest {others[1] * 1e3:.1f}), over the control "
              f"socket {control[0] * 1e3:.1f} ms ({control[1] * 1e3:.1f}); memory (PSS) "
              f"{before / 2**20:.1f} MiB and {grown / 2**20:.1f} more")
        limit = max(MARK, 8 * quiet)  # where the machine is slow by itself, by the ratio
        assert others[0] < limit and control[0] < limit
        assert grown < MEMORY
        assert counts["shown_out"] >= CROWD / 2
