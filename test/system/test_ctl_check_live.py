"""check --live: every leg of what is configured, beside a running agent too."""

import contextlib
import http.server
import json
import re
import threading

import exchange
import http_server as scripted
import pytest
import smtp_server
from ctl import ctl
from daemon import Daemon, wait_for
from dovecot import free_port
from tag import Key
from wizard import PROBERS, Place


@contextlib.contextmanager
def http_that(status, body):
    """A server that answers so, on a port of the system's choice; an exchange is too old for it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.send_response(409)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(name="place")
def fixture_place(tmp_path, office):
    place = Place(tmp_path)
    assert place.setup(office, verb=("setup", "--untested")).code == 0
    (place.folder / "conf.d").mkdir()
    return place


def add_peer(place, name, **keys):
    peer = {"name": name, "address": f"probe@{name}.example", **keys}
    (place.folder / f"conf.d/{name}.yaml").write_text(json.dumps({"peers": [peer]}))


def live(place, *words):
    """({subject: result}, exit code)"""
    result = place.run("check", "--live", "--json", *words, *PROBERS)
    answer = json.loads(result.out)
    assert not answer["problems"] or all(p["severity"] == "warning" for p in answer["problems"])
    assert not any(one["message"].startswith(one["target"]) for one in answer["live"]), answer
    return {one["subject"]: one for one in answer["live"]}, result.code


def test_every_leg_is_reported(place):
    with smtp_server.Server() as peer, http_that(200, b'{"server":"mx02"}') as url:
        add_peer(place, "mx02", mail_server=f"127.0.0.1:{peer.port}", agent=url)
        results, code = live(place)
    assert code == 0 and all(one["ok"] for one in results.values()), results
    assert {subject: set(one["legs"]) for subject, one in results.items()} == {
        "mailbox local": {"dns", "connect", "login"},
        "relay": {"dns", "connect", "submit", "latency"},
        "address of mx02": {"answer"},
        "mail server of mx02": {"greeting"},
        "agent of mx02": {"dns", "connect", "answer"},
    }


AGENTS = {
    "nobody": (None, "efused", "is mailflowd running on that server"),
    "another": ((200, b'{"server":"mx03"}'), "the agent there is that of mx03", "or its name"),
    "something else": ((200, b"<html>"), "is no mailflow agent (HTTP 200)", "Correct the peer's"),
    "an error": ((404, b'{"server":"mx02"}'), "is no mailflow agent (HTTP 404)", "Correct"),
    "a flood": ((200, b"x" * 100_000), "is no mailflow agent (HTTP 200)", "Correct"),
}


def test_an_agent_that_refuses_our_exchange(place, office, tmp_path):
    """For it has another key, or does not know us; one that takes it learns nothing by it."""
    home, port = tmp_path / "agent", free_port()
    home.mkdir()
    key = re.search(r'id: "(\w+)"', place.config.read_text())[1]
    listen = {"listen": [f"127.0.0.1:{port}"]}
    with Daemon(home, office, http=listen, mesh_keys=[{"id": key, "file": str(home / "mesh.key")}],
                peers=("mx03",)) as daemon:
        add_peer(place, "mx02", mail_server=f"127.0.0.1:{office.smtp.port}",
                 agent=f"http://127.0.0.1:{port}")

        def tried():
            results, code = live(place, "--wait", "0")
            assert code == (0 if results["agent of mx02"]["ok"] else 1), results
            return results["agent of mx02"]

        other_key = tried()
        assert "its agent answers 401: " in other_key["message"], other_key
        assert "same mesh key" in other_key["advice"]
        assert "copy the file" in other_key["advice"] and "start the agent there anew" in other_key["advice"]
        assert "join" not in other_key["advice"]  # which refuses the token of another key
        daemon.write_secret("mesh.key", (place.folder / "mesh.key").read_bytes().strip())
        daemon.stop()
        daemon.start()
        unknown = tried()
        assert "its agent answers 403: mx02 has no peer mx01 with an agent" in unknown["message"], unknown
        assert "Make this server a peer there" in unknown["advice"]
        known = {"name": "mx01", "address": "probe@mx01.example", "agent": "http://127.0.0.1:9"}
        daemon.configure(daemon.settings, {"peers": [*daemon.settings["peers"], known]})
        daemon.stop()
        daemon.start()
        assert daemon.metric("exchanges_rejected_total", reason="unknown_peer") == 0
        before = figures(daemon)
        assert tried()["message"] == "it answers, and takes our exchange"
        assert figures(daemon) == before
        assert daemon.metric("exchanges_received_total", peer="mx01") == 0
        assert daemon.count("exchange REJECTED .*") == 2  # to the other key, and to the unknown


def figures(daemon):
    """What is counted of others' exchanges, and known of peers and windows."""
    _, text = daemon.request("GET", "/metrics")
    kinds = ("mailflow_exchanges_rec", "mailflow_exchanges_rej", "mailflow_maintenance",
             'mailflow_peer_heard_timestamp_seconds{peer="mx01"}')
    return [line for line in text.splitlines() if line.startswith(kinds)]


def test_an_agent_older_than_checks(place):
    """It finds the question out of date, as it would an exchange of then."""
    with smtp_server.Server() as peer, http_that(200, b'{"server":"mx02"}') as url:
        add_peer(place, "mx02", mail_server=f"127.0.0.1:{peer.port}", agent=url)
        results, code = live(place, "--wait", "0")
    assert code == 0 and "its mailflow is older" in results["agent of mx02"]["message"]


@contextlib.contextmanager
def agent_that_replies(change):
    """An agent that answers a check so: (status, body, signature) of what is a good answer."""

    def script(connection, request):
        if request.line.startswith("GET"):
            connection.sendall(scripted.answer(200, b'{"server":"mx02"}'))
            return
        asked = json.loads(request.body)
        assert asked["check"] is True and asked["time"].startswith("2000-01-01T")
        status, body, key = change(exchange.reply_to(request.body, check=True))
        signature = {"mailflow_signature": exchange.sign(body, key)} if key else {}
        connection.sendall(scripted.answer(status, body, **signature))

    with scripted.Server(script) as server:
        yield server.url() + "/"


def altered(key=None, **members):
    """A reply that says something else in these members."""
    return lambda body: (200, json.dumps(json.loads(body) | members).encode(), key)


def refused(status, body=b""):
    return lambda _: (status, body, None)


REPLIES = {
    "good": (altered("ours"), "it answers, and takes our exchange", ""),
    "another key": (altered("other"), "its reply: signed with a key", "must be among ours"),
    "unsigned": (altered(), "its reply: not signed", "pass the header Mailflow-Signature"),
    "no message": (altered("ours", row=None), "its reply: \"row\" is not", "Update mailflow on"),
    "no JSON": (lambda _: (200, b"{garbage", "ours"), "its reply: not JSON", "Update mailflow on"),
    "of another": (altered("ours", **{"from": "mx03"}), "from mx03 to mx01", "out of a cache"),
    "to another": (altered("ours", in_reply_to="A" * 26), "answers another request", "of a cache"),
    "an old clock": (altered("ours", time=exchange.timestamp(-1200)), "s behind ours", "clocks"),
    "a fast clock": (altered("ours", time=exchange.timestamp(1200)), "s ahead of ours", "clocks"),
    "another key there": (refused(401), "its agent answers 401", "Give both servers the same"),
    "unknown there": (refused(403, b'{"detail":"no"}'), "answers 403: no", "this server a peer"),
    "no such path": (refused(404), "its agent answers 404", "Update mailflow there"),
    "a proxy": (refused(502, b"<html>"), "its agent answers 502", "log of mailflowd"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_replies_to_the_check(place, name):
    change, said, advice = REPLIES[name]
    ours = re.search(r'id: "(\w+)"', place.config.read_text())[1]
    secret = (place.folder / "mesh.key").read_bytes().strip()
    keys = {"ours": Key(ours, secret), "other": Key("k9", secret)}

    def with_key(body):
        status, body, key = change(body)
        return status, body, keys.get(key)

    with smtp_server.Server() as peer, agent_that_replies(with_key) as url:
        add_peer(place, "mx02", mail_server=f"127.0.0.1:{peer.port}", agent=url)
        results, code = live(place, "--wait", "0")
    result = results["agent of mx02"]
    assert (code, result["ok"]) == ((0, True) if name == "good" else (1, False)), result
    assert said in result["message"] and advice in result["advice"], result


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_that_is_none(place, name):
    answer, said, advice = AGENTS[name]
    with contextlib.ExitStack() as stack:
        peer = stack.enter_context(smtp_server.Server())
        url = stack.enter_context(http_that(*answer)) if answer else "http://127.0.0.1:9"
        add_peer(place, "mx02", mail_server=f"127.0.0.1:{peer.port}", agent=url)
        results, code = live(place, "--wait", "0")
    assert code == 1 and not results["agent of mx02"]["ok"]
    assert said in results["agent of mx02"]["message"], results
    assert advice in results["agent of mx02"]["advice"]
    assert [subject for subject, one in results.items() if not one["ok"]] == ["agent of mx02"]


def test_a_mail_server_that_does_not_greet(place):
    busy = {"greeting": [smtp_server.reply("554 no service")]}
    with smtp_server.Server(busy) as peer:
        add_peer(place, "mx02", mail_server=f"127.0.0.1:{peer.port}")
        results, code = live(place, "--wait", "0")
    assert code == 1 and "it says: 554 no service" in results["mail server of mx02"]["message"]


def test_every_mailbox_and_relay(place, office):
    """Those of a peer without an agent, too; a relay that several have is tried once."""
    with smtp_server.Server({"content": [office.deliver]}) as other:
        mailbox = {"name": "gmail-box", "host": "127.0.0.1", "port": office.imap.port}
        mailbox |= {"tls": "none", "user": "someone@example.com", "password_file": "probe.password"}
        relay = {"host": "127.0.0.1", "port": other.port}
        more = {"mailboxes": [mailbox]}
        (place.folder / "conf.d/a.yaml").write_text(json.dumps(more))
        add_peer(place, "gmail", collect="gmail-box", relay=relay)
        add_peer(place, "gmail2", collect="gmail-box", relay=relay)
        results, code = live(place)
    assert code == 0, results
    assert list(results) == [
        "mailbox local", "mailbox gmail-box", "relay", "relay of gmail", "address of gmail",
        "address of gmail2"]
    assert office.mailbox == {}


def of_peer(name, text):
    """An act for RCPT: the peer's address is answered so, others are taken."""

    def act(session):
        refused = f"@{name}." in session.commands[-1]
        smtp_server.reply(text if refused else "250 2.1.5 Ok")(session)

    return act


@pytest.mark.parametrize(
    ("text", "ok", "now", "advice"),
    [
        ("550 5.1.1 <probe@mx02.example>: User unknown", False, "", "correct the peer's `address:`"),
        ("554 5.7.1 <probe@mx02.example>: Relay access denied", False, "", "does not relay"),
        ("450 4.7.1 <probe@mx02.example>: Greylisted", True, " now", "It greylists"),
        ("451 4.3.0 busy", True, " now", "Try again later"),
        ("550 no", False, "", "The log of the relay says more"),
    ],
)
def test_an_address_that_the_relay_does_not_take(place, office, text, ok, now, advice):
    """Told of the peer in the relay's own words; what is for now only is no failure."""
    office.smtp.script["rcpt"] = [of_peer("mx02", text)]
    with smtp_server.Server() as peer:
        for name in ("mx02", "mx03"):
            add_peer(place, name, mail_server=f"127.0.0.1:{peer.port}")
        results, code = live(place, "--wait", "0")
        shown = place.run("check", "--live", "--wait", "0", *PROBERS)
    said = f"it takes no probes to probe@mx02.example{now}; it says: {text}"
    of_mx02 = results["address of mx02"]
    assert (of_mx02["message"], of_mx02["ok"], of_mx02["warning"]) == (said, ok, ok)
    assert advice in of_mx02["advice"]
    assert results["address of mx03"]["message"] == "it takes probes to probe@mx03.example"
    assert code == shown.code == (0 if ok else 1)
    mark = "warn  " if ok else "FAILED"
    where = f"address of mx02 at 127.0.0.1:{office.smtp.port}"
    assert f"{mark}  {where}: {said}" in shown.out and advice in shown.out, shown
    asked = [session for session in office.smtp.sessions if "RSET" in session.commands]
    assert asked and all(session.content is None for session in asked)


def test_addresses_are_not_asked_of_a_relay_that_does_not_work(place, office):
    office.smtp.script["mail"] = [smtp_server.reply("554 5.7.1 not from you")]
    with smtp_server.Server() as peer:
        add_peer(place, "mx02", mail_server=f"127.0.0.1:{peer.port}")
        results, code = live(place, "--wait", "0")
    assert code == 1 and not results["relay"]["ok"] and "address of mx02" not in results


def test_a_mailbox_that_cannot_be_read(place, office):
    office.imap.password = "another"
    results, code = live(place)
    assert code == 1 and not results["mailbox local"]["ok"] and results["relay"]["ok"]
    assert "whether that arrives is not known" in results["relay"]["message"]
    office.imap.password = (place.folder / "probe.password").read_text().strip()
    results, code = live(place)
    assert code == 0 and office.mailbox == {}  # what the first had left there is gone, too


def test_beside_a_running_agent(place, office, tmp_path):
    """It looks on, touches nothing, and counts nothing."""
    home = tmp_path / "agent"
    home.mkdir()
    with Daemon(home, office, defaults={"interval": "1h"}) as daemon:
        wait_for(lambda: daemon.metric("imap_up", mailbox="local") == 1, 20, "its mailbox")
        words = ("check", "--live", "--config", daemon.config, *PROBERS)
        result = ctl(*words)
        assert "our probe has arrived" in result.out, result
        # At the latest when the agent looks at all folders, which it does every 30 s.
        wait_for(lambda: office.mailbox == {}, 45, "the mailbox to be empty")
        for reason in "signature", "unknown_peer", "misrouted":
            assert daemon.metric("probes_rejected_total", reason=reason) == 0


def test_a_configuration_with_errors(place):
    place.config.write_text(place.config.read_text() + "colour: blue\n")
    result = place.run("check", "--live")
    assert result.code == 1 and "unknown key 'colour'" in result.out and "ok" not in result.out


def test_not_with_effective(place):
    result = place.run("check", "--live", "--effective")
    assert result.code == 2 and "not both" in result.err
