"""Maintenance in the words of the lab's tests: meshes of agents, windows, and who knows of them."""

import os
import re
import time

from agent import PORT, merge
from told import PATIENCE, arrivals, start

WINDOW = re.compile(r"\bwindow (w-\w+)")


def over_http(hosts):
    """The settings of peers whose agents are exchanged with over HTTP."""
    places = {host: f"http://{host.address}:{PORT}" for host in hosts}
    return {"peers": [peer_at(host, place) for host, place in places.items()]}


def over_tls(host, peers, **changes):
    """The same over HTTPS, and our own listener's side of it."""
    tls = host.directory / "tls"
    files = {
        "certificate_file": str(tls / "server.pem"),
        "key_file": str(tls / "server.key"),
        "ca_file": str(host.lab.authority),
    }
    peers = [peer_at(peer, f"https://{peer.domain}:{PORT}") for peer in peers]
    return {"http": merge(files, changes), "peers": peers}


def peer_at(host, place):
    return {"name": host.name, "address": f"probe@{host.domain}", "agent": place}


def others(host, hosts):
    return [other for other in hosts if other is not host]


def start_mesh(*hosts, exchange, **overrides):
    """Agents that know each other, by mail alone or over HTTP, too, once mail flows everywhere."""
    for host in hosts:
        peers = others(host, hosts)
        start(host, *peers, **merge(over_http(peers) if exchange else {}, overrides))
    wait_for_mail_everywhere(*hosts)


def wait_for_mail_everywhere(*hosts, more=2):
    """So many more probes have arrived on every path, and both its ends know it."""
    watched = [
        (host, peer, way)
        for host in hosts
        for peer in others(host, hosts)
        for way in ("inbound", "outbound")
    ]
    least = [arrivals(*where) + more for where in watched]
    for where, wanted in zip(watched, least):
        what = f"{more} {where[2]} arrivals at {where[0].name} with {where[1].name}"
        where[0].wait_for(lambda: arrivals(*where) >= wanted, PATIENCE + more, what)


def maintenance(host, *words, code=0, timeout=90.0):
    """(what mailflowctl says, on both streams, and in how many seconds)."""
    begun = time.monotonic()
    done = host.ctl("maintenance", *words, timeout=timeout)
    seconds = time.monotonic() - begun
    assert done.returncode == code, done
    return done.stdout + done.stderr, seconds


def begin(host, *words, code=0):
    """(id of the new window, what was said, seconds)."""
    said, seconds = maintenance(host, "begin", *words, code=code)
    return WINDOW.search(said)[1], said, seconds


def windows(host):
    """{id: window} of the API."""
    return {window["id"]: window for window in host.api("maintenance")["maintenance"]}


def wait_for_window(host, identity, seconds=PATIENCE, **members):
    """Until the agent knows the window with these members; returns it."""

    def as_wanted():
        window = windows(host).get(identity, {})
        return window if members.items() <= window.items() else None

    what = f"{host.name} to know {identity} as {members}"
    return host.wait_for(as_wanted, seconds, what) if members else host.wait_for(
        lambda: windows(host).get(identity), seconds, what
    )


def write_flag(host, server, text=""):
    """Touch a flag, whole or not at all, as `mv` into the directory would."""
    directory = host.agent_directory / "flags"
    draft = host.agent_directory / f"{server}.new"
    draft.write_text(text)
    os.makedirs(directory, exist_ok=True)
    draft.rename(directory / server)
    return directory / server
