"""The names of relay and mailbox turn to other addresses, vanish, and come back, while the agent runs.

In a mount namespace of its own, whose /etc/hosts the test writes anew.
"""

import time

import imap_server
import pytest
import smtp_server
from daemon import PASSWORD, Daemon, PostOffice, wait_for

# Names that are not in the file are asked of nobody.
NAMESPACE = """
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
shift
exec "$@"
"""
UNKNOWN = r".*: (Name or service not known|No address associated with hostname).*"


class Names:
    def __init__(self, home):
        self.file = home / "hosts"
        self.say()
        (home / "nsswitch.conf").write_text("hosts: files\n")
        self.before = ("unshare", "--mount", "sh", "-c", NAMESPACE, "sh", home)

    def say(self, **addresses):
        """Which names there are; in place, for it is mounted elsewhere."""
        lines = [f"{address} {name}.example\n" for name, address in addresses.items()]
        self.file.write_text("".join(lines))


@pytest.fixture(name="names")
def fixture_names(tmp_path):
    return Names(tmp_path)


def test_a_relay_that_turns_vanishes_and_comes_back(tmp_path, names):
    with PostOffice() as office, \
            smtp_server.Server({"content": [office.deliver]}, address="127.0.0.2",
                               port=office.smtp.port) as other:
        daemon = Daemon(tmp_path, office, relay={"host": "relay.example", "insecure": True},
                        incidents={"isolated_after": "3s"})
        names.say(relay="127.0.0.1")
        with daemon.start(before=names.before):
            wait_for(lambda: office.taken >= 2, 10, "probes at the first address")
            names.say(relay="127.0.0.2")
            wait_for(lambda: sum(len(one.contents) for one in list(other.sessions)) >= 2, 10,
                     "probes at the second")
            names.say()
            daemon.wait(r"isolated FIRING .*server=mx02 .*cause=\"relay\.example" + UNKNOWN, 20)
            before = office.taken
            names.say(relay="127.0.0.1")
            daemon.wait(r"isolated RESOLVED .*server=mx02 .*", 20)
            assert office.taken > before
            assert daemon.count("prober DIED .*") == 0


def test_a_mailbox_that_turns_vanishes_and_comes_back(tmp_path, names):
    """Who is connected stays so; a new connection goes where the name leads now."""
    with PostOffice() as office, \
            imap_server.Server(address="127.0.0.2", port=office.imap.port) as other:
        other.password = PASSWORD
        daemon = Daemon(tmp_path, office, mailboxes=[{
            "name": "local", "host": "imap.example", "port": office.imap.port, "tls": "none", "insecure": True,
            "user": "probe@mx02.example", "password_file": str(tmp_path / "password")}])
        names.say(imap="127.0.0.1")
        with daemon.start(before=names.before):
            daemon.wait("mailbox UP .*")
            names.say()
            time.sleep(1)
            assert daemon.count("mailbox DOWN .*") == 0
            for session in office.imap.sessions:
                session.close()
            daemon.wait(r"mailbox DOWN mailbox=local .*imap\.example" + UNKNOWN, 20)
            daemon.wait(r"blind FIRING .*mailbox=local .*imap\.example" + UNKNOWN, 20)
            names.say(imap="127.0.0.2")
            daemon.wait("mailbox UP .*", 60, count=2)
            assert other.sessions
            daemon.wait("blind RESOLVED .*mailbox=local .*", 20)
