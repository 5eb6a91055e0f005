"""A running mailflowd: its files, its life, what it says to syslog, systemd and over HTTP.

Everything lies in one directory of the test. Mail goes to and comes from a PostOffice, the scripted
SMTP and IMAP servers joined: what is handed over at the one lies in the mailbox of the other.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import contract
from tag import Key

sys.path.append(str(pathlib.Path(__file__).parents[1] / "lab"))
import imap_server  # noqa: E402
import smtp_server  # noqa: E402
from agent import merge, parse_metrics, yaml_lines  # noqa: E402
from process import patient, wait_for  # noqa: E402

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build")).absolute()
PROGRAM = BUILD / "agent" / "mailflowd"
PASSWORD = "correct-horse-battery"
PATIENCE = 10.0
SYSLOG = re.compile(r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d mailflowd\[(\d+)\]: (.*)", re.DOTALL)
PRIORITIES = "emerg alert crit err warning notice info debug".split()
ID = re.compile(rb"^Message-ID:\s+<([A-Z2-7]{26})\.", re.MULTILINE)
UNHEARD = "mailflowd: nobody takes log lines at "
# The leak checker's word for a thread of libuv's pool that was just ending when it looked.
THREAD_ENDED = re.compile(r"==\d+==Unable to get registers from thread \d+\.\s*")


class PostOffice:
    """An SMTP and an IMAP server; what the one takes appears in the other's INBOX."""

    def __init__(self, **script):
        self.smtp = smtp_server.Server({"content": [self.deliver], **script})
        self.imap = imap_server.Server()
        self.imap.password = PASSWORD

    def __enter__(self):
        self.smtp.__enter__()
        return self

    def __exit__(self, *_):
        self.imap.__exit__()
        self.smtp.__exit__()

    def deliver(self, session):
        self.put(session.content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        session.send(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n")

    def put(self, headers):
        """Lay a message into the mailbox, as a delivery agent would."""
        received = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime())
        uid = self.imap.inbox.add(headers, received=received)
        for session in self.imap.sessions:
            if session.idle_tag is not None:
                with contextlib.suppress(OSError):
                    session.tell_exists()
        return uid

    @property
    def mailbox(self):
        """The headers of the messages that lie there, by UID."""
        return {uid: message.headers for uid, message in dict(self.imap.inbox.messages).items()}

    @property
    def contents(self):
        """Of all messages handed over, session by session."""
        return [content for session in list(self.smtp.sessions) for content in session.contents]

    @property
    def taken(self):
        """How many messages were handed over."""
        return len(self.contents)


def probe_text(identity):
    """How a probe of the ledger is called in mail and in log lines."""
    return base64.b32encode(identity).decode().rstrip("=")


class Syslog:
    """A syslog socket; `lines` are (priority, text) without the time and the sender."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while datagram := self.socket.recv(65536):
                number, _, text = SYSLOG.fullmatch(datagram.decode()).groups()
                self.lines.append((PRIORITIES[int(number) & 7], text))

    def close(self):
        if self.socket.fileno() >= 0:
            self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()
            self.path.unlink()


class Daemon:
    """One mailflowd; used as a context, at whose end it must end by itself and in good health."""

    def __init__(self, home, office=None, peers=("mx01",), **overrides):
        self.home = pathlib.Path(home)
        self.state = self.home / "state"
        self.config = self.home / "mailflow.yaml"
        self.process = None
        self.state.mkdir(exist_ok=True)
        self.syslog = Syslog(self.home / "log")
        self.key = Key()
        self.write_secret("mesh.key", self.key.secret)
        self.write_secret("password", PASSWORD.encode())
        self.configure(self._settings(office, peers), overrides)

    def _settings(self, office, peers):
        smtp, imap = (office.smtp.port, office.imap.port) if office else (9, 9)
        mailbox = {"name": "local", "host": "127.0.0.1", "port": imap, "tls": "none"}
        mailbox["user"] = "probe@mx02.example"
        mailbox["password_file"] = str(self.home / "password")
        collect = [peer if isinstance(peer, dict) else
                   {"name": peer, "address": f"probe@{peer}.example", "collect": "local"}
                   for peer in peers]
        return {
            "server": "mx02",
            "state_dir": str(self.state),
            "mesh_keys": [{"id": "k1", "file": str(self.home / "mesh.key")}],
            "relay": {"host": "127.0.0.1", "port": smtp, "tls": "none"},
            "http": {"listen": ["127.0.0.1:0"], "control": str(self.home / "control")},
            "syslog": {"socket": str(self.home / "log")},
            "mailboxes": [mailbox],
            "defaults": {"interval": "1s", "latency": {"warning": "1s", "critical": "2s"}},
            "incidents": {"hold": "1s", "blind_after": "2s"},
            "maintenance": {"settle": "1s", "recovery": "60s"},
            "peers": collect,
        }

    def configure(self, settings, overrides):
        self.settings = merge(settings, overrides)
        self.config.write_text("\n".join(yaml_lines(self.settings)) + "\n")

    def write_secret(self, name, content):
        file = self.home / name
        file.touch(mode=0o600)
        file.write_bytes(content)
        return file

    # Its life

    def run(self, *options, before=(), timeout=PATIENCE):
        """Run it to its end, which must come by itself: (exit status, stdout, stderr)."""
        command = (*before, PROGRAM, *options) if before else ("mailflowd", *options)
        where = {} if before else {"executable": PROGRAM}
        done = subprocess.run(command, capture_output=True, text=True, timeout=patient(timeout), **where)
        return done.returncode, done.stdout, done.stderr

    def refuses_to_start(self, before=()):
        """What it says when it cannot start with its configuration."""
        status, output, said = self.run("--config", self.config, before=before)
        assert (status, output) == (1, ""), (status, output, said)
        return said

    def launch(self, probers=BUILD / "probes", before=(), **environment):
        """Run it, without waiting for a word of it."""
        command = (*before, PROGRAM, "--config", self.config, "--probers", probers)
        self.errors = open(self.home / "stderr", "ab")
        variables = {**os.environ, **environment}
        self.process = subprocess.Popen(command, stderr=self.errors, env=variables)

    def start(self, patience=PATIENCE, **how):
        self.launch(**how)
        self.wait(r"agent STARTED .*", patience, self.count("agent STARTED .*") + 1)
        return self

    @property
    def pid(self):
        return self.process.pid

    def stop(self, signal_number=signal.SIGTERM, seconds=2.0):
        """End it; returns its exit status."""
        self.process.send_signal(signal_number)
        try:
            return self.process.wait(patient(seconds))
        finally:
            self.process.kill()
            self.errors.close()

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        try:
            if self.process.poll() is None and kind is None:
                assert self.stop() == 0, self.said
            self.process.kill()
            self.process.wait()
        finally:
            self.errors.close()
            self.syslog.close()
        assert kind or not self.said, self.said

    @property
    def said(self):
        """What it, or a prober, wrote to standard error: sanitizers complain there."""
        lines = (self.home / "stderr").read_text().splitlines(keepends=True)
        return "".join(line for line in lines
                       if not line.startswith(UNHEARD) and not THREAD_ENDED.fullmatch(line))

    @property
    def unheard(self):
        """What it said to standard error because nobody took it as a log line."""
        lines = (self.home / "stderr").read_text().splitlines()
        return [line for line in lines if line.startswith(UNHEARD)]

    def children(self):
        """The pids of its probers."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for file in tasks for pid in file.read_text().split()]

    def prober(self, name):
        """The pid of a prober of this name, or None."""
        for pid in self.children():
            with contextlib.suppress(OSError):
                if pathlib.Path(os.readlink(f"/proc/{pid}/exe")).name == name:
                    return pid
        return None

    # What it says

    def found(self, pattern):
        """The syslog lines of this shape, each with its priority, as (priority, match)."""
        matches = ((priority, re.fullmatch(pattern, text)) for priority, text in self.syslog.lines)
        return [(priority, match) for priority, match in matches if match]

    def count(self, pattern):
        return len(self.found(pattern))

    def wait(self, pattern, seconds=PATIENCE, count=1):
        """The count-th syslog line of this shape, as (priority, match)."""

        def seen():
            assert self.process.poll() is None, f"it ended: {self.process.returncode} {self.said}"
            return self.count(pattern) >= count

        try:
            wait_for(seen, seconds, f"syslog line {pattern}")
        except TimeoutError as problem:
            lines = self.syslog.lines[-20:]
            raise AssertionError(f"{problem}; there is {lines} {self.said}") from None
        return self.found(pattern)[count - 1]

    def ledger(self, query, *values):
        """Rows of the ledger, read beside the running agent."""
        place = f"file:{self.state}/ledger.db?mode=ro"
        with contextlib.closing(sqlite3.connect(place, uri=True)) as database:
            return database.execute(query, values).fetchall()

    def states(self):
        """How many probes the ledger has in which state."""
        return dict(self.ledger("SELECT state, count(*) FROM probes GROUP BY state"))

    # HTTP

    def request(self, method, path, body=None):
        """(status, text) over the control socket, as the API's description has it."""
        connection = http.client.HTTPConnection("localhost", timeout=patient(PATIENCE))
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(patient(PATIENCE))
        connection.sock.connect(self.settings["http"]["control"])
        with contextlib.closing(connection):
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read().decode()
            contract.check_answer(method, path, answer.status, answer.getheader("Content-Type"),
                                  text)
            return answer.status, text

    def api(self, path):
        status, text = self.request("GET", f"/api/v1/{path}")
        assert status == 200, text
        return json.loads(text)

    def windows(self):
        """{id: window} of the API."""
        return {window["id"]: window for window in self.api("maintenance")["maintenance"]}

    def metric(self, name, /, **labels):
        status, text = self.request("GET", "/metrics")
        assert status == 200, text
        return parse_metrics(text).get((f"mailflow_{name}", frozenset(labels.items())))

