"""Jobs for mailflow-submit as the agent would give them, and the program run on them by hand."""
import base64
import json
import os
import pathlib

import ready

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
SUBMIT = BUILD / "probes" / "mailflow-submit"
SECRET = bytes(range(32))
PASSWORD = "correct horse battery"
# Another store of certificates than the system's would be another test.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
PROBE_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYY"


def job(port, *, seconds=5.0, number=1, tls="none", host="localhost", ca_file="", user="",
        password="", **members):
    """One job, and how many seconds it has."""
    return {
        "number": number,
        "deadline": ready.within(seconds),
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


def run(*jobs, command=(SUBMIT,), timeout=15):
    """What the program answers to these jobs, or bytes, on its standard input."""
    return ready.run(command, jobs, over=job(1), timeout=timeout, env=ENVIRONMENT)


def submit(*jobs, timeout=15):
    """The outcomes of the jobs, content lines left out, with the process beside them."""
    process = run(*jobs, timeout=timeout)
    assert process.returncode == 0, process
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    return [line for line in lines if line["result"] != "content"], lines, process


def outcome(one, timeout=15):
    outcomes, _, process = submit(one, timeout=timeout)
    assert len(outcomes) == 1, process
    return outcomes[0]
