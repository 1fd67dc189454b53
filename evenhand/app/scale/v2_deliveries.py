"""v2: deliveries and datasets. Datasets are names that projects are linked to; nothing is delivered to them yet."""

from typing import Any

from evenhand.app.scale.asking import Ask, entry
from evenhand.app.scale.projects import every_row
from evenhand.app.scale.render import tasks_v1
from evenhand.app.scale.tasks import STATES
from evenhand.app.scale.v2 import page_end, page_start, project_row
from evenhand.app.scale.v2_views import project_v2, tasks_v2
from evenhand.features.deliveries import exports, store
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.tasks import store as tasks_store
from evenhand.infra.db import Tx
from evenhand.pure.scale.checks import Obj, missing
from evenhand.pure.scale.query import V2Query, parse_v2
from evenhand.pure.scale.schemas import schema_id
from evenhand.pure.scale.times import format_time
from evenhand.pure.trouble import Missing

PAGE = 200


async def _deliveries(tx: Tx, project: Any | None) -> list[Any]:
    """All deliveries, newest first."""
    require(tx, Verb.READ)
    only = project["project_id"] if project is not None else None
    out: list[Any] = []
    while True:
        after = out[-1]["delivery_id"] if out else None
        page = await store.DELIVERY_LIST.all(tx, org=tx.org_id, project=only, after=after, limit=PAGE)
        out += page
        if len(page) < PAGE:
            return out


async def _delivery(tx: Tx, row: Any, expand: tuple[str, ...]) -> Obj:
    project: Any = row["project_id"]
    if "project" in expand:
        project = project_v2(tx, await projects.row_of(tx, row["project_id"]))
    return {
        "id": row["delivery_id"],
        "name": exports.body_of(tx, row).name,
        "task_count": row["task_count"],
        "delivered_at": format_time(row["created_at"]),
        "project": project,
    }


@entry("v2", "GET", "deliveries")
async def list_deliveries(ask: Ask, tx: Tx) -> Any:
    query = parse_v2(ask.pairs)
    rows = await _deliveries(tx, await project_row(tx, query, needed=False))
    since, until = query.delivered_after, query.delivered_before
    fitting = [
        row
        for row in rows
        if (since is None or row["created_at"] >= since) and (until is None or row["created_at"] <= until)
    ]
    return {"deliveries": [await _delivery(tx, row, query.expand) for row in fitting]}


async def _find(tx: Tx, query: V2Query) -> Any:
    for row in await _deliveries(tx, await project_row(tx, query, needed=False)):
        if row["delivery_id"] == query.delivery_id:
            return row
        if query.delivery_name and exports.body_of(tx, row).name == query.delivery_name:
            return row
    raise Missing("There is no such delivery.")


@entry("v2", "GET", "delivery")
async def get_delivery(ask: Ask, tx: Tx) -> Any:
    query = parse_v2(ask.pairs)
    if not query.delivery_id and not query.delivery_name:
        raise missing("delivery_id or delivery_name")
    found = await _find(tx, query)
    rows = await tasks_store.TASKS_DELIVERED.all(
        tx,
        org=tx.org_id,
        delivery=found["delivery_id"],
        project=None,
        states=None,
        done_since=None,
        done_until=None,
        before=page_start(ask, query),
        limit=query.limit + 1,
    )
    shown = await tasks_v2(tx, rows[: query.limit], query.expand, query.opts)
    whole = await _delivery(tx, found, query.expand) if "delivery" in query.expand else found["delivery_id"]
    return {"delivery": whole, "tasks": shown, **page_end(ask, rows, query.limit, "task_id")}


@entry("v2", "GET", "delivery/tasks")
async def list_delivery_tasks(ask: Ask, tx: Tx) -> Any:
    """Delivered tasks with their v1 responses. A task is delivered once it is in a delivery."""
    require(tx, Verb.READ)
    query = parse_v2(ask.pairs)
    project = await project_row(tx, query, needed=False)
    times: dict[str, Any] = {row["delivery_id"]: row["created_at"] for row in await _deliveries(tx, project)}
    if query.delivery_id and query.delivery_id not in times:
        raise Missing("There is no such delivery.")
    rows = await tasks_store.TASKS_DELIVERED.all(
        tx,
        org=tx.org_id,
        delivery=query.delivery_id,
        project=project["project_id"] if project is not None else None,
        states=STATES.get(query.status, []) if query.status else None,
        done_since=query.completed_after,
        done_until=query.completed_before,
        before=page_start(ask, query),
        limit=query.limit + 1,
    )
    page = rows[: query.limit]
    docs: list[Obj] = []
    for row, task in zip(page, await tasks_v1(tx, page, ask.links(tx), test=not ask.live), strict=True):
        at = times.get(row["delivery_id"])
        docs.append(
            {
                "task_id": row["task_id"],
                "created_at": format_time(row["created_at"]),
                "delivery_id": row["delivery_id"],
                "delivered_at": format_time(at) if at is not None else None,
                "response_schema_id": schema_id(task["type"]),
                "response": task.get("response"),
            }
        )
    return {"docs": docs, "total": len(docs), **page_end(ask, rows, query.limit, "task_id")}


# --- datasets


async def _datasets(tx: Tx) -> list[str]:
    found = [projects.body_of(tx, row).dataset_id for row in await every_row(tx, archived=True)]
    return sorted({dataset for dataset in found if dataset})


@entry("v2", "GET", "datasets")
async def list_datasets(ask: Ask, tx: Tx) -> Any:
    return {"datasets": [{"id": dataset, "name": dataset} for dataset in await _datasets(tx)]}


async def _known_dataset(tx: Tx, query: V2Query) -> None:
    if query.dataset_id and query.dataset_id not in await _datasets(tx):
        raise Missing("There is no such dataset.")


@entry("v2", "GET", "datasets/deliveries")
async def list_dataset_deliveries(ask: Ask, tx: Tx) -> Any:
    await _known_dataset(tx, parse_v2(ask.pairs))
    return {"deliveries": []}


@entry("v2", "GET", "datasets/tasks")
async def list_dataset_tasks(ask: Ask, tx: Tx) -> Any:
    query = parse_v2(ask.pairs)
    await _known_dataset(tx, query)
    if query.delivery_id:
        raise Missing("There is no such delivery.")
    return {"tasks": []}


@entry("v2", "GET", "datasets/delivery")
async def get_dataset_delivery(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    raise Missing("There is no such delivery.")


@entry("v2", "GET", "datasets/task")
async def get_dataset_task(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    raise Missing("There is no such task.")


@entry("v2", "GET", "datasets/task/{task}/response_url/{file}")
async def get_dataset_file(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    raise Missing("There is no such response file.")
