"""A mail lab on one machine: real Postfix and Dovecot on hosts mx01, mx02, ... in namespaces.

A lab is a directory. Everything it consists of can be found again from there, by any program:
the instance number and the mark of its bridge in `lab.json`, its processes in `*.pid` files.
Therefore `down` works also when whoever said `up` was killed half-way.
"""

import base64
import concurrent.futures
import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import tempfile
from pathlib import Path

import certificates
import log_collector
import network
import process
import servers
from host import PYTHON, UNITS, Host

LONGEST_DIRECTORY = 60  # a path of a unix socket may have 107 bytes
STATE = "lab.json"
LOCK_SECONDS = 60.0


def default_directory():
    return Path(tempfile.gettempdir()) / "mailflow-lab"


class Lab:
    """`with Lab(directory).up(2) as lab:` gives lab["mx01"], lab["mx02"]; `down` at the end."""

    def __init__(self, directory=None):
        self.directory = Path(directory or default_directory()).absolute()
        self.hosts = {}
        self.state = {}
        self._load()

    def __getitem__(self, name):
        try:
            return self.hosts[name]
        except KeyError:
            raise KeyError(f"no host {name} in the lab {self.directory}") from None

    def __iter__(self):
        return iter(self.hosts.values())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    @property
    def instance(self):
        return self.state["instance"]

    @property
    def mark(self):
        """The hardware address by which our bridge is known."""
        return self.state["mark"]

    @property
    def authority(self):
        """The certificate to trust."""
        return self.directory / "ca/ca.pem"

    @property
    def mesh_key(self):
        return self.directory / "mesh.key"

    @property
    def is_up(self):
        """Whether it was built completely and still runs; single hosts may be off."""
        running = process.recorded(self.directory / "collector.pid") is not None
        return bool(self.state.get("complete")) and running

    # State on disk

    def _load(self):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self.state = json.loads((self.directory / STATE).read_text())
            numbers = range(1, self.state["count"] + 1) if "instance" in self.state else ()
            if len(numbers) != len(self.hosts):
                self.hosts = {host.name: host for host in (Host(self, n) for n in numbers)}

    def _save(self, **changes):
        self.state.update(changes)
        draft = self.directory / f"{STATE}.new"
        draft.write_text(json.dumps(self.state, indent=4) + "\n")
        draft.rename(self.directory / STATE)
        self._load()

    @contextlib.contextmanager
    def _locked(self):
        """One program at a time builds or removes a lab; the lock dies with its holder."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            what = f"lock of {self.directory}"
            process.wait_for(lambda: _try_lock(descriptor), LOCK_SECONDS, what)
            if os.fstat(descriptor).st_ino != os.stat(self.directory).st_ino:
                raise FileNotFoundError(f"{self.directory} was removed meanwhile")
            self._load()
            yield
        finally:
            os.close(descriptor)

    def _check_directory(self):
        """Refuse what is not a lab of ours: `down` removes the whole directory."""
        found = os.lstat(self.directory)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise RuntimeError(f"{self.directory} is not a directory of ours")
        names = {entry.name for entry in self.directory.iterdir()}
        if names and not names & {STATE, f"{STATE}.new"}:
            raise RuntimeError(f"{self.directory} is not empty and not a lab")

    def _prepare_directory(self):
        if len(os.fsencode(self.directory)) > LONGEST_DIRECTORY:
            raise RuntimeError(f"{self.directory}: too long for the paths of unix sockets in it")
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._check_directory()
        self.directory.chmod(0o755)
        for parent in self.directory.parents:
            if not parent.stat().st_mode & stat.S_IXOTH:
                raise RuntimeError(f"{parent} is closed to the users the mail servers run as")

    def hosts_file(self):
        lines = ["127.0.0.1 localhost"]
        lines += [f"{host.address} {host.domain} {host.name}" for host in self]
        return "\n".join(lines) + "\n"

    # Verbs

    def up(self, count=2):
        """Build a lab of count hosts; returns self once every server greets."""
        if os.geteuid() != 0:
            raise PermissionError("the lab needs root: it makes namespaces and a bridge")
        self._prepare_directory()
        with self._locked():
            if self.is_up:
                raise RuntimeError(f"the lab {self.directory} is up already")
            self._remove_remains()
            try:
                self._build(count)
            except BaseException as problem:
                problem.add_note(self._evidence())
                self._remove_everything()
                raise
        return self

    def _evidence(self):
        """The ends of all logs: a lab that could not be built leaves nothing else behind."""
        lines = []
        for log in sorted((*self.directory.glob("*/*log"), *self.directory.glob("*.log"))):
            text = log.read_text(errors="replace").splitlines()[-8:]
            lines += [f"{log.relative_to(self.directory)}: {line}" for line in text]
        return "\n".join(lines)

    def _build(self, count):
        # The mark goes to disk before the bridge exists, so that `down` always knows it.
        self._save(count=count, mark=network.new_hardware_address())
        self._save(instance=network.create_bridge(self.mark))
        certificates.make_authority(self.authority.parent)
        _write_mesh_key(self.mesh_key)
        for host in self:
            host.directory.mkdir(exist_ok=True)
        self._start_collector()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            for _ in pool.map(_boot, self):
                pass
        self._check_bridge()
        self._save(complete=True)

    def _check_bridge(self):
        """A machine whose firewall also sees bridged packets may drop what hosts say to another."""
        first, *others = self
        for other in others[:1]:
            with first.inside():
                if servers.greeting(other.address, 25, seconds=5.0) is None:
                    raise RuntimeError(
                        f"{first.name} does not reach {other.name}: does this machine filter "
                        f"bridged packets (net.bridge.bridge-nf-call-iptables)?"
                    )

    def _start_collector(self):
        """In a network namespace of its own: see log_collector."""
        program = (PYTHON, "-I", "-S", log_collector.__file__)
        command = ("unshare", "--net", *program, *(str(host.directory) for host in self))
        handshake = process.Handshake(command, self.directory / "collector.log")
        process.record(self.directory / "collector.pid", handshake.pid)
        handshake.go()

    def _remove_remains(self):
        """End and remove what there is of a lab, but for its state file and its authority. What
        cannot be ended keeps nothing else up, and its records, so that `down` can be said again.
        """
        with contextlib.ExitStack() as steps:  # the last of them first
            if "mark" in self.state:
                steps.callback(network.remove_bridge, self.mark)
            steps.callback(process.end, self.directory / "collector.pid")
            for name in ("*/holder.pid", "*/mailflow/launcher.pid"):
                for record in self.directory.glob(name):
                    steps.callback(process.wait_end, record, 5.0)
            for record in self.directory.glob("*/init.pid"):
                steps.callback(process.end, record, signal.SIGKILL)
        self.state, self.hosts = {}, {}
        for entry in self.directory.iterdir():
            if entry.name not in (STATE, "ca"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def down(self):
        """Remove the lab: processes, interfaces, files. Of what is not there, nothing is said."""
        if not os.path.lexists(self.directory):
            return
        self._check_directory()
        with contextlib.suppress(FileNotFoundError), self._locked():
            self._remove_everything()

    def _remove_everything(self):
        """The state file goes last: who is killed before that can be taken up by the next."""
        self._remove_remains()
        shutil.rmtree(self.directory / "ca", ignore_errors=True)
        (self.directory / STATE).unlink(missing_ok=True)
        self.directory.rmdir()

    def cut(self, source, target, oneway=False):
        """Drop silently what source sends to target, and, unless oneway, the other direction."""
        self[target].set_cut_sources({*self[target].cut_sources(), self[source].address})
        if not oneway:
            self.cut(target, source, oneway=True)

    def join(self, first, second):
        """Undo every cut between two hosts."""
        for source, target in ((first, second), (second, first)):
            sources = {*self[target].cut_sources()} - {self[source].address}
            self[target].set_cut_sources(sources)

    def heal(self):
        """Undo every cut, power cut and stop."""
        for host in self:
            host.heal()

    def cuts(self):
        """Pairs (source, target) of host names between which packets are dropped."""
        names = {host.address: host.name for host in self}
        return [(names[source], host.name) for host in self for source in host.cut_sources()]

    def status(self):
        """One dictionary per host: name, address, power, smtp, imap, queued, agent."""
        return [_host_status(host) for host in self]


def _boot(host):
    host.configure()
    host.power_on()
    host.start("all")


def _host_status(host):
    power = host.pid is not None
    units = {unit: "up" if power and host.is_running(unit) else "down" for unit in host.servers}
    queued = len(host.queue()) if power else "-"
    agent_pid = host.agent_pid or "-"
    row = dict(name=host.name, address=host.address, power="on" if power else "off")
    return dict(row, **units, queued=queued, agent=agent_pid)


def _try_lock(descriptor):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _write_mesh_key(path):
    path.touch(mode=0o600)
    path.write_text(base64.b64encode(os.urandom(32)).decode() + "\n")
