"""Judging: reviewers in their queue, customers from the console; and the words that go back and forth."""

from typing import Any

from evenhand.features.annotations import actions as annotations
from evenhand.features.annotations import gold
from evenhand.features.annotations import store as answers
from evenhand.features.annotations.actions import answer_of
from evenhand.features.annotations.types import Submitted
from evenhand.features.people.aliases import pseudonym
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects import store as projects_store
from evenhand.features.reviews import store
from evenhand.features.reviews.types import (
    Answered,
    Change,
    Instructions,
    Notice,
    Question,
    QuestionAnswered,
    QuestionAsked,
    QuestionBody,
    ReviewClosed,
    Verdict,
)
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import body_of, task_row
from evenhand.features.tasks.leases import my_assignment
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.jobs import enqueue
from evenhand.infra.seal import At, at
from evenhand.pure.answers import check_answer
from evenhand.pure.trouble import Conflict, Invalid, Missing

COMMENT_MOST = 5_000
ERRORS_MOST = 1_000
DECISIONS = ("accept", "fix", "reject")


class AlreadyJudged(Conflict):
    hint = "Somebody else has reviewed this task meanwhile."


async def review_view(tx: Tx, task: str, *, but: str | None = None) -> dict[str, Any]:
    """The answers under review, by pseudonyms, and what was said before."""
    rows = await answers.ANSWERS_OF.all(tx, org=tx.org_id, task=task)
    shown = [row for row in rows if row["state"] in ("current", "extra") and row["origin"] not in ("pilot", "gold")]
    comments = await store.REVIEWS_OF.all(tx, org=tx.org_id, task=task)
    return {
        "by": _by(tx, shown[0]) if shown else "",
        "answers": [
            {
                "id": row["answer_id"],
                "by": _by(tx, row),
                "annotations": answer_of(tx, row).get("annotations", []),
                "extra": row["state"] == "extra",
                "late": row["late"],
                "submitted_at": row["created_at"],
            }
            for row in shown
        ],
        "comments": [
            {"at": c["created_at"], "decision": c["decision"], "comment": said(tx, c).get("comment", "")}
            for c in comments
        ],
    }


def said(tx: Tx, row: Any) -> dict[str, Any]:
    """The words of a review, of its row."""
    return tx.seal.open(row["body"], at("review", row))


def _by(tx: Tx, row: Any) -> str:
    """Whose answer it is. One that a gold task brings has nobody's name, and must look as if it had."""
    return pseudonym(tx, row["person_id"] or row["answer_id"])


async def check_task_answer(tx: Tx, row: Any, answer: dict[str, Any]) -> None:
    body = body_of(tx, row)
    ontology = body.ontology or projects.version_of(tx, await projects.row_of(tx, row["project_id"])).ontology
    check_answer(answer, ontology)


async def submit_review(
    tx: Tx, assignment: str, key: str, verdict: Verdict, answer: dict[str, Any] | None, seconds: float
) -> Submitted:
    """A reviewer's verdict. accept: an answer stands; fix: the reviewer's own does; reject: the task is done again."""
    if verdict.decision not in DECISIONS:
        raise Invalid(f"`verdict.decision` must be one of {', '.join(DECISIONS)}.")
    if verdict.decision == "reject" and not verdict.comment.strip():
        raise Invalid("A rejection needs a comment: it goes to the annotator.")
    lease = await my_assignment(tx, assignment, lock=True)
    key_mac = tx.seal.mac("submit", key)
    if lease["role"] != "review":
        raise Missing("There is no such review.")
    if lease["state"] == "submitted":
        if lease["key_mac"] != key_mac:
            raise AlreadyJudged("You have reviewed this task already.")
        return Submitted("submitted", lease["late"], lease["extra"], None, lease["paid_s"])
    task = lease["task_id"]
    queue = await tasks_store.QUEUE_LOCK.maybe(tx, org=tx.org_id, task=task)
    row = await task_row(tx, task)
    late = lease["state"] != "leased"
    if row["purpose"] != "work":
        return await _judge_gold(tx, row, lease, key_mac, verdict, answer, seconds, late=late)
    still = row["state"] == "todo" and queue is not None and queue["state"] in ("review", "reviewing")
    if late and still and queue is not None and queue["state"] == "reviewing":
        still = False  # another reviewer holds it now
    note = None
    if verdict.decision == "fix" and answer is None:
        raise Invalid("A fix needs the corrected answer.")
    if still:
        await _apply(tx, row, verdict, answer, assignment, seconds)
    else:
        note = "The task had moved on before this review came in. It is kept, marked, and paid, but changes nothing."
    await _keep(tx, row, verdict, "reviewer", assignment, seconds, answer if not still else None)
    paid = await store.REVIEW_SUBMITTED.value(
        tx, org=tx.org_id, assignment=assignment, key=key_mac, late=late, extra=not still, seconds=seconds
    )
    await tasks_store.DRAFT_DROP.run(tx, org=tx.org_id, assignment=assignment)
    return Submitted("submitted", late, not still, note, paid)


async def _judge_gold(
    tx: Tx, row: Any, lease: Any, key_mac: bytes, verdict: Verdict, answer: dict[str, Any] | None, seconds: float, *,
    late: bool,
) -> Submitted:  # fmt: skip
    """A verdict on a task with a known answer: scored, and told like any other."""
    if verdict.decision == "fix":
        if answer is None:
            raise Invalid("A fix needs the corrected answer.")
        await check_task_answer(tx, row, answer)
    await _chosen(tx, row, verdict.answer_id)
    await gold.score_verdict(tx, row, lease["assignment_id"], verdict.decision, answer)
    paid = await store.REVIEW_SUBMITTED.value(
        tx, org=tx.org_id, assignment=lease["assignment_id"], key=key_mac, late=late, extra=False, seconds=seconds
    )
    await tasks_store.DRAFT_DROP.run(tx, org=tx.org_id, assignment=lease["assignment_id"])
    return Submitted("submitted", late, False, None, paid)


async def _apply(
    tx: Tx, row: Any, verdict: Verdict, answer: dict[str, Any] | None, assignment: str | None, seconds: float
) -> None:
    task = row["task_id"]
    if verdict.decision == "reject":
        await _tell_annotators(tx, task, row["project_id"], verdict.comment)
        await annotations.requeue(tx, task, "rejected", answers="rejected", message=verdict.comment)
        return
    if verdict.decision == "fix" and answer is not None:
        await check_task_answer(tx, row, answer)
        result = await annotations.add_answer(
            tx, row, answer, origin="review", person=tx.actor.id, assignment=assignment, seconds=seconds
        )
    else:
        result = await _chosen(tx, row, verdict.answer_id)
    await annotations.finish(tx, row, result=result)


async def _chosen(tx: Tx, row: Any, answer_id: str | None) -> str | None:
    """The answer that a reviewer accepts: the one named, an extra one too; None leaves it to the merge."""
    if answer_id is None:
        return None
    found = await answers.ANSWER_GET.maybe(tx, org=tx.org_id, answer=answer_id) if is_id(answer_id) else None
    if found is None or found["task_id"] != row["task_id"] or found["state"] not in ("current", "extra"):
        raise Missing("There is no such answer to this task.")
    return answer_id


async def _tell_annotators(tx: Tx, task: str, project: str, comment: str) -> None:
    people = {
        row["person_id"]
        for row in await answers.ANSWERS_OF.all(tx, org=tx.org_id, task=task)
        if row["origin"] == "label" and row["state"] in ("current", "extra") and row["person_id"]
    }
    for person in sorted(people):
        await tell(tx, person, "rejected", comment[:COMMENT_MOST], project, task)


async def _keep(
    tx: Tx,
    row: Any,
    verdict: Verdict,
    source: str,
    assignment: str | None,
    seconds: float,
    answer: dict[str, Any] | None,
) -> None:
    review = new_id()
    await store.REVIEW_ADD.run(
        tx,
        org=tx.org_id,
        review=review,
        task=row["task_id"],
        project=row["project_id"],
        answer=verdict.answer_id if verdict.answer_id and is_id(verdict.answer_id) else None,
        assignment=assignment,
        person=tx.actor.id if tx.actor.kind == "person" else None,
        source=source,
        decision=verdict.decision,
        seconds=seconds,
        body=tx.seal.shut(
            {
                "comment": verdict.comment[:COMMENT_MOST],
                **({"answer": answer} if answer else {}),
                **({"errors": verdict.errors[:ERRORS_MOST]} if verdict.errors else {}),
            },
            At("review", review, row["project_id"]),
        ),
    )
    await record(tx, ReviewClosed(row["task_id"], verdict.decision, source))


async def audit_task(tx: Tx, task: str, verdict: Verdict, answer: dict[str, Any] | None = None) -> None:
    """The customer's own judgement of a finished task."""
    require(tx, Verb.JUDGE)
    if verdict.decision not in DECISIONS:
        raise Invalid(f"`decision` must be one of {', '.join(DECISIONS)}.")
    await task_row(tx, task)
    await tasks_store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    row = await task_row(tx, task)
    if row["state"] != "done":
        raise Conflict("Only a completed task can be judged.", hint="Wait until it is done.")
    status = {"accept": "accepted", "fix": "fixed", "reject": "rejected"}[verdict.decision]
    if verdict.decision == "fix":
        if answer is None:
            raise Invalid("A fix needs the corrected answer.")
        await check_task_answer(tx, row, answer)
        person = tx.actor.id if tx.actor.kind == "person" else None
        fixed = await annotations.add_answer(tx, row, answer, origin="customer", person=person, assignment=None)
        await tasks_store.TASK_STATE.run(
            tx, org=tx.org_id, task=task, state="done", review=status, result=fixed, labels=len(answer["annotations"])
        )
    else:
        await tasks_store.TASK_REVIEW.run(tx, org=tx.org_id, task=task, review=status)
    await _keep(tx, row, verdict, "customer", None, 0, None)
    if row["callback"]:
        await enqueue(tx, "deliveries.callback", {"task": task}, most=3)


# --- words


async def tell(tx: Tx, person: str, kind: str, text: str, project: str | None, task: str | None) -> None:
    notice = new_id()
    await store.NOTICE_ADD.run(
        tx, org=tx.org_id, notice=notice, person=person, project=project, task=task, kind=kind,
        body=tx.seal.shut({"text": text}, At("notice", notice, project or "")),
    )  # fmt: skip


async def inbox(tx: Tx) -> list[Notice]:
    """What the caller was told in this space, newest first."""
    rows = await store.NOTICES.all(tx, org=tx.org_id, person=tx.actor.id)
    return [
        Notice(
            r["notice_id"],
            r["created_at"],
            r["kind"],
            tx.seal.open(r["body"], At("notice", r["notice_id"], r["project_id"] or ""))["text"],
            r["project_id"],
            r["task_id"],
        )
        for r in rows
    ]


async def ask(tx: Tx, assignment: str, text: str) -> str:
    """An annotator's question about a task."""
    text = text.strip()
    if not 1 <= len(text) <= COMMENT_MOST:
        raise Invalid(f"A question has 1 to {COMMENT_MOST:,} characters.")
    lease = await my_assignment(tx, assignment)
    question = new_id()
    await store.QUESTION_ADD.run(
        tx, org=tx.org_id, question=question, project=lease["project_id"], task=lease["task_id"], person=tx.actor.id,
        body=tx.seal.shut(QuestionBody(text), At("question", question, lease["project_id"])),
    )  # fmt: skip
    await record(tx, QuestionAsked(lease["task_id"], question))
    return question


def _question(tx: Tx, r: Any) -> Question:
    body = tx.seal.open_as(r["body"], QuestionBody, at("question", r))
    return Question(
        r["question_id"],
        r["project_id"],
        r["task_id"],
        body.question,
        body.answer or None,
        r["created_at"],
        r["answered_at"],
    )


async def list_questions(
    tx: Tx, *, project: str | None, open_only: bool, after: str | None = None, limit: int = 50
) -> list[Question]:
    require(tx, Verb.READ)
    rows = await store.QUESTIONS.all(
        tx, org=tx.org_id, project=project, open=open_only, answered=False, after=after, limit=limit
    )
    return [_question(tx, r) for r in rows]


async def answer_question(tx: Tx, question: str, text: str) -> Question:
    """Answers once for all: the answer joins the instructions, and whoever asked is told."""
    require(tx, Verb.WRITE)
    text = text.strip()
    if not 1 <= len(text) <= COMMENT_MOST:
        raise Invalid(f"An answer has 1 to {COMMENT_MOST:,} characters.")
    row = await store.QUESTION_LOCK.maybe(tx, org=tx.org_id, question=question) if is_id(question) else None
    if row is None:
        raise Missing("There is no such question.")
    body = tx.seal.open_as(row["body"], QuestionBody, at("question", row))
    body.answer = text
    await store.QUESTION_ANSWER.run(tx, org=tx.org_id, question=question, body=tx.seal.shut(body, at("question", row)))
    await tell(tx, row["person_id"], "answered", f"{body.question[:300]}\n\n{text}", row["project_id"], row["task_id"])
    await record(tx, QuestionAnswered(question))
    return _question(tx, await store.QUESTION_LOCK.one(tx, org=tx.org_id, question=question))


async def instructions(tx: Tx, project: str) -> Instructions:
    """What an annotator reads beside the work. The caller must have a seat; anybody else finds nothing."""
    row = await projects.row_of(tx, project)
    seats = await projects_store.SEAT_LIST.all(tx, org=tx.org_id, project=project)
    if tx.actor.id not in {seat["person_id"] for seat in seats} and tx.actor.role not in ("owner", "manager", "viewer"):
        raise projects.NoSuchProject("There is no such project.")
    version = projects.version_of(tx, row)
    versions = await projects_store.VERSION_LIST.all(tx, org=tx.org_id, project=project)
    changes = [
        Change(
            v["version"],
            v["created_at"],
            tx.seal.open(v["body"], projects.version_at(project, v["version"])).get("summary", ""),
        )
        for v in versions[:20]
    ]
    rows = await store.QUESTIONS.all(
        tx, org=tx.org_id, project=project, open=False, answered=True, after=None, limit=100
    )
    questions = [_question(tx, r) for r in rows]
    return Instructions(
        row["version"],
        version.instructions,
        row["version_at"],
        changes,
        [Answered(q.question, q.answer or "", q.answered_at or q.asked_at) for q in questions],
    )
