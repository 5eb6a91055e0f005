"""The manuals say what the programs do: every verb, option, key and metric, and nothing else."""

import pathlib
import re
import subprocess

from ctl import PROGRAM as MAILFLOWCTL
from ctl import environment
from daemon import BUILD, PROGRAM, Daemon

ROOT = pathlib.Path(__file__).parents[2]
OPTION = re.compile(r"^ +(?:-\w, )?--([a-z-]+)", re.MULTILINE)


def page(name):
    return (BUILD / "config/man" / name).read_text()


def section(text, heading, macro=".Sh"):
    """What stands under a heading."""
    begin = text.index(f"\n{macro} {heading}\n")
    end = re.search(r"\n\.Sh |\n\.Ss ", text[begin + 1 :])
    return text[begin:] if end is None else text[begin : begin + 1 + end.start()]


def options(text):
    """Those that a list explains."""
    return sorted(re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", text, re.MULTILINE))


def said(program, *words):
    command = (program, *words)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    return done.stdout


def listed(text, heading):
    """The lines of one list of the help."""
    return text.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]


def test_every_verb_of_mailflowctl_with_its_options():
    text = page("mailflowctl.1")
    overview = said(MAILFLOWCTL, "help")
    verbs = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", listed(overview, "Verbs"), re.MULTILINE)
    assert len(verbs) > 10
    assert re.findall(r"^\.Ss (.*)", text, re.MULTILINE) == verbs
    for verb in verbs:
        own = listed(said(MAILFLOWCTL, *verb.split(), "--help"), "Options")
        told = section(text, verb, ".Ss")
        if same := re.search(r"^Its options are those of\n\.Cm (.*) \.$", told, re.MULTILINE):
            told = section(text, same[1], ".Ss")
        assert options(told) == sorted(OPTION.findall(own)), verb


def test_no_long_list_of_options_is_there_twice():
    lists = [options(part) for part in page("mailflowctl.1").split("\n.Ss ")[1:]]
    long_ones = [found for found in lists if len(found) > 4]
    assert len(long_ones) > 1
    assert all(long_ones.count(found) == 1 for found in long_ones)


def test_the_options_of_every_verb():
    own = listed(said(MAILFLOWCTL, "help"), "Options of every verb")
    assert options(section(page("mailflowctl.1"), "OPTIONS")) == sorted(OPTION.findall(own))


def test_the_options_of_mailflowd():
    usage, _, explained = said(PROGRAM, "--help").partition("\n\n")
    found = options(page("mailflowd.8"))
    assert found == sorted(OPTION.findall(explained)) == sorted(re.findall(r"--([a-z-]+)", usage))


def test_every_key_of_the_configuration():
    reference = (ROOT / "config/REFERENCE.md").read_text()
    keys = re.findall(r"^(?:## (.*)|\| `([a-z_]+)` \|)", reference, re.MULTILINE)
    text = page("mailflow.yaml.5").partition(".Sh KEYS\n")[2].partition("\n.Sh ")[0]
    assert keys == re.findall(r"^\.(?:Ss \\&(.*)\\&|It Cm (.*))$", text, re.MULTILINE)


def plain(text):
    """As it is on the screen, in one line."""
    for written, shown in ((r"\(aq", "'"), (r"\fB", "`"), (r"\fR", "`"), (r"\-", "-"), (r"\&", "")):
        text = text.replace(written, shown)
    return " ".join(text.split())


def test_every_metric_as_it_is_scraped(tmp_path, office):
    with Daemon(tmp_path, office).start() as daemon:
        shown = daemon.request("GET", "/metrics")[1]
    helps = re.findall(r"^# HELP (\S+) (.*)$", shown, re.MULTILINE)
    types = dict(re.findall(r"^# TYPE (\S+) (.*)$", shown, re.MULTILINE))
    text = section(page("mailflow-metrics.7"), "METRICS")
    items = re.findall(r"^\.It Cm (\w+).*\n((?:[^.].*\n)*)", text, re.MULTILINE)
    assert [name for name, _ in items] == [name for name, _ in helps]
    for (name, explained), (_, help_text) in zip(items, helps):
        words, kind = re.fullmatch(r"(.*\.) (\w+)(?:, [^.]*)?\.", plain(explained)).groups()
        assert words == help_text
        assert {"Info": "gauge"}.get(kind, kind.lower()) == types[name]
