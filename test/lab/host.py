"""One host of the lab: a machine of its own made of namespaces, with its mail servers and agent."""

import contextlib
import json
import os
import signal
import smtplib
import subprocess
from pathlib import Path

import certificates
import network
import process
import servers
from agent import AgentSide

INIT = Path(__file__).with_name("init.py")
PYTHON = "/usr/bin/python3"
USERS = ("probe", "someone")
NAME_SERVICE = "passwd: files\ngroup: files\nhosts: files\n"
NAMESPACES = ("--net", "--mount", "--pid", "--uts", "--ipc")
UNITS = ("smtp", "imap", "all")


class Host(AgentSide):
    """A lab host; `lab` tells it the instance number, the authority and its neighbours."""

    def __init__(self, lab, number):
        self.lab = lab
        self.number = number
        self.name = f"mx{number:02}"
        self.domain = f"{self.name}.example"
        self.users = tuple(f"{user}@{self.domain}" for user in USERS)
        self.directory = lab.directory / self.name
        self.servers = {"smtp": servers.Postfix(self), "imap": servers.Dovecot(self)}

    def __repr__(self):
        return f"<lab host {self.name} {self.address}>"

    @property
    def address(self):
        return network.address(self.lab.instance, self.number)

    # The machine

    @property
    def pid(self):
        """The pid, as the machine sees it, of process 1 of this host; None when it is off."""
        return process.recorded(self.directory / "init.pid")

    @property
    def namespace(self):
        """The path of the network namespace."""
        if self.pid is None:
            raise RuntimeError(f"{self.name} is off")
        return f"/proc/{self.pid}/ns/net"

    def configure(self):
        """Write every file the host needs, before it is switched on."""
        os.makedirs(self.directory / "etc", exist_ok=True)
        (self.directory / "etc/hosts").write_text(self.lab.hosts_file())
        (self.directory / "etc/resolv.conf").write_text("")
        (self.directory / "etc/nsswitch.conf").write_text(NAME_SERVICE)
        certificates.issue(self.lab.authority, self.directory / "tls", self.domain, self.address)
        for server in self.servers.values():
            server.configure()

    def power_on(self):
        """Make the namespaces and plug them into the lab's bridge; no server runs yet."""
        inside = (PYTHON, "-I", "-S", str(INIT), str(self.directory), self.name, self.address)
        command = ("unshare", *NAMESPACES, "--fork", "--kill-child", *inside)
        handshake = process.Handshake(command, self.directory / "init.log")
        process.record(self.directory / "holder.pid", handshake.child.pid)
        process.record(self.directory / "init.pid", handshake.pid)
        network.plug(self.lab.instance, self.lab.mark, self.number, handshake.pid)
        handshake.go()
        network.drop_from(self.namespace, self.cut_sources())

    def power_off(self):
        """Kill everything on the host at once, as a power cut would; its files stay."""
        process.end(self.directory / "init.pid", signal.SIGKILL)
        process.wait_end(self.directory / "holder.pid", 5.0)
        process.wait_end(self.agent_directory / "launcher.pid", 5.0)

    def cut_sources(self):
        """The addresses from which nothing arrives here; a cut outlasts a power cut."""
        file = self.directory / "cut"
        return file.read_text().split() if file.exists() else []

    def set_cut_sources(self, sources):
        (self.directory / "cut").write_text(" ".join(sorted(sources)))
        if self.pid is not None:
            network.drop_from(self.namespace, self.cut_sources())

    # Programs

    def command(self, *command, directory="/"):
        """The machine's command line that runs `command` on this host."""
        if self.pid is None:
            raise RuntimeError(f"{self.name} is off")
        where = (f"--target={self.pid}", *NAMESPACES, f"--wdns={directory}")
        return ("nsenter", *where, "--", *map(str, command))

    def run(self, *command, check=True, input=None, timeout=30.0):
        """Run a command on this host; returns the CompletedProcess with its output as text."""
        result = subprocess.run(
            self.command(*command),
            **dict(capture_output=True, text=True, input=input, timeout=timeout),
        )
        if check and result.returncode != 0:
            said = (result.stderr or result.stdout).strip()
            raise RuntimeError(f"{self.name}: {' '.join(map(str, command))}: {said}")
        return result

    def run_daemon(self, *command, log):
        """Run a command that leaves a daemon behind, which would keep a pipe to us open."""
        with open(log, "ab") as output:
            options = dict(stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=30.0)
            result = subprocess.run(self.command(*command), **options)
        if result.returncode != 0:
            raise RuntimeError(f"{self.name}: {command[0]} did not start, see {log}")

    def inside(self):
        """Context in which this thread's new sockets belong to this host."""
        return network.inside(self.namespace)

    # Servers

    def _chosen(self, unit):
        return list(self.servers.values()) if unit == "all" else [self.servers[unit]]

    def start(self, unit="all"):
        """Start `smtp`, `imap` or `all`; returns when every port greets."""
        chosen = self._chosen(unit)
        for server in chosen:
            server.start()
        for server in chosen:
            servers.wait_ready(server)

    def stop(self, unit="all"):
        """Stop `smtp` (Postfix), `imap` (only IMAP: mail is still delivered) or `all`.

        Returns when connections are refused.
        """
        for server in self._chosen(unit):
            if unit == "all":
                server.stop_all()
            else:
                server.stop()
            servers.wait_silent(server)

    def heal(self):
        """Bring the host back: power, servers, cables."""
        if self.pid is None:
            self.power_on()
        if self.cut_sources():
            self.set_cut_sources([])
        for unit in self.servers:
            if not self.is_running(unit):
                self.start(unit)

    def is_running(self, unit):
        """Whether `smtp` or `imap` greets on its first port."""
        server = self.servers[unit]
        return servers.greeting(self.address, server.ports[0]) is not None

    # Mail

    def send(self, sender, recipient, text):
        """Hand over a message to this host's own Postfix, as a local program would."""
        with self.inside(), smtplib.SMTP("127.0.0.1", 25, "localhost", 10.0) as session:
            session.sendmail(sender, [recipient], text)

    def queue(self):
        """What waits in Postfix's queue: a list of the objects `postqueue -j` prints."""
        return [json.loads(line) for line in self.queue_text("-j").splitlines()]

    def queue_text(self, option="-p"):
        return self.servers["smtp"].tool("postqueue", option)

    def flush(self):
        """Try everything in the queue now."""
        self.servers["smtp"].tool("postqueue", "-f")

    def full_user(self, user):
        return user if "@" in user else f"{user}@{self.domain}"

    def password_file(self, user):
        return self.directory / f"{self.full_user(user).partition('@')[0]}.password"

    def password(self, user):
        return self.password_file(user).read_text().strip()

    def mail_home(self, user):
        return self.directory / "mail" / self.full_user(user).partition("@")[0]

    def mail(self, user, folder="INBOX"):
        """The files of a user's Maildir folder, oldest first."""
        maildir = self.mail_home(user) / "Maildir"
        if folder != "INBOX":
            maildir = maildir / f".{folder}"
        written = {}
        for file in [*maildir.glob("new/*"), *maildir.glob("cur/*")]:
            with contextlib.suppress(FileNotFoundError):  # read or deleted meanwhile
                written[file] = file.stat().st_mtime_ns
        return sorted(written, key=written.get)

    @staticmethod
    def wait_for(predicate, deadline=10.0, what="the condition"):
        """The first true value of predicate(); TimeoutError after deadline seconds."""
        return process.wait_for(predicate, deadline, what)
