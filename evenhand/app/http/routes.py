"""The route table. A route is data: what it takes, what it answers, who may ask; the rest follows from it.

The OpenAPI document, the two-tenant twin test and the idempotency of writes all read this one table.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from evenhand.app.http.access import silent
from evenhand.app.http.call import (
    BODY_MOST,
    Call,
    at_desk,
    credential_in,
    read_body,
    read_query,
    seen_in,
    who_asks,
)
from evenhand.app.http.errors import NotJson, Problem, problem_of
from evenhand.app.http.refusing import note_refusal
from evenhand.app.http.support import check_route, record_use
from evenhand.app.http.unchanged import unless_held
from evenhand.app.services import Services
from evenhand.features.access.sessions import require_fresh
from evenhand.infra.access import ids_in, shown
from evenhand.infra.db import Actor, Tx
from evenhand.infra.seal import At, KeyUnknown
from evenhand.infra.sql import Sql
from evenhand.pure.trouble import Conflict, Invalid

Who = Literal["public", "person", "customer", "operator", "director"]
encode_json = msgspec.json.encode


class Page(msgspec.Struct):
    """Cursor paging, the same everywhere."""

    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """`handler(call)` for own transactions; `handler(call, tx)` when `tx` is True: then the route's write and its
    idempotency record commit together."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    summary: str
    who: Who = "customer"
    query: type[Any] | None = None
    body: Any = None
    reply: Any = None
    tx: bool = True
    raw: bool = False  # the handler reads the body itself
    most: int = BODY_MOST
    desk: bool = False  # a write of a person whose session the handler looks up
    fresh: bool = False  # asks a person for a proof of the last minutes that it is still them; a key has scopes instead
    status: int = 200
    media: str = "application/json"  # what a good reply is; several with a comma between them

    @property
    def name(self) -> str:
        """As the lists of routes have it."""
        return f"{self.method} {self.path}"


ROUTES: list[Route] = []
_JSON_TYPE = re.compile(r'application/([\w.+-]+\+)?json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?', re.IGNORECASE)


def route(method: str, path: str, **options: Any) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Adds a handler to the table. Its docstring's first line is the summary."""

    def add(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        summary = (handler.__doc__ or handler.__name__).strip().split("\n", 1)[0].rstrip(".")
        ROUTES.append(Route(method, path, handler, summary, **options))
        return handler

    return add


def json_reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode_json(value), status, {**(headers or {}), "cache-control": "no-store"}, "application/json")


def problem_reply(problem: Problem) -> Response:
    headers = {"cache-control": "no-store"}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(problem.retry_after_s)))
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(encode_json(problem.document()), problem.status, headers, "application/problem+json")


# --- idempotency

_IDEM_GET = Sql(
    "idempotency_get",
    """select request_mac, body from evenhand.idempotency
        where org_id = %(org)s and actor_id = %(actor)s and key_mac = %(key)s""",
)
_IDEM_PUT = Sql(
    "idempotency_put",
    """insert into evenhand.idempotency (org_id, actor_id, key_mac, request_mac, body)
       values (%(org)s, %(actor)s, %(key)s, %(request)s, %(body)s) on conflict do nothing""",
)


class _Kept(msgspec.Struct):
    status: int
    reply: msgspec.Raw


class KeyReused(Conflict):
    hint = "Use a fresh Idempotency-Key for every new request."


class ReplyGone(Conflict):
    hint = "Look at what it made; with another Idempotency-Key it would be carried out once more."


class _Once:
    """The idempotency of one write: the first reply is kept, the same request again gets it."""

    def __init__(self, tx: Tx, key: str, request_line: bytes) -> None:
        if not 1 <= len(key) <= 128:
            raise Invalid("`Idempotency-Key` must have 1 to 128 characters.")
        self._key = tx.seal.mac("idempotency", key)
        self._request = tx.seal.mac("idempotency-request", request_line)
        self._at = At("idempotency", f"{tx.actor.id}/{self._key.hex()}")

    async def earlier(self, tx: Tx) -> Response | None:
        lock = int.from_bytes(self._key[:8], "big", signed=True)
        await tx.conn.execute("select pg_advisory_xact_lock($1)", lock)
        row = await _IDEM_GET.maybe(tx, org=tx.org_id, actor=tx.actor.id, key=self._key)
        if row is None:
            return None
        if bytes(row["request_mac"]) != self._request:
            raise KeyReused("This Idempotency-Key was used for another request.")
        if not row["body"]:
            raise ReplyGone("This request was carried out, and its reply is kept no more: a project was deleted since.")
        kept = tx.seal.open_as(row["body"], _Kept, self._at)
        headers = {"cache-control": "no-store", "idempotent-replayed": "true"}
        return Response(bytes(kept.reply), kept.status, headers, "application/json")

    async def keep(self, tx: Tx, reply: bytes, status: int) -> None:
        body = tx.seal.shut(_Kept(status, msgspec.Raw(reply)), self._at)
        await _IDEM_PUT.run(tx, org=tx.org_id, actor=tx.actor.id, key=self._key, request=self._request, body=body)


# --- serving a route

_NOBODY = Actor("system", "nobody")


async def _read(found: Route, request: Request) -> tuple[bytes, str]:
    """The body, and the CSRF token that it may carry."""
    if found.body is None or found.raw:
        return b"", ""
    raw = await read_body(request, found.most)
    if found.who == "person" and raw.startswith(b'{"csrf"'):
        return raw, str(msgspec.json.decode(raw).get("csrf", ""))  # sendBeacon cannot set headers
    return raw, ""


async def _take(found: Route, request: Request, services: Services, raw: bytes, csrf: str) -> Call:
    if found.who == "public":
        call = Call(request, services, _NOBODY)
    elif found.desk:
        call = await at_desk(request, services)
    else:
        call = await who_asks(request, services, who=found.who, csrf=csrf)
    check_route(call, found.path)
    if found.fresh and call.held is not None:
        require_fresh(call.held)
    if found.who == "customer":  # nothing of a customer is read or written while its keys are not to be had
        (await services.db.seal(call.org_id)).check()
    if found.query is not None:
        call.query = read_query(request, found.query)
    if found.body is not None and not found.raw:
        call.body = _decode(raw, found.body, request.headers.get("content-type", ""))
    return call


def _decode(raw: bytes, kind: Any, declared: str) -> Any:
    """The body. JSON is taken under any name; what is none and does not claim to be gets 415."""
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeError):
        if declared and not _JSON_TYPE.fullmatch(declared.strip()):
            raise NotJson(f"This address takes JSON, not '{declared[:60]}'.") from None
        raise


async def _answer(found: Route, call: Call, raw: bytes) -> Response:
    key = call.request.headers.get("idempotency-key", "")
    logged = found.who == "customer" and not silent(found.name)
    if not found.tx:
        value = await found.handler(call)
        reply = _reply(found, value)
        if logged and (reply := _unless_held(call, value, reply)).status_code != 304:
            async with call.db.tx(call.org_id, call.actor) as tx:
                await _access(tx, found, call, value)
        return reply
    writes = call.request.method not in ("GET", "HEAD")
    async with call.db.tx(call.org_id, call.actor) as tx:
        await record_use(call, tx, found.path)
        once: _Once | None = None
        if key and writes:
            once = _Once(tx, key, f"{call.request.method} {call.request.url.path}\n".encode() + raw)
            earlier = await once.earlier(tx)
            if earlier is not None:
                if logged:
                    await _access(tx, found, call, msgspec.json.decode(earlier.body))
                return earlier
        value = await found.handler(call, tx)
        reply = _reply(found, value)
        if logged and (reply := _unless_held(call, value, reply)).status_code != 304:
            await _access(tx, found, call, value)
        if once is not None:
            await once.keep(tx, bytes(reply.body), reply.status_code)
    return reply


def _unless_held(call: Call, value: Any, reply: Response) -> Response:
    """What a handler made itself, such as a file, it also answers for."""
    return reply if isinstance(value, Response) else unless_held(call, reply)


async def _access(tx: Tx, found: Route, call: Call, value: Any) -> None:
    """Content leaves with this reply: that is recorded first, or it does not leave."""
    about = next(iter(call.request.path_params.values()), "")
    await shown(tx, found.name, ids_in(value), about)


async def once(call: Call, tx: Tx, asked: bytes, act: Callable[[], Awaitable[Any]]) -> Any:
    """The same for a handler that opens its own transaction. `asked`: what a repeated request has in common with the first."""
    key = call.request.headers.get("idempotency-key", "")
    if not key:
        return await act()
    kept = _Once(tx, key, f"{call.request.method} {call.request.url.path}\n".encode() + asked)
    earlier = await kept.earlier(tx)
    if earlier is not None:
        return earlier
    reply = json_reply(await act())
    await kept.keep(tx, bytes(reply.body), reply.status_code)
    return reply


async def _answered(found: Route, call: Call, raw: bytes) -> Response:
    try:
        return await _answer(found, call, raw)
    except KeyUnknown as err:  # of a project that another process has just made: nothing was written yet
        if not found.tx and call.request.method != "GET":
            raise
        await call.services.db.learn(err)
        return await _answer(found, call, raw)


def _reply(found: Route, value: Any) -> Response:
    return value if isinstance(value, Response) else json_reply(value, found.status)


def endpoint(found: Route, services: Services) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        call: Call | None = None
        try:
            raw, csrf = await _read(found, request)
            if found.who != "customer":
                return await _served(found, request, services, raw, csrf)
            async with services.limits.turn(credential_in(request, services), seen_in(request).address):
                if not found.raw:
                    return await _served(found, request, services, raw, csrf)
                call = await _take(found, request, services, raw, csrf)
            return await _answered(found, call, raw)  # who sends slowly keeps none of its own people waiting
        except Exception as err:
            # the door of every route: whatever it is, problem_of says it without content, and logs a bug as one
            note_refusal(services, err, found.name, call)
            return problem_reply(problem_of(err))

    return serve


async def _served(found: Route, request: Request, services: Services, raw: bytes, csrf: str) -> Response:
    call = await _take(found, request, services, raw, csrf)
    try:
        return await _answered(found, call, raw)
    except Exception as err:
        note_refusal(services, err, found.name, call)
        return problem_reply(problem_of(err))
