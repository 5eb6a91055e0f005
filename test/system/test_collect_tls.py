"""mailflow-collect, TLS and logging in."""

import json
import pathlib
import ssl
import sys
import time

import pytest

from collector import Collector, block, cause_of
from imap_server import Hang, Server, say
from tag import Probe

sys.path.append(str(pathlib.Path(__file__).parents[1] / "lab"))
import certificates  # noqa: E402


@pytest.fixture(scope="module", name="tls_home")
def fixture_tls_home(tmp_path_factory):
    """A certificate for localhost and 127.0.0.1, and the authority that issued it."""
    home = tmp_path_factory.mktemp("tls")
    authority = certificates.make_authority(home / "authority")
    certificates.issue(authority, home / "server", "localhost", "127.0.0.1")
    certificates.issue(authority, home / "other", "other.example", "127.0.0.2")
    certificates.make_authority(home / "stranger")
    return home


def tls_of(home):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "server.pem", home / "server.key")
    return context


# ---- TLS ----


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_is_good_is_accepted(tls_home, implicit, host):
    tls = tls_of(tls_home / "server")
    names = []
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    with Server(block(Probe()), tls=tls, implicit=implicit) as server, Collector() as collector:
        collector.watch(
            server.port,
            host=host,
            tls="implicit" if implicit else "starttls",
            ca_file=tls_home / "authority" / "ca.pem",
        )
        up = collector.expect("up")
        legs = up["legs"]
        assert set(legs) == {"dns", "connect", "tls", "login"} and min(legs.values()) >= 0
        shown = up["certificate"]
        assert shown["verified"] and shown["subject"] == "localhost"
        assert shown["issuer"] == "mailflow lab" and shown["expires"] / 1e9 > time.time()
        collector.expect("arrival")
        server.wait_for("IDLE")
        server.inbox.add(block(Probe()))
        server.sessions[0].tell_exists()
        collector.expect("arrival")
    assert names == (["localhost"] if host == "localhost" else [None])


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize(
    ("identity", "authority", "reason"),
    [
        ("other", "authority", "certificate of localhost does not match: it is for other.example"),
        ("server", "stranger", "certificate is not trusted"),
        ("server", None, "certificate is not trusted"),
    ],
    ids=["wrong name", "wrong authority", "system's store"],
)
def test_a_certificate_that_is_not_is_refused(tls_home, implicit, identity, authority, reason):
    with Server(tls=tls_of(tls_home / identity), implicit=implicit) as server:
        cause = cause_of(
            server,
            host="localhost",
            tls="implicit" if implicit else "starttls",
            ca_file=tls_home / authority / "ca.pem" if authority else "",
        )
        assert not any(given.startswith("LOGIN") for given in server.commands)
    assert cause.startswith(f"localhost:{server.port}: {reason}")


def test_a_certificate_that_has_been_replaced_is_seen_over_a_connection_that_lasts(tls_home):
    """The connection is made anew, nothing is reported as down, and nothing twice."""
    tls = tls_of(tls_home / "server")
    with Server(block(Probe()), tls=tls) as server, Collector(renew="1s") as collector:
        authority = tls_home / "authority" / "ca.pem"
        collector.watch(server.port, host="localhost", tls="starttls", ca_file=authority)
        first = collector.expect("up")["certificate"]
        collector.expect("arrival")
        server.wait_for("IDLE")
        certificates.issue(authority, tls_home / "newer", "localhost", "127.0.0.1", days=60)
        server.tls = tls_of(tls_home / "newer")
        second = collector.expect("up")["certificate"]
        assert second["verified"] and second["expires"] - first["expires"] > 29 * 86400 * 10**9
        server.inbox.add(block(Probe()))
        server.sessions[-1].tell_exists()
        collector.expect("arrival")
    kinds = [report["report"] for report in collector.seen if report["report"] != "complete"]
    assert kinds == ["up", "arrival", "up", "arrival"]


def test_starttls_that_is_not_offered_ends_it():
    with Server() as server:
        assert cause_of(server, tls="starttls").endswith("STARTTLS is not offered")
        assert not any(given.startswith("LOGIN") for given in server.commands)


def test_a_server_that_offers_nothing_at_all_is_told_so():
    with Server(on={"CAPABILITY": say("* CAPABILITY\r\n{tag} OK done\r\n")}) as server:
        assert cause_of(server, tls="starttls").endswith("STARTTLS is not offered")


def test_what_is_put_in_after_starttls_ends_it(tls_home):
    def starttls(session, tag, _arguments):
        session.write(f"{tag} OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
        session.start_tls()

    with Server(tls=tls_of(tls_home / "server"), on={"STARTTLS": starttls}) as server:
        cause = cause_of(server, tls="starttls", ca_file=tls_home / "authority" / "ca.pem")
    assert "put in after the answer to STARTTLS" in cause


def test_a_greeting_that_skips_the_login_does_not_skip_tls(tls_home):
    on = {"greeting": say("* PREAUTH welcome\r\n")}
    with Server(tls=tls_of(tls_home / "server"), on=on) as server:
        cause = cause_of(server, tls="starttls", ca_file=tls_home / "authority" / "ca.pem")
    assert "logged in before TLS" in cause


def test_a_missing_ca_file_is_named():
    with Server() as server:
        cause = cause_of(server, tls="implicit", ca_file="/nonexistent/ca.pem")
    assert "/nonexistent/ca.pem" in cause


def test_the_words_of_a_farewell_that_comes_in_pieces():
    def turn_away(session, _tag, _arguments):
        session.write("* BYE too many ")
        time.sleep(0.1)
        session.write("connections\r\n")

    with Server(on={"greeting": turn_away}) as server:
        assert cause_of(server).endswith("the server ended the connection: too many connections")


def test_a_handshake_that_stalls_is_left_in_time(tls_home):
    def starttls(session, tag, _arguments):
        session.done(tag)
        raise Hang

    with Server(tls=tls_of(tls_home / "server"), on={"STARTTLS": starttls}) as server:
        assert "no answer to STARTTLS within 300ms" in cause_of(server, "300ms", tls="starttls")


# ---- logging in ----


def test_a_wrong_password_is_told_in_the_server_s_words():
    with Server() as server:
        cause = cause_of(server, password="wrong")
    assert cause == (
        f"127.0.0.1:{server.port}: login as probe refused: "
        "[AUTHENTICATIONFAILED] Authentication failed."
    )


def test_a_password_said_back_is_not_told():
    def login(session, tag, arguments):
        session.write(f"* OK you said {arguments}\r\n{tag} NO not {arguments}\r\n")

    with Server(on={"LOGIN": login}) as server, Collector() as collector:
        collector.watch(server.port, password="hunter2")
        cause = collector.expect("down")["cause"]
        assert "***" in cause
        assert "hunter2" not in json.dumps(collector.seen) + "".join(collector.errors)


def test_a_password_is_not_said_where_it_must_not_be():
    with Server(offers="LOGINDISABLED") as server:
        assert "LOGINDISABLED" in cause_of(server)
        assert not any(given.startswith("LOGIN") for given in server.commands)


def test_a_server_that_has_logged_in_already_is_not_asked_to():
    on = {"greeting": say("* PREAUTH welcome\r\n")}
    with Server(block(Probe()), on=on) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("arrival")
        assert not any(given.startswith("LOGIN") for given in server.commands)
