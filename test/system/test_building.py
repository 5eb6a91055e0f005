"""test/building.py: what a build shows while it lasts, and when it fails."""

import os
import pathlib
import pty
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).parents[1] / "building.py"
sys.path.insert(0, str(PROGRAM.parent))
import building  # noqa: E402

RULES = """
rule good
  command = touch $out
rule bad
  command = echo "it is broken" && false
build a: good
build b: good | a
build c: bad | b
build all: phony a b
"""


@pytest.fixture(name="directory")
def fixture_directory(tmp_path):
    (tmp_path / "build.ninja").write_text(RULES)
    return tmp_path


def test_a_count_now_and_then(directory, capfd):
    assert building.build(directory, "all", pause=0)
    assert capfd.readouterr().out == "  1 of 2 steps\n  2 of 2 steps\n"
    assert building.build(directory, "all", pause=0)
    assert capfd.readouterr().out == ""


def test_a_short_build_says_nothing(directory, capfd):
    assert building.build(directory, "all")
    assert capfd.readouterr().out == ""


def test_what_fails_is_told(directory, capfd):
    assert not building.build(directory, "c")
    said = capfd.readouterr().out.splitlines()
    assert said[0].startswith("FAILED: c") and "it is broken" in said


def test_on_a_terminal_ninja_shows_its_line(directory):
    ours, theirs = pty.openpty()
    command = (sys.executable, PROGRAM, directory, "all")
    subprocess.run(command, stdout=theirs, env=os.environ | {"TERM": "xterm"}, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\r[2/2] " in shown
