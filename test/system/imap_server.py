"""An IMAP server that can be made to misbehave, for what real ones will not do.

It serves folders in memory, well enough for mailflow-collect. A test replaces the answer to any
command by its own: `on` maps a command ("UID FETCH", "greeting", "DONE") to a function of the
session, the tag and the arguments, which writes what it likes and may call session.answer() for the
usual. A function that raises Hang leaves the connection open and says nothing more.
"""

import contextlib
import re
import socket
import threading
import time

from process import patient

FOREIGN = b"Message-ID: <1@example.org>\r\n\r\n"

# The headers by which a message may be a report of delivery, folds included.
SIGNS = re.compile(
    rb"^(?:Return-Path|From|Content-Type|Auto-Submitted|X-Failed-Recipients):"
    rb"[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.IGNORECASE | re.MULTILINE,
)


class Hang(Exception):
    pass


def hang(_session, _tag, _arguments):
    raise Hang


def say(text):
    """An answer of these words, `{tag}` being the command's."""

    def answer(session, tag, _arguments):
        session.write(text.replace("{tag}", tag))

    return answer


class Message:
    """Its headers, and behind the blank line its body where a test needs one."""

    def __init__(self, headers, flags=(), received="21-Nov-2026 12:00:00 +0100", trace=b""):
        self.headers = headers
        self.size = len(headers)  # as it claims
        self.trace = trace  # Received and Authentication-Results
        self.received = received
        self.flags = set(flags)


class Folder:
    def __init__(self, *headers, uid_validity=7):
        self.uid_validity = uid_validity
        self.messages = {uid: Message(block) for uid, block in enumerate(headers, 1)}
        self.uid_next = len(headers) + 1

    def add(self, headers, **options):
        self.messages[self.uid_next] = Message(headers, **options)
        self.uid_next += 1
        return self.uid_next - 1

    def numbered(self):
        return [(n, uid, self.messages[uid]) for n, uid in enumerate(sorted(self.messages), 1)]


class Server:
    def __init__(self, *headers, on=None, offers="IDLE UIDPLUS", tls=None, implicit=False,
                 address="127.0.0.1", port=0):
        self.folders = {"INBOX": Folder(*headers)}
        self.on = on or {}
        self.offers = offers
        self.tls = tls
        self.implicit = implicit
        self.password = "secret"
        self.commands = []  # those that have been answered, or not
        self.sessions = []
        self.listener = socket.create_server((address, port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def inbox(self):
        return self.folders["INBOX"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.disconnect()

    def disconnect(self):
        for session in self.sessions:
            session.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                session = Session(self, connection)
                self.sessions.append(session)
                threading.Thread(target=session.run, daemon=True).start()

    def wait_for(self, command, count=1, patience=10.0):
        end = time.monotonic() + patient(patience)
        while sum(given.startswith(command) for given in self.commands) < count:
            assert time.monotonic() < end, f"no {command}, but {self.commands}"
            time.sleep(0.01)


class Session:
    def __init__(self, server, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server = server
        self.connection = connection
        self.reader = connection.makefile("rb")
        self.folder = server.inbox
        self.told = 0
        self.is_secure = False
        self.idle_tag = None
        self.writing = threading.Lock()

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def write(self, data):
        with self.writing:
            self.connection.sendall(data if isinstance(data, bytes) else data.encode())

    def start_tls(self):
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.reader = self.connection.makefile("rb")
        self.is_secure = True

    def run(self):
        try:
            if self.server.implicit:
                self.start_tls()
            self.handle("", "greeting", "")
            while line := self.reader.readline():
                self.take(line.decode().rstrip("\r\n"))
        except Hang:
            return
        except (OSError, ValueError):
            pass
        self.connection.close()

    def take(self, line):
        if line.endswith(" "):
            self.write(f"{line.split()[0]} BAD a blank at the end\r\n")  # as Cyrus says
            return
        if line == "DONE":
            self.handle(self.idle_tag, "DONE", "")
            return
        tag, _, rest = line.partition(" ")
        command, _, arguments = rest.partition(" ")
        if command == "UID":
            verb, _, arguments = arguments.partition(" ")
            command = f"UID {verb}"
        self.handle(tag, command.upper(), arguments)

    def handle(self, tag, command, arguments):
        answer = self.server.on.get(command)
        try:
            if answer is None:
                self.answer(tag, command, arguments)
            else:
                answer(self, tag, arguments)
        finally:
            self.server.commands.append(f"{command} {arguments}".strip())

    def answer(self, tag, command, arguments):
        name = "on_" + command.lower().replace(" ", "_")
        getattr(self, name)(tag, arguments)

    def done(self, tag, words="done"):
        self.write(f"{tag} OK {words}\r\n")

    def tell_exists(self):
        count = len(self.folder.messages)
        if count != self.told:
            self.told = count
            self.write(f"* {count} EXISTS\r\n")

    def on_greeting(self, _tag, _arguments):
        self.write("* OK ready\r\n")

    def on_capability(self, tag, _arguments):
        offers = self.server.offers
        if self.server.tls and not self.is_secure:
            offers += " STARTTLS"
        self.write(f"* CAPABILITY IMAP4rev1 {offers}\r\n")
        self.done(tag)

    def on_starttls(self, tag, _arguments):
        self.done(tag)
        self.start_tls()

    def on_login(self, tag, arguments):
        if arguments.split()[-1].strip('"') == self.server.password:
            self.done(tag)
        else:
            self.write(f"{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n")

    def on_select(self, tag, arguments):
        name = arguments.strip('"')
        self.folder = self.server.folders.get(name)
        if self.folder is None:
            self.write(f"{tag} NO [NONEXISTENT] Mailbox doesn't exist: {name}\r\n")
            return
        self.told = len(self.folder.messages)
        self.write(
            f"* FLAGS (\\Seen \\Deleted)\r\n* {self.told} EXISTS\r\n* 0 RECENT\r\n"
            f"* OK [UIDVALIDITY {self.folder.uid_validity}] valid\r\n"
            f"* OK [UIDNEXT {self.folder.uid_next}] next\r\n"
        )
        self.done(tag, "[READ-WRITE] selected")

    def on_status(self, tag, arguments):
        name = arguments.split()[0].strip('"')
        folder = self.server.folders.get(name)
        if folder is None:
            self.write(f"{tag} NO [NONEXISTENT] Mailbox doesn't exist: {name}\r\n")
            return
        self.write(
            f"* STATUS {name} (MESSAGES {len(folder.messages)} UIDNEXT {folder.uid_next}"
            f" UIDVALIDITY {folder.uid_validity})\r\n"
        )
        self.done(tag)

    def on_noop(self, tag, _arguments):
        self.tell_exists()
        self.done(tag)

    def chosen(self, numbers):
        """The messages of a set of UIDs, as (number, uid, message)."""
        last = max(self.folder.messages, default=0)
        ranges = []
        for part in numbers.split(","):
            ends = [last if end == "*" else int(end) for end in part.split(":")]
            ranges.append((min(ends), max(ends)))
        return [m for m in self.folder.numbered() if any(a <= m[1] <= b for a, b in ranges)]

    def on_uid_search(self, tag, arguments):
        if arguments == "DELETED":
            found = [m for m in self.folder.numbered() if "\\Deleted" in m[2].flags]
        else:
            found = self.chosen(arguments.removeprefix("UID "))
        self.write("* SEARCH" + "".join(f" {uid}" for _, uid, _ in found) + "\r\n")
        self.done(tag)

    def write_message(self, number, uid, message, saved=""):
        headers = message.headers.partition(b"\r\n\r\n")
        signs = b"".join(SIGNS.findall(headers[0] + b"\r\n"))[:2048]
        headers, trace = (headers[0] + headers[1])[:8192], message.trace[:7168]
        self.write(
            f'* {number} FETCH (UID {uid} INTERNALDATE "{message.received}"{saved}'
            f" BODY[HEADER.FIELDS (MESSAGE-ID)]<0> {{{len(headers)}}}\r\n".encode()
            + headers
            + f" BODY[HEADER.FIELDS (RECEIVED AUTHENTICATION-RESULTS)]<0> {{{len(trace)}}}\r\n".encode()
            + trace
            + f" BODY[HEADER.FIELDS (X-FAILED-RECIPIENTS)]<0> {{{len(signs)}}}\r\n".encode()
            + signs
            + b")\r\n"
        )

    def write_piece(self, number, uid, message, offset, size):
        piece = message.headers[offset : offset + size]
        self.write(f"* {number} FETCH (UID {uid} RFC822.SIZE {message.size} ")
        self.write(f"BODY[]<{offset}> {{{len(piece)}}}\r\n".encode() + piece + b")\r\n")

    def on_uid_fetch(self, tag, arguments):
        piece = re.search(r"BODY.PEEK\[\]<(\d+)\.(\d+)>", arguments)
        for number, uid, message in self.chosen(arguments.split()[0]):
            if piece:
                self.write_piece(number, uid, message, *map(int, piece.groups()))
            else:
                self.write_message(number, uid, message)
        self.done(tag)

    def on_uid_store(self, tag, arguments):
        for _, _, message in self.chosen(arguments.split()[0]):
            message.flags.update(re.findall(r"\\\w+", arguments))
        self.done(tag)

    def expunge(self, tag, uids):
        for number, uid, message in reversed(self.folder.numbered()):
            if uid in uids and "\\Deleted" in message.flags:
                del self.folder.messages[uid]
                self.told -= 1
                self.write(f"* {number} EXPUNGE\r\n")
        self.done(tag)

    def on_uid_expunge(self, tag, arguments):
        self.expunge(tag, [uid for _, uid, _ in self.chosen(arguments)])

    def on_expunge(self, tag, _arguments):
        self.expunge(tag, list(self.folder.messages))

    def on_idle(self, tag, _arguments):
        self.idle_tag = tag
        self.write("+ idling\r\n")

    def on_done(self, tag, _arguments):
        self.tell_exists()
        self.done(tag)

    def on_logout(self, tag, _arguments):
        self.write("* BYE\r\n")
        self.done(tag)
