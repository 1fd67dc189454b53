"""The public figures against published examples, and what they withhold."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.fairness.figures import Policy, Row, due, figures, jain, publishable, quantiles
from evenhand.pure.trouble import Invalid

POLICY = Policy(draws=199)


@pytest.mark.parametrize(
    ("normalised", "index"),
    [((50 / 50, 30 / 10, 50 / 10), 0.77), ((1, 4, 5), 0.79), ((1, 2, 5), 0.71)],
)
def test_jains_example(normalised: tuple[float, ...], index: float) -> None:
    """Jain, Chiu and Hawe 1984: 50, 30 and 50 where 50, 10 and 10 would be fair; and two variations of it."""
    assert jain(normalised) == pytest.approx(index, abs=0.006)


@given(st.integers(1, 50), st.integers(1, 50), st.floats(0.01, 1e6))
def test_k_of_n(k: int, more: int, amount: float) -> None:
    """Ibid.: who favours k of n alike has the index k/n, whatever the amount."""
    assert jain([amount] * k + [0.0] * more) == pytest.approx(k / (k + more))
    assert jain([0.0] * k) == 1.0


def test_quantiles_of_a_published_table() -> None:
    """R's quantile(c(1:10)), type 7, as in its manual's summary(): 3.25, 5.5, 7.75."""
    found = quantiles([float(n) for n in range(10, 0, -1)], (0, 0.25, 0.5, 0.75, 1))
    assert [q for _, q in found] == [1, 3.25, 5.5, 7.75, 10]
    with pytest.raises(Invalid):
        quantiles([])


def epoch(
    chance: random.Random, *, customers: int = 12, affiliates: int = 5, bias: float = 0.0, days: int = 7
) -> list[Row]:
    return [
        Row(
            f"c{n:02}", n < affiliates, f"day {day}", chance.uniform(50, 70) * (1 - bias * (n < affiliates)),
            round(chance.uniform(0.98, 1.02) * (1 + bias * (n < affiliates)) * 1_000_000), 1_000_000,
        )
        for day in range(days) for n in range(customers)
    ]  # fmt: skip


def test_a_fair_week_and_one_with_five_percent_for_affiliates() -> None:
    fair = figures(epoch(random.Random(1)), POLICY, seed=1)
    assert fair.service and fair.waiting and fair.jain and fair.service.detectable
    assert fair.jain > 0.999 and fair.service.p > 0.05 and fair.withheld_rows == 0
    assert fair.service.detectable < 0.02
    biased = figures(epoch(random.Random(1), bias=0.05), POLICY, seed=1)
    assert biased.service and biased.waiting and biased.service.low and biased.service.high
    assert biased.service.p <= 0.01 and biased.service.low < 0.05 < biased.service.high
    assert biased.waiting.p <= 0.05 and biased.waiting.difference and biased.waiting.difference < 0
    assert biased.largest_lag and biased.largest_lag > 0.05 and biased.affiliates_waiting_s and biased.others_waiting_s
    assert sum(s.served for s in biased.shares) == pytest.approx(1) == sum(s.entitled for s in biased.shares)


def test_the_published_rows_give_the_published_figures() -> None:
    rows = epoch(random.Random(2))
    rows += [Row("c00", True, "small stratum", 1, 1, 1), Row("c20", False, "small stratum", 1, 1, 1)]
    kept, held = publishable(rows, POLICY)
    assert held == 2 and all(row.stratum != "small stratum" for row in kept)
    first, again = figures(rows, POLICY, seed=3), figures(random.Random(3).sample(kept, len(kept)), POLICY, seed=3)
    assert first.shares == again.shares and first.service == again.service and first.waiting == again.waiting
    assert (first.withheld_rows, again.withheld_rows) == (2, 0)


def test_small_groups_are_withheld() -> None:
    """Four affiliates: nothing by the mark, and the mark is not in the rows. Four customers: nothing at all."""
    few = figures(epoch(random.Random(1), affiliates=4), POLICY, seed=1)
    assert few.jain and few.waiting_s
    assert (few.service, few.waiting, few.affiliates_waiting_s, few.others_waiting_s) == (None,) * 4
    assert {row.affiliate for row in publishable(epoch(random.Random(1), affiliates=8), POLICY)[0]} == {None}
    nobody = figures(epoch(random.Random(1), customers=4, affiliates=2), POLICY, seed=1)
    assert (nobody.shares, nobody.jain, nobody.waiting_s) == ((), None, None) and nobody.withheld_rows == 28


def test_not_before_the_delay() -> None:
    assert not due(1000, 1000 + POLICY.delay_s - 1, POLICY) and due(1000, 1000 + POLICY.delay_s, POLICY)


@pytest.mark.parametrize(
    "row", [("a", True, "s", -1.0, 1, 1), ("a", True, "s", float("nan"), 1, 1), ("a", True, "s", 1.0, -1, 1)]
)
def test_impossible_rows(row: tuple) -> None:
    with pytest.raises(Invalid):
        figures([Row(*row)], POLICY, seed=1)
    with pytest.raises(Invalid, match="two rows"):
        figures([Row("a", True, "s", 1, 1, 1)] * 2, POLICY, seed=1)
