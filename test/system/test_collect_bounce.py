"""mailflow-collect and what comes back: reports of delivery among mail of all kinds."""

import base64
import pathlib
import random
import time

import pytest

from collector import BUILD, Collector
from imap_server import Folder, Server
from tag import Probe

FIXTURES = pathlib.Path(__file__).parents[1] / "unit/bounces"
PIECES = 8  # of 8 KiB each: as much as is looked at


def fixture(name, probe):
    """A report about this probe, as test/unit has it."""
    text = (FIXTURES / f"{name}.eml").read_text()
    message_id = probe.message_id()
    encoded = base64.b64encode(f"Message-ID: {message_id}\r\n\r\n".encode()).decode()
    values = {"message-id": message_id, "envelope": probe.id_text, "message-id-base64": encoded}
    for placeholder, value in values.items():
        text = text.replace(f"{{{placeholder}}}", value)
    return text.replace("\n", "\r\n").encode()


def pieces_of(server):
    """How often a part of a message was asked for."""
    return sum("BODY.PEEK[]" in command for command in server.commands)


def block(probe):
    return probe.header_block() + b"\r\n"


def test_a_bounce_is_reported_and_deleted():
    probe = Probe()
    with Server(fixture("postfix_failed", probe)) as server, Collector() as collector:
        collector.watch(server.port)
        bounce = collector.expect("bounce")
        assert collector.expect("complete")["foreign"] == 0
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
    """What is about a probe is reported; the probe behind it is, whatever it is."""
    probe, after = Probe(), Probe()
    with Server(fixture(name, probe), block(after)) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("complete")["foreign"] == int(name in FOREIGN)
        bounces = [report for report in collector.seen if report["report"] == "bounce"]
        arrivals = [report for report in collector.seen if report["report"] == "arrival"]
    assert [arrival["tag"]["id"] for arrival in arrivals] == [after.id_text]
    assert [bounce["probe"] for bounce in bounces] == ([] if name in FOREIGN else [probe.id_text])


FOREIGN = ("nested", "read_receipt", "strangers", "vacation")


def test_an_envelope_alone_claims():
    probe = Probe()
    with Server(fixture("envelope_only", probe)) as server, Collector() as collector:
        collector.watch(server.port)
        bounce = collector.expect("bounce")
    assert bounce["probe"] == probe.id_text and "tag" not in bounce


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
        server.wait_for("UID FETCH 1 ", 2 + PIECES)  # its tag, its headers, the pieces
        print(f"10 MB: {pieces_of(server)} pieces, {took * 1e3:.0f} ms, {resident >> 20} MiB")
        assert bounce["tag"]["id"] == probe.id_text
        assert pieces_of(server) == PIECES
        assert resident < 64 << 20 or "sanitized" in str(BUILD)


def test_what_stands_too_far_behind_is_foreign():
    probe = Probe()
    report = fixture("qmail", probe).replace(b"Hi. This", b"Hi. " + b"z" * 65536 + b" This")
    with Server(report) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("complete")["foreign"] == 1
        assert collector.count("bounce") == 0


def test_garbage_that_looks_like_a_report():
    source = random.Random(20261121)
    head = b'Return-Path: <>\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n--b\r\n'
    messages = [head + source.randbytes(40_000) for _ in range(20)]
    messages += [head * 700, head + b"(" * 60_000, head + b"\r\n" * 30_000, head + b"--b\r\n" * 12_000]
    after = Probe()
    with Server(*messages, block(after)) as server, Collector() as collector:
        collector.watch(server.port)
        assert collector.expect("arrival")["tag"]["id"] == after.id_text
        assert collector.expect("complete")["foreign"] == len(messages)
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
        assert collector.expect("complete")["foreign"] == 0
    assert collector.count("bounce") == collector.count("arrival") == 1


def test_a_message_that_the_server_will_not_show():
    on = {"UID FETCH": once(lambda session, tag: session.write(f"{tag} NO not that one\r\n"))}
    second = Probe()
    messages = fixture("qmail", second), fixture("postfix_failed", Probe())
    with Server(*messages, on=on) as server, Collector() as collector:
        collector.watch(server.port)  # the last one is looked at first
        assert collector.expect("bounce")["probe"] == second.id_text
        assert collector.expect("complete")["foreign"] == 1
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
        assert collector.expect("complete")["foreign"] == 1
    assert collector.count("bounce") == 1
