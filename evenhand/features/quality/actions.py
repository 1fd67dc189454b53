"""Looking at scores, and what a manager decides about them."""

from typing import Any

import msgspec

from evenhand.features.people.aliases import alias_of, person_behind, pseudonym
from evenhand.features.people.members import member_names
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.quality import store
from evenhand.features.quality.types import (
    Course,
    CourseReopened,
    GoldTask,
    KnownTask,
    Labeler,
    ProjectQuality,
    QualityChanged,
    QualityPatch,
    Score,
)
from evenhand.features.tasks import actions as tasks
from evenhand.features.tasks import adding
from evenhand.features.tasks.types import TaskBody
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import at
from evenhand.pure.numbers import wilson
from evenhand.pure.trouble import Conflict, Invalid, Missing

SHARE_MOST = 0.5


async def quality(tx: Tx, project: str) -> ProjectQuality:
    """Everything that the project's page shows: its gold tasks and how everybody did on them."""
    require(tx, Verb.READ)
    row = await projects.row_of(tx, project)
    courses = {
        c["person_id"]: Course(c["state"], c["cycle"], c["score"])
        for c in await store.COURSES.all(tx, org=tx.org_id, project=project)
    }
    listed = [
        GoldTask(
            g["task_id"],
            tasks.body_of(tx, g).name,
            g["purpose"],
            g["role"],
            g["state"],
            g["created_at"],
            g["answers"],
            g["mean"],
        )
        for g in await store.GOLD_LIST.all(tx, org=tx.org_id, project=project)
    ]
    found = await labelers(tx, project=project)
    known = {one.person for one in found}
    names = await member_names(tx)
    by_alias = {alias_of(tx, p): c for p, c in courses.items()}
    everybody = [
        *(msgspec.structs.replace(o, course=by_alias.get(o.person)) for o in found),
        *(
            Labeler(alias_of(tx, p), names.get(p) or pseudonym(tx, p), 0, None, None, None, c)
            for p, c in courses.items()
            if alias_of(tx, p) not in known
        ),
    ]
    return ProjectQuality(round(row["gold_share"], 6), round(row["pass_mark"], 6), listed, everybody)


async def labelers(
    tx: Tx, *, project: str | None = None, tasks: list[str] | None = None, people: list[str] | None = None
) -> list[Labeler]:
    """The scores of everybody who has some, by person. `people`: aliases."""
    require(tx, Verb.READ)
    names = await member_names(tx)
    if people is not None:
        people = [person for alias in people if (person := await person_behind(tx, alias)) is not None]
    by: dict[str, list[Score]] = {}
    for s in await store.SCORES.all(tx, org=tx.org_id, project=project, tasks=tasks, people=people):
        score = Score(s["task_id"], s["purpose"], round(s["score"], 6), s["cycle"], s["created_at"])
        by.setdefault(s["person_id"], []).append(score)
    return [_labeler(tx, person, names, scores) for person, scores in by.items()]


def _labeler(tx: Tx, person: str, names: dict[str, Any], scores: list[Score]) -> Labeler:
    live = [s.score for s in scores if s.purpose == "evaluation"]
    mean = sum(live) / len(live) if live else None
    low, high = wilson(sum(live), len(live)) if live else (None, None)
    return Labeler(
        alias_of(tx, person), names.get(person) or pseudonym(tx, person), len(live), mean, low, high, None, scores
    )


async def change_quality(tx: Tx, project: str, patch: QualityPatch) -> ProjectQuality:
    """Sets the share of gold tasks and the pass mark of the course."""
    require(tx, Verb.WRITE)
    if patch.gold_share is not None and not 0 <= patch.gold_share <= SHARE_MOST:
        raise Invalid(f"`gold_share` must be 0 to {SHARE_MOST}: the share of leases that are gold tasks.")
    if patch.pass_mark is not None and not 0 <= patch.pass_mark <= 1:
        raise Invalid("`pass_mark` must be 0 to 1: the mean agreement that passes the course.")
    await projects.row_of(tx, project)
    kept = await store.SHARES.one(tx, org=tx.org_id, project=project, share=patch.gold_share, mark=patch.pass_mark)
    await record(tx, QualityChanged(project, round(kept["gold_share"], 6), round(kept["pass_mark"], 6)))
    return await quality(tx, project)


async def make_known(tx: Tx, project: str, known: KnownTask) -> ProjectQuality:
    """Makes an evaluation or training task of a finished one. The finished one stays what it is."""
    require(tx, Verb.WRITE)
    row = await projects.row_of(tx, project)
    source = await tasks.task_row(tx, known.task)
    if source["project_id"] != project:
        raise Missing("There is no such task in this project.")
    if source["state"] != "done" or source["result_id"] is None:
        raise Conflict("This task has no result yet.", hint="Only a finished task can become one with a known answer.")
    result = await store.RESULT.one(tx, org=tx.org_id, answer=source["result_id"])
    body = tasks.body_of(tx, source)
    copy = TaskBody(
        body.data,
        name=body.name,
        ontology=body.ontology,
        instructions=body.instructions,
        params=body.params,
        expected={
            "answer": tx.seal.open(result["body"], at("answer", result)),
            "training": known.purpose == "training",
        },
    )
    await adding.add_task(tx, adding.Adding(row, copy, kind=source["kind"], purpose=known.purpose))
    return await quality(tx, project)


async def course_again(tx: Tx, project: str, alias: str, because: str) -> ProjectQuality:
    """A manager's decision: somebody who failed the course may try once more."""
    require(tx, Verb.WRITE)
    if not 1 <= len(because.strip()) <= 2000:
        raise Invalid("`because` must say why, in 1 to 2,000 characters.")
    await projects.row_of(tx, project)
    again = None
    person = await person_behind(tx, alias)
    if person is not None:
        again = await store.COURSE_AGAIN.maybe(tx, org=tx.org_id, project=project, person=person)
    if again is None or person is None:
        names = {c["person_id"] for c in await store.COURSES.all(tx, org=tx.org_id, project=project)}
        if person is not None and person in names:
            raise Conflict("This person has not failed the course.", hint="Only who failed needs another try.")
        raise Missing("Nobody with this id has taken the course.")
    await record(tx, CourseReopened(project, person, because.strip()))
    return await quality(tx, project)
