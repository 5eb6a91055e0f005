"""mailflowd and the certificates of those it speaks TLS with: seen, said in time, and only once."""

import pytest

import smtp_server
from ctl import ctl
from daemon import BUILD, Daemon, PostOffice

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"
FIRING = r"certificate FIRING severity=warning server=mx02 days_left=(\S+) .*cause=\"(.*)\""


@pytest.fixture(name="office")
def fixture_office(certificates):
    """Its SMTP server speaks TLS, for ten more days."""
    with PostOffice() as office:
        office.smtp.ehlo = smtp_server.EHLO.replace("250-DSN", "250-DSN\n250-STARTTLS")
        office.smtp.certificate = certificates.issue("ten", "localhost", NAMES, days=10)
        office.renew = lambda days=90: setattr(
            office.smtp, "certificate", certificates.issue(f"for{days}", "localhost", NAMES, days))
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


def test_what_is_not_trusted_is_not_escaped_from(tmp_path, office, certificates):
    """Names in a certificate are a stranger's words."""
    name = "subjectAltName=DNS:localhost"
    office.smtp.certificate = certificates.issue("odd", 'a"b\\\\c\x1b[31m', name, days=10)
    with Daemon(tmp_path, office, relay=secure(office, certificates)) as daemon:
        daemon.wait(FIRING)
        [seen] = daemon.api("status")["certificates"]
        assert seen["subject"] == "localhost"


def test_check_live_tells_how_long_they_are_good(tmp_path, office, certificates):
    daemon = Daemon(tmp_path, office, relay=secure(office, certificates))
    result = ctl("--config", daemon.config, "check", "--live", "--probers", BUILD / "probes")
    assert "certificate for 9 d 23 h" in result.out
    daemon.syslog.close()
