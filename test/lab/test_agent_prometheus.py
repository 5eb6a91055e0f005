"""Agents with the real Prometheus and Alertmanager, and the rules and the dashboard we ship."""

import contextlib

import pytest

from announced import wait_for_window, windows
from told import PATIENCE, count, restart, start, wait_for_arrivals, wait_for_line
from watchers import Alertmanager, Prometheus, dashboard_queries, metrics_used
from ways import judge

SILENT = {"alertname": "MailflowPathSilent", "mailflow_server": "mx02", "mailflow_agent": "mx01"}
WHERE_CONFIGURED = {"mailflow_peer_source_up"}  # not in these agents; see unit/metrics.expected


@pytest.fixture(scope="module", name="world")
def fixture_world(make_lab, tmp_path_factory):
    """Two agents that read the silences, scraped every second: (lab, Prometheus, Alertmanager)."""
    lab, home = make_lab(2), tmp_path_factory.mktemp("watchers")
    mx01, mx02 = lab["mx01"], lab["mx02"]
    with contextlib.ExitStack() as stack:
        alertmanager = stack.enter_context(Alertmanager(lab, home / "alertmanager"))
        prometheus = stack.enter_context(
            Prometheus(lab, home / "prometheus", (mx01, mx02), alertmanager))
        origin = {"alertmanager": {"url": alertmanager.url, "interval": "1s"}}
        start(mx01, mx02, maintenance=origin)
        judge(mx02, "verdict", mx01, "spf=pass")
        box = {**mx02.default_agent_config([])["mailboxes"][0], "authserv_id": mx02.domain}
        start(mx02, mx01, maintenance=origin, mailboxes=[box])
        wait_for_arrivals(mx01, mx02)
        yield lab, prometheus, alertmanager


def wait_for_alert(lab, alertmanager, state, **labels):
    """Until the Alertmanager has the alert, in this state."""
    lab["mx01"].wait_for(lambda: state in [has for _, has in alertmanager.alerts(**labels)],
                         PATIENCE, f"{labels} to be {state}")


def test_agents_are_scraped_and_rules_evaluated(world):
    lab, prometheus, _ = world
    lab["mx01"].wait_for(lambda: [up for _, up in prometheus.query("up")] == [1, 1], PATIENCE,
                         "both agents to be scraped")
    lab["mx01"].wait_for(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()),
                         PATIENCE, "every rule to be evaluated")
    known = lambda: set(prometheus.ask("/api/v1/label/__name__/values")["data"])  # noqa: E731
    with contextlib.suppress(TimeoutError):
        lab["mx01"].wait_for(lambda: metrics_used() <= known() | WHERE_CONFIGURED, PATIENCE, "every metric in use")
    missing = metrics_used() - known() - WHERE_CONFIGURED
    assert missing == set(), "in our files, and no agent exports it"
    names = {labels["server"] for labels, _ in prometheus.query("mailflow_agent_info")}
    assert names == {"mx01", "mx02"}
    lab["mx01"].wait_for(
        lambda: {labels["path"]: ratio
                 for labels, ratio in prometheus.query("mailflow:path_on_time:ratio1h")}
        == {"mx01->mx02": 1, "mx02->mx01": 1}, PATIENCE, "the ratios of both paths")


def test_a_silence_is_a_window_and_its_end_the_windows_end(world):
    lab, _, alertmanager = world
    mx01, mx02 = lab["mx01"], lab["mx02"]
    silence = alertmanager.silence("mx02", 600)

    def active():
        return [[window for window in windows(host).values() if window["state"] == "active"]
                for host in (mx01, mx02)]

    mx01.wait_for(lambda: all(len(found) == 1 for found in active()), PATIENCE, "a window at both")
    here, there = (found[0] for found in active())
    assert here["id"] == there["id"] and here["id"].startswith("a-")
    assert (here["server"], here["kind"], here["reason"]) == ("mx02", "routine", "kernel update")
    assert here["by"].startswith("alertmanager:alice@")
    assert "alertmanager" in {here["origin"], there["origin"]}

    assert alertmanager.edit(silence, comment="it takes longer") == silence
    mx01.wait_for(lambda: all(found[0]["reason"] == "it takes longer" for found in active()),
                  PATIENCE, "the edited silence at both")
    announcer = lab[here["by"].rpartition("@")[2]]
    announcer.agent_stop()  # as it may well be, in the maintenance that it announced
    alertmanager.expire(silence)
    other = mx02 if announcer is mx01 else mx01
    wait_for_window(other, here["id"], PATIENCE, state="recovering")
    restart(announcer)
    wait_for_window(announcer, here["id"], PATIENCE, state="recovering")
    for host in mx01, mx02:
        wait_for_line(host, "maintenance END server=mx02 .*")
        assert count(host, "maintenance (BEGIN|END) server=mx02 .*") == 2


def test_a_silent_path_fires_and_maintenance_mutes_it_but_not_its_overrun(world):
    """And every query of the dashboard has something to show of that."""
    lab, prometheus, alertmanager = world
    mx01 = lab["mx01"]
    mx01.wait_for(lambda: not alertmanager.alerts(), PATIENCE, "no alert from before")
    lab.cut("mx02", "mx01", oneway=True)
    wait_for_alert(lab, alertmanager, "active", **SILENT)

    assert mx01.ctl("maintenance", "begin", "mx02", "--for", "10m").returncode == 0
    wait_for_alert(lab, alertmanager, "suppressed", **SILENT)
    muting = [labels for labels, _ in alertmanager.alerts(alertname="MailflowMaintenance")]
    assert [labels["mailflow_server"] for labels in muting] == ["mx02"]
    for panel, expression in dashboard_queries():
        mx01.wait_for(lambda: prometheus.query(expression), PATIENCE, f"{panel}: {expression}")

    assert mx01.ctl("maintenance", "end", "mx02").returncode == 0
    wait_for_alert(lab, alertmanager, "active", alertname="MailflowOverrun", mailflow_server="mx02")
    assert "active" not in [state for _, state in alertmanager.alerts(**SILENT)], "nor its symptom"
    lab.heal()
    mx01.wait_for(lambda: not alertmanager.alerts(**SILENT), PATIENCE, "the end of the alert")
