"""A private Dovecot on a loopback port; needs root, as its master process does."""

import contextlib
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "lab"))
import certificates  # noqa: E402

USER = "nobody"
READY_SECONDS = 10.0
CONFIG = """\
base_dir = {home}/run
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{tls}/server.pem
ssl_key = <{tls}/server.key
mail_location = maildir:{home}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
mail_fsync = never
disable_plaintext_auth = no
default_login_user = dovenull
default_internal_user = dovecot
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
  chroot =
  process_min_avail = 1
}}
"""


def is_available():
    return os.geteuid() == 0 and shutil.which("dovecot") is not None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Dovecot:
    """The server, for any user with the password "secret"."""

    def __init__(self, home, tls, more=""):
        self.home = pathlib.Path(home)
        self.port, self.tls_port = free_port(), free_port()
        self.process = None
        user = pwd.getpwnam(USER)
        self.owner = (user.pw_uid, user.pw_gid)
        self.config = self.home / "dovecot.conf"
        self.config.write_text(
            CONFIG.format(
                home=self.home,
                tls=tls,
                user=user.pw_uid,
                group=user.pw_gid,
                port=self.port,
                tls_port=self.tls_port,
            )
            + more
        )

    def start(self):
        self.process = subprocess.Popen(
            ["dovecot", "-F", "-c", self.config], start_new_session=True
        )
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                    if connection.recv(100).startswith(b"* OK"):
                        return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("dovecot does not start: " + self.log())

    def stop(self):
        # The whole group: left alone, those that serve a client take ten seconds to go.
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(READY_SECONDS)

    def log(self):
        path = self.home / "dovecot.log"
        return path.read_text() if path.exists() else ""


@contextlib.contextmanager
def home():
    """A folder for a server, with its certificate, and that of the authority: (folder, authority).

    Not below pytest's own directory, which it closes to the user whose mail this is.
    """
    place = pathlib.Path(tempfile.mkdtemp(prefix="mailflow-dovecot-"))
    try:
        place.chmod(0o755)
        authority = certificates.make_authority(place / "authority")
        certificates.issue(authority, place / "tls", "localhost", "127.0.0.1")
        yield place, authority
    finally:
        shutil.rmtree(place)


@contextlib.contextmanager
def running():
    """A server, for as long as the context lasts."""
    with home() as (place, _):
        server = Dovecot(place, place / "tls")
        server.start()
        yield server
        server.stop()


class Maildir:
    """One user's mail, changed behind the server's back."""

    numbers = itertools.count(1)

    def __init__(self, server, user):
        self.owner = server.owner
        self.place = server.home / "mail" / user
        for folder in ("", ".Junk"):
            for part in ("cur", "new", "tmp"):
                (self.place / folder / part).mkdir(parents=True)
        for path in [self.place, *self.place.rglob("*")]:
            os.chown(path, *self.owner)

    def folder(self, name):
        return self.place if name == "INBOX" else self.place / f".{name}"

    def deliver(self, message, folder="INBOX"):
        """Puts a message there as a delivery agent does. When it appeared, as two times of the
        boot-time clock in nanoseconds, and its name."""
        name = f"{time.time_ns()}.M{next(self.numbers)}P{os.getpid()}.test"
        draft = self.folder(folder) / "tmp" / name
        draft.write_bytes(message)
        os.chown(draft, *self.owner)
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        os.rename(draft, self.folder(folder) / "new" / name)
        return before, time.clock_gettime_ns(time.CLOCK_BOOTTIME), name

    def files(self, folder="INBOX"):
        """Flags and contents by name, wherever in the folder they are."""
        found = {}
        for part in ("cur", "new"):
            for path in (self.folder(folder) / part).iterdir():
                name, _, flags = path.name.partition(":2,")
                with contextlib.suppress(FileNotFoundError):
                    found[name] = (flags, path.read_bytes())
        return found
