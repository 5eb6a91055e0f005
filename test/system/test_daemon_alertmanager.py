"""Silences of an Alertmanager as windows of a running agent; the Alertmanager is scripted.

test/lab/test_agent_prometheus.py has the real one.
"""

import datetime
import json
import re
import signal
import socket
import time
import uuid

import pytest

import http_server
from daemon import Daemon, wait_for

PATIENCE = 30  # its program may take its time to start on a busy machine
UNUSABLE = 'alertmanager UNUSABLE problem="{}" consequence="the windows of the silences last read stand"'
USABLE = "alertmanager USABLE"


def now(**more):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**more)
    return at.replace(microsecond=0)


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def silence(value="mx01", minutes=30, begin=0, state="active", name="mailflow_server", **members):
    """As GET /api/v2/silences has it; begin is so many minutes from now."""
    matcher = {"name": name, "value": value, "isRegex": False, "isEqual": True}
    return {
        "id": str(uuid.uuid4()),
        "status": {"state": state},
        "updatedAt": stamp(now()),
        "startsAt": stamp(now(minutes=begin)),
        "endsAt": stamp(now(minutes=begin + minutes)),
        "createdBy": "alice",
        "comment": "kernel update",
        "matchers": [{"name": "job", "value": "mailflow", "isRegex": False, "isEqual": True},
                     {**matcher, **{key: members.pop(key) for key in ("isRegex", "isEqual")
                                    if key in members}}],
    } | members


class Alertmanager(http_server.Server):
    """Answers with its `silences`, unless it is told to do something else."""

    def __init__(self, *silences, certificate=None):
        super().__init__(certificate=certificate)
        self.silences = list(silences)
        self.works()

    def works(self):
        self.script = lambda connection, _: connection.sendall(
            http_server.answer(200, json.dumps(self.silences).encode()))

    def answers(self, status, body):
        self.script = http_server.reply(status, body)


class Agent(Daemon):
    """One that asks these Alertmanagers every second."""

    def __init__(self, home, *urls, peers=("mx01", "mx03"), **more):
        where = {"url": urls[0]} if len(urls) == 1 else {"urls": list(urls)}
        super().__init__(home, peers=peers,
                         maintenance={"alertmanager": {**where, "interval": "1s", **more}})

    def window(self, **members):
        """The one window that has these members, as soon as there is one."""

        def found():
            return [window for window in self.windows().values()
                    if members.items() <= window.items()]

        wait_for(lambda: len(found()) == 1, PATIENCE, f"a window {members}")
        return found()[0]

    def wait(self, pattern, seconds=PATIENCE, count=1):
        return super().wait(pattern, seconds, count)

    def stop(self, signal_number=signal.SIGTERM, seconds=PATIENCE):
        return super().stop(signal_number, seconds)

    def settled(self, alertmanager, times=2):
        """After so many more questions."""
        asked = len(alertmanager.requests)
        wait_for(lambda: len(alertmanager.requests) > asked + times, PATIENCE, "more questions")


@pytest.fixture(name="alertmanager")
def fixture_alertmanager():
    with Alertmanager() as alertmanager:
        yield alertmanager


# ---- what a silence becomes ----


def test_a_silence_is_a_window(alertmanager, tmp_path):
    one = silence("MX01.example", minutes=30, comment='kernel\n"update"')
    soon = silence("mx03", begin=60, state="pending")
    alertmanager.silences = [
        one, soon, silence(state="expired", begin=-60), silence("mx02", name="instance"),
        silence("mx02", isEqual=False)]
    with Agent(tmp_path, alertmanager.url() + "/prefix/") as agent:
        window = agent.window(server="mx01")
        assert (window["origin"], window["by"]) == ("alertmanager", "alertmanager:alice@mx02")
        assert (window["kind"], window["state"]) == ("routine", "active")
        assert (window["reason"], window["id"][:2]) == ('kernel "update"', "a-")
        assert parse(window["begin"]) == parse(one["startsAt"])
        assert parse(window["end"]) == parse(one["endsAt"])
        assert agent.window(server="mx03")["state"] == "announced"
        assert len(agent.windows()) == 2
        agent.wait(r'maintenance BEGIN server=mx01 kind=routine window=a-\w+ end=\S+ '
                   r'by=alertmanager:alice@mx02 reason="kernel .*')
        assert agent.metric("alertmanager_up") == 1
        assert agent.metric("alertmanager_windows") == 2
        assert agent.metric("alertmanager_silences_unused") == 0
        assert agent.metric("alertmanager_last_answer_timestamp_seconds") > time.time() - 10
    request = alertmanager.requests[0]
    assert request.line == "GET /prefix/api/v2/silences HTTP/1.1"


def test_an_edited_silence_is_a_new_revision_and_an_expired_one_the_end(alertmanager, tmp_path):
    one = silence()
    alertmanager.silences = [one]
    with Agent(tmp_path, alertmanager.url()) as agent:
        first = agent.window(server="mx01", revision=1)
        one.update(endsAt=stamp(now(minutes=50)), comment="it takes longer")
        longer = agent.window(server="mx01", revision=2)
        assert (longer["id"], longer["state"]) == (first["id"], "active")
        assert (longer["reason"], parse(longer["end"])) == ("it takes longer", parse(one["endsAt"]))
        agent.settled(alertmanager)
        assert agent.windows()[first["id"]]["revision"] == 2
        one["status"]["state"] = "expired"
        ended = agent.window(server="mx01", state="recovering")
        assert (ended["id"], ended["revision"]) == (first["id"], 3)
        assert abs((parse(ended["end"]) - now()).total_seconds()) < 4
        agent.wait("maintenance END .*")
        assert agent.count("maintenance BEGIN .*") == agent.count("maintenance END .*") == 1


def test_a_silence_replaced_by_another_leaves_no_gap(alertmanager, tmp_path):
    """As Alertmanager does it when the matchers of a silence are edited."""
    alertmanager.silences = [silence()]
    with Agent(tmp_path, alertmanager.url()) as agent:
        first = agent.window(server="mx01")
        alertmanager.silences = [silence(state="expired"), silence(minutes=60)]
        wait_for(lambda: len(agent.windows()) == 2, PATIENCE, "the other window")
        agent.wait(f"maintenance END .* window={first['id']} .*")
        told = [match[0] for _, match in agent.found("maintenance (BEGIN|END) .*")]
        assert [first["id"] in line for line in told] == [True, False, True], told


def test_a_silence_deleted_before_its_begin_is_cancelled(alertmanager, tmp_path):
    alertmanager.silences = [silence(begin=60, state="pending")]
    with Agent(tmp_path, alertmanager.url()) as agent:
        announced = agent.window(server="mx01", state="announced")
        alertmanager.silences = []
        assert agent.window(id=announced["id"], cancelled=True)["revision"] == 2


def test_one_silence_of_several_servers(alertmanager, tmp_path):
    alertmanager.silences = [silence("(mx01|mx03)", isRegex=True)]
    with Agent(tmp_path, alertmanager.url()) as agent:
        assert agent.window(server="mx01")["id"] != agent.window(server="mx03")["id"]


def test_other_matchers_and_names_are_left_alone_and_said_once(alertmanager, tmp_path):
    alertmanager.silences = [
        silence("mx9", id="one"), silence("mx0.*", isRegex=True, id="two"),
        silence(minutes=300, id="long"), silence("mx03", minutes=60 * 24 * 400, id="endless"),
        silence("mx03", endsAt="9999-01-01T00:00:00.000Z", id="never")]
    with Agent(tmp_path, alertmanager.url()) as agent:
        for said in [
            'silence PROBLEM silence=one problem="no server of the mesh is called mx9" '
            'consequence="no window comes of it"',
            'silence PROBLEM silence=two problem="its matcher is a regular expression that is more '
            r'than names with \| between: name the server with =, or write mx01\|mx02" .*',
            'silence NOTE silence=long problem="it is long for routine maintenance .more than 4h.: '
            'every alert of the server is held back for all of it"',
            'silence PROBLEM silence=endless problem="it is longer than 366 days" .*',
            'silence PROBLEM silence=never problem="its startsAt or endsAt is no time that can be '
            'reckoned with" .*']:
            agent.wait(said)
        agent.settled(alertmanager)
        assert agent.count("silence .*") == 5
        assert [window["server"] for window in agent.windows().values()] == ["mx01"]
        assert agent.metric("alertmanager_silences_unused") == 4


def test_another_matcher(alertmanager, tmp_path):
    alertmanager.silences = [silence(), silence("mx03", name="server")]
    with Agent(tmp_path, alertmanager.url(), matcher="server") as agent:
        agent.window(server="mx03")
        assert len(agent.windows()) == 1


# ---- Alertmanagers that are none ----

# The shapes of lists that are none: test/unit/test_silences.c.
NO_ANSWERS = [
    (http_server.close, r"http://\S+: the connection was closed without a reply"),
    (http_server.reply(503, b"busy"), r"http://\S+: it answers 503 to GET http://\S+"),
    (http_server.reply(200, b"<html>hello"),
     r"http://\S+: what it answers is no list of silences: not JSON at byte .*"),
    (http_server.reply(200, b"[" * 500_000), ".* not JSON .*: maximum parsing depth reached.*"),
    (http_server.reply(200, b"[" + b"{}," * 349_000 + b"{}]"), ".* silence 0: .*"),
    (http_server.reply(200, b"[" + b" " * 2_000_000), ".*: the answer is larger than 1 MiB: .*"),
    (http_server.hang, r"http://\S+: no complete reply within \d.\d s"),
]


def test_what_is_no_answer_keeps_the_windows_and_is_said_once(alertmanager, tmp_path):
    alertmanager.silences = [silence()]
    with Agent(tmp_path, alertmanager.url()) as agent:
        window = agent.window(server="mx01", state="active")
        for number, (script, said) in enumerate(NO_ANSWERS, 1):
            alertmanager.script = script
            _, match = agent.wait(UNUSABLE.format("(.*)"), count=number)
            assert re.fullmatch(said, match[1]), (said, match[1])
            assert agent.metric("alertmanager_up") == 0
            if script is http_server.close:
                agent.settled(alertmanager)
                assert agent.metric("alertmanager_failures_total") >= 2
            assert agent.count(UNUSABLE.format(".*")) == number
            alertmanager.works()
            agent.wait(USABLE, count=number)
        assert agent.windows()[window["id"]]["revision"] == 1
        alertmanager.silences = []
        agent.window(id=window["id"], state="recovering")


def test_the_windows_end_by_themselves_while_it_is_away(alertmanager, tmp_path):
    alertmanager.silences = [silence(endsAt=stamp(now(seconds=10)))]
    with Agent(tmp_path, alertmanager.url()) as agent:
        window = agent.window(server="mx01", state="active")
        alertmanager.script = http_server.close
        agent.wait(f"maintenance END .* window={window['id']} .*")
        assert agent.windows()[window["id"]]["revision"] == 1


def test_the_members_of_a_cluster_are_asked_in_turn(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        dead = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Alertmanager() as hanging, Alertmanager(silence()) as good, \
            Agent(tmp_path, dead, hanging.url(), good.url()) as agent:
        hanging.script = http_server.hang
        wait_for(lambda: len(agent.windows()) == 1, PATIENCE, "a window")
        agent.settled(good)
        assert len(hanging.requests) == 1, "the one that answered is asked first"
        assert agent.count("alertmanager .*") == 0
        assert agent.metric("alertmanager_failures_total") == 0
        good.script = http_server.close
        hanging.answers(500, b"")
        agent.wait(UNUSABLE.format(
            f"{good.url()}: the connection was closed without a reply; "
            f"{dead}: cannot connect: Connection refused; "
            f"{hanging.url()}: it answers 500 to GET {hanging.url()}/.*"))


# ---- the life of the agent ----


def test_a_restart_forgets_nothing_and_repeats_nothing(alertmanager, tmp_path):
    alertmanager.silences = [silence(), silence("mx03")]
    agent = Agent(tmp_path, alertmanager.url())
    with agent:
        first = agent.window(server="mx01", state="active")
        other = agent.window(server="mx03", state="active")
        assert agent.stop() == 0
        alertmanager.script = http_server.close
        agent.start()
        agent.wait(UNUSABLE.format(".*"))
        assert [window["state"] for window in agent.windows().values()] == ["active"] * 2
        alertmanager.silences.pop()
        alertmanager.works()
        agent.wait(USABLE)
        agent.window(id=other["id"], state="recovering", revision=2)
        assert agent.windows()[first["id"]]["revision"] == 1
        assert agent.count(f"maintenance BEGIN .* window={first['id']} .*") == 1


def test_without_its_configuration_its_windows_end(alertmanager, tmp_path):
    alertmanager.silences = [silence()]
    with Agent(tmp_path, alertmanager.url()) as agent:
        window = agent.window(server="mx01", state="active")
        settings = {**agent.settings}
        settings["maintenance"] = {**settings["maintenance"]}
        del settings["maintenance"]["alertmanager"]
        agent.configure(settings, {})
        agent.process.send_signal(signal.SIGHUP)
        agent.window(id=window["id"], state="recovering")
        assert agent.metric("alertmanager_up") is None


def test_an_operator_has_the_last_word(alertmanager, tmp_path):
    alertmanager.silences = [silence()]
    with Agent(tmp_path, alertmanager.url()) as agent:
        window = agent.window(server="mx01", state="active")
        status, _ = agent.request("DELETE", f"/api/v1/maintenance/{window['id']}", '{"by": "root"}')
        assert status == 200
        agent.settled(alertmanager)
        assert agent.windows()[window["id"]]["state"] == "recovering"


def test_a_program_that_is_not_there_is_said(alertmanager, tmp_path):
    agent = Agent(tmp_path, alertmanager.url())
    (tmp_path / "probers").mkdir()
    agent.start(probers=tmp_path / "probers")
    with agent:
        agent.wait(UNUSABLE.format(r"http://\S+: cannot start .*/mailflow-fetch: no such file or "
                                   "directory"))


# ---- its certificate ----


CERTIFICATE = r"certificate FIRING .*server=(\S+) days_left=(\S+) .*cause=\"(.*)\""


def test_its_certificate_expires(tmp_path, certificates):
    shows = certificates.issue("ten", "localhost", days=10)
    with (Alertmanager(silence(), certificate=(shows,)) as alertmanager,
          Agent(tmp_path, alertmanager.url("localhost"), ca_file=certificates.ca_file) as agent):
        agent.window(server="mx01")
        priority, match = agent.wait(CERTIFICATE)
        assert (priority, match[1]) == ("warning", "mx02")
        assert match[3] == "alertmanager: certificate expires in 9 days"
        assert agent.metric("certificate_verified", place="alertmanager", name="mx02") == 1
        alertmanager.context.load_cert_chain(certificates.right)
        agent.wait(r"certificate RESOLVED .*server=mx02 .*")


def test_its_certificate_is_nobodys(tmp_path, certificates):
    with (Alertmanager(silence(), certificate=(certificates.self_signed,)) as alertmanager,
          Agent(tmp_path, alertmanager.url("localhost"), ca_file=certificates.ca_file) as agent):
        _, match = agent.wait(CERTIFICATE)
        assert match[3].startswith("alertmanager: TLS: server certificate verification failed")
        assert agent.metric("certificate_verified", place="alertmanager", name="mx02") == 0
        assert agent.windows() == {}
