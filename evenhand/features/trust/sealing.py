"""Sealing decisions: each commits to what it saw, a batch of them to one root, which those who waited are told in the log.

The sealer follows the steps of a class behind everybody else and sees every decision again, with all that it saw: sealing a
thousand customers takes milliseconds, which nobody should wait for. What it sealed commits together with the state after it.
"""

import json
import os
import time
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from evenhand.features.tasks import turns_store as store
from evenhand.features.tasks.turns import Replica, open_class
from evenhand.infra.db import SYSTEM, Database, Narrow
from evenhand.infra.facts import record
from evenhand.infra.kms.port import KeyServiceBusy, KeyServiceDown
from evenhand.infra.seal import KEYLESS, At, KeyUseNotLogged
from evenhand.pure.fairness.chain import seed_of
from evenhand.pure.fairness.commitment import commit
from evenhand.pure.fairness.journal import stored
from evenhand.pure.fairness.ledger import Decide, Seed, Step
from evenhand.pure.fairness.queueing import Decision, Entry
from evenhand.pure.fairness.seeds import seed_commitment, tie_of
from evenhand.pure.log.events import batch_size
from evenhand.pure.log.merkle import Tree
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.trouble import Trouble

_SLICE_S = 0.5  # of a tick of two seconds
_LOT = 20  # steps
_SAVE_STEPS, _SAVE_S = 2_000, 60.0
#: why keys may be away for a while, which is no choice of the customer's
_AWHILE: tuple[type[Trouble], ...] = (KeyServiceDown, KeyServiceBusy, KeyUseNotLogged)
_CLOCKS_DIFFER = timedelta(minutes=5)  # the database's and ours


class TurnsSealed(msgspec.Struct, frozen=True):
    """A batch of decisions is over, in `waited` of which this organisation waited, and won `won`.

    root: over `size` leaves, the commitments and what fills them up. seed: of the ties. limit: how far behind the winner it can
    have been, in units of tags.
    """

    about: str
    batch: int
    root: str
    size: int
    seed: str
    waited: int
    won: int
    limit: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A decision with what opens it."""

    number: int
    batch: int
    at: datetime
    assignment: str
    commitment: bytes
    key: bytes
    trace: bytes


def pack(trace: tuple[Entry, ...], decision: Decision) -> bytes:
    """What a decision saw, without the ties, which follow from the seed."""
    return zlib.compress(json.dumps([[entry[:4] for entry in trace], decision], separators=(",", ":")).encode(), 1)


def unpack(packed: bytes, seed: bytes) -> tuple[list[Entry], Decision]:
    entries, decision = json.loads(zlib.decompress(packed))
    return [Entry(n, pace, start, cost, tie_of(seed, n, start)) for n, pace, start, cost in entries], Decision(
        *decision
    )


def looked_at(packed: bytes) -> tuple[dict[int, int], Decision]:
    """The flows that waited, with their pace, and what was decided."""
    entries, decision = json.loads(zlib.decompress(packed))
    return {flow: pace for flow, pace, _, _ in entries}, Decision(*decision)


@dataclass(slots=True)
class _Desk:
    """What the sealer sees as it follows: the decisions since it was saved, and the batches that ended, with their limits."""

    done: list[Sealed] = field(default_factory=list[Sealed])
    ended: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    steps: int = 0
    trace: tuple[Entry, ...] = ()

    def before(self, replica: Replica, step: Step) -> None:
        self.steps += 1
        ledger = replica.ledger
        if isinstance(step, Decide):
            self.trace = ledger.queue.view(step.pool)
        elif isinstance(step, Seed):
            self.ended[ledger.batch] = [ledger.limit(flow) for flow in range(len(ledger.extents))]

    def after(self, replica: Replica, step: Step, decided: Decision | None, row: Any) -> None:
        if not isinstance(step, Decide) or decided is None:
            return
        ledger, key = replica.ledger, os.urandom(32)
        without = set(step.without)
        seen = tuple(entry for entry in self.trace if entry.flow not in without)
        made = commit(seen, decided, seed_commitment(ledger.seed), key)
        self.done.append(
            Sealed(decided.number, ledger.batch, row["at"], row["assignment"], made, key, pack(seen, decided))
        )


class Sealer:
    """Seals the decisions of one class."""

    def __init__(self, db: Database, name: str) -> None:
        self._db, self._name = db, name
        self._replica: Replica | None = None
        self._desk = _Desk()
        self._from = 0
        self._saved = time.monotonic()

    async def go(self, *, all_: bool = False) -> None:
        """Follows for a slice of time (`all_`: to the end), and saves where it is time."""
        if self._replica is None:
            self._desk = _Desk()
            self._replica = await open_class(self._db, self._name, current=False, watch=self._desk)
            self._from = self._replica.number
        until = time.process_time() + _SLICE_S
        while all_ or time.process_time() < until:
            async with self._db.narrow("scheduler") as on:
                rows = await store.STEPS.all(on, **{"class": self._name}, after=self._replica.number, most=_LOT)
                await self._replica.catch_up(on, rows)
            if len(rows) < _LOT:
                break
        due = self._desk.steps and time.monotonic() - self._saved > _SAVE_S
        if all_ or due or self._desk.ended or self._desk.steps > _SAVE_STEPS:
            await self._save(self._replica)

    async def _save(self, replica: Replica) -> None:
        """The decisions and the state after them, in one transaction; nothing, if somebody else has sealed them."""
        desk, key = self._desk, {"class": self._name}
        if not desk.steps:
            return
        decided, flows, pools = stored(replica.ledger)
        async with self._db.narrow("scheduler") as on:
            moved = await store.SNAPSHOT.run(
                on, **key, at=replica.number, decided=decided, pools=replica.ledger.pools, batch=replica.ledger.batch,
                seed=replica.ledger.seed, unit=replica.ledger.queue.unit, was=self._from,
            )  # fmt: skip
            if not moved:
                self._replica = None
                return
            await self._keep(on, desk.done)
            await store.FLOW_STATES.run(on, **key, flows=list(flows), states=list(flows.values()))
            await store.POOLS_DROP.run(on, **key, pools=list(pools))
            await store.POOL_STATES.run(on, **key, pools=list(pools), states=list(pools.values()))
            for batch, limits in desk.ended.items():
                found = [row["commitment"] for row in await store.COMMITMENTS.all(on, **key, batch=batch)]
                found += [os.urandom(32) for _ in range(batch_size(len(found)) - len(found))]
                leaves = sorted(found)
                root = Tree(map(leaf_hash, leaves)).root()
                await store.BATCH_ADD.run(
                    on, **key, batch=batch, root=root, leaves=b"".join(leaves), limits=json.dumps(limits)
                )
        self._from, self._saved = replica.number, time.monotonic()
        replica.watch = self._desk = _Desk()

    async def _keep(self, on: Narrow, done: list[Sealed]) -> None:
        if done:
            await store.DECISIONS_ADD.run(
                on, **{"class": self._name}, numbers=[d.number for d in done], batches=[d.batch for d in done],
                ats=[d.at for d in done], assignments=[d.assignment for d in done],
                commitments=[d.commitment for d in done], keys=[d.key for d in done], traces=[d.trace for d in done],
            )  # fmt: skip


class Teller:
    """Tells those who waited of each batch that was sealed. Whose key service is away is told when it is back, once, and keeps
    nobody else waiting; who has destroyed or revoked its key can read nothing of what it would be told."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._missed: dict[tuple[str, int], set[str]] = {}

    async def go(self) -> None:
        async with self._db.narrow("scheduler") as on:
            untold = [(row["class"], row["batch"]) for row in await store.UNTOLD.all(on)]
        self._missed = {one: orgs for one, orgs in self._missed.items() if one in untold}
        for name, batch in untold:
            missed = self._missed.get((name, batch), set[str]())
            if missed and not any([await self._has_key(org) for org in missed]):
                continue
            if missed := await self._tell(name, batch):
                self._missed[name, batch] = missed
                continue
            async with self._db.narrow("scheduler") as on:
                await store.TOLD.run(on, **{"class": name}, batch=batch)

    async def _has_key(self, org: str) -> bool:
        try:
            (await self._db.seal(org)).check()
        except _AWHILE:
            return False
        except Trouble:
            return True  # no key for good is an answer as well
        return True

    async def _tell(self, name: str, batch: int) -> set[str]:
        """Tells whoever was not told yet. Returns those who could not be."""
        key = {"class": name}
        async with self._db.narrow("scheduler") as on:
            row = await store.BATCH_GET.one(on, **key, batch=batch)
            orgs = {one["flow"]: one["org_id"] for one in await store.FLOWS.all(on, **key, **{"from": 0})}
            secret = (await store.CLASS_GET.one(on, **key))["secret"]
            rows = await store.DECISIONS.all(on, **key, batch=batch)
        seed = seed_of(secret, batch)
        waited, won = dict[int, int](), dict[int, int]()
        for one in rows:
            entries, decision = unpack(one["trace"], seed)
            for entry in entries:
                waited[entry.flow] = waited.get(entry.flow, 0) + 1
            won[decision.winner] = won.get(decision.winner, 0) + 1
        limits: list[int] = json.loads(row["limits"])
        missed = set[str]()
        for flow, count in sorted(waited.items()):
            told = TurnsSealed(
                name, batch, row["root"].hex(), len(row["leaves"]) // 32, seed.hex(), count, won.get(flow, 0),
                str(limits[flow]),
            )  # fmt: skip
            try:
                async with self._db.tx(orgs[flow], SYSTEM) as tx:
                    before = await store.TURNS_TOLD.all(tx, org=tx.org_id, **key, since=row["closed"] - _CLOCKS_DIFFER)
                    opened = (tx.seal.open(fact["body"], At("fact", fact["fact_id"])) for fact in before)
                    if all(fact["batch"] != batch for fact in opened):
                        await record(tx, told)
            except _AWHILE:
                missed.add(orgs[flow])
            except KEYLESS:
                continue
        return missed
