"""Two HTTP processes over one database, one that records what it shows and one that does not: what the log costs a request.

A customer reads tasks, one after another, over a few connections with pauses in between. The process without a log is this
bench's own peer: `record` does nothing in it. What the sequencer spends on the events afterwards counts as theirs.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.support.load import percentile
from bench.support.serving import ROOT, free_port, wait_until_healthy
from evenhand.app.opening import reach
from evenhand.app.processes import listen, serve_http
from evenhand.app.settings import Settings
from evenhand.infra import facts
from evenhand.infra.home import Home
from evenhand.infra.postgres.server import server_of

LINES, PAUSE_S = 4, 0.01


@contextmanager
def reader(home: Path, *, logged: bool) -> Generator[tuple[int, int]]:
    """An HTTP process over the running database of a home: its port, and its number."""
    port, log = free_port(), home.parent / f"reader-{logged}.log"
    command = [sys.executable, "-m", "bench.support.reading", str(home), str(port), *(() if logged else ("--without",))]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(f"http://localhost:{port}/healthz", process, log)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


async def read(port: int, key: str, tasks: list[str], seconds: float) -> list[float]:
    """The milliseconds of each request."""
    out: list[float] = []
    until = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("localhost", port)
        while time.perf_counter() < until:
            ask = f"GET /api/v1/tasks/{random.choice(tasks)} HTTP/1.1\r\n"
            begun = time.perf_counter()
            writer.write(f"{ask}Host: localhost:{port}\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if head[9:12] != b"200":
                raise SystemExit(f"a task could not be read: {head[:100]!r}")
            length = head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
            await reader.readexactly(int(length))
            out.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(random.expovariate(1 / PAUSE_S))
        writer.close()

    await asyncio.gather(*(one() for _ in range(LINES)))
    return out


def used_by(pid: int) -> float:
    """Seconds of CPU of a process."""
    return sum(psutil.Process(pid).cpu_times()[:2])


class Sides:
    """Requests and CPU of both, round by round in turn."""

    def __init__(self, database: Callable[[], float]) -> None:
        self._database = database
        self.rounds: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
        self.waits: dict[str, list[float]] = {"with": [], "without": []}

    async def round(
        self, name: str, at: tuple[int, int], key: str, tasks: list[str], seconds: float, after: Any
    ) -> None:
        """after: takes in what was recorded."""
        spent = used_by(at[1]) + self._database()
        waits = await read(at[0], key, tasks, seconds)
        own = time.process_time()
        await after()
        own = time.process_time() - own
        spent = used_by(at[1]) + self._database() + own - spent
        self.waits[name] += waits
        self.rounds[name].append({"count": len(waits), "cpu_us": spent / len(waits) * 1e6})

    def told(self) -> dict[str, dict[str, float]]:
        """Of each side: requests, CPU microseconds a request (median of the rounds), milliseconds of a request."""
        out: dict[str, dict[str, float]] = {}
        for name, rounds in self.rounds.items():
            costs = sorted(one["cpu_us"] for one in rounds)
            out[name] = {
                "requests": sum(one["count"] for one in rounds),
                "cpu_us": round(costs[len(costs) // 2], 1),
                "p50_ms": round(percentile(self.waits[name], 0.5), 2),
                "p99_ms": round(percentile(self.waits[name], 0.99), 2),
            }
        return out


async def _nothing(tx: Any, fact: Any) -> str:
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--without", action="store_true")
    given = parser.parse_args()
    if given.without:
        facts.record.__code__ = _nothing.__code__  # every module has imported the function by its name
    settings = Settings(Home(given.home), given.port, f"http://localhost:{given.port}")
    urls, keys = reach(settings, server_of(settings.home))
    serve_http(settings, urls, keys, listen(settings))


if __name__ == "__main__":
    main()
