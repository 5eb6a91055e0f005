"""mailflow-submit against servers that misbehave in every way we know, with the exact words for it.

The program comes from MAILFLOW_BUILD (a build directory). Every wait has a deadline: those of the
jobs here are about a second, so that a server that hangs costs a test no more than that.
"""
import contextlib
import json
import re
import socket
import ssl
import subprocess
import sys
import time

import pytest

import prober
import tag
from prober import PASSWORD, job, outcome, submit
from process import patient
from smtp_server import EHLO, Server, close, flood, hang, raw, reply, reset, trickle, wait

SHORT = 1.0
WITH_TLS = EHLO.replace("250-DSN", "250-DSN\n250-STARTTLS")
WITH_AUTH = EHLO.replace("250-DSN", "250-DSN\n250-AUTH PLAIN")


def secure_job(server, certificates, **options):
    return job(server.port, tls="starttls", ca_file=certificates.ca_file, **options)


def headers_of(content):
    """The headers as a receiver sees them: unfolded, by name."""
    block = content.split(b"\r\n\r\n", 1)[0].decode()
    lines = block.replace("\r\n ", " ").split("\r\n")
    return dict(line.split(": ", 1) for line in lines)


# ---- what is sent ----

def test_accepted():
    with Server() as server:
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        [done], lines, _ = submit(job(server.port, number=5))
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert [line["result"] for line in lines] == ["content", "accepted"]
    assert done["number"] == 5 and done["class"] == "2xx" and done["code"] == 250
    assert done["reply"] == "250 2.0.0 Ok: queued as 4FZXKQ1Y"
    assert done["queue_id"] == "4FZXKQ1Y" and done["cause"] == ""
    assert lines[0]["sent"] == done["sent"]
    assert before < done["sent"]["instant"] < done["accepted"]["instant"] < after
    assert done["legs"]["dns"] >= 0 and done["legs"]["connect"] > 0 and done["legs"]["submit"] > 0
    assert done["legs"]["tls"] == -1 and done["legs"]["auth"] == -1
    assert server.session.commands == [
        "EHLO mx02.example",
        f"MAIL FROM:<probe@mx02.example> RET=HDRS ENVID={prober.PROBE_ID}",
        "RCPT TO:<probe@mx01.example> NOTIFY=FAILURE,DELAY",
        "DATA",
        "QUIT",
    ]


def test_message_verifies_by_a_second_implementation():
    lists = {"maintenance": "id=w-1f3a; " * 20, "receipts": "as_of=1; got=" + "ID/1/2 " * 40,
             "row": "mx03=ok mx04=bad"}
    with Server() as server:
        [done], _, _ = submit(job(server.port, **lists))
    content = server.session.content
    got = headers_of(content)
    assert len(content) < 4096
    assert max(len(line) for line in content.split(b"\r\n") if b"Message-ID" not in line) <= 78
    assert not re.search(rb"[^\r]\n|\r[^\n]", content)
    key = tag.Key("k1", prober.SECRET)
    signed = b"".join(tag.canonical(name, got[name]) for name in tag.NAMES)
    signature = tag.base64.b64encode(key.digest(signed)).decode()
    assert "".join(got["Mailflow-Signature"].split()) == f"a=hmac-sha256;k=k1;b={signature}"
    assert got["Mailflow-Maintenance"].split() == lists["maintenance"].split()
    sent = done["sent"]["wall"] // 1000
    assert f"sent={sent};" in got["Mailflow-Probe"]
    mac = got["Message-ID"].split("@")[0].rsplit(".", 1)[1]
    assert mac == tag.base32(key.digest(
        f"message-id:{prober.PROBE_ID}.mx02.mx01.1041.{sent}".encode())[:12])


def test_sent_is_stamped_after_data_is_answered():
    answered = []

    def note_the_time(_):
        answered.append(time.clock_gettime_ns(time.CLOCK_BOOTTIME))

    with Server({"data": [wait(0.3), note_the_time, reply("354 go on")]}) as server:
        done = outcome(job(server.port))
    assert answered[0] <= done["sent"]["instant"] <= server.session.content_at
    assert done["legs"]["submit"] > 300_000_000


def test_chunking_is_hidden():
    ehlo = "250-server.test\n250-PIPELINING\n250-CHUNKING\n250-BINARYMIME\n250 8BITMIME"
    with Server({"rcpt": [wait(0.2), reply("250 ok")]}, ehlo=ehlo) as server:
        done = outcome(job(server.port))
    assert done["result"] == "accepted"
    assert [command.split(" ")[0] for command in server.session.commands] == [
        "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


def test_chunking_is_hidden_however_the_reply_is_cut():
    octets = b"250-server.test\r\n250-CHUNKING\r\n250 DSN\r\n"
    with Server({"ehlo": [trickle(octets, 0.002)]}) as server:
        assert outcome(job(server.port))["result"] == "accepted"
    assert "DATA" in server.session.commands


def test_helo_server():
    script = {"ehlo": [reply("502 5.5.1 what?")], "helo": [reply("250 hello")]}
    with Server(script) as server:
        assert outcome(job(server.port))["result"] == "accepted"
    assert server.session.commands[:3] == ["EHLO mx02.example", "HELO mx02.example",
                                           "MAIL FROM:<probe@mx02.example>"]


def test_many_jobs_in_one_process():
    with Server() as server:
        outcomes, _, _ = submit(*(job(server.port, number=n) for n in range(1, 31)))
    assert [done["number"] for done in outcomes] == list(range(1, 31))
    assert {done["result"] for done in outcomes} == {"accepted"}


def test_ipv6_address():
    with Server(address="::1") as server:
        assert outcome(job(server.port, host="::1"))["result"] == "accepted"
    refused = outcome(job(server.port, host="::1"))
    assert refused["cause"] == f"connect to [::1]:{server.port}: Connection refused"


def test_slow_quit_delays_nothing():
    with Server({"quit": [hang()]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=10))
        assert time.monotonic() - begun < patient(3)
    assert done["result"] == "accepted" and done["cause"] == ""


# ---- names and connections ----

def test_unknown_name():
    done = outcome(job(25, host="nobody.invalid"))
    assert done["result"] == "refused" and done["class"] == "dns"
    assert done["cause"].startswith("nobody.invalid: ")
    assert done["legs"]["dns"] == -1


def run_with_etc(tmp_path, one, *options, prelude="", **files):
    """Runs the program on a job where files of /etc are others: in namespaces of its own."""
    script = tmp_path / "run.py"
    script.write_text("import socket, subprocess, sys\n" + prelude)
    with script.open("a") as more:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
            more.write(f"subprocess.run(['mount', '--bind', {str(tmp_path / name)!r},"
                       f" '/etc/{name.replace('_', '.')}'], check=True)\n")
        more.write("sys.exit(subprocess.run([sys.argv[1]]).returncode)\n")
    process = subprocess.run(
        ["unshare", "--mount", *options, sys.executable, script, prober.SUBMIT],
        input=json.dumps(one).encode(), capture_output=True, timeout=patient(15), check=False,
        env=prober.ENVIRONMENT)
    if b"Operation not permitted" in process.stderr:
        pytest.skip("needs the right to make namespaces")
    return json.loads(process.stdout.splitlines()[-1])


def test_resolver_that_does_not_answer(tmp_path):
    """In a network of its own, where the resolver is a socket that nobody reads."""
    silent = ("subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)\n"
              "silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "silent.bind(('127.0.0.1', 53))\n")
    done = run_with_etc(tmp_path, job(25, host="mx01.example", seconds=SHORT), "--net",
                        prelude=silent, resolv_conf="nameserver 127.0.0.1\n",
                        nsswitch_conf="hosts: files dns\n")
    assert done["class"] == "dns" and done["result"] == "refused"
    said = r"mx01\.example: no answer from the resolver within (\d+\.\d) s"
    assert float(re.fullmatch(said, done["cause"])[1]) < patient(0.8)


def deaf_listener(address, port=0):
    """A listener whose queue is full: it drops what else knocks. With those who fill it."""
    listener = socket.socket()
    listener.bind((address, port))
    listener.listen(0)
    knocking = []
    for _ in range(4):
        knocking.append(socket.socket())
        knocking[-1].setblocking(False)
        knocking[-1].connect_ex(listener.getsockname())
    return [listener, *knocking]


@pytest.mark.parametrize("first", ["refuses", "is deaf", "is busy"])
def test_second_address(tmp_path, first):
    """The first address may use up its share of the time, not all of it."""
    with Server(address="127.0.0.3") as server, contextlib.ExitStack() as stack:
        if first == "is deaf":
            for each in deaf_listener("127.0.0.2", server.port):
                stack.enter_context(each)
        elif first == "is busy":
            stack.enter_context(Server({"greeting": [reply("421 4.3.2 busy")]},
                                       address="127.0.0.2", port=server.port))
        done = run_with_etc(tmp_path, job(server.port, host="two.example", seconds=1.5),
                            hosts="127.0.0.2 two.example\n127.0.0.3 two.example\n",
                            nsswitch_conf="hosts: files\n")
    assert done["result"] == "accepted"
    assert server.session.content is not None


def test_connection_refused():
    with Server() as server:
        port = server.port
    done = outcome(job(port))
    assert (done["result"], done["class"]) == ("refused", "connect")
    assert done["cause"] == f"connect to localhost:{port}: Connection refused"
    assert done["legs"]["dns"] >= 0 and done["legs"]["connect"] == -1


def test_connection_not_answered():
    with contextlib.ExitStack() as stack:
        deaf = deaf_listener("127.0.0.1")
        for each in deaf:
            stack.enter_context(each)
        port = deaf[0].getsockname()[1]
        begun = time.monotonic()
        done = outcome(job(port, host="127.0.0.1", seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT)
    assert (done["result"], done["class"]) == ("refused", "connect")
    said = rf"connect to 127\.0\.0\.1:{port}: no reply to connect within (\d+\.\d) s"
    assert float(re.fullmatch(said, done["cause"])[1]) < patient(0.8)


# ---- a server that hangs, goes away or refuses, at every step ----

ANSWERS = {
    "greeting": "greeting",
    "ehlo": "reply to EHLO",
    "mail": "reply to MAIL FROM",
    "rcpt": "reply to RCPT TO",
    "data": "reply to DATA",
    "content": "reply to the content",
}


@pytest.mark.parametrize("step", ANSWERS)
def test_hangs(step):
    with Server({step: [hang()]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT)
    assert done["result"] == ("uncertain" if step == "content" else "refused")
    assert done["class"] == "timeout" and done["code"] == 0 and done["reply"] == ""
    said = rf"no {ANSWERS[step]} from localhost:{server.port} within (\d+\.\d) s"
    assert float(re.fullmatch(said, done["cause"])[1]) < patient(0.8)
    assert (done["sent"]["instant"] > 0) == (step == "content")


@pytest.mark.parametrize("act", [close, reset])
@pytest.mark.parametrize("step", ANSWERS)
def test_goes_away(step, act):
    # At once, a reset could come before the connection is seen to stand.
    with Server({step: [wait(0.02), act()]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == ("uncertain" if step == "content" else "refused")
    assert done["class"] == "connect"
    assert done["cause"] == f"connection to localhost:{server.port} lost before its {ANSWERS[step]}"


@pytest.mark.parametrize("answer", ["421 4.3.2 closing", "450 4.2.1 try later", "554 5.7.1 no"])
@pytest.mark.parametrize("step", ANSWERS)
def test_refuses(step, answer):
    with Server({step: [reply(answer)]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["reply"] == answer and done["cause"] == ""
    assert done["class"] == f"{answer[0]}xx" and done["code"] == int(answer[:3])
    if step in ("mail", "rcpt"):
        assert "DATA" not in server.session.commands


def test_recipient_refused_and_message_taken():
    """Postfix-like: RCPT 450, then a 354 and 250 for nothing would be no success."""
    with Server({"rcpt": [reply("450 4.2.0 greylisted")]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["reply"] == "450 4.2.0 greylisted"
    assert server.session.content is None


def test_reply_of_many_lines():
    with Server({"rcpt": [reply("550-5.1.1 no such\n550-5.1.1 user\n550 5.1.1 here")]}) as server:
        assert outcome(job(server.port))["reply"] == "550 5.1.1 no such 5.1.1 user 5.1.1 here"


def test_reply_with_foreign_bytes():
    with Server({"rcpt": [raw(b"550 \xfc\x1b[31m\x00 caf\xc3\xa9\r\n")]}) as server:
        assert outcome(job(server.port))["reply"] == "550 ??[31m? caf??"


@pytest.mark.parametrize("step", ANSWERS)
@pytest.mark.parametrize("octets", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\r\n",
                                    b"\x00\xff\x16\x03\r\n"], ids=["ssh", "empty", "binary"])
def test_garbage(step, octets):
    with Server({step: [raw(octets)]}) as server:
        done = outcome(job(server.port, seconds=3))
    assert done["result"] == ("uncertain" if step == "content" else "refused")
    assert done["class"] == "connect"
    assert done["cause"] == f"the {ANSWERS[step]} from localhost:{server.port} is not SMTP"


def test_positive_reply_that_does_not_fit():
    with Server({"data": [reply("250 2.0.0 fine"), close()]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["code"] == 250
    assert done["cause"] == f"the reply to DATA from localhost:{server.port} is none that fits"


def test_trickled_greeting():
    with Server({"greeting": [trickle(b"220 " + b"x" * 500, 0.05)]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT)
    assert done["class"] == "timeout" and done["cause"].startswith("no greeting from")


def test_endless_ehlo():
    with Server({"ehlo": [flood(b"250-more\r\n")]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=5))
        assert time.monotonic() - begun < patient(3)
    assert done["class"] == "connect"
    assert done["cause"] == (f"localhost:{server.port} sent more than 65536 bytes, "
                             "the last in its reply to EHLO")


def test_endless_line():
    with Server({"greeting": [flood(b"2")]}) as server:
        done = outcome(job(server.port, seconds=5))
    assert done["cause"] == (f"localhost:{server.port} sent a line of more than 1022 bytes "
                             "in its greeting")


def test_bytes_nobody_asked_for():
    with Server({"mail": [raw(b"250 ok\r\n250 and more\r\n")]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "refused" and done["class"] == "connect"
    assert done["cause"] == (f"localhost:{server.port} sent more than its reply to MAIL FROM: "
                             "somebody may be injecting commands")


def test_deadline_already_past():
    with Server() as server:
        done = outcome(job(server.port, seconds=-5))
        assert not server.sessions
    assert done["class"] == "timeout"
    assert done["cause"] == "the deadline had passed before the session began"


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
    assert re.fullmatch(rf"no TLS handshake from localhost:{server.port} within 0\.[0-7] s",
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


# ---- the transcript ----

def said(done):
    """The lines of a transcript: (seconds, who, text)."""
    lines = [line.split(" ", 2) for line in done["transcript"].splitlines()]
    times = [int(microseconds) / 1e6 for microseconds, _, _ in lines]
    assert times == sorted(times) and all(0 <= time < 5 for time in times), done
    return [(who, text) for _, who, text in lines]


def test_a_transcript_of_a_refusal(certificates):
    with Server({"rcpt": [reply("550-5.7.1 not\n550 5.7.1 \x1b[31mhere")]}, ehlo=WITH_TLS,
                ehlo_tls=WITH_AUTH, certificate=certificates.right) as server:
        done = outcome(secure_job(server, certificates, user="probe", password=PASSWORD))
    assert done["result"] == "refused"
    lines = said(done)
    assert lines[0] == ("note", f"connected to 127.0.0.1 port {server.port}")
    assert lines[1] == ("server", "220 server.test ESMTP")
    assert ("note", "TLSv1.3 with TLS_AES_256_GCM_SHA384, certificate verified") in lines
    client = [text for who, text in lines if who == "client"]
    assert client[:4] == ["EHLO mx02.example", "STARTTLS", "EHLO mx02.example", "AUTH PLAIN ***"]
    assert client[4].startswith("MAIL FROM:<probe@mx02.example>") and client[-1] == "QUIT"
    assert ("server", "550-5.7.1 not") in lines and ("server", "550 5.7.1 ?[31mhere") in lines


def test_a_transcript_of_an_uncertain_one_has_no_content():
    with Server({"content": [close()]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "uncertain"
    [note] = [text for who, text in said(done)[1:] if who == "note"]
    assert re.fullmatch(r"message of \d+ bytes", note)
    assert said(done)[said(done).index(("note", note)) - 1] == ("server", "354 go on")
    assert "Mailflow-" not in done["transcript"]


def test_no_transcript_of_what_was_accepted_or_never_connected():
    with Server() as server:
        assert outcome(job(server.port))["transcript"] == ""
        unknown = outcome(job(server.port, host="nowhere.invalid"))
    assert unknown["result"] == "refused" and unknown["transcript"] == ""


def test_a_transcript_of_a_server_that_never_ends():
    lines = "".join(f"250-{number} \\\"\r\n" for number in range(2000)).encode()
    with Server({"ehlo": [raw(lines), hang()]}) as server:
        _, answers, _ = submit(job(server.port, seconds=2.0))
    done = answers[-1]
    lines = said(done)
    assert len(done["transcript"]) < 3072 and len(json.dumps(done)) < 8192
    assert lines[1] == ("server", "220 server.test ESMTP")
    assert lines[-1] == ("server", r'250-1999 \\\"')
    assert [who for who, text in lines if text.endswith(" lines left out")] == ["note"]


# ---- lines that are no jobs ----

@pytest.mark.parametrize("line, reason", [
    (b"hello", b"not JSON at byte 5: '[' or '{' expected near 'hello'"),
    (b"[1,2]", b"not a JSON object"),
    (b"{}", b'"number" is missing'),
    (b'{"number":"1"}', b'"number" is not a whole number'),
    (b'{"number":1,"number":1}', b"not JSON at byte 20: duplicate object key near '\"number\"'"),
    (b"[" * 5000, b"not JSON at byte 2049: maximum parsing depth reached near '['"),
    (b"x" * 8193, b"line of 8193 bytes is longer than 8192"),
    (b"x" * 3000000, b"line of 3000000 bytes is longer than 8192"),
    (b"\xff\xfe\x00", b"not JSON at byte 0: unable to decode byte 0xff near '\"\\xff'"),
], ids=["word", "array", "empty", "string", "twice", "nested", "long", "endless", "binary"])
def test_no_job(line, reason):
    process = prober.run(line + b"\n")
    assert process.returncode == 0 and process.stdout == b""
    assert process.stderr.startswith(b"mailflow-submit: job: ")
    assert reason.split(b" near")[0] in process.stderr
    assert process.stderr.count(b"\n") == 1


def test_bad_job_with_a_number_gets_an_outcome():
    with Server() as server:
        bad = job(server.port, number=3)
        del bad["relay"]["tls"]
        outcomes, _, process = submit(bad, job(server.port, number=4))
    assert [done["result"] for done in outcomes] == ["refused", "accepted"]
    assert outcomes[0]["number"] == 3
    assert outcomes[0]["cause"] == 'job: "relay": "tls" is missing'
    assert process.stderr == b'mailflow-submit: job: "relay": "tls" is missing\n'


def test_lists_too_long_for_a_message():
    done = outcome(job(25, receipts="x " * 1190, maintenance="y " * 1190))
    assert done["cause"] == "the message would be larger than 4095 bytes"


def test_no_arguments():
    process = subprocess.run([prober.SUBMIT, "--help"], capture_output=True, check=False)
    assert process.returncode == 64 and b"one JSON object a line" in process.stderr
