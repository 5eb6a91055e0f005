"""mailflowctl against the agent it is made for."""

import datetime
import json
import re

import pytest

from told import find, restart, start_pair, wait_for_line

PERFDATA = re.compile(r"'?([\w-]+)'?=(-?[\d.]+)(s?)(?:;([\d.]*);([\d.]*);([\d.]*))?")


@pytest.fixture(scope="module", name="pair")
def fixture_pair(make_lab):
    mx01, mx02 = make_lab(2)
    start_pair(mx01, mx02)
    return mx01, mx02


@pytest.fixture(name="mx01")
def fixture_mx01(pair):
    return pair[0]


def run(host, *words, code=0):
    """What mailflowctl prints, and on standard error when it fails."""
    done = host.ctl(*words)
    assert done.returncode == code, done
    assert done.stderr == "" or code != 0
    return done.stdout


def refusal(host, *words, code=1):
    done = host.ctl(*words)
    assert (done.returncode, done.stdout) == (code, ""), done
    return done.stderr


def table(text, first):
    """The rows of the table whose header begins with this word, split into words."""
    lines = text.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(first))
    rows = lines[begin + 1 :]
    return [row.split() for row in rows[: rows.index("") if "" in rows else None]]


def test_status(mx01):
    text = run(mx01, "status")
    assert re.match(r"mx01, mailflow 0\.1\.0, up since [-0-9]+ [:0-9]+ \S+ \(\d+ s\), ready\n", text)
    assert [row[:2] for row in table(text, "PATH")] == [["mx01->mx02", "ok"], ["mx02->mx01", "ok"]]
    assert "No open incidents." in text
    assert {path["state"] for path in json.loads(run(mx01, "status", "--json"))["paths"]} == {"ok"}


def test_version(mx01):
    assert run(mx01, "version") == "mailflowctl 0.1.0\nmailflowd 0.1.0 at mx01\n"


def test_probe_is_a_plugin(mx01):
    text = run(mx01, "probe", "mx02", "--wait", "10s", "-w", "8s", "-c", "9s")
    first, *details = text.split("\n")
    state, _, performance = first.partition(" | ")
    assert re.fullmatch(r"MAILFLOW OK - mx01->mx02 latency \d+\.\d{3} s", state)
    figures = {found[0]: found[1:] for found in PERFDATA.findall(performance)}
    print(first)
    assert list(figures) == ["latency", "dns", "connect", "submit", "transit"]
    assert figures["latency"][1:] == ("s", "8", "9", "0")
    latency, submit, transit = (float(figures[n][0]) for n in ("latency", "submit", "transit"))
    assert 0 < transit <= latency < 5 and 0 < submit < 1
    told = {line[2:11].strip(): line[12:] for line in details if line}
    assert told["reply"].startswith("250 2.0.0 Ok: queued as ") and told["verdict"] == "on_time"
    maillog = (mx01.directory / "maillog").read_text()
    assert f"{told['queue id']}: message-id=<{told['probe']}.mx01.mx02." in maillog


def test_probe_judges_by_the_thresholds_given(mx01):
    """By what it took at least: nothing is called late that lies inside the error."""
    done = mx01.ctl("probe", "mx02", "-w", "1ms", "-c", "9s", "--json")
    probe = json.loads(done.stdout)
    least = probe["latency_seconds"] - probe["latency_error_seconds"]
    assert done.returncode == (1 if least > 0.001 else 0), done
    text = run(mx01, "probe", "mx02", "-w", "8s", "-c", "9s")
    assert re.match(r"MAILFLOW OK - mx01->mx02 latency [\d.]+ s \| ", text)


def test_probe_of_a_server_that_is_none_of_ours(mx01):
    assert run(mx01, "probe", "mx09", code=3) == (
        "MAILFLOW UNKNOWN - unknown peer 'mx09': this mesh has mx01, mx02\n"
    )


def test_probe_of_a_server_that_is_down(pair):
    mx01, mx02 = pair
    mx02.stop("smtp")
    text = run(mx01, "probe", "mx02", "--wait", "2s", code=2)
    assert text.startswith("MAILFLOW CRITICAL - mx01->mx02 not arrived within 2s, accepted, ")
    queue_id = re.search(r"queue id (\w+) \| ", text)[1]
    assert queue_id in {mail["queue_id"] for mail in mx01.queue()}
    mx02.start("smtp")
    mx01.stop("smtp")
    text = run(mx01, "probe", "mx02", code=2)
    assert text.startswith(
        "MAILFLOW CRITICAL - mx01->mx02 refused: connect to 127.0.0.1:25: Connection refused | "
    )
    mx01.start("smtp")


def test_history(mx01):
    run(mx01, "probe", "mx02", "--wait", "10s")
    rows = table(run(mx01, "history", "mx02", "--since", "1m"), "SENT")
    assert {row[2] for row in rows} == {"mx01->mx02", "mx02->mx01"}
    assert {"hand", "slot", "answer"} <= {row[3] for row in rows}
    answer = json.loads(run(mx01, "history", "mx02", "--json"))
    assert len({probe["id"] for probe in answer["probes"]}) == len(answer["probes"]) >= len(rows)
    said = "mailflowctl: no peer 'mx09'; the only peer is mx02\n"
    assert refusal(mx01, "history", "mx09") == said


def windows(host):
    """{window: [server, kind, state]} of those that are to come or active."""
    rows = table(run(host, "maintenance", "list", "--all"), "WINDOW")
    return {row[0]: row[1:4] for row in rows if row[3] in ("announced", "active")}


def test_the_life_of_a_window(mx01):
    text = run(mx01, "maintenance", "begin", "mx02", "--for", "30m", "--reason", "kernel update")
    pattern = r"mx02 is in maintenance until [-: 0-9]+ \w+ \(in 30 m\), window (\S+)\n"
    window = re.match(pattern, text)[1]
    assert windows(mx01)[window] == ["mx02", "routine", "active"]
    _, match = wait_for_line(mx01, rf"maintenance BEGIN server=mx02 .*window={window} .*")
    assert 'by=root@mx01 reason="kernel update"' in match[0]
    assert {row[1] for row in table(run(mx01, "status"), "PATH")} == {"maintenance"}
    assert mx01.metric("mailflow_maintenance_active", server="mx02", kind="routine") == 1

    said = run(mx01, "maintenance", "extend", window, "--for", "10m")
    assert re.search(r"\(in (40 m|39 m \d+ s)\)", said), said
    wait_for_line(mx01, rf"maintenance CHANGED server=mx02 .*window={window} .*")
    said = run(mx01, "maintenance", "end", "mx02")
    assert said.startswith(f"mx02 is out of maintenance, window {window}\n")
    wait_for_line(mx01, rf"maintenance END server=mx02 .*window={window} .*")
    assert window not in windows(mx01)
    said = refusal(mx01, "maintenance", "end", "mx02")
    assert said.startswith("mailflowctl: no window of 'mx02' is active")


def test_a_window_outlives_a_crash(mx01):
    text = run(mx01, "maintenance", "begin", "mx02", "--kind", "emergency", "--reason", "the disks")
    window = re.search(r"window (\S+)\n", text)[1]
    mx01.agent_kill()
    restart(mx01)
    assert windows(mx01)[window] == ["mx02", "emergency", "active"]
    assert len(find(mx01, rf"maintenance BEGIN .*window={window} .*")) == 1
    run(mx01, "maintenance", "end", window)


def test_a_window_of_the_future_is_cancelled(mx01):
    tomorrow = datetime.datetime.now() + datetime.timedelta(days=1)
    later = ("--at", f"{tomorrow:%Y-%m-%dT}10:00", "--for", "20m")
    text = run(mx01, "maintenance", "begin", *later)
    window = re.search(r"window (\S+)\n", text)[1]
    assert text.startswith(f"mx01 will be in maintenance from {tomorrow:%Y-%m-%d} 10:00")
    assert windows(mx01)[window] == ["mx01", "routine", "announced"]
    said = run(mx01, "maintenance", "cancel", window)
    assert said.startswith(f"maintenance of mx01 is cancelled, window {window}\n")
    assert "1 peer is being told of it" in said
    wait_for_line(mx01, rf"maintenance CANCELLED server=mx01 .*window={window} .*")
    assert window not in windows(mx01)
    assert find(mx01, rf"maintenance BEGIN .*window={window} .*") == []


def test_windows_that_are_refused(mx01):
    assert refusal(mx01, "maintenance", "begin", "mx02", "--for", "9h") == (
        "mailflowctl: routine maintenance of 9h is longer than 4h: use an emergency with a reason, "
        "or force it (--force)\n"
    )
    assert refusal(mx01, "maintenance", "begin", "mx02", "--kind", "emergency") == (
        "mailflowctl: emergency maintenance needs a reason\n"
    )


def test_reload(mx01):
    assert run(mx01, "reload") == "The agent has taken the configuration over.\n"
    good = mx01.agent_config.read_text()
    mx01.agent_config.write_text(good + "colour: blue\n")
    said = refusal(mx01, "reload")
    assert f"{mx01.agent_config}:{len(good.splitlines()) + 1}:1: unknown key 'colour'" in said
    mx01.agent_config.write_text(good)
    assert run(mx01, "reload") == "The agent has taken the configuration over.\n"


def test_usage(mx01):
    assert refusal(mx01, "nonsense", code=2) == (
        "mailflowctl: no verb 'nonsense'\nTry 'mailflowctl --help'.\n"
    )


def test_an_agent_that_is_not_there(pair):
    mx02 = pair[1]
    mx02.agent_stop()
    why = (
        f"cannot reach the agent at {mx02.agent_directory}/control.sock: no such file. Is "
        "mailflowd running? Start it, or name its socket with --control. Does it not start? "
        "mailflowctl check\n"
    )
    assert refusal(mx02, "status", code=3) == f"mailflowctl: {why}"
    assert run(mx02, "probe", "mx01", code=3) == f"MAILFLOW UNKNOWN - {why}"
