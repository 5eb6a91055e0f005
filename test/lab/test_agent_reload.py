"""SIGHUP: another configuration is taken over whole, or not at all."""

import base64
import os

import together
from agent import merge
from told import (
    QUICK,
    arrivals,
    count,
    find,
    ledger,
    reload,
    start,
    start_pair,
    total,
    wait_for_arrivals,
    wait_for_line,
)


def peers_on_metrics(host):
    return {dict(labels)["peer"] for _, labels in host.metrics() if "peer" in dict(labels)}


def reload_successful(host):
    return host.metric("mailflow_config_last_reload_successful")


def place_of(file, word):
    """The row and the column, from 1, of the first place where the word stands."""
    before = file.read_text().partition(word)[0]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@together.on(hosts=3)
def test_peers_come_and_go(mx01, mx02, mx03):
    start_pair(mx01, mx02)
    start(mx03, mx01)
    assert peers_on_metrics(mx01) == {mx02.name}
    assert reload_successful(mx01) == 1
    latencies = total(mx01, "delivery_latency_seconds_count", peer=mx02.name)

    reload(mx01, mx02, mx03)
    wait_for_line(mx01, r"config RELOADED peers=2 mailboxes=1")
    wait_for_arrivals(mx01, mx03)
    assert peers_on_metrics(mx01) == {mx02.name, mx03.name}
    assert total(mx01, "delivery_latency_seconds_count", peer=mx02.name) > latencies
    # The mailbox had not changed: it is read on without a break.
    assert count(mx01, "mailbox UP .*") == 1

    reload(mx01, mx02)
    assert peers_on_metrics(mx01) == {mx02.name}
    last_slot = "SELECT max(slot) FROM probes WHERE peer = ? AND direction = 'outbound'"
    before = ledger(mx01, last_slot, mx03.name)
    wait_for_arrivals(mx01, mx02)
    assert ledger(mx01, last_slot, mx03.name) == before
    rejected = lambda: total(mx01, "probes_rejected_total", reason="unknown_peer")  # noqa: E731
    mx01.wait_for(lambda: rejected() > 0, 10, "probes of a peer that is none any more")
    assert find(mx01, r"\w+ (FIRING|SUPPRESSED) .*") == []

    reload(mx01, mx02, mx03)
    wait_for_arrivals(mx01, mx03)
    assert ledger(mx01, last_slot, mx03.name) > before


@together.on(hosts=2)
def test_a_faulty_configuration_changes_nothing(mx01, mx02):
    start_pair(mx01, mx02)
    faulty = {"defaults": {"interval": "soon"}, "colour": "blue"}
    mx01.write_agent_config([mx02], merge(QUICK, faulty))
    assert mx01.ctl("reload").returncode == 1
    said = [(priority, match[1]) for priority, match in find(mx01, r"config (?!RELOADED)(.*)")]
    file = mx01.agent_config
    row, column = place_of(file, "soon")
    interval = f"{file}:{row}:{column}: interval: 'soon' is not a duration: write 250ms, 15s, 30m, "
    row, column = place_of(file, "colour")
    unknown = f"{file}:{row}:{column}: unknown key 'colour'"
    assert said == [
        ("err", f'PROBLEM problem="{interval}4h or 5d"'),
        ("err", f'PROBLEM problem="{unknown}"'),
        ("err", 'REFUSED errors=2 consequence="the configuration in force stays as it was"'),
    ]
    assert reload_successful(mx01) == 0
    wait_for_arrivals(mx01, mx02, 3)
    assert peers_on_metrics(mx01) == {mx02.name}

    reload(mx01, mx02)
    assert reload_successful(mx01) == 1
    wait_for_arrivals(mx01, mx02)


@together.on(hosts=2)
def test_what_cannot_change_while_it_runs_is_refused(mx01, mx02):
    start_pair(mx01, mx02)
    reload(mx01, mx02, state_dir=str(mx01.agent_directory / "elsewhere"))
    _, match = wait_for_line(mx01, r'config PROBLEM problem="(.*)"')
    assert match[1] == (
        f"{mx01.agent_config}: server and state_dir cannot change while the agent runs: restart it"
    )
    assert reload_successful(mx01) == 0
    reload(mx01, mx02, http={"listen": [f"{mx01.address}:9925", f"{mx01.address}:25"]})
    wait_for_line(mx01, rf'config PROBLEM problem=".*{mx01.address}:25: ports below 1024 need privileges.*"')
    wait_for_arrivals(mx01, mx02)


@together.on(hosts=2)
def test_the_password_of_the_mailbox_changes(mx01, mx02):
    start_pair(mx01, mx02)
    accounts = mx01.directory / "dovecot/passwd"
    old = mx01.password("probe")
    accounts.write_text(accounts.read_text().replace(f"{{PLAIN}}{old}:", "{PLAIN}new-one:"))
    mx01.stop("imap")
    mx01.start("imap")
    wait_for_line(mx01, rf"mailbox DOWN .*login as probe@{mx01.domain} refused.*")
    before = arrivals(mx01, mx02)
    mx01.password_file("probe").write_text("new-one\n")
    reload(mx01, mx02)
    wait_for_line(mx01, "mailbox UP mailbox=local", 2)
    mx01.wait_for(lambda: arrivals(mx01, mx02) > before, 10, "mail read with the new password")
    assert total(mx01, "imap_up", mailbox="local") == 1


@together.on(hosts=2)
def test_a_new_mesh_key_replaces_the_old_one_without_a_rejection(mx01, mx02):
    """Known to all first, then it signs, then the old one goes: three reloads on each server."""
    start_pair(mx01, mx02)
    old = {"id": "k1", "file": str(mx01.lab.mesh_key)}
    new = {"id": "k2", "file": str(mx01.directory / "new.key")}
    with open(new["file"], "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(base64.b64encode(os.urandom(32)))
    for keys in ([old, new], [new, old], [new]):
        for host, peer in (mx01, mx02), (mx02, mx01):
            reload(host, peer, mesh_keys=keys)
            wait_for_arrivals(mx01, mx02)
    assert total(mx01, "probes_rejected_total") == total(mx02, "probes_rejected_total") == 0
    # One that was not told: its probes are refused, and so are those that it gets.
    reload(mx02, mx01, mesh_keys=[old])
    for host in mx01, mx02:
        refused = lambda: total(host, "probes_rejected_total", reason="signature")  # noqa: E731
        host.wait_for(lambda: refused() >= 2, 10, f"signatures that {host.name} does not accept")
