"""The way that probes take: hop by hop, another than it was, slow at one of its hops."""

import base64

import together
from told import (
    ledger,
    notifications,
    reload,
    start,
    start_pair,
    total,
    wait_for_arrivals,
    wait_for_line,
)
from ways import delaying, judge, newest_arrival, relays_for, send_by, way_of, write_checks

DELAY = 6  # seconds: less than Postfix waits for a greeting
LATE = {"defaults": {"latency": {"warning": "3s", "critical": "15s"}}}  # and so not silent


def hosts_of(way):
    return way["route"]["hosts"]


@together.on(hosts=3, long=True)
def test_a_slow_hop_is_the_one_named(mx01, mx02, mx03):
    start_pair(mx01, mx02, **LATE)
    probe = newest_arrival(mx02, mx01)
    straight = way_of(mx02, probe)
    assert hosts_of(straight) == [mx01.domain, mx02.domain]
    by = {hop["by"]: hop for hop in straight["hops"]}
    assert by[mx01.domain]["queue_id"] and by[mx02.domain]["queue_id"]
    first = next(hop for hop in straight["hops"] if hop["by"] == mx02.domain)
    assert first["protocol"] == "ESMTPS" and first["tls"].startswith("TLSv1.3 TLS_AES_")
    assert not any(hop["slowest"] for hop in straight["hops"])
    assert all(abs(hop["delta_seconds"]) <= 2 for hop in straight["hops"]), straight["hops"]

    relays_for(mx03, mx02, mx01)
    with delaying(mx03, 2525, "127.0.0.1:25", DELAY):
        send_by(mx01, mx02, mx03, 2525)
        hop = rf"hop={mx03.domain} hop_delay=(\d+)s hop_from={mx01.domain}"
        path = f"{mx01.name}->{mx02.name}"
        line = rf"slow FIRING severity=\w+ path={path} .* probe=(\S+) .*{hop}.*"
        found = wait_for_line(mx02, line, seconds=90)[1]
        assert DELAY - 1 <= int(found[2]) <= DELAY + 8, found[0]
        explained = mx02.ctl("explain", found[1], check=True).stdout
        slowest = [text for text in explained.splitlines() if text.rstrip().endswith("slowest")]
        assert len(slowest) == 1 and slowest[0].split()[0] == mx03.domain, explained
        evidence = next(i for i in mx02.api("incidents")["incidents"] if i["kind"] == "slow")
        assert evidence["evidence"]["hop"] == mx03.domain
        assert hosts_of(mx02.api(f"probes/{found[1]}")) == [
            mx01.domain,
            mx03.domain,
            mx02.domain,
        ]
        print(f"a hop slowed by {DELAY} s: {found[0]}")
        print(explained)
    send_by(mx01, mx02, None)
    wait_for_line(mx02, rf"slow RESOLVED severity=\w+ path={path} .*", seconds=90)


def learned(host):
    return ledger(host, "SELECT learned FROM habits WHERE direction = 'inbound'") == [(10,)]


def strange(host):
    return ledger(host, "SELECT count(*) FROM traces WHERE rerouted = 1")[0][0]


@together.on(hosts=3, long=True)
def test_another_route_is_said_but_not_in_an_emergency(mx01, mx02, mx03):
    path = f"{mx01.name}->{mx02.name}"
    usual, other = f"{mx01.domain} {mx02.domain}", f"{mx01.domain} {mx03.domain} {mx02.domain}"
    relays_for(mx03, mx02, mx01)
    start_pair(mx01, mx02)
    mx02.wait_for(lambda: learned(mx02), 40, "a route that is known")
    send_by(mx01, mx02, mx03)
    line = rf'rerouted FIRING severity=warning path={path} route="{other}" usual="{usual}" .*'
    priority, found = wait_for_line(mx02, line)
    assert priority == "warning"
    opened = found[0].partition("probe=")[2].split()[0]
    query = "SELECT count(*) FROM traces JOIN probes USING (row) WHERE rerouted = 1 AND noted <="
    query += " (SELECT noted FROM probes WHERE id = ?)"
    number = ledger(mx02, query, base64.b32decode(opened + "======"))[0][0]
    assert number == 3, number
    print(f"opened by probe {number} over the third server: {found[0]}")
    send_by(mx01, mx02, None)
    wait_for_line(mx02, rf"rerouted RESOLVED .*path={path} .* reason=back .*")

    options = ("--for", "15s", "--kind", "emergency", "--reason", "migration", "--wait", "20s")
    mx01.ctl("maintenance", "begin", *options, check=True)
    before = strange(mx02)
    send_by(mx01, mx02, mx03)
    told = wait_for_line(mx02, rf'route CHANGED path={path} route="{other}" .* maintenance=w-.*')
    assert told[0] == "info"
    mx02.wait_for(lambda: strange(mx02) >= before + 5, 20, "five probes over the third server")
    send_by(mx01, mx02, None)
    wait_for_line(mx02, r"maintenance END .*", seconds=40)
    wait_for_arrivals(mx01, mx02, 4)
    assert [kind for kind, *_ in notifications(mx02)] == ["rerouted", "rerouted"]
    assert total(mx02, "route_changes_total", peer=mx01.name) == 2
    print(f"in an emergency: {told[1][0]}; over it {strange(mx02) - before} probes, nothing said")


@together.on(hosts=2)
def test_authentication_that_turns(mx01, mx02):
    path = f"{mx01.name}->{mx02.name}"
    ours = f"Authentication-Results: {mx02.domain};"
    forged = f"{ours} spf=pass; dkim=pass (forged); dmarc=pass"
    write_checks(mx01, "forged", f"^Mailflow-Probe:.*to={mx02.name}", forged)
    judge(mx02, "verdict0", mx01, "spf=pass; dkim=pass")
    box = {**mx02.default_agent_config([])["mailboxes"][0], "authserv_id": mx02.domain}
    start(mx01, mx02)
    start(mx02, mx01, mailboxes=[box])
    wait_for_arrivals(mx01, mx02)

    def result_is(result):
        return total(mx02, "auth_result", peer=mx01.name, method="dkim", result=result) == 1

    mx02.wait_for(lambda: result_is("pass"), 20, "dkim=pass")
    assert total(mx02, "auth_result", peer=mx01.name, method="dmarc") == 0  # the forged one says
    judge(mx02, "verdict1", mx01, "spf=pass; dkim=fail (bad signature)")
    line = rf"unauthenticated FIRING severity=warning path={path} method=dkim result=fail .*"
    _, found = wait_for_line(mx02, line)
    assert 'cause="bad signature"' in found[0]
    mx02.wait_for(lambda: result_is("fail"), 5, "dkim=fail")
    judged = way_of(mx02, newest_arrival(mx02, mx01))["authentication"]
    assert (judged["spf"], judged["dkim"], judged["dmarc"]) == ("pass", "fail", None), judged
    judge(mx02, "verdict2", mx01, "spf=pass; dkim=pass")
    wait_for_line(mx02, rf"unauthenticated RESOLVED .*path={path} .*")
    print(f"a forged pass below it is not believed: {found[0]}")


@together.on(hosts=2, long=True)
def test_probes_that_are_put_into_junk(mx01, mx02):
    path = f"{mx01.name}->{mx02.name}"
    dovecot = mx02.servers["imap"]
    with open(dovecot.home / "dovecot.conf", "a") as configuration:
        configuration.write("lmtp_save_to_detail_mailbox = yes\n")
    mx02.run("doveadm", "-c", dovecot.home / "dovecot.conf", "reload")
    box = {**mx02.default_agent_config([])["mailboxes"][0], "folders": ["INBOX", "Junk"]}
    junk = [{"name": mx02.name, "address": f"probe+Junk@{mx02.domain}"}]
    start(mx01, mx02)
    start(mx02, mx01, mailboxes=[box])
    wait_for_arrivals(mx01, mx02)
    reload(mx01, mx02, peers=junk)
    line = rf"misplaced FIRING severity=warning path={path} misplaced=[345]/5 folder=Junk .*"
    _, found = wait_for_line(mx02, line, seconds=90)
    assert way_of(mx02, newest_arrival(mx02, mx01, "folder = 'Junk'"))["folder"] == "Junk"
    assert total(mx02, "probes_misplaced_total", peer=mx01.name) >= 3
    reload(mx01, mx02)
    mx02.wait_for(lambda: not mx02.mail("probe", "Junk"), 10, "an empty Junk folder")
    wait_for_line(mx02, rf"misplaced RESOLVED .*path={path} .*", seconds=90)
    print(found[0])
