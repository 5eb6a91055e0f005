"""Bearer tokens that expire, handed out by a command: Postfix takes submissions and Dovecot logins by them."""

from pathlib import Path

import together
from agent import merge
from host import PYTHON
from told import count, ledger, notifications, start, wait_for_arrivals, wait_for_line

SERVICE = Path(__file__).with_name("token_service.py")
PORT = 8021
LIFE = 4  # seconds that a token counts
LIVES = 5
COMMAND = """#!/bin/sh
token=ya29.$(cat /proc/sys/kernel/random/uuid)
echo "$token $(($(date +%s) + {life})) {user}" >> {issued}
{answer}
"""
BARE = "echo $token"
ENDPOINT = f"""echo "{{\\"access_token\\":\\"$token\\",\\"expires_in\\":{LIFE - 1}}}\""""


class Tokens:
    """What lets the user `probe` of a host in, instead of its password."""

    def __init__(self, host, answer):
        self.host = host
        self.user = f"probe@{host.domain}"
        self.issued = host.directory / "issued"
        self.asked = host.directory / "asked"
        self.issued.touch()
        self.command = host.directory / "token-command"
        text = COMMAND.format(life=LIFE, user=self.user, issued=self.issued, answer=answer)
        self.command.write_text(text)
        self.command.chmod(0o755)
        host.run_daemon("setsid", "-f", PYTHON, SERVICE, PORT, self.issued, log=self.asked)
        host.servers["imap"].accept_tokens(PORT)
        # Its smtpd asks Dovecot for the mechanisms once in its life.
        host.servers["smtp"].adjust({"smtpd_sasl_path": "private/auth"})

    @property
    def count(self):
        return len(self.issued.read_text().splitlines())

    @property
    def refused(self):
        return self.asked.read_text().split().count("refused")

    def start(self, peer, mechanism):
        oauth = {"token_command": [str(self.command)], "mechanism": mechanism}
        access = {"user": self.user, "password_file": None, "oauth": oauth}
        box = merge(self.host.default_agent_config([])["mailboxes"][0], access)
        relay = {"host": self.host.domain, "port": 587, "tls": "starttls"}
        relay |= {"ca_file": str(self.host.lab.authority), "user": self.user, "oauth": oauth}
        start(self.host, peer, relay=relay, mailboxes=[box])


@together.on(hosts=2, long=True)
def test_tokens_expire_and_nobody_notices(mx01, mx02):
    """One command says how long its tokens count, the other does not, so that servers refuse them."""
    told, untold = Tokens(mx01, ENDPOINT), Tokens(mx02, BARE)
    told.start(mx02, "oauthbearer")
    untold.start(mx01, "xoauth2")
    wait_for_arrivals(mx01, mx02, 2)
    for tokens in told, untold:
        before = tokens.count
        for life in range(1, LIVES + 1):
            what = f"{life} more tokens at {tokens.host.name}"
            tokens.host.wait_for(lambda: tokens.count >= before + life, 10 * LIFE, what)
            tokens.host.servers["imap"].kick(tokens.user)
    wait_for_arrivals(mx01, mx02, 2)
    for tokens in told, untold:
        host = tokens.host
        probes = count(host, r"probe ACCEPTED .*")
        print(f"{host.name}: {probes} probes over {tokens.count} tokens, {tokens.refused} logins refused")
        assert count(host, r"probe REFUSED .*") == 0 and notifications(host) == []
        assert count(host, r"mailbox DOWN .*refused.*") == 0
        assert ledger(host, "SELECT count(*) FROM probes WHERE state = 'refused'") == [(0,)]
        assert not [line for line in host.syslog() if "ya29." in line]
        log = (host.directory / "maillog").read_text()
        assert f"sasl_username={tokens.user}" in log
    assert untold.refused >= LIVES - 1
    assert "sasl_method=OAUTHBEARER" in (mx01.directory / "maillog").read_text()
    assert "sasl_method=XOAUTH2" in (mx02.directory / "maillog").read_text()


@together.on(hosts=2)
def test_an_account_that_is_locked(mx01, mx02):
    """The command goes on printing what nobody takes: that is said, in the servers' words, and ends."""
    tokens = Tokens(mx01, BARE)
    tokens.start(mx02, "auto")
    start(mx02, mx01)
    wait_for_arrivals(mx01, mx02, 2)
    good = tokens.command.read_text()
    tokens.command.write_text(good.replace(tokens.user, "nobody@else"))
    path = f"{mx01.name}->{mx02.name}"
    _, match = wait_for_line(mx01, rf'refused FIRING .*path={path} .* cause="(.*?)".*')
    print(match[1])
    assert match[1].startswith("535 5.7.8 Error: authentication failed")
    issued, refused = tokens.count, tokens.refused
    print(f"until it was said: {issued} tokens, {refused} refused")
    tokens.command.write_text(good)
    wait_for_line(mx01, rf"refused RESOLVED .*path={path} .*")
    wait_for_arrivals(mx01, mx02, 2)
