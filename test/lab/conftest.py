"""Fixtures for tests that need a lab: `make_lab(count)` builds one and removes it in the end."""

import itertools
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
    numbers, used = itertools.count(), []

    def take():
        directory = _directory(next(numbers))
        used.append(directory)
        return directory

    yield take
    for directory in used:
        Lab(directory).down()


@pytest.fixture(scope="session")
def raise_lab(lab_directories):
    """raise_lab(2) is a lab that whoever asks for it takes down."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    return lambda count: Lab(lab_directories()).up(count)


@pytest.fixture(scope="module")
def make_lab(raise_lab):
    """make_lab(2) is a lab with hosts mx01 and mx02, of which every server greets."""
    made = []

    def make(count=2):
        made.append(raise_lab(count))
        return made[-1]

    yield make
    for lab in made:
        lab.down()


def pytest_collection_modifyitems(items):
    """Last those that run together, and so beside the others; each by itself, they go first."""
    items.sort(key=lambda item: together.is_meant(item) != together.ONE_BY_ONE)


@pytest.fixture(scope="session")
def under_way(request, raise_lab):
    """The tests that run together: see together.py."""
    tests = [item.function for item in request.session.items if together.is_meant(item)]
    with together.running(tests, raise_lab) as futures:
        yield futures


@pytest.fixture(scope="session", autouse=True)
def begin_together(request):
    """Those that run together begin with the first test, whichever it is."""
    if os.geteuid() == 0 and any(map(together.is_meant, request.session.items)):
        request.getfixturevalue("under_way")
