"""mailflow-collect and a real Dovecot whose mailbox is full of other people's mail: 50,000 messages
with MAILFLOW_STRANGERS=50000, by default fewer."""

import os
import time

import pytest

import dovecot
from collector import BUILD, Collector
from tag import Probe, message

pytestmark = pytest.mark.skipif(not dovecot.is_available(), reason="needs root and Dovecot")
STRANGERS = int(os.environ.get("MAILFLOW_STRANGERS", 2000))
EVERY = STRANGERS // 10  # one of ours among so many


@pytest.fixture(name="maildir")
def fixture_maildir():
    with dovecot.running() as server:
        maildir = dovecot.Maildir(server, "crowded")
        maildir.port = server.port
        yield maildir


def stranger(number):
    kind = [b"Message-ID: <(((@example.org>\r\n", b"X: ((((((\r\nContent-Type: (((\r\n",
            b"Auto-Submitted: auto-replied\r\n"][number % 3]
    return message(kind, body=b"%d\r\n" % number)


def test_ours_are_found_and_strangers_left_as_they_are(maildir):
    ours = []
    for number in range(STRANGERS):
        maildir.deliver(stranger(number))
        if number % EVERY == EVERY // 2:
            ours.append(Probe(slot=number + 1, next=3600))
            maildir.deliver(ours[-1].message())
    before = {name: content for name, (_, content) in maildir.files().items()
              if b"Mailflow-Probe" not in content}
    assert len(before) == STRANGERS
    with Collector(timeout="60s") as collector:
        empty = collector.resident_bytes()
        begun = time.monotonic()
        collector.watch(maildir.port, user="crowded")
        arrivals = [collector.expect("arrival", patience=180) for _ in ours]
        complete = collector.expect("complete", patience=60)
        took = time.monotonic() - begun
        assert complete["foreign"] == STRANGERS
        found = [arrival["tag"]["id"] for arrival in arrivals]
        assert sorted(found) == sorted(probe.id_text for probe in ours)
        for arrival in arrivals:
            collector.delete(arrival)
        late = Probe(next=3600)
        seen_from = time.monotonic()
        maildir.deliver(late.message())
        last = collector.expect("arrival", patience=30)
        assert last["tag"]["id"] == late.id_text
        seen = time.monotonic() - seen_from
        cpu, grown = collector.cpu_seconds(), collector.resident_bytes() - empty
        collector.delete(last)
        end = time.monotonic() + 30
        while len(maildir.files()) > STRANGERS and time.monotonic() < end:
            time.sleep(0.1)
        assert collector.count("down") == 0
    after = maildir.files()
    assert {name: content for name, (_, content) in after.items()} == before
    assert {flags for flags, _ in after.values()} <= {""}
    print(f"{STRANGERS} strangers: read in {took:.1f} s, {cpu:.2f} s of CPU, {grown >> 10} KiB more;"
          f" the next of ours seen after {seen * 1000:.0f} ms")
    assert cpu < 1 + STRANGERS / 1000
    assert grown < 48 << 20 or "sanitized" in str(BUILD)  # that keeps what was freed
