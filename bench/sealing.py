"""Claims: sealing a row's body costs less than 8 µs of CPU, and reading 64 KiB of a sealed file keeps at least 60 % of the
speed of reading the same range of the same file unencrypted.

Rows: a body of 300 bytes and 60 bytes of associated data. "Cold" derives a key for the row, "chunk" shares one with its
neighbours. Files: the range begins anywhere, so that it takes whole segments at both ends. The read is measured twice:
bare (pread, nothing else, which no door ever does), and through a door: an HTTP request to a server that does nothing but
this, over one kept connection, as a gateway serves it. The claim is about the second; the first is shown beside it.
"""

import argparse
import http.client
import multiprocessing
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.requests import Request
from starlette.responses import Response

from bench.support.serving import conclude, say
from evenhand.infra.crypto import floe
from evenhand.infra.crypto.datakey import DataKey, Scope
from evenhand.infra.crypto.floe import HEADER_BYTES, Parameters, RangeReader
from evenhand.infra.crypto.xaes import Xaes

ROW_TARGET_US = 8.0
READ_TARGET = 0.6
RANGE = 64 * 1024
KEY = bytes(range(32))
AAD = b"evenhand/object/1 acme p1 asset/9 1"
SIZES = {
    "4K": floe.GCM256_IV256_4K, "16K": floe.GCM256_IV256_16K,
    "64K": floe.GCM256_IV256_64K, "1M": floe.GCM256_IV256_1M,
}  # fmt: skip


def cpu_us(work: Callable[[], object], count: int) -> float:
    """The best of five rounds, so that a neighbour on this machine counts less."""
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        for _ in range(count):
            work()
        best = min(best, time.process_time() - begun)
    return best / count * 1e6


def rows(count: int) -> dict[str, float]:
    body, aad = os.urandom(300), os.urandom(60)
    plain, nonce = AESGCM(KEY), os.urandom(12)
    sealed_plain = plain.encrypt(nonce, body, aad)
    xaes = Xaes(KEY)
    chunk, single = xaes.chunk(), [xaes.seal(body, aad) for _ in range(4096)]
    together = [chunk.seal(body, aad) for _ in range(4096)]
    singles, shared = iter(single * (count * 6 // 4096 + 1)), iter(together * (count * 6 // 4096 + 1))
    data = DataKey(Scope("acme", "p1"), {1: KEY}, float("inf"), time.monotonic)
    row = data.seal(body, "task/0123456789abcdef01234567")
    return {
        "aesgcm_seal": cpu_us(lambda: plain.encrypt(os.urandom(12), body, aad), count),
        "aesgcm_open": cpu_us(lambda: plain.decrypt(nonce, sealed_plain, aad), count),
        "xaes_seal_cold": cpu_us(lambda: xaes.seal(body, aad), count),
        "xaes_seal_chunk": cpu_us(lambda: chunk.seal(body, aad), count),
        "xaes_open_cold": cpu_us(lambda: xaes.open(next(singles), aad), count),
        "xaes_open_chunk": cpu_us(lambda: xaes.open(next(shared), aad), count),
        "row_seal": cpu_us(lambda: data.seal(body, "task/0123456789abcdef01234567"), count),
        "row_open": cpu_us(lambda: data.open(row, "task/0123456789abcdef01234567"), count),
    }


class Files:
    """One file on disk, plain and sealed."""

    def __init__(self, folder: Path, size: int, parameters: Parameters) -> None:
        self.size = size
        self.parameters = parameters
        content = os.urandom(1 << 20)
        pieces = [content] * (size >> 20)
        (folder / "plain").write_bytes(b"".join(pieces))
        with (folder / "sealed").open("wb") as out:
            for piece in floe.encrypt(KEY, AAD, pieces, parameters):
                out.write(piece)
        some = pieces[:16]
        self.seal_mb_s = (
            len(some) * len(content) / cpu_us(lambda: deque(floe.encrypt(KEY, AAD, some, parameters), 0), 1)
        )
        sealed = list(floe.encrypt(KEY, AAD, some, parameters))
        self.open_mb_s = (
            len(some) * len(content) / cpu_us(lambda: deque(floe.decrypt(KEY, AAD, sealed, parameters), 0), 1)
        )
        self.plain = os.open(folder / "plain", os.O_RDONLY)
        self.sealed = os.open(folder / "sealed", os.O_RDONLY)
        self.sealed_size = os.fstat(self.sealed).st_size
        self.reader = RangeReader(KEY, AAD, os.pread(self.sealed, HEADER_BYTES, 0), self.sealed_size, parameters)

    def read_plain(self, start: int) -> bytes:
        return os.pread(self.plain, RANGE, start)

    def read_sealed(self, start: int) -> memoryview:
        low, high = self.reader.cover(start, start + RANGE)
        return self.reader.read(start, start + RANGE, os.pread(self.sealed, high - low, low))

    def read_sealed_afresh(self, start: int) -> memoryview:
        """As for a single request: the header is read and checked each time."""
        header = os.pread(self.sealed, HEADER_BYTES, 0)
        reader = RangeReader(KEY, AAD, header, self.sealed_size, self.parameters)
        low, high = reader.cover(start, start + RANGE)
        return reader.read(start, start + RANGE, os.pread(self.sealed, high - low, low))


def bare(files: Files, count: int) -> tuple[float, float]:
    """CPU µs of a read from disk (its cache), plain and sealed, at the same places."""
    chance = random.Random(7)
    starts = [chance.randrange(files.size - RANGE) for _ in range(512)]
    assert all(bytes(files.read_sealed(at)) == files.read_plain(at) for at in starts[:32])
    places, same = iter(starts * (count // 64)), iter(starts * (count // 64))
    return cpu_us(lambda: files.read_plain(next(places)), count), cpu_us(lambda: files.read_sealed(next(same)), count)


class Door:
    """A server of one process that answers /plain and /sealed with a range of 64 KiB."""

    def __init__(self, files: Files) -> None:
        async def app(scope: dict, receive: Callable, send: Callable) -> None:
            request = Request(scope)
            start = int(request.query_params["start"])
            found = files.read_plain(start) if request.url.path == "/plain" else files.read_sealed_afresh(start)
            end = start + RANGE - 1
            headers = {"content-range": f"bytes {start}-{end}/{files.size}", "x-content-type-options": "nosniff"}
            await Response(found, 206, headers, "image/jpeg")(scope, receive, send)

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        config = uvicorn.Config(app, "127.0.0.1", self.port, log_level="warning", loop="uvloop", http="httptools")
        self.process = multiprocessing.get_context("fork").Process(target=uvicorn.Server(config).run)
        self.process.start()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise SystemExit("the door did not open")

    def rate(self, path: str, starts: list[int]) -> tuple[float, float]:
        """Reads a second over one connection, and CPU µs of the server for each."""
        before = self.cpu_s()
        line = http.client.HTTPConnection("127.0.0.1", self.port)
        begun = time.perf_counter()
        for start in starts:
            line.request("GET", f"{path}?start={start}")
            if len(line.getresponse().read()) != RANGE:
                raise SystemExit("the door gave something else")
        taken = time.perf_counter() - begun
        line.close()
        return len(starts) / taken, (self.cpu_s() - before) / len(starts) * 1e6

    def cpu_s(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def close(self) -> None:
        self.process.terminate()
        self.process.join()


def through_door(files: Files, count: int) -> dict[str, float]:
    """The middle of nine pairs, taken in turns, so that both see the same neighbours."""
    chance = random.Random(11)
    starts = [chance.randrange(files.size - RANGE) for _ in range(count)]
    door = Door(files)
    try:
        door.rate("/plain", starts)  # warm
        pairs = [(door.rate("/plain", starts), door.rate("/sealed", starts)) for _ in range(9)]
    finally:
        door.close()
    plain, sealed = sorted(pairs, key=lambda pair: pair[1][0] / pair[0][0])[4]
    return {
        "plain_reads_s": plain[0], "sealed_reads_s": sealed[0], "ratio": sealed[0] / plain[0],
        "plain_cpu_us": statistics.mean(pair[0][1] for pair in pairs),
        "sealed_cpu_us": statistics.mean(pair[1][1] for pair in pairs),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    found = rows(4_000 if quick else 40_000)
    say(rows={name: round(us, 2) for name, us in found.items()}, unit="µs CPU", body_bytes=300)
    reads: dict[str, dict[str, float]] = {}
    for name, parameters in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="ev-sealing-") as folder:
            files = Files(Path(folder), (32 if quick else 256) << 20, parameters)
            plain_us, sealed_us = bare(files, 640 if quick else 6_400)
            reads[name] = through_door(files, 60 if quick else 1_000)
            say(
                segment=name, seal_mb_s_cpu=round(files.seal_mb_s), open_mb_s_cpu=round(files.open_mb_s), grows_percent=round(
                    (files.sealed_size / files.size - 1) * 100, 3),
                bare_plain_us=round(plain_us, 1), bare_sealed_us=round(sealed_us, 1), bare_ratio=round(plain_us / sealed_us, 3),
                door={key: round(value, 3 if key == "ratio" else 0) for key, value in reads[name].items()},
            )  # fmt: skip
            os.close(files.plain)
            os.close(files.sealed)
    worst = max(("xaes_seal_chunk", "xaes_open_chunk"), key=lambda name: found[name])
    conclude(f"a row of 300 bytes ({worst})", found[worst], "µs CPU", ROW_TARGET_US, ROW_TARGET_US / found[worst])
    best = max(reads, key=lambda name: reads[name]["ratio"])
    conclude(
        f"64 KiB ranges of a file in {best} segments through HTTP, sealed against plain",
        reads[best]["sealed_reads_s"], "reads/s", reads[best]["plain_reads_s"] * READ_TARGET,
        reads[best]["ratio"] / READ_TARGET,
    )  # fmt: skip


if __name__ == "__main__":
    main()
