"""Who already has an answer is told so, and shown nothing: 304, no content, and so no event of access.

A page that is open asks again and again. The tag of an answer is a MAC over who asked, for what, in which hour, and the answer:
only an answer that this caller was given in this hour has it, and that one left its event. Nobody can find out by a guess what an
answer would be, and a page that stays open leaves an event for each change and at least one an hour.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from evenhand.app.http.call import Call

HOUR_S = 3600


def unless_held(call: Call, reply: Response, clock: Callable[[], float] = time.time) -> Response:
    """The reply with its tag, or 304 where the caller has it. The operator's people are shown it each time, with an event."""
    if call.request.method != "GET" or call.grant is not None or reply.status_code != 200:
        return reply
    tag = _tag(call, bytes(reply.body), int(clock()) // HOUR_S)
    if hmac.compare_digest(call.request.headers.get("if-none-match", "").encode(), tag.encode()):
        return Response(None, 304, {"etag": tag, "cache-control": "no-store"})
    reply.headers["etag"] = tag
    return reply


def _tag(call: Call, body: bytes, hour: int) -> str:
    url = call.request.url
    asked: tuple[Any, ...] = (call.org_id, call.actor.kind, call.actor.id, url.path, url.query, hour)
    said = repr(asked).encode() + b"\n" + hashlib.sha256(body).digest()
    return f'"{hmac.digest(call.services.db.keys.key("unchanged"), said, "sha256").hex()[:32]}"'
