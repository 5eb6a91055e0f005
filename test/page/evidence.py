"""What there is to know of single probes and of a path's ways: each view of it once. Seen by mx02,
whose peers are mx01 and mx04.
"""

from history import HOUR, MINUTE, SECOND

DIRECT = "mx04.example mx02.example"
DETOUR = "mx04.example relay.example mx02.example"
SINCE = 40 * MINUTE


def evidence(history):
    for peer in "mx01", "mx04":
        for way in "outbound", "inbound":
            history.cadence(peer, way, 190_000_000, history.now - 6 * HOUR, history.now - SINCE)
    history.window("w-past", "mx04", history.now - 4 * HOUR, history.now - 3 * HOUR)
    history.cadence("mx01", "inbound", 190_000_000, history.now - SINCE, history.now)
    probe = detour(history)
    changed_ways(history, probe)
    came_back(history)
    refused(history)
    delayed(history)


def detour(history):
    """mx04's mail comes over a third server, is held up there, and is taken for junk."""
    for minutes in range(30, 1, -5):
        sent = history.now - minutes * MINUTE
        probe = history.probe("mx04", "inbound", sent, 100 * SECOND, "late", folder="Junk")
        history.way(
            probe,
            [("agent.mx04.example", "mx04.example", "ESMTPSA", "TLSv1.3 TLS_AES_256_GCM_SHA384",
              "4FZXKQ1Y", sent),
             ("mx04.example", "relay.example", "ESMTPS", "TLSv1.2", "7QK2ZP", sent + SECOND),
             ("relay.example", "mx02.example", "ESMTP", "", "9PW3MB", sent + 99 * SECOND)],
            rerouted=True, spf=("pass", ""), dkim=("fail", "bad body hash"),
            dmarc=("pass", ""), arc=("none", ""))
    history.habits("mx04", [DIRECT], [DETOUR], dkim="fail", failing=2, misplaced=31)
    return probe


def changed_ways(history, probe):
    """Four troubles of one path, none of which explains another."""
    began = history.now - 30 * MINUTE
    common = {"severity": "warning", "opened": began + 10 * MINUTE, "notified": 1,
              "notified_at": began + 10 * MINUTE, "probe": probe}
    history.incident("slow", "mx04->mx02", began, latency=100 * SECOND, threshold=60 * SECOND,
                     late=5, of=5, hop="mx02.example", hop_from="relay.example",
                     hop_delay=98 * SECOND, **common)
    history.incident("rerouted", "mx04->mx02", began, route=DETOUR, usual_route=DIRECT, **common)
    history.incident("unauthenticated", "mx04->mx02", began, method="dkim", result="fail", **common)
    history.incident("misplaced", "mx04->mx02", began, late=5, of=5, cause="Junk", **common)


def came_back(history):
    sent = history.now - 20 * MINUTE
    probe = history.probe("mx01", "outbound", sent, None, "bounced", state="bounced")
    history.report(probe, "failed", sent + 2 * SECOND, status="5.1.1", remote_mta="mx01.example",
                   diagnostic="550 5.1.1 <probe@mx01.example>: User unknown",
                   recipient="probe@mx01.example")
    history.incident("bounced", "mx02->mx01", sent, opened=sent + 2 * SECOND, notified=1,
                     notified_at=sent + 2 * SECOND, failures=1, probe=probe,
                     cause="mx01.example: 550 5.1.1 <probe@mx01.example>: User unknown")


def refused(history):
    probe = history.probe("mx01", "outbound", history.now - 10 * MINUTE, None, "open",
                          state="refused", code=535, reply="535 5.7.8 Authentication failed",
                          reply_class="5xx", accepted=None, queue_id=None, leg_submit=None)
    history.transcript(
        probe, (0, "note", "connected to 127.0.0.1 port 25"),
        (1, "server", "220 mx02.example ESMTP"), (2, "client", "EHLO mx02.example"),
        (3, "server", "250 AUTH PLAIN"), (4, "client", "AUTH PLAIN ***"),
        (9, "server", "535 5.7.8 Authentication failed"))


def delayed(history):
    sent = history.now - 35 * MINUTE
    probe = history.probe("mx01", "outbound", sent, None, "open")
    history.report(probe, "delayed", sent + 30 * MINUTE, status="4.4.1", remote_mta="mx01.example",
                   diagnostic="connect to mx01.example: Connection timed out")
