"""mailflowctl peers: the plan, of this server and of others, without an agent."""

import json

import pytest

from ctl import ctl

LEAST = """
server: mx01
state_dir: {home}/state
mesh_keys: [{{id: k1, file: nowhere}}]
mailboxes: [{{name: local, host: x, user: probe@mx01.example, password_file: nowhere}}]
"""
LISTS = """
peers: [{{name: mx10, address: own@mx10.example, interval: 30s}}]
peers_from: [{{files: ["{home}/peers.json"], agent: "http://{{host}}:{{port}}"}}, {{srv: s.example}}]
fanout: 2
"""


@pytest.fixture(name="config")
def fixture_config(tmp_path):
    targets = [f"mx{number:02}.example:9925" for number in range(1, 11)]
    (tmp_path / "peers.json").write_text(json.dumps([{"targets": targets}], indent=1))
    file = tmp_path / "mailflow.yaml"
    file.write_text((LEAST + LISTS).format(home=tmp_path))
    return file


def plan(config, *arguments):
    return json.loads(ctl("peers", "--config", config, "--json", *arguments).out)


def test_the_plan_in_words(config):
    result = ctl("peers", "--config", config)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].split() == ["PEER", "ADDRESS", "AGENT", "WHY", "EVERY", "FROM"]
    assert lines[1].split() == ["mx10", "own@mx10.example", "-", "configured,", "watched", "30s",
                                f"{config}:7"]
    assert lines[2].split() == ["mx02", "probe@mx02.example", "http://mx02.example:9925", "watcher",
                                "1m", f"{config.parent}/peers.json:5"]
    assert lines[-3:] == [
        "mx01: 6 peers, 7.0 probes a minute to them",
        "10 servers in 2 lists, fanout 2: every one has 2 watchers, at most 20 pairs in all",
        "s.example: no answer is known yet",
    ]


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        (1, "1 server in 2 lists, fanout 2: every one has 0 watchers, at most 0 pairs in all"),
        (2, "2 servers in 2 lists, fanout 2: every one has 1 watcher, at most 1 pair in all"),
        (3, "3 servers in 2 lists, fanout 2: every one has 2 watchers, at most 3 pairs in all"),
    ],
)
def test_a_mesh_no_larger_than_the_fanout(config, servers, said):
    targets = [f"mx{number:02}.example:9925" for number in range(1, servers + 1)]
    (config.parent / "peers.json").write_text(json.dumps([{"targets": targets}]))
    assert said in ctl("peers", "--config", config).out.splitlines()


def test_both_ends_plan_the_same(config):
    of = {name: plan(config, "--of", name) for name in (f"mx{n:02}" for n in range(1, 11))}
    for name, one in of.items():
        assert one["server"] == name and one["mesh_servers"] == 10 and one["fanout"] == 2
        for peer in one["peers"]:
            [other] = [back for back in of[peer["peer"]]["peers"] if back["peer"] == name]
            assert ("watched" in peer["reasons"]) == ("watcher" in other["reasons"])
        assert sum("watcher" in peer["reasons"] for peer in one["peers"]) == 2


def test_without_lists_there_are_the_configured_ones(config):
    peers = "peers: [{name: mx02, address: a@b}]\n"
    config.write_text(LEAST.format(home=config.parent) + peers)
    whole = plan(config)
    assert whole["lists"] == [] and whole["probes_per_minute"] == 1
    assert [(one["peer"], one["reasons"]) for one in whole["peers"]] == [("mx02", ["configured"])]


def test_a_server_that_nobody_lists(config):
    result = ctl("peers", "--config", config, "--of", "mx1")
    assert result.code == 1 and result.out == ""
    assert result.err.startswith("mailflowctl: no list has a server 'mx1'; did you mean 'mx")


def test_a_broken_list_is_named(config):
    (config.parent / "peers.json").write_text("[")
    result = ctl("peers", "--config", config)
    assert result.code == 1
    assert f"{config.parent}/peers.json:2:1: " in result.err
    assert "mailflowctl: the peers are not known before that is put in order" in result.err
