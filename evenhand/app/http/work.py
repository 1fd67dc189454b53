"""The annotator's and reviewer's routes. `next` and `submit` are the hot ones."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import once, route
from evenhand.features.annotations import actions as annotations
from evenhand.features.annotations.types import Submitted
from evenhand.features.assets.marking import shown_line
from evenhand.features.contracts.walls import admit
from evenhand.features.people.actions import role_in, session_shown
from evenhand.features.people.rules import CUSTOMER_ROLES
from evenhand.features.projects import actions as projects
from evenhand.features.reviews import actions as reviews
from evenhand.features.reviews import progress
from evenhand.features.reviews.types import Instructions, Notice, Verdict
from evenhand.features.tasks import holding, leases
from evenhand.features.tasks.leases import Assignment, handle_of, split_handle
from evenhand.features.tasks.types import Empty
from evenhand.infra.access import ids_in, shown
from evenhand.infra.db import Actor, Database, Tx
from evenhand.infra.seal import KEYLESS
from evenhand.pure.trouble import Invalid, Missing

ANSWER_MOST = 64_000_000
DRAFT_MOST = holding.DRAFT_MOST
MOST_HANDLES = 20


class WantWork(msgspec.Struct):
    want: int = 1
    role: Literal["label", "review"] = "label"
    have: list[str] = []


class Work(msgspec.Struct, frozen=True):
    assignments: list[Assignment]
    empty: Empty | None


class Handles(msgspec.Struct):
    handles: list[str] = []
    csrf: str = ""


class Beats(msgspec.Struct, frozen=True):
    leases: dict[str, datetime | None]


class DraftIn(msgspec.Struct):
    version: int
    body: msgspec.Raw


class Answer(msgspec.Struct):
    annotations: list[dict[str, Any]]


class Submission(msgspec.Struct):
    key: str
    answer: Answer | None = None
    seconds: float = 0
    verdict: Verdict | None = None


class Skip(msgspec.Struct):
    reason: str
    comment: str = ""


class Ask(msgspec.Struct):
    text: str


class WorkProject(msgspec.Struct, frozen=True):
    id: str
    name: str
    medium: str
    role: str
    waiting: bool


class Today(msgspec.Struct, frozen=True):
    tasks: int
    paid_s: float


class Summary(msgspec.Struct, frozen=True):
    today: Today
    projects: list[WorkProject]


class Inbox(msgspec.Struct, frozen=True):
    items: list[Notice]


async def _actor(call: Call, org_id: str) -> Actor:
    """The person with their role in the space that a handle points to."""
    role = await role_in(call.db, org_id, call.actor.id)
    return replace(call.actor, role=role or "")


async def _heads(call: Call, role: str) -> list[Any]:
    """The queue heads of the person, as far as the session reaches."""
    return [row for row in await leases.heads_of(call.db, call.actor.id, role) if call.actor.may_enter(row["org_id"])]


@route("POST", "/work/next", who="person", body=WantWork, reply=Work, tx=False, desk=True)
async def next_work(call: Call) -> Any:
    """Lease the next tasks"""
    body: WantWork = call.body
    leased, empty = await leases.next_work(call.db, session_shown(call.session), body.role, body.want)
    if body.role == "review":
        leased = [await _with_review(call, one) for one in leased]
    else:
        leased = [await _with_own_answer(call, one) if one.message else one for one in leased]
    return Work(leased, empty)


async def _with_own_answer(call: Call, one: Assignment) -> Assignment:
    """A task that came back brings what its annotator had made of it."""
    org_id, _ = split_handle(one.handle)
    async with call.db.tx(org_id, await call.know()) as tx:
        return msgspec.structs.replace(one, answer=await annotations.own_answer(tx, one.task))


async def _with_review(call: Call, one: Assignment) -> Assignment:
    org_id, _ = split_handle(one.handle)
    async with call.db.tx(org_id, await call.know()) as tx:
        # not by the id that is shown: that of a gold task is made up
        view = await reviews.review_view(tx, (await leases.my_assignment(tx, split_handle(one.handle)[1]))["task_id"])
    first = next((a for a in view["answers"] if not a["extra"]), None)
    answer = {"annotations": first["annotations"]} if first is not None else None
    return msgspec.structs.replace(one, review=view, answer=answer)


@route("POST", "/work/heartbeat", who="person", body=Handles, reply=Beats, tx=False)
async def heartbeat(call: Call) -> Any:
    """Keep leases alive; null means lost"""
    out: dict[str, datetime | None] = dict.fromkeys(call.body.handles[:MOST_HANDLES])
    by_org: dict[str, list[str]] = {}
    for handle in out:
        try:
            org_id, assignment = split_handle(handle)
        except Missing:
            continue
        if call.actor.may_enter(org_id):
            by_org.setdefault(org_id, []).append(assignment)
    for org_id, mine in by_org.items():
        async with call.db.tx(org_id, call.actor, unproved=True) as tx:
            for assignment, until in (await holding.beat(tx, mine)).items():
                out[handle_of(org_id, assignment)] = until
    return Beats(out)


@route("POST", "/work/release", who="person", body=Handles, reply=dict[str, int], tx=False)
async def release(call: Call) -> Any:
    """Give leases back"""
    count = 0
    for handle in call.body.handles[:MOST_HANDLES]:
        try:
            org_id, assignment = split_handle(handle)
            if not call.actor.may_enter(org_id):
                continue
            async with call.db.tx(org_id, call.actor, unproved=True) as tx:
                count += await holding.release(tx, assignment)
        except (Missing, *KEYLESS):
            continue
    return {"released": count}


@route("GET", "/work/inbox", who="person", reply=Inbox, tx=False)
async def inbox(call: Call) -> Any:
    """What reviewers and customers told you"""
    items: list[Notice] = []
    for org_id in sorted({r["org_id"] for r in await _heads(call, "label")}):
        with suppress(*KEYLESS):  # one customer's keys keep nobody from the others
            items += await call.db.within(org_id, call.actor, _told)
    return Inbox(sorted(items, key=lambda n: n.at, reverse=True)[:50])


async def _told(tx: Tx) -> list[Notice]:
    told = await reviews.inbox(tx)
    if told:
        await shown(tx, "GET /work/inbox", ids_in(told))
    return told


@route("GET", "/work/summary", who="person", reply=Summary, tx=False)
async def summary(call: Call) -> Any:
    """Your day and your projects"""
    tasks, paid = 0, 0.0
    found: list[WorkProject] = []
    heads: dict[str, list[tuple[str, Any]]] = {}
    for role in ("label", "review"):
        for row in await _heads(call, role):
            heads.setdefault(row["org_id"], []).append((role, row))
    for org_id, rows in heads.items():
        with suppress(*KEYLESS):
            done, seconds, mine = await call.db.within(org_id, call.actor, partial(_day, rows))
            tasks, paid = tasks + done, paid + seconds
            found += mine
    return Summary(Today(tasks, paid), found)


async def _day(rows: list[tuple[str, Any]], tx: Tx) -> tuple[int, float, list[WorkProject]]:
    """Tasks done and seconds paid today for this customer, and the projects of the seats in `rows`."""
    done, seconds = await holding.today(tx)
    mine: list[WorkProject] = []
    for role, row in rows:
        project = await projects.row_of(tx, row["project_id"])
        name = projects.body_of(tx, project).name
        mine.append(WorkProject(row["project_id"], name, project["medium"], role, row["waiting"]))
    return done, seconds, mine


@route("GET", "/work/projects/{project}/instructions", who="person", reply=Instructions, tx=False)
async def instructions(call: Call) -> Any:
    """Instructions beside the work"""
    project = call.path("project")
    for role in ("label", "review"):
        for row in await _heads(call, role):
            if row["project_id"] == project:
                async with call.db.tx(row["org_id"], call.actor) as tx:
                    if await admit(tx, call.actor.id) is None:
                        return await _instructions(call.db, tx, project)
    # a customer who labels the pilot has a role instead of a seat
    org_id = call.request.headers.get("evenhand-org", "")
    actor = await _actor(call, org_id) if len(org_id) == 24 else call.actor
    if actor.role in CUSTOMER_ROLES:
        async with call.db.tx(org_id, actor) as tx:
            return await _instructions(call.db, tx, project)
    raise projects.NoSuchProject("There is no such project.")


async def _instructions(db: Database, tx: Tx, project: str) -> Instructions:
    found = await reviews.instructions(tx, project)
    await shown(tx, "GET /work/projects/{project}/instructions", [], project)
    return msgspec.structs.replace(found, viewer=await shown_line(db, tx))


@route("GET", "/work/{handle}", who="person", reply=Assignment, tx=False)
async def get_assignment(call: Call) -> Any:
    """Read a lease again"""
    org_id, assignment = split_handle(call.path("handle"))
    async with call.db.tx(org_id, call.actor, unproved=True) as tx:
        row = await leases.my_assignment(tx, assignment)
        view = await leases.read_assignment(call.db, tx, row)
        await shown(tx, "GET /work/{handle}", [row["task_id"]])
        if row["role"] == "review":
            return msgspec.structs.replace(view, review=await reviews.review_view(tx, row["task_id"]))
        answer = await annotations.earlier_answer(tx, row)
        return msgspec.structs.replace(view, answer=answer)


@route(
    "PUT", "/work/{handle}/draft", who="person", body=DraftIn, reply=dict[str, int], tx=False, most=DRAFT_MOST + 1_000
)
async def put_draft(call: Call) -> Any:
    """Autosave"""
    org_id, assignment = split_handle(call.path("handle"))
    if not 0 <= call.body.version < 2**31:
        raise Invalid("`version` must be a small whole number that grows.")
    async with call.db.tx(org_id, call.actor, unproved=True) as tx:
        return {"version": await holding.save_draft(tx, assignment, call.body.version, bytes(call.body.body))}


@route(
    "POST",
    "/work/{handle}/submit",
    who="person",
    body=Submission,
    reply=Submitted,
    tx=False,
    most=ANSWER_MOST,
    desk=True,
)
async def submit(call: Call) -> Any:
    """Submit an answer or a review"""
    body: Submission = call.body
    handle = call.path("handle")
    answer = {"annotations": body.answer.annotations} if body.answer is not None else None
    if body.verdict is not None:
        org_id, assignment = split_handle(handle)
        async with call.db.tx(org_id, await call.know(), unproved=True) as tx:
            return await reviews.submit_review(tx, assignment, body.key, body.verdict, answer, body.seconds)
    if answer is None:
        raise Invalid("`answer` is missing.")
    try:
        return await annotations.submit(call.db, session_shown(call.session), handle, body.key, answer, body.seconds)
    except leases.NoSuchLease:
        org_id, assignment = split_handle(handle)
        await call.know()
        actor = await _actor(call, org_id)
        async with call.db.tx(org_id, actor, unproved=True) as tx:
            row = await leases.my_assignment(tx, assignment)
            if row["role"] != "pilot":
                raise
            await progress.pilot_submit(tx, assignment, body.key, answer, body.seconds)
        return Submitted("submitted", False, False, None, 0)


@route("POST", "/work/{handle}/skip", who="person", body=Skip, reply=dict[str, str], tx=False)
async def skip(call: Call) -> Any:
    """Skip a task with a reason"""
    org_id, assignment = split_handle(call.path("handle"))
    async with call.db.tx(org_id, call.actor, unproved=True) as tx:
        await holding.skip(tx, assignment, call.body.reason, call.body.comment)
    return {"state": "skipped"}


@route("POST", "/work/{handle}/recall", who="person", reply=Assignment, tx=False)
async def recall(call: Call) -> Any:
    """Call the last submission back"""
    org_id, assignment = split_handle(call.path("handle"))
    async with call.db.tx(org_id, call.actor, unproved=True) as tx:
        row = await annotations.recall(tx, assignment)
        view = await leases.read_assignment(call.db, tx, row)
        return msgspec.structs.replace(view, answer=await annotations.earlier_answer(tx, row))


@route("POST", "/work/{handle}/question", who="person", body=Ask, reply=dict[str, str], tx=False)
async def ask(call: Call) -> Any:
    """Ask the customer about a task"""
    org_id, assignment = split_handle(call.path("handle"))
    async with call.db.tx(org_id, call.actor, unproved=True) as tx:
        await leases.my_assignment(tx, assignment)

        async def act() -> dict[str, str]:
            return {"id": await reviews.ask(tx, assignment, call.body.text)}

        # Asked while offline it is sent when the network is back, perhaps twice.
        return await once(call, tx, msgspec.json.encode(call.body), act)
