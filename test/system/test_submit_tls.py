"""mailflow-submit, TLS, certificates and AUTH."""

import re
import ssl
import time

import pytest

import prober
import tag
from prober import PASSWORD, job, outcome, secure_job, submit
from process import patient
from smtp_server import EHLO, WITH_AUTH, WITH_TLS, Server, close, flood, hang, raw, reply, wait

SHORT = 1.0


# ---- TLS ----

@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_starttls(certificates, version):
    with Server(ehlo=WITH_TLS, certificate=certificates.right,
                tls_version=ssl.TLSVersion[version]) as server:
        done = outcome(secure_job(server, certificates))
    assert done["result"] == "accepted"
    assert done["legs"]["tls"] > 0
    assert server.session.tls == version.replace("_", ".")
    assert server.session.name_indicated == "localhost"
    assert server.session.commands[:3] == ["EHLO mx02.example", "STARTTLS", "EHLO mx02.example"]


def test_starttls_to_an_address(certificates):
    with Server(ehlo=WITH_TLS, certificate=certificates.right) as server:
        done = outcome(secure_job(server, certificates, host="127.0.0.1"))
    assert done["result"] == "accepted" and server.session.name_indicated is None


def assert_tls_refused(done, cause):
    assert (done["result"], done["class"], done["code"]) == ("refused", "tls", 0)
    assert done["cause"] == cause


def test_certificate_for_another(certificates):
    with Server(ehlo=WITH_TLS, certificate=certificates.wrong_name) as server:
        done = outcome(secure_job(server, certificates))
    assert_tls_refused(done, "certificate of localhost does not match: it is for other.example")
    assert "MAIL" not in " ".join(server.session.commands)


def test_certificate_for_a_name_and_not_the_address(certificates):
    with Server(ehlo=WITH_TLS, certificate=certificates.wrong_name) as server:
        done = outcome(secure_job(server, certificates, host="127.0.0.1"))
    assert_tls_refused(done, "certificate of 127.0.0.1 does not match: it is for other.example")


def test_certificate_of_an_unknown_authority(certificates):
    """Against the system's store, where our authority is not."""
    with Server(ehlo=WITH_TLS, certificate=certificates.right) as server:
        done = outcome(job(server.port, tls="starttls"))
    assert_tls_refused(done, "certificate is not trusted: unable to get local issuer certificate")


def test_certificate_of_another_authority(certificates):
    with Server(ehlo=WITH_TLS, certificate=certificates.right) as server:
        other = str(certificates.folder / "selfsigned.crt")
        done = outcome(job(server.port, tls="starttls", ca_file=other))
    assert_tls_refused(done, "certificate is not trusted: unable to get local issuer certificate "
                             f"(ca_file {other})")


def test_self_signed_certificate(certificates):
    with Server(ehlo=WITH_TLS, certificate=certificates.self_signed) as server:
        done = outcome(secure_job(server, certificates))
    assert_tls_refused(done, "certificate is not trusted: self-signed certificate "
                             f"(ca_file {certificates.ca_file})")


def test_ca_file_that_cannot_be_used(tmp_path):
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    assert_tls_refused(outcome(job(25, tls="starttls", ca_file=str(missing))),
                       f"ca_file {missing}: No such file or directory")
    assert_tls_refused(outcome(job(25, tls="starttls", ca_file=str(empty))),
                       f"ca_file {empty}: no certificate in it")


def test_starttls_not_offered(certificates):
    with Server() as server:
        done = outcome(secure_job(server, certificates))
    assert done["class"] == "tls" and done["result"] == "refused"
    assert done["cause"] == f"STARTTLS is not offered by localhost:{server.port}"
    assert "MAIL" not in " ".join(server.session.commands)


def test_starttls_refused(certificates):
    with Server({"starttls": [reply("454 4.7.0 not now")]}, ehlo=WITH_TLS,
                stay_in_the_clear=True) as server:
        done = outcome(secure_job(server, certificates))
    assert (done["class"], done["reply"]) == ("4xx", "454 4.7.0 not now")
    assert "MAIL" not in " ".join(server.session.commands)


def test_starttls_injection(certificates):
    """What follows the reply in the clear must not pass for something said inside TLS."""
    answer = b"220 go\r\n250-server.test\r\n250 AUTH PLAIN\r\n"
    with Server({"starttls": [raw(answer)]}, ehlo=WITH_TLS, certificate=certificates.right) as server:
        done = outcome(secure_job(server, certificates, user="probe", password=PASSWORD))
    assert done["class"] == "tls"
    assert done["cause"] == (f"localhost:{server.port} sent more than its reply to STARTTLS: "
                             "somebody may be injecting commands")
    assert server.session.commands == ["EHLO mx02.example", "STARTTLS"]


@pytest.mark.parametrize("act, cause", [
    (raw(b"\x15\x03\x03\x00\x02\x02\x28"), "sslv3 alert handshake failure"),
    (raw(b"this is no TLS\r\n"), "wrong version number"),
    (close(), "connection lost"),
], ids=["alert", "text", "end"])
def test_handshake_fails(certificates, act, cause):
    with Server({"starttls": [reply("220 go"), wait(0.1), act, close()]}, ehlo=WITH_TLS,
                stay_in_the_clear=True) as server:
        done = outcome(secure_job(server, certificates))
    assert_tls_refused(done, f"TLS handshake with localhost failed: {cause}")


def test_handshake_hangs(certificates):
    with Server({"starttls": [reply("220 go"), hang()]}, ehlo=WITH_TLS,
                stay_in_the_clear=True) as server:
        done = outcome(secure_job(server, certificates, seconds=SHORT))
    assert done["class"] == "timeout"
    assert re.fullmatch(rf"no TLS handshake from localhost:{server.port} within 0\.[0-8] s",
                        done["cause"])


def test_handshake_flooded(certificates):
    """Records that mean nothing keep OpenSSL reading without a poll: the watchdog's case."""
    empty = b"\x14\x03\x03\x00\x01\x01" * 1000
    with Server({"starttls": [reply("220 go"), wait(0.05), flood(empty)]}, ehlo=WITH_TLS,
                stay_in_the_clear=True) as server:
        begun = time.monotonic()
        done = outcome(secure_job(server, certificates, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT + 1)
    assert done["result"] == "refused" and done["class"] in ("tls", "timeout")


def test_implicit_tls_is_refused():
    assert_tls_refused(outcome(job(465, tls="implicit")),
                       "a relay is spoken to with starttls or none, not implicit TLS")


# ---- the certificate ----

@pytest.mark.parametrize("which, verified", [
    ("right", True), ("wrong_name", False), ("expired", False), ("self_signed", False)])
def test_the_certificate_is_told_whether_it_verified_or_not(certificates, which, verified):
    with Server(ehlo=WITH_TLS, certificate=getattr(certificates, which)) as server:
        shown = outcome(secure_job(server, certificates))["certificate"]
    days = (shown.pop("expires") / 1e9 - time.time()) / 86400
    subject = {"wrong_name": "other.example"}.get(which, "localhost")
    issuer = "localhost" if which == "self_signed" else "Test Authority"
    assert shown == {"verified": verified, "subject": subject, "issuer": issuer}
    assert abs(days - {"expired": -1, "wrong_name": 2}.get(which, 90)) < 0.1


def test_a_chain_ends_with_the_first_of_its_certificates(certificates):
    shows = certificates.issue_below("below", days=5)
    with Server(ehlo=WITH_TLS, certificate=shows) as server:
        shown = outcome(secure_job(server, certificates))["certificate"]
    assert 4.9 < (shown["expires"] / 1e9 - time.time()) / 86400 < 5.1
    assert (shown["verified"], shown["authority"]) == (True, "Middle Authority")
    assert shown["issuer"] == "Middle Authority"


def test_no_certificate_without_tls():
    with Server() as server:
        assert outcome(job(server.port))["certificate"] is None


# ---- AUTH ----

def auth_job(server, **options):
    return job(server.port, user="probe", password=PASSWORD, **options)


def test_auth_plain():
    with Server(ehlo=WITH_AUTH) as server:
        done = outcome(auth_job(server))
    assert done["result"] == "accepted" and done["legs"]["auth"] > 0
    words = server.session.commands[1].split(" ")
    assert words[:2] == ["AUTH", "PLAIN"]
    assert tag.base64.b64decode(words[2]).split(b"\0")[1:] == [b"probe", PASSWORD.encode()]


def test_auth_login():
    challenges = {"LOGIN": [b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"]}
    with Server(ehlo=WITH_AUTH.replace("PLAIN", "LOGIN"), challenges=challenges) as server:
        assert outcome(auth_job(server))["result"] == "accepted"
    said = server.session.commands[1].split(" ")[2:] + server.session.commands[2:3]
    assert [tag.base64.b64decode(each).decode() for each in said] == ["probe", PASSWORD]


def test_auth_cram_md5():
    challenge = b"<1896.697170952@server.test>"
    challenges = {"CRAM-MD5": [tag.base64.b64encode(challenge)]}
    with Server(ehlo=WITH_AUTH.replace("PLAIN", "CRAM-MD5"), challenges=challenges) as server:
        assert outcome(auth_job(server))["result"] == "accepted"
    user, digest = tag.base64.b64decode(server.session.commands[2]).decode().split(" ")
    assert user == "probe"
    assert digest == tag.hmac.new(PASSWORD.encode(), challenge, "md5").hexdigest()


def test_unknown_mechanisms_are_passed_over():
    """NTLM is a plugin of libESMTP that must not be loaded, let alone used."""
    ehlo = WITH_AUTH.replace("AUTH PLAIN", "AUTH NTLM GSSAPI DIGEST-MD5 PLAIN XOAUTH2")
    with Server(ehlo=ehlo) as server:
        assert outcome(auth_job(server))["result"] == "accepted"
    assert server.session.commands[1].startswith("AUTH PLAIN ")


@pytest.mark.parametrize("answer", ["535 5.7.8 wrong", "454 4.7.0 later", "504 5.5.4 unknown"])
def test_auth_refused(answer):
    with Server({"auth": [reply(answer)]}, ehlo=WITH_AUTH.replace("PLAIN", "PLAIN LOGIN")) as server:
        done = outcome(auth_job(server))
    assert done["result"] == "refused" and done["reply"] == answer
    assert done["class"] == f"{answer[0]}xx"
    assert done["cause"] == f"authentication as probe is refused by localhost:{server.port}"
    assert len(server.session.commands) == 2


@pytest.mark.parametrize("ehlo", [EHLO, WITH_AUTH.replace("PLAIN", "NTLM XOAUTH2")])
def test_auth_not_offered(ehlo):
    with Server(ehlo=ehlo) as server:
        done = outcome(auth_job(server))
    assert (done["result"], done["class"]) == ("refused", "5xx")
    assert done["cause"] == (f"AUTH is not offered by localhost:{server.port} in a form that we "
                             "have (PLAIN, LOGIN, CRAM-MD5)")
    assert server.session.commands == ["EHLO mx02.example"]


def test_auth_waits_for_tls(certificates):
    both = WITH_TLS.replace("250-DSN", "250-DSN\n250-AUTH PLAIN")
    with Server(ehlo=both, ehlo_tls=WITH_AUTH, certificate=certificates.right) as server:
        done = outcome(secure_job(server, certificates, user="probe", password=PASSWORD))
    assert done["result"] == "accepted"
    verbs = [command.split(" ")[0] for command in server.session.commands]
    assert verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert all(done["legs"][leg] > 0 for leg in ("connect", "tls", "auth", "submit"))


def test_secrets_are_never_said():
    blob = tag.base64.b64encode(b"\0probe\0" + PASSWORD.encode()).decode()
    told = f"535 5.7.8 AUTH PLAIN {blob}, that is {PASSWORD}, is wrong"
    with Server({"auth": [reply(told)]}, ehlo=WITH_AUTH) as server:
        _, lines, process = submit(auth_job(server))
    everything = process.stdout + process.stderr
    assert PASSWORD.encode() not in everything and blob.encode() not in everything
    assert tag.base64.b64encode(prober.SECRET) not in everything
    assert lines[0]["reply"] == "535 5.7.8 AUTH PLAIN ***, that is ***, is wrong"
