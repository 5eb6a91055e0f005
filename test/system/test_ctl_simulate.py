"""mailflowctl simulate: a recorded ledger, replayed; what it says and what it refuses."""

import contextlib
import datetime
import json
import sqlite3

import pytest

from ctl import ctl
from daemon import Daemon, PostOffice, wait_for
from test_ctl import GOOD_CONFIG, write_config

MINUTE = 60 * 10**9
BEGIN = 1785240000 * 10**9  # 2026-07-28T12:00:00Z
OUTAGE = range(60, 90)


@pytest.fixture(name="ledger", scope="module")
def fixture_ledger(tmp_path_factory):
    """Three hours of two directions, a probe a minute; in the second hour 30 minutes wait."""
    home = tmp_path_factory.mktemp("recorded")
    with PostOffice() as office, Daemon(home, office) as daemon:
        wait_for(lambda: daemon.states().get("arrived"), 10, "an arrival")
    path = daemon.state / "ledger.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM probes")
        for table in "incidents", "windows":
            database.execute(f"DELETE FROM {table}")
        for minute in range(180):
            sent = BEGIN + minute * MINUTE
            arrived = (BEGIN + OUTAGE.stop * MINUTE if minute in OUTAGE else sent) + 10**9
            verdict = "late" if arrived - sent > MINUTE else "on_time"
            for direction in "outbound", "inbound":
                outbound = direction == "outbound"
                database.execute(
                    "INSERT INTO probes (id, noted, peer, direction, kind, state, verdict, slot,"
                    " planned, sent, accepted, arrived, latency, latency_error, next)"
                    " VALUES (?, ?, 'mx01', ?, 'slot', 'arrived', ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                    (
                        (minute * 2 + outbound).to_bytes(16, "big"),
                        sent if outbound else arrived,
                        direction,
                        verdict,
                        1000 + minute,
                        sent if outbound else None,
                        sent,
                        sent if outbound else None,
                        arrived,
                        arrived - sent,
                        None if outbound else MINUTE,
                    ),
                )
        database.commit()
    return path


@pytest.fixture(name="config")
def fixture_config(tmp_path):
    return write_config(tmp_path, GOOD_CONFIG)


def simulate(config, ledger, *more, **environment):
    return ctl("simulate", "--config", config, "--ledger", ledger, *more, **environment)


def test_what_would_have_been_notified(config, ledger):
    result = simulate(config, ledger)
    assert result.code == 0, result
    lines = result.out.splitlines()
    assert lines[0] == (
        "360 probes from 2026-07-28 12:00:00 to 2026-07-28 14:59:01, 0 maintenance windows"
    )
    assert len([line for line in lines if " notified 13:0" in line]) == 1
    assert ["notified", "0", "1"] in [line.split() for line in lines]
    assert ["inbound", "late", "30", "0"] in [line.split() for line in lines]
    assert ["inbound", "drained", "0", "30"] in [line.split() for line in lines]
    at = lines.index("60 probes are judged otherwise than was recorded, the first of them:")
    assert [line.split()[1:] for line in lines[at + 2 :]] == [
        ["mx01", direction, "2026-07-28", f"13:0{minute}:00", "late", "drained"]
        for minute in range(3)
        for direction in ("inbound", "outbound")
    ][:5]


def test_a_window_given_would_have_kept_it_quiet(config, ledger):
    for window in "mx01=2026-07-28T13:00/35m", "mx01=2026-07-28T13:00/13:35":
        window = window.replace("/13:35", "/2026-07-28T13:35:00Z")
        result = simulate(config, ledger, "--json", "--window", window)
        answer = json.loads(result.out)
        assert result.code == 0
        assert answer["simulated"]["notified"] == 0
        assert answer["simulated"]["verdicts"]["inbound"]["excused"] == 30
        assert answer["windows"] == [
            {
                "id": "given-1",
                "server": "mx01",
                "begin": "2026-07-28T13:00:00.000000Z",
                "end": "2026-07-28T13:35:00.000000Z",
            }
        ]


def test_a_window_without_a_date_has_been(config, ledger):
    result = simulate(config, ledger, "--json", "--window", "mx01=13:00/12:59", TZ="UTC")
    begin, end = (
        datetime.datetime.fromisoformat(json.loads(result.out)["windows"][0][name])
        for name in ("begin", "end")
    )
    now = datetime.datetime.now(datetime.timezone.utc)
    assert now - datetime.timedelta(days=1, seconds=60) <= begin <= now
    assert end - begin == datetime.timedelta(hours=23, minutes=59)


def test_since_tells_of_the_later_part_only(config, ledger):
    result = simulate(config, ledger, "--json", "--since", "2026-07-28T14:00:00Z")
    answer = json.loads(result.out)
    assert answer["incidents"] == []
    assert answer["recorded"]["verdicts"]["inbound"]["on_time"] == 60
    assert answer["simulated"]["verdicts"]["inbound"]["on_time"] == 60


def test_other_thresholds(tmp_path, ledger):
    text = GOOD_CONFIG + "defaults: {{latency: {{warning: 500ms, critical: 1h}}}}\n"
    answer = json.loads(simulate(write_config(tmp_path, text), ledger, "--json").out)
    assert answer["simulated"]["verdicts"]["inbound"]["late"] >= 100
    assert {pair["kind"] for pair in answer["incidents"]} == {"slow"}


def test_the_ledger_of_the_configuration_is_the_usual_one(config, ledger):
    missing = ctl("simulate", "--config", config)
    assert (missing.code, missing.out) == (1, "")
    (config.parent / "ledger.db").write_bytes(ledger.read_bytes())
    assert ctl("simulate", "--config", config).out == simulate(config, ledger).out


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (["--window", "mx01"], 2, "not a window: write mx01=2026-07-28T12:18/30m"),
        (["--window", "mx.1=12:00/1h"], 2, "not a window: write mx01=2026-07-28T12:18/30m"),
        (["--window", "mx01=12:00"], 2, "no BEGIN/END"),
        (["--window", "mx01=noon/1h"], 2, "'noon': not a time"),
        (["--window", "mx01=12:00/soon"], 2, "'soon': not a time"),
        (["--window", "mx01=2026-07-28T12:18/2026-07-28T12:18"], 2, "it ends before it begins"),
        (["--window", "mx09=12:00/1h"], 1, "--window: no server 'mx09' in this configuration"),
        (["--ledger", "/nowhere/ledger.db"], 1, "/nowhere/ledger.db: No such file or directory"),
        (["--ledger", "/dev/null"], 1, "ledger /dev/null is not a file"),
        (["--ledger", __file__], 1, "not a ledger of mailflow"),
        (["--config", "/nowhere/mailflow.yaml"], 1, "/nowhere/mailflow.yaml"),
        (["mx01"], 2, "simulate takes no arguments"),
    ],
)
def test_what_makes_no_sense_is_refused(config, ledger, arguments, code, message):
    result = simulate(config, ledger, *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err


def test_a_damaged_ledger_is_refused_and_left_alone(config, ledger, tmp_path):
    for cut in 5000, 9000, 20000:
        copy = tmp_path / "ledger.db"
        copy.write_bytes(ledger.read_bytes()[:cut] + b"\xa5" * 4096)
        before = copy.read_bytes()
        result = simulate(config, copy)
        assert result.code == 1 and result.err, result
        assert copy.read_bytes() == before
        assert {path.name for path in tmp_path.iterdir()}.isdisjoint(
            {"ledger.db-wal", "ledger.db-shm", "ledger.db-journal"}
        )
