"""v1: tasks."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from evenhand.app.scale.asking import Ask, entry
from evenhand.app.scale.creating import add_dependents, create, create_quality
from evenhand.app.scale.linking import files_in
from evenhand.app.scale.render import stored_files, task_v1, tasks_limited, tasks_v1
from evenhand.app.scale.teams import member_of, members_by_email
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects.batches import batch_row_named
from evenhand.features.quality import actions as quality
from evenhand.features.reviews import actions as reviews
from evenhand.features.reviews import store as reviews_store
from evenhand.features.reviews.actions import said
from evenhand.features.reviews.types import Verdict
from evenhand.features.tasks import actions as tasks
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import Filter
from evenhand.infra.db import Tx
from evenhand.infra.jobs import enqueue
from evenhand.pure.scale import requests
from evenhand.pure.scale.checks import Obj, bad
from evenhand.pure.scale.query import (
    VALUES_MAX,
    TaskQuery,
    decode_token,
    encode_token,
    first,
    list_of_tasks,
    next_place,
    parse_bool,
    parse_tasks,
)
from evenhand.pure.scale.times import format_time
from evenhand.pure.trouble import Missing

STATES = {"pending": ["todo"], "completed": ["done"], "canceled": ["canceled"], "error": ["error"]}


async def shown(ask: Ask, tx: Tx, task: str) -> Obj:
    return await task_v1(tx, await tasks.task_row(tx, task), ask.links(tx), test=not ask.live)


@entry("v1", "POST", "task/{type}", most=20_000_000)
async def create_task(ask: Ask, tx: Tx) -> Any:
    row = await create(ask, tx, ask.names["type"])
    return await task_v1(tx, row, ask.links(tx), test=not ask.live)


@entry("v1", "GET", "task/{task}")
async def get_task(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    return await shown(ask, tx, ask.names["task"])


@entry("v1", "POST", "task/{task}/cancel")
async def cancel(ask: Ask, tx: Tx) -> Any:
    clear = first(ask.pairs, "clear_unique_id")
    task = ask.names["task"]
    await tasks.cancel_task(tx, task, clear_unique=clear is not None and parse_bool("clear_unique_id", clear))
    return await shown(ask, tx, task)


@entry("v1", "POST", "task/{task}/audit")
async def audit(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_audit(ask.body())
    verdict = Verdict("accept" if given.accepted else "reject", given.comments or "", errors=given.errors)
    await reviews.audit_task(tx, ask.names["task"], verdict)
    if given.accepted:
        await add_dependents(ask, tx, await tasks.task_row(tx, ask.names["task"]))
    return await shown(ask, tx, ask.names["task"])


@entry("v1", "POST", "task/{task}/unique_id")
async def set_unique_id(ask: Ask, tx: Tx) -> Any:
    await tasks.change_body(tx, ask.names["task"], unique_id=requests.parse_unique_id(ask.body()))
    return await shown(ask, tx, ask.names["task"])


@entry("v1", "DELETE", "task/{task}/unique_id")
async def clear_unique_id(ask: Ask, tx: Tx) -> Any:
    await tasks.change_body(tx, ask.names["task"], unique_id="")
    return await shown(ask, tx, ask.names["task"])


@entry("v1", "POST", "task/{task}/setMetadata")
async def set_metadata(ask: Ask, tx: Tx) -> Any:
    await tasks.change_body(tx, ask.names["task"], metadata=requests.parse_metadata(ask.body()))
    return await shown(ask, tx, ask.names["task"])


async def _tags_now(ask: Ask, tx: Tx) -> list[str]:
    """The tags under a lock, so that two changes at once both count."""
    task = ask.names["task"]
    await tasks.task_row(tx, task)
    await tasks_store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    return tasks.body_of(tx, await tasks.task_row(tx, task)).tags or []


@entry("v1", "POST", "task/{task}/tags")
async def set_tags(ask: Ask, tx: Tx) -> Any:
    await tasks.change_body(tx, ask.names["task"], tags=requests.set_tags(ask.body()))
    return await shown(ask, tx, ask.names["task"])


@entry("v1", "PUT", "task/{task}/tags")
async def add_tags(ask: Ask, tx: Tx) -> Any:
    tags = requests.add_tags(await _tags_now(ask, tx), ask.body())
    await tasks.change_body(tx, ask.names["task"], tags=tags)
    return await shown(ask, tx, ask.names["task"])


@entry("v1", "DELETE", "task/{task}/tags")
async def delete_tags(ask: Ask, tx: Tx) -> Any:
    tags = requests.remove_tags(await _tags_now(ask, tx), ask.body())
    await tasks.change_body(tx, ask.names["task"], tags=tags)
    return await shown(ask, tx, ask.names["task"])


async def _send_callback(ask: Ask, tx: Tx) -> Any:
    """Tells the customer again."""
    require(tx, Verb.WRITE)
    row = await tasks.task_row(tx, ask.names["task"])
    if not row["callback"]:
        raise bad("callback_url", "is not set on this task")
    await enqueue(tx, "deliveries.callback", {"task": row["task_id"]}, most=3)
    return await shown(ask, tx, row["task_id"])


entry("v1", "POST", "task/{task}/send_callback")(_send_callback)
entry("v1", "POST", "task/{task}/send-callback")(_send_callback)


@entry("v1", "GET", "task/{task}/response_url/{file}")
async def response_url(ask: Ask, tx: Tx) -> Response:
    """Leads to a stored response file by a short-lived link."""
    require(tx, Verb.READ)
    body = tasks.body_of(tx, await tasks.task_row(tx, ask.names["task"]))
    asset = ask.names["file"]
    if asset not in files_in(stored_files(body)):
        raise Missing("This task has no such response file.")
    return RedirectResponse(ask.links(tx).file(asset), 302)


# --- the list


async def _wanted(tx: Tx, query: TaskQuery) -> Filter:
    project = await projects.row_named(tx, query.project) if query.project else None
    batch = await batch_row_named(tx, query.batch) if query.batch else None
    return Filter(
        project=project["project_id"] if project is not None else None,
        batch=batch["batch_id"] if batch is not None else None,
        states=STATES[query.status] if query.status else None,
        kind=query.type,
        unique_ids=list(query.unique_id) or None,
        tags=list(query.tags) or None,
        reviews=list(query.customer_review_status) or None,
        made=(query.start_time, query.end_time),
        done=(query.completed_after, query.completed_before),
        changed=(query.updated_after, query.updated_before),
    )


@entry("v1", "GET", "tasks")
async def list_tasks(ask: Ask, tx: Tx) -> Any:
    query = parse_tasks(ask.pairs)
    key, scope = ask.db.keys.key("page"), ask.scope()
    before = decode_token(query.next_token, key=key, scope=scope).id if query.next_token else None
    wanted = await _wanted(tx, query)
    rows = await tasks.list_rows(tx, wanted, before=before, offset=0 if before else query.offset, limit=query.limit + 1)
    more, rows = len(rows) > query.limit, rows[: query.limit]
    token = None
    if more:
        token = encode_token(next_place(rows[-1]["task_id"], rows[-1]["created_at"]), key=key, scope=scope)
    if query.limited_response:
        docs = await tasks_limited(tx, rows)
    else:
        docs = await tasks_v1(tx, rows, ask.links(tx), test=not ask.live, with_attachment=query.include_attachment_url)
    page = list_of_tasks(docs, await tasks.count_matching(tx, wanted), query.limit, token)
    return {**page, "offset": query.offset if before is None else 0}


@entry("v1", "GET", "audits")
async def list_audits(ask: Ask, tx: Tx) -> Any:
    """Audits without fixes: those of a task, or one by its own id."""
    require(tx, Verb.READ)
    task, audit_id = first(ask.pairs, "task_id"), first(ask.pairs, "id")
    if task is None and audit_id is None:
        raise bad("task_id", "or id is required")
    if audit_id is not None:
        found = await reviews_store.REVIEW_GET.all(tx, org=tx.org_id, review=audit_id)
        if not found or task not in (None, found[0]["task_id"]):
            raise Missing("There is no such audit.")
    else:
        row = await tasks.task_row(tx, task or "")
        found = await reviews_store.REVIEWS_OF_MANY.all(tx, org=tx.org_id, tasks=[row["task_id"]])
    return [
        {
            "id": r["review_id"],
            "task_id": r["task_id"],
            "audit_result": {"accept": "accepted", "fix": "fixed", "reject": "rejected"}[r["decision"]],
            "audit_source": "customer" if r["source"] == "customer" else "scale",
            "comments": said(tx, r).get("comment", ""),
            "created_at": format_time(r["created_at"]),
            "errors": said(tx, r).get("errors", []),
        }
        for r in found
    ]


# --- quality tasks


@entry("v1", "GET", "quality/labelers")
async def list_labelers(ask: Ask, tx: Tx) -> Any:
    """Everybody's scores on quality tasks: all, or those on some tasks or of some people."""
    require(tx, Verb.READ)
    wanted, emails = _values(ask, "quality_task_ids"), _values(ask, "labeler_emails")
    by_email = await members_by_email(tx)
    people = [member_of(by_email, email).person for email in emails] if emails else None
    for task in wanted:
        if (await tasks.task_row(tx, task))["purpose"] == "work":
            raise bad("quality_task_ids", f"names {task}, which is no quality task")
    found = await quality.labelers(tx, tasks=wanted or None, people=people)
    emails_of = {m.person: m.email for m in by_email.values()}
    return [
        {
            "labeler_id": one.person,
            "email": emails_of.get(one.person),
            "name": one.name,
            "evaluation_tasks": sum(s.purpose == "evaluation" for s in one.scores),
            "training_tasks": sum(s.purpose == "training" for s in one.scores),
            "average_score": one.mean,
            "scores": [
                {
                    "quality_task_id": s.task,
                    "type": s.purpose,
                    "score": s.score,
                    "attempt": s.cycle,
                    "scored_at": format_time(s.at),
                }
                for s in one.scores
            ],
        }
        for one in found
    ]


def _values(ask: Ask, name: str) -> list[str]:
    """A list in a query: repeated keys, or one value with commas."""
    given = [v.strip() for k, text in ask.pairs if k in (name, f"{name}[]") for v in text.split(",")]
    return list(dict.fromkeys(v for v in given if v))[:VALUES_MAX]


@entry("v1", "POST", "evaluation_tasks/{type}", most=20_000_000)
async def create_evaluation_task(ask: Ask, tx: Tx) -> Any:
    return await create_quality(ask, tx, ask.names["type"], "evaluation")


@entry("v1", "POST", "training_tasks/{type}", most=20_000_000)
async def create_training_task(ask: Ask, tx: Tx) -> Any:
    return await create_quality(ask, tx, ask.names["type"], "training")
