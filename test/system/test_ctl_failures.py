"""mailflowctl when things go wrong: no agent, or a bad one. Exit codes are stable."""

import json
import os
import socket
import subprocess
import time
import urllib.parse

import pytest
from control_answers import PATHS, STATUS, arrived, probe, window
from control_server import Answer, ControlServer, Endless, Raw, problem
from ctl import PROGRAM, ctl, ctl_in_a_terminal, environment
from process import patient

AGENT_VERBS = [
    ["status"],
    ["mesh"],
    ["explain", "7Q2KXH"],
    ["history", "mx01"],
    ["maintenance", "begin", "mx01"],
    ["maintenance", "extend", "mx01", "--for", "30m"],
    ["maintenance", "end", "mx01"],
    ["maintenance", "cancel", "mx01"],
    ["maintenance", "list"],
    ["mesh"],
    ["reload"],
    ["version"],
]

EVERY_REQUEST = [
    *("GET /status", "GET /mesh?state=bad", "GET /probes/7Q2KXH", "GET /paths", "GET /probes", "GET /maintenance", "GET /version"),
    *("POST /probes", "POST /maintenance", "POST /reload"),
]


def same_to_all(answer):
    return ControlServer({request: answer for request in EVERY_REQUEST})


# ---- no agent ----


@pytest.mark.parametrize("verb", AGENT_VERBS, ids=" ".join)
def test_no_socket(verb, tmp_path):
    path = tmp_path / "control.sock"
    said = (
        f"cannot reach the agent at {path}: no such file. Is mailflowd running? "
        "Start it, or name its socket with --control. Nothing is set up yet? mailflowctl setup"
    )
    result = ctl(*verb, "--control", path)
    assert (result.code, result.err) == (3, f"mailflowctl: {said}\n")
    assert result.out in ("", "mailflowctl 0.1.0\n")
    as_json = ctl(*verb, "--json", "--control", path)
    assert (as_json.code, as_json.err) == (3, result.err)
    assert json.loads(as_json.out) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": said,
    }


def test_no_socket_beside_a_configuration_that_is_broken(tmp_path):
    config = tmp_path / "mailflow.yaml"
    config.write_text("server: [\n")
    result = ctl("status", "--config", config, "--control", tmp_path / "control.sock")
    assert result.code == 3 and result.err.endswith("--control. Does it not start? mailflowctl check\n"), result
    assert "setup" not in result.err


def test_a_message_is_as_wide_as_the_terminal(tmp_path):
    asking = ["status", "--control", str(tmp_path / "sock")]
    shown = ctl_in_a_terminal(*asking, columns=60, code=3)
    assert len(shown.splitlines()) > 3
    assert shown.split() == ctl(*asking).err.split()
    assert all(len(line) <= 60 or " " not in line for line in shown.splitlines())


def test_to_a_monitoring_system_no_agent_is_unknown(tmp_path):
    asking = ["probe", "mx01", "--control", tmp_path / "control.sock"]
    result, as_json = ctl(*asking), ctl(*asking, "--json")
    assert result.code == as_json.code == 3
    assert json.loads(as_json.out)["status"] == 503
    assert result.out.startswith("MAILFLOW UNKNOWN - cannot reach the agent at ")
    assert result.err == ""


def test_a_socket_that_nobody_listens_on(tmp_path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    result = ctl("status", "--control", path)
    assert result.code == 3
    assert f"{path}: connection refused. Nobody listens there any more" in result.err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_permission_denied():
    with ControlServer({"GET /status": STATUS}) as server:
        server.socket_path.chmod(0o600)
        result = subprocess.run(
            [PROGRAM, "status", "--control", server.socket_path],
            capture_output=True,
            text=True,
            user=65534,
            group=65534,
            extra_groups=[],
            env=environment(),
            check=False,
        )
    assert result.returncode == 3
    assert f"{server.socket_path}: permission denied. Ask as root" in result.stderr


def test_a_path_too_long_for_a_socket():
    for length in 108, 300:
        result = ctl("status", "--control", "/" + "x" * (length - 1))
        assert result.code in (1, 3)
        assert "at most 107 bytes" in result.err


def test_proxies_of_the_environment_are_not_asked():
    with ControlServer({"GET /version": {"version": "0.1.0", "server": "mx02"}}) as server:
        proxy = "http://127.0.0.1:1"
        result = ctl("version", server=server, http_proxy=proxy, ALL_PROXY=proxy)
    assert result.code == 0


# ---- an agent that answers badly ----

GARBAGE = [
    b"",
    b"not JSON",
    b"{",
    b"[]",
    b"7",
    b"null",
    b"\xff\xfe",
    b'{"a": "\x00"}',
    b"[" * 100000,
    b'{"a":' * 100000,
]

STRANGE = [
    {},
    {"paths": None},
    {"paths": {}, "maintenance": {}, "probes": {}},
    {"paths": [7], "maintenance": ["x"], "probes": [None], "incidents": [[]], "mailboxes": [1]},
]


@pytest.mark.parametrize("verb", AGENT_VERBS, ids=" ".join)
def test_garbage_is_a_failure(verb):
    for body in GARBAGE:
        with same_to_all(Answer(body)) as server:
            result = ctl(*verb, server=server)
        assert result.code == 1, body[:20]
        assert "is not a JSON object" in result.err
        assert result.out in ("", "mailflowctl 0.1.0\n")


READING_VERBS = [["status"], ["history", "mx01"], ["maintenance", "list"]]


@pytest.mark.parametrize("verb", READING_VERBS, ids=" ".join)
def test_strange_json_is_a_failure(verb):
    for body in STRANGE:
        with same_to_all(Answer(body)) as server:
            result = ctl(*verb, server=server)
        assert (result.code, result.out) == (1, ""), result
        assert result.err.startswith("mailflowctl: ")


LISTS = ("paths", "incidents", "maintenance", "mailboxes")


def test_members_of_any_type_and_size_do_no_harm():
    numbers = [1e308, -1e308, 10**18, -(10**18), -0.0]
    for value in [None, True, [], {}, "", "x" * 5000, "9999-99-99T99:99:99Z", *numbers]:
        one_probe = dict.fromkeys(probe(), value)
        arrived_probe = one_probe | {"state": "arrived", "legs": {"dns": value, "a b": 1}}
        answers = {
            "GET /status": {
                name: [dict.fromkeys(entry, value) for entry in member] if name in LISTS else value
                for name, member in STATUS.items()
            },
            "GET /paths": {"paths": PATHS},
            "GET /probes": {"probes": [one_probe], "next": None},
            "GET /maintenance": {"maintenance": [dict.fromkeys(window(), value)]},
            "POST /maintenance": dict.fromkeys(window(), value),
            "POST /probes": {"id": "x"},
            "GET /probes/x": arrived_probe,
        }
        with ControlServer(answers) as server:
            assert ctl("status", server=server).code == 0
            assert ctl("history", "mx01", server=server).code == 0
            assert ctl("maintenance", "list", server=server).code == 0
            assert ctl("maintenance", "begin", server=server).code == 0
            assert ctl("probe", "mx01", server=server).code in (0, 3)


def test_http_errors_say_what_the_agent_says():
    with same_to_all(problem(500, "the ledger is\x1b[31m full")) as server:
        result = ctl("status", server=server)
        plugin = ctl("probe", "mx01", server=server)
    assert (result.code, result.out) == (1, "")
    assert result.err == "mailflowctl: the ledger is\\x1b[31m full\n"
    assert (plugin.code, plugin.err) == (3, "")
    assert plugin.out == "MAILFLOW UNKNOWN - the ledger is\\x1b[31m full\n"


def test_http_errors_without_a_reason():
    strange = [Answer({"detail": 7}, 403), Answer({}, 302)]
    for answer in [Answer(b"<html>", 500), Answer(b"", 404), *strange]:
        with same_to_all(answer) as server:
            result = ctl("status", server=server)
        assert result.code == 1
        assert result.err == (
            f"mailflowctl: the agent at {server.socket_path} answered HTTP {answer.status} "
            "without saying why\n"
        )


def test_what_is_not_http():
    cut_short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    for data in b"", b"SSH-2.0-OpenSSH_9.2\r\n", cut_short, b"\0" * 1000:
        with same_to_all(Raw(data)) as server:
            result = ctl("status", server=server)
        assert result.code == 3, data
        assert f"cannot reach the agent at {server.socket_path}: " in result.err


HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_slow_answers_are_given_up():
    for answer in (
        Endless(b"", b"", 60),
        Endless(HEAD, b"1\r\n \r\n", 0.05),
        Endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0.05),
    ):
        begun = time.monotonic()
        with same_to_all(answer) as server:
            result = ctl("status", "--timeout", "500ms", server=server)
        assert time.monotonic() - begun < patient(5)
        assert result.code == 3
        assert f"{server.socket_path}: no complete answer within 500ms. mailflowd may" in result.err


def test_the_usual_patience_is_ten_seconds():
    begun = time.monotonic()
    with same_to_all(Endless(HEAD, b"1\r\n \r\n", 0.05)) as server:
        result = ctl("version", server=server)
    assert 9 < time.monotonic() - begun < 15
    assert result.code == 3 and "within 10s" in result.err


def test_endless_answers_are_cut_off():
    for answer in (
        Endless(HEAD, b"100000\r\n" + b"x" * 0x100000 + b"\r\n", 0),
        Endless(b"HTTP/1.1 200 OK\r\n", b"A: " + b"b" * 0x10000 + b"\r\n", 0),
    ):
        with same_to_all(answer) as server:
            result = ctl("status", "--timeout", "20s", server=server)
        assert result.code in (1, 3), result
    with same_to_all(Endless(HEAD, b"100000\r\n" + b"x" * 0x100000 + b"\r\n", 0)) as server:
        assert "is longer than 16 MiB" in ctl("status", "--timeout", "20s", server=server).err


def test_an_agent_that_goes_away_while_a_probe_is_followed():
    answers = {"POST /probes": {"id": "x"}, "GET /probes/x": [Answer(probe()), Raw(b"")]}
    with ControlServer(answers) as server:
        result = ctl("probe", "mx01", server=server)
    assert result.code == 3
    assert result.out.startswith("MAILFLOW UNKNOWN - cannot reach the agent at ")


def test_output_that_cannot_be_written_is_a_failure():
    with ControlServer({"GET /status": STATUS}) as server, open("/dev/full", "wb") as full:
        command = [PROGRAM, "status", "--control", server.socket_path]
        done = subprocess.run(command, stdout=full, env=environment(), check=False)
    assert done.returncode == 1


# ---- what the terminal must not obey ----

ESCAPE = "\x1b]0;owned\x07\x9b31m\r\n\x7f"


def poisoned(value):
    if isinstance(value, dict):
        return {name: poisoned(member) for name, member in value.items()}
    if isinstance(value, list):
        return [poisoned(member) for member in value]
    return value + ESCAPE if isinstance(value, str) else value


def unprintable(character):
    return ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0


MESH = {
    "servers": [{"name": "mx01", "maintenance": "active", "says": ["isolated"]}, {"name": "mx02"}],
    "cells": [{"path": "mx01->mx02", "from": "mx01", "to": "mx02", "state": "bad"}],
}
POISONED_VERBS = [
    ["status"],
    ["probe", "mx01"],
    ["probe", "mx01", "--wait", "0"],
    ["history", "mx01"],
    ["maintenance", "begin"],
    ["maintenance", "end", "mx01"],
    ["maintenance", "list"],
    ["mesh"],
    ["reload"],
    ["version"],
]


def test_nothing_of_the_agent_reaches_the_terminal_raw():
    life = poisoned(arrived() | {"legs": {}}) | {"state": "arrived", "legs": {"dns" + ESCAPE: 0.5}}
    answers = {
        "GET /status": poisoned(STATUS),
        "GET /paths": {"paths": PATHS},
        "GET /probes": {"probes": [poisoned(probe())], "next": None},
        "GET /maintenance": {"maintenance": [window() | {"reason": ESCAPE}]},
        "GET /mesh": poisoned(MESH),
        "DELETE /maintenance/w-1f3a2b4c": poisoned(window()),
        "GET /version": poisoned({"version": "0.1.0", "server": "mx02"}),
        "POST /maintenance": poisoned(window()),
        "POST /probes": {"id": "x" + ESCAPE},
        "POST /reload": problem(422, "bad" + ESCAPE, problems=["line" + ESCAPE]),
        f"GET /probes/x{urllib.parse.quote(ESCAPE)}": life,
    }
    with ControlServer(answers) as server:
        for verb in POISONED_VERBS:
            result = ctl(*verb, server=server)
            shown = result.out + result.err
            raw = [byte for byte in shown if byte != "\n" and unprintable(byte)]
            assert not raw, verb
            assert "\\x1b]0;owned" in shown, verb


def test_json_on_a_terminal_is_harmless_too():
    page = {"probes": [poisoned(probe())], "next": None}
    answers = {"GET /status": poisoned(STATUS), "GET /paths": {"paths": PATHS}, "GET /probes": page}
    with ControlServer(answers) as server:
        status = ctl_in_a_terminal("status", "--json", server=server)
        history = ctl_in_a_terminal("history", "gmail", "--json", server=server)
    assert not [byte for byte in status + history if byte != "\n" and unprintable(byte)]
    assert (json.loads(status), json.loads(history)) == (poisoned(STATUS), page)


def test_json_of_a_refusal_is_the_problem():
    with same_to_all(problem(409, "not now")) as server:
        result = ctl("maintenance", "begin", "--json", server=server)
    assert result.code == 1
    assert json.loads(result.out)["detail"] == "not now"
    assert result.err == "mailflowctl: not now\n"


def test_json_of_a_failure_is_one_text_however_much_failed():
    mine = [window(id="w-1"), window(id="w-2")]
    answers = {"GET /maintenance": {"maintenance": mine}}
    for number in 1, 2:
        answers[f"DELETE /maintenance/w-{number}"] = problem(409, f"not {number}")
    with ControlServer(answers) as server:
        none = ctl("maintenance", "end", mine[0]["server"], "--json", server=server)
    answers["DELETE /maintenance/w-2"] = mine[1]
    with ControlServer(answers) as server:
        one = ctl("maintenance", "end", mine[0]["server"], "--json", server=server)
    assert none.code == one.code == 1
    assert json.loads(none.out)["detail"] == "not 1"
    assert none.err == "mailflowctl: not 1\nmailflowctl: not 2\n"
    assert [each["id"] for each in json.loads(one.out)["maintenance"]] == ["w-2"]
