"""v2: how projects, batches and tasks look there."""

from typing import Any

import msgspec

from evenhand.app.scale.render import STATUS, Around, around, result_of
from evenhand.features.annotations.actions import answer_of
from evenhand.features.people.aliases import pseudonym
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.tasks.actions import body_of
from evenhand.infra.db import Tx
from evenhand.pure.scale.chat import threads
from evenhand.pure.scale.checks import Obj
from evenhand.pure.scale.times import format_time


def project_v2(tx: Tx, row: Any) -> Obj:
    """`types` is left out: the interface knows ten, and none of them says what we do."""
    return {
        "id": row["project_id"],
        "name": projects.body_of(tx, row).name,
        "created_at": format_time(row["created_at"]),
    }


def batch_v2(tx: Tx, row: Any, project: Any | None = None) -> Obj:
    """`project` expands the id into an object."""
    body = batches.batch_body(tx, row)
    out: Obj = {
        "id": row["batch_id"],
        "name": body.name,
        "project": project_v2(tx, project) if project is not None else row["project_id"],
        "created_at": format_time(row["created_at"]),
        "status": row["state"],
        "metadata": body.metadata,
    }
    if row["completed_at"] is not None:
        out["completed_at"] = format_time(row["completed_at"])
    if body.callback_url:
        out["callback"] = body.callback_url
    return out


async def tasks_v2(tx: Tx, rows: list[Any], expand: tuple[str, ...] = (), opts: tuple[str, ...] = ()) -> list[Obj]:
    near = await around(tx, rows)
    return [_task(tx, row, near, expand, opts) for row in rows]


def _task(tx: Tx, row: Any, near: Around, expand: tuple[str, ...], opts: tuple[str, ...]) -> Obj:
    body = body_of(tx, row)
    project = near.projects[row["project_id"]]
    out: Obj = {
        "task_id": row["task_id"],
        "project": project_v2(tx, project) if "project" in expand else row["project_id"],
        "status": STATUS[row["state"]],
        "created_at": format_time(row["created_at"]),
        "metadata": body.metadata,
        "threads": [],
    }
    if row["batch_id"] is not None:
        out["batch"] = batch_v2(tx, near.batches[row["batch_id"]]) if "batch" in expand else row["batch_id"]
    if row["completed_at"] is not None:
        out["completed_at"] = format_time(row["completed_at"])
    if row["state"] == "error":
        out["errors"] = [{"message": body.error or "The task could not be processed."}]
    result = result_of(near, row) if row["state"] == "done" else None
    if result is not None:
        ontology = body.ontology or projects.version_of(tx, project).ontology
        answer: Obj = {"annotations": answer_of(tx, result).get("annotations", [])}
        sent = _submissions(tx, near, row) if "submissions" in opts else None
        out["threads"] = threads(row["task_id"], msgspec.to_builtins(body.data), ontology, answer, submissions=sent)
    return out


def _submissions(tx: Tx, near: Around, row: Any) -> list[Obj]:
    """Who sent what when: people by the pseudonym that this customer knows."""
    return [
        {"submitted_at": format_time(a["created_at"]), "contributor_id": pseudonym(tx, a["person_id"])}
        for a in near.answers.get(row["task_id"], [])
        if a["origin"] in ("label", "review", "machine") and a["state"] == "current"
    ]
