"""v2: projects, batches and tasks."""

from typing import Any

from evenhand.app.scale.asking import Ask, entry
from evenhand.app.scale.batches import check_callback
from evenhand.app.scale.creating import Place, add_finished, find_place
from evenhand.app.scale.projects import every_row
from evenhand.app.scale.tasks import STATES
from evenhand.app.scale.v2_views import batch_v2, project_v2, tasks_v2
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.projects import store as projects_store
from evenhand.features.projects.types import BatchBody
from evenhand.features.tasks import actions as tasks
from evenhand.features.tasks import adding
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import Filter
from evenhand.features.tasks.adding import Adding, check_body, check_conversation
from evenhand.features.tasks.types import TaskBody, TaskData
from evenhand.infra.db import Tx
from evenhand.infra.ids import new_id
from evenhand.pure.ontology import check_ontology, with_defaults
from evenhand.pure.scale import requests
from evenhand.pure.scale.chat import chat_native, find_annotation, made_up_chat, task_of_annotation
from evenhand.pure.scale.checks import Obj, bad, missing
from evenhand.pure.scale.query import (
    BATCH_STATUSES,
    V2Query,
    decode_token,
    encode_token,
    next_place,
    parse_v2,
)
from evenhand.pure.scale.schemas import schema_text
from evenhand.pure.scale.types import get_type
from evenhand.pure.trouble import Missing


async def project_row(tx: Tx, given: Any, *, needed: bool = True) -> Any | None:
    """The project that a query or body names, by id or by name."""
    if given.project_id:
        return await projects.row_of(tx, given.project_id)
    if given.project_name:
        return await projects.row_named(tx, given.project_name)
    if needed:
        raise missing("project_id or project_name")
    return None


async def batch_row(tx: Tx, given: Any, *, needed: bool = True) -> Any | None:
    if given.batch_id:
        return await batches.batch_row(tx, given.batch_id)
    if given.batch_name:
        return await batches.batch_row_named(tx, given.batch_name)
    if needed:
        raise missing("batch_id or batch_name")
    return None


def page_start(ask: Ask, query: V2Query) -> str | None:
    """The id after which a page begins."""
    if not query.next_token:
        return None
    return decode_token(query.next_token, key=ask.db.keys.key("page"), scope=ask.scope()).id


def page_end(ask: Ask, rows: list[Any], limit: int, id_name: str) -> Obj:
    """`{"next_token"}` when one row more than the page was found."""
    if len(rows) <= limit:
        return {}
    last = rows[limit - 1]
    place = next_place(last[id_name], last["created_at"])
    return {"next_token": encode_token(place, key=ask.db.keys.key("page"), scope=ask.scope())}


# --- projects


@entry("v2", "GET", "projects")
async def list_projects(ask: Ask, tx: Tx) -> Any:
    query = parse_v2(ask.pairs)
    rows = await every_row(tx, since=query.created_after, until=query.created_before)
    return {"projects": [project_v2(tx, row) for row in rows]}


@entry("v2", "GET", "project")
async def get_project(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    return project_v2(tx, await project_row(tx, parse_v2(ask.pairs)))


# --- batches


@entry("v2", "GET", "batches")
async def list_batches(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    query = parse_v2(ask.pairs, BATCH_STATUSES)
    project = await project_row(tx, query, needed=False)
    rows = await projects_store.BATCH_LIST.all(
        tx,
        org=tx.org_id,
        project=project["project_id"] if project is not None else None,
        state=query.status,
        after=page_start(ask, query),
        since=query.created_after,
        until=query.created_before,
        done_from=query.completed_after,
        done_to=query.completed_before,
        judged_from=None,
        judged_to=None,
        archived=True,
        offset=0,
        limit=query.limit + 1,
    )
    shown = [await _batch(tx, row, query.expand) for row in rows[: query.limit]]
    return {"batches": shown, **page_end(ask, rows, query.limit, "batch_id")}


async def _batch(tx: Tx, row: Any, expand: tuple[str, ...] = ()) -> Obj:
    return batch_v2(tx, row, await projects.row_of(tx, row["project_id"]) if "project" in expand else None)


@entry("v2", "GET", "batch")
async def get_batch(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    query = parse_v2(ask.pairs)
    return await _batch(tx, await batch_row(tx, query), query.expand)


@entry("v2", "POST", "batch")
async def create_batch(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_v2_batch(ask.body())
    project = await project_row(tx, given)
    assert project is not None
    kind = projects.body_of(tx, project)
    body = BatchBody(given.name, check_callback(given.callback or ""), given.metadata)
    staging = given.staging_batch or kind.rapid or kind.studio
    made = await batches.create_batch(tx, project["project_id"], body, staging=staging)
    return await _batch(tx, await batches.batch_row(tx, made.id))


async def _move(ask: Ask, tx: Tx, to: str) -> Obj:
    row = await batch_row(tx, requests.parse_v2_ref(ask.body()))
    assert row is not None
    await batches.move_batch(tx, row["batch_id"], to)
    if to == "cancel":
        await tasks.cancel_unstarted(tx, row["batch_id"])
    return await _batch(tx, await batches.batch_row(tx, row["batch_id"]))


@entry("v2", "POST", "batch/finalize")
async def finalize(ask: Ask, tx: Tx) -> Any:
    return await _move(ask, tx, "finalize")


@entry("v2", "POST", "batch/pause")
async def pause(ask: Ask, tx: Tx) -> Any:
    return {"batch": await _move(ask, tx, "pause"), "message": "Paused: tasks that nobody has begun wait."}


@entry("v2", "POST", "batch/resume")
async def resume(ask: Ask, tx: Tx) -> Any:
    return {"batch": await _move(ask, tx, "resume"), "message": "Resumed."}


@entry("v2", "POST", "batch/cancel")
async def cancel(ask: Ask, tx: Tx) -> Any:
    return {"batch": await _move(ask, tx, "cancel"), "message": "Cancelled: tasks that nobody has begun are cancelled."}


@entry("v2", "POST", "batch/metadata")
async def set_batch_metadata(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_v2_metadata(ask.body(), task=False)
    row = await batch_row(tx, given)
    assert row is not None
    await projects_store.BATCH_LOCK.one(tx, org=tx.org_id, batch=row["batch_id"])
    body = batches.batch_body(tx, await batches.batch_row(tx, row["batch_id"]))
    body.metadata = requests.deep_merge(body.metadata, given.metadata) if given.merge else given.metadata
    await batches.change_batch(tx, row["batch_id"], body)
    return await _batch(tx, await batches.batch_row(tx, row["batch_id"]))


# --- tasks


@entry("v2", "GET", "tasks")
async def list_tasks(ask: Ask, tx: Tx) -> Any:
    query = parse_v2(ask.pairs)
    project, batch = await project_row(tx, query, needed=False), await batch_row(tx, query, needed=False)
    if query.status == "deleted":
        return {"tasks": []}
    wanted = Filter(
        project=project["project_id"] if project is not None else None,
        batch=batch["batch_id"] if batch is not None else None,
        states=STATES[query.status] if query.status else None,
        done=(query.completed_after, query.completed_before),
    )
    rows = await tasks.list_rows(tx, wanted, before=page_start(ask, query), limit=query.limit + 1)
    shown = await tasks_v2(tx, rows[: query.limit], query.expand, query.opts)
    return {"tasks": shown, **page_end(ask, rows, query.limit, "task_id")}


@entry("v2", "GET", "task")
async def get_task(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    query = parse_v2(ask.pairs)
    if not query.task_id:
        raise missing("task_id")
    row = await tasks.task_row(tx, query.task_id)
    return (await tasks_v2(tx, [row], query.expand, query.opts))[0]


@entry("v2", "POST", "task/chat", most=20_000_000)
async def create_chat_task(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_v2_chat(ask.body())
    place = await find_place(
        tx,
        project=given.project_name,
        project_id=given.project_id,
        batch=given.batch_name,
        batch_id=given.batch_id,
    )
    row = await _create_chat(ask, tx, given, place)
    return (await tasks_v2(tx, [row]))[0]


entry("v2", "POST", "task", most=20_000_000)(create_chat_task)  # as the client's own README calls it


async def _create_chat(ask: Ask, tx: Tx, given: requests.V2Chat, place: Place) -> Any:
    if place.project is None:
        raise missing("project_id or project_name")
    if place.project["medium"] not in ("conversation", "none"):
        raise bad("project", "is not a chat project")
    version = projects.version_of(tx, place.project)
    answer: Obj | None = None
    if ask.live:
        native = chat_native(given.template_variables, version.ontology)
    else:
        native, answer = made_up_chat(given.template_variables, new_id(), version.ontology)
    talk = native.data.get("conversation")
    if ask.live and talk is not None and not talk["messages"] and not talk["answers"]:
        raise bad("template_variables", "need messages, a prompt or answers")
    check_ontology(native.ontology)
    body = TaskBody(
        TaskData(
            "conversation",
            conversation=check_conversation(native.data["conversation"]),
            context=native.data.get("context", "")[:100_000],
        ),
        metadata=given.metadata,
        ontology=with_defaults(native.ontology),
        instructions=native.instructions,
        callback_url=given.callback_url or version.params.get("callback_url") or "",
        params={"template_variables": given.template_variables},
        door={"version": place.project["version"]},
    )
    check_body(body, native.ontology)
    new = Adding(place.project, body, place.batch, kind="chat")
    if answer is not None:
        body.callback_ok = True
        return await add_finished(tx, new, get_type("chat"), answer)
    return await tasks.task_row(tx, await adding.add_task(tx, new))


@entry("v2", "POST", "task/metadata")
async def set_task_metadata(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_v2_metadata(ask.body(), task=True)
    task = given.task_id or ""
    row = await tasks.task_row(tx, task)
    await tasks_store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    old = tasks.body_of(tx, await tasks.task_row(tx, task)).metadata
    merged = requests.deep_merge(old, given.metadata) if given.merge else given.metadata
    await tasks.change_body(tx, task, metadata=merged)
    row = await tasks.task_row(tx, task)
    return (await tasks_v2(tx, [row]))[0]


@entry("v2", "GET", "annotation")
async def get_annotation(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    query = parse_v2(ask.pairs)
    if not query.annotation_id:
        raise missing("annotation_id")
    row = await tasks.task_row(tx, task_of_annotation(query.annotation_id))
    task = (await tasks_v2(tx, [row]))[0]
    found = find_annotation(task["threads"], query.annotation_id)
    if found is None:
        raise Missing("There is no such annotation.")
    return found


@entry("v2", "GET", "schema")
async def get_schema(ask: Ask, tx: Tx) -> Any:
    """What delivered responses of a task type look like: `response_schema_id` of a delivered task."""
    require(tx, Verb.READ)
    query = parse_v2(ask.pairs)
    if not query.schema_id:
        raise missing("schema_id")
    return {"schema": {"id": query.schema_id, "json": schema_text(query.schema_id)}}
