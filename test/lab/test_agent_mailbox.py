"""A mailbox that cannot be read: said once, nothing else blamed for it, and all caught up after."""

import together
from agent import merge
from told import (
    count,
    notifications,
    reload,
    start,
    total,
    verdicts,
    wait_for_arrivals,
    wait_for_line,
)

UNSEEN = 6  # probes, one a second: longer than a silence takes to show


def mailboxes(host, changes):
    """The settings of the agent's mailbox with changes; None removes a key."""
    return [merge(host.default_agent_config([])["mailboxes"][0], changes)]


def wait_until_blind(host, cause):
    """The mailbox is down for this reason, and that is said after three seconds of it."""
    priority, match = wait_for_line(host, r'mailbox DOWN mailbox=local cause="([^"]*)"')
    assert (priority, match[1]) == ("warning", cause)
    priority, match = wait_for_line(host, r"blind FIRING .*mailbox=local unreadable=([\d.]+)s .*")
    assert priority == "crit" and 3 <= float(match[1]) < 4
    assert f'cause="{cause}"' in match[0]
    assert total(host, "imap_up", mailbox="local") == 0
    assert total(host, "incident_active", kind="blind", subject="local") == 1
    assert host.http_get("/readyz")[0] == 503
    what = f"mail that {host.name} does not see"
    host.wait_for(lambda: len(host.mail("probe")) >= UNSEEN, 20, what)


def assert_caught_up(host, sender):
    """The trouble is over, was said once, and what it held up is held against nobody."""
    wait_for_line(host, r"blind RESOLVED .*mailbox=local .*")
    wait_for_arrivals(host, sender, 3)
    host.wait_for(lambda: len(host.mail("probe")) <= 1, 10, "an empty mailbox")
    assert notifications(host) == [("blind", "FIRING", "local"), ("blind", "RESOLVED", "local")]
    assert total(host, "imap_up", mailbox="local") == 1
    assert host.http_get("/readyz")[0] == 200
    judged = verdicts(host, "inbound")
    print(f"{sender.name}->{host.name} after the blindness: {judged}")
    assert set(judged) <= {"on_time", "drained"} and sum(judged.values()) >= UNSEEN


def blind_by_configuration(host, sender, mistake, cause):
    start(sender, host)
    start(host, sender, mailboxes=mailboxes(host, mistake))
    wait_until_blind(host, cause)
    reload(host, sender)
    assert_caught_up(host, sender)


@together.on(hosts=2)
def test_a_wrong_password(mx01, mx02):
    wrong = mx01.directory / "wrong.password"
    wrong.touch(mode=0o600)
    wrong.write_text("not-this-one")
    cause = f"{mx01.domain}:143: login as probe@{mx01.domain} refused: "
    cause += "[AUTHENTICATIONFAILED] Authentication failed."
    blind_by_configuration(mx01, mx02, {"password_file": str(wrong)}, cause)


@together.on(hosts=2)
def test_a_certificate_for_another_name(mx01, mx02):
    cause = f"{mx01.name}:143: certificate of {mx01.name} does not match: it is for {mx01.domain}"
    blind_by_configuration(mx01, mx02, {"host": mx01.name}, cause)


@together.on(hosts=2)
def test_an_authority_that_nobody_trusts(mx01, mx02):
    cause = f"{mx01.domain}:143: certificate is not trusted: "
    cause += "unable to get local issuer certificate"
    blind_by_configuration(mx01, mx02, {"ca_file": None}, cause)


@together.on(hosts=2)
def test_imap_stopped(mx01, mx02):
    start(mx02, mx01)
    start(mx01, mx02)
    wait_for_arrivals(mx01, mx02)
    mx01.stop("imap")
    down = rf'mailbox DOWN mailbox=local cause="{mx01.domain}:143: %s"'
    # Dovecot says good-bye or just hangs up, as it happens to find the session.
    wait_for_line(mx01, down % "the server (closed|ended) the connection.*")
    wait_for_line(mx01, down % "Connection refused")
    wait_for_line(mx01, r"blind FIRING .*mailbox=local .*")
    what = f"mail that {mx01.name} does not see"
    mx01.wait_for(lambda: len(mx01.mail("probe")) >= UNSEEN, 20, what)
    mx01.start("imap")
    assert_caught_up(mx01, mx02)
    assert count(mx01, "mailbox UP mailbox=local") == 2
