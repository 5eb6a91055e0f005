"""What a probe costs: time of the processor for its whole life, agent and probers together, and memory.

One real host, its own Postfix and Dovecot; beside us, in turn, others that do the same. The agents
probe ten servers: for the processor's time each of them once a second, for the memory seldom. The
time is twice as long where processors are shared with something else, so that its limit is not firm;
nor is that of the memory, of which the more is ours the fewer others use the same libraries.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import mailflow_side  # noqa: E402
import rivals  # noqa: E402
import rows  # noqa: E402
import usage  # noqa: E402
from lab import Lab  # noqa: E402

SECONDS = rows.seconds(4)
SERVERS = 10
CHECKS = 2
PROCESSOR_LIMIT = 1.5  # ms
MEMORY_LIMITS = {"plain": 12, "with TLS": 18}  # MiB
SELDOM = "3s"
BUILD = os.environ["MAILFLOW_BUILD"]


def milliseconds_each(pid, count):
    """Of the processor, for each of what is counted while we measure."""
    used, counted = usage.processor_seconds(pid), count()
    time.sleep(SECONDS)
    counted = count() - counted
    if counted < SECONDS:
        raise RuntimeError(f"only {counted:.0f} probes in {SECONDS:g} s")
    return (usage.processor_seconds(pid) - used) * 1000 / counted


def our_time(host, tls):
    mailflow_side.configure(host, host, SERVERS, "1s", tls)
    pid = host.agent_start(BUILD)
    mailflow_side.wait_warm(host, 2 * SERVERS)
    used = milliseconds_each(pid, lambda: mailflow_side.total(host, mailflow_side.ARRIVED))
    host.agent_stop()
    return used


def our_memory(host, tls):
    """When every server has been probed; and of how many processes."""
    mailflow_side.configure(host, host, SERVERS, SELDOM, tls)
    pid = host.agent_start(BUILD)
    mailflow_side.wait_warm(host, SERVERS)
    size, processes = usage.memory_mebibytes(pid), len(usage.family(pid))
    host.agent_stop()
    return size, processes


def exporter_time(host):
    with rivals.Exporter(host, SERVERS) as exporter:
        host.wait_for(lambda: exporter.arrived() >= 5 * SERVERS, 60, "mailexporter's probes")
        return milliseconds_each(exporter.pid, exporter.arrived)


def beside_rivals(host, directory, ours):
    if not rivals.installed():
        print("  no others to compare with: test/bench installs them")
        return
    exporter = exporter_time(host)
    checks = [rivals.check_delivery(host, directory) * 1000 for _ in range(CHECKS)]
    for name, theirs in {"mailexporter": exporter, "check_email_delivery": sum(checks) / CHECKS}.items():
        yield rows.Row(f"the same, beside {name}", "less", f"{ours:.3g} ms", ours < theirs,
                       f"{ours / theirs:.2g} of its {theirs:.3g} ms", firm=ours > 2 * theirs)


def measure_on(host, directory):
    host.send(f"someone@{host.domain}", f"probe@{host.domain}", "Subject: first\r\n\r\n")
    host.wait_for(lambda: host.mail("probe"), 20, "a Maildir")
    what = "processor time of a whole probe"
    secured = our_time(host, True)
    yield rows.Row(f"{what}, with TLS", "", f"{secured:.3g} ms", True)
    # mailexporter speaks TLS wherever it is offered; here the plain figures are compared.
    host.servers["smtp"].adjust({"smtpd_tls_security_level": "none"})
    plain = our_time(host, False)
    yield rows.at_most(f"{what}, plain", PROCESSOR_LIMIT, plain, "ms", firm=False)
    yield from beside_rivals(host, directory, plain)
    host.servers["smtp"].adjust({"smtpd_tls_security_level": "may"})
    for name, limit in MEMORY_LIMITS.items():
        size, processes = our_memory(host, name == "with TLS")
        yield rows.at_most(f"memory (PSS), {SERVERS} peers, {name}", limit, size, "MiB",
                           detail=f"{processes} processes", firm=False)


def measure():
    with tempfile.TemporaryDirectory(prefix="mailflow-") as directory:
        Path(directory).chmod(0o755)
        with Lab(Path(directory) / "bench").up(1) as lab:
            return list(measure_on(lab["mx01"], directory))


if __name__ == "__main__":
    sys.exit(rows.conclude(measure, rounds=1))
