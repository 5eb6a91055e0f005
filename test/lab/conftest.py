"""Fixtures for tests that need a lab: `make_lab(count)` builds one and removes it in the end."""

import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import process  # noqa: E402
import together  # noqa: E402
from lab import Lab  # noqa: E402

PREFIX = "mailflow-lab-test-"


def _directory(number):
    """Named after this process, so that a later run knows which ones nobody needs any more."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}-{number}"


@pytest.fixture(scope="session", autouse=True)
def remove_orphans():
    """Remove the labs of test runs that were killed."""
    for found in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = re.fullmatch(rf"{PREFIX}(\d+)-\d+", found.name)
        if owner and process.start_time(int(owner[1])) is None:
            Lab(found).down()


@pytest.fixture(scope="session")
def lab_directories():
    """Names for lab directories, none of them twice; the labs are taken down at the end."""
    used = []

    def take():
        used.append(_directory(len(used)))
        return used[-1]

    yield take
    for directory in used:
        Lab(directory).down()


@pytest.fixture(scope="module")
def make_lab(lab_directories):
    """make_lab(2) is a lab with hosts mx01 and mx02, of which every server greets."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    made = []

    def make(count=2):
        made.append(Lab(lab_directories()))
        return made[-1].up(count)

    yield make
    for lab in made:
        lab.down()


@pytest.fixture(scope="module")
def under_way(request, make_lab):
    """The tests of the module that run together: see together.py."""
    tests = together.tests_of(request.module, request.session.items)
    with together.running(tests, make_lab) as futures:
        yield futures
