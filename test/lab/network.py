"""The lab's cable: one bridge on the machine, one /24 of 198.18.0.0/15 (RFC 2544), cut links.

A bridge is known as ours by its hardware address, which is set in the moment of its creation, so
even an instance number that was taken over by another lab is never mistaken for our own.
"""

import contextlib
import ctypes
import ipaddress
import json
import os
import secrets
import subprocess

INSTANCES = 512
FIRST_HOST = 11
CUT_RULES = """
table inet mailflow_lab
delete table inet mailflow_lab
table inet mailflow_lab {{
    chain arriving {{
        type filter hook prerouting priority raw; policy accept;
        {rules}
    }}
}}
"""


def run(*command, text=None):
    """Run a command of the machine; its complaint becomes the error."""
    result = subprocess.run(command, capture_output=True, text=True, input=text)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def bridge_name(instance):
    return f"mflab{instance}"


def address(instance, number):
    """The address of host `number` (1, 2, ...) of a lab; number None is the machine's own."""
    last = 1 if number is None else FIRST_HOST + number - 1
    return f"198.{18 + instance // 256}.{instance % 256}.{last}"


def new_hardware_address():
    """A random, locally administered address that marks the bridge of one lab."""
    return "02:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(4)) + ":00"


def _networks_in_use():
    routes = json.loads(run("ip", "-json", "-4", "route", "show", "table", "all") or "[]")
    for route in routes:
        with contextlib.suppress(ValueError, KeyError):
            yield ipaddress.ip_network(route["dst"])


def create_bridge(hardware_address):
    """Make a bridge on a free instance number; returns that number."""
    taken = list(_networks_in_use())
    for instance in range(INSTANCES):
        own = address(instance, None)
        network = ipaddress.ip_network(f"{own}/24", strict=False)
        if any(network.overlaps(other) for other in taken):
            continue
        name = bridge_name(instance)
        command = ("ip", "link", "add", name, "address", hardware_address, "type", "bridge")
        if subprocess.run(command, capture_output=True).returncode != 0:
            if _link_exists(name):
                continue
            run(*command)
        run("ip", "addr", "add", f"{own}/24", "dev", name)
        run("ip", "link", "set", name, "up")
        return instance
    raise RuntimeError("no free network is left in 198.18.0.0/15")


def _link_exists(name):
    return os.path.exists(f"/sys/class/net/{name}")


def remove_bridge(hardware_address):
    """Remove the bridge with this hardware address and what is plugged into it, if it is there."""
    for bridge in json.loads(run("ip", "-json", "link", "show", "type", "bridge") or "[]"):
        if bridge.get("address") != hardware_address:
            continue
        name = bridge["ifname"]
        for port in json.loads(run("ip", "-json", "link", "show", "master", name) or "[]"):
            # A port vanishes by itself when the namespace at its other end does.
            subprocess.run(("ip", "link", "del", port["ifname"]), capture_output=True)
        run("ip", "link", "del", name)


def plug(instance, mark, number, pid):
    """Connect the network namespace of pid to the bridge; inside, the interface is eth0.

    Its hardware address depends on the host only: neighbours remember it over a power cut.
    """
    outer = f"{bridge_name(instance)}h{number:02}"
    # The other end of a host that was powered off a moment ago may still be there.
    subprocess.run(("ip", "link", "del", outer), capture_output=True)
    hardware_address = f"{mark[:-2]}{number:02x}"
    peer = ("type", "veth", "peer", "name", "eth0", "address", hardware_address)
    run("ip", "link", "add", outer, "master", bridge_name(instance), "up", *peer, "netns", str(pid))


def drop_from(namespace, sources):
    """Let nothing from these addresses arrive any more, silently: no RST, no ICMP.

    It is dropped at the receiver's end, because a drop on the way out would be reported to the
    sending program. ARP stays untouched, so that a cut host is not "unreachable" either.
    """
    rules = f"ip saddr {{ {', '.join(sources)} }} drop" if sources else ""
    run("nsenter", f"--net={namespace}", "nft", "-f", "-", text=CUT_RULES.format(rules=rules))


@contextlib.contextmanager
def inside(namespace):
    """This thread's new sockets are made in the given network namespace.

    A socket stays where it was made, so a test can hold connections from several hosts at once.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor):
        if libc.setns(descriptor, 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(namespace, os.O_RDONLY)
        try:
            enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            enter(home)
    finally:
        os.close(home)
