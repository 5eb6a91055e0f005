"""The way of a probe, as mailflow-collect reads it off its Received and Authentication-Results."""

import random

import pytest
from collector import Collector
from imap_server import Message, Server
from tag import Probe

POSTFIX = (
    b"Received: from mx01.example (mx01.example [10.0.0.1])\r\n"
    b"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
    b"\tby MX02.example (Postfix) with ESMTPS id 4F7A2C\r\n"
    b"\tfor <probe@mx02.example>; Thu, 26 Nov 2026 16:00:01 +0100 (CET)\r\n"
)
EXIM = b"Received: by mx01.example with local (Exim 4.96) id 1oX-7c; 26 Nov 26 15:00:00 GMT\r\n"
OURS = b"Authentication-Results: mx02.example; spf=pass; dkim=fail (bad signature)\r\n"
FORGED = b"Authentication-Results: mx02.example; spf=pass; dkim=pass; dmarc=pass\r\n"
FOREIGN = b"Authentication-Results: evil.example; dkim=pass\r\n"


def reported(trace, authserv_id="mx02.example"):
    """(trace report or None, arrival) of a probe with these headers."""
    with Server() as server, Collector() as collector:
        uid = server.inbox.add(Probe().header_block() + b"\r\n")
        server.inbox.messages[uid] = Message(server.inbox.messages[uid].headers, trace=trace)
        collector.watch(server.port, authserv_id=authserv_id)
        arrival = collector.expect("arrival")
        collector.expect("complete")
    traces = [report for report in collector.seen if report["report"] == "trace"]
    assert len(traces) <= 1
    if traces:
        place = ("mailbox", "folder", "uid_validity", "uid")
        assert [traces[0][name] for name in place] == [arrival[name] for name in place]
        assert collector.seen.index(arrival) == collector.seen.index(traces[0]) + 1
    return traces[0]["trace"] if traces else None


def test_hops_and_verdicts_come_ahead_of_the_arrival():
    trace = reported(FOREIGN + POSTFIX + OURS + EXIM + FORGED + b"\r\n")
    assert trace == {
        "hops": [
            ["", "", "mx01.example", "local", "", "1oX-7c", 1795705200],
            [
                "mx01.example",
                "mx01.example [10.0.0.1]",
                "MX02.example",
                "ESMTPS",
                "TLSv1.3 TLS_AES_256_GCM_SHA384",
                "4F7A2C",
                1795705201,
            ],
        ],
        "more": 0,
        "cut": False,
        "authentication": {
            "authserv_id": "mx02.example",
            "spf": ["pass", ""],
            "dkim": ["fail", "bad signature"],
        },
    }


@pytest.mark.parametrize("authserv_id", ["", "mx03.example"])
def test_nobody_elses_word_is_believed(authserv_id):
    trace = reported(FOREIGN + OURS + FORGED + POSTFIX + b"\r\n", authserv_id)
    assert len(trace["hops"]) == 1 and "authentication" not in trace


def test_a_message_without_a_way_has_no_report_of_it():
    assert reported(b"\r\n") is None


def test_two_hundred_hops():
    hops = [EXIM.replace(b"mx01", b"mx%03d" % i) for i in range(200, 0, -1)]
    trace = reported(b"".join(hops))
    assert len(trace["hops"]) == 32 and trace["cut"]
    assert trace["hops"][-1][2] == "mx200.example" and trace["hops"][0][2] == "mx169.example"
    assert trace["more"] == 7168 // len(hops[0]) - 32


def test_the_longest_that_fits_is_one_line():
    """The collector asserts that no line is longer than the agent takes."""
    long = b"Received: from %s (%s) (TLS1.3:%s:1) by %s with %s id %s; 26 Nov 2026 15:00:00 GMT\r\n"
    trace = reported((long % ((b"x" * 63,) * 6)) * 40)
    assert len(trace["hops"]) > 10 and trace["cut"]


def test_garbage_is_read_as_what_it_is():
    seed = random.randrange(2**32)
    print("seed", seed)
    noise = random.Random(seed)
    for _ in range(5):
        trace = bytearray((POSTFIX + EXIM + OURS) * 12)
        for _ in range(200):
            trace[noise.randrange(len(trace))] = noise.choice(b'()"\\;,<>=\x00\x01\x7f\xff\r\n :')
        reported(bytes(trace))
