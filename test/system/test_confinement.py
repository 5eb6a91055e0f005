"""What the probers cannot do, tried in the programs themselves: each waits for its first job, as under
the agent, and is made to do what somebody would who has got hold of it.
"""

import contextlib
import errno
import os
import pathlib
import platform
import signal
import socket
import subprocess

import pytest

from daemon import BUILD
from tracer import Traced

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of x86-64")

# mailflow-token is none of them: it runs a program, and has nothing to do with what comes from outside.
CONFINED = ["submit", "collect", "fetch", "greet", "discover", "calendar"]
AT_FDCWD = -100
X32 = 0x40000000
FILE = b"/tmp/mailflow-confinement"
THIS = os.getpid()

# What would be of use: other programs, other processes, files, code, ways in, rights.
DEADLY_EVERYWHERE = {
    "execve": (59, b"/bin/true", 0, 0),
    "open to write": (257, AT_FDCWD, b"/dev/null", os.O_WRONLY),
    "create": (257, AT_FDCWD, FILE, os.O_RDONLY | os.O_CREAT, 0o600),
    "fork": (56, signal.SIGCHLD),
    "ptrace": (101, 0),
    "kill": (62, THIS, 0),
}
DEADLY = DEADLY_EVERYWHERE | {
    "execveat": (322, AT_FDCWD, b"/bin/true", 0, 0, 0),
    "execve by x32": (X32 | 520, b"/bin/true", 0, 0),
    "open(2) to write": (2, b"/dev/null", os.O_RDWR),
    "creat": (85, FILE, 0o600),
    "unlink": (87, FILE),
    "rename": (82, FILE, FILE),
    "mkdir": (83, FILE, 0o700),
    "symlink": (88, FILE, FILE),
    "chmod": (90, FILE, 0o777),
    "fork(2)": (57,),
    "vfork": (58,),
    "signal to another": (234, THIS, THIS, 0),
    "read of another's memory": (310, THIS, 0, 0, 0, 0),
    "memory as a file": (319, b"x", 0),
    "memory to execute": (9, 0, 4096, 5, 0x22, -1),
    "execution of memory": (10, 0, 4096, 5),
    "listen": (50, 0, 1),
    "accept": (43, 0, 0, 0),
    "setuid": (105, 0),
    "capset": (126, 0, 0),
    "mount": (165, b"/", b"/", b"x", 0, 0),
    "unshare": (272, 0x10000000),
    "setns": (308, 0, 0),
    "bpf": (321, 0, 0, 0),
    "io_uring": (425, 1, 0),
    "userfaultfd": (323, 0),
    "keys": (250, 0, 0),
}
# What some library might try, and must go on without.
REFUSED = {
    "a unix socket": (41, socket.AF_UNIX, socket.SOCK_STREAM, 0),
    "a raw packet socket": (41, socket.AF_PACKET, socket.SOCK_RAW, 0),
    "a socket of virtual machines": (41, socket.AF_VSOCK, socket.SOCK_STREAM, 0),
    "clone3": (435, 0, 0),
    "openat2": (437, AT_FDCWD, FILE, 0, 24),
    "a handle on another": (434, THIS, 0),
    "limits of another": (302, THIS, 7, 0, 0),
    "sethostname": (170, b"x", 1),
}
# What it needs.
ALLOWED = {
    "a socket": (41, socket.AF_INET, socket.SOCK_STREAM, 0),
    "a socket of IPv6": (41, socket.AF_INET6, socket.SOCK_DGRAM, 0),
    "open to read": (257, AT_FDCWD, b"/etc/passwd", os.O_RDONLY),
    "getpid": (39,),
}


@contextlib.contextmanager
def waiting(name):
    """A prober that waits for its first job."""
    process = subprocess.Popen([BUILD / "probes" / f"mailflow-{name}"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"})
    try:
        yield Traced(process.pid)
    finally:
        process.kill()
        process.stdin.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, 0)
        process.returncode = 0


@pytest.mark.parametrize("name", CONFINED)
def test_what_is_forbidden_kills(name):
    survived = {}
    for act, call in (DEADLY if name == "submit" else DEADLY_EVERYWHERE).items():
        with waiting(name) as prober:
            came_of_it = prober.call(*call)
        if came_of_it != signal.SIGSYS:
            survived[act] = came_of_it
    assert not survived
    assert not pathlib.Path(FILE.decode()).exists()


@pytest.mark.parametrize("name", CONFINED)
def test_the_rest_is_refused_or_works(name):
    with waiting(name) as prober:
        came_of_it = {act: prober.call(*call) for act, call in REFUSED.items()}
        refused = {-errno.ENOSYS, -errno.EPERM}
        assert {act: one for act, one in came_of_it.items() if one not in refused} == {}
        works = {act: prober.call(*call) for act, call in ALLOWED.items()}
        assert all(one > 0 for one in works.values()), works
        assert works["getpid"] == prober.pid


def test_no_prober_is_forgotten():
    """Each program of this folder is either confined here, or has its reason."""
    programs = {file.name.removeprefix("mailflow-") for file in (BUILD / "probes").glob("mailflow-*")
                if file.is_file() and os.access(file, os.X_OK)}
    assert programs == {*CONFINED, "token"}
