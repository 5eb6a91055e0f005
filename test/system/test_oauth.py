"""Bearer tokens: XOAUTH2 and OAUTHBEARER to scripted IMAP and SMTP servers, and where tokens come from."""

import base64
import json

import pytest

import imap_server
import prober
import smtp_server
from collector import Collector
from ctl import ctl
from daemon import Daemon, PostOffice

TOKEN = "ya29.a0-_~+/" + "x" * 300 + "=="
LONG = "a" * 3072
CHALLENGE = base64.b64encode(b'{"status":"invalid_token","schemes":"bearer"}').decode()
PLAIN = {
    "XOAUTH2": f"user=probe\x01auth=Bearer {TOKEN}\x01\x01",
    "OAUTHBEARER": f"n,a=probe,\x01auth=Bearer {TOKEN}\x01\x01",
}
RESPONSE = {name: base64.b64encode(text.encode()).decode() for name, text in PLAIN.items()}
END = {"XOAUTH2": "", "OAUTHBEARER": "AQ=="}
ALL = ["XOAUTH2", "OAUTHBEARER"]


def secrets_of(*texts):
    return [secret for secret in (TOKEN, *RESPONSE.values(), TOKEN[:40], RESPONSE["XOAUTH2"][60:])
            if any(secret in text for text in texts)]


# ---- IMAP ----


def authenticates(mechanism, said, refuse=False):
    """An AUTHENTICATE that keeps what it is told."""

    def act(session, tag, arguments):
        words = arguments.split(" ")
        assert words[0] == mechanism
        if len(words) == 1:
            session.write("+ \r\n")
            words.append(session.reader.readline().decode().rstrip("\r\n"))
        said.append(words[1])
        if refuse:
            session.write(f"+ {CHALLENGE}\r\n")
            said.append(session.reader.readline().decode().rstrip("\r\n"))
            session.write(f"{tag} NO [AUTHENTICATIONFAILED] {TOKEN} is bad\r\n")
        else:
            session.write("* CAPABILITY IMAP4rev1 IDLE\r\n")
            session.done(tag)

    return act


def imap(mechanism, said, offers=None, **more):
    offers = offers or f"IDLE UIDPLUS AUTH=PLAIN AUTH={mechanism}"
    return imap_server.Server(on={"AUTHENTICATE": authenticates(mechanism, said, **more)},
                              offers=offers)


@pytest.mark.parametrize("at_once", ["SASL-IR ", ""], ids=["initial", "asked for"])
@pytest.mark.parametrize("mechanism", ALL)
def test_imap_takes_a_token(mechanism, at_once):
    said = []
    offers = f"{at_once}IDLE UIDPLUS AUTH=PLAIN AUTH={mechanism} LOGINDISABLED"
    with imap(mechanism, said, offers) as server, Collector() as collector:
        collector.watch(server.port, password="", oauth={"oauth": "auto", "token": TOKEN})
        assert collector.expect("up")["legs"]["login"] > 0
    assert said == [RESPONSE[mechanism]]


def test_the_longest_token_is_taken():
    said = []
    with imap("XOAUTH2", said) as server, Collector() as collector:
        collector.watch(server.port, password="", oauth={"oauth": "auto", "token": LONG})
        collector.expect("up")
    assert LONG in base64.b64decode(said[0]).decode()
    with smtp_server.Server(ehlo=ehlo("OAUTHBEARER")) as server:
        job = token_job(server)
        server.challenges = {"OAUTHBEARER": [b""]}
        job["relay"]["token"] = LONG
        assert prober.outcome(job)["result"] == "accepted"
    commands = server.session.commands
    assert commands[1] == "AUTH OAUTHBEARER"  # too long for a command line
    assert LONG in base64.b64decode(commands[2]).decode()


@pytest.mark.parametrize("mechanism", ALL)
def test_imap_refuses_a_token(mechanism):
    said = []
    with imap(mechanism, said, refuse=True) as server, Collector() as collector:
        collector.watch(server.port, password="", oauth={"oauth": "auto", "token": TOKEN})
        cause = collector.expect("down")["cause"]
        assert cause.startswith(f"127.0.0.1:{server.port}: login as probe refused "
                                "(status invalid_token): [AUTHENTICATIONFAILED] ***")
        assert not secrets_of(json.dumps(collector.seen), "".join(collector.errors))
    assert said[:2] == [RESPONSE[mechanism], END[mechanism]]


def test_imap_does_not_offer_it():
    with imap_server.Server(offers="IDLE AUTH=PLAIN AUTH=XOAUTH2") as server, Collector() as collector:
        collector.watch(server.port, oauth={"oauth": "oauthbearer", "token": TOKEN})
        assert collector.expect("down")["cause"] == (
            f"127.0.0.1:{server.port}: the server offers no mechanism for our token")


@pytest.mark.parametrize("bad", ["+ x\r\n" * 5, "* OK\r\n" * 100, "+ " + "A" * 9000 + "\r\n"],
                         ids=["asks again", "never ends", "long"])
def test_imap_that_does_not_end_it(bad):
    def act(session, _tag, _arguments):
        session.write(bad)
        session.reader.read()

    with imap_server.Server(on={"AUTHENTICATE": act}, offers="AUTH=XOAUTH2") as server, \
            Collector(timeout="1s") as collector:
        collector.watch(server.port, oauth={"oauth": "auto", "token": TOKEN})
        assert not secrets_of(collector.expect("down")["cause"])


# ---- SMTP ----


def ehlo(mechanisms, more=""):
    return smtp_server.EHLO.replace("250-DSN", f"250-DSN\n250-AUTH {mechanisms}{more}")


def token_job(server, oauth="auto", **options):
    job = prober.job(server.port, user="probe", **options)
    job["relay"] |= {"oauth": oauth, "token": TOKEN}
    return job


@pytest.mark.parametrize("offered, used", [
    ("PLAIN XOAUTH2", "XOAUTH2"), ("OAUTHBEARER LOGIN", "OAUTHBEARER"),
    ("XOAUTH2 OAUTHBEARER", "OAUTHBEARER")])
def test_smtp_takes_a_token(offered, used):
    with smtp_server.Server(ehlo=ehlo(offered)) as server:
        done = prober.outcome(token_job(server))
    assert done["result"] == "accepted" and done["legs"]["auth"] > 0
    assert server.session.commands[:2] == ["EHLO mx02.example", f"AUTH {used} {RESPONSE[used]}"]
    verbs = [command.split(" ")[0] for command in server.session.commands[2:]]
    assert verbs == ["MAIL", "RCPT", "DATA", "QUIT"]


def test_smtp_takes_it_inside_tls(certificates):
    tls = smtp_server.EHLO.replace("250-DSN", "250-DSN\n250-STARTTLS\n250-AUTH XOAUTH2")
    with smtp_server.Server(ehlo=tls, ehlo_tls=ehlo("XOAUTH2"),
                            certificate=certificates.right) as server:
        for _ in range(20):
            done = prober.outcome(token_job(server, tls="starttls", ca_file=certificates.ca_file))
            assert done["result"] == "accepted", done
    for session in server.sessions:
        verbs = [command.split(" ")[0] for command in session.commands]
        assert verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("mechanism", ALL)
def test_smtp_refuses_a_token(mechanism):
    told = f"535 5.7.8 {TOKEN} {RESPONSE[mechanism]} is wrong"
    challenges = {mechanism: [b"", CHALLENGE.encode()]}
    with smtp_server.Server({"auth": [smtp_server.reply(told)]}, ehlo=ehlo(mechanism),
                            challenges=challenges) as server:
        _, lines, process = prober.submit(token_job(server))
    [done] = lines
    assert (done["result"], done["class"]) == ("refused", "5xx")
    assert done["cause"] == (f"authentication as probe is refused by localhost:{server.port} "
                             "(status invalid_token)")
    assert server.session.commands[1:3] == [f"AUTH {mechanism} {RESPONSE[mechanism]}", END[mechanism]]
    assert len(server.session.commands) == 3
    assert f"client AUTH {mechanism} ***\n" in done["transcript"]
    assert not secrets_of(process.stdout.decode(), process.stderr.decode())


@pytest.mark.parametrize("offered, wanted", [("PLAIN LOGIN", "auto"), ("OAUTHBEARER", "xoauth2")])
def test_smtp_does_not_offer_it(offered, wanted):
    with smtp_server.Server(ehlo=ehlo(offered)) as server:
        done = prober.outcome(token_job(server, wanted))
    assert done["cause"] == (f"AUTH is not offered by localhost:{server.port} in a form that we "
                             "have (OAUTHBEARER, XOAUTH2)")
    assert server.session.commands == ["EHLO mx02.example"]


@pytest.mark.parametrize("act", [smtp_server.hang(), smtp_server.close(),
                                 smtp_server.reply("334 " + "A" * 400), smtp_server.flood(b"235-x\r\n")],
                         ids=["hangs", "closes", "asks again", "never ends"])
def test_smtp_that_does_not_end_it(act):
    with smtp_server.Server({"auth": [act]}, ehlo=ehlo("XOAUTH2")) as server:
        done = prober.outcome(token_job(server, seconds=1.0))
    assert done["result"] == "refused" and "MAIL" not in " ".join(server.session.commands)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nRCPT TO:<x@y>", "é", "x" * 3073, "=a"])
def test_a_token_that_is_none_is_no_job(token):
    job = prober.job(25, user="probe")
    job["relay"] |= {"oauth": "auto", "token": token}
    assert '"token"' in prober.outcome(job)["cause"]


# ---- the file ----


def with_token(office, **relay):
    office.smtp.ehlo = ehlo("XOAUTH2")
    return {"user": "probe"} | relay


def test_a_renewed_token_is_used(tmp_path):
    """A refused one does no more than that: the next probe takes what the file has then."""
    with PostOffice() as office:
        relay = with_token(office, oauth={"token_file": str(tmp_path / "token")})
        daemon = Daemon(tmp_path, office, relay=relay)
        daemon.write_secret("token", b"first\n")
        with daemon:
            daemon.wait(r"probe ACCEPTED .*")
            daemon.write_secret("token", b" second \n")
            daemon.wait(r"probe ACCEPTED .*", count=4)
            (tmp_path / "token").unlink()
            _, match = daemon.wait(r"probe REFUSED path=mx02->mx01 probe=(\S+) .*")
            cause = daemon.api(f"probes/{match[1]}")["error_cause"]
            assert cause == f"token_file: {tmp_path}/token: No such file or directory"
            daemon.write_secret("token", b"third")
            daemon.wait(r"probe ACCEPTED .*", count=daemon.count(r"probe ACCEPTED .*") + 2)
        said = [base64.b64decode(session.commands[1].split(" ")[2]).decode()
                for session in office.smtp.sessions if len(session.commands) > 2]
        tokens = [text.split("Bearer ")[1].rstrip("\x01") for text in said]
        assert tokens[0] == "first" and tokens[-1] == "third" and "second" in tokens


def test_a_mailbox_gets_the_renewed_token(tmp_path):
    """The first is refused; the second is given to the collector by itself."""
    accepted = base64.b64encode(b"user=probe@mx02.example\x01auth=Bearer second\x01\x01").decode()

    def act(session, tag, arguments):
        if arguments.endswith(accepted):
            session.done(tag)
        else:
            session.write(f"{tag} NO [AUTHENTICATIONFAILED] expired\r\n")

    with PostOffice() as office:
        office.imap.on["AUTHENTICATE"] = act
        office.imap.offers = "IDLE UIDPLUS SASL-IR AUTH=XOAUTH2"
        mailbox = {"name": "local", "host": "127.0.0.1", "port": office.imap.port, "tls": "none",
                   "user": "probe@mx02.example", "oauth": {"token_file": str(tmp_path / "token")}}
        daemon = Daemon(tmp_path, office, mailboxes=[mailbox])
        daemon.write_secret("token", b"first")
        with daemon:
            daemon.wait(r"mailbox DOWN .*login as probe@mx02.example refused.*expired.*")
            daemon.write_secret("token", b"second")
            daemon.wait(r"mailbox UP mailbox=local", seconds=60)
        assert "first" not in str([text for _, text in daemon.syslog.lines])


BAD = {
    "missing": (None, 0o600, "No such file or directory"),
    "open to others": (b"token", 0o644, "is open to others (mode 0644): chmod 0600 it"),
    "empty": (b"\n", 0o600, "is empty"),
    "two words": (b"a b", 0o600, "is no bearer token (RFC 6750): one word of ASCII"),
    "binary": (b"\xff\x01", 0o600, "is no bearer token (RFC 6750): one word of ASCII"),
    "1 MB": (b"x" * 1000000, 0o600, "is longer than 3074 bytes"),
}


@pytest.mark.parametrize("relay, reason", [
    ({"user": "u", "oauth": {"mechanism": "xoauth2"}}, "oauth: needs a token_file"),
    ({"user": "u", "oauth": {"token_file": "token"}}, "write an absolute path"),
    ({"user": "u", "oauth": {"token_file": "/t", "mechanism": "ntlm"}},
     "'ntlm' is neither auto nor xoauth2 nor oauthbearer"),
    ({"user": "u", "oauth": {"token_file": "/t"}, "password_file": "/p"}, "leave one of the two away"),
    ({"oauth": {"token_file": "/t"}}, "oauth: needs a user"),
    ({"user": "u", "oauth": {"token_fil": "/t"}}, "token_file"),
])
def test_a_mistake_is_told_where_it_stands(tmp_path, relay, reason):
    daemon = Daemon(tmp_path, relay=relay)
    result = ctl("--config", daemon.config, "check")
    [line] = [line for line in (result.out + result.err).splitlines() if reason in line][:1]
    assert result.code == 1 and line.startswith(f"{daemon.config}:"), result
    daemon.syslog.close()


@pytest.mark.parametrize("content, mode, reason", BAD.values(), ids=BAD)
def test_a_token_file_that_will_not_do(tmp_path, content, mode, reason):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    daemon = Daemon(tmp_path, relay={"user": "probe", "oauth": {"token_file": str(file)}})
    result = ctl("--config", daemon.config, "check")
    assert result.code == 1 and ": token_file: " in result.out + result.err, result
    assert reason in result.out + result.err, result
    daemon.syslog.close()
