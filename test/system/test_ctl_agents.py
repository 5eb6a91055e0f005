"""mailflowctl with two agents, each beside its own mail server: what one announces the other knows."""

import re
import time
import types

import pytest

from ctl import ctl
from daemon import Daemon, PostOffice, wait_for
from dovecot import free_port

PARTNER = {"mx01": "mx02", "mx02": "mx01"}


class Crossed(PostOffice):
    """A mail server that delivers what it takes to another."""

    other = None

    def deliver(self, session):
        self.other.put(session.content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        session.send(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n")


class Mesh:
    """mx01 and mx02, by mail alone or with HTTP between their agents."""

    def __init__(self, home, http):
        self.offices = {name: Crossed() for name in PARTNER}
        self.ports = {name: free_port() for name in PARTNER}
        self.daemons = {}
        for name, partner in PARTNER.items():
            self.offices[name].other = self.offices[partner]
            directory = home / name
            directory.mkdir()
            self.daemons[name] = Daemon(
                directory,
                self.offices[name],
                server=name,
                http={"listen": [f"127.0.0.1:{self.ports[name]}"]},
                peers=(),
                defaults={"interval": "60s", "latency": {"warning": "60s", "critical": "300s"}},
            )
        for name, partner in PARTNER.items():
            self.join(self.daemons[name], partner, http)

    def join(self, daemon, partner, http):
        peer = {"name": partner, "address": f"probe@{partner}.example"}
        if http:
            peer["agent"] = f"http://127.0.0.1:{self.ports[partner]}"
        daemon.configure(daemon.settings, {"peers": [peer]})
        daemon.write_secret("mesh.key", self.daemons["mx01"].key.secret)

    def __enter__(self):
        for office in self.offices.values():
            office.__enter__()
        return self

    def __exit__(self, *_):
        for office in self.offices.values():
            office.__exit__()


@pytest.fixture(name="mesh", params=["mail", "http"])
def fixture_mesh(tmp_path, request):
    with Mesh(tmp_path, request.param == "http") as mesh:
        mesh.fast = request.param == "http"
        yield mesh


@pytest.fixture(name="agents")
def fixture_agents(mesh):
    with mesh.daemons["mx01"] as first, mesh.daemons["mx02"] as second:
        for daemon in first, second:
            wait_for(lambda daemon=daemon: daemon.metric("imap_up", mailbox="local") == 1, 10, "imap")
        yield types.SimpleNamespace(mx01=first, mx02=second, fast=mesh.fast)


def ask(daemon, *arguments):
    return ctl(*arguments, server=types.SimpleNamespace(socket_path=daemon.home / "control"))


def test_a_peer_that_does_not_know_us_is_named(tmp_path):
    with Mesh(tmp_path, http=True) as mesh:
        mesh.join(mesh.daemons["mx02"], "mx01", http=True)
        stranger = {"name": "mx03", "address": "probe@mx03.example"}
        mesh.daemons["mx01"].configure(mesh.daemons["mx01"].settings, {"peers": [stranger]})
        with mesh.daemons["mx01"], mesh.daemons["mx02"] as asked:
            why = "mx01 has no peer mx02 with an agent: add it to its peers"
            wait_for(lambda: why in ask(asked, "status").out, 20, "the trouble with mx01's agent")
            sent = ask(asked, "probe", "mx01", "--wait", "1s")
            assert re.search(rf"(?m)^  agent +.*{why}$", sent.out), sent
            ident = re.search(r"(?m)^  probe +(\w+)$", sent.out)[1]
            assert re.search(rf"(?m)^  agent +.*{why}$", ask(asked, "explain", ident).out)


def test_a_window_is_announced_extended_and_ended_while_one_waits(agents):
    limit = 1.0 if agents.fast else 5.0
    begun = time.monotonic()
    first = ask(agents.mx02, "maintenance", "begin", "--for", "30m", "--reason", "disk", "--wait")
    print(f"announced in {time.monotonic() - begun:.3f} s\n{first.out}")
    assert first.code == 0, first
    assert time.monotonic() - begun < limit
    (ident,) = agents.mx02.windows()
    assert re.search(r"^mx01 knows after \d\.\d{3} s\nAll know: 1 peer\.\n", first.out, re.MULTILINE)
    there = agents.mx01.windows()[ident]
    assert (there["origin"], there["reason"], there["server"]) == ("peer", "disk", "mx02")

    extended = ask(agents.mx02, "maintenance", "extend", ident, "--for", "1h", "--wait")
    assert extended.code == 0, extended
    assert agents.mx01.windows()[ident]["end"] == agents.mx02.windows()[ident]["end"]

    listed = ask(agents.mx02, "maintenance", "list")
    assert re.search(r"\bmx02 .* 1/1 .* disk", listed.out), listed

    ended = ask(agents.mx01, "maintenance", "end", "mx02")
    assert ended.code == 0, ended
    wait_for(lambda: agents.mx02.windows()[ident]["state"] == "recovering", limit, "the end")


def test_a_peer_that_is_down_is_named(mesh):
    with mesh.daemons["mx02"] as daemon:
        result = ask(daemon, "maintenance", "begin", "--wait", "2s")
        print(result)
        assert result.code == 1
        assert re.search(r"^mx01 does not know: .+", result.out, re.MULTILINE)
        assert "after 2s 1 of 1 peer does not know of window w-" in result.err


def test_a_probe_is_explained_and_the_recording_replayed_beside_the_agent(agents):
    sent = ask(agents.mx02, "probe", "mx01", "--wait", "20s")
    assert sent.code == 0, sent
    ident = re.search(r"probe +(\w{26})", sent.out).group(1)
    told = ask(agents.mx02, "explain", ident[:8].lower())
    print(told.out)
    assert told.code == 0, told
    assert f"probe {ident}, mx02->mx01: on_time" in told.out
    assert "  verdict   on_time: latency " in told.out
    assert "250 2.0.0 Ok: queued as 4FZXKQ1Y" in told.out
    assert ident[:8] in ask(agents.mx02, "history", "mx01").out

    replayed = ctl("simulate", "--config", agents.mx02.config)
    print(replayed.out)
    assert replayed.code == 0, replayed
    assert "No incident was notified or suppressed, and none would have been." in replayed.out
