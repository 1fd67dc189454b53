"""A customer's bundle of evidence: its own events with what opens them, and the proofs that they stand in the one log."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterator
from typing import IO, Any, Self

import msgspec

from evenhand.features.people.rules import Verb, require
from evenhand.features.trust import store
from evenhand.features.trust.openings import opened
from evenhand.features.trust.sequencer import HELD, opened_body
from evenhand.features.trust.witnesses import is_met
from evenhand.infra.db import Database, Tx
from evenhand.infra.facts import event_of
from evenhand.infra.logfiles import LogFiles
from evenhand.infra.seal import Seal
from evenhand.infra.spool import Spool
from evenhand.pure.log.deletions import certificate_digest
from evenhand.pure.log.events import epoch_map
from evenhand.pure.log.leaves import event_digest, leaf_entry
from evenhand.pure.log.merkle import consistency_proof, inclusion_proof
from evenhand.pure.log.notes import Note
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.tiles import TileNodes
from evenhand.pure.log.walk import DELETED
from evenhand.pure.log.writing import EpochOpening, EventOpening, Whose, write_bundle
from evenhand.pure.trouble import Busy, Conflict

WAIT_S = 15.0
COSIGN_S = 6.0  # a witness that looks at the log does so every five seconds
SILENT_S = 30.0  # without a batch: then it is not worth waiting
_CHUNK = 5_000  # events, after which context and keys are asked for again
_LOOK_S = 0.2
_MEMORY = 8_000_000
_SPOOLED = msgspec.msgpack.Decoder(tuple[int, int, int, bytes, bytes, bytes])


class NothingYet(Conflict):
    hint = "The log takes in what happens every five seconds; ask again after the first act of this organisation."


class LogAway(Busy):
    hint = "Nothing is lost: what happened is kept and will be numbered. Try again in a minute, and tell the operator."


async def newest_epoch(db: Database, policy: Policy) -> Any:
    """An epoch that ends after everything the log shows by now, so that no checkpoint that somebody has saved is newer.

    It is ended on request and takes as long as a batch; then the witnesses of `policy` have a few seconds to cosign it.
    Raises LogAway."""
    found = await _ended(db)
    until = time.monotonic() + COSIGN_S
    while not is_met(policy, found["checkpoint"]) and time.monotonic() < until:
        await asyncio.sleep(_LOOK_S)
        async with db.narrow("sequencer") as door:
            found = await store.EPOCH_GET.one(door, epoch=found["epoch"])
    return found


async def _ended(db: Database) -> Any:
    async with db.narrow("sequencer") as door:
        state = await store.STATE_GET.one(door)
        shown: int = state["size"]
        await store.WANT_EPOCH.run(door)
    # a log that has no batch yet is about to write its first
    silent_s = time.time() - state["batch_at"] / 1e6 if state["batch_at"] else 0.0
    until = time.monotonic() + WAIT_S
    while silent_s < SILENT_S and time.monotonic() < until:
        async with db.narrow("sequencer") as door:
            state = await store.STATE_GET.one(door)
            found = await store.LAST_EPOCH.maybe(door, published=state["published"])
        if found is not None and found["size"] > shown:
            return found
        await asyncio.sleep(_LOOK_S)
    raise LogAway("The transparency log takes nothing in at the moment.", retry_after_s=10)


class Evidence:
    """The bundle of one organisation, as of the end of an epoch. `gather` in the organisation's transaction, then `write`; what was
    gathered is let go at the end of its block."""

    def __init__(self, files: LogFiles, secret: bytes, epoch: Any) -> None:
        """secret: of the log, with which the map's empty slots are made."""
        self._files, self._secret, self._epoch = files, secret, epoch
        self._tags: dict[int, bytes] = {}
        self._mine: Any = None
        self._indices: list[int] = []
        self._certificates: list[bytes] = []
        self._spool: Any = Spool(_MEMORY)
        self._org = ""
        self._sealed: set[tuple[str, int]] = set()  # batches of decisions that the events tell of
        self._decisions: Any = Spool(_MEMORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()
        self._decisions.close()

    async def gather(self, tx: Tx, seal: Seal | None = None) -> None:
        """Reads the organisation's events. seal: where its keys are not those of the transaction. Raises NothingYet."""
        require(tx, Verb.READ)
        seal = seal or tx.seal
        size: int = self._epoch["size"]
        self._org = tx.org_id
        mine = self._mine = await store.MINE.maybe(tx, org=tx.org_id)
        if mine is None or mine["index"] >= size:
            raise NothingYet("The log holds no event of this organisation yet.")
        body = opened_body(mine["opened_at"], mine["slot"])
        self._keep(1, mine["index"], mine["opened_at"], mine["salt"], event_digest(mine["salt"], body), body)
        certified: set[str] = set()
        async for row in store.EVENTS.stream(tx, org=tx.org_id, **{"from": 0}, size=size):
            body = event_of(seal, row["fact_id"], row["kind"], row["at"], row["about_id"], row["body"])
            self._keep(row["counter"], row["index"], row["sequenced"], row["salt"], row["digest"], body)
            if row["kind"] == DELETED:
                certified.add(msgspec.json.decode(body)["data"]["certificate"])
            if row["kind"] == "TurnsSealed":
                self._sealed.add((row["about_id"], msgspec.json.decode(body)["data"]["batch"]))
            if len(self._indices) % _CHUNK == 0:
                await tx.renew()
        for row in await store.CERTIFICATES.all(tx, org=tx.org_id):
            text = Note.parse(row["note"].encode()).text
            if certificate_digest(text) in certified:  # else its event comes after this epoch
                self._certificates.append(row["note"].encode())

    def _keep(self, counter: int, index: int, sequenced: int, salt: bytes, digest: bytes, body: bytes) -> None:
        entry = leaf_entry(digest, self._mine["tag"], counter, sequenced)
        line = msgspec.msgpack.encode((counter, index, sequenced, salt, entry, body))
        self._spool.write(len(line).to_bytes(4, "big") + line)
        self._indices.append(index)

    def _events(self) -> Iterator[EventOpening]:
        self._spool.seek(0)
        while head := self._spool.read(4):
            yield EventOpening(*_SPOOLED.decode(self._spool.read(int.from_bytes(head, "big"))))

    def _held(self, packed: bytes) -> Iterator[tuple[int, bytes, int]]:
        for slot, count in HELD.iter_unpack(packed):
            yield slot, self._tags[slot], count

    def _openings(self, epochs: list[Any], nodes: TileNodes) -> Iterator[EpochOpening]:
        size: int = self._epoch["size"]
        for row in epochs:
            slots = epoch_map(row["slots"], row["epoch"], self._held(row["held"]), self._secret)
            yield EpochOpening(
                row["size"], row["salt"], row["record"], bisect_left(self._indices, row["size"]),
                inclusion_proof(slots.nodes, self._mine["slot"], slots.size), row["checkpoint"],
                consistency_proof(nodes, row["size"], size),
            )  # fmt: skip

    async def write(self, db: Database, out: IO[bytes], saved: list[int]) -> None:
        """Writes the bundle. saved: sizes of checkpoints from which it is to prove that the log has only grown."""
        async with db.narrow("sequencer") as door:
            epochs = await store.EPOCHS.all(door, after=self._mine["index"], upto=self._epoch["epoch"])
            self._tags = {r["slot"]: r["tag"] for r in await store.MEMBERS.all(door)}
        async for lines in opened(db, self._org, self._sealed):
            self._decisions.writelines(lines)
        await asyncio.to_thread(self._write, out, epochs, saved)

    def _opened(self) -> Iterator[dict[str, Any]]:
        self._decisions.seek(0)
        return map(msgspec.json.decode, self._decisions)

    def _write(self, out: IO[bytes], epochs: list[Any], saved: list[int]) -> None:
        size: int = self._epoch["size"]
        nodes = TileNodes(self._files.tile, size)
        write_bundle(
            out, Whose(self._mine["tag"], self._mine["slot"]), checkpoint=self._epoch["checkpoint"], size=size, nodes=nodes,
            epochs=self._openings(epochs, nodes), events=self._events(),
            consistency=[(at, consistency_proof(nodes, at, size)) for at in saved if 0 < at <= size],
            deletions=self._certificates or None,
            decisions=self._opened() if self._decisions.tell() else None,
        )  # fmt: skip
