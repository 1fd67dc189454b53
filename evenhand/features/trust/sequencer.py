"""The sequencer: gives every fact of every organisation a place in the one log, in batches on a clock.

The database holds the log; tiles and the checkpoint are written from it afterwards and can be written again. Whoever has the
row of the state locked is the sequencer, so there may be any number of workers. See docs/decisions/0015-log.md.
"""

import asyncio
import json
import logging
import secrets
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from evenhand.features.trust import store
from evenhand.features.trust.neutrality_store import TOLD_HEAD
from evenhand.features.trust.types import BATCH_S, Batched, Clock, Log
from evenhand.features.trust.witnesses import policy_hash, policy_in
from evenhand.infra.db import Database, Narrow
from evenhand.infra.facts import micros, now_us
from evenhand.pure.log.events import (
    Batch,
    Closing,
    epoch_body,
    epoch_map,
    event_body,
    make_batch,
    size_with_closing,
    slots_for,
)
from evenhand.pure.log.leaves import event_digest
from evenhand.pure.log.merkle import Frontier, Tree
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.signing import sign_checkpoint
from evenhand.pure.log.tiles import TileNodes, grown, grown_entries

log = logging.getLogger("evenhand.log")
HELD = struct.Struct(">IQ")  # of the map of an epoch: slot and count
MOST_EVENTS = 16_000  # of a batch: with what is added they fill 16,384 leaves, and more would be padded to 65,536
_BATCHES = 2_000  # that are published at once


class _Members:
    """Who is in the log: tag, slot and count of each organisation, new ones with their first event."""

    def __init__(self, rows: list[Any]) -> None:
        self.tag: dict[str, bytes] = {r["org_id"]: r["tag"] for r in rows}
        self.slot: dict[str, int] = {r["org_id"]: r["slot"] for r in rows}
        self.count: dict[bytes, int] = {r["tag"]: r["count"] for r in rows}
        self.fresh: dict[str, tuple[int, bytes]] = {}  # when they came, and the salt of their first event

    @property
    def slots(self) -> int:
        """How many slots the map has: it never shrinks, since nobody leaves it."""
        return slots_for(len(self.slot))

    def greet(self, org: str, time_us: int) -> tuple[bytes, bytes]:
        """A new organisation: it gets a tag and a slot for good. Returns the tag and the digest of its first event."""
        self.tag[org] = secrets.token_bytes(32)
        taken = set(self.slot.values())
        self.slot[org] = -1
        self.slot[org] = secrets.choice([n for n in range(self.slots) if n not in taken])
        salt = secrets.token_bytes(32)
        self.fresh[org] = (time_us, salt)
        return self.tag[org], event_digest(salt, opened_body(time_us, self.slot[org]))

    def held(self, tags: list[bytes]) -> list[tuple[int, bytes, int]]:
        """(slot, tag, count) of each, with what is pending: one tag an event."""
        counts = Counter(self.count)
        counts.update(tags)
        return [(self.slot[org], tag, counts[tag]) for org, tag in self.tag.items()]


def opened_body(time_us: int, slot: int) -> bytes:
    """An organisation's first event: which slot is its own, for good."""
    return event_body("log.opened", time_us, {"slot": slot})


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What has no place yet, below the transaction number `upto`. strange: the highest number that may be another cluster's.

    orgs, facts: lists as the database gave them and gets them back; whose, digests: one an event; latest: microseconds since 1970,
    0 where there is nothing.
    """

    upto: str
    strange: str
    orgs: str = ""
    facts: str = ""
    whose: list[str] = field(default_factory=list[str])
    digests: list[bytes] = field(default_factory=list[bytes])
    latest: int = 0

    @staticmethod
    def of(row: Any, upto: str, strange: str) -> "_Waiting":
        if row["orgs"] is None:
            return _Waiting(upto, strange)
        whose, digests = row["orgs"].split(","), _cut(row["digests"])
        return _Waiting(upto, strange, row["orgs"], row["facts"], whose, digests, micros(row["latest"]))


@dataclass(frozen=True, slots=True)
class _Growth:
    """By what the log grew from `start` on: its leaves, and the complete subtrees that came to be (`Frontier.extend`)."""

    start: int
    entries: list[bytes]
    rows: list[list[bytes]]


def _cut(raw: bytes) -> list[bytes]:
    """The hashes, 32 bytes each, that stand one after another."""
    return [raw[at : at + 32] for at in range(0, len(raw), 32)]


async def tick(db: Database, this: Log, clock: Clock = now_us) -> Batched:
    """One batch: what is pending takes its places, an epoch ends where it is time. Then the files are brought up to date."""
    async with db.narrow("sequencer") as door:
        done, growth = await _batch(door, this, clock)
    await publish(db, this, growth)
    return done


async def _batch(door: Narrow, this: Log, clock: Clock) -> tuple[Batched, _Growth]:
    state = await store.STATE_LOCK.one(door)
    waiting, more = await _waiting(door, state)
    members = _Members(await store.MEMBERS.all(door))
    time_us = max(clock(), state["batch_at"], waiting.latest)
    greeted = [members.greet(org, time_us) for org in dict.fromkeys(waiting.whose) if org not in members.tag]
    tags = [tag for tag, _ in greeted] + [members.tag[org] for org in waiting.whose]

    start: int = state["size"]
    closing, slots = None, Tree()
    if state["wanted"] or time_us - state["epoch_at"] >= this.epoch_s * 1e6:
        told = this.public | {"policy": policy_hash(await policy_in(door)), **await _figures(door)}
        closing, slots = _closing(this, members, tags, state, time_us, start + size_with_closing(len(tags)), told)
    batch = make_batch(
        tags, [digest for _, digest in greeted] + waiting.digests, members.count, start=start, time_us=time_us,
        secret=this.secret, seed=secrets.token_bytes(32), closing=closing,
    )  # fmt: skip
    edge = Frontier(start, _cut(state["roots"]))
    growth = _Growth(start, batch.entries, edge.extend(map(leaf_hash, batch.entries)))

    await store.BATCH_ADD.run(door, start=start, entries=b"".join(batch.entries))
    await _keep_places(door, members, waiting, batch, time_us)
    if closing is not None:
        held = b"".join(HELD.pack(slot, count) for slot, _, count in members.held([]))
        await store.EPOCH_ADD.run(
            door, epoch=closing.epoch, size=edge.size, salt=closing.salt, record=closing.body,
            slots=slots.size, held=held, checkpoint=sign_checkpoint(this.signer, edge.size, edge.root()),
        )  # fmt: skip
    await store.STATE_SET.run(
        door, system=state["cluster"], xid=waiting.upto, strange=waiting.strange, size=edge.size, roots=b"".join(edge.roots),
        epoch=state["epoch"] if closing is None else closing.epoch,
        ended=state["ended"] if closing is None else edge.size, batch_at=time_us,
        epoch_at=state["epoch_at"] if closing is None else time_us, wanted=state["wanted"] and closing is None,
    )  # fmt: skip
    closed = None if closing is None else closing.epoch
    return Batched(edge.size, len(waiting.whose), closed, more), growth


async def _waiting(door: Narrow, state: Any) -> tuple[_Waiting, bool]:
    """What is in the batch, and whether more waits.

    In the cluster that the log knows, nothing from `xid` on has a place: each batch ends below the oldest transaction that
    runs, and moves `xid` to its end in the transaction that gives the places. After a restore that holds again when `xid` is
    past every number that came along. Were it ever wrong, the key of the places would refuse the second one: the log is late.
    """
    horizon: str = state["horizon"]
    if state["system_id"] != state["cluster"]:
        found = await store.PENDING_MIXED.one(door, **{"from": "0"}, to=horizon, beyond=state["highest"])
        return _Waiting.of(found, horizon, await store.NEWEST.value(door) or "0"), False
    begin, strange = state["xid"], state["strange"]
    if int(horizon) < int(begin):  # looked up before another sequencer let go of the state, which has got further
        horizon = begin
    cut = await store.CUT.value(door, **{"from": begin}, to=horizon, most=MOST_EVENTS)
    upto = horizon if cut is None or cut == begin else cut
    if state["mixed"]:
        found = await store.PENDING_MIXED.one(door, **{"from": begin}, to=upto, beyond=str(2**64 - 1))
    else:
        found = await store.PENDING.one(door, **{"from": begin}, to=upto)
    return _Waiting.of(found, upto, strange), upto != horizon


async def _figures(door: Narrow) -> dict[str, str]:
    """The head of the chain of the public neutrality figures: whoever publishes others later shows it."""
    row = await TOLD_HEAD.maybe(door)
    return {} if row is None else {"neutrality": f"{row['number']} {row['head'].hex()}"}


def _closing(
    this: Log, members: _Members, tags: list[bytes], state: Any, time_us: int, size: int, told: dict[str, str]
) -> tuple[Closing, Tree]:
    """The record that ends the epoch, and the map that it commits to: the counts as they are after this batch."""
    epoch = state["epoch"] + 1
    held = members.held(tags)
    slots = epoch_map(members.slots, epoch, held, this.secret)
    body = epoch_body(epoch, time_us, size=size, previous=state["ended"], tree=slots, public=told)
    return Closing(epoch, secrets.token_bytes(32), body), slots


async def _keep_places(door: Narrow, members: _Members, waiting: _Waiting, batch: Batch, time_us: int) -> None:
    new = len(members.fresh)
    for (org, (opened_at, salt)), index in zip(members.fresh.items(), batch.indices[:new], strict=True):
        await store.MEMBER_ADD.run(
            door, org=org, tag=members.tag[org], slot=members.slot[org], count=members.count[members.tag[org]],
            opened_at=opened_at, salt=salt, index=index,
        )  # fmt: skip
    if not waiting.whose:
        return
    await store.PLACES_ADD.run(
        door,
        orgs=waiting.orgs,
        facts=waiting.facts,
        counters=",".join(map(str, batch.counters[new:])),
        indices=",".join(map(str, batch.indices[new:])),
        sequenced=time_us,
    )
    grew = sorted(set(waiting.whose))
    await store.MEMBER_COUNTS.run(door, orgs=grew, counts=[members.count[members.tag[org]] for org in grew])


async def publish(db: Database, this: Log, fresh: _Growth | None = None) -> None:
    """Writes what the tiles do not show yet, and the checkpoint last. fresh: what has just been committed and need not be read."""
    empty = this.files.checkpoint() is None  # the folder is new, or its files are gone
    shown = 0
    while True:
        async with db.narrow("sequencer") as door:
            state = await store.STATE_LOCK.one(door)
            shown = shown if empty else state["published"]
            if shown == state["size"]:
                return
            if fresh is not None and fresh.start == shown:
                whole = shown + len(fresh.entries)
                await asyncio.to_thread(_write, this, fresh)
            else:
                found = await store.BATCHES.all(door, **{"from": shown}, most=_BATCHES)
                entries = _cut(b"".join(row["entries"] for row in found))
                whole = shown + len(entries)
                await asyncio.to_thread(_write_from, this, shown, entries)
            if whole == state["size"]:
                root = Frontier(whole, _cut(state["roots"])).root()
                this.files.put_checkpoint(sign_checkpoint(this.signer, whole, root))
            await store.PUBLISHED_SET.run(door, size=whole)
            shown = whole


def _write_from(this: Log, shown: int, entries: list[bytes]) -> None:
    edge = Frontier.of(TileNodes(this.files.tile, shown), shown)
    _write(this, _Growth(shown, entries, edge.extend(map(leaf_hash, entries))))


def _write(this: Log, growth: _Growth) -> None:
    for tile, data in grown_entries(growth.start, growth.entries, this.files.tile):
        this.files.put_tile(tile, data)
    for tile, data in grown(growth.start, growth.rows, this.files.tile):
        this.files.put_tile(tile, data)


async def announce(db: Database, this: Log) -> None:
    """At a start: where the newest epoch names another program than this one, an epoch ends at once and names it."""
    async with db.narrow("sequencer") as door:
        newest = await store.LAST_EPOCH.maybe(door, published=2**62)
        told: dict[str, str] = {} if newest is None else json.loads(newest["record"]).get("public", {})
        if {name: told.get(name) for name in this.public} != this.public:
            await store.WANT_EPOCH.run(door)


async def run(db: Database, this: Log, stop: asyncio.Event, *, batch_s: float = BATCH_S) -> None:
    """A batch every five seconds, whether anything happened or not."""
    told = False
    while not stop.is_set():
        begun = time.monotonic()
        try:
            if not told:
                await announce(db, this)
                told = True
            while (await tick(db, this)).more:
                pass
        except Exception as err:
            # a driver and a disk fail in ways of their own, and nothing starts this again: what has no place yet shows as late
            log.warning("the log's batch failed (%s); trying again", type(err).__name__)
        await _until(stop, begun + batch_s)


async def _until(stop: asyncio.Event, at: float, clock: Callable[[], float] = time.monotonic) -> None:
    try:
        await asyncio.wait_for(stop.wait(), max(0.05, at - clock()))
    except TimeoutError:
        pass
