"""The main job, for real: two mail servers, an agent beside each, and what they measure."""

import contextlib
import re
import shutil
import signal
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import story
from agent import merge
from announced import others, over_http
from lab import Lab
from told import answers

LAB = Path(__file__).resolve().parent / "lab"
FIRST_ARRIVALS_SECONDS = 60
SETTINGS = {
    "defaults": {"interval": "5s", "latency": {"warning": "5s", "critical": "20s"}},
    "maintenance": {"settle": "10s", "recovery": "60s"},
    "incidents": {"hold": "5s"},
}


def arrived_both_ways(host):
    if not answers(host):
        return False
    peer = next(other.name for other in host.lab if other is not host)
    return all(
        host.metric("mailflow_last_arrival_timestamp_seconds", peer=peer, direction=direction)
        for direction in ("inbound", "outbound")
    )


def start(lab, build):
    for host in lab:
        host.write_agent_config(overrides=merge(SETTINGS, over_http(others(host, lab))))
        host.agent_start(build)


def wait_for_arrivals(lab):
    for host in lab:
        host.wait_for(lambda: arrived_both_ways(host), FIRST_ARRIVALS_SECONDS)


def show(lab):
    for host in lab:
        print(f"\n{host.ctl('status', check=True).stdout}", end="")


def show_places(lab):
    print("\nwhere to look")
    for host in lab:
        address = f"http://{host.address}:9925"
        print(f"  {host.name}  page {address}/   metrics {address}/metrics")
        print(f"        syslog {host.syslog_file}")


WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")


def shell_lines(command, width):
    """The command on lines of so many columns, where its words allow it, to be pasted as they are."""
    lines = [""]
    for word in WORD.findall(command):
        if lines[-1] and len(f"{lines[-1]} {word} \\") > width:
            lines.append("  ")
        lines[-1] += f" {word}" if lines[-1].strip() else word
    return " \\\n".join(lines)


def show_things_to_try(lab, build):
    first, second = lab
    width = min(shutil.get_terminal_size().columns, 100)
    program = build.absolute() / "agent/ctl/mailflowctl"
    ctl = {host.name: f"{program} --control {host.agent_directory}/control.sock" for host in lab}
    here = f"{LAB} --dir {lab.directory}"
    alerts = f"grep -hE 'FIRING|RESOLVED' {lab.directory}/mx*/syslog"
    stop, start_again = (f"{here} {verb} {second.name} all" for verb in ("stop", "start"))
    stop_and_start = (stop, "sleep 45", start_again, "sleep 30", alerts)
    check = (
        f"{here} exec {first.name} {program} --config {first.agent_config}"
        f" check --live --probers {build.absolute()}/probes"
    )
    things = (
        ("one probe now, with its legs, as a Nagios plugin would",
         f"{ctl[first.name]} probe {second.name}"),
        (f"announce maintenance of {second.name}, stop it once {first.name} knows, start it: no alert",
         f'{ctl[second.name]} maintenance begin --for 3m --reason "kernel update" --wait',
         f"{ctl[first.name]} maintenance list",
         *stop_and_start,
         f"{ctl[second.name]} maintenance end {second.name}"),
        (f"the same without a flag: {first.name} says what it sees, once, and its end",
         *stop_and_start),
        (f"all that {first.name} is configured with, tried one by one", check),
    )
    print("\nfour things to try, from another terminal")
    for number, (what, *commands) in enumerate(things, 1):
        lead = f"  {number}. "
        print(textwrap.fill(what, width, initial_indent=lead, subsequent_indent=" " * len(lead)))
        for command in commands:
            print(textwrap.indent(shell_lines(command, width - 7), " " * 7))
    print()


def tell_of_remains(directory):
    """A try that was killed hard leaves its lab; whose it is only a person can know."""
    for state in Path(directory).glob("mailflow-*/try/lab.json"):
        print(f"another try is up, or was killed: end it with {LAB} --dir {state.parent} down")


def look_around(lab, build, once):
    start(lab, build)
    print("waiting for the first arrival on both paths ...", flush=True)
    wait_for_arrivals(lab)
    show(lab)
    if not once:
        show_places(lab)
        show_things_to_try(lab, build)
        print("Ctrl-C ends it and leaves nothing behind.", flush=True)
        while True:
            time.sleep(3600)


@contextlib.contextmanager
def lab_of(count):
    with tempfile.TemporaryDirectory(prefix="mailflow-") as directory:
        Path(directory).chmod(0o755)
        print(f"bringing up {count} mail servers ...", flush=True)
        with Lab(Path(directory) / "try").up(count) as lab:
            yield lab


def main():
    build, options = Path(sys.argv[1]), sys.argv[2:]
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(130))
    tell_of_remains(tempfile.gettempdir())
    if "--story" in options:
        with lab_of(4) as lab:
            return 0 if story.perform(lab, build) else 1
    with lab_of(2) as lab:
        look_around(lab, build, "--once" in options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130 if "--story" in sys.argv else 0)
