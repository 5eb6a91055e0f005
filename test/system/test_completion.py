"""What the shells offer while a command line is typed, asked of the shells themselves."""

import json
import os
import pathlib
import re
import subprocess

import pytest
from control_answers import PATHS
from control_server import ControlServer
from ctl import BUILD, PROGRAM, ctl, environment

SCRIPTS = pathlib.Path(__file__).parents[2] / "config/completion"
WINDOW = {"id": "w-k7qj2f4mxa", "server": "mx01", "state": "active"}
OVER = {"id": "w-zzzzzzzzzz", "server": "mx01", "state": "over"}
PROBE = {"id": "7Q2KXHAAAAAAAAAAAAAAAAAAAA", "path": "mx02->mx01", "verdict": "late"}
ANSWERS = {
    "GET /paths": {"paths": PATHS},
    "GET /version": {"server": "mx02", "version": "1"},
    "GET /maintenance": {"maintenance": [WINDOW, OVER]},
    "GET /probes": {"probes": [PROBE], "next": None},
}

# Each prints what the shell offers for the line in $LINE, one a line.
BASH = r"""
source "$SCRIPTS/$NAME.bash"
compopt() { echo ":files"; }
read -r -a COMP_WORDS <<<"$LINE"
[[ $LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_$NAME "$NAME"
printf '%s\n' "${COMPREPLY[@]}"
"""
FISH = r"""
source $SCRIPTS/$NAME.fish
complete -C "$LINE" | string replace -r '\t.*' ''; true
"""
# The completion system works in the line editor only: what it would show is taken from its ends.
ZSH = r"""
autoload -Uz compinit
_describe() { for each in "${(@P)2}"; do print -r -- "${${each%%:*}}"; done }
_files() { print :files; }
_arguments() { for each; do print -r -- "${each%%\[*}"; done }
words=("${(@s: :)LINE}") CURRENT=$#words
source "$SCRIPTS/$NAME.zsh"
"""
SHELLS = {"bash": ("bash", "-c", BASH), "zsh": ("zsh", "-f", "-c", ZSH), "fish": ("fish", "-c", FISH)}


@pytest.fixture(name="agent", scope="module")
def fixture_agent():
    with ControlServer(ANSWERS) as server:
        yield server


@pytest.fixture(name="offered", params=SHELLS)
def fixture_offered(request, tmp_path):
    """What this shell offers for a line."""
    folders = f"{PROGRAM.absolute().parent}:{BUILD.absolute()}/agent:{os.environ['PATH']}"

    def offered(line):
        home = {"HOME": str(tmp_path), "PATH": folders, "SCRIPTS": str(SCRIPTS)}
        done = subprocess.run(
            SHELLS[request.param],
            env=environment(LINE=line, NAME=line.split()[0], **home),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert done.stderr == ""
        return [word for word in done.stdout.splitlines() if word]

    offered.files = request.param == "fish" and ["ledger.db", "mailflow.yaml"] or [":files"]
    for name in "mailflow.yaml", "ledger.db":
        (tmp_path / name).touch()
    return offered


def verbs(*group):
    """As the help lists them."""
    text = ctl("help").out.partition("\nVerbs:\n")[2].partition("\n\n")[0]
    names = [re.split(r"  +", line.strip())[0].split() for line in text.splitlines()]
    depth = len(group)
    return sorted({name[depth] for name in names if name[:depth] == list(group) and name[depth:]})


def test_every_verb(offered):
    assert len(verbs()) > 10
    assert sorted(offered("mailflowctl ")) == verbs()
    assert sorted(offered("mailflowctl maintenance ")) == verbs("maintenance")
    assert offered("mailflowctl help stat") == ["status"]
    assert offered("mailflowctl nonsense ") == []


def test_every_option():
    for verb in verbs():
        for name in verbs(verb) or [""]:
            assert_options(f"{verb} {name}".split())


def assert_options(words):
    """The options are those that the verb's help explains."""
    found = ctl("complete", input="\n".join([*words, "--"]) + "\n").out
    shown = ctl(*words, "--help").out.partition("\nExamples:\n")[0]
    options = re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE)
    assert sorted(line.split("\t")[0] for line in found.splitlines()) == sorted(options), words


def test_options_in_each_shell(offered):
    assert sorted(offered("mailflowctl maintenance begin --f")) == ["--for", "--force"]
    assert "--since" not in offered("mailflowctl status --")


def test_names_come_from_the_agent_that_the_line_names(agent, offered):
    control = f"--control {agent.socket_path}"
    assert sorted(offered(f"mailflowctl {control} probe ")) == ["gmail", "mx01"]
    assert sorted(offered(f"mailflowctl maintenance begin {control} mx")) == ["mx01", "mx02"]
    assert sorted(offered(f"mailflowctl maintenance end {control} ")) == [
        "gmail", "mx01", "mx02", WINDOW["id"],
    ]
    assert offered(f"mailflowctl explain {control} ") == [PROBE["id"]]
    assert offered(f"mailflowctl status {control} ") == []


def test_values_of_options(offered):
    assert sorted(offered("mailflowctl maintenance begin --kind ")) == ["emergency", "routine"]
    assert offered("mailflowctl maintenance begin --for ") == []
    assert sorted(offered("mailflowctl check --config ")) == offered.files


def test_without_an_agent_there_are_no_names_and_no_words(offered):
    assert offered("mailflowctl --control /nonexistent probe ") == []


def test_the_daemon(offered):
    usage = subprocess.run(
        [BUILD / "agent/mailflowd", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"--[a-z-]+", usage)) | {"--help"}
    assert set(offered("mailflowd --")) == options


def test_as_json(agent):
    found = json.loads(ctl("complete", "--json", server=agent, input="probe\nm\n").out)
    assert found == {"candidates": [{"value": "mx01", "help": "a peer"}], "files": False}
    assert json.loads(ctl("complete", "--json", input="check\n--config\n\n").out)["files"]


def test_what_is_typed_may_be_cut_at_the_equals_sign(agent):
    line = f"--control\n=\n{agent.socket_path}\nprobe\ng\n"
    assert ctl("complete", input=line).out == "gmail\ta peer\n"
    assert ctl("complete", input="check\n--config\n=\n").out == ":files\n"


def test_a_line_without_sense_offers_nothing_and_harms_nothing():
    for line in "", "\n", "x\n" * 300, "=\n=\n", "-\n-\n", "--\n\n", "a" * 70000:
        assert ctl("complete", input=line).code == 0
