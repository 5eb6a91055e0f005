"""The agent beside a lab host's mail servers: its configuration, its life, what it tells.

`AgentSide` is the part of Host that knows mailflow; nothing else in the lab does.
"""

import http.client
import json
import os
import re
import signal
import ssl
from pathlib import Path

import log_collector
import process

PORT = 9925
PLAIN_SCALAR = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*|[0-9]+[a-zA-Z]+")
RESERVED_SCALARS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}
SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*?)\})?\s+(\S+)(?:\s+#.*|\s+-?[\d.]+.*)?$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


def merge(base, overrides):
    """base with overrides laid over it, dictionary by dictionary; None removes a key."""
    result = dict(base)
    for key, value in overrides.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def yaml_scalar(value):
    if isinstance(value, str):
        plain = PLAIN_SCALAR.fullmatch(value) and value.lower() not in RESERVED_SCALARS
        return value if plain else json.dumps(value)
    return json.dumps(value)


def yaml_lines(value, indent=""):
    """Block style YAML of dictionaries, lists and scalars, line by line."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)) and item:
                yield f"{indent}{key}:"
                yield from yaml_lines(item, indent + "  ")
            else:
                yield f"{indent}{key}: {yaml_scalar(item)}"
    elif isinstance(value, list):
        for item in value:
            first, *rest = yaml_lines(item, indent + "  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
    else:
        yield indent + yaml_scalar(value)


def parse_metrics(text):
    """Prometheus text as {(name, frozenset of (label, value) pairs): number}."""
    samples = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if match is None:
            raise ValueError(f"not a metric line: {line!r}")
        name, labels, number = match.groups()
        pairs = ((key, _unescape(value)) for key, value in LABEL.findall(labels or ""))
        samples[name, frozenset(pairs)] = float(number)
    return samples


def _unescape(value):
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), value)


class AgentSide:
    """Needs of its host: lab, name, domain, address, directory, password_file, command, run."""

    @property
    def agent_directory(self):
        return self.directory / "mailflow"

    @property
    def agent_config(self):
        return self.agent_directory / "mailflow.yaml"

    @property
    def syslog_file(self):
        return self.directory / log_collector.FILE_NAME

    @property
    def syslog_socket(self):
        return str(self.directory / log_collector.SOCKET_NAME)

    def default_agent_config(self, peers):
        probe = f"probe@{self.domain}"
        home = self.agent_directory
        mailbox = dict(name="local", host=self.domain, port=143, tls="starttls", user=probe)
        mailbox["password_file"] = str(self.password_file(probe))
        mailbox["ca_file"] = str(self.lab.authority)
        return {
            "server": self.name,
            "state_dir": str(home / "state"),
            "mesh_keys": [{"id": "k1", "file": str(self.lab.mesh_key)}],
            "relay": {"host": "127.0.0.1", "port": 25, "tls": "none"},
            "http": {
                "listen": [f"127.0.0.1:{PORT}", f"{self.address}:{PORT}"],
                "control": str(home / "control.sock"),
            },
            "syslog": {"facility": "mail", "socket": self.syslog_socket},
            "mailboxes": [mailbox],
            "peers": [{"name": peer.name, "address": f"probe@{peer.domain}"} for peer in peers],
        }

    def write_agent_config(self, peers=None, overrides=None):
        """Write mailflow.yaml and return its path.

        peers are hosts or their names, by default all others; overrides (a dictionary) is merged
        into the default configuration: lists are replaced, a value of None removes its key.
        """
        if peers is None:
            peers = [host for host in self.lab if host is not self]
        hosts = [self.lab[peer] if isinstance(peer, str) else peer for peer in peers]
        os.makedirs(self.agent_directory / "state", exist_ok=True)
        config = merge(self.default_agent_config(hosts), overrides or {})
        self.agent_config.write_text("\n".join(yaml_lines(config)) + "\n")
        return self.agent_config

    # Its life

    @property
    def agent_pid(self):
        """The agent's pid as the machine sees it, or None."""
        return process.recorded(self.agent_directory / "agent.pid")

    def agent_start(self, build, environment=None):
        """Start BUILD/agent/mailflowd on this host, with its probers; returns its pid."""
        if self.agent_pid:
            raise RuntimeError(f"the agent of {self.name} runs already")
        build = Path(build).absolute()
        variables = {**os.environ, **(environment or {})}
        program = self.command(
            build / "agent/mailflowd", "--config", self.agent_config, "--probers", build / "probes"
        )
        with open(self.agent_directory / "stderr", "ab") as errors:
            options = dict(stdin=process.NULL, stdout=errors, stderr=errors)
            launcher = process.spawn(program, env=variables, **options)
            said_before = errors.tell()
        (self.agent_directory / "build").write_text(str(build))
        try:
            return self._record_agent(launcher)
        except ProcessLookupError:
            said = (self.agent_directory / "stderr").read_bytes()[said_before:].decode()
            raise RuntimeError(f"the agent of {self.name} ended at once: {said.strip()}") from None

    def _record_agent(self, launcher):
        pid = process.wait_launched(launcher)
        process.record(self.agent_directory / "agent.pid", pid)
        process.record(self.agent_directory / "launcher.pid", launcher.pid)
        return pid

    def agent_stop(self, grace=10.0):
        """Ask the agent to end (SIGTERM); returns its exit status when we had started it."""
        return self._agent_end(signal.SIGTERM, grace)

    def agent_kill(self):
        """Kill the agent (SIGKILL), as a crash would."""
        return self._agent_end(signal.SIGKILL, 5.0)

    def _agent_end(self, signal_number, grace):
        process.end(self.agent_directory / "agent.pid", signal_number, grace)
        return process.wait_end(self.agent_directory / "launcher.pid", 5.0)

    def agent_freeze(self):
        """Let it hang: it keeps its sockets and answers nothing."""
        process.tell(self.agent_directory / "agent.pid", signal.SIGSTOP)

    def agent_thaw(self):
        """Its launcher stops along with it, as a shell's job would."""
        for name in "launcher.pid", "agent.pid":
            process.tell(self.agent_directory / name, signal.SIGCONT)

    def ctl(self, *arguments, build=None, check=False, input=None, timeout=90.0):
        """Run mailflowctl on this host; returns the CompletedProcess."""
        build = Path(build or (self.agent_directory / "build").read_text()).absolute()
        places = (build / "agent/mailflowctl", build / "agent/ctl/mailflowctl")
        program = next((place for place in places if place.exists()), places[0])
        options = dict(check=check, input=input, timeout=timeout)
        return self.run(program, "--config", self.agent_config, *arguments, **options)

    # What it tells

    def _connection(self, timeout):
        """With TLS where the configuration has a certificate for the agent's own listeners."""
        if "certificate_file:" not in self.agent_config.read_text():
            return http.client.HTTPConnection(self.address, PORT, timeout=timeout)
        context = ssl.create_default_context(cafile=self.lab.authority)
        return http.client.HTTPSConnection(self.address, PORT, timeout=timeout, context=context)

    def http_get(self, path, accept="*/*", timeout=10.0):
        """(status, body as text) of the agent's answer, asked from the machine."""
        connection = self._connection(timeout)
        try:
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8")
        finally:
            connection.close()

    def _body(self, path):
        status, body = self.http_get(path)
        if status != 200:
            raise RuntimeError(f"{self.name}: GET {path}: {status} {body.strip()[:200]}")
        return body

    def metrics(self):
        return parse_metrics(self._body("/metrics"))

    def metric(self, name, **labels):
        """One number of /metrics, or None when it is not there."""
        return self.metrics().get((name, frozenset(labels.items())))

    def api(self, path):
        """JSON of an API path, such as `paths` or `/api/v1/paths`."""
        return json.loads(self._body(path if path.startswith("/") else f"/api/v1/{path}"))

    def syslog(self):
        """The lines the agent has logged so far, oldest first, each with its receive time."""
        return self.syslog_file.read_text().splitlines()
