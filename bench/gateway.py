"""Claim: reading a sealed file through the gateway keeps at least 60 % of the rate of the same read unencrypted from the disk, in
ranges of 64 KiB.

Both go through the whole application (host, headers, routing, a kept connection). The gateway's read checks the link, the
viewing, the customer's key, counts, and opens the segments; the peer's is a plain file read at the same place (`pread`).
"""

import argparse
import http.client
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bench.support.announced import Announced
from bench.support.serving import Running, conclude, evenhand, free_port, say
from evenhand.app.http.media import _HEADERS
from evenhand.app.http.server import build
from evenhand.app.opening import services
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.features.assets import actions as assets
from evenhand.features.assets.types import AssetBody
from evenhand.features.people import actions as people
from evenhand.infra.db import Actor

TARGET = 0.6
RANGE = 64 * 1024


def upload(running: Running, content: bytes) -> str:
    """The path of a link to the file."""

    async def work(opened: Services) -> str:
        org = await people.create_org(opened.db, "Bench")
        key = await people.create_key(opened.db, org.id, "live")
        held = await people.who_holds_key(opened.db, key.key, "127.0.0.1")
        assert held is not None
        actor: Actor = held[1]
        kept = await assets.keep_file(opened.db, opened.objects, org.id, actor, content, AssetBody(name="a.bin"))
        return urlsplit(kept.url).path

    return running.do(work)


def serve(running: Running, plain: Path, port: int) -> Callable[[], None]:
    """The application once more, with a route for the unencrypted file beside it. Returns what ends it."""
    settings = Settings(running.settings.home, port, f"http://localhost:{port}")
    file = os.open(plain, os.O_RDONLY)
    size = os.fstat(file).st_size

    async def read(request: Request) -> Response:
        start, _, end = request.headers["range"].removeprefix("bytes=").partition("-")
        first, last = int(start), int(end)
        headers = {**_HEADERS, "content-range": f"bytes {first}-{last}/{size}"}
        return Response(os.pread(file, last + 1 - first, first), 206, headers, "application/octet-stream")

    def doors(_: Services) -> list[BaseRoute]:
        return [Route("/v1/plain", read, methods=["GET"])]

    app: Any = build(settings, lambda: services(settings, running.urls, running.keys), doors)
    server = Announced(
        uvicorn.Config(app, "127.0.0.1", port, log_level="warning", loop="uvloop", http="httptools", access_log=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    server.begun.wait()
    if not server.started:
        raise SystemExit("the application did not start")

    def end() -> None:
        server.should_exit = True
        thread.join()
        os.close(file)

    return end


def rate(port: int, path: str, starts: list[int], content: bytes) -> float:
    """Reads a second over one kept connection; each reply is compared with the file."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    spent = 0.0
    for start in starts:
        begun = time.perf_counter()
        line.request("GET", path, headers={"range": f"bytes={start}-{start + RANGE - 1}"})
        reply = line.getresponse()
        found = reply.read()
        spent += time.perf_counter() - begun
        if reply.status != 206 or found != content[start : start + RANGE]:
            raise SystemExit(f"{path} answered {reply.status} with something else: {found[:200]!r}")
    line.close()
    return len(starts) / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    content = os.urandom((16 if quick else 64) << 20)
    chance = random.Random(13)
    starts = [chance.randrange(len(content) - RANGE) for _ in range(100 if quick else 1_000)]
    with evenhand() as running, tempfile.TemporaryDirectory(prefix="ev-bench-") as folder:
        plain = Path(folder) / "plain"
        plain.write_bytes(content)
        link, port = upload(running, content), free_port()
        end = serve(running, plain, port)
        try:
            for path in ("/v1/plain", link):  # warm
                rate(port, path, starts[:50], content)
            pairs = [(rate(port, "/v1/plain", starts, content), rate(port, link, starts, content)) for _ in range(9)]
        finally:
            end()
    for unencrypted, sealed in pairs:
        say(plain_reads_s=round(unencrypted), sealed_reads_s=round(sealed), ratio=round(sealed / unencrypted, 3))
    value = statistics.median(sealed / unencrypted for unencrypted, sealed in pairs)
    conclude(
        "64 KiB ranges through the gateway, sealed against unencrypted from disk",
        value,
        "of the rate",
        TARGET,
        value / TARGET,
    )


if __name__ == "__main__":
    main()
