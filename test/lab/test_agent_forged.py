"""Mail that pretends to be a probe, by the tag as test/system/tag.py writes it independently."""

import sys
import time
from pathlib import Path

import pytest

from told import find, ledger, start, total

sys.path.append(str(Path(__file__).parents[1] / "system"))
from tag import Key, Probe, message  # noqa: E402

HOUR_AGO = (time.time_ns() - 3600 * 10**9) // 1000
FIGURES = (
    "probes_received_total",
    "probes_resolved_total",
    "delivery_latency_seconds_count",
    "delivery_latency_seconds_sum",
    "delivery_latency_last_seconds",
    "delivery_latency_error_seconds",
    "last_arrival_timestamp_seconds",
    "clock_offset_seconds",
)


@pytest.fixture(scope="module", name="mx01")
def fixture_mx01(make_lab):
    """An agent whose only peer sends what this test writes; its own probes are an hour apart."""
    mx01, mx02 = make_lab(2)
    start(mx01, mx02, defaults={"interval": "1h"})
    mx01.wait_for(lambda: mx01.http_get("/readyz")[0] == 200, 10, "a ready agent")
    return mx01


@pytest.fixture(scope="module", name="key")
def fixture_key(mx01):
    return Key("k1", mx01.lab.mesh_key.read_bytes().strip())


def probe_of(key, **fields):
    return Probe(key, **{"next": 3600.0, **fields})


def deliver(host, text):
    host.send("probe@mx02.example", f"probe@{host.domain}", text)


def figures(host):
    """Everything on /metrics that an arrival would change."""
    return {name: total(host, name) for name in FIGURES}


def wait_for_arrival(host, probe):
    """Until the ledger has it; returns its state, verdict and whether it was stripped."""
    query = "SELECT state, verdict, stripped FROM probes WHERE id = ?"
    return host.wait_for(lambda: ledger(host, query, probe.id), 10, "an arrival")[0]


def forgeries(key):
    """[(why it is refused, message)]; each would be an hour late if it were believed."""
    wrong = Key("k1", bytes(32))
    tampered = probe_of(key, sent=HOUR_AGO, slot=5).header_block().replace(b"slot=5", b"slot=6")
    unsigned = probe_of(key, sent=HOUR_AGO).header_block().partition(b"Mailflow-Signature")[0]
    other_id = probe_of(wrong, sent=HOUR_AGO).message_id()
    big = probe_of(key, sent=HOUR_AGO, lists={"Mailflow-Receipts": "x=" + "y " * 5000})
    whole = probe_of(key, sent=HOUR_AGO).header_block()
    twice = whole + whole[whole.index(b"Mailflow-Probe") : whole.index(b"Mailflow-Signature")]
    nonsense = whole.replace(b"v=1; from=mx02", b"v=1; from=")
    return [
        ("signature", probe_of(wrong, sent=HOUR_AGO).message()),
        ("signature", probe_of(Key("k9", key.secret), sent=HOUR_AGO).message()),
        ("signature", message(tampered)),
        ("signature", message(unsigned.replace(b"Message-ID: <", b"Message-ID: <x"))),
        ("signature", message(f"Message-ID: {other_id}\r\n".encode())),
        ("malformed", message(nonsense)),
        ("malformed", message(twice)),
        ("too_big", big.message()),
        ("unknown_peer", probe_of(key, sender="mx77", sent=HOUR_AGO).message()),
        ("misrouted", probe_of(key, addressee="mx03", sent=HOUR_AGO).message()),
    ]


def test_forged_and_replayed_probes_change_no_latency(mx01, key):
    genuine = probe_of(key)
    deliver(mx01, genuine.message())
    assert wait_for_arrival(mx01, genuine)[:2] == ("arrived", "on_time")
    mx01.wait_for(lambda: total(mx01, "probes_received_total") == 1, 5, "the genuine probe counted")
    before = figures(mx01)
    attacks = forgeries(key)
    for _, text in attacks:
        deliver(mx01, text)
    deliver(mx01, genuine.message())

    rejected = lambda: total(mx01, "probes_rejected_total")  # noqa: E731
    mx01.wait_for(lambda: rejected() == len(attacks), 10, f"{len(attacks)} rejections")
    replayed = lambda: total(mx01, "probe_duplicates_total", peer="mx02")  # noqa: E731
    mx01.wait_for(lambda: replayed() == 1, 10, "a duplicate")
    for reason in {reason for reason, _ in attacks}:
        wanted = sum(why == reason for why, _ in attacks)
        counted = total(mx01, "probes_rejected_total", reason=reason)
        print(f"{reason}: {counted:g}")
        assert counted == wanted
    assert figures(mx01) == before
    assert ledger(mx01, "SELECT count(*) FROM probes WHERE direction = 'inbound'") == [(1,)]


def test_rejections_are_told_without_a_flood(mx01):
    said = find(mx01, r'tag REJECTED mailbox=local reason=(\w+) cause="[^"]+" more=(\d+)')
    assert [(priority, match[2]) for priority, match in said] == [("warning", "0")]


def test_a_stripped_probe_is_recognised(mx01, key):
    before = figures(mx01)
    stripped = probe_of(key, slot=1050)
    deliver(mx01, message(f"Message-ID: {stripped.message_id()}\r\n".encode()))
    assert wait_for_arrival(mx01, stripped) == ("arrived", "on_time", 1)
    received = before["probes_received_total"] + 1
    mx01.wait_for(lambda: total(mx01, "probes_received_total") == received, 5, "its count")
    after = figures(mx01)
    assert after["delivery_latency_seconds_count"] == before["delivery_latency_seconds_count"] + 1
    assert after["delivery_latency_last_seconds"] < 5
