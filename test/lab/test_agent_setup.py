"""A mesh of two servers from nothing: setup, join, and mail flows, well within two minutes."""

import json
import time

import together
from agent import yaml_lines
from setup_dialogue import JOIN, go_through
from terminal import Terminal
from told import BUILD, arrivals, restart

TWO_MINUTES = 120
CTL = BUILD / "agent/ctl/mailflowctl"


def prepare(host):
    """What an installed package would give: a place for the state, a socket, a syslog."""
    home = host.agent_directory
    (home / "conf.d").mkdir(parents=True)
    (home / "state").mkdir()
    settings = {
        "state_dir": str(home / "state"),
        "http": {"control": str(home / "control.sock")},
        "syslog": {"socket": host.syslog_socket},
    }
    (home / "conf.d/place.yaml").write_text("\n".join(yaml_lines(settings)) + "\n")


def at_terminal(host, *words):
    common = (CTL, "--config", host.agent_config, *words, "--probers", BUILD / "probes")
    return Terminal(host.command(*common))


def wait_for_first_arrivals(first, second):
    """A probe by hand, and its answer."""
    done = first.ctl("probe", second.name, "--wait", "30s", build=BUILD)
    assert done.returncode == 0, done
    for host, peer in (first, second), (second, first):
        what = f"an arrival at {host.name}"
        host.wait_for(lambda: arrivals(host, peer) > 0, TWO_MINUTES, what)


def check_live(host, results):
    """Everything is well, and as much was tried."""
    done = host.ctl("check", "--live", "--json", "--probers", BUILD / "probes", build=BUILD)
    live = json.loads(done.stdout)["live"]
    assert done.returncode == 0 and len(live) == results, done
    return {result["subject"]: result for result in live}


@together.on(hosts=2)
def test_a_mesh_from_nothing_at_a_terminal(mx01, mx02):
    prepare(mx01)
    prepare(mx02)
    begun = time.monotonic()
    with at_terminal(mx01, "setup") as terminal:
        line = go_through(terminal, mx01, mx01.lab.authority)
    assert (mx01.agent_directory / "mesh.key").stat().st_mode & 0o777 == 0o600
    restart(mx01)

    with at_terminal(mx02, "join") as terminal:
        terminal.expect("The token of `mailflowctl invite` (not shown): ")
        assert not terminal.echoes
        terminal.type(line[1] + "\n")
        line = go_through(terminal, mx02, mx02.lab.authority)
        assert "This line carries no secret." in terminal.said
    restart(mx02)

    said = mx01.ctl(*line, build=BUILD, check=True).stdout
    assert f"added peer {mx02.name}: " in said
    assert "The agent has taken the configuration over.\n" in said
    wait_for_first_arrivals(mx01, mx02)
    took = time.monotonic() - begun
    print(f"two servers from nothing, at a terminal: first arrivals both ways after {took:.1f} s")
    assert took < TWO_MINUTES
    live = check_live(mx01, 4)
    assert set(live[f"agent of {mx02.name}"]["legs"]) == {"dns", "connect", "answer"}
    assert set(live["mailbox local"]["legs"]) == {"dns", "connect", "tls", "login"}
    assert set(live["relay"]["legs"]) == {"dns", "connect", "submit", "latency"}
    assert mx01.metric("mailflow_probes_rejected_total", reason="signature") == 0
    assert mx01.mail("probe") == [] or mx01.wait_for(lambda: not mx01.mail("probe"), 10)


def set_up_by_flags(host, *verb, input=None):
    done = host.ctl(
        *verb,
        "--yes",
        *("--password-file", host.password_file("probe"), "--ca-file", host.lab.authority),
        *("--agent-url", f"http://{host.domain}:9925", "--probers", BUILD / "probes"),
        build=BUILD,
        input=input,
    )
    assert done.returncode == 0, done
    return JOIN.search(done.stdout)[1].split()


@together.on(hosts=2)
def test_a_mesh_from_nothing_by_flags(mx01, mx02):
    prepare(mx01)
    prepare(mx02)
    begun = time.monotonic()
    token = set_up_by_flags(mx01, "setup")[1]
    restart(mx01)
    line = set_up_by_flags(mx02, "join", "-", input=token + "\n")
    restart(mx02)
    mx01.ctl(*line, build=BUILD, check=True)
    wait_for_first_arrivals(mx01, mx02)
    took = time.monotonic() - begun
    print(f"two servers from nothing, by flags: first arrivals both ways after {took:.1f} s")
    assert took < TWO_MINUTES

    # An agent that is gone is named, and only it.
    mx02.agent_stop()
    done = mx01.ctl("check", "--live", "--probers", BUILD / "probes", build=BUILD)
    assert done.returncode == 1
    failed = [row for row in done.stdout.splitlines() if row.startswith("FAILED")]
    assert len(failed) == 1 and f"agent of {mx02.name} at http://{mx02.domain}:9925: " in failed[0]
