"""Probes handed over as users do, with TLS and a password; and what it says when that fails."""

import re
from pathlib import Path

import together
from agent import merge
from told import (
    find,
    ledger,
    notifications,
    reload,
    start,
    start_pair,
    total,
    wait_for_arrivals,
    wait_for_line,
)


def submission(host, changes=None):
    """The submission service of the host's own Postfix; a change to None removes a key."""
    relay = {"host": host.domain, "port": 587, "tls": "starttls", "user": f"probe@{host.domain}"}
    relay["password_file"] = str(host.password_file("probe"))
    relay["ca_file"] = str(host.lab.authority)
    return merge(relay, changes or {})


def mailbox(host, **changes):
    return merge(host.default_agent_config([])["mailboxes"][0], changes)


def last_legs(host):
    """(tls, auth) of the newest probe that a server took over, in seconds."""
    query = "SELECT leg_tls / 1e9, leg_auth / 1e9 FROM probes WHERE state = 'accepted' OR"
    query += " state = 'arrived' AND direction = 'outbound' ORDER BY planned DESC LIMIT 1"
    return ledger(host, query)[0]


@together.on(hosts=2)
def test_submission_with_a_password_and_imap_over_tls(mx01, mx02):
    for host, peer in (mx01, mx02), (mx02, mx01):
        box = mailbox(host, port=993, tls="implicit", folders=["INBOX", "Junk"])
        start(host, peer, relay=submission(host), mailboxes=[box])
    wait_for_arrivals(mx01, mx02, 3)
    tls, auth = last_legs(mx01)
    print(f"legs of a probe by submission: tls {tls * 1e3:.1f} ms, auth {auth * 1e3:.1f} ms")
    assert 0 < tls < 1 and 0 < auth < 1
    assert f"sasl_username=probe@{mx01.domain}" in (mx01.directory / "maillog").read_text()


def refused(host, peer, relay, cause, kind="isolated", subject=None):
    """The relay does not work for this reason, and that is said; mended, it ends."""
    path = f"{host.name}->{peer.name}"
    subject = subject or host.name
    start(peer, host)
    start(host, peer, relay=relay)
    priority, match = wait_for_line(host, rf'{kind} FIRING .*={subject} .* cause="(.*?)".*')
    assert (priority, match[1]) == ("crit", cause)
    password = host.password("probe")
    assert not [line for line in host.syslog() if password in line]
    reload(host, peer, relay=submission(host))
    wait_for_line(host, rf"{kind} RESOLVED .*={subject} .*")
    wait_for_arrivals(host, peer)
    assert notifications(host) == [(kind, state, subject) for state in ("FIRING", "RESOLVED")]
    assert find(host, rf"probe ACCEPTED path={path} .*")


@together.on(hosts=2)
def test_a_wrong_password_for_the_relay(mx01, mx02):
    wrong = mx01.directory / "wrong.password"
    wrong.touch(mode=0o600)
    wrong.write_text("not-this-one")
    relay = submission(mx01, {"password_file": str(wrong)})
    cause = "535 5.7.8 Error: authentication failed: (reason unavailable)"
    # The server has answered: with one peer alone it may be about that one.
    refused(mx01, mx02, relay, cause, "refused", f"{mx01.name}->{mx02.name}")
    assert total(mx01, "smtp_replies_total", **{"class": "5xx"}) >= 3


@together.on(hosts=2)
def test_a_relay_with_another_name_in_its_certificate(mx01, mx02):
    cause = f"certificate of {mx01.name} does not match: it is for {mx01.domain}"
    refused(mx01, mx02, submission(mx01, {"host": mx01.name}), cause)
    assert total(mx01, "smtp_replies_total", **{"class": "tls"}) >= 3


@together.on(hosts=2)
def test_a_relay_whose_authority_nobody_trusts(mx01, mx02):
    cause = "certificate is not trusted: unable to get local issuer certificate"
    refused(mx01, mx02, submission(mx01, {"ca_file": None}), cause)
    assert total(mx01, "smtp_replies_total", **{"class": "tls"}) >= 3


GUIDE = Path(__file__).parents[2] / "config/GUIDE.md"
AT_ONCE = (
    "465 inet n - n - - smtpd -o syslog_name=postfix/465 -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes"
    " -o smtpd_relay_restrictions=permit_sasl_authenticated,reject"
    " -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject"
)


def settings_of_the_guide(hoster, folder):
    """Those by which a Postfix speaks TLS at once, with the hoster's name and our folder."""
    (text,) = re.findall(r"^# /etc/postfix/main.cf\n(inet_interfaces.*?)^```$", GUIDE.read_text(), re.M | re.S)
    text = text.replace("smtp.hoster.example", hoster).replace("/etc/postfix", str(folder))
    settings = dict(re.findall(r"^(\w+) = ?(.*)$", text, re.M))
    settings.pop("inet_interfaces")  # the lab looks from outside whether it greets
    return settings


@together.on(hosts=2)
def test_a_relay_that_speaks_tls_at_once_behind_a_postfix(mx01, mx02):
    """As the guide has it, where a company has port 465 only."""
    postfix, hoster = (host.servers["smtp"] for host in (mx01, mx02))
    hoster.tool("postconf", "-M", f"465/inet={AT_ONCE}")
    hoster.adjust({"smtpd_tls_loglevel": "1"})  # takes the service over, too
    login = postfix.home / "relay.password"
    login.write_text(f"[{mx02.domain}]:465 probe@{mx02.domain}:{mx02.password('probe')}\n")
    postfix.adjust(settings_of_the_guide(mx02.domain, postfix.home))
    start_pair(mx01, mx02)
    taken = re.findall(r"postfix/465/smtpd\S* .*sasl_username=(\S+)", (mx02.directory / "maillog").read_text())
    assert taken and set(taken) == {f"probe@{mx02.domain}"}
