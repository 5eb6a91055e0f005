"""Agents that get their tokens from a command: over expiries, and through everything that fails."""

import base64
import contextlib
import os
import re
import time

import pytest

from ctl import ctl
from daemon import Daemon, wait_for
from token_program import running, script
from token_provider import REFUSED, Provider
from wizard import PROBERS

ACCEPTED, REFUSED_LINE = r"probe ACCEPTED .*", r"probe REFUSED .*"
PATIENT = {"defaults": {"latency": {"warning": "10s", "critical": "20s"}},
           "incidents": {"blind_after": "10s"}}  # a slow machine is no finding
FAILURES = (REFUSED_LINE, r"mailbox DOWN .*refused.*", r".* FIRING .*")


@contextlib.contextmanager
def agent(tmp_path, provider, **overrides):
    with provider.office() as office:
        daemon = Daemon(tmp_path, office, **provider.settings(office) | overrides)
        with daemon:
            yield daemon, office


def cause_of_refusal(daemon, number=1):
    _, match = daemon.wait(r"probe REFUSED path=\S+ probe=(\S+) .*", seconds=30, count=number)
    return daemon.api(f"probes/{match[1]}")["error_cause"]


def no_token_is_told(daemon):
    refused = [match[1] for _, match in daemon.found(r"probe REFUSED .*probe=(\S+) .*")]
    transcripts = [daemon.api(f"probes/{probe}") for probe in refused]
    said = str(daemon.syslog.lines) + str(daemon.ledger("SELECT * FROM probes")) + str(transcripts)
    encoded = base64.b64encode(b"user=probe@mx02.example\x01auth=Bearer token-").decode()[:50]
    return not re.search(r"token-\d", said) and encoded not in said


@pytest.mark.parametrize("answer, told", [
    ("echo token-$number", False),
    ("""echo "{\\"access_token\\":\\"token-$number\\",\\"expires_in\\":4}" """, True)],
    ids=["bare", "expires_in"])
def test_over_expiries(tmp_path, answer, told):
    """A token lives for 4 s; probes and logins go on for 4 lives, and nothing is refused."""
    provider = Provider(tmp_path, life=4.1, answer=answer)
    with agent(tmp_path, provider, **PATIENT) as (daemon, office):
        for _ in range(4):
            expired = len(provider.issued) + 1
            daemon.wait(ACCEPTED, count=daemon.count(ACCEPTED) + 2, seconds=30)
            wait_for(lambda: len(provider.issued) >= expired, 20, "another token")  # noqa: B023
            for session in office.imap.sessions:
                session.close()
        daemon.wait(ACCEPTED, count=daemon.count(ACCEPTED) + 2, seconds=30)
        daemon.wait(r"mailbox UP .*", count=2)
        for failure in FAILURES:
            assert daemon.count(failure) == 0, daemon.found(failure)
        refused = provider.refusals("smtp")
        print(f"{daemon.count(ACCEPTED)} probes, {len(provider.issued)} tokens, refused: "
              f"{refused} by SMTP, {provider.refusals('imap')} by IMAP")
        assert refused == 0 if told else refused >= 3
        assert no_token_is_told(daemon)


def test_one_token_serves_until_it_ends(tmp_path):
    """Shared by relay and mailbox; a reload lets the login stand, too."""
    provider = Provider(tmp_path)
    with agent(tmp_path, provider) as (daemon, _):
        daemon.wait(r"mailbox UP .*")
        daemon.wait(ACCEPTED, count=4, seconds=30)
        collector = daemon.prober("mailflow-collect")
        assert ctl("--config", daemon.config, "reload").code == 0
        daemon.wait(ACCEPTED, count=6, seconds=30)
        assert daemon.prober("mailflow-collect") == collector
        assert len(provider.issued) == 1 and daemon.prober("mailflow-token") is None


def test_a_life_of_nothing_serves_once(tmp_path):
    answer = """echo "{\\"access_token\\":\\"token-$number\\",\\"expires_in\\":0}" """
    provider = Provider(tmp_path, answer=answer)
    with agent(tmp_path, provider) as (daemon, _):
        daemon.wait(ACCEPTED, count=4, seconds=30)
        assert daemon.count(REFUSED_LINE) == 0
        issued = len(provider.issued)
        assert 4 <= issued <= len(provider.heard) + 3  # for some the login is under way


def test_refused_twice(tmp_path):
    """The account is locked: the server's words, two sessions a probe at most, and no storm of commands."""
    provider = Provider(tmp_path)
    with agent(tmp_path, provider) as (daemon, office):
        daemon.wait(r"mailbox UP .*")
        daemon.wait(ACCEPTED, count=2)
        before = len(office.smtp.sessions)
        provider.locked = True
        cause = cause_of_refusal(daemon)
        assert cause == (f"authentication as probe@mx02.example is refused by "
                         f"127.0.0.1:{office.smtp.port}"), cause
        assert len(provider.issued) == 2
        _, match = daemon.wait(r"probe REFUSED .*probe=(\S+) .*", count=6)
        assert daemon.api(f"probes/{match[1]}")["smtp_reply"] == REFUSED
        probes = daemon.count(REFUSED_LINE)
        print(f"{probes} probes refused, {len(office.smtp.sessions) - before} sessions, "
              f"{len(provider.issued)} commands")
        assert len(office.smtp.sessions) - before <= 2 * (probes + 1)
        assert len(provider.issued) <= 5  # 1, 2, 4 s later
        for session in office.imap.sessions:
            session.close()
        daemon.wait(r"mailbox DOWN .*login as \S+ refused: \[AUTHENTICATIONFAILED\] the token has.*")
        provider.locked = False
        daemon.wait(ACCEPTED, count=daemon.count(ACCEPTED) + 2, seconds=30)
        daemon.wait(r"mailbox UP .*", count=2, seconds=30)
        assert no_token_is_told(daemon)


def test_a_command_that_fails(tmp_path):
    provider = Provider(tmp_path, answer="echo 'no such account' >&2; exit 1")
    with agent(tmp_path, provider) as (daemon, _):
        told = f"token_command: {provider.command}: ended with status 1: no such account"
        assert cause_of_refusal(daemon) == told
        daemon.wait(r'mailbox DOWN mailbox=local cause="' + re.escape(told) + '"')
        provider.print("echo token-$number")
        daemon.wait(ACCEPTED, count=2, seconds=30)
        daemon.wait(r"mailbox UP .*", seconds=60)
        provider.command.unlink()
        provider.locked = True
        cause = cause_of_refusal(daemon, daemon.count(REFUSED_LINE) + 1)
        assert cause.startswith("authentication as ") and cause.endswith(
            f"; token_command: {provider.command}: cannot be run: No such file or directory")


def with_a_hanging_peer(tmp_path, provider, mark):
    """mx03 is reached by a relay of its own, whose command hangs with a grandchild."""
    command = script(tmp_path, "trap '' TERM\nsetsid sh -c 'sleep 1000; :' x $1 &\nsleep 1000", "hangs")
    relay = {"host": "127.0.0.1", "port": 9, "tls": "none", "user": "u",
             "oauth": {"token_command": [str(command), mark]}}
    office = provider.office()
    peers = [{"name": "mx01", "address": "probe@mx01.example", "collect": "local"},
             {"name": "mx03", "address": "probe@mx03.example", "collect": "local", "relay": relay}]
    return office, Daemon(tmp_path, office, peers=peers, **provider.settings(office)), command


def test_a_command_that_hangs_harms_its_own_probes_only(tmp_path):
    mark = f"mark-{os.getpid()}-daemon"
    office, daemon, command = with_a_hanging_peer(tmp_path, Provider(tmp_path), mark)
    with office, daemon:
        wait_for(lambda: len(running(mark)) >= 2, 10, "the command")
        began, slowest = time.monotonic(), 0.0
        while daemon.count(r"probe REFUSED path=mx02->mx03 .*") == 0:
            asked = time.monotonic()
            daemon.api("status")
            slowest = max(slowest, time.monotonic() - asked)
            assert asked < began + 30
            time.sleep(0.05)
        assert cause_of_refusal(daemon) == f"token_command: {command}: has not ended in time"
        good = daemon.count(r"probe ACCEPTED path=mx02->mx01 .*")
        print(f"meanwhile {good} probes to another peer, the slowest answer {slowest * 1e3:.0f} ms")
        assert good >= 12 and daemon.count(r"probe REFUSED path=mx02->mx01 .*") == 0 and slowest < 1
        assert len(running(mark)) <= 3  # one command at a time, all its probes wait for it
    assert not running(mark)


@pytest.mark.parametrize("how", ["end", "kill"])
def test_the_command_ends_with_the_agent(tmp_path, how):
    mark = f"mark-{os.getpid()}-{how}"
    office, daemon, _ = with_a_hanging_peer(tmp_path, Provider(tmp_path), mark)
    with office:
        daemon.start()
        wait_for(lambda: len(running(mark)) >= 2, 10, "the command")
        if how == "end":
            assert daemon.stop(seconds=10.0) == 0, daemon.said
        else:
            daemon.process.kill()
            daemon.process.wait()
            daemon.errors.close()
        wait_for(lambda: not running(mark), 3, "the end of the command")
        daemon.syslog.close()


def test_a_file_that_is_renewed_as_the_token_is_refused(tmp_path):
    """Read once more, the probe goes out with it; the mailbox likewise."""
    provider = Provider(tmp_path)
    provider.oauth = {"token_file": str(tmp_path / "token")}
    (tmp_path / "issued").write_text(f"1 0\n2 {time.time()}\n")
    provider.life = 3600
    renewed = []

    def hear(service, response, heard=provider.hear):
        good = heard(service, response)
        if not good and not renewed:
            renewed.append(service)
            (tmp_path / "token").write_bytes(b"token-2\n")
        return good

    provider.hear = hear
    with provider.office() as office:
        daemon = Daemon(tmp_path, office, **provider.settings(office))
        daemon.write_secret("token", b"token-1\n")
        with daemon:
            daemon.wait(r"mailbox UP .*")
            daemon.wait(ACCEPTED, count=3, seconds=30)
            for failure in FAILURES:
                assert daemon.count(failure) == 0, daemon.found(failure)
            assert provider.refusals("smtp") + provider.refusals("imap") >= 1
            assert no_token_is_told(daemon)


def mistakes(tmp_path):
    text = tmp_path / "text"
    text.write_text("no program")
    return [
        ({"token_command": ["provider-token"]}, "'provider-token' is not the absolute path of a program"),
        ({"token_command": [str(tmp_path / "none")]}, "none: No such file or directory"),
        ({"token_command": [str(text)]}, "text: Permission denied"),
        ({"token_command": [str(tmp_path)]}, "is not a regular file"),
        ({"token_command": "/bin/true"}, "token_command: must be a list"),
        ({"token_command": ["/bin/true"] * 17}, "17 members are more than 16"),
        ({"token_command": ["/bin/true", "x" * 129]}, "is longer than 128 bytes"),
        ({"token_command": ["/bin/true", "a\x01b"]}, "has a control character"),
        ({"token_command": ["/bin/true"], "token_file": "/t"}, "there is a token_file as well"),
    ]


@pytest.mark.parametrize("number", range(9))
def test_a_mistake_is_told_where_it_stands(tmp_path, number):
    oauth, reason = mistakes(tmp_path)[number]
    daemon = Daemon(tmp_path, relay={"user": "u", "oauth": oauth})
    result = ctl("--config", daemon.config, "check")
    [line] = [line for line in (result.out + result.err).splitlines() if reason in line][:1] or [None]
    assert result.code == 1 and re.match(re.escape(str(daemon.config)) + r":\d+:\d+: ", line), result
    daemon.syslog.close()


def test_check_live_runs_it(tmp_path):
    provider = Provider(tmp_path)
    with provider.office() as office:
        daemon = Daemon(tmp_path, office, peers=(), **provider.settings(office))
        result = ctl("--config", daemon.config, "check", "--live", *PROBERS)
        assert result.code == 0, result
        assert [service for service, _, _ in provider.heard] == ["imap", "smtp"]
        assert len(provider.issued) == 2
        provider.print("echo 'consent is needed' >&2; exit 2")
        result = ctl("--config", daemon.config, "check", "--live", *PROBERS)
        told = f"token_command: {provider.command}: ended with status 2: consent is needed"
        assert result.code == 1 and (result.out + result.err).count(told) == 2, result
        daemon.syslog.close()
