"""Ways that mail takes between lab hosts, other than straight from one to the other."""

import base64
import contextlib
import os
import signal
import subprocess
from pathlib import Path

import process
from told import ledger

RELAY = Path(__file__).with_name("delaying_relay.py")


def relays_for(relay, receiver, *senders):
    """The host takes mail for the receiver from these senders, and passes it on."""
    addresses = " ".join(f"{sender.address}/32" for sender in senders)
    relay.servers["smtp"].adjust(
        {
            "relay_domains": receiver.domain,
            "mynetworks": f"127.0.0.0/8 {relay.address}/32 {addresses}",
        }
    )


def send_by(sender, receiver, relay, port=25):
    """From now on the sender's mail to the receiver goes through the relay; None: straight."""
    through = f"smtp:[{relay.address}]:{port}" if relay else f"smtp:[{receiver.address}]"
    transport = f"inline:{{{receiver.domain}={through}}}"
    sender.servers["smtp"].adjust(
        {"transport_maps": transport, "smtp_connection_cache_on_demand": "no"}
    )


@contextlib.contextmanager
def delaying(host, port, target, seconds):
    """A relay on a port of the host that lets every connection wait."""
    arguments = (str(port), target, str(seconds))
    command = host.command("/usr/bin/python3", "-I", RELAY, *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as launcher:
        assert launcher.stdout.readline() == b"ready\n"
        pid = process.child_of(launcher.pid)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGKILL)


def newest_arrival(host, peer, where="1"):
    """The id of the newest probe from the peer that has arrived, as mailflowctl takes it."""
    query = (
        "SELECT hex(id) FROM probes WHERE direction = 'inbound' AND state = 'arrived'"
        f" AND peer = ? AND {where} ORDER BY noted DESC LIMIT 1"
    )
    found = ledger(host, query, peer.name)
    return found and bytes.fromhex(found[0][0])


def way_of(host, probe):
    """What the API says of a probe, by the id in the ledger."""
    return host.api(f"probes/{as_text(probe)}")


def as_text(probe):
    return base64.b32encode(probe).decode().rstrip("=")


def write_checks(host, name, pattern, header):
    """The host's Postfix puts a header in front of the one of this shape."""
    checks = host.directory / "postfix" / name
    checks.write_text(f"/{pattern}/ PREPEND {header}\n")
    host.servers["smtp"].adjust({"header_checks": f"regexp:{checks}"})


def judge(host, name, sender, verdict):
    """The host's Postfix says this of the authentication of what comes from the sender."""
    came = rf"^Received:.*[[:space:]]by {sender.domain}"
    write_checks(host, name, came, f"Authentication-Results: {host.domain}; {verdict}")
