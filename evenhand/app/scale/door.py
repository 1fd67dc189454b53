"""Routes of the compatible interface. The path is taken apart before it is decoded: names may contain slashes."""

from importlib import import_module
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from evenhand.app.http.access import SILENT_SCALE
from evenhand.app.http.call import key_in, read_body, seen_in
from evenhand.app.http.errors import SignIn, problem_of
from evenhand.app.http.refusing import note_refusal
from evenhand.app.http.routes import KeyReused, _Once, json_reply  # pyright: ignore[reportPrivateUsage]
from evenhand.app.scale.asking import ENTRIES, Ask, Entry
from evenhand.app.services import Services
from evenhand.features.assets.actions import ReferenceTaken
from evenhand.features.people.actions import who_holds_key
from evenhand.features.projects.actions import ProjectNameTaken
from evenhand.features.projects.batches import BatchNameTaken
from evenhand.features.projects.groups import GroupNameTaken
from evenhand.features.tasks.actions import NoSuchTask
from evenhand.features.tasks.adding import UniqueIdTaken
from evenhand.infra.access import ids_in, shown
from evenhand.infra.db import Actor, Tx
from evenhand.infra.ids import is_id
from evenhand.infra.seal import KeyUnknown
from evenhand.pure.scale.types import NotEnabled
from evenhand.pure.trouble import Conflict, Missing, Trouble, Upstream

#: modules whose import fills the table
MODULES = ("tasks", "batches", "projects", "files", "teams", "studio", "v2", "v2_deliveries")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
#: what 409 means here: the name or id is taken. Every other conflict is 400, which the client always understands.
_TAKEN = (UniqueIdTaken, KeyReused, ProjectNameTaken, BatchNameTaken, GroupNameTaken, ReferenceTaken)
_TASK_MISSING = "Task with that ID not found."

for _name in MODULES:
    import_module(f"evenhand.app.scale.{_name}")


class NoSuchPath(Missing):
    hint = "Look at the reference of the interface."


def scale_routes(services: Services) -> list[BaseRoute]:
    async def serve(request: Request) -> Response:
        return await _serve(request, services)

    return [
        StarletteRoute(path, serve, methods=METHODS) for path in ("/v1", "/v1/{path:path}", "/v2", "/v2/{path:path}")
    ]


def parts_of(request: Request) -> list[str]:
    """The parts of the path, split before they are decoded. The first is the version."""
    raw = bytes(request.scope.get("raw_path") or request.url.path.encode()).split(b"?", 1)[0]
    return [unquote(part.decode("latin-1")) for part in raw.strip(b"/").split(b"/")]


def find(method: str, parts: list[str]) -> tuple[Entry, dict[str, str]] | None:
    """The entry for a path; None when the path takes another method. Raises NoSuchPath."""
    other = False
    for one in ENTRIES:
        if one.version != parts[0]:
            continue
        names = one.match(parts[1:])
        if names is None:
            continue
        if one.method == method:
            return one, names
        other = True
    if other:
        return None
    raise NoSuchPath("There is nothing at this address.")


async def _serve(request: Request, services: Services) -> Response:
    key, address = key_in(request) or "", seen_in(request).address
    try:
        async with services.limits.turn(key, address):
            org_id, actor, mode = await _who(key, address, services)
            (await services.db.seal(org_id)).check()  # nothing of a customer is read while its keys are not to be had
        found = find(request.method, parts_of(request))
        if found is None:
            return _refusal(405, "This address does not take that method.")
        route, names = found
        ask = Ask(request, services, actor, org_id, mode, names)
        if not route.streams:
            ask.raw = await read_body(request, route.most)
    except Exception as err:
        # a door: whatever it is, it is told in the words of that API, and a bug is logged as one
        note_refusal(services, err, f"/{parts_of(request)[0]}")
        return refuse(err)
    try:
        if route.streams:  # who sends slowly keeps none of its own people waiting
            return await _answered(route, ask)
        async with services.limits.turn(key, address):
            return await _answered(route, ask)
    except Exception as err:
        # as above
        note_refusal(services, err, route.name, ask)
        return refuse(err, ask)


async def _who(key: str, address: str, services: Services) -> tuple[str, Actor, str]:
    services.limits.look(key)
    held = await who_holds_key(services.db, key, address) if key else None
    if held is None:
        raise SignIn("No valid API key provided.")
    services.limits.take(held[0], key)
    return held


async def _answered(route: Entry, ask: Ask) -> Response:
    try:
        return await _answer(route, ask)
    except KeyUnknown as err:  # of a project that another process has just made: nothing was written yet
        if not route.tx:
            raise
        await ask.services.db.learn(err)
        return await _answer(route, ask)


async def _answer(route: Entry, ask: Ask) -> Response:
    logged = route.name not in SILENT_SCALE
    if not route.tx:
        value = await route.handler(ask)
        if logged:
            async with ask.db.tx(ask.org_id, ask.actor) as tx:
                await _access(tx, route, ask, value)
        return reply(value)
    key = ask.request.headers.get("idempotency-key", "") if route.method != "GET" else ""
    async with ask.db.tx(ask.org_id, ask.actor) as tx:
        once: _Once | None = None
        if key:
            once = _Once(tx, key, f"{route.method} {ask.request.url.path}?{ask.request.url.query}\n".encode() + ask.raw)
            earlier = await once.earlier(tx)
            if earlier is not None:
                if logged:
                    await _access(tx, route, ask, msgspec.json.decode(earlier.body))
                return earlier
        value = await route.handler(ask, tx)
        answer = reply(value)
        if logged:
            await _access(tx, route, ask, value)
        if once is not None:
            await once.keep(tx, bytes(answer.body), answer.status_code)
        return answer


async def _access(tx: Tx, route: Entry, ask: Ask, value: Any) -> None:
    """Content leaves with this reply: that is recorded first, or it does not leave."""
    ids = ids_in(value)
    task = ask.names.get("task", "")
    await shown(tx, route.name, ids, task if is_id(task) else "")


def reply(value: Any) -> Response:
    """Always 200: any other success makes the client raise."""
    return value if isinstance(value, Response) else json_reply(value)


def _refusal(status: int, text: str, retry_after_s: float | None = None) -> Response:
    headers = {"retry-after": str(max(1, round(retry_after_s)))} if retry_after_s is not None else None
    return json_reply({"status_code": status, "error": text}, status, headers)


def refuse(err: Exception, ask: Ask | None = None) -> Response:
    """The error as the client understands it: an object with `error`, and a status that has a class of its own."""
    problem = problem_of(err)
    status, text = problem.status, problem.detail
    if isinstance(err, NotEnabled):
        status = 402
    elif isinstance(err, NoSuchTask):
        text = _TASK_MISSING
    elif isinstance(err, Conflict):
        status = 409 if isinstance(err, _TAKEN) and (ask is None or _may_409(ask)) else 400
    elif isinstance(err, Upstream):
        status = 400  # it was the caller's address that did not answer
    status = {413: 400, 507: 503}.get(status, status)
    if isinstance(err, Trouble) and err.hint and status in (402, 403):
        text = f"{text} {err.hint}"
    return _refusal(status, text, problem.retry_after_s)


def _may_409(ask: Ask) -> bool:
    """The client looks into the body of a refused request whose path says "task": it must be an object."""
    if "task" not in ask.request.url.path:
        return True
    try:
        return isinstance(ask.body(), dict) and bool(ask.raw.strip() not in (b"", b"{}"))
    except (msgspec.MsgspecError, Trouble):
        return False
