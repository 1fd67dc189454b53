"""A lean HTTP client: the load generator must not eat the machine that it measures."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any


class Connection:
    """One keep-alive connection of one annotator."""

    def __init__(self, host: str, port: int, cookie: str, csrf: str) -> None:
        self._host, self._port = host, port
        self._head = (
            f"Host: {host}:{port}\r\nCookie: {cookie}\r\nX-Evenhand-CSRF: {csrf}\r\nContent-Type: application/json\r\n"
        )

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        raw = await self._reader.readuntil(b"\r\n\r\n")
        status = int(raw[9:12])
        at = raw.lower().index(b"content-length:") + 15
        length = int(raw[at : raw.index(b"\r\n", at)])
        return status, await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


@dataclass
class Result:
    """What a run of several annotators gave."""

    pairs: int = 0
    wall_s: float = 0.0
    next_ms: list[float] = field(default_factory=list)
    submit_ms: list[float] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def annotate(connections: list[Connection], seconds: float, answer: dict[str, Any]) -> Result:
    """Every annotator asks for the next task and submits it, again and again, for `seconds`."""
    out = Result()
    want = b'{"want":1}'
    until = time.perf_counter() + seconds

    async def one(number: int, line: Connection) -> None:
        tail = b',"answer":' + json.dumps(answer).encode() + b',"seconds":1}'
        count = 0
        while time.perf_counter() < until:
            begun = time.perf_counter()
            status, body = await line.post("/api/v1/work/next", want)
            got = time.perf_counter()
            leased = json.loads(body)["assignments"] if status == 200 else []
            if not leased:
                out.failed.append(f"next {status} {body[:200]!r}")
                return
            handle = leased[0]["handle"]
            count += 1
            key = b'{"key":"%d-%d-%s"' % (number, count, handle[-8:].encode())
            sent = time.perf_counter()
            status, body = await line.post(f"/api/v1/work/{handle}/submit", key + tail)
            done = time.perf_counter()
            if status != 200:
                out.failed.append(f"submit {status} {body[:200]!r}")
                return
            out.pairs += 1
            out.tasks.append(leased[0]["task"])
            out.next_ms.append((got - begun) * 1000)
            out.submit_ms.append((done - sent) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*(one(n, line) for n, line in enumerate(connections)))
    out.wall_s = time.perf_counter() - begun
    return out
