"""A ledger with a past: what a mail server's agent would have written in the last week.

Rows are put in by SQL, with the columns as agent/shell/store_schema.c has them; a random seed of its
own, so that the pictures of it stay the same.
"""

import json
import math
import os
import random
import sqlite3
import time

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EMPTY = {"code": 250, "reply": "250 2.0.0 Ok: queued as 4FZXKQ1Y", "queue_id": "4FZXKQ1Y"}


class History:
    """Writes into a ledger that no agent has open."""

    def __init__(self, ledger, now=None):
        self.now = now or time.time_ns()
        self.random = random.Random(20060728)
        self.database = sqlite3.connect(ledger)
        self.slots = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.execute("DELETE FROM marks")
        for name, at in ("alive", self.now), ("started", self.now - 3 * DAY):
            self._insert("marks", {"name": name, "at": at})
        for peer, slot in self.slots.items():
            self._insert("slots", {"peer": peer, "reserved": slot + 1000})
        self.database.commit()
        self.database.close()

    def _insert(self, table, row):
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        query = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"
        return self.database.execute(query, list(row.values())).lastrowid

    def probe(self, peer, direction, sent, latency=None, verdict="on_time", **columns):
        """One probe; without a latency it has not arrived. Returns its id."""
        slot = self.slots[peer] = self.slots.get(peer, 1_784_000_000) + 1
        outbound = direction == "outbound"
        arrived = None if latency is None else sent + latency
        identity = os.urandom(16)
        handed_over = {
            **EMPTY, "reply_class": "2xx", "planned": sent, "accepted": sent + 38_000_000,
            "leg_dns": 900_000, "leg_connect": 6_100_000, "leg_submit": 31_000_000,
        }
        row = {
            "id": identity, "noted": sent if outbound else (arrived or sent), "peer": peer,
            "direction": direction, "kind": "slot",
            "state": "accepted" if latency is None else "arrived", "verdict": verdict, "slot": slot,
            "sent": sent, "arrived": arrived, "latency": latency,
            "latency_error": None if latency is None else 4_000_000, "excused": None,
            "next": None if outbound else 5 * MINUTE,
            **(handed_over if outbound else {"mailbox": "local", "folder": "INBOX"}), **columns,
        }
        self._insert("probes", row)
        return identity

    def latency(self, median, sent):
        """Around the median, slower by day, with a tail."""
        hour = sent % DAY / HOUR
        by_day = 1 + 0.5 * math.exp(-((hour - 10) ** 2) / 12)
        return int(median * by_day * self.random.lognormvariate(0, 0.35))

    def cadence(self, peer, direction, median, begin, end, step=5 * MINUTE):
        """On time, at every step of so many nanoseconds."""
        for sent in range(begin, end, step):
            self.probe(peer, direction, sent, self.latency(median, sent))

    def window(self, identity, server, begin, end, **columns):
        row = {
            "id": identity, "revision": 1, "server": server, "kind": "routine", "cancelled": 0,
            "begin": begin, "end": end, "by": "root@mx02", "reason": "", "origin": "operator",
        }
        self._insert("windows", {**row, **columns})

    def acknowledged(self, window, *peers):
        for peer in peers:
            self._insert("acknowledgements", {"window": window, "peer": peer, "revision": 1})

    def incident(self, kind, subject, began, **columns):
        row = {
            "kind": kind, "severity": "critical", "subject": subject, "began": began,
            "opened": began, "notified": 0, "suppressed_by": "",
        }
        return self._insert("incidents", {**row, **columns})

    # What is known of one probe beside its row

    def way(self, identity, hops, rerouted=False, **authentication):
        """Its Received lines, oldest first: (from, by, protocol, tls, queue id, time); and what the
        receiving server found, each method with (result, reason)."""
        trace = {"hops": [[sender, sender, by, protocol, tls, queue_id, at // SECOND]
                          for sender, by, protocol, tls, queue_id, at in hops],
                 "more": 0, "cut": False}
        if authentication:
            trace["authentication"] = {"authserv_id": "mx02.example", **authentication}
        self.database.execute(
            "INSERT INTO traces (row, trace, rerouted) SELECT row, ?, ? FROM probes WHERE id = ?",
            (json.dumps(trace), rerouted, identity))

    def transcript(self, identity, *lines):
        """(milliseconds, side, text) each."""
        text = "".join(f"{at * 1000} {side} {words}\n" for at, side, words in lines)
        self._insert("transcripts", {"probe": identity, "lines": text})

    def report(self, identity, action, reported, **columns):
        self._insert("bounces", {"probe": identity, "action": action, "reported": reported,
                                 **columns})

    def habits(self, peer, known, fresh=(), **columns):
        row = {
            "peer": peer, "direction": "inbound", "known": "\n".join(known),
            "fresh": "\n".join(fresh), "learned": 10, "spf": "pass", "dkim": "pass",
            "dmarc": "pass", "arc": "none", "passed": 7, "failing": 0, "misplaced": 0, "placed": 5,
        }
        self._insert("habits", {**row, **columns})
