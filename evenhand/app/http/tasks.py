"""Tasks and files, for the customer."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from evenhand.app.http.call import Call, announced, pieces, read_form
from evenhand.app.http.errors import TooLarge
from evenhand.app.http.projects import bounded
from evenhand.app.http.routes import json_reply, route
from evenhand.app.http.task_view import full_task
from evenhand.app.http.unchanged import unless_held
from evenhand.features.annotations import actions as annotations
from evenhand.features.assets import actions as assets
from evenhand.features.assets import marking
from evenhand.features.assets.marking import Media
from evenhand.features.assets.types import Asset, AssetBody
from evenhand.features.people.aliases import wanted_person
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects.actions import since
from evenhand.features.reviews import actions as reviews
from evenhand.features.reviews import progress
from evenhand.features.reviews.types import Verdict
from evenhand.features.tasks import actions as tasks
from evenhand.features.tasks import adding, imports
from evenhand.features.tasks.types import ImportReport, NewTask, Task, TaskRow, TaskViewed
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.pure.trouble import Invalid

IMPORT_MOST = 512_000_000
LINE_MOST = 4_000_000
SKIP_MOST = 10_000_000
FORM_MOST = 1_000_000  # what a form may hold beside its file


class TaskPage(msgspec.Struct):
    limit: int = 50
    cursor: str | None = None
    skip: int = 0  # so many of the matching tasks come before the page; instead of a cursor
    project: str | None = None
    batch: str | None = None
    state: str | None = None
    person: str | None = None
    label: str | None = msgspec.field(default=None, name="class")
    tag: str | None = None
    q: str | None = None
    since: str | None = msgspec.field(default=None, name="from")
    until: str | None = msgspec.field(default=None, name="to")
    order: str = "newest"
    count: bool = True


class Tasks(msgspec.Struct, frozen=True):
    items: list[TaskRow]
    next: str | None
    total: int | None  # null where `count` is false


class HistoryLine(msgspec.Struct, frozen=True):
    at: datetime
    who: str
    what: str
    detail: dict[str, Any]


class History(msgspec.Struct, frozen=True):
    items: list[HistoryLine]
    next: str | None = None


class Comment(msgspec.Struct, forbid_unknown_fields=True):
    comment: str = ""


class RequeueIn(msgspec.Struct, forbid_unknown_fields=True):
    project: str
    person: str | None = None
    since: str | None = msgspec.field(default=None, name="from")
    until: str | None = msgspec.field(default=None, name="to")
    label: str | None = msgspec.field(default=None, name="class")
    dry_run: bool = False


class Requeued(msgspec.Struct, frozen=True):
    matched: int
    requeued: int


class AuditIn(msgspec.Struct, forbid_unknown_fields=True):
    decision: str
    comment: str = ""
    answer: dict[str, Any] | None = None


class ImportPage(msgspec.Struct):
    batch: str | None = None
    key: str = msgspec.field(default="", name="import")
    first_line: int = 1


STATES = ("fetching", "held", "open", "full", "review", "done", "canceled", "error")


@route("POST", "/projects/{project}/tasks", body=NewTask, reply=Task)
async def create_task(call: Call, tx: Tx) -> Any:
    """Create a task"""
    task = await adding.create_task(tx, call.path("project"), call.body)
    return await full_task(tx, call.db, task)


@route(
    "POST",
    "/projects/{project}/tasks/bulk",
    query=ImportPage,
    body=list[NewTask],
    reply=ImportReport,
    tx=False,
    raw=True,
)
async def bulk(call: Call) -> Any:
    """Create many tasks: NDJSON, one a line, or a JSON array"""
    query: ImportPage = call.query
    check_import(query.key, query.first_line)
    return await imports.import_lines(
        call.db,
        call.org_id,
        call.actor,
        call.path("project"),
        line_chunks(call),
        batch=query.batch,
        key=query.key,
        first_line=query.first_line,
    )


def check_import(key: str, first_line: int) -> None:
    if first_line < 1:
        raise Invalid("`first_line` must be 1 or more.")
    if len(key) > 200:
        raise Invalid("`import` has at most 200 characters.")


async def line_chunks(call: Call) -> AsyncIterator[list[bytes]]:
    """The body as chunks of lines. An array is taken apart; NDJSON streams."""
    held = b""
    lines: list[bytes] = []
    size = 0
    first = True
    array: list[bytes] | None = None
    async for piece in pieces(call.request):
        size += len(piece)
        if size > IMPORT_MOST:
            raise TooLarge(f"The import is larger than {IMPORT_MOST // 1_000_000} MB.", hint="Send it in parts.")
        if first and piece.strip():
            first = False
            if piece.lstrip()[:1] == b"[":
                array = []
        if array is not None:
            array.append(piece)
            continue
        parts = (held + piece).split(b"\n")
        held = parts.pop()
        if len(held) > LINE_MOST:
            raise TooLarge(f"A line is longer than {LINE_MOST // 1_000_000} MB.")
        lines += parts
        while len(lines) >= imports.CHUNK:
            yield lines[: imports.CHUNK]
            lines = lines[imports.CHUNK :]
    if array is not None:
        lines = [bytes(raw) for raw in msgspec.json.decode(b"".join(array), type=list[msgspec.Raw])]
    elif held.strip():
        lines.append(held)
    for at in range(0, len(lines), imports.CHUNK):
        yield lines[at : at + imports.CHUNK]


@route("GET", "/tasks", query=TaskPage, reply=Tasks)
async def list_tasks(call: Call, tx: Tx) -> Any:
    """Find tasks"""
    query: TaskPage = call.query
    limit = bounded(query.limit)
    if query.order not in ("newest", "oldest"):
        raise Invalid("`order` must be newest or oldest.")
    states = query.state.split(",") if query.state else None
    if states is not None and not set(states) <= set(STATES):
        raise Invalid(f"`state` must be one or several of {', '.join(STATES)}.")
    wanted = tasks.Filter(
        project=query.project,
        batch=query.batch,
        states=states,
        tags=[query.tag] if query.tag else None,
        words=query.q,
        made=(since(query.since, "from"), since(query.until, "to")),
        person=await wanted_person(tx, query.person),
        label_class=query.label,
    )
    oldest = query.order == "oldest"
    cursor = query.cursor
    if query.skip:
        if cursor is not None or not 0 < query.skip <= SKIP_MOST:
            raise Invalid(f"`skip` must be 0 to {SKIP_MOST:,}, and goes without `cursor`.")
        cursor = await tasks.cursor_at(tx, wanted, query.skip, oldest=oldest)
        if cursor is None:  # the list ends before
            return Tasks([], None, await tasks.count_matching(tx, wanted) if query.count else None)
    before, after = (None, cursor) if oldest else (cursor, None)
    rows = await tasks.list_rows(tx, wanted, before=before, after=after, limit=limit, oldest=oldest)
    if cursor is None and len(rows) < limit:
        total = len(rows)
    else:
        total = await tasks.count_matching(tx, wanted) if query.count else None
    items = await tasks.list_tasks(tx, call.db, rows)
    return Tasks(items, items[-1].id if len(items) == limit else None, total)


@route("POST", "/tasks/requeue", body=RequeueIn, reply=Requeued)
async def requeue_matching(call: Call, tx: Tx) -> Any:
    """Have all work of a person, a time or a class done again"""
    body: RequeueIn = call.body
    wanted = tasks.Filter(person=await wanted_person(tx, body.person), label_class=body.label)
    matched, done = await annotations.requeue_matching(
        tx, body.project, wanted, since(body.since, "from"), since(body.until, "to"), dry_run=body.dry_run
    )
    return Requeued(matched, done)


@route("GET", "/tasks/{task}", reply=Task)
async def get_task(call: Call, tx: Tx) -> Any:
    """Read a task with its answers and reviews"""
    view = await full_task(tx, call.db, call.path("task"))
    reply = unless_held(call, json_reply(view))
    if reply.status_code != 304:
        await record(tx, TaskViewed(view.id))
    return reply


@route("GET", "/tasks/{task}/history", reply=History)
async def history(call: Call, tx: Tx) -> Any:
    """The audit trail of a task, newest first"""
    return History([HistoryLine(**row) for row in await progress.history(tx, call.path("task"))])


@route("POST", "/tasks/{task}/cancel", reply=Task)
async def cancel(call: Call, tx: Tx) -> Any:
    """Cancel a task that nobody has begun"""
    await tasks.cancel_task(tx, call.path("task"))
    return await full_task(tx, call.db, call.path("task"))


@route("POST", "/tasks/{task}/requeue", body=Comment, reply=Task)
async def requeue(call: Call, tx: Tx) -> Any:
    """Have a task done again"""
    require(tx, Verb.JUDGE)
    await tasks.task_row(tx, call.path("task"))
    await annotations.requeue(tx, call.path("task"), "customer", message=call.body.comment)
    return await full_task(tx, call.db, call.path("task"))


@route("POST", "/tasks/{task}/audit", body=AuditIn, reply=Task)
async def audit(call: Call, tx: Tx) -> Any:
    """Accept, fix or reject a finished task"""
    body: AuditIn = call.body
    verdict = Verdict(body.decision, body.comment)
    await reviews.audit_task(tx, call.path("task"), verdict, body.answer)
    return await full_task(tx, call.db, call.path("task"))


@route("POST", "/assets", reply=Asset, tx=False, raw=True, body=bytes)
async def upload(call: Call) -> Any:
    """Upload a file (multipart: file, name, reference_id)"""
    most = assets.MOST_BYTES + FORM_MOST
    async with call.services.uploads.of(call.org_id, announced(call.request, most)):
        return await _kept(call, most)


async def _kept(call: Call, most: int) -> Asset:
    form = await read_form(call.request, most)
    try:
        found = form.get("file")
        if found is None or isinstance(found, str):
            raise Invalid("The multipart part `file` is missing.")
        data = await found.read()
        name = str(form.get("name") or found.filename or "file")
        reference = str(form.get("reference_id") or "")
    finally:
        await form.close()
    body = AssetBody(name=name.replace("\\", "/").rsplit("/", 1)[-1], reference_id=reference)
    return await assets.keep_file_once(call.db, call.services.objects, call.org_id, call.actor, data, body)


@route("GET", "/assets/{asset}", reply=Asset)
async def get_asset(call: Call, tx: Tx) -> Any:
    """Read a file's state and links"""
    require(tx, Verb.READ)
    return await assets.asset_of(tx, await assets.get_row(tx, call.path("asset")), call.db)


@route("GET", "/settings/media", reply=Media)
async def get_media(call: Call, tx: Tx) -> Any:
    """Whether pictures carry the name of whoever looks"""
    return await marking.media(tx)


@route("PUT", "/settings/media", body=Media, reply=Media, fresh=True)
async def put_media(call: Call, tx: Tx) -> Any:
    """Have pictures carry the name of whoever looks, or no longer"""
    return await marking.set_media(tx, call.body)
