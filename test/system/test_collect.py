"""mailflow-collect and a mailbox: what it recognises, reports and deletes, and its commands."""

import json

from collector import Collector, block, cause_of
from imap_server import FOREIGN, Folder, Server, say
from process import wait_for
from tag import Key, Probe


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


def test_what_is_found_together_is_told_at_once():
    """Each write wakes the agent."""
    with Server(block(Probe(next=0.1))) as server, Collector() as collector:
        collector.watch(server.port)
        collector.expect("complete")
        server.inbox.add(block(Probe()))
        collector.expect("arrival", uid=2)
        collector.expect("complete")
        [told] = [written for written in collector.writes if b'"uid":2' in written]
        assert [json.loads(line)["report"] for line in told.splitlines()] == ["arrival", "complete"]


def test_what_is_to_be_deleted_goes_together():
    """It would cost a session of IDLE each."""
    with Server(*(block(Probe(next=3600)) for _ in range(3))) as server, Collector() as collector:
        collector.watch(server.port)
        arrivals = [collector.expect("arrival") for _ in range(3)]
        collector.expect("complete")
        for arrival in arrivals:
            collector.delete(arrival)
        server.wait_for("UID EXPUNGE 1:3")


def test_what_is_to_be_deleted_goes_together_while_the_next_is_looked_for():
    with Server(*(block(Probe(next=0.1)) for _ in range(3))) as server, Collector() as collector:
        collector.watch(server.port)
        arrivals = [collector.expect("arrival") for _ in range(3)]
        for arrival in arrivals:
            collector.delete(arrival)
            looks = server.commands.count("NOOP")
            wait_for(lambda looked=looks: server.commands.count("NOOP") > looked, 5, "a look")
        server.wait_for("UID EXPUNGE 1:3")


def test_a_backlog_is_deleted_one_by_one_and_not_read_again():
    count = 1200
    with Server(*(block(Probe(next=3600)) for _ in range(count))) as server, \
            Collector() as collector:
        collector.watch(server.port)
        for _ in range(count):
            collector.delete(collector.expect("arrival"))
        while server.inbox.messages:
            collector.expect("complete")
        assert collector.count("arrival") == count


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
