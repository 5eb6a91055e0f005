"""mailflow-fetch against HTTP servers that misbehave in every way we know."""

import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

import ready
from http_server import Server, answer, close, endless, hang, raw, reply
from process import patient

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
PROGRAM = BUILD / "probes" / "mailflow-fetch"
SIGNATURE = "a=hmac-sha256; k=k1; b=c2lnbmF0dXJl"
LARGEST = 4500
SHORT = 1.0
# Of SHORT, what the start of the program leaves.
WITHIN = r"within (0\.[5-9]|1\.\d) s" if patient(1) == 1 else r"within \d+\.\d s"


def job(url, *, seconds=5.0, number=1, body=b'{"v":1}', ca_file="", **members):
    """One job, and how many seconds it has."""
    return {
        "number": number,
        "kind": "exchange",
        "deadline": ready.within(seconds),
        "url": url,
        "ca_file": str(ca_file),
        "signature": SIGNATURE,
        "body": base64.b64encode(body).decode(),
    } | members


def run(*jobs, timeout=15, **environment):
    """What the program answers to these jobs, or bytes, on its standard input."""
    return ready.run([PROGRAM], jobs, over=job("http://127.0.0.1:1"), timeout=timeout,
                     env={**os.environ, **environment})


def fetch(*jobs, **environment):
    """The outcomes of the jobs, in the order in which they came."""
    done = run(*jobs, **environment)
    assert (done.returncode, done.stderr) == (0, b""), done
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    for outcome in outcomes:
        outcome["body"] = base64.b64decode(outcome["body"])
    assert len(outcomes) == len(jobs)
    return outcomes


def cause(one, status=0):
    """Why nothing came."""
    [outcome] = fetch(one)
    assert (outcome["status"], outcome["body"], outcome["signature"]) == (status, b"", "")
    return outcome["cause"]


# ---- what goes out, what comes back ----


def test_a_signed_post_and_its_reply():
    body = b'{"nonce":"\xc3\xa9"}'
    with Server(reply(200, b"\x00\xff any bytes", mailflow_signature=f" {SIGNATURE}\t")) as server:
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        [outcome] = fetch(job(server.url() + "/peer/v1/exchange", number=7, body=body))
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    [request] = server.requests
    assert request.line == "POST /peer/v1/exchange HTTP/1.1" and request.body == body
    assert request.headers["content-type"] == "application/json"
    assert request.headers["mailflow-signature"] == SIGNATURE
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert "expect" not in request.headers
    assert before < outcome.pop("ended")["instant"] < after
    assert outcome == {"number": 7, "status": 200, "cause": "", "signature": SIGNATURE,
                       "body": b"\x00\xff any bytes", "certificate": None}


def test_a_refusal_is_an_outcome():
    with Server(reply(403, b'{"detail":"no"}')) as server:
        [outcome] = fetch(job(server.url()))
    assert (outcome["status"], outcome["body"], outcome["cause"]) == (403, b'{"detail":"no"}', "")


def test_a_redirect_is_not_followed():
    with Server() as other, Server() as server:
        server.script = reply(307, location=other.url())
        [outcome] = fetch(job(server.url()))
    assert outcome["status"] == 307 and other.requests == []


def test_no_proxy_is_asked():
    with Server() as proxy, Server() as server:
        environment = {name: proxy.url() for name in ("http_proxy", "ALL_PROXY", "all_proxy")}
        assert fetch(job(server.url()), **environment)[0]["status"] == 200
    assert proxy.requests == []


def test_jobs_one_after_the_other_share_a_connection():
    with Server() as server:
        process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        took = []
        for number in range(1, 6):
            begun = time.monotonic()
            process.stdin.write(ready.encode(job(server.url(), number=number)))
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["status"] == 200
            took.append(time.monotonic() - begun)
        process.stdin.close()
        assert process.wait(patient(5)) == 0
        process.stdout.close()
    print(f"five in a row: {', '.join(f'{1000 * one:.1f} ms' for one in took)}")
    assert {request.connection for request in server.requests} == {1}


def test_a_connection_that_has_been_closed_meanwhile_is_made_anew():
    def once(connection, request):
        connection.sendall(answer(200))
        raise ConnectionAbortedError

    with Server(once) as server:
        process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(1, 4):
            process.stdin.write(ready.encode(job(server.url(), number=number)))
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["status"] == 200
        process.communicate(timeout=patient(5))
    assert [request.connection for request in server.requests] == [1, 2, 3]


def test_one_that_hangs_holds_up_nobody_else():
    with Server(hang) as hanging, Server() as server:
        jobs = [job(hanging.url(), number=n, seconds=SHORT) for n in range(1, 101)]
        jobs += [job(server.url(), number=n) for n in range(101, 111)]
        outcomes = fetch(*jobs)
    assert {one["number"] for one in outcomes[:10]} == set(range(101, 111))
    assert {one["status"] for one in outcomes[:10]} == {200}
    assert all(re.fullmatch(f"no complete reply {WITHIN}", one["cause"]) for one in outcomes[10:])


# ---- servers that misbehave ----


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert cause(job(f"http://127.0.0.1:{port}")) == "cannot connect: Connection refused"


def test_a_name_that_does_not_exist():
    assert "resolve host: nowhere.invalid" in cause(job("http://nowhere.invalid:9925"))


def test_a_connection_that_nobody_accepts():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            said = cause(job(f"http://127.0.0.1:{full.getsockname()[1]}", seconds=SHORT))
    assert re.fullmatch(f"no connection {WITHIN}", said), said


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (hang, f"no complete reply {WITHIN}"),
        (endless(b"HTTP/1.1 200 -\r\nContent-Length: 4000\r\n\r\n", b"x", 0.05),
         f"no complete reply {WITHIN}"),
        (endless(b"HTTP/1.1 200 -\r\n\r\n", b"x" * 1000), "the reply is larger than an exchange"),
        (endless(b"HTTP/1.1 200 -\r\n", b"X: y\r\n" * 100), "the headers of the reply do not end"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "the headers of the reply do not"),
        (reply(200, b"x" * (LARGEST + 1)), "the reply is larger than an exchange"),
        (raw(b"HTTP/1.1 200 -\r\nContent-Length: 99\r\n\r\nshort"), "transfer closed with 94 bytes"),
        (raw(b"HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"), "hexadecimal sequence in chunked"),
        (raw(b"\x16\x03\x01 garbage \x00\xff" * 50), "Received HTTP/0.9 when not allowed"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "Received HTTP/0.9 when not allowed"),
        (close, "the connection was closed without a reply"),
    ],
)
def test_what_is_no_reply(script, said):
    with Server(script) as server:
        words = cause(job(server.url(), seconds=SHORT if WITHIN in said else 5.0))
    assert re.search(said, words), words


def test_the_largest_reply():
    with Server(reply(200, b"x" * LARGEST, mailflow_signature="b" * 200)) as server:
        [outcome] = fetch(job(server.url()))
    assert len(outcome["body"]) == LARGEST
    assert outcome["signature"] == ""  # no signature is as long


# ---- TLS ----


def test_tls(certificates):
    with Server(certificate=(certificates.right,)) as server:
        for host in ("localhost", "127.0.0.1"):
            one = job(server.url(host), ca_file=certificates.ca_file)
            [done] = fetch(one)
            assert done["status"] == 200
            shown = done["certificate"]
            assert shown.pop("expires") / 1e9 > time.time()
            assert shown == {"verified": True, "subject": "localhost", "issuer": "Test Authority"}


def test_a_chain_ends_with_the_first_of_its_certificates(certificates):
    shows = certificates.issue_below("below", days=5)
    with Server(certificate=(shows,)) as server:
        [done] = fetch(job(server.url("localhost"), ca_file=certificates.ca_file))
    shown = done["certificate"]
    assert 4.9 < (shown["expires"] / 1e9 - time.time()) / 86400 < 5.1
    assert (shown["verified"], shown["authority"]) == (True, "Middle Authority")


@pytest.mark.parametrize(
    ("shown", "trusted", "said"),
    [
        ("right", False, "TLS: server certificate verification failed"),
        ("self_signed", True, "TLS: server certificate verification failed"),
        ("wrong_name", True, "does not match target host name 'localhost'"),
    ],
)
def test_a_certificate_that_is_not_good(certificates, shown, trusted, said):
    with Server(certificate=(getattr(certificates, shown),)) as server:
        ca_file = certificates.ca_file if trusted else ""
        [done] = fetch(job(server.url("localhost"), ca_file=ca_file))
    assert done["status"] == 0 and said in done["cause"], done
    assert done["certificate"]["verified"] is False
    assert server.requests == []


def test_tls_without_a_ca_file_to_read(certificates, tmp_path):
    with Server(certificate=(certificates.right,)) as server:
        said = cause(job(server.url("localhost"), ca_file=tmp_path / "none.pem"))
    assert said.startswith("TLS: cannot use ca_file") and "none.pem" in said


def test_tls_to_a_server_in_the_clear(certificates):
    with Server(hang) as server:
        url = server.url("localhost").replace("http:", "https:")
        said = cause(job(url, ca_file=certificates.ca_file, seconds=SHORT))
    assert re.fullmatch(f"no TLS connection {WITHIN}", said), said


# ---- jobs that are none ----


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"nonsense", b"job: not JSON"),
        (b"{}", b'job: "number" is missing'),
        (b'{"number":1}', b'job: "kind" is missing'),
        (b"x" * 20000, b"job: line of 20000 bytes is longer than 8192"),
    ],
)
def test_lines_that_are_no_jobs(line, said):
    with Server() as server:
        done = run(line + b"\n", job(server.url(), number=2))
    assert done.returncode == 0 and said in done.stderr, done
    assert json.loads(done.stdout.splitlines()[-1])["status"] == 200


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:1/"])
def test_other_protocols(url):
    assert "not supported" in cause(job(url))


def test_too_many_at_once():
    with Server(hang) as server:
        jobs = [job(server.url(), number=n, seconds=SHORT) for n in range(1, 131)]
        done = run(*jobs)
    causes = [json.loads(line)["cause"] for line in done.stdout.splitlines()]
    assert causes[:2] == ["job: there are too many at once"] * 2 and len(causes) == 130


def test_a_deadline_in_the_past():
    with Server(hang) as server:
        said = cause(job(server.url(), seconds=-5))
    assert float(re.search(r" within (\d+\.\d) s", said)[1]) < patient(0.1)


def test_arguments_are_refused():
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, check=False)
    assert done.returncode == 64 and b"usage:" in done.stderr
