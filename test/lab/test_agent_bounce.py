"""What comes back: failures with the words of whoever refused, delays, and other people's bounces."""

import datetime
import json

import together
from agent import merge
from told import find, in_flight, ledger, lines, restart, start, total, wait_for_line

SOON = 5.0  # seconds from the hand-over to the word


def peer(host, user):
    return [{"name": host.name, "address": f"{user}@{host.domain}"}]


def probe_of(host, probe):
    """All that the agent knows of one probe."""
    return json.loads(host.http_get(f"/api/v1/probes/{probe}")[1])


def took(host, line):
    """How long after its probe was handed over the line was received, in seconds."""
    probe = line[1]["probe"]
    sent = datetime.datetime.fromisoformat(probe_of(host, probe)["sent"])
    received = next(text for text in host.syslog() if f"probe={probe} " in text and "FIRING" in text)
    return (datetime.datetime.fromisoformat(received.split()[0]) - sent).total_seconds()


def bounced(host, path):
    """The line that says it: status, remote, cause."""
    shape = rf"bounced FIRING severity=critical path={path} bounced=1 status=(?P<status>\S+) "
    shape += r"remote=(?P<remote>\S+) incident=\d+ probe=(?P<probe>\w+) maintenance=none "
    shape += r'cause="(?P<cause>.*)"'
    priority, match = wait_for_line(host, shape)
    assert priority == "crit"
    return priority, match


def assert_cleaned(host, user="probe", left=0):
    """Nothing but so many messages of others stays in the mailbox."""
    host.wait_for(lambda: len(host.mail(user)) == left, 15, f"{left} messages left")


def print_line(host, line, seconds):
    print(f"{host.name}, {seconds:.2f} s after the hand-over: {line[1][0]}")


@together.on(hosts=2)
def test_an_unknown_user(mx01, mx02):
    path = f"{mx01.name}->{mx02.name}"
    start(mx02, mx01)
    start(mx01, mx02, peers=peer(mx02, "nobody"))
    line = bounced(mx01, path)
    seconds = took(mx01, line)
    print_line(mx01, line, seconds)
    assert seconds < SOON
    assert (line[1]["status"], line[1]["remote"]) == ("5.1.1", mx02.domain)
    assert line[1]["cause"].startswith(f"550 5.1.1 <nobody@{mx02.domain}>: Recipient address ")
    known = probe_of(mx01, line[1]["probe"])
    assert (known["state"], known["verdict"], known["arrived"]) == ("bounced", "bounced", None)
    assert known["bounce"]["status"] == "5.1.1" and known["bounce"]["action"] == "failed"
    assert known["bounce"]["recipient"] == f"nobody@{mx02.domain}" and known["delay"] is None
    told = mx01.ctl("explain", line[1]["probe"], check=True).stdout
    print(told)
    assert f"failed 5.1.1, says {mx02.domain}: 550 5.1.1 <nobody@{mx02.domain}>" in told
    wait_for_line(mx01, rf"probe BOUNCED path={path} .*", 5)
    slowest = "SELECT max(reported - sent), count(*) FROM probes JOIN bounces ON probe = id"
    nanoseconds, count = ledger(mx01, slowest)[0]
    print(f"{count} bounces, the slowest known {nanoseconds / 1e9:.2f} s after the hand-over")
    assert nanoseconds < SOON * 1e9
    assert len(find(mx01, r"bounced (FIRING|REMINDER) .*")) == 1
    labels = dict(direction="outbound", verdict="bounced")
    assert total(mx01, "probes_resolved_total", **labels) >= 5
    assert total(mx01, "bounces_total", fate="bounced") >= 5


@together.on(hosts=2)
def test_a_full_mailbox(mx01, mx02):
    path = f"{mx01.name}->{mx02.name}"
    mx02.servers["imap"].limit(f"someone@{mx02.domain}", "1B")
    start(mx02, mx01)
    start(mx01, mx02, peers=peer(mx02, "someone"))
    line = bounced(mx01, path)
    seconds = took(mx01, line)
    print_line(mx01, line, seconds)
    assert seconds < SOON
    assert line[1]["status"] == "5.2.2" and "552 5.2.2" in line[1]["cause"]
    assert "full" in line[1]["cause"] and probe_of(mx01, line[1]["probe"])["state"] == "bounced"


STRANGER = """\
From: MAILER-DAEMON@elsewhere.example
To: {recipient}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; elsewhere.example
Original-Envelope-Id: {envelope}

Final-Recipient: rfc822; {failed}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 unknown

--b
Content-Type: text/rfc822-headers

{returned}

--b--
"""


def send_stranger(host, envelope, failed="x@elsewhere.example", returned="Message-ID: <1@x.example>"):
    """A bounce of a message that no agent has sent, unless its envelope says so."""
    recipient = f"probe@{host.domain}"
    text = STRANGER.format(recipient=recipient, envelope=envelope, failed=failed, returned=returned)
    host.send("", recipient, text.replace("\n", "\r\n"))


@together.on(hosts=2)
def test_a_bounce_that_waits_for_the_agent(mx01, mx02):
    """Heard at the next start, in Junk too; then deleted, and that of a stranger left alone."""
    path = f"{mx01.name}->{mx02.name}"
    mx02.stop("smtp")
    folders = {"folders": ["INBOX", "Junk"]}
    mailboxes = [merge(mx01.default_agent_config([])["mailboxes"][0], folders)]
    start(mx01, mx02, peers=peer(mx02, "nobody"), mailboxes=mailboxes)
    mx01.wait_for(lambda: in_flight(mx01) >= 2, 20, "probes in flight")
    mx01.agent_stop()
    send_stranger(mx01, "QQ314159")
    mx02.start("smtp")
    mx01.flush()
    mx01.wait_for(lambda: len(mx01.mail("probe")) >= 3, 20, "bounces in the mailbox")
    sorted_out = mx01.mail("probe")[-1]
    sorted_out.rename(mx01.mail_home("probe") / "Maildir/.Junk/new" / sorted_out.name)
    restart(mx01)
    line = bounced(mx01, path)
    print(f"{mx01.name}, after its start: {line[1][0]}")
    mx02.stop("smtp")  # so that no more come
    assert_cleaned(mx01, left=1)
    mx01.wait_for(lambda: not mx01.mail("probe", "Junk"), 15, "an empty Junk folder")
    bounces = "SELECT count(*) FROM probes WHERE state = 'bounced'"
    assert ledger(mx01, bounces)[0][0] >= 2  # the one that was in Junk as well
    mx01.wait_for(lambda: total(mx01, "mailbox_foreign_messages") == 1, 40, "a foreign message")
    assert len(find(mx01, r"bounced FIRING .*")) == 1


@together.on(hosts=2)
def test_a_bounce_that_knows_the_envelope_alone(mx01, mx02):
    """Its id is in the ledger and its recipient the probe's: that is enough, not to delete it though.
    A stranger's, who knows the id from the page, is not believed."""
    mx02.stop("smtp")
    start(mx01, mx02)
    mx01.wait_for(lambda: in_flight(mx01) >= 1, 20, "a probe in flight")
    newest = wait_for_line(mx01, r"probe ACCEPTED path=\S+ probe=(\w+) .*")[1][1]
    address = f"probe@{mx02.domain}"
    send_stranger(mx01, newest)
    send_stranger(mx01, newest, failed=address)
    send_stranger(mx01, newest, returned="Subject: x")
    mx01.wait_for(lambda: total(mx01, "mailbox_foreign_messages") == 3, 40, "three of a stranger")
    assert probe_of(mx01, newest)["state"] == "accepted"
    for _ in range(2):
        send_stranger(mx01, newest, failed=address, returned="Subject: x")
    _, match = bounced(mx01, f"{mx01.name}->{mx02.name}")
    assert (match["probe"], match["status"]) == (newest, "5.1.1")
    assert match["remote"] == "elsewhere.example"
    wait_for_line(mx01, rf"bounce REPORTED .* probe={newest} action=failed fate=stale .*")
    mx01.wait_for(lambda: total(mx01, "mailbox_foreign_messages") == 5, 40, "all of them left alone")
    assert len(mx01.mail("probe")) == 5


@together.on(hosts=2)
def test_a_delay(mx01, mx02):
    path = f"{mx01.name}->{mx02.name}"
    mx01.servers["smtp"].adjust({"delay_warning_time": "1s"})
    mx02.stop("smtp")
    start(mx01, mx02, **{"defaults": {"latency": {"warning": "50s", "critical": "60s"}}})
    shape = rf"bounce REPORTED path={path} probe=(\w+) action=delayed fate=delayed "
    shape += r'status=(\S+) remote=(\S+) cause="(.*)"'
    priority, match = wait_for_line(mx01, shape)
    assert priority == "debug"
    print(f"{mx01.name}: {match[0]}")
    known = probe_of(mx01, match[1])
    assert (known["state"], known["verdict"], known["bounce"]) == ("accepted", "open", None)
    assert known["delay"]["action"] == "delayed" and known["delay"]["status"].startswith("4.")
    told = mx01.ctl("explain", match[1], check=True).stdout
    assert f"delayed {match[2]}, says {match[3]}: " in told and "it is in flight" in told
    start(mx02, mx01)
    mx02.start("smtp")
    mx01.wait_for(lambda: probe_of(mx01, match[1])["state"] == "arrived", 60, "its arrival")
    arrived = probe_of(mx01, match[1])
    print(f"it arrived after {arrived['latency_seconds']:.1f} s: {arrived['verdict']}")
    assert arrived["delay"] is not None and arrived["bounce"] is None
    assert not [text for _, text in lines(mx01) if text.startswith("bounced ")]
