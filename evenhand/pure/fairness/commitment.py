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
from dataclasses import dataclass
from typing import Literal, cast

from evenhand.pure.fairness.queueing import Decision, Entry, tie_of
from evenhand.pure.trouble import Invalid, Missing


class OpeningWrong(Invalid):
    """An opening that does not belong to the commitment, or that contradicts itself."""

    hint = "Keep the commitment and the opening: together they are the evidence."


class NotWaiting(Missing):
    hint = "Only a customer that waited when the decision was made gets its opening."


@dataclass(frozen=True, slots=True)
class Opening:
    """For one customer: its own leaf, the public parts of the others' as (salt, public part, hash of the private part)."""

    seeds: bytes
    audit: bytes
    salts: tuple[bytes, bytes]
    seen: bytes
    own: bytes
    others: tuple[tuple[bytes, bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What replaying an opening shows.

    won: the customer itself was chosen. behind: its distance from the winner in tag units. rightly: it was passed over (or
    chosen) as the rule says; "not checked" where that hangs on a tie and the seed was not given. within: its distance is within
    the limit; "not checked" where none was given.
    """

    waiting: int
    won: bool
    start: int
    behind: int
    rightly: bool | Literal["not checked"]
    within: bool | Literal["not checked"]


def seed_commitment(seed: bytes) -> bytes:
    """Published before the batch whose ties `seed` breaks; the seed is opened after it. SHA-256, 32 bytes."""
    return hashlib.sha256(b"evenhand seed 1" + seed).digest()


def commit(trace: Sequence[Entry], decision: Decision, seeds: bytes, key: bytes) -> bytes:
    """The 32 bytes that bind what `decision` saw. seeds: `seed_commitment` of its batch. key: 32 fresh random bytes."""
    leaves = [_leaf(_hashed(*parts[0]), _hashed(*parts[1])) for parts in _parts(trace, decision, key).values()]
    return _root(seeds, _audit(decision, key), leaves)


def open_for(trace: Sequence[Entry], decision: Decision, seeds: bytes, key: bytes, flow: int) -> Opening:
    """What the customer behind `flow` may see of the decision."""
    parts = _parts(trace, decision, key)
    if flow not in parts:
        raise NotWaiting("this flow did not wait when the decision was made")
    (salt_a, seen), (salt_b, own) = parts.pop(flow)
    others = sorted((salt, public, _hashed(*private)) for (salt, public), private in parts.values())
    return Opening(seeds, _audit(decision, key), (salt_a, salt_b), seen, own, tuple(others))


def replay(opening: Opening, commitment: bytes, *, seed: bytes | None = None, limit: int | None = None) -> Finding:
    """Check an opening against its commitment, alone and offline.

    seed: of the batch, once it is open. limit: `bounds` for this customer, in tag units. Raises OpeningWrong where the evidence
    does not hold together; a decision against the rule is a Finding with `rightly` False.
    """
    mine = _leaf(_hashed(opening.salts[0], opening.seen), _hashed(opening.salts[1], opening.own))
    rest = [_leaf(_hashed(salt, public), private) for salt, public, private in opening.others]
    if not hmac.compare_digest(_root(opening.seeds, opening.audit, [mine, *rest]), commitment):
        raise OpeningWrong("the opening does not match the commitment")
    if seed is not None and not hmac.compare_digest(seed_commitment(seed), opening.seeds):
        raise OpeningWrong("the seed is not the one that was committed before the batch")
    try:
        flow, _, start, _, behind = (int(n) for n in cast(list[int], json.loads(opening.own)))
    except (ValueError, TypeError) as e:
        raise OpeningWrong("the customer's own entry cannot be read") from e
    everyone = [opening.seen, *(public for _, public, _ in opening.others)]
    winners = [public for public in everyone if public[2:]]
    if len(winners) != 1:
        raise OpeningWrong(f"{len(winners)} entries say that they won")
    won, tie = bool(opening.seen[2:]), winners[0][2:]
    # A distance below zero has no public form (`_distance`), so only the own one, which is exact, can break the rule.
    rightly: bool | Literal["not checked"] = behind > 0 and not won
    if behind == 0 or won:
        if behind != 0 or int.from_bytes(winners[0][:2]) != 0:
            rightly = False
        elif seed is None:
            rightly = "not checked"
        else:
            rightly = tie == tie_of(seed, flow, start) if won else tie < tie_of(seed, flow, start)
    if behind >= 0 and int.from_bytes(opening.seen[:2]) != behind.bit_length():
        raise OpeningWrong("the public part of the customer's entry does not follow from its private part")
    within = "not checked" if limit is None else behind <= limit
    return Finding(len(everyone), won, start, behind, rightly, within)


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


def _hashed(salt: bytes, part: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + salt + part).digest()


def _leaf(public: bytes, private: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + public + private).digest()


def _root(seeds: bytes, audit_: bytes, leaves: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"\x02" + seeds + audit_ + len(leaves).to_bytes(8) + b"".join(sorted(leaves))).digest()
