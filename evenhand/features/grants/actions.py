"""Grants: a customer lets somebody of the operator's read for some time; or two of the operator's people break the glass, and
the customer is told at once. Whatever is read under a grant is an event before its first byte leaves."""

from typing import Any

import msgspec

from evenhand.features.contracts.rules import moment
from evenhand.features.contracts.walls import admit, no_wall, off_until
from evenhand.features.grants import store
from evenhand.features.grants.types import (
    Access,
    BreakGlassAsked,
    BreakGlassOpened,
    GlassAsk,
    Grant,
    MyGrant,
    NewAsk,
    NewGrant,
    Staff,
    Support,
    SupportEnded,
    SupportGranted,
    SupportUsed,
)
from evenhand.features.people.actions import find_org, list_orgs
from evenhand.features.people.aliases import alias_of
from evenhand.features.people.rules import Verb, require
from evenhand.features.people.staff import names_of_staff
from evenhand.features.projects import actions as projects
from evenhand.infra.db import Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.seal import At
from evenhand.pure.trouble import Conflict, Denied, Invalid, Missing

MOST_SUPPORT_MIN = 72 * 60
MOST_GLASS_MIN = 4 * 60
MOST_REASON = 1000


class NoSuchStaff(Missing):
    hint = "See who is there: evenhand grant list."


class NoSuchGrant(Missing):
    hint = "It may have ended a moment ago."


class SamePerson(Conflict):
    hint = "Ask somebody else of the operator's people to confirm."


class OutsideGrant(Denied):
    hint = "Ask the customer for a grant that covers it."


class _Body(msgspec.Struct):
    reason: str


def _reason(text: str, *, needed: bool) -> str:
    text = text.strip()
    if needed and len(text) < 10:
        raise Invalid("A reason is needed, in at least 10 characters.", hint="The customer reads it at once.")
    if len(text) > MOST_REASON:
        raise Invalid(f"The reason has at most {MOST_REASON:,} characters.")
    return text


# --- the customer's side


async def support(db: Database, tx: Tx) -> Support:
    """Whom the customer may let look, and what it has given, newest first."""
    require(tx, Verb.READ)
    names = await names_of_staff(db)
    grants = [
        Grant(
            r["grant_id"], r["kind"], names.get(r["staff_id"], "?"), names.get(r["second_id"] or "", None),
            r["project_id"], _reason_of(tx, r), r["from_at"], r["until_at"], r["ended_at"],
            r["live"], r["uses"],
        )
        for r in await store.GRANT_LIST.all(tx, org=tx.org_id)
    ]  # fmt: skip
    active = await names_of_staff(db, active=True)
    return Support([Staff(alias_of(tx, person), name) for person, name in sorted(active.items())], grants)


def _reason_of(tx: Tx, row: Any) -> str:
    return tx.seal.open_as(row["body"], _Body, At("access_grant", row["grant_id"])).reason


async def give(db: Database, tx: Tx, new: NewGrant) -> Support:
    """Lets somebody of the operator's read, for minutes. Repeated, it is a further grant with an event of its own."""
    require(tx, Verb.MANAGE)
    if not 1 <= new.minutes <= MOST_SUPPORT_MIN:
        raise Invalid(f"A grant lasts 1 to {MOST_SUPPORT_MIN:,} minutes.")
    reason = _reason(new.reason, needed=False)
    staff = await names_of_staff(db, active=True)
    found = [person for person, name in staff.items() if new.staff in (alias_of(tx, person), name)]
    if len(found) != 1:
        raise NoSuchStaff("Nobody of the operator's people is meant by this, or several are.")
    if new.project is not None:
        await projects.row_of(tx, new.project)
    grant = new_id()
    until = await store.GRANT_ADD.value(
        tx, org=tx.org_id, grant=grant, kind="support", staff=found[0], second=None, project=new.project,
        minutes=new.minutes, body=tx.seal.shut(_Body(reason), At("access_grant", grant)),
    )  # fmt: skip
    await record(tx, SupportGranted(grant, staff[found[0]], new.project or "", moment(until), reason))
    return await support(db, tx)


async def end(db: Database, tx: Tx, grant: str) -> Support:
    """Ends a grant, or broken glass, at once."""
    require(tx, Verb.MANAGE)
    row = await store.GRANT_END.maybe(tx, org=tx.org_id, grant=grant)
    if row is None:
        raise NoSuchGrant("There is no such grant that is open.")
    names = await names_of_staff(db)
    await record(tx, SupportEnded(grant, names.get(row["staff_id"], "?"), "the customer ended it"))
    return await support(db, tx)


# --- the operator's side


async def live_grant(db: Database, org_id: str, staff: str) -> Any | None:
    """The grant by which somebody of the operator's may read in a space now, or None."""
    if not is_id(org_id):
        return None
    async with db.narrow("gate") as door:
        return await store.GRANT_LIVE.maybe(door, org=org_id, staff=staff)


async def use(tx: Tx, grant: Any, name: str, looked_at: str) -> None:
    """Before anything is read under a grant: it still holds, no wall is in the way, and the customer's log says that it is used.
    Raises Missing and PersonKeptOff."""
    if await store.GRANT_STILL.value(tx, org=tx.org_id, grant=grant["grant_id"]) is None:
        raise Missing("There is no such organisation.", hint="The grant has ended.")
    until = await admit(tx, tx.actor.id)
    if until is not None:
        raise off_until(until)
    await record(tx, SupportUsed(grant["grant_id"], name, grant["kind"], looked_at))


async def inside(tx: Tx, project: str | None, ids: dict[str, str]) -> None:
    """Raises OutsideGrant for what lies in another project than the grant is for. `ids`: project, batch or task."""
    if project is None:
        return
    place: str | None = ids.get("project")
    if "task" in ids:
        place = await store.PLACE_OF_TASK.value(tx, org=tx.org_id, id=ids["task"])
    elif "batch" in ids and place is None:
        place = await store.PLACE_OF_BATCH.value(tx, org=tx.org_id, id=ids["batch"])
    if place != project:
        raise OutsideGrant("This grant is for one project, and that is not in it.")


async def access(db: Database, person: str) -> Access:
    """What somebody of the operator's may read now, and which break-glass waits for a second person."""
    orgs = {org.id: org.name for org in await list_orgs(db)}
    names = await names_of_staff(db)
    async with db.narrow("gate") as door:
        mine = await store.GRANTS_MINE.all(door, staff=person)
        asks = await store.ASKS.all(door)
    return Access(
        [
            MyGrant(r["grant_id"], r["org_id"], orgs.get(r["org_id"], "?"), r["kind"], r["project_id"], r["until_at"])
            for r in mine
        ],
        [
            GlassAsk(
                r["ask_id"], r["org_id"], orgs.get(r["org_id"], "?"), names.get(r["staff_id"], "?"), r["project_id"],
                r["minutes"], r["created_at"], r["staff_id"] == person,
            )
            for r in asks
        ],
    )  # fmt: skip


async def ask_to_break(db: Database, actor: Actor, new: NewAsk) -> Access:
    """The first of two people. The customer's log has it; nothing can be read yet."""
    if not 1 <= new.minutes <= MOST_GLASS_MIN:
        raise Invalid(f"Broken glass mends itself within {MOST_GLASS_MIN} minutes at the latest.")
    reason = _reason(new.reason, needed=True)
    org = await find_org(db, new.org)
    await no_wall(db, [org.id], actor.id)
    name = (await names_of_staff(db)).get(actor.id, "?")
    async with db.tx(org.id, actor) as tx:
        if new.project is not None:
            await projects.row_of(tx, new.project)
        ask = new_id()
        await store.ASK_ADD.run(
            tx, org=org.id, ask=ask, staff=actor.id, project=new.project, minutes=new.minutes,
            body=tx.seal.shut(_Body(reason), At("glass_ask", ask)),
        )  # fmt: skip
        await record(tx, BreakGlassAsked(ask, name, new.project or "", str(new.minutes), reason))
    return await access(db, actor.id)


async def confirm_break(db: Database, actor: Actor, ask: str) -> Access:
    """The second person. From now on the first may read; the customer is told by event, banner and mail."""
    async with db.narrow("gate") as door:
        row = next((r for r in await store.ASKS.all(door) if r["ask_id"] == ask), None)
    if row is None:
        raise NoSuchGrant("There is no such request, or it is older than an hour.")
    if row["staff_id"] == actor.id:
        raise SamePerson("Whoever asks can't confirm: it takes two people.")
    names = await names_of_staff(db)
    async with db.tx(row["org_id"], actor) as tx:
        taken = await store.ASK_TAKE.maybe(tx, org=tx.org_id, ask=ask)
        if taken is None:
            raise NoSuchGrant("There is no such request any more.")
        why = tx.seal.open_as(taken["body"], _Body, At("glass_ask", ask))
        until = await store.GRANT_ADD.value(
            tx, org=tx.org_id, grant=ask, kind="break_glass", staff=taken["staff_id"], second=actor.id,
            project=taken["project_id"], minutes=taken["minutes"], body=tx.seal.shut(why, At("access_grant", ask)),
        )  # fmt: skip
        first, second = names.get(taken["staff_id"], "?"), names.get(actor.id, "?")
        await record(tx, BreakGlassOpened(ask, first, second, taken["project_id"] or "", moment(until), why.reason))
    return await access(db, actor.id)
