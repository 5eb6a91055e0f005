"""Maintenance that is announced: three agents know of it in no time, over HTTP or by mail alone,
whatever happens to it later; and who does not know is named.
"""

import pytest

import together
from announced import (
    begin,
    maintenance,
    others,
    over_tls,
    start_mesh,
    wait_for_mail_everywhere,
    wait_for_window,
    windows,
)
from told import count, reload, restart, start, total, wait_for_line

OVER_HTTP_SECONDS = 1.0
BY_MAIL_SECONDS = 5.0
WAITED = ("--for", "2m", "--reason", "kernel update", "--wait")


def assert_known(first, hosts, identity, said):
    """By everybody, each of them named; and the agent that announced it knows that they know."""
    for peer in others(first, hosts):
        assert peer.name in said
        window = wait_for_window(peer, identity, server=first.name, state="active")
        assert window["reason"] == "kernel update" and window["by"].endswith(f"@{first.name}")
        assert total(peer, "maintenance_active", server=first.name) == 1
    known = windows(first)[identity]
    assert sorted(known["acknowledged"]) == [peer.name for peer in others(first, hosts)]
    assert known["unacknowledged"] == []
    assert total(first, "maintenance_unacknowledged_peers", server=first.name) == 0


def announce(first, hosts, limit):
    identity, said, seconds = begin(first, *WAITED)
    print(f"maintenance begin --wait, {len(hosts)} servers: {seconds:.3f} s\n{said}")
    assert_known(first, hosts, identity, said)
    assert seconds < limit
    return identity


def end_everywhere(first, hosts, identity):
    maintenance(first, "end", identity)
    for host in hosts:
        window = wait_for_window(host, identity, 10, state="recovering")
        assert window["revision"] >= 2
        wait_for_line(host, rf"maintenance END .*window={identity} .*")
        assert count(host, rf"maintenance BEGIN .*window={identity} .*") == 1


@pytest.fixture(scope="module", name="mesh")
def fixture_mesh(make_lab):
    """Three agents that reach each other over HTTP."""
    hosts = tuple(make_lab(3))
    start_mesh(*hosts, exchange=True)
    return hosts


def test_everybody_knows_within_a_second_over_http(mesh):
    identity = announce(mesh[0], mesh, OVER_HTTP_SECONDS)
    maintenance(mesh[0], "extend", identity, "--for", "3m")
    ends = {wait_for_window(host, identity, 10, revision=2)["end"] for host in mesh}
    assert len(ends) == 1
    end_everywhere(mesh[0], mesh, identity)


def test_an_agent_that_is_restarted_within_the_window_forgets_nothing(mesh):
    mx01, mx02, _ = mesh
    identity = announce(mx01, mesh, OVER_HTTP_SECONDS)
    for host in mx01, mx02:
        before = windows(host)[identity]
        host.agent_kill()
        restart(host)
        assert windows(host)[identity] == before
    end_everywhere(mx02, mesh, identity)


def test_who_does_not_know_is_named_and_why(mesh):
    mx01, mx02, mx03 = mesh
    mx03.agent_stop()
    identity, said, seconds = begin(mx01, *WAITED, "3s", code=1)
    print(f"with {mx03.name}'s agent down, {seconds:.1f} s:\n{said}")
    assert 3 <= seconds < 5
    assert mx03.name in said and "refused" in said.lower()
    assert windows(mx01)[identity]["acknowledged"] == [mx02.name]
    assert [peer["peer"] for peer in windows(mx01)[identity]["unacknowledged"]] == [mx03.name]
    assert total(mx01, "maintenance_unacknowledged_peers", server=mx01.name) == 1
    restart(mx03)
    wait_for_window(mx03, identity, 20, state="active")
    mx01.wait_for(lambda: not windows(mx01)[identity]["unacknowledged"], 20, "both to know")
    end_everywhere(mx01, mesh, identity)


def test_an_agent_that_hangs_holds_nobody_up(mesh):
    """It takes the connection and never answers; --wait returns when it said it would."""
    mx01, mx02, _ = mesh
    mx02.agent_freeze()
    try:
        identity, said, seconds = begin(mx01, *WAITED, "2s", code=1)
        assert mx02.name in said and 2 <= seconds < 4
    finally:
        mx02.agent_thaw()
    wait_for_window(mx02, identity, 40, state="active")
    end_everywhere(mx01, mesh, identity)


def test_an_emergency_of_a_server_whose_mail_is_dead_travels_over_http(mesh):
    """Begun by its neighbour; no mail gets in or out of the server that it is about."""
    mx01, _, mx03 = mesh
    mx03.stop("all")
    said, _ = maintenance(mx01, "begin", mx03.name, "--kind", "emergency", code=1)
    assert "needs a reason" in said
    words = (mx03.name, "--kind", "emergency", "--reason", "the disks", "--wait")
    identity, said, seconds = begin(mx01, *words)
    print(f"an emergency of {mx03.name}, whose mail is dead: {seconds:.3f} s\n{said}")
    assert seconds < OVER_HTTP_SECONDS
    for host in mesh:
        window = wait_for_window(host, identity, 5, kind="emergency", state="active")
        assert window["by"].endswith(f"@{mx01.name}")
    mx03.start("all")
    end_everywhere(mx03, mesh, identity)


@together.on(hosts=3)
def test_everybody_knows_within_five_seconds_by_mail_alone(*hosts):
    """And at an interval that helps nobody: it takes probes of its own."""
    start_mesh(*hosts, exchange=False)
    for host in hosts:
        reload(host, *others(host, hosts), defaults={"interval": "5m"})
    identity = announce(hosts[0], hosts, BY_MAIL_SECONDS)
    end_everywhere(hosts[0], hosts, identity)


@together.on(hosts=2)
def test_a_certificate_that_nobody_trusts_is_named_and_mail_does_it(mx01, mx02):
    """mx01 trusts no authority at first; what it announces is known all the same."""
    start(mx01, **over_tls(mx01, [mx02], ca_file=None))
    start(mx02, **over_tls(mx02, [mx01]))
    wait_for_mail_everywhere(mx01, mx02)
    identity = announce(mx01, (mx01, mx02), BY_MAIL_SECONDS)
    assert total(mx01, "exchange_failures_total", peer=mx02.name) > 0
    mx02.agent_stop()
    _, said, _ = begin(mx01, "--for", "3m", "--reason", "more", "--wait", "2s", code=1)
    restart(mx02)
    end_everywhere(mx01, (mx01, mx02), identity)


@together.on(hosts=2)
def test_everybody_knows_within_a_second_over_https(mx01, mx02):
    for host, peer in (mx01, mx02), (mx02, mx01):
        start(host, **over_tls(host, [peer]))
    wait_for_mail_everywhere(mx01, mx02)
    identity = announce(mx01, (mx01, mx02), OVER_HTTP_SECONDS)
    end_everywhere(mx01, (mx01, mx02), identity)
