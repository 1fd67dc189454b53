"""Out again: exports, deliveries and the callback log."""

from typing import Any

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call
from evenhand.app.http.projects import bounded, cursor_after
from evenhand.app.http.routes import route
from evenhand.app.http.streaming import streamed
from evenhand.app.http.tasks import check_import, line_chunks
from evenhand.features.deliveries import callbacks
from evenhand.features.deliveries.exports import Export, create_delivery, list_deliveries
from evenhand.features.deliveries.returning import return_lines
from evenhand.features.deliveries.types import Callback, CallbackSecrets, Delivery, ExportedTask
from evenhand.features.people.rules import Verb, require
from evenhand.features.tasks.types import ImportReport
from evenhand.infra.db import Tx
from evenhand.pure.formats.listing import FORMATS
from evenhand.pure.trouble import Invalid

_MEDIA = ", ".join(dict.fromkeys(one.media_type for one in FORMATS))


class CallbackPage(msgspec.Struct):
    limit: int = 50
    cursor: str | None = None
    task: str | None = None


class Callbacks(msgspec.Struct, frozen=True):
    items: list[Callback]
    next: str | None


@route("GET", "/callbacks", query=CallbackPage, reply=Callbacks)
async def list_callbacks(call: Call, tx: Tx) -> Any:
    """The callback log, newest first"""
    limit = bounded(call.query.limit)
    items = await callbacks.list_callbacks(tx, task=call.query.task, after=call.query.cursor, limit=limit)
    return Callbacks(items, cursor_after(items, limit))


@route("POST", "/callbacks/{callback}/replay", reply=Callback)
async def replay(call: Call, tx: Tx) -> Any:
    """Send a callback once more"""
    return await callbacks.replay(tx, call.path("callback"))


@route("GET", "/settings/callbacks", reply=CallbackSecrets, fresh=True)
async def secrets(call: Call, tx: Tx) -> Any:
    """The secrets by which a receiver knows us"""
    require(tx, Verb.MANAGE)
    return await callbacks.callback_secrets(tx)


class ExportQuery(msgspec.Struct):
    project: str
    format: str = "jsonl"
    state: str | None = None
    batch: str | None = None
    delivery: str | None = None


class DeliveryPage(msgspec.Struct):
    limit: int = 50
    cursor: str | None = None
    project: str | None = None


class DeliveryIn(msgspec.Struct, forbid_unknown_fields=True):
    project: str
    name: str = ""
    format: str = "jsonl"


class Deliveries(msgspec.Struct, frozen=True):
    items: list[Delivery]
    next: str | None


class Changed(msgspec.Struct, frozen=True):
    reason: str
    count: int
    examples: list[str]


class ExportReport(msgspec.Struct, frozen=True):
    """What a format could not carry, by reason; nothing is dropped in silence."""

    format: str
    tasks: int
    annotations: int
    skipped: list[Changed]
    changed: list[Changed]
    omits: list[str]


async def _open(call: Call) -> Export:
    query: ExportQuery = call.query
    if query.state is not None and query.state not in ("done", "canceled", "error", "todo"):
        raise Invalid("`state` must be done, todo, canceled or error.")
    export = Export(
        call.db,
        call.org_id,
        call.actor,
        query.project,
        query.format,
        media_url=call.services.settings.media_url or call.services.settings.public_url,
        state=query.state,
        batch=query.batch,
        delivery=query.delivery,
    )
    async with call.db.tx(call.org_id, call.actor) as tx:
        await export.open(tx)
    return export


@route("GET", "/exports", query=ExportQuery, tx=False, media=_MEDIA, fresh=True)
async def export(call: Call) -> Response:
    """Stream results: jsonl (lossless), coco, yolo (zip) or csv"""
    export = await _open(call)
    name = f"evenhand-{call.query.project[-8:]}.{export.format.suffix}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return await streamed(export.stream(), 200, headers, export.format.media_type)


@route("GET", "/exports/report", query=ExportQuery, reply=ExportReport, tx=False, fresh=True)
async def export_report(call: Call) -> Any:
    """What a format could not carry"""
    export = await _open(call)
    async for _ in export.stream():
        pass
    return msgspec.convert(export.report, ExportReport)


class ReturnPage(msgspec.Struct):
    key: str = msgspec.field(default="", name="import")
    first_line: int = 1


@route(
    "POST", "/projects/{project}/tasks/exported",
    query=ReturnPage, body=list[ExportedTask], reply=ImportReport, tx=False, raw=True,
)  # fmt: skip
async def return_tasks(call: Call) -> Any:
    """Take exported tasks in as they were, with answers and reviews: lines of a JSONL export, or a JSON array"""
    query: ReturnPage = call.query
    check_import(query.key, query.first_line)
    return await return_lines(
        call.db,
        call.org_id,
        call.actor,
        call.path("project"),
        line_chunks(call),
        key=query.key,
        first_line=query.first_line,
    )


@route("GET", "/deliveries", query=DeliveryPage, reply=Deliveries)
async def deliveries(call: Call, tx: Tx) -> Any:
    """List deliveries, newest first"""
    limit = bounded(call.query.limit)
    items = await list_deliveries(tx, project=call.query.project, after=call.query.cursor, limit=limit)
    return Deliveries(items, cursor_after(items, limit))


@route("POST", "/deliveries", body=DeliveryIn, reply=Delivery)
async def deliver(call: Call, tx: Tx) -> Any:
    """Deliver everything that is done and was not delivered before"""
    return await create_delivery(tx, call.body.project, call.body.name, call.body.format)
