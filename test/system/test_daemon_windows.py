"""mailflowd and maintenance windows: announced, acknowledged, learned, refused, and all that kept."""

import json
import re
import signal
import time
import urllib.parse

import pytest

from daemon import Daemon, wait_for
from tag import Probe

ACKNOWLEDGED = r"maintenance ACKNOWLEDGED .* window={} .*"


def mesh(home, office, interval):
    """mx02 with two peers that are agents; the test speaks for them."""
    daemon = Daemon(home, office, peers=())
    peers = [{"name": name, "address": f"probe@{name}.example"} for name in ("mx01", "mx03")]
    daemon.configure(daemon.settings, {"peers": peers, "defaults": {"interval": interval}})
    return daemon


@pytest.fixture(name="daemon")
def fixture_daemon(tmp_path, office):
    with mesh(tmp_path, office, "60s") as daemon:
        await_ready(daemon)
        yield daemon


def await_ready(daemon):
    """Until it has read its mailbox: from then on it sees for itself when mail comes."""
    wait_for(lambda: daemon.request("GET", "/readyz")[0] == 200, 10, "readiness")


def kill_and_start(daemon):
    daemon.stop(signal.SIGKILL)
    daemon.start()
    await_ready(daemon)


def say(daemon, office, sender, maintenance, kind="announce"):
    """A probe of this peer arrives with this Mailflow-Maintenance."""
    probe = Probe(daemon.key, sender=sender, addressee="mx02", kind=kind, slot=0, previous=0)
    probe.lists["Mailflow-Maintenance"] = maintenance
    office.put(probe.header_block() + b"\r\n")


def told(office, receiver):
    """What the daemon has announced to this peer so far: the Mailflow-Maintenance of its probes."""
    contents = office.contents
    heads = [content.partition(b"\r\n\r\n")[0].decode() for content in contents]
    heads = [re.sub(r"\r\n[ \t]+", " ", head) for head in heads]
    found = [re.search(r"^Mailflow-Maintenance: (.*)$", head.replace("\r", ""), re.MULTILINE)
             for head in heads if f"to={receiver};" in head]
    return [match[1] for match in found if match]


def begin(daemon, **request):
    status, text = daemon.request("POST", "/api/v1/maintenance", json.dumps(request))
    assert status == 201, text
    return json.loads(text)


def item(window, server, begin_in=0, end_in=600, by="root@mx03", revision=1):
    now = time.time_ns() // 1000
    begins, ends = now + begin_in * 1000000, now + end_in * 1000000
    who = urllib.parse.quote(by, safe="@")
    return f"w={window}/{revision}/{server}/r/{begins}/{ends}/{who}/disk%20swap"


def known(daemon, window):
    return daemon.api(f"maintenance/{window}")["acknowledged"]


def test_acknowledgements_outlive_a_kill(daemon, office):
    window = begin(daemon, reason="kernel update", by="root@host.example")
    name = window["id"]
    assert re.fullmatch(r"w-[a-z2-7]{10}", name)
    assert (window["by"], window["origin"]) == ("root@mx02", "operator")
    assert [peer["peer"] for peer in window["unacknowledged"]] == ["mx01", "mx03"]
    daemon.wait(rf'maintenance BEGIN server=mx02 kind=routine window={name} end=\S+Z by=root@mx02 '
                r'reason="kernel update" acknowledged=0/2')
    for peer in ("mx01", "mx03"):
        wait_for(lambda at=peer: any(f"w={name}/1/mx02/r/" in text for text in told(office, at)),
                 5, f"announcement to {peer}")
    assert daemon.metric("maintenance_unacknowledged_peers", server="mx02") == 2

    say(daemon, office, "mx01", f"ack={name}/1", kind="answer")
    wait_for(lambda: known(daemon, name) == ["mx01"], 5, "acknowledgement by mx01")
    assert daemon.count(ACKNOWLEDGED.format(name)) == 0

    kill_and_start(daemon)
    assert known(daemon, name) == ["mx01"]
    assert daemon.api(f"maintenance/{name}")["by"] == "root@mx02"

    say(daemon, office, "mx03", f"ack={name}/1", kind="answer")
    priority, match = daemon.wait(ACKNOWLEDGED.format(name))
    assert priority == "notice" and " revision=1 acknowledged=2/2" in match[0]
    assert daemon.metric("maintenance_unacknowledged_peers", server="mx02") == 0
    kill_and_start(daemon)
    assert known(daemon, name) == ["mx01", "mx03"]
    assert daemon.count(ACKNOWLEDGED.format(name)) == 1
    assert daemon.count(rf"maintenance BEGIN .* window={name} .*") == 1


def test_a_change_is_to_be_acknowledged_anew(daemon, office):
    name = begin(daemon)["id"]
    for peer in ("mx01", "mx03"):
        say(daemon, office, peer, f"ack={name}/1", kind="answer")
    _, match = daemon.wait(ACKNOWLEDGED.format(name))
    assert re.search(r" acknowledged=2/2 after=[\d.]+s$", match[0])
    status, text = daemon.request("PATCH", f"/api/v1/maintenance/{name}",
                                  '{"extend_seconds": 60, "by": "alice"}')
    assert status == 200 and json.loads(text)["acknowledged"] == [], text
    daemon.wait(rf"maintenance CHANGED .* window={name} .* by=alice@mx02 .* acknowledged=0/2")
    for peer in ("mx01", "mx03"):
        say(daemon, office, peer, f"ack={name}/2", kind="answer")
    _, match = daemon.wait(ACKNOWLEDGED.format(name), count=2)
    assert " revision=2 " in match[0]


def test_a_window_of_a_peer_is_learned_answered_and_kept(daemon, office):
    say(daemon, office, "mx03", item("w-theirs", "mx03"))
    daemon.wait(r"maintenance BEGIN server=mx03 kind=routine window=w-theirs .* by=root@mx03 "
                r'reason="disk swap"')
    wait_for(lambda: any("ack=w-theirs/1" in text for text in told(office, "mx03")), 5,
             "the answer with the acknowledgement")
    kill_and_start(daemon)
    window = daemon.api("maintenance/w-theirs")
    assert (window["origin"], window["by"], window["state"]) == ("peer", "root@mx03", "active")
    assert (window["acknowledged"], window["unacknowledged"]) == ([], [])
    assert daemon.count(r"maintenance BEGIN .* window=w-theirs .*") == 1

    say(daemon, office, "mx03", item("w-theirs", "mx03", -10, -5, revision=2))
    daemon.wait(r"maintenance END server=mx03 .* window=w-theirs .*")


def test_a_window_of_a_stranger_is_refused_and_counted(daemon, office):
    say(daemon, office, "mx03", f'{item("w-far", "mx77")}; {item("w-back", "mx03", 10, 5)}')
    _, match = daemon.wait(r"window REFUSED peer=mx03 reason=(.*) more=\d+")
    assert "w-far" in match[1] and "no server mx77 here" in match[1]
    wait_for(lambda: daemon.metric("windows_refused_total") == 2, 5, "both counted")
    assert daemon.api("maintenance")["maintenance"] == []
    wait_for(lambda: any("no=w-far/1" in text and "no=w-back/1" in text
                         for text in told(office, "mx03")), 5, "the refusals told to the peer")
    assert daemon.request("GET", "/api/v1/maintenance/w-far")[0] == 404


# ---- overrun ----

FIRING = r"overrun FIRING severity=critical server=mx01 .*"
RESOLVED = r"overrun RESOLVED server=mx01 .*"


def arrive(daemon, office, sender, got=()):
    """A probe of this peer, with receipts for these of ours, as of now."""
    now = time.time_ns() // 1000
    probe = Probe(daemon.key, sender=sender, addressee="mx02", next=60.0, drain=60)
    items = " ".join(f"{identity}/{now}/0" for identity in got)
    probe.lists["Mailflow-Receipts"] = f"as_of={now}; seen=0; got={items}"
    office.put(probe.header_block() + b"\r\n")


def in_flight(daemon, path):
    return [probe["id"] for probe in daemon.api(f"probes?path={path}")["probes"]
            if probe["state"] == "accepted"]


def test_an_overrun_outlives_a_kill_and_is_said_once(tmp_path, office):
    with mesh(tmp_path, office, "2s") as daemon:
        daemon.wait(r"probe ACCEPTED path=mx02->mx01 .*")
        await_ready(daemon)
        say(daemon, office, "mx03", item("w-story", "mx01", -60, 2))
        priority, match = daemon.wait(FIRING, seconds=20)
        assert priority == "crit"
        assert re.search(r" kind=routine window=w-story planned_end=\S+Z late_by=[\d.]+s "
                         r"in_flight=\d+ incident=\d+ maintenance=none cause=\".+\"$", match[0])
        assert daemon.metric("maintenance_overrun_seconds", server="mx01") > 0
        assert daemon.metric("incident_active", kind="overrun", subject="mx01") == 1

        kill_and_start(daemon)
        (overrun,) = [incident for incident in daemon.api("status")["incidents"]
                      if incident["kind"] == "overrun"]
        assert overrun["notified"] and overrun["aftermath"]["window"] == "w-story"

        arrive(daemon, office, "mx01", got=in_flight(daemon, "mx02-%3Emx01"))
        priority, match = daemon.wait(RESOLVED, seconds=20)
        assert priority == "notice"
        drained = int(re.search(r" planned_end=\S+Z resumed=\S+Z overran=[\d.]+s drained=(\d+) "
                                r"lost=0 in_flight=\d+ suppressed=\d+ longest=[\d.]+s "
                                r"resumed_by=mx0\d->mx0\d incident=\d+$", match[0])[1])
        assert drained > 0 and daemon.count(FIRING) == 1
        assert daemon.metric("maintenance_overrun_seconds", server="mx01") == 0

        kill_and_start(daemon)
        (closed,) = [incident for incident in daemon.api("incidents")["incidents"]
                     if incident["kind"] == "overrun"]
        assert closed["closed"] and closed["aftermath"]["drained"] == drained
        assert daemon.count(RESOLVED) == 1

        arrive(daemon, office, "mx01", got=in_flight(daemon, "mx02-%3Emx01"))
        priority, match = daemon.wait(r"drain DONE server=mx01 arrived=(\d+) lost=0 longest=[\d.]+s "
                                      r"in_flight=0 window=w-story incident=\d+")
        assert priority == "info" and int(match[1]) >= drained
