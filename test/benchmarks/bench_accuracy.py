"""How far the reported arrival is from the truth, the instant the file appears in the Maildir.

Two real hosts. First a probe each second both ways; then fifty a second into one mailbox of the other
host. The limits are absolute times, so a busy machine misses them. Meanwhile a client beside us says
NOOP every 5 ms: how much of the processor does the server need for us, and how much for that one?
"""

import os
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import mailflow_side  # noqa: E402
import rows  # noqa: E402
from lab import Lab  # noqa: E402
from maildir_watch import MaildirWatch  # noqa: E402
from noop_loop import SPACING, NoopLoop, sessions  # noqa: E402

SECONDS = rows.seconds(6)
FAST = 50  # probes a second
WARM_UP = 3
MEDIAN_LIMIT = 0.002
LAST_LIMIT = 0.015
LAST_SHARE = 0.05


def unix_time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def arrived_probes(host, path):
    """{id: probe} of those that arrived on a path, as the agent of this host tells it."""
    answer = host.api(f"probes?path={path.replace('>', '%3E')}&limit=1000")
    return {probe["id"]: probe for probe in answer["probes"] if probe["arrived"]}


def samples_of(probes, truths):
    """(error, latency) of each probe whose file was seen to appear, in seconds."""
    return [
        (abs(unix_time(probes[id]["arrived"]) - appeared), probes[id]["latency_seconds"])
        for id, appeared in truths.items()
        if id in probes
    ]


def rows_of(samples, rate):
    if len(samples) < SECONDS:
        sys.exit(f"only {len(samples)} probes could be compared with the Maildir")
    errors = [error for error, _ in samples]
    latency = statistics.median(latency for _, latency in samples)
    last = max(LAST_LIMIT, LAST_SHARE * latency)
    what = f"error of the reported latency at {rate}/s"
    details = dict(detail=f"of {latency * 1000:.1f} ms; {len(samples)} probes", firm=False)
    p50, p99 = (rows.percentile(errors, share) * 1000 for share in (0.5, 0.99))
    return [
        rows.at_most(f"{what}, p50", MEDIAN_LIMIT * 1000, p50, "ms", **details),
        rows.at_most(f"{what}, p99", last * 1000, p99, "ms", **details),
    ]


def watched(hosts):
    """What appeared in the mailbox of each host for as long as we measure."""
    watches = {host.name: MaildirWatch(host.mail_home("probe") / "Maildir") for host in hosts}
    time.sleep(SECONDS)
    truths = {name: watch.end() for name, watch in watches.items()}
    time.sleep(1)
    return truths


def watching_row(host, rate):
    """Run while the agent watches. Ours fetches and deletes what came, too, and the loop does not.

    So it is close at many probes a second; and a loop that could not keep its pace shows nothing.
    """
    ours = sessions(host)
    loop = NoopLoop(host, "probe")
    theirs = {pid: used for pid, used in sessions(host).items() if pid not in ours}
    ours = {pid: used for pid, used in sessions(host).items() if pid in ours}
    begun = time.monotonic()
    time.sleep(SECONDS / 2)
    after, seconds = sessions(host), time.monotonic() - begun
    loop.end()
    us, them = (sum(after[pid] - used for pid, used in each.items()) / seconds * 1000
                for each in (ours, theirs))
    return rows.Row(f"server's time for our watching at {rate}/s", "below a 5 ms NOOP loop's",
                    f"{us:.1f} ms/s", us < them,
                    f"{us / them:.0%} of {them:.1f} ms/s, of {loop.sent / seconds:.0f} NOOP/s",
                    firm=rate < FAST and loop.sent * SPACING > 0.8 * seconds)


def each_second(lab, build):
    for host in lab:
        host.write_agent_config(overrides={"defaults": {"interval": "1s"}})
        host.agent_start(build)
    time.sleep(WARM_UP)
    samples = []
    for name, truths in watched(lab).items():
        peer = next(other.name for other in lab if other.name != name)
        samples += samples_of(arrived_probes(lab[name], f"{peer}->{name}"), truths)
    watching = watching_row(lab["mx02"], 1)
    for host in lab:
        host.agent_stop()
    return [*rows_of(samples, 1), watching]


def fifty_a_second(lab, build):
    sender, receiver = lab["mx01"], lab["mx02"]
    mailflow_side.configure(sender, receiver, FAST, "1s")
    sender.agent_start(build)
    mailflow_side.wait_warm(sender, 2 * FAST)
    truths = watched([receiver])[receiver.name]
    probes = {}
    for name in mailflow_side.servers(FAST):
        probes.update(arrived_probes(sender, f"{sender.name}->{name}"))
    watching = watching_row(receiver, FAST)
    sender.agent_stop()
    return [*rows_of(samples_of(probes, truths), FAST), watching]


def measure():
    build = os.environ["MAILFLOW_BUILD"]
    with tempfile.TemporaryDirectory(prefix="mailflow-") as directory:
        Path(directory).chmod(0o755)
        with Lab(Path(directory) / "bench").up(2) as lab:
            return [*each_second(lab, build), *fifty_a_second(lab, build)]


if __name__ == "__main__":
    sys.exit(rows.conclude(measure))
