"""How many probes a second go through one real mailbox, beside what Postfix and Dovecot deliver there
when smtp-source sends.

The agent is asked for as many probes a second as smtp-source got through, and a little more: each is
sent, seen to arrive, recorded and deleted from the mailbox, on the machine that the servers have.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import mailflow_side  # noqa: E402
import rows  # noqa: E402
from lab import Lab  # noqa: E402

SECONDS = rows.seconds(4)
MORE = 1.05
PARALLEL = 16
MESSAGES = int(SECONDS * 50)
MESSAGE_BYTES = 1300  # as large as a probe
SHARE = 0.9
BUILD = os.environ["MAILFLOW_BUILD"]


def delivered(host):
    return len(host.mail("probe"))


def servers_rate(host):
    """Messages a second, from the first handed over to the last in the mailbox."""
    before = delivered(host)
    user = f"probe@{host.domain}"
    command = ("smtp-source", "-s", str(PARALLEL), "-m", str(MESSAGES), "-l", str(MESSAGE_BYTES),
               "-f", f"someone@{host.domain}", "-t", user, "127.0.0.1:25")
    begun = time.monotonic()
    with host.inside():
        subprocess.run(command, check=True)
    host.wait_for(lambda: delivered(host) >= before + MESSAGES, 120, "deliveries")
    return MESSAGES / (time.monotonic() - begun)


def probes_rate(host, wanted):
    """Probes a second whose life is over, when so many are wanted."""
    count = int(wanted * MORE) + 1
    mailflow_side.configure(host, host, count, "1s", tls=False)
    host.agent_start(BUILD)
    mailflow_side.wait_warm(host, 2 * count)
    begun, before = time.monotonic(), mailflow_side.total(host, mailflow_side.ARRIVED)
    time.sleep(SECONDS)
    counted = mailflow_side.total(host, mailflow_side.ARRIVED) - before
    rate = counted / (time.monotonic() - begun)
    host.agent_stop()
    return rate


def measure():
    with tempfile.TemporaryDirectory(prefix="mailflow-") as directory:
        Path(directory).chmod(0o755)
        with Lab(Path(directory) / "bench").up(1) as lab:
            host = lab["mx01"]
            theirs = servers_rate(host)
            for file in host.mail("probe"):
                file.unlink()
            ours = probes_rate(host, theirs)
    return [rows.Row("probes through one mailbox", f"at least {SHARE:.0%} of smtp-source's",
                     f"{ours:.0f}/s", ours >= SHARE * theirs, f"{ours / theirs:.0%} of {theirs:.0f}/s",
                     firm=False)]


if __name__ == "__main__":
    sys.exit(rows.conclude(measure))
