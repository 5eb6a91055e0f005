"""What the picture of the README tells."""

from history import DAY, HOUR, MINUTE, SECOND


def story(history):
    """What the page is to tell: one server has not come back from its maintenance, one path is
    slow, one server is in maintenance, one window is to come; yesterday the story of the README.
    """
    now = history.now
    calm = now - now % (5 * MINUTE)
    week = calm - 7 * DAY
    for peer, out, back in ("mx03", 180, 210), ("mx04", 420, 640), ("mx05", 95, 120):
        history.cadence(peer, "outbound", out * 1_000_000, week, calm - 30 * MINUTE)
        history.cadence(peer, "inbound", back * 1_000_000, week, calm - 30 * MINUTE)
    yesterday(history, week, calm)
    overrun(history, now)
    slow(history, calm)
    others(history, now)


def yesterday(history, week, calm):
    """12:19:01, 12:34, 12:49 and 13:04 arrive at 13:07:47, 20 hours ago."""
    noon = calm - 21 * HOUR
    at = lambda hours, minutes, seconds=0: (  # noqa: E731
        noon + (hours - 12) * HOUR + minutes * MINUTE + seconds * SECOND)
    for way, median in ("outbound", 260), ("inbound", 300):
        history.cadence("mx01", way, median * 1_000_000, week, at(12, 18))
        history.cadence("mx01", way, median * 1_000_000, at(13, 10), calm - 52 * MINUTE)
    history.window("w-2006story", "mx01", at(12, 18), at(12, 48), by="root@mx01",
                   reason="kernel update")
    cause = history.incident(
        "overrun", "mx01", at(12, 49), opened=at(12, 53), closed=at(13, 7, 47), notified=1,
        notified_at=at(12, 53), window="w-2006story", window_kind="routine",
        planned_end=at(12, 48), resumed_outbound=at(13, 7, 47), resumed_inbound=at(12, 58, 40),
        resumed_by="mx02->mx01", drained=4, lost=0, suppressed=6, longest=2926 * SECOND,
        in_flight=4)
    for *when, verdict in (
        (12, 19, 1, "excused"), (12, 34, "excused"), (12, 49, "drained"), (13, 4, "drained")
    ):
        sent = at(*when)
        history.probe("mx01", "outbound", sent, at(13, 7, 47) - sent, verdict,
                      incident=cause if verdict == "drained" else None,
                      excused=1739 * SECOND if verdict == "excused" else None)


def overrun(history, now):
    """The window of mx01 ended 22 minutes ago, and it is not back."""
    begin, end = now - 52 * MINUTE, now - 22 * MINUTE
    history.window("w-k7qj2f4mxa", "mx01", begin, end, reason="kernel update")
    history.acknowledged("w-k7qj2f4mxa", "mx03", "mx04", "mx05")
    for minutes in range(50, 3, -5):
        history.probe("mx01", "outbound", now - minutes * MINUTE, None, "open")
    cause = history.incident(
        "overrun", "mx01", end + MINUTE, opened=end + 5 * MINUTE, notified=1,
        notified_at=end + 5 * MINUTE, window="w-k7qj2f4mxa", window_kind="routine",
        planned_end=end, in_flight=10, culprit="server", seen_by=3, seen_of=3,
        cells="mx01->mx02,mx03,mx04 bad", cause="mx01.example: cannot connect: Connection refused")
    history.incident("silent", "mx01->mx02", end, oldest_age=20 * MINUTE, threshold=15 * MINUTE,
                     cause_id=cause)
    history.incident("silent", "mx02->mx01", end, oldest_age=19 * MINUTE, threshold=15 * MINUTE,
                     cause_id=cause)


def slow(history, calm):
    """What mx04 sends takes longer than a minute, for half an hour now; and one came back."""
    last = None
    for number, minutes in enumerate(range(30, 1, -5)):
        last = history.probe("mx04", "inbound", calm - minutes * MINUTE,
                             (74 + 9 * number) * SECOND, "late" if number > 0 else "on_time")
    history.cadence("mx04", "outbound", 420_000_000, calm - 30 * MINUTE, calm)
    history.incident(
        "slow", "mx04->mx02", calm - 24 * MINUTE, severity="warning",
        opened=calm - 12 * MINUTE, notified=1, notified_at=calm - 11 * MINUTE,
        latency=119 * SECOND, threshold=60 * SECOND, late=4, of=5, probe=last)
    history.probe("mx04", "outbound", calm - 3 * HOUR - MINUTE, None, "bounced", state="bounced")
    history.probe("mx04", "outbound", calm - 3 * DAY, None, "lost", state="lost")


def others(history, now):
    """mx05 is in maintenance, of mx03 a window is announced."""
    history.window("w-active5", "mx05", now - 6 * MINUTE, now + 12 * MINUTE + 30 * SECOND,
                   reason="new disks", by="alice@mx02")
    history.acknowledged("w-active5", "mx03", "mx04")
    history.window("w-coming3", "mx03", now + 2 * HOUR, now + 3 * HOUR, kind="emergency",
                   reason="database migration")
    history.acknowledged("w-coming3", "mx04")
    for way in "outbound", "inbound":
        history.cadence("mx05", way, 110_000_000, now - 30 * MINUTE, now - 6 * MINUTE)
        history.cadence("mx03", way, 190_000_000, now - 30 * MINUTE, now)
