"""Tasks as the compatible interface shows them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from evenhand.app.scale.derived import derived_params, fitting, type_of
from evenhand.app.scale.linking import Links, data_url, links_from_environment
from evenhand.features.annotations.actions import answer_of
from evenhand.features.deliveries import store as deliveries_store
from evenhand.features.people import store as people_store
from evenhand.features.people.aliases import pseudonym
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.reviews import store as reviews_store
from evenhand.features.reviews.actions import said
from evenhand.features.tasks.actions import body_of
from evenhand.features.tasks.types import TaskBody
from evenhand.infra.db import Tx
from evenhand.pure.scale.chat import threads
from evenhand.pure.scale.checks import Obj
from evenhand.pure.scale.outbound import respond
from evenhand.pure.scale.times import format_time
from evenhand.pure.scale.types import BY_NAME, TaskType
from evenhand.pure.trouble import Missing

STATUS = {"todo": "pending", "done": "completed", "canceled": "canceled", "error": "error"}
_DECIDED = {"accept": "accepted", "fix": "fixed", "reject": "rejected"}
_WORKED = ("label", "review", "customer")


@dataclass(slots=True)
class Around:
    """What stands around a page of tasks, read with one statement for each kind of row."""

    projects: dict[str, Any] = field(default_factory=dict[str, Any])
    batches: dict[str, Any] = field(default_factory=dict[str, Any])
    batch_names: dict[str, str] = field(default_factory=dict[str, str])
    answers: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    reviews: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])


async def around(tx: Tx, rows: Iterable[Any], *, results: bool = True) -> Around:
    """Reads projects and batches of the rows, and answers and reviews of the finished ones."""
    out = Around()
    done: list[str] = []
    for row in rows:
        project, batch = row["project_id"], row["batch_id"]
        if project not in out.projects:
            out.projects[project] = await projects.row_of(tx, project)
        if batch is not None and batch not in out.batches:
            found = await batches.batch_row(tx, batch)
            out.batches[batch] = found
            out.batch_names[batch] = batches.batch_body(tx, found).name
        if row["state"] == "done":
            done.append(row["task_id"])
    if results and done:
        for a in await deliveries_store.EXPORT_ANSWERS.all(tx, org=tx.org_id, tasks=done):
            out.answers.setdefault(a["task_id"], []).append(a)
        for r in await reviews_store.REVIEWS_OF_MANY.all(tx, org=tx.org_id, tasks=done):
            out.reviews.setdefault(r["task_id"], []).append(r)
    return out


async def tasks_v1(tx: Tx, rows: list[Any], links: Links, *, test: bool, with_attachment: bool = False) -> list[Obj]:
    """Whole tasks, in the order of the rows."""
    near = await around(tx, rows)
    return [_task(tx, row, near, links, test, with_attachment) for row in rows]


async def task_v1(tx: Tx, row: Any, links: Links, *, test: bool) -> Obj:
    return (await tasks_v1(tx, [row], links, test=test))[0]


async def tasks_limited(tx: Tx, rows: list[Any]) -> list[Obj]:
    """With `limited_response`: five keys and no answer is opened."""
    near = await around(tx, rows, results=False)
    return [
        {
            "task_id": row["task_id"],
            "status": STATUS[row["state"]],
            "metadata": body_of(tx, row).metadata,
            "project": projects.body_of(tx, near.projects[row["project_id"]]).name,
            "otherVersion": None,
        }
        for row in rows
    ]


def _task(tx: Tx, row: Any, near: Around, links: Links, test: bool, with_attachment: bool) -> Obj:
    body = body_of(tx, row)
    project = near.projects[row["project_id"]]
    version = projects.version_of(tx, project)
    ontology = body.ontology or version.ontology
    type_ = type_of(row["kind"], body.data.medium, ontology)
    params = body.params
    if row["kind"] not in BY_NAME:
        asset = (body.data.image or {}).get("asset")
        attachment = data_url(tx.org_id, asset) if asset else ""
        params = derived_params(type_, ontology, msgspec.to_builtins(body.data), attachment)
    status = STATUS[row["state"]]
    out: Obj = {
        "task_id": row["task_id"],
        "type": type_.name,
        "status": status,
        "created_at": format_time(row["created_at"]),
        "updated_at": format_time(row["updated_at"]),
        "instruction": body.door.get("instruction") or body.instructions or version.instructions,
        "params": params,
        "metadata": body.metadata,
        "project": projects.body_of(tx, project).name,
        "projectId": row["project_id"],
        "project_param_version": body.door.get("version", project["version"]),
        "priority": row["priority"],
        "urgency": "standard",
        "is_test": test,
        "processed_attachments": [],
        "audits": _audits(tx, near.reviews.get(row["task_id"], [])),
    }
    if row["batch_id"] is not None:
        out["batch"] = near.batch_names[row["batch_id"]]
    if body.callback_url:
        out["callback_url"] = body.callback_url
    if body.tags is not None:
        out["tags"] = body.tags
    if body.unique_id:
        out["unique_id"] = body.unique_id
    if body.callback_ok is not None:
        out["callback_succeeded"] = out["callback_completed"] = body.callback_ok  # the older and the newer name
    if body.params.get("ontology_version") is not None:
        out["taxonomyVersion"] = body.params["ontology_version"]
    if body.door.get("dependents"):
        out["dependents"] = body.door["dependents"]
    if row["completed_at"] is not None:
        out["completed_at"] = format_time(row["completed_at"])
    if status == "completed":
        out["customer_review_status"] = row["review"] or "pending"
        out["response"] = _response(tx, row, near, body, type_, params, ontology, links)
    if status == "error":
        out["response"] = body.response or {"error": body.error or "The task could not be processed."}
    if with_attachment:
        url = _attachment_link(tx, body, links, row["task_id"])
        if url:
            out["attachmentS3Url"] = url
    return out


def _attachment_link(tx: Tx, body: TaskBody, links: Links, task: str) -> str:
    asset = (body.data.image or {}).get("asset")
    if asset:
        return links.file(asset, task)
    attachment = body.params.get("attachment")
    if not isinstance(attachment, str):
        return ""
    return str(links.shown(attachment, tx.org_id, task)) if "://" in attachment[:16] else ""


def _audits(tx: Tx, rows: list[Any]) -> list[Obj]:
    return [
        {
            "audited_by": pseudonym(tx, r["person_id"]) if r["person_id"] else "API",
            "audited_at": format_time(r["created_at"]),
            "audit_time_secs": round(r["seconds"] or 0),
            "audit_result": _DECIDED[r["decision"]],
            "audit_source": "customer" if r["source"] == "customer" else "scale",
            "comments": said(tx, r).get("comment", ""),
        }
        for r in rows
    ]


def _annotations(tx: Tx, answer: Any) -> list[Any]:
    return answer_of(tx, answer).get("annotations", [])


def result_of(near: Around, row: Any) -> Any | None:
    """The answer that stands."""
    mine = near.answers.get(row["task_id"], [])
    return next((a for a in mine if a["answer_id"] == row["result_id"]), None)


def _response(
    tx: Tx, row: Any, near: Around, body: TaskBody, type_: TaskType, params: Obj, ontology: Obj, links: Links
) -> Any:
    """Made up in test mode; else written from the answer that stands, and for a form from all that were asked for."""
    result = result_of(near, row)
    if body.response is not None and (result is None or result["origin"] == "machine"):
        return links.shown(body.response, tx.org_id, row["task_id"])
    if result is None:
        return {"annotations": []}
    if type_.family == "chat":
        answer = {"annotations": _annotations(tx, result)}
        return {"threads": threads(row["task_id"], msgspec.to_builtins(body.data), ontology, answer)}
    shown = [result]
    if type_.family == "textcollection" and result["origin"] == "merged":
        mine = near.answers[row["task_id"]]
        shown = [a for a in mine if a["state"] == "current" and a["origin"] in _WORKED] or shown
    answers: list[Obj] = []
    for a in shown:
        rows = _annotations(tx, a)
        answers.append({"annotations": rows if row["kind"] in BY_NAME else fitting(type_, rows)})
    seconds = [a["seconds"] for a in shown if a["seconds"]]
    return respond(
        type_,
        params,
        answers,
        task_id=row["task_id"],
        is_customer_fix=result["origin"] == "customer",
        seconds=sum(seconds) / len(seconds) if seconds else None,
    )


async def is_test_space(tx: Tx) -> bool:
    row = await people_store.ORG_MINE.maybe(tx, org=tx.org_id)
    return row is not None and row["mode"] == "test"


async def callback_payload(tx: Tx, row: Any) -> dict[str, Any]:
    """The body of a callback: {"task", "response", "task_id", "status"}. Its links lead through the door, and want a key."""
    task = await task_v1(tx, row, links_from_environment(), test=await is_test_space(tx))
    return {
        "task": task,
        "response": task.get("response"),
        "task_id": task["task_id"],
        "status": task["status"],
    }


def stored_files(body: TaskBody) -> Any:
    """The stored response of a task, for the route that hands out its files."""
    if body.response is None:
        raise Missing("This task has no stored response files.")
    return body.response
