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
    live = check_live(mx01, 5)
    assert set(live[f"agent of {mx02.name}"]["legs"]) == {"dns", "connect", "answer"}
    assert set(live["mailbox local"]["legs"]) == {"dns", "connect", "tls", "login"}
    assert set(live["relay"]["legs"]) == {"dns", "connect", "submit", "latency"}
    taken = live[f"address of {mx02.name}"]
    assert taken["message"] == f"it takes probes to probe@{mx02.domain}"
    assert mx02.metric("mailflow_exchanges_rejected_total", reason="stale") == 0
    assert "exchange REJECTED" not in (mx02.directory / "syslog").read_text()
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


def try_live(host, *words):
    done = host.ctl("check", "--live", "--wait", "0", *words, "--probers", BUILD / "probes",
                    build=BUILD)
    return done.returncode, done.stdout


@together.on(hosts=2)
def test_a_relay_that_does_not_take_the_peers_address(mx01, mx02):
    """Postfix refuses it, for good and for now; what it says of it is in the report."""
    for host in (mx01, mx02):
        host.write_agent_config()
    mx02.agent_start(BUILD)
    try:
        for reply, code, mark in (("450 4.7.1 Greylisted", 0, "warn  "),
                                  ("550 5.7.1 not from here", 1, "FAILED")):
            table = f"inline:{{{{probe@{mx02.domain}={reply}}}}}"
            refuse = f"check_recipient_access {table}"
            mx01.servers["smtp"].adjust({"smtpd_recipient_restrictions": refuse})

            def told(words=reply[:9]):
                live = json.loads(try_live(mx01, "--json")[1])["live"]
                return any(words in result["message"] for result in live)

            mx01.wait_for(told, 20, "Postfix to refuse")
            got, shown = try_live(mx01)
            where = f"{mark}  address of {mx02.name} at 127.0.0.1:25: it takes no probes to "
            [line] = [line for line in shown.splitlines() if line.startswith(where)]
            assert got == code and reply.split(" ", 2)[2] in line, shown
            print(line)
    finally:
        mx01.servers["smtp"].adjust({"smtpd_recipient_restrictions": ""})
