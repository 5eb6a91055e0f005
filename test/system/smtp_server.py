"""An SMTP server that does what it is told, for what real ones will not do.

Each step of a session has a list of acts; a step that is not scripted gets a plain good answer.
Steps: greeting ehlo starttls ehlo_tls auth auth_more mail rcpt rset data content quit.
Acts: reply(text) raw(bytes) wait(seconds) trickle(bytes, pause) flood(bytes) hang() close() reset().
"""
import socket
import ssl
import struct
import subprocess
import threading
import time

from process import patient

LOCAL_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"
# What openssl needs for a certificate that begins later than now.
LATER_AUTHORITY = """\
[ca]
default_ca = later
[later]
database = later.index
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
"""
EHLO = "250-server.test\n250-PIPELINING\n250-DSN\n250-ENHANCEDSTATUSCODES\n250 8BITMIME"
WITH_TLS = EHLO.replace("250-DSN", "250-DSN\n250-STARTTLS")
WITH_AUTH = EHLO.replace("250-DSN", "250-DSN\n250-AUTH PLAIN")


def reply(text):
    return lambda session: session.send(text.replace("\n", "\r\n").encode() + b"\r\n")


def raw(octets):
    return lambda session: session.send(octets)


def wait(seconds):
    return lambda session: session.server.over.wait(seconds)


def trickle(octets, pause):
    def act(session):
        for octet in octets:
            session.send(bytes([octet]))
            if session.server.over.wait(patient(pause)):
                return
    return act


def flood(octets):
    def act(session):
        while not session.server.over.is_set():
            session.send(octets * 500)
    return act


def hang():
    return lambda session: session.server.over.wait(patient(60))


def close():
    def act(session):
        raise ConnectionAbortedError
    return act


def reset():
    def act(session):
        session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionAbortedError
    return act


class Session:
    """One connection: what was said on it, and when."""

    def __init__(self, server, connection):
        self.server = server
        self.socket = connection
        self.buffer = b""
        self.commands = []
        self.sent = b""  # the last that was
        self.has_recipient = False
        self.contents = []  # of every message, in their order
        self.content_at = None
        self.tls = None
        self.name_indicated = None

    @property
    def content(self):
        """Of the last message, None when none has come."""
        return self.contents[-1] if self.contents else None

    def send(self, octets):
        self.sent = octets
        self.socket.sendall(octets)

    def line(self):
        while b"\n" not in self.buffer:
            got = self.socket.recv(65536)
            if not got:
                raise ConnectionAbortedError
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def act(self, step, default):
        for act in self.server.script.get(step, [reply(default)]):
            act(self)

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate)
        context.maximum_version = self.server.tls_version
        if self.server.tls_minimum:
            context.minimum_version = self.server.tls_minimum
            context.set_ciphers("DEFAULT:@SECLEVEL=0")  # old versions are not to be had otherwise
        context.sni_callback = lambda _, name, __: setattr(self, "name_indicated", name)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.tls = self.socket.version()

    def read_content(self):
        lines = []
        while True:
            while b"\n" not in self.buffer:
                got = self.socket.recv(65536)
                if not got:
                    raise ConnectionAbortedError
                self.content_at = self.content_at or time.clock_gettime_ns(time.CLOCK_BOOTTIME)
                self.buffer += got
            line, self.buffer = self.buffer.split(b"\n", 1)
            if line == b".\r":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        self.contents.append(b"\n".join(lines) + b"\n")

    def serve(self):
        self.act("greeting", "220 server.test ESMTP")
        while True:
            command = self.line()
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "HELO" and "helo" in self.server.script:
                self.act("helo", "")
            elif verb in ("EHLO", "HELO"):
                offered = self.server.ehlo if not self.tls else self.server.ehlo_tls
                self.act("ehlo_tls" if self.tls else "ehlo", offered)
            elif verb == "STARTTLS":
                self.act("starttls", "220 go ahead")
                if not self.server.stay_in_the_clear:
                    self.start_tls()
            elif verb == "AUTH":
                self.authenticate(command)
            elif verb == "MAIL":
                self.act("mail", "250 2.1.0 Ok")
            elif verb == "RCPT":
                self.act("rcpt", "250 2.1.5 Ok")
                self.has_recipient = not self.sent.startswith((b"4", b"5"))
            elif verb == "RSET":
                self.act("rset", "250 2.0.0 Ok")
            elif verb == "DATA" and not self.has_recipient and "data" not in self.server.script:
                self.send(b"554 5.5.1 Error: no valid recipients\r\n")
            elif verb == "DATA":
                self.act("data", "354 go on")
                self.read_content()
                self.act("content", "250 2.0.0 Ok: queued as 4FZXKQ1Y")
            elif verb == "QUIT":
                self.act("quit", "221 bye")
                return
            else:
                self.send(b"500 5.5.2 what?\r\n")

    def authenticate(self, command):
        words = command.split(" ")
        # An initial response answers the first challenge before it is put.
        for challenge in self.server.challenges.get(words[1], [])[len(words) - 2:]:
            self.send(b"334 " + challenge + b"\r\n")
            self.commands.append(self.line())
        self.act("auth", "235 2.7.0 welcome")

    def run(self):
        try:
            self.serve()
        except (OSError, ConnectionAbortedError):
            pass
        finally:
            try:
                self.socket.close()
            except OSError:
                pass


class Server:
    """Listens on 127.0.0.1 (or another address) on a port of the system's choice."""

    def __init__(self, script=None, *, ehlo=EHLO, ehlo_tls=None, certificate=None, address="127.0.0.1",
                 port=0, stay_in_the_clear=False, challenges=None,
                 tls_version=ssl.TLSVersion.TLSv1_3, tls_minimum=None):
        self.script = script or {}
        self.ehlo = ehlo
        self.ehlo_tls = ehlo_tls or EHLO
        self.certificate = certificate
        self.stay_in_the_clear = stay_in_the_clear
        self.challenges = challenges or {}
        self.tls_version = tls_version
        self.tls_minimum = tls_minimum
        self.sessions = []
        self.threads = []
        self.over = threading.Event()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family)
        self.port = self.listener.getsockname()[1]

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(self, connection)
            self.sessions.append(session)
            thread = threading.Thread(target=session.run, daemon=True)
            self.threads.append(thread)
            thread.start()

    def __enter__(self):
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join(5)
        for thread in self.threads:
            thread.join(5)

    @property
    def session(self):
        assert len(self.sessions) == 1, f"{len(self.sessions)} sessions"
        self.threads[0].join(5)
        return self.sessions[0]


class Certificates:
    """A small authority of its own, and what servers may show: right, wrong and nobody's."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = self.sign_self("authority", "Test Authority",
                                        "basicConstraints=critical,CA:TRUE", days=3650)
        self.right = self.issue("right", "localhost", LOCAL_NAMES, days=90)
        self.wrong_name = self.issue("wrong", "other.example", "subjectAltName=DNS:other.example")
        self.expired = self.issue("expired", "localhost", "subjectAltName=IP:127.0.0.1", days=-1)
        self.self_signed = self.sign_self("selfsigned", "localhost", "subjectAltName=DNS:localhost",
                                          days=90)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def sign_self(self, name, subject, extension, days=2):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", str(days),
                     "-subj", f"/CN={subject}", "-addext", extension)
        return self.bundle(name)

    def issue(self, name, subject, extension=LOCAL_NAMES, days=2, by="authority"):
        """Signed by the authority, or by an intermediate one, which it comes with then."""
        (self.folder / f"{name}.ext").write_text(extension)
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey",
                     f"{by}.key", "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext",
                     "-out", f"{name}.crt")
        if by != "authority":
            with (self.folder / f"{name}.crt").open("a") as chain:
                chain.write((self.folder / f"{by}.crt").read_text())
        return self.bundle(name)

    def issue_below(self, name, days):
        """Good for 90 days itself, its intermediate authority only for so long."""
        self.issue(f"{name}-middle", "Middle Authority", "basicConstraints=critical,CA:TRUE", days)
        return self.issue(name, "localhost", days=90, by=f"{name}-middle")

    def issue_later(self, name):
        """Good from the day after tomorrow."""
        later = time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + 2 * 86400))
        (self.folder / "later.cnf").write_text(LATER_AUTHORITY)
        (self.folder / "later.index").touch()
        (self.folder / f"{name}.ext").write_text(LOCAL_NAMES)
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=localhost")
        self.openssl("ca", "-batch", "-config", "later.cnf", "-in", f"{name}.csr", "-cert",
                     "authority.crt", "-keyfile", "authority.key", "-startdate", later, "-days",
                     "30", "-notext", "-extfile", f"{name}.ext", "-out",
                     f"{name}.crt")
        return self.bundle(name)

    def bundle(self, name):
        """Key and certificate in one file; the certificate alone is NAME.crt."""
        both = self.folder / f"{name}.pem"
        both.write_text((self.folder / f"{name}.key").read_text()
                        + (self.folder / f"{name}.crt").read_text())
        return both

    @property
    def ca_file(self):
        return str(self.folder / "authority.crt")
