"""mailflow-collect and a server that goes away, stalls, floods or talks nonsense."""

import socket
import time

import pytest

from collector import Collector, block, cause_of
from imap_server import Folder, Server, hang, say
from process import patient
from tag import Probe


def test_a_refused_connection_is_told_once_and_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        port = placeholder.getsockname()[1]
    with Collector() as collector:
        collector.watch(port)
        assert collector.expect("down")["cause"] == f"127.0.0.1:{port}: Connection refused"
        with pytest.raises(AssertionError):
            collector.expect("down", patience=1.5)


def test_a_name_that_is_none_is_told():
    with Collector() as collector:
        collector.watch(143, host="nothing.invalid")
        assert "nothing.invalid" in collector.expect("down")["cause"]


STEPS = ["greeting", "CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "NOOP", "IDLE"]


def expecting_more(step):
    """A probe whose successor is so far off that the collector gets to this step: it rests in IDLE
    until shortly before, and asks with NOOP afterwards. To start it takes some of that time."""
    return block(Probe(next=3.0 if step in ("IDLE", "DONE") else 0.6))


@pytest.mark.parametrize("step", [*STEPS, "DONE", "UID STORE", "UID EXPUNGE"])
def test_a_server_that_stalls_is_left_in_time(step):
    with Server(expecting_more(step), on={step: hang}) as server, Collector("300ms") as collector:
        collector.watch(server.port)
        if step in ("UID STORE", "UID EXPUNGE"):
            collector.delete(collector.expect("arrival"))
        begin = time.monotonic()
        cause = collector.expect("down", patience=8.0)["cause"]
        took = time.monotonic() - begin
    assert "within 300ms" in cause
    assert took < patient(6.0 if step == "DONE" else 3.0)


@pytest.mark.parametrize("step", ["greeting", "SELECT", "IDLE"])
def test_a_server_that_trickles_is_left_in_time(step):
    def trickle(session, _tag, _arguments):
        for _ in range(100):
            session.write("* OK ")
            time.sleep(0.05)

    with Server(on={step: trickle}) as server:
        begin = time.monotonic()
        assert "within 500ms" in cause_of(server, "500ms")
        assert time.monotonic() - begin < patient(3.0)


def flood(piece):
    def answer(session, _tag, _arguments):
        for _ in range(100_000_000 // len(piece)):
            session.write(piece)

    return answer


@pytest.mark.parametrize("step", ["greeting", "CAPABILITY", "SELECT", "UID FETCH", "NOOP", "IDLE"])
@pytest.mark.parametrize("piece", ["* OK still here\r\n" * 1000, "* OK " + "x" * 100_000],
                         ids=["lines", "one line"])
def test_a_server_that_floods_is_left_without_growing(step, piece):
    headers = expecting_more(step) if step == "IDLE" else block(Probe(next=0.05))
    with Server(headers, on={step: flood(piece)}) as server, Collector("5s") as collector:
        collector.watch(server.port)
        cause = collector.expect("down")["cause"]
        assert "more than 4194304 bytes in answer to" in cause or step == "greeting"
        assert collector.resident_bytes() < 300 * 1024 * 1024


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("* 1 FETCH (UID 1 BODY[HEADER] {4294967295}\r\n", "literal of more than 8192 bytes"),
        ("* 1 FETCH (UID 1 BODY[HEADER] {99999999999999999999999}\r\n", "literal of more"),
        ("* 1 FETCH (BODY " + "(" * 400_000 + "\r\n", "nested more than 100 deep"),
        ("(" * 400_000, "nested more than 100 deep"),
        ("\0\1\2 rubbish\r\n" * 10 + "{tag} OK\r\n", "not IMAP"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "not IMAP"),
        ("9999 OK somebody else's\r\n", "answers another command"),
        ("* BYE shutting down\r\n", "the server ended the connection: shutting down"),
    ],
    ids=["literal", "overflow", "nesting", "parentheses", "garbage", "http", "tag", "bye"],
)
@pytest.mark.parametrize("step", ["SELECT", "UID FETCH", "NOOP"])
def test_hostile_answers_end_the_connection_and_nothing_else(step, words, reason):
    with Server(block(Probe(next=0.05)), on={step: say(words)}) as server:
        assert reason in cause_of(server)


@pytest.mark.parametrize("words", ["* BYE no\r\n", "HTTP/1.1 400\r\n", "\r\n", "* \r\n", "(((((\r\n"])
def test_hostile_greetings_end_the_connection_and_nothing_else(words):
    with Server(on={"greeting": say(words)}) as server:
        assert f"127.0.0.1:{server.port}: " in cause_of(server)


@pytest.mark.parametrize("step", ["CAPABILITY", "SELECT", "STATUS", "UID SEARCH", "UID FETCH", "NOOP"])
@pytest.mark.parametrize("words", ["{tag} OK\r\n", "{tag} OK done\r\n", "{tag} BAD what\r\n"],
                         ids=["empty", "nothing told", "bad"])
def test_answers_that_say_nothing_crash_nothing(step, words):
    with Server(block(Probe()), on={step: say(words)}) as server, Collector() as collector:
        server.folders["Junk"] = Folder(block(Probe()))
        collector.watch(server.port, folders=["INBOX", "Junk"])
        end = time.monotonic() + 10.0
        while not {"down", "complete"} & {report["report"] for report in collector.seen}:
            assert time.monotonic() < end
            collector.seen.append(collector.reports.get(timeout=patient(10.0)))


@pytest.mark.parametrize("step", ["LOGIN", "SELECT", "UID FETCH", "NOOP", "IDLE", "DONE"])
def test_a_connection_that_is_cut_is_told(step):
    def cut(session, _tag, _arguments):
        session.close()

    with Server(expecting_more(step), on={step: cut}) as server:
        assert "the server closed the connection" in cause_of(server)
