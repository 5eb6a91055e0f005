"""What an agent in a bad hour answers: the samples of the tests of mailflowctl."""

PATHS = [
    {
        "path": "mx02->mx01",
        "peer": "mx01",
        "direction": "outbound",
        "state": "silent",
        "last_latency_seconds": 0.0123,
        "last_latency_error_seconds": 0.001,
        "median_latency_seconds": 0.011,
        "last_sent": "2026-07-28T12:29:00.000000Z",
        "last_arrival": "2026-07-28T12:17:00.000000Z",
        "in_flight": 13,
        "oldest_in_flight_sent": "2026-07-28T12:18:00.000000Z",
        "thinned": True,
        "agent_trouble": "its agent answers 403: mx01 has no peer mx02 with an agent: add it to its peers",
        "interval_seconds": 900.0,
    },
    {
        "path": "mx01->mx02",
        "peer": "mx01",
        "direction": "inbound",
        "state": "ok",
        "last_latency_seconds": 82.44,
        "last_latency_error_seconds": 0.5,
        "median_latency_seconds": 192.0,
        "last_sent": "2026-07-28T12:29:30.000000Z",
        "last_arrival": "2026-07-28T12:29:48.000000Z",
        "in_flight": 0,
        "oldest_in_flight_sent": None,
        "thinned": False,
        "interval_seconds": 60.0,
    },
    {
        "path": "mx02->gmail",
        "peer": "gmail",
        "direction": "outbound",
        "state": "unknown",
        "last_latency_seconds": None,
        "last_latency_error_seconds": None,
        "median_latency_seconds": None,
        "last_sent": None,
        "last_arrival": None,
        "in_flight": 0,
        "oldest_in_flight_sent": None,
        "thinned": False,
        "interval_seconds": 60.0,
    },
]

INCIDENTS = [
    {
        "id": 17,
        "kind": "silent",
        "severity": "critical",
        "subject": "mx02->mx01",
        "began": "2026-07-28T12:18:00.000000Z",
        "opened": "2026-07-28T12:23:00.000000Z",
        "closed": None,
        "notified": False,
        "suppressed_by": "w-1f3a2b4c",
        "cause": None,
        "evidence": {"in_flight": 13, "oldest_age_seconds": 720.0, "threshold_seconds": 300.0},
    },
    {
        "id": 16,
        "kind": "slow",
        "severity": "warning",
        "subject": "mx01->mx02",
        "began": "2026-07-27T20:00:00.000000Z",
        "opened": "2026-07-27T20:05:00.000000Z",
        "closed": None,
        "notified": True,
        "suppressed_by": None,
        "cause": None,
        "evidence": {
            "late": 5,
            "of": 6,
            "latency_seconds": 82.4,
            "hop": "mx03.example",
            "hop_from": "mx01.example",
            "hop_delay_seconds": 80.0,
        },
    },
]


def window(**more):
    return {
        "id": "w-1f3a2b4c",
        "revision": 1,
        "server": "mx01",
        "kind": "routine",
        "state": "active",
        "begin": "2026-07-28T12:18:00.000000Z",
        "end": "2026-07-28T12:48:00.000000Z",
        "cancelled": False,
        "by": "root@mx02",
        "origin": "operator",
        "reason": "kernel update",
        "peers_known": 1,
        "peers": 1,
        "acknowledged": ["mx01"],
        "unacknowledged": [],
        **more,
    }


WINDOWS = [
    window(),
    window(
        id="w-00000001",
        server="mx02",
        kind="emergency",
        state="announced",
        begin="2026-07-29T02:00:00.000000Z",
        end="2026-07-29T04:00:00.000000Z",
        reason="",
    ),
]

STATUS = {
    "server": "mx02",
    "version": "0.1.0",
    "started": "2026-07-27T02:00:00.000000Z",
    "now": "2026-07-28T12:30:00.000000Z",
    "ready": True,
    "not_ready_because": None,
    "paths": PATHS,
    "incidents": INCIDENTS,
    "maintenance": WINDOWS,
    "mailboxes": [
        {
            "name": "local",
            "readable": True,
            "cause": None,
            "last_collect": "2026-07-28T12:29:59.000000Z",
            "foreign_messages": 0,
        },
        {
            "name": "gmail-box",
            "readable": False,
            "cause": "login refused: NO [AUTHENTICATIONFAILED] wrong password",
            "last_collect": "2026-07-28T12:26:48.000000Z",
            "foreign_messages": 2,
        },
    ],
    "workers": {"busy": 1, "killed": 0, "waiting": 0},
}


LEGS = {"dns": None, "connect": 0.000231, "tls": None, "auth": None, "submit": 0.004}


def probe(**more):
    """An accepted one on its way."""
    return {
        "id": "7q2kaaaaaaaaaaaaaaaaaaaaaa",
        "path": "mx02->mx01",
        "direction": "outbound",
        "kind": "hand",
        "slot": None,
        "state": "accepted",
        "verdict": "open",
        "planned": "2026-07-28T12:29:59.900000Z",
        "sent": "2026-07-28T12:30:00.000000Z",
        "accepted": "2026-07-28T12:30:00.004000Z",
        "arrived": None,
        "latency_seconds": None,
        "latency_error_seconds": None,
        "excused_seconds": None,
        "clock": None,
        "legs": LEGS | {"transit": None},
        "smtp_reply": "250 2.0.0 Ok: queued as 4F7A2C",
        "error_cause": None,
        "queue_id": "4F7A2C",
        "hops": [],
        "folder": None,
        "windows": [],
        "incident": None,
        **more,
    }


def arrived(latency=0.012, **more):
    return probe(
        state="arrived",
        verdict="on_time",
        arrived="2026-07-28T12:30:00.012000Z",
        latency_seconds=latency,
        latency_error_seconds=0.0005,
        excused_seconds=0.0,
        legs=LEGS | {"transit": 0.008},
        **more,
    )
