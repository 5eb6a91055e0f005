"""The guides keep to what there is: a section for every kind of incident, commands that mailflowctl
knows, and configurations that it takes.
"""

import pathlib
import re
import subprocess

import pytest
from calendar_program import answers, utc
from ctl import BUILD, ctl

FOLDER = pathlib.Path(__file__).parents[2] / "config"
GUIDES = sorted(FOLDER.glob("*.md"))
WRITTEN = [FOLDER / "RUNBOOK.md", FOLDER / "GUIDE.md"]
LEAST = """\
server: mx09
mesh_keys: [{id: k9, file: mesh.key}]
mailboxes: [{name: least, host: mx09.example, user: probe@mx09.example, password_file: probe.password}]
"""
PEERS = "peers: [{name: mx01, address: probe@mx01.example}, {name: mx02, address: probe@mx02.example}]\n"


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sections(text):
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def kinds():
    """Of incidents, by the manual of metrics, which is made from the code."""
    text = (BUILD / "config/man/mailflow-metrics.7").read_text()
    listed = re.search(r"\.It Cm kind\nOf an incident.*\n((?:\.Cm .*\n)+)", text).group(1)
    return re.findall(r"\.Cm (\S+)", listed)


def test_every_kind_of_incident_has_its_section_and_nothing_else_has():
    assert list(sections(WRITTEN[0].read_text())) == kinds()


def test_each_section_says_what_it_means_three_commands_causes_and_its_end():
    for kind, text in sections(WRITTEN[0].read_text()).items():
        said = re.findall(r"^\*\*(\w+)", text, re.MULTILINE)
        assert said == ["Means", "Usually", "Ends"], kind
        (commands,) = blocks(text, "sh")
        assert len(commands.splitlines()) == 3, kind
        assert "mailflowctl" in commands or "journalctl" in commands, kind


def commands(text):
    """Lines of shells, and what stands in running text, that call mailflowctl."""
    lines = "".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    spans = [" ".join(span.split()) for span in re.findall(r"`(mailflowctl [^`]*)`", text)]
    for line in [*lines, *spans]:
        for part in re.split(r"\||&&|;", line):
            words = re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", part.partition("#")[0]).split()
            if "mailflowctl" in words:
                yield words[words.index("mailflowctl") + 1 :]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_is_one_that_mailflowctl_knows(guide):
    for words in commands(guide.read_text()):
        shown = ctl(*words, "--help")
        assert shown.code == 0, words
        options = re.findall(r"^ +(?:(-\w), )?(--[a-z-]+)", shown.out, re.MULTILINE)
        known = {name for pair in options for name in pair}
        for word in words:
            assert not word.startswith("-") or word == "-" or word.split("=")[0] in known, words
        assert shown.out.startswith("Usage: mailflowctl") and "Verbs:" not in shown.out, words


def completed(snippet):
    """A whole configuration: what the snippet has not, but must be there."""
    if re.search(r"^server:", snippet, re.MULTILINE):
        return snippet
    missing = [line for line in LEAST.splitlines(keepends=True) if not has(snippet, line)]
    return "".join(missing) + ("" if has(snippet, PEERS) else PEERS) + snippet


def has(snippet, line):
    return re.search(rf"^{line.partition(':')[0]}:", snippet, re.MULTILINE) is not None


def lay_out(folder, text):
    """The files that the configuration names, all below the folder, and programs that do nothing."""
    text = re.sub(r"(?<=[ \[\"])/(etc|run|var/lib)/mailflow(?=[/ ])", str(folder), text)
    text = re.sub(r"(?<=token_command: \[)[^],]*", "/bin/true", text)
    for name in re.findall(r"(?:_file|\bfile): *\"?([^\s,}\"]+)", text):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a secret of more than sixteen bytes\n")
        path.chmod(0o600)
    (folder / "mailflow.yaml").write_text(text)


@pytest.mark.parametrize("guide", WRITTEN, ids=lambda guide: guide.name)
def test_every_configuration_is_taken(guide, tmp_path):
    for number, snippet in enumerate(blocks(guide.read_text(), "yaml")):
        folder = tmp_path / str(number)
        folder.mkdir()
        lay_out(folder, completed(snippet))
        result = ctl("check", "--config", folder / "mailflow.yaml")
        assert result.code == 0, (snippet, result)


POSTFIX = re.compile(r"^```\n# /etc/postfix/main\.cf\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_setting_of_postfix_is_one(tmp_path):
    """By its own tool: each is known, and written as Postfix reads it."""
    master = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text()
    snippets = POSTFIX.findall(WRITTEN[1].read_text())
    assert len(snippets) == 2
    for number, snippet in enumerate(snippets):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "master.cf").write_text(master)
        (folder / "main.cf").write_text(f"compatibility_level = 3.6\n{snippet}")
        done = subprocess.run(("postconf", "-c", folder, "-n"), capture_output=True, text=True, check=True)
        assert done.stderr == ""  # it warns of what it does not know
        names = re.findall(r"^(\w+) =", snippet, re.MULTILINE)
        assert set(names) <= set(re.findall(r"^(\w+) =", done.stdout, re.MULTILINE))


def test_the_calendar_is_understood(tmp_path):
    (text,) = re.findall(r"^BEGIN:VCALENDAR\n.*?^END:VCALENDAR\n", WRITTEN[1].read_text(),
                         re.MULTILINE | re.DOTALL)
    file = tmp_path / "maintenance.ics"
    file.write_text(text)
    *events, _ = answers(file=str(file), begins="2026-12-01T00:00", ends="2027-01-05T00:00")
    assert [utc(event["begin"]) for event in events] == ["2026-12-06T01:00Z", "2027-01-03T01:00Z"]


def test_what_the_guides_refer_to_is_there():
    for guide in GUIDES:
        for name, anchor in re.findall(r"\]\(([A-Z]+\.md)?(?:#([a-z0-9-]+))?\)", guide.read_text()):
            target = FOLDER / name if name else guide
            headings = re.findall(r"^##+ (.*)$", target.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\s-]", "", title.lower()).replace(" ", "-") for title in headings}
            assert not anchor or anchor in anchors, (guide.name, name, anchor)
