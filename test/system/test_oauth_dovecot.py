"""Bearer tokens against a real Dovecot, which asks a token service of ours about each of them."""

import http.server
import json
import threading

import pytest

import dovecot
import prober
import smtp_server
from collector import Collector

pytestmark = pytest.mark.skipif(not dovecot.is_available(), reason="needs root and Dovecot")
GOOD = "ya29.good-_~+" + "x" * 1500
CONFIG = """
protocols = imap submission
hostname = dovecot.test
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
service submission-login {{
  inet_listener submission {{
    port = {submission}
  }}
  chroot =
}}
auth_mechanisms = plain xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf.ext
}}
"""


class TokenService(http.server.BaseHTTPRequestHandler):
    """Whose token it is, as a provider's tokeninfo says."""

    def do_GET(self):
        good = self.path.endswith("=" + GOOD.replace("+", "%2B").replace("~", "%7E")) or \
            self.path.endswith("=" + GOOD) or self.path.endswith("=" + GOOD.replace("+", "%2b"))
        body = json.dumps({"email": "tokenuser"} if good else {"error": "invalid_token"}).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module", name="server")
def fixture_server():
    with dovecot.home() as (home, authority):
        yield from serve(home, authority)


def serve(home, authority):
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenService)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    (home / "oauth2.conf.ext").write_text(
        f"tokeninfo_url = http://127.0.0.1:{service.server_port}/tokeninfo?access_token=\n"
        "username_attribute = email\n"
    )
    relay, submission = smtp_server.Server(), dovecot.free_port()
    config = CONFIG.format(home=home, relay=relay.port, submission=submission)
    server = dovecot.Dovecot(home, home / "tls", config)
    server.start()
    server.authority, server.submission, server.relay = authority, submission, relay
    dovecot.Maildir(server, "tokenuser")
    with relay:
        yield server
        server.stop()
    service.shutdown()


def watch(collector, server, mechanism, token):
    collector.watch(server.port, host="localhost", tls="starttls", ca_file=server.authority,
                    user="tokenuser", password="", oauth={"oauth": mechanism, "token": token})


@pytest.mark.parametrize("mechanism", ["auto", "xoauth2", "oauthbearer"])
def test_dovecot_takes_a_token(server, mechanism):
    with Collector(timeout="5s") as collector:
        watch(collector, server, mechanism, GOOD)
        assert collector.expect("up")["cause"] == "", server.log()
        collector.expect("complete")


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_dovecot_refuses_a_token(server, mechanism):
    with Collector(timeout="20s") as collector:  # it lets those wait who are wrong
        watch(collector, server, mechanism, "wrong")
        cause = collector.expect("down", patience=25)["cause"]
    print(cause)
    assert "login as tokenuser refused (status " in cause and "Authentication failed" in cause


def submit(server, mechanism, token):
    """Through Dovecot's submission service, which hands it on to a scripted server."""
    job = prober.job(server.submission, tls="starttls", ca_file=str(server.authority),
                     user="tokenuser", seconds=25)
    job["relay"] |= {"oauth": mechanism, "token": token}
    return prober.outcome(job)


@pytest.mark.parametrize("mechanism", ["auto", "xoauth2", "oauthbearer"])
def test_dovecot_takes_a_token_for_submission(server, mechanism):
    taken = len(server.relay.sessions)
    done = submit(server, mechanism, GOOD)
    print(done["transcript"])
    assert done["result"] == "accepted" and done["legs"]["auth"] > 0, (done, server.log())
    assert len(server.relay.sessions) == taken + 1
    print(done["legs"])


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_dovecot_refuses_a_token_for_submission(server, mechanism):
    done = submit(server, mechanism, "wrong")
    assert (done["result"], done["class"]) == ("refused", "5xx")
    assert "authentication as tokenuser is refused by" in done["cause"]
    assert "status " in done["cause"]
    print(done["cause"], done["reply"])
