"""mailflowd and its probers killed (SIGKILL) at random instants, as often as 20 seconds allow: about
a hundred times without sanitizers.

MAILFLOW_KILLS=1000 kills as often instead, MAILFLOW_SEED repeats a run. The post office is the
witness: it knows every probe that it took over. It delivers some of them later, so that they arrive in another life
of the agent than the one that sent them; and those of some peers it refuses for a while, so that
incidents open, notify and close amid the kills.
"""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from daemon import BUILD, ID, PROGRAM, Daemon, PostOffice, probe_text, wait_for

KILLS = int(os.environ.get("MAILFLOW_KILLS", 0))
SECONDS = 20.0  # when it is not said how many
SEED = int(os.environ.get("MAILFLOW_SEED") or time.time())
PEERS = [f"mx{number:02}" for number in range(10, 30)]
REFUSED = PEERS[:5]
ARRIVED = r"probe ARRIVED path=\S+ probe=(\S+) .*"
OPEN = ("sending", "accepted")


class Witness(PostOffice):
    """Delivers some of the mail later, and answers for some of it later than it takes it over."""

    def __init__(self, chance):
        super().__init__(rcpt=[self.judge])
        self.chance = chance
        self.handed_over = []
        self.refuses = False
        self.under_way = 0
        self.lock = threading.Lock()

    def judge(self, session):
        peer = session.commands[-1].partition("@")[2].partition(".")[0]
        refused = self.refuses and peer in REFUSED
        session.send(b"550 5.1.1 nobody\r\n" if refused else b"250 2.1.5 Ok\r\n")

    def deliver(self, session):
        headers = session.content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        with self.lock:
            self.handed_over.append(ID.search(headers)[1].decode())
            self.under_way += 1
            delay, pause = self.chance.choice([0, 0, 0.2, 2.0]), self.chance.choice([0, 0, 0, 0.05])
        threading.Timer(delay, self.put, [headers]).start()
        session.server.over.wait(pause)
        session.send(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n")

    def put(self, headers):
        with self.lock:
            super().put(headers)
            self.under_way -= 1

    def is_empty(self):
        return self.under_way == 0 and not self.imap.inbox.messages


def answers(daemon):
    assert daemon.process.poll() is None, daemon.said
    try:
        return daemon.request("GET", "/healthz")[0] == 200
    except OSError:
        return False


class Victim:
    """The agent, and what was done to it."""

    def __init__(self, daemon, chance):
        self.daemon = daemon
        self.chance = chance
        self.killed = {"agent": 0, "prober": 0}
        self.start()
        begun = time.monotonic()
        daemon.wait("agent STARTED .*")
        # Some lives are so short that they end amid the start; under sanitizers it takes longer.
        self.lives = [longest * min(4.0, max(1.0, (time.monotonic() - begun) / 0.1))
                      for longest in (0.05, 0.3, 0.9)]
        self.begun = time.monotonic()

    def start(self):
        command = (PROGRAM, "--config", self.daemon.config, "--probers", BUILD / "probes")
        self.daemon.errors = open(self.daemon.home / "stderr", "ab")
        self.daemon.process = subprocess.Popen(command, stderr=self.daemon.errors)

    def kill_agent(self):
        self.daemon.process.kill()
        assert self.daemon.process.wait() == -signal.SIGKILL, self.daemon.said
        self.daemon.errors.close()
        self.killed["agent"] += 1
        self.start()

    def kill_prober(self):
        children = self.daemon.children()
        if children:
            with contextlib.suppress(ProcessLookupError):  # it may just have ended by itself
                os.kill(self.chance.choice(children), signal.SIGKILL)
                self.killed["prober"] += 1

    def kill(self):
        time.sleep(self.chance.choice(self.lives) * self.chance.random())
        assert self.daemon.process.poll() is None, self.daemon.said
        self.chance.choice([self.kill_agent, self.kill_prober])()

    @property
    def kills(self):
        return sum(self.killed.values())

    def progress(self):
        """How much of all the killing is done."""
        return self.kills / KILLS if KILLS else (time.monotonic() - self.begun) / SECONDS

    def kill_until(self, progress, condition=lambda: True):
        """So far, and until something has come about."""
        end = time.monotonic() + 60 + KILLS
        while self.progress() < progress or not condition():
            assert time.monotonic() < end, (self.killed, self.daemon.states(), self.incidents())
            self.kill()

    def incidents(self):
        return self.daemon.ledger("SELECT kind, subject, notified, closed FROM incidents")

    def open_incidents(self):
        # Not amid a start: who reads then may hold the ledger up, and it is refused as being in use.
        wait_for(lambda: answers(self.daemon), 20, "an agent that answers")
        return sum(notified and closed is None for _, _, notified, closed in self.incidents())

    def come_to_rest(self, office):
        """No more slots; everything on its way has come in and been removed."""
        daemon = self.daemon
        wait_for(lambda: answers(daemon), 10, "an agent that answers")
        daemon.configure(daemon.settings, {"defaults": {"interval": "1d"}})
        assert daemon.request("POST", "/api/v1/reload")[0] == 200
        at_rest = lambda: office.is_empty() and not set(OPEN) & set(daemon.states())  # noqa: E731
        wait_for(at_rest, 15, "the last arrivals")


@pytest.fixture(scope="module", name="aftermath")
def fixture_aftermath(tmp_path_factory):
    """The agent and its post office, after all the kills and at rest."""
    home = tmp_path_factory.mktemp("kills")
    print(f"MAILFLOW_SEED={SEED}; ledger and words of the agent lie in {home}")
    chance = random.Random(SEED)
    with Witness(chance) as office:
        daemon = Daemon(home, office, peers=PEERS,
                        defaults={"latency": {"warning": "60s", "critical": "5m"}},
                        incidents={"blind_after": "2m", "refused_after": 1, "close_after": 1})
        victim = Victim(daemon, chance)
        with daemon:
            victim.kill_until(1 / 3)
            office.refuses = True
            victim.kill_until(2 / 3, lambda: victim.open_incidents() == len(REFUSED))
            office.refuses = False
            victim.kill_until(1, lambda: victim.open_incidents() == 0)
            victim.come_to_rest(office)
            took = time.monotonic() - victim.begun
            print(f"{victim.kills} kills in {took:.0f} s {victim.killed}, "
                  f"{len(office.handed_over)} probes handed over")
            yield daemon, office
            assert daemon.stop(seconds=10) == 0, daemon.said


def test_no_probe_is_lost_from_the_ledger(aftermath):
    daemon, office = aftermath
    rows = daemon.ledger("SELECT id, state, verdict FROM probes WHERE direction = 'outbound'")
    known = {probe_text(identity): (state, verdict) for identity, state, verdict in rows}
    assert len(known) == len(rows) and len(office.handed_over) >= len(PEERS)
    assert {known.get(probe) for probe in office.handed_over} == {("arrived", "on_time")}
    others = {known[probe][0] for probe in set(known) - set(office.handed_over)}
    assert others <= {"refused", "uncertain"}


def test_no_probe_is_handed_over_or_counted_twice(aftermath):
    daemon, office = aftermath
    told = [match[1] for _, match in daemon.found(ARRIVED)]
    assert len(told) == len(set(told))
    assert len(office.handed_over) == len(set(office.handed_over))
    for peer in PEERS:
        assert daemon.metric("probe_duplicates_total", peer=peer) == 0
        slots = [slot for slot, in daemon.ledger(
            "SELECT slot FROM probes WHERE peer = ? AND slot > 0 ORDER BY planned", peer)]
        assert all(earlier < later for earlier, later in zip(slots, slots[1:]))


def test_nothing_false_is_said_nothing_is_lost_and_nothing_repeated_as_new(aftermath):
    daemon, _ = aftermath
    lines = [match for _, match in daemon.found(r"(\w+) (\w+) .*\bpath=mx02->(\S+) .*")
             if match[1] != "probe"]
    said = {match.groups() for match in lines}
    assert said == {("refused", state, peer) for state in ("FIRING", "RESOLVED")
                    for peer in REFUSED}
    doubtful = sum("repeated=maybe" in match[0] for match in lines)
    print(f"{len(said)} notifications said, {doubtful} of them by the next life, "
          f"{len(lines) - len(said)} twice")
    assert len(lines) - len(said) <= doubtful
    kinds = daemon.ledger("SELECT kind, count(*), sum(notified) FROM incidents GROUP BY kind")
    assert kinds == [("refused", len(REFUSED), len(REFUSED))]
    assert daemon.ledger("SELECT * FROM notices") == []
