"""Media: files behind signed links, on a host name of their own, sandboxed."""

from starlette.requests import Request
from starlette.responses import Response

from evenhand.app.http.errors import problem_of
from evenhand.app.http.routes import problem_reply
from evenhand.app.http.streaming import streamed
from evenhand.app.services import Services
from evenhand.features.assets import actions as assets
from evenhand.features.assets.rules import SHOWN

_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'",
    "cross-origin-resource-policy": "cross-origin",
    "access-control-allow-origin": "*",  # the link is the permission: no cookie is read here
    "cache-control": "private, max-age=3600, immutable",
    "referrer-policy": "no-referrer",
    "accept-ranges": "bytes",
}


def _range(header: str, size: int) -> tuple[int, int] | None:
    """(start, end) of a single byte range (RFC 9110, 14.2), or None for the whole."""
    unit, _, spec = header.partition("=")
    first, dash, last = spec.partition("-")
    if unit != "bytes" or not dash or "," in spec:
        return None
    try:
        if first == "":
            start, end = max(0, size - int(last)), size
        else:
            start, end = int(first), min(size, int(last) + 1 if last else size)
    except ValueError:
        return None
    return (start, end) if 0 <= start < end else (size, size)


async def serve_media(request: Request, services: Services) -> Response:
    try:
        media = await assets.open_media(services.db, services.objects, request.path_params["token"])
    except Exception as err:
        return problem_reply(problem_of(err))
    start, end, status = 0, media.size, 200
    headers = dict(_HEADERS)
    wanted = _range(request.headers.get("range", ""), media.size)
    if wanted is not None:
        start, end = wanted
        if start >= media.size:
            return Response(status_code=416, headers={"content-range": f"bytes */{media.size}"})
        status = 206
        headers["content-range"] = f"bytes {start}-{end - 1}/{media.size}"
    shown = media.type in SHOWN
    headers["content-disposition"] = "inline" if shown else "attachment"
    headers["content-length"] = str(end - start)
    kind = media.type if shown else "application/octet-stream"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=kind)

    pieces = services.objects.stream(media.org_id, media.object, start, end)
    try:
        return await streamed(pieces, status, headers, kind)
    except Exception as err:
        return problem_reply(problem_of(err))
