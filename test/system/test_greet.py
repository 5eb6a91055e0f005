"""mailflow-greet against mail servers that greet, and against those that do not."""

import json
import os
import pathlib
import socket
import sys

import pytest

import ready
from smtp_server import Server, close, flood, hang, raw, reply, trickle

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
PROGRAM = BUILD / "probes" / "mailflow-greet"
SHORT = 1.0


def job(port, *, seconds=5.0, number=1, host="127.0.0.1", domain=False):
    """One job, and how many seconds it has."""
    return {"number": number, "deadline": ready.within(seconds), "host": host, "port": port,
            "domain": domain}


def run(*jobs, command=(PROGRAM,), timeout=15):
    return ready.run(command, jobs, over=job(1), timeout=timeout)


def greet(*jobs):
    done = run(*jobs)
    assert (done.returncode, done.stderr) == (0, b""), done
    return [json.loads(line) for line in done.stdout.splitlines()]


def cause(one):
    """Why it did not greet."""
    [outcome] = greet(one)
    assert not outcome["greeted"]
    return outcome["cause"]


def test_a_server_that_greets():
    with Server() as server:
        [outcome] = greet(job(server.port, number=7))
    assert outcome == {"number": 7, "greeted": True, "server": "127.0.0.1", "cause": "", "refusal": ""}
    assert server.session.commands in (["QUIT"], [])


ENVELOPE = {"ehlo": "mx02.example", "sender": "probe@mx02.example",
            "recipient": "probe@mx01.example"}
ASKED = ["EHLO mx02.example", "MAIL FROM:<probe@mx02.example>", "RCPT TO:<probe@mx01.example>"]


def test_an_envelope_that_is_taken():
    """It goes no further than RCPT, and says one thing at a time."""
    greeting = [raw(b"220-mx01.example\r\n220-waits\r\n220 for its turn\r\n")]
    with Server({"greeting": greeting}) as server:
        [outcome] = greet(job(server.port) | ENVELOPE)
    assert outcome == {"number": 1, "greeted": True, "server": "127.0.0.1", "cause": "",
                       "refusal": ""}
    assert server.session.commands[:4] == [*ASKED, "RSET"] and server.session.content is None
    assert server.session.commands[4:] in ([], ["QUIT"])


@pytest.mark.parametrize(
    ("script", "said", "asked"),
    [
        ({"rcpt": [reply("550 5.1.1 <probe@mx01.example>: no such")]},
         "550 5.1.1 <probe@mx01.example>: no such", 3),
        ({"rcpt": [reply("550-5.1.1 The account\n550 does not exist")]},
         "550-5.1.1 The account does not exist", 3),
        ({"rcpt": [reply("450 4.7.1 Greylisted")]}, "450 4.7.1 Greylisted", 3),
        ({"rcpt": [raw(b"550 \x1b[31m\r\n")]}, "550 \\x1b[31m", 3),
        ({"mail": [reply("553 5.1.8 Sender address rejected")]}, "553 5.1.8 Sender address rejected",
         2),
        ({"ehlo": [reply("421 4.3.2 Not now")]}, "421 4.3.2 Not now", 1),
    ],
)
def test_an_envelope_that_is_refused(script, said, asked):
    with Server(script) as server:
        [outcome] = greet(job(server.port) | ENVELOPE)
    assert (outcome["greeted"], outcome["cause"], outcome["refusal"]) == (True, "", said)
    assert server.session.commands[:asked] == ASKED[:asked]
    assert server.session.commands[asked:] in ([], ["QUIT"])


def test_an_old_server_is_greeted_with_helo():
    script = {"ehlo": [reply("502 what?")], "helo": [reply("250 hello")]}
    with Server(script) as server:
        [outcome] = greet(job(server.port) | ENVELOPE)
    assert outcome["greeted"] and outcome["refusal"] == ""
    assert server.session.commands[:4] == [ASKED[0], "HELO mx02.example", *ASKED[1:]]
    with Server(script | {"helo": [reply("502 not this either")]}) as server:
        [outcome] = greet(job(server.port) | ENVELOPE)
    assert outcome["refusal"] == "502 not this either"


def test_an_empty_line_is_no_reply():
    with Server({"rcpt": [raw(b"\r\n")]}) as server:
        [outcome] = greet(job(server.port) | ENVELOPE)
    assert not outcome["greeted"] and outcome["refusal"] == ""
    assert outcome["cause"] == "127.0.0.1: RCPT: it answers with an empty line"


@pytest.mark.parametrize("act", [hang(), close(), flood(b"250-x\r\n"), flood(b"2" * 100)])
@pytest.mark.parametrize("step", ["ehlo", "mail", "rcpt"])
def test_an_envelope_without_a_reply(step, act):
    with Server({step: [act]}) as server:
        [outcome] = greet(job(server.port, seconds=SHORT) | ENVELOPE)
    assert not outcome["greeted"] and outcome["refusal"] == ""
    assert outcome["cause"].startswith(f"127.0.0.1: {step.upper()}: it ")


def test_a_greeting_that_refuses_is_asked_nothing():
    with Server({"greeting": [reply("421 too many")]}) as server:
        [outcome] = greet(job(server.port) | ENVELOPE)
    assert outcome["refusal"] == "421 too many"
    assert outcome["cause"] == "127.0.0.1: it says: 421 too many"
    assert not outcome["greeted"] and server.session.commands in ([], ["QUIT"])


@pytest.mark.parametrize("change", [{"recipient": "a\r\nDATA"}, {"sender": 5}, {"ehlo": "x" * 300}])
def test_an_envelope_that_is_none(change):
    done = run(job(1) | ENVELOPE | change)
    [outcome] = [json.loads(line) for line in done.stdout.splitlines()]
    assert outcome["cause"].startswith("job: ") and next(iter(change)) in outcome["cause"]


@pytest.mark.parametrize("act", [raw(b"220-mx01.example\r\n220 hello\r\n"), raw(b"220 hi\n")])
def test_greetings(act):
    with Server({"greeting": [act]}) as server:
        assert greet(job(server.port))[0]["greeted"]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (reply("554 5.3.2 mx01 is being serviced"), "it says: 554 5.3.2 mx01 is being serviced"),
        (raw(b"SSH-2.0-\x1b[31m\r\n"), "it says: SSH-2.0-\\x1b[31m"),
        (hang(), "it takes the connection, but says nothing"),
        (trickle(b"220 hello" * 9, 0.1), "it takes the connection, but says nothing"),
        (close(), "it takes the connection and closes it"),
        (flood(b"2" * 100), "it does not end its line"),
    ],
)
def test_servers_that_do_not_greet(act, said):
    with Server({"greeting": [act]}) as server:
        assert cause(job(server.port, seconds=SHORT)) == f"127.0.0.1: {said}"


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert cause(job(port)) == "127.0.0.1: cannot connect: Connection refused"


def test_a_connection_that_nobody_accepts():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            said = cause(job(full.getsockname()[1], seconds=SHORT))
    assert said == "127.0.0.1: cannot connect: Connection timed out"


def test_a_name_that_does_not_exist():
    assert "nowhere.invalid" in cause(job(25, host="nowhere.invalid"))


def test_a_domain_without_an_exchanger_is_the_server_itself():
    with Server() as server:
        [outcome] = greet(job(server.port, host="localhost", domain=True))
    assert outcome["greeted"] and outcome["server"] == "localhost"


def test_lines_that_are_no_jobs():
    with Server() as server:
        done = run({"number": 1, "deadline": 1, "host": "x", "port": 0}, job(server.port, number=2))
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["cause"] == 'job: "port" is 0, not within 1 and 65535' and second["greeted"]


# ---- mail exchangers ----

RECORDS = {
    "one.test": [[10, "mx01.test"]],
    "two.test": [[20, "mx02.test"], [10, "mx01.test"], [10, "mx02.test"]],
    "none.test": [[0, "."]],
    "dead.test": [[5, "mx02.test"], [10, "mx01.test"]],
}


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own takes root")
@pytest.mark.parametrize(
    ("domain", "server", "said"),
    [
        ("one.test", "mx01.test", ""),
        ("two.test", "mx01.test", ""),
        ("dead.test", "mx02.test", "mx02.test: cannot connect: Connection refused"),
        ("none.test", ".", 'none.test takes no mail (its MX is ".")'),
        ("mx01.test", "mx01.test", ""),  # it has none, and is one
        ("silent.example", "silent.example", "silent.example: "),
    ],
)
def test_a_domain_is_asked_for_its_exchanger(domain, server, said):
    here = pathlib.Path(__file__).parent / "dns_server.py"
    command = ("unshare", "--net", "--mount", sys.executable, here, json.dumps(RECORDS), PROGRAM)
    done = run(job(25, host=domain, domain=True, seconds=10), command=command, timeout=30)
    assert done.returncode == 0, done
    outcome = json.loads(done.stdout)
    assert outcome["greeted"] == (said == "") and outcome["cause"].startswith(said), outcome
    assert outcome["server"] == server
