"""A crowd of HTTP clients that hold places: crowd.py PORT COUNT one|many

Each connects, in one of the manners below, and comes again two seconds after it was shown out. From
`one` address (127.0.0.9) or from as `many` as there are clients. Prints a line when all have been
in, and at its end, when standard input ends, how often what happened, as JSON. A program of its
own, so that it does not slow down whoever measures.
"""

import contextlib
import heapq
import json
import select
import socket
import subprocess
import sys
import time

DRIBBLE = 0.5  # seconds between two bytes of a client
RETURN = 2.0  # seconds until one that was shown out comes again
ADDRESS = "127.0.0.9"
HEADERS = b"%s %s HTTP/1.1\r\nHost: x\r\n"
# What is said at once; and what is said then, byte by byte: None = nothing, and nothing is read.
IDLE = (b"", b"")
HEADER = (HEADERS % (b"GET", b"/metrics") + b"X-Slow: ", b"x")
BODY = (HEADERS % (b"POST", b"/peer/v1/exchange") + b"Content-Length: 60000\r\n\r\n", b"{")
DEAF = (HEADERS % (b"GET", b"/metrics") + b"\r\n", None)
PIPELINE = (40 * (HEADERS % (b"GET", b"/healthz") + b"\r\n"), None)
MANNERS = [IDLE, HEADER, BODY, DEAF, HEADER, BODY, HEADER, PIPELINE, IDLE, HEADER]


class Client:
    def __init__(self, number, port, address):
        self.first, self.then = MANNERS[number % len(MANNERS)]
        self.port = port
        self.address = address
        self.socket = None

    def come(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.bind((self.address, 0))
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", self.port))

    def go(self):
        self.socket.close()
        self.socket = None


class Crowd:
    def __init__(self, port, count, many):
        self.clients = [Client(number, port, address_of(number, many)) for number in range(count)]
        self.poll = select.epoll()
        self.of = {}
        self.due = [(0.0, number) for number in range(count)]
        self.came = set()
        self.counts = {"connections": 0, "shown_out": 0}

    def act(self, number, now):
        client = self.clients[number]
        if client.socket is None:
            client.come()
            self.of[client.socket.fileno()] = number
            self.poll.register(client.socket, select.EPOLLOUT | select.EPOLLRDHUP)
        elif client.then:
            with contextlib.suppress(OSError):
                client.socket.send(client.then)
            heapq.heappush(self.due, (now + DRIBBLE, number))

    def notice(self, descriptor, event, now):
        number = self.of[descriptor]
        client = self.clients[number]
        if event & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
            self.poll.unregister(descriptor)
            del self.of[descriptor]
            client.go()
            self.counts["shown_out"] += 1
            heapq.heappush(self.due, (now + RETURN, number))
        elif event & select.EPOLLOUT:
            self.poll.modify(descriptor, select.EPOLLRDHUP)
            self.counts["connections"] += 1
            with contextlib.suppress(OSError):
                client.socket.send(client.first)
            self.came.add(number)
            heapq.heappush(self.due, (now + DRIBBLE, number))

    def turn(self):
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            self.act(heapq.heappop(self.due)[1], now)
        wait = min(self.due[0][0] - now, 0.1) if self.due else 0.1
        for descriptor, event in self.poll.poll(max(wait, 0)):
            if descriptor == sys.stdin.fileno():
                return False
            self.notice(descriptor, event, now)
        return True

    def run(self):
        self.poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
        told = False
        while self.turn():
            if not told and len(self.came) == len(self.clients):
                told = True
                print("all have come", flush=True)
        print(json.dumps(self.counts), flush=True)


def address_of(number, many):
    return f"127.1.{number // 250}.{number % 250 + 1}" if many else ADDRESS


@contextlib.contextmanager
def crowd(port, count, addresses):
    """While it is there; gives a dictionary which holds its counts afterwards."""
    command = ("/usr/bin/python3", __file__, str(port), str(count), addresses)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    counts = {}
    try:
        assert process.stdout.readline() == "all have come\n"
        yield counts
        counts.update(json.loads(process.communicate(timeout=20)[0]))
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    Crowd(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "many").run()
