"""mailflowd and its probers when the machine gives no more: descriptors, processes, memory.

It says so and recovers, or does not start and says why; it never runs in circles, and what it took
in hand is in the ledger.
"""

import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from daemon import BUILD, ID, PROGRAM, Daemon, probe_text, wait_for
from process import patient

WITHOUT_MEMORY = f"LD_PRELOAD={BUILD}/test/system/libno_memory.so"
ARRIVED = r"probe ARRIVED path=mx02->mx01 .*"
PATIENT = {
    "defaults": {"latency": {"warning": "60s", "critical": "5m"}},
    "incidents": {"blind_after": "60s"},
}
SOMEBODY = 61234  # a user of no other process
AS_SOMEBODY = ("setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups")
FATE = {"arrived", "accepted", "sending", "refused", "uncertain"}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def assert_no_spin(pid):
    before = cpu_seconds(pid)
    time.sleep(1.0)
    assert cpu_seconds(pid) - before < 0.4


# ---- descriptors ----


def launch(daemon, *before):
    daemon.errors = open(daemon.home / "stderr", "ab")
    command = (*before, PROGRAM, "--config", daemon.config, "--probers", BUILD / "probes")
    # The leak check needs descriptors, too.
    variables = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    daemon.process = subprocess.Popen(command, stderr=daemon.errors, env=variables)


def has_ended_or_started(daemon):
    return daemon.process.poll() is not None or daemon.count("agent STARTED .*")


@pytest.mark.parametrize("most", [6, 10, 14, 18, 22, 26, 30, 40])
def test_few_descriptors(tmp_path, office, most):
    daemon = Daemon(tmp_path, office)
    launch(daemon, "prlimit", f"--nofile={most}:4096")
    wait_for(lambda: has_ended_or_started(daemon), 20, "a start, or an end")
    if daemon.process.poll() is not None:
        said = daemon.said
        print(f"{most} descriptors: {said.strip()}")
        daemon.errors.close()
        daemon.syslog.close()
        assert daemon.process.returncode == 1 and said.startswith("mailflowd: "), said
        assert "open files" in said or "unable to open" in said, said
        assert said.count("\n") <= 2
        return
    with daemon:
        time.sleep(1.0)
        assert_no_spin(daemon.pid)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (4096, 4096))
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, seconds=20, count=arrived + 2)
        print(f"{most} descriptors: works, {arrived} probes arrived before there were more")
        assert set(daemon.states()) <= FATE
        assert daemon.stop(seconds=10) == 0


def test_descriptors_that_run_out_while_it_works(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED)
        used = max(int(each) for each in os.listdir(f"/proc/{daemon.pid}/fd")) + 1
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used, 4096))
        for pid in daemon.children():
            os.kill(pid, signal.SIGKILL)
        time.sleep(2.0)
        assert_no_spin(daemon.pid)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (4096, 4096))
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, seconds=20, count=arrived + 2)
        assert set(daemon.states()) <= FATE
        assert daemon.stop(seconds=10) == 0


# ---- processes ----


def may_run_programs():
    """Whether the user of no other process gets at what was built."""
    if os.geteuid() != 0:
        return False
    return subprocess.run((*AS_SOMEBODY, "test", "-x", PROGRAM), check=False).returncode == 0


def limit_processes(pid, most):
    """By the process's own user: root may lack the right in a container."""
    subprocess.run((*AS_SOMEBODY, "prlimit", f"--pid={pid}", f"--nproc={most}:"), check=True)


@pytest.mark.skipif(not may_run_programs(), reason="needs root, and a build that others may run")
def test_processes_that_cannot_be_had(office):
    with tempfile.TemporaryDirectory(prefix="mailflow-limits-") as directory:
        home = pathlib.Path(directory)
        daemon = Daemon(home, office)
        for path in (home, *home.rglob("*")):
            os.chown(path, SOMEBODY, SOMEBODY)
        with daemon.start(before=AS_SOMEBODY):
            daemon.wait(ARRIVED)
            limit_processes(daemon.pid, 1)
            for pid in daemon.children():
                os.kill(pid, signal.SIGKILL)
            daemon.wait(r'mailbox DOWN mailbox=local cause="cannot start \S+: '
                        'resource temporarily unavailable"')
            daemon.wait("probe REFUSED path=mx02->mx01 .*", count=2)
            assert_no_spin(daemon.pid)
            limit_processes(daemon.pid, 1024)
            arrived = daemon.count(ARRIVED)
            daemon.wait(ARRIVED, seconds=20, count=arrived + 2)
            assert set(daemon.states()) <= FATE and daemon.count("refused FIRING .*") == 0
            assert daemon.stop(seconds=10) == 0


# ---- memory ----


def deny_memory(pid):
    """From now on it gets nothing but what it holds already."""
    resource.prlimit(pid, resource.RLIMIT_AS, (1 << 20, 1 << 20))


def test_a_prober_without_memory_is_replaced_and_no_probe_lost(tmp_path, office):
    """What the server says is more than its prober gets the memory for; the next one does."""
    long_line = "* OK " + "x" * 3_000_000 + "\r\n"

    def noop(session, tag, arguments):
        if not office.is_generous:
            session.write(long_line)
        session.answer(tag, "NOOP", arguments)

    office.is_generous = False
    office.imap.on["NOOP"] = noop
    office.imap.offers = "UIDPLUS"  # no IDLE: it asks again and again
    with Daemon(tmp_path, office, **PATIENT) as daemon:
        daemon.wait("mailbox UP mailbox=local")
        deny_memory(daemon.prober("mailflow-collect"))
        _, match = daemon.wait(r'mailbox DOWN mailbox=local cause="(.*)"', seconds=20)
        print(f"without memory: {match[1]}")
        office.is_generous = True
        daemon.wait("mailbox UP mailbox=local", seconds=20, count=2)
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, seconds=20, count=arrived + 2)
        assert set(daemon.states()) <= FATE and daemon.count("blind FIRING .*") == 0
        assert daemon.stop(seconds=10) == 0
        (daemon.home / "stderr").write_text("")  # the sanitizer's own words about the memory


def handed_over(office):
    return [ID.search(content)[1].decode() for content in office.contents]


def assert_none_lost_or_counted_twice(daemon, office):
    handed = handed_over(office)
    assert len(handed) == len(set(handed))
    known = [probe_text(row[0]) for row in daemon.ledger("SELECT id FROM probes")]
    assert set(handed) <= set(known)
    told = [match[1] for _, match in daemon.found(r"probe ARRIVED path=\S+ probe=(\S+) .*")]
    assert len(told) == len(set(told))
    assert daemon.metric("probe_duplicates_total", peer="mx01") == 0
    assert set(daemon.states()) <= FATE and daemon.count(".* FIRING .*") == 0


@pytest.mark.skipif("sanitized" in str(BUILD), reason="the sanitizer gives the memory")
@pytest.mark.parametrize("granted", [0, 20, 60, 140, 290])
def test_a_submitter_without_memory_is_replaced_and_no_probe_lost(tmp_path, office, granted):
    probers = shutil.copytree(BUILD / "probes", tmp_path / "probers",
                              ignore=lambda _, names: {n for n in names if n.endswith(".p")})
    submit = probers / "mailflow-submit"
    submit.unlink()
    submit.write_text(f"#!/bin/sh\nmkdir {tmp_path}/one 2>/dev/null && export {WITHOUT_MEMORY} "
                      f"NO_MEMORY_AFTER={granted}\nexec {BUILD}/probes/mailflow-submit\n")
    submit.chmod(0o755)
    with Daemon(tmp_path, office, **PATIENT).start(probers=probers) as daemon:
        _, match = daemon.wait(r'prober DIED program=mailflow-submit how="(.*)"', seconds=20)
        print(f"without memory: {match[1]}: {daemon.said}")
        assert match[1] == "killed by signal 6 (Aborted)"
        assert daemon.said == "mailflow-submit: out of memory\n"
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, seconds=20, count=arrived + 2)
        assert_none_lost_or_counted_twice(daemon, office)
        assert daemon.stop(seconds=10) == 0
        (daemon.home / "stderr").write_text("")


@pytest.mark.skipif("sanitized" in str(BUILD), reason="the sanitizer gives the memory")
def test_an_agent_without_memory_ends_and_the_next_one_loses_nothing(tmp_path, office):
    with Daemon(tmp_path, office, **PATIENT) as daemon:
        daemon.wait(ARRIVED)
        usual = daemon.config.read_text()
        more = [{"name": f"p{n}", "address": f"probe@p{n}.example"} for n in range(3000)]
        daemon.configure(daemon.settings, {"peers": more})
        deny_memory(daemon.pid)
        daemon.process.send_signal(signal.SIGHUP)
        status = daemon.process.wait(patient(20))
        daemon.errors.close()
        print(f"without memory: {status}: {daemon.said}")
        assert status == -signal.SIGABRT and "mailflowd: out of memory" in daemon.said
        daemon.config.write_text(usual)
        daemon.start()
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, seconds=20, count=arrived + 2)
        assert_none_lost_or_counted_twice(daemon, office)
        assert daemon.stop(seconds=10) == 0
        (daemon.home / "stderr").write_text("")
