"""What customers do with tasks that are here: find, look at, cancel, change."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from evenhand.features.assets.links import Link
from evenhand.features.assets.viewings import issue
from evenhand.features.people.rules import Verb, require
from evenhand.features.tasks import store
from evenhand.features.tasks.adding import METADATA_MOST, NAME_WORDS, WORD, UniqueIdTaken, check_tags, name_tokens
from evenhand.features.tasks.types import TaskBody, TaskCanceled, TaskData, TaskRow
from evenhand.infra.db import Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id
from evenhand.infra.jobs import enqueue
from evenhand.infra.seal import at
from evenhand.pure.trouble import Conflict, Invalid, Missing

FINISHED = ("done", "canceled", "error")  # states that stand in the task; the others stand in the queue


class NoSuchTask(Missing):
    hint = "Look at the list of tasks; a test key sees test tasks only."


class WorkHasBegun(Conflict):
    hint = "A task can be cancelled as long as nobody works on it."


# --- looking


async def task_row(tx: Tx, task: str) -> Any:
    row = await store.TASK_GET.maybe(tx, org=tx.org_id, task=task) if is_id(task) else None
    if row is None:
        raise NoSuchTask("There is no such task.")
    await tx.seal_of(row["project_id"])
    return row


def body_of(tx: Tx, row: Any) -> TaskBody:
    return tx.seal.open_as(row["body"], TaskBody, at("task", row))


def state_of(row: Any) -> str:
    """The state that callers see: finished ones stand in the task, the rest in the queue."""
    if row["state"] != "todo":
        return row["state"]
    queue = row["queue_state"]
    return "review" if queue == "reviewing" else queue or "held"


@dataclass(slots=True)
class Filter:
    """What to look for. Every field that is None is not asked for."""

    project: str | None = None
    batch: str | None = None
    states: list[str] | None = None
    kind: str | None = None
    unique_ids: list[str] | None = None
    tags: list[str] | None = None
    words: str | None = None
    reviews: list[str] | None = None
    made: tuple[datetime | None, datetime | None] = (None, None)
    done: tuple[datetime | None, datetime | None] = (None, None)
    changed: tuple[datetime | None, datetime | None] = (None, None)
    person: str | None = None
    label_class: str | None = None

    def values(self, tx: Tx) -> dict[str, Any]:
        """The parameters of the statements above."""
        task = unique = None
        tokens = [tx.seal.token("tag", tag) for tag in self.tags or ()]
        uniques = [tx.seal.mac("unique", u) for u in self.unique_ids or ()]
        words = (self.words or "").strip()
        if is_id(words):
            task = words
        elif words.startswith("id:"):
            unique = words[3:].strip()
            uniques.append(tx.seal.mac("unique", unique))
        elif words:
            tokens += [tx.seal.token("word", w.lower()) for w in WORD.findall(words)][:NAME_WORDS]
        waiting = [state for state in self.states or () if state not in FINISHED]
        if "review" in waiting:
            waiting.append("reviewing")
        return {
            "org": tx.org_id,
            "project": self.project,
            "batch": self.batch,
            "states": [s for s in self.states if s in FINISHED] if self.states is not None else None,
            "waiting": waiting or None,
            "kind": self.kind,
            "unique_macs": uniques or None,
            "tokens": tokens or None,
            "reviews": self.reviews,
            "id": task,
            "since": self.made[0],
            "until": self.made[1],
            "done_since": self.done[0],
            "done_until": self.done[1],
            "changed_since": self.changed[0],
            "changed_until": self.changed[1],
            "person": self.person,
            "class": tx.seal.token("class", self.label_class) if self.label_class else None,
        }


_TOTALS: dict[tuple[Any, ...], tuple[float, int]] = {}
_TOTAL_LIFE_S = 2.0
_TOTAL_EXACT_BELOW = 10_000


async def count_matching(tx: Tx, wanted: Filter) -> int:
    """How many tasks match. Exact; above 10,000 as of at most two seconds ago."""
    values = wanted.values(tx)
    key = tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in values.items())
    held = _TOTALS.get(key)
    if held is not None and time.monotonic() - held[0] < _TOTAL_LIFE_S:
        return held[1]
    total: int = await store.TASK_COUNT.value(tx, **values)
    if total > _TOTAL_EXACT_BELOW:
        if len(_TOTALS) > 1000:
            _TOTALS.clear()
        _TOTALS[key] = (time.monotonic(), total)
    return total


async def list_rows(
    tx: Tx, wanted: Filter, *, before: str | None = None, after: str | None = None, offset: int = 0, limit: int = 50,
    oldest: bool = False,
) -> list[Any]:  # fmt: skip
    """Rows, newest first (or oldest first)."""
    require(tx, Verb.READ)
    values = wanted.values(tx)
    if oldest:
        return await store.TASK_LIST_OLDEST.all(tx, **values, after=after, limit=limit)
    return await store.TASK_LIST.all(tx, **values, before=before, offset=offset, limit=limit)


async def cursor_at(tx: Tx, wanted: Filter, skip: int, *, oldest: bool = False) -> str | None:
    """The last of the first `skip` matching tasks: the cursor of a page that begins after them. None: there are fewer."""
    require(tx, Verb.READ)
    found = store.TASK_AT_OLDEST if oldest else store.TASK_AT
    return await found.value(tx, **wanted.values(tx), skip=skip - 1)


async def list_tasks(tx: Tx, db: Database, rows: list[Any]) -> list[TaskRow]:
    """How rows look in a list."""
    by = {
        r["task_id"]: r for r in await store.ANSWERED_BY.all(tx, org=tx.org_id, tasks=[row["task_id"] for row in rows])
    }
    bodies = [body_of(tx, row) for row in rows]
    link = await issue(tx, db, [image["asset"] for body in bodies if "asset" in (image := body.data.image or {})])
    return [_row_view(row, body, by.get(row["task_id"]), link) for row, body in zip(rows, bodies, strict=True)]


def _row_view(row: Any, body: TaskBody, answered: Any | None, link: Link) -> TaskRow:
    data = body.data
    thumb = excerpt = None
    if data.image is not None and "asset" in data.image:
        thumb = link(data.image["asset"], "thumb")
    elif data.text:
        excerpt = data.text[:160]
    elif data.conversation is not None:
        parts: list[dict[str, Any]] = data.conversation.get("messages") or data.conversation.get("answers") or []
        excerpt = str(parts[-1].get("text", ""))[:160] if parts else None
    flags = [name for name in ("late", "extra", "rejected") if answered is not None and answered[name]]
    return TaskRow(
        row["task_id"],
        body.name,
        row["project_id"],
        row["batch_id"],
        state_of(row),  # type: ignore[arg-type]
        row["created_at"],
        row["completed_at"],
        thumb,
        excerpt,
        row["labels"],
        answered["people"] if answered is not None else 0,
        flags,
    )


def files_of(data: TaskData) -> list[str]:
    """The assets that a task shows, in order."""
    every = [(data.image or {}).get("asset"), *(one.get("asset") for one in data.references)]
    return list(dict.fromkeys(asset for asset in every if asset))


def shown_data(data: TaskData, link: Link) -> dict[str, Any]:
    """The data of a task as the studio wants it."""
    out: dict[str, Any] = msgspec.to_builtins(data)
    if data.image is not None:
        image = dict(data.image)
        asset = image.pop("asset", None)
        if asset is not None:
            image["url"] = link(asset, "full")
            image["thumb_url"] = link(asset, "thumb")
        out["image"] = image
    references: list[dict[str, Any]] = []
    for one in data.references:
        asset = one.get("asset")
        references.append({"name": one.get("name", ""), "url": link(asset, "full") if asset else ""})
    if references:
        out["references"] = references
    return out


# --- changing


async def cancel_task(tx: Tx, task: str, *, clear_unique: bool = False) -> None:
    """Only a task on which work has not begun."""
    require(tx, Verb.WRITE)
    await task_row(tx, task)
    await store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    queue = await store.QUEUE_LOCK.maybe(tx, org=tx.org_id, task=task)
    row = await task_row(tx, task)
    if row["state"] in ("done", "error"):
        raise WorkHasBegun("This task is finished, so it can't be cancelled.")
    if queue is not None and queue["taken"] > 0:
        raise WorkHasBegun("Somebody is working on this task, so it can't be cancelled.")
    if row["state"] != "canceled":
        await store.QUEUE_DROP.run(tx, org=tx.org_id, task=task)
        if row["purpose"] != "work":
            await store.GOLD_STATE.run(tx, org=tx.org_id, task=task, state="closed")
        if row["purpose"] == "training":
            await enqueue(tx, "annotations.courses", {"project": row["project_id"]})
        await store.TASK_STATE.run(
            tx, org=tx.org_id, task=task, state="canceled", review=None, result=None, labels=None
        )
        await record(tx, TaskCanceled(task))
    if clear_unique:
        await change_body(tx, task, unique_id="")


async def cancel_unstarted(tx: Tx, batch: str) -> int:
    """Cancels the tasks of a batch that nobody has."""
    require(tx, Verb.WRITE)
    return await store.CANCEL_UNSTARTED.run(tx, org=tx.org_id, batch=batch)


async def change_body(
    tx: Tx,
    task: str,
    *,
    unique_id: str | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> TaskBody:
    """Changes what is given; an empty unique_id clears it."""
    require(tx, Verb.WRITE)
    await task_row(tx, task)
    await store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    row = await task_row(tx, task)
    body = body_of(tx, row)
    unique_mac = None
    if unique_id is not None:
        if unique_id:
            if len(unique_id) > 500:
                raise Invalid("`unique_id` has at most 500 characters.")
            unique_mac = tx.seal.mac("unique", unique_id)
            lock = int.from_bytes(unique_mac[:8], "big", signed=True)
            await tx.conn.execute("select pg_advisory_xact_lock($1)", lock)
            holder = await store.UNIQUE_HOLDER.value(tx, org=tx.org_id, unique_mac=unique_mac)
            if holder is not None and holder != task:
                raise UniqueIdTaken(unique_id, holder)
        body.unique_id = unique_id
    if tags is not None:
        check_tags(tags)
        body.tags = tags
    if metadata is not None:
        if len(msgspec.json.encode(metadata)) > METADATA_MOST:
            raise Invalid("`metadata` is larger than 10 KB.")
        body.metadata = metadata
    await store.TASK_BODY.run(
        tx,
        org=tx.org_id,
        task=task,
        body=tx.seal.shut(body, at("task", row)),
        touch_unique=unique_id is not None,
        unique_mac=unique_mac,
        touch_tokens=tags is not None,
        tokens=name_tokens(tx.seal, body.name, body.tags) if tags is not None else None,
    )
    return body


async def put_body(tx: Tx, row: Any, body: TaskBody, *, clear_unique: bool = False) -> None:
    """Writes the body of a task's row back as it is."""
    await store.TASK_BODY.run(
        tx, org=tx.org_id, task=row["task_id"], body=tx.seal.shut(body, at("task", row)), touch_unique=clear_unique,
        unique_mac=None, touch_tokens=False, tokens=None,
    )  # fmt: skip
