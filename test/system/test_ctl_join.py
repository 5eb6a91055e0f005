"""join and invite: how a mesh grows, and the tokens that it does not grow by."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess

import pytest
from control_server import ControlServer, problem
from ctl import PROGRAM
from wizard import PASSWORD, Place

JOIN = re.compile(r"^ +mailflowctl join (mf1\.\S+)$", re.MULTILINE)


@pytest.fixture(name="mx01")
def fixture_mx01(tmp_path, office):
    place = Place(tmp_path, "mx01")
    result = place.setup(office, verb=("setup", "--untested"))
    assert result.code == 0, result
    place.token = JOIN.search(result.out)[1]
    return place


@pytest.fixture(name="mx02")
def fixture_mx02(tmp_path):
    return Place(tmp_path, "mx02")


def body(token):
    """What stands in a token, in lines."""
    encoded = token.split(".")[1]
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode().splitlines()


def token_of(*lines):
    """One with a checksum that is right."""
    encoded = base64.urlsafe_b64encode("\n".join(lines).encode()).decode().rstrip("=")
    text = f"mf1.{encoded}"
    return f"{text}.{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def join(place, office, token, *more):
    return place.setup(office, *more, verb=("join", token))


def peers_of(place):
    effective = place.run("check", "--effective").out
    return re.findall(r'- name: "(mx\d+)"\n +address: "(\S+)"', effective)


def test_a_peer_whose_mailbox_is_yet_to_come_only_warns(office, mx01, mx02):
    def answer(session):
        peer = session.commands[-1] == "RCPT TO:<probe@mx01.example>"
        session.send(b"550 5.1.1 no such\r\n" if peer else b"250 2.1.5 Ok\r\n")

    office.smtp.script["rcpt"] = [answer]
    result = join(mx02, office, mx01.token)
    assert result.code == 0, result
    assert re.search(r"^warn +address of mx01 at \S+: it takes no probes to probe@mx01.example; it "
                     r"says: 550 5.1.1 no such", result.out, re.MULTILINE), result.out
    assert peers_of(mx02) == [("mx01", "probe@mx01.example")]


def test_a_mesh_grows_by_a_line_each_way(office, mx01, mx02, tmp_path):
    result = join(mx02, office, mx01.token)
    assert result.code == 0, result
    key = (mx01.folder / "mesh.key").read_bytes()
    assert (mx02.folder / "mesh.key").read_bytes() == key
    assert peers_of(mx02) == [("mx01", "probe@mx01.example")]
    assert "This line carries no secret.\n\nThen start the agent:\n" in result.out  # as the README has it
    line = JOIN.search(result.out)[1]
    assert key.decode().strip() not in "\n".join(body(line))

    added = mx01.run("join", line)
    assert (added.code, added.err) == (0, ""), added
    assert added.out == (
        f"added peer mx02: {mx01.folder}/conf.d/peer-mx02.yaml\n"
        "The agent is not running, or not reached: it will know when it starts.\n"
    )
    assert peers_of(mx01) == [("mx02", "probe@mx02.example")]
    files = mx01.files
    again = mx01.run("join", line)
    assert (again.code, again.err, mx01.files) == (0, "", files)
    assert again.out == (
        "Nothing to add: every server of the token is a peer already.\n"
        "The agent is not running, or not reached: it will know when it starts.\n"
    )

    # The third learns of both, by a line that can be had at any time, from standard input.
    mx03 = Place(tmp_path, "mx03")
    invitation = json.loads(mx02.run("invite", "--json").out)
    assert invitation["left_out"] == 0
    flags = mx03.flags(office.imap.port, office.smtp.port, "--password-file", "-")
    piped = f"{invitation['token']}\n{PASSWORD}\n"
    result = mx03.run("join", "-", "--yes", *flags, input=piped)
    assert result.code == 0, result
    assert {name for name, _ in peers_of(mx03)} == {"mx01", "mx02"}


def test_a_running_agent_is_told(mx01):
    answers = {"POST /reload": {"reloaded": True}}
    line = introduction(mx01, "mx02 probe@mx02.example -")
    with ControlServer(answers) as server:
        result = mx01.run("join", line, server=server)
    assert result.code == 0 and "The agent has taken the configuration over.\n" in result.out
    assert [(asked[0], asked[1]) for asked in server.asked] == [("POST", "/api/v1/reload")]
    line = introduction(mx01, "mx03 probe@mx03.example -")
    with ControlServer({"POST /reload": problem(409, "cannot: busy")}) as server:
        result = mx01.run("join", line, server=server)
    assert result.code == 1 and "cannot: busy" in result.err
    with ControlServer(answers) as server:  # once more: there is nothing to add, but to be told
        result = mx01.run("join", line, server=server)
    assert result.code == 0 and [asked[1] for asked in server.asked] == ["/api/v1/reload"]
    assert "Nothing to add" in result.out and "has taken the configuration over.\n" in result.out


def test_an_agent_that_cannot_read_its_key_says_so(mx01):
    """An agent without privileges may not read again what root has handed it."""
    unreadable = "mesh.key: Permission denied to user mailflow: start anew as root"
    refusal = problem(422, "the configuration has errors, so the old one stays", problems=[unreadable])
    line = introduction(mx01, "mx02 probe@mx02.example -")
    with ControlServer({"POST /reload": refusal}) as server:
        result = mx01.run("join", line, server=server)
    assert result.code == 1 and result.out.startswith("added peer mx02: "), result
    assert result.err == (
        f"{unreadable}\nmailflowctl: the configuration has errors, so the old one stays. What join "
        "has written is in order here: start the agent anew (systemctl restart mailflowd), and it "
        "goes by it\n"
    )
    with ControlServer({"POST /reload": refusal}) as server:
        result = mx01.run("join", "--json", line, server=server)
    assert json.loads(result.out)["problems"] == [unreadable]


def introduction(place, *servers, key="k1 -"):
    """Of these servers, signed with the key of the place."""
    text = "".join(line + "\n" for line in (key, *servers))
    secret = (place.folder / "mesh.key").read_bytes().rstrip(b"\n")
    digest = hmac.digest(secret, b"mailflow-token\n" + text.encode(), "sha256")
    return token_of(*text.splitlines(), f"a=hmac-sha256; k=k1; b={base64.b64encode(digest).decode()}")


def test_a_peer_by_the_token_of_another_program(mx01):
    """The format is what the header says."""
    line = introduction(mx01, "mx09 probe@mx09.example https://mx09.example:9925")
    result = mx01.run("join", "--json", line)
    assert json.loads(result.out) == {"added": ["mx09"], "known": 0, "reloaded": False}
    assert 'agent: "https://mx09.example:9925"' in mx01.run("check", "--effective").out


REFUSED = {
    "nothing": ("", "that is no token"),
    "something": ("hunter2", "that is no token: one begins with mf1."),
    "half": (lambda place: place.token[:-20], "the token is damaged: copy the whole line"),
    "altered": (lambda place: place.token.replace("M", "N", 1), "the token is damaged"),
    "of the future": (
        lambda place: place.token.replace("mf1", "mf2", 1),
        "the token is of version 2, and this mailflow reads version 1",
    ),
    "resigned": (
        lambda place: token_of(*body(place.token)[:1], "mx66 x@mx66.example -", body(place.token)[-1]),
        "the token was altered",
    ),
    "no server": (lambda place: introduction(place), "malformed"),
    "bad server": (lambda place: introduction(place, "mx/66 x@mx66.example -"), "malformed"),
    "a line more": (lambda place: introduction(place, "mx66 x@mx66.example - more"), "malformed"),
    "bad URL": (lambda place: introduction(place, "mx66 x@mx66.example ftp://x"), "malformed"),
    "nobody but us": (
        lambda place: introduction(place, "mx01 probe@mx01.example -"),
        "tells of nobody but 'mx01', which is this server itself",
    ),
    "too long": ("mf1." + "A" * 5000, "longer than any"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_that_is_refused(mx01, name):
    token, reason = REFUSED[name]
    files = mx01.files
    result = mx01.run("join", token(mx01) if callable(token) else token)
    assert result.code == 1 and reason in result.err, result
    assert (result.out, mx01.files) == ("", files)


def test_the_token_of_another_mesh(office, mx01, mx02):
    assert mx02.setup(office).code == 0
    files = mx02.files
    result = mx02.run("join", mx01.token)
    assert result.code == 1 and "of another mesh: its key 'k1' is not this server's" in result.err
    mx02.config.unlink()  # the key is still there
    result = join(mx02, office, mx01.token)
    assert result.code == 1 and "mesh.key beside the configuration holds another secret" in result.err
    assert mx02.files == [file for file in files if file != "mailflow.yaml"]


def test_an_introduction_sets_nobody_up(office, mx01, mx02):
    result = join(mx02, office, introduction(mx01, "mx01 probe@mx01.example -"))
    assert result.code == 1 and "this token carries no mesh key" in result.err
    assert mx02.files is None


def test_a_name_that_is_taken(office, mx01, mx02):
    result = join(mx02, office, mx01.token, "--server", "mx01")
    assert result.code == 1 and mx02.files is None
    assert "a server 'mx01' is in the mesh already, with the address probe@mx01.example" in result.err
    flags = ("--server", "mx01", "--user", "probe@mx01.example")
    result = join(mx02, office, mx01.token, *flags)
    assert result.code == 1 and mx02.files is None
    assert "tells of nobody but 'mx01', which is this server itself" in result.err


def test_peers_that_cannot_be_added(mx01):
    """What is in the way stays, and nothing comes beside it."""
    (mx01.folder / "conf.d").mkdir()
    (mx01.folder / "conf.d/peer-mx03.yaml").write_text("# mine\n")
    files = mx01.files
    line = introduction(mx01, "mx02 probe@mx02.example -", "mx03 probe@mx03.example -")
    result = mx01.run("join", line)
    assert result.code == 1 and "conf.d/peer-mx03.yaml: File exists" in result.err
    assert mx01.files == files


def test_too_many_files(mx01):
    (mx01.folder / "conf.d").mkdir()
    for number in range(100):
        (mx01.folder / f"conf.d/{number:03}.yaml").write_text("{}\n")
    files = mx01.files
    result = mx01.run("join", introduction(mx01, "mx02 probe@mx02.example -"))
    assert result.code == 1 and "more than 100 files" in result.err
    assert mx01.files == files


def test_a_broken_configuration(mx01):
    mx01.config.write_text(mx01.config.read_text() + "colour: blue\n")
    for words in ("join", mx01.token), ("invite",):
        result = mx01.run(*words)
        assert result.code == 1 and "unknown key 'colour'" in result.err


def test_a_configuration_that_may_not_be_read_is_one(mx01):
    """Neither to invite nor to join is a server not set up whose folder we may not look into."""
    mx01.folder.chmod(0)
    try:
        invited = run_without_privileges("invite", "--config", mx01.config)
        joined = run_without_privileges("join", mx01.token, "--config", mx01.config)
    finally:
        mx01.folder.chmod(0o700)
    assert invited.returncode == joined.returncode == 1
    assert "Permission denied" in invited.stderr and "nobody can be invited before" in invited.stderr
    assert "Permission denied" in joined.stderr and "must be in order before" in joined.stderr


def run_without_privileges(*words):
    """Root without capabilities may not read everything either."""
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    return subprocess.run([*bare, PROGRAM, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)


def test_join_without_a_token(mx01):
    result = mx01.run("join")
    assert result.code == 2 and "join needs the token" in result.err
    result = mx01.run("join", "-")
    assert result.code == 1 and "the token: standard input is empty" in result.err


def test_answers_that_nobody_asked_for(mx01):
    """A server that is set up only gets peers."""
    files = mx01.files
    for flags in ("--user", "me@mx01.example"), ("--peer", "mx02=probe@mx02.example"):
        result = mx01.run("join", mx01.token, "--yes", *flags)
        assert result.code == 2 and f"takes no {flags[0]}" in result.err, result
        assert mx01.files == files


@pytest.mark.parametrize("form", [" {} ", "mailflowctl join {}", "    mailflowctl join  {}\r"])
def test_a_line_pasted_whole(mx01, form):
    line = form.format(introduction(mx01, "mx02 probe@mx02.example -"))
    for words, piped in (("join", line), None), (("join", "-"), line + "\n"):
        result = mx01.run(*words, input=piped)
        assert result.code == 0, result
    assert peers_of(mx01) == [("mx02", "probe@mx02.example")]


def test_a_token_typed_unseen(office, mx01, mx02):
    with mx02.at_terminal("join", "--yes", *mx02.flags(office.imap.port, office.smtp.port)) as terminal:
        terminal.expect("The token of `mailflowctl invite` (not shown): ")
        assert not terminal.echoes
        terminal.type(mx01.token + "\n")
        assert terminal.end() == 0 and terminal.echoes
    assert mx01.token not in terminal.said
    assert peers_of(mx02) == [("mx01", "probe@mx01.example")]


def test_a_damaged_token_is_asked_for_again(office, mx01, mx02):
    flags = mx02.flags(office.imap.port, office.smtp.port)
    with mx02.at_terminal("join", "--yes", *flags) as terminal:
        terminal.expect("(not shown): ")
        terminal.type(mx01.token[:-20] + "\n")
        terminal.expect("That will not do: the token is damaged: copy the whole line, and nothing else.")
        terminal.expect("(not shown): ")
        terminal.type(f"mailflowctl join {mx01.token}\n")
        assert terminal.end() == 0
    assert peers_of(mx02) == [("mx01", "probe@mx01.example")]
    with mx01.at_terminal("join") as terminal:
        terminal.expect("(not shown): ")
        terminal.type("hunter2\n")
        terminal.expect("That will not do: that is no token")
        terminal.expect("(not shown): ")
        terminal.type("\n")
        assert terminal.end() == 1
    assert terminal.said.endswith("mailflowctl: no token: nothing has been written\n")


def test_a_name_that_is_taken_is_refused_when_it_is_given(mx01, mx02):
    with mx02.at_terminal("join", mx01.token) as terminal:
        terminal.answer("This server's name in the mesh", "mx01")
        terminal.expect("That is the name of the server that invites, with the address probe@mx01.example")
        terminal.answer("This server's name in the mesh", "mx02")
        terminal.expect("IMAP server of the probes' mailbox")
        terminal.type("\x03")
        assert terminal.end() == 1


def test_a_server_of_the_mesh_may_be_set_up_anew(mx01, mx02):
    assert mx01.run("join", introduction(mx01, "mx03 probe@mx03.example -")).code == 0
    token = json.loads(mx01.run("invite", "--json").out)["token"]
    with mx02.at_terminal("join", token, "--server", "mx01") as terminal:
        terminal.answer("A server mx01 is in the mesh already, with the address probe@mx01.example", "perhaps")
        terminal.expect("That is neither yes nor no.")
        terminal.answer("A server mx01 is in the mesh already", "no")
        terminal.answer("This server's name in the mesh", "mx03")
        terminal.answer("A server mx03 is in the mesh already", "yes")
        terminal.expect("IMAP server of the probes' mailbox")
        terminal.type("\x03")
        assert terminal.end() == 1
