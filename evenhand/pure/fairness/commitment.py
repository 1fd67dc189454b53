"""What a decision saw: sealed when it is made, opened later to those who waited.

The commitment is one hash over a leaf for each waiting flow and a leaf for the auditor. A flow's leaf has two parts, each
with a salt of its own:

* *seen by all*: how far its start tag lies behind the winner's, as a power of two, and whether it won (then its tie);
* *its own*: opaque index, pace, start tag, expected cost, the exact distance.

The leaves stand in the order of their hashes, which is a fresh shuffle for every decision, so nobody can follow a rival from
one decision to the next. A customer gets its own leaf whole, the public part of every other leaf, and hashes for the rest. That is
enough to replay: all leaves are there, exactly one won, none stands before it, the customer's own was not better. Each
customer that waited vouches in this way for its own leaf, so together they vouch for all; an auditor with the key opens all.

What it shows: how many customers waited in this pool, and roughly how far apart they stood. It shows no number that counts
decisions or volume, but for the customer's own tags.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence

from evenhand.pure.fairness.opening import (
    Opening,
    flow_leaf,
    flow_root,
    hashed_part,
)
from evenhand.pure.fairness.queueing import Decision, Entry
from evenhand.pure.fairness.seeds import seed_commitment, tie_of
from evenhand.pure.trouble import Missing


class NotWaiting(Missing):
    hint = "Only a customer that waited when the decision was made gets its opening."


def commit(trace: Sequence[Entry], decision: Decision, seeds: bytes, key: bytes) -> bytes:
    """The 32 bytes that bind what `decision` saw. seeds: `seed_commitment` of its batch. key: 32 fresh random bytes."""
    leaves = [
        flow_leaf(hashed_part(*parts[0]), hashed_part(*parts[1])) for parts in _parts(trace, decision, key).values()
    ]
    return flow_root(seeds, _audit(decision, key), leaves)


def open_for(trace: Sequence[Entry], decision: Decision, seeds: bytes, key: bytes, flow: int) -> Opening:
    """What the customer behind `flow` may see of the decision."""
    parts = _parts(trace, decision, key)
    if flow not in parts:
        raise NotWaiting("this flow did not wait when the decision was made")
    (salt_a, seen), (salt_b, own) = parts.pop(flow)
    others = sorted((salt, public, hashed_part(*private)) for (salt, public), private in parts.values())
    return Opening(seeds, _audit(decision, key), (salt_a, salt_b), seen, own, tuple(others))


def audit(trace: Sequence[Entry], decision: Decision, seed: bytes, key: bytes, commitment: bytes) -> bool:
    """For the auditor, who gets trace, seed and key: the commitment is of this trace, and the rule gives this decision."""
    if not hmac.compare_digest(commit(trace, decision, seed_commitment(seed), key), commitment):
        return False
    if any(entry.tie != tie_of(seed, entry.flow, entry.start) for entry in trace):
        return False
    best = min(trace, key=lambda entry: (entry.start, entry.tie))
    return (best.flow, best.start, best.cost_ms) == (decision.winner, decision.start, decision.cost_ms)


_Part = tuple[bytes, bytes]


def _parts(trace: Sequence[Entry], decision: Decision, key: bytes) -> dict[int, tuple[_Part, _Part]]:
    """For each flow (salt, public part) and (salt, private part)."""
    out: dict[int, tuple[_Part, _Part]] = {}
    for entry in trace:
        won = entry.flow == decision.winner
        behind = entry.start - decision.start
        seen = _distance(behind) + (entry.tie if won else b"")
        own = b"[%d,%d,%d,%d,%d]" % (entry.flow, entry.pace, entry.start, entry.cost_ms, behind)
        salts = hashlib.blake2b(entry.flow.to_bytes(8), key=key, person=b"evenhand salt 1").digest()
        out[entry.flow] = (salts[:32], seen), (salts[32:], own)
    return out


def _distance(behind: int) -> bytes:
    """The power of two below the distance, so that a rival's tags cannot be told apart and followed: 0, 1, 2-3, 4-7, ..."""
    return max(behind, 0).bit_length().to_bytes(2)


def _audit(decision: Decision, key: bytes) -> bytes:
    """Binds the decision's number and pool, which count and so stay with the auditor."""
    return hmac.digest(key, b"audit" + json.dumps(decision, separators=(",", ":")).encode(), "sha256")
