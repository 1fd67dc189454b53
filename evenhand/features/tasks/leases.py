"""Leases: handing tasks out. The database's clock decides, never ours. What people do with what they hold is in `holding`."""

import base64
import os
import random
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from evenhand.features.assets import links
from evenhand.features.contracts.walls import admit
from evenhand.features.people.actions import NotSignedIn, Session
from evenhand.features.tasks import store
from evenhand.features.tasks.actions import body_of, shown_data, task_row
from evenhand.features.tasks.empty import why_empty
from evenhand.features.tasks.known import ProjectView, known_of, read_known
from evenhand.features.tasks.turns import by_customer, turns_of
from evenhand.features.tasks.types import Empty, TaskBody
from evenhand.infra.db import Database, Narrow, Tx
from evenhand.infra.facts import SALT_BYTES, by_person, event_text
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.seal import KEYLESS, At, Seal
from evenhand.pure.scheduling import Head, order
from evenhand.pure.trouble import Invalid, Missing, Trouble

MOST_LEASES = 5  # of one person in one space
TRAINING = "This is a training task. When you have submitted it, you see the expected answer beside yours."
_TAKEN_BACK = ("withdrawn", "skipped")  # states in which nobody goes on with a task
Role = Literal["label", "review", "pilot"]


class NoSuchLease(Missing):
    hint = "Ask for the next task."


class DraftView(msgspec.Struct, frozen=True):
    version: int
    body: msgspec.Raw


class Assignment(msgspec.Struct, frozen=True):
    """A lease as the studio sees it: everything that is needed to work, offline if need be."""

    handle: str
    role: Role
    task: str
    project: ProjectView
    data: dict[str, Any]
    ontology: msgspec.Raw
    instructions: str
    instructions_version: int
    lease_until: datetime
    lease_s: int
    server_now: datetime
    draft: DraftView | None = None
    answer: dict[str, Any] | None = None
    review: dict[str, Any] | None = None
    message: str = ""
    draft_key: str = ""  # seals what the browser keeps of it; see `draft_key`


@dataclass(frozen=True, slots=True)
class Place:
    """What the rules need of an assignment to check an answer: `body` is its task's, sealed."""

    task: str
    project: str
    version: int
    body: bytes
    person: str
    to: str | Session | None = None  # whom this process handed it to


#: What this process has just handed out, so that its answer needs no look-up: the database still says whose it is, and
#: whether it may be answered. Small bodies only, the oldest go first.
_HANDED_OUT: OrderedDict[str, Place] = OrderedDict()
_MOST_HANDED_OUT = 2000
_SMALL = 16_384


def handed_out(handle: str, who: str | Session) -> Place | None:
    """What is remembered, for those who were given it: for anybody else it is as if it never was."""
    place = _HANDED_OUT.get(handle)
    return place if place is not None and place.to == who else None


def came_back(handle: str) -> None:
    _HANDED_OUT.pop(handle, None)


#: Where the person of a session works who has one seat only: (space, project, person, when that was read). The
#: next task is asked for there at once, and the database proves the session in the same call; with more seats than one, whose
#: turn it is must be found out each time.
_ONE_SEAT: OrderedDict[tuple[Session, str], tuple[str, str, str, float]] = OrderedDict()
_ONE_SEAT_LIFE_S = 5.0


def _one_seat(session: Session, role: str) -> tuple[str, str, str] | None:
    held = _ONE_SEAT.get((session, role))
    return held[:3] if held is not None and time.monotonic() - held[3] < _ONE_SEAT_LIFE_S else None


def _remember_seats(session: Session, role: str, person: str, rows: list[Any]) -> None:
    _ONE_SEAT.pop((session, role), None)
    if len(rows) == 1:
        _ONE_SEAT[(session, role)] = (rows[0]["org_id"], rows[0]["project_id"], person, time.monotonic())
        if len(_ONE_SEAT) > _MOST_HANDED_OUT:
            _ONE_SEAT.popitem(last=False)


def draft_key(seal: Seal, person: str, task: str, role: str) -> str:
    """The key, base64, with which a browser seals what it keeps of a task: drafts, and answers that wait to be sent. The browser
    has it in memory only, and gets it with the lease. It is of the task and not of the lease, so that work comes back with the
    task; it is handed out to who may see the task, and to nobody after a sign-out."""
    return base64.b64encode(seal.secret("draft", f"{person} {task} {role}")).decode()


def handle_of(org_id: str, assignment: str) -> str:
    return org_id + assignment


def split_handle(handle: str) -> tuple[str, str]:
    """(space, assignment). A made-up one leads into a wall where no such assignment is."""
    org_id, assignment = handle[:24], handle[24:]
    if not (is_id(org_id) and is_id(assignment)):
        raise NoSuchLease("There is no such assignment.")
    return org_id, assignment


def shown_to(db: Database, conn: Any, org_id: str, who: str | Session, person: str) -> dict[str, Any]:
    """The proof that a function of the desk asks for: a person that the context vouches for, or a session of that person."""
    if isinstance(who, str):
        return {"ctx": db.sign(conn, org_id, who), "hash": None, "person": who}
    return {"ctx": db.sign(conn, org_id, "session"), "hash": who.hash, "person": person}


def _session(who: str | Session) -> bytes:
    return b"" if isinstance(who, str) else who.hash


async def heads_of(db: Database, person: str, role: str) -> list[Any]:
    """The queue heads of a person over all spaces: ids, times and a yes or no."""
    async with db.connection("scheduler") as conn:
        return await store.HEADS.all(Narrow(conn, db.platform), person=person, role=role)


async def waiting_for(db: Database, session: Session, role: str) -> tuple[str, list[Any]]:
    """The person of a session and their queue heads, in one call. Raises NotSignedIn."""
    async with db.connection("gate") as conn:
        rows = await store.WAITING.all(Narrow(conn, db.platform), hash=session.hash, role=role)
    if not rows:
        raise NotSignedIn("You are not signed in.")
    return rows[0]["person_id"], [row for row in rows if row["project_id"] is not None]


async def next_work(
    db: Database, who: str | Session, role: Literal["label", "review"], want: int
) -> tuple[list[Assignment], Empty | None]:
    """Leases up to `want` tasks for a person, or the person of a session, or says why there is none."""
    if not 1 <= want <= 3:
        raise Invalid("`want` must be 1 to 3.")
    if isinstance(who, str):
        person, rows = who, await heads_of(db, who, role)
    else:
        seat = _one_seat(who, role)
        if seat is not None:
            held: list[Assignment] = []
            while len(held) < want and (one := await lease(db, *seat, role, who)) is not None:
                held.append(one)
            if held:
                return held, None
        person, rows = await waiting_for(db, who, role)
        _remember_seats(who, role, person, rows)
    tried = Tried(db, person, role, who)
    await tried.take(rows, want)
    if tried.leased:
        return tried.leased, None
    if tried.locked is not None:
        raise tried.locked
    return [], await why_empty(db, person, role, rows)


@dataclass(slots=True)
class Tried:
    """One request for work: what was leased, and whose keys were away."""

    db: Database
    person: str
    role: Literal["label", "review"]
    who: str | Session
    leased: list[Assignment] = field(default_factory=list[Assignment])
    locked: Trouble | None = None

    async def take(self, rows: list[Any], want: int) -> None:
        """Classes of work take turns for a person, the one that was served longest ago first; within a class the scheduler says
        whose turn it is, and within an organisation its own projects take turns."""
        classes = await turns_of(self.db).classes_of(rows, self.role)
        names = [name for name in classes if any(row["waiting"] for row in classes[name])]
        if len(names) > 1:
            names.sort(key=lambda name: (_last(classes[name]), name))
        while names and len(self.leased) < want:
            name = names.pop(0)
            if await self._of_class(name, classes[name]):
                names.append(name)  # it has had its turn

    async def _of_class(self, name: str, rows: list[Any]) -> bool:
        seats, waiting = by_customer(rows)
        if len(seats) == 1:  # nobody to be fair between; what is used is charged all the same, by the worker
            return await self.of_seats(new_id(), next(iter(seats.values())))
        turns, without, void = turns_of(self.db), set[str](), None
        while waiting - without:
            assignment = new_id()
            try:
                turn = await turns.decide(name, seats.keys(), waiting, without, assignment, void)
            except KEYLESS as err:
                self.locked = err
                return False
            if turn is None:
                return False
            if await self.of_seats(assignment, seats[turn.org]):
                return True
            without.add(turn.org)
            void = turn.number
        if void is not None:
            await turns.void(name, void)
        return False

    async def of_seats(self, assignment: str, rows: list[Any]) -> bool:
        """The seat that was served longest ago and has work, then the others in turn. False: none of them gave any."""
        # the driver gives '-infinity' (never served) without a zone, which compares with nothing
        for place in order([Head(r["project_id"], r["served_at"].replace(tzinfo=UTC), r["waiting"]) for r in rows]):
            row = rows[place]
            try:
                one = await lease(
                    self.db, row["org_id"], row["project_id"], self.person, self.role, self.who, assignment
                )
            except KEYLESS as err:  # one customer's keys keep nobody from the work of the others
                self.locked = err
                continue
            if one is not None:
                self.leased.append(one)
                return True
        return False


def _last(rows: list[Any]) -> datetime:
    """When a class was last served to somebody."""
    return max(row["served_at"].replace(tzinfo=UTC) for row in rows)


async def lease(
    db: Database,
    org_id: str,
    project: str,
    person: str,
    role: Literal["label", "review"],
    who: str | Session,
    assignment: str = "",
) -> Assignment | None:
    """One lease in one project, in a single call of the database. `who`: the person, or a session that must be theirs.
    assignment: the id that it gets."""
    assignment, fact = assignment or new_id(), new_id()
    seal = await db.seal(org_id, project)
    leased = by_person(seal, person, assignment=assignment)
    async with db.connection("desk") as conn:
        row = await store.LEASE.maybe(
            Narrow(conn, seal),
            **shown_to(db, conn, org_id, who, person),
            project=project,
            role=role,
            assignment=assignment,
            fact=fact,
            salt=os.urandom(SALT_BYTES),
            event=event_text("TaskLeased", leased),
            fact_body=seal.shut(leased, At("fact", fact)),
            empty=seal.shut({}, At("assignment", assignment, project)),
            most=MOST_LEASES,
            draw=random.random(),
        )
    if row is None:
        return None
    known = await known_of(db, org_id, project, row["version"], row["changed_at"])
    body = await db.open_as(seal, row["body"], TaskBody, At("task", row["own_task"], project))
    handle = handle_of(org_id, assignment)
    if role == "label" and body.expected is None and len(row["body"]) <= _SMALL:
        _HANDED_OUT[handle] = Place(row["task_id"], project, row["version"], row["body"], person, who)
        if len(_HANDED_OUT) > _MOST_HANDED_OUT:
            _HANDED_OUT.popitem(last=False)
    return Assignment(
        handle,
        role,
        row["task_id"],
        known.view,
        shown_data(body.data, links.link_of(db, org_id, links.of_lease(assignment, _session(who)))),
        msgspec.Raw(known.ontology if body.ontology is None else msgspec.json.encode(body.ontology)),
        body.instructions,
        row["version"],
        row["lease_until"],
        row["lease_s"],
        # the clock that the lease runs by, as far as the reader needs it
        datetime.fromtimestamp(row["lease_until"].timestamp() - row["lease_s"], row["lease_until"].tzinfo),
        message=_message(body),
        draft_key=draft_key(seal, person, row["task_id"], role),
    )


def _message(body: TaskBody) -> str:
    """A reviewer's words; and a task of the training course says what it is. A gold task says nothing."""
    return TRAINING if body.expected is not None and body.expected.get("training") else body.message


def draft_at(row: Any, version: int) -> At:
    """The place of a draft of an assignment's row."""
    return At("draft", row["assignment_id"], row["project_id"], version)


async def read_assignment(db: Database, tx: Tx, row: Any) -> Assignment:
    """A lease that is held already, for a page that was reloaded."""
    task = await task_row(tx, row["task_id"])
    body = body_of(tx, task)
    version: int = row["version"]
    shown: str = row["shown_task"] or row["task_id"]
    known = await read_known(tx, row["project_id"], version)
    draft = await store.DRAFT_GET.maybe(tx, org=tx.org_id, assignment=row["assignment_id"])
    return Assignment(
        handle_of(tx.org_id, row["assignment_id"]),
        row["role"],
        shown,
        known.view,
        shown_data(body.data, links.link_of(db, tx.org_id, links.of_lease(row["assignment_id"], tx.actor.session))),
        msgspec.Raw(known.ontology if body.ontology is None else msgspec.json.encode(body.ontology)),
        body.instructions,
        version,
        row["lease_until"],
        row["lease_s"],
        row["server_now"],
        DraftView(draft["version"], msgspec.Raw(tx.seal.open_json(draft["body"], draft_at(row, draft["version"]))))
        if draft is not None
        else None,
        message=_message(body),
        draft_key="" if row["state"] in _TAKEN_BACK else draft_key(tx.seal, row["person_id"], shown, row["role"]),
    )


async def my_assignment(tx: Tx, assignment: str, *, lock: bool = False) -> Any:
    """The caller's own assignment; somebody else's is not found. With `lock`, its task is locked first, as everywhere.
    It proves that the caller belongs here: from then on the transaction has its keys."""
    row = await store.ASSIGNMENT_GET.maybe(tx, org=tx.org_id, assignment=assignment, person=tx.actor.id)
    if row is not None and lock:
        await store.HOLD_TASK.run(tx, org=tx.org_id, task=row["task_id"])
        row = await store.ASSIGNMENT_LOCK.maybe(tx, org=tx.org_id, assignment=assignment, person=tx.actor.id)
    if row is None:
        raise NoSuchLease("There is no such assignment.")
    # who works for a rival by now does not look at old work again; nobody looks with rows locked, and the wall is locked first
    if row["state"] != "leased" and not lock and await admit(tx, tx.actor.id) is not None:
        raise NoSuchLease("There is no such assignment.")
    await tx.unlock()
    await tx.seal_of(row["project_id"])
    return row
