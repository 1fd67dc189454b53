"""The transparency log for everybody: its key, the newest checkpoint, and its tiles (c2sp.org/tlog-tiles)."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from evenhand.app.http.errors import Problem
from evenhand.app.http.routes import problem_reply
from evenhand.infra.logfiles import LogFiles
from evenhand.pure.log.tiles import WIDTH, Tile

_TEXT = "text/plain; charset=utf-8"


def log_routes(files: LogFiles) -> list[BaseRoute]:
    def nothing() -> Response:
        return problem_reply(
            Problem(404, "missing", "The log has nothing at this address.", "Look at /log/checkpoint.")
        )

    async def key(_: Request) -> Response:
        text = files.key()
        return Response(f"{text}\n", media_type=_TEXT, headers={"cache-control": "no-cache"}) if text else nothing()

    async def policy(_: Request) -> Response:
        """The least policy there is: this log, and no witness. Whoever checks should name witnesses of their own."""
        text = files.key()
        words = f"log {text}\nquorum none\n"
        return Response(words, media_type=_TEXT, headers={"cache-control": "no-cache"}) if text else nothing()

    async def checkpoint(_: Request) -> Response:
        note = files.checkpoint()
        return Response(note, media_type=_TEXT, headers={"cache-control": "no-cache"}) if note else nothing()

    async def tile(request: Request) -> Response:
        try:
            wanted = Tile.parse(f"tile/{request.path_params['path']}")
            data = await asyncio.to_thread(files.tile, wanted)
        except (ValueError, FileNotFoundError):
            return nothing()
        whole = "public, max-age=31536000, immutable"
        cut = data if wanted.width == WIDTH or wanted.level < 0 else data[: 32 * wanted.width]
        return Response(cut, media_type="application/octet-stream", headers={"cache-control": whole})

    return [
        Route("/log/key", key, methods=["GET", "HEAD"]),
        Route("/log/policy", policy, methods=["GET", "HEAD"]),
        Route("/log/checkpoint", checkpoint, methods=["GET", "HEAD"]),
        Route("/log/tile/{path:path}", tile, methods=["GET", "HEAD"]),
    ]
