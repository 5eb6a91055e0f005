"""How a lab comes and goes: several at once, nothing left behind, whoever is killed."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

import agent
import process
from lab import Lab

PROGRAM = Path(__file__).with_name("lab")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")


def links_of(lab):
    """The interface numbers of a lab's bridge and of what is plugged into it.

    Numbers, because another lab may take over the names at any time.
    """
    links = json.loads(subprocess.check_output(("ip", "-json", "link")))
    bridges = {link["ifname"] for link in links if link.get("address") == lab.state.get("mark")}
    ours = (link for link in links if {link["ifname"], link.get("master")} & bridges)
    return {link["ifindex"] for link in ours}


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def traces(directory):
    """Processes and mounts, seen from any process of the machine, that belong to a lab."""
    name = os.fsencode(directory)
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            if name in read(entry / "cmdline") or name in read(entry / "mountinfo"):
                found.add(read(entry / "cmdline"))
    return found


def run_lab(directory, *arguments):
    return subprocess.run((PROGRAM, "--dir", directory, *arguments), capture_output=True, text=True)


def take_down(lab):
    """Take a lab down, and look whether anything of it is left."""
    mark, links = lab.state["mark"], links_of(lab)
    lab.down()
    assert not lab.directory.exists()
    assert traces(lab.directory) == set()
    left = json.loads(subprocess.check_output(("ip", "-json", "link")))
    assert not links & {link["ifindex"] for link in left}
    assert mark not in {link.get("address") for link in left}


def test_two_labs_live_side_by_side_and_leave_nothing(lab_directories):
    machine_hosts = Path("/etc/hosts").read_bytes()
    first, second = Lab(lab_directories()), Lab(lab_directories())
    first.up(2)
    second.up(3)
    assert first.instance != second.instance and len(traces(second.directory)) > 10
    assert (len(links_of(first)), len(links_of(second))) == (3, 4)
    second["mx03"].send("probe@mx03.example", "probe@mx01.example", "Subject: near\r\n\r\n")
    second["mx01"].wait_for(lambda: second["mx01"].mail("probe"), 5.0)
    assert first["mx01"].mail("probe") == []
    take_down(second)
    assert first.is_up and first["mx02"].is_running("smtp")
    take_down(first)
    first.down()
    assert Path("/etc/hosts").read_bytes() == machine_hosts


def kill_halfway(directory, moment):
    """Start `up`, and kill it as soon as a file of the lab appears."""
    creator = subprocess.Popen((PROGRAM, "--dir", directory, "up"), stdout=subprocess.DEVNULL)
    process.wait_for((directory / moment).exists, 30.0, moment)
    creator.send_signal(signal.SIGKILL)
    creator.wait()


@pytest.mark.parametrize("moment", ["lab.json", "mx01/holder.pid", "mx01/postfix.pid"])
def test_creator_killed_halfway(lab_directories, moment):
    directory = lab_directories()
    kill_halfway(directory, moment)
    lab = Lab(directory)
    assert not lab.is_up
    take_down(lab)


def test_up_clears_away_a_killed_up(lab_directories):
    directory = lab_directories()
    kill_halfway(directory, "mx01/dovecot.pid")
    remains = links_of(Lab(directory))
    lab = Lab(directory).up(1)
    assert lab["mx01"].is_running("imap")
    assert not remains & links_of(lab)
    take_down(lab)


def test_killed_holder_takes_its_host_with_it(lab_directories):
    with Lab(lab_directories()).up(1) as lab:
        holder = process.recorded(lab["mx01"].directory / "holder.pid")
        os.kill(holder, signal.SIGKILL)
        process.wait_for(lambda: lab["mx01"].pid is None, 5.0)
        inside = os.fsencode(lab["mx01"].directory / "postfix")
        process.wait_for(lambda: not any(inside in one for one in traces(lab.directory)), 5.0)


def test_command_line(lab_directories):
    directory = lab_directories()
    assert run_lab(directory, "up", "1").returncode == 0
    again = run_lab(directory, "up")
    assert again.returncode == 1 and "is up already" in again.stderr
    assert run_lab(directory, "exec", "mx01", "hostname").stdout == "mx01\n"
    assert run_lab(directory, "exec", "mx01", "sh", "-c", "exit 7").returncode == 7
    assert run_lab(directory, "queue", "mx01").stdout == "Mail queue is empty\n"
    assert run_lab(directory, "stop", "mx01", "smtp").returncode == 0
    assert "smtp=down imap=up" in run_lab(directory, "status").stdout
    assert run_lab(directory, "stop", "mx07", "smtp").returncode == 1
    assert run_lab(directory, "down").returncode == 0
    assert run_lab(directory, "down").returncode == 0
    assert not directory.exists()


def test_foreign_directories_are_left_alone(tmp_path):
    (tmp_path / "precious").write_text("not a lab")
    for verb in (Lab(tmp_path).down, Lab(tmp_path).up):
        with pytest.raises(RuntimeError):
            verb()
    assert (tmp_path / "precious").exists()


def test_recycled_pid_is_not_killed(tmp_path):
    record = tmp_path / "some.pid"
    child = process.spawn(("sleep", "60"))
    process.record(record, child.pid)
    pid, started, boot = record.read_text().split()
    record.write_text(f"{pid} {int(started) - 1} {boot}\n")
    process.end(record)
    assert not record.exists() and child.poll() is None
    process.record(record, child.pid)
    process.end(record)
    assert child.returncode == -signal.SIGTERM


def test_overrides_are_laid_over_the_configuration():
    base = {"a": {"b": 1, "c": 2}, "d": [1], "e": 5}
    assert agent.merge(base, {"a": {"b": 9}, "d": [2], "e": None}) == {
        "a": {"b": 9, "c": 2},
        "d": [2],
    }


def test_configuration_is_readable_yaml():
    config = {
        "server": "mx01",
        "relay": {"host": "127.0.0.1", "port": 25, "insecure": True},
        "listen": ["127.0.0.1:9925"],
        "peers": [{"name": "on", "interval": "15s", "latency": {"warning": "60s"}}],
        "empty": [],
    }
    assert "\n".join(agent.yaml_lines(config)).splitlines() == [
        "server: mx01",
        "relay:",
        '  host: "127.0.0.1"',
        "  port: 25",
        "  insecure: true",
        "listen:",
        '  - "127.0.0.1:9925"',
        "peers:",
        '  - name: "on"',
        "    interval: 15s",
        "    latency:",
        "      warning: 60s",
        "empty: []",
    ]


def test_metrics_are_parsed():
    text = """
# HELP mailflow_x Something.
mailflow_x 1
mailflow_y{peer="mx02",direction="outbound"} 2.5e-1
mailflow_z_bucket{le="+Inf",path="a\\"b"} 7 # {probe="x"} 0.3 123
"""
    assert agent.parse_metrics(text) == {
        ("mailflow_x", frozenset()): 1.0,
        ("mailflow_y", frozenset({("peer", "mx02"), ("direction", "outbound")})): 0.25,
        ("mailflow_z_bucket", frozenset({("le", "+Inf"), ("path", 'a"b')})): 7.0,
    }
