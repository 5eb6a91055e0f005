"""mailflowctl explain: one probe's life on one screen, and what is not known of it."""

import json

from control_answers import LEGS, PATHS, arrived, probe
from control_server import ControlServer, problem
from ctl import ctl, ctl_in_a_terminal

DRAINED = arrived(1127.0) | dict(
    kind="slot",
    slot=1041,
    verdict="drained",
    planned="2006-07-28T12:48:59.990000Z",
    sent="2006-07-28T12:49:00.000000Z",
    accepted="2006-07-28T12:49:00.009000Z",
    arrived="2006-07-28T13:07:47.000000Z",
    latency_error_seconds=0.5,
    legs=LEGS | {"transit": 1126.991},
    clock={"offset_seconds": -0.0031, "error_seconds": 0.002},
    windows=["w-1f3a2b4c"],
    windows_consulted=[
        {
            "id": "w-1f3a2b4c",
            "server": "mx01",
            "kind": "routine",
            "begin": "2006-07-28T12:18:00.000000Z",
            "end": "2006-07-28T12:48:00.000000Z",
            "recovered": "2006-07-28T14:09:40.000000Z",
            "covers_seconds": 1127.0,
        }
    ],
    rule="latency 1127s, above 60s: incident 17 held it up and is recorded",
    incident=17,
)

INCIDENT = {
    "id": 17,
    "kind": "overrun",
    "subject": "mx01",
    "began": "2006-07-28T12:48:00.000000Z",
    "closed": "2006-07-28T13:07:47.000000Z",
    "notified": True,
    "suppressed_by": None,
    "cells": {"culprit": "server", "seen_by": 2, "of": 2, "paths": "mx01->mx02 bad"},
}

DRAINED_TEXT = """\
probe 7Q2KAAAAAAAAAAAAAAAAAAAAAA, mx02->mx01: drained
  kind      slot 1041 of the cadence
  planned   2006-07-28 12:48:59.990 UTC
  sent      2006-07-28 12:49:00.000 UTC, the message data began to go out
  accepted  2006-07-28 12:49:00.009 UTC, the first server took it over
  reply     250 2.0.0 Ok: queued as 4F7A2C
  queue id  4F7A2C
  legs      connect 0.2 ms, submit 4.0 ms, transit 18 m 47 s
  arrived   2006-07-28 13:07:47.000 UTC ±500.0 ms, by the peer's receipt; when that came is not recorded
  latency   18 m 47 s
  clock     the peer's is 3.1 ms ±2.0 ms behind ours, as estimated now
  windows   w-1f3a2b4c mx01 routine, 2006-07-28 12:18:00 to 12:48:00, queues drained by \
2006-07-28 14:09:40: covers 18 m 47 s of its life
  verdict   drained: latency 1127s, above 60s: incident 17 held it up and is recorded
  incident  17 overrun mx01, from 2006-07-28 12:48:00 to 2006-07-28 13:07:47, notified, \
culprit server (mx01->mx02 bad)
"""


def explain(answer, paths=PATHS):
    answers = {
        "GET /probes/7q2kaa": answer,
        "GET /paths": {"paths": paths},
    }
    with ControlServer(answers) as server:
        return ctl("explain", "7q2kaa", server=server)


def line(result, name):
    found = [text[12:] for text in result.out.splitlines() if text[2:11].rstrip() == name]
    assert len(found) == 1, result
    return found[0]


def test_a_whole_life():
    result = explain(DRAINED | dict(explained_by=INCIDENT))
    assert (result.code, result.out, result.err) == (0, DRAINED_TEXT, "")


def test_an_arrival_that_we_saw_ourselves():
    result = explain(
        arrived()
        | dict(
            path="mx01->mx02",
            direction="inbound",
            planned=None,
            accepted=None,
            absent="2026-07-28T12:30:00.011000Z",
            asked="2026-07-28T12:30:00.013000Z",
            present="2026-07-28T12:30:00.016000Z",
            mailbox="local",
            folder="Junk",
            stripped=True,
        )
    )
    assert result.code == 0
    assert line(result, "sent") == "2026-07-28 12:30:00.000 UTC, by the peer's clock"
    assert line(result, "arrived") == (
        "2026-07-28 12:30:00.012 UTC ±0.5 ms, seen 2026-07-28 12:30:00.016 UTC, "
        "asked for at 2026-07-28 12:30:00.013 UTC, not there at 2026-07-28 12:30:00.011 UTC, in local/Junk; "
        "its Mailflow- headers were lost on the way"
    )
    assert line(result, "clock") == "the peer's clock against ours is not known"
    assert line(result, "windows") == "none of either end touches its life"
    assert line(result, "incident") == "none explains it"


def test_what_came_back():
    delay = {
        "action": "delayed",
        "status": "4.4.1",
        "remote_mta": None,
        "diagnostic": "connection refused",
        "reported": "2026-07-28T12:35:00.000000Z",
    }
    bounce = {
        "action": "failed",
        "status": "5.1.1",
        "remote_mta": "mx01.example",
        "diagnostic": "550 5.1.1 \x1b[31mno such user",
        "reported": "2026-07-28T12:40:00.000000Z",
    }
    result = explain(probe(state="bounced", verdict="bounced", delay=delay, bounce=bounce))
    assert result.code == 0
    assert line(result, "delay") == "2026-07-28 12:35:00, delayed 4.4.1: connection refused"
    assert line(result, "bounce") == (
        "2026-07-28 12:40:00, failed 5.1.1, says mx01.example: 550 5.1.1 \\x1b[31mno such user"
    )
    assert line(result, "arrived") == "no: it came back"


def path_as_of(as_of):
    return [PATHS[0] | {"receipts_as_of": as_of}]


def test_what_is_in_flight_is_as_known_as_the_receipts_are():
    flying = probe(rule="it is in flight")
    never = explain(flying, paths=path_as_of(None))
    before = explain(flying, paths=path_as_of("2026-07-28T12:29:00.000000Z"))
    after = explain(flying, paths=path_as_of("2026-07-28T12:31:00.000000Z"))
    assert line(never, "arrived") == "not known: the peer has sent no receipts yet"
    assert line(before, "arrived") == (
        "not known: the peer's newest receipts are as of 2026-07-28 12:29:00.000 UTC, "
        "before it was sent"
    )
    assert line(after, "arrived") == "not by 2026-07-28 12:31:00.000 UTC, the peer's receipts say"
    assert line(after, "verdict") == "none yet: it is in flight"


def test_what_was_refused_never_flew():
    refused = probe(
        state="refused",
        sent=None,
        accepted=None,
        queue_id=None,
        smtp_reply="550 5.7.1 \u001b[31mno",
        error_cause="mx01: refused",
    )
    result = explain(refused)
    assert line(result, "sent") == "no message data went out"
    assert line(result, "reply") == r"550 5.7.1 \x1b[31mno"
    assert line(result, "cause") == "mx01: refused"
    assert line(result, "arrived") == "nothing is in flight"


def test_what_was_said_stands_line_by_line():
    transcript = [
        {"at_seconds": 0.0004, "from": "note", "text": "connected to 192.0.2.1 port 25"},
        {"at_seconds": 1.25, "from": "server", "text": '220 "mx" \u001b[31m'},
        {"at_seconds": 1.3, "from": "client", "text": "EHLO mx02.example"},
    ]
    result = explain(probe(state="refused", transcript=transcript))
    start = result.out.index("  said ")
    assert result.out[start:].splitlines()[:3] == [
        "  said         0.000 s  [connected to 192.0.2.1 port 25]",
        '               1.250 s  S: 220 "mx" \\x1b[31m',
        "               1.300 s  C: EHLO mx02.example",
    ]


def test_an_uncertain_one_says_so():
    result = explain(probe(state="uncertain", accepted=None, smtp_reply=None, queue_id=None))
    assert line(result, "accepted") == "not known: the last reply was lost"


def test_an_incident_that_has_gone_and_one_that_was_suppressed():
    gone = explain(DRAINED)
    quiet = explain(
        DRAINED
        | {"explained_by": INCIDENT | {"notified": False, "closed": None, "suppressed_by": "w-2"}}
    )
    assert line(gone, "incident") == "17, which the ledger does not have any more"
    assert line(quiet, "incident").endswith(
        "12:48:00, still open, suppressed by w-2, culprit server (mx01->mx02 bad)")


def test_json_is_the_agents():
    with ControlServer({"GET /probes/7q2kaa": DRAINED}) as server:
        result = ctl("explain", "7q2kaa", "--json", server=server)
    assert (result.code, json.loads(result.out)) == (0, DRAINED)


def test_a_refusal_is_told():
    answers = {"GET /probes/7q2kaa": problem(409, "2 probes begin with 7q2kaa")}
    with ControlServer(answers) as server:
        result = ctl("explain", "7q2kaa", server=server)
    assert (result.code, result.err) == (1, "mailflowctl: 2 probes begin with 7q2kaa\n")


def hop(by, delta, error=1.0, **more):
    return {
        "from": None,
        "by": by,
        "protocol": None,
        "tls": None,
        "queue_id": None,
        "time": None,
        "delta_seconds": delta,
        "delta_error_seconds": error,
        "slowest": False,
        **more,
    }


WAY = dict(
    hops=[
        hop("mx02.example", 0.0, protocol="ESMTP", time="2026-07-28T12:30:00.000000Z"),
        hop(
            "mx03.example\x1b[2J",
            12.0,
            **{"from": "mx02.example", "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384"},
            queue_id="4F7A2C",
            time="2026-07-28T12:30:12.000000Z",
            slowest=True,
        ),
        hop(None, None, None),
        hop("mx01.example", -2.0, time="2026-07-28T12:30:10.000000Z", time_wrong=True),
    ],
    hops_more=3,
    hops_cut=True,
    slowest={
        "hop": "mx03.example\x1b[2J",
        "hop_from": "mx02.example",
        "queue_id": "4F6B\x1b",
        "delay_seconds": 12.0,
        "error_seconds": 1.0,
        "skipped": 0,
    },
    delivery={"delta_seconds": 2.0, "delta_error_seconds": 1.1, "slowest": False},
    route={"hosts": ["mx02.example", "mx03.example", "mx01.example"], "changed": True},
    authentication={
        "authserv_id": "mx01.example",
        "spf": "pass",
        "dkim": "fail",
        "dmarc": None,
        "arc": None,
        "reasons": {"dkim": "bad \x1bsignature"},
    },
)

WAY_TEXT = """\
  route     mx02.example -> mx03.example -> mx01.example, \
not the one that this path is known to take
  slowest   12.0 s ±1.0 s, in the queue of mx02.example (id 4F6B\\x1b), to mx03.example\\x1b[2J
  hops      from server to server, by their own clocks:
            3 older hops left out
            its way is longer than what is read of it
  HOP                  FROM          TIME                  DELTA  ERROR  WITH   \
TLS                             QUEUE ID  SLOWEST
  mx02.example         -             2026-07-28 12:30:00  0.0 ms  1.0 s  ESMTP  \
-                               -
  mx03.example\\x1b[2J  mx02.example  2026-07-28 12:30:12  12.0 s  1.0 s  -      \
TLSv1.3 TLS_AES_256_GCM_SHA384  4F7A2C    slowest
  ?                    -             -                         -      -  -      \
-                               -
  mx01.example         -             2026-07-28 12:30:10  -2.0 s  1.0 s  -      \
-                               -         wrong
  the mailbox          -             2026-07-28 12:30:00   2.0 s  1.1 s  -      \
-                               -
  auth      spf=pass, dkim=fail (bad \\x1bsignature), says mx01.example
"""


def test_the_way_with_its_slowest_hop():
    result = explain(arrived() | WAY)
    assert result.code == 0
    print(result.out)
    shown = [line.rstrip() for line in result.out.splitlines()]
    first = next(i for i, line in enumerate(shown) if line.startswith("  route"))
    last = next(i for i, line in enumerate(shown) if line.startswith("  auth"))
    assert shown[first : last + 1] == [line.rstrip() for line in WAY_TEXT.splitlines()]


SLOWEST = "  slowest   12.0 s ±1.0 s, in the queue of mx02.example (id 4F6B\\x1b), to mx03.example"


def test_where_it_waited_is_said_however_narrow_it_is():
    answers = {"GET /probes/7q2kaa": arrived() | WAY, "GET /paths": {"paths": PATHS}}
    with ControlServer(answers) as server:
        narrow = ctl_in_a_terminal("explain", "7q2kaa", server=server, columns=80)
        told = ctl("explain", "7q2kaa", "--json", server=server)
        plain = ctl("explain", "7q2kaa", server=server, LC_ALL="C")
    assert "(too narrow for TLS, QUEUE ID)" in narrow
    assert SLOWEST in narrow
    assert SLOWEST.replace("±", "+-") in plain.out
    assert json.loads(told.out)["slowest"] == WAY["slowest"]


def slowest(**more):
    return line(explain(arrived() | WAY | {"slowest": WAY["slowest"] | more}), "slowest")


def test_where_nobody_can_say_whose_queue_it_was():
    assert slowest(hop="mx03", skipped=2) == (
        "12.0 s ±1.0 s, between mx02.example (id 4F6B\\x1b) and mx03, past 2 hops of unknown time"
    )
    assert slowest(hop="mx03", hop_from="agent", queue_id=None) == (
        "12.0 s ±1.0 s, between the agent and mx03"
    )
    assert slowest(hop="mx03", hop_from="an earlier hop", queue_id=None, skipped=1) == (
        "12.0 s ±1.0 s, between an earlier hop and mx03, past 1 hop of unknown time"
    )
    assert slowest(hop="mailbox", queue_id=None) == (
        "12.0 s ±1.0 s, in the queue of mx02.example, to the mailbox"
    )


def test_the_sender_is_told_who_knows_the_way():
    result = explain(arrived() | {"way_known_at": "mx01"})
    assert line(result, "hops") == (
        "known at mx01: mailflowctl explain " + arrived()["id"] + " there"
    )


def test_a_way_of_which_nothing_is_known_is_not_shown():
    result = explain(arrived())
    assert not [text for text in result.out.splitlines() if text[2:7] in ("hops ", "route", "auth ")]
