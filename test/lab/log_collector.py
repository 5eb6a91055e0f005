"""A throwaway syslog: one socket per host; each datagram becomes one line with its receive time.

Started by lab.py in a network namespace of its own, only so that the socket queues can be made
long: the kernel's default of 10 datagrams would make non-blocking senders lose bursts.
"""

import datetime
import os
import selectors
import signal
import socket
import sys

QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen"
SOCKET_NAME = "log.sock"
FILE_NAME = "syslog"


def line_of(datagram):
    """One line of text, whatever the sender put in."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")
    text = datagram.rstrip(b"\n\0").decode("utf-8", "backslashreplace")
    text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")
    return f"{now.replace('+00:00', 'Z')} {text}\n".encode()


def open_host(directory):
    """The listening socket and the descriptor of the file it feeds."""
    path = os.path.join(directory, SOCKET_NAME)
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    os.chmod(path, 0o666)
    name = os.path.join(directory, FILE_NAME)
    return listener, os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def lengthen_queues():
    with open(QUEUE_LENGTH, "w") as setting:
        setting.write("1024")


def main(directories):
    print(os.getpid(), flush=True)
    if sys.stdin.readline() != "go\n":
        return 1
    lengthen_queues()
    selector = selectors.DefaultSelector()
    for directory in directories:
        listener, file = open_host(directory)
        selector.register(listener, selectors.EVENT_READ, file)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready", flush=True)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    while True:
        for key, _ in selector.select():
            os.write(key.data, line_of(key.fileobj.recv(65536)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
