"""How long an agent takes with 10,000 servers in a list: to start, reread, reload, and plan.

Once with a fanout, once with every server a peer. Prints seconds, of the clock and of the agent's
processor; fails when a reread or a reload takes the agent 5 s of the latter.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from daemon import BUILD, Daemon, wait_for  # noqa: E402

SERVERS = 10000
LIMIT = 5.0
PATIENCE = 60


def processor(daemon):
    """Seconds that it has had so far."""
    fields = Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def put(file, first):
    """So many servers, ourselves among them."""
    hosts = ["mx02", *(f"p{number:05}" for number in range(first, first + SERVERS - 1))]
    beside = file.with_suffix(".tmp")
    beside.write_text(json.dumps([{"targets": [f"{host}.example.net" for host in hosts]}]))
    beside.rename(file)


def measured(daemon, what, act, pattern):
    """Act until the line is said once more; the processor time that it took."""
    before, begin, said = processor(daemon), time.monotonic(), daemon.count(pattern)
    act()
    wait_for(lambda: daemon.count(pattern) > said, PATIENCE, pattern)
    seconds, used = time.monotonic() - begin, processor(daemon) - before
    print(f"  {what}: {seconds:.2f} s, {used:.2f} s of the processor")
    return used


def measure(home, fanout):
    lists = home / "peers.json"
    put(lists, 0)
    # Not due before the end of the measurement.
    daemon = Daemon(home, peers=[], peers_from=[{"files": [str(lists)]}], fanout=fanout,
                    defaults={"interval": "1d", "latency": {"warning": "1s", "critical": "2s"}})
    begin = time.monotonic()
    with daemon.start():
        print(f"  started: {time.monotonic() - begin:.2f} s")
        begin = time.monotonic()
        plan = subprocess.run(
            (BUILD / "agent/ctl/mailflowctl", "peers", "--json", "--config", daemon.config),
            capture_output=True, check=True)
        plan = json.loads(plan.stdout)
        print(f"  planned: {time.monotonic() - begin:.2f} s, {len(plan['peers'])} peers")
        others = SERVERS if fanout else SERVERS // 100  # of a few peers 1 % may be none
        used = [
            measured(daemon, f"reread, with {others} others", lambda: put(lists, others),
                     "peers CHANGED.*"),
            measured(daemon, "reloaded", lambda: daemon.request("POST", "/api/v1/reload"),
                     "config RELOADED.*"),
        ]
    return max(used) < LIMIT


def main():
    good = True
    for fanout in (4, 0):
        with tempfile.TemporaryDirectory() as home:
            print(f"{SERVERS} servers, fanout {fanout}")
            good = measure(Path(home), fanout) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
