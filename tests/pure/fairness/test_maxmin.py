"""Constrained max-min shares: known cases, the defining property, and the scheduler on its way to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.fairness.maxmin import Claim, entitlements
from evenhand.pure.trouble import Invalid
from tests.pure.fairness.test_queueing import queue_of


def claim(weight: int, *pools: int, wanted: int | None = None) -> Claim:
    return Claim(weight, frozenset(pools), wanted)


@pytest.mark.parametrize(
    ("capacity", "claims", "shares"),
    [
        ({0: 90}, [claim(1, 0), claim(2, 0)], [30, 60]),
        ({0: 90}, [claim(1, 0), claim(2, 0), claim(3, 0, wanted=9)], [27, 54, 9]),
        # Bertsekas and Gallager 1992, the idea of their figure 6.10: who is bottlenecked elsewhere leaves the rest to others.
        ({0: 10, 1: 30}, [claim(1, 0), claim(1, 0), claim(1, 0, 1)], [5, 5, 30]),
        ({0: 30, 1: 10}, [claim(1, 0), claim(1, 0, 1), claim(1, 1)], [15, 15, 10]),
        ({0: 60, 1: 10}, [claim(1, 0), claim(1, 0, 1), claim(1, 1)], [30, 30, 10]),
        ({0: 10}, [claim(1, 0), claim(1, 7), claim(1)], [10, 0, 0]),
        ({0: 0}, [claim(1, 0)], [0]),
        ({0: 10}, [], []),
    ],
)
def test_known_cases(capacity: dict[int, int], claims: list[Claim], shares: list[float]) -> None:
    assert entitlements(capacity, claims) == shares


capacities = st.dictionaries(st.integers(0, 3), st.integers(0, 100), min_size=1)
claims_ = st.lists(
    st.builds(Claim, st.integers(1, 5), st.frozensets(st.integers(0, 3)), st.none() | st.integers(0, 60)), max_size=7
)


@given(capacities, claims_)
def test_nobody_can_gain_but_from_who_has_less(capacity: dict[int, int], claims: list[Claim]) -> None:
    """Feasible (Hall's condition on every set of pools), and all that can be used is used, most evenly."""
    shares = entitlements(capacity, claims)
    level = [share / c.weight for share, c in zip(shares, claims, strict=True)]
    pools = list(capacity)
    sets = [frozenset(p for n, p in enumerate(pools) if bits >> n & 1) for bits in range(1 << len(pools))]

    def inside(some: frozenset[int]) -> list[int]:
        return [n for n, c in enumerate(claims) if c.pools & capacity.keys() <= some]

    for some in sets:
        assert sum(shares[n] for n in inside(some)) <= sum(capacity[p] for p in some)
    for n, c in enumerate(claims):
        assert c.wanted_ms is None or shares[n] <= c.wanted_ms
        if (c.wanted_ms is not None and shares[n] == c.wanted_ms) or not c.pools & capacity.keys():
            continue
        # A bottleneck: a full set of pools for which n competes, and in which nobody has more than n for its weight.
        assert any(
            n in inside(some)
            and sum(shares[m] for m in inside(some)) == sum(capacity[p] for p in some)
            and all(level[m] <= level[n] for m in inside(some))
            for some in sets
        )
    with pytest.raises(Invalid):
        entitlements(capacity, [*claims, Claim(0, frozenset())])


def test_the_scheduler_gives_the_shares() -> None:
    """Four pools, walls across them, one pool three times as fast: within 2 % of the fluid shares after 20,000 pieces."""
    weights, cost = [1, 2, 5, 1, 10, 2], 60
    may = [{0}, {0, 1}, {1, 2}, {2}, {1, 2, 3}, {3}]
    queue = queue_of(weights)
    for n, pools in enumerate(may):
        for pool in pools:
            queue.arrive(n, pool, cost)
    served, worked = [0] * 6, {0: 0, 1: 0, 2: 0, 3: 0}
    for step in range(20_000):
        pool = (0, 1, 2, 2, 2, 3)[step % 6]
        decided = queue.decide(pool)
        assert decided
        served[decided.winner] += cost
        worked[pool] += cost
    fluid = entitlements(worked, [Claim(w, frozenset(p)) for w, p in zip(weights, may, strict=True)])
    for got, share in zip(served, fluid, strict=True):
        assert got == pytest.approx(float(share), rel=0.02)
