"""Answers to tasks whose answer is known: scored, and never part of a result. See docs/decisions/0013-gold.md.

A gold task in the live work looks like any other to whoever is given it, and is answered like any other. A task of the
training course says what it is, and shows the expected answer afterwards.
"""

from typing import Any

import msgspec

from evenhand.features.annotations import store
from evenhand.features.annotations.types import CourseEnded, Feedback, GoldScored, Submitted
from evenhand.features.projects import actions as projects
from evenhand.features.tasks.actions import body_of, task_row
from evenhand.features.tasks.leases import my_assignment
from evenhand.infra.db import Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import new_id
from evenhand.infra.jobs import Job, enqueue
from evenhand.infra.seal import At, at
from evenhand.pure.answers import agreement, label_counts
from evenhand.pure.trouble import Conflict, Missing

Answer = dict[str, Any]
#: what the annotator of live work is told as well
LATE = "Your time had run out, but the place was still free: your answer counts."


class SubmittedOtherwise(Conflict):
    hint = "This task was submitted with another key. Call it back to change it."


async def submit_gold(
    db: Database, org_id: str, person: str, assignment: str, key: str, answer: Answer, seconds: float
) -> Submitted:
    """Takes an answer in that has been checked. Its score is a job's work, so that the reply takes no longer than that of
    live work; in training it is made at once, for the feedback."""
    async with db.tx(org_id, Actor("person", person)) as tx:
        lease = await my_assignment(tx, assignment, lock=True)
        key_mac = tx.seal.mac("submit", key)
        if lease["state"] == "submitted" or lease["key_mac"] == key_mac:
            if lease["key_mac"] != key_mac:
                raise SubmittedOtherwise("This task has been submitted already.")
            return Submitted("submitted", lease["late"], False, LATE if lease["late"] else None, lease["paid_s"])
        late = lease["state"] != "leased" or lease["server_now"] > lease["lease_until"]
        row = await task_row(tx, lease["task_id"])
        answer_id = new_id()
        await store.ANSWER_ADD.run(
            tx,
            org=org_id,
            answer=answer_id,
            task=row["task_id"],
            project=row["project_id"],
            assignment=assignment,
            person=person,
            origin="gold",
            state="current",
            late=late,
            seconds=seconds,
            labels=len(answer["annotations"]),
            classes=None,  # nobody looks for live work among these
            body=tx.seal.shut({"annotations": answer["annotations"]}, At("answer", answer_id, row["project_id"])),
        )
        if lease["state"] != "leased":  # the same person may have leased it again since
            await store.GOLD_AGAIN_WITHDRAW.run(tx, org=org_id, task=row["task_id"], person=person)
        paid = await store.GOLD_SUBMITTED.value(
            tx, org=org_id, assignment=assignment, key=key_mac, late=late, seconds=seconds
        )
        if row["purpose"] == "training":
            feedback = await _score_training(tx, row, person, assignment, answer)
            return Submitted("submitted", late, False, _told(feedback), paid, feedback)
        else:
            await enqueue(tx, "annotations.score", {"assignment": assignment, "task": row["task_id"], "person": person})
        return Submitted("submitted", late, False, LATE if late else None, paid)


class _Score(msgspec.Struct):
    assignment: str
    task: str
    person: str


async def score_job(job: Job) -> None:
    """Compares an answer to a gold task with the expected one."""
    params = msgspec.convert(job.params, _Score)
    await job.step("score", lambda tx: _score_evaluation(tx, params))


async def _score_evaluation(tx: Tx, given: _Score) -> float | None:
    found = await store.ANSWER_OF_ASSIGNMENT.maybe(tx, org=tx.org_id, task=given.task, assignment=given.assignment)
    if found is None or found["state"] != "current":
        return None  # called back meanwhile
    row = await task_row(tx, given.task)
    value = agreement(tx.seal.open(found["body"], at("answer", found)), expected_of(tx, row)) or 0.0
    await _keep(tx, row, given.person, given.assignment, value)
    return value


def expected_of(tx: Tx, row: Any) -> Answer:
    """The known answer of a gold task. Raises `Missing` for any other task."""
    expected = body_of(tx, row).expected
    if expected is None or "answer" not in expected:
        raise Missing("This task has no known answer.")
    return expected["answer"]


async def _keep(tx: Tx, row: Any, person: str, assignment: str, value: float, cycle: int = 1) -> None:
    await store.GOLD_SCORE.run(
        tx,
        org=tx.org_id,
        task=row["task_id"],
        project=row["project_id"],
        person=person,
        cycle=cycle,
        assignment=assignment,
        score=value,
    )
    await record(tx, GoldScored(row["task_id"], assignment))


# --- reviewers


async def score_verdict(tx: Tx, row: Any, assignment: str, decision: str, answer: Answer | None) -> None:
    """A reviewer's verdict on the answer that a gold task brings: what they let stand is compared with what is right. A
    rejection is worth as much as the answer was wrong."""
    rows = await store.ANSWERS_OF.all(tx, org=tx.org_id, task=row["task_id"])
    initial = next((tx.seal.open(a["body"], at("answer", a)) for a in rows if a["origin"] == "machine"), None)
    expected = expected_of(tx, row)
    value = agreement(answer if decision == "fix" else initial, expected) or 0.0
    await _keep(tx, row, tx.actor.id, assignment, 1 - value if decision == "reject" else value)


# --- the training course


async def _score_training(tx: Tx, row: Any, person: str, assignment: str, answer: Answer) -> Feedback:
    """Scores one task of the course; the last of a cycle decides whether it is passed."""
    expected = expected_of(tx, row)
    value = agreement(answer, expected) or 0.0
    # the lock on this row: two answers at once must not both believe that the other is still to come
    course = await store.COURSE_HOLD.one(tx, org=tx.org_id, project=row["project_id"], person=person)
    await _keep(tx, row, person, assignment, value, course["cycle"])
    state, done, of = await _end_cycle(tx, row["project_id"], person, course)
    return Feedback(value, expected, done, of, state)


_COURSE = {
    "open": "",
    "passed": " You have passed the training: live work comes next.",
    "again": " That was not enough to pass. The training begins once more.",
    "failed": " That was not enough to pass. The team that runs the project decides whether you may try once more.",
}


def _told(feedback: Feedback) -> str:
    """The feedback in words, for a page that shows no more than the note."""
    counts = ", ".join(f"{n} x {name}" for name, n in label_counts(feedback.expected).items())
    return (
        f"Training {feedback.done} of {feedback.of}: your answer agrees by {feedback.score:.0%} with the expected one"
        f" ({counts or 'nothing to mark'}).{_COURSE[feedback.course]}"
    )


async def _end_cycle(tx: Tx, project: str, person: str, course: Any) -> tuple[str, int, int]:
    """(state, tasks done, tasks in all). The state: open, passed, again (the course begins anew) or failed."""
    rows = await store.COURSE_TASKS.all(tx, org=tx.org_id, project=project, person=person, cycle=course["cycle"])
    scores: list[float] = [r["score"] for r in rows if r["score"] is not None]
    if course["state"] != "open" or len(scores) < len(rows) or not rows:
        return course["state"], len(scores), len(rows)
    mean = sum(scores) / len(scores)
    mark: float = (await projects.row_of(tx, project))["pass_mark"]
    passed = mean >= mark - 1e-6  # both are kept as 32-bit numbers
    again = not passed and course["cycle"] < course["tries"]
    state = "passed" if passed else "again" if again else "failed"
    await store.COURSE_SET.run(
        tx,
        org=tx.org_id,
        project=project,
        person=person,
        state="open" if again else state,
        cycle=course["cycle"] + 1 if again else course["cycle"],
        score=mean,
    )
    await record(tx, CourseEnded(project, person, course["cycle"], state))
    return state, len(scores), len(rows)


class _Courses(msgspec.Struct):
    project: str


async def courses_job(job: Job) -> None:
    """A task was taken out of a course: whoever has done all the others is at its end."""
    params = msgspec.convert(job.params, _Courses)

    async def act(tx: Tx) -> None:
        for row in await store.COURSES_OPEN.all(tx, org=tx.org_id, project=params.project):
            course = await store.COURSE_HOLD.one(tx, org=tx.org_id, project=params.project, person=row["person_id"])
            await _end_cycle(tx, params.project, row["person_id"], course)

    await job.step("end", act)
