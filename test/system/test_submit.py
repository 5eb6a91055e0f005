"""mailflow-submit: what it sends, connects to and reports, against a scripted mail server."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time

import pytest

import prober
import tag
from prober import PASSWORD, job, outcome, secure_job, submit
from process import patient
from smtp_server import WITH_AUTH, WITH_TLS, Server, close, hang, raw, reply, trickle, wait

SHORT = 1.0


def headers_of(content):
    """The headers as a receiver sees them: unfolded, by name."""
    block = content.split(b"\r\n\r\n", 1)[0].decode()
    lines = block.replace("\r\n ", " ").split("\r\n")
    return dict(line.split(": ", 1) for line in lines)


# ---- what is sent ----

def test_accepted():
    with Server() as server:
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        [done], lines, _ = submit(job(server.port, number=5))
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert [line["result"] for line in lines] == ["content", "accepted"]
    assert done["number"] == 5 and done["class"] == "2xx" and done["code"] == 250
    assert done["reply"] == "250 2.0.0 Ok: queued as 4FZXKQ1Y"
    assert done["queue_id"] == "4FZXKQ1Y" and done["cause"] == ""
    assert lines[0]["sent"] == done["sent"]
    assert before < done["sent"]["instant"] < done["accepted"]["instant"] < after
    assert done["legs"]["dns"] >= 0 and done["legs"]["connect"] > 0 and done["legs"]["submit"] > 0
    assert done["legs"]["tls"] == -1 and done["legs"]["auth"] == -1
    assert server.session.commands == [
        "EHLO mx02.example",
        f"MAIL FROM:<probe@mx02.example> RET=HDRS ENVID={prober.PROBE_ID}",
        "RCPT TO:<probe@mx01.example> NOTIFY=FAILURE,DELAY",
        "DATA",
        "QUIT",
    ]


def test_message_verifies_by_a_second_implementation():
    lists = {"maintenance": "id=w-1f3a; " * 20, "receipts": "as_of=1; got=" + "ID/1/2 " * 40,
             "row": "mx03=ok mx04=bad"}
    with Server() as server:
        [done], _, _ = submit(job(server.port, **lists))
    content = server.session.content
    got = headers_of(content)
    assert len(content) < 4096
    assert max(len(line) for line in content.split(b"\r\n") if b"Message-ID" not in line) <= 78
    assert not re.search(rb"[^\r]\n|\r[^\n]", content)
    key = tag.Key("k1", prober.SECRET)
    signed = b"".join(tag.canonical(name, got[name]) for name in tag.NAMES)
    signature = tag.base64.b64encode(key.digest(signed)).decode()
    assert "".join(got["Mailflow-Signature"].split()) == f"a=hmac-sha256;k=k1;b={signature}"
    assert got["Mailflow-Maintenance"].split() == lists["maintenance"].split()
    sent = done["sent"]["wall"] // 1000
    assert f"sent={sent};" in got["Mailflow-Probe"]
    mac = got["Message-ID"].split("@")[0].rsplit(".", 1)[1]
    assert mac == tag.base32(key.digest(
        f"message-id:{prober.PROBE_ID}.mx02.mx01.1041.{sent}".encode())[:12])


def test_sent_is_stamped_after_data_is_answered():
    answered = []

    def note_the_time(_):
        answered.append(time.clock_gettime_ns(time.CLOCK_BOOTTIME))

    with Server({"data": [wait(0.3), note_the_time, reply("354 go on")]}) as server:
        done = outcome(job(server.port))
    assert answered[0] <= done["sent"]["instant"] <= server.session.content_at
    assert done["legs"]["submit"] > 300_000_000


def test_chunking_is_hidden():
    ehlo = "250-server.test\n250-PIPELINING\n250-CHUNKING\n250-BINARYMIME\n250 8BITMIME"
    with Server({"rcpt": [wait(0.2), reply("250 ok")]}, ehlo=ehlo) as server:
        done = outcome(job(server.port))
    assert done["result"] == "accepted"
    assert [command.split(" ")[0] for command in server.session.commands] == [
        "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


def test_chunking_is_hidden_however_the_reply_is_cut():
    octets = b"250-server.test\r\n250-CHUNKING\r\n250 DSN\r\n"
    with Server({"ehlo": [trickle(octets, 0.002)]}) as server:
        assert outcome(job(server.port))["result"] == "accepted"
    assert "DATA" in server.session.commands


def test_helo_server():
    script = {"ehlo": [reply("502 5.5.1 what?")], "helo": [reply("250 hello")]}
    with Server(script) as server:
        assert outcome(job(server.port))["result"] == "accepted"
    assert server.session.commands[:3] == ["EHLO mx02.example", "HELO mx02.example",
                                           "MAIL FROM:<probe@mx02.example>"]


def test_many_jobs_in_one_process():
    with Server() as server:
        outcomes, _, _ = submit(*(job(server.port, number=n) for n in range(1, 31)))
    assert [done["number"] for done in outcomes] == list(range(1, 31))
    assert {done["result"] for done in outcomes} == {"accepted"}


def test_ipv6_address():
    with Server(address="::1") as server:
        assert outcome(job(server.port, host="::1"))["result"] == "accepted"
    refused = outcome(job(server.port, host="::1"))
    assert refused["cause"] == f"connect to [::1]:{server.port}: Connection refused"


def test_slow_quit_delays_nothing():
    with Server({"quit": [hang()]}) as server:
        begun = time.monotonic()
        done = outcome(job(server.port, seconds=10))
        assert time.monotonic() - begun < patient(3)
    assert done["result"] == "accepted" and done["cause"] == ""


# ---- names and connections ----

def test_unknown_name():
    done = outcome(job(25, host="nobody.invalid"))
    assert done["result"] == "refused" and done["class"] == "dns"
    assert done["cause"].startswith("nobody.invalid: ")
    assert done["legs"]["dns"] == -1


def run_with_etc(tmp_path, one, *options, prelude="", **files):
    """Runs the program on a job where files of /etc are others: in namespaces of its own."""
    script = tmp_path / "run.py"
    script.write_text("import socket, subprocess, sys\n" + prelude)
    with script.open("a") as more:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
            more.write(f"subprocess.run(['mount', '--bind', {str(tmp_path / name)!r},"
                       f" '/etc/{name.replace('_', '.')}'], check=True)\n")
        more.write("sys.exit(subprocess.run([sys.argv[1]]).returncode)\n")
    process = prober.run(one, command=["unshare", "--mount", *options, sys.executable, script,
                                       prober.SUBMIT])
    if b"Operation not permitted" in process.stderr:
        pytest.skip("needs the right to make namespaces")
    return json.loads(process.stdout.splitlines()[-1])


def test_resolver_that_does_not_answer(tmp_path):
    """In a network of its own, where the resolver is a socket that nobody reads."""
    silent = ("subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)\n"
              "silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "silent.bind(('127.0.0.1', 53))\n")
    done = run_with_etc(tmp_path, job(25, host="mx01.example", seconds=SHORT), "--net",
                        prelude=silent, resolv_conf="nameserver 127.0.0.1\n",
                        nsswitch_conf="hosts: files dns\n")
    assert done["class"] == "dns" and done["result"] == "refused"
    said = r"mx01\.example: no answer from the resolver within (\d+\.\d) s"
    assert float(re.fullmatch(said, done["cause"])[1]) <= patient(0.8)


def deaf_listener(address, port=0):
    """A listener whose queue is full: it drops what else knocks. With those who fill it."""
    listener = socket.socket()
    listener.bind((address, port))
    listener.listen(0)
    knocking = []
    for _ in range(4):
        knocking.append(socket.socket())
        knocking[-1].setblocking(False)
        knocking[-1].connect_ex(listener.getsockname())
    return [listener, *knocking]


@pytest.mark.parametrize("first", ["refuses", "is deaf", "is busy"])
def test_second_address(tmp_path, first):
    """The first address may use up its share of the time, not all of it."""
    with Server(address="127.0.0.3") as server, contextlib.ExitStack() as stack:
        if first == "is deaf":
            for each in deaf_listener("127.0.0.2", server.port):
                stack.enter_context(each)
        elif first == "is busy":
            stack.enter_context(Server({"greeting": [reply("421 4.3.2 busy")]},
                                       address="127.0.0.2", port=server.port))
        done = run_with_etc(tmp_path, job(server.port, host="two.example", seconds=1.5),
                            hosts="127.0.0.2 two.example\n127.0.0.3 two.example\n",
                            nsswitch_conf="hosts: files\n")
    assert done["result"] == "accepted"
    assert server.session.content is not None


def test_connection_refused():
    with Server() as server:
        port = server.port
    done = outcome(job(port))
    assert (done["result"], done["class"]) == ("refused", "connect")
    assert done["cause"] == f"connect to localhost:{port}: Connection refused"
    assert done["legs"]["dns"] >= 0 and done["legs"]["connect"] == -1


def test_connection_not_answered():
    with contextlib.ExitStack() as stack:
        deaf = deaf_listener("127.0.0.1")
        for each in deaf:
            stack.enter_context(each)
        port = deaf[0].getsockname()[1]
        begun = time.monotonic()
        done = outcome(job(port, host="127.0.0.1", seconds=SHORT))
        assert time.monotonic() - begun < patient(SHORT + 2)
    assert (done["result"], done["class"]) == ("refused", "connect")
    said = rf"connect to 127\.0\.0\.1:{port}: no reply to connect within (\d+\.\d) s"
    assert float(re.fullmatch(said, done["cause"])[1]) <= patient(0.8)


# ---- the transcript ----

def said(done):
    """The lines of a transcript: (seconds, who, text)."""
    lines = [line.split(" ", 2) for line in done["transcript"].splitlines()]
    times = [int(microseconds) / 1e6 for microseconds, _, _ in lines]
    assert times == sorted(times) and all(0 <= time < 5 for time in times), done
    return [(who, text) for _, who, text in lines]


def test_a_transcript_of_a_refusal(certificates):
    with Server({"rcpt": [reply("550-5.7.1 not\n550 5.7.1 \x1b[31mhere")]}, ehlo=WITH_TLS,
                ehlo_tls=WITH_AUTH, certificate=certificates.right) as server:
        done = outcome(secure_job(server, certificates, user="probe", password=PASSWORD))
    assert done["result"] == "refused"
    lines = said(done)
    assert lines[0] == ("note", f"connected to 127.0.0.1 port {server.port}")
    assert lines[1] == ("server", "220 server.test ESMTP")
    assert ("note", "TLSv1.3 with TLS_AES_256_GCM_SHA384, certificate verified") in lines
    client = [text for who, text in lines if who == "client"]
    assert client[:4] == ["EHLO mx02.example", "STARTTLS", "EHLO mx02.example", "AUTH PLAIN ***"]
    assert client[4].startswith("MAIL FROM:<probe@mx02.example>") and client[-1] == "QUIT"
    assert ("server", "550-5.7.1 not") in lines and ("server", "550 5.7.1 ?[31mhere") in lines


def test_a_transcript_of_an_uncertain_one_has_no_content():
    with Server({"content": [close()]}) as server:
        done = outcome(job(server.port))
    assert done["result"] == "uncertain"
    [note] = [text for who, text in said(done)[1:] if who == "note"]
    assert re.fullmatch(r"message of \d+ bytes", note)
    assert said(done)[said(done).index(("note", note)) - 1] == ("server", "354 go on")
    assert "Mailflow-" not in done["transcript"]


def test_no_transcript_of_what_was_accepted_or_never_connected():
    with Server() as server:
        assert outcome(job(server.port))["transcript"] == ""
        unknown = outcome(job(server.port, host="nowhere.invalid"))
    assert unknown["result"] == "refused" and unknown["transcript"] == ""


def test_a_transcript_of_a_server_that_never_ends():
    lines = "".join(f"250-{number} \\\"\r\n" for number in range(2000)).encode()
    with Server({"ehlo": [raw(lines), hang()]}) as server:
        _, answers, _ = submit(job(server.port, seconds=2.0))
    done = answers[-1]
    lines = said(done)
    assert len(done["transcript"]) < 3072 and len(json.dumps(done)) < 8192
    assert lines[1] == ("server", "220 server.test ESMTP")
    assert lines[-1] == ("server", r'250-1999 \\\"')
    assert [who for who, text in lines if text.endswith(" lines left out")] == ["note"]


# ---- lines that are no jobs ----

@pytest.mark.parametrize("line, reason", [
    (b"hello", b"not JSON at byte 5: '[' or '{' expected near 'hello'"),
    (b"[1,2]", b"not a JSON object"),
    (b"{}", b'"number" is missing'),
    (b'{"number":"1"}', b'"number" is not a whole number'),
    (b'{"number":1,"number":1}', b"not JSON at byte 20: duplicate object key near '\"number\"'"),
    (b"[" * 5000, b"not JSON at byte 2049: maximum parsing depth reached near '['"),
    (b"x" * 8193, b"line of 8193 bytes is longer than 8192"),
    (b"x" * 3000000, b"line of 3000000 bytes is longer than 8192"),
    (b"\xff\xfe\x00", b"not JSON at byte 0: unable to decode byte 0xff near '\"\\xff'"),
], ids=["word", "array", "empty", "string", "twice", "nested", "long", "endless", "binary"])
def test_no_job(line, reason):
    process = prober.run(line + b"\n")
    assert process.returncode == 0 and process.stdout == b""
    assert process.stderr.startswith(b"mailflow-submit: job: ")
    assert reason.split(b" near")[0] in process.stderr
    assert process.stderr.count(b"\n") == 1


def test_bad_job_with_a_number_gets_an_outcome():
    with Server() as server:
        bad = job(server.port, number=3)
        del bad["relay"]["tls"]
        outcomes, _, process = submit(bad, job(server.port, number=4))
    assert [done["result"] for done in outcomes] == ["refused", "accepted"]
    assert outcomes[0]["number"] == 3
    assert outcomes[0]["cause"] == 'job: "relay": "tls" is missing'
    assert process.stderr == b'mailflow-submit: job: "relay": "tls" is missing\n'


def test_lists_too_long_for_a_message():
    done = outcome(job(25, receipts="x " * 1190, maintenance="y " * 1190))
    assert done["cause"] == "the message would be larger than 4095 bytes"


def test_no_arguments():
    process = subprocess.run([prober.SUBMIT, "--help"], capture_output=True, check=False)
    assert process.returncode == 64 and b"one JSON object a line" in process.stderr
