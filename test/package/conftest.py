"""The package of this tree, an older one, and machines to install them on."""

import os
import subprocess
from pathlib import Path

import pytest

from machine import Machine, base_archive

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = Path(os.environ.get("MAILFLOW_OUTPUT", ROOT / "build")).absolute()


@pytest.fixture(name="changes", scope="session")
def fixture_changes():
    """What dpkg-buildpackage says that it made: binary and source package."""
    built = subprocess.run(
        (ROOT / "config/debian/build", "--build=full"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    assert built.returncode == 0, built.stdout
    (changes,) = OUTPUT.glob("mailflow_*.changes")
    return changes


@pytest.fixture(name="package", scope="session")
def fixture_package(changes):
    return changes.with_suffix(".deb")


@pytest.fixture(name="older", scope="session")
def fixture_older(package, tmp_path_factory):
    """The same with a version below all others."""
    directory = tmp_path_factory.mktemp("older")
    subprocess.run(("dpkg-deb", "--raw-extract", package, directory / "tree"), check=True)
    control = directory / "tree/DEBIAN/control"
    lines = control.read_text().splitlines()
    lines = ["Version: 0.0.1" if line.startswith("Version:") else line for line in lines]
    control.write_text("\n".join(lines) + "\n")
    older = directory / "older.deb"
    subprocess.run(("dpkg-deb", "--build", directory / "tree", older), check=True)
    return older


@pytest.fixture(name="base", scope="session")
def fixture_base(package):
    return base_archive(package, OUTPUT / "package")


@pytest.fixture(name="machine")
def fixture_machine(base):
    with Machine(base) as machine:
        yield machine
