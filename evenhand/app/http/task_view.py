"""A task with everything that the customer may see of it, for the native door."""

from typing import Any

from evenhand.features.annotations import store as answers
from evenhand.features.annotations.actions import answer_of
from evenhand.features.assets.marking import shown_line
from evenhand.features.assets.viewings import issue
from evenhand.features.people.members import member_names
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.reviews import store as reviews
from evenhand.features.reviews.actions import said
from evenhand.features.reviews.progress import who
from evenhand.features.tasks.actions import body_of, files_of, list_tasks, shown_data, task_row
from evenhand.features.tasks.types import AnswerView, ReviewView, Task
from evenhand.infra.db import Database, Tx


async def full_task(tx: Tx, db: Database, task: str) -> Task:
    require(tx, Verb.READ)
    row = await task_row(tx, task)
    body = body_of(tx, row)
    short = (await list_tasks(tx, db, [row]))[0]
    names = await member_names(tx)
    given = await answers.ANSWERS_OF.all(tx, org=tx.org_id, task=task)
    judged = await reviews.REVIEWS_OF.all(tx, org=tx.org_id, task=task)
    ontology = body.ontology or projects.version_of(tx, await projects.row_of(tx, row["project_id"])).ontology

    def by(person: str | None, words: dict[str, Any]) -> str:
        return who(tx, names, "person", person) if person is not None else words.get("by") or "Evenhand"

    result: dict[str, Any] | None = None
    views: list[AnswerView] = []
    for a in given:
        answer = answer_of(tx, a)
        annotations = answer.get("annotations", [])
        if a["answer_id"] == row["result_id"]:
            result = {"annotations": annotations}
        views.append(
            AnswerView(
                a["answer_id"],
                by(a["person_id"], answer),
                annotations,
                a["created_at"],
                a["seconds"],
                a["late"],
                a["state"] == "extra",
                a["state"],
                a["origin"],
            )
        )
    return Task(
        short.id,
        short.name,
        short.project,
        short.batch,
        short.state,
        short.created_at,
        short.completed_at,
        short.thumb_url,
        short.excerpt,
        short.labels,
        short.people,
        short.flags,
        shown_data(body.data, await issue(tx, db, files_of(body.data))),
        ontology,
        views,
        result,
        [
            ReviewView(
                r["review_id"],
                r["decision"],
                by(r["person_id"], said(tx, r)),
                r["created_at"],
                said(tx, r).get("comment", ""),
                r["source"],
            )
            for r in judged
        ],
        body.metadata,
        body.tags or [],
        body.unique_id,
        row["priority"],
        body.error,
        await shown_line(db, tx),
    )
