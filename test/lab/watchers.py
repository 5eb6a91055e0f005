"""The real Prometheus and Alertmanager, on the lab's own address, with the files that are shipped.

What is a matter of minutes in those files is one of seconds here.
"""

import contextlib
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import network
import process
from agent import PORT

SHIPPED = Path(__file__).parents[2] / "config"
RULES = SHIPPED / "prometheus/mailflow.rules.yml"
INHIBITIONS = SHIPPED / "prometheus/alertmanager.yml"
DASHBOARD = SHIPPED / "grafana/mailflow.json"
START = 30  # seconds; both are quick, unless the machine is busy

PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: mailflow, static_configs: [{{targets: {targets}}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
"""


def in_seconds(text):
    """The file with seconds in place of minutes, in what is awaited and in what is looked back at."""
    return re.sub(r"((?:for|interval|wait): |\[)(\d+)m\b", r"\1\2s", text)


class Watcher:
    """A server of HTTP that runs while its context lasts; `directory` is its own."""

    def __init__(self, lab, directory):
        self.directory = directory
        self.directory.mkdir()
        address = network.address(lab.instance, None)
        with socket.create_server((address, 0)) as free:
            self.address = f"{address}:{free.getsockname()[1]}"
        self.url = f"http://{self.address}"

    def command(self):
        """What starts it; its files are written before."""
        raise NotImplementedError

    def __enter__(self):
        command = self.command()
        with open(self.directory / "log", "wb") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory)
        with contextlib.ExitStack() as undo:
            undo.callback(self.__exit__)
            process.wait_for(self._ready, START, f"{command[0]}, see {self.directory}/log")
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def _ready(self):
        assert self.child.poll() is None, (self.directory / "log").read_text()
        with contextlib.suppress(OSError):
            return self._open("/-/ready").status == 200

    def _open(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        return urllib.request.urlopen(request, timeout=10)

    def ask(self, path, body=None, method=None, **query):
        """The JSON of an answer; what is wrong with the question is an error in its words."""
        try:
            with self._open(f"{path}?{urllib.parse.urlencode(query)}", body, method) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            raise ValueError(f"{path} {query}: {refusal.read().decode()}") from None


class Alertmanager(Watcher):
    """Mutes as the shipped example says; sends nothing anywhere."""

    def command(self):
        config = self.directory / "alertmanager.yml"
        config.write_text(in_seconds(INHIBITIONS.read_text()))
        return ("prometheus-alertmanager", f"--config.file={config}", "--cluster.listen-address=",
                f"--storage.path={self.directory}/data", f"--web.listen-address={self.address}")

    def alerts(self, **labels):
        """[(labels, state)] of the alerts that have these labels; muted ones are `suppressed`."""
        found = [(alert["labels"], alert["status"]["state"]) for alert in self.ask("/api/v2/alerts")]
        return [(has, state) for has, state in found if labels.items() <= has.items()]

    def silence(self, server, seconds):
        """Silence a server; returns the silence's id."""
        at = lambda ahead: time.strftime("%FT%TZ", time.gmtime(time.time() + ahead))  # noqa: E731
        matcher = {"name": "mailflow_server", "value": server, "isRegex": False, "isEqual": True}
        silence = {"matchers": [matcher], "startsAt": at(0), "endsAt": at(seconds),
                   "createdBy": "alice", "comment": "kernel update"}
        return self.ask("/api/v2/silences", silence)["silenceID"]

    def edit(self, silence, **members):
        """Change a silence; returns its id, another one where the old silence had to be replaced."""
        there = self.ask(f"/api/v2/silence/{silence}")
        there = {name: there[name] for name in there if name not in ("status", "updatedAt")}
        return self.ask("/api/v2/silences", there | members)["silenceID"]

    def expire(self, silence):
        self.ask(f"/api/v2/silence/{silence}", method="DELETE")


class Prometheus(Watcher):
    """Scrapes the agents of the hosts, with the shipped rules, and tells the Alertmanager."""

    def __init__(self, lab, directory, hosts, alertmanager):
        super().__init__(lab, directory)
        self.targets = [f"{host.address}:{PORT}" for host in hosts]
        self.alertmanager = alertmanager

    def command(self):
        rules, config = self.directory / "mailflow.rules.yml", self.directory / "prometheus.yml"
        rules.write_text(in_seconds(RULES.read_text()))
        config.write_text(PROMETHEUS.format(rules=rules, targets=json.dumps(self.targets),
                                            alertmanager=self.alertmanager.address))
        return ("prometheus", f"--config.file={config}", "--rules.alert.resend-delay=1s",
                f"--storage.tsdb.path={self.directory}/data", f"--web.listen-address={self.address}")

    def query(self, expression):
        """[(labels, number)] of what the expression amounts to now."""
        result = self.ask("/api/v1/query", query=expression)["data"]["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def rules(self):
        """Every rule as Prometheus tells of it."""
        groups = self.ask("/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


def dashboard_queries():
    """[(panel, expression)] of the shipped dashboard, with its variables filled in."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [(panel["title"], target["expr"].replace("$job", "mailflow")
             .replace("$__rate_interval", "10s"))
            for panel in panels for target in panel.get("targets", [])]


def metrics_used():
    """The names of the agents' metrics in the shipped rules and the dashboard."""
    text = RULES.read_text() + "\n".join(expression for _, expression in dashboard_queries())
    labels = {"mailflow_server", "mailflow_agent"}
    return set(re.findall(r"\b(?:mailflow|process)_[a-z_]+", text)) - labels
