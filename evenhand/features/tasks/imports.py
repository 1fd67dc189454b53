"""Bulk import: lines in, rows copied. A chunk of lines is one transaction and is remembered under the customer's import
key, so an import that broke off is sent again from any line and nothing is doubled."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.tasks import store
from evenhand.features.tasks.adding import (
    FETCH_TRIES,
    Fetch,
    check_body,
    check_conversation,
    check_input,
    image_of,
    name_tokens,
)
from evenhand.features.tasks.types import ImportFault, ImportReport, NewTask, TaskBody, TaskData, TasksImported
from evenhand.infra.access import commitment
from evenhand.infra.db import Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.fetch import check_url
from evenhand.infra.ids import new_id, new_ids
from evenhand.infra.seal import At, Seal
from evenhand.pure.ontology import EMPTY, check_ontology, with_defaults
from evenhand.pure.trouble import Conflict, Invalid, Missing, Trouble

CHUNK = 5_000
MOST_FAULTS = 1_000
_BOM = b"\xef\xbb\xbf"
_decoder = msgspec.json.Decoder(NewTask)
STAGED = ("task_id", "state", "priority", "unique_mac", "tokens", "callback", "body")
_PRIORITY = STAGED.index("priority")
STAGE = """create temporary table if not exists evenhand_stage_task (
    task_id text, state text, priority smallint, unique_mac bytea, tokens bigint[], callback boolean, body bytea
) on commit delete rows"""
INSERT_TASKS = """insert into evenhand.task (org_id, task_id, project_id, batch_id, kind, priority, unique_mac, tokens,
                                              callback, body)
    select $1, s.task_id, $2, $3, 'native', s.priority, s.unique_mac, s.tokens, s.callback, s.body
      from pg_temp.evenhand_stage_task s order by s.task_id"""
INSERT_QUEUE = """insert into evenhand.queue (org_id, task_id, project_id, batch_id, state, rank, overlap, pilot)
    select $1, s.task_id, $2, $3, s.state, -case when s.priority <> 0 then s.priority else $6 end, $4, $5
      from pg_temp.evenhand_stage_task s order by s.task_id"""
_CLASHES = """select s.task_id, t.task_id as holder from pg_temp.evenhand_stage_task s
      join evenhand.task t on t.org_id = $1 and t.unique_mac = s.unique_mac"""


@dataclass(slots=True)
class Plan:
    """Where the lines go."""

    org_id: str
    project: str
    batch: str | None
    state: str
    medium: str
    overlap: int
    ontology: dict[str, Any]
    default_callback: bool
    pilot: bool
    priority: int  # the batch's, for lines that give none
    ahead: bool = False  # some go before what was in the queue


@dataclass(slots=True)
class _Chunk:
    """Lines that are ready to be copied."""

    rows: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    lines: list[int] = field(default_factory=list[int])
    uniques: dict[bytes, int] = field(default_factory=dict[bytes, int])
    fetches: list[tuple[str, list[Fetch]]] = field(default_factory=list[tuple[str, list[Fetch]]])
    faults: list[ImportFault] = field(default_factory=list[ImportFault])


class _Remembered(msgspec.Struct):
    """What a chunk came to, and which lines it had for which batch (their MAC)."""

    report: ImportReport
    lines: bytes


#: what came of a chunk, and its tasks with their priorities
Came = tuple[ImportReport, list[tuple[str, int]]]
Work = Callable[[Tx, Seal], Awaitable[Came]]


class ImportKeyReused(Conflict):
    hint = "Use a fresh import key for other content. What was imported under this one stays."


async def import_lines(
    db: Database,
    org_id: str,
    actor: Actor,
    project: str,
    lines: AsyncIterator[list[bytes]],
    *,
    batch: str | None = None,
    key: str = "",
    first_line: int = 1,
) -> ImportReport:
    """Imports chunks of NDJSON lines. Every bad line is reported with its number; the rest is imported.

    `first_line` is the number of the first line in the customer's file, so that a resumed import reports and remembers
    the same numbers."""
    plan = await plan_import(db, org_id, actor, project, batch)
    report = ImportReport()
    at = first_line
    async for chunk in lines:
        await _import_chunk(db, actor, plan, chunk, at, key, report)
        at += len(chunk)
    await open_held(db, actor, plan)
    return report


async def open_held(db: Database, actor: Actor, plan: Plan) -> None:
    """What tasks were held for may have come meanwhile; and nobody may skip past those that opened further up the queue."""
    if plan.pilot:
        async with db.tx(plan.org_id, actor) as tx:
            await store.PILOT_FILL.run(tx, org=plan.org_id, project=plan.project, most=projects.PILOT_SIZE)
    if plan.state == "held":
        async with db.tx(plan.org_id, actor) as tx:
            await projects.store.QUEUE_OPEN.run(tx, org=plan.org_id, batch=plan.batch, project=plan.project)
    if plan.ahead or plan.state == "held":
        async with db.tx(plan.org_id, actor) as tx:
            await projects.store.CURSORS_RESET.run(tx, org=plan.org_id, projects=[plan.project])


async def plan_import(db: Database, org_id: str, actor: Actor, project: str, batch: str | None) -> Plan:
    async with db.tx(org_id, actor) as tx:
        require(tx, Verb.WRITE)
        row = await projects.row_of(tx, project)
        if row["state"] == "archived":
            raise Conflict("This project is archived.", hint="Make it active again first.")
        state, priority = "open", 0
        if batch is not None:
            found = await store.BATCH_FOR_IMPORT.maybe(tx, org=org_id, batch=batch)
            if found is None or found["project_id"] != project:
                raise Missing("There is no such batch in this project.")
            if found["state"] in ("completed", "cancelled"):
                raise Conflict(f"This batch is {found['state']}, so it takes no further tasks.")
            state, priority = "open" if found["state"] == "in_progress" else "held", found["priority"]
        if row["stage"] == "pilot":
            state = "held"
        return Plan(
            org_id,
            project,
            batch,
            state,
            row["medium"],
            row["overlap"],
            projects.version_of(tx, row).ontology,
            bool(projects.body_of(tx, row).callback_url),
            row["stage"] == "pilot",
            priority,
        )


async def _import_chunk(
    db: Database, actor: Actor, plan: Plan, lines: list[bytes], first: int, key: str, report: ImportReport
) -> None:
    async def work(tx: Tx, seal: Seal) -> Came:
        return await _copy(tx, plan, await _read(db, actor, plan, lines, first, seal))

    await once(db, actor, plan, [(plan.batch or "").encode(), *lines], first, key, report, work)


async def once(
    db: Database, actor: Actor, plan: Plan, lines: list[bytes], first: int, key: str, report: ImportReport, work: Work
) -> None:
    """A chunk of lines, taken in by `work` in a transaction of the loader, once for each key; what came of it goes to `report`."""
    seal = await db.seal(plan.org_id, plan.project)
    key_mac = seal.mac("import", key) if key else b""
    place = At("import_chunk", f"{key_mac.hex()}/{first}", plan.project)
    lines_mac = seal.mac("import-lines", b"\n".join(lines)) if key else b""
    async with db.tx(plan.org_id, actor, role="loader") as tx:
        if key:
            lock = int.from_bytes(seal.mac("import-lock", f"{plan.project}/{key}")[:8], "big", signed=True)
            await tx.conn.execute("select pg_advisory_xact_lock($1)", lock)
            done = await store.CHUNK_GET.value(tx, org=plan.org_id, project=plan.project, key=key_mac, first=first)
            if done is not None:
                remembered = seal.open_as(done, _Remembered, place)
                if remembered.lines != lines_mac:
                    raise ImportKeyReused(f"Other lines were imported under this key already, from line {first} on.")
                before = remembered.report
                report.repeated += before.created + before.repeated
                report.failed += before.failed
                report.errors.extend(before.errors[: MOST_FAULTS - len(report.errors)])
                return
        mine, came = await work(tx, seal)
        if key:
            await store.CHUNK_ADD.run(
                tx, org=plan.org_id, project=plan.project, key=key_mac, first=first,
                body=seal.shut(_Remembered(mine, lines_mac), place),
            )  # fmt: skip
        priorities = {str(priority): count for priority, count in Counter(p for _, p in came).items()}
        objects = commitment(f"{task} {priority}" for task, priority in came)
        await record(tx, TasksImported(plan.project, mine.created, mine.failed, priorities, objects))
    report.created += mine.created
    report.failed += mine.failed
    report.errors.extend(mine.errors[: MOST_FAULTS - len(report.errors)])


def fault_of(number: int, err: Exception) -> ImportFault:
    """What is wrong with a line. Raises `err` again where the line is not to blame."""
    if isinstance(err, msgspec.ValidationError):
        return ImportFault(number, "invalid", str(err)[:300])
    if isinstance(err, msgspec.DecodeError):
        words = str(err).removeprefix("JSON is malformed: ")[:300]
        return ImportFault(number, "invalid", f"It is not JSON: {words}.")
    if isinstance(err, UnicodeError):
        return ImportFault(number, "invalid", "It is not UTF-8 text.")
    if isinstance(err, RecursionError):
        return ImportFault(number, "invalid", "It is nested too deeply.")
    if isinstance(err, Trouble):
        return ImportFault(number, err.code, err.message[:300])
    raise err


async def _read(db: Database, actor: Actor, plan: Plan, lines: list[bytes], first: int, seal: Seal) -> _Chunk:
    """Checks and translates lines. Assets that lines name are looked up in a transaction of their own."""
    out = _Chunk()
    ids = iter(new_ids(len(lines)))
    started = time.monotonic()
    images: dict[str, dict[str, Any] | Trouble] = {}
    for number, line in enumerate(lines, start=first):
        task = next(ids)
        if number == 1:
            line = line.removeprefix(_BOM)
        if not line.strip():
            continue
        try:
            given = _decoder.decode(line)
            body, fetches = _translate(plan, given)
            if given.data.asset is not None and plan.medium == "image":
                body.data.image = await image_here(db, actor, plan.org_id, given.data.asset, images)
            _take(plan, out, number, task, given, body, fetches, seal)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, Trouble) as err:
            out.faults.append(fault_of(number, err))
    if time.monotonic() - started > 30:
        raise Invalid("These lines take too long to read.", hint="Send smaller lines.")
    return out


async def image_here(
    db: Database, actor: Actor, org_id: str, asset: str, seen: dict[str, dict[str, Any] | Trouble]
) -> dict[str, Any]:
    found = seen.get(asset)
    if found is None:
        async with db.tx(org_id, actor) as tx:
            try:
                found = await image_of(tx, asset)
            except Trouble as err:
                found = err
        seen[asset] = found
    if isinstance(found, Trouble):
        raise found
    return found


def _translate(plan: Plan, given: NewTask) -> tuple[TaskBody, list[Fetch]]:
    if given.batch is not None and given.batch != plan.batch:
        raise Invalid("It names another batch than the import does: an import goes into one batch, or into none.")
    check_input(plan.medium, given.data)
    data = TaskData(plan.medium, name=given.name, prelabels=given.data.prelabels, context=given.data.context)
    fetches: list[Fetch] = []
    if plan.medium == "text":
        if not given.data.text:
            raise Invalid("A text task needs `data.text`.")
        data.text = given.data.text
    elif plan.medium == "image":
        if given.data.asset is None:
            if given.data.image_url is None:
                raise Invalid("An image task needs `data.image_url` or `data.asset`.")
            check_url(given.data.image_url)
            fetches.append(Fetch(given.data.image_url, "image"))
    elif plan.medium == "conversation":
        data.conversation = check_conversation(given.data.conversation)
    else:
        data.text = given.data.text
    body = TaskBody(
        data,
        name=given.name,
        unique_id=given.unique_id,
        tags=given.tags,
        metadata=given.metadata,
        callback_url=given.callback_url,
    )
    ontology = plan.ontology
    if given.ontology is not None:
        own = {**EMPTY, **given.ontology}
        check_ontology(own)
        ontology = body.ontology = with_defaults(own)
    if not -1000 <= given.priority <= 1000:
        raise Invalid("`priority` must be -1,000 to 1,000.")
    check_body(body, ontology)
    return body, fetches


def _take(
    plan: Plan, out: _Chunk, number: int, task: str, given: NewTask, body: TaskBody, fetches: list[Fetch], seal: Seal
) -> None:
    sealed = seal.shut(
        body, At("task", task, plan.project)
    )  # first: it may refuse the body, and then the line has taken nothing
    unique = None
    if body.unique_id:
        unique = seal.mac("unique", body.unique_id)
        if unique in out.uniques:
            raise Conflict(f"The unique_id is used on line {out.uniques[unique]} already.")
        out.uniques[unique] = number
    tokens = name_tokens(seal, body.name, body.tags) if body.name or body.tags else None
    state = "fetching" if fetches else plan.state
    callback = plan.default_callback or bool(body.callback_url)
    out.rows.append((task, state, given.priority, unique, tokens, callback, sealed))
    out.lines.append(number)
    if fetches:
        out.fetches.append((task, fetches))


async def _copy(tx: Tx, plan: Plan, chunk: _Chunk) -> Came:
    """COPY into the stage, then into the tables under their policies. What came of it, and the tasks with their priorities."""
    conn = tx.conn
    await conn.execute(STAGE)
    await conn.execute("delete from pg_temp.evenhand_stage_task")
    await conn.copy_records_to_table("evenhand_stage_task", schema_name="pg_temp", records=chunk.rows, columns=STAGED)
    gone: set[str] = set()
    if chunk.uniques:
        by_task = {row[0]: line for row, line in zip(chunk.rows, chunk.lines, strict=True)}
        for clash in await conn.fetch(_CLASHES, tx.org_id):
            gone.add(clash["task_id"])
            chunk.faults.append(
                ImportFault(
                    by_task[clash["task_id"]], "conflict", f"The unique_id is used by task {clash['holder']} already."
                )
            )
        if gone:
            await conn.execute("delete from pg_temp.evenhand_stage_task where task_id = any($1::text[])", list(gone))
    await conn.execute(INSERT_TASKS, tx.org_id, plan.project, plan.batch)
    await conn.execute(INSERT_QUEUE, tx.org_id, plan.project, plan.batch, plan.overlap, False, plan.priority)
    for task, fetches in chunk.fetches:
        if task not in gone:
            await _expect(tx, task, fetches)
    faults = sorted(chunk.faults, key=lambda f: f.line)
    came = [(row[0], row[_PRIORITY]) for row in chunk.rows if row[0] not in gone]
    plan.ahead = plan.ahead or any((priority or plan.priority) > 0 for _, priority in came)
    return ImportReport(len(came), 0, len(faults), faults[:MOST_FAULTS]), came


async def _expect(tx: Tx, task: str, fetches: list[Fetch]) -> None:
    wanted: list[dict[str, str]] = []
    for fetch in fetches:
        asset = new_id()
        await tx.conn.execute(
            "insert into evenhand.asset (org_id, asset_id, state, body) values ($1, $2, 'fetching', $3)",
            tx.org_id,
            asset,
            tx.seal.shut(
                {"name": fetch.url.rsplit("/", 1)[-1].split("?", 1)[0][:200], "source": fetch.url}, At("asset", asset)
            ),
        )
        wanted.append({"asset": asset, "url": fetch.url, "use": fetch.use})
    job = new_id()
    await tx.conn.execute(
        """insert into evenhand.job (org_id, job_id, kind, most, body) values ($1, $2, 'tasks.fetch', $3, $4)""",
        tx.org_id,
        job,
        FETCH_TRIES,
        tx.seal.shut({"task": task, "fetches": wanted}, At("job", job)),
    )
