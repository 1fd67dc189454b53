"""The transparency log for everybody: its key, checkpoints, tiles (c2sp.org/tlog-tiles), how it is, and what witnesses bring."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from evenhand.app.http.call import read_body
from evenhand.app.http.errors import Problem, problem_of
from evenhand.app.http.routes import json_reply, problem_reply
from evenhand.app.services import Services
from evenhand.features.trust import witnesses
from evenhand.features.trust.status import log_status
from evenhand.infra.logfiles import LogFiles
from evenhand.pure.log.tiles import WIDTH, Tile

_TEXT = "text/plain; charset=utf-8"
_MOST_NOTE = 32 * 1024


def log_routes(services: Services, files: LogFiles) -> list[BaseRoute]:
    def nothing() -> Response:
        return problem_reply(
            Problem(404, "missing", "The log has nothing at this address.", "Look at /log/checkpoint.")
        )

    async def key(_: Request) -> Response:
        text = files.key()
        return Response(f"{text}\n", media_type=_TEXT, headers={"cache-control": "no-cache"}) if text else nothing()

    async def policy(_: Request) -> Response:
        """This log and the witnesses that it asks. Whoever checks should name witnesses that they believe themselves."""
        text = files.key()
        words = f"log {text}\n{files.policy() or witnesses.NOBODY}"
        return Response(words, media_type=_TEXT, headers={"cache-control": "no-cache"}) if text else nothing()

    async def checkpoint(_: Request) -> Response:
        note = files.checkpoint()
        return Response(note, media_type=_TEXT, headers={"cache-control": "no-cache"}) if note else nothing()

    async def epoch(_: Request) -> Response:
        note = files.epoch()
        return Response(note, media_type=_TEXT, headers={"cache-control": "no-cache"}) if note else nothing()

    async def cosign(request: Request) -> Response:
        """A checkpoint with the cosignature of a witness of the policy: good signatures are all that it takes."""
        try:
            wanted = await witnesses.take(services.db, await read_body(request, _MOST_NOTE))
        except Exception as err:
            # a door: whatever it is, problem_of says it without content, and logs a bug as one
            return problem_reply(problem_of(err))
        return json_reply({"wanted": wanted}, 200 if wanted else 202)

    async def status(_: Request) -> Response:
        try:
            return json_reply(await log_status(services.db))
        except Exception as err:  # a door, as above
            return problem_reply(problem_of(err))

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
        Route("/log/epoch", epoch, methods=["GET", "HEAD"]),
        Route("/log/cosign", cosign, methods=["POST"]),
        Route("/log/status", status, methods=["GET", "HEAD"]),
        Route("/log/tile/{path:path}", tile, methods=["GET", "HEAD"]),
    ]
