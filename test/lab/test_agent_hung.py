"""Peers whose servers hang do not delay the probes of a healthy one."""

import contextlib
import os
import signal
import statistics
import subprocess
import time
from pathlib import Path

import process
import together
from agent import merge
from told import PATIENCE, QUICK, ledger, restart, start, total, verdicts

HANGING = Path(__file__).with_name("hanging.py")
EACH = 8  # hanging peers of each kind
PORTS = [str(port) for port in range(2500, 2500 + EACH)]
SLIP_LIMIT = 0.25  # seconds between slot and content, in the median
SLIP_MOST = 1.0


@contextlib.contextmanager
def hanging(host, way):
    """Servers on every port of the host that hang in this way; gives the pid that serves them."""
    command = host.command("/usr/bin/python3", "-I", HANGING, way, *PORTS)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as launcher:
        assert launcher.stdout.readline() == b"ready\n"
        pid = process.child_of(launcher.pid)
        try:
            yield pid
        finally:
            os.kill(pid, signal.SIGKILL)


def peers_at(host, kind):
    """Peers whose relays are the ports of a host."""
    for port in PORTS:
        relay = {"host": host.address, "port": int(port), "tls": "none", "insecure": True}
        yield {"name": f"{kind}{port}", "address": "probe@hung.example", "relay": relay}


def start_with(host, healthy, hung, interval):
    """An agent with one healthy peer, of an interval of its own, among many that hang."""
    start(healthy, host, peers=[{**peer_of(host), "interval": interval}])
    peers = [*hung, {**peer_of(healthy), "interval": interval}]
    host.write_agent_config([], merge(QUICK, {"peers": peers}))
    restart(host)


def peer_of(host):
    return {"name": host.name, "address": f"probe@{host.domain}"}


def slots(host, peer, since=0.0):
    """[(planned, sent)] in seconds of the slots of a peer from some time on."""
    query = (
        "SELECT planned / 1e9, sent / 1e9 FROM probes WHERE direction = 'outbound' AND peer = ?"
        " AND kind = 'slot' AND planned > ? AND state <> 'sending' ORDER BY planned"
    )
    return ledger(host, query, peer.name, since * 1e9)


def slips_of(probes):
    """Seconds between their slots and their contents."""
    assert all(sent is not None for _, sent in probes), probes
    return [sent - planned for planned, sent in probes]


def assert_in_time(host, peer, count, interval, since=0.0):
    """So many probes to the healthy peer have gone out when it was their time.

    Or so much later as those that the healthy one sent: nothing but the machine holds these up.
    """
    enough = lambda: min(len(slots(*way, since)) for way in ((host, peer), (peer, host))) >= count  # noqa: E731
    host.wait_for(enough, count * interval + PATIENCE, f"{count} probes each way with {peer.name}")
    probes = slots(host, peer, since)[:count]
    slips, others = slips_of(probes), slips_of(slots(peer, host, since))
    spacing = [later[0] - earlier[0] for earlier, later in zip(probes, probes[1:])]
    print(
        f"every {interval} s to {peer.name} beside {host.name}'s hanging peers:"
        f" median slip {statistics.median(slips):.3f} s, at most {max(slips):.3f} s;"
        f" of the others' {statistics.median(others):.3f} s and {max(others):.3f} s;"
        f" workers busy {host.metric('mailflow_workers_busy'):g}"
    )
    assert statistics.median(slips) < SLIP_LIMIT + statistics.median(others)
    assert max(slips) < SLIP_MOST + max(others)
    missed = host.metric("mailflow_slots_missed_total", peer=peer.name)
    assert missed <= max(others) // interval
    jitter = interval / 20 + 0.05
    assert interval - jitter < min(spacing) and max(spacing) < interval * (1 + missed) + jitter
    for direction in "outbound", "inbound":
        judged = verdicts(host, direction)
        assert judged.get("on_time", 0) >= count - 2 and set(judged) == {"on_time"}


@together.on(hosts=5)
def test_peers_that_always_hung(mx01, mx02, dropping, silent, trickling):
    """The healthy one's turn comes late, when the others have long held what they can get."""
    mx01.lab.cut(mx01.name, dropping.name)
    with hanging(silent, "silent"), hanging(trickling, "trickle"):
        hung = [*peers_at(dropping, "dropped"), *peers_at(silent, "silent")]
        hung += peers_at(trickling, "trickling")
        start_with(mx01, mx02, hung, "4s")
        assert_in_time(mx01, mx02, 5, 4)
        query = "SELECT count(*) FROM probes WHERE peer <> ? AND sent IS NOT NULL"
        assert ledger(mx01, query, mx02.name) == [(0,)]
        assert total(mx01, "workers_busy") <= 3 * EACH + 1


@together.on(hosts=5)
def test_peers_that_begin_to_hang(mx01, mx02, *servers):
    with contextlib.ExitStack() as running:
        pids = [running.enter_context(hanging(server, "later")) for server in servers]
        hung = [peer for server in servers for peer in peers_at(server, server.name)]
        start_with(mx01, mx02, hung, "1s")
        taken = "SELECT count(DISTINCT peer) FROM probes WHERE state = 'accepted' AND peer <> ?"
        everybody = lambda: ledger(mx01, taken, mx02.name) == [(len(hung),)]  # noqa: E731
        mx01.wait_for(everybody, PATIENCE, "a probe taken by every peer")
        for pid in pids:
            os.kill(pid, signal.SIGUSR1)
        assert_in_time(mx01, mx02, 15, 1, since=time.time())
