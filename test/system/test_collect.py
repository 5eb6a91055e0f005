"""mailflow-collect against a server that misbehaves: see imap_server.py."""

import json
import pathlib
import socket
import ssl
import sys
import time

import pytest

from collector import Collector
from imap_server import Folder, Hang, Server
from process import patient
from tag import Key, Probe

sys.path.append(str(pathlib.Path(__file__).parents[1] / "lab"))
import certificates  # noqa: E402

FOREIGN = b"Message-ID: <1@example.org>\r\n\r\n"


@pytest.fixture(scope="module", name="tls_home")
def fixture_tls_home(tmp_path_factory):
    """A certificate for localhost and 127.0.0.1, and the authority that issued it."""
    home = tmp_path_factory.mktemp("tls")
    authority = certificates.make_authority(home / "authority")
    certificates.issue(authority, home / "server", "localhost", "127.0.0.1")
    certificates.issue(authority, home / "other", "other.example", "127.0.0.2")
    certificates.make_authority(home / "stranger")
    return home


def tls_of(home):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "server.pem", home / "server.key")
    return context


def block(probe, **options):
    return probe.header_block(**options) + b"\r\n"


def hang(_session, _tag, _arguments):
    raise Hang


def say(text):
    """An answer of these words, `{tag}` being the command's."""

    def answer(session, tag, _arguments):
        session.write(text.replace("{tag}", tag))

    return answer


def cause_of(server, timeout="2s", **options):
    """Why the mailbox is down."""
    with Collector(timeout) as collector:
        collector.watch(server.port, **options)
        return collector.expect("down")["cause"]


# ---- a server that behaves ----


def test_arrivals_are_reported_with_all_that_is_in_the_tag():
    probe = Probe(previous=1039, kind="answer", slot=0, next=12.5, error=77)
    probe.lists = {
        "Mailflow-Maintenance": "w=1; server=mx01",
        "Mailflow-Receipts": "as_of=1; seen=2; got=",
        "Mailflow-Row": "mx03=ok",
    }
    with Server(FOREIGN, block(probe, fold=True)) as server, Collector() as collector:
        collector.watch(server.port)
        legs = collector.expect("up", cause="")["legs"]
        arrival = collector.expect("arrival")
        complete = collector.expect("complete")
    assert arrival["uid"] == 2 and arrival["uid_validity"] == 7 and arrival["folder"] == "INBOX"
    assert legs.pop("tls") == -1 and all(0 <= took < 10**10 for took in legs.values())
    assert arrival["absent"] == {"instant": 0, "wall": 0}
    assert arrival["saved"] == 1795258800 * 10**9
    assert arrival["stripped"] is False
    assert arrival["tag"] == {
        "from": "mx02",
        "to": "mx01",
        "kind": "answer",
        "slot": 0,
        "previous": 1039,
        "sent": probe.sent * 1000,
        "error": 77000,
        "next": 12_500_000_000,
        "drain": 4900 * 10**9,
        "id": probe.id_text,
    }
    assert arrival["maintenance"] == "w=1; server=mx01"
    assert arrival["receipts"] == "as_of=1; seen=2; got="
    assert arrival["row"] == "mx03=ok"
    assert complete["foreign"] == 1


def forged(probe):
    """Somebody changed the slot after signing."""
    return block(probe).replace(b"slot=1041", b"slot=1042")


MESSAGES = {
    "signed": (block(Probe()), "arrival"),
    "folded": (block(Probe(), fold=True), "arrival"),
    "upper case names": (block(Probe()).replace(b"Mailflow-Probe:", b"MAILFLOW-PROBE :"), "arrival"),
    "by the older key": (block(Probe(Key("k0", b"the key before this one"))), "arrival"),
    "only its Message-ID": (f"Message-ID: {Probe().message_id()}\r\n\r\n".encode(), "stripped"),
    "signature stripped": (block(Probe()).split(b"Mailflow-Signature")[0] + b"\r\n", "stripped"),
    "stranger's": (FOREIGN, None),
    "no header at all": (b"\r\n", None),
    "stranger's huge header": (b"Message-ID: <" + b"(" * 65536 + b"@x>\r\n\r\n", None),
    "changed": (forged(Probe()), "signature"),
    "signed by a stranger": (block(Probe(Key("k1", b"not the key of our mesh"))), "signature"),
    "key unknown": (block(Probe(Key("k9"))), "signature"),
    "Message-ID changed": (
        f"Message-ID: {Probe().message_id().replace('.1041.', '.1042.')}\r\n\r\n".encode(),
        "signature",
    ),
    "header twice": (
        block(Probe()).replace(b"Mailflow-Probe", b"Mailflow-Row: a\r\nMailflow-Row: b\r\nMailflow-Probe"),
        "malformed",
    ),
    "probe twice": (block(Probe()) .rstrip() + b"\r\n" + block(Probe()), "malformed"),
    "not a tag": (b"Mailflow-Probe: v=1; from=mx02\r\nMailflow-Signature: a=b\r\n\r\n", "malformed"),
    "of version 2": (block(Probe()).replace(b"v=1", b"v=2"), "malformed"),
    "control byte": (block(Probe()).replace(b"v=1;", b"v=1;\x01"), "malformed"),
    "huge row": (block(Probe()).replace(b"Mailflow-Sig", b"Mailflow-Row: " + b"a" * 5000 + b"\r\nMailflow-Sig"), "too_big"),
    "64 KiB of header": (
        block(Probe()).replace(b"Mailflow-Sig", b"Mailflow-Row: " + b"a" * 65536 + b"\r\nMailflow-Sig"),
        "too_big",
    ),
}


def test_messages_are_recognised_or_not():
    keys = [Key(), Key("k0", b"the key before this one")]
    outcomes = {}
    with Server(*(block for block, _ in MESSAGES.values())) as server, Collector() as collector:
        collector.watch(server.port, keys=keys)
        complete = collector.expect("complete")
        for report in collector.seen:
            if report["report"] == "arrival":
                outcomes[report["uid"]] = "stripped" if report["stripped"] else "arrival"
            elif report["report"] == "rejected":
                outcomes[report["uid"]] = report["rejection"]
                assert report["cause"]
    assert {name: outcomes.get(uid) for uid, name in enumerate(MESSAGES, 1)} == {
        name: expected for name, (_, expected) in MESSAGES.items()
    }
    assert complete["foreign"] == sum(
        expected not in ("arrival", "stripped") for _, expected in MESSAGES.values()
    )
    assert all("PEEK" in given for given in server.commands if given.startswith("UID FETCH"))
    assert not any(given.startswith("UID STORE") for given in server.commands)


def test_a_rejected_message_is_reported_once_and_a_replay_every_time():
    probe = Probe()
    with Server(forged(probe), block(probe)) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("rejected")
        collector.expect("arrival", uid=2)
        server.inbox.add(block(probe))
        again = collector.expect("arrival", uid=3)
        collector.expect("complete")
        server.disconnect()
        collector.expect("down")
        collector.expect("up")
        collector.expect("complete")
        assert collector.count("rejected") == 1 and collector.count("arrival") == 2
    assert again["tag"]["id"] == probe.id_text


def test_many_messages_are_read_in_batches():
    blocks = [FOREIGN if n % 3 else block(Probe(slot=n)) for n in range(1, 700)]
    with Server(*blocks) as server, Collector() as collector:
        collector.watch(server.port)
        complete = collector.expect("complete")
        slots = [r["tag"]["slot"] for r in collector.seen if r["report"] == "arrival"]
    assert slots == list(range(3, 700, 3))
    assert complete["foreign"] == 699 - len(slots)


def test_gaps_between_uids_are_crossed_quickly():
    with Server() as server, Collector() as collector:
        server.inbox.uid_next = 3_000_000
        server.inbox.add(block(Probe()))
        collector.watch(server.port)
        assert collector.expect("arrival")["uid"] == 3_000_000
        searches = [given for given in server.commands if given.startswith("UID SEARCH")]
    assert len(searches) < 100


def test_deletes_exactly_what_it_is_told_to():
    with Server(FOREIGN, block(Probe()), FOREIGN, block(Probe())) as server:
        with Collector() as collector:
            collector.watch(server.port)
            first = collector.expect("arrival")
            collector.expect("complete", foreign=2)
            collector.delete(dict(first, uid_validity=6))
            collector.delete(first)
            server.wait_for("UID EXPUNGE 2")
            collector.expect("complete")
        assert sorted(server.inbox.messages) == [1, 3, 4]
        assert not server.inbox.messages[1].flags


def test_without_uidplus_it_expunges_only_when_nothing_else_would_go():
    with Server(FOREIGN, block(Probe()), block(Probe()), offers="IDLE") as server:
        with Collector() as collector:
            collector.watch(server.port)
            first, second = collector.expect("arrival"), collector.expect("arrival")
            collector.delete(first)
            server.wait_for("EXPUNGE")
            server.inbox.messages[1].flags.add("\\Deleted")
            collector.delete(second)
            cause = collector.expect("up")["cause"]
        assert "folder INBOX" in cause and "UIDPLUS" in cause
        assert sorted(server.inbox.messages) == [1, 3]
        assert server.commands.count("EXPUNGE") == 1


def test_a_read_only_folder_is_a_hindrance_and_no_more():
    on = {"UID STORE": say("{tag} NO [READ-ONLY] not here\r\n")}
    with Server(block(Probe()), on=on) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("up")
        collector.delete(collector.expect("arrival"))
        assert "[READ-ONLY] not here" in collector.expect("up")["cause"]
        server.inbox.add(block(Probe()))
        server.sessions[0].tell_exists()
        collector.expect("arrival", uid=2)


def test_what_is_to_be_deleted_goes_together():
    """It would cost a session of IDLE each."""
    with Server(*(block(Probe(next=3600)) for _ in range(3))) as server, Collector() as collector:
        collector.watch(server.port)
        arrivals = [collector.expect("arrival") for _ in range(3)]
        collector.expect("complete")
        for arrival in arrivals:
            collector.delete(arrival)
        server.wait_for("UID EXPUNGE 1:3")


def test_what_is_to_be_deleted_is_kept_while_the_connection_is_down():
    with Server(block(Probe())) as server, Collector() as collector:
        collector.watch(server.port)
        arrival = collector.expect("arrival")
        collector.expect("complete")
        server.on["greeting"] = say("* BYE closed for lunch\r\n")
        server.disconnect()
        collector.expect("down")
        assert "closed for lunch" in collector.expect("down")["cause"]
        collector.delete(arrival)
        del server.on["greeting"]
        collector.expect("up")
        server.wait_for("UID EXPUNGE 1")
        collector.expect("complete", foreign=0)
        assert not server.inbox.messages


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


def test_other_folders_are_read_and_the_first_stays_selected():
    with Server() as server, Collector() as collector:
        server.folders["Junk"] = Folder(block(Probe()), FOREIGN, uid_validity=9)
        collector.watch(server.port, folders=["INBOX", "Junk"])
        junk = collector.expect("arrival", folder="Junk", uid_validity=9)
        collector.expect("complete", foreign=1)
        collector.delete(junk)
        server.wait_for("UID EXPUNGE 1")
        server.inbox.add(block(Probe()))
        server.sessions[0].tell_exists()
        collector.expect("arrival", folder="INBOX")
        complete = collector.expect("complete")
        server.folders["Junk"].add(block(Probe()))
        collector.expect("arrival", folder="Junk", patience=3.0)
    assert complete["at"]["instant"] > 0
    assert sorted(server.folders["Junk"].messages) == [2, 3]


def test_a_missing_folder_is_told_and_watched_for():
    with Server() as server, Collector() as collector:
        collector.watch(server.port, folders=["INBOX", "Junk"])
        collector.expect("up", cause="")
        cause = collector.expect("up")["cause"]
        assert "folder Junk" in cause and "[NONEXISTENT]" in cause
        server.folders["Junk"] = Folder(block(Probe()))
        server.inbox.add(block(Probe()))
        server.sessions[0].tell_exists()
        collector.expect("up", cause="")
        assert collector.count("down") == 0


def test_without_its_first_folder_a_mailbox_is_down():
    with Server() as server:
        cause = cause_of(server, folders=["Probes"])
    assert cause.startswith("folder Probes: 127.0.0.1:") and "[NONEXISTENT]" in cause


def test_odd_but_legal_answers_are_understood():
    def select(session, tag, arguments):
        session.folder = session.server.inbox
        session.told = 1
        session.write(f"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n{tag} OK [READ-WRITE]\r\n")

    def fetch(session, tag, arguments):
        for number, uid, message in session.chosen(arguments.split()[0]):
            session.write("* 1 FETCH (FLAGS (\\Seen))\r\n")
            session.write_message(number, uid, message, ' SAVEDATE "21-Nov-2026 12:00:07 +0000"')
            session.write(f"* {number} FETCH (SAVEDATE NIL UID {uid})\r\n")
        session.done(tag)

    on = {"SELECT": select, "UID FETCH": fetch}
    with Server(block(Probe()), on=on, offers="IDLE SAVEDATE") as server:
        with Collector() as collector:
            collector.watch(server.port)
            assert collector.expect("arrival")["saved"] == 1795262407 * 10**9
            assert any("SAVEDATE" in given for given in server.commands)


# ---- TLS ----


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_is_good_is_accepted(tls_home, implicit, host):
    tls = tls_of(tls_home / "server")
    names = []
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    with Server(block(Probe()), tls=tls, implicit=implicit) as server, Collector() as collector:
        collector.watch(
            server.port,
            host=host,
            tls="implicit" if implicit else "starttls",
            ca_file=tls_home / "authority" / "ca.pem",
        )
        up = collector.expect("up")
        legs = up["legs"]
        assert set(legs) == {"dns", "connect", "tls", "login"} and min(legs.values()) >= 0
        shown = up["certificate"]
        assert shown["verified"] and shown["subject"] == "localhost"
        assert shown["issuer"] == "mailflow lab" and shown["expires"] / 1e9 > time.time()
        collector.expect("arrival")
        server.wait_for("IDLE")
        server.inbox.add(block(Probe()))
        server.sessions[0].tell_exists()
        collector.expect("arrival")
    assert names == (["localhost"] if host == "localhost" else [None])


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize(
    ("identity", "authority", "reason"),
    [
        ("other", "authority", "certificate of localhost does not match: it is for other.example"),
        ("server", "stranger", "certificate is not trusted"),
        ("server", None, "certificate is not trusted"),
    ],
    ids=["wrong name", "wrong authority", "system's store"],
)
def test_a_certificate_that_is_not_is_refused(tls_home, implicit, identity, authority, reason):
    with Server(tls=tls_of(tls_home / identity), implicit=implicit) as server:
        cause = cause_of(
            server,
            host="localhost",
            tls="implicit" if implicit else "starttls",
            ca_file=tls_home / authority / "ca.pem" if authority else "",
        )
        assert not any(given.startswith("LOGIN") for given in server.commands)
    assert cause.startswith(f"localhost:{server.port}: {reason}")


def test_a_certificate_that_has_been_replaced_is_seen_over_a_connection_that_lasts(tls_home):
    """The connection is made anew, nothing is reported as down, and nothing twice."""
    tls = tls_of(tls_home / "server")
    with Server(block(Probe()), tls=tls) as server, Collector(renew="1s") as collector:
        authority = tls_home / "authority" / "ca.pem"
        collector.watch(server.port, host="localhost", tls="starttls", ca_file=authority)
        first = collector.expect("up")["certificate"]
        collector.expect("arrival")
        server.wait_for("IDLE")
        certificates.issue(authority, tls_home / "newer", "localhost", "127.0.0.1", days=60)
        server.tls = tls_of(tls_home / "newer")
        second = collector.expect("up")["certificate"]
        assert second["verified"] and second["expires"] - first["expires"] > 29 * 86400 * 10**9
        server.inbox.add(block(Probe()))
        server.sessions[-1].tell_exists()
        collector.expect("arrival")
    kinds = [report["report"] for report in collector.seen if report["report"] != "complete"]
    assert kinds == ["up", "arrival", "up", "arrival"]


def test_starttls_that_is_not_offered_ends_it():
    with Server() as server:
        assert cause_of(server, tls="starttls").endswith("STARTTLS is not offered")
        assert not any(given.startswith("LOGIN") for given in server.commands)


def test_a_server_that_offers_nothing_at_all_is_told_so():
    with Server(on={"CAPABILITY": say("* CAPABILITY\r\n{tag} OK done\r\n")}) as server:
        assert cause_of(server, tls="starttls").endswith("STARTTLS is not offered")


def test_what_is_put_in_after_starttls_ends_it(tls_home):
    def starttls(session, tag, _arguments):
        session.write(f"{tag} OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
        session.start_tls()

    with Server(tls=tls_of(tls_home / "server"), on={"STARTTLS": starttls}) as server:
        cause = cause_of(server, tls="starttls", ca_file=tls_home / "authority" / "ca.pem")
    assert "put in after the answer to STARTTLS" in cause


def test_a_greeting_that_skips_the_login_does_not_skip_tls(tls_home):
    on = {"greeting": say("* PREAUTH welcome\r\n")}
    with Server(tls=tls_of(tls_home / "server"), on=on) as server:
        cause = cause_of(server, tls="starttls", ca_file=tls_home / "authority" / "ca.pem")
    assert "logged in before TLS" in cause


def test_a_missing_ca_file_is_named():
    with Server() as server:
        cause = cause_of(server, tls="implicit", ca_file="/nonexistent/ca.pem")
    assert "/nonexistent/ca.pem" in cause


def test_the_words_of_a_farewell_that_comes_in_pieces():
    def turn_away(session, _tag, _arguments):
        session.write("* BYE too many ")
        time.sleep(0.1)
        session.write("connections\r\n")

    with Server(on={"greeting": turn_away}) as server:
        assert cause_of(server).endswith("the server ended the connection: too many connections")


# ---- logging in ----


def test_a_wrong_password_is_told_in_the_server_s_words():
    with Server() as server:
        cause = cause_of(server, password="wrong")
    assert cause == (
        f"127.0.0.1:{server.port}: login as probe refused: "
        "[AUTHENTICATIONFAILED] Authentication failed."
    )


def test_a_password_said_back_is_not_told():
    def login(session, tag, arguments):
        session.write(f"* OK you said {arguments}\r\n{tag} NO not {arguments}\r\n")

    with Server(on={"LOGIN": login}) as server, Collector() as collector:
        collector.watch(server.port, password="hunter2")
        cause = collector.expect("down")["cause"]
        assert "***" in cause
        assert "hunter2" not in json.dumps(collector.seen) + "".join(collector.errors)


def test_a_password_is_not_said_where_it_must_not_be():
    with Server(offers="LOGINDISABLED") as server:
        assert "LOGINDISABLED" in cause_of(server)
        assert not any(given.startswith("LOGIN") for given in server.commands)


def test_a_server_that_has_logged_in_already_is_not_asked_to():
    on = {"greeting": say("* PREAUTH welcome\r\n")}
    with Server(block(Probe()), on=on) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("arrival")
        assert not any(given.startswith("LOGIN") for given in server.commands)


# ---- a server that goes away, stalls or floods ----


def test_a_refused_connection_is_told_once_and_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        port = placeholder.getsockname()[1]
    with Collector() as collector:
        collector.watch(port)
        assert collector.expect("down")["cause"] == f"127.0.0.1:{port}: Connection refused"
        with pytest.raises(AssertionError):
            collector.expect("down", patience=1.5)


def test_a_name_that_is_none_is_told():
    with Collector() as collector:
        collector.watch(143, host="nothing.invalid")
        assert "nothing.invalid" in collector.expect("down")["cause"]


STEPS = ["greeting", "CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "NOOP", "IDLE"]


def expecting_more(step):
    """A probe whose successor is so far off that the collector gets to this step: it rests in IDLE
    until shortly before, and asks with NOOP afterwards. To start it takes some of that time."""
    return block(Probe(next=3.0 if step in ("IDLE", "DONE") else 0.6))


@pytest.mark.parametrize("step", [*STEPS, "DONE", "UID STORE", "UID EXPUNGE"])
def test_a_server_that_stalls_is_left_in_time(step):
    with Server(expecting_more(step), on={step: hang}) as server, Collector("300ms") as collector:
        collector.watch(server.port)
        if step in ("UID STORE", "UID EXPUNGE"):
            collector.delete(collector.expect("arrival"))
        begin = time.monotonic()
        cause = collector.expect("down", patience=8.0)["cause"]
        took = time.monotonic() - begin
    assert "within 300ms" in cause
    assert took < patient(6.0 if step == "DONE" else 3.0)


def test_a_handshake_that_stalls_is_left_in_time(tls_home):
    def starttls(session, tag, _arguments):
        session.done(tag)
        raise Hang

    with Server(tls=tls_of(tls_home / "server"), on={"STARTTLS": starttls}) as server:
        assert "no answer to STARTTLS within 300ms" in cause_of(server, "300ms", tls="starttls")


@pytest.mark.parametrize("step", ["greeting", "SELECT", "IDLE"])
def test_a_server_that_trickles_is_left_in_time(step):
    def trickle(session, _tag, _arguments):
        for _ in range(100):
            session.write("* OK ")
            time.sleep(0.05)

    with Server(on={step: trickle}) as server:
        begin = time.monotonic()
        assert "within 500ms" in cause_of(server, "500ms")
        assert time.monotonic() - begin < patient(3.0)


def flood(piece):
    def answer(session, _tag, _arguments):
        for _ in range(100_000_000 // len(piece)):
            session.write(piece)

    return answer


@pytest.mark.parametrize("step", ["greeting", "CAPABILITY", "SELECT", "UID FETCH", "NOOP", "IDLE"])
@pytest.mark.parametrize("piece", ["* OK still here\r\n" * 1000, "* OK " + "x" * 100_000],
                         ids=["lines", "one line"])
def test_a_server_that_floods_is_left_without_growing(step, piece):
    headers = expecting_more(step) if step == "IDLE" else block(Probe(next=0.05))
    with Server(headers, on={step: flood(piece)}) as server, Collector("5s") as collector:
        collector.watch(server.port)
        cause = collector.expect("down")["cause"]
        assert "more than 4194304 bytes in answer to" in cause or step == "greeting"
        assert collector.resident_bytes() < 300 * 1024 * 1024


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("* 1 FETCH (UID 1 BODY[HEADER] {4294967295}\r\n", "literal of more than 8192 bytes"),
        ("* 1 FETCH (UID 1 BODY[HEADER] {99999999999999999999999}\r\n", "literal of more"),
        ("* 1 FETCH (BODY " + "(" * 400_000 + "\r\n", "nested more than 100 deep"),
        ("(" * 400_000, "nested more than 100 deep"),
        ("\0\1\2 rubbish\r\n" * 10 + "{tag} OK\r\n", "not IMAP"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "not IMAP"),
        ("9999 OK somebody else's\r\n", "answers another command"),
        ("* BYE shutting down\r\n", "the server ended the connection: shutting down"),
    ],
    ids=["literal", "overflow", "nesting", "parentheses", "garbage", "http", "tag", "bye"],
)
@pytest.mark.parametrize("step", ["SELECT", "UID FETCH", "NOOP"])
def test_hostile_answers_end_the_connection_and_nothing_else(step, words, reason):
    with Server(block(Probe(next=0.05)), on={step: say(words)}) as server:
        assert reason in cause_of(server)


@pytest.mark.parametrize("words", ["* BYE no\r\n", "HTTP/1.1 400\r\n", "\r\n", "* \r\n", "(((((\r\n"])
def test_hostile_greetings_end_the_connection_and_nothing_else(words):
    with Server(on={"greeting": say(words)}) as server:
        assert f"127.0.0.1:{server.port}: " in cause_of(server)


@pytest.mark.parametrize("step", ["CAPABILITY", "SELECT", "STATUS", "UID SEARCH", "UID FETCH", "NOOP"])
@pytest.mark.parametrize("words", ["{tag} OK\r\n", "{tag} OK done\r\n", "{tag} BAD what\r\n"],
                         ids=["empty", "nothing told", "bad"])
def test_answers_that_say_nothing_crash_nothing(step, words):
    with Server(block(Probe()), on={step: say(words)}) as server, Collector() as collector:
        server.folders["Junk"] = Folder(block(Probe()))
        collector.watch(server.port, folders=["INBOX", "Junk"])
        end = time.monotonic() + 10.0
        while not {"down", "complete"} & {report["report"] for report in collector.seen}:
            assert time.monotonic() < end
            collector.seen.append(collector.reports.get(timeout=patient(10.0)))


@pytest.mark.parametrize("step", ["LOGIN", "SELECT", "UID FETCH", "NOOP", "IDLE", "DONE"])
def test_a_connection_that_is_cut_is_told(step):
    def cut(session, _tag, _arguments):
        session.close()

    with Server(expecting_more(step), on={step: cut}) as server:
        assert "the server closed the connection" in cause_of(server)


# ---- commands ----


def test_mailboxes_are_served_side_by_side():
    with Server(block(Probe())) as one, Server(block(Probe())) as two, Collector() as collector:
        collector.watch(one.port, mailbox="one")
        collector.watch(two.port, mailbox="two")
        collector.expect("arrival", mailbox="one")
        collector.expect("arrival", mailbox="two")
        collector.say(command="unwatch", mailbox="one")
        two.inbox.add(block(Probe()))
        two.sessions[0].tell_exists()
        collector.expect("arrival", mailbox="two", uid=2)
        collector.watch(one.port, mailbox="two")
        collector.expect("arrival", mailbox="two", uid=1)


def test_commands_that_are_none_are_told_and_passed_over():
    with Server(block(Probe())) as server, Collector() as collector:
        for line in (b"\n", b"rubbish\n", b'{"command":"dance","mailbox":"x"}\n', b"[]\n"):
            collector.process.stdin.write(line)
        collector.process.stdin.write(b"x" * 50_000 + b"\n")
        collector.say(command="unwatch", mailbox="nobody")
        collector.watch(server.port)
        collector.expect("arrival")
        collector.delete({"mailbox": "local", "folder": "None", "uid_validity": 7, "uid": 1})
        collector.say(command="unwatch", mailbox="local")
    errors = "".join(collector.errors)
    assert len(collector.errors) == 6
    assert "not JSON" in errors and "line too long" in errors
    assert "mailbox nobody is not watched" in errors
    assert "mailbox local has no folder None" in errors
