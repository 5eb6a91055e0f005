"""A relay in front of a server, byte for byte, that lets every connection wait before it begins.

    delaying_relay.py PORT HOST:PORT SECONDS

Says `ready` once it listens; runs until it is killed.
"""

import asyncio
import contextlib
import sys


async def copy(reader, writer):
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def main(port, target, seconds):
    host, _, target_port = target.rpartition(":")

    async def serve(reader, writer):
        await asyncio.sleep(float(seconds))
        onward = await asyncio.open_connection(host, int(target_port))
        await asyncio.gather(copy(reader, onward[1]), copy(onward[0], writer))

    server = await asyncio.start_server(serve, None, int(port))
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
