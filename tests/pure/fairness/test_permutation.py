"""The test against published tables, its level and its power."""

import math
import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.fairness import permutation
from evenhand.pure.fairness.permutation import Stratum, compare
from evenhand.pure.trouble import Invalid

# Darwin's maize, height differences of 15 pairs in eighths of an inch (Fisher, The Design of Experiments, 1935, section 17).
DARWIN = (49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)
# Efron and Tibshirani, An Introduction to the Bootstrap, 1993, table 2.1: survival of mice in days.
TREATED, CONTROL = (94, 197, 16, 38, 99, 141, 23), (52, 104, 146, 10, 51, 30, 40, 27, 46)


def test_fishers_darwin() -> None:
    """Section 21: of the 32,768 assignments 863 give a sum as great or greater, so 1,726 are as far from zero."""
    found = compare([Stratum((d,), (0,)) for d in DARWIN], seed=1)
    assert found.exact and found.assignments == 32_768 and round(found.p * 32_768) == 1726
    assert found.difference == pytest.approx(sum(DARWIN) / 15)
    # The same section's t test has its 5 % limits near 0.1 and 41.8; the exact ones are close to them.
    assert found.low is not None and found.high is not None
    assert -3 < found.low < 2 and 37 < found.high < 43


def test_efron_and_tibshiranis_mice() -> None:
    """Difference 30.63, achieved significance level one-sided .132 from 1,000 draws (ibid., table 15.2): 0.13 to 0.15 exactly."""
    found = compare([Stratum(TREATED, CONTROL)], seed=1)
    assert found.exact and found.assignments == math.comb(16, 7)
    assert found.difference == pytest.approx(30.63, abs=0.005)
    everyone = TREATED + CONTROL
    as_high = sum(sum(c) >= sum(TREATED) for c in combinations(everyone, 7))
    assert 0.12 < as_high / math.comb(16, 7) < 0.15
    middle = 7 * sum(everyone) / 16
    two_sided = sum(abs(sum(c) - middle) >= sum(TREATED) - middle for c in combinations(everyone, 7))
    assert found.p == two_sided / math.comb(16, 7)


def test_drawn_and_counted_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = compare([Stratum(TREATED, CONTROL)], seed=1)
    monkeypatch.setattr(permutation, "EXACT_MOST", 0)
    drawn = compare([Stratum(TREATED, CONTROL)], seed=1)
    assert not drawn.exact and drawn.p == pytest.approx(exact.p, abs=4 * math.sqrt(exact.p * (1 - exact.p) / 9999))
    for one, other in ((drawn.low, exact.low), (drawn.high, exact.high), (drawn.detectable, exact.detectable)):
        assert one == pytest.approx(other, rel=0.06)
    assert drawn == compare([Stratum(TREATED, CONTROL)], seed=1) != compare([Stratum(TREATED, CONTROL)], seed=2)


values = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=3)
strata = st.lists(st.builds(lambda m, o: Stratum(tuple(m), tuple(o)), values, values), min_size=1, max_size=3)


@given(strata, st.integers(-100, 100), st.integers(1, 9))
def test_levels_of_strata_do_not_matter(given_: list[Stratum], up: int, times: int) -> None:
    """Another level in each stratum changes nothing; a larger scale scales; marks the other way round turn the sign."""
    found = compare(given_, seed=1)
    moved = [
        Stratum(tuple(v + n * up for v in s.marked), tuple(v + n * up for v in s.others)) for n, s in enumerate(given_)
    ]
    turned = compare([Stratum(s.others, s.marked) for s in given_], seed=1)
    scaled = compare(
        [Stratum(tuple(times * v for v in s.marked), tuple(times * v for v in s.others)) for s in given_], seed=1
    )
    again = compare(moved, seed=1)
    assert found.difference is not None
    assert again.p == found.p == turned.p == scaled.p
    assert again.difference == pytest.approx(found.difference)
    assert turned.difference == pytest.approx(-found.difference)
    assert scaled.difference == pytest.approx(times * found.difference)
    assert found.low is not None and found.high is not None and found.low <= found.difference <= found.high


def test_the_level_holds_and_the_detectable_effect_is_detected() -> None:
    """200 epochs without a bias: at most the level, within 4 standard deviations. With the effect it names: about 80 %."""
    chance, alarms, covered = random.Random(7), 0, 0
    detectable: list[float] = []

    def epoch(effect: float) -> list[Stratum]:
        draw = lambda n, by: tuple(chance.gauss(by, 1) for _ in range(n))  # noqa: E731
        return [Stratum(draw(3, level + effect), draw(6, level)) for level in (0, 10, 100, 1000)]

    for n in range(200):
        found = compare(epoch(0.5), seed=n, draws=199)
        covered += found.low is not None and found.high is not None and found.low <= 0.5 <= found.high
        alarms += compare(epoch(0), seed=n, draws=199).p <= 0.05
        detectable.append(found.detectable or 0)
    assert alarms <= 200 * 0.05 + 4 * math.sqrt(200 * 0.05 * 0.95)
    assert covered >= 200 * 0.95 - 4 * math.sqrt(200 * 0.05 * 0.95)
    effect = sum(detectable) / len(detectable)
    power = sum(compare(epoch(effect), seed=n, draws=199).p <= 0.05 for n in range(200)) / 200
    assert 0.7 < power < 0.9


def test_nothing_to_compare() -> None:
    none = compare([Stratum((1.0,), ())], seed=1)
    assert (none.difference, none.low, none.high, none.p, none.detectable) == (None, None, None, 1.0, None)
    pair = compare([Stratum((1.0,), (0.0,))], seed=1)  # two assignments: nothing can be rejected
    assert (pair.low, pair.high, pair.p) == (-math.inf, math.inf, 1.0)
    with pytest.raises(Invalid):
        compare([], seed=1, level=0)
