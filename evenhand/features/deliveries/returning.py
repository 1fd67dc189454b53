"""In again: tasks of an export as they were. What was done stays done, with every answer and review, and whose it was in words.

Nobody here has given these answers: they are of no person, nobody is paid for them, and no callback tells of them. A task that was
not done yet is done from the beginning; what it had so far stays to be seen, and no longer counts.
"""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from evenhand.features.annotations.actions import class_tokens
from evenhand.features.annotations.types import AnswerBody
from evenhand.features.deliveries.types import ExportedAnswer, ExportedReview, ExportedTask
from evenhand.features.projects.batches import NoSuchBatch, batch_row_named, create_batch
from evenhand.features.projects.types import BatchBody
from evenhand.features.tasks.adding import check_body, check_conversation, name_tokens
from evenhand.features.tasks.imports import (
    MOST_FAULTS,
    Came,
    Plan,
    fault_of,
    image_here,
    once,
    open_held,
    plan_import,
)
from evenhand.features.tasks.types import ImportFault, ImportReport, TaskBody, TaskData
from evenhand.infra.db import Actor, Database, Tx
from evenhand.infra.ids import new_id
from evenhand.infra.seal import At, Seal
from evenhand.infra.sql import Sql
from evenhand.pure.answers import ANNOTATIONS_MAX
from evenhand.pure.kinds.listing import check_annotation
from evenhand.pure.ontology import EMPTY, check_ontology, with_defaults
from evenhand.pure.trouble import Conflict, Invalid, Trouble

ANSWERS_MOST = 1_000  # of a task, and as many reviews
_WORDS_MOST = 10_000
_NAME_MOST = 200
_SECONDS_MOST = 1e7
_PATIENCE_S = 60.0
_ADD = Sql(
    "returned_task_add",
    """insert into evenhand.task (org_id, task_id, project_id, batch_id, kind, state, priority, review, unique_mac, tokens,
                                  result_id, labels, callback, completed_at, body)
       values (%(org)s, %(task)s, %(project)s, %(batch)s, 'native', %(state)s::text, %(priority)s, %(review)s::text,
               %(unique_mac)s, %(tokens)s, %(result)s, %(labels)s, %(callback)s, %(completed_at)s, %(body)s)""",
    role="loader",
)
_QUEUE = Sql(
    "returned_queue_add",
    """insert into evenhand.queue (org_id, task_id, project_id, batch_id, state, rank, overlap)
       values (%(org)s, %(task)s, %(project)s, %(batch)s, %(state)s::text, %(rank)s, %(overlap)s)""",
    role="loader",
)
_ANSWER = Sql(
    "returned_answer_add",
    """insert into evenhand.answer (org_id, answer_id, task_id, project_id, origin, state, late, seconds, labels, classes,
                                    created_at, body)
       values (%(org)s, %(answer)s, %(task)s, %(project)s, %(origin)s::text, %(state)s::text, %(late)s, %(seconds)s, %(labels)s,
               %(classes)s, %(at)s, %(body)s)""",
    role="loader",
)
_REVIEW = Sql(
    "returned_review_add",
    """insert into evenhand.review (org_id, review_id, task_id, project_id, source, decision, seconds, created_at, body)
       values (%(org)s, %(review)s, %(task)s, %(project)s, %(source)s, %(decision)s, %(seconds)s, %(at)s, %(body)s)""",
    role="loader",
)
_HOLDERS = Sql(
    "returned_unique_holders",
    "select unique_mac, task_id from evenhand.task where org_id = %(org)s and unique_mac = any(%(macs)s::bytea[])",
    role="loader",
)


_decoder = msgspec.json.Decoder(ExportedTask)
#: id, state and priority of a batch
_Place = tuple[str, str, int]
#: name of a batch -> what it is, or why no task goes into it
_Batches = dict[str, _Place | Trouble]


class _Rows:
    """What a chunk adds."""

    def __init__(self) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.queue: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.reviews: list[dict[str, Any]] = []
        self.lines: dict[str, int] = {}
        self.uniques: dict[bytes, int] = {}
        self.faults: list[ImportFault] = []


async def return_lines(
    db: Database, org_id: str, actor: Actor, project: str, lines: AsyncIterator[list[bytes]], *, key: str = "",
    first_line: int = 1,
) -> ImportReport:  # fmt: skip
    """Takes chunks of exported lines in again. Every bad line is reported with its number; the rest comes in. Batches are found by
    their names, and made where there are none."""
    plan = await plan_import(db, org_id, actor, project, None)
    report = ImportReport()
    at = first_line
    async for chunk in lines:
        returning = _Returning(db, actor, plan, chunk, at)
        await once(db, actor, plan, chunk, at, key, report, returning.work)
        at += len(chunk)
    await open_held(db, actor, plan)
    return report


class _Returning:
    """One chunk."""

    def __init__(self, db: Database, actor: Actor, plan: Plan, lines: list[bytes], first: int) -> None:
        self._db, self._actor, self._plan, self._lines, self._first = db, actor, plan, lines, first
        self._batches: _Batches = {}
        self._images: dict[str, dict[str, Any] | Trouble] = {}

    async def work(self, tx: Tx, seal: Seal) -> Came:
        rows = _Rows()
        begun = time.monotonic()
        for number, line in enumerate(self._lines, start=self._first):
            if not line.strip():
                continue
            try:
                given = _decoder.decode(line)
                body = await self._body(given)
                place = await self._batch(given)
                self._take(rows, number, given, body, place, seal)
            except (msgspec.MsgspecError, UnicodeError, RecursionError, Trouble) as err:
                rows.faults.append(fault_of(number, err))
            if time.monotonic() - begun > _PATIENCE_S:
                raise Invalid("These lines take too long to read.", hint="Send fewer lines at a time.")
        await self._clashes(tx, rows)
        for statement, added in (
            (_ADD, rows.tasks), (_QUEUE, rows.queue), (_ANSWER, rows.answers), (_REVIEW, rows.reviews),
        ):  # fmt: skip
            await statement.many(tx, added)
        faults = sorted(rows.faults, key=lambda fault: fault.line)
        came = [(row["task"], row["priority"]) for row in rows.tasks]
        return ImportReport(len(came), 0, len(faults), faults[:MOST_FAULTS]), came

    # --- reading

    async def _body(self, given: ExportedTask) -> TaskBody:
        data, medium = given.data, self._plan.medium
        if data.medium != medium:
            raise Invalid(f"It is a task of the medium '{data.medium[:40]}', and this project's is '{medium}'.")
        if (data.image is not None) != (medium == "image"):
            raise Invalid("A task of an image project, and no other, has `data.image`.")
        talk = check_conversation(data.conversation) if medium == "conversation" else None
        if medium == "text" and not data.text:
            raise Invalid("A text task needs `data.text`.")
        ontology = self._plan.ontology
        if given.ontology:
            ontology = {**EMPTY, **given.ontology}
            check_ontology(ontology)
        body = TaskBody(
            TaskData(medium, text=data.text, conversation=talk, name=data.name, context=data.context),
            name=given.name or "",
            unique_id=given.unique_id or "",
            tags=given.tags or None,
            metadata=given.metadata,
            ontology=with_defaults(ontology) if given.ontology else None,
            error=(given.error or "")[:_WORDS_MOST],
        )
        check_body(body, ontology)
        if not -1000 <= given.priority <= 1000:
            raise Invalid("`priority` must be -1,000 to 1,000.")
        _check(data.prelabels, "data.prelabels")
        body.data.prelabels = data.prelabels
        if data.image is not None:
            body.data.image = await self._image(data.image.asset)
        for one in data.references:
            await self._image(one.asset)
            body.data.references = [*body.data.references, {"asset": one.asset, "name": one.name[:500]}]
        return body

    async def _image(self, asset: str) -> dict[str, Any]:
        return await image_here(self._db, self._actor, self._plan.org_id, asset, self._images)

    async def _batch(self, given: ExportedTask) -> _Place | None:
        """The batch that the line names."""
        name = given.batch
        if not name:
            return None
        if name not in self._batches:
            try:
                self._batches[name] = await self._named(name)
            except Trouble as err:
                self._batches[name] = err
        found = self._batches[name]
        if isinstance(found, Trouble):
            raise found
        if given.state == "open" and found[1] in ("completed", "cancelled"):
            raise Conflict(f"The batch '{name[:100]}' is {found[1]}, so it takes no task that is still to be done.")
        return found

    async def _named(self, name: str) -> _Place:
        async with self._db.tx(self._plan.org_id, self._actor) as tx:
            try:
                row = await batch_row_named(tx, name)
            except NoSuchBatch:
                made = await create_batch(tx, self._plan.project, BatchBody(name))
                return made.id, made.state, made.priority
            if row["project_id"] != self._plan.project:
                raise Conflict(f"The batch '{name[:100]}' is one of another project.")
            return row["batch_id"], row["state"], row["priority"]

    # --- rows

    def _take(
        self, rows: _Rows, number: int, given: ExportedTask, body: TaskBody, place: _Place | None, seal: Seal
    ) -> None:
        plan, task, batch = self._plan, new_id(), place[0] if place else None
        unique = seal.mac("unique", body.unique_id) if body.unique_id else None
        if unique is not None and unique in rows.uniques:
            raise Conflict(f"The unique_id is used on line {rows.uniques[unique]} already.")
        row = {"org": plan.org_id, "task": task, "project": plan.project}
        answers, result = _answers(given, row, seal)
        reviews = [_review(one, row, seal) for one in _few(given.reviews, "reviews")]
        sealed = seal.shut(body, At("task", task, plan.project))
        done = given.state == "done"
        rows.tasks.append(row | {
            "batch": batch, "state": "todo" if given.state == "open" else given.state, "priority": given.priority,
            "review": "pending" if done else None, "unique_mac": unique, "body": sealed, "result": result,
            "tokens": name_tokens(seal, body.name, body.tags) if body.name or body.tags else None,
            "labels": len(given.result or ()), "callback": plan.default_callback and given.state == "open",
            "completed_at": datetime.now(UTC) if done else None,
        })  # fmt: skip
        if given.state == "open":
            held = plan.state == "held" or (place is not None and place[1] in ("staging", "paused"))
            rank = -(given.priority or (place[2] if place is not None else 0))
            plan.ahead = plan.ahead or rank < 0
            rows.queue.append(row | {
                "batch": batch, "state": "held" if held else "open", "rank": rank, "overlap": plan.overlap,
            })  # fmt: skip
        rows.answers += answers
        rows.reviews += reviews
        rows.lines[task] = number
        if unique is not None:
            rows.uniques[unique] = number

    async def _clashes(self, tx: Tx, rows: _Rows) -> None:
        """Takes those out whose unique_id is in use."""
        taken = await _HOLDERS.all(tx, org=self._plan.org_id, macs=list(rows.uniques))
        holders = {bytes(row["unique_mac"]): row["task_id"] for row in taken}
        gone = {row["task"]: holders[row["unique_mac"]] for row in rows.tasks if row["unique_mac"] in holders}
        for task, holder in gone.items():
            words = f"The unique_id is used by task {holder} already."
            rows.faults.append(ImportFault(rows.lines[task], "conflict", words))
        for kind in ("tasks", "queue", "answers", "reviews"):
            setattr(rows, kind, [row for row in getattr(rows, kind) if row["task"] not in gone])


def _few(given: list[Any], what: str) -> list[Any]:
    if len(given) > ANSWERS_MOST:
        raise Invalid(f"It has more than {ANSWERS_MOST:,} {what}.")
    return given


def _check(annotations: list[dict[str, Any]], where: str) -> None:
    """Each must be what its kind says. Not all need to fit the ontology of today: they were given under one of its versions."""
    if len(annotations) > ANNOTATIONS_MAX:
        raise Invalid(f"`{where}` has more than {ANNOTATIONS_MAX:,} annotations.")
    ids: set[str] = set()
    for n, one in enumerate(annotations):
        try:
            check_annotation(one)
        except Invalid as err:
            path = ".".join(filter(None, (f"{where}[{n}]", err.errors[0]["path"] if err.errors else "")))
            raise Invalid(f"{path}: {err.errors[0]['detail'] if err.errors else err.message}") from err
        if one["id"] in ids:
            raise Invalid(f"{where}[{n}].id is used twice.")
        ids.add(one["id"])


def _seconds(given: float) -> float:
    if not 0 <= given <= _SECONDS_MOST:
        raise Invalid(f"`seconds` must be 0 to {_SECONDS_MOST:,.0f}.")
    return given


def _past(at: datetime) -> datetime:
    """No answer is of tomorrow, whatever its file says."""
    return min(at, datetime.now(UTC))


def _answers(given: ExportedTask, row: dict[str, Any], seal: Seal) -> tuple[list[dict[str, Any]], str | None]:
    """The rows of a task's answers, and the id of the one that stands."""
    out: list[dict[str, Any]] = []
    standing: str | None = None
    for n, one in enumerate(_few(given.answers, "answers")):
        _check(one.annotations, f"answers[{n}].annotations")
        counts = given.state != "open" or one.state not in ("current", "extra")
        out.append(_answer(one, row, seal, one.state if counts else "superseded"))
        if (
            given.result is not None
            and one.annotations == given.result
            and (standing is None or one.state == "current")
        ):
            standing = out[-1]["answer"]
    if given.result is not None and given.state != "open" and standing is None:
        _check(given.result, "result")
        made = ExportedAnswer("", "", "machine", "current", datetime.now(UTC), given.result)
        out.append(_answer(made, row, seal, "current"))
        standing = out[-1]["answer"]
    return out, standing


def _answer(one: ExportedAnswer, row: dict[str, Any], seal: Seal, state: str) -> dict[str, Any]:
    answer = new_id()
    body = AnswerBody(one.annotations, one.by[:_NAME_MOST])
    return row | {
        "answer": answer, "origin": one.origin, "state": state, "late": one.late, "seconds": _seconds(one.seconds),
        "labels": len(one.annotations), "classes": class_tokens(seal, {"annotations": one.annotations}),
        "at": _past(one.submitted_at), "body": seal.shut(body, At("answer", answer, row["project"])),
    }  # fmt: skip


def _review(one: ExportedReview, row: dict[str, Any], seal: Seal) -> dict[str, Any]:
    review = new_id()
    words = {"comment": one.comment[:_WORDS_MOST], "by": one.by[:_NAME_MOST]}
    body = words | ({"errors": one.errors} if one.errors else {})
    return row | {
        "review": review, "source": one.source, "decision": one.decision, "seconds": _seconds(one.seconds),
        "at": _past(one.at), "body": seal.shut(body, At("review", review, row["project"])),
    }  # fmt: skip
