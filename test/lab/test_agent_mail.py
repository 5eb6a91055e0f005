"""Two agents at work, and what they do to the mailbox: their probes go, others' mail stays."""

import functools

import pytest

from told import start_pair, total, wait_for_arrivals

PLAIN = b"""From: someone@mx02.example\r
To: probe@mx01.example\r
Subject: lunch?\r
Message-ID: <lunch@mx02.example>\r
\r
Noon, the usual place.\r
"""
BOUNCE = b"""From: MAILER-DAEMON@mx02.example\r
To: probe@mx01.example\r
Subject: Undelivered Mail Returned to Sender\r
Auto-Submitted: auto-replied\r
Message-ID: <bounce@mx02.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
I could not deliver your holiday pictures.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx02.example\r
\r
Final-Recipient: rfc822; nobody@mx03.example\r
Action: failed\r
Status: 5.1.1\r
--b--\r
"""


@pytest.fixture(scope="module", name="pair")
def fixture_pair(make_lab):
    """Two hosts between whose agents mail flows."""
    mx01, mx02 = make_lab(2)
    start_pair(mx01, mx02)
    return mx01, mx02


def test_both_agents_show_both_directions(pair):
    for host, peer in (pair, pair[::-1]):
        for direction in ("outbound", "inbound"):
            labels = {"peer": peer.name, "direction": direction}
            metric = functools.partial(host.metric, **labels)
            assert metric("mailflow_delivery_latency_seconds_count") >= 1
            assert 0 < metric("mailflow_delivery_latency_last_seconds") < 2
            assert metric("mailflow_last_arrival_timestamp_seconds") > 1.7e9
            assert metric("mailflow_path_state", state="ok") == 1
            assert total(host, "path_state", **labels) == 1
            assert total(host, "probes_resolved_total", verdict="on_time", **labels) >= 1
            path = (host, peer) if direction == "outbound" else (peer, host)
            name = "->".join(end.name for end in path)
            shown = [p for p in host.api("status")["paths"] if p["path"] == name]
            assert [p["state"] for p in shown] == ["ok"]
            print(f"{host.name}: {name} {shown[0]['last_latency_seconds']:.3f} s")
            assert f"{name} " in host.ctl("status", check=True).stdout
        assert host.http_get("/readyz")[0] == 200


STRANGERS = (b"<lunch@mx02.example>", b"<bounce@mx02.example>")


def contents(host):
    """What lies in the mailbox of the probes: {name: (flags, text)}, or None while it changes."""
    found = {}
    for file in host.mail("probe"):
        name, _, flags = file.name.partition(":2,")
        try:
            found[name] = flags, file.read_bytes()
        except FileNotFoundError:
            return None
    return found


def test_probes_are_removed_and_strangers_left_alone(pair):
    mx01, mx02 = pair
    foreign = functools.partial(mx01.metric, "mailflow_mailbox_foreign_messages", mailbox="local")
    for text in PLAIN, BOUNCE:
        mx02.send("someone@mx02.example", f"probe@{mx01.domain}", text)

    def strangers():
        found = contents(mx01) or {}
        alone = all(any(id in text for id in STRANGERS) for _, text in found.values())
        return alone and len(found) == 2 and found

    what = "two letters and no probe in the mailbox"
    before = mx01.wait_for(strangers, 10, what)
    assert all(flags == "" for flags, _ in before.values()), "unseen, as they came"
    mx01.wait_for(lambda: foreign() == 2, 10, "two foreign messages on /metrics")
    wait_for_arrivals(mx01, mx02, 4)
    assert mx01.wait_for(strangers, 10, what) == before
    assert foreign() == 2
    mx02.wait_for(lambda: contents(mx02) == {}, 10, "an empty mailbox")
