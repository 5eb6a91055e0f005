"""A scripted HTTP server: it reads requests as a good one does and answers as the test says.

A script is called with (connection, request) for every request; what it does not send is not sent.
"""

import contextlib
import dataclasses
import socket
import ssl
import threading
import time

from process import patient

PATIENCE = 10.0


@dataclasses.dataclass
class Request:
    """One request; header names in lower case."""

    line: str
    headers: dict
    body: bytes
    connection: int  # the how-manieth connection it came over


def answer(status, body=b"", **headers):
    """A whole answer, for the connection to go on."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reply(status, body=b"", **headers):
    """A script that sends one whole answer."""
    return lambda connection, request: connection.sendall(answer(status, body, **headers))


def hang(connection, _request):
    """Say nothing until the other side gives up."""
    with contextlib.suppress(OSError):
        connection.recv(1)


def close(_connection, _request):
    """Close without a word."""
    raise ConnectionAbortedError


def raw(data):
    """Send these bytes, then close."""

    def script(connection, _request):
        connection.sendall(data)
        raise ConnectionAbortedError

    return script


def endless(begin, more, pause=0.0):
    """Send `more` over and over."""

    def script(connection, _request):
        connection.sendall(begin)
        while True:
            connection.sendall(more)
            time.sleep(pause)

    return script


class Server:
    """Used as a context; `requests` are those that came."""

    def __init__(self, script=reply(200), certificate=None):
        self.script = script
        self.requests = []
        self.connections = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)

    def url(self, host="127.0.0.1"):
        scheme = "https" if self.context else "http"
        return f"{scheme}://{host}:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connections += 1
                arguments = (connection, self.connections)
                threading.Thread(target=self._serve, args=arguments, daemon=True).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.settimeout(patient(PATIENCE))
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with contextlib.closing(connection):
                while request := self._read(connection, number):
                    self.requests.append(request)
                    self.script(connection, request)

    @staticmethod
    def _read(connection, number):
        head, body = b"", b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                return None
            head += more
        head, _, body = head.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        headers = {name.lower(): value.strip()
                   for name, _, value in (field.partition(":") for field in fields)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        return Request(line, headers, body, number)
