"""Peers out of lists: files that come, change, break and go, and names that the DNS is asked for."""

import json
import os
import pathlib
import re
import socket
import sys

import pytest

from daemon import Daemon, wait_for
from process import patient

NAME = "_mailflow._tcp.example.net"
HERE = pathlib.Path(__file__).parent


def group(*servers):
    return [{"targets": [f"{server}.example.net:9925" for server in servers]}]


def put(file, content):
    """As what writes such files does: there whole or not at all."""
    beside = file.with_suffix(".tmp")
    beside.write_text(content if isinstance(content, str) else json.dumps(content))
    beside.rename(file)


def peers(daemon):
    return sorted({path["peer"] for path in daemon.api("paths")["paths"]})


def await_peers(daemon, *expected):
    wait_for(lambda: peers(daemon) == list(expected), 15, f"the peers {expected}")


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    folder = tmp_path / "peers"
    folder.mkdir()
    return folder


def files(tmp_path, folder, office=None, **overrides):
    source = {"files": [str(folder / "*.json")]}
    return Daemon(tmp_path, office, peers_from=[source], **overrides)


# ---- files ----


def test_files_come_change_and_go(tmp_path, folder, office):
    put(folder / "a.json", group("mx02", "mx03"))
    with files(tmp_path, folder, office) as daemon:
        assert peers(daemon) == ["mx01", "mx03"]
        assert daemon.metric("peer_source_up", source=str(folder / "a.json")) == 1
        put(folder / "b.json", group("mx04", "mx05"))
        await_peers(daemon, "mx01", "mx03", "mx04", "mx05")
        daemon.wait(r"peers CHANGED peers=4 added=2 removed=0 mesh=4 fanout=0")
        put(folder / "a.json", group("mx02", "mx05"))
        await_peers(daemon, "mx01", "mx04", "mx05")
        (folder / "b.json").unlink()
        await_peers(daemon, "mx01", "mx05")
        assert daemon.metric("peers") == 2 and daemon.metric("mesh_servers") == 2
        assert daemon.count("config RELOADED.*") == 0


def test_peers_that_stay_keep_what_is_known_of_them(tmp_path, folder, office):
    put(folder / "a.json", group("mx02", "mx03"))
    with files(tmp_path, folder, office) as daemon:
        wait_for(lambda: daemon.metric("probes_sent_total", peer="mx03") >= 2, 15, "probes to mx03")
        put(folder / "a.json", group("mx02", "mx03", "mx04"))
        await_peers(daemon, "mx01", "mx03", "mx04")
        assert daemon.metric("probes_sent_total", peer="mx03") >= 2
        wait_for(lambda: daemon.metric("probes_sent_total", peer="mx04") >= 1, 15, "one to mx04")
        put(folder / "a.json", group("mx02", "mx03"))
        await_peers(daemon, "mx01", "mx03")
        assert daemon.metric("probes_sent_total", peer="mx04") is None


def test_a_peer_that_leaves_takes_its_incidents_along(tmp_path, folder, office):
    put(folder / "a.json", group("mx02", "mx03"))
    with files(tmp_path, folder, office) as daemon:
        daemon.wait(r"(unheard|down|silent) FIRING .*mx03.*", seconds=40)
        put(folder / "a.json", group("mx02"))
        await_peers(daemon, "mx01")
        daemon.wait(r"(unheard|down|silent) RESOLVED .*mx03.*")
        incidents = daemon.api("incidents")["incidents"]
        assert not [one for one in incidents if not one["closed"] and "mx03" in one["subject"]]


def test_a_file_that_breaks_leaves_its_list(tmp_path, folder, office):
    put(folder / "a.json", group("mx02", "mx03"))
    with files(tmp_path, folder, office) as daemon:
        put(folder / "a.json", '[{"targets": ["mx02.example.net",\n"mx04.example.net"')
        _, line = daemon.wait(r"config WARNING problem=(.*)")
        assert re.search(rf"{folder}/a.json:3:1: warning: .*; the 2 servers last read from it "
                         "stand", line[1])
        up = str(folder / "a.json")
        wait_for(lambda: daemon.metric("peer_source_up", source=up) == 0, 5, "the source is down")
        assert peers(daemon) == ["mx01", "mx03"]
        put(folder / "b.json", group("mx05"))  # others go on meanwhile
        await_peers(daemon, "mx01", "mx03", "mx05")
        assert daemon.count(r"config WARNING .*") == 1
        put(folder / "a.json", group("mx02", "mx04"))
        daemon.wait(rf"peers USABLE source={folder}/a.json")
        await_peers(daemon, "mx01", "mx04", "mx05")
        assert daemon.metric("peer_source_up", source=up) == 1


def test_what_differs_leaves_all_as_it_is(tmp_path, folder, office):
    put(folder / "a.json", group("mx02", "mx03"))
    with files(tmp_path, folder, office) as daemon:
        put(folder / "b.json", [{"targets": ["mx03.example.org"]}, *group("mx04")])
        _, line = daemon.wait(r"config PROBLEM problem=(.*)")
        assert "b.json:1:1: 'mx03' is another server" in line[1] and "a.json:1:" in line[1]
        daemon.wait(r"peers REFUSED errors=1 .*")
        assert peers(daemon) == ["mx01", "mx03"]
        assert daemon.metric("peer_sources_agree") == 0
        put(folder / "b.json", group("mx04"))
        await_peers(daemon, "mx01", "mx03", "mx04")
        assert daemon.metric("peer_sources_agree") == 1


def test_a_reload_does_not_lose_a_list_that_is_broken_now(tmp_path, folder, office):
    put(folder / "a.json", group("mx02", "mx03"))
    with files(tmp_path, folder, office) as daemon:
        put(folder / "a.json", "{}")
        daemon.wait(r"config WARNING .*")
        status, said = daemon.request("POST", "/api/v1/reload")
        assert status == 200, said
        assert peers(daemon) == ["mx01", "mx03"]


def begin_scrape(daemon):
    """A connection over which the metrics come only as fast as they are read."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(patient(10))
    connection.connect(daemon.settings["http"]["control"])
    connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert connection.recv(1024).startswith(b"HTTP/1.1 200 ")
    return connection


def test_an_answer_under_way_never_mixes_two_lists(tmp_path, folder):
    many = [f"mx{n}" for n in range(200, 500)]
    put(folder / "a.json", group("mx02", *many))
    seldom = {"interval": "1h", "latency": {"warning": "5m", "critical": "10m"}}
    daemon = files(tmp_path, folder, peers=[], defaults=seldom)
    with daemon, begin_scrape(daemon) as scrape:
        put(folder / "a.json", group("mx02", "mx100", *many))
        daemon.wait(r"peers CHANGED .*added=1 .*", seconds=40)
        rest = b"".join(iter(lambda: scrape.recv(65536), b""))
        assert not rest.endswith(b"\r\n0\r\n\r\n")


# ---- names ----


class Names:
    """What the name servers know, and a daemon that asks them."""

    def __init__(self, tmp_path):
        self.file = tmp_path / "records.json"

    def set(self, do="", *servers):
        rows = [[0, 0, 9925, f"{server}.example.net"] for server in servers]
        put(self.file, {NAME: {"srv": rows, "do": do}})

    @property
    def before(self):
        return ("unshare", "--net", "--mount", sys.executable, HERE / "dns_server.py", self.file)


@pytest.fixture(name="names")
def fixture_names(tmp_path):
    return Names(tmp_path)


def named(tmp_path, **overrides):
    source = {"srv": NAME, "refresh": "1s", "agent": "https://{host}:{port}"}
    return Daemon(tmp_path, peers=[], peers_from=[source], **overrides)


own_network = pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own takes root")
UNUSABLE = rf"peers UNUSABLE source={NAME} problem=(.*) consequence=(.*)"


@own_network
def test_a_name_appears_changes_and_disappears(tmp_path, names):
    names.set("", "mx02", "mx03")
    with named(tmp_path).start(before=names.before) as daemon:
        await_peers(daemon, "mx03")
        names.set("", "mx02", "mx03", "mx04")
        await_peers(daemon, "mx03", "mx04")
        wait_for(lambda: daemon.metric("peer_source_up", source=NAME) == 1, 5, "the source is up")
        names.set("nxdomain")
        _, line = daemon.wait(UNUSABLE)
        assert line[1] == '"the name does not exist (NXDOMAIN)"'
        assert line[2] == '"its last answer stands: 3 servers"'
        assert daemon.metric("peer_source_up", source=NAME) == 0
        assert peers(daemon) == ["mx03", "mx04"]
        names.set("truncate", "mx02", "mx05")
        await_peers(daemon, "mx05")
        daemon.wait(rf"peers USABLE source={NAME}")
        assert daemon.count(UNUSABLE) == 1


@own_network
@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("servfail", "no name server has an answer"),
        ("hang", "no answer within 10 s"),
        ("junk", "no name server has an answer"),
        ("cut", "malformed"),
    ],
)
def test_an_answer_outlasts_name_servers_and_restarts(tmp_path, names, do, said):
    names.set("", "mx02", "mx03")
    daemon = named(tmp_path)
    with daemon.start(before=names.before):
        await_peers(daemon, "mx03")
        names.set(do, "mx02", "mx04")
        _, line = daemon.wait(UNUSABLE, seconds=30)
        assert said in line[1]
        assert daemon.stop(seconds=15) == 0
        daemon.start(before=names.before)
        assert peers(daemon) == ["mx03"]


@own_network
def test_an_answer_that_contradicts_a_file_is_not_kept(tmp_path, names, folder):
    put(folder / "a.json", group("mx02", "mx03"))
    names.set("", "mx02")
    sources = [{"files": [str(folder / "*.json")]}, {"srv": NAME, "refresh": "1s"}]
    daemon = Daemon(tmp_path, peers=[], peers_from=sources)
    kept = tmp_path / "state" / "peers" / f"{NAME}.json"
    with daemon.start(before=names.before):
        wait_for(kept.exists, 15, "an answer")
        good = kept.read_text()
        rows = [[0, 0, 9925, "mx03.example.org"]]
        put(names.file, {NAME: {"srv": rows, "do": ""}})
        _, line = daemon.wait(UNUSABLE)
        assert line[1] == '"its answer contradicts another list"'
        daemon.wait(r"peers REFUSED errors=1 .*")
        assert kept.read_text() == good
        assert peers(daemon) == ["mx03"]
        assert daemon.count(r"peers REFUSED .*") == 1
