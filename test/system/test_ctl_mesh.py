"""mailflowctl mesh: the matrix of a mesh that is well, of one in trouble, narrow, and large."""

import json

from control_server import ControlServer
from ctl import ctl

NOW = "2026-07-28T12:30:00.000000Z"


def mesh(names, bad=(), unknown=(), silent=(), maintenance=(), says=None):
    """What mx01 answers; of the paths in `silent` nobody says anything."""
    servers = [
        {
            "name": name,
            "own": name == names[0],
            "agent": True,
            "maintenance": "active" if name in maintenance else None,
            "row_age_seconds": None if name == names[0] else 12.0,
            "row_fresh": True,
            "says": (says or {}).get(name, []),
        }
        for name in names
    ]
    cells = []
    for sender in names:
        for receiver in names:
            path = f"{sender}->{receiver}"
            if sender == receiver or path in silent:
                continue
            state = "bad" if path in bad else "unknown" if path in unknown else "ok"
            own = names[0] in (sender, receiver)
            cells.append(
                {"path": path, "from": sender, "to": receiver, "state": state}
                | ({"path_state": "silent" if state == "bad" else state} if own else {})
                | {"said": [{"by": names[0] if own else receiver, "state": state, "age_seconds": 75.0}]}
            )
    whole = {"server": names[0], "now": NOW, "servers": servers, "cells": cells}
    short = whole | {"cells": [cell for cell in cells if cell["state"] == "bad"]}
    return {"GET /mesh": whole, "GET /mesh?state=bad": short}


EIGHT = [f"mx{number:02}" for number in range(1, 9)]

LEGEND = (
    "\nRows send, columns receive: . ok, X bad, ? not known, blank: nobody says.\n"
)

TROUBLE = (
    """\
         1 2 3 4 5 6 7 8
mx01  1  - . . X . . . .
mx02  2  . - . X . . . .  maintenance active  says it is draining
mx03  3  X . - X . . . \x20
mx04  4  . . . - . . . .
mx05  5  . . . X - . . .
mx06  6  . . . X . - . .
mx07  7  X X X X X X - X  says it is isolated, blind
mx08  8  . . ? X . . . -
"""
    + LEGEND
    + """\
8 servers; paths: 40 ok, 14 bad, 1 not known
mx04: nothing arrives there (7 of 7)
mx07: what it sends arrives nowhere (7 of 7)
mx03->mx01: bad, says mx01: silent
"""
)


def test_trouble_is_drawn_and_named():
    bad = {f"{name}->mx04" for name in EIGHT} | {f"mx07->{name}" for name in EIGHT} | {"mx03->mx01"}
    bad -= {"mx04->mx04", "mx07->mx07"}
    answers = mesh(EIGHT, bad, {"mx08->mx03"}, {"mx03->mx08"}, {"mx02"},
                   {"mx02": ["draining"], "mx07": ["isolated", "blind"]})
    with ControlServer(answers) as server:
        result = ctl("mesh", server=server)
    assert (result.code, result.out, result.err) == (0, TROUBLE, "")


def test_a_path_between_others_is_said_with_its_age():
    with ControlServer(mesh(EIGHT, {"mx05->mx06"})) as server:
        result = ctl("mesh", server=server)
    assert result.out.endswith("mx05->mx06: bad, says mx06 1 m 15 s ago\n")


def test_a_server_that_is_down_has_one_line():
    bad = {f"{name}->mx04" for name in EIGHT} | {f"mx04->{name}" for name in EIGHT}
    with ControlServer(mesh(EIGHT, bad)) as server:
        result = ctl("mesh", server=server)
    assert result.out.endswith(
        "mx04: what it sends arrives nowhere (7 of 7), nothing arrives there (7 of 7)\n"
    )


def test_forty_two_fit_into_eighty_columns():
    names = [f"mx{number:02}" for number in range(1, 43)]
    with ControlServer(mesh(names)) as server:
        result = ctl("mesh", server=server, COLUMNS="80")
        wide = ctl("mesh", server=server, COLUMNS="120")
        narrow = ctl("mesh", server=server, COLUMNS="40")
    lines = result.out.splitlines()
    assert lines[0] == " " * 18 + "1" * 10 + "2" * 10 + "3" * 10 + "4" * 3
    assert lines[1] == " " * 9 + "1234567890" * 4 + "12"
    assert lines[2] == "mx01  1  -" + "." * 41
    assert len(lines) == 2 + 42 + 3
    assert wide.out.splitlines()[2] == "mx01  1  -" + " ." * 41
    assert max(len(line) for line in narrow.out.splitlines()[:-1]) == 40
    assert narrow.out.count("mx42") == 2


def test_a_mesh_of_one():
    with ControlServer(mesh(["mx01"])) as server:
        result = ctl("mesh", server=server)
    assert "\n1 server; paths: 0 ok, 0 bad, 0 not known\n" in result.out


def test_a_large_mesh_is_asked_for_what_is_bad_only():
    names = [f"mx{number:03}" for number in range(1, 152)]
    with ControlServer(mesh(names, {"mx100->mx101"})) as server:
        result = ctl("mesh", server=server)
        assert [path for _, path, _ in server.asked] == ["/api/v1/mesh?state=bad"]
    assert result.out == (
        "151 servers, too many to draw; bad paths: 1\nmx100->mx101: bad, says mx101 1 m 15 s ago\n"
    )


def test_json_is_the_answer():
    answers = mesh(EIGHT)
    with ControlServer(answers) as server:
        result = ctl("mesh", "--json", server=server)
    assert json.loads(result.out) == answers["GET /mesh"]


def test_anything_for_an_answer():
    for answer in ({}, {"servers": []}, {"servers": [], "cells": 3}, {"servers": [1], "cells": []}):
        with ControlServer({"GET /mesh": answer, "GET /mesh?state=bad": answer}) as server:
            assert ctl("mesh", server=server).code == 1
