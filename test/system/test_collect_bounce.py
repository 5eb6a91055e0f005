"""mailflow-collect and what comes back: reports of delivery among mail of all kinds."""

import random
import time

import pytest

from bounces import FIXTURES, fixture, with_long_words
from collector import BUILD, Collector, block
from imap_server import Folder, Server
from tag import Probe

PIECES = 8  # of 8 KiB each: as much as is looked at


def pieces_of(server):
    """How often a part of a message was asked for."""
    return sum("BODY.PEEK[]" in command for command in server.commands)


def test_a_bounce_is_reported_and_deleted():
    probe = Probe()
    with Server(fixture("postfix_failed", probe)) as server, Collector() as collector:
        collector.watch(server.port)
        bounce = collector.expect("bounce")
        collector.expect("complete", foreign=0)
        collector.delete(bounce)
        server.wait_for("UID EXPUNGE 1")
    assert (bounce["folder"], bounce["uid_validity"], bounce["uid"]) == ("INBOX", 7, 1)
    assert (bounce["action"], bounce["status"]) == ("failed", "5.1.1")
    assert bounce["remote_mta"] == "mx01.example" and bounce["recipient"] == "probe@mx01.example"
    assert bounce["diagnostic"].startswith("550 5.1.1 <probe@mx01.example>: Recipient address ")
    tag = bounce["tag"]
    assert bounce["probe"] == tag["id"] == probe.id_text
    assert (tag["from"], tag["to"], tag["slot"]) == ("mx02", "mx01", 1041)
    assert tag["sent"] == probe.sent * 1000 and bounce["present"]["instant"] > 0


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.eml")))
def test_every_form(name):
    """What is about a probe is reported; the probe behind it is, before it, whatever it is."""
    probe, after = Probe(), Probe()
    with Server(fixture(name, probe), block(after)) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("arrival")["tag"]["id"] == after.id_text
        server.wait_for("IDLE")  # it does not rest before all have been looked into
        if name not in FOREIGN:
            assert collector.expect("bounce")["probe"] == probe.id_text
        collector.expect("complete", foreign=int(name in STAYS))
    assert (collector.count("arrival"), collector.count("bounce")) == (1, name not in FOREIGN)


FOREIGN = ("envelope_contradicted", "nested", "read_receipt", "strangers", "vacation")
STAYS = (*FOREIGN, "envelope_only")


def test_an_envelope_alone_claims():
    """It is for the ledger to say whether it is true: not deleted, so it stays foreign."""
    probe = Probe()
    with Server(fixture("envelope_only", probe)) as server, Collector() as collector:
        collector.watch(server.port)
        bounce = collector.expect("bounce")
        collector.expect("complete", foreign=1)
    assert bounce["probe"] == probe.id_text and "tag" not in bounce
    assert bounce["recipient"] == "second@mx01.example" and bounce["original_recipient"] == ""


def test_other_mail_is_not_looked_into():
    strangers = [b"From: someone@example.org\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n"] * 40
    with Server(*strangers) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("complete")["foreign"] == 40
        assert pieces_of(server) == 0


def test_ten_megabytes_cost_no_more_than_sixty_four_kilobytes():
    probe = Probe()
    report = fixture("exim_failed", probe)
    end = report.rindex(b"\r\n\r\n--")
    report = report[:end] + b"\r\n" + b"x" * 70 + (b"\r\n" + b"y" * 70) * 145_000 + report[end:]
    assert len(report) > 10_000_000
    with Server(report) as server, Collector() as collector:
        collector.watch(server.port)
        begin = time.monotonic()
        bounce = collector.expect("bounce")
        took = time.monotonic() - begin
        resident = collector.resident_bytes()
        server.wait_for("UID FETCH 1 ", 1 + PIECES)  # its headers, the pieces
        print(f"10 MB: {pieces_of(server)} pieces, {took * 1e3:.0f} ms, {resident >> 20} MiB")
        assert bounce["tag"]["id"] == probe.id_text
        assert pieces_of(server) == PIECES
        assert resident < 64 << 20 or "sanitized" in str(BUILD) or "valgrind" in str(BUILD)


@pytest.mark.parametrize("name", ["postfix_failed", "exchange_failed", "gmail_failed"])
@pytest.mark.parametrize("size", [30_000, 66_000, 10_000_000])
def test_words_for_people_of_any_length_stand_before_the_report(name, size):
    probe, after = Probe(), Probe()
    report = with_long_words(fixture(name, probe), size)
    with Server(report, block(after)) as server, Collector() as collector:
        collector.watch(server.port)
        bounce = collector.expect("bounce")
        assert collector.expect("complete")["foreign"] == 0
        print(f"{size} bytes: {pieces_of(server)} pieces")
        assert pieces_of(server) <= 2 * PIECES
    assert bounce["tag"]["id"] == probe.id_text and bounce["action"] == "failed"
    assert bounce["diagnostic"]


@pytest.mark.parametrize("claimed", [0, 1, 65536, 65537, 2**32 - 1])
def test_a_server_that_is_wrong_about_the_size(claimed):
    """Nothing is read twice that need not be, and nothing hangs."""
    probe, after = Probe(), Probe()
    server = Server(with_long_words(fixture("postfix_failed", probe), 70_000), block(after))
    server.folders["INBOX"].messages[1].size = claimed
    with server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("arrival")["tag"]["id"] == after.id_text
        assert collector.expect("complete")["foreign"] == 1
        assert pieces_of(server) <= 2 * PIECES and collector.count("down") == 0


def test_what_stands_in_the_midst_is_foreign():
    probe = Probe()
    report = fixture("qmail", probe).replace(b"Hi. This", b"Hi. " + b"z" * 65536 + b" This")
    report += b"z" * 65536
    with Server(report) as server, Collector() as collector:
        collector.watch(server.port)
        server.wait_for("IDLE")
        server.inbox.add(block(probe))
        server.sessions[0].tell_exists()
        collector.expect("arrival")
        assert collector.count("bounce") == 0
        collector.expect("complete", foreign=1)


def test_garbage_that_looks_like_a_report():
    source = random.Random(20261121)
    head = b'Return-Path: <>\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n--b\r\n'
    messages = [head + source.randbytes(40_000) for _ in range(20)]
    messages += [head * 700, head + b"(" * 60_000, head + b"\r\n" * 30_000, head + b"--b\r\n" * 12_000]
    after = Probe()
    with Server(*messages, block(after)) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("arrival")["tag"]["id"] == after.id_text
        server.wait_for("IDLE")
        assert pieces_of(server) >= len(messages)
        collector.expect("complete", foreign=len(messages))
        assert collector.count("bounce") == collector.count("down") == 0


def test_a_bounce_in_another_folder():
    probe = Probe()
    with Server() as server, Collector() as collector:
        server.folders["Junk"] = Folder(fixture("gmail_failed", probe), uid_validity=9)
        collector.watch(server.port, folders=["INBOX", "Junk"])
        bounce = collector.expect("bounce")
        collector.delete(bounce)
        server.wait_for("UID EXPUNGE 1")
    assert (bounce["folder"], bounce["uid_validity"]) == ("Junk", 9)


def once(answer):
    """The usual, but for the first piece of a message that is asked for."""
    left = [True]

    def fetch(session, tag, arguments):
        if "BODY.PEEK[]" in arguments and left:
            left.clear()
            answer(session, tag)
        else:
            session.answer(tag, "UID FETCH", arguments)

    return fetch


def test_a_connection_that_breaks_amid_it():
    """It is looked at again, and reported once."""
    probe, before = Probe(), Probe()
    on = {"UID FETCH": once(lambda session, tag: session.close())}
    messages = block(before), fixture("postfix_failed", probe)
    with Server(*messages, on=on) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("down")
        assert collector.expect("bounce")["probe"] == probe.id_text
        collector.expect("complete", foreign=0)
    assert collector.count("bounce") == collector.count("arrival") == 1


def test_a_message_that_the_server_will_not_show():
    on = {"UID FETCH": once(lambda session, tag: session.write(f"{tag} NO not that one\r\n"))}
    second = Probe()
    messages = fixture("qmail", second), fixture("postfix_failed", Probe())
    with Server(*messages, on=on) as server, Collector() as collector:
        collector.watch(server.port)  # the last one is looked at first
        assert collector.expect("bounce")["probe"] == second.id_text
        collector.expect("complete", foreign=1)
        assert collector.count("down") == 0


def test_an_answer_that_cannot_be_read():
    on = {"UID FETCH": once(lambda session, tag: session.write("* 2 FETCH (BODY[] ((((\r\n"))}
    second, after = Probe(), Probe()
    messages = fixture("qmail", second), fixture("postfix_failed", Probe()), block(after)
    with Server(*messages, on=on) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("arrival")["tag"]["id"] == after.id_text
        collector.expect("down")
        assert collector.expect("bounce")["probe"] == second.id_text
        collector.expect("complete", foreign=1)
    assert collector.count("bounce") == 1
