"""The lab itself: its mail servers behave like real ones, its cables like real cables."""

import imaplib
import smtplib
import socket
import ssl
import time

import pytest

MESSAGE = "Subject: {subject}\r\n\r\nA message of the lab's own tests.\r\n"


@pytest.fixture(scope="module")
def lab(make_lab):
    return make_lab(2)


@pytest.fixture(autouse=True)
def healed(lab):
    """One test's failure must not become that of the next."""
    yield
    lab.heal()


@pytest.fixture
def mx01(lab):
    return lab["mx01"]


@pytest.fixture
def mx02(lab):
    return lab["mx02"]


def trust(lab):
    return ssl.create_default_context(cafile=str(lab.authority))


def send(source, target, subject):
    source.send(source.users[1], target.users[0], MESSAGE.format(subject=subject))


def subjects(host, user="probe"):
    """The subjects in a mailbox."""
    texts = (file.read_text() for file in host.mail(user))
    lines = (line for text in texts for line in text.splitlines())
    return {line[9:] for line in lines if line.startswith("Subject: ")}


def arrives(host, subject, seconds=10.0, user="probe"):
    host.wait_for(lambda: subject in subjects(host, user), seconds, f"{subject} at {host.name}")


def connect_error(source, target, port=25, seconds=1.0):
    """What goes wrong when source connects to target; None when nothing does."""
    with source.inside():
        try:
            socket.create_connection((target.address, port), timeout=seconds).close()
        except OSError as problem:
            return type(problem)
    return None


def test_mail_travels_both_ways(mx01, mx02):
    send(mx01, mx02, "there")
    send(mx02, mx01, "back")
    arrives(mx02, "there")
    arrives(mx01, "back")
    mx01.wait_for(lambda: mx01.queue() == [], 5.0, "empty queue")


def test_unknown_user_is_rejected(mx01, mx02):
    with mx01.inside(), smtplib.SMTP(mx02.address, 25, "mx01.example", 5) as session:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            session.sendmail("probe@mx01.example", ["nobody@mx02.example"], "Subject: x\r\n\r\n")
    assert refused.value.recipients["nobody@mx02.example"][0] == 550


def test_strangers_cannot_relay(mx01, mx02):
    with mx01.inside(), smtplib.SMTP(mx02.address, 25, "mx01.example", 5) as session:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            session.sendmail("probe@mx01.example", ["probe@mx01.example"], "Subject: x\r\n\r\n")


def test_port_25_offers_verified_starttls(lab, mx01, mx02):
    with mx01.inside(), smtplib.SMTP(mx02.address, 25, "mx01.example", 5) as session:
        assert session.starttls(context=trust(lab))[0] == 220


def test_hosts_deliver_to_each_other_over_tls(mx01, mx02):
    send(mx01, mx02, "encrypted")
    arrives(mx02, "encrypted")
    texts = (file.read_text() for file in mx02.mail("probe"))
    assert "with ESMTPS" in next(text for text in texts if "Subject: encrypted" in text)


def test_submission_needs_tls_and_authentication(lab, mx01):
    with smtplib.SMTP(mx01.address, 587, "tester", 5) as session:
        session.ehlo()
        assert not session.has_extn("auth")
        assert session.mail("probe@mx01.example")[0] == 530
        session.starttls(context=trust(lab))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            session.sendmail("probe@mx01.example", ["probe@mx02.example"], "Subject: x\r\n\r\n")


def test_submission_with_authentication_delivers(lab, mx01, mx02):
    user = "someone@mx01.example"
    with smtplib.SMTP(mx01.address, 587, "tester", 5) as session:
        session.starttls(context=trust(lab))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            session.login(user, "wrong")
        session.login(user, mx01.password(user))
        session.sendmail(user, ["probe@mx02.example"], MESSAGE.format(subject="submitted"))
    arrives(mx02, "submitted")


@pytest.mark.parametrize("port", [143, 993])
def test_imap_with_verified_certificate(lab, mx01, mx02, port):
    send(mx01, mx02, f"for {port}")
    arrives(mx02, f"for {port}")
    if port == 993:
        session = imaplib.IMAP4_SSL(mx02.address, port, ssl_context=trust(lab), timeout=5)
    else:
        session = imaplib.IMAP4(mx02.address, port, timeout=5)
        session.starttls(trust(lab))
    with session:
        session.login("probe@mx02.example", mx02.password("probe"))
        session.select()
        assert session.search(None, "SUBJECT", f'"for {port}"')[1] != [b""]


def test_certificate_names_the_host(lab, mx02):
    with socket.create_connection((mx02.address, 993), timeout=5) as connection:
        with trust(lab).wrap_socket(connection, server_hostname="mx02.example") as secured:
            names = dict(secured.getpeercert())["subjectAltName"]
    assert set(names) == {("DNS", "mx02.example"), ("IP Address", mx02.address)}


def test_imap_takes_plain_passwords_only_from_the_host_itself(mx02):
    with imaplib.IMAP4(mx02.address, 143, timeout=5) as session:
        with pytest.raises(imaplib.IMAP4.error):
            session.login("probe@mx02.example", mx02.password("probe"))
    with mx02.inside(), imaplib.IMAP4("127.0.0.1", 143, timeout=5) as session:
        session.login("probe@mx02.example", mx02.password("probe"))


def test_stopped_smtp_queues_and_later_delivers(mx01, mx02):
    mx02.stop("smtp")
    assert connect_error(mx01, mx02) is ConnectionRefusedError
    send(mx01, mx02, "queued")
    mx01.wait_for(lambda: [m for m in mx01.queue() if m["queue_name"] == "deferred"], 5.0)
    mx02.start("smtp")
    arrives(mx02, "queued", 4.0)
    mx01.wait_for(lambda: mx01.queue() == [], 3.0, "empty queue")


def test_stopped_imap_is_blind_but_takes_mail(mx01, mx02):
    session = imaplib.IMAP4(mx02.address, 143, timeout=5)
    session.starttls(trust(mx02.lab))
    session.login("probe@mx02.example", mx02.password("probe"))
    mx02.stop("imap")
    with pytest.raises(imaplib.IMAP4.abort):
        session.noop()
    session.shutdown()
    assert connect_error(mx01, mx02, 143) is ConnectionRefusedError
    send(mx01, mx02, "unseen")
    arrives(mx02, "unseen")
    mx02.start("imap")
    assert mx02.is_running("imap")


def test_stop_all_and_start_in_pieces(mx01, mx02):
    mx02.stop("all")
    assert {connect_error(mx01, mx02, port) for port in (25, 143)} == {ConnectionRefusedError}
    mx02.start("smtp")
    send(mx01, mx02, "waits for dovecot")
    mx02.wait_for(mx02.queue, 5.0, "message that waits for Dovecot")
    mx02.start("imap")
    arrives(mx02, "waits for dovecot", 10.0)


def test_cut_is_silent_and_join_heals(lab, mx01, mx02):
    lab.cut("mx01", "mx02")
    assert lab.cuts() == [("mx02", "mx01"), ("mx01", "mx02")]
    assert connect_error(mx01, mx02) is TimeoutError
    assert connect_error(mx02, mx01) is TimeoutError
    send(mx01, mx02, "behind the cut")
    mx01.wait_for(lambda: "timed out" in mx01.queue_text(), 6.0, "connection to time out")
    lab.join("mx01", "mx02")
    assert lab.cuts() == []
    arrives(mx02, "behind the cut", 8.0)


def test_oneway_cut_drops_one_direction(lab, mx01, mx02):
    lab.cut("mx01", "mx02", oneway=True)
    assert not datagram_passes(mx01, mx02)
    assert datagram_passes(mx02, mx01)


def datagram_passes(source, target):
    with target.inside():
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind((target.address, 0))
    with source.inside():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver, sender:
        receiver.settimeout(0.5)
        sender.sendto(b"x", receiver.getsockname())
        try:
            return receiver.recv(10) == b"x"
        except TimeoutError:
            return False


def test_power_cut_keeps_mail_and_queue(lab, mx01, mx02):
    mx02.stop("imap")
    lab.cut("mx01", "mx02", oneway=True)
    send(mx02, mx01, "survives in the queue")
    mx02.wait_for(mx02.queue, 5.0)
    mx02.power_off()
    assert mx02.pid is None and lab.is_up
    mx02.power_on()
    mx02.start()
    assert lab.cuts() == [("mx01", "mx02")]
    lab.join("mx01", "mx02")
    arrives(mx01, "survives in the queue")


def test_names_are_the_hosts_own(mx01):
    assert mx01.run("hostname").stdout == "mx01\n"
    assert mx01.address in mx01.run("getent", "hosts", "mx01.example").stdout
    begun = time.monotonic()
    assert mx01.run("getent", "hosts", "elsewhere.example", check=False).returncode == 2
    assert time.monotonic() - begun < 1.0


def test_syslog_takes_bursts_line_by_line(mx01):
    before = len(mx01.syslog())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for number in range(200):
            sender.sendto(f"<22>mailflowd: line {number}\nsecond\n".encode(), mx01.syslog_socket)
    lines = mx01.wait_for(lambda: mx01.syslog()[before + 199 :] and mx01.syslog()[before:], 5.0)
    assert len(lines) == 200
    assert lines[0].endswith(" <22>mailflowd: line 0\\nsecond")
    assert lines[0][10] == "T" and lines[0].partition(" ")[0].endswith("Z")
