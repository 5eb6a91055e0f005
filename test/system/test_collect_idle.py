"""When mailflow-collect looks for mail, and between which instants what it finds has arrived."""

import time

import pytest

from collector import Collector, block
from imap_server import FOREIGN, Folder, Server, say
from tag import Probe


def test_without_idle_it_looks_every_second():
    with Server(offers="UIDPLUS") as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("complete")
        server.inbox.add(block(Probe()))
        collector.expect("arrival", patience=2.0)
        assert not any(given.startswith("IDLE") for given in server.commands)


def test_idle_refused_is_not_asked_for_again():
    on = {"IDLE": say("{tag} NO not today\r\n")}
    with Server(on=on) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("complete")
        server.inbox.add(block(Probe()))
        collector.expect("arrival")
        server.wait_for("NOOP", 3)
        assert sum(given.startswith("IDLE") for given in server.commands) == 1


@pytest.mark.parametrize(
    "words", ["+ idling\r\n* {n} EXISTS\r\n", "* {n} EXISTS\r\n+ idling\r\n"], ids=["after", "before"]
)
def test_news_in_one_segment_with_the_answer_to_idle_are_not_missed(words):
    def idle(session, tag, _arguments):
        session.idle_tag = tag
        if not session.folder.messages:
            session.folder.add(block(Probe()))
            session.told = 1
        session.write(words.replace("{n}", "1"))

    with Server(on={"IDLE": idle}) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("arrival", patience=2.0)


def test_idle_wakes_it_and_the_interval_is_honest():
    with Server() as server, Collector() as collector:
        collector.watch(server.port)
        server.wait_for("IDLE")
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        server.inbox.add(block(Probe()))
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        server.sessions[0].tell_exists()
        arrival = collector.expect("arrival", patience=1.0)
        assert arrival["absent"]["instant"] < before < after < arrival["present"]["instant"]
        soon = collector.expect("complete", patience=0.5)
        later = collector.expect("complete", patience=2.0)
    assert soon["at"]["instant"] >= arrival["absent"]["instant"]
    assert arrival["present"]["instant"] < later["at"]["instant"]


def test_what_is_told_in_idle_was_not_asked_for():
    with Server() as server, Collector() as collector:
        collector.watch(server.port)
        server.wait_for("IDLE")
        server.inbox.add(block(Probe()))
        server.sessions[0].tell_exists()  # and once more after DONE, which is no news then
        arrival = collector.expect("arrival", patience=1.0)
    assert arrival["asked"] == {"instant": 0, "wall": 0}


def test_chatter_does_not_end_idle():
    with Server() as server, Collector() as collector:
        collector.watch(server.port)
        server.wait_for("IDLE")
        for _ in range(20):
            server.sessions[0].write("* OK Still here\r\n")
            time.sleep(0.01)
        assert server.commands[-1] == "IDLE"


def test_while_a_probe_is_expected_it_polls_and_then_rests():
    with Server() as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("complete")
        server.inbox.add(block(Probe(next=0.4)))
        server.sessions[0].tell_exists()
        collector.expect("arrival")
        time.sleep(0.4)
        before = server.commands.count("NOOP")
        server.wait_for("NOOP", before + 20, patience=1.0)
        server.inbox.add(block(Probe(next=3600)))
        arrival = collector.expect("arrival", patience=1.0)
        assert arrival["present"]["instant"] - arrival["absent"]["instant"] < 100_000_000
        server.wait_for("IDLE", 1 + server.commands.count("IDLE"))


def polled(server, collector):
    """Have the collector poll; the probe that it expects is not there yet."""
    collector.watch(server.port)
    server.inbox.add(block(Probe(next=0.4)))
    collector.expect("arrival")
    server.wait_for("NOOP", 20 + server.commands.count("NOOP"), patience=2.0)


def test_a_slow_answer_says_when_it_was_asked_for():
    at = {}

    def noop(session, tag, arguments):
        if at.get("slow", False):
            at["asked"] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            session.folder.add(block(Probe(next=3600)))
            time.sleep(0.1)
            at["answered"] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            at["slow"] = False
        session.answer(tag, "NOOP", arguments)

    with Server(on={"NOOP": noop}) as server, Collector() as collector:
        polled(server, collector)
        at["slow"] = True
        arrival = collector.expect("arrival", patience=1.0)
    absent, asked, present = (arrival[n]["instant"] for n in ("absent", "asked", "present"))
    assert absent < asked < at["asked"] < at["answered"] < present
    walls = arrival["asked"]["wall"] - arrival["absent"]["wall"]
    assert abs(walls - (asked - absent)) < 1_000_000


def test_what_the_search_finds_beyond_what_was_told_is_there_since_it_searched():
    at = {}

    def search(session, tag, arguments):
        if at.get("second", False):
            at["second"] = False
            session.folder.add(block(Probe(slot=3, next=3600)))
            at["searched"] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        session.answer(tag, "UID SEARCH", arguments)

    def fetch(session, tag, arguments):
        at["fetched"] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        session.answer(tag, "UID FETCH", arguments)

    with Server(on={"UID SEARCH": search, "UID FETCH": fetch}) as server, Collector() as collector:
        polled(server, collector)
        at["second"] = True
        server.inbox.add(block(Probe(slot=2)))
        told, found = (collector.expect("arrival", patience=1.0) for _ in range(2))
    assert told["present"]["instant"] <= found["asked"]["instant"] < at["searched"]
    assert at["searched"] < found["present"]["instant"] < at["fetched"]


def test_mail_that_comes_while_others_go_is_not_dated_before_it_was_there():
    """The server tells of one more at STORE, and after EXPUNGE of as many again."""
    at = {}

    def store(session, tag, arguments):
        session.folder.add(b"Subject: somebody else's\r\n\r\n")
        session.tell_exists()
        session.answer(tag, "UID STORE", arguments)

    def expunge(session, tag, arguments):
        session.answer("*", "UID EXPUNGE", arguments)  # "* OK done" is not its end
        at["came"] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        session.folder.add(block(Probe(slot=2)))
        session.tell_exists()
        session.done(tag)

    on = {"UID STORE": store, "UID EXPUNGE": expunge}
    with Server(block(Probe()), on=on) as server, Collector() as collector:
        collector.watch(server.port)
        collector.delete(collector.expect("arrival"))
        arrival = collector.expect("arrival", patience=2.0)
    assert at["came"] < arrival["present"]["instant"]


def test_after_a_change_of_uidvalidity_everything_is_read_anew():
    probe = Probe()
    with Server(FOREIGN, block(probe)) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("arrival", uid=2, uid_validity=7)
        collector.expect("complete")
        server.folders["INBOX"] = Folder(block(probe), uid_validity=8)
        server.disconnect()
        arrival = collector.expect("arrival", uid=1, uid_validity=8)
    assert arrival["absent"]["instant"] == 0


def test_an_arrival_during_a_break_is_absent_since_the_last_check_before():
    with Server() as server, Collector() as collector:
        collector.watch(server.port)
        checked = collector.expect("complete")["at"]["instant"]
        server.wait_for("IDLE")
        server.inbox.add(block(Probe()))
        server.disconnect()
        arrival = collector.expect("arrival")
    assert arrival["absent"]["instant"] >= checked
    assert arrival["present"]["instant"] - arrival["absent"]["instant"] > 500_000_000


def test_a_message_that_goes_before_it_is_fetched_is_forgotten():
    def search(session, tag, arguments):
        session.answer(tag, "UID SEARCH", arguments)
        session.folder.messages.pop(1, None)

    with Server(block(Probe()), block(Probe()), on={"UID SEARCH": search}) as server:
        with Collector() as collector:
            collector.watch(server.port)
            collector.expect("arrival", uid=2)
            collector.expect("complete", foreign=0)
            assert collector.count("arrival") == 1 and collector.count("rejected") == 0


def test_a_fetch_refused_because_messages_are_gone_is_no_disaster():
    def fetch(session, tag, arguments):
        if "2" in arguments.split()[0]:
            session.write(f"{tag} NO [EXPUNGEISSUED] Some messages are gone\r\n")
        else:
            session.answer(tag, "UID FETCH", arguments)

    with Server(block(Probe()), FOREIGN, on={"UID FETCH": fetch}) as server:
        with Collector() as collector:
            collector.watch(server.port)
            collector.expect("arrival", uid=1)
            collector.expect("complete")
            assert collector.count("rejected") == 0


@pytest.mark.parametrize(
    "spoiled",
    ["* {n} FETCH (UID {uid} RUBBISH\r\n", "* {n} FETCH (UID {uid} BODY[] {99999999}\r\n"],
    ids=["unparsable", "huge"],
)
def test_one_bad_answer_does_not_hide_the_other_messages(spoiled):
    def fetch(session, tag, arguments):
        for number, uid, message in session.chosen(arguments.split()[0]):
            if uid == 3:
                session.write(spoiled.replace("{n}", str(number)).replace("{uid}", str(uid)))
            else:
                session.write_message(number, uid, message)
        session.done(tag)

    blocks = [block(Probe()) for _ in range(5)]
    with Server(*blocks, on={"UID FETCH": fetch}) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("rejected", uid=3, rejection="malformed")
        collector.expect("arrival", uid=5)
        collector.expect("complete")
        assert [r["uid"] for r in collector.seen if r["report"] == "arrival"] == [1, 2, 4, 5]
