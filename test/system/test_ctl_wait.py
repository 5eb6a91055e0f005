"""mailflowctl maintenance ... --wait: who knows of a window, after how long, and who does not."""

import json
import re
import time

from control_answers import window
from control_server import Answer, ControlServer
from ctl import changes_asked, ctl, ctl_in_a_terminal
from process import patient

ASKED = "GET /maintenance/w-1f3a2b4c"
NOT_YET = "announced over HTTP 3 s ago, not answered yet"
BEING_TOLD = (
    "2 peers are being told of it; --wait waits until all know, and mailflowctl maintenance list "
    "shows who does."
)


def known(*peers, waiting=(), **more):
    """The window, known to these peers and not yet to those."""
    unknown = [{"peer": peer, "why": NOT_YET} for peer in waiting]
    return window(acknowledged=list(peers), unacknowledged=unknown, **more)


class Later:
    """An answer that changes once so many seconds have passed since it was first asked for."""

    def __init__(self, first, then, seconds):
        self.answers = (first, then)
        self.seconds = seconds
        self.begun = None
        self.changed = None

    def send(self, handler):
        now = time.monotonic()
        self.begun = self.begun or now
        over = now - self.begun >= self.seconds
        self.changed = self.changed or (now if over else None)
        Answer(self.answers[1 if over else 0]).send(handler)


def test_every_peer_is_told_as_it_comes():
    nobody = known(waiting=["mx01", "mx03"])
    answers = {
        "POST /maintenance": Answer(nobody, 201),
        ASKED: [nobody, known("mx03", waiting=["mx01"]), known("mx01", "mx03")],
    }
    with ControlServer(answers) as server:
        result = ctl("maintenance", "begin", "mx02", "--for", "30m", "--wait", server=server)
    lines = result.out.splitlines()
    assert result.code == 0, result
    assert lines[0].endswith("window w-1f3a2b4c")
    assert re.fullmatch(r"mx03 knows after 0\.\d{3} s", lines[1])
    assert re.fullmatch(r"mx01 knows after 0\.\d{3} s", lines[2])
    assert lines[3:] == ["All know: 2 peers."]


def test_those_that_do_not_know_are_named_with_the_reason():
    some = known("mx01", waiting=["mx03", "mx04"])
    answers = {"POST /maintenance": Answer(some, 201), ASKED: some}
    with ControlServer(answers) as server:
        result = ctl("maintenance", "begin", "--wait", "200ms", server=server)
        as_json = ctl("maintenance", "begin", "--wait=1ms", "--json", server=server)
    assert result.code == 1
    assert result.out.splitlines()[-3:] == [
        f"mx03 does not know: {NOT_YET}",
        f"mx04 does not know: {NOT_YET}",
        "The window is set and they go on being told; one that never learns of it will alert on "
        "the work.",
    ]
    assert result.err == (
        "mailflowctl: after 200ms 2 of 3 peers do not know of window w-1f3a2b4c: mx03, mx04\n"
    )
    assert as_json.code == 1
    answer = json.loads(as_json.out)
    assert answer.pop("acknowledged_after_seconds").keys() == {"mx01"}
    assert answer == some


def test_several_windows_are_told_of_once():
    mine = [known(waiting=["mx01"]), known(waiting=["mx01"], id="w-2")]
    ended = [{**one, "state": "recovering"} for one in mine]
    answers = {"GET /maintenance": {"maintenance": mine}}
    for one in ended:
        answers[f"DELETE /maintenance/{one['id']}"] = answers[f"GET /maintenance/{one['id']}"] = one
    with ControlServer(answers) as server:
        result = ctl("maintenance", "end", "mx01", "--wait", "100ms", server=server)
        unwaited = ctl("maintenance", "end", "mx01", server=server)
    assert result.code == 1
    assert result.out.splitlines()[2:] == [
        f"mx01 does not know: {NOT_YET}",
        "It is done and they go on being told; one that has not learned of it goes by what it knew.",
    ]
    assert result.err == "mailflowctl: after 100ms 1 of 1 peer does not know of all 2 windows: mx01\n"
    assert unwaited.code == 0
    assert unwaited.out.splitlines()[2:] == [BEING_TOLD.replace("2 peers are", "1 peer is")]


def test_no_time_to_wait_is_not_waiting():
    answers = {"POST /maintenance": Answer(known(waiting=["mx01", "mx03"]), 201)}
    with ControlServer(answers) as server:
        result = ctl("maintenance", "begin", "--wait=0", server=server)
    assert (result.code, result.out.splitlines()[1:]) == (0, [BEING_TOLD])


def test_an_acknowledgement_is_seen_within_20_ms():
    later = Later(known(waiting=["mx01"]), known("mx01"), 0.3)
    answers = {"POST /maintenance": Answer(known(waiting=["mx01"]), 201), ASKED: later}
    with ControlServer(answers) as server:
        result = ctl("maintenance", "begin", "--wait", "--json", server=server)
    assert result.code == 0
    assert later.changed - later.begun < 0.32
    assert len(server.asked) < 70


def test_changes_are_waited_for_too():
    mine = [known("mx01"), known("mx01", id="w-2")]
    ended = {"state": "recovering"}
    answers = {
        "GET /maintenance": {"maintenance": mine},
        "DELETE /maintenance/w-1f3a2b4c": known(waiting=["mx01"], **ended),
        "DELETE /maintenance/w-2": known(waiting=["mx01"], id="w-2", **ended),
        "PATCH /maintenance/w-2": known(waiting=["mx01"], id="w-2"),
        ASKED: [known(waiting=["mx01"], **ended), known("mx01", **ended)],
        "GET /maintenance/w-2": [
            known(waiting=["mx01"], id="w-2", **ended),
            known("mx01", id="w-2", **ended),
        ],
    }
    with ControlServer(answers) as server:
        both = ctl("maintenance", "end", "mx01", "--wait", "10s", server=server)
        one = ctl("maintenance", "extend", "--wait", "w-2", "--for", "1h", "--json", server=server)
    assert (both.code, one.code) == (0, 0), (both, one)
    told = [line for line in both.out.splitlines() if " knows " in line]
    assert len(told) == 2
    assert {line.split()[2] for line in told} == {"w-1f3a2b4c", "w-2"}
    assert both.out.endswith("All know: 1 peer.\n")
    assert len(changes_asked(server)) == 3
    assert json.loads(one.out)["maintenance"][0]["acknowledged"] == ["mx01"]


def test_nobody_has_to_know():
    answers = {"POST /maintenance": Answer(known(), 201), ASKED: known(), "GET /version": {"server": "mx01"}}
    with ControlServer(answers) as server:
        result = ctl("maintenance", "begin", "--wait", server=server)
    assert (result.code, result.out.splitlines()[1:]) == (
        0, ["There is no other agent to tell: no peer has one."])


def test_the_server_concerned_is_told_and_not_waited_for():
    over = known(state="past")
    answers = {
        "POST /maintenance": Answer(known(), 201),
        "DELETE /maintenance/w-1f3a2b4c": over,
        "GET /maintenance": {"maintenance": [known()]},
        ASKED: known(),
        "GET /version": {"server": "mx02"},
    }
    for words in ("begin", "mx01"), ("end", "mx01"), ("cancel", "mx01"):
        with ControlServer(answers) as server:
            result = ctl("maintenance", *words, "--wait", server=server)
        assert (result.code, result.out.splitlines()[-1]) == (
            0,
            "There is nobody to wait for: an agent on mx01 itself is told at once, but not waited for, "
            "and no other peer has one.",
        )


def test_without_wait_one_is_told_that_peers_are_told():
    answers = {"POST /maintenance": Answer(known(waiting=["mx01", "mx03"]), 201)}
    with ControlServer(answers) as server:
        result = ctl("maintenance", "begin", server=server)
    assert (result.code, result.out.splitlines()[1:]) == (
        0,
        [BEING_TOLD],
    )


def test_an_agent_that_does_not_say_is_not_waited_for():
    silent = window(acknowledged=None)
    answers = {"POST /maintenance": Answer(silent, 201), ASKED: silent}
    with ControlServer(answers) as server:
        begun = time.monotonic()
        result = ctl("maintenance", "begin", "--wait", "1h", server=server)
    assert result.code == 1
    assert result.err.endswith(
        "the agent does not say who knows of the window: is it of an earlier version?\n"
    )
    assert time.monotonic() - begun < patient(10)


def test_an_agent_that_goes_away_meanwhile_is_unreachable():
    answers = {"POST /maintenance": Answer(known(waiting=["mx01"]), 201)}
    with ControlServer(answers) as server:
        gone = ctl("maintenance", "begin", "--wait", server=server)
    assert (gone.code, gone.err) == (1, "mailflowctl: there is nothing at this path\n")


def test_a_terminal_shows_who_is_awaited():
    waiting = known("mx03", waiting=["mx01"])
    answers = {"POST /maintenance": Answer(waiting, 201), ASKED: [waiting, waiting, known("mx01", "mx03")]}
    with ControlServer(answers) as server:
        shown = ctl_in_a_terminal("maintenance", "begin", "--wait", server=server)
    assert f"waiting for mx01 ({NOT_YET})" in shown
    last = shown.split("\r\033[K")[-1]
    assert re.fullmatch(r"mx01 knows after \d\.\d{3} s\nAll know: 2 peers\.\n", last)
