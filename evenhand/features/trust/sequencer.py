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
from typing import Any

from evenhand.features.trust import store
from evenhand.features.trust.neutrality_store import TOLD_HEAD
from evenhand.features.trust.types import BATCH_S, Batched, Clock, Log
from evenhand.features.trust.witnesses import policy_hash, policy_in
from evenhand.infra.db import Database, Narrow
from evenhand.infra.facts import micros, now_us
from evenhand.pure.log.events import (
    Closing,
    Pending,
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
from evenhand.pure.log.tiles import grown, grown_entries

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

    def greet(self, org: str, time_us: int) -> Pending:
        """A new organisation: it gets a tag and a slot for good. Returns its first event."""
        self.tag[org] = secrets.token_bytes(32)
        taken = set(self.slot.values())
        self.slot[org] = -1
        self.slot[org] = secrets.choice([n for n in range(self.slots) if n not in taken])
        salt = secrets.token_bytes(32)
        self.fresh[org] = (time_us, salt)
        return Pending(self.tag[org], event_digest(salt, opened_body(time_us, self.slot[org])))

    def held(self, pending: list[Pending]) -> list[tuple[int, bytes, int]]:
        """(slot, tag, count) of each, with what is pending."""
        counts = Counter(self.count)
        counts.update(one.tag for one in pending)
        return [(self.slot[org], tag, counts[tag]) for org, tag in self.tag.items()]


def opened_body(time_us: int, slot: int) -> bytes:
    """An organisation's first event: which slot is its own, for good."""
    return event_body("log.opened", time_us, {"slot": slot})


async def tick(db: Database, this: Log, clock: Clock = now_us) -> Batched:
    """One batch: what is pending takes its places, an epoch ends where it is time. Then the files are brought up to date."""
    async with db.narrow("sequencer") as door:
        done = await _batch(door, this, clock)
    await publish(db, this)
    return done


async def _batch(door: Narrow, this: Log, clock: Clock) -> Batched:
    state = await store.STATE_LOCK.one(door)
    restored = state["system_id"] != state["cluster"]
    start: int = state["size"]
    begin, upto = ("0" if restored else state["xid"]), state["horizon"]
    cut = await store.CUT.value(door, **{"from": begin}, to=upto, most=MOST_EVENTS)
    if cut is not None and cut != begin and not restored:
        upto = cut
    beyond = state["highest"] if restored else str(2**64 - 1)
    rows = await store.PENDING.all(door, **{"from": begin}, to=upto, beyond=beyond)
    members = _Members(await store.MEMBERS.all(door))
    latest = max((r["at"] for r in rows), default=None)
    time_us = max(clock(), state["batch_at"], 0 if latest is None else micros(latest))
    greeted = [
        members.greet(org, time_us) for org in dict.fromkeys(r["org_id"] for r in rows) if org not in members.tag
    ]
    pending = greeted + [Pending(members.tag[r["org_id"]], r["digest"]) for r in rows]

    closing, slots = None, Tree()
    size_after = start + size_with_closing(len(pending))
    if state["wanted"] or time_us - state["epoch_at"] >= this.epoch_s * 1e6:
        told = this.public | {"policy": policy_hash(await policy_in(door)), **await _figures(door)}
        closing, slots = _closing(this, members, pending, state, time_us, size_after, told)
    batch = make_batch(
        pending, members.count, start=start, time_us=time_us, secret=this.secret, seed=secrets.token_bytes(32),
        closing=closing,
    )  # fmt: skip
    edge = Frontier(start, [state["roots"][at : at + 32] for at in range(0, len(state["roots"]), 32)])
    for entry in batch.entries:
        edge.append(leaf_hash(entry))

    await store.BATCH_ADD.run(door, start=start, entries=b"".join(batch.entries))
    await _keep_places(door, members, rows, batch.placed)
    if closing is not None:
        held = b"".join(HELD.pack(slot, count) for slot, _, count in members.held([]))
        await store.EPOCH_ADD.run(
            door, epoch=closing.epoch, size=edge.size, salt=closing.salt, record=closing.body,
            slots=slots.size, held=held, checkpoint=sign_checkpoint(this.signer, edge.size, edge.root()),
        )  # fmt: skip
    await store.STATE_SET.run(
        door, system=state["cluster"], xid=upto, size=edge.size, roots=b"".join(edge.roots),
        epoch=state["epoch"] if closing is None else closing.epoch,
        ended=state["ended"] if closing is None else edge.size, batch_at=time_us,
        epoch_at=state["epoch_at"] if closing is None else time_us, wanted=state["wanted"] and closing is None,
    )  # fmt: skip
    return Batched(edge.size, len(rows), None if closing is None else closing.epoch, upto != state["horizon"])


async def _figures(door: Narrow) -> dict[str, str]:
    """The head of the chain of the public neutrality figures: whoever publishes others later shows it."""
    row = await TOLD_HEAD.maybe(door)
    return {} if row is None else {"neutrality": f"{row['number']} {row['head'].hex()}"}


def _closing(
    this: Log, members: _Members, pending: list[Pending], state: Any, time_us: int, size: int, told: dict[str, str]
) -> tuple[Closing, Tree]:
    """The record that ends the epoch, and the map that it commits to: the counts as they are after this batch."""
    epoch = state["epoch"] + 1
    held = members.held(pending)
    slots = epoch_map(members.slots, epoch, held, this.secret)
    body = epoch_body(epoch, time_us, size=size, previous=state["ended"], tree=slots, public=told)
    return Closing(epoch, secrets.token_bytes(32), body), slots


async def _keep_places(door: Narrow, members: _Members, rows: list[Any], placed: list[Any]) -> None:
    greeted, mine = placed[: len(members.fresh)], placed[len(members.fresh) :]
    for (org, (opened_at, salt)), place in zip(members.fresh.items(), greeted, strict=True):
        await store.MEMBER_ADD.run(
            door, org=org, tag=members.tag[org], slot=members.slot[org], count=members.count[members.tag[org]],
            opened_at=opened_at, salt=salt, index=place.index,
        )  # fmt: skip
    if not rows:
        return
    orgs = [r["org_id"] for r in rows]
    await store.PLACES_ADD.run(
        door,
        orgs=",".join(orgs),
        facts=",".join([r["fact_id"] for r in rows]),
        counters=",".join([str(p.counter) for p in mine]),
        indices=",".join([str(p.index) for p in mine]),
        sequenced=mine[0].sequenced_us,
    )
    grew = sorted(set(orgs))
    await store.MEMBER_COUNTS.run(door, orgs=grew, counts=[members.count[members.tag[org]] for org in grew])


async def publish(db: Database, this: Log) -> None:
    """Writes what the tiles do not show yet, and the checkpoint last."""
    empty = this.files.checkpoint() is None  # the folder is new, or its files are gone
    shown = 0
    while True:
        async with db.narrow("sequencer") as door:
            state = await store.STATE_LOCK.one(door)
            shown = shown if empty else state["published"]
            if shown == state["size"]:
                return
            found = await store.BATCHES.all(door, **{"from": shown}, most=_BATCHES)
            entries = [row["entries"][at : at + 32] for row in found for at in range(0, len(row["entries"]), 32)]
            whole = shown + len(entries)
            await asyncio.to_thread(_write, this, shown, entries)
            if whole == state["size"]:
                roots = [state["roots"][at : at + 32] for at in range(0, len(state["roots"]), 32)]
                this.files.put_checkpoint(sign_checkpoint(this.signer, whole, Frontier(whole, roots).root()))
            await store.PUBLISHED_SET.run(door, size=whole)
            shown = whole


def _write(this: Log, shown: int, entries: list[bytes]) -> None:
    for tile, data in grown_entries(shown, entries, this.files.tile):
        this.files.put_tile(tile, data)
    for tile, data in grown(shown, [leaf_hash(entry) for entry in entries], this.files.tile):
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
            log.warning("the log's batch failed (%s); trying again", type(err).__name__)
        await _until(stop, begun + batch_s)


async def _until(stop: asyncio.Event, at: float, clock: Callable[[], float] = time.monotonic) -> None:
    try:
        await asyncio.wait_for(stop.wait(), max(0.05, at - clock()))
    except TimeoutError:
        pass
