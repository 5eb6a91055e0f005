"""A certificate of a real server that is about to expire: said once, and over when it is replaced."""

import certificates
import together
from told import notifications, start, total, wait_for_arrivals, wait_for_line


def show(host, days):
    """The host's servers show a certificate that is good for so long."""
    certificates.issue(host.lab.authority, host.directory / "tls", host.domain, host.address, days)
    host.stop("imap")
    host.start("imap")


@together.on(hosts=2)
def test_a_certificate_that_expires_in_ten_days(mx01, mx02):
    start(mx02, mx01)
    show(mx01, 10)
    start(mx01, mx02)
    priority, match = wait_for_line(mx01, r"certificate FIRING .*server=(\S+) days_left=(\S+) .*")
    assert (priority, match[1]) == ("warning", mx01.name) and match[2] in ("9.9", "10.0")
    assert 'cause="mailbox local: certificate expires in 9 days"' in match[0]
    assert total(mx01, "certificate_verified", place="mailbox", name="local") == 1
    wait_for_arrivals(mx01, mx02)
    show(mx01, 30)
    priority, match = wait_for_line(mx01, r"certificate RESOLVED .*server=(\S+) .*")
    print(match[0])
    assert (priority, match[1]) == ("notice", mx01.name)
    assert notifications(mx01) == [
        ("certificate", "FIRING", mx01.name),
        ("certificate", "RESOLVED", mx01.name),
    ]
    assert total(mx01, "incident_active", kind="certificate", subject=mx01.name) == 0
