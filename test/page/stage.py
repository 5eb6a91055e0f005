"""What the browser looks at: agents beside scripted mail servers, each with a past and troubles of
its own, one of them well. Run by the tests in JavaScript: says where all are in one line of JSON,
then obeys words on its standard input, one a line, each answered by a line, until that ends.
"""

import contextlib
import itertools
import json
import pathlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "test/system"), str(ROOT / "test/lab")]
import situations  # noqa: E402
import smtp_server  # noqa: E402
from daemon import Daemon, PostOffice  # noqa: E402
from dovecot import free_port  # noqa: E402
from evidence import evidence  # noqa: E402
from history import History  # noqa: E402
from hostile import REPLY, hostile  # noqa: E402
from story import story  # noqa: E402

LIVELY = "2s"  # the cadence between the two that run
DEFAULTS = {"interval": "5m", "latency": {"warning": "60s", "critical": "5m"}}
MAINTENANCE = {"settle": "5m", "recovery": "4900s"}


class Post(PostOffice):
    """Delivers to the mailbox of whoever it is for; mail for others it keeps."""

    def __init__(self, neighbours=None, name="", **script):
        super().__init__(**script)
        self.neighbours = {} if neighbours is None else neighbours
        self.neighbours[f"{name}.example"] = self

    def deliver(self, session):
        headers = session.content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        recipients = [line for line in session.commands if line.upper().startswith("RCPT")]
        domain = recipients[-1].partition("@")[2].partition(">")[0]
        if domain in self.neighbours:
            self.neighbours[domain].put(headers)
        session.send(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n")


class Agent(Daemon):
    """A daemon at a loopback address of its own, so that it is found again after a new start, and
    nobody's connection has taken its port meanwhile."""

    ADDRESSES = itertools.count(1)

    def __init__(self, home, office, peers, server="mx02", **settings):
        home.mkdir()
        self.place = f"127.77.0.{next(self.ADDRESSES)}:{free_port()}"
        super().__init__(home, office, peers, **{
            "server": server,
            "http": {"listen": [self.place]},
            "defaults": DEFAULTS,
            "maintenance": MAINTENANCE,
            "incidents": {"hold": "60s", "blind_after": "2m"},
            **settings,
        })

    @property
    def url(self):
        return f"http://{self.place}"


def peer(name, **settings):
    return {"name": name, "address": f"probe@{name}.example", **settings}


def peers(*names):
    return [peer(name) for name in names]


class Stage:
    """All of them; used as a context, at whose end all must have been in good health."""

    def __init__(self, stack):
        self.stack = stack
        self.home = pathlib.Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="mailflow-page-")))
        self.agents = {}
        self.pasts = {}
        self.quiet = stack.enter_context(Post())

    def add(self, name, office, among, past=None, **settings):
        self.agents[name] = Agent(self.home / name, office, among, **settings)
        self.pasts[name] = past

    def add_pair(self):
        """Two that send each other mail: one with troubles and a past, one that is well."""
        neighbours = {}
        offices = [self.stack.enter_context(Post(neighbours, name)) for name in ("mx02", "mx03")]
        self.add("troubled", offices[0],
                 [peer("mx01"), peer("mx03", interval=LIVELY), *peers("mx04", "mx05")], story)
        self.add("well", offices[1], [peer("mx02", interval=LIVELY)], server="mx03")

    def add_situations(self):
        for past in situations.down, situations.late, situations.overrun, situations.fine:
            self.add(past.__name__, self.quiet, peers(*situations.PEERS), past)
        self.add("calm", self.quiet, peers(*situations.PEERS), situations.fine)
        nobody = {"name": "local", "host": "127.0.0.1", "port": free_port(), "tls": "none",
                  "user": "probe@mx02.example"}
        self.add("blind", self.quiet, peers(*situations.PEERS), situations.blind)
        nobody["password_file"] = str(self.home / "blind/password")
        self.agents["blind"].configure(self.agents["blind"].settings, {"mailboxes": [nobody]})
        office, relay = self.secure_office()
        self.add("expiring", office, peers(*situations.PEERS), situations.expiring, relay=relay)

    def secure_office(self):
        """Its SMTP server's certificate is good for nine more days, and a bit."""
        office = self.stack.enter_context(Post())
        (self.home / "certificates").mkdir()
        certificates = smtp_server.Certificates(self.home / "certificates")
        office.smtp.ehlo = smtp_server.EHLO.replace("250-DSN", "250-DSN\n250-STARTTLS")
        office.smtp.certificate = certificates.issue(
            "ten", "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1", days=10)
        return office, {"host": "localhost", "port": office.smtp.port, "tls": "starttls",
                        "ca_file": certificates.ca_file}

    def remember(self):
        """An empty ledger for each, and in it what is said to have been."""
        template = next(iter(self.agents.values()))
        template.start()
        template.stop()
        for name, agent in self.agents.items():
            if agent is not template:
                shutil.copy(template.state / "ledger.db", agent.state)
        for name, past in self.pasts.items():
            if past is not None:
                with History(self.agents[name].state / "ledger.db") as history:
                    past(history)

    def start(self):
        with ThreadPoolExecutor(len(self.agents)) as pool:
            list(pool.map(Agent.start, self.agents.values()))
        for agent in self.agents.values():
            self.stack.enter_context(agent)
        for name, peer_of_it in ("hostile", "mx04"), ("expiring", "mx01"):  # what a server says now
            order = json.dumps({"peer": peer_of_it})
            self.agents[name].request("POST", "/api/v1/probes", order)

    def obey(self):
        """Until the tests are over."""
        for line in sys.stdin:
            word, name = line.split()
            if word == "stop":
                self.agents[name].stop()
            else:
                self.agents[name].start()
            print("done", flush=True)


def main():
    with contextlib.ExitStack() as stack:
        stage = Stage(stack)
        stage.add_pair()
        stage.add_situations()
        stage.add("evidence", stage.quiet, peers("mx01", "mx04"), evidence)
        rude = stack.enter_context(Post(rcpt=[smtp_server.raw(REPLY)]))
        stage.add("hostile", rude, peers("mx04"), hostile)
        stage.remember()
        stage.start()
        print(json.dumps({name: agent.url for name, agent in stage.agents.items()}), flush=True)
        stage.obey()


if __name__ == "__main__":
    main()
