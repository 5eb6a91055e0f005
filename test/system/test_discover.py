"""mailflow-discover against name servers that answer, and against those that do it badly."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

from process import patient

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
PROGRAM = BUILD / "probes" / "mailflow-discover"
NAME = "_mailflow._tcp.example.net"
MANY = [[0, 0, 9925, f"mx{number:04}.example.net"] for number in range(1000)]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own takes root")


def job(name=NAME, *, number=1, seconds=10.0):
    deadline = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(patient(seconds) * 1e9)
    return {"number": number, "deadline": deadline, "name": name}


def run(records, text):
    here = pathlib.Path(__file__).parent / "dns_server.py"
    command = ("unshare", "--net", "--mount", sys.executable, here, json.dumps(records), PROGRAM)
    return subprocess.run(command, input=text, capture_output=True, timeout=patient(30), check=False)


def discover(entry, **how):
    """The servers that it finds, and why it fails."""
    done = run({NAME: entry}, json.dumps(job(**how)).encode() + b"\n")
    assert (done.returncode, done.stderr) == (0, b""), done
    *servers, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(line["kind"] == "server" and line["number"] == 1 for line in servers)
    assert last["kind"] == ("failed" if last["cause"] else "done")
    return [(line["host"], line["port"]) for line in servers], last["cause"]


def test_servers_come_in_order_and_once():
    found, cause = discover({"srv": [[10, 1, 9925, "mx02.example.net"], [0, 0, 25, "mx01.test"],
                                     [20, 1, 9925, "mx02.example.net"], [0, 0, 0, "."]]})
    assert (found, cause) == ([("mx01.test", 25), ("mx02.example.net", 9925)], "")


def test_many_servers_come_over_tcp():
    found, cause = discover({"srv": MANY})
    assert cause == "" and found == [(host, port) for _, _, port, host in MANY]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"srv": []}, "the name has no SRV records"),
        ({"srv": [[0, 0, 0, "."]]}, "the answer lists no server"),
        ({"srv": [], "do": "nxdomain"}, "the name does not exist (NXDOMAIN)"),
        ({"srv": [], "do": "servfail"}, "no name server has an answer (SERVFAIL, or none at all)"),
        ({"srv": [], "do": "silent"}, "no name server has an answer (SERVFAIL, or none at all)"),
        ({"srv": MANY[:2], "do": "truncate-twice"}, "the answer is truncated"),
        ({"srv": MANY[:2], "do": "cut"}, "malformed"),
        ({"srv": MANY[:2], "do": "junk"}, "no name server has an answer (SERVFAIL, or none at all)"),
        ({"srv": MANY[:2], "do": "text"}, "which is no host"),
    ],
)
def test_answers_that_are_none(entry, said):
    found, cause = discover(entry)
    assert found == [] and said in cause


def test_an_answer_is_truncated_at_first():
    found, cause = discover({"srv": MANY[:1], "do": "truncate"})
    assert (found, cause) == ([("mx0000.example.net", 9925)], "")


def test_a_connection_on_which_nothing_is_said_ends_at_the_deadline():
    begin = time.monotonic()
    done = run({NAME: {"srv": [], "do": "hang"}}, json.dumps(job(seconds=2)).encode() + b"\n")
    assert done.stdout == b"" and done.returncode != 0 and time.monotonic() - begin < patient(10)


def test_lines_that_are_no_jobs():
    done = run({}, b'{"number":1,"deadline":1}\n{"number":0}\n')
    [line] = map(json.loads, done.stdout.splitlines())
    assert line["cause"] == 'job: "name" is missing'
    assert b'"number" is 0' in done.stderr
