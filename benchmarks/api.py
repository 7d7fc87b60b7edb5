"""Latency of the HTTP API: requests for the forecasts of a day, many at once, each on a connection of its own.

    NBA_PIPELINE_HOME=home nba-pipeline api --port 3002 &
    python benchmarks/api.py 2024-11-06 [--port 3002] [--at-once 50] [--rounds 20]

The first answer is computed and is reported alone; the others come from the cache of the server, as for clients that poll.
"""

import argparse
import asyncio
import time
from datetime import date

PATH = "/forecasts?day={day}&system_id=line_aware_v1&limit=5000"


async def requests(port: int, path: str, rounds: int, start: asyncio.Barrier) -> list[float]:
    """Ask on one connection, again and again, and return the seconds of each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    for _ in range(rounds):
        await start.wait()
        began = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        length = next(int(h.split(b":")[1]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length"))
        await reader.readexactly(length)
        took.append(time.perf_counter() - began)
    writer.close()
    return took


async def measure(port: int, path: str, at_once: int, rounds: int) -> None:
    (first,) = await requests(port, path, 1, asyncio.Barrier(1))
    start = asyncio.Barrier(at_once)
    answers = await asyncio.gather(*(requests(port, path, rounds, start) for _ in range(at_once)))
    took = sorted(1000 * seconds for own in answers for seconds in own)
    middle, most = took[len(took) // 2], took[int(0.95 * len(took))]
    print(f"{path}\n\nfirst answer {1000 * first:.0f} ms")
    print(f"{len(took)} answers, {at_once} at once: median {middle:.0f} ms, 95 % within {most:.0f} ms (reach: 50 ms)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("day", type=date.fromisoformat)
    parser.add_argument("--port", type=int, default=3002)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    asyncio.run(measure(given.port, PATH.format(day=given.day), given.at_once, given.rounds))


if __name__ == "__main__":
    main()
