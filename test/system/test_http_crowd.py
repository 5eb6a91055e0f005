"""A thousand clients that hold places: whoever asks something is answered all the same."""

import http.client
import pathlib
import statistics
import sys
import time

import pytest

from crowd import crowd
from daemon import Daemon
from dovecot import free_port

sys.path.append(str(pathlib.Path(__file__).parents[1] / "benchmarks"))
from usage import memory_by_program  # noqa: E402

CROWD = 1000
SCRAPES = 25
MARK = 0.050  # seconds, for a scrape
MEMORY = 24  # MiB that the crowd may cost


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


def memory(daemon):
    """The agent's own, in MiB."""
    return memory_by_program(daemon.pid)["mailflowd"]


def is_sanitized(pid):
    return "libasan" in pathlib.Path(f"/proc/{pid}/maps").read_text()


def scrapes_beside_a_crowd(home, office, addresses):
    """Seconds (median, slowest) of scrapes by whom, and the MiB that the agent has and had more."""
    port = free_port()
    with Daemon(home, office, http={"listen": [f"127.0.0.1:{port}"]}) as daemon:
        daemon.wait(r"probe ARRIVED .*")
        found = {"quiet": measure(lambda: scrape(port, "127.0.0.2")), "memory": memory(daemon),
                 "sanitized": is_sanitized(daemon.pid)}
        with crowd(port, CROWD, addresses) as counts:
            found["tcp"] = measure(lambda: scrape(port, "127.0.0.2"))
            found["control"] = measure(lambda: scrape_control(daemon))
            found["more"] = memory(daemon) - found["memory"]
            arrived = daemon.count(r"probe ARRIVED .*")
            daemon.wait(r"probe ARRIVED .*", count=arrived + 2)
    return found | counts


def describe(found):
    times = (f"{name} {1e3 * found[name][0]:.1f} ms (slowest {1e3 * found[name][1]:.1f})"
             for name in ("quiet", "tcp", "control"))
    return (f"scrapes: {', '.join(times)}; PSS {found['memory']:.1f} MiB and "
            f"{found['more']:.1f} more; {found['connections']} connections, "
            f"{found['shown_out']} shown out")


@pytest.mark.parametrize("addresses", ["one", "many"])
def test_scrapes_stay_fast(tmp_path, office, addresses):
    found = scrapes_beside_a_crowd(tmp_path, office, addresses)
    print(f"{CROWD} of {addresses} address: {describe(found)}")
    # Where the machine is slow by itself, by the ratio; a sanitizer takes ten times as long.
    limit = max(MARK, 8 * found["quiet"][0]) * (10 if found["sanitized"] else 1)
    assert found["tcp"][0] < limit and found["control"][0] < limit
    assert found["more"] < MEMORY or found["sanitized"]
    assert found["shown_out"] >= CROWD / 2
