"""Refusals that a customer hears of: sign-ins of its own people that failed, and requests in its space that were not allowed.

They are counted in memory and told by a task of their own, so that a refused request runs no statement for it: its time says
nothing of who exists, and a flood costs no more than itself. The first of somebody is told within a second; what follows is
counted, and told as one event a minute. Each process counts for itself; what ends at once takes the last second along."""

import asyncio
import logging
import time
from dataclasses import dataclass, field

import asyncpg

from evenhand.features.access import store
from evenhand.features.access.types import AccessRefused, SignInRefused
from evenhand.infra.db import AWAY, SYSTEM, Actor, Database
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id
from evenhand.pure.trouble import Concern, Trouble

log = logging.getLogger("evenhand.access")
EVERY_S = 60.0
LOOK_S = 1.0
MOST = 2_000  #: people and keys in memory at once; beyond them the number alone is kept


@dataclass(slots=True)
class _Kept:
    concern: Concern
    asked: str
    due_s: float
    count: int = 0


@dataclass(slots=True)
class Refusals:
    """One for each process."""

    kept: dict[tuple[str, str, str], _Kept] = field(default_factory=dict[tuple[str, str, str], _Kept])
    beyond: int = 0

    def note(self, concern: Concern, asked: str, now_s: float | None = None) -> None:
        """Counts one. asked: the route's name; of several in a minute the first is told."""
        place = (concern.org_id, concern.kind, concern.who)
        found = self.kept.get(place)
        if found is None:
            if len(self.kept) >= MOST or not (concern.org_id == "" or is_id(concern.org_id)):
                self.beyond += 1
                return
            found = self.kept[place] = _Kept(concern, asked, time.monotonic() if now_s is None else now_s)
        elif found.count == 0:
            found.concern, found.asked = concern, asked
        found.count += 1

    def due(self, now_s: float, *, last: bool = False) -> list[tuple[Concern, str, int]]:
        """Takes out what is to be told now: whom it concerns, the route, how often. `last`: also what would wait."""
        out: list[tuple[Concern, str, int]] = []
        for place, found in list(self.kept.items()):
            if found.due_s > now_s and not last:
                continue
            if not found.count:
                del self.kept[place]
                continue
            out.append((found.concern, found.asked, found.count))
            found.count, found.due_s = 0, now_s + EVERY_S
        return out

    async def tell(self, db: Database, now_s: float | None = None, *, last: bool = False) -> int:
        """Records what is due as events; how many."""
        now_s = time.monotonic() if now_s is None else now_s
        told = 0
        for concern, asked, count in self.due(now_s, last=last):
            try:
                told += await _record(db, concern, asked, count)
            except (*AWAY, TimeoutError, asyncpg.PostgresError):
                self.kept[concern.org_id, concern.kind, concern.who].count += count  # told when the database takes it
            except Trouble as err:  # a space that nobody has, or whose keys were taken away: there is nobody to tell
                log.info("a refusal was told to nobody: %s", type(err).__name__)
        if self.beyond:
            log.warning("%d refusals more than are counted one by one", self.beyond)
            self.beyond = 0
        return told

    async def run(self, db: Database) -> None:
        """Tells until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.tell(db)
            except Exception as err:
                # a bug, and nothing starts this task again: one that can't be told must not silence those to come
                log.error("refusals could not be told: %s", type(err).__name__)


async def _record(db: Database, concern: Concern, asked: str, count: int) -> int:
    if concern.org_id:
        # only keys and people have a name here; whoever is neither is the system's own voice
        actor = Actor(concern.kind, concern.who) if concern.kind in ("person", "key") else SYSTEM
        async with db.tx(concern.org_id, actor) as tx:
            await record(tx, AccessRefused(concern.org_id, concern.reason, asked, count))
        return 1
    async with db.narrow("gate") as door:
        rows = await store.OWN_SPACES.all(door, person=concern.who)
    for row in rows:
        async with db.tx(row["org_id"], SYSTEM) as tx:  # nobody has shown to be that person
            await record(tx, SignInRefused(concern.who, concern.reason, count))
    return len(rows)
