"""What setup and join are run with: a place for the configuration, and scripted servers."""

import contextlib
import pathlib
import sys
import types

import imap_server
import smtp_server
from ctl import BUILD, PROGRAM, ctl
from daemon import PASSWORD, PostOffice

sys.path.append(str(pathlib.Path(__file__).parents[1] / "lab"))
from terminal import Terminal  # noqa: E402

PROBERS = ("--probers", BUILD / "probes")


class Place:
    """Where a server would keep its configuration; nothing is there yet."""

    def __init__(self, home, name="mx01"):
        self.home = pathlib.Path(home)
        self.name = name
        self.folder = self.home / f"etc-{name}"
        self.config = self.folder / "mailflow.yaml"
        self.password = self.home / "password"
        self.password.write_text(PASSWORD + "\n")
        self.password.chmod(0o600)

    def flags(self, imap, relay, *more):
        """As for two servers on this machine without TLS; `more` may say otherwise."""
        address = f"probe@{self.name}.example"
        usual = {"--server": self.name, "--user": address, "--password-file": self.password}
        usual |= {"--imap": f"127.0.0.1:{imap}", "--imap-tls": "none"}
        usual |= {"--relay": f"127.0.0.1:{relay}", "--probers": BUILD / "probes"}
        usual |= dict(zip(more[::2], more[1::2]))
        kept = {flag: value for flag, value in usual.items() if value is not None}
        return [word for pair in kept.items() for word in pair]

    def run(self, *words, **options):
        return ctl(*words, "--config", self.config, **options)

    def setup(self, office, *more, verb=("setup",), **options):
        flags = self.flags(office.imap.port, office.smtp.port, *more)
        return self.run(*verb, "--yes", *flags, **options)

    def at_terminal(self, *words):
        return Terminal([PROGRAM, *words, "--config", self.config, *PROBERS])

    @property
    def files(self):
        """Everything in the folder, hidden or not; None when there is no folder."""
        if not self.folder.exists():
            return None
        return sorted(str(file.relative_to(self.folder)) for file in self.folder.rglob("*"))


@contextlib.contextmanager
def office_that(imap=None, smtp=None, **script):
    """A post office of which one server, or both, is another one."""
    with PostOffice(**script) as office, contextlib.ExitStack() as stack:
        if imap is not None:
            imap.password = PASSWORD
            imap.folders["INBOX"] = office.imap.inbox
            stack.enter_context(imap)
        if smtp is not None:
            smtp.script = {"content": [office.deliver], **smtp.script}
            stack.enter_context(smtp)
        yield types.SimpleNamespace(imap=imap or office.imap, smtp=smtp or office.smtp)


__all__ = ["PASSWORD", "PROBERS", "Place", "Terminal", "imap_server", "office_that", "smtp_server"]
