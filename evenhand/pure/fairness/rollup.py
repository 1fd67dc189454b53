"""Decisions of a batch, added up: what each customer was served while it waited, and what it was entitled to.

What a customer was entitled to is constrained max-min of what the people really worked (`maxmin`), not of what the scheduler
expected or charged: a scheduler that charges some customers too little shows here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from evenhand.pure.fairness.maxmin import Claim, entitlements


class Seen(NamedTuple):
    """A decision: when (ms since 1970), in which pool, which flow won of those that waited, and the time its work took."""

    at_ms: int
    pool: int
    winner: int
    waited: frozenset[int]
    used_ms: int


@dataclass(slots=True)
class Sums:
    """Of a flow, over the batches in which it waited throughout. pieces: it was handed, in `waited_ms`.

    behind_ms and limit_ms: how far it was from its entitlement in one batch, and the limit of that batch; of the batch in
    which the first is the largest part of the second.
    """

    served_ms: int = 0
    entitled_ms: Fraction = Fraction(0)
    waited_ms: int = 0
    pieces: int = 0
    behind_ms: int = 0
    limit_ms: int = 0

    def add(self, other: "Sums") -> None:
        self.served_ms += other.served_ms
        self.entitled_ms += other.entitled_ms
        self.waited_ms += other.waited_ms
        self.pieces += other.pieces
        if other.limit_ms and other.behind_ms * self.limit_ms >= self.behind_ms * other.limit_ms:
            self.behind_ms, self.limit_ms = other.behind_ms, other.limit_ms


def batch_sums(seen: Sequence[Seen], weights: Mapping[int, int], limits_ms: Mapping[int, int]) -> dict[int, Sums]:
    """For each flow that waited throughout: in every decision of each pool that saw it at all.

    weights: by contract. limits_ms: how far behind each flow can have been in this batch. Whoever did not wait throughout
    wanted what it got; so is it counted, and it has no row.
    """
    capacity: dict[int, int] = {}
    asked: dict[int, int] = {}
    waits: dict[int, dict[int, int]] = {}
    served: dict[int, int] = {}
    pieces: dict[int, int] = {}
    for one in seen:
        capacity[one.pool] = capacity.get(one.pool, 0) + one.used_ms
        asked[one.pool] = asked.get(one.pool, 0) + 1
        served[one.winner] = served.get(one.winner, 0) + one.used_ms
        pieces[one.winner] = pieces.get(one.winner, 0) + 1
        for flow in one.waited:
            by_pool = waits.setdefault(flow, {})
            by_pool[one.pool] = by_pool.get(one.pool, 0) + 1
    throughout = {flow for flow, by_pool in waits.items() if all(asked[pool] == n for pool, n in by_pool.items())}
    if not any(capacity.values()):
        return {}
    due = _due(capacity, waits, throughout, weights, served)
    length = max(one.at_ms for one in seen) - min(one.at_ms for one in seen)
    return {
        flow: Sums(
            served.get(flow, 0), due[flow], length, pieces.get(flow, 0),
            round(abs(served.get(flow, 0) - due[flow])), limits_ms[flow],
        )
        for flow in sorted(throughout)
    }  # fmt: skip


def _due(
    capacity: Mapping[int, int],
    waits: Mapping[int, Mapping[int, int]],
    throughout: Iterable[int],
    weights: Mapping[int, int],
    served: Mapping[int, int],
) -> dict[int, Fraction]:
    """What each was entitled to. Those whom the same pools serve are one claim, whose share they part by weight: the same
    max-min shares, found in a fraction of the time."""
    together: dict[frozenset[int], list[int]] = {}
    for flow in sorted(throughout):
        together.setdefault(frozenset(waits[flow]), []).append(flow)
    groups = list(together.items())
    claims = [Claim(sum(weights[flow] for flow in flows), pools) for pools, flows in groups]
    rest = sorted(waits.keys() - set(throughout))
    claims += [Claim(weights[flow], frozenset(waits[flow]), served.get(flow, 0)) for flow in rest]
    shares = entitlements(capacity, claims)
    return {
        flow: share * weights[flow] / claim.weight
        for (_, flows), share, claim in zip(groups, shares, claims, strict=False)
        for flow in flows
    }
