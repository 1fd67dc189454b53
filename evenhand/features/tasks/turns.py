"""Whose turn it is: the neutral scheduler over the database, for somebody who has work of several customers before them.

Each process replays the steps of a class (`pure/fairness/ledger`); the database gives them one order. A decision is one call: this
process proposes the next step after the last one that it knows, and is told what others did in between if it was too late. So
decisions of a class are made one after another, in any number of processes. See docs/decisions/0021-turns.md.
"""

import asyncio
import math
import random
import secrets
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec

from evenhand.features.tasks import turns_store as store
from evenhand.infra.db import SYSTEM, Database, Narrow
from evenhand.infra.facts import record
from evenhand.infra.ids import new_id
from evenhand.infra.seal import KEYLESS
from evenhand.pure.fairness.chain import seed_of
from evenhand.pure.fairness.journal import decode, encode, rebuild
from evenhand.pure.fairness.ledger import (
    Arrive,
    Charge,
    Decide,
    Depart,
    Disband,
    Flow,
    Form,
    Ledger,
    Rescale,
    Spend,
    Step,
    Weigh,
)
from evenhand.pure.fairness.queueing import Decision
from evenhand.pure.fairness.rates import unit_of
from evenhand.pure.fairness.seeds import seed_commitment
from evenhand.pure.trouble import Busy

UNIT = unit_of((1, 2, 3, 4, 5, 6, 7, 8, 9, 10))  # of tags, to begin with: weights that do not divide it make it finer
_TRIES = 200  # each failure means that somebody else got on
_MOST_STEPS = 5_000
#: steps that mean the same whatever comes in between: whoever waits already may arrive, and whoever was charged be charged
_ANYWHERE = (Arrive, Depart, Decide, Charge, Spend)
_CHANCE = random.SystemRandom()


class FlowEnrolled(msgspec.Struct, frozen=True):
    """This organisation's work in a class is scheduled from now on. seeds: what commits to the ties of `batch` and all later."""

    about: str
    flow: int
    weight: int
    batch: int
    seeds: str


def class_name(role: str, kind: str, medium: str) -> str:
    """The class of skill that some work asks for. For now each recipe and medium is one."""
    return f"{role} {kind} {medium}"


def weigh(ledger: Ledger, weights: dict[int, int]) -> list[Step]:
    """The steps that give flows other weights, from now on. weights: of each flow, by index."""
    held = {flow: ledger.queue.accounts[flow].weight for flow in weights}
    changed = {flow: weight for flow, weight in weights.items() if weight != held[flow]}
    return [*fit(ledger, changed.values()), *(Weigh(flow, weight) for flow, weight in sorted(changed.items()))]


def fit(ledger: Ledger, weights: Iterable[int]) -> list[Step]:
    """A finer unit of tags, where these weights ask for one."""
    unit = math.lcm(ledger.queue.unit, *weights)
    return [Rescale(unit)] if unit != ledger.queue.unit else []


def by_customer(rows: Iterable[Any]) -> tuple[dict[str, list[Any]], set[str]]:
    """Seats by customer, and those customers that have work waiting."""
    seats, waiting = dict[str, list[Any]](), set[str]()
    for row in rows:
        org = row["org_id"]
        if org in seats:
            seats[org].append(row)
        else:
            seats[org] = [row]
        if row["waiting"]:
            waiting.add(org)
    return seats, waiting


@dataclass(frozen=True, slots=True)
class Turn:
    """A decision that was made: its number, and whose turn it is."""

    number: int
    org: str


class Watch(Protocol):
    """What sees the steps that a replica takes in; those that it proposed itself as well."""

    def before(self, replica: "Replica", step: Step) -> None: ...

    def after(self, replica: "Replica", step: Step, decided: Decision | None, row: Any) -> None:
        """row: number, at and assignment of the step."""
        ...


@dataclass(slots=True)
class Replica:
    """The machine of a class in this process, and who is behind its indices. `lock`: one proposal of this process at a time.
    `untold`: organisations whose log is not known to have the event of their enrolment; nothing is decided about them."""

    name: str
    ledger: Ledger
    secret: bytes
    number: int
    tip: str
    orgs: list[str]
    flow_of: dict[str, int]
    pool_of: dict[tuple[int, ...], int]
    untold: set[str]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    stale: bool = False
    watch: Watch | None = None

    # -- taking in ----------------------------------------------------------------------------------------------------

    def _take(self, step: Step, row: Any) -> Decision | None:
        if self.watch is not None:
            self.watch.before(self, step)
        if isinstance(step, Form):
            self.pool_of[step.flows] = self.ledger.pools
        elif isinstance(step, Disband):
            self.pool_of = {flows: pool for flows, pool in self.pool_of.items() if pool != step.pool}
        decided = self.ledger.apply(step)
        if self.watch is not None:
            self.watch.after(self, step, decided, row)
        return decided

    async def catch_up(self, on: Narrow, rows: Iterable[Any]) -> None:
        """Takes in steps that others made."""
        grew = False
        for row in rows:
            steps = decode(row["step"])
            grew = grew or any(isinstance(one, Flow) for one in steps)
            for step in steps:
                self._take(step, row)
            self.number, self.tip = row["number"], row["tip"]
        if grew:
            await self.know(on)

    def told(self) -> dict[str, int]:
        """The indices of those about whom something may be decided."""
        if not self.untold:
            return self.flow_of
        return {org: flow for org, flow in self.flow_of.items() if org not in self.untold}

    async def know(self, on: Narrow) -> None:
        """Who is behind the indices that came since."""
        for row in await store.FLOWS.all(on, **{"class": self.name, "from": len(self.orgs)}):
            self.orgs.append(row["org_id"])
            self.flow_of[row["org_id"]] = row["flow"]
            if not row["told"]:
                self.untold.add(row["org_id"])

    # -- proposing ----------------------------------------------------------------------------------------------------

    async def propose(
        self, on: Narrow, steps: list[Step], assignment: str = "", new: Collection[str] = ()
    ) -> list[Decision] | None:
        """A step of the class; what it decided. None: it was not taken, since others were quicker and it would mean something
        else after what they did, which this machine has taken in."""
        tip = new_id()
        rows = await store.ADD.all(
            on, **{"class": self.name}, number=self.number, tip=self.tip, new_tip=tip, step=encode(steps),
            assignment=assignment, orgs=list(new), first=len(self.orgs),
            alone=any(not isinstance(step, _ANYWHERE) for step in steps),
        )  # fmt: skip
        if rows and rows[-1]["number"] < 0:  # the database has lost what this process knew, or tidied it away
            self.stale = True
            return None
        mine = rows[-1] if rows and rows[-1]["step"] is None else None
        await self.catch_up(on, rows if mine is None else rows[:-1])
        if mine is None:
            return None
        decided = [self._take(step, mine) for step in steps]
        self.number, self.tip = mine["number"], tip
        for org in new:
            self.flow_of[org] = len(self.orgs)
            self.orgs.append(org)
            self.untold.add(org)
        return [one for one in decided if one is not None]

    def before(self, flows: tuple[int, ...], waiting: set[int]) -> tuple[int, list[Step]]:
        """The pool for these flows, and the steps that bring it up to date with who waits."""
        pool, steps = self.pool_of.get(flows, -1), list[Step]()
        if pool < 0:
            like = max(self.pool_of.items(), key=lambda one: (len(set(one[0]) & set(flows)), -one[1]), default=((), -1))
            steps.append(Form(like[1], flows))
            pool = self.ledger.pools
        place = self.ledger.queue.pools.get(pool)
        stood = place.heads.keys() if place is not None else set[int]()
        if gone := tuple(sorted(stood - waiting)):
            steps.append(Depart(pool, gone))
        if came := tuple(sorted(waiting - stood)):
            steps.append(Arrive(pool, came))
        return pool, steps


async def _read(db: Database, name: str, watch: Watch | None) -> Replica:
    """The machine as it is stored: rows as of one step, and the steps since."""
    key = {"class": name}
    async with db.connection("scheduler") as conn, conn.transaction(isolation="repeatable_read"):
        on = Narrow(conn, db.platform)
        row = await store.CLASS_GET.maybe(on, **key)
        if row is None:
            raise LookupError(name)
        flows = await store.FLOWS.all(on, **key, **{"from": 0})
        pools = [one["state"] for one in await store.POOLS.all(on, **key)]
        states = [one["state"] for one in flows if one["state"] is not None]
        ledger = rebuild(row["unit"], row["seed"], (row["batch"], row["decided"], row["pools"]), states, pools)
        orgs = [one["org_id"] for one in flows]
        return Replica(
            name, ledger, row["secret"], row["at"], row["tip"], orgs, {org: n for n, org in enumerate(orgs)},
            {flows: pool for pool, flows in ledger.members.items()}, {r["org_id"] for r in flows if not r["told"]}, watch=watch,
        )  # fmt: skip


async def open_class(db: Database, name: str, *, current: bool = True, watch: Watch | None = None) -> Replica:
    """The machine of a class, which is begun if there is none. `current`: with every step by now; else as it is stored."""
    try:
        made = await _read(db, name, watch)
    except LookupError:
        secret = secrets.token_bytes(32)
        seed = await asyncio.to_thread(seed_of, secret, 1)
        async with db.narrow("scheduler") as on:
            await store.CLASS_ADD.run(on, **{"class": name}, unit=UNIT, secret=secret, seed=seed)
        made = await _read(db, name, watch)
    if current:
        await follow(db, made)
    return made


async def follow(db: Database, replica: Replica) -> None:
    """Takes in every step by now."""
    async with db.connection("scheduler") as conn:
        on = Narrow(conn, db.platform)
        while rows := await store.STEPS.all(on, **{"class": replica.name}, after=replica.number, most=_MOST_STEPS):
            await replica.catch_up(on, rows)


class Turns:
    """The classes that this process knows, over one database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._classes: dict[str, Replica] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._of: dict[str, dict[tuple[str, str], str]] = {}  # role -> (space, project) -> class

    async def replica(self, name: str) -> Replica:
        held = self._classes.get(name)
        if held is None or held.stale:
            async with self._opening.setdefault(name, asyncio.Lock()):
                held = self._classes.get(name)
                if held is None or held.stale:
                    held = self._classes[name] = await open_class(self._db, name)
        return held

    async def classes_of(self, rows: Iterable[Any], role: str) -> dict[str, list[Any]]:
        """Seats by the class of their work."""
        known, out = self._of.setdefault(role, {}), dict[str, list[Any]]()
        unknown: list[Any] = []
        for row in rows:
            found = known.get((row["org_id"], row["project_id"]))
            if found is None:
                unknown.append(row)
            elif found in out:
                out[found].append(row)
            else:
                out[found] = [row]
        if not unknown:
            return out
        async with self._db.connection("scheduler") as conn:
            found_rows = await store.CLASS_OF.all(
                Narrow(conn, self._db.platform),
                orgs=[r["org_id"] for r in unknown],
                projects=[r["project_id"] for r in unknown],
            )
        for row in found_rows:
            known[row["org_id"], row["project_id"]] = class_name(role, row["kind"], row["medium"])
        for row in unknown:
            if found := known.get((row["org_id"], row["project_id"])):
                out.setdefault(found, []).append(row)
        return out

    async def enrol(self, replica: Replica, orgs: Collection[str]) -> None:
        """Gives each organisation an index and tells it in its log, before the first decision about it. Where that was cut short
        before, it is finished."""
        new = [org for org in dict.fromkeys(orgs) if org not in replica.flow_of or org in replica.untold]
        _CHANCE.shuffle(new)  # who is first among those who come together is chance, not a name
        for org in new:
            with suppress(*KEYLESS):  # without its keys nothing of it could be handed out
                await self._enrol(replica, org)

    async def _enrol(self, replica: Replica, org: str) -> None:
        """One process at a time for each organisation: the step commits before the event, and whoever finds it without the event
        has to know that nobody is about to write it."""
        key = {"class": replica.name}
        async with replica.lock:
            async with self._db.tx(org, SYSTEM) as tx:
                lock = int.from_bytes(tx.seal.mac("enrolment", replica.name)[:8], "big", signed=True)
                await store.ENROL_LOCK.run(tx, lock=lock)
                async with self._db.connection("scheduler") as conn:
                    (found,) = await store.WEIGHTS.all(Narrow(conn, self._db.platform), orgs=[org])
                weight: int = found["weight"]
                mine = None
                while org not in replica.flow_of:
                    steps = [*fit(replica.ledger, [weight]), Flow(weight)]
                    async with self._db.connection("scheduler") as conn:
                        mine = await replica.propose(Narrow(conn, self._db.platform), steps, new=[org])
                    if replica.stale:
                        raise Busy("The scheduler begins anew.", hint="Try again in a moment.", retry_after_s=1)
                if mine is not None or await store.ENROLLED.maybe(tx, org=org, **key) is None:
                    ledger = replica.ledger
                    seeds = seed_commitment(ledger.seed).hex()
                    await record(tx, FlowEnrolled(replica.name, replica.flow_of[org], weight, ledger.batch, seeds))
            async with self._db.narrow("scheduler") as on:
                await store.FLOW_TOLD.run(on, org=org, **key)
            replica.untold.discard(org)

    async def decide(
        self, name: str, orgs: Collection[str], waiting: Collection[str], without: Collection[str], assignment: str,
        void: int | None = None,
    ) -> Turn | None:  # fmt: skip
        """Whose turn it is for a person who may serve `orgs`, of whom `waiting` have open work. Charges what the piece is
        expected to take. void: an earlier decision that came to nothing, since this person has had all of that work."""
        for _ in range(_TRIES):
            replica = await self.replica(name)
            if replica.untold or not all(map(replica.flow_of.__contains__, orgs)):
                await self.enrol(replica, orgs)
            async with replica.lock:
                flow_of = replica.told()
                waits = _flows(flow_of, waiting)
                if not waits:
                    return None
                pool, steps = replica.before(tuple(sorted(_flows(flow_of, orgs))), waits)
                if void is not None:
                    steps.append(Charge(void, 0))
                steps.append(Decide(pool, tuple(sorted(_flows(flow_of, without)))))
                async with self._db.connection("scheduler") as conn:
                    made = await replica.propose(Narrow(conn, self._db.platform), steps, assignment)
                if made is not None and (made or pool in replica.ledger.members):
                    return Turn(made[0].number, replica.orgs[made[0].winner]) if made else None
        raise Busy("Too many people ask for work of one class at once.", hint="Try again.", retry_after_s=1)

    async def void(self, name: str, number: int) -> None:
        """A decision that came to nothing and that no other follows."""
        for _ in range(_TRIES):
            replica = await self.replica(name)
            async with replica.lock, self._db.connection("scheduler") as conn:
                if await replica.propose(Narrow(conn, self._db.platform), [Charge(number, 0)]) is not None:
                    return


def _flows(flow_of: Mapping[str, int], orgs: Iterable[str]) -> set[int]:
    """The indices of those that have one."""
    found: set[Any] = set(map(flow_of.get, orgs))
    found.discard(None)
    return found


_TURNS: "WeakKeyDictionary[Database, Turns]" = WeakKeyDictionary()


def turns_of(db: Database) -> Turns:
    """The scheduler of this process over `db`."""
    found = _TURNS.get(db)
    if found is None:
        found = _TURNS[db] = Turns(db)
    return found
