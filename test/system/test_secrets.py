"""Secrets that are easy to recognise, and everything that the product writes, searched for them.

A mesh key, the password of a mailbox, that of a relay, a client secret and the tokens that it gets,
the token of HTTPS and its private key. The servers repeat in their replies what they were told.
"""

import base64
import contextlib
import pathlib
import re
import urllib.parse

import pytest

import smtp_server
from ctl import ctl
from daemon import BUILD, Daemon, PostOffice, wait_for
from routes import routes
from test_https import House
from token_program import script

CHECK_LIVE = ("check", "--live", "--probers", BUILD / "probes")
SECRETS = {
    "password of the mailbox": "mailbox-password-Oq3vT7",
    "password of the relay": "relay-password-Kz8mW1",
    "client secret": "client-secret-Jx5nB9",
    "token of the provider": "provider-token-Hd2cR6",
    "token of HTTPS": "https-token-Lp4sY0.0123456789",
}
EHLO = smtp_server.EHLO.replace("250-DSN", "250-DSN\n250-AUTH PLAIN XOAUTH2")


def shapes(secret):
    """How these bytes may stand in a text, plain or encoded, alone or with others around them."""
    yield secret
    yield secret.hex().encode()
    yield urllib.parse.quote(secret, safe="").encode()
    for before in range(3):  # of whole groups of base64, wherever they begin
        encoded = base64.b64encode(b"\0" * before + secret)
        first = (0, 2, 3)[before]
        yield encoded[first:(before + len(secret)) * 4 // 3 - 1]


class Search:
    """What was seen where, and what of it is a secret."""

    def __init__(self, secrets):
        self.shapes = [(name, shape) for name, secret in secrets.items() for shape in shapes(secret)]
        self.bytes = 0
        self.places = 0
        self.found = []

    def look(self, place, content):
        content = content.encode() if isinstance(content, str) else content
        self.bytes += len(content)
        self.places += 1
        self.found += [(name, str(place)) for name, shape in self.shapes if shape in content]


def echo(session):
    """Refuses, and repeats what it was sent, also decoded, as no server should."""
    sent = session.commands[-1].split(" ")[-1]
    with contextlib.suppress(ValueError):
        told = re.sub(r"[^ -~]", " ", base64.b64decode(sent).decode(errors="replace"))
        session.send(f"535-5.7.8 not {sent}\r\n535 5.7.8 that is {told}\r\n".encode())


@pytest.fixture(name="office")
def fixture_office():
    with PostOffice(auth=[echo]) as office:
        office.smtp.ehlo = EHLO
        office.imap.password = SECRETS["password of the mailbox"]
        yield office


@pytest.fixture(name="house")
def fixture_house(tmp_path, certificates):
    house = House(tmp_path, certificates)
    house.write("token", SECRETS["token of HTTPS"])
    house.write("relay.password", SECRETS["password of the relay"])
    house.write("form", f"client_secret={SECRETS['client secret']}")
    return house


def provider(house):
    """A command that reads its secret from a file; in its last words it tells it to nobody."""
    return script(house.home, f'grep -q client_secret= {house.home}/form || exit 1\n'
                              f'echo {SECRETS["token of the provider"]}', "provider")


def agent(house, office):
    """Two peers that bring every kind of secret into play."""
    relay = {"host": "127.0.0.1", "port": office.smtp.port, "tls": "none",
             "user": "u", "oauth": {"token_command": [str(provider(house))]}}
    peers = [{"name": "mx01", "address": "probe@mx01.example", "collect": "local"},
             {"name": "mx03", "address": "probe@mx03.example", "relay": relay}]
    daemon = Daemon(house.home, office, peers=peers, http=house.http, relay={
        "user": "probe@mx02.example", "password_file": str(house.home / "relay.password")})
    daemon.write_secret("password", SECRETS["password of the mailbox"].encode())
    return daemon


def secrets_of(daemon, house):
    """All of them, as bytes; of those that are encoded in their files also what they stand for."""
    secrets = {name: secret.encode() for name, secret in SECRETS.items()}
    secrets["mesh key"] = daemon.key.secret
    with contextlib.suppress(ValueError):
        secrets["mesh key, decoded"] = base64.b64decode(daemon.key.secret, validate=True)
    key = (house.home / "server.key").read_text().splitlines()
    secrets["private key"] = key[len(key) // 2].encode()
    return secrets


def look_at_http(search, daemon, house, probes):
    """Every page, by the table of routes, with what there is for its arguments."""
    for route in routes():
        if route.method != "GET":
            continue
        tails = probes if route.path == "/api/v1/probes/" else [""]
        tails = [f"?id={probe}" for probe in probes] if route.path == "/probe" else tails
        tails = ["?name=mx02-%3Emx01"] if route.path == "/path" else tails
        tails = ["?path=mx02-%3Emx01"] if route.path == "/api/v1/latency" else tails
        for tail in tails:
            status, text = daemon.request("GET", route.path + tail)
            assert status == 200 or route.path.endswith("/"), (route, tail, text)
            search.look(f"GET {route.path}{tail}", text)
            _, headers, text = house.request("GET", route.path + tail)
            search.look(f"GET {route.path}{tail} over HTTPS", f"{headers} {text}")


def look_at_ctl(search, daemon, probes):
    said = [("status",), ("mesh",), ("history", "mx01"), ("history", "mx03"), ("peers",), ("version",),
            ("maintenance", "list"), ("check",), *(("explain", probe) for probe in probes)]
    said += [(*words, "--json") for words in said] + [CHECK_LIVE, ("probe", "mx01", "--wait", "1s")]
    for words in said:
        result = ctl("--config", daemon.config, *words)
        search.look(" ".join(map(str, words)), result.out + result.err)
    status, output, errors = daemon.run("--config", daemon.config, "--check-config")
    search.look("--check-config", output + errors)


def look_at_processes(search, daemon):
    for pid in (daemon.pid, *daemon.children()):
        for name in ("cmdline", "environ", "comm", "status"):
            with contextlib.suppress(OSError):
                search.look(f"{name} of {pid}", pathlib.Path(f"/proc/{pid}/{name}").read_bytes())


def look_at_files(search, daemon):
    files = [file for file in daemon.state.rglob("*") if file.is_file()]
    assert {"ledger.db", "ledger.db-wal"} <= {file.name for file in files}
    for file in (*files, daemon.home / "stderr"):
        search.look(file, file.read_bytes())


def test_the_search_finds_what_is_there():
    """In whatever shape, between whatever else."""
    secret = SECRETS["client secret"].encode()
    for before in (b"", b"\0", b"\0u", b"\0us", b"user=x\x01auth="):
        search = Search({"it": secret})
        search.look("nothing", base64.b64encode(before + b"client-Secret" + before))
        assert not search.found
        search.look("base64", b"AUTH " + base64.b64encode(before + secret + b"\x01\x01"))
        assert search.found
    for shape in (secret.hex(), urllib.parse.quote(secret), b"x" + secret):
        search = Search({"it": secret})
        search.look("other", shape)
        assert search.found


def test_no_secret_is_told_anywhere(house, office):
    daemon = agent(house, office)
    secrets = secrets_of(daemon, house)
    search = Search(secrets)
    with daemon:
        daemon.wait(r"mailbox UP .*")
        daemon.wait(r"probe REFUSED path=mx02->mx01 .*", count=3)  # and so `refused` has opened
        daemon.wait(r"probe REFUSED path=mx02->mx03 .*", count=3)
        told = str([session.commands for session in office.smtp.sessions])
        assert base64.b64encode(b"\0probe@mx02.example\0" + SECRETS["password of the relay"].encode()) \
            .decode() in told  # they were used
        wait_for(lambda: SECRETS["token of the provider"] in "".join(
            base64.b64decode(blob).decode(errors="replace")
            for blob in re.findall(r"AUTH XOAUTH2 ([\w+/=]+)", told)), 1, "a token")
        look_at_processes(search, daemon)
        office.smtp.script.pop("auth")
        daemon.wait(r"probe ARRIVED path=mx02->mx01 .*", seconds=20)
        refused = [match[1] for _, match in daemon.found(r"probe REFUSED .*probe=(\S+) .*")][:6]
        arrived = [match[1] for _, match in daemon.found(r"probe ARRIVED .*probe=(\S+) .*")][:1]
        assert any(daemon.api(f"probes/{probe}")["transcript"] for probe in refused)
        look_at_http(search, daemon, house, refused + arrived)
        look_at_ctl(search, daemon, refused[:2] + arrived)
        look_at_processes(search, daemon)
        look_at_files(search, daemon)
        (daemon.home / "password").chmod(0o644)  # now it complains of its secrets
        status, text = daemon.request("POST", "/api/v1/reload")
        assert status == 422 and "open to others" in text
        search.look("a reload that is refused", text)
    search.look("syslog", str(daemon.syslog.lines))
    print(f"{len(secrets)} secrets in {len(search.shapes)} shapes, {search.places} places, "
          f"{search.bytes / 1e6:.1f} MB")
    assert search.found == []
