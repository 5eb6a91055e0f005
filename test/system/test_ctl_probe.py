"""mailflowctl probe: a monitoring plugin."""

import json
import os
import pty
import subprocess

from control_answers import PATHS, arrived, probe, window
from control_server import Answer, ControlServer, Endless, problem
from ctl import PROGRAM, changes_asked, ctl, ctl_in_a_terminal, environment
from process import patient

ID = probe()["id"]

PROBE_TEXT = f"""\
MAILFLOW OK - mx02->mx01 latency 0.012 s | \
latency=0.012s;10;60;0 connect=0.000231s submit=0.004s transit=0.008s
  probe     {ID}
  sent      2026-07-28 12:30:00 UTC
  connect   0.2 ms
  submit    4.0 ms
  transit   8.0 ms
  reply     250 2.0.0 Ok: queued as 4F7A2C
  queue id  4F7A2C
  arrived   2026-07-28 12:30:00 UTC
  error     ±0.5 ms
  verdict   on_time
"""


def probing(*answers):
    return ControlServer(
        {"POST /probes": Answer({"id": ID}, 202), f"GET /probes/{ID}": list(answers)}
    )


def first_line(result):
    return result.out.partition("\n")[0]


def test_probe_waits_for_the_arrival():
    with probing(probe(state="sending"), probe(), arrived()) as server:
        result = ctl("probe", "mx01", "-w", "10s", "-c60s", server=server)
    assert (result.code, result.out, result.err) == (0, PROBE_TEXT, "")
    assert changes_asked(server) == [("POST", "/api/v1/probes", {"peer": "mx01"})]
    assert len(server.asked) == 4


def test_probe_thresholds_decide_the_exit_code():
    with probing(arrived(latency=12.5)) as server:
        good = ctl("probe", "mx01", "-w", "12500ms", "-c", "1m", server=server)
        warning = ctl("probe", "mx01", "-w", "10s", "-c", "1m", server=server)
        critical = ctl("probe", "mx01", "--warning=1s", "--critical=10s", server=server)
        critical_only = ctl("probe", "mx01", "-c", "12s", server=server)
    assert (good.code, warning.code, critical.code, critical_only.code) == (0, 1, 2, 2)
    measured = "mx02->mx01 latency 12.500 s"
    assert first_line(good).startswith(f"MAILFLOW OK - {measured} | latency=12.500s;12.5;60;0 ")
    assert first_line(warning).startswith(f"MAILFLOW WARNING - {measured}, more than 10s | ")
    assert first_line(critical).startswith(f"MAILFLOW CRITICAL - {measured}, more than 10s | ")
    assert "latency=12.500s;;12;0 " in first_line(critical_only)


def test_probe_without_thresholds_follows_the_verdict():
    late = arrived(latency=70.0) | {"verdict": "late"}
    with probing(late) as server:
        result = ctl("probe", "mx01", server=server)
        judged = ctl("probe", "mx01", "-w", "80s", server=server)
    assert result.code == 1
    assert first_line(result).startswith(
        "MAILFLOW WARNING - mx02->mx01 latency 70.000 s, late | latency=70.000s;;;0 "
    )
    assert judged.code == 0


def test_probe_that_does_not_arrive_is_critical_and_says_how_far_it_got():
    with probing(probe(legs={})) as server:
        result = ctl("probe", "mx01", "--wait", "300ms", server=server)
    assert result.code == 2
    assert first_line(result) == (
        "MAILFLOW CRITICAL - mx02->mx01 not arrived within 300ms, accepted, queue id 4F7A2C"
    )


def test_probe_refused_bounced_lost_is_critical_at_once():
    reply = "550 5.7.1 go | away"
    refused = probe(state="refused", smtp_reply=reply, queue_id=None, legs={"dns": 0.25})
    with probing(refused) as server:
        result = ctl("probe", "mx01", "--wait", "20s", server=server)
    assert result.code == 2
    assert first_line(result) == (
        "MAILFLOW CRITICAL - mx02->mx01 refused: 550 5.7.1 go / away | dns=0.250s"
    )
    assert "|" not in result.out.partition("\n")[2]
    for state in "bounced", "lost":
        with probing(probe(state=state)) as server:
            assert ctl("probe", "mx01", "--wait", "20s", server=server).code == 2


def test_a_failure_of_our_own_is_unknown():
    local = probe(
        state="refused",
        reply_class="local",
        smtp_reply=None,
        error_cause="mailflow-submit crashed",
        queue_id=None,
        legs={},
    )
    with probing(local) as server:
        result = ctl("probe", "mx01", server=server)
    assert result.code == 3
    assert first_line(result) == (
        "MAILFLOW UNKNOWN - mx02->mx01 not handed over: no server has been asked: "
        "mailflow-submit crashed"
    )


def test_in_maintenance_nothing_is_an_alarm():
    lost = probe(legs={})
    holding = window(suppressing=True)
    others = [window(id="w-2", suppressing=False), window(id="w-3", server="mx0", suppressing=True)]
    with probing(lost) as server:
        server.answers["GET /maintenance"] = [{"maintenance": [*others, holding]}]
        excused = ctl("probe", "mx01", "--wait", "50ms", server=server)
        server.answers["GET /maintenance"] = [{"maintenance": others}]
        critical = ctl("probe", "mx01", "--wait", "50ms", server=server)
    assert excused.code == 0
    assert first_line(excused) == (
        "MAILFLOW OK - mx02->mx01 not arrived within 50ms, accepted, queue id 4F7A2C; "
        "maintenance of mx01, window w-1f3a2b4c, kernel update"
    )
    assert critical.code == 2
    with probing(arrived(latency=70.0)) as server:
        server.answers["GET /maintenance"] = [{"maintenance": [holding]}]
        slow = ctl("probe", "mx01", "-w", "10s", server=server)
    assert slow.code == 0


def test_probe_uncertain_is_waited_for():
    cause = "no reply to the data"
    unknown = {"smtp_reply": None, "queue_id": None, "legs": {}}
    uncertain = probe(state="uncertain", error_cause=cause, **unknown)
    with probing(uncertain, arrived()) as server:
        assert ctl("probe", "mx01", "--wait", "20s", server=server).code == 0
    with probing(uncertain) as server:
        result = ctl("probe", "mx01", "--wait", "100ms", server=server)
    assert result.code == 2
    assert first_line(result) == (
        "MAILFLOW CRITICAL - mx02->mx01 not arrived within 100ms, uncertain: no reply to the data"
    )


def test_probe_need_not_wait():
    with probing() as server:
        result = ctl("probe", "mx01", "--wait", "0", server=server)
        as_json = ctl("probe", "mx01", "--wait", "0", "--json", server=server)
    assert result.code == 0
    assert result.out == f"MAILFLOW OK - probe {ID} is on its way, not waited for\n"
    assert (as_json.code, json.loads(as_json.out)) == (0, {"id": ID})


def test_probe_json_keeps_the_exit_code():
    with probing(arrived(latency=12.5)) as server:
        result = ctl("probe", "mx01", "-w", "1s", "--json", server=server)
    assert (result.code, json.loads(result.out)) == (1, arrived(latency=12.5))


def test_probe_of_an_unknown_peer_suggests_one():
    refusal = problem(400, "unknown peer 'xm01'")
    with ControlServer({"POST /probes": refusal, "GET /paths": {"paths": PATHS}}) as server:
        result = ctl("probe", "xm01", server=server)
        as_json = ctl("probe", "xm01", "--json", server=server)
    assert result.code == 3
    assert result.out == "MAILFLOW UNKNOWN - unknown peer 'xm01'; did you mean 'mx01'?\n"
    assert as_json.code == 3
    assert json.loads(as_json.out)["detail"] == "unknown peer 'xm01'"
    assert as_json.err == "mailflowctl: unknown peer 'xm01'; did you mean 'mx01'?\n"


def test_what_takes_longer_than_a_second_says_so_to_a_terminal_alone():
    """The line goes again before anything else is written."""
    answers = {"POST /probes": Answer({"id": ID}, 202), f"GET /probes/{ID}": [probe()] * 8 + [arrived()]}
    with ControlServer(answers) as server:
        shown = ctl_in_a_terminal("probe", "mx01", server=server)
        quick = ctl_in_a_terminal("probe", "mx01", server=server)
    with ControlServer(answers) as server:
        piped = ctl("probe", "mx01", server=server)
    before, after = shown.split("MAILFLOW OK")
    assert "\r\033[K1 s, waiting for the probe to arrive" in before
    assert before.endswith("\r\033[K") and "waiting" not in after
    assert "waiting" not in quick
    assert (piped.code, piped.err) == (0, "") and piped.out.startswith("MAILFLOW OK")


def test_an_agent_that_is_slow_is_waited_for_in_sight():
    answers = {"GET /version": Endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" ", 0.1)}
    with ControlServer(answers) as server:
        master, slave = pty.openpty()
        process = subprocess.Popen([PROGRAM, "version", "--timeout", "3s", "--control", server.socket_path],
                                   stdout=subprocess.DEVNULL, stderr=slave, env=environment())
        assert process.wait(patient(20)) == 3
        os.close(slave)
        said = os.read(master, 65536).decode()
        os.close(master)
    assert "s, waiting for the agent" in said and "\r\033[Kmailflowctl: cannot reach" in said
