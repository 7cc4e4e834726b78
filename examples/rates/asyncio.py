"""All rates at once with asyncio, from Python's standard library alone.

Reads the paths to fetch from standard input, a line each. Prints a line for each answer (its number, the price, the
microseconds since the start), and at the end what it all cost, as JSON.
"""

import asyncio
import json
import resource
import sys
import threading
import time


async def fetch(host, port, number, path, start):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: quotes\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.decode().partition("\r\n\r\n")
    if " 200 " not in head.split("\r\n")[0]:
        raise RuntimeError(f"no rate for {path} from {host}:{port}: {head!r}")
    return number, body, round((time.perf_counter() - start) * 1e6)


async def fetch_all(host, port, timeout, paths, start):
    fetches = (fetch(host, port, number, path, start) for number, path in enumerate(paths))
    return await asyncio.wait_for(asyncio.gather(*fetches), timeout)


def cost():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * 1e6), usage.ru_nvcsw + usage.ru_nivcsw


def pss_kib():
    try:
        with open("/proc/self/smaps_rollup") as rollup:
            return next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), None)
    except OSError:
        return None


def main():
    host, port, timeout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    paths = sys.stdin.read().split()
    before, start = cost(), time.perf_counter()
    try:
        answers = asyncio.run(fetch_all(host, port, timeout, paths, start))
    except Exception as error:
        sys.exit(f"error: {str(error) or type(error).__name__}")
    wall, after = time.perf_counter() - start, cost()
    for number, price, us in answers:
        print(number, price, us)
    print(json.dumps({
        "wall_us": round(wall * 1e6),
        "cpu_us": after[0] - before[0],
        "switches": after[1] - before[1],
        "pss_kib": pss_kib(),
        "threads": threading.active_count(),
    }))


main()
