"""A DNS server that does as it is told, and programs that ask it and nobody else.

`python3 dns_server.py RECORDS PROGRAM...` in a network and mount namespace of its own: RECORDS is
JSON, or the absolute path of a file of JSON that is read for every question:
{domain: [[preference, exchanger], ...]} for mail exchangers, and for services
{name: {"srv": [[priority, weight, port, host], ...], "do": WHAT}}, where WHAT is one of

- "": answer (names without an entry are answered with nothing at all);
- nxdomain, servfail: say so;
- silent: say nothing;
- truncate: only over TCP; truncate-twice: there neither; hang: take the connection, say nothing;
- cut: a record that ends too early; junk: bytes that are no message;
- text: a host name with a blank in it.

An SMTP server that greets listens at port 25.
"""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

MX, SRV = 15, 33
TRUNCATED = 0x0200
CODES = {"servfail": 2, "nxdomain": 3}


def wire(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(kind, data):
    """One about the name of the question."""
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def parse(question):
    """The name that is asked for, the kind of records, and where the question ends."""
    at, labels = 12, []
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode())
        at += 1 + question[at]
    return ".".join(labels), struct.unpack_from(">H", question, at + 1)[0], at + 5


def service_records(entry):
    host = (lambda name: b"\4a b." + wire(name)) if entry.get("do") == "text" else wire
    found = [record(SRV, struct.pack(">HHH", *row[:3]) + host(row[3])) for row in entry["srv"]]
    return [one[:-4] for one in found] if entry.get("do") == "cut" else found


def answer(question, records, tcp=False):
    """The answer to a question, or None."""
    name, kind, end = parse(question)
    entry = records.get(name, [])
    do = entry.get("do", "") if isinstance(entry, dict) else ""
    if name == "silent.example" or do == "silent" or (tcp and do == "hang"):
        return None
    if do == "junk":
        return question[:2] + b"\x81\x80" + b"\xff" * 40
    found = []
    if kind == MX and isinstance(entry, list):
        found = [record(MX, struct.pack(">H", preference) + wire(exchanger))
                 for preference, exchanger in entry]
    elif kind == SRV and isinstance(entry, dict) and do not in CODES:
        found = service_records(entry)
    flags = 0x8180 | CODES.get(do, 0)
    if do == "truncate-twice" or (do in ("truncate", "hang") and not tcp):
        found, flags = found[:1], flags | TRUNCATED
    header = question[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0)
    whole = header + question[12:end] + b"".join(found)
    if len(whole) > 512 and not tcp:  # RFC 1035 section 4.2.1
        header = question[:2] + struct.pack(">HHHHH", flags | TRUNCATED, 1, 0, 0, 0)
        whole = header + question[12:end]
    return whole


def serve_datagrams(server, records):
    while True:
        question, client = server.recvfrom(4096)
        reply = answer(question, records())
        if reply:
            server.sendto(reply, client)


def serve_connection(connection, records):
    with connection:
        question = connection.recv(4096)
        reply = answer(question[2:], records(), tcp=True) if len(question) > 2 else b""
        if reply is None:
            connection.recv(4096)  # until the other end gives up
        else:
            connection.sendall(struct.pack(">H", len(reply)) + reply)


def serve_connections(server, records):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve_connection, args=(connection, records), daemon=True).start()


def serve_smtp(server):
    while True:
        connection, _ = server.accept()
        connection.sendall(b"220 greetings\r\n")
        connection.close()


def start(serve, *arguments):
    threading.Thread(target=serve, args=arguments, daemon=True).start()


def reader(said):
    """What gives the records as they are now."""
    if said.startswith("/"):
        return lambda: json.loads(pathlib.Path(said).read_text())
    known = json.loads(said)
    return lambda: known


def set_up():
    """A resolver's view of the world in which there is only what listens here."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("nameserver 127.0.0.1\n")
        file.flush()
        subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
        names = pathlib.Path(file.name + ".hosts")
        names.write_text("127.0.0.1 mx01.test\n127.0.0.2 mx02.test\n")
        subprocess.run(["mount", "--bind", names, "/etc/hosts"], check=True)
        names.unlink()


def serve(dns, dns_tcp, smtp, records):
    """Until the program, which is our parent, has ended. Its streams are its own."""
    program = os.getppid()
    for stream in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    start(serve_datagrams, dns, records)
    start(serve_connections, dns_tcp, records)
    start(serve_smtp, smtp)
    while os.getppid() == program:
        time.sleep(0.1)


def main():
    set_up()
    dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dns.bind(("127.0.0.1", 53))
    listening = dns, socket.create_server(("127.0.0.1", 53)), socket.create_server(("127.0.0.1", 25))
    if os.fork() == 0:
        serve(*listening, reader(sys.argv[1]))
        os._exit(0)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
