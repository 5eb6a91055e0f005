"""Two mailflowds that tell each other of maintenance, by mail alone or over HTTP alone; and what one
makes of windows that a peer should never have announced.
"""

import contextlib
import json
import time

import pytest

import smtp_server
from daemon import Daemon, PostOffice, wait_for
from dovecot import free_port
from tag import Probe

HOUR = 3600 * 1_000_000
RARELY = {"interval": "10m"}  # what travels at such an interval has probes of its own


class Mesh:
    """mx01 and mx02, and an office for each: what one hands over lies in the other's mailbox."""

    def __init__(self, home, stack, mail, http):
        self.names = ("mx01", "mx02")
        ports = {name: free_port() for name in self.names}
        offices = {name: stack.enter_context(self._office(name, mail)) for name in self.names}
        self.offices = offices
        for name, peer in self.names, self.names[::-1]:
            place = home / name
            place.mkdir()
            agent = {"agent": f"http://127.0.0.1:{ports[peer]}"} if http else {}
            settings = {
                "server": name,
                "address": f"probe@{name}.example",
                "http": {"listen": [f"127.0.0.1:{ports[name]}"]},
                "defaults": RARELY,
            }
            peers = [{"name": peer, "address": f"probe@{peer}.example", **agent}]
            daemon = Daemon(place, offices[name], peers, **settings)
            setattr(self, name, stack.enter_context(daemon))

    def _office(self, name, mail):
        peer = self.names[name == self.names[0]]

        def deliver(session):
            content = session.content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            self.offices[peer].put(content)
            session.send(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n")

        refuse = {"greeting": [smtp_server.reply("421 4.3.2 no mail today"), smtp_server.close()]}
        return PostOffice(content=[deliver], **({} if mail else refuse))


@pytest.fixture(name="mesh")
def fixture_mesh(tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda **how: Mesh(tmp_path, stack, **how)


def order(daemon, method, path="", **members):
    """What the agent answers on its control socket to an order about maintenance."""
    status, text = daemon.request(method, f"/api/v1/maintenance{path}", json.dumps(members))
    assert status in (200, 201), text
    return json.loads(text)


def wait_for_acknowledgement(daemon, identity, peer, seconds=5.0):
    """In how many seconds the peer's acknowledgement is there."""
    begun = time.monotonic()
    known = lambda: peer in daemon.windows()[identity]["acknowledged"]  # noqa: E731
    wait_for(known, seconds, f"{peer} to acknowledge {identity}")
    return time.monotonic() - begun


def live_a_windows_life(mx01, mx02, way):
    """Begun at one agent, known to the other, extended by that, ended by the first."""
    window = order(mx01, "POST", duration_seconds=600, reason="kernel update", by="operator@mx01")
    identity = window["id"]
    took = wait_for_acknowledgement(mx01, identity, "mx02")
    print(f"acknowledged {way} after {took:.3f} s")
    there = mx02.windows()[identity]
    assert (there["server"], there["origin"], there["reason"]) == ("mx01", "peer", "kernel update")
    assert (there["begin"], there["end"]) == (window["begin"], window["end"])
    longer = order(mx02, "PATCH", f"/{identity}", extend_seconds=600)
    assert longer["revision"] == 2
    wait_for(lambda: mx01.windows()[identity]["end"] == longer["end"], 5, "the longer window")
    order(mx01, "DELETE", f"/{identity}")
    wait_for(lambda: mx02.windows()[identity]["state"] == "recovering", 5, "its early end")
    for daemon in mx01, mx02:
        daemon.wait(rf"maintenance END .*window={identity} .*")
        assert daemon.count(rf"maintenance BEGIN .*window={identity} .*") == 1
        assert daemon.count(rf"maintenance END .*window={identity} .*") == 1


def test_a_windows_life_by_mail_alone(mesh):
    both = mesh(mail=True, http=False)
    live_a_windows_life(both.mx01, both.mx02, "by mail")


def test_a_windows_life_over_http_while_all_mail_is_dead(mesh):
    both = mesh(mail=False, http=True)
    live_a_windows_life(both.mx01, both.mx02, "over HTTP")


def window_text(**changes):
    """One window as it travels, begun a minute ago."""
    now = time.time_ns() // 1000
    fields = {
        **{"id": "w-abcdefghij", "revision": 1, "server": "mx01", "kind": "r"},
        **{"begin": now - 60_000_000, "end": now + HOUR, "by": "root@mx01", "reason": "x"},
        **changes,
    }
    return "w=" + "/".join(str(value) for value in fields.values())


UNSOUND = {
    "a server of no mesh": {"server": "mx77"},
    "ends before it begins": {"end": time.time_ns() // 1000 - 2 * HOUR},
    "a revision that nobody could raise": {"revision": 4294967295},
    "longer than a year": {"end": time.time_ns() // 1000 + 24 * HOUR * 400},
    "years ahead": {
        "begin": time.time_ns() // 1000 + 24 * HOUR * 500,
        "end": time.time_ns() // 1000 + 24 * HOUR * 501,
    },
}
GARBAGE = ("w=", "w=////////", "w=a/b/c/d/e/f/g/h", "x" * 900, "w=" + "9/" * 400, "; ; ;=;", "%%%")


def deliver(daemon, office, maintenance, slot):
    """A probe from mx01 that carries this header, until it is recorded."""
    probe = Probe(daemon.key, sender="mx01", addressee="mx02", slot=slot)
    probe.lists = {"Mailflow-Maintenance": maintenance}
    office.put(probe.header_block())
    arrived = lambda: daemon.ledger("SELECT 1 FROM probes WHERE id = ?", probe.id)  # noqa: E731
    wait_for(arrived, 5, "the probe's arrival")


@pytest.fixture(name="listener")
def fixture_listener(tmp_path):
    """mx02, whose peer mx01 is played by the test; and its office."""
    peer = {"name": "mx01", "address": "probe@mx01.example"}
    with PostOffice() as office:
        with Daemon(tmp_path, office, [peer], defaults=RARELY) as daemon:
            yield daemon, office


def test_windows_that_no_peer_should_announce_are_refused(listener):
    daemon, office = listener
    for slot, (why, changes) in enumerate(UNSOUND.items(), 1):
        refused = daemon.metric("windows_refused_total")
        deliver(daemon, office, window_text(id=f"w-bad{slot}", **changes), slot)
        assert daemon.windows() == {}, why
        assert daemon.metric("windows_refused_total") == refused + 1, why
    said = daemon.found(r"window REFUSED peer=mx01 reason=.*")
    assert said and {priority for priority, _ in said} == {"warning"}
    print(said[0][1][0])


def test_garbage_in_place_of_windows_harms_nobody(listener):
    daemon, office = listener
    for slot, text in enumerate(GARBAGE, 1):
        deliver(daemon, office, text, slot)
    assert daemon.windows() == {}
    deliver(daemon, office, window_text(), len(GARBAGE) + 1)
    assert list(daemon.windows()) == ["w-abcdefghij"]


def test_a_stale_revision_changes_nothing(listener):
    daemon, office = listener
    now = time.time_ns() // 1000
    deliver(daemon, office, window_text(revision=3, end=now + 2 * HOUR), 1)
    before = daemon.windows()
    deliver(daemon, office, window_text(revision=2, end=now + HOUR), 2)
    assert daemon.windows() == before
    (window,) = before.values()
    assert (window["revision"], window["state"], window["origin"]) == (3, "active", "peer")
