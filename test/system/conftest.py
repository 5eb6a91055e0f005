"""Fixtures of several tests: a post office, and certificates for servers."""

import pytest

from daemon import PostOffice
from smtp_server import Certificates


@pytest.fixture(name="office")
def fixture_office():
    with PostOffice() as office:
        yield office


@pytest.fixture(name="certificates", scope="module")
def fixture_certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))
