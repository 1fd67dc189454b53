"""What is done with batches."""

from datetime import datetime
from typing import Any

import msgspec

from evenhand.features.people.profiles import tidy_name
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import store
from evenhand.features.projects.actions import count_tasks, row_of
from evenhand.features.projects.types import Batch, BatchBody, BatchCreated, BatchMoved, BatchPrioritized, Counts
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.fetch import check_callback
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.seal import At, at
from evenhand.pure.trouble import Conflict, Invalid, Missing

METADATA_MOST = 10_240
QUIET_S = 3.0  # how long a batch gets no task before it can be complete


class BatchNameTaken(Conflict):
    hint = "Choose another name; names of batches are unique in the whole account."


class WrongState(Conflict):
    hint = "Look at the batch's state."


class NoSuchBatch(Missing):
    hint = "Look at the list of batches."


def check_body(body: BatchBody) -> None:
    if len(msgspec.json.encode(body.metadata)) > METADATA_MOST:
        raise Invalid("`metadata` is larger than 10 KB.")
    if body.callback_url:
        check_callback(body.callback_url)


async def create_batch(tx: Tx, project: str, body: BatchBody, *, staging: bool = False, priority: int = 0) -> Batch:
    require(tx, Verb.WRITE)
    await row_of(tx, project)
    body.name = tidy_name(body.name, "a batch")
    check_body(body)
    if not -1000 <= priority <= 1000:
        raise Invalid("`priority` must be -1,000 to 1,000.")
    batch = new_id()
    made = await store.BATCH_ADD.maybe(
        tx,
        org=tx.org_id,
        batch=batch,
        project=project,
        name_mac=tx.seal.mac("batch", body.name),
        state="staging" if staging else "in_progress",
        priority=priority,
        body=tx.seal.shut(body, At("batch", batch, project)),
    )
    if made is None:
        raise BatchNameTaken(f"There is a batch called '{body.name}' already.")
    await record(tx, BatchCreated(batch, project, priority))
    return await get_batch(tx, batch)


def batch_body(tx: Tx, row: Any) -> BatchBody:
    return tx.seal.open_as(row["body"], BatchBody, at("batch", row))


def batch_of(tx: Tx, row: Any, counts: Counts | None = None) -> Batch:
    body = batch_body(tx, row)
    return Batch(
        row["batch_id"],
        row["project_id"],
        body.name,
        row["state"],
        row["priority"],
        row["created_at"],
        row["completed_at"],
        body.metadata,
        body.callback_url,
        counts or Counts(),
    )


async def batch_row(tx: Tx, batch: str) -> Any:
    row = await store.BATCH_GET.maybe(tx, org=tx.org_id, batch=batch) if is_id(batch) else None
    if row is None:
        raise NoSuchBatch("There is no such batch.")
    await tx.seal_of(row["project_id"])
    return row


async def share_gates(tx: Tx, project: str, batch: str | None) -> tuple[str, str]:
    """(stage of the project, state of the batch), neither of which can change before this transaction ends."""
    stage: str = await store.PROJECT_SHARE.value(tx, org=tx.org_id, project=project)
    state = await store.BATCH_SHARE.value(tx, org=tx.org_id, batch=batch) if batch is not None else None
    return stage, state or "in_progress"


async def batch_row_named(tx: Tx, name: str) -> Any:
    row = await store.BATCH_NAMED.maybe(tx, org=tx.org_id, name_mac=tx.seal.mac("batch", name))
    if row is None:
        raise NoSuchBatch(f"There is no batch called '{name[:100]}'.")
    return row


async def get_batch(tx: Tx, batch: str) -> Batch:
    require(tx, Verb.READ)
    row = await batch_row(tx, batch)
    counts = await count_tasks(tx, batch=batch)
    return batch_of(tx, row, counts.get(row["project_id"]))


async def list_batches(
    tx: Tx,
    *,
    project: str | None = None,
    state: str | None = None,
    after: str | None = None,
    made: tuple[datetime | None, datetime | None] = (None, None),
    done: tuple[datetime | None, datetime | None] = (None, None),
    offset: int = 0,
    limit: int = 50,
    counted: bool = True,
    judged: tuple[datetime | None, datetime | None] = (None, None),
    archived: bool = True,
) -> list[Batch]:
    """Newest first. `judged`: with a task that the customer judged in that time. `archived`: those of archived projects
    as well."""
    require(tx, Verb.READ)
    rows = await store.BATCH_LIST.all(
        tx,
        org=tx.org_id,
        project=project,
        state=state,
        after=after,
        offset=offset,
        limit=limit,
        done_from=done[0],
        done_to=done[1],
        since=made[0],
        until=made[1],
        judged_from=judged[0],
        judged_to=judged[1],
        archived=archived,
    )
    out: list[Batch] = []
    for row in rows:
        counts = await count_tasks(tx, batch=row["batch_id"]) if counted else {}
        out.append(batch_of(tx, row, counts.get(row["project_id"])))
    return out


async def move_batch(tx: Tx, batch: str, to: str) -> Batch:
    """finalize, pause, resume or cancel. Work that has begun goes on; only tasks that nobody has are held or cancelled."""
    require(tx, Verb.WRITE)
    await batch_row(tx, batch)
    row = await store.BATCH_LOCK.one(tx, org=tx.org_id, batch=batch)
    state = row["state"]
    allowed = {
        "finalize": ("staging",),
        "pause": ("in_progress",),
        "resume": ("paused",),
        "cancel": ("staging", "in_progress", "paused"),
    }[to]
    if state not in allowed:
        raise WrongState(f"A batch that is {state.replace('_', ' ')} can't be told to {to}.")
    target = {"finalize": "in_progress", "pause": "paused", "resume": "in_progress", "cancel": "cancelled"}[to]
    await store.BATCH_SET.run(tx, org=tx.org_id, batch=batch, state=target, priority=None, body=None)
    if to == "pause":
        await store.QUEUE_HOLD.run(tx, org=tx.org_id, batch=batch)
    elif to in ("finalize", "resume"):
        await store.QUEUE_OPEN.run(tx, org=tx.org_id, batch=batch, project=None)
        await store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[row["project_id"]])
    await record(tx, BatchMoved(batch, target))
    return await get_batch(tx, batch)


async def change_batch(tx: Tx, batch: str, body: BatchBody | None = None, priority: int | None = None) -> Batch:
    """Sets the body (name stays) or the priority; tasks in the queue follow the batch's priority."""
    require(tx, Verb.WRITE)
    row = await batch_row(tx, batch)
    if priority is not None and not -1000 <= priority <= 1000:
        raise Invalid("`priority` must be -1,000 to 1,000.")
    if body is not None:
        check_body(body)
    sealed = tx.seal.shut(body, at("batch", row)) if body is not None else None
    await store.BATCH_SET.run(tx, org=tx.org_id, batch=batch, state=None, priority=priority, body=sealed)
    if priority is not None:
        await store.QUEUE_RANK.run(tx, org=tx.org_id, batch=batch, rank=-priority)
        await store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[row["project_id"]])
        await record(tx, BatchPrioritized(batch, priority))
    return await get_batch(tx, batch)


async def reopen_batch(tx: Tx, batch: str | None) -> bool:
    """A finished batch that gets work again runs again; its completion will be told anew. No other state changes."""
    if batch is None or await store.BATCH_REOPEN.maybe(tx, org=tx.org_id, batch=batch) is None:
        return False
    await record(tx, BatchMoved(batch, "in_progress"))
    return True


async def settle_batches(tx: Tx, batch: str | None = None, *, quiet_s: float = QUIET_S) -> list[Any]:
    """Completes batches whose tasks are all finished and that got no task for `quiet_s`. Returns their rows: each
    completion is returned once."""
    rows = await store.BATCH_SETTLE.all(tx, org=tx.org_id, batch=batch, quiet_s=quiet_s)
    for row in rows:
        await record(tx, BatchMoved(row["batch_id"], "completed"))
    return rows
