"""An agent with many peers, a tenth of them dead: its ledger, its peers, what all of it costs.

In place of mail servers, which would be what is measured, stand the scripted SMTP and IMAP server of
test/system: what is handed over for a peer that lives is answered at once by a signed probe of the
peer's, with a receipt, and as one that has seen all of ours. Of the dead every other one's relay
refuses the connection; what is handed over for the others is never heard of.
"""

import contextlib
import os
import re
import socket
import sqlite3
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from daemon import Daemon, PostOffice  # noqa: E402
from dovecot import free_port  # noqa: E402
from tag import Probe  # noqa: E402

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE
DEAD_EVERY = 10
PATIENCE = 60
SLOT = 1_784_000_000
PROBE = re.compile(rb"^Mailflow-Probe:(.*(?:\r?\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)
TOLD = re.compile(rb"^Mailflow-Receipts:\s+as_of=(\d+)", re.MULTILINE | re.IGNORECASE)
# Thinned to one in a quarter of an hour: 480 in five days.
DEAD_PROBES = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :dead)"
TRACE = (b"Received: from %s.example (%s.example [192.0.2.7]) by mx02.example (Postfix) with ESMTPS"
         b" id 4FZXKQ1Y for <probe@mx02.example>; Sat, 21 Nov 2026 12:00:00 +0000 (UTC)\r\n")


def name_of(number):
    return f"p{number:05}"


def is_dead(number):
    return number % DEAD_EVERY == DEAD_EVERY - 1


class Mesh(PostOffice):
    """The servers of all peers: `sent` counts what was handed over, `answered` what they sent."""

    def __init__(self, key, interval):
        super().__init__()
        self.key = key
        self.interval = interval
        self.sent = self.answered = 0
        self.slots = {}

    def deliver(self, session):
        session.send(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n")
        self.sent += 1
        fields = dict(part.split(b"=", 1) for part in
                      b"".join(PROBE.search(session.content)[1].split()).split(b";") if part)
        peer = fields[b"to"].decode()
        if not is_dead(int(peer[1:])):
            self.answer(peer, fields[b"id"].decode(), int(TOLD.search(session.content)[1]))
        del self.smtp.sessions[:-100], self.smtp.threads[:-100]

    def answer(self, peer, identity, told):
        now = time.time_ns() // 1000
        slot = self.slots[peer] = self.slots.get(peer, SLOT) + 1
        probe = Probe(self.key, sender=peer, addressee="mx02", slot=slot, previous=slot - 1, sent=now,
                      next=float(self.interval))
        probe.lists["Mailflow-Receipts"] = f"as_of={now}; seen={told}; got={identity}/{now}/1000"
        self.answered += 1
        self.put(probe.header_block() + b"\r\n", TRACE.replace(b"%s", peer.encode()))

    def put(self, headers, trace=b""):
        received = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime())
        self.imap.inbox.add(headers, received=received, trace=trace)
        del self.imap.commands[:-100]
        for session in self.imap.sessions:
            if session.idle_tag is not None:
                with contextlib.suppress(OSError):
                    session.tell_exists()


def configure(home, peers, interval):
    """A Daemon that is to be started, the Mesh that it speaks to, and where it listens."""
    refusing = socket.socket()  # bound, and never listening
    refusing.bind(("127.0.0.1", 0))
    listed = []
    for number in range(peers):
        name = name_of(number)
        listed.append({"name": name, "address": f"probe@{name}.example"})
        if is_dead(number) and number // DEAD_EVERY % 2:
            relay = {"host": "127.0.0.1", "port": refusing.getsockname()[1], "tls": "none"}
            listed[-1]["relay"] = relay
    mesh = Mesh(None, interval)
    port = free_port()
    daemon = Daemon(home, mesh, listed, http={"listen": [f"127.0.0.1:{port}"]},
                    defaults={"interval": f"{interval}s",
                              "latency": {"warning": "60s", "critical": "5m"}})
    mesh.key = daemon.key
    daemon.refusing = refusing
    return daemon, mesh, port


def remember(daemon, peers, each, dead):
    """A ledger with so many probes each way of every peer that lives, and so many to each that is dead.

    Written in SQL, by its columns in agent/shell/store_schema.c, for the sake of the time that it
    takes; returns how many probes there are.
    """
    daemon.start(patience=PATIENCE)
    daemon.stop(seconds=PATIENCE)
    database = sqlite3.connect(daemon.state / "ledger.db")
    database.execute("PRAGMA synchronous = OFF")
    indices = database.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'probes'"
                               " AND type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indices:  # made anew at the end, which is faster
        database.execute(f"DROP INDEX {name}")
    now = time.time_ns()
    database.execute("CREATE TEMP TABLE known (peer TEXT, dead INTEGER, now INTEGER)")
    database.executemany(  # the last probe of each was sent some time within the last minute
        "INSERT INTO known VALUES (?, ?, ?)",
        ((name_of(number), is_dead(number), now - number * 7919 % peers * MINUTE // peers)
         for number in range(peers)))
    values = {"minute": MINUTE, "each": each, "dead": dead, "slot": SLOT - 10000}
    database.execute(
        "WITH RECURSIVE n(i) AS (SELECT :each - 1 UNION ALL SELECT i - 1 FROM n WHERE i > 0),"
        " way(direction) AS (VALUES ('outbound'), ('inbound'))"
        " INSERT INTO probes (id, noted, peer, direction, kind, state, verdict, slot, planned, sent,"
        " accepted, arrived, latency, latency_error, next, code, reply, queue_id, reply_class)"
        " SELECT CAST(printf('%016d', row_number() OVER ()) AS BLOB), now - i * :minute, peer,"
        " direction, 'slot', 'arrived', 'on_time',"
        " :slot - i, now - i * :minute, now - i * :minute, now - i * :minute + 38000000,"
        " now - i * :minute + 1500000000, 1500000000, 4000000,"
        " iif(direction = 'inbound', :minute, NULL), iif(direction = 'outbound', 250, NULL),"
        " '250 2.0.0 Ok: queued as 4FZXKQ1Y', '4FZXKQ1Y', '2xx'"
        " FROM known JOIN way JOIN n WHERE NOT dead", values)
    database.execute(
        DEAD_PROBES +
        " INSERT INTO probes (id, noted, peer, direction, kind, state, verdict, slot, planned, sent,"
        " accepted, code, reply, queue_id, reply_class)"
        " SELECT CAST(printf('%016d', 1e9 + row_number() OVER ()) AS BLOB), at, peer,"
        " 'outbound', 'slot', 'accepted', 'open', :slot - i, at, at,"
        " at + 38000000, 250, '250 2.0.0 Ok: queued as 4FZXKQ1Y', '4FZXKQ1Y', '2xx'"
        " FROM (SELECT peer, i, now - (:dead - i) * 15 * :minute AS at"
        " FROM known JOIN n WHERE dead)", values)
    database.execute(
        "INSERT OR REPLACE INTO habits (peer, direction, known, fresh, learned, spf, dkim, dmarc, arc,"
        " passed, failing, misplaced, placed) SELECT peer, 'inbound', peer || '.example mx02.example',"
        " '', 10, '', '', '', '', 0, 0, 0, 5 FROM known WHERE NOT dead")
    database.execute("INSERT OR REPLACE INTO slots (peer, reserved, seen)"
                     " SELECT peer, :slot, iif(dead, NULL, now - :minute) FROM known", values)
    for _, statement in indices:
        database.execute(statement)
    database.execute("DELETE FROM marks")
    database.executemany("INSERT INTO marks VALUES (?, ?)",
                         (("alive", now), ("started", now - 10 * DAY)))
    database.commit()
    count = database.execute("SELECT count(*) FROM probes").fetchone()[0]
    database.close()
    descriptor = os.open(daemon.state / "ledger.db", os.O_RDONLY)
    os.fsync(descriptor)  # else the agent's first commit would wait for all of this
    os.close(descriptor)
    return count


# ---- what it costs ----


class Scrape:
    """GET /metrics: `seconds` it took, `size`, and the text."""

    def __init__(self, port):
        pieces = []
        with socket.create_connection(("127.0.0.1", port)) as connection:
            begun = time.perf_counter()
            connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n")
            self.first_byte = None
            while piece := connection.recv(1 << 20):
                self.first_byte = self.first_byte or time.perf_counter() - begun
                pieces.append(piece)
            self.seconds = time.perf_counter() - begun
        self.text = b"".join(pieces)
        self.size = len(self.text)

    def buckets(self, name):
        """{upper edge: how many up to it} of a histogram without labels."""
        found = re.findall(rb"^%s_bucket\{le=\"([^\"]+)\"\} (\d+)" % name.encode(), self.text, re.M)
        return {float(edge): int(count) for edge, count in found}


def quantile(before, after, share):
    """Of what was observed between two scrapes of a histogram: at most so much, by its buckets."""
    counts = {edge: after[edge] - before.get(edge, 0) for edge in after}
    wanted = share * counts[float("inf")]
    below, lower = 0, 0.0
    for edge, count in sorted(counts.items()):
        if count >= wanted and count > below:
            return lower + (edge - lower) * (wanted - below) / (count - below) if edge < 1e9 else edge
        below, lower = count, edge
    return 0.0

