"""mailflow-token: what it makes of good commands and of bad ones, and that nothing is left of them."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import urllib.parse

import pytest

from daemon import wait_for
from process import patient
from token_program import PROGRAM, job, run, running, script, start

TOKEN = "ya29.a0-_~+/" + "x" * 1500 + "=="
SLACK = patient(8.0)  # seconds that starting and ending take at most, where much else goes on
NO_TOKEN = "it printed no bearer token (RFC 6750): one word of ASCII, or a JSON object"


def test_it_prints_a_token(tmp_path):
    done, _ = run(script(tmp_path, f"echo '{TOKEN}'"))
    assert done == {"number": 1, "token": TOKEN, "lifetime": -1, "cause": ""}


def test_it_prints_what_a_token_endpoint_answers(tmp_path):
    answer = {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN, "id_token": TOKEN}
    done, _ = run(script(tmp_path, f"echo '{json.dumps(answer, indent=2)}'"))
    assert (done["token"], done["lifetime"], done["cause"]) == (TOKEN, 3599 * 10**9, "")


def test_what_it_is_run_in(tmp_path):
    """Its words as they are, three streams, nothing to read, and an environment of four."""
    told = tmp_path / "told"
    body = f"""
import json, os, sys
told = {{"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(),
        "input": sys.stdin.read(), "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd")),
        "alone": os.getsid(0) == os.getpid(), "blocked": [line.split()[1] for line in
        open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn"))]}}
with open({str(told)!r}, "w") as file:
    json.dump(told, file)
print("token")
"""
    words = ["a b", "$HOME", "; touch x", "*", "é"]
    command = script(tmp_path, body, interpreter="/usr/bin/python3 -I")
    with open("/etc/passwd", "rb") as extra:
        os.set_inheritable(extra.fileno(), True)
        done, _ = run(command, *words, home="/var/lib/mailflow", credentials="/run/credentials/x",
                      process={"env": {"SECRET": "in our own"}})
    assert done["token"] == "token", done
    seen = json.loads(told.read_text())
    assert seen["words"] == words and seen["folder"] == "/" and seen["input"] == "" and seen["alone"]
    assert seen["descriptors"] == [0, 1, 2, 3]  # the last is that of the directory itself
    assert int(seen["blocked"][0], 16) == 0
    assert seen["environment"] == {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/var/lib/mailflow",
        "CREDENTIALS_DIRECTORY": "/run/credentials/x"}


BAD = {
    "exits with words": ("echo 'no such account' >&2; echo more >&2; exit 1",
                         "ended with status 1: no such account"),
    "exits without": (f"echo {TOKEN}; exit 3", "ended with status 3"),
    "is killed": ("kill -9 $$", "was killed by signal 9 (Killed)"),
    "prints nothing": (":", "it printed nothing"),
    "prints words": ("echo Usage: get-token ACCOUNT", NO_TOKEN),
    "prints two lines": ("echo abc; echo def", NO_TOKEN),
    "prints a control byte": (r"printf 'abc\001def'", NO_TOKEN),
    "prints bytes": ("head -c 300 /dev/urandom", NO_TOKEN),
    "prints no access_token": ("""echo '{"error":"invalid_grant"}'""",
                               'its JSON object has no "access_token" (invalid_grant)'),
    "prints 10 MB": ("head -c 10000000 /dev/zero | tr '\\0' x", "printed more than 65536 bytes"),
    "prints without end": ("yes", "printed more than 65536 bytes"),
    "screams": ("echo first >&2; head -c 10000000 /dev/zero >&2; exit 1", "ended with status 1: first"),
    "speaks of control bytes": (r"printf '\033[31m\001 \\ \377\n' >&2; exit 1",
                                r"ended with status 1: \x1b[31m\x01 \\ \xff"),
    "tells the token": (f"echo 'sent {TOKEN} in vain' >&2; exit 1", "ended with status 1: sent ***"),
    "speaks long": ("head -c 5000 /dev/zero | tr '\\0' '!' >&2; exit 1", "ended with status 1: !!!!!!!!"),
}


@pytest.mark.parametrize("body, cause", BAD.values(), ids=BAD)
def test_a_command_that_fails(tmp_path, body, cause):
    command = script(tmp_path, body)
    done, took = run(command, seconds=20.0)
    assert done["token"] == "" and done["cause"].startswith(f"{command}: {cause}"), done
    assert len(done["cause"].encode()) < 256 and TOKEN[:70] not in str(done) and took < SLACK


def test_expires_in_of_all_kinds(tmp_path):
    for given, lifetime in (0, 0), (-5, 0), (10**18, 30 * 86400), ('"3599"', 3599), ("2.5", 2.5):
        done, _ = run(script(tmp_path, f"""echo '{{"access_token":"t","expires_in":{given}}}'"""))
        assert (done["token"], done["lifetime"]) == ("t", lifetime * 10**9), (given, done)
    for given, why in ('"soon"', 'its "expires_in" is no number of seconds'), (10**30, "not JSON"):
        done, _ = run(script(tmp_path, f"""echo '{{"access_token":"t","expires_in":{given}}}'"""))
        assert done["token"] == "" and why in done["cause"], done


def test_a_program_that_cannot_be_run(tmp_path):
    (tmp_path / "text").write_text("#!/bin/sh\necho token\n")
    (tmp_path / "binary").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "binary").chmod(0o755)
    for place, why in ("none", "No such file or directory"), ("text", "Permission denied"), \
            ("binary", "Exec format error"), (".", "Permission denied"):
        done, took = run(tmp_path / place)
        assert done["cause"] == f"{tmp_path / place}: cannot be run: {why}" and took < SLACK


HANGS = {
    "sleeps": "sleep 1000 {mark}",
    "ignores SIGTERM": "trap '' TERM INT HUP; while :; do sleep 1; done",
    "does not close": "echo token; sleep 1000",
    "closes and stays": "echo token; exec >&- 2>&-; sleep 1000",
    "spins": "while :; do :; done",
    "screams": "yes >&2",
}


@pytest.mark.parametrize("body", HANGS.values(), ids=HANGS)
def test_a_command_that_hangs(tmp_path, body):
    mark = f"mark-{os.getpid()}-hangs"
    command = script(tmp_path, f"echo waiting >&2\n{body.replace('{mark}', '')}")
    done, took = run(command, mark, seconds=3.0)
    assert done["cause"] == f"{command}: has not ended in time: waiting"
    assert patient(2.9) < took < patient(3) + SLACK and not running(mark)


LEAVES = {
    "a child": "sleep 1000 &",
    "a child that holds its streams": "sh -c 'trap \"\" TERM; sleep 1000; :' x {mark} &",
    "a grandchild": "(sh -c 'sleep 1000; :' x {mark} &)",
    "a daemon": "setsid sh -c 'setsid sh -c \"sleep 1000; :\" x {mark} &' x {mark} &",
}


@pytest.mark.parametrize("hangs", [False, True], ids=["ends", "hangs"])
@pytest.mark.parametrize("body", LEAVES.values(), ids=LEAVES)
def test_nothing_is_left_behind(tmp_path, body, hangs):
    mark = f"mark-{os.getpid()}-leaves"
    body = body.replace("{mark}", mark) + "\nsleep 0.2\necho token\n" + ("sleep 1000" if hangs else "")
    done, took = run(script(tmp_path, body), mark, seconds=4.0)
    assert (done["token"] == "token") != hangs and took < patient(4) + SLACK, done
    assert not running(mark)


def test_the_end_of_the_program_ends_the_command(tmp_path):
    """By a signal, and by the death of its parent."""
    mark = f"mark-{os.getpid()}-ends"
    command = script(tmp_path, f"setsid sh -c 'sleep 1000; :' x {mark} &\nsleep 1000")
    process = start(command, mark, seconds=60)
    wait_for(lambda: len(running(mark)) >= 2, 5, "the command")
    process.send_signal(signal.SIGTERM)
    assert process.wait(patient(2)) == -signal.SIGTERM and not running(mark)
    agent = f"""
import subprocess, sys, time
process = subprocess.Popen([{str(PROGRAM.absolute())!r}], stdin=subprocess.PIPE)
process.stdin.write(sys.argv[1].encode() + b"\\n")
process.stdin.flush()
time.sleep(1000)
"""
    words = json.dumps(job(command, mark, seconds=60))
    with subprocess.Popen(["/usr/bin/python3", "-c", agent, words]) as parent:
        wait_for(lambda: len(running(mark)) >= 2, 5, "the command")
        parent.kill()
    wait_for(lambda: not running(mark), 3, "the end of the command")


@pytest.mark.parametrize("line, why", [
    (b"nonsense", b"not JSON"), (b"{}", b'"number" is missing'), (b"x" * 9000, b"longer than 8192"),
    (b'{"number":1,"deadline":0,"words":["sh","-c","id"]}', b"no absolute path"),
    (b'{"number":1,"deadline":0,"words":["/x\\u0000y"]}', b"not JSON"),
])
def test_lines_that_are_no_jobs(line, why):
    done = subprocess.run([PROGRAM], input=line + b"\n", capture_output=True, timeout=patient(10), check=True)
    assert why in done.stderr and b"id" not in done.stdout.replace(b'"lifetime"', b"")


class Endpoint(http.server.BaseHTTPRequestHandler):
    """The token endpoint of a provider."""

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = form == {"grant_type": ["client_credentials"], "client_id": ["id"],
                        "client_secret": ["s&c"], "scope": ["https://outlook.office365.com/.default"]}
        answer = {"access_token": TOKEN, "expires_in": 3599} if good else {
            "error": "invalid_client", "error_description": "AADSTS7000215: wrong\r\nTrace ID: 1"}
        body = json.dumps(answer).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_alone_will_do(tmp_path):
    """As OPERATING.md has it: the form is a credential, the endpoint's words are told."""
    form = tmp_path / "form"
    form.write_text("grant_type=client_credentials&client_id=id&client_secret=s%26c"
                    "&scope=https%3A%2F%2Foutlook.office365.com%2F.default\n")
    with http.server.HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = [shutil.which("curl"), "-sS", "--max-time", "15", "-d", f"@{form}",
                 f"http://127.0.0.1:{server.server_port}/token"]
        done, took = run(*words)
        print(f"a token by curl took {took * 1e3:.0f} ms")
        assert (done["token"], done["lifetime"]) == (TOKEN, 3599 * 10**9), done
        form.write_text("grant_type=client_credentials")
        done, _ = run(*words)
        server.shutdown()
    assert done["cause"] == (f'{words[0]}: its JSON object has no "access_token" '
                             "(invalid_client: AADSTS7000215: wrong\\r\\nTrace ID: 1)")
