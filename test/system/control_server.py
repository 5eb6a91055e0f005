"""The agent's control socket, scripted: replays answers, good and bad, and notes what was asked."""

import http.server
import json
import pathlib
import shutil
import socketserver
import tempfile
import threading

API = "/api/v1"


class Answer:
    """One HTTP answer; a body that is not bytes is sent as JSON."""

    def __init__(self, body, status=200):
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    def send(self, handler):
        handler.send_response(self.status)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body)


class Raw:
    """Bytes instead of HTTP; then the connection is closed."""

    def __init__(self, data):
        self.data = data

    def send(self, handler):
        handler.wfile.write(self.data)
        handler.close_connection = True


class Endless:
    """A piece of an answer again and again, until the client goes away or the server ends."""

    def __init__(self, first, piece, pause):
        self.first = first
        self.piece = piece
        self.pause = pause

    def send(self, handler):
        handler.wfile.write(self.first)
        try:
            while not handler.server.ending.wait(self.pause):
                handler.wfile.write(self.piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        handler.close_connection = True


def problem(status, detail, **more):
    """A problem detail of RFC 9457, as the agent refuses things."""
    body = {"type": "about:blank", "title": "No", "status": status, "detail": detail, **more}
    return Answer(body, status)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.server.asked.append((self.command, self.path, json.loads(body) if body else None))
        self.server.next_answer(self.command, self.path).send(self)

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


class ControlServer(socketserver.ThreadingUnixStreamServer):
    """Answers by method and path (without /api/v1): one answer, or a list used up but for its last.

    A path with its query is looked for first, then the path alone; what is unknown gets 404.
    """

    daemon_threads = True

    def __init__(self, answers):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mailflow-control-"))
        self.directory.chmod(0o755)
        self.socket_path = self.directory / "control.sock"
        self.answers = {
            key: list(value) if isinstance(value, list) else [value]
            for key, value in answers.items()
        }
        self.asked = []
        self.ending = threading.Event()
        super().__init__(str(self.socket_path), Handler)
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    def next_answer(self, method, target):
        assert target.startswith(API), target
        target = target[len(API) :]
        for key in (f"{method} {target}", f"{method} {target.partition('?')[0]}"):
            if key in self.answers:
                left = self.answers[key]
                answer = left.pop(0) if len(left) > 1 else left[0]
                return answer if hasattr(answer, "send") else Answer(answer)
        return problem(404, "there is nothing at this path")

    def __exit__(self, *_):
        self.ending.set()
        self.shutdown()
        self.server_close()
        shutil.rmtree(self.directory)
