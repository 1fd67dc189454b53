"""Answers: taken in, settled into a result, called back, put aside."""

import os
from typing import Any

import msgspec

from evenhand.features.annotations import gold, store
from evenhand.features.annotations.types import (
    AnswerBody,
    AnswersSuperseded,
    Submitted,
    TaskDone,
    TaskToReview,
    WorkRecalled,
)
from evenhand.features.people.actions import NotSignedIn, Session
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects.batches import reopen_batch, share_gates
from evenhand.features.tasks import leases
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import Filter, body_of, put_body, task_row
from evenhand.features.tasks.leases import NoSuchLease, Place, my_assignment
from evenhand.features.tasks.types import TaskBody, TaskRequeued
from evenhand.infra.db import SYSTEM, Database, Narrow, Tx
from evenhand.infra.facts import SALT_BYTES, by_person, event_text, record
from evenhand.infra.ids import new_id
from evenhand.infra.jobs import Job, enqueue
from evenhand.infra.seal import FORGETTERS, At, Seal, at
from evenhand.pure.answers import Checker, classes_of, merge_answers
from evenhand.pure.conditions import Conditions
from evenhand.pure.trouble import Conflict, Invalid

KEY_MOST = 128


class TooLateToRecall(Conflict):
    hint = "It has been reviewed or delivered; ask a reviewer."


def class_tokens(seal: Seal, answer: dict[str, Any]) -> list[int]:
    """The blind index of an answer: the classes and choices in it."""
    return [seal.token("class", name) for name in classes_of(answer)]


_CHECKERS: dict[tuple[str, str, int], Checker] = {}
_MOST_CHECKERS = 500


def _forget(org_id: str) -> None:
    for key in [key for key in _CHECKERS if key[0] == org_id]:
        del _CHECKERS[key]


FORGETTERS.append(_forget)


async def _keep_checker(db: Database, org_id: str, project: str, version: int) -> None:
    """Reads the rules of a project's version. Versions never change, so they are kept."""
    async with db.tx(org_id, SYSTEM) as tx:
        found = Checker(await projects.ontology_at(tx, project, version))
    if len(_CHECKERS) >= _MOST_CHECKERS:
        _CHECKERS.clear()
    _CHECKERS[(org_id, project, version)] = found


async def submit(
    db: Database, who: str | Session, handle: str, key: str, answer: dict[str, Any], seconds: float
) -> Submitted:
    """Takes the answer of an annotator, or of the annotator of a session, in. The same key again gets the first reply;
    late work is kept."""
    if not 1 <= len(key) <= KEY_MOST:
        raise Invalid(f"`key` must have 1 to {KEY_MOST} characters.")
    if not 0 <= seconds <= 86_400:
        raise Invalid("`seconds` must be 0 to 86,400.")
    org_id, assignment = leases.split_handle(handle)
    remembered = leases.handed_out(handle, who)
    person = ""
    while True:
        async with db.connection("desk") as conn:
            place = remembered
            if place is None:
                row = await _submission(db, conn, org_id, who, assignment)
                person = row["person_id"]
                place = Place(row["task_id"], row["project_id"], row["version"], row["body"], person)
                if row["state"] == "submitted":  # a repeat: it was checked the first time
                    done = await _take_in(db, conn, org_id, who, place, assignment, key, answer, seconds)
                    break
            seal = await db.seal(org_id, place.project)
            body = await db.open_as(seal, place.body, TaskBody, At("task", place.task, place.project))
            rules = (org_id, place.project, place.version)
            checker = _CHECKERS.get(rules) if body.ontology is None else Checker(body.ontology)
            if checker is not None:
                try:
                    checker.check(answer, msgspec.to_builtins(body.data))
                except Invalid:
                    if remembered is None:
                        raise
                    remembered = None  # nothing is said before the database has said whose it is
                    continue
                if body.expected is None:
                    done = await _take_in(db, conn, org_id, who, place, assignment, key, answer, seconds)
                    break
        # Either needs a connection of its own, so not while this one is held.
        if checker is not None:
            return await gold.submit_gold(db, org_id, person, assignment, key, answer, seconds)
        await _keep_checker(db, *rules)
    leases.came_back(handle)
    if done is not None and done["outcome"] == "nobody":
        raise NotSignedIn("You are not signed in.")
    if done is None:
        raise NoSuchLease("There is no such assignment.")
    if done["outcome"] == "conflict":
        raise gold.SubmittedOtherwise("This task has been submitted already.")
    return Submitted("submitted", done["late"], done["extra"], _note(done), done["paid_s"])


async def _submission(db: Database, conn: Any, org_id: str, who: str | Session, assignment: str) -> Any:
    """The assignment with its task's body, and whose it is. Raises NotSignedIn, NoSuchLease."""
    row = await store.SUBMISSION.one(
        Narrow(conn, db.platform), **leases.shown_to(db, conn, org_id, who, ""), assignment=assignment
    )
    if row["person_id"] is None:
        raise NotSignedIn("You are not signed in.")
    if row["task_id"] is None or row["role"] != "label":
        raise NoSuchLease("There is no such assignment.")
    return row


async def _take_in(
    db: Database,
    conn: Any,
    org_id: str,
    who: str | Session,
    place: Place,
    assignment: str,
    key: str,
    answer: dict[str, Any],
    seconds: float,
) -> Any:
    """Hands a checked answer to the database, in one call."""
    seal = await db.seal(org_id, place.project)
    answer_id, fact, job = new_id(), new_id(), new_id()
    submitted = by_person(seal, place.person, assignment=assignment)
    return await store.SUBMIT.maybe(
        Narrow(conn, seal),
        **leases.shown_to(db, conn, org_id, who, place.person),
        task=place.task,
        assignment=assignment,
        key=seal.mac("submit", key),
        answer=answer_id,
        fact=fact,
        job=job,
        body=seal.shut(AnswerBody(answer["annotations"]), At("answer", answer_id, place.project)),
        salt=os.urandom(SALT_BYTES),
        event=event_text("AnnotationSubmitted", submitted),
        fact_body=seal.shut(submitted, At("fact", fact)),
        job_body=seal.shut({"task": place.task}, At("job", job)),
        labels=len(answer["annotations"]),
        classes=class_tokens(seal, answer),
        seconds=seconds,
    )


def _note(done: Any) -> str | None:
    if done["extra"]:
        return "Your time had run out and somebody else has this task. Your answer is kept as an extra one and is paid."
    if done["late"]:
        return gold.LATE
    return None


# --- settling: from the answers of a task to its result


class _Settle(msgspec.Struct):
    task: str


async def settle_job(job: Job) -> None:
    """All places are answered: merge, then review or done."""
    params = msgspec.convert(job.params, _Settle)
    await job.step("settle", lambda tx: settle(tx, params.task))


def in_sample(seal: Seal, task: str, rate: float) -> bool:
    """Whether a task is in the review sample: by a keyed hash, so that nobody can tell beforehand."""
    return int.from_bytes(seal.mac("review-sample", task)[:4], "big") < rate * 2**32


async def settle(tx: Tx, task: str) -> str:
    """Sends an answered task to review, or closes it with its result."""
    await tasks_store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    queue = await tasks_store.QUEUE_LOCK.maybe(tx, org=tx.org_id, task=task)
    if queue is None or queue["answered"] < queue["overlap"] or queue["state"] in ("review", "reviewing"):
        return "nothing to settle"
    row = await task_row(tx, task)
    project = await projects.row_of(tx, row["project_id"])
    wanted = project["review"] == "all" or (
        project["review"] == "sample" and in_sample(tx.seal, task, project["review_rate"])
    )
    if wanted:
        await store.QUEUE_REVIEW.run(tx, org=tx.org_id, task=task)
        await projects.store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[row["project_id"]])
        await record(tx, TaskToReview(task))
        return "review"
    await finish(tx, row)
    return "done"


def answer_of(tx: Tx, row: Any) -> dict[str, Any]:
    """What was answered, of a row of `answer`."""
    return tx.seal.open(row["body"], at("answer", row))


async def current_answers(tx: Tx, task: str) -> list[Any]:
    rows = await store.ANSWERS_OF.all(tx, org=tx.org_id, task=task)
    return [row for row in rows if row["state"] == "current" and row["origin"] in ("label", "review", "customer")]


async def finish(tx: Tx, row: Any, *, result: str | None = None) -> None:
    """Closes a task. Without `result`, the answer that stands is the only one, or what all of them merge into."""
    task = row["task_id"]
    answers = await current_answers(tx, task)
    if result is None and len(answers) == 1:
        result = answers[0]["answer_id"]
    labels = 0
    if result is None:
        ontology = (
            body_of(tx, row).ontology or projects.version_of(tx, await projects.row_of(tx, row["project_id"])).ontology
        )
        # Each choice is what most people chose: what depends on another choice than that goes.
        merged = Conditions(ontology).settle(merge_answers([answer_of(tx, a) for a in answers]))
        result = await add_answer(tx, row, merged, origin="merged", person=None, assignment=None)
        labels = len(merged["annotations"])
    else:
        chosen = await store.ANSWER_GET.one(tx, org=tx.org_id, answer=result)
        labels = chosen["labels"]
    await tasks_store.QUEUE_DROP.run(tx, org=tx.org_id, task=task)
    await store.ASSIGNMENTS_WITHDRAW.run(tx, org=tx.org_id, task=task)
    await tasks_store.TASK_STATE.run(
        tx, org=tx.org_id, task=task, state="done", review="pending", result=result, labels=labels
    )
    await record(tx, TaskDone(task, len(answers)))
    if row["callback"]:
        await enqueue(tx, "deliveries.callback", {"task": task}, most=3)


async def add_answer(
    tx: Tx,
    row: Any,
    answer: dict[str, Any],
    *,
    origin: str,
    person: str | None,
    assignment: str | None,
    seconds: float = 0,
    state: str = "current",
) -> str:
    """Adds an answer that did not come through an annotator's submission."""
    answer_id = new_id()
    await store.ANSWER_ADD.run(
        tx,
        org=tx.org_id,
        answer=answer_id,
        task=row["task_id"],
        project=row["project_id"],
        assignment=assignment,
        person=person,
        origin=origin,
        state=state,
        late=False,
        seconds=seconds,
        labels=len(answer["annotations"]),
        classes=class_tokens(tx.seal, answer),
        body=tx.seal.shut(AnswerBody(answer["annotations"]), At("answer", answer_id, row["project_id"])),
    )
    return answer_id


async def recall(tx: Tx, assignment: str) -> Any:
    """Calls the caller's submitted answer back, as long as nobody has built on it. Returns the assignment's row."""
    seen = await task_row(tx, (await my_assignment(tx, assignment))["task_id"])
    if seen["state"] == "done":  # before the task is locked: everyone locks the batch first
        await reopen_batch(tx, seen["batch_id"])
    row = await my_assignment(tx, assignment, lock=True)
    task = row["task_id"]
    queue = await tasks_store.QUEUE_LOCK.maybe(tx, org=tx.org_id, task=task)
    if row["state"] == "leased":
        return row
    if row["state"] != "submitted" or row["role"] != "label":
        raise TooLateToRecall("Only your last submitted task can be called back.")
    found = await task_row(tx, task)
    if found["purpose"] == "training":
        raise TooLateToRecall("The expected answer of a training task has been shown.")
    used = found["delivery_id"] is not None or await store.REVIEWED.value(tx, org=tx.org_id, task=task)
    reviewing = queue is not None and queue["state"] == "reviewing"
    if used or reviewing or row["extra"] or found["state"] not in ("todo", "done") or body_of(tx, found).callback_ok:
        raise TooLateToRecall("This task can no longer be called back.")
    if found["state"] == "done":
        if found["overlap"] is None and len(await current_answers(tx, task)) > 1:
            raise TooLateToRecall("Other people's answers have been merged with yours.")
        await tasks_store.TASK_STATE.run(tx, org=tx.org_id, task=task, state="todo", review=None, result=None, labels=0)
        await store.QUEUE_BACK.run(tx, org=tx.org_id, task=task)
        if found["callback"]:  # whoever was told that it is done, or is about to be, is told that it is not
            await enqueue(tx, "deliveries.callback", {"task": task}, most=3)
    else:
        await store.QUEUE_UNANSWER.run(tx, org=tx.org_id, task=task)
    await store.ANSWERS_STATE.run(
        tx, org=tx.org_id, task=task, state="superseded", from_states=["current"], assignment=assignment
    )
    await tasks_store.REOPEN.run(tx, org=tx.org_id, assignment=assignment)
    await record(tx, WorkRecalled(task))
    return await my_assignment(tx, assignment)


async def earlier_answer(tx: Tx, row: Any) -> dict[str, Any] | None:
    """What the caller had submitted for this assignment before it was called back."""
    found = await store.ANSWER_OF_ASSIGNMENT.maybe(
        tx, org=tx.org_id, task=row["task_id"], assignment=row["assignment_id"]
    )
    return answer_of(tx, found) if found is not None else None


async def own_answer(tx: Tx, task: str) -> dict[str, Any] | None:
    """The caller's last answer to a task that has come back to them: where they begin again."""
    found = await store.ANSWER_OF_PERSON.maybe(tx, org=tx.org_id, task=task, person=tx.actor.id)
    return answer_of(tx, found) if found is not None else None


# --- requeueing


async def requeue(tx: Tx, task: str, because: str, *, answers: str = "superseded", message: str = "") -> None:
    """Opens a task again: its answers are put aside (never deleted) and its places are free. `message` is shown to
    whoever gets it next."""
    project = await _requeue(tx, task, because, answers=answers, message=message)
    await projects.store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[project])


async def _requeue(tx: Tx, task: str, because: str, *, answers: str = "superseded", message: str = "") -> str:
    """Returns the project, whose cursors are still to be reset."""
    await reopen_batch(tx, (await task_row(tx, task))["batch_id"])  # first: everyone locks the batch before the task
    await tasks_store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    row = await task_row(tx, task)
    if row["state"] in ("canceled", "error"):
        raise Conflict(f"This task is {row['state']}, so it can't be labelled again.", hint="Create it anew.")
    if row["queue_state"] in ("fetching", "held"):
        raise Conflict("Nobody has been given this task yet, so there is nothing to do again.")
    project = await projects.row_of(tx, row["project_id"])
    if row["purpose"] != "work":
        raise Conflict("A task with a known answer is not live work, so there is nothing to do again.")
    _, batch_state = await share_gates(tx, row["project_id"], row["batch_id"])
    if message:
        body = body_of(tx, row)
        body.message = message[:5000]
        await put_body(tx, row, body)
    await tasks_store.QUEUE_LOCK.maybe(tx, org=tx.org_id, task=task)  # whoever leases it at this moment goes first
    await store.ASSIGNMENTS_WITHDRAW.run(tx, org=tx.org_id, task=task)
    await store.SUBMITTED_FORGET.run(tx, org=tx.org_id, task=task)
    count = await store.ANSWERS_STATE.run(
        tx, org=tx.org_id, task=task, state=answers, from_states=["current", "extra"], assignment=None
    )
    await tasks_store.QUEUE_AGAIN.run(
        tx,
        org=tx.org_id,
        task=task,
        project=row["project_id"],
        batch=row["batch_id"],
        state="held" if batch_state in ("staging", "paused") else "open",
        rank=-row["priority"],
        overlap=row["overlap"] or project["overlap"],
    )
    await tasks_store.TASK_STATE.run(tx, org=tx.org_id, task=task, state="todo", review=None, result=None, labels=0)
    await record(tx, AnswersSuperseded(task, count))
    await record(tx, TaskRequeued(task, because[:2000]))
    if row["state"] == "done" and row["callback"]:
        await enqueue(tx, "deliveries.callback", {"task": task}, most=3)
    return row["project_id"]


async def requeue_matching(
    tx: Tx, project: str, wanted: Filter, since: Any, until: Any, *, dry_run: bool
) -> tuple[int, int]:
    """(matched, requeued): all work of a person, a time or a class goes back to the queue."""
    require(tx, Verb.JUDGE)
    await projects.row_of(tx, project)
    if wanted.person is None and wanted.label_class is None and since is None and until is None:
        raise Invalid("Say whose work, which class or which time is to be done again.")
    rows = await store.REQUEUE_MATCH.all(
        tx,
        org=tx.org_id,
        project=project,
        person=wanted.person,
        since=since,
        until=until,
        **{"class": tx.seal.token("class", wanted.label_class) if wanted.label_class else None},
    )
    if dry_run:
        return len(rows), 0
    done = 0
    for row in rows:
        found = await task_row(tx, row["task_id"])
        if found["state"] in ("todo", "done"):
            await _requeue(tx, row["task_id"], "bulk")
            done += 1
    await projects.store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[project])
    return len(rows), done
