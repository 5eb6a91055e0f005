"""Servers go down, cables are cut, mail is slow: what the agents on both sides say, and how often;
with a maintenance flag nothing.
"""

import together
from announced import maintenance
from told import (
    count,
    find,
    in_flight,
    notifications,
    reload,
    start,
    start_pair,
    total,
    verdicts,
    wait_for_arrivals,
    wait_for_line,
)

OUTAGE_PROBES = 8  # accepted by the sender's queue while its peer is down


def wait_until_queue_holds(host, probes):
    host.wait_for(lambda: in_flight(host) >= probes, 30, f"{probes} probes in {host.name}'s queue")


def wait_until_drained(host, peer, arrivals):
    """Everything that waited has come, receipts have told so, and mail flows again."""
    for server in host, peer:
        server.wait_for(lambda: in_flight(server) <= 2, 20, f"{server.name}'s queue to drain")
    wait_for_arrivals(host, peer, arrivals)


@together.on(hosts=2)
def test_an_unannounced_outage_is_said_once_and_its_end_once(mx01, mx02):
    start_pair(mx01, mx02)
    mx02.stop("all")
    wait_until_queue_holds(mx01, OUTAGE_PROBES)
    wait_for_line(mx01, rf"down FIRING .*server={mx02.name} .*")
    assert notifications(mx01) == [("down", "FIRING", mx02.name)]
    mx02.start("all")
    wait_for_line(mx01, rf"down RESOLVED .*server={mx02.name} .*")
    wait_until_drained(mx01, mx02, 3)

    assert notifications(mx01) == [("down", state, mx02.name) for state in ("FIRING", "RESOLVED")]
    # Beside the server that is down nobody takes the agent's probes, and it cannot read its mailbox:
    # all of that is one trouble of its own.
    said = [("isolated", state, mx02.name) for state in ("FIRING", "RESOLVED")]
    assert notifications(mx02) == said
    for host, direction in (mx01, "outbound"), (mx02, "inbound"):
        judged = verdicts(host, direction)
        print(f"{mx01.name}->{mx02.name} as {host.name} judges: {judged}")
        assert set(judged) == {"on_time", "drained"} and judged["drained"] >= OUTAGE_PROBES - 4
    assert set(verdicts(mx01, "inbound")) == {"on_time"}


@together.on(hosts=2, long=True)
def test_an_announced_outage_is_no_incident_at_all(mx01, mx02):
    start_pair(mx01, mx02)
    begin = ("begin", mx02.name, "--for", "20s", "--reason", "kernel update", "--wait")
    maintenance(mx01, *begin)
    for host in (mx01, mx02):
        wait_for_line(host, rf"maintenance BEGIN server={mx02.name} kind=routine .*")
    mx02.stop("all")
    wait_until_queue_holds(mx01, OUTAGE_PROBES)
    mx02.start("all")
    for host in (mx01, mx02):
        wait_for_line(host, rf"maintenance END server={mx02.name} .*")
    settled = 2 + 5  # settle, and as long as a silence would take to show
    wait_until_drained(mx01, mx02, settled)

    for host in (mx01, mx02):
        assert notifications(host) == []
        assert total(host, "notifications_total") == 0
        assert count(host, r"maintenance BEGIN .*") == count(host, r"maintenance END .*") == 1
    # Silence does not count inside a window; what else went wrong was seen, and kept quiet.
    window = wait_for_line(mx02, r"maintenance BEGIN .* window=(\S+) .*")[1][1]
    suppressed = find(mx02, rf"(\w+) SUPPRESSED .* maintenance={window}.*")
    print(f"{mx02.name} kept quiet: {sorted(match[1] for _, match in suppressed)}")
    assert {(priority, match[1]) for priority, match in suppressed} == {
        ("info", "isolated"),
    }
    assert total(mx02, "notifications_suppressed_total") == len(suppressed)
    for host, direction in (mx01, "outbound"), (mx02, "inbound"):
        judged = verdicts(host, direction)
        print(f"{mx01.name}->{mx02.name} as {host.name} judges: {judged}")
        assert set(judged) == {"on_time", "excused"}
        assert judged["excused"] >= OUTAGE_PROBES - 4


@together.on(hosts=2)
def test_the_own_server_refuses_once_and_takes_again_once(mx01, mx02):
    start_pair(mx01, mx02)
    mx01.stop("smtp")
    priority, match = wait_for_line(mx01, rf"isolated FIRING .*server={mx01.name} .*")
    assert priority == "crit"
    assert 'cause="connect to 127.0.0.1:25: Connection refused"' in match[0]
    mx01.wait_for(lambda: total(mx01, "probe_send_failures_total") >= 6, 20, "more refusals")
    assert mx01.metric(
        "mailflow_path_state", peer=mx02.name, direction="outbound", state="refused"
    ) == 1
    mx01.start("smtp")
    wait_for_line(mx01, rf"isolated RESOLVED .*server={mx01.name} .*")
    wait_for_arrivals(mx01, mx02, 3)
    said = [("isolated", state, mx01.name) for state in ("FIRING", "RESOLVED")]
    assert notifications(mx01) == said


@together.on(hosts=2, long=True)
def test_a_cut_cable_is_said_on_both_sides_once(mx01, mx02):
    start_pair(mx01, mx02)
    mx01.lab.cut(mx01.name, mx02.name)
    for host, peer in (mx01, mx02), (mx02, mx01):
        wait_for_line(host, rf"down FIRING .*server={peer.name} .*")
    wait_until_queue_holds(mx01, OUTAGE_PROBES)
    mx01.lab.join(mx01.name, mx02.name)
    wait_until_drained(mx01, mx02, 3)
    for host, peer in (mx01, mx02), (mx02, mx01):
        wait_for_line(host, rf"down RESOLVED .*server={peer.name} .*")
        said = [("down", state, peer.name) for state in ("FIRING", "RESOLVED")]
        assert notifications(host) == said
        for direction in "inbound", "outbound":
            judged = verdicts(host, direction)
            print(f"{host.name}, {direction}, judges: {judged}")
            assert set(judged) == {"on_time", "drained"}


@together.on(hosts=2)
def test_slow_mail_is_said_once_by_its_receiver(mx01, mx02):
    """Nothing takes less than a millisecond."""
    start(mx02, mx01)
    start(mx01, mx02, defaults={"latency": {"warning": "1ms", "critical": "3s"}})
    path = f"{mx02.name}->{mx01.name}"
    priority, match = wait_for_line(mx01, rf"slow FIRING .*path={path} .*late=(\d)/5 .*")
    assert (priority, match[1]) == ("warning", "3")
    assert " threshold=0.001s " in match[0] and ' smtp="' not in match[0]
    wait_for_arrivals(mx01, mx02, 4)
    assert mx01.metric(
        "mailflow_path_state", peer=mx02.name, direction="inbound", state="slow"
    ) == 1
    reload(mx01, mx02)
    wait_for_line(mx01, rf"slow RESOLVED .*path={path} .*")
    assert notifications(mx01) == [("slow", "FIRING", path), ("slow", "RESOLVED", path)]
    assert notifications(mx02) == []
