"""mailflowd and its probers: missing, broken, killed, hanging; and what they get to know."""

import base64
import json
import os
import pathlib
import shutil
import signal
import time

import pytest

import smtp_server
from ctl import ctl
from daemon import BUILD, PASSWORD, Daemon, PostOffice, wait_for

ARRIVED = r"probe ARRIVED path=mx02->mx01 .*"
ACCEPTED = r"probe ACCEPTED path=mx02->mx01 .*"
REFUSED = r"probe REFUSED path=mx02->mx01 probe=(\S+) .*"


def cause_of(daemon, priority_and_match):
    """Why a probe of which syslog tells did not go out, by the ledger."""
    probe = priority_and_match[1][1]
    return daemon.api(f"probes/{probe}")["error_cause"]


# ---- programs that cannot be started ----


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (pathlib.Path.unlink, "no such file or directory"),
        (lambda program: program.chmod(0o644), "permission denied"),
    ],
    ids=["missing", "not executable"],
)
def test_probers_that_cannot_be_started_are_named(tmp_path, office, spoil, why):
    probers = tmp_path / "probers"
    probers.mkdir()
    for name in ("mailflow-submit", "mailflow-collect"):
        shutil.copy(BUILD / "probes" / name, probers)
        spoil(probers / name)
    with Daemon(tmp_path, office).start(probers=probers) as daemon:
        priority, _ = daemon.wait(
            rf'mailbox DOWN mailbox=local cause="cannot start {probers}/mailflow-collect: {why}"'
        )
        assert priority == "warning"
        refused = daemon.wait(REFUSED)
        assert cause_of(daemon, refused) == f"cannot start {probers}/mailflow-submit: {why}"
        priority, _ = daemon.wait(
            rf'blind FIRING .* cause="cannot start {probers}/mailflow-collect: {why}"'
        )
        assert priority == "crit"


# ---- programs that die ----


def test_a_submit_prober_killed_in_mid_job_is_an_outcome_and_no_outage(tmp_path):
    with PostOffice(greeting=[smtp_server.hang()]) as office, Daemon(tmp_path, office) as daemon:
        wait_for(lambda: office.smtp.sessions, 10, "a session")
        os.kill(daemon.prober("mailflow-submit"), signal.SIGKILL)
        priority, _ = daemon.wait(
            r'prober DIED program=mailflow-submit how="killed by signal 9 \(Killed\)"'
        )
        assert priority == "err"
        refused = daemon.wait(REFUSED)
        assert cause_of(daemon, refused) == "mailflow-submit killed by signal 9 (Killed)"
        office.smtp.script.pop("greeting")
        daemon.wait(ACCEPTED, count=2)
        assert daemon.count(".* FIRING .*") == 0


def test_a_submit_prober_killed_after_the_content_leaves_the_fate_open(tmp_path):
    with PostOffice() as office, Daemon(tmp_path, office) as daemon:
        daemon.wait(ACCEPTED)
        office.smtp.script["content"] = [smtp_server.hang()]
        taken = office.taken
        wait_for(lambda: office.taken > taken, 10, "content")
        os.kill(daemon.prober("mailflow-submit"), signal.SIGKILL)
        _, match = daemon.wait(r"probe UNCERTAIN path=mx02->mx01 probe=(\S+) .*")
        probe = match[1]
        late = next(content for content in office.contents if probe.encode() in content)
        office.put(late.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        daemon.wait(rf"probe ARRIVED path=mx02->mx01 probe={probe} .*")


def test_a_collect_prober_that_is_killed_is_replaced(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED)
        os.kill(daemon.prober("mailflow-collect"), signal.SIGKILL)
        daemon.wait(
            r'mailbox DOWN mailbox=local cause="mailflow-collect killed by signal 9 \(Killed\)"'
        )
        daemon.wait("mailbox UP mailbox=local", count=2)
        arrived = daemon.count(ARRIVED)
        daemon.wait(ARRIVED, count=arrived + 2)
        assert daemon.count(".* FIRING .*") == 0
        assert set(daemon.states()) <= {"arrived", "accepted", "sending"}


# ---- a backlog ----


def mails(session):
    return sum(command.startswith("MAIL") for command in session.commands)


def test_a_backlog_shares_sessions(tmp_path):
    peers = [f"mx{number}" for number in range(10, 22)]
    slow = [smtp_server.wait(0.5), smtp_server.reply("220 server.test ESMTP")]
    with PostOffice(greeting=slow) as office, Daemon(tmp_path, office, peers) as daemon:
        daemon.wait(r"probe ACCEPTED .*", count=2 * len(peers))
        assert max(mails(session) for session in office.smtp.sessions) >= 3
        assert daemon.count("probe (REFUSED|UNCERTAIN) .*") == 0


def test_jobs_behind_one_whose_prober_dies_go_to_another(tmp_path):
    """Three wait in one process; who has not begun is not lost with it, nor blamed."""
    peers = [f"mx{number}" for number in range(10, 13)]
    with PostOffice(greeting=[smtp_server.hang()]) as office, \
            Daemon(tmp_path, office, peers) as daemon:
        wait_for(lambda: office.smtp.sessions, 10, "a session")
        wait_for(lambda: sum(daemon.states().values()) >= 3, 10, "all under way")
        office.smtp.script.pop("greeting")
        os.kill(daemon.prober("mailflow-submit"), signal.SIGKILL)
        daemon.wait(r"probe ACCEPTED .*", count=len(peers))
        assert daemon.count(r"probe REFUSED .*") == 1
        assert daemon.count("prober DIED .*") == 1


# ---- the end ----


def test_the_end_comes_at_once_and_leaves_nobody_behind(tmp_path):
    with PostOffice(greeting=[smtp_server.hang()]) as office, Daemon(tmp_path, office) as daemon:
        wait_for(lambda: office.smtp.sessions, 10, "a session")
        daemon.wait("mailbox UP mailbox=local")
        children = daemon.children()
        assert len(children) >= 2
        begun = time.monotonic()
        assert daemon.stop(seconds=2) == 0
        print(f"ended in {time.monotonic() - begun:.3f} s with {len(children)} probers at work")
        wait_for(lambda: not any(map(is_running, children)), 1, "end of the probers")
        assert daemon.syslog.lines[-1] == ("notice", "agent STOPPED")


def test_probers_die_with_an_agent_that_is_killed(tmp_path):
    with PostOffice(greeting=[smtp_server.hang()]) as office, Daemon(tmp_path, office) as daemon:
        wait_for(lambda: office.smtp.sessions, 10, "a session")
        children = daemon.children()
        daemon.stop(signal.SIGKILL)
        wait_for(lambda: not any(map(is_running, children)), 2, "end of the probers")


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# ---- what goes where ----


def test_secrets_are_seen_by_nobody(tmp_path, office):
    with Daemon(tmp_path, office) as daemon:
        daemon.wait(ARRIVED, count=2)
        seen = [daemon.said, str(daemon.syslog.lines)]
        for pid in (daemon.pid, *daemon.children()):
            for name in ("cmdline", "environ"):
                seen.append(pathlib.Path(f"/proc/{pid}/{name}").read_bytes().decode())
        for path in ("/", "/metrics", *(f"/api/v1/{name}" for name in API)):
            status, text = daemon.request("GET", path)
            assert status == 200
            seen.append(text)
        for secret in (PASSWORD, daemon.key.secret.decode()):
            assert not [text for text in seen if secret in text]


API = ("version", "status", "paths", "probes", "incidents", "maintenance")


def test_the_environment_of_probers_is_closed(tmp_path, office):
    with Daemon(tmp_path, office).start(MAILFLOW_TEST_SECRET="do not tell") as daemon:
        daemon.wait(ARRIVED)
        for pid in daemon.children():
            variables = pathlib.Path(f"/proc/{pid}/environ").read_bytes().rstrip(b"\0").split(b"\0")
            assert variables == [b"PATH=/usr/bin:/bin", b"LC_ALL=C.UTF-8",
                                 b"GNUTLS_NO_IMPLICIT_INIT=1"]


def test_five_hundred_probes_leave_no_descriptor_open(tmp_path, office):
    peers = [f"peer{number}" for number in range(50)]
    with Daemon(tmp_path, office, peers=peers) as daemon:
        daemon.wait("probe ARRIVED .*", count=100, seconds=20)
        before = own_descriptors(daemon)
        daemon.wait("probe ARRIVED .*", count=600, seconds=40)
        wait_for(lambda: own_descriptors(daemon) <= before, 5, f"{before} descriptors")
        print(f"descriptors of the agent after 100 probes: {before}; after 600 as many")


def own_descriptors(daemon):
    """Without the two by which it speaks with each prober, of which there are more or less."""
    return len(os.listdir(f"/proc/{daemon.pid}/fd")) - 2 * len(daemon.children())


# ---- what was said ----


def test_a_refusal_is_kept_word_for_word_without_its_secrets(tmp_path):
    blob = base64.b64encode(b"\0probe\0" + PASSWORD.encode()).decode()
    told = f"535 5.7.8 AUTH PLAIN {blob}, that is {PASSWORD}, is wrong"
    with PostOffice(auth=[smtp_server.reply(told)]) as office:
        office.smtp.ehlo = smtp_server.EHLO.replace("250-DSN", "250-DSN\n250-AUTH PLAIN")
        relay = {"user": "probe", "password_file": str(tmp_path / "password")}
        with Daemon(tmp_path, office, relay=relay) as daemon:
            _, match = daemon.wait(REFUSED)
            answer = daemon.api(f"probes/{match[1]}")
            lines = [(line["from"], line["text"]) for line in answer["transcript"]]
            times = [line["at_seconds"] for line in answer["transcript"]]
            explained = ctl("--config", daemon.config, "explain", match[1])
            metrics = daemon.request("GET", "/metrics")
    assert lines[0] == ("note", f"connected to 127.0.0.1 port {office.smtp.port}")
    assert lines[-2:] == [
        ("client", "AUTH PLAIN ***"),
        ("server", "535 5.7.8 AUTH PLAIN ***, that is ***, is wrong"),
    ]
    assert times == sorted(times) and 0 <= times[0] and times[-1] < 5
    assert "S: 535 5.7.8 AUTH PLAIN ***, that is ***, is wrong" in explained.out
    said = [text for _, text in daemon.syslog.lines]
    for secret in (blob, PASSWORD):
        assert secret not in json.dumps(answer) + explained.out + explained.err
        assert secret not in "\n".join(said) + str(metrics)
        for file in daemon.state.iterdir():
            assert secret.encode() not in file.read_bytes(), file
