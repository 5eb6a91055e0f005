"""A provider of accounts with bearer tokens: a command that prints them, and the servers that ask for them."""

import base64
import re
import time

import smtp_server
from daemon import PostOffice
from token_program import script

EHLO = smtp_server.EHLO.replace("250-DSN", "250-DSN\n250-AUTH XOAUTH2")
BODY = """
number=$(($(wc -l < {home}/issued) + 1))
echo "$number $(date +%s.%N)" >> {home}/issued
{answer}
"""
BARE = "echo token-$number"
REFUSED = "535 5.7.8 the token has expired"


class Provider:
    """Tokens are token-1, token-2, ...; each is good for `life` seconds after it was printed."""

    def __init__(self, home, life=1e9, answer=BARE):
        self.home = home
        self.life = life
        self.locked = False
        self.heard = []  # (service, token, whether it was good)
        (home / "issued").touch()
        self.command = self.print(answer)
        self.oauth = {"token_command": [str(self.command)]}

    def print(self, answer):
        """From now on the command prints this."""
        return script(self.home, BODY.format(home=self.home, answer=answer), "provider")

    @property
    def issued(self):
        """When each of the tokens was printed."""
        return [float(line.split()[1]) for line in (self.home / "issued").read_text().splitlines()]

    def hear(self, service, response):
        token = re.search(r"Bearer (\S+?)\x01", base64.b64decode(response).decode())[1]
        number = re.fullmatch(r"token-(\d+)", token)
        issued = self.issued
        known = number is not None and int(number[1]) <= len(issued)
        good = known and not self.locked and time.time() < issued[int(number[1]) - 1] + self.life
        self.heard.append((service, token, good))
        return good

    def refusals(self, service):
        return sum(who == service and not good for who, _, good in list(self.heard))

    def office(self):
        """A post office that lets in whom this provider knows."""
        office = PostOffice(auth=[self.on_smtp])
        office.smtp.ehlo = EHLO
        office.imap.offers = "IDLE UIDPLUS SASL-IR AUTH=XOAUTH2"
        office.imap.on["AUTHENTICATE"] = self.on_imap
        return office

    def on_smtp(self, session):
        good = self.hear("smtp", session.commands[-1].split(" ")[-1])
        session.send(b"235 2.7.0 welcome\r\n" if good else REFUSED.encode() + b"\r\n")

    def on_imap(self, session, tag, arguments):
        if self.hear("imap", arguments.split(" ")[-1]):
            session.done(tag)
        else:
            session.write(f"{tag} NO [AUTHENTICATIONFAILED] the token has expired\r\n")

    def settings(self, office):
        """What of the configuration has tokens in it: relay and mailbox."""
        return {"relay": {"user": "probe@mx02.example", "oauth": self.oauth},
                "mailboxes": [{"name": "local", "host": "127.0.0.1", "port": office.imap.port,
                               "tls": "none", "user": "probe@mx02.example", "oauth": self.oauth}]}
