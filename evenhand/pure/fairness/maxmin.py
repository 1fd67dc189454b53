"""What each customer was entitled to: constrained max-min fair shares of what the pools worked.

A share is max-min fair where nobody's normalised service (time / weight) can rise without lowering that of somebody who has
no more; with people who may serve only some customers it is unique (Megiddo 1974, "Optimal flows in networks with multiple
sources and sinks"; Ghodsi, Zaharia, Shenker and Stoica 2013, "Choosy", definition 1). It is found by filling everybody's glass
alike, and fixing those whose pools are used up or who want no more. All in fractions: the sum is exact.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from evenhand.pure.trouble import Invalid


class Claim(NamedTuple):
    """A customer's weight, the pools that may serve it, and the most it wanted (None: without end), in worker-ms."""

    weight: int
    pools: frozenset[int]
    wanted_ms: int | None = None


def entitlements(capacity_ms: Mapping[int, int], claims: Sequence[Claim]) -> list[Fraction]:
    """Worker-ms each claim is entitled to, in order. capacity_ms: by pool, what it worked in the period."""
    if any(claim.weight < 1 for claim in claims):
        raise Invalid("a weight is below 1")
    fixed: dict[int, Fraction] = {n: Fraction(0) for n, c in enumerate(claims) if not c.pools & capacity_ms.keys()}
    while len(fixed) < len(claims):
        active = [n for n in range(len(claims)) if n not in fixed]
        wants = [Fraction(w, claims[n].weight) for n in active if (w := claims[n].wanted_ms) is not None]
        # Newton's method on cuts (Dinkelbach 1967): each level that is too high gives a set of claims that shows a lower one.
        level = Fraction(sum(capacity_ms.values()), min(claims[n].weight for n in active))
        while True:
            supply = {n: fixed.get(n, level * claims[n].weight) for n in range(len(claims))}
            short, stuck = _overfull(capacity_ms, claims, supply)
            if not short:
                break
            pools = frozenset[int]().union(*(claims[n].pools for n in short))
            room = sum(capacity_ms.get(p, 0) for p in pools) - sum(fixed[n] for n in short if n in fixed)
            level = room / Fraction(sum(claims[n].weight for n in short if n not in fixed))
        if wants and min(wants) <= level:
            level = min(wants)
            stuck = {
                n for n in active if (w := claims[n].wanted_ms) is not None and Fraction(w, claims[n].weight) <= level
            }
        for n in active:
            if n in stuck:
                fixed[n] = level * claims[n].weight
    return [fixed[n] for n in range(len(claims))]


def _overfull(
    capacity_ms: Mapping[int, int], claims: Sequence[Claim], supply: Mapping[int, Fraction]
) -> tuple[set[int], set[int]]:
    """(claims that together ask their pools for too much, claims that cannot get any more): by maximum flow.

    Augments along shortest paths claim -> pool -> claim -> ... -> pool with room (Edmonds and Karp 1972).
    """
    given: dict[tuple[int, int], Fraction] = {}
    room = {pool: Fraction(size) for pool, size in capacity_ms.items()}
    for n in range(len(claims)):
        rest = supply[n]
        while rest > 0:
            path, seen = _path(n, claims, given, room)
            if path is None:
                return seen, seen
            moved = min([rest, room[path[-1][1]], *(given[back] for back in path[1::2])])
            for at, step in enumerate(path):
                given[step] = given.get(step, Fraction(0)) + (moved if at % 2 == 0 else -moved)
            room[path[-1][1]] -= moved
            rest -= moved
    stuck = {n for n in range(len(claims)) if _path(n, claims, given, room)[0] is None}
    return set(), stuck


def _path(
    begin: int, claims: Sequence[Claim], given: Mapping[tuple[int, int], Fraction], room: Mapping[int, Fraction]
) -> tuple[list[tuple[int, int]] | None, set[int]]:
    """Steps (claim, pool), forward and back in turn, from `begin` to a pool with room; and the claims reached."""
    came: dict[int, tuple[int, int] | None] = {begin: None}  # claim -> (the claim before, the pool between)
    tried: set[int] = set()
    waiting = deque([begin])
    while waiting:
        n = waiting.popleft()
        for pool in sorted(claims[n].pools & room.keys() - tried):
            tried.add(pool)
            if room[pool] > 0:
                steps = [(n, pool)]
                while (before := came[n]) is not None:
                    steps += [(n, before[1]), before]
                    n = before[0]
                return steps[::-1], set(came)
            for m in range(len(claims)):
                if m not in came and given.get((m, pool), 0) > 0:
                    came[m] = (n, pool)
                    waiting.append(m)
    return None, set(came)
