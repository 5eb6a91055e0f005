"""A DNS server that knows a few mail exchangers, and programs that ask it and nobody else.

`python3 dns_server.py RECORDS PROGRAM...` in a network and mount namespace of its own: RECORDS is
JSON, {domain: [[preference, exchanger], ...]}. Other questions are answered with nothing, those for
"silent.example" not at all. An SMTP server that greets listens at port 25.
"""

import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

MX = 15


def wire(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def answer(question, records):
    """The answer to a question's datagram, or None."""
    at, labels = 12, []
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode())
        at += 1 + question[at]
    name, (kind,) = ".".join(labels), struct.unpack_from(">H", question, at + 1)
    if name == "silent.example":
        return None
    found = records.get(name, []) if kind == MX else []
    answers = b""
    for preference, exchanger in found:
        data = struct.pack(">H", preference) + wire(exchanger)
        answers += b"\xc0\x0c" + struct.pack(">HHIH", MX, 1, 60, len(data)) + data
    header = question[:2] + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0)
    return header + question[12 : at + 5] + answers


def serve_dns(server, records):
    while True:
        question, client = server.recvfrom(4096)
        reply = answer(question, records)
        if reply:
            server.sendto(reply, client)


def serve_smtp(server):
    while True:
        connection, _ = server.accept()
        connection.sendall(b"220 greetings\r\n")
        connection.close()


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("nameserver 127.0.0.1\n")
        file.flush()
        subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
        names = pathlib.Path(file.name + ".hosts")
        names.write_text("127.0.0.1 mx01.test\n127.0.0.2 mx02.test\n")
        subprocess.run(["mount", "--bind", names, "/etc/hosts"], check=True)
        names.unlink()
        dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        dns.bind(("127.0.0.1", 53))
        smtp = socket.create_server(("127.0.0.1", 25))
        records = json.loads(sys.argv[1])
        threading.Thread(target=serve_dns, args=(dns, records), daemon=True).start()
        threading.Thread(target=serve_smtp, args=(smtp,), daemon=True).start()
        sys.exit(subprocess.run(sys.argv[2:], check=False).returncode)


if __name__ == "__main__":
    main()
