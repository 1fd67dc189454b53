"""The interval of a share, against a published table, and what a number is."""

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.numbers import is_coordinate, is_number, is_whole, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_published_table(successes: int, trials: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, without continuity correction)."""
    assert wilson(successes, trials) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2552885198782742, 0.36620957698280004),
        (15, 148, 0.06238639953073629, 0.16048724172330803),
        (0, 20, 0.0, 0.16112515805281935),
        (1, 29, 0.006113214292762667, 0.17175521879320282),
        (29, 29, 0.8830302015002592, 1.0),
        (1, 1, 0.20654931437723745, 1.0),
        (500, 1000, 0.4690696003681042, 0.5309303996318958),
    ],
)
def test_what_others_compute(successes: int, trials: int, low: float, high: float) -> None:
    """scipy 1.17.1, `binomtest(k, n).proportion_ci(method="wilson")`; statsmodels 0.15.0, `proportion_confint`, agrees to
    14 digits."""
    assert wilson(successes, trials) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_are_where_the_score_test_turns(given_: tuple[int, int]) -> None:
    """What defines the interval, in 60 digits: its ends are the p with (k/n - p)^2 = z^2 p (1 - p) / n."""
    successes, trials = given_
    with localcontext() as digits:
        digits.prec = 60
        share, z2 = Decimal(successes) / trials, Decimal("1.959963984540054") ** 2
        square, linear = 1 + z2 / trials, 2 * share + z2 / trials
        root = (linear * linear - 4 * square * share * share).sqrt()
        ends = float((linear - root) / (2 * square)), float((linear + root) / (2 * square))
    found = wilson(successes, trials)
    assert found == (pytest.approx(ends[0], abs=1e-12), pytest.approx(ends[1], abs=1e-12))


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_one(given_: tuple[int, int]) -> None:
    successes, trials = given_
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12 and successes / trials <= high + 1e-12 and high <= 1
    mirrored = wilson(trials - successes, trials)
    assert (1 - high, 1 - low) == (pytest.approx(mirrored[0], abs=1e-9), pytest.approx(mirrored[1], abs=1e-9))
    wider = wilson(successes, trials, z=3.0)
    assert wider[0] <= low + 1e-12 and high <= wider[1] + 1e-12
    more = wilson(4 * successes, 4 * trials)
    assert more[1] - more[0] < high - low


def test_nothing_is_known_of_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=3)))
def test_numbers(value: object) -> None:
    finite = type(value) in (int, float) and _as_float(value) is not None
    assert is_number(value) == finite
    if is_coordinate(value):
        assert is_number(value) and abs(value) <= 1e7
    if is_whole(value) and is_number(value):
        assert value == math.floor(value)


def _as_float(value: object) -> float | None:
    try:
        found = float(value)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
