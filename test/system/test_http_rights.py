"""No write without the right: everything that writes, by every way in, for those who may not."""

import contextlib
import http.client
import json
import operator
import subprocess

import pytest

import contract
from daemon import Daemon, wait_for
from dovecot import free_port
from process import patient
from routes import routes, writing
from test_https import TOKEN, House

WINDOW = json.dumps({"server": "mx02", "kind": "routine", "duration_seconds": 60, "by": "anna"})
PROBE = json.dumps({"peer": "mx01"})
CHANGE = json.dumps({"extend_seconds": 60, "by": "anna"})
BODIES = {("POST", "/api/v1/maintenance"): WINDOW, ("POST", "/api/v1/probes"): PROBE,
          ("PATCH", "/api/v1/maintenance/"): CHANGE}
WRONG = ["", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Bearer {TOKEN.upper()}",
         f"Basic {TOKEN}", TOKEN, f"Bearer x {TOKEN}", "Bearer \x00"]


@pytest.fixture(name="house")
def fixture_house(tmp_path, certificates):
    return House(tmp_path, certificates)


def plain(port, method, path, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patient(10))
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        contract.check_answer(method, path, answer.status, answer.getheader("Content-Type"), text)
        return answer.status, text


class Ledger:
    """What writing would have changed."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.window = json.loads(daemon.request("POST", "/api/v1/maintenance", WINDOW)[1])["id"]
        self.before = self.look()

    def look(self):
        windows = {id: window["revision"] for id, window in self.daemon.windows().items()}
        by_hand = self.daemon.ledger("SELECT count(*) FROM probes WHERE kind = 'hand'")
        return windows, by_hand, self.daemon.count("config RELOADED.*")

    def path(self, route):
        return route.path + (self.window if route.path.endswith("/") else "")


def assert_nothing_is_written(daemon, ask, expected):
    """`ask(method, path, body)` is (status, ...); of all that may write only what is signed is let
    in, to find that it is not."""
    ledger = Ledger(daemon)
    asked = writing()
    assert len(asked) >= 6  # the table was read
    for route in asked:
        status = ask(route.method, ledger.path(route), BODIES.get(route[:2], "{}"))[0]
        assert status == (401 if route.signed else expected), route
    assert ledger.look() == ledger.before


def test_the_table_has_a_write_that_works(tmp_path, office):
    """That the others are refused, then, is not because nothing works."""
    with Daemon(tmp_path, office) as daemon:
        ledger = Ledger(daemon)
        for route in writing():
            body = BODIES.get(route[:2], "{}")
            status, text = daemon.request(route.method, ledger.path(route), body)
            assert status == 401 if route.signed else status in (200, 201, 202), (route, text)
        wait_for(lambda: all(map(operator.ne, ledger.before, ledger.look())), 5, "all of it")


def test_nothing_over_plain_tcp(tmp_path, office):
    port = free_port()
    with Daemon(tmp_path, office, http={"listen": [f"127.0.0.1:{port}"]}) as daemon:
        assert_nothing_is_written(daemon, lambda *asked: plain(port, *asked), 403)
        headers = {"Authorization": f"Bearer {TOKEN}", "Forwarded": "for=unix:", "X-Forwarded-For": "::1"}
        assert_nothing_is_written(daemon, lambda *asked: plain(port, *asked, **headers), 403)


def test_nothing_over_https_without_the_token(tmp_path, office, house):
    with Daemon(tmp_path, office, http=house.http) as daemon:
        assert_nothing_is_written(daemon, house.request, 401)
        for wrong in WRONG:
            def ask(*asked, wrong=wrong):
                return house.request(*asked, Authorization=wrong)
            assert_nothing_is_written(daemon, ask, 401)


def test_nothing_over_https_where_there_is_no_token(tmp_path, office, house):
    settings = {name: value for name, value in house.http.items() if name != "token_file"}
    with Daemon(tmp_path, office, http=settings) as daemon:
        for authorization in ("Bearer ", f"Bearer {TOKEN}"):
            def ask(*asked, authorization=authorization):
                return house.request(*asked, Authorization=authorization)
            assert_nothing_is_written(daemon, ask, 403)


def test_methods_that_no_path_has(tmp_path, office):
    """None does anything, whatever it is called."""
    port = free_port()
    with Daemon(tmp_path, office, http={"listen": [f"127.0.0.1:{port}"]}) as daemon:
        ledger = Ledger(daemon)
        known = {(route.method, route.path) for route in routes()}
        paths = sorted({route.path for route in routes()})
        for method in ("PUT", "OPTIONS", "TRACE", "CONNECT", "get", "PATCHX", "POST", "DELETE"):
            for path in (path for path in paths if (method, path) not in known):
                status, _ = plain(port, method, path + ("x" if path.endswith("/") else ""), "{}")
                assert 400 <= status < 500, (method, path, status)
        assert ledger.look() == ledger.before


def test_the_control_socket_is_for_its_users_and_group(tmp_path, office):
    """Another user does not even get in, however open the directories."""
    with Daemon(tmp_path, office) as daemon:
        for place in (tmp_path, *tmp_path.parents[:-1]):
            if place.owner() == "root" and place.stat().st_mode & 0o001 == 0:
                place.chmod(place.stat().st_mode | 0o001)
        control = daemon.settings["http"]["control"]
        script = f"import socket; socket.socket(socket.AF_UNIX).connect({control!r}); print('in')"
        command = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                   "/usr/bin/python3", "-c", script)
        done = subprocess.run(command, capture_output=True, text=True)
        assert "PermissionError" in done.stderr and done.stdout == "", done
        allowed = subprocess.run(("/usr/bin/python3", "-c", script), capture_output=True, text=True)
        assert allowed.stdout == "in\n"
