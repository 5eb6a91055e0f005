"""The main job, for real: two mail servers, an agent beside each, and what they measure."""

import signal
import sys
import tempfile
import time
from pathlib import Path

from lab import Lab

FIRST_ARRIVALS_SECONDS = 60
SETTINGS = {
    "defaults": {"interval": "5s", "latency": {"warning": "5s", "critical": "20s"}},
    "maintenance": {"settle": "10s"},
    "incidents": {"hold": "5s"},
}


def arrived_both_ways(host):
    peer = next(other.name for other in host.lab if other is not host)
    return all(
        host.metric("mailflow_last_arrival_timestamp_seconds", peer=peer, direction=direction)
        for direction in ("inbound", "outbound")
    )


def start(lab, build):
    for host in lab:
        host.write_agent_config(overrides=SETTINGS)
        host.agent_start(build)


def wait_for_arrivals(lab):
    for host in lab:
        host.wait_for(lambda: arrived_both_ways(host), FIRST_ARRIVALS_SECONDS)


def show(lab, build):
    for host in lab:
        print(f"\n{host.ctl('status', check=True).stdout}", end="")
    first, second = lab
    control = f"{build}/agent/ctl/mailflowctl --control {first.agent_directory}/control.sock"
    program = Path(__file__).parent / "lab"
    here = f"{program} --dir {lab.directory}"
    print("\nwhere to look")
    for host in lab:
        address = f"http://{host.address}:9925"
        print(f"  {host.name}  page {address}/   metrics {address}/metrics   syslog {host.syslog_file}")
    print(f"""
three things to try
  1. one probe now, with its legs, as a Nagios plugin would
       {control} probe {second.name}
  2. stop {second.name} without telling anyone, and see the alert and its end in {first.name}'s syslog
       {here} stop {second.name} all; sleep 45; grep silent {first.syslog_file}
       {here} start {second.name} all; sleep 30; grep silent {first.syslog_file}
  3. the same as announced maintenance: not one alert
       {control} maintenance begin {second.name} --for 2m --reason "kernel update"
""")


def main():
    build, once = Path(sys.argv[1]), "--once" in sys.argv[2:]
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(130))
    with tempfile.TemporaryDirectory(prefix="mailflow-") as directory:
        Path(directory).chmod(0o755)
        print("bringing up mx01 and mx02 ...", flush=True)
        with Lab(Path(directory) / "try").up(2) as lab:
            start(lab, build)
            print("waiting for the first arrival on both paths ...", flush=True)
            wait_for_arrivals(lab)
            show(lab, build)
            if not once:
                print("Ctrl-C ends it and leaves nothing behind.", flush=True)
                while True:
                    time.sleep(3600)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
