"""test/install, as far as it installs nothing."""

import pathlib
import re
import subprocess

PROGRAM = pathlib.Path(__file__).parents[1] / "install"


def said(*words):
    done = subprocess.run((PROGRAM, *words), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_help_tells_of_every_choice():
    code, told, _ = said("--help")
    usage = re.search(r"^usage: test/install \[(.*)\]$", told, re.MULTILINE)
    assert code == 0
    assert re.findall(r"^  (\w+) ", told, re.MULTILINE) == usage[1].split("|")
    assert said("-h") == (0, told, "")


def test_anything_else_is_refused():
    code, told, complained = said("everything")
    assert (code, told) == (2, "") and complained.startswith("usage: test/install [")
