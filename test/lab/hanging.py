"""SMTP servers that hang, on several ports.

    hanging.py silent|trickle|later PORT...

`silent` accepts connections and says nothing, `trickle` begins a greeting that never ends, `later`
takes mail until it gets SIGUSR1 and says nothing more after that. Says `ready` once it listens;
runs until it is killed.
"""

import asyncio
import contextlib
import signal
import sys

hanging = asyncio.Event()


async def silence():
    await asyncio.Event().wait()


async def say(writer, line):
    if hanging.is_set():
        await silence()
    writer.write(line + b"\r\n")


async def silent(_reader, _writer):
    await silence()


async def trickle(_reader, writer):
    writer.write(b"220-")
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.2)


async def take_mail(reader, writer):
    """As little of RFC 5321 as a probe needs."""
    await say(writer, b"220 hung.example")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            await say(writer, b"354 go on")
            while (await reader.readline()) != b".\r\n":
                pass
        await say(writer, b"221 bye" if verb == b"QUIT" else b"250 ok")


async def later(reader, writer):
    with contextlib.suppress(ConnectionError):
        await take_mail(reader, writer)
    writer.close()


async def main(way, *ports):
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, hanging.set)
    serve = {"silent": silent, "trickle": trickle, "later": later}[way]
    servers = [await asyncio.start_server(serve, None, int(port)) for port in ports]
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
