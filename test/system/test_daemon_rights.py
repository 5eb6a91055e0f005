"""What a running agent and its probers may do: who they are, what they can write, what is hidden."""

import json
import os
import pathlib
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from daemon import BUILD, Daemon, wait_for

READ_ONLY = ("/usr/bin/python3", str(pathlib.Path(__file__).parent / "read_only.py"))
ARRIVED = r"probe ARRIVED path=mx02->mx01 .*"
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture(name="house")
def fixture_house():
    """A directory that everybody can reach, with probers that everybody can run."""
    house = pathlib.Path(tempfile.mkdtemp(prefix="mailflow-rights-"))
    house.chmod(0o755)
    (house / "probers").mkdir()
    for program in (BUILD / "probes").glob("mailflow-*"):
        if program.is_file():
            shutil.copy(program, house / "probers")
    yield house
    shutil.rmtree(house)


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def has_no_rights(pid):
    status = status_of(pid)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0, (kind, status)
    assert status["NoNewPrivs"] == "1"
    return status


def as_nobody(house, office, **overrides):
    """An agent whose files are nobody's, started by root."""
    daemon = Daemon(house, office, http={"control": str(house / "run/control")}, **overrides)
    (house / "run").mkdir()
    for place in (daemon.state, house / "run"):
        shutil.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    daemon.syslog.path.chmod(0o777)
    return daemon.start(probers=house / "probers")


# ---- who they are ----


def test_started_by_root_it_becomes_the_owner_of_its_state(house, office):
    with as_nobody(house, office) as daemon:
        daemon.wait(ARRIVED)
        pids = [daemon.pid, *daemon.children()]
        assert len(pids) >= 3
        for pid in pids:
            status = has_no_rights(pid)
            assert set(status["Uid"].split()) == {str(NOBODY.pw_uid)}
            assert set(status["Gid"].split()) == {str(NOBODY.pw_gid)}
            assert status["Groups"].split() in ([], [str(NOBODY.pw_gid)])
            # Not its own: whose memory may be read by its user has all of /proc/PID owned by it.
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0
        wait_for(lambda: all(status_of(pid)["Seccomp"] == "2" for pid in daemon.children()), 5,
                 "confinement of all probers")
        assert {file.owner() for file in daemon.state.iterdir()} == {"nobody"}


def test_a_reload_says_who_cannot_read_a_secret_and_what_to_do(house, office):
    with as_nobody(house, office) as daemon:
        daemon.wait(ARRIVED)
        status, body = daemon.request("POST", "/api/v1/reload")
        key = house / "mesh.key"
        assert status == 422
        assert any(problem.endswith(f"file: {key}: Permission denied to user nobody: "
                                    "start anew as root, or let the agent's user read it and "
                                    "its folder")
                   for problem in json.loads(body)["problems"]), body
        for secret in key, house / "password":
            shutil.chown(secret, NOBODY.pw_uid)
        assert daemon.request("POST", "/api/v1/reload")[0] == 200


def test_without_a_user_to_become_root_has_no_capabilities(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED)
        for pid in (daemon.pid, *daemon.children()):
            has_no_rights(pid)


def test_others_cannot_look_into_its_memory(house, office):
    """Not even another process of its own user: neither memory nor environment, nor the secrets' pipes."""
    with as_nobody(house, office) as daemon:
        daemon.wait(ARRIVED)
        for pid in (daemon.pid, *daemon.children()):
            for name in ("mem", "environ", "maps", "fd/0"):
                command = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                           "head", "-c1", f"/proc/{pid}/{name}")
                done = subprocess.run(command, capture_output=True, text=True)
                assert "Permission denied" in done.stderr, (name, done)


# ---- no core file ----


def die(command, once=lambda: None, **options):
    """The wait status of a program that is killed by a signal that makes a core file."""

    def prepare():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    process = subprocess.Popen(command, preexec_fn=prepare, stderr=subprocess.DEVNULL, **options)
    once()
    process.send_signal(signal.SIGXCPU)  # which no shell lets its jobs ignore
    return os.waitpid(process.pid, 0)[1]


@pytest.fixture(name="cores")
def fixture_cores(tmp_path):
    """A folder where the crash of another program leaves a core file."""
    place = tmp_path / "cores"
    place.mkdir()
    if not os.WCOREDUMP(die(("/bin/sleep", "100"), cwd=place)):
        pytest.skip("nobody's crash leaves a core file on this machine")
    for file in place.iterdir():
        file.unlink()
    return place


def assert_left_no_core(ended, cores):
    assert os.WTERMSIG(ended) == signal.SIGXCPU and not os.WCOREDUMP(ended)
    assert list(cores.iterdir()) == []


def test_a_crash_leaves_no_core_file(tmp_path, office, cores):
    daemon = Daemon(tmp_path, office)
    command = ("mailflowd", "--config", daemon.config, "--probers", BUILD / "probes")
    ended = die(command, lambda: wait_for(lambda: daemon.count(ARRIVED), 10, "a probe"),
                cwd=cores, executable=BUILD / "agent/mailflowd")
    assert_left_no_core(ended, cores)
    daemon.syslog.close()


def test_neither_does_one_of_mailflowctl_where_it_handles_secrets(tmp_path, cores):
    command = (BUILD / "agent/ctl/mailflowctl", "join", "-", "--config", tmp_path / "mailflow.yaml")
    ended = die(command, lambda: time.sleep(1), cwd=cores, stdin=subprocess.PIPE)
    assert_left_no_core(ended, cores)


# ---- no new files ----


def test_it_writes_nowhere_but_below_its_own_directories(tmp_path, office):
    """Everything else is read-only, as under the unit, and it works all the same."""
    run = tmp_path / "run"
    run.mkdir()
    servers = tmp_path / "list.json"
    servers.write_text('[{"targets": ["mx02.example:9925", "mx03.example:9925"]}]')
    daemon = Daemon(tmp_path, office, http={"control": str(run / "control")},
                    peers_from=[{"files": [str(servers)], "address": "probe@{host}"}])
    before = (*READ_ONLY, daemon.state, run, "--")
    with daemon.start(before=tuple(map(str, before))):
        daemon.wait(ARRIVED, count=2)
        assert daemon.request("POST", "/api/v1/maintenance", '{"server": "mx03"}')[0] == 201
        for path in ("/", "/metrics", "/api/v1/status", "/api/v1/probes"):
            assert daemon.request("GET", path)[0] == 200
        assert daemon.request("POST", "/api/v1/reload")[0] == 200
        daemon.wait(ARRIVED, count=4)
        written = {str(file.relative_to(tmp_path)) for place in (daemon.state, run)
                   for file in place.rglob("*")}
        assert written == {"state/ledger.db", "state/ledger.db-wal", "state/ledger.db-shm",
                           "state/ledger.lock", "run/control"}
        assert daemon.count("ledger FAILING .*|config PROBLEM .*") == 0
