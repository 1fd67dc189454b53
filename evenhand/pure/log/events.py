"""Events on their way into the log: bodies, batches that hide how many there were, and the map of an epoch.

The act makes the body and its digest; the sequencer sees digests only, and adds the organisation's tag, the counter and the
time. Why it is so: docs/decisions/0015-log.md.
"""

import base64
import hashlib
import hmac
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evenhand.pure.log.leaves import LOG_TAG, canonical, event_digest, leaf_entry, slot_entry
from evenhand.pure.log.merkle import Tree
from evenhand.pure.log.proofs import leaf_hash

SMALLEST = 16  #: leaves of a batch
FEWEST_SLOTS = 1024


def event_body(kind: str, time_us: int, data: Mapping[str, Any]) -> bytes:
    """The body of an event. data: JSON without fractions. Raises ValueError for what canonical JSON can't hold."""
    return canonical({"v": 1, "kind": kind, "time": time_us, "data": data})


def batch_size(count: int) -> int:
    """How many leaves a batch has: the next power of four, at least 16."""
    size = SMALLEST
    while size < count:
        size *= 4
    return size


def padding_entry(secret: bytes, index: int) -> bytes:
    """A leaf that holds nothing and looks like any other. The secret (32 bytes) opens all of them, to an auditor."""
    salt = hmac.digest(secret, b"padding" + index.to_bytes(8, "big"), "sha256")
    return hashlib.sha256(b"evenhand-padding-v1\n" + salt).digest()


@dataclass(frozen=True, slots=True)
class Closing:
    """The record that ends an epoch, the last leaf of its batch. salt: 32 bytes, given to every customer."""

    epoch: int
    salt: bytes
    body: bytes

    @property
    def digest(self) -> bytes:
        return event_digest(self.salt, self.body)


@dataclass(frozen=True, slots=True)
class Batch:
    """entries: the leaves, in order; the i-th event got counters[i] and stands at indices[i] of the log."""

    entries: list[bytes]
    counters: list[int]
    indices: list[int]


def make_batch(
    tags: Sequence[bytes],
    digests: Sequence[bytes],
    counts: dict[bytes, int],
    *,
    start: int,
    time_us: int,
    secret: bytes,
    seed: bytes,
    closing: Closing | None = None,
) -> Batch:
    """Numbers and places what is pending, in its order, and pads.

    tags, digests: whose each event is, and what it commits to, 32 bytes each; counts: tag -> events so far, and is brought up to
    date; start: the size of the log; time_us: never before that of the last batch; seed: 32 random bytes, used once: places are
    drawn by it, so that one's own places do not tell how many events of others came before. Within an organisation order is kept.
    """
    size = batch_size(len(tags) + (closing is not None))
    places = _places(tags, _shuffled(seed, size - (closing is not None)))
    entries: list[bytes] = [b""] * size
    counters: list[int] = []
    for tag, digest, at in zip(tags, digests, places, strict=True):
        counter = counts[tag] = counts.get(tag, 0) + 1
        counters.append(counter)
        entries[at] = leaf_entry(digest, tag, counter, time_us)
    if closing is not None:
        entries[size - 1] = leaf_entry(closing.digest, LOG_TAG, closing.epoch, time_us)
    return Batch(
        [entry or padding_entry(secret, start + at) for at, entry in enumerate(entries)],
        counters,
        [start + at for at in places],
    )


def _places(tags: Sequence[bytes], drawn: list[int]) -> list[int]:
    """A place for each event, of those drawn: which ones an organisation gets is chance, and it uses them in their order."""
    mine: defaultdict[bytes, list[int]] = defaultdict(list)
    for tag, at in zip(tags, drawn, strict=False):
        mine[tag].append(at)
    for places in mine.values():
        places.sort(reverse=True)
    return [mine[tag].pop() for tag in tags]


def _shuffled(seed: bytes, count: int) -> list[int]:
    """0..count-1 in an order that only who knows the seed can tell from chance: sorted by 64 bits each of its SHAKE256."""
    keys = struct.unpack(f">{count}Q", hashlib.shake_256(b"evenhand-places-v1\n" + seed).digest(8 * count))
    return sorted(range(count), key=keys.__getitem__)


def size_with_closing(pending: int) -> int:
    """How many leaves a batch has that ends an epoch: what its record must say beforehand."""
    return batch_size(pending + 1)


def slots_for(organisations: int) -> int:
    """How many slots the map has: a power of four, at least twice as many as there are organisations."""
    slots = FEWEST_SLOTS
    while slots < 2 * organisations:
        slots *= 4
    return slots


def epoch_map(slots: int, epoch: int, held: Iterable[tuple[int, bytes, int]], secret: bytes) -> Tree:
    """The map of an epoch. held: (slot, tag, count) of each organisation; the empty slots look like the others."""
    entries = {slot: slot_entry(tag, epoch, count) for slot, tag, count in held}
    at_epoch = b"slot" + epoch.to_bytes(8, "big")
    return Tree(
        leaf_hash(entries.get(slot) or hmac.digest(secret, at_epoch + slot.to_bytes(8, "big"), "sha256"))
        for slot in range(slots)
    )


def epoch_body(
    epoch: int, time_us: int, *, size: int, previous: int, tree: Tree, public: Mapping[str, Any] | None = None
) -> bytes:
    """The record of an epoch. size: of the log, with this record; previous: at the end of the epoch before, or 0.

    public: what every customer is told alike, such as hashes of the software, and versions of policy and rate card.
    """
    return canonical(
        {
            "v": 1, "kind": "log.epoch", "epoch": epoch, "time": time_us, "size": size, "previous": previous,
            "slots": tree.size, "root": base64.b64encode(tree.root()).decode(), "public": dict(public or {}),
        }
    )  # fmt: skip
