"""mailflow-submit against servers that misbehave inside TLS and around it, step by step, and a
thousand sessions of TLS without one that hangs (MAILFLOW_SESSIONS of them; 100 by default)."""

import json
import os
import re
import ssl
import subprocess
import time

import pytest

import prober
import ready
from prober import PASSWORD, job
from process import patient
from smtp_server import WITH_AUTH, WITH_TLS, Server, flood, hang, raw, reply, trickle, wait

SESSIONS = int(os.environ.get("MAILFLOW_SESSIONS", 100))
SHORT = 1.0
WORDS = {  # what we wait for
    "greeting": "greeting",
    "ehlo": "reply to EHLO",
    "starttls": "reply to STARTTLS",
    "ehlo_tls": "reply to EHLO",
    "auth": "reply to AUTH",
    "mail": "reply to MAIL FROM",
    "rcpt": "reply to RCPT TO",
    "data": "reply to DATA",
    "content": "reply to the content",
}


class Prober:
    """One process, given its jobs one by one: each has a session, and none waits for its start."""

    def __init__(self):
        self.process = subprocess.Popen([prober.SUBMIT], stdin=subprocess.PIPE, env=prober.ENVIRONMENT,
                                        stdout=subprocess.PIPE)
        assert self.outcome(job(1, host="127.0.0.1", seconds=30))["class"] == "connect"

    def outcome(self, one):
        self.process.stdin.write(ready.encode(one))
        self.process.stdin.flush()
        while (line := json.loads(self.process.stdout.readline()))["result"] == "content":
            pass
        return line


@pytest.fixture(name="outcome", scope="module")
def fixture_outcome():
    """What becomes of a job; the same process takes all of them, and ends in good health."""
    warm = Prober()
    yield warm.outcome
    warm.process.stdin.close()
    assert warm.process.wait(patient(10)) == 0


def server_of(certificates, script, **options):
    """One that every step comes about with."""
    return Server(script, ehlo=WITH_TLS, ehlo_tls=WITH_AUTH, certificate=certificates.right,
                  **options)


def job_for(server, certificates, **options):
    return job(server.port, tls="starttls", ca_file=certificates.ca_file, user="probe",
               password=PASSWORD, **options)


def fate(step):
    return "uncertain" if step == "content" else "refused"


@pytest.mark.parametrize("step", ["starttls", "ehlo_tls", "auth"])
def test_hangs(outcome, certificates, step):
    with server_of(certificates, {step: [hang()]}) as server:
        begun = time.monotonic()
        done = outcome(job_for(server, certificates, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT + 2)
    assert (done["result"], done["class"], done["code"]) == ("refused", "timeout", 0)
    assert re.fullmatch(rf"no {WORDS[step]} from localhost:{server.port} within \d+\.\d s",
                        done["cause"])


@pytest.mark.parametrize("answer", ["421 4.3.2 closing", "554 5.7.1 no"])
@pytest.mark.parametrize("step", ["starttls", "ehlo_tls"])
def test_refuses(outcome, certificates, step, answer):
    with server_of(certificates, {step: [reply(answer)]},
                   stay_in_the_clear=step == "starttls") as server:
        done = outcome(job_for(server, certificates))
    assert (done["result"], done["class"], done["reply"]) == ("refused", f"{answer[0]}xx", answer)
    assert not [said for said in server.session.commands if said.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize("step", WORDS)
def test_trickles(outcome, certificates, step):
    """A byte now and then, and never the end of the line."""
    with server_of(certificates, {step: [trickle(b"250 " + b"x" * 500, 0.02)]}) as server:
        begun = time.monotonic()
        done = outcome(job_for(server, certificates, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT + 2)
    assert (done["result"], done["class"]) == (fate(step), "timeout")
    assert done["cause"].startswith(f"no {WORDS[step]} from localhost:{server.port} within ")


@pytest.mark.parametrize("octets", [b"250-more\r\n", b"2"], ids=["lines", "one line"])
@pytest.mark.parametrize("step", WORDS)
def test_floods(outcome, certificates, step, octets):
    with server_of(certificates, {step: [flood(octets)]}) as server:
        begun = time.monotonic()
        done = outcome(job_for(server, certificates, seconds=8))
        assert time.monotonic() - begun < patient(5)
    assert (done["result"], done["class"]) == (fate(step), "connect"), done
    # Within 64 KiB, libESMTP gives up a reply of more lines than it takes, and says no more of it.
    assert done["cause"].startswith((f"localhost:{server.port} sent ",
                                     f"connection to localhost:{server.port} lost before its "))


@pytest.mark.parametrize("octets", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\r\n", b"\x00\xff\x16\x03\r\n"],
                         ids=["ssh", "empty", "binary"])
@pytest.mark.parametrize("step", ["starttls", "ehlo_tls", "auth"])
def test_garbage(outcome, certificates, step, octets):
    with server_of(certificates, {step: [raw(octets)]},
                   stay_in_the_clear=step == "starttls") as server:
        done = outcome(job_for(server, certificates, seconds=3))
    assert (done["result"], done["class"]) == ("refused", "connect")
    assert done["cause"] == f"the {WORDS[step]} from localhost:{server.port} is not SMTP"


def test_a_handshake_that_trickles(outcome, certificates):
    record = b"\x16\x03\x03\x3f\xff" + bytes(500)
    with server_of(certificates, {"starttls": [reply("220 go"), wait(0.05), trickle(record, 0.02)]},
                   stay_in_the_clear=True) as server:
        begun = time.monotonic()
        done = outcome(job_for(server, certificates, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT + 2)
    assert done["result"] == "refused" and done["class"] in ("tls", "timeout")


# ---- what a server shows and speaks ----


def test_a_certificate_that_is_not_valid_yet(outcome, certificates):
    with Server(ehlo=WITH_TLS, certificate=certificates.issue_later("later")) as server:
        done = outcome(job_for(server, certificates))
    assert (done["result"], done["class"]) == ("refused", "tls")
    assert done["cause"].startswith("certificate is not trusted: certificate is not yet valid")
    assert not done["certificate"]["verified"]


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_a_server_of_old_tls_only(outcome, certificates, version):
    """Downgraded: what the server has is too old to be any good."""
    old = ssl.TLSVersion[version]
    with server_of(certificates, {}, tls_version=old, tls_minimum=old) as server:
        done = outcome(job_for(server, certificates))
    assert (done["result"], done["class"]) == ("refused", "tls")
    assert done["cause"].startswith("TLS handshake with localhost failed: ")
    assert server.session.commands == ["EHLO mx02.example", "STARTTLS"]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_many_sessions(outcome, certificates, version):
    """Of one version and no other. Without the poll of interpose.c one in six of TLS 1.3 waits for
    ever."""
    only = ssl.TLSVersion[version]
    with server_of(certificates, {}, tls_version=only, tls_minimum=only) as server:
        begun = time.monotonic()
        for number in range(1, SESSIONS + 1):
            done = outcome(job_for(server, certificates, number=number, seconds=20))
            assert done["result"] == "accepted" and done["legs"]["tls"] < patient(5e9), done
        took = time.monotonic() - begun
    assert {session.tls for session in server.sessions} == {version.replace("_", ".")}
    assert len(server.sessions) == SESSIONS
    print(f"{SESSIONS} sessions of {version}, none hung: {took / SESSIONS * 1000:.1f} ms each")
