"""What a customer gets of a decision for which it waited, and what replaying that shows: alone, offline, with hashes only.

What is sealed and who sees what of it stands in `commitment`. This module is part of the verifier that is handed out.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from evenhand.pure.fairness.seeds import seed_commitment, tie_of
from evenhand.pure.log.wrong import Wrong


class OpeningWrong(Wrong):
    """An opening that does not belong to the commitment, or that contradicts itself."""


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


def replay(opening: Opening, commitment: bytes, *, seed: bytes | None = None, limit: int | None = None) -> Finding:
    """Check an opening against its commitment, alone and offline.

    seed: of the batch, once it is open. limit: `bounds` for this customer, in tag units. Raises OpeningWrong where the evidence
    does not hold together; a decision against the rule is a Finding with `rightly` False.
    """
    mine = flow_leaf(hashed_part(opening.salts[0], opening.seen), hashed_part(opening.salts[1], opening.own))
    rest = [flow_leaf(hashed_part(salt, public), private) for salt, public, private in opening.others]
    if not hmac.compare_digest(flow_root(opening.seeds, opening.audit, [mine, *rest]), commitment):
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


def hashed_part(salt: bytes, part: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + salt + part).digest()


def flow_leaf(public: bytes, private: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + public + private).digest()


def flow_root(seeds: bytes, audit_: bytes, leaves: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"\x02" + seeds + audit_ + len(leaves).to_bytes(8) + b"".join(sorted(leaves))).digest()
