"""The tag of a probe, written from its description in agent/base/tag_codec.h.

A second implementation, independent of tag_codec.c, so that the two check each other.
"""

import base64
import hashlib
import hmac
import os
import time

NAMES = ("Mailflow-Probe", "Mailflow-Maintenance", "Mailflow-Receipts", "Mailflow-Row")


class Key:
    def __init__(self, identity="k1", secret=b"0123456789abcdef0123456789abcdef"):
        self.identity = identity
        self.secret = secret

    def as_json(self):
        return {"id": self.identity, "secret": base64.b64encode(self.secret).decode()}

    def digest(self, data):
        return hmac.new(self.secret, data, hashlib.sha256).digest()


def base32(data):
    return base64.b32encode(data).decode().rstrip("=")


def canonical(name, value):
    return f"{name.lower()}:{' '.join(value.split())}\n".encode()


class Probe:
    """One probe; its fields may be changed before it is signed."""

    def __init__(self, key=None, **fields):
        self.key = key or Key()
        self.id = os.urandom(16)
        self.sender = "mx02"
        self.addressee = "mx01"
        self.kind = "slot"
        self.slot = 1041
        self.previous = 1040
        self.sent = time.time_ns() // 1000
        self.error = 250
        self.next = 60.0
        self.drain = 4900
        self.lists = {}
        for name, value in fields.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    @property
    def id_text(self):
        return base32(self.id)

    def headers(self):
        """The signed headers, unfolded, by name."""
        values = {
            NAMES[0]: (
                f"v=1; from={self.sender}; to={self.addressee}; kind={self.kind}; slot={self.slot};"
                f" prev={self.previous}; sent={self.sent}; err={self.error}; next={self.next:.3f};"
                f" drain={self.drain}; id={self.id_text}"
            )
        }
        for name in NAMES[1:]:
            if name in self.lists:
                values[name] = self.lists[name]
        signed = b"".join(canonical(name, values[name]) for name in NAMES if name in values)
        signature = base64.b64encode(self.key.digest(signed)).decode()
        values["Mailflow-Signature"] = f"a=hmac-sha256; k={self.key.identity}; b={signature}"
        return values

    def message_id(self, domain="mx02.example"):
        part = f"{self.id_text}.{self.sender}.{self.addressee}.{self.slot}.{self.sent}"
        mac = self.key.digest(b"message-id:" + part.encode())[:12]
        return f"<{part}.{base32(mac)}@{domain}>"

    def header_block(self, fold=False):
        """The headers by which it is recognised, as they stand in a message."""
        values = {"Message-ID": self.message_id(), **self.headers()}
        block = "".join(f"{name}: {value}\r\n" for name, value in values.items())
        return (block.replace("; ", ";\r\n\t") if fold else block).encode()

    def message(self, **options):
        return message(self.header_block(**options))


def message(header_block=b"Message-ID: <stranger@example.org>\r\n", body=b"Hello.\r\n"):
    return (
        b"From: probe@mx02.example\r\nTo: probe@mx01.example\r\nSubject: mail flow\r\n"
        b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n" + header_block + b"\r\n" + body
    )
