"""Six situations that a first-time reader has to make out: one each for an agent of its own. All
are seen by mx02, whose peers are mx01, mx03 and mx04; where all is well there is nothing to tell.
"""

from history import HOUR, MINUTE, SECOND

PEERS = ("mx01", "mx03", "mx04")
PAST = 6 * HOUR


def calm(history, peer, until=0):
    """Six hours of mail both ways, up to so long ago."""
    begin, end = history.now - PAST, history.now - until
    history.cadence(peer, "outbound", 180_000_000, begin, end)
    history.cadence(peer, "inbound", 210_000_000, begin, end)


def others_calm(history, *troubled):
    for peer in PEERS:
        if peer not in troubled:
            calm(history, peer)


def silent_children(history, cause, peer, began):
    for path in f"{peer}->mx02", f"mx02->{peer}":
        history.incident("silent", path, began, oldest_age=history.now - began,
                         threshold=15 * MINUTE, cause_id=cause)


def down(history):
    """mx03 is dead; nobody announced anything."""
    others_calm(history, "mx03")
    began = history.now - 25 * MINUTE
    calm(history, "mx03", 25 * MINUTE)
    for sent in range(began, history.now, 5 * MINUTE):
        history.probe("mx03", "outbound", sent, None, "open")
    cause = history.incident(
        "down", "mx03", began, opened=began + 16 * MINUTE, notified=1,
        notified_at=began + 17 * MINUTE, oldest_age=25 * MINUTE, in_flight=5, culprit="server",
        seen_by=3, seen_of=3, cells="mx03->mx01,mx02,mx04 bad",
        cause="mx03.example: cannot connect: Connection refused")
    silent_children(history, cause, "mx03", began)


def late(history):
    """What mx04 sends waits in a queue on the way: a probe's hops tell in which."""
    others_calm(history, "mx04")
    calm(history, "mx04", 30 * MINUTE)
    for minutes in range(30, 1, -5):
        sent = history.now - minutes * MINUTE
        probe = history.probe("mx04", "inbound", sent, 94 * SECOND, "late")
        history.way(probe, [
            ("agent.mx04.example", "mx04.example", "ESMTP", "", "4FZX1", sent),
            ("mx04.example", "relay.example", "ESMTPS", "TLSv1.3", "7QK2", sent + SECOND),
            ("relay.example", "mx02.example", "ESMTPS", "TLSv1.3", "9PW3", sent + 93 * SECOND)])
    history.incident(
        "slow", "mx04->mx02", history.now - 30 * MINUTE, severity="warning",
        opened=history.now - 18 * MINUTE, notified=1, notified_at=history.now - 17 * MINUTE,
        latency=94 * SECOND, threshold=60 * SECOND, late=5, of=5, probe=probe,
        hop="mx02.example", hop_from="relay.example", hop_delay=92 * SECOND)


def overrun(history):
    """The window of mx01 has ended, mx01 is not back."""
    others_calm(history, "mx01")
    begin, end = history.now - 50 * MINUTE, history.now - 20 * MINUTE
    calm(history, "mx01", 50 * MINUTE)
    history.window("w-k7qj2f4mxa", "mx01", begin, end, reason="kernel update", by="root@mx01")
    history.acknowledged("w-k7qj2f4mxa", "mx03", "mx04")
    cause = history.incident(
        "overrun", "mx01", end, opened=end + 5 * MINUTE, notified=1, notified_at=end + 5 * MINUTE,
        window="w-k7qj2f4mxa", window_kind="routine", planned_end=end, in_flight=10,
        culprit="server", seen_by=3, seen_of=3, cells="mx01->mx02,mx03,mx04 bad")
    silent_children(history, cause, "mx01", end)


def blind(history):
    """Our own mailbox cannot be read: of what comes to us nothing is known."""
    others_calm(history)
    began = history.now - 10 * MINUTE
    history.incident("blind", "local", began, opened=began + 2 * MINUTE, notified=1,
                     notified_at=began + 2 * MINUTE, oldest_age=10 * MINUTE,
                     cause="127.0.0.1: cannot connect: Connection refused")


def expiring(history):
    """Nothing but the certificate of the relay, which the agent sees by itself."""
    others_calm(history)


def fine(history):
    others_calm(history)
