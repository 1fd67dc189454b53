"""A little finished work, done by the demo's people through the actions that the workspace calls."""

from typing import Any

from evenhand.app.demo.content import DemoProject, DemoTask, annotations_of
from evenhand.features.annotations import actions as annotations
from evenhand.features.projects import actions as projects
from evenhand.features.reviews import actions as reviews
from evenhand.features.reviews.types import Verdict
from evenhand.features.tasks import holding, leases
from evenhand.features.tasks.actions import body_of, task_row
from evenhand.features.tasks.leases import Assignment
from evenhand.infra.db import SYSTEM, Actor, Database


async def work_through(
    db: Database, org_id: str, owner: Actor, described: DemoProject, crew: list[str], reviewer: str
) -> None:
    """Answers and reviews the tasks for which the files hold answers: they are the first in the queue. What an earlier
    attempt has done is counted and left alone."""
    async with db.tx(org_id, owner) as tx:
        project = (await projects.row_named(tx, described.name))["project_id"]
        counts = (await projects.get_project(tx, project)).counts
    known = {task.called: task for task in described.tasks}
    finished = [task for task in described.tasks if annotations_of(task) is not None]
    begun = counts.total - counts.open
    for turn in range(begun, len(finished)):
        one = await leases.lease(db, org_id, project, crew[turn % len(crew)], "label", crew[turn % len(crew)])
        if one is None:
            break
        task = known.get(await _called(db, org_id, one))
        answer = annotations_of(task) if task is not None else None
        if task is None or answer is None:
            await _give_back(db, org_id, one, crew[turn % len(crew)])
            break
        await _answer(db, org_id, owner, described, task, one, crew[turn % len(crew)], answer)
    if described.review != "none":
        wanted = sum(not task.waiting for task in finished) - counts.done
        await _review(db, org_id, project, described, known, reviewer, wanted)


async def _called(db: Database, org_id: str, one: Assignment) -> str:
    async with db.tx(org_id, SYSTEM) as tx:
        return body_of(tx, await task_row(tx, one.task)).name


async def _give_back(db: Database, org_id: str, one: Assignment, person: str) -> None:
    _, assignment = leases.split_handle(one.handle)
    async with db.tx(org_id, Actor("person", person)) as tx:
        await holding.release(tx, assignment)


async def _answer(
    db: Database,
    org_id: str,
    owner: Actor,
    described: DemoProject,
    task: DemoTask,
    one: Assignment,
    person: str,
    answer: list[dict[str, Any]],
) -> None:
    question = described.question
    if question is not None and question.task == task.called:
        _, assignment = leases.split_handle(one.handle)
        async with db.tx(org_id, Actor("person", person)) as tx:
            asked = await reviews.ask(tx, assignment, question.text)
        async with db.tx(org_id, owner) as tx:
            await reviews.answer_question(tx, asked, question.answer)
    seconds = 18.0 + 7.5 * len(answer)
    await annotations.submit(db, person, one.handle, f"demo-{one.task}", {"annotations": answer}, seconds)
    async with db.tx(org_id, SYSTEM) as tx:
        await annotations.settle(tx, one.task)


async def _review(
    db: Database,
    org_id: str,
    project: str,
    described: DemoProject,
    known: dict[str, DemoTask],
    reviewer: str,
    wanted: int,
) -> None:
    """Accepts what waits for review and corrects one; what the files mark as waiting comes last and is left."""
    for _ in range(wanted):
        one = await leases.lease(db, org_id, project, reviewer, "review", reviewer)
        if one is None:
            return
        task = known[await _called(db, org_id, one)]
        verdict, answer = Verdict("accept"), None
        fix = described.fixed
        if fix is not None and fix.task == task.called:
            verdict = Verdict("fix", fix.comment)
            answer = {"annotations": annotations_of(task) or []}
            answer["annotations"][fix.box]["w"] = fix.w
        _, assignment = leases.split_handle(one.handle)
        async with db.tx(org_id, Actor("person", reviewer)) as tx:
            await reviews.submit_review(tx, assignment, f"demo-{one.task}", verdict, answer, 12.0)
