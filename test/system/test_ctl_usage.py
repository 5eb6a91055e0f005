"""mailflowctl's command line: what is wrong with it, what was probably meant, help."""

import json

import pytest
from control_answers import PATHS
from control_server import ControlServer, problem
from ctl import ctl

ONE_OF = "After maintenance comes one of: begin, extend, end, cancel, list"

USAGE = [
    (["stauts"], "no verb 'stauts'; did you mean 'status'?"),
    (["xyzzy"], "no verb 'xyzzy'"),
    (["alerts"], "no verb 'alerts'; did you mean 'status'?"),
    (["windows"], "no verb 'windows'; did you mean 'maintenance list'?"),
    (["help", "stauts"], "no verb 'stauts'; did you mean 'status'?"),
    (["stauts", "--help"], "no verb 'stauts'; did you mean 'status'?"),
    (["help", "maintenance", "bgein"], f"no verb 'maintenance bgein'; did you mean 'maintenance begin'? {ONE_OF}"),
    (["maintenance"], "maintenance what? One of: begin, extend, end, cancel, list"),
    (["maintenance", "bgein"], f"no verb 'maintenance bgein'; did you mean 'maintenance begin'? {ONE_OF}"),
    (["maintenance", "stop"], f"no verb 'maintenance stop'; did you mean 'maintenance end'? {ONE_OF}"),
    (["maintenance", "mx01"], f"no verb 'maintenance mx01'; {ONE_OF.replace('After', 'after')}"),
    (["maint", "list"], f"no verb 'maint list'; did you mean 'maintenance list'? {ONE_OF}"),
    (["maint"], f"no verb 'maint'; did you mean 'maintenance'? {ONE_OF}"),
    (["ma"], "no verb 'ma'"),
    (["maintenence", "list"], "no verb 'maintenence'; did you mean 'maintenance list'?"),
    (["status", "mx01"], "status takes no arguments"),
    (["history"], "history needs PEER"),
    (["history", "mx01", "mx03"], "history takes one argument only"),
    (["status", "--for", "30m"], "status takes no --for"),
    (["maintenance", "extend", "mx01"], "maintenance extend needs --for"),
    (["status", "--jsn"], "no option '--jsn'; did you mean '--json'?"),
    (["status", "--fro", "30m"], "no option '--fro'"),
    (["maintenance", "begin", "--fro", "30m"], "no option '--fro'; did you mean '--for'?"),
    (["--fro", "30m"], "no option '--fro'; did you mean '--for'?"),
    (["status", "-x"], "no option '-x'"),
    (["status", "--json=yes"], "--json takes no value"),
    (["status", "--control"], "--control needs a SOCKET"),
    (["history", "mx01", "--limit", "0"], "--limit 0: not a whole number above 0"),
    (
        ["history", "mx01", "--since", "soon"],
        "--since soon: neither a duration (24h) nor a time (2026-07-28T14:30)",
    ),
    (
        ["maintenance", "begin", "--for", "30"],
        "--for 30: not a duration: write 250ms, 15s, 30m, 4h or 5d",
    ),
    (["maintenance", "begin", "--kind", "urgent"], "--kind urgent: neither routine nor emergency"),
    (["maintenance", "begin", "--at", "25:00"], "--at 25:00: the clock never shows this time"),
    (["history", "mx01", "--wait", "60s"], "history takes no --wait"),
    (["status", "--live"], "status takes no --live"),
    (["setup", "mx01"], "setup takes no arguments"),
    (["setup", "--server", "mx.01"], "--server mx.01: not a server name: 1 to 32 letters, digits, - and _"),
    (["setup", "--imap-tls", "ssl"], "--imap-tls ssl: none of starttls, implicit, none"),
    (["setup", "--relay-tls", "implicit"], "--relay-tls implicit: neither starttls nor none"),
    (["setup", "--listen", "9925"], "--listen 9925: not an address to listen on: write 127.0.0.1:9925 or [::1]:9925"),
    (["setup", "--password", "secret"], "no option '--password'"),
    (["join", "mf1.x", "mf1.y"], "join takes one argument only"),
    (["status", *"abcdefgh"], "too many arguments, from 'h' on"),
]


@pytest.mark.parametrize("arguments, message", USAGE, ids=[" ".join(line) for line, _ in USAGE])
def test_usage_errors_say_what_is_wrong(arguments, message):
    result = ctl(*arguments)
    assert (result.code, result.out) == (2, "")
    first, second = result.err.splitlines()
    assert first == f"mailflowctl: {message}"
    assert second.startswith("Try 'mailflowctl ") and second.endswith("--help'.")


@pytest.mark.parametrize("arguments", [["status", "mx01"], ["history"], ["peers", "--xyzzy"]])
def test_usage_errors_are_json_too(arguments):
    """Wherever --json stands."""
    for line in ["--json", *arguments], [*arguments, "--json"]:
        result = ctl(*line)
        assert result.code == 2
        answer = json.loads(result.out)
        assert answer["status"] == 400
        assert result.err.splitlines()[0] == f"mailflowctl: {answer['detail']}"


def test_to_a_monitoring_system_wrong_usage_is_unknown():
    crossed = ["probe", "mx01", "-w", "2s", "-c", "1s"]
    for arguments in ["probe"], ["probe", "mx01", "-w", "5"], crossed:
        result = ctl(*arguments, "--control", "/nonexistent")
        assert result.code == 3
        assert result.out.startswith("MAILFLOW UNKNOWN - ")


def test_the_help_to_try_is_that_of_the_group():
    assert ctl("maintenance").err.endswith("\nTry 'mailflowctl maintenance --help'.\n")
    assert ctl("maintenance", "bgein").err.endswith("\nTry 'mailflowctl maintenance --help'.\n")
    assert ctl("bgein").err.endswith("\nTry 'mailflowctl --help'.\n")


def test_no_verb_at_all_shows_the_verbs():
    result = ctl()
    assert (result.code, result.out) == (2, "")
    assert "\nVerbs:\n" in result.err


def test_help_of_everything():
    general = ctl("--help")
    assert (general.code, general.err) == (0, "")
    verbs = general.out.partition("Verbs:\n")[2].partition("\n\n")[0].splitlines()
    names = [line[2:23].strip() for line in verbs]
    assert len(names) == 19
    for name in names:
        for arguments in [*name.split(), "--help"], ["help", *name.split()], ["-h", *name.split()]:
            result = ctl(*arguments)
            assert (result.code, result.err) == (0, "")
            assert result.out.startswith(f"Usage: mailflowctl {name}")
            assert f"\nExamples:\n  mailflowctl {name}" in result.out or name == "reload"
            assert all(len(line) <= 80 for line in result.out.splitlines())
    assert "maintenance begin" in ctl("maintenance", "--help").out


def test_help_is_as_wide_as_the_terminal():
    """But for its examples, which are to be pasted; and no wider than a page is read well."""
    def shown(columns, *words):
        text = ctl(*words, "--help", COLUMNS=columns).out
        return text.partition("\nExamples:\n")[0]

    for words in [], ["setup"], ["probe"], ["maintenance", "begin"]:
        usual = shown(None, *words)
        assert shown("200", *words) == shown("80", *words) == usual
        narrow = shown("60", *words)
        assert max(map(len, narrow.splitlines())) <= 60 < max(map(len, usual.splitlines()))
        assert narrow.split() == usual.split()
        assert narrow.count("\n\n") == usual.count("\n\n")
        assert shown("20", *words).split() == usual.split()


def test_words_after_two_dashes_are_no_options():
    answers = {"POST /probes": problem(400, "unknown peer"), "GET /paths": {"paths": PATHS}}
    with ControlServer(answers) as server:
        result = ctl("probe", "--control", server.socket_path, "--", "--json")
    assert result.code == 3
    assert server.asked[0][2] == {"peer": "--json"}


def test_arguments_that_are_no_text():
    answers = {"POST /maintenance": problem(400, "no"), "GET /paths": {"paths": []}}
    with ControlServer(answers) as server:
        asking = ["maintenance", "begin", "mx\udcff\x1b", "--reason", "\udcff" * 3]
        result = ctl(*asking, server=server)
    assert result.code == 1
    assert server.asked[0][2]["server"] == "mx\\xff\\x1b"
