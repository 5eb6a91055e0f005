"""mailflowctl history: both paths merged, page by page."""

import datetime
import json
import urllib.parse

from control_answers import PATHS, probe
from control_server import Answer, ControlServer
from ctl import ctl

START = datetime.datetime(2026, 7, 28, 12)


class Ledger:
    """Pages of one probe every ten seconds on each path, the way the agent hands them out."""

    def __init__(self, count):
        self.count = count
        self.queries = []

    def send(self, handler):
        query = dict(urllib.parse.parse_qsl(handler.path.partition("?")[2]))
        self.queries.append(query)
        newest = int(query.get("before", self.count))
        oldest = max(0, newest - int(query["limit"]))
        probes = [self.probe(query["path"], number) for number in range(newest - 1, oldest - 1, -1)]
        Answer({"probes": probes, "next": oldest if oldest > 0 else None}).send(handler)

    @staticmethod
    def probe(path, number):
        inbound = path.startswith("mx01")
        second = number * 10 + (5 if inbound else 0)
        return probe(
            path=path,
            direction="inbound" if inbound else "outbound",
            kind="slot",
            slot=1000 + number,
            state="arrived",
            verdict="on_time",
            sent=(START + datetime.timedelta(seconds=second)).isoformat() + ".000000Z",
            latency_seconds=0.25,
            latency_error_seconds=0.001,
        )


def history(ledger):
    return ControlServer({"GET /paths": {"paths": PATHS}, "GET /probes": ledger})


HISTORY_TEXT = """\
SENT UTC             PATH        KIND            SLOT  STATE      VERDICT     LATENCY    ±ERROR  PROBE
2026-07-28 12:00:15  mx01->mx02  slot            1001  arrived    on_time    250.0 ms    1.0 ms  7Q2KAAAA
2026-07-28 12:00:10  mx02->mx01  slot            1001  arrived    on_time    250.0 ms    1.0 ms  7Q2KAAAA
2026-07-28 12:00:05  mx01->mx02  slot            1000  arrived    on_time    250.0 ms    1.0 ms  7Q2KAAAA
2026-07-28 12:00:00  mx02->mx01  slot            1000  arrived    on_time    250.0 ms    1.0 ms  7Q2KAAAA
"""


def test_both_directions_newest_first():
    ledger = Ledger(2)
    with history(ledger) as server:
        result = ctl("history", "mx01", server=server)
    assert (result.code, result.out, result.err) == (0, HISTORY_TEXT, "")
    assert ledger.queries == [
        {"path": "mx02->mx01", "since": "24h", "limit": "1000"},
        {"path": "mx01->mx02", "since": "24h", "limit": "1000"},
    ]


def test_pages_follow_each_other():
    with history(Ledger(1234)) as server:
        result = ctl("history", "mx01", server=server)
        as_json = ctl("history", "mx01", "--json", server=server)
    lines = result.out.splitlines()
    assert result.code == 0
    assert len(lines) == 1 + 2 * 1234
    assert len({len(line) for line in lines[1:]}) == 1
    assert lines[1:] == sorted(lines[1:], reverse=True)
    answer = json.loads(as_json.out)
    assert len(answer["probes"]) == 2 * 1234 and answer["next"] is None
    assert answer["probes"][0] == Ledger.probe("mx01->mx02", 1233)


def test_limit_and_since_go_to_the_agent():
    ledger = Ledger(50)
    with history(ledger) as server:
        result = ctl("history", "mx01", "--limit=3", "--since", "2026-07-28T14:00", server=server)
        as_json = ctl("history", "mx01", "--limit=1", "--since=90m", "--json", server=server)
    assert len(result.out.splitlines()) == 1 + 3
    since = "2026-07-28T14:00:00.000000Z"
    assert ledger.queries[0] == {"path": "mx02->mx01", "since": since, "limit": "3"}
    assert ledger.queries[-1] == {"path": "mx01->mx02", "since": "90m", "limit": "1"}
    assert [entry["slot"] for entry in json.loads(as_json.out)["probes"]] == [1049]


def test_no_probes():
    with history(Ledger(0)) as server:
        result = ctl("history", "mx01", server=server)
        as_json = ctl("history", "mx01", "--json", server=server)
    assert (result.code, result.out) == (0, "No probes (--since 24h).\n")
    assert json.loads(as_json.out) == {"probes": [], "next": None}


def test_what_never_went_out_stands_at_its_planned_time():
    refused = probe(state="refused", sent=None, latency_seconds=None)
    pages = {"probes": [refused], "next": None}
    with ControlServer({"GET /paths": {"paths": PATHS[:1]}, "GET /probes": pages}) as server:
        result = ctl("history", "mx01", server=server, LC_ALL="C", TZ="CET-1CEST,M3.5.0,M10.5.0/3")
    title, row = result.out.splitlines()
    assert title.endswith("+-ERROR  PROBE")
    assert row.split() == "2026-07-28 14:29:59 mx02->mx01 hand - refused open - - 7Q2KAAAA".split()


def test_an_unknown_peer_is_told_with_those_there_are():
    with history(Ledger(1)) as server:
        near = ctl("history", "gmial", server=server)
        far = ctl("history", "somewhere", server=server)
    assert (near.code, near.err) == (1, "mailflowctl: no peer 'gmial'; did you mean 'gmail'?\n")
    assert far.code == 1
    assert far.err == "mailflowctl: no peer 'somewhere'; the peers are mx01, gmail\n"


def test_a_cursor_that_stands_still_ends_in_an_error():
    for page in {"probes": [probe()], "next": 7}, {"probes": [], "next": "x"}:
        with ControlServer({"GET /paths": {"paths": PATHS}, "GET /probes": page}) as server:
            result = ctl("history", "mx01", server=server)
        assert result.code == 1
        assert "its cursor stands still" in result.err
