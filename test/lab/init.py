"""Process 1 of a lab host: prepares its namespaces, then reaps orphans until SIGTERM.

Runs under `unshare --net --mount --pid --uts --ipc`. When it ends, the kernel kills everything
else in the host.
"""

import os
import signal
import subprocess
import sys

MASKED = ("hosts", "resolv.conf", "nsswitch.conf")


def run(*command, text=None):
    subprocess.run(command, check=True, input=text, text=True, stdout=sys.stderr)


def prepare_files(directory):
    """Own /proc, /run and name files; the machine's are hidden, never changed.

    A private /run hides nscd, systemd-resolved and journald, through which lookups and log lines
    would leave the host.
    """
    run("mount", "-n", "-t", "proc", "proc", "/proc")
    if not os.path.realpath(directory).startswith("/run/"):
        run("mount", "-n", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in MASKED:
        if os.path.exists(f"/etc/{name}"):
            run("mount", "-n", "--bind", f"{directory}/etc/{name}", f"/etc/{name}")


def prepare_network(address):
    """No default route: what is not in the lab is unreachable at once."""
    lines = ("link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up")
    run("ip", "-batch", "-", text="\n".join(lines) + "\n")


def detach():
    """Let go of the pipes to our creator, who may end before us."""
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def main(directory, name, address):
    # The machine's /proc is still in place, so this is our pid as the machine sees it.
    print(os.readlink("/proc/self"), flush=True)
    if sys.stdin.readline() != "go\n":
        return 1
    run("hostname", name)
    prepare_files(directory)
    prepare_network(address)
    signals = {signal.SIGCHLD, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    print("ready", flush=True)
    detach()
    while signal.sigwait(signals) != signal.SIGTERM:
        reap()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
