"""What the browser looks at: agents beside scripted mail servers, the one with troubles and a past,
the other one well. Run by the tests in JavaScript: says where all is in one line of JSON, then
obeys words on its standard input, one a line, each answered by a line, until that ends.
"""

import contextlib
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "test/system"))
from daemon import Daemon, PostOffice  # noqa: E402
from dovecot import free_port  # noqa: E402
from history import History, story  # noqa: E402

LIVELY = "2s"  # the cadence between the two that run
DEFAULTS = {"interval": "5m", "latency": {"warning": "60s", "critical": "5m"}}
MAINTENANCE = {"settle": "5m", "recovery": "4900s"}


class Post(PostOffice):
    """Delivers to the mailbox of whoever it is for; mail for others it keeps."""

    offices = {}

    def __init__(self, name):
        super().__init__()
        self.offices[f"{name}.example"] = self

    def deliver(self, session):
        headers = session.content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        recipients = [line for line in session.commands if line.upper().startswith("RCPT")]
        domain = recipients[-1].partition("@")[2].partition(">")[0]
        if domain in self.offices:
            self.offices[domain].put(headers)
        session.send(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n")


class Agent(Daemon):
    """A daemon at a port of its own, so that it is found again after a new start."""

    def __init__(self, home, name, office, peers):
        home.mkdir()
        self.port = free_port()
        settings = {
            "server": name,
            "http": {"listen": [f"127.0.0.1:{self.port}"]},
            "defaults": DEFAULTS,
            "maintenance": MAINTENANCE,
            "incidents": {"hold": "60s", "blind_after": "2m"},
        }
        super().__init__(home, office, peers, **settings)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


def peer(name, **settings):
    return {"name": name, "address": f"probe@{name}.example", **settings}


def begin_and_end(agent):
    """So that the ledger is there, empty."""
    agent.start()
    agent.stop()


def obey(agents):
    """Until the tests are over."""
    for line in sys.stdin:
        word, name = line.split()
        if word == "stop":
            agents[name].stop()
        else:
            agents[name].start()
        print("done", flush=True)


def main():
    with contextlib.ExitStack() as stack:
        home = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailflow-page-")))
        offices = {name: stack.enter_context(Post(name)) for name in ("mx02", "mx03")}
        others = [peer(name) for name in ("mx01", "mx04", "mx05")]
        troubled = Agent(home / "troubled", "mx02", offices["mx02"],
                         [others[0], peer("mx03", interval=LIVELY), *others[1:]])
        well = Agent(home / "well", "mx03", offices["mx03"], [peer("mx02", interval=LIVELY)])
        begin_and_end(troubled)
        with History(troubled.state / "ledger.db") as history:
            story(history)
        stack.enter_context(well.start())
        stack.enter_context(troubled.start())
        print(json.dumps({"troubled": troubled.url, "well": well.url}), flush=True)
        obey({"troubled": troubled, "well": well})


if __name__ == "__main__":
    main()
