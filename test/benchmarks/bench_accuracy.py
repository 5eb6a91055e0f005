"""How far the reported arrival is from the truth, the instant the file appears in the Maildir.

Two real hosts, a probe each second both ways. The limits are absolute times, so a busy machine misses
them.
"""

import os
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import rows  # noqa: E402
from lab import Lab  # noqa: E402
from maildir_watch import MaildirWatch  # noqa: E402

SECONDS = rows.seconds(20)
WARM_UP = 5
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
    errors = [error for error, _ in samples]
    latency = statistics.median(latency for _, latency in samples)
    last = max(LAST_LIMIT, LAST_SHARE * latency)
    what = f"error of the reported latency at {rate}/s"
    details = dict(ratio=f"of {latency * 1000:.1f} ms; {len(samples)} probes", firm=False)
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


def each_second(lab, build):
    for host in lab:
        host.write_agent_config(overrides={"defaults": {"interval": "1s"}})
        host.agent_start(build)
    time.sleep(WARM_UP)
    samples = []
    for name, truths in watched(lab).items():
        peer = next(other.name for other in lab if other.name != name)
        samples += samples_of(arrived_probes(lab[name], f"{peer}->{name}"), truths)
    for host in lab:
        host.agent_stop()
    return samples


def measure():
    build = os.environ["MAILFLOW_BUILD"]
    with tempfile.TemporaryDirectory(prefix="mailflow-") as directory:
        Path(directory).chmod(0o755)
        with Lab(Path(directory) / "bench").up(2) as lab:
            samples = each_second(lab, build)
    if len(samples) < SECONDS:
        sys.exit(f"only {len(samples)} probes could be compared with the Maildir")
    return rows_of(samples, 1)


if __name__ == "__main__":
    sys.exit(rows.conclude(measure))
