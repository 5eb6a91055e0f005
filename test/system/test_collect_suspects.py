"""Mail that looks like a report of delivery and is none: probes do not wait behind it."""

import re
import statistics
import threading
import time

import pytest

from collector import Collector, block
from imap_server import Folder, Server
from tag import Probe
from test_collect_bounce import fixture, pieces_of

SMALL = b"Return-Path: <>\r\nFrom: postmaster@elsewhere.example\r\n\r\nOut of office\r\n"
LARGE = b"Return-Path: <>\r\n\r\n" + b"x" * 70_000
REPORT = (
    b'Return-Path: <>\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n--b\r\n' + b"x" * 70_000
)


def slowly(seconds):
    """Every FETCH takes so long."""

    def fetch(session, tag, arguments):
        time.sleep(seconds)
        session.answer(tag, "UID FETCH", arguments)

    return {"UID FETCH": fetch}


def deliver(server):
    """A probe that comes now."""
    probe = Probe()
    server.inbox.add(block(probe))
    return probe.id_text, time.monotonic()


def waited(collector, probe, begin):
    while collector.expect("arrival", patience=30)["tag"]["id"] != probe:
        pass
    return time.monotonic() - begin


@pytest.mark.parametrize("message", [SMALL, LARGE, REPORT], ids=["small", "large", "report"])
def test_a_probe_does_not_wait_behind_a_hundred_of_them(message):
    with Server(*[message] * 100, on=slowly(0.1)) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("complete", foreign=100)
        waits = []
        for _ in range(5):
            time.sleep(0.05)
            waits.append(waited(collector, *deliver(server)))
            assert pieces_of(server) < 100  # it is still at it
        print(f"a probe behind 100 of them waits {statistics.median(waits) * 1e3:.0f} ms,"
              f" at most {max(waits) * 1e3:.0f} ms")
        assert max(waits) < 1.0  # a FETCH that is under way, a NOOP, a SEARCH and its own FETCH


def test_it_is_heard_of_all_the_while():
    with Server(*[LARGE] * 50, on=slowly(0.1)) as server, Collector() as collector:
        collector.watch(server.port)
        last, longest = time.monotonic(), 0.0
        while pieces_of(server) < 30:
            collector.expect("complete")
            now = time.monotonic()
            longest, last = max(longest, now - last), now
        print(f"one line in at most {longest:.2f} s while 30 of them are looked into")
        assert longest < 10.0 and collector.count("down") == 0


def test_a_report_is_found_before_older_ones_are_looked_into():
    probe = Probe()
    messages = [SMALL] * 60 + [fixture("postfix_failed", probe)]
    with Server(*messages, on=slowly(0.05)) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("bounce")["probe"] == probe.id_text
        assert pieces_of(server) < 10


def test_in_another_folder_they_are_looked_into_as_well():
    probe = Probe()
    with Server(on=slowly(0.05)) as server, Collector() as collector:
        server.folders["Junk"] = Folder(*[SMALL] * 6, fixture("postfix_failed", probe), *[SMALL] * 6)
        collector.watch(server.port, folders=["INBOX", "Junk"])
        assert collector.expect("bounce", patience=20)["probe"] == probe.id_text
        collector.expect("complete", patience=20, foreign=12)
        assert collector.count("down") == 0


def test_a_no_to_a_batch_loses_none():
    """The server will not show several at once, as one of them has just gone."""
    probes = [Probe() for _ in range(3)]
    refusals = []

    def fetch(session, tag, arguments):
        if re.match(r"\d+[,:]", arguments):
            refusals.append(arguments)
            session.write(f"{tag} NO [EXPUNGEISSUED] Some of the messages are gone\r\n")
        else:
            session.answer(tag, "UID FETCH", arguments)

    messages = [fixture("qmail", probe) for probe in probes]
    with Server(*messages, on={"UID FETCH": fetch}) as server, Collector() as collector:
        collector.watch(server.port)
        told = {collector.expect("bounce")["probe"] for _ in probes}
        assert told == {probe.id_text for probe in probes}
        assert refusals and collector.count("down") == 0


def test_one_that_breaks_every_connection_is_given_up():
    breaks = threading.Semaphore(0)
    probe = Probe()

    def fetch(session, tag, arguments):
        if "BODY.PEEK[]" in arguments and arguments.startswith("2 "):
            breaks.release()
            session.close()
        else:
            session.answer(tag, "UID FETCH", arguments)

    messages = fixture("qmail", probe), SMALL
    with Server(*messages, on={"UID FETCH": fetch}) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("bounce", patience=20)["probe"] == probe.id_text
    assert sum(breaks.acquire(blocking=False) for _ in range(5)) == 2
