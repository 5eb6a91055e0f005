"""Two servers from what README says under "Deploy", and from nothing else: the package, a machine of its
own beside each host of the lab, setup and join at a terminal, and mail flows.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from machine import ENVIRONMENT, Machine

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "test/lab"))

from lab import Lab  # noqa: E402
from process import wait_for  # noqa: E402
from setup_dialogue import go_through  # noqa: E402
from terminal import Terminal  # noqa: E402

TEN_MINUTES = 600
AUTHORITY = "/etc/mailflow/lab.pem"

# What README tells to run, in its order, by who does it here.
BY_FIXTURE = ("test/install package && config/debian/build", "apt install ./build/mailflow_*.deb")
BY_TEST = ("mailflowctl setup", "systemctl enable --now mailflowd", "mailflowctl join",
           "mailflowctl probe mx02", "mailflowctl status", "mailflowctl check --live")

# What systemd does when README has the unit enabled: folders, credentials and user of the unit. The shell stays, for
# who changes to another user is no longer killed with its parent.
START = """
install -d -o mailflow -g mailflow -m 750 /var/lib/mailflow
install -d -o mailflow -g mailflow -m 755 /run/mailflow
install -d -o mailflow -g mailflow -m 500 /run/credentials/mailflowd.service
export CREDENTIALS_DIRECTORY=/run/credentials/mailflowd.service
install -o mailflow -g mailflow -m 400 /etc/mailflow/mesh.key /etc/mailflow/probe.password \\
    "$CREDENTIALS_DIRECTORY"
setpriv --reuid=mailflow --regid=mailflow --init-groups mailflowd &
wait
"""


@pytest.fixture(name="servers")
def fixture_servers(base, package):
    """Two machines with the package installed and no configuration, each beside a host of a lab."""
    with contextlib.ExitStack() as stack:
        lab = Lab(tempfile.mkdtemp(prefix="mailflow-lab-"))
        stack.enter_context(lab)
        machines = []
        for host in lab.up(2):
            machine = stack.enter_context(Machine(base, host))
            machine.install(package)
            (machine.root / "etc/hosts").write_text(lab.hosts_file())
            shutil.copy(lab.authority, machine.root / AUTHORITY[1:])
            machines.append(machine)
        yield machines


def commands():
    """What README has one run for a deployment, in blocks and in sentences; no other way to do it."""
    text = (ROOT / "README.md").read_text()
    text = text.partition("## Deploy")[2].partition("By hand,")[0]
    text = re.sub(r"   Without a package.*?(?=^\d\.)", "", text, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^ {7}(\S.*?)(?: +#.*)?$|`(mailflowctl [^`]+)`", text, re.MULTILINE)
    return [block or sentence for block, sentence in found]


def at_terminal(machine, words):
    return Terminal(machine.command(words), ENVIRONMENT)


@contextlib.contextmanager
def agent(machine):
    process = subprocess.Popen(machine.command(START), env=ENVIRONMENT, stdin=subprocess.DEVNULL)
    try:
        socket = machine.root / "run/mailflow/control.sock"
        wait_for(socket.exists, 20, "the agent's control socket")
        yield
    finally:
        process.kill()
        process.wait()


def probe_flows(machine, peer):
    with contextlib.suppress(AssertionError):  # its status, when the probe has not arrived
        return machine.run(f"mailflowctl probe {peer} --wait 30s")


def test_two_servers_by_the_readme(servers):
    assert commands() == [*BY_FIXTURE, *BY_TEST]
    first, second = servers
    begun = time.monotonic()
    with at_terminal(first, "mailflowctl setup") as terminal:
        join = go_through(terminal, first.host, AUTHORITY)
    with agent(first):
        with at_terminal(second, "mailflowctl join") as terminal:
            terminal.expect("The token of `mailflowctl invite` (not shown): ")
            terminal.type(join[1] + "\n")
            back = go_through(terminal, second.host, AUTHORITY)
        said = first.run(f"mailflowctl {' '.join(back)}")
        assert f"added peer {second.host.name}: " in said
        with agent(second):
            wait_for(lambda: probe_flows(first, "mx02"), 120, "a probe of mx01 to arrive")
            wait_for(lambda: probe_flows(second, "mx01"), 120, "a probe of mx02 to arrive")
            took = time.monotonic() - begun
            for machine in servers:
                status = json.loads(machine.run("mailflowctl status --json"))
                assert status["incidents"] == [], status
                machine.run("mailflowctl check --live")
    print(f"two servers by the README: mail flows both ways after {took:.0f} s")
    assert took < TEN_MINUTES
