"""A past in which everybody wrote what should hurt a reader of the page, wherever others have a
say: HTML, control bytes, characters that turn the direction of writing, endless words; and a
mail server that does so to this day. Seen by mx02, whose peer is mx04.
"""

from history import HOUR, MINUTE, SECOND

HURT = ("<script>globalThis.broken=1</script><img src=x onerror=globalThis.broken=1>"
        "</td></table>\"'&amp;\x01\x1b[31m\u202egnorw\u202c\u2066")

REPLY = f"550 5.7.1 refused-{HURT}{'W' * 300}\r\n".encode()


def words(name, size):
    """Such a text, as long as what stores it allows, with a name to be found by."""
    return f"{name}-{HURT}{'W' * size}".encode()[:size - 1].decode(errors="ignore")


def plain(name, size):
    """The same of what the collector has kept to printable ASCII without quotes."""
    return f"{name}<b>'&{'W' * size}"[:size - 1]


def hostile(history):
    history.cadence("mx04", "inbound", 190_000_000, history.now - HOUR, history.now - 20 * MINUTE)
    probe = arrived(history)
    sent_back(history)
    route = f"{plain('route', 120)} {plain('route', 120)}"
    history.habits("mx04", [route], [plain("fresh", 250)])
    troubles(history, probe, route)
    for number, server in enumerate(("mx04", words("server", 33), "mx09")):
        history.window(f"w-{number}", server, history.now - 5 * MINUTE, history.now + HOUR,
                       by=words("by", 96), reason=words("reason", 160), origin="peer")


def arrived(history):
    sent = history.now - 10 * MINUTE
    probe = history.probe("mx04", "inbound", sent, 100 * SECOND, "late", folder=words("folder", 129),
                          mailbox=words("mailbox", 65))
    history.way(
        probe, [(plain("from", 64), plain("by", 64), plain("esmtp", 24), plain("tls", 56),
                 plain("queue", 40), sent + (number + 1) * SECOND) for number in range(20)],
        rerouted=True, dkim=("fail", plain("reason", 64)))
    return probe


def sent_back(history):
    sent = history.now - 8 * MINUTE
    probe = history.probe("mx04", "outbound", sent, None, "bounced", state="bounced",
                          reply=words("reply", 256), cause=words("fault", 256), queue_id=words("queue", 64))
    for action in "failed", "delayed":
        history.report(probe, action, sent, status="<b>5.1.1", remote_mta=words("remote", 128),
                       diagnostic=words("diagnostic", 256), recipient=words("recipient", 128))
    history.transcript(probe, (1, "server", r"220 <script>globalThis.broken=1</script>\x1b[31m"),
                       (2, "client", "EHLO " + "W" * 300))


def troubles(history, probe, route):
    began = history.now - 9 * MINUTE
    common = {"opened": began, "notified": 1, "notified_at": began, "cause": words("cause", 160),
              "probe": probe}
    history.incident("bounced", "mx02->mx04", began, failures=1, **common)
    history.incident("slow", "mx04->mx02", began, latency=100 * SECOND, threshold=60 * SECOND,
                     late=5, of=5, hop=plain("hop", 64), hop_from=plain("from", 64),
                     hop_delay=98 * SECOND, culprit="path", seen_by=2, seen_of=3,
                     cells=words("cells", 320), **common)
    history.incident("rerouted", "mx04->mx02", began, route=route, usual_route=route, **common)
    history.incident("overrun", "mx04", began, window=words("window", 24), window_kind="routine",
                     planned_end=began, suppressed_by=words("window", 24), **common)
    history.incident("blind", "local", began - HOUR, closed=began, resumed_by=words("resumed", 80),
                     **common)
