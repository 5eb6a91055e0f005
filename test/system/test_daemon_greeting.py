"""What a peer that is not heard turns out to be: its mail server is asked for its greeting."""

import pytest

import smtp_server
from daemon import Daemon, PostOffice
from dovecot import free_port

TAKE = [smtp_server.reply("250 2.0.0 Ok: queued as 4FZXKQ1Y")]


@pytest.fixture(name="office")
def fixture_office():
    with PostOffice(content=TAKE) as office:
        yield office


def expect(tmp_path, office, mail_server, pattern):
    """mx02 says this of mx01, whose agent never says anything, and nothing else."""
    peer = {"name": "mx01", "address": "probe@mx01.example", "mail_server": mail_server}
    with Daemon(tmp_path, office, peers=[peer]) as mx02:
        mx02.wait(pattern, seconds=30)
        assert mx02.count(r"(down|unheard|silent) FIRING .*") == 1
        assert mx02.prober("mailflow-greet") is None  # it has ended


def test_a_server_that_greets_is_unheard(tmp_path, office):
    with smtp_server.Server() as server:
        address = f"127.0.0.1:{server.port}"
        expect(tmp_path, office, address, r"unheard FIRING severity=warning .*mx01.*")
        assert server.sessions


def test_a_server_that_does_not_greet_is_down(tmp_path, office):
    address = f"127.0.0.1:{free_port()}"
    expect(tmp_path, office, address, r"down FIRING severity=critical .*mx01.*")


def test_a_server_that_says_nothing_is_down(tmp_path, office):
    with smtp_server.Server({"greeting": [smtp_server.hang()]}) as server:
        address = f"127.0.0.1:{server.port}"
        expect(tmp_path, office, address, r"down FIRING severity=critical .*mx01.*")
