"""Probes to a peer with an agent that come back to our own mailbox: a forwarding, an echo address."""

from daemon import Daemon

FORWARDED = {"name": "mx01", "address": "probe@mx01.example"}


def test_a_probe_that_comes_back_is_a_loop(tmp_path, office):
    with Daemon(tmp_path, office, peers=[FORWARDED]) as daemon:
        found = r"loop FOUND path=mx02->mx01 mailbox=local probe=\w+ .*"
        priority, _ = daemon.wait(found, seconds=40)
        assert priority == "warning"
        assert daemon.ledger("SELECT count(*) FROM probes WHERE arrived IS NOT NULL") == [(0,)]
        assert daemon.metric("probe_loops_total", peer="mx01") >= 8
        assert daemon.metric("probes_rejected_total", reason="misrouted") == 0
        assert office.mailbox  # mx01's agent may share it, as far as we know
