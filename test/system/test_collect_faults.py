"""mailflow-collect against what is wrong with certificates, TLS, steps of the dialogue and
mailboxes; and many sessions of TLS without one that hangs (MAILFLOW_SESSIONS of them; 96 by
default)."""

import os
import ssl
import time

import pytest

from collector import Collector, block, cause_of
from imap_server import Server
from tag import Probe

SESSIONS = int(os.environ.get("MAILFLOW_SESSIONS", 96))
SIDE_BY_SIDE = 8


def tls_of(bundle, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    if version:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # old versions are not to be had otherwise
        context.minimum_version = context.maximum_version = version
    return context


def assert_no_login(server):
    assert not any(given.startswith("LOGIN") for given in server.commands)


# ---- TLS ----


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize(
    ("which", "reason"),
    [
        ("expired", "certificate has expired"),
        ("self_signed", "certificate is not trusted: self-signed certificate"),
        ("later", "certificate is not trusted: certificate is not yet valid"),
        ("wrong_name", "certificate of localhost does not match: it is for other.example"),
    ],
)
def test_a_certificate_that_is_wrong_is_refused(certificates, which, reason, implicit):
    bundle = (certificates.issue_later(f"later{implicit:d}") if which == "later"
              else getattr(certificates, which))
    with Server(tls=tls_of(bundle), implicit=implicit) as server:
        cause = cause_of(server, host="localhost", tls="implicit" if implicit else "starttls",
                         ca_file=certificates.ca_file)
        assert_no_login(server)
    assert reason in cause, cause


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_a_server_of_old_tls_only(certificates, version, implicit):
    tls = tls_of(certificates.right, ssl.TLSVersion[version])
    with Server(tls=tls, implicit=implicit) as server:
        cause = cause_of(server, host="localhost", tls="implicit" if implicit else "starttls",
                         ca_file=certificates.ca_file)
        assert_no_login(server)
    assert "TLS handshake" in cause, cause


@pytest.mark.parametrize("words", ["NO not today", "BAD what?"])
def test_starttls_that_is_refused_ends_it(certificates, words):
    on = {"STARTTLS": lambda session, tag, _: session.write(f"{tag} {words}\r\n")}
    with Server(tls=tls_of(certificates.right), on=on) as server:
        cause = cause_of(server, tls="starttls", host="localhost", ca_file=certificates.ca_file)
        assert_no_login(server)
    assert words.partition(" ")[2] in cause, cause


def after_starttls(octets):
    def starttls(session, tag, _arguments):
        session.done(tag)
        time.sleep(0.05)
        for octet in octets:
            session.write(bytes([octet]) if len(octets) < 600 else octets)
            time.sleep(0.02 if len(octets) < 600 else 0)

    return starttls


@pytest.mark.parametrize(
    "octets",
    [b"this is no TLS\r\n", b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x03\x3f\xff" + bytes(500),
     b"\x14\x03\x03\x00\x01\x01" * 1000],
    ids=["text", "alert", "trickle", "flood"],
)
def test_a_handshake_that_is_none_ends_it(certificates, octets):
    with Server(tls=tls_of(certificates.right), on={"STARTTLS": after_starttls(octets)}) as server:
        cause = cause_of(server, "1s", tls="starttls", host="localhost",
                         ca_file=certificates.ca_file)
        assert_no_login(server)
    assert "TLS" in cause, cause


@pytest.mark.parametrize("step", ["CAPABILITY", "LOGIN", "UID SEARCH", "UID FETCH", "NOOP"])
def test_a_server_that_trickles_is_left_in_time(step):
    def trickle(session, _tag, _arguments):
        for _ in range(100):
            session.write("* OK ")
            time.sleep(0.05)

    with Server(block(Probe(next=0.2)), on={step: trickle}) as server:
        assert "within 500ms" in cause_of(server, "500ms")


def test_a_handshake_that_hangs_is_left_in_time(certificates):
    """Implicit TLS, where not even a greeting tells that somebody is there."""

    class Silent(Server):
        def _accept(self):
            self.taken = [self.listener.accept() for _ in range(2)]

    with Silent(tls=tls_of(certificates.right), implicit=True) as server:
        cause = cause_of(server, "500ms", tls="implicit", host="localhost",
                         ca_file=certificates.ca_file)
        assert "within 500ms" in cause, cause


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_many_sessions(certificates, version):
    """Of one version and no other, in one process."""
    tls = tls_of(certificates.right, ssl.TLSVersion[version])
    with Server(block(Probe(next=3600)), tls=tls) as server, Collector("10s") as collector:
        begun = time.monotonic()
        for _ in range(SESSIONS // SIDE_BY_SIDE):
            boxes = [f"box{number}" for number in range(SIDE_BY_SIDE)]
            for box in boxes:
                collector.watch(server.port, mailbox=box, host="localhost", tls="starttls",
                                ca_file=certificates.ca_file)
            waiting = set(boxes)
            while waiting:
                waiting.discard(collector.expect("arrival")["mailbox"])
            for box in boxes:
                collector.say(command="unwatch", mailbox=box)
        took = time.monotonic() - begun
        assert collector.count("down") == 0
        assert len(server.sessions) == SESSIONS // SIDE_BY_SIDE * SIDE_BY_SIDE
        said = {session.connection.version() for session in server.sessions[-SIDE_BY_SIDE:]}
        assert said <= {version.replace("_", "."), None}
    print(f"{SESSIONS} sessions of {version}, none hung: {took / SESSIONS * 1000:.1f} ms each")


# ---- mailboxes that let nothing go ----


def select_read_only(session, tag, arguments):
    session.folder = session.server.inbox
    session.told = len(session.folder.messages)
    session.write(f"* {session.told} EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n"
                  f"* OK [PERMANENTFLAGS ()] none\r\n{tag} OK [READ-ONLY] selected\r\n")


def refuse(words):
    return lambda session, tag, _arguments: session.write(f"{tag} NO {words}\r\n")


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ({"UID EXPUNGE": refuse("[NOPERM] not yours")}, "[NOPERM] not yours"),
        ({"UID STORE": refuse("[OVERQUOTA] full")}, "[OVERQUOTA] full"),
        ({"SELECT": select_read_only, "UID STORE": refuse("[READ-ONLY] no")}, "[READ-ONLY] no"),
    ],
    ids=["expunge", "store", "read-only"],
)
def test_what_cannot_be_removed_is_a_hindrance_and_seen_once(on, words):
    with Server(block(Probe()), on=on) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("up", cause="")
        collector.delete(collector.expect("arrival"))
        assert words in collector.expect("up")["cause"]
        server.inbox.add(block(Probe(next=3600)))
        server.sessions[0].tell_exists()
        collector.expect("arrival", uid=2)
        collector.expect("complete")
        assert collector.count("arrival") == 2 and collector.count("down") == 0
