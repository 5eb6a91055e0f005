"""Requests that nobody in his right mind sends: each is refused, or answered as what it is; none does
anything, or keeps the next from being answered.
"""

import contextlib
import re
import socket

import pytest

from daemon import Daemon
from dovecot import free_port
from routes import writing
from test_http_crowd import memory

PATIENCE = 10.0
KIB = 1024
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/maintenance HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

# (what is sent, the statuses of the answers); None: the connection ends without any.
OVERSIZED = {
    "request line": (b"GET /" + b"x" * 64 * KIB + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431}),
    "query": (b"GET /api/v1/probes?path=" + b"x" * 64 * KIB + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431}),
    "long query": (b"GET /api/v1/probes?path=" + b"x" * 8 * KIB + b" HTTP/1.1\r\nHost: x\r\n\r\n" + LAST,
                   {400, 404}),
    "arguments": (b"GET /api/v1/probes?" + b"limit=1&" * 300 + b" HTTP/1.1\r\nHost: x\r\n\r\n" + LAST,
                  {200, 404}),
    "header": (GET + b"X: " + b"x" * 64 * KIB + b"\r\n\r\n", {431}),
    "headers": (GET + b"X: x\r\n" * 20000 + b"\r\n", {431}),
    "some headers": (GET + b"X: x\r\n" * 100 + b"\r\n" + LAST, {200, 404}),
    "folded header": (GET + b"X: x\r\n" + b" x\r\n" * 20000 + b"\r\n", {400, 431}),
    "method": (b"X" * 64 * KIB + b" / HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431, 501, 400}),
    "body": (POST + b"Content-Length: 65537\r\n\r\n" + b"x" * 65537, {413}),
    "huge body": (POST + b"Content-Length: 18446744073709551617\r\n\r\n", {400, 413}),
    "negative body": (POST + b"Content-Length: -1\r\n\r\n", {400, 413}),
    "chunked body": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"x" * 0xffff + b"\r\n",
                     {411}),
    "endless chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 300 + b"\r\n", {400, 411}),
    "pipeline": (500 * (GET + b"\r\n") + LAST, {200, 404}),
    "garbage": (b"\x00\xff" * 40 * KIB, {400, 414, 431}),
    "no request at all": (b"\r\n" * 40 * KIB, {400, 414, 431}),
}
# Bodies whose end may be seen elsewhere by whoever stands in between: none becomes a request.
DISPUTED = {
    "both lengths": b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, the other way": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "not quite chunked": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "length with a sign": b"Content-Length: +0\r\n\r\n",
    "length in words": b"Content-Length: 0x\r\n\r\n",
}
PATHS = [b"/../etc/passwd", b"/assets/../../../../etc/passwd", b"/assets/%2e%2e/%2e%2e/etc/passwd",
         b"/assets/..%2f..%2fetc%2fpasswd", b"/assets//etc/passwd", b"/assets/\\..\\x", b"//metrics",
         b"/metrics/", b"/./metrics", b"/x/../metrics", b"/METRICS", b"/metrics;x", b"/metrics%20",
         b"/api/v1/probes/..%2f..%2f..%2fetc%2fpasswd", b"/api/v1/probes/%00", b"/api/v1//probes",
         b"/api/v1/maintenance/../reload", b"/probe?id=../../etc/passwd", b"/path?name=%00%ff->x",
         b"http://elsewhere.example/metrics", b"https:///metrics", b"*", b"metrics", b"/%zz", b"/%",
         b"elsewhere.example:443", b"/\xff\xfe", b"/path?name=" + b"%3Cscript%3E" * 20]
VERSIONS = [b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.10", b"HTTP/", b"", b"ICY/1.1", b"HTTP/1.1x"]
# Whoever it is said to be for: a name that was made to point here (DNS rebinding) reads what anybody
# reads who gets here, and may write as little.
HOSTS = [b"elsewhere.example", b"127.0.0.1:1", b"localhost", b"", b"a" * 300, b"x\r\nHost: y", b"[::1]"]


@pytest.fixture(name="daemon", scope="module")
def fixture_daemon(tmp_path_factory):
    port = free_port()
    home = tmp_path_factory.mktemp("hostile")
    with Daemon(home, http={"listen": [f"127.0.0.1:{port}"]}) as daemon:
        daemon.port = port
        yield daemon
        assert daemon.count("config RELOADED.*") == 0 and daemon.windows() == {}
        assert daemon.ledger("SELECT count(*) FROM probes WHERE kind = 'hand'") == [(0,)]


def say(daemon, octets):
    """All that is answered until the connection ends; sending is over first."""
    answered = b""
    with socket.create_connection(("127.0.0.1", daemon.port), PATIENCE) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                answered += part
    return answered


def statuses(answered):
    return [int(status) for status in re.findall(rb"(?:^|[}\n])HTTP/1\.[01] (\d{3})", answered)]


def assert_well(daemon):
    assert statuses(say(daemon, GET + b"Connection: close\r\n\r\n")) == [200]


@pytest.mark.parametrize("what", OVERSIZED)
def test_the_oversized(daemon, what):
    octets, expected = OVERSIZED[what]
    found = statuses(say(daemon, octets))
    assert found or what in ("garbage", "no request at all"), what
    assert set(found) <= expected
    assert_well(daemon)


def test_the_oversized_all_at_once_cost_little_memory(daemon):
    before = memory(daemon)
    with contextlib.ExitStack() as stack:
        for octets, _ in 20 * list(OVERSIZED.values()):
            connection = stack.enter_context(socket.socket())
            connection.connect(("127.0.0.1", daemon.port))
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                connection.send(octets[:-1])
        assert_well(daemon)
        grown = memory(daemon) - before
    print(f"{20 * len(OVERSIZED)} of them at once: {grown / 2**20:.1f} MiB more (PSS)")
    assert grown < 24 << 20


@pytest.mark.parametrize("what", DISPUTED)
def test_no_request_is_smuggled_in_a_body(daemon, what):
    """What comes behind a body whose length is in dispute is not looked at."""
    answered = say(daemon, POST + DISPUTED[what] + SMUGGLED + LAST)
    assert set(statuses(answered)) <= {400, 403, 411} and b"nothing at this path" not in answered
    assert_well(daemon)
    undisputed = say(daemon, POST + b"Content-Length: 0\r\n\r\n" + SMUGGLED + LAST)
    assert statuses(undisputed) == [403, 404, 404] and b"nothing at this path" in undisputed


def test_paths_that_lead_nowhere(daemon):
    for path in PATHS:
        answered = say(daemon, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"root:" not in answered and b"<script>" not in answered
        assert all(400 <= status < 500 for status in statuses(answered)), (path, answered[:200])
    assert_well(daemon)


def test_paths_written_otherwise_write_as_little(daemon):
    for route in writing():
        path = route.path + ("x" if route.path.endswith("/") else "")
        encoded = "".join(f"%{ord(letter):02x}" if letter != "/" else letter for letter in path)
        for odd in (encoded, f"{path}%00", f"/.{path}", f"/{path}", f"{path}?x", f"http://localhost{path}"):
            head = f"{route.method} {odd} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            answered = say(daemon, f"{head}Connection: close\r\n\r\n{{}}".encode())
            assert all(400 <= status < 500 for status in statuses(answered)), (odd, answered[:200])


def test_versions_and_hosts(daemon):
    for version in VERSIONS:
        answered = say(daemon, b"GET /healthz " + version + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert len(statuses(answered)) <= 1
    for host in HOSTS:
        say(daemon, b"GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
        answered = say(daemon, b"POST /api/v1/reload HTTP/1.1\r\nConnection: close\r\n"
                               b"Content-Length: 0\r\nOrigin: null\r\nHost: " + host + b"\r\n\r\n")
        assert statuses(answered) in ([403], [400], []), (host, answered)
        assert b"Access-Control" not in answered
    assert_well(daemon)
