"""Processes we started, remembered in files so that a later program can end them.

A record names a process by pid, start time and boot: a pid that was recycled since then is a
stranger and is never signalled. Signals go through a pidfd, so nothing can change hands between
the check and the signal.
"""

import os
import select
import signal
import subprocess
import time
from pathlib import Path

# How many times longer than usual everything may take: under valgrind.
PATIENCE = float(os.environ.get("MAILFLOW_PATIENCE") or 1)
POLL_INTERVALS = 0.005, 0.1  # the first and the longest: many wait beside each other
NULL = subprocess.DEVNULL
_children = {}  # pid -> Popen of what this program started, so that it can be reaped


def patient(seconds):
    """So long, where nothing makes programs slow."""
    return seconds * PATIENCE


def wait_for(predicate, deadline, what="the condition"):
    """Return the first true value of predicate(); TimeoutError after deadline seconds, patiently."""
    deadline = patient(deadline)
    limit = time.monotonic() + deadline
    pause, longest = POLL_INTERVALS
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > limit:
            raise TimeoutError(f"{what}: not within {deadline:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, longest)


def start_time(pid):
    """When pid started, in ticks since boot; None when it does not run (a zombie does not)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _identity(pid):
    started = start_time(pid)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{pid} {started} {boot}\n" if started else None


def record(path, pid):
    """Remember pid in the file path; written whole or not at all."""
    identity = _identity(pid)
    if identity is None:
        raise ProcessLookupError(f"process {pid} ended before it could be recorded in {path}")
    draft = Path(f"{path}.new")
    draft.write_text(identity)
    draft.rename(path)


def _read(path):
    try:
        return Path(path).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _remembered_pid(path):
    pid = _read(path).partition(" ")[0]
    return int(pid) if pid.isdigit() else None


def recorded(path):
    """The pid remembered in path if that very process still runs, else None."""
    pid = _remembered_pid(path)
    return pid if pid is not None and _identity(pid) == _read(path) else None


def _open_recorded(path):
    pid = recorded(path)
    if pid is None:
        return None
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if recorded(path) == pid:
        return handle
    os.close(handle)
    return None


def tell(path, signal_number):
    """Signal the process remembered in path, which lives on."""
    handle = _open_recorded(path)
    if handle is None:
        raise ProcessLookupError(f"the process recorded in {path} does not run")
    try:
        signal.pidfd_send_signal(handle, signal_number)
    finally:
        os.close(handle)


def _ended_within(handle, seconds):
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(max(0, seconds) * 1000))


def end(path, signal_number=signal.SIGTERM, grace=5.0):
    """Signal the process remembered in path, wait, kill it after grace seconds; forget it."""
    handle = _open_recorded(path)
    if handle is not None:
        try:
            _signal_and_wait(handle, signal_number, grace, path)
        finally:
            os.close(handle)
    Path(path).unlink(missing_ok=True)
    reap()


def _signal_and_wait(handle, signal_number, grace, path):
    for number, seconds in ((signal_number, grace), (signal.SIGKILL, 5.0)):
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        if _ended_within(handle, seconds):
            return
    raise TimeoutError(f"the process recorded in {path} does not end even by SIGKILL")


def wait_end(path, seconds):
    """Wait until the process remembered in path has ended; forget it.

    Returns its exit status (minus the signal that killed it), or None if it is no child of ours.
    """
    handle = _open_recorded(path)
    child = _children.get(_remembered_pid(path))
    if handle is not None:
        ended = _ended_within(handle, seconds)
        os.close(handle)
        if not ended:
            raise TimeoutError(f"the process recorded in {path} did not end in {seconds:g} s")
    Path(path).unlink(missing_ok=True)
    reap()
    return child.returncode if child else None


def in_namespace_of(first_pid):
    """Who lives in the pid namespace of first_pid: {its pid in there: the machine's pid}."""
    namespace = os.readlink(f"/proc/{first_pid}/ns/pid")
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.readlink(entry / "ns/pid") != namespace:
                continue
            status = (entry / "status").read_text()
        except OSError:
            continue
        pids = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
        found[int(pids[-1])] = int(entry.name)
    return found


def title(pid):
    """The command line of pid, which servers overwrite with what they do; "" when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def child_of(pid):
    """The machine's pid of a child of pid, or None while there is none."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] not in "ZX":
                return int(entry.name)
    return None


def runs(pid, program):
    """Whether pid executes the program of this name (a child does its parent's until exec)."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name == program
    except OSError:
        return False


def wait_launched(launcher):
    """The pid of what nsenter runs as its one child; ProcessLookupError when it ended at once."""

    def find():
        if launcher.poll() is not None:
            raise ProcessLookupError
        child = child_of(launcher.pid)
        return child if child and not runs(child, "nsenter") else None

    return wait_for(find, 5.0, f"start of {launcher.args[-1]}")


def spawn(command, **options):
    """Start a program in a session of its own, so that it may outlive us."""
    child = subprocess.Popen(command, start_new_session=True, **options)
    _children[child.pid] = child
    return child


def reap():
    """Collect those of our children that have ended, so that none stays as a zombie."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)  # another thread may have been faster


class Handshake:
    """A program that says its pid, waits for `go`, and says `ready`.

    Between start and record nothing can be lost: if we are killed, the program reads end of file
    in place of `go` and leaves.
    """

    def __init__(self, command, error_path):
        with open(error_path, "ab") as errors:
            self.child = spawn(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        self.error_path = error_path
        self.pid = int(self._line())

    def _line(self, seconds=10.0):
        if not select.select([self.child.stdout], [], [], seconds)[0]:
            raise TimeoutError(f"no answer from {self.child.args[0]}, see {self.error_path}")
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.child.args[0]} failed, see {self.error_path}")
        return line

    def go(self):
        """Let the program do its work; returns once it has said that it is ready."""
        self.child.stdin.write(b"go\n")
        self.child.stdin.close()
        self._line()
        self.child.stdout.close()
