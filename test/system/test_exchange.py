"""Agents that talk over HTTP: two mailflowd with each other, and one with scripted others."""

import contextlib
import json
import os
import signal
import socket
import time

import pytest

import exchange
import http_server
from daemon import Daemon, wait_for
from dovecot import free_port
from exchange import message, post, reply_to, sign
from http_server import Server, answer
from process import patient
from tag import Key

OTHER_KEY = Key(secret=b"f" * 32)


def agent(home, office, server, peer, port, url, **overrides):
    """An agent that listens on the port, whose only peer's agent has the URL."""
    home.mkdir()
    other = {"name": peer, "address": f"probe@{peer}.example", "agent": url}
    settings = {"server": server, "peers": [other],
                "http": {"listen": [f"127.0.0.1:{port}"]},
                "defaults": {"interval": "1h", "latency": {"warning": "1s", "critical": "1h"}}}
    return Daemon(home, office, **(settings | overrides))


@contextlib.contextmanager
def alone(home, office, script, **overrides):
    """mx02 and the scripted agent of mx01: (daemon, its port, the server)."""
    port = free_port()
    with Server(script) as server:
        with agent(home / "mx02", office, "mx02", "mx01", port, server.url(), **overrides) as mx02:
            yield mx02, port, server


def good(connection, request):
    """Answer as an agent that has nothing to tell."""
    body = reply_to(request.body)
    connection.sendall(answer(200, body, mailflow_signature=sign(body)))


def begin_window(daemon, **members):
    """Begin a maintenance window; returns its id."""
    body = {"server": daemon.settings["server"], "kind": "routine", "duration_seconds": 600,
            "by": "anna"} | members
    status, text = daemon.request("POST", "/api/v1/maintenance", json.dumps(body))
    assert status == 201, text
    return json.loads(text)["id"]


# ---- two agents ----


def test_a_window_is_known_within_milliseconds(tmp_path, office):
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    with (agent(tmp_path / "mx02", office, "mx02", "mx01", ports[0], urls[1]) as mx02,
          agent(tmp_path / "mx01", office, "mx01", "mx02", ports[1], urls[0] + "/") as mx01):
        for daemon, peer in ((mx01, "mx02"), (mx02, "mx01")):
            wait_for(lambda d=daemon, p=peer: d.metric("exchanges_total", peer=p), 60, "exchanges")
        begun = time.monotonic()
        window = begin_window(mx02)
        wait_for(lambda: window in mx01.windows(), 5, "the window at the other agent")
        took = time.monotonic() - begun
        print(f"known to the other agent after {1000 * took:.1f} ms")
        assert took < patient(1)
        assert mx01.windows()[window]["server"] == "mx02"
        assert mx02.metric("exchange_failures_total", peer="mx01") in (0, 1)
        assert mx01.metric("exchange_duration_last_seconds", peer="mx02") < patient(1)
        assert mx01.metric("exchanges_received_total", peer="mx02") >= 2


# ---- what we ask ----


def test_the_request(tmp_path, office):
    with alone(tmp_path, office, good) as (mx02, _, server):
        wait_for(lambda: mx02.metric("exchanges_total", peer="mx01"), 15, "an exchange")
        request = server.requests[0]
        assert request.line == f"POST {exchange.PATH} HTTP/1.1"
        assert request.headers["mailflow-signature"] == sign(request.body)
        said = json.loads(request.body)
        assert (said["v"], said["from"], said["to"]) == (1, "mx02", "mx01")
        assert len(said["nonce"]) == 26 and abs(len(said["time"]) - 27) <= 1
        assert said["blind"] in (True, False) and said["draining"] is False
        assert said["isolated"] is False
        assert mx02.metric("exchange_failures_total", peer="mx01") == 0
        assert mx02.count("exchange .*") == 0


def test_a_window_is_announced_and_acknowledged_at_once(tmp_path, office):
    def acknowledge(connection, request):
        told = json.loads(request.body)["maintenance"]
        items = [item[2:].split("/") for item in told.split("; ") if item.startswith("w=")]
        known = "; ".join(f"ack={item[0]}/{item[1]}" for item in items)
        body = reply_to(request.body, maintenance=known)
        connection.sendall(answer(200, body, mailflow_signature=sign(body)))

    with alone(tmp_path, office, acknowledge) as (mx02, _, server):
        wait_for(lambda: mx02.metric("exchanges_total", peer="mx01"), 15, "an exchange")
        window = begin_window(mx02)
        wait_for(lambda: any(window in request.body.decode() for request in server.requests), 5,
                 "the announcement")
        wait_for(lambda: mx02.ledger("SELECT peer FROM acknowledgements"), 5, "its acknowledgement")


def altered(**members):
    """A reply that says something else in these members."""

    def script(connection, request):
        body = reply_to(request.body, **members)
        connection.sendall(answer(200, body, mailflow_signature=sign(body)))

    return script


def signed_with(key):
    def script(connection, request):
        body = reply_to(request.body)
        connection.sendall(answer(200, body, mailflow_signature=sign(body, key)))

    return script


def unsigned(connection, request):
    connection.sendall(answer(200, reply_to(request.body)))


def garbage(connection, _request):
    body = b"\x00{garbage"
    connection.sendall(answer(200, body, mailflow_signature=sign(body)))


def echo(connection, request):
    """Send back what came."""
    signature = request.headers["mailflow-signature"]
    connection.sendall(answer(200, request.body, mailflow_signature=signature))


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (http_server.close, "the connection was closed without a reply"),
        (http_server.reply(307, location="http://127.0.0.1:1/"), "its agent answers 307"),
        (http_server.reply(404), "its agent answers 404"),
        (http_server.reply(403, b'{"detail":"no\\u0007 peer"}'), "its agent answers 403: no.*peer"),
        (http_server.reply(200, b"x" * 100000), "the reply is larger than an exchange may be"),
        (signed_with(OTHER_KEY), "its reply: the signature does not match"),
        (signed_with(Key("k9")), "its reply: signed with a key that is not ours"),
        (unsigned, "its reply: not signed"),
        (garbage, "its reply: not JSON .*"),
        (echo, 'its reply: \\\\"in_reply_to\\\\" is missing'),
        (altered(to="mx03"), "the reply is from mx01 to mx03"),
        (altered(**{"from": "mx03"}), "the reply is from mx03 to mx02"),
        (altered(in_reply_to="A" * 26), "the reply answers another request"),
        (altered(time="2026-01-01T00:00:00Z"), "its clock is [0-9]+ s behind ours: .*"),
        (altered(received="yesterday"), 'its reply: .*received.* is no time'),
        (altered(maintenance=5), 'its reply: .*maintenance.* is not a string'),
        (altered(maintenance="x" * 2400), 'its reply: .*maintenance.* is longer than 2399 bytes'),
    ],
)
def test_replies_that_are_none(tmp_path, office, script, cause):
    with alone(tmp_path, office, script) as (mx02, _, server):
        begin_window(mx02)
        priority, _ = mx02.wait(rf'exchange FAILING peer=mx01 cause="{cause}" .*', seconds=15)
        assert priority == "info"
        assert mx02.metric("exchanges_total", peer="mx01") == 0
        assert mx02.metric("exchange_failures_total", peer="mx01") >= 1
        server.script = good
        begin_window(mx02)
        mx02.wait("exchange WORKING peer=mx01")
        assert mx02.count("exchange FAILING .*") == 1


def test_an_agent_that_hangs_is_given_up(tmp_path, office):
    with alone(tmp_path, office, http_server.hang) as (mx02, _, _server):
        begin_window(mx02)
        mx02.wait(r'exchange FAILING peer=mx01 cause="no complete reply within (9\.\d|10\.\d) s" .*', 20)


def test_an_agent_that_is_not_there(tmp_path, office):
    url = f"http://127.0.0.1:{free_port()}"
    with agent(tmp_path / "a", office, "mx02", "mx01", free_port(), url) as mx02:
        mx02.wait('exchange FAILING peer=mx01 cause="cannot connect: Connection refused" .*', 15)


# ---- whose fault it is, where only the two can tell ----

FAST = {"interval": "1s", "latency": {"warning": "1s", "critical": "2s"}}


def silent(daemon, port, said):
    """What is said of mail that nothing brings from mx01, whose agent says this meanwhile."""
    firing = r"silent FIRING severity=critical path=mx01->mx02 .*"

    def fires():
        assert post(port, said())[0] == 200
        time.sleep(0.3)
        return daemon.count(firing)

    wait_for(fires, 30, "the silence")
    return daemon.wait(firing)[1][0]


def test_a_peer_that_is_isolated_is_the_culprit(tmp_path, office):
    with alone(tmp_path, office, altered(isolated=True), defaults=FAST) as (mx02, port, _):
        line = silent(mx02, port, lambda: message(isolated=True))
        assert "culprit=sender seen_by=2/2 " in line
        [incident] = [one for one in mx02.api("incidents")["incidents"] if one["kind"] == "silent"]
        assert incident["cells"]["culprit"] == "sender"
        assert incident["cells"]["paths"].startswith("mx01 isolated; mx01->mx02 bad")
        assert "mx01 isolated; " in mx02.request("GET", "/")[1]


def test_an_older_agent_says_nothing_of_its_isolation(tmp_path, office):
    def older():
        members = message()
        del members["isolated"]
        return members

    with alone(tmp_path, office, http_server.reply(404), defaults=FAST) as (mx02, port, _):
        assert "culprit=" not in silent(mx02, port, older)


def test_an_isolated_agent_says_so(tmp_path, office):
    relay = {"host": "127.0.0.1", "port": 9, "tls": "none"}
    with alone(tmp_path, office, good, defaults=FAST, relay=relay,
               incidents={"isolated_after": "2s"}) as (mx02, _, server):
        mx02.wait("isolated FIRING .*")
        begin_window(mx02)
        wait_for(lambda: any(json.loads(request.body)["isolated"] for request in server.requests),
                 15, "its word")


def test_what_a_peer_says_of_itself_stands_in_the_mesh(tmp_path, office):
    def says(daemon):
        return daemon.api("mesh")["servers"][1]["says"]

    with alone(tmp_path, office, altered(draining=True, isolated=True)) as (mx02, port, server):
        wait_for(lambda: says(mx02) == ["isolated", "draining"], 15, "the words of its reply")
        server.script = http_server.reply(404)
        assert post(port, message(blind=True))[0] == 200
        assert says(mx02) == ["blind"]


# ---- mailflow-fetch and its life ----


def test_a_prober_that_dies_is_replaced(tmp_path, office):
    with alone(tmp_path, office, good) as (mx02, _, _server):
        wait_for(lambda: mx02.metric("exchanges_total", peer="mx01"), 15, "an exchange")
        first = mx02.prober("mailflow-fetch")
        os.kill(first, signal.SIGSEGV)
        mx02.wait("prober DIED program=mailflow-fetch .*")
        wait_for(lambda: mx02.prober("mailflow-fetch") not in (None, first), 5, "another prober")
        begin_window(mx02)
        wait_for(lambda: mx02.metric("exchanges_total", peer="mx01") >= 2, 5, "another exchange")
        (tmp_path / "mx02" / "stderr").write_text("")  # the sanitizer tells of the signal


def test_a_prober_that_is_stuck_is_killed(tmp_path, office):
    with alone(tmp_path, office, good) as (mx02, _, _server):
        wait_for(lambda: mx02.metric("exchanges_total", peer="mx01"), 15, "an exchange")
        os.kill(mx02.prober("mailflow-fetch"), signal.SIGSTOP)
        begin_window(mx02)
        mx02.wait("prober DIED program=mailflow-fetch .*SIG?KILL.*|prober DIED .*Killed.*", 20)
        wait_for(lambda: mx02.metric("exchanges_total", peer="mx01") >= 2, 5, "another exchange")


def test_nobody_to_talk_to_needs_no_prober(tmp_path, office):
    with Daemon(tmp_path, office) as mx02:
        mx02.wait("probe ARRIVED .*", count=2)
        assert mx02.prober("mailflow-fetch") is None


# ---- what we are asked ----


@pytest.fixture(name="asked")
def fixture_asked(tmp_path, office):
    with alone(tmp_path, office, good) as (mx02, port, _):
        yield mx02, port


def rejected(daemon, reason):
    return daemon.metric("exchanges_rejected_total", reason=reason)


def test_a_request_is_answered(asked):
    mx02, port = asked
    request = message()
    took = time.monotonic()
    status, headers, body = post(port, request)
    took = time.monotonic() - took
    print(f"answered in {1000 * took:.1f} ms")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert headers["Mailflow-Signature"] == sign(body)
    said = json.loads(body)
    assert (said["from"], said["to"]) == ("mx02", "mx01")
    assert said["in_reply_to"] == request["nonce"] and said["nonce"] != request["nonce"]
    assert exchange.timestamp(-5) < said["received"] <= said["time"] < exchange.timestamp(5)
    assert mx02.metric("exchanges_received_total", peer="mx01") == 1


def test_a_window_of_the_peer_is_taken_and_acknowledged(asked):
    mx02, port = asked
    now = time.time_ns() // 1000
    window = f"w=w-abcdefghij/1/mx01/r/{now}/{now + 600_000_000}/anna@mx01/kernel%20update"
    status, _, body = post(port, message(maintenance=window))
    assert status == 200 and "ack=w-abcdefghij/1" in json.loads(body)["maintenance"]
    assert mx02.windows()["w-abcdefghij"]["reason"] == "kernel update"
    assert mx02.ledger("SELECT server FROM windows") == [("mx01",)]


@pytest.mark.parametrize(
    ("change", "status", "reason", "said"),
    [
        ({"from": "mx09"}, 403, "unknown_peer", "mx02 has no peer mx09 with an agent"),
        ({"to": "mx01"}, 403, "misrouted", "this is the agent of mx02, not of mx01"),
        ({"time": -700}, 409, "stale", "compare the clocks"),
        ({"time": 700}, 409, "stale", "was made -700 s ago"),
        ({"time": -60}, 409, "stale", "before its agent started"),
        ({"time": "now"}, 400, "malformed", '"time" is no time'),
        ({"nonce": "short"}, 400, "malformed", '"nonce" is not 26 characters'),
        ({"from": "m x"}, 400, "malformed", '"from" is no server'),
        ({"v": 2}, 400, "malformed", '"v" is 2'),
        ({"row": None}, 400, "malformed", '"row" is not a string'),
        ({"maintenance": "a\nb"}, 400, "malformed", "control byte"),
    ],
)
def test_requests_that_are_refused(asked, change, status, reason, said):
    mx02, port = asked
    if isinstance(change.get("time"), int):
        change = {"time": exchange.timestamp(change["time"])}
    got, headers, body = post(port, message() | change)
    problem = json.loads(body)
    assert (got, headers["Content-Type"]) == (status, "application/problem+json")
    assert said in problem["detail"], problem
    assert "Mailflow-Signature" not in headers
    assert rejected(mx02, reason) == 1
    mx02.wait(f"exchange REJECTED reason={reason} .*")


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (b"{}", False),
        (b"{}", "nonsense"),
        (b"{}", sign(b"{}", OTHER_KEY)),
        (b"{}", sign(b"{}", Key("k9"))),
        (b"{} ", sign(b"{}")),
        (b"", sign(b"x")),
        (b"[" * 60000, sign(b"x")),
    ],
)
def test_requests_that_are_not_signed(asked, body, signature):
    mx02, port = asked
    status, headers, answered = post(port, body, signature)
    assert (status, headers["WWW-Authenticate"]) == (401, "Mailflow-Signature"), answered
    assert rejected(mx02, "signature") == 1


def test_a_signed_request_that_is_none(asked):
    mx02, port = asked
    for body in (b"", b"[]", b"[" * 60000, b"{}" * 30000, b'"\xff"'):
        assert post(port, body)[0] == 400, body[:10]
    assert rejected(mx02, "malformed") == 5
    assert mx02.count("exchange REJECTED .*") == 1  # one line a minute


def test_a_replay_is_refused(asked):
    mx02, port = asked
    request = json.dumps(message()).encode()
    assert [post(port, request)[0] for _ in range(3)] == [200, 409, 409]
    assert rejected(mx02, "replayed") == 2


def figures(daemon):
    """What is counted of exchanges, tags and windows."""
    _, text = daemon.request("GET", "/metrics")
    kinds = ("mailflow_exchange", "mailflow_probes_rejected", "mailflow_maintenance", "mailflow_peer")
    return [line for line in text.splitlines() if line.startswith(kinds)]


def test_a_check_is_answered_and_leaves_nothing(asked):
    """However old, however often, and whatever it says beside."""
    mx02, port = asked
    now = time.time_ns() // 1000
    window = f"w=w-abcdefghij/1/mx01/r/{now}/{now + 600_000_000}/anna@mx01/no"
    wait_for(lambda: mx02.metric("exchanges_total", peer="mx01"), 15, "an exchange of its own")
    before = figures(mx02)
    for when in ("2000-01-01T00:00:00Z", exchange.timestamp()):
        body = json.dumps(message(check=True, time=when, maintenance=window, blind=True)).encode()
        for _ in range(3):
            status, headers, answered = post(port, body)
            said = json.loads(answered)
            assert (status, headers["Mailflow-Signature"]) == (200, sign(answered))
            assert said["check"] is True and said["in_reply_to"] == json.loads(body)["nonce"]
            assert (said["maintenance"], said["receipts"], said["row"]) == ("", "", "")
    assert figures(mx02) == before and mx02.windows() == {}
    assert mx02.count("exchange REJECTED .*") == 0
    # Nor does the nonce count as seen, nor is what was said as a check taken for an exchange.
    fresh = json.loads(body) | {"check": False, "maintenance": ""}
    assert post(port, fresh)[0] == 200
    assert mx02.metric("exchanges_received_total", peer="mx01") == 1


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"from": "mx09"}, 403, "unknown_peer"),
        ({"to": "mx01"}, 403, "misrouted"),
        ({"check": 1}, 400, "malformed"),
    ],
)
def test_checks_that_are_refused(asked, change, status, reason):
    mx02, port = asked
    assert post(port, message(check=True) | change)[0] == status
    assert rejected(mx02, reason) == 1


def test_a_check_with_another_key_is_refused(asked):
    mx02, port = asked
    body = json.dumps(message(check=True)).encode()
    assert post(port, body, sign(body, OTHER_KEY))[0] == 401
    assert rejected(mx02, "signature") == 1


def test_a_body_that_is_too_large(asked):
    _, port = asked
    status, _, body = post(port, b"x" * 65537)
    assert status == 413, body


def test_only_the_exchange_takes_a_post(asked):
    mx02, port = asked
    body = message()
    assert post(port, body, path="/api/v1/maintenance")[0] == 403
    assert post(port, body, path="/api/v1/reload")[0] == 403
    assert post(port, body, path=exchange.PATH + "/")[0] == 404
    with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as client:
        client.sendall(f"GET {exchange.PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 405")
    assert mx02.windows() == {}


def test_a_flood_of_requests(asked):
    mx02, port = asked
    before = mx02.metric("exchanges_received_total", peer="mx01")
    begun = time.monotonic()
    statuses = {post(port, message())[0] for _ in range(400)}
    print(f"{400 / (time.monotonic() - begun):.0f} exchanges a second, one after the other")
    assert statuses == {200}
    assert mx02.metric("exchanges_received_total", peer="mx01") == before + 400
