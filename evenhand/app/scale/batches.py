"""v1: batches."""

from typing import Any

from evenhand.app.scale.asking import Ask, entry
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.projects import store as projects_store
from evenhand.features.projects.types import Batch, BatchBody, Counts
from evenhand.infra.db import Tx
from evenhand.infra.fetch import check_url
from evenhand.pure.numbers import is_whole
from evenhand.pure.scale import requests
from evenhand.pure.scale.checks import Obj, bad, is_email
from evenhand.pure.scale.query import list_of_batches, parse_batches
from evenhand.pure.scale.times import format_time


def counts_of(counts: Counts) -> Obj:
    """Counts by status; those that are 0 are left out."""
    pending = counts.fetching + counts.held + counts.open + counts.full + counts.review
    found = {"pending": pending, "completed": counts.done, "error": counts.error, "canceled": counts.canceled}
    return {name: n for name, n in found.items() if n}


def batch_v1(batch: Batch, project: str, *, detailed: bool = False) -> Obj:
    out: Obj = {
        "id": batch.id,
        "name": batch.name,
        "status": batch.state,
        "project": project,
        "created_at": format_time(batch.created_at),
        "metadata": batch.metadata,
        "priority": batch.priority,
    }
    if batch.callback_url:
        out["callback"] = batch.callback_url
    if batch.completed_at is not None:
        out["completed_at"] = format_time(batch.completed_at)
    if detailed:
        out |= {f"tasks_{name}": n for name, n in counts_of(batch.counts).items()}
    return out


def check_callback(url: str) -> str:
    """A callback's address: an e-mail address, or one that we may call."""
    if url and not is_email(url):
        check_url(url)
    return url


async def names_of(tx: Tx, ids: set[str]) -> dict[str, str]:
    return {p: projects.body_of(tx, await projects.row_of(tx, p)).name for p in ids}


async def shown(tx: Tx, batch: Batch) -> Obj:
    return batch_v1(batch, (await names_of(tx, {batch.project}))[batch.project])


@entry("v1", "POST", "batches")
async def create_batch(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_batch(ask.body())
    project = await projects.row_named(tx, given.project)
    kind = projects.body_of(tx, project)
    body = BatchBody(
        given.name,
        check_callback(given.callback or ""),
        given.metadata,
        calibration=given.calibration_batch,
        self_label=given.self_label_batch,
    )
    made = await batches.create_batch(tx, project["project_id"], body, staging=kind.rapid or kind.studio)
    return batch_v1(made, kind.name)


@entry("v1", "GET", "batches")
async def list_batches(ask: Ask, tx: Tx) -> Any:
    query = parse_batches(ask.pairs)
    project = await projects.row_named(tx, query.project) if query.project else None
    only = project["project_id"] if project is not None else None
    made, done = (query.start_time, query.end_time), (query.completed_after, query.completed_before)
    judged, archived = (query.audited_after, query.audited_before), not query.exclude_archived
    found = await batches.list_batches(
        tx,
        project=only,
        state=query.status,
        made=made,
        done=done,
        offset=query.offset,
        limit=query.limit,
        counted=query.detailed,
        judged=judged,
        archived=archived,
    )
    total: int = await projects_store.BATCH_COUNT.value(
        tx,
        org=tx.org_id,
        project=only,
        state=query.status,
        since=made[0],
        until=made[1],
        done_from=done[0],
        done_to=done[1],
        judged_from=judged[0],
        judged_to=judged[1],
        archived=archived,
    )
    names = await names_of(tx, {b.project for b in found})
    docs = [batch_v1(b, names[b.project], detailed=query.detailed) for b in found]
    return list_of_batches(docs, total, query.limit, query.offset)


@entry("v1", "GET", "batches/{name}")
async def get_batch(ask: Ask, tx: Tx) -> Any:
    row = await batches.batch_row_named(tx, ask.names["name"])
    return await shown(tx, await batches.get_batch(tx, row["batch_id"]))


@entry("v1", "GET", "batches/{name}/status")
async def batch_status(ask: Ask, tx: Tx) -> Any:
    row = await batches.batch_row_named(tx, ask.names["name"])
    batch = await batches.get_batch(tx, row["batch_id"])
    return {"status": batch.state, **counts_of(batch.counts)}


@entry("v1", "POST", "batches/{name}/finalize")
async def finalize(ask: Ask, tx: Tx) -> Any:
    """Sends a staged batch; any other is left as it is."""
    require(tx, Verb.WRITE)
    row = await batches.batch_row_named(tx, ask.names["name"])
    priority = _priority(requests.body_object(ask.body()))
    if priority is not None:
        await batches.change_batch(tx, row["batch_id"], priority=priority)
    if row["state"] == "staging":
        return await shown(tx, await batches.move_batch(tx, row["batch_id"], "finalize"))
    return await shown(tx, await batches.get_batch(tx, row["batch_id"]))


@entry("v1", "POST", "batches/{name}/prioritize")
async def prioritize(ask: Ask, tx: Tx) -> Any:
    row = await batches.batch_row_named(tx, ask.names["name"])
    priority = _priority(requests.body_object(ask.body()))
    if priority is None:
        raise bad("priority", "is required")
    return await shown(tx, await batches.change_batch(tx, row["batch_id"], priority=priority))


def _priority(body: Obj) -> int | None:
    value = body.get("priority")
    if value is None:
        return None
    if not is_whole(value) or not -1000 <= value <= 1000:
        raise bad("priority", "must be a whole number from -1000 to 1000")
    return int(value)


@entry("v1", "POST", "batches/{name}/setMetadata")
async def set_metadata(ask: Ask, tx: Tx) -> Any:
    row = await batches.batch_row_named(tx, ask.names["name"])
    body = batches.batch_body(tx, row)
    body.metadata = requests.parse_metadata(ask.body())
    return await shown(tx, await batches.change_batch(tx, row["batch_id"], body))
