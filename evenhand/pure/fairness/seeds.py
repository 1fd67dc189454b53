"""The lottery among equal tags, and its seeds as one chain: each is the commitment to the next, so all are committed to at once.

seed(b) = H(seed(b + 1)), where H is `seed_commitment`. Whoever knows one seed can check each later one, and none before its time.
"""

import hashlib
import hmac
from functools import lru_cache

CHAIN = 1 << 18  # batches of a class: five years of ten minutes
_STEP = 1 << 10


def tie_of(seed: bytes, flow: int, start: int) -> bytes:
    """The lottery among equal start tags: HMAC-SHA-256 of the flow's opaque number and the tag, so each tag is a new draw."""
    return hmac.digest(seed, b"evenhand tie 1" + flow.to_bytes(8) + start.to_bytes(16, signed=True), "sha256")


def seed_commitment(seed: bytes) -> bytes:
    """What is published before the batch whose ties `seed` breaks; the seed is opened after it. SHA-256, 32 bytes."""
    return hashlib.sha256(b"evenhand seed 1" + seed).digest()


def seed_of(secret: bytes, batch: int) -> bytes:
    """The seed of a batch, from 1. secret: of the class, 32 bytes. About 0.2 s of hashing, once a class and process."""
    done = max(0, CHAIN - batch)
    made = _waypoints(secret)[done // _STEP]
    for _ in range(done % _STEP):
        made = seed_commitment(made)
    return made


@lru_cache(maxsize=64)
def _waypoints(secret: bytes) -> tuple[bytes, ...]:
    """Every `_STEP`th of the chain, from its far end: whoever opens a thousand batches does not walk it a thousand times."""
    made, out = secret, [secret]
    for _ in range(CHAIN // _STEP):
        for _ in range(_STEP):
            made = seed_commitment(made)
        out.append(made)
    return tuple(out)


def follows(seed: bytes, batch: int, commitment: bytes, of: int) -> bool:
    """Whether `seed` of `batch` is on the chain on which `commitment` was published for the batch `of`."""
    if not 0 <= batch - of < CHAIN:
        return False
    made = seed
    for _ in range(batch - of + 1):
        made = seed_commitment(made)
    return made == commitment
