"""mailflow-submit and a server that hangs, goes away or refuses, at every step."""

import re
import time

import pytest

from prober import job, outcome
from process import patient
from smtp_server import Server, close, flood, hang, raw, reply, reset, trickle, wait

SHORT = 1.0


ANSWERS = {
    "greeting": "greeting",
    "ehlo": "reply to EHLO",
    "mail": "reply to MAIL FROM",
    "rcpt": "reply to RCPT TO",
    "data": "reply to DATA",
    "content": "reply to the content",
}


@pytest.mark.parametrize("step", ANSWERS)
def test_hangs(step):
    with Server({step: [hang()]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT)
    assert done["result"] == ("uncertain" if step == "content" else "refused")
    assert done["class"] == "timeout" and done["code"] == 0 and done["reply"] == ""
    said = rf"no {ANSWERS[step]} from localhost:{server.port} within (\d+\.\d) s"
    assert float(re.fullmatch(said, done["cause"])[1]) <= patient(SHORT) - 0.2  # kept for telling
    assert (done["sent"]["instant"] > 0) == (step == "content")


@pytest.mark.parametrize("act", [close, reset])
@pytest.mark.parametrize("step", ANSWERS)
def test_goes_away(step, act):
    # At once, a reset could come before the connection is seen to stand.
    with Server({step: [wait(0.02), act()]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == ("uncertain" if step == "content" else "refused")
    assert done["class"] == "connect"
    assert done["cause"] == f"connection to localhost:{server.port} lost before its {ANSWERS[step]}"


@pytest.mark.parametrize("answer", ["421 4.3.2 closing", "450 4.2.1 try later", "554 5.7.1 no"])
@pytest.mark.parametrize("step", ANSWERS)
def test_refuses(step, answer):
    with Server({step: [reply(answer)]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["reply"] == answer and done["cause"] == ""
    assert done["class"] == f"{answer[0]}xx" and done["code"] == int(answer[:3])
    assert step == "content" or server.session.content is None


@pytest.mark.parametrize("end", ["250 2.0.0 Ok: queued as 4FZXKQ1Y", "554 5.5.1 no recipients"])
def test_recipient_refused_and_message_taken(end):
    """DATA goes out with RCPT; a server that takes it all the same gets a message of nothing."""
    script = {"rcpt": [reply("450 4.2.0 greylisted")], "data": [reply("354 go on")], "content": [reply(end)]}
    with Server(script) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["reply"] == "450 4.2.0 greylisted"
    assert done["cause"] == ""
    assert server.session.contents == [b"\n"]
    assert server.session.commands[-1] == "QUIT"


def test_what_follows_a_refusal_decides_nothing():
    """Whatever is said of a DATA that went out with RCPT, in pieces, too much or not at all."""
    for data in ([raw(b"354-go\r\n554 on\r\n")], [trickle(b"503 what?\r\n", 0.01)], [close()], [reset()],
                 [raw(b"354 go\r\n250 queued as X\r\n")], [raw(b"554 no\r\n554 no\r\n")],
                 [raw(b"554 " + b"x" * 2000 + b"\r\n")], [flood(b"554-no\r\n")]):
        with Server({"rcpt": [reply("550 5.1.1 no such user")], "data": data}) as server:
            done = outcome(job(server.port))
        assert done["result"] == "refused" and done["reply"] == "550 5.1.1 no such user"
        assert done["class"] == "5xx" and done["cause"] == ""


def test_what_follows_a_refusal_is_hardly_waited_for():
    with Server({"rcpt": [reply("550 5.1.1 no such user")], "data": [hang()]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=patient(20)))
        assert time.monotonic() - begun < patient(10)
    assert done["result"] == "refused" and done["reply"] == "550 5.1.1 no such user"


def test_a_refusal_counts_without_pipelining_too():
    rcpt = [wait(0.1), reply("550 5.1.1 no such user")]
    with Server({"rcpt": rcpt}, ehlo="250-server.test\n250 8BITMIME") as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["reply"] == "550 5.1.1 no such user"


def test_reply_of_many_lines():
    with Server({"rcpt": [reply("550-5.1.1 no such\n550-5.1.1 user\n550 5.1.1 here")]}) as server:
        assert outcome(job(server.port))["reply"] == "550 5.1.1 no such 5.1.1 user 5.1.1 here"


def test_reply_with_foreign_bytes():
    with Server({"rcpt": [raw(b"550 \xfc\x1b[31m\x00 caf\xc3\xa9\r\n")]}) as server:
        assert outcome(job(server.port))["reply"] == "550 ??[31m? caf??"


@pytest.mark.parametrize("step", ANSWERS)
@pytest.mark.parametrize("octets", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\r\n",
                                    b"\x00\xff\x16\x03\r\n"], ids=["ssh", "empty", "binary"])
def test_garbage(step, octets):
    with Server({step: [raw(octets)]}) as server:
        done = outcome(job(server.port, seconds=3))
    assert done["result"] == ("uncertain" if step == "content" else "refused")
    assert done["class"] == "connect"
    assert done["cause"] == f"the {ANSWERS[step]} from localhost:{server.port} is not SMTP"


def test_positive_reply_that_does_not_fit():
    with Server({"data": [reply("250 2.0.0 fine"), close()]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["code"] == 250
    assert done["cause"] == f"the reply to DATA from localhost:{server.port} is none that fits"


def test_trickled_greeting():
    with Server({"greeting": [trickle(b"220 " + b"x" * 500, 0.05)]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT)
    assert done["class"] == "timeout" and done["cause"].startswith("no greeting from")


def test_endless_ehlo():
    with Server({"ehlo": [flood(b"250-more\r\n")]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=5))
        assert time.monotonic() - begun < patient(3)
    assert done["class"] == "connect"
    assert done["cause"] == (f"localhost:{server.port} sent more than 65536 bytes, "
                             "the last in its reply to EHLO")


def test_endless_line():
    with Server({"greeting": [flood(b"2")]}) as server:
        done = outcome(job(server.port, seconds=5))
    assert done["cause"] == (f"localhost:{server.port} sent a line of more than 1022 bytes "
                             "in its greeting")


def test_bytes_nobody_asked_for():
    with Server({"mail": [raw(b"250 ok\r\n250 and more\r\n")]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["class"] == "connect"
    assert done["cause"] == (f"localhost:{server.port} sent more than its reply to MAIL FROM: "
                             "somebody may be injecting commands")


def test_deadline_already_past():
    with Server() as server:
        done = outcome(job(server.port, seconds=-5))
        assert not server.sessions
    assert done["class"] == "timeout"
    assert done["cause"] == "the deadline had passed before the session began"
