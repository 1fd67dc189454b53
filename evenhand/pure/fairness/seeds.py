"""The lottery among equal tags, and its seeds as one chain: each is the commitment to the next, so all are committed to at once.

seed(b) = H(seed(b + 1)), where H is `seed_commitment`. Whoever knows one seed can check each later one, and none before its time.
"""

import hashlib
import hmac

CHAIN = 1 << 18  # batches of a class: five years of ten minutes


def tie_of(seed: bytes, flow: int, start: int) -> bytes:
    """The lottery among equal start tags: HMAC-SHA-256 of the flow's opaque number and the tag, so each tag is a new draw."""
    return hmac.digest(seed, b"evenhand tie 1" + flow.to_bytes(8) + start.to_bytes(16, signed=True), "sha256")


def seed_commitment(seed: bytes) -> bytes:
    """What is published before the batch whose ties `seed` breaks; the seed is opened after it. SHA-256, 32 bytes."""
    return hashlib.sha256(b"evenhand seed 1" + seed).digest()


def follows(seed: bytes, batch: int, commitment: bytes, of: int) -> bool:
    """Whether `seed` of `batch` is on the chain on which `commitment` was published for the batch `of`."""
    if not 0 <= batch - of < CHAIN:
        return False
    made = seed
    for _ in range(batch - of + 1):
        made = seed_commitment(made)
    return made == commitment
