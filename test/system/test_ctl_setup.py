"""setup: what it writes, and what it says when something is not as it must be."""

import json
import re
import ssl

import pytest
from daemon import wait_for
from terminal import CTRL_C
from wizard import PASSWORD, PROBERS, Place, imap_server, office_that, smtp_server

FILES = ["mailflow.yaml", "mesh.key", "probe.password"]
JOIN = re.compile(r"^ +mailflowctl join (mf1\.\S+)$", re.MULTILINE)
NOBODY = 9  # a port where nobody listens


@pytest.fixture(name="place")
def fixture_place(tmp_path):
    return Place(tmp_path)


def test_what_is_written(office, place):
    result = place.setup(office, "--agent-url", "http://mx01.example:9925")
    assert (result.code, result.err) == (0, ""), result
    assert place.files == FILES
    assert {name: (place.folder / name).stat().st_mode & 0o777 for name in FILES} == {
        "mailflow.yaml": 0o644,
        "mesh.key": 0o600,
        "probe.password": 0o600,
    }
    assert (place.folder / "probe.password").read_text() == PASSWORD + "\n"
    assert re.fullmatch(r"[A-Za-z0-9+/]{43}=\n", (place.folder / "mesh.key").read_text())
    assert re.search(r"^ok +mailbox local at .*: readable \(dns [\d.]+ ms, connect ", result.out, re.M)
    legs = r"\(dns [\d.]+ ms, connect [\d.]+ m?s, submit [\d.]+ m?s, latency [\d.]+ m?s\)"
    assert re.search(rf"^ok +relay at .*: our probe has arrived {legs}$", result.out, re.M)
    assert f"mailflowd --config {place.config} --probers {PROBERS[1]}\n" in result.out
    assert "treat it like a password" in result.out and JOIN.search(result.out)
    assert office.mailbox == {}  # the probe was taken away
    assert PASSWORD not in result.out
    effective = place.run("check", "--effective").out
    assert 'listen: ["0.0.0.0:9925"]' in effective and 'url: "http://mx01.example:9925"' in effective


def test_as_json(office, place):
    result = place.setup(office, "--wait", "20s", verb=("setup", "--json"))
    answer = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert answer["written"] == [
        f"{place.folder}/{name}" for name in ("mesh.key", "probe.password", "mailflow.yaml")
    ]
    assert [(one["subject"], one["ok"]) for one in answer["live"]] == [
        ("mailbox local", True),
        ("relay", True),
    ]
    assert answer["invitation"].startswith("mf1.") and answer["introduction"].startswith("mf1.")


def test_a_failure_as_json(office, place):
    office.imap.password = "another"
    result = place.setup(office, verb=("setup", "--json"))
    answer = json.loads(result.out)
    assert result.code == 1 and answer["written"] == [] and place.files is None
    assert answer["live"][0]["ok"] is False and "User or password" in answer["live"][0]["advice"]


def test_a_password_is_piped_in(office, place):
    result = place.setup(office, "--password-file", "-", input=PASSWORD + "\n")
    assert result.code == 0, result
    assert (place.folder / "probe.password").read_text() == PASSWORD + "\n"


def test_a_password_is_typed_for_a_dash(office, place):
    flags = place.flags(office.imap.port, office.smtp.port, "--password-file", "-")
    with place.at_terminal("setup", "--yes", "--untested", *flags) as terminal:
        terminal.expect("The password for --password-file (not shown): ")
        assert not terminal.echoes
        terminal.type(PASSWORD + "\n")
        assert terminal.end() == 0 and terminal.echoes
    assert PASSWORD not in terminal.said
    assert (place.folder / "probe.password").read_text() == PASSWORD + "\n"


def test_a_relay_password_without_a_user(office, place):
    result = place.setup(office, "--relay-password-file", place.password)
    assert result.code == 2 and "--relay-password-file needs --relay-user" in result.err
    assert place.files is None


PROXY = "where the agent does not answer by itself"


def test_what_it_says_is_as_wide_as_the_terminal(office, place):
    narrow = place.setup(office, "--agent-url", "http://mx01.example:9925", COLUMNS="60")
    assert narrow.code == 0
    told = [line for line in narrow.out.splitlines() if str(place.folder) not in line and "mf1." not in line]
    assert "relay at" in narrow.out and max(map(len, told)) <= 60
    invitation = place.run("invite")
    assert all(len(line) <= 80 or " mf1." in line for line in invitation.out.splitlines())


def test_a_url_where_nobody_answers(office, place):
    untested = ("setup", "--untested", "--force")
    plain = place.setup(office, "--agent-url", "http://mx01.example:9925", verb=untested)
    assert plain.code == 0 and PROXY not in plain.out
    portless = place.setup(office, "--agent-url", "http://mx01.example", verb=untested)
    assert f"The peers are told http://mx01.example, {PROXY}" in " ".join(portless.out.split())
    assert "--listen" in portless.out and "http.certificate_file" not in portless.out
    listening = ("--agent-url", "https://mx01.example", "--listen", "0.0.0.0:443")
    secure = place.setup(office, *listening, verb=untested)
    assert f"The peers are told https://mx01.example, {PROXY}" in " ".join(secure.out.split())
    assert "http.certificate_file" in secure.out


def test_without_a_password(office, place):
    result = place.setup(office, "--password-file", None)
    assert (result.code, place.files) == (1, None)
    assert "the mailbox's password is missing: give it with --password-file FILE" in result.err
    place.password.chmod(0o644)
    result = place.setup(office)
    assert (result.code, place.files) == (1, None)
    assert "is open to others (mode 0644): chmod 0600 it" in result.err


def test_what_is_there_stays(office, place):
    assert place.setup(office, verb=("setup", "--untested")).code == 0
    before = {name: (place.folder / name).read_text() for name in FILES}
    result = place.setup(office)
    assert result.code == 1 and f"{place.config} is there: this server is set up" in result.err
    place.config.unlink()
    result = place.setup(office, "--password-file", None)  # with the secrets that are there
    assert result.code == 0 and result.out.count("wrote ") == 1, result
    assert {name: (place.folder / name).read_text() for name in FILES} == before

    place.config.unlink()
    place.password.write_text("another\n")
    flags = place.flags(office.imap.port, office.smtp.port)
    result = place.run("setup", "--yes", "--untested", *flags)
    assert result.code == 1 and place.files == FILES[1:]
    assert "probe.password beside the configuration holds another secret: --force" in result.err
    result = place.run("setup", "--yes", "--untested", "--force", *flags)
    assert result.code == 0, result
    assert (place.folder / "probe.password").read_text() == "another\n"
    assert (place.folder / "mesh.key").read_text() == before["mesh.key"]


def test_a_mesh_key_is_never_made_anew(office, place):
    place.folder.mkdir()
    key = place.folder / "mesh.key"
    key.write_text("0123456789abcdef\n")
    key.chmod(0o644)
    for force in (), ("--force",):
        result = place.setup(office, verb=("setup", *force))
        assert result.code == 1 and "mesh.key: is open to others (mode 0644)" in result.err
        assert place.files == ["mesh.key"]
    key.chmod(0o600)
    assert place.setup(office, verb=("setup", "--force")).code == 0
    assert key.read_text() == "0123456789abcdef\n" and place.files == FILES


def test_the_id_of_the_mesh_key_is_kept(office, place):
    untested = ("setup", "--untested", "--force")
    first = place.setup(office, verb=untested)
    assert first.code == 0 and "Now start the agent:" in first.out
    written = place.config.read_text()
    place.config.write_text(written.replace('id: "k1"', 'id: "k2"'))
    result = place.setup(office, verb=untested)
    assert result.code == 0 and "Now start the agent anew:" in result.out
    assert '{id: "k2", file: mesh.key}' in place.config.read_text()

    for there, said in {
        written.replace("file: mesh.key}", "file: other.key}"): "has another mesh key than mesh.key",
        written + "colour: blue\n": "cannot be read, so that the id of its mesh key is not known",
    }.items():
        place.config.write_text(there)
        result = place.setup(office, verb=untested)
        assert result.code == 1 and f"{place.config} {said}" in result.err
        assert place.config.read_text() == there and place.files == FILES


def test_a_configuration_that_the_agent_would_refuse(office, place):
    place.folder.mkdir()
    (place.folder / "conf.d").mkdir()
    (place.folder / "conf.d/mine.yaml").write_text("server: mx07\n")
    result = place.setup(office)
    assert result.code == 1 and place.files == ["conf.d", "conf.d/mine.yaml"]
    assert f"'server' is given twice: first at {place.config}:4:1" in result.err
    assert "nothing has been written" in result.err


def tls_of(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


# What is wrong with the mailbox: (server, flags, what is said, what to do).
MAILBOXES = {
    "nobody listens": (
        None,
        ["--imap", f"127.0.0.1:{NOBODY}"],
        "Connection refused",
        "Nobody listens there",
    ),
    "no such name": (
        None,
        ["--imap", "nowhere.invalid", "--imap-tls", "starttls"],
        "nowhere.invalid: ",
        "The name|This machine's resolver",  # by what there is to ask
    ),
    "no STARTTLS": (
        {},
        ["--imap-tls", "starttls"],
        "STARTTLS is not offered",
        "Switch TLS on in the server; or take implicit TLS on port 993",
    ),
    "not trusted": (
        {"tls": "right"},
        ["--imap-tls", "starttls"],
        "certificate is not trusted",
        "name its PEM file as ca_file",
    ),
    "wrong name": (
        {"tls": "wrong_name"},
        ["--imap-tls", "starttls", "--ca-file", "AUTHORITY"],
        "certificate of 127.0.0.1 does not match: it is for other.example",
        "Name the server as its certificate does",
    ),
    "expired": (
        {"tls": "expired"},
        ["--imap-tls", "starttls", "--ca-file", "AUTHORITY"],
        "certificate has expired",
        "must be renewed",
    ),
    "another authority": (
        {"tls": "self_signed"},
        ["--imap-tls", "starttls", "--ca-file", "AUTHORITY"],
        "certificate is not trusted",
        "The authorities in that ca_file did not sign",
    ),
    "TLS at once to a port that does not": (
        {},
        ["--imap-tls", "implicit"],
        "TLS handshake",
        "It does not speak TLS at once",
    ),
    "password": (
        {"password": "another"},
        [],
        "login as probe@mx01.example refused: [AUTHENTICATIONFAILED]",
        "User or password is wrong",
    ),
    "no login in the clear": (
        {"offers": "LOGINDISABLED"},
        [],
        "allows no login",
        "choose starttls, or implicit",
    ),
    "no such folder": (
        {},
        ["--folder", "Junk"],
        "folder Junk: ",
        "The folder cannot be opened: create it",
    ),
    "not IMAP": (
        {"on": {"greeting": lambda session, *_: session.write("220 mx ESMTP\r\n")}},
        [],
        "not IMAP",
        "is no IMAP server",
    ),
}


@pytest.mark.parametrize("name", MAILBOXES)
def test_a_mailbox_that_does_not_work(place, certificates, name):
    options, flags, said, advice = MAILBOXES[name]
    options = dict(options or {})
    password = options.pop("password", PASSWORD)
    if "tls" in options:
        options["tls"] = tls_of(getattr(certificates, options["tls"]))
    flags = [certificates.ca_file if flag == "AUTHORITY" else flag for flag in flags]
    with office_that(imap=imap_server.Server(**options)) as office:
        office.imap.password = password
        result = place.setup(office, *flags)
    failed, todo, *_ = result.out.partition("FAILED  mailbox local at ")[2].splitlines()
    assert result.code == 1 and said in failed and re.search(advice, todo), result
    assert "nothing has been written" in result.err and place.files is None


REFUSALS = {
    "Relay access denied": ("rcpt", "554 5.7.1 <x>: Relay access denied", "Postfix: mynetworks"),
    "User unknown": ("rcpt", "550 5.1.1 <x>: User unknown", "It knows no such mailbox"),
    "Greylisted": ("rcpt", "450 4.7.1 Greylisted, see x", "It greylists: exempt this machine"),
    "not allowed": ("content", "550 5.7.26 not allowed", "Its policy forbids it"),
    "try later": ("mail", "451 4.3.0 try later", "It refuses for the moment"),
    "Sender address rejected": (
        "rcpt",
        "553 5.1.8 Sender address rejected",
        "does not take the probes' sender",
    ),
}


@pytest.mark.parametrize("words", REFUSALS)
def test_a_relay_that_refuses(place, words):
    step, reply, advice = REFUSALS[words]
    with office_that(**{step: [smtp_server.reply(reply)]}) as office:
        result = place.setup(office)
    failed, todo, *_ = result.out.partition("FAILED  relay at ")[2].splitlines()
    assert result.code == 1 and f"it says: {reply[:3]} " in failed and words in failed, result
    assert advice in todo and place.files is None


# What is wrong with the way to the relay: (server, flags, what is said, what to do).
RELAYS = {
    "nobody listens": (
        None,
        ["--relay", f"127.0.0.1:{NOBODY}"],
        "Connection refused",
        "Nobody listens there",
    ),
    "no STARTTLS": (
        {},
        ["--relay-tls", "starttls"],
        "STARTTLS is not offered",
        "Switch TLS on in the server",
    ),
    "not trusted": (
        {"certificate": "self_signed", "ehlo": smtp_server.EHLO + "\n250 STARTTLS"},
        ["--relay-tls", "starttls"],
        "certificate is not trusted",
        "--relay-ca-file",
    ),
    "password": (
        {
            "ehlo": "250-server.test\n250 AUTH PLAIN",
            "script": {"auth": [smtp_server.reply("535 5.7.8 no")]},
        },
        ["--relay-user", "somebody"],
        "authentication as somebody is refused",
        "User or password is wrong (--relay-user",
    ),
    "no AUTH": ({}, ["--relay-user", "somebody"], "AUTH is not offered", "leave the user away"),
    "not SMTP": (
        {"script": {"greeting": [smtp_server.raw(b"* OK IMAP4rev1 ready\r\n")]}},
        [],
        "not SMTP",
        "is no SMTP server",
    ),
}


@pytest.mark.parametrize("name", RELAYS)
def test_a_relay_that_does_not_work(place, certificates, name):
    options, flags, said, advice = RELAYS[name]
    options = dict(options or {})
    if "certificate" in options:
        options["certificate"] = getattr(certificates, options["certificate"])
        options["ehlo"] = "250-server.test\n250 STARTTLS"
    with office_that(smtp=smtp_server.Server(**options)) as office:
        result = place.setup(office, *flags)
    failed, todo, *_ = result.out.partition("FAILED  relay at ")[2].splitlines()
    assert result.code == 1 and said in failed and advice in todo, result
    assert place.files is None


def test_a_probe_that_does_not_arrive(place):
    with office_that(content=[smtp_server.reply("250 2.0.0 Ok: queued as 4FZXKQ1Y")]) as office:
        result = place.setup(office, "--wait", "1s")
    failed, todo, *_ = result.out.partition("FAILED  relay at ")[2].splitlines()
    said = "it took our probe as 4FZXKQ1Y, but nothing arrived in mailbox local within 1s"
    assert result.code == 1 and said in failed and "Look for it in the mail log" in todo, result
    assert place.files is None


def test_probers_that_are_not_there(office, place):
    result = place.setup(office, "--probers", "/nonexistent")
    assert result.code == 1 and "cannot start /nonexistent/mailflow-collect" in result.out
    assert "Is mailflow installed whole?" in result.out and "log of the" not in result.out
    assert place.files is None


@pytest.mark.parametrize("option", ["--ca-file", "--relay-ca-file"])
def test_an_authority_that_is_not_there(office, place, option):
    """It is told before anything is tried."""
    result = place.setup(office, option, "/nonsense.pem")
    assert (result.code, result.out, place.files) == (1, "", None)
    assert result.err == f"mailflowctl: {option} /nonsense.pem: No such file or directory\n"
    assert not office.imap.sessions


def begin_dialogue(terminal, office):
    """Up to the question for the password."""
    terminal.answer("This server's name in the mesh", "mx01")
    terminal.answer("IMAP server of the probes' mailbox", f"127.0.0.1:{office.imap.port}")
    terminal.answer("Its TLS: starttls, implicit or none [starttls]", "none")
    terminal.answer("IMAP user", "probe@mx01.example")
    terminal.expect("Password of probe@mx01.example (not shown): ")


def end_dialogue(terminal, office):
    terminal.type(PASSWORD + "\n")
    terminal.answer("SMTP server that probes are handed to", f"127.0.0.1:{office.smtp.port}")
    terminal.answer("Where the peers' agents reach this one")


def test_ctrl_c_at_the_password(office, place):
    with place.at_terminal("setup") as terminal:
        begin_dialogue(terminal, office)
        assert not terminal.echoes
        terminal.type(PASSWORD[:4] + CTRL_C)
        assert terminal.end() == 1
        assert terminal.echoes
    assert terminal.said.endswith("mailflowctl: interrupted: nothing has been written\n")
    assert PASSWORD[:4] not in terminal.said and place.files is None


def test_ctrl_backslash_at_the_password(office, place):
    with place.at_terminal("setup") as terminal:
        begin_dialogue(terminal, office)
        terminal.type(PASSWORD[:4] + "\x1c")
        assert terminal.end() == 1 and terminal.echoes
    assert terminal.said.endswith("mailflowctl: interrupted: nothing has been written\n")
    assert place.files is None


def test_ctrl_c_while_it_waits(place):
    with office_that(content=[smtp_server.reply("250 2.0.0 Ok")]) as office:
        with place.at_terminal("setup") as terminal:
            begin_dialogue(terminal, office)
            end_dialogue(terminal, office)
            terminal.expect("sending a probe to ourselves")
            office.imap.wait_for("LOGIN")
            wait_for(lambda: any(one.content for one in office.smtp.sessions), 30, "our probe")
            assert place.files != FILES  # a draft at most
            terminal.type(CTRL_C)
            assert terminal.end() == 1
    assert "interrupted: nothing has been written" in terminal.said and place.files is None


def test_a_dialogue_with_mistakes(office, place):
    """Answers that cannot be are asked for again; what failed may be written all the same."""
    office.smtp.script["rcpt"] = [smtp_server.reply("554 5.7.1 Relay access denied")]
    with place.at_terminal("setup", "--imap-tls", "none", "--user", "probe@mx01.example") as terminal:
        terminal.answer("This server's name in the mesh", "mx.01")
        terminal.expect("That is not a server name: 1 to 32 letters")
        terminal.answer("This server's name in the mesh", "mx01")
        terminal.answer("IMAP server of the probes' mailbox", "not a host")
        terminal.expect("That is neither a host nor host:port.")
        terminal.answer("IMAP server of the probes' mailbox", f"127.0.0.1:{office.imap.port}")
        terminal.expect("Password of probe@mx01.example (not shown): ")
        terminal.type("\n")
        terminal.expect("Password of probe@mx01.example (not shown): ")
        end_dialogue(terminal, office)
        for slip in "yes", "-":
            terminal.answer("What now: change the answers, write them as they are, or quit", slip)
            terminal.expect("That is none of these.")
        terminal.answer("What now: change the answers, write them as they are, or quit", "quit")
        assert terminal.end() == 1 and place.files is None
    with place.at_terminal("setup", "--imap-tls", "none", "--user", "probe@mx01.example") as terminal:
        terminal.answer("This server's name in the mesh", "mx01")
        terminal.answer("IMAP server of the probes' mailbox", f"127.0.0.1:{office.imap.port}")
        terminal.expect("Password of probe@mx01.example (not shown): ")
        end_dialogue(terminal, office)
        terminal.answer("What now: change the answers, write them as they are, or quit", "write")
        assert terminal.end() == 0 and place.files == FILES


def test_an_authority_that_is_not_there_is_asked_for_again(office, place, tmp_path):
    office.smtp.script["rcpt"] = [smtp_server.reply("554 5.7.1 Relay access denied")]
    authority = tmp_path / "authority.pem"
    authority.write_text("")
    question = "PEM file of its certificate's authority (-: the system's store)"
    with place.at_terminal("setup") as terminal:
        begin_dialogue(terminal, office)
        end_dialogue(terminal, office)
        terminal.answer("What now", "change")
        terminal.answer("This server's name in the mesh")
        terminal.answer("IMAP server of the probes' mailbox")
        terminal.answer("Its TLS: starttls, implicit or none", "starttls")
        for wrong in "/nonsense.pem", str(tmp_path):
            terminal.answer(question, wrong)
            terminal.expect("That is not the absolute path of a file that can be read.")
        terminal.answer(question, str(authority))
        terminal.expect("IMAP user")
        terminal.type(CTRL_C)
        assert terminal.end() == 1


def test_the_terminal_goes_away(office, place):
    with place.at_terminal("setup") as terminal:
        begin_dialogue(terminal, office)
        terminal.type("\x04")  # the end of the input
        assert terminal.end() == 1
    assert place.files is None


def test_termination_while_it_asks(office, place):
    with place.at_terminal("setup") as terminal:
        begin_dialogue(terminal, office)
        terminal.process.terminate()
        assert terminal.end() == 1
        assert terminal.echoes
    assert place.files is None
