"""Three servers, of which one is shut down for maintenance: nobody is notified when it is back in
time, everybody once when it is not; and a dead agent is told from a dead server.
"""

import together
from announced import begin, maintenance, others, start_mesh, wait_for_mail_everywhere
from told import (
    HICCUP,
    count,
    in_flight,
    ledger,
    notifications,
    restart,
    total,
    verdicts,
    wait_for_line,
)

WAITING = 6  # probes in the queue of each of the others while one is down
LONG = WAITING + 8  # for more than HICCUP

# Nothing that a busy machine holds up for a moment is late or silent; what waits is not thinned.
UNHURRIED = {"latency": {"warning": f"{HICCUP}s", "critical": f"{HICCUP + 4}s"}, "thin_after": 100}


def shut_down(host):
    host.agent_stop()
    host.power_off()


def boot(host):
    host.power_on()
    host.start("all")
    restart(host)


def wait_until_queues_hold(hosts, probes):
    for host in hosts:
        host.wait_for(lambda: in_flight(host) >= probes, 30, f"{probes} probes of {host.name}")


def wait_until_drained(*hosts):
    for host in hosts:
        host.wait_for(lambda: in_flight(host) <= 2, 30, f"{host.name}'s queue to drain")
    wait_for_mail_everywhere(*hosts, more=3)


def held_up(host):
    """{verdict: how many} of what reached this host later than any error or hiccup can excuse."""
    query = (
        "SELECT verdict, count(*) FROM probes WHERE direction = 'inbound' AND latency > ?"
        " GROUP BY verdict"
    )
    return dict(ledger(host, query, int((HICCUP + 1) * 1e9)))


def within_the_window(hosts, exchange):
    start_mesh(*hosts, exchange=exchange, defaults=UNHURRIED)
    first, *rest = hosts
    begin(first, "--for", "2m", "--reason", "kernel update", "--wait")
    shut_down(first)
    wait_until_queues_hold(rest, LONG)
    boot(first)
    maintenance(first, "end", first.name)
    wait_until_drained(*hosts)
    settled = 2 + HICCUP + 4  # settle, and as long as a silence would take to show
    wait_for_mail_everywhere(*hosts, more=settled)
    for host in hosts:
        assert notifications(host) == []
        assert total(host, "notifications_total") == 0
        assert count(host, rf"maintenance END server={first.name} .*") == 1
    judged = held_up(first)
    print(f"what waited for {first.name}: {judged}")
    assert set(judged) == {"excused"} and judged["excused"] >= 4
    for host in rest:
        assert set(verdicts(host, "outbound")) <= {"on_time", "excused"}
        assert set(verdicts(host, "inbound")) <= {"on_time", "excused"}


@together.on(hosts=3, long=True)
def test_back_within_the_window_nobody_is_notified_over_http(*hosts):
    within_the_window(hosts, exchange=True)


@together.on(hosts=3, long=True)
def test_back_within_the_window_nobody_is_notified_by_mail_alone(*hosts):
    within_the_window(hosts, exchange=False)


@together.on(hosts=3, long=True)
def test_an_overrun_is_notified_once_by_every_other_agent_and_resolved_once(*hosts):
    start_mesh(*hosts, exchange=True, defaults={"thin_after": 100})
    first, *rest = hosts
    identity, _, _ = begin(first, "--for", "6s", "--reason", "kernel update", "--wait")
    shut_down(first)
    for host in rest:
        priority, match = wait_for_line(
            host, rf"overrun FIRING severity=critical server={first.name} kind=routine (.*)"
        )
        assert priority == "crit"
        assert f"window={identity} planned_end=" in match[1] and " late_by=" in match[1]
    wait_until_queues_hold(rest, LONG)
    boot(first)
    summary = (
        rf"overrun RESOLVED server={first.name} planned_end=\S+ resumed=\S+ overran=([\d.]+)s"
        r" drained=(\d+) lost=0 in_flight=\d+ suppressed=\d+ longest=([\d.]+)s resumed_by=\S+.*"
    )
    for host in rest:
        priority, match = wait_for_line(host, summary)
        print(f"{host.name}: {match[0]}")
        assert priority == "notice"
        assert float(match[1]) >= 2 and int(match[2]) >= 1
        _, match = wait_for_line(host, rf"drain DONE server={first.name} .* longest=([\d.]+)s .*")
        assert float(match[1]) >= 6
    wait_until_drained(*hosts)
    for host in rest:
        said = [("overrun", state, first.name) for state in ("FIRING", "RESOLVED")]
        assert notifications(host) == said
    assert notifications(first) == []
    judged = held_up(first)
    print(f"what waited for {first.name}: {judged}")
    assert set(judged) == {"excused", "drained"}
    for host in rest:  # the closing line counts what had come by then, this one everything
        done = rf"drain DONE server={first.name} arrived=(\d+) lost=0 .*"
        priority, match = wait_for_line(host, done)
        assert priority == "info" and int(match[1]) >= WAITING + 4


@together.on(hosts=3, long=True)
def test_a_dead_agent_is_not_a_dead_server(mx01, mx02, mx03):
    """Its Postfix greets: `unheard`, a warning. When the whole host is off: `down`."""
    hosts = (mx01, mx02, mx03)
    start_mesh(*hosts, exchange=False)
    mx03.agent_stop()
    for host in others(mx03, hosts):
        priority, match = wait_for_line(host, r"unheard FIRING .*=(mx\d+) .*")
        assert (priority, match[1]) == ("warning", mx03.name)
    restart(mx03)
    for host in others(mx03, hosts):
        wait_for_line(host, r"unheard RESOLVED .*")
    wait_until_drained(*hosts)
    shut_down(mx03)
    for host in others(mx03, hosts):
        priority, match = wait_for_line(host, r"down FIRING .*server=(\S+) .*", seconds=60)
        assert (priority, match[1]) == ("crit", mx03.name)
    boot(mx03)
    for host in others(mx03, hosts):
        wait_for_line(host, r"down RESOLVED .*")
        assert notifications(host) == [
            (kind, state, mx03.name)
            for kind in ("unheard", "down")
            for state in ("FIRING", "RESOLVED")
        ]
    assert notifications(mx03) == []
