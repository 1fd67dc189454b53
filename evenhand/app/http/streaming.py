"""Replies in pieces."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import IO, Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from evenhand.app.http.errors import problem_of

log = logging.getLogger("evenhand.http")
_PIECE = 256 * 1024


class _Streamed(StreamingResponse):
    """A reply that breaks off is left without its end, so that nobody takes a part for the whole."""

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except Exception as err:
            # the status is sent already: left to the server, it would be told with its text
            status = problem_of(err).status  # which logs a bug as one
            log.warning("a reply broke off after it had begun (%s, %d)", type(err).__name__, status)


async def streamed(
    pieces: AsyncIterator[bytes], status: int, headers: dict[str, str], media_type: str | None
) -> Response:
    """A reply of `pieces`. The first is waited for, so that what goes wrong until then is told as for any request."""
    first = await anext(pieces, b"")

    async def every() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return _Streamed(every(), status, headers, media_type)


async def file_pieces(file: IO[Any]) -> AsyncIterator[bytes]:
    """A file from its beginning, closed when it has been sent."""
    with file:
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
