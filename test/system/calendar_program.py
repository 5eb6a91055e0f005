"""mailflow-calendar run by hand: a job in, lines out."""

import datetime
import json
import os
import pathlib
import subprocess
import time

from process import patient

BUILD = pathlib.Path(os.environ.get("MAILFLOW_BUILD", "build"))
CALENDAR = BUILD / "probes" / "mailflow-calendar"
FROM, UNTIL = "2026-03-20T00:00", "2026-04-10T00:00"


def nanoseconds(utc):
    at = datetime.datetime.fromisoformat(utc).replace(tzinfo=datetime.timezone.utc)
    return int(at.timestamp()) * 10**9


def utc(nanoseconds):
    at = datetime.datetime.fromtimestamp(nanoseconds / 1e9, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%MZ")


def job(begins=FROM, ends=UNTIL, seconds=5, **members):
    """One job; it looks from `begins` until `ends` (UTC) and may take so many seconds."""
    return {
        "file": "",
        "rule": "",
        "start": "",
        "zone": "",
        "length": 900 * 10**9,
        "from": nanoseconds(begins),
        "until": nanoseconds(ends),
        "limit": 256,
        "deadline": time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(patient(seconds) * 1e9),
    } | members


def run(text, timeout=15):
    """What the program answers to these bytes on its standard input."""
    return subprocess.run([CALENDAR], input=text, capture_output=True, timeout=patient(timeout), check=False)


def answers(timeout=15, **members):
    """The lines that answer a job, the last of them last."""
    process = run(json.dumps(job(**members)).encode() + b"\n", timeout)
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert process.returncode == 0 and process.stderr == b"" and lines, process
    assert all(line["kind"] in ("occurrence", "problem") for line in lines[:-1])
    return lines


def window(**members):
    """When a window of the configuration takes place: [(begin, end), ...], or what is wrong."""
    *lines, last = answers(**members)
    if last["kind"] == "failed":
        return last["message"]
    assert all(line["kind"] == "occurrence" for line in lines)
    return [(utc(line["begin"]), utc(line["end"])) for line in lines]


class Calendar:
    """A calendar file made of events, each a text of properties."""

    def __init__(self, directory, *events, before="", raw=None):
        self.file = pathlib.Path(directory) / "maintenance.ics"
        if raw is None:
            lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//test//", *before.split()]
            for event in events:
                lines += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
            raw = "\r\n".join(lines + ["END:VCALENDAR", ""]).encode()
        self.file.write_bytes(raw)
        self.lines = answers_of(self.file)

    @property
    def last(self):
        return self.lines[-1]

    @property
    def occurrences(self):
        return [line for line in self.lines if line["kind"] == "occurrence"]

    @property
    def begins(self):
        assert self.last["kind"] == "done" and self.problems == [], self.lines
        return [utc(line["begin"]) for line in self.occurrences]

    @property
    def problems(self):
        """(line, UID, message) of each."""
        return [(line["line"], line["uid"], line["message"])
                for line in self.lines if line["kind"] == "problem"]


def answers_of(file, **members):
    return answers(file=str(file), **members)
