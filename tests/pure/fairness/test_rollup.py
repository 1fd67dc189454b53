"""Decisions added up: what was entitled is what was worked, parted by weight and walls; and a fair scheduler raises no alarm."""

import random
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.fairness.figures import Policy
from evenhand.pure.fairness.ledger import Arrive, Charge, Decide, Flow, Form, Ledger
from evenhand.pure.fairness.maxmin import Claim, entitlements
from evenhand.pure.fairness.published import Line, faults, publication
from evenhand.pure.fairness.rollup import Seen, Sums, batch_sums

CUSTOMERS = 12


def played(seed: int, decisions: int, bias: float = 0.0) -> list[Line]:
    """A batch of the real machine in which all wait; the first half is charged less than it used."""
    chance, ledger = random.Random(seed), Ledger(2520, seed.to_bytes(32))
    flows = tuple(range(CUSTOMERS))
    for _ in flows:
        ledger.apply(Flow(1))
    ledger.apply(Form(-1, flows))
    ledger.apply(Arrive(0, flows))
    seen: list[Seen] = []
    for n in range(decisions):
        decided = ledger.apply(Decide(0))
        assert decided is not None
        used = chance.randrange(40_000, 80_000)
        ledger.apply(Charge(decided.number, round(used / (1 + bias * (decided.winner < CUSTOMERS // 2)))))
        seen.append(Seen(n * 1000, 0, decided.winner, frozenset(flows), used))
    limits = {flow: ledger.limit(flow) // 2520 for flow in flows}
    found = batch_sums(seen, dict.fromkeys(flows, 1), limits)
    return [
        Line(f"{flow:02}", flow < CUSTOMERS // 2, "s", 0.0, one.served_ms, round(one.entitled_ms), one.behind_ms, one.limit_ms)
        for flow, one in found.items()
    ]  # fmt: skip


def test_fair_days_raise_few_alarms_within_the_limit_and_a_planted_bias_is_found() -> None:
    alarms, days = 0, 40
    for seed in range(days):
        made = publication("2027-01-01", "w", played(seed, 240), Policy(), seed=seed, held_back=0)
        test, part = made.figures.service_test, made.figures.lag_of_limit
        assert test is not None and part is not None and part <= 1
        alarms += test.p <= 0.05
        assert seed % 8 or faults(made) == []
    assert alarms <= 6, "one in twenty is what the level says; seven of forty would come once in two hundred times"
    biased = publication("2027-01-01", "w", played(1, 240, 0.2), Policy(), seed=1, held_back=0).figures.service_test
    assert biased is not None and biased.low is not None and biased.low > 0.05 and biased.p < 0.01


def test_who_waits_for_a_part_has_no_row_and_walls_count() -> None:
    both, left = frozenset({0, 1}), frozenset({0})
    seen = [Seen(0, 0, 0, both, 30), Seen(10, 0, 1, both, 10), Seen(20, 1, 0, left, 20), Seen(40, 1, 0, left | {2}, 40)]
    found = batch_sums(seen, {0: 1, 1: 1, 2: 1}, {0: 5, 1: 5, 2: 5})
    assert found.keys() == {0, 1}, "the third came late"
    # the pool that serves the first alone worked 60 of 100, so the other one is due all of the shared pool
    assert (found[0].entitled_ms, found[1].entitled_ms) == (60, 40)
    assert found[0] == Sums(90, Fraction(60), 40, 3, 30, 5)
    assert batch_sums([one._replace(used_ms=0) for one in seen], {0: 1, 1: 1, 2: 1}, {0: 5, 1: 5, 2: 5}) == {}


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 5), st.frozensets(st.integers(0, 5)), st.integers(1, 900)),
        min_size=1,
    ),
    st.lists(st.integers(1, 5), min_size=6, max_size=6),
)
def test_customers_put_together_are_entitled_to_the_same(
    told: list[tuple[int, int, frozenset[int], int]], weights: list[int]
) -> None:
    seen = [Seen(n, pool, winner, others | {winner}, used) for n, (pool, winner, others, used) in enumerate(told)]
    found = batch_sums(seen, dict(enumerate(weights)), dict.fromkeys(range(6), 1))
    flows = sorted({flow for one in seen for flow in one.waited})
    claims = [
        Claim(
            weights[flow],
            frozenset(one.pool for one in seen if flow in one.waited),
            None if flow in found else sum(one.used_ms for one in seen if one.winner == flow),
        )
        for flow in flows
    ]
    capacity = {pool: sum(one.used_ms for one in seen if one.pool == pool) for pool in {one.pool for one in seen}}
    alone = dict(zip(flows, entitlements(capacity, claims), strict=True))
    assert {flow: one.entitled_ms for flow, one in found.items()} == {flow: alone[flow] for flow in found}
