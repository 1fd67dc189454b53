"""Walls: who has worked for a customer is kept off its rivals for as long as that customer's contract says.

A customer names whom it likes, whether they are customers here or not: the answer is the same. What follows for others is derived
in the database (`evenhand.rivals_anew`), and is enforced there: where seats are given, and at every lease.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from evenhand.features.contracts import store
from evenhand.features.contracts.rules import moment, utc
from evenhand.features.people.actions import find_org
from evenhand.features.people.profiles import tidy_name
from evenhand.features.people.rules import Verb, require
from evenhand.features.people.store import RIVALS_ANEW
from evenhand.infra.db import SYSTEM, Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import new_id
from evenhand.infra.seal import At, Seal
from evenhand.pure.trouble import Conflict, Invalid, Missing

MOST_DAYS = 3650
MOST_WALLS = 200
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
Kind = Literal["customer", "group"]


class Wall(msgspec.Struct, frozen=True):
    """`name`: of another customer, or of a group of customers that the operator keeps. `cool_off_days`: how long somebody
    who has worked for one of you stays off the other."""

    id: str
    name: str
    kind: Kind
    cool_off_days: int
    created_at: datetime


class Walls(msgspec.Struct, frozen=True):
    items: list[Wall]


class NewWall(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    cool_off_days: int
    kind: Kind = "customer"


class KeptOff(msgspec.Struct, frozen=True):
    """Somebody who can't be given a customer's work, for the operator. It does not say whose wall it is."""

    person: str
    name: str
    org: str
    org_name: str
    until: datetime


class PersonKeptOff(Conflict):
    hint = "Ask somebody else, or wait until then: the wall ends by itself."


class WallSet(msgspec.Struct, frozen=True):
    about: str
    name: str
    wall_kind: str
    cool_off_days: str


class WallEnded(msgspec.Struct, frozen=True):
    about: str
    name: str


class PersonBarred(msgspec.Struct, frozen=True):
    """`about`: the person; an interest that somebody has declared keeps them off this customer."""

    about: str
    until: str


class ConflictGroupChanged(msgspec.Struct, frozen=True):
    about: str
    group: str
    member: str


class _Body(msgspec.Struct):
    name: str


def target_of(platform: Seal, kind: Kind, name: str) -> bytes:
    """What a wall is found by: the MAC of the name, as the platform has it for its customers and groups."""
    return platform.mac("org" if kind == "customer" else "conflict-group", name.strip())


async def list_walls(tx: Tx) -> Walls:
    """The customer's own list."""
    require(tx, Verb.READ)
    rows = await store.WALL_LIST.all(tx, org=tx.org_id)
    return Walls([_wall(tx, row) for row in rows])


def _wall(tx: Tx, row: Any) -> Wall:
    name = tx.seal.open_as(row["body"], _Body, At("wall", row["wall_id"])).name
    return Wall(row["wall_id"], name, row["kind"], row["cool_off_d"], row["created_at"])


async def set_wall(db: Database, org_id: str, actor: Actor, new: NewWall) -> NewWall:
    """Puts a wall up, or changes its days. It holds from the next seat and the next lease on."""
    name = tidy_name(new.name, "a customer" if new.kind == "customer" else "a group")
    if not 0 <= new.cool_off_days <= MOST_DAYS:
        raise Invalid(f"The cool-off is 0 to {MOST_DAYS:,} days.")
    async with db.tx(org_id, actor) as tx:
        require(tx, Verb.MANAGE)
        if await store.SPACE_MODE.value(tx, org=org_id) != "live":
            raise Invalid("Walls belong to the live space; they hold in both.", hint="Use a live key.")
        if len(await store.WALL_LIST.all(tx, org=org_id)) >= MOST_WALLS:
            raise Invalid(f"There are {MOST_WALLS} walls already.", hint="Name a group instead of each customer.")
        target = target_of(db.platform, new.kind, name)
        wall = await store.WALL_AGAINST.value(tx, org=org_id, target=target) or new_id()
        await store.WALL_PUT.run(
            tx, org=org_id, wall=wall, target=target, kind=new.kind, days=new.cool_off_days,
            body=tx.seal.shut(_Body(name), At("wall", wall)),
        )  # fmt: skip
        await record(tx, WallSet(wall, name, new.kind, str(new.cool_off_days)))
    await walls_anew(db)
    return NewWall(name, new.cool_off_days, new.kind)


async def end_wall(db: Database, org_id: str, actor: Actor, wall: str) -> None:
    """Takes a wall down. Who was kept off by it alone may work again at once."""
    async with db.tx(org_id, actor) as tx:
        require(tx, Verb.MANAGE)
        row = await store.WALL_DROP.maybe(tx, org=org_id, wall=wall)
        if row is None:
            raise Missing("There is no such wall.")
        await record(tx, WallEnded(wall, tx.seal.open_as(row["body"], _Body, At("wall", wall)).name))
    await walls_anew(db)


async def walls_anew(db: Database) -> None:
    """Derives anew who is whose rival. Repeatable; the worker does so every minute, should a process have died here."""
    async with db.narrow("gate") as door:
        await RIVALS_ANEW.run(door)


async def set_group(db: Database, ref: str, group: str, *, member: bool = True, actor: Actor = SYSTEM) -> None:
    """Puts a customer into a group of competitors, or takes it out. Walls against the group then mean it too."""
    org = await find_org(db, ref)
    group = tidy_name(group, "a group")
    async with db.tx(org.id, actor) as tx:
        await record(tx, ConflictGroupChanged(org.id, group, "yes" if member else "no"))
    async with db.narrow("gate") as door:
        mark = target_of(door.seal, "group", group)
        if member:
            body = door.seal.shut(_Body(group), At("conflict_group", f"{org.id}/{mark.hex()}"))
            await store.GROUP_ADD.run(door, org=org.id, mark=mark, body=body)
        else:
            await store.GROUP_DROP.run(door, org=org.id, mark=mark)
        await RIVALS_ANEW.run(door)


async def bar(db: Database, ref: str, person: str, *, until: datetime | None = None, actor: Actor = SYSTEM) -> datetime:
    """A person has an interest in a customer (a relative, a share, a job) and stays off its work until then: for good
    where no time is given, no longer where it has passed. `ref`: the customer."""
    end = FOREVER if until is None else utc(until)
    spaces = [(await find_org(db, ref, "live")).id, (await find_org(db, ref, "test")).id]
    async with db.tx(spaces[0], actor) as tx:
        await record(tx, PersonBarred(person, moment(end)))
    async with db.narrow("gate") as door:
        for space in spaces:
            await store.TIE_BAR.run(door, org=space, person=person, until=end)
    return end


async def kept_off(db: Database) -> list[tuple[str, str, datetime]]:
    """(live space, person, until) of everybody who is kept off a customer where they have a role or an interest."""
    async with db.narrow("gate") as door:
        return [(r["org_id"], r["person_id"], r["until_at"]) for r in await store.KEPT_OFF.all(door)]


async def kept_until(db: Database, org_id: str, person: str) -> datetime | None:
    """Until when a person is kept off a space, or None."""
    async with db.narrow("gate") as door:
        return await store.KEPT_UNTIL.value(door, org=org_id, person=person)


async def kept_anywhere(db: Database, person: str) -> datetime | None:
    """Until when a person is kept off the last of the spaces where they have a seat, or None."""
    async with db.narrow("scheduler") as door:
        return await store.KEPT_ANYWHERE.value(door, person=person)


async def admit(tx: Tx, person: str) -> datetime | None:
    """Before somebody sees a customer's content in another way than by a lease or a role: ties them to it, or says until when
    they are kept off."""
    return await store.ADMIT.value(tx, person=person)


async def no_wall(db: Database, orgs: list[str], person: str) -> None:
    """For the operator who puts somebody forward. Raises PersonKeptOff with the day."""
    for org in orgs:
        until = await kept_until(db, org, person)
        if until is not None:
            raise off_until(until)


def off_until(until: datetime) -> PersonKeptOff:
    """For the operator's people; a customer is not told that it has a rival here."""
    when = "for good" if until >= FOREVER - timedelta(days=1) else f"until {until:%Y-%m-%d %H:%M} UTC"
    return PersonKeptOff(f"This person is kept off this organisation {when}, by a wall or an interest.")
