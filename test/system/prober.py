"""Jobs for mailflow-submit as the agent would give them, and the program run on them by hand."""
import base64
import json
import os
import pathlib
import subprocess
import time

from process import patient

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
SUBMIT = BUILD / "probes" / "mailflow-submit"
SECRET = bytes(range(32))
PASSWORD = "correct horse battery"
# Another store of certificates than the system's would be another test.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
PROBE_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYY"


def job(port, *, seconds=5.0, number=1, tls="none", host="localhost", ca_file="", user="",
        password="", **members):
    """One job; `seconds` from now is its deadline."""
    return {
        "number": number,
        "deadline": time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(patient(seconds) * 1e9),
        "relay": {"host": host, "port": port, "tls": tls, "ca_file": ca_file, "user": user,
                  "password": password},
        "ehlo": "mx02.example",
        "sender": "probe@mx02.example",
        "recipient": "probe@mx01.example",
        "tag": {"from": "mx02", "to": "mx01", "kind": "slot", "slot": 1041, "previous": 1040,
                "sent": 0, "error": 250000, "next": 60000000000, "drain": 4900000000000,
                "id": PROBE_ID},
        "maintenance": "", "receipts": "", "row": "",
        "key": {"id": "k1", "secret": base64.b64encode(SECRET).decode()},
    } | members


def secure_job(server, certificates, **options):
    return job(server.port, tls="starttls", ca_file=certificates.ca_file, **options)


def run(text, timeout=15):
    """What the program answers to these bytes on its standard input."""
    return subprocess.run([SUBMIT], input=text, capture_output=True, timeout=patient(timeout), check=False,
                          env=ENVIRONMENT)


def submit(*jobs, timeout=15):
    """The outcomes of the jobs, content lines left out, with the process beside them."""
    process = run(b"".join(json.dumps(each).encode() + b"\n" for each in jobs), timeout)
    assert process.returncode == 0, process
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    return [line for line in lines if line["result"] != "content"], lines, process


def outcome(one, timeout=15):
    outcomes, _, process = submit(one, timeout=timeout)
    assert len(outcomes) == 1, process
    return outcomes[0]
