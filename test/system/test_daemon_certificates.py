"""mailflowd and the certificates of those it speaks TLS with: seen, said in time, and only once."""

import pytest

import http_server
import smtp_server
from ctl import ctl
from daemon import BUILD, Daemon, PostOffice

FIRING = r"certificate FIRING severity=warning server=mx02 days_left=(\S+) .*cause=\"(.*)\""


@pytest.fixture(name="office")
def fixture_office(certificates):
    """Its SMTP server speaks TLS, for ten more days."""
    with PostOffice() as office:
        office.smtp.ehlo = smtp_server.EHLO.replace("250-DSN", "250-DSN\n250-STARTTLS")
        office.smtp.certificate = certificates.issue("ten", "localhost", days=10)
        office.renew = lambda days=90: setattr(
            office.smtp, "certificate", certificates.issue(f"for{days}", "localhost", days=days))
        yield office


def secure(office, certificates, **more):
    return {"host": "localhost", "port": office.smtp.port, "tls": "starttls",
            "ca_file": certificates.ca_file} | more


def names(certificate):
    return [certificate[name] for name in ("place", "name", "server", "state", "verified")]


def test_one_that_expires_soon_is_said_and_replaced(tmp_path, office, certificates):
    with Daemon(tmp_path, office, relay=secure(office, certificates)) as daemon:
        _, match = daemon.wait(FIRING)
        assert match[1] in ("9.9", "10.0")
        assert match[2] == f"relay localhost:{office.smtp.port}: certificate expires in 9 days"
        [seen] = daemon.api("status")["certificates"]
        assert names(seen) == ["relay", "mx02", "mx02", "expiring", True]
        assert (seen["subject"], seen["issuer"]) == ("localhost", "Test Authority")
        assert daemon.metric("certificate_verified", place="relay", name="mx02") == 1
        status = ctl("--config", daemon.config, "status")
        assert "CERTIFICATE OF" in status.out and "expires soon" in status.out
        office.renew()
        priority, _ = daemon.wait(r"certificate RESOLVED severity=warning server=mx02 .*")
        assert priority == "notice"
        assert daemon.api("status")["certificates"][0]["state"] == "good"
        assert "CERTIFICATE OF" not in ctl("--config", daemon.config, "status").out
        assert daemon.count(r"certificate FIRING .*") == 1
        assert daemon.metric("incident_active", kind="certificate", subject="mx02") == 0


def test_how_soon_is_configured(tmp_path, office, certificates):
    incidents = {"certificate_expires": "9d"}
    with Daemon(tmp_path, office, relay=secure(office, certificates), incidents=incidents) as daemon:
        daemon.wait(r"probe ACCEPTED .*", count=2)
        assert daemon.api("status")["certificates"][0]["state"] == "good"
        office.renew(8)
        daemon.wait(FIRING)


@pytest.mark.parametrize("kind, reason", [
    ("expired", "certificate is not trusted: certificate has expired"),
    ("wrong_name", "certificate of localhost does not match: it is for other.example"),
    ("self_signed", "certificate is not trusted: self-signed certificate"),
])
def test_one_that_does_not_verify_is_one_notification(tmp_path, office, certificates, kind, reason):
    office.smtp.certificate = getattr(certificates, kind)
    incidents = {"isolated_after": "2s"}
    with Daemon(tmp_path, office, relay=secure(office, certificates), incidents=incidents) as daemon:
        _, match = daemon.wait(r".* FIRING .*")
        assert match[0].startswith("isolated FIRING ") and reason in match[0]
        [seen] = daemon.api("status")["certificates"]
        assert names(seen) == ["relay", "mx02", "mx02", "refused", False]
        assert seen["reason"].startswith(reason)
        assert daemon.metric("certificate_verified", place="relay", name="mx02") == 0
        office.renew()
        daemon.wait(r"isolated RESOLVED .*")
        assert daemon.count(r"certificate (FIRING|RESOLVED) .*") == 0


def test_names_are_a_strangers_words(tmp_path, office, certificates):
    """Neither log nor API nor terminal has more of them than plain letters."""
    name = 'a"b\\\\c\x1b[31m'  # where openssl takes two backslashes for one
    office.smtp.certificate = certificates.sign_self("odd", name, "basicConstraints=CA:FALSE", 10)
    with Daemon(tmp_path, office, relay=secure(office, certificates),
                incidents={"isolated_after": "2s"}) as daemon:
        daemon.wait(r"isolated FIRING .*")
        [seen] = daemon.api("status")["certificates"]
        assert (seen["subject"], seen["issuer"]) == ("a?b?c?[31m", "a?b?c?[31m")
    office.smtp.certificate = certificates.issue("odd", name, "basicConstraints=CA:FALSE", days=10)
    second = tmp_path / "second"
    second.mkdir()
    with Daemon(second, office, relay=secure(office, certificates),
                incidents={"isolated_after": "2s"}) as daemon:
        _, match = daemon.wait(r"isolated FIRING .*cause=\"(.*)\".*")
        reason = "certificate of localhost does not match: it is for a?b?c?[31m"
        assert reason in match[1]
        [seen] = daemon.api("status")["certificates"]
        assert seen["reason"] == reason
        status = ctl("--config", daemon.config, "status")
        assert reason in status.out and "\x1b" not in status.out


def test_that_of_a_peers_own_relay(tmp_path, office, certificates):
    peer = {"name": "mx01", "address": "probe@mx01.example", "collect": "local",
            "relay": secure(office, certificates)}
    with Daemon(tmp_path, office, peers=[peer]) as daemon:
        priority, match = daemon.wait(FIRING.replace("mx02", "mx01"))
        assert priority == "warning"
        assert match[2] == f"relay localhost:{office.smtp.port}: certificate expires in 9 days"
        [seen] = daemon.api("status")["certificates"]
        assert names(seen) == ["relay", "mx01", "mx01", "expiring", True]
        office.renew()
        daemon.wait(r"certificate RESOLVED severity=warning server=mx01 .*")


def test_that_of_a_peers_agent(tmp_path, office, certificates):
    """Which need not know us for that."""
    shows = certificates.issue("ten", "localhost", days=10)
    refuses = http_server.raw(http_server.answer(404))
    with http_server.Server(refuses, certificate=(shows,)) as agent:
        peer = {"name": "mx01", "address": "probe@mx01.example", "agent": agent.url("localhost")}
        with Daemon(tmp_path, office, peers=[peer],
                    http={"ca_file": certificates.ca_file}) as daemon:
            _, match = daemon.wait(FIRING.replace("mx02", "mx01"))
            assert match[2] == f"agent {agent.url('localhost')}: certificate expires in 9 days"
            [seen] = daemon.api("status")["certificates"]
            assert names(seen) == ["agent", "mx01", "mx01", "expiring", True]
            agent.context.load_cert_chain(certificates.right)
            daemon.wait(r"certificate RESOLVED severity=warning server=mx01 .*", seconds=60)


def test_an_authority_that_ends_first_is_named(tmp_path, office, certificates):
    office.smtp.certificate = certificates.issue_below("below", days=5)
    with Daemon(tmp_path, office, relay=secure(office, certificates)) as daemon:
        _, match = daemon.wait(FIRING)
        assert match[2] == (f"relay localhost:{office.smtp.port}: certificate of its authority "
                            "Middle Authority expires in 4 days")
        [seen] = daemon.api("status")["certificates"]
        assert seen["authority"] == "Middle Authority"


def test_check_live_tells_how_long_they_are_good(tmp_path, office, certificates):
    daemon = Daemon(tmp_path, office, relay=secure(office, certificates))
    result = ctl("--config", daemon.config, "check", "--live", "--probers", BUILD / "probes")
    assert "certificate for 9 d 23 h" in result.out
    daemon.syslog.close()
