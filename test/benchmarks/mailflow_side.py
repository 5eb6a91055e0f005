"""One agent that both sends to and collects from one mailbox, where any number of servers without an
agent are supposed to be, each with a cadence of its own: so one agent bears a probe's whole life.
"""

MAILBOX = "far"
ARRIVED = "mailflow_probes_resolved_total"


def servers(count):
    return [f"s{number:03}" for number in range(count)]


def configure(host, target, count, interval="1s", tls=True):
    """Let the agent of `host` probe the mailbox of `target` as `count` servers.

    Without TLS target must be the host itself: Dovecot takes no password else.
    """
    mailbox = host.default_agent_config([])["mailboxes"][0]
    relay = {"host": host.domain, "port": 25, "tls": "starttls", "ca_file": mailbox["ca_file"]}
    user = f"probe@{target.domain}"
    mailbox.update(name=MAILBOX, host=target.domain, user=user)
    mailbox["password_file"] = str(target.password_file("probe"))
    if not tls:
        mailbox.update(host="127.0.0.1", tls="none")
        del mailbox["ca_file"]
        relay = {"host": "127.0.0.1", "port": 25, "tls": "none"}
    peers = [{"name": name, "address": user, "collect": MAILBOX} for name in servers(count)]
    overrides = {"mailboxes": [mailbox], "relay": relay, "peers": peers}
    host.write_agent_config([], {**overrides, "defaults": {"interval": interval}})


def total(host, name):
    """The sum of a metric over all peers; 0 when the agent does not answer yet."""
    try:
        samples = host.metrics()
    except OSError:
        return 0
    return sum(value for (metric, _), value in samples.items() if metric == name)


def wait_warm(host, received=1):
    host.wait_for(lambda: total(host, ARRIVED) >= received, 60, "probes")
