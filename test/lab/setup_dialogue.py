"""What `mailflowctl setup` and `join` ask at a terminal, and who answers it beside a host of the lab."""

import re

JOIN = re.compile(r"^ +mailflowctl (join mf1\.\S+)$", re.MULTILINE)


def answer_questions(terminal, host):
    """Enter wherever this machine suggests what is right; the lab's authority is nobody's."""
    terminal.answer("This server's name in the mesh [%s]" % host.name)
    terminal.answer("IMAP server of the probes' mailbox, host or host:port [%s]" % host.domain)
    terminal.answer("Its TLS: starttls, implicit or none [starttls]")
    terminal.answer("IMAP user [probe@%s]" % host.domain)
    terminal.expect("Password of probe@%s (not shown): " % host.domain)
    assert not terminal.echoes
    terminal.type(host.password("probe") + "\n")
    terminal.answer("SMTP server that probes are handed to, host or host:port [127.0.0.1:25]")
    terminal.answer("Where the peers' agents reach this one", f"http://{host.domain}:9925")


def answer_again(terminal, authority):
    """The second time only what is to be different."""
    terminal.answer("What now: change the answers, write them as they are, or quit [change]")
    terminal.answer("This server's name in the mesh")
    terminal.answer("IMAP server of the probes' mailbox")
    terminal.answer("Its TLS")
    terminal.answer("PEM file of its certificate's authority", str(authority))
    terminal.answer("IMAP user")
    terminal.answer("Password of")
    terminal.answer("SMTP server that probes are handed to")
    terminal.answer("Its TLS")
    terminal.answer("User to log in there")
    terminal.answer("Where the peers' agents reach this one")


def go_through(terminal, host, authority):
    """The whole dialogue; the words of the line for the other server. `authority` is the PEM file's
    name where mailflowctl runs.
    """
    answer_questions(terminal, host)
    terminal.expect("FAILED  mailbox local at %s:143: " % host.domain)
    assert "certificate is not trusted" in terminal.expect("name its PEM file as ca_file")
    answer_again(terminal, authority)
    terminal.expect("ok      mailbox local at %s:143: readable" % host.domain)
    terminal.expect("ok      relay at 127.0.0.1:25: our probe has arrived", 90)
    assert terminal.end() == 0
    assert host.password("probe") not in terminal.said
    return JOIN.search(terminal.said)[1].split()
