"""Eight servers that know each other by mail alone. Three things go wrong at once, each elsewhere:
one server loses power, one path is cut, one agent is stopped while its mail server goes on. Every
agent says each of them once, by its cause, and once that it is over; nothing else is said.
"""

import concurrent.futures
import re
import time

import pytest
from agent import merge
from told import BUILD, QUICK, answers, arrivals, ledger, lines, notifications, wait_for_line

HOSTS = 8
PATIENCE = 90  # a greeting is awaited for 20 s; eight servers on a busy machine are slow
SETTINGS = merge(
    QUICK,
    {
        "defaults": {"interval": "4s", "latency": {"warning": "4s", "critical": "13s"}},
        "incidents": {"hold": "6s", "blind_after": "15s", "isolated_after": "15s"},
    },
)
DEAD, STOPPED, SENDER, RECEIVER = "mx08", "mx07", "mx02", "mx01"
PATH = f"{SENDER}->{RECEIVER}"
LINE = r"{} {} (?:severity=\w+ )?(?:server|path)={} .*"
MAIL_CUT = """
table inet mail {{
    chain input {{
        type filter hook input priority 0;
        ip saddr {source} tcp dport 25 drop;
    }}
}}
"""


def everywhere(hosts, action):
    with concurrent.futures.ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(action, hosts))


def start_agent(host):
    host.agent_start(BUILD)
    host.wait_for(lambda: answers(host), PATIENCE, f"{host.name}'s agent to answer")


def cells(host):
    """{path: state} of the matrix as this agent knows it."""
    return {cell["path"]: cell["state"] for cell in host.api("mesh")["cells"]}


def is_elsewhere(path):
    """Between two servers that nothing is wrong with, and not the path that is cut, nor its way back."""
    ends = path.split("->")
    return not {DEAD, STOPPED} & set(ends) and set(ends) != {SENDER, RECEIVER}


def shows_the_troubles(matrix, others):
    """A late row leaves its cells unknown for a moment."""
    bad = [PATH] + [f"{gone}->{host.name}" for gone in (DEAD, STOPPED) for host in others]
    return all(matrix.get(path) == "bad" for path in bad) and all(
        state == "ok" for path, state in matrix.items() if is_elsewhere(path))


def knows_its_paths(host):
    return {path["state"] for path in host.api("paths")["paths"]} == {"ok"}


def wait_for_notices(hosts, state):
    """The lines that the three troubles make: {(host, kind, subject): seconds from now on}."""
    expected = [(host, "down", DEAD) for host in hosts]
    expected += [(host, "unheard", STOPPED) for host in hosts]
    expected += [(host, "silent", PATH) for host in hosts if host.name == RECEIVER]
    begun = time.monotonic()

    def wait(notice):
        host, kind, subject = notice
        wait_for_line(host, LINE.format(kind, state, subject), seconds=PATIENCE)
        return (host.name, kind, subject), time.monotonic() - begun

    return dict(everywhere(expected, wait))


def said(host, kind, state, subject):
    """The one line of this kind: its keys."""
    pattern = re.compile(LINE.format(kind, state, subject))
    (found,) = [text for _, text in lines(host) if pattern.fullmatch(text)]
    return dict(re.findall(r'(\w+)=("[^"]*"|\S+)', found))


class Story:
    """What happened, for the tests to look at."""

    def __init__(self, lab):
        self.lab = lab
        self.others = [host for host in lab if host.name not in (DEAD, STOPPED)]
        for host in lab:
            host.write_agent_config(overrides=SETTINGS)
        everywhere(list(lab), start_agent)
        for host in lab:
            host.wait_for(lambda: knows_its_paths(host), PATIENCE, f"{host.name}'s paths to be ok")
        self.quiet = [notifications(host) for host in lab]

    def break_down(self):
        sender, receiver = self.lab[SENDER], self.lab[RECEIVER]
        self.lab[STOPPED].agent_stop()
        receiver.run("nft", "-f", "-", input=MAIL_CUT.format(source=sender.address))
        self.lab[DEAD].power_off()
        self.opened = wait_for_notices(self.others, "FIRING")
        bystander = self.lab["mx03"]
        bystander.wait_for(lambda: shows_the_troubles(cells(bystander), self.others), PATIENCE,
                           "a matrix that shows the three troubles and no other")
        self.drawn = bystander.ctl("mesh", check=True).stdout

    def repair(self):
        self.lab[RECEIVER].run("nft", "delete", "table", "inet", "mail")
        self.lab[DEAD].heal()
        everywhere([self.lab[DEAD], self.lab[STOPPED]], start_agent)
        self.closed = wait_for_notices(self.others, "RESOLVED")


@pytest.fixture(scope="module")
def story(make_lab):
    begun = time.monotonic()
    told = Story(make_lab(HOSTS))
    print(f"{HOSTS} servers, every path known after {time.monotonic() - begun:.1f} s")
    told.break_down()
    told.repair()
    for what, times in ("opened", told.opened), ("closed", told.closed):
        for kind in "down", "unheard", "silent":
            seconds = [value for (_, of, _), value in times.items() if of == kind]
            print(f"{kind} {what} at {len(seconds)} agents: {min(seconds):.1f}..{max(seconds):.1f} s")
    for host in told.lab:
        print(f"{host.name} said {len(notifications(host))} lines")
    print(f"{time.monotonic() - begun:.1f} s in all")
    print(told.drawn)
    return told


def test_nothing_is_said_of_a_mesh_that_is_well(story):
    assert story.quiet == [[]] * HOSTS


def test_every_agent_says_each_trouble_once_and_its_end_once(story):
    for host in story.others:
        expected = [("down", DEAD), ("unheard", STOPPED)]
        expected += [("silent", PATH)] if host.name == RECEIVER else []
        assert sorted(notifications(host)) == sorted(
            (kind, state, subject) for kind, subject in expected for state in ("FIRING", "RESOLVED")
        )
    for name in DEAD, STOPPED:
        assert notifications(story.lab[name]) == []


def test_the_line_names_the_culprit_and_the_cells(story):
    for host in story.others:
        for kind, subject, culprit in ("down", DEAD, "server"), ("unheard", STOPPED, "sender"):
            keys = said(host, kind, "FIRING", subject)
            print(f"{host.name} {kind} {subject}: {keys.get('seen_by')} {keys.get('cells')}")
            assert keys["culprit"] == culprit
            seen_by, of = map(int, keys["seen_by"].split("/"))
            assert 2 <= seen_by == of <= len(story.others)
            assert f"{subject}->{host.name}," in keys["cells"]


def test_a_path_that_is_cut_is_that_path_alone(story):
    keys = said(story.lab[RECEIVER], "silent", "FIRING", PATH)
    print(f"{PATH}: {keys['seen_by']} {keys['cells']}")
    assert keys["culprit"] == "path"
    assert keys["seen_by"].startswith("1/")
    assert keys["cells"].startswith(f'"{PATH} bad; {SENDER}->mx')


def test_the_matrix_of_a_bystander_shows_it(story):
    assert f"{PATH}: bad, says {RECEIVER}" in story.drawn
    assert re.search(rf"^{DEAD}: what it sends arrives nowhere", story.drawn, re.MULTILINE)


def test_mail_alone_tells_what_became_of_what_was_sent(story):
    """No peer has an `agent:`: all that is known of outbound probes was in receipts in the mail."""
    query = (
        "SELECT verdict, count(*) FROM probes"
        " WHERE direction = 'outbound' AND peer = ? AND state = 'arrived' GROUP BY verdict"
    )
    for host in story.others:
        for peer in story.others:
            if peer is host or {host.name, peer.name} == {SENDER, RECEIVER}:
                continue
            judged = dict(ledger(host, query, peer.name))
            print(f"{host.name}->{peer.name}, by receipts: {judged}")
            assert judged.get("on_time", 0) >= 3
            assert judged["on_time"] <= arrivals(peer, host)
