"""Beside other servers than Postfix and Dovecot: Exim and OpenSMTPD, Cyrus and Courier."""

import imaplib
import ssl

import other_imap
import other_mtas
import together
import unpacked
from agent import merge
from told import (
    count,
    reload,
    start,
    total,
    verdicts,
    wait_for_arrivals,
    wait_for_line,
)
from ways import newest_arrival, way_of

ACCURATE = 0.5  # seconds of error at most, once the cadence of a peer is known

# ---- mail servers ----


def submission(host):
    """As a user of the host's own server would hand mail over."""
    endpoint = {"host": host.domain, "port": 587, "tls": "starttls"}
    endpoint |= {"user": f"probe@{host.domain}", "ca_file": str(host.lab.authority)}
    return {"relay": endpoint | {"password_file": str(host.password_file("probe"))}}


def hops_between(sender, receiver):
    """Those of the newest probe, by the name of the server that wrote them."""
    way = way_of(receiver, newest_arrival(receiver, sender))
    assert way["route"]["hosts"] == [sender.domain, receiver.domain], way["route"]
    assert all(hop["queue_id"] and hop["time"] for hop in way["hops"]), way["hops"]
    return {hop["by"]: hop for hop in reversed(way["hops"])}  # the first of each


def bounce_of(host, peer, status, **overrides):
    """What is said of probes to somebody whom the peer does not know."""
    nobody = [{"name": peer.name, "address": f"nobody@{peer.domain}"}]
    reload(host, peers=nobody, **overrides)
    shape = rf"bounced FIRING severity=critical path={host.name}->{peer.name} .* "
    shape += rf'status={status} remote=(\S+) .* maintenance=none cause="(.+)"'
    _, match = wait_for_line(host, shape)
    print(f"{host.name}: {match[0]}")
    reload(host, peer, **overrides)
    return match


def assert_delayed(host, peer):
    """The host's server says that it keeps trying, and the probe is in flight."""
    peer.stop("smtp")
    shape = rf"bounce REPORTED path={host.name}->{peer.name} probe=(\w+) action=delayed "
    shape += r"fate=delayed status=4\.\S+ .*"

    def told():
        host.servers["smtp"].flush()
        return count(host, shape) > 0

    host.wait_for(told, 40, "the word that it is delayed")
    _, match = wait_for_line(host, shape)
    print(f"{host.name}: {match[0]}")
    assert host.api(f"probes/{match[1]}")["state"] == "accepted"


@together.on(hosts=2)
def test_exim(mx01, mx02):
    unpacked.replace(mx01, "smtp", other_mtas.Exim)
    start(mx01, mx02, **submission(mx01))
    start(mx02, mx01)
    wait_for_arrivals(mx01, mx02)
    first = hops_between(mx01, mx02)[mx01.domain]
    assert first["protocol"] == "esmtpsa" and first["tls"].startswith("TLSv1.3 TLS_"), first
    last = hops_between(mx02, mx01)[mx01.domain]
    assert last["protocol"] == "esmtps" and last["tls"].startswith("TLSv1.3 TLS_"), last
    assert bounce_of(mx02, mx01, "5.0.0")[2] == "550 Unrouteable address"
    match = bounce_of(mx01, mx02, "5.1.1", **submission(mx01))
    assert match[1] == mx02.domain and "Recipient address rejected" in match[2]
    assert_delayed(mx01, mx02)


@together.on(hosts=2)
def test_opensmtpd(mx01, mx02):
    unpacked.replace(mx01, "smtp", other_mtas.OpenSmtpd)
    start(mx01, mx02)
    start(mx02, mx01)
    wait_for_arrivals(mx01, mx02)
    assert hops_between(mx01, mx02)[mx02.domain]["protocol"] == "ESMTPS"
    assert hops_between(mx02, mx01)[mx01.domain]["protocol"] == "ESMTP"
    assert "Invalid recipient" in bounce_of(mx02, mx01, "5.0.0")[2]
    # It does not tell who refused, but in which words.
    match = bounce_of(mx01, mx02, "5.1.1")
    assert match[1] == mx01.domain and "Recipient address rejected" in match[2]
    assert_delayed(mx01, mx02)


# ---- IMAP servers ----


def listed(host):
    """[flags of each message] in the mailbox of the probes, by another client."""
    context = ssl.create_default_context(cafile=host.lab.authority)
    with host.inside(), imaplib.IMAP4_SSL(host.address, ssl_context=context) as session:
        session.login(f"probe@{host.domain}", host.password("probe"))
        session.select("INBOX", readonly=True)
        _, found = session.uid("FETCH", "1:*", "(FLAGS)")
        return [imaplib.ParseFlags(line) for line in found if line]


def newest_error(host, peer):
    return way_of(host, newest_arrival(host, peer))["latency_error_seconds"]


def wait_for_accuracy(host, peer):
    what = f"an arrival at {host.name} with a small error"
    host.wait_for(lambda: newest_error(host, peer) < ACCURATE, 20, what)
    seen = way_of(host, newest_arrival(host, peer))
    print(f"{host.name}: {seen['latency_seconds']} s +- {seen['latency_error_seconds']} s")


def assert_collects(host, peer):
    """By STARTTLS, then by IMAPS: probes go when they were read, mail of others stays as it is."""
    start(host, peer)
    start(peer, host)
    wait_for_arrivals(host, peer)
    wait_for_accuracy(host, peer)
    peer.send(f"someone@{peer.domain}", f"probe@{host.domain}", "Subject: lunch?\r\n\r\nNoon.\r\n")
    host.wait_for(lambda: total(host, "mailbox_foreign_messages") == 1, 20, "a stranger's mail")
    box = host.default_agent_config([])["mailboxes"][0]
    reload(host, peer, mailboxes=[merge(box, {"port": 993, "tls": "implicit"})])
    wait_for_arrivals(host, peer)
    wait_for_accuracy(host, peer)

    def stranger_alone():
        flags = listed(host)
        return len(flags) == 1 and b"\\Seen" not in flags[0]

    host.wait_for(stranger_alone, 20, "a stranger's mail alone, and unseen")


def assert_restarts(host, peer):
    host.stop("imap")
    wait_for_line(host, r"mailbox DOWN mailbox=local .*")
    ups = count(host, "mailbox UP mailbox=local")
    host.start("imap")
    wait_for_line(host, "mailbox UP mailbox=local", ups + 1)
    wait_for_arrivals(host, peer)
    judged = verdicts(host, "inbound")
    assert set(judged) <= {"on_time", "drained"}, judged


def assert_anew(host, peer, left):
    """The mailbox with other numbers: all that comes is found, and deleted by those."""
    host.servers["imap"].make_anew("probe")
    wait_for_arrivals(host, peer, 3)
    peer.agent_stop()
    host.wait_for(lambda: len(listed(host)) == left, 40, f"{left} in the mailbox")
    host.wait_for(lambda: total(host, "mailbox_foreign_messages") == left, 40, f"{left} left alone")


@together.on(hosts=2)
def test_cyrus(mx01, mx02):
    unpacked.replace(mx01, "imap", other_imap.Cyrus)
    assert_collects(mx01, mx02)
    assert_restarts(mx01, mx02)
    assert_anew(mx01, mx02, left=0)


@together.on(hosts=2)
def test_courier(mx01, mx02):
    unpacked.replace(mx01, "imap", other_imap.Courier)
    assert_collects(mx01, mx02)
    assert_restarts(mx01, mx02)
    assert_anew(mx01, mx02, left=1)
