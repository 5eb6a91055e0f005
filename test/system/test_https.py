"""mailflowd over HTTPS: its certificate, the bearer token, agents that talk through TLS."""

import contextlib
import http.client
import json
import shutil
import signal
import socket
import ssl
import time

import pytest

import contract
import exchange
from daemon import Daemon, wait_for
from dovecot import free_port
from process import patient

CERTIFICATE = r"certificate FIRING .*server=(\S+) days_left=(\S+) .*cause=\"(.*)\""
TOKEN = "0123456789abcdef-token"


class House:
    """The files of a daemon that speaks HTTPS on `port`."""

    def __init__(self, home, certificates):
        self.home = home
        self.certificates = certificates
        self.port = free_port()
        home.mkdir(exist_ok=True)
        self.show("right")
        self.write("token", TOKEN)

    def show(self, name):
        """Lay this certificate where the daemon finds it."""
        shutil.copy(self.certificates.folder / f"{name}.crt", self.home / "server.pem")
        key = (self.certificates.folder / f"{name}.key").read_text()
        self.write("server.key", key)

    def write(self, name, text):
        file = self.home / name
        file.touch(mode=0o600)
        file.write_text(text)

    @property
    def http(self):
        """Its settings."""
        return {"listen": [f"127.0.0.1:{self.port}"],
                "certificate_file": str(self.home / "server.pem"),
                "key_file": str(self.home / "server.key"),
                "token_file": str(self.home / "token"),
                "ca_file": self.certificates.ca_file}

    def request(self, method, path, body=None, versions=None, **headers):
        """(status, headers, body) of a request by a client that verifies."""
        context = ssl.create_default_context(cafile=self.certificates.ca_file)
        if versions:
            context.minimum_version, context.maximum_version = versions
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=patient(10),
                                                 context=context)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            contract.check_answer(method, path, answer.status, answer.getheader("Content-Type"),
                                  text)
            return answer.status, dict(answer.getheaders()), text

    def shown(self):
        """The subject of the certificate that it shows."""
        context = ssl._create_unverified_context()
        with (socket.create_connection(("127.0.0.1", self.port), 10) as plain,
              context.wrap_socket(plain) as secure):
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True)).strip()


@pytest.fixture(name="house")
def fixture_house(tmp_path, certificates):
    return House(tmp_path, certificates)


@pytest.fixture(name="daemon")
def fixture_daemon(tmp_path, office, house):
    with Daemon(tmp_path, office, http=house.http) as daemon:
        yield daemon


WINDOW = json.dumps({"server": "mx02", "kind": "routine", "duration_seconds": 60, "by": "anna"})


# ---- TLS ----


def test_everything_is_there_over_tls(daemon, house):
    assert daemon.count("agent STARTED .*") == 1
    for path in ("/", "/metrics", "/healthz", "/api/v1/status"):
        status, _, body = house.request("GET", path)
        assert status == 200 and body
    status, _, body = house.request("GET", "/healthz",
                                    versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    assert (status, body) == (200, "ok\n")


def test_old_tls_and_no_tls_are_refused(daemon, house):
    assert daemon.process.poll() is None
    context = ssl._create_unverified_context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", house.port), 10) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain)
    with socket.create_connection(("127.0.0.1", house.port), 10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/1.1 200" not in plain.recv(4096)
    assert house.request("GET", "/healthz")[0] == 200


def test_handshakes_that_never_end_hold_up_nobody(daemon, house):
    assert daemon.process.poll() is None
    idle = [socket.create_connection(("127.0.0.1", house.port), 10) for _ in range(150)]
    for one in idle[::2]:
        with contextlib.suppress(ConnectionError):
            one.sendall(b"\x16\x03\x01\x02\x00\x01")
    begun = time.monotonic()
    assert house.request("GET", "/healthz")[0] == 200
    print(f"served beside 150 idle connections in {1000 * (time.monotonic() - begun):.1f} ms")
    for one in idle:
        one.close()


def test_a_new_certificate_is_taken_over_by_a_reload(daemon, house):
    before = house.shown()
    house.show("self_signed".replace("_", ""))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait("config RELOADED .*")
    after = (house.home / "server.pem").read_text().strip()
    wait_for(lambda: house.shown() == after, 5, "the new certificate")
    assert before != after
    house.show("right")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait("config RELOADED .*", count=2)
    wait_for(lambda: house.shown() == before, 5, "the old certificate again")


def test_a_key_that_does_not_belong_to_the_certificate(tmp_path, office, house, certificates):
    wrong = (certificates.folder / "wrong.key").read_text()
    with Daemon(tmp_path, office, http=house.http) as daemon:
        house.write("server.key", wrong)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait('config PROBLEM .*do http.certificate_file and http.key_file belong.*')
        daemon.wait("config REFUSED .*")
        assert house.request("GET", "/healthz")[0] == 200
        # The library says what it found, too.
        (tmp_path / "stderr").write_text("")


def test_it_does_not_start_with_a_wrong_key(tmp_path, office, house, certificates):
    house.write("server.key", (certificates.folder / "wrong.key").read_text())
    daemon = Daemon(tmp_path, office, http=house.http)
    with contextlib.closing(daemon.syslog):
        assert "do http.certificate_file and http.key_file belong" in daemon.refuses_to_start()


# ---- the token ----


def test_the_token_lets_in(daemon, house):
    status, _, body = house.request("POST", "/api/v1/maintenance", WINDOW,
                                    Authorization=f"Bearer {TOKEN}")
    assert status == 201, body
    window = json.loads(body)["id"]
    status, _, _ = house.request("DELETE", f"/api/v1/maintenance/{window}",
                                 Authorization=f"bearer  {TOKEN}")
    assert status == 200
    daemon.wait("maintenance (END|CANCELLED) .*")


@pytest.mark.parametrize(
    "authorization",
    ["", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}",
     "Bearer " + "x" * 8000],
)
def test_whatever_else_does_not(daemon, house, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    status, answered, body = house.request("POST", "/api/v1/maintenance", WINDOW, **headers)
    assert (status, answered["WWW-Authenticate"]) == (401, "Bearer"), body
    assert json.loads(body)["detail"] == "changes over HTTPS need the bearer token"
    assert daemon.api("maintenance")["maintenance"] == []


def test_a_new_token_is_taken_over_by_a_reload(daemon, house):
    house.write("token", "another-token-as-long")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait("config RELOADED .*")
    post = ("POST", "/api/v1/maintenance", WINDOW)
    assert house.request(*post, Authorization=f"Bearer {TOKEN}")[0] == 401
    assert house.request(*post, Authorization="Bearer another-token-as-long")[0] == 201


def test_without_a_token_nothing_is_written(tmp_path, office, house):
    with Daemon(tmp_path, office, http=house.http | {"token_file": None}):
        status, _, body = house.request("POST", "/api/v1/maintenance", WINDOW,
                                        Authorization="Bearer ")
        assert status == 403 and "control socket only" in body


# ---- its certificate ends ----


def test_our_own_certificate_expires(tmp_path, office, house):
    house.certificates.issue("ten", "localhost", days=10)
    house.show("ten")
    with Daemon(tmp_path, office, http=house.http) as daemon:
        priority, match = daemon.wait(CERTIFICATE)
        assert (priority, match[1], match[3]) == (
            "warning", "mx02", "http.certificate_file: certificate expires in 9 days")
        [seen] = daemon.api("status")["certificates"]
        assert (seen["place"], seen["name"], seen["state"]) == ("http", "mx02", "expiring")
        assert (seen["subject"], seen["issuer"]) == ("localhost", "Test Authority")
        left = daemon.metric("certificate_expiry_timestamp_seconds", place="http",
                             name="mx02") - time.time()
        assert 9.9 < left / 86400 < 10.1
        house.show("right")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait(r"certificate RESOLVED severity=warning server=mx02 .*")
        assert daemon.api("status")["certificates"][0]["state"] == "good"


def test_an_authority_below_our_own_certificate_expires(tmp_path, office, house):
    house.certificates.issue_below("below", days=5)
    house.show("below")
    with Daemon(tmp_path, office, http=house.http) as daemon:
        _, match = daemon.wait(CERTIFICATE)
        assert match[3] == ("http.certificate_file: certificate of its authority Middle Authority "
                            "expires in 4 days")


# ---- agents ----


def test_two_agents_over_tls(tmp_path, office, certificates):
    houses = [House(tmp_path / name, certificates) for name in ("mx02", "mx01")]

    def agent(house, server, other, its):
        peer = {"name": other, "address": f"probe@{other}.example",
                "agent": f"https://localhost:{its.port}"}
        return Daemon(house.home, office, http=house.http, server=server, peers=[peer],
                      defaults={"interval": "1h", "latency": {"critical": "1h"}})

    with (agent(houses[0], "mx02", "mx01", houses[1]) as mx02,
          agent(houses[1], "mx01", "mx02", houses[0]) as mx01):
        wait_for(lambda: mx02.metric("exchanges_total", peer="mx01"), 15, "an exchange")
        begun = time.monotonic()
        assert mx02.request("POST", "/api/v1/maintenance", WINDOW)[0] == 201
        mx02.wait("maintenance ACKNOWLEDGED .*|maintenance .* acknowledged=1/1")
        print(f"acknowledged over TLS after {1000 * (time.monotonic() - begun):.1f} ms")
        assert len(mx01.api("maintenance")["maintenance"]) == 1


def test_an_agent_with_a_certificate_of_nobody(tmp_path, office, certificates):
    house = House(tmp_path / "mx02", certificates)
    house.show("selfsigned")
    peer = {"name": "mx01", "address": "probe@mx01.example",
            "agent": f"https://localhost:{house.port}"}
    with Daemon(house.home, office, http=house.http, peers=[peer]) as mx02:
        cause = "TLS: server certificate verification failed"
        mx02.wait(f'exchange FAILING peer=mx01 cause="{cause}.*', seconds=15)
        priority, match = mx02.wait(r"certificate FIRING .*server=(\S+) .*cause=\"(.*)\"", seconds=15)
        assert (priority, match[1]) == ("warning", "mx01")  # and nothing of our own, which is the same
        assert match[2].startswith(f"agent {peer['agent']}: {cause}")
        assert mx02.metric("incident_active", kind="certificate", subject="mx01") == 1


def test_a_request_over_tls(daemon, house):
    body = json.dumps(exchange.message()).encode()
    signature = {"Mailflow-Signature": exchange.sign(body)}
    status, _, answered = house.request("POST", exchange.PATH, body, **signature)
    assert status == 403, answered  # mx01 has no agent here, but it got there
    assert daemon.metric("exchanges_rejected_total", reason="unknown_peer") == 1
