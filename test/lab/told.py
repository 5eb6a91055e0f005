"""What an agent of the lab tells, in the words of its tests: syslog, ledger, metrics."""

import contextlib
import functools
import os
import re
import signal
import sqlite3
from pathlib import Path

from agent import merge

BUILD = Path(os.environ.get("MAILFLOW_BUILD", "build")).absolute()
PATIENCE = 40  # a mailbox that was away is tried again within 19 s
LINE = re.compile(r"(\S+) <(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d mailflowd\[\d+\]: (.*)")
PRIORITIES = "emerg alert crit err warning notice info debug".split()
SUBJECT = r"(?:severity=\w+ )?(?:path|mailbox|server|peer)=(\S+) "
NOTIFICATION = re.compile(r"(\w+) (FIRING|FLAPPING|REMINDER|RESOLVED) " + SUBJECT)

HICCUP = 6  # seconds that mail which nothing delays may take, on two processors for a dozen servers

# Real times, a sixtieth of what a user would set.
QUICK = {
    "defaults": {"interval": "1s", "latency": {"warning": "3s", "critical": "5s"}},
    "incidents": {"hold": "1s", "blind_after": "3s", "isolated_after": "3s"},
    "maintenance": {"settle": "2s", "recovery": "60s"},
}


def start(host, *peers, **overrides):
    """Configure and start the agent beside a host with these peers."""
    host.write_agent_config(peers, merge(QUICK, overrides))
    restart(host)


def restart(host, build=BUILD, environment=None):
    """Start the agent with the configuration it has."""
    host.agent_start(build, environment)
    host.wait_for(lambda: answers(host), PATIENCE, f"{host.name}'s agent to answer")


def answers(host):
    try:
        return host.http_get("/healthz")[0] == 200
    except ConnectionRefusedError:
        return False


def start_pair(first, second, **overrides):
    """Two agents that know each other, once probes have arrived both ways."""
    start(first, second, **overrides)
    start(second, first, **overrides)
    wait_for_arrivals(first, second)


def reload(host, *peers, **overrides):
    """Another configuration for a running agent."""
    host.write_agent_config(peers, merge(QUICK, overrides))
    reloads = count(host, r"config (RELOADED|REFUSED) .*")
    os.kill(host.agent_pid, signal.SIGHUP)
    wait_for_line(host, r"config (RELOADED|REFUSED) .*", reloads + 1)


# Syslog


def lines(host):
    """[(priority, text)], oldest first."""
    found = (parsed(line) for line in host.syslog())
    return [line for line in found if line]


@functools.lru_cache(maxsize=100_000)  # who waits for a line reads all of them many times
def parsed(line):
    """(priority, text) of a line of the agent's, else None."""
    match = LINE.fullmatch(line)
    return match and (PRIORITIES[int(match[2]) & 7], match[3])


def find(host, pattern):
    """The lines of this shape: [(priority, match)]."""
    matches = ((priority, re.fullmatch(pattern, text)) for priority, text in lines(host))
    return [(priority, match) for priority, match in matches if match]


def count(host, pattern):
    return len(find(host, pattern))


def wait_for_line(host, pattern, number=1, seconds=PATIENCE):
    """The number-th line of this shape: (priority, match)."""
    what = f"{host.name}: syslog line {pattern}"
    host.wait_for(lambda: count(host, pattern) >= number, seconds, what)
    return find(host, pattern)[number - 1]


def notifications(host):
    """What would have woken somebody up, and its end: [(kind, state, subject)]."""
    found = (NOTIFICATION.match(text) for _, text in lines(host))
    return [match.groups() for match in found if match]


def arrivals(host, peer, direction="inbound"):
    path = f"{peer.name}->{host.name}" if direction == "inbound" else f"{host.name}->{peer.name}"
    return count(host, rf"probe ARRIVED path={path} .*")


def wait_for_arrivals(host, peer, more=2):
    """Wait until so many more probes have arrived both ways, and both agents know it."""
    watched = [(host, peer, "inbound"), (host, peer, "outbound")]
    watched += [(peer, host, "inbound"), (peer, host, "outbound")]
    wanted = [arrivals(*where) + more for where in watched]
    for where, least in zip(watched, wanted):
        what = f"{more} {where[2]} arrivals at {where[0].name} with {where[1].name}"
        host.wait_for(lambda: arrivals(*where) >= least, PATIENCE + more, what)


# The ledger


def ledger(host, query, *values):
    """Rows of the ledger, read beside the running agent."""
    place = f"file:{host.agent_directory}/state/ledger.db?mode=ro"
    with contextlib.closing(sqlite3.connect(place, uri=True, timeout=5)) as database:
        return database.execute(query, values).fetchall()


def verdicts(host, direction):
    """{verdict: how many} of what arrived, save what the machine itself held up for a moment."""
    query = (
        "SELECT verdict, count(*) FROM probes WHERE direction = ? AND state = 'arrived'"
        " AND NOT (verdict = 'late' AND latency < ?) GROUP BY verdict"
    )
    return dict(ledger(host, query, direction, int(HICCUP * 1e9)))


def in_flight(host):
    """How many probes of the cadence a server has taken over and no receipt tells of."""
    query = "SELECT count(*) FROM probes WHERE direction = 'outbound' AND state = 'accepted'"
    return ledger(host, f"{query} AND kind = 'slot'")[0][0]


# Metrics


def total(host, name, /, **labels):
    """The sum of the samples of a metric that have these labels."""
    wanted = set(labels.items())
    samples = host.metrics().items()
    return sum(value for (at, has), value in samples if at == f"mailflow_{name}" and wanted <= has)
