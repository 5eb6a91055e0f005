"""A private Dovecot on a loopback port, with one Maildir; needs root, as Dovecot's master does."""

import itertools
import os
import pathlib
import pwd
import shutil
import socket
import ssl
import subprocess
import time

USER = "nobody"
READY_SECONDS = 10.0
CONFIG = """\
base_dir = {home}/run
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{tls}/server.pem
ssl_key = <{tls}/server.key
ssl_dh =
mail_location = maildir:{home}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
mail_fsync = never
disable_plaintext_auth = no
default_login_user = {login}
default_internal_user = {internal}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail
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
service stats {{
  client_limit = 100
}}
"""


def is_available():
    return os.geteuid() == 0 and shutil.which("dovecot") is not None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Dovecot:
    def __init__(self, home, tls):
        self.home = pathlib.Path(home)
        self.mail = self.home / "mail"
        self.port, self.tls_port = free_port(), free_port()
        self.numbers = itertools.count(1)
        self.process = None
        user = pwd.getpwnam(USER)
        for folder in ("", ".Junk"):
            for part in ("cur", "new", "tmp"):
                (self.mail / folder / part).mkdir(parents=True, exist_ok=True)
        for path in [self.mail, *self.mail.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid)
        self.owner = (user.pw_uid, user.pw_gid)
        self.config = self.home / "dovecot.conf"
        self.config.write_text(
            CONFIG.format(
                home=self.home,
                tls=tls,
                ssl="yes",
                user=user.pw_uid,
                group=user.pw_gid,
                login="dovenull",
                internal="dovecot",
                port=self.port,
                tls_port=self.tls_port,
            )
        )

    def start(self):
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.config])
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                    if connection.recv(100).startswith(b"* OK"):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError("dovecot does not start: " + self.log())

    def stop(self):
        self.process.terminate()
        self.process.wait(READY_SECONDS)

    def log(self):
        path = self.home / "dovecot.log"
        return path.read_text() if path.exists() else ""

    def path_of(self, folder):
        return self.mail if folder == "INBOX" else self.mail / f".{folder}"

    def deliver(self, message, folder="INBOX"):
        """Puts a message into the Maildir as a delivery agent does; the time just before and just
        after it appeared, in seconds of the boot-time clock, and its path."""
        place = self.path_of(folder)
        name = f"{time.time_ns()}.M{next(self.numbers)}P{os.getpid()}.test"
        draft, final = place / "tmp" / name, place / "new" / name
        draft.write_bytes(message)
        os.chown(draft, *self.owner)
        before = time.clock_gettime(time.CLOCK_BOOTTIME)
        os.rename(draft, final)
        return before, time.clock_gettime(time.CLOCK_BOOTTIME), final

    def files(self, folder="INBOX"):
        """Contents by base name, wherever in the folder the files are."""
        place = self.path_of(folder)
        return {
            path.name.split(":")[0]: (path.name, path.read_bytes())
            for part in ("cur", "new")
            for path in (place / part).iterdir()
        }
