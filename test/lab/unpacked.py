"""Mail servers that Debian does not let us install beside Postfix and Dovecot, on a lab host.

test/install unpacks their packages below one directory and installs none of them. A host sees what
is in there where the packages would have put it: its own mounts lay it over /usr and /etc, with the
users the packages would have made. The machine has neither.
"""

import contextlib
import os
import pwd
import shutil
import signal
from pathlib import Path

import process

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(os.environ.get("MAILFLOW_OUTPUT", ROOT / "build")).absolute() / "interop/root"
USERS = ("Debian-exim", "opensmtpd", "opensmtpq", "cyrus", "courier")
FIRST_ID = 64200  # not what adduser hands out


def uid(user):
    """The machine's, where it has this user."""
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return FIRST_ID + USERS.index(user)


def _with_users(table, line):
    """One of /etc's tables of names, and a line for each user who is not in it."""
    text = Path("/etc", table).read_text()
    known = {entry.partition(":")[0] for entry in text.splitlines()}
    return text + "".join(line.format(user, uid(user)) for user in USERS if user not in known)


def see(host):
    """From now on, until its power is cut, the host has these servers."""
    if not PACKAGES.is_dir():
        raise RuntimeError(f"{PACKAGES} is not there: run test/install all")
    etc = host.directory / "etc"
    for name, line in (("passwd", "{0}:x:{1}:{1}::/:/bin/false\n"), ("group", "{0}:x:{1}:\n")):
        (etc / name).write_text(_with_users(name, line))
    for name in ("lib", "spool"):
        (host.directory / "var" / name).mkdir(parents=True, exist_ok=True)
        host.run("mount", "-n", "--bind", host.directory / "var" / name, f"/var/{name}")
    for name, *above in (("/etc", etc, PACKAGES / "etc"), ("/usr", PACKAGES / "usr")):
        lower = ":".join(map(str, (*above, name)))
        host.run("mount", "-n", "-t", "overlay", "-o", f"ro,lowerdir={lower}", "overlay", name)


def own(path, user, mode=0o700):
    """A new directory of this user."""
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, uid(user), uid(user))
    path.chmod(mode)


def lend_key(host, directory, user):
    """A copy of the host's key that this user can read, and the certificate before it."""
    tls = host.directory / "tls"
    pem = directory / "server.pem"
    pem.touch(mode=0o600)
    pem.write_text((tls / "server.pem").read_text() + (tls / "server.key").read_text())
    shutil.chown(pem, uid(user), uid(user))
    return pem


def replace(host, unit, kind):
    """Stop what the host has as `smtp` or `imap`, for good, and start a server of this kind."""
    old = host.servers[unit]
    server = kind(host)
    server.configure()
    see(host)
    if unit == "imap":
        old.stop_all()
    host.stop(unit)
    server.take_over(old)
    host.servers[unit] = server
    host.start(unit)
    return server


def launch(server, *command):
    """Start a server that stays in the foreground, its words going to its log."""
    with open(server.log, "ab") as output:
        options = dict(stdin=process.NULL, stdout=output, stderr=output)
        launcher = process.spawn(server.host.command(*command), **options)
    try:
        process.record(server.pid_file, process.wait_launched(launcher))
    except ProcessLookupError:
        raise RuntimeError(f"{command[0]} ended at once, see {server.log}") from None


def end_all(host, *names):
    """End the processes of these programs, which would outlive the one that started them."""
    inside = process.in_namespace_of(host.pid).values()

    def remaining():
        found = [pid for pid in inside if any(process.runs(pid, name) for name in names)]
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return found

    process.wait_for(lambda: not remaining(), 10.0, f"end of {', '.join(names)}")
