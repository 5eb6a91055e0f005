"""mailflowctl: status, version, reload, check; exact output, JSON and exit codes."""

import json
import re

import pytest
from control_answers import STATUS
from control_server import Answer, ControlServer, problem
from ctl import ctl, ctl_in_a_terminal

# ---- status ----

STATUS_TEXT = """\
mx02, mailflow 0.1.0, up since 2026-07-27 02:00:00 UTC (1 d 10 h), ready

PATH         STATE               LAST    MEDIAN  IN FLIGHT  OLDEST  LAST ARRIVAL
mx02->mx01   silent, thinned  12.3 ms   11.0 ms         13    12 m      13 m ago
mx01->mx02   ok                82.4 s  3 m 12 s          -       -      12 s ago
mx02->gmail  unknown                -         -          0       -             -
mx01: its agent answers 403: mx01 has no peer mx02 with an agent: add it to its peers

INCIDENT  SEVERITY  SUBJECT     SINCE                      FOR  NOTIFIED                  CAUSE
silent    critical  mx02->mx01  12:18:00                  12 m  suppressed by w-1f3a2b4c  13 in flight, oldest 12 m, culprit receiver (mx02,mx03->mx01 bad)
slow      warning   mx01->mx02  2026-07-27 20:00:00  16 h 30 m  yes                       5 of 6 late, last 82.4 s, hop mx03.example took 80.0 s

WINDOW      SERVER  KIND       STATE      BEGIN UTC            END UTC              COUNTDOWN            KNOWN BY  ORIGIN    BY         REASON
w-1f3a2b4c  mx01    routine    active     12:18:00             12:48:00             ends in 18 m              1/1  operator  root@mx02  kernel update
w-00000001  mx02    emergency  announced  2026-07-29 02:00:00  2026-07-29 04:00:00  begins in 13 h 30 m       1/1  operator  root@mx02  -

UNREADABLE MAILBOX     LAST READ  CAUSE
gmail-box           3 m 12 s ago  login refused: NO [AUTHENTICATIONFAILED] wrong password
"""

STATUS_NARROW = """\
mx02, mailflow 0.1.0, up since 2026-07-27 02:00:00 UTC (1 d 10 h), ready

PATH         STATE               LAST  LAST ARRIVAL
mx02->mx01   silent, thinned  12.3 ms      13 m ago
mx01->mx02   ok                82.4 s      12 s ago
mx02->gmail  unknown                -             -
(too narrow for MEDIAN, IN FLIGHT, OLDEST)
mx01: its agent answers 403: mx01 has no peer mx02 with an agent: add it to its peers

INCIDENT  SEVERITY  SUBJECT           FOR  CAUSE
silent    critical  mx02->mx01       12 m  13 in flight, oldest 12…
slow      warning   mx01->mx02  16 h 30 m  5 of 6 late, last 82.4 …
(too narrow for SINCE, NOTIFIED)

WINDOW      SERVER  STATE      COUNTDOWN            KNOWN BY
w-1f3a2b4c  mx01    active     ends in 18 m              1/1
w-00000001  mx02    announced  begins in 13 h 30 m       1/1
(too narrow for KIND, BEGIN, END, ORIGIN, BY, REASON)

UNREADABLE MAILBOX     LAST READ  CAUSE
gmail-box           3 m 12 s ago  login refused: NO [AUTHEN…
"""

STATUS_QUIET = """\
mx02, mailflow 0.1.0, up since 2026-07-27 04:00:00 CEST (1 d 10 h), not ready: mailbox local not read yet

No peers yet: `mailflowctl invite` prints the line that takes the next server
into the mesh.

No open incidents.
"""


def test_status_shows_all():
    with ControlServer({"GET /status": STATUS}) as server:
        result = ctl("status", server=server)
    assert (result.code, result.out, result.err) == (0, STATUS_TEXT, "")


def test_status_fits_a_narrow_terminal():
    with ControlServer({"GET /status": STATUS}) as server:
        result = ctl("status", server=server, COLUMNS="60")
    assert (result.code, result.out) == (0, STATUS_NARROW)


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"cause": "550 5.1.1 no such user\x1b[2J", "failures": 3},
         r"550 5.1.1 no such user\x1b[2J"),
        ({"cause": "no route to host", "in_flight": 4, "oldest_age_seconds": 42.5},
         "no route to host"),
        ({"route": "mx03.example", "usual_route": "mx02.example"},
         "via mx03.example, usually mx02.example"),
        ({"method": "spf", "result": "fail", "reason": "not permitted"},
         "spf, now fail, not permitted"),
        ({"misplaced": 3, "of": 5, "folder": "Junk"}, "3 of 5 misplaced, folder Junk"),
        ({"lost": 2}, "2 lost"),
        ({"in_flight": 0, "oldest_age_seconds": 20.0}, "nothing came for 20.0 s"),
        ({"late": 3, "of": 5, "latency_seconds": 31.0, "hop": None, "hop_delay_seconds": None},
         "3 of 5 late, last 31.0 s"),
        ({}, "-"),
        (None, "-"),
    ],
)
def test_status_says_the_cause_of_an_incident(evidence, said):
    plain = {"evidence": evidence, "cells": None, "suppressed_by": None}
    incident = STATUS["incidents"][0] | plain
    with ControlServer({"GET /status": STATUS | {"incidents": [incident]}}) as server:
        result = ctl("status", server=server)
    line = next(line for line in result.out.splitlines() if line.startswith("silent "))
    assert line.partition(" no ")[2].strip() == said


def test_status_names_the_incident_that_explains_another():
    down = STATUS["incidents"][1] | {"kind": "down", "subject": "mx01"}
    child = STATUS["incidents"][0] | {"cause": down["id"]}
    with ControlServer({"GET /status": STATUS | {"incidents": [down, child]}}) as server:
        result = ctl("status", server=server)
    assert re.search(r"^silent .* down mx01$", result.out, re.M)


def test_status_says_why_it_is_not_ready_and_nothing_of_what_is_well():
    quiet = STATUS | {
        "ready": False,
        "not_ready_because": "mailbox local not read yet",
        "paths": [],
        "incidents": [],
        "maintenance": [],
        "mailboxes": [],
    }
    with ControlServer({"GET /status": quiet}) as server:
        result = ctl("status", server=server, TZ="CET-1CEST,M3.5.0,M10.5.0/3")
    assert (result.code, result.out) == (0, STATUS_QUIET)


def test_status_json_is_the_answer():
    with ControlServer({"GET /status": STATUS}) as server:
        result = ctl("status", "--json", server=server)
    assert result.code == 0
    assert json.loads(result.out) == STATUS
    assert result.out.count("\n") == 1


def test_colour_and_indent_are_for_terminals_only():
    with ControlServer({"GET /status": STATUS}) as server:
        coloured = ctl_in_a_terminal("status", server=server)
        plain = ctl_in_a_terminal("status", server=server, NO_COLOR="1")
        dumb = ctl_in_a_terminal("status", server=server, TERM="dumb")
        pretty = ctl_in_a_terminal("status", "--json", server=server)
    assert "\033[31msilent, thinned\033[0m" in coloured and "\033[32mready\033[0m" in coloured
    assert "\033" not in plain and plain == dumb
    assert re.sub("\033\\[[0-9]*m", "", coloured) == plain
    assert json.loads(pretty) == STATUS and pretty.startswith('{\n  "server": "mx02",\n')


# ---- version, reload, check ----


def test_version_tells_both():
    with ControlServer({"GET /version": {"version": "0.1.0", "server": "mx02"}}) as server:
        result = ctl("version", server=server)
        as_json = ctl("version", "--json", server=server)
    assert (result.code, result.out) == (0, "mailflowctl 0.1.0\nmailflowd 0.1.0 at mx02\n")
    assert json.loads(as_json.out) == {"version": "0.1.0", "server": "mx02"}
    alone = ctl("--version")
    assert (alone.code, alone.out) == (0, "mailflowctl 0.1.0\n")


def test_reload_is_done_or_says_every_problem():
    problems = ["mailflow.yaml:3:1: unknown key 'serve'", "mailflow.yaml:9:5: not a duration"]
    refusal = problem(422, "the configuration has errors, so the old one stays", problems=problems)
    with ControlServer({"POST /reload": [Answer({"reloaded": True}), refusal]}) as server:
        good = ctl("reload", server=server)
        bad = ctl("reload", server=server)
        as_json = ctl("reload", "--json", server=server)
    assert (good.code, good.out) == (0, "The agent has taken the configuration over.\n")
    assert (bad.code, bad.out) == (1, "")
    assert bad.err.splitlines() == [
        *problems,
        "mailflowctl: the configuration has errors, so the old one stays",
    ]
    assert (as_json.code, json.loads(as_json.out)["problems"]) == (1, problems)


def write_config(directory, text):
    for name in "mesh.key", "password":
        secret = directory / name
        secret.write_text("0123456789abcdef\n")
        secret.chmod(0o600)
    file = directory / "mailflow.yaml"
    file.write_text(text.format(directory=directory))
    return file


GOOD_CONFIG = """\
server: mx02
state_dir: {directory}
mesh_keys: [{{id: k1, file: {directory}/mesh.key}}]
http: {{control: {directory}/control.sock}}
mailboxes:
  - {{name: local, host: 127.0.0.1, tls: none, user: probe@mx02.example,
     password_file: {directory}/password}}
peers: [{{name: mx01, address: probe@mx01.example}}]
"""


def test_check_counts_what_is_good(tmp_path):
    file = write_config(tmp_path, GOOD_CONFIG)
    result = ctl("check", "--config", file)
    as_json = ctl("check", "--config", file, "--json")
    assert (result.code, result.out, result.err) == (0, "ok: 1 peer, 1 mailbox\n", "")
    assert (as_json.code, json.loads(as_json.out)) == (0, [])


def test_check_lists_every_error(tmp_path):
    file = write_config(tmp_path, GOOD_CONFIG + "prees: []\nretention: soon\n")
    result = ctl("check", "--config", file)
    as_json = ctl("check", "--config", file, "--json")
    lines = result.out.splitlines()
    assert result.code == as_json.code == 1
    assert len(lines) == 2
    assert lines[0].startswith(f"{file}:9:1: ") and lines[1].startswith(f"{file}:10:")
    problems = json.loads(as_json.out)
    assert [(entry["file"], entry["line"], entry["severity"]) for entry in problems] == [
        (str(file), 9, "error"),
        (str(file), 10, "error"),
    ]


@pytest.mark.parametrize("verb", ["check", "peers", "simulate", "invite"])
def test_without_a_configuration_setup_is_named(verb, tmp_path):
    file = tmp_path / "none.yaml"
    result, as_json = ctl(verb, "--config", file), ctl(verb, "--config", file, "--json")
    line = (
        f"{file}: No such file or directory. Nothing is set up yet? mailflowctl setup, or "
        "mailflowctl join into a mesh that is there"
    )
    assert result.code == as_json.code == 1
    assert (result.out + result.err).splitlines()[0] == line
    assert verb == "check" or json.loads(as_json.out)["problems"] == [line]
    assert "errors" not in result.err


def test_check_shows_what_is_in_force_and_that_loads_again(tmp_path):
    file = write_config(tmp_path, GOOD_CONFIG)
    result = ctl("check", "--config", file, "--effective")
    assert (result.code, result.err) == (0, "")
    assert "interval: 1m\n" in result.out and "0123456789abcdef" not in result.out
    again = tmp_path / "again.yaml"
    again.write_text(result.out)
    twice = ctl("check", "--config", again, "--effective", "--json")
    assert (twice.code, json.loads(twice.out)) == (0, {"problems": [], "effective": result.out})
    file.write_text("prees: []\n")
    broken = ctl("check", "--config", file, "--effective")
    as_json = ctl("check", "--config", file, "--effective", "--json")
    assert broken.code == as_json.code == 1
    assert broken.out.startswith(f"{file}:1:1: ")
    assert json.loads(as_json.out)["effective"] is None


# ---- the control socket, found through the configuration ----


def test_the_socket_is_found_in_the_configuration_even_a_broken_one(tmp_path):
    with ControlServer({"GET /version": {"version": "0.1.0", "server": "mx02"}}) as server:
        text = GOOD_CONFIG.replace("{directory}/control.sock", str(server.socket_path))
        file = write_config(tmp_path, text)
        assert ctl("version", "--config", file).code == 0
        file = write_config(tmp_path, text + "unknown: 1\n")
        assert ctl("version", "--config", file).code == 0
        (tmp_path / "password").unlink()
        assert ctl("version", "--config", file).code == 0
        file.write_text("server: [\n")
        broken = ctl("version", "--config", file)
        assert broken.code == 1
        assert f"cannot find the control socket: {file}:" in broken.err
        assert "name it with --control" in broken.err
        assert ctl("version", "--config", file, server=server).code == 0
