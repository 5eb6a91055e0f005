"""mailflowctl maintenance: what it asks of the agent, and the sentence it answers with."""

import datetime
import json
import os
import pwd
import re

import pytest
from control_answers import PATHS, STATUS, WINDOWS, window
from control_server import Answer, ControlServer, problem
from ctl import changes_asked, ctl


VERSION = {"GET /version": {"server": "mx02", "version": "1"}}


def soon(**more):
    """A time from now as the agent writes it, and as it is. Countdowns round seconds up."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**more)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), at


def clock(at):
    return f"(?:{at:%Y-%m-%d} )?{at:%H:%M:%S} UTC"


def me():
    return pwd.getpwuid(os.getuid()).pw_name


def test_maintenance_begins_at_once():
    end, at = soon(minutes=30)
    answer = Answer(window(end=end), 201)
    with ControlServer({"POST /maintenance": answer}) as server:
        asking = ["maintenance", "begin", "mx01", "--for", "30m", "--reason", "kernel update"]
        result = ctl(*asking, server=server)
        as_json = ctl("maintenance", "begin", "--json", server=server)
    assert result.code == 0
    said = rf"mx01 is in maintenance until {clock(at)} \(in 30 m\), window w-1f3a2b4c\n"
    assert re.fullmatch(said, result.out)
    assert changes_asked(server) == [
        (
            "POST",
            "/api/v1/maintenance",
            {"server": "mx01", "duration_seconds": 1800.0, "reason": "kernel update", "by": me()},
        ),
        ("POST", "/api/v1/maintenance", {"by": me()}),
    ]
    assert (as_json.code, json.loads(as_json.out)) == (0, window(end=end))


def test_maintenance_beside_another_says_so():
    end, at = soon(minutes=30)
    listed = [window(id="w-other", end=end), window(), window(id="w-mx02", server="mx02")]
    answers = {
        "POST /maintenance": Answer(window(end=end), 201),
        "GET /maintenance": {"maintenance": listed},
    }
    with ControlServer(answers) as server:
        result = ctl("maintenance", "begin", "mx01", server=server)
    assert result.code == 0
    said = rf"It was in maintenance already until {clock(at)} \(in 30 m\), window w-other, which stays: "
    assert re.match(said, result.out.splitlines()[1])
    assert len(result.out.splitlines()) == 2


def test_maintenance_is_announced():
    begin, begin_at = soon(hours=3)
    end, end_at = soon(hours=4)
    answer = Answer(window(kind="emergency", state="announced", begin=begin, end=end), 201)
    with ControlServer({"POST /maintenance": answer}) as server:
        result = ctl(
            *("maintenance", "begin", "mx01", "--kind=emergency", "--reason", "disk failed"),
            *("--at", "2031-01-05T10:00", "--for", "5h", "--force"),
            server=server,
            TZ="CET-1CEST,M3.5.0,M10.5.0/3",
        )
    assert result.code == 0
    assert changes_asked(server)[0][2] == {
        "server": "mx01",
        "kind": "emergency",
        "begin": "2031-01-05T09:00:00.000000Z",
        "duration_seconds": 18000.0,
        "reason": "disk failed",
        "force": True,
        "by": me(),
    }
    assert re.fullmatch(
        r"mx01 will be in maintenance from [-0-9: ]+ CET \(in 3 h\) until [-0-9: ]+ CET \(in 4 h\), "
        r"window w-1f3a2b4c\n",
        result.out,
    )


def test_maintenance_refused_says_why():
    refusal = problem(400, "unknown server 'xm01': this mesh has mx02, mx01, gmail")
    with ControlServer({"POST /maintenance": refusal, "GET /paths": {"paths": PATHS}}) as server:
        result = ctl("maintenance", "begin", "xm01", server=server)
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "mailflowctl: unknown server 'xm01': this mesh has mx02, mx01, gmail; "
        "did you mean 'mx01'?\n"
    )


def test_maintenance_of_a_server_is_extended():
    end, at = soon(hours=1)
    answers = {
        "GET /maintenance": {"maintenance": WINDOWS},
        "PATCH /maintenance/w-1f3a2b4c": window(revision=2, end=end),
    }
    with ControlServer(answers) as server:
        result = ctl("maintenance", "extend", "mx01", "--for", "30m", server=server)
        asking = ["maintenance", "extend", "w-1f3a2b4c", "--for", "5h", "--force", "--json"]
        by_id = ctl(*asking, server=server)
    said = rf"mx01 stays in maintenance until {clock(at)} \(in 1 h\), window w-1f3a2b4c\n"
    assert re.fullmatch(said, result.out)
    assert changes_asked(server) == [
        ("PATCH", "/api/v1/maintenance/w-1f3a2b4c", {"by": me(), "extend_seconds": 1800.0}),
        (
            "PATCH",
            "/api/v1/maintenance/w-1f3a2b4c",
            {"by": me(), "extend_seconds": 18000.0, "force": True},
        ),
    ]
    assert json.loads(by_id.out) == {"maintenance": [window(revision=2, end=end)]}


def test_ending_by_server_ends_all_its_active_windows():
    others = [window(id="w-3", state="announced"), window(id="w-4", state="over")]
    both = [window(), window(id="w-2"), *others]
    answers = {
        "GET /maintenance": {"maintenance": both},
        "DELETE /maintenance/w-1f3a2b4c": window(state="recovering"),
        "DELETE /maintenance/w-2": window(id="w-2", state="recovering"),
    }
    with ControlServer(answers) as server:
        result = ctl("maintenance", "end", "mx01", server=server)
        del server.answers["DELETE /maintenance/w-1f3a2b4c"]
        partly = ctl("maintenance", "end", "mx01", server=server)
    assert (result.code, result.out) == (
        0,
        "mx01 is out of maintenance, window w-1f3a2b4c\nmx01 is out of maintenance, window w-2\n",
    )
    assert (partly.code, partly.out) == (1, "mx01 is out of maintenance, window w-2\n")
    assert partly.err == "mailflowctl: there is nothing at this path\n"


def test_without_a_name_the_window_of_this_server_ends():
    answers = {
        "GET /version": {"server": "mx01", "version": "0.1.0"},
        "GET /maintenance": {"maintenance": [window(id="w-2", server="mx02"), window()]},
        "DELETE /maintenance/w-1f3a2b4c": window(state="recovering"),
    }
    with ControlServer(answers) as server:
        result = ctl("maintenance", "end", server=server)
    assert (result.code, result.out) == (0, "mx01 is out of maintenance, window w-1f3a2b4c\n")


def test_cancelling_by_server_takes_announced_windows_too():
    gone = window(id="w-00000001", server="mx02", cancelled=True, state="over")
    answers = {"GET /maintenance": {"maintenance": WINDOWS}, "DELETE /maintenance/w-00000001": gone}
    with ControlServer(answers) as server:
        ending = ctl("maintenance", "end", "mx02", server=server)
        ending_by_id = ctl("maintenance", "end", "w-00000001", server=server)
        result = ctl("maintenance", "cancel", "mx02", server=server)
        nothing = ctl("maintenance", "cancel", "mx11", server=server)
    assert (ending.code, ending.err) == (
        1,
        "mailflowctl: no window of 'mx02' is active; announced: w-00000001 "
        "(maintenance cancel calls it off)\n",
    )
    assert (ending_by_id.code, ending_by_id.err) == (
        1,
        "mailflowctl: that window has not begun: call it off with mailflowctl maintenance cancel\n",
    )
    assert (result.code, result.out) == (0, "maintenance of mx02 is cancelled, window w-00000001\n")
    assert (nothing.code, nothing.err) == (
        1,
        "mailflowctl: no window has the id 'mx11', and no server that name\n",
    )


def ended(identity, **more):
    """A window of mx01 that ended so long ago."""
    end, _ = soon(**{unit: -ago for unit, ago in more.items()})
    return window(id=identity, state="recovering", end=end)


def test_on_an_overrun_the_server_is_extended():
    until, at = soon(minutes=25)
    newer = ended("w-2", minutes=5)
    called_off = {**ended("w-4", minutes=1), "cancelled": True}
    answers = {
        "GET /maintenance": {"maintenance": [ended("w-1", hours=2), newer, called_off]},
        "PATCH /maintenance/w-2": window(id="w-2", revision=2, end=until),
    }
    with ControlServer(answers) as server:
        result = ctl("maintenance", "extend", "mx01", "--for", "30m", server=server)
        by_id = ctl("maintenance", "extend", "w-2", "--for", "30m", server=server)
        as_json = ctl("maintenance", "extend", "mx01", "--for", "30m", "--json", server=server)
    assert re.fullmatch(
        r"extending window w-2 of mx01, which ended at [\d :-]+ UTC \(5 m( \d s)? ago\)\n"
        rf"mx01 is in maintenance again until {clock(at)} \(in 2\d m( \d+ s)?\), window w-2\n",
        result.out,
    )
    assert by_id.out.startswith("extending window w-2 ")
    assert json.loads(as_json.out)["maintenance"][0]["id"] == "w-2"
    assert len(changes_asked(server)) == 3


def test_which_windows_there_are_is_said_with_their_ids():
    old = ended("w-1", days=2)
    answers = {
        "GET /maintenance": {"maintenance": [old, ended("w-2", days=3)]},
        "GET /paths": {"paths": PATHS},
        **VERSION,
    }
    with ControlServer(answers) as server:
        over = ctl("maintenance", "extend", "mx01", "--for", "30m", server=server)
        none = ctl("maintenance", "extend", "mx02", "--for", "30m", server=server)
    assert (over.code, over.err) == (
        1,
        "mailflowctl: no window of 'mx01' is active; over: w-1, w-2\n",
    )
    assert (none.code, none.err) == (
        1,
        "mailflowctl: 'mx02' has no maintenance window\n",
    )


def test_maintenance_list():
    begin, _ = soon(hours=-1)
    end, _ = soon(hours=2)
    waiting = [{"peer": "mx03", "why": "not answered yet"}]
    active = window(begin=begin, end=end, unacknowledged=waiting, peers=2)
    local = window(id="w-2", cancelled=True, origin="peer", acknowledged=[], peers=0)
    listed = {"maintenance": [active, local]}
    with ControlServer({"GET /maintenance": [listed, listed, {"maintenance": []}]}) as server:
        result = ctl("maintenance", "list", "--all", server=server)
        as_json = ctl("maintenance", "list", "--json", server=server)
        none = ctl("maintenance", "list", server=server)
    lines = result.out.splitlines()
    assert result.code == 0 and len(lines) == 3
    assert re.fullmatch(
        r"w-2         mx01    routine  cancelled  [-0-9: ]+[0-9]  -  +-               by us  "
        r"peer      root@mx02  kernel update",
        lines[1],
    )
    assert re.fullmatch(
        r"w-1f3a2b4c  mx01    routine  active     [-0-9: ]+  ends in 2 h       1/2  "
        r"operator  root@mx02  kernel update",
        lines[2],
    )
    assert json.loads(as_json.out) == listed
    assert (none.code, none.out) == (0, "No maintenance windows.\n")


def identities(result):
    assert (result.code, result.err) == (0, "")
    return [line.split()[0] for line in result.out.splitlines() if line[:2] in ("w-", "c-")]


def test_maintenance_list_shows_what_matters_in_the_order_of_time():
    def due(identity, days, state, **more):
        return window(id=identity, begin=soon(days=days)[0], end=soon(days=days, hours=1)[0],
                      state=state, **more)

    known = [due("c-far", 7.01, "announced"), due("c-soon", 6.9, "announced", server="mx02"),
             due("w-gone", 1, "announced", cancelled=True), due("w-now", -0.01, "active"),
             due("w-over", -2, "over"), due("w-back", -0.1, "recovering")]
    answers = {"GET /maintenance": {"maintenance": known}, "GET /paths": {"paths": PATHS},
               "GET /status": STATUS | {"maintenance": known, "now": soon()[0]}}
    with ControlServer(answers) as server:
        for verb in (["maintenance", "list"], ["status"]):
            near = ctl(*verb, server=server)
            every = ctl(*verb, "--all", server=server)
            assert identities(near) == ["w-back", "w-now", "c-soon"]
            assert "\n3 more: --all\n" in near.out and "more:" not in every.out
            assert identities(every) == ["w-over", "w-back", "w-now", "w-gone", "c-soon", "c-far"]
        of_one = ctl("maintenance", "list", "mx02", server=server)
        as_json = ctl("maintenance", "list", "mx02", "--json", server=server)
        nobody = ctl("maintenance", "list", "xm01", server=server)
        server.answers["GET /maintenance"] = [{"maintenance": known[:1]}]
        later = ctl("maintenance", "list", server=server)
    assert identities(of_one) == ["c-soon"] and "more:" not in of_one.out
    assert json.loads(as_json.out) == {"maintenance": [known[1]]}
    assert (nobody.code, nobody.err) == (
        1, "mailflowctl: no server 'xm01' is in this mesh, and no window is of one; did you mean 'mx01'?\n")
    assert later.out == "No maintenance now or within 7 days.\n1 more: --all\n"


def test_this_server_is_suggested_too_and_its_right_name_is_not_corrected():
    answers = {"GET /maintenance": {"maintenance": []}, "GET /paths": {"paths": PATHS}, **VERSION}
    with ControlServer(answers) as server:
        mistyped = ctl("maintenance", "end", "xm02", server=server)
        right = ctl("maintenance", "end", "mx02", server=server)
    assert mistyped.code == right.code == 1
    assert mistyped.err.endswith("no server that name; did you mean 'mx02'?\n")
    assert right.err == "mailflowctl: 'mx02' has no maintenance window\n"


def test_this_server_is_known_where_it_has_no_peers():
    """No path tells its name then."""
    answers = {"GET /maintenance": {"maintenance": []}, "GET /paths": {"paths": []}, **VERSION}
    with ControlServer(answers) as server:
        listed = ctl("maintenance", "list", "mx02", server=server)
        mistyped = ctl("maintenance", "list", "xm02", server=server)
        ended = ctl("maintenance", "end", "mx02", server=server)
        server.answers["POST /maintenance"] = [problem(404, "no server 'xm02'")]
        begun = ctl("maintenance", "begin", "xm02", "--for", "5m", server=server)
        offered = ctl("complete", server=server, input="maintenance\nend\n\n")
    assert (listed.code, listed.out, listed.err) == (0, "No maintenance windows.\n", "")
    assert mistyped.code == 1 and mistyped.err.endswith("did you mean 'mx02'?\n")
    assert (ended.code, ended.err) == (1, "mailflowctl: 'mx02' has no maintenance window\n")
    assert begun.code == 1 and begun.err.endswith("did you mean 'mx02'?\n")
    assert "mx02\tthis server\n" in offered.out


@pytest.mark.skipif(os.geteuid() != 0, reason="only under sudo does SUDO_USER mean anything")
def test_who_asks_is_the_one_behind_sudo():
    with ControlServer({"POST /maintenance": Answer(window(), 201)}) as server:
        ctl("maintenance", "begin", server=server, SUDO_USER="anna")
    assert changes_asked(server)[0][2] == {"by": "anna"}


def test_cancel_without_a_name_takes_this_servers_window_that_has_not_begun():
    """Another server's, or one under way, is cancelled by its name only."""
    ahead = {"state": "announced", "begin": "2026-07-29T02:00:00.000000Z"}
    own = window(id="w-1", server="mx02", **ahead)
    active = window(id="w-2", server="mx02", state="active")
    other = window(id="w-3", server="mx01", state="active")
    gone = {"DELETE /maintenance/w-1": own | {"cancelled": True}}
    with ControlServer({"GET /maintenance": {"maintenance": [other, own, active]}} | VERSION |
                       gone) as server:
        result = ctl("maintenance", "cancel", server=server)
        assert len(changes_asked(server)) == 1
    assert (result.code, result.out.splitlines()[0]) == (
        0, "maintenance of mx02 is cancelled, window w-1")
    for windows, listed in (([other], "w-3 of mx01"),
                            ([active, other], "w-2 of mx02, w-3 of mx01")):
        with ControlServer({"GET /maintenance": {"maintenance": windows}} | VERSION) as server:
            result = ctl("maintenance", "cancel", server=server)
            assert changes_asked(server) == []
        assert (result.code, result.err) == (
            1, "mailflowctl: this server has no window that has not begun; name the one you mean "
            f"(mailflowctl maintenance cancel {listed[:3]}): {listed}\n")


def test_list_of_an_unknown_server():
    answers = {"GET /maintenance": {"maintenance": []}, "GET /paths": {"paths": PATHS}}
    with ControlServer(answers) as server:
        known = ctl("maintenance", "list", "mx01", server=server)
        unknown = ctl("maintenance", "list", "elsewhere", server=server)
    assert (known.code, known.out) == (0, "No maintenance windows.\n")
    assert (unknown.code, unknown.err) == (
        1, "mailflowctl: no server 'elsewhere' is in this mesh, and no window is of one\n")


def test_a_window_that_recovers_says_until_when():
    ended = window(state="recovering", begin="2026-07-28T12:18:00.000000Z")
    with ControlServer({"GET /maintenance": {"maintenance": [ended]}}) as server:
        result = ctl("maintenance", "list", server=server)
    assert ", recovers until 2026-07-28 14:09:40" in result.out and "END UTC" in result.out
