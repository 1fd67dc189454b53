"""Media over HTTP: single ranges (RFC 9110), on a host name of its own, sandboxed, and kept by no cache.

Nothing here reads or sets a cookie. Only the pages' own origin may read what comes, and no browser may keep it.
"""

from starlette.requests import Request
from starlette.responses import Response

from evenhand.app.gateway import Gateway
from evenhand.app.http.errors import problem_of
from evenhand.app.http.ranges import wanted_range
from evenhand.app.http.routes import problem_reply
from evenhand.app.http.streaming import streamed
from evenhand.features.assets.rules import SHOWN
from evenhand.infra.files import PIECE_BYTES

_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",  # the pages show it, from another host name
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "accept-ranges": "bytes",
    "vary": "origin",
}
_PREFLIGHT = {
    "allow": "GET, HEAD, OPTIONS",
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": "range, if-range",
    "access-control-max-age": "600",
    "vary": "origin",
}


async def serve_media(request: Request, gateway: Gateway, origin: str) -> Response:
    """`origin`: that of the pages, the only one that may read what is answered."""
    cors = {"access-control-allow-origin": origin}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=cors | _PREFLIGHT)
    try:
        return await _reply(request, gateway, cors)
    except Exception as err:
        # a door: problem_of says whatever it is without content, and the page needs `cors` to read it
        reply = problem_reply(problem_of(err))
        reply.headers.update(cors)
        return reply


async def _reply(request: Request, gateway: Gateway, cors: dict[str, str]) -> Response:
    sight = await gateway.open(request.path_params["token"])
    start, end, status = 0, sight.size, 200
    headers = {
        **_HEADERS, **cors, "etag": sight.tag,
        "access-control-expose-headers": "accept-ranges, content-length, content-range, etag",
    }  # fmt: skip
    wanted = wanted_range(request, sight.size, sight.tag)
    if wanted is not None:
        start, end = wanted
        if start >= sight.size:
            return Response(status_code=416, headers={**headers, "content-range": f"bytes */{sight.size}"})
        status = 206
        headers["content-range"] = f"bytes {start}-{end - 1}/{sight.size}"
    shown = sight.type in SHOWN
    headers["content-disposition"] = "inline" if shown else "attachment"
    headers["content-length"] = str(end - start)
    kind = sight.type if shown else "application/octet-stream"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=kind)
    if end - start <= PIECE_BYTES:
        return Response(await sight.read(start, end), status, headers, kind)
    return await streamed(sight.pieces(start, end), status, headers, kind)
