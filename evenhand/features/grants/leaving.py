"""Somebody leaves the operator or the pool: access ends at once, every customer can read what they saw, walls hold."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from evenhand.features.assets import viewings
from evenhand.features.contracts.rules import moment
from evenhand.features.grants import store
from evenhand.features.grants.types import SupportEnded
from evenhand.features.people import store as people_store
from evenhand.features.people.aliases import alias_of, person_behind, pseudonym
from evenhand.features.people.rules import Verb, require
from evenhand.features.people.staff import names_of_staff
from evenhand.features.people.types import KeyRevoked, MemberRemoved
from evenhand.features.projects.seats import unseat
from evenhand.features.tasks.holding import take_back
from evenhand.infra.db import SYSTEM, Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import KEYLESS, At
from evenhand.pure.trouble import Missing

#: kinds of fact by which somebody saw content, and under which heading a report counts them
HEADINGS = {
    "TaskLeased": "tasks",
    "TaskViewed": "tasks",
    "AnnotationSubmitted": "tasks",
    "ReviewClosed": "tasks",
    "MediaIssued": "files",
    "MediaClosed": "files",
    "SupportUsed": "grants",
    "Exported": "exports",
    "Delivered": "exports",
}

#: kinds of fact that say more than what they are about
_DETAILED = {"MediaIssued", "MediaClosed", "SupportUsed"}


class PersonLeft(msgspec.Struct, frozen=True):
    """`about`: who left. The counts say what they saw here; `sha256` is that of the report's canonical text."""

    about: str
    tasks: str
    files: str
    grants: str
    exports: str
    sha256: str


class Seen(msgspec.Struct, frozen=True):
    at: datetime
    what: str
    about: str
    detail: str = ""


class Report(msgspec.Struct, frozen=True):
    """What somebody saw here, from the facts of this customer. `files`: how many they could see, each counted once."""

    person: str
    name: str
    tasks: int
    files: int
    grants: int
    exports: int
    first: datetime | None
    last: datetime | None
    seen: list[Seen]
    sha256: str


class Leaver(msgspec.Struct, frozen=True):
    person: str
    name: str
    at: datetime
    tasks: int
    files: int
    grants: int
    exports: int


class Leavers(msgspec.Struct, frozen=True):
    items: list[Leaver]


class Left(msgspec.Struct, frozen=True):
    """What ended when somebody left."""

    person: str
    customers: int
    sessions: int
    leases: int
    keys: int
    grants: int


async def leave(db: Database, person: str, actor: Actor = SYSTEM) -> Left:
    """Ends everything that somebody could do, at once; drafts stay. A report for each customer follows by a job.

    First of all the doors are shut: whatever comes after that can be repeated."""
    async with db.narrow("gate") as door:
        if await people_store.PERSON_GET.maybe(door, person=person) is None:
            raise Missing("There is nobody with this id.", hint="`evenhand person list` shows everybody.")
        sessions = await people_store.SESSION_END_ALL.run(door, person=person)
        await store.PERSON_LEAVES.run(door, person=person)
        await store.LINKS_END.run(door, person=person)
        spaces = [r["org_id"] for r in await store.SPACES_OF.all(door, person=person)]
    names = await names_of_staff(db)
    leases = keys = grants = 0
    for org in spaces:
        try:
            async with db.tx(org, actor) as tx:
                member = await people_store.MEMBER_GET.maybe(tx, org=org, person=person)
                if member is not None and member["state"] != "removed":
                    await people_store.MEMBER_SET.value(tx, person=person, role=member["role"], state="removed")
                    await record(tx, MemberRemoved(person))
                await unseat(tx, person)
                leases += await take_back(tx, person)
                for row in await store.KEYS_OF.all(tx, org=org, person=person):
                    await people_store.KEY_REVOKE.run(tx, org=org, key=row["key_id"])
                    await record(tx, KeyRevoked(row["key_id"]))
                    keys += 1
                for row in await store.GRANTS_END.all(tx, org=org, staff=person):
                    await record(tx, SupportEnded(row["grant_id"], names.get(person, "?"), "they left the operator"))
                    grants += 1
                await viewings.close_of(tx, person)
                found = await _report(tx, person, names)
                counts = (str(found.tasks), str(found.files), str(found.grants), str(found.exports))
                await record(tx, PersonLeft(person, *counts, found.sha256))
        except KEYLESS:  # without the customer's keys nothing can be read there; the doors are shut all the same
            continue
    return Left(person, len(spaces), sessions, leases, keys, grants)


async def _report(tx: Tx, person: str, staff: dict[str, str]) -> Report:
    rows = [r for r in await store.SAW.all(tx, org=tx.org_id, person=person) if r["kind"] in HEADINGS]
    said = {r["fact_id"]: tx.seal.open(r["body"], At("fact", r["fact_id"])) for r in rows if r["kind"] in _DETAILED}
    seen = [Seen(r["at"], r["kind"], r["about_id"], _detail(r["kind"], said.get(r["fact_id"], {}))) for r in rows]
    of: dict[str, set[tuple[str, str]]] = {heading: set() for heading in HEADINGS.values()}
    for one in seen:
        of[HEADINGS[one.what]].add((one.about, one.detail))
    issued = {r["about_id"]: int(said[r["fact_id"]]["count"]) for r in rows if r["kind"] == "MediaIssued"}
    files = await viewings.files_seen(tx, person, issued)
    text = msgspec.json.encode([[moment(s.at), s.what, s.about, s.detail] for s in seen])
    name = staff.get(person) or pseudonym(tx, person)
    return Report(
        alias_of(tx, person), name, len(of["tasks"]), files, len(of["grants"]), len(of["exports"]),
        seen[0].at if seen else None, seen[-1].at if seen else None, seen, hashlib.sha256(text).hexdigest(),
    )  # fmt: skip


def _detail(kind: str, said: dict[str, Any]) -> str:
    if kind == "MediaIssued":
        return f"could see {said['count']} files"
    if kind == "MediaClosed":
        return f"read {said['bytes']} bytes in {said['ranges']} parts"
    return str(said.get("looked_at", ""))


async def report(db: Database, tx: Tx, alias: str) -> Report:
    """What one person has seen here: somebody who left, a worker or somebody of the operator's."""
    require(tx, Verb.READ)
    staff = await names_of_staff(db)
    person = await person_behind(tx, alias) or next((p for p in staff if alias_of(tx, p) == alias), None)
    if person is None:
        raise Missing("There is nobody with this id here.", hint="See who left: GET /api/v1/leavers.")
    return await _report(tx, person, staff)


async def leavers(db: Database, tx: Tx) -> Leavers:
    """Who left, newest first, with what they had seen here."""
    require(tx, Verb.READ)
    staff = await names_of_staff(db)
    out: list[Leaver] = []
    for r in await store.LEAVERS.all(tx, org=tx.org_id):
        counts = tx.seal.open(r["body"], At("fact", r["fact_id"]))
        out.append(
            Leaver(
                alias_of(tx, r["about_id"]), staff.get(r["about_id"]) or pseudonym(tx, r["about_id"]), r["at"],
                *(int(counts[heading]) for heading in ("tasks", "files", "grants", "exports")),
            )
        )  # fmt: skip
    return Leavers(out)
