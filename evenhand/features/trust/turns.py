"""What follows a decision about whose turn it is: it is charged what was used; every ten minutes a batch of ties ends.

A charge is a step of its class, proposed like any other: whatever stops here can begin again, and nothing is charged twice.
What is sealed of the decisions stands in `sealing`. See docs/decisions/0021-turns.md.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evenhand.features.tasks import turns_store as store
from evenhand.features.tasks.turns import Replica, Turns, class_name, follow, open_class, weigh
from evenhand.features.trust.sealing import Sealer, Teller
from evenhand.infra.db import Database, Narrow
from evenhand.pure.fairness.chain import seed_of
from evenhand.pure.fairness.ledger import Charge, Decide, Disband, Forgive, Seed, Spend, Step
from evenhand.pure.fairness.queueing import Decision

log = logging.getLogger("evenhand.turns")
TICK_S = 2.0
BATCH_S = 600.0
LOST_S = 120.0  # after which a decision without a lease came to nothing
_UNUSED = 6  # batches in which nobody of a pool asked: then it is let go
_MOST_CHARGES = 500  # of one step
_TIDY_S = 3600.0


@dataclass(slots=True)
class _Books:
    """A class as the worker keeps it: its machine, and the decisions that are still open, with their leases."""

    replica: Replica
    open: dict[int, tuple[str, datetime]] = field(default_factory=dict[int, tuple[str, datetime]])
    asked: dict[int, int] = field(default_factory=dict[int, int])  # pool -> the batch in which it last asked
    begun: datetime | None = None  # when the first decision of this batch was made

    def before(self, replica: Replica, step: Step) -> None:
        pass

    def after(self, replica: Replica, step: Step, decided: Decision | None, row: Any) -> None:
        if isinstance(step, Decide) and decided is not None:
            self.open[decided.number] = (row["assignment"], row["at"])
            self.asked[step.pool] = replica.ledger.batch
            self.begun = self.begun or row["at"]
        elif isinstance(step, Charge):
            self.open.pop(step.number, None)
        elif isinstance(step, Seed):
            self.begun = None


class Keeper:
    """Keeps the books of all classes. One of each process that works; several do no harm."""

    def __init__(self, db: Database, *, batch_s: float = BATCH_S) -> None:
        self._db = db
        self._batch_s = batch_s
        self._books: dict[str, _Books] = {}
        self._turns = Turns(db)
        self._sealers: dict[str, Sealer] = {}
        self._teller = Teller(db)
        self._tidied = time.monotonic()

    async def tick(self, *, close: bool = False) -> None:
        """Charges what has ended, ends batches that are due (`close`: all), seals, and tells."""
        await self._spend()
        await self._tell_enrolled()
        for name in await self._classes():
            books = await self._current(name)
            await self._settle(books)
            await self._end_batch(books, close)
            sealer = self._sealers.get(name)
            if sealer is None:
                sealer = self._sealers[name] = Sealer(self._db, name)
            await sealer.go(all_=close)
        await self._teller.go()
        if time.monotonic() - self._tidied > _TIDY_S:
            async with self._db.narrow("scheduler") as on:
                await store.STEPS_DROP.run(on)
            self._tidied = time.monotonic()

    async def _classes(self) -> list[str]:
        async with self._db.narrow("scheduler") as on:
            return [row["class"] for row in await store.CLASSES.all(on)]

    async def _current(self, name: str) -> _Books:
        books = self._books.get(name)
        if books is not None and not books.replica.stale:
            await follow(self._db, books.replica)
            return books
        replica = await open_class(self._db, name, current=False)
        books = self._books[name] = _Books(replica)
        async with self._db.narrow("scheduler") as on:
            key = {"class": name}
            for row in await store.ASSIGNED.all(on, **key, numbers=list(replica.ledger.owner)):
                books.open[row["number"]] = (row["assignment"], row["at"])
        replica.watch = books
        await follow(self._db, replica)
        return books

    async def _propose(self, replica: Replica, steps: list[Step]) -> bool:
        """Whether it went in; if not, others were quicker, and the caller looks again at what there is to do."""
        async with replica.lock, self._db.connection("scheduler") as conn:
            return await replica.propose(Narrow(conn, self._db.platform), steps) is not None

    async def _settle(self, books: _Books) -> None:
        """Charges leases that have ended what they used, and decisions that led to none nothing."""
        numbers = list(books.open)
        for at in range(0, len(numbers), _MOST_CHARGES):
            some = [n for n in numbers[at : at + _MOST_CHARGES] if n in books.open and n in books.replica.ledger.owner]
            orgs = [books.replica.orgs[books.replica.ledger.owner[n]] for n in some]
            async with self._db.narrow("scheduler") as on:
                rows = await store.CLOSED.all(on, numbers=some, orgs=orgs, assignments=[books.open[n][0] for n in some])
            now = datetime.now(UTC)
            steps: list[Step] = []
            for row in rows:
                if row["found"] and row["used_ms"] is not None:
                    steps.append(Charge(row["number"], row["used_ms"]))
                elif not row["found"] and (now - books.open[row["number"]][1]).total_seconds() > LOST_S:
                    steps.append(Charge(row["number"], 0))
            while steps and not books.replica.stale and not await self._propose(books.replica, steps):
                pass  # a charge that somebody else made meanwhile changes nothing when it is made again

    async def _spend(self) -> None:
        """Charges the work of people who have one customer's work before them: nobody decided about it."""
        async with self._db.narrow("scheduler") as on:
            seen = await store.HORIZON.one(on)
            begin, upto = int(seen["seen"]), int(seen["horizon"])
            if upto == begin:
                return
            if upto < begin:  # a restore into another cluster, whose transactions are numbered anew
                await store.HORIZON_SET.run(on, xid=str(upto))
                return
            rows = await store.SPENT.all(on, **{"from": str(begin)}, to=str(upto))
            by_class: dict[str, list[Any]] = {}
            for row in rows:
                by_class.setdefault(class_name(row["role"], row["kind"], row["medium"]), []).append(row)
            for name, those in by_class.items():
                replica = await self._turns.replica(name)
                await self._turns.enrol(replica, [row["org_id"] for row in those])
                steps: list[Step] = [
                    Spend(replica.flow_of[row["org_id"]], row["used_ms"], row["pieces"])
                    for row in those
                    if row["org_id"] in replica.flow_of
                ]
                # in the same transaction as the mark, so that it counts once
                async with replica.lock:
                    while steps and not replica.stale and await replica.propose(on, steps) is None:
                        pass
                if replica.stale:
                    raise RuntimeError("the class is read anew")
            await store.HORIZON_SET.run(on, xid=str(upto))

    async def _tell_enrolled(self) -> None:
        """Finishes enrolments that a crash cut short."""
        async with self._db.narrow("scheduler") as on:
            untold = await store.UNTOLD_FLOWS.all(on)
        for row in untold:
            await self._turns.enrol(await self._turns.replica(row["class"]), [row["org_id"]])

    async def _end_batch(self, books: _Books, close: bool) -> None:
        ledger = books.replica.ledger
        if books.begun is None:
            return
        if not close and (datetime.now(UTC) - books.begun).total_seconds() < self._batch_s:
            return
        seed = await asyncio.to_thread(seed_of, books.replica.secret, ledger.batch + 1)
        batch = ledger.batch
        async with self._db.narrow("scheduler") as on:
            rows = await store.WEIGHTS.all(on, orgs=books.replica.orgs)
        weights = {books.replica.flow_of[row["org_id"]]: row["weight"] for row in rows}
        while not books.replica.stale and ledger.batch == batch:
            idle = [p for p in ledger.members if books.asked.setdefault(p, batch) < batch - _UNUSED]
            steps: list[Step] = [
                *(Disband(pool) for pool in idle),
                Forgive(ledger.lead()),
                *weigh(ledger, weights),
                Seed(seed),
            ]
            if await self._propose(books.replica, steps):
                return


async def run(db: Database, stop: asyncio.Event) -> None:
    """Every other second, until told to stop."""
    keeper = Keeper(db)
    while not stop.is_set():
        try:
            await keeper.tick()
        except Exception as err:
            # the database fails in its driver's ways; a new keeper reads the books from the beginning
            log.warning("the scheduler's books wait (%s); trying again", type(err).__name__)
            keeper = Keeper(db)
        try:
            await asyncio.wait_for(stop.wait(), TICK_S)
        except TimeoutError:
            continue
