"""An echo server with asyncio, from Python's standard library alone.

Announces its address. A line on standard input resets the count of what it costs, or asks for it ("cost"); when standard
input closes, it ends.
"""

import asyncio
import json
import resource
import sys
import threading
import time


async def echo(reader, writer):
    try:
        while data := await reader.read(512):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def cost():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = round((usage.ru_utime + usage.ru_stime) * 1e6)
    return round(time.perf_counter() * 1e6), cpu, usage.ru_nvcsw + usage.ru_nivcsw


def pss_kib():
    try:
        with open("/proc/self/smaps_rollup") as rollup:
            return next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), None)
    except OSError:
        return None


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=4096)
    host, port = server.sockets[0].getsockname()
    print(f"listening on {host}:{port}", flush=True)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    before = cost()
    while line := await commands.readline():
        wall, cpu, switches = (after - start for after, start in zip(cost(), before))
        if line.strip() == b"cost":
            print(json.dumps({
                "wall_us": wall,
                "cpu_us": cpu,
                "switches": switches,
                "pss_kib": pss_kib(),
                "threads": threading.active_count(),
            }), flush=True)
        before = cost()


asyncio.run(main())
