"""The seeds of a class, made from its secret: `seeds` says what they are."""

from functools import lru_cache

from evenhand.pure.fairness.seeds import CHAIN, seed_commitment

_STEP = 1 << 10


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
