"""What an agent believes of reports about its probes that are not under the signature of the mesh."""

import pytest

from daemon import Daemon, PostOffice, wait_for
from test_collect_bounce import pieces_of

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@elsewhere.example
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; elsewhere.example
Original-Envelope-Id: {envelope}

{recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 unknown

--b
Content-Type: text/rfc822-headers

{returned}

--b--
"""
TAKEN = r"probe ACCEPTED path=mx02->mx01 probe=(\w+) .*"
BOUNCED = r"bounced FIRING .* remote=elsewhere.example .* probe={} .*"


@pytest.fixture(name="hole")
def fixture_hole():
    """Takes mail over and delivers none of it."""
    with PostOffice() as office:
        office.smtp.script["content"] = [lambda session: session.send(b"250 2.0.0 Ok: queued as 1\r\n")]
        yield office


def put(office, **fields):
    return office.put(REPORT.format(**fields).replace("\n", "\r\n").encode())


def final(address):
    return f"Final-Recipient: rfc822; {address}"


def original(address):
    return f"Original-Recipient: rfc822;{address}\nFinal-Recipient: rfc822; x@elsewhere.example"


@pytest.mark.parametrize("recipient", [final, original])
def test_an_envelope_and_its_recipient_are_believed_and_the_mail_is_kept(tmp_path, hole, recipient):
    with Daemon(tmp_path, hole) as daemon:
        probe = daemon.wait(TAKEN)[1][1]
        uid = put(hole, envelope=probe, recipient=recipient("Probe@MX01.example"), returned="To: x")
        daemon.wait(BOUNCED.format(probe))
        assert daemon.api(f"probes/{probe}")["state"] == "bounced"
        wait_for(lambda: daemon.metric("mailbox_foreign_messages", mailbox="local") == 1, 10, "one")
        assert uid in hole.mailbox


@pytest.mark.parametrize(
    ("recipient", "returned"),
    [
        (final("x@elsewhere.example"), "To: <probe@mx01.example>"),
        (final("probe@mx01.example"), "Message-ID: <1@elsewhere.example>"),
        ("X: y", "To: <probe@mx01.example>"),
    ],
    ids=["another recipient", "another message", "no recipient"],
)
def test_an_envelope_that_the_rest_contradicts_is_not_believed(tmp_path, hole, recipient, returned):
    with Daemon(tmp_path, hole) as daemon:
        probe, other = daemon.wait(TAKEN, count=2)[1][1], daemon.wait(TAKEN)[1][1]
        forged = put(hole, envelope=probe, recipient=recipient, returned=returned)
        wait_for(lambda: pieces_of(hole.imap) == 1, 10, "a look at it")
        put(hole, envelope=other, recipient=final("probe@mx01.example"), returned="To: x")
        daemon.wait(BOUNCED.format(other))  # which has been read after it
        wait_for(lambda: daemon.metric("mailbox_foreign_messages", mailbox="local") == 2, 10, "two")
        assert daemon.api(f"probes/{probe}")["state"] == "accepted"
        assert forged in hole.mailbox and daemon.count(rf"bounce REPORTED .* probe={probe} .*") == 0
