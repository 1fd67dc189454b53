"""Tasks on their way in: what every door asks of them, and how they are written."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from evenhand.features.assets import actions as assets
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects.batches import NoSuchBatch, batch_row, share_gates
from evenhand.features.tasks import store
from evenhand.features.tasks.types import NewTask, TaskBody, TaskCreated, TaskData, TaskInput
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.fetch import check_callback, check_url
from evenhand.infra.ids import new_id
from evenhand.infra.jobs import enqueue
from evenhand.infra.seal import At, Seal
from evenhand.pure.answers import check_answer
from evenhand.pure.ontology import EMPTY, check_ontology, with_defaults
from evenhand.pure.trouble import Conflict, Invalid

METADATA_MOST = 10_240
CONTEXT_MOST = 100_000
TAGS_MOST = 5
TEXT_MOST = 2_000_000
NAME_WORDS = 16
FETCH_TRIES = 4
WORD = re.compile(r"\w+")


class UniqueIdTaken(Conflict):
    """Another task has this unique_id. `holder` is its id."""

    hint = "The task is there already; read it instead."

    def __init__(self, unique_id: str, holder: str) -> None:
        super().__init__(f'The unique_id ("{unique_id}") is already used for a different task ({holder}).')
        self.holder = holder


@dataclass(slots=True)
class Fetch:
    """A file that a job must bring before the task can be worked on. `use`: image, text or reference."""

    url: str
    use: str
    name: str = ""  # of a reference: what the annotator reads


@dataclass(slots=True)
class Adding:
    """A task on its way in, already translated and checked by its door."""

    project: Any
    body: TaskBody
    batch: Any | None = None
    kind: str = "native"
    purpose: str = "work"
    judged: bool = False  # a gold task of reviewers: it brings an answer that is to be judged
    priority: int = 0
    overlap: int | None = None
    fetches: list[Fetch] = field(default_factory=list[Fetch])
    finished: bool = False


def name_tokens(seal: Seal, name: str, tags: list[str] | None) -> list[int] | None:
    """The blind index of a task: its tags and the words of its name."""
    words = [seal.token("word", w.lower()) for w in dict.fromkeys(WORD.findall(name))][:NAME_WORDS]
    out = words + [seal.token("tag", tag) for tag in dict.fromkeys(tags or ())]
    return out or None


def check_tags(tags: list[str]) -> None:
    if len(tags) > TAGS_MOST:
        raise Invalid(f"A task has at most {TAGS_MOST} tags.")
    if any(not 1 <= len(tag) <= 200 for tag in tags):
        raise Invalid("A tag has 1 to 200 characters.")


def check_body(body: TaskBody, ontology: dict[str, Any]) -> None:
    """What every door asks of a task, whatever it calls the parts."""
    if len(msgspec.json.encode(body.metadata)) > METADATA_MOST:
        raise Invalid("`metadata` is larger than 10 KB.")
    if body.tags is not None:
        check_tags(body.tags)
    if len(body.unique_id) > 500 or len(body.name) > 500:
        raise Invalid("`unique_id` and `name` have at most 500 characters.")
    if body.data.text is not None and len(body.data.text) > TEXT_MOST:
        raise Invalid(f"The text is longer than {TEXT_MOST:,} characters.")
    if len(body.data.context) > CONTEXT_MOST:
        raise Invalid(f"`context` is longer than {CONTEXT_MOST:,} characters.")
    if "\0" in body.unique_id or "\0" in body.name:
        raise Invalid("Names must not contain a zero character.")
    if body.callback_url:
        check_callback(body.callback_url)
    if body.data.prelabels:
        check_answer({"annotations": body.data.prelabels}, ontology, msgspec.to_builtins(body.data), complete=False)


async def add_task(tx: Tx, new: Adding) -> str:
    """Writes the task, its queue row and what must be fetched. Returns the task's id."""
    require(tx, Verb.WRITE)
    project = new.project
    if project["state"] == "archived":
        raise Conflict("This project is archived.", hint="Make it active again first.")
    if new.batch is not None and new.batch["state"] in ("completed", "cancelled"):
        raise Conflict(f"This batch is {new.batch['state']}, so it takes no further tasks.")
    task = new_id()
    body = new.body
    unique_mac = tx.seal.mac("unique", body.unique_id) if body.unique_id else None
    if unique_mac is not None:
        await tx.conn.execute("select pg_advisory_xact_lock($1)", int.from_bytes(unique_mac[:8], "big", signed=True))
        holder = await store.UNIQUE_HOLDER.value(tx, org=tx.org_id, unique_mac=unique_mac)
        if holder is not None:
            raise UniqueIdTaken(body.unique_id, holder)
    batch = new.batch["batch_id"] if new.batch is not None else None
    await store.TASK_ADD.run(
        tx,
        org=tx.org_id,
        task=task,
        project=project["project_id"],
        batch=batch,
        kind=new.kind,
        purpose=new.purpose,
        state="done" if new.finished else "todo",
        priority=new.priority,
        review="pending" if new.finished else None,
        unique_mac=unique_mac,
        tokens=name_tokens(tx.seal, body.name, body.tags),
        callback=bool(body.callback_url or projects.body_of(tx, project).callback_url),
        completed_at=datetime.now(UTC) if new.finished else None,
        body=tx.seal.shut(body, At("task", task, project["project_id"])),
    )
    if new.purpose != "work":
        await _gold(tx, task, new)
    elif not new.finished:
        await _queue(tx, task, new, batch)
    await record(tx, TaskCreated(task, project["project_id"], new.priority))
    return task


async def _queue(tx: Tx, task: str, new: Adding, batch: str | None) -> None:
    project = new.project
    pilot = False
    stage, batch_state = "live", "in_progress"
    if batch is not None or project["stage"] == "pilot":  # no project goes back to its pilot
        stage, batch_state = await share_gates(tx, project["project_id"], batch)
    if stage == "pilot":
        count = await store.PILOT_COUNT.value(
            tx, org=tx.org_id, project=project["project_id"], most=projects.PILOT_SIZE
        )
        pilot = count < projects.PILOT_SIZE
    held = (stage == "pilot" and not pilot) or batch_state in ("staging", "paused")
    priority = new.priority or (new.batch["priority"] if new.batch is not None else 0)
    await store.QUEUE_ADD.run(
        tx,
        org=tx.org_id,
        task=task,
        project=project["project_id"],
        batch=batch,
        state="fetching" if new.fetches else "held" if held else "open",
        rank=-priority,
        overlap=new.overlap or project["overlap"],
        pilot=pilot,
    )
    if priority > 0:
        # it opened further up the queue: nobody may skip past it
        await projects.store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[project["project_id"]])
    await _fetch(tx, task, new)


async def _gold(tx: Tx, task: str, new: Adding) -> None:
    """A task with a known answer is not queued: it is found beside the live work."""
    project = new.project["project_id"]
    await projects.store.PROJECT_GOLD.run(tx, org=tx.org_id, project=project, share=None, pass_mark=None)
    await store.GOLD_ADD.run(
        tx,
        org=tx.org_id,
        task=task,
        project=project,
        purpose=new.purpose,
        role="review" if new.judged else "label",
        state="fetching" if new.fetches else "open",
    )
    await _fetch(tx, task, new)


async def _fetch(tx: Tx, task: str, new: Adding) -> None:
    if new.fetches:
        wanted = [
            {"asset": await assets.expect_file(tx, fetch.url), "url": fetch.url, "use": fetch.use, "name": fetch.name}
            for fetch in new.fetches
        ]
        await enqueue(tx, "tasks.fetch", {"task": task, "fetches": wanted}, most=FETCH_TRIES)


async def create_task(tx: Tx, project: str, new: NewTask) -> str:
    """A native task."""
    row = await projects.row_of(tx, project)
    batch = await batch_row(tx, new.batch) if new.batch else None
    if batch is not None and batch["project_id"] != project:
        raise NoSuchBatch("This batch belongs to another project.")
    if not -1000 <= new.priority <= 1000:
        raise Invalid("`priority` must be -1,000 to 1,000.")
    ontology = projects.version_of(tx, row).ontology
    if new.ontology is not None:
        own = {**EMPTY, **new.ontology}
        check_ontology(own)
        ontology = new.ontology = with_defaults(own)
    data, fetches = await take_input(tx, row["medium"], new.data)
    data.name = new.name
    body = TaskBody(
        data,
        name=new.name or (new.data.image_url or "").rsplit("/", 1)[-1].split("?", 1)[0][:200],
        unique_id=new.unique_id,
        tags=new.tags,
        metadata=new.metadata,
        ontology=new.ontology,
        callback_url=new.callback_url,
    )
    check_body(body, ontology)
    return await add_task(tx, Adding(row, body, batch, priority=new.priority, fetches=fetches))


async def take_input(tx: Tx, medium: str, given: TaskInput) -> tuple[TaskData, list[Fetch]]:
    """The data of a task from what a customer sent, and what must be fetched for it."""
    data = TaskData(medium, prelabels=given.prelabels, context=given.context)
    check_input(medium, given)
    if medium == "image":
        if given.asset is not None:
            data.image = await image_of(tx, given.asset)
            return data, []
        if given.image_url is None:
            raise Invalid("An image task needs `image_url` or `asset`.", hint="Upload files at /api/v1/assets.")
        check_url(given.image_url)
        return data, [Fetch(given.image_url, "image")]
    if medium == "text":
        if given.text is None or given.text == "":
            raise Invalid("A text task needs `text`.")
        data.text = given.text
    elif medium == "conversation":
        data.conversation = check_conversation(given.conversation)
    else:
        data.text = given.text
    return data, []


_SHOWS = {"image": ("image_url", "asset"), "text": ("text",), "conversation": ("conversation",), "none": ("text",)}


def check_input(medium: str, given: TaskInput) -> None:
    """What the medium cannot show would be dropped in silence."""
    for name in ("image_url", "asset", "text", "conversation"):
        if getattr(given, name) is not None and name not in _SHOWS[medium]:
            raise Invalid(f"A task of a project with the medium '{medium}' has no place for `data.{name}`.")


async def image_of(tx: Tx, asset: str) -> dict[str, Any]:
    """The `image` of a task's data for a file that is here."""
    row = await assets.get_row(tx, asset)
    if row["state"] != "ready" or not row["width"]:
        raise Invalid(assets.body_of(tx, row).error or "This file is not a picture.")
    name = assets.body_of(tx, row).name
    return {"asset": asset, "width": row["width"], "height": row["height"], "type": row["media_type"], "name": name}


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    text: str


class _Reply(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    id: str
    text: str
    title: str = ""


class _Conversation(msgspec.Struct, forbid_unknown_fields=True):
    messages: list[_Message] = []
    answers: list[_Reply] = []


def check_conversation(given: dict[str, Any] | None) -> dict[str, Any]:
    if given is None:
        raise Invalid("A conversation task needs `conversation`.")
    try:
        talk = msgspec.convert(given, _Conversation)
    except msgspec.ValidationError as err:
        raise Invalid(f"`conversation` is not right: {err}") from err
    if not talk.messages and not talk.answers:
        raise Invalid("`conversation` needs messages or answers.")
    ids = [reply.id for reply in talk.answers]
    if len(set(ids)) != len(ids) or any(not 1 <= len(i) <= 64 for i in ids):
        raise Invalid("The ids of the answers must be different, 1 to 64 characters each.")
    if sum(len(m.text) for m in talk.messages) + sum(len(a.text) for a in talk.answers) > TEXT_MOST:
        raise Invalid(f"The conversation is longer than {TEXT_MOST:,} characters.")
    return msgspec.to_builtins(talk)
