"""Does a marked group fare differently? A stratified permutation test, its interval and the smallest effect it could see.

Within a stratum the mark is exchangeable if the rule that is tested does not look at it, so every way to hand out the same
number of marks is as likely as the one observed (Fisher 1935; Pitman 1937). The statistic is the difference of means over
strata with weights k(n-k)/n, which is best where strata differ in level (van Elteren 1960; Cochran 1954). It depends on the
assignment through one sum alone, that of the marked values, so it can be counted exactly in whole numbers.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from evenhand.pure.trouble import Invalid

# Values are compared in whole steps of this size, so that a tie is a tie on every machine.
STEP = 1e-6
EXACT_MOST = 50_000


class Stratum(NamedTuple):
    """Values of the marked and of the others among things that are alike but for the mark."""

    marked: tuple[float, ...]
    others: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`difference`: marked minus others, in the units of the values, with its interval at 1 - level.

    p: two-sided. exact: counted over all assignments, else drawn. detectable: the smallest true difference that a test at
    this level would have found with the wanted power. All but p, exact and assignments are None where no stratum has both.
    """

    difference: float | None
    low: float | None
    high: float | None
    p: float
    exact: bool
    assignments: int
    detectable: float | None


class _Draw(NamedTuple):
    """One assignment: the sum of its marked values in steps, how many of them are the observed ones, how often it occurs."""

    total: int
    kept: int
    times: int


def compare(
    strata: Sequence[Stratum], *, seed: int, draws: int = 9999, level: float = 0.05, power: float = 0.8
) -> Comparison:
    """Two-sided test of no difference; exact up to 50,000 assignments, else Monte Carlo with `draws` from `seed`.

    With drawn assignments p = (b + 1) / (draws + 1), which is never zero and keeps the level (Phipson and Smyth 2010). The
    interval is the set of shifts of the marked that the same test does not reject (Garthwaite 1996).
    """
    if not 0 < level < 1 or not 0 < power < 1 or draws < 1:
        raise Invalid("level and power lie between 0 and 1, and draws is at least 1")
    whole = [(_steps(s.marked), _steps(s.others)) for s in strata if s.marked and s.others]
    if not whole:
        return Comparison(None, None, None, 1.0, True, 1, None)
    ways = math.prod(math.comb(len(m) + len(o), len(m)) for m, o in whole)
    exact = ways <= EXACT_MOST
    assigned = _all(whole) if exact else _drawn(whole, seed, draws)
    weight = float(sum(Fraction(len(m) * len(o), len(m) + len(o)) for m, o in whole))
    test = _Test(whole, assigned, exact)
    found = float(test.observed) / weight
    slack = test.spread() / weight
    low = _edge(test, found, -slack, level)
    high = _edge(test, found, slack, level)
    null = sorted(test.centred(round(found)))
    critical = _weighted_quantile(sorted((abs(d), t) for d, t in null), 1 - level)
    detectable = (critical - _weighted_quantile(null, 1 - power)) / weight
    return Comparison(found * STEP, low * STEP, high * STEP, test.p(0), exact, test.count, detectable * STEP)


class _Test:
    """The permutation distribution, for any shift of the marked values."""

    def __init__(self, whole: Sequence[tuple[list[int], list[int]]], assigned: Sequence[_Draw], exact: bool) -> None:
        self._assigned, self._exact = assigned, exact
        self._marks = sum(len(m) for m, _ in whole)
        # What an assignment's sum and overlap are on average: centring is the same for all, and exact.
        self._mean = sum(Fraction(len(m) * (sum(m) + sum(o)), len(m) + len(o)) for m, o in whole)
        self._overlap = sum(Fraction(len(m) ** 2, len(m) + len(o)) for m, o in whole)
        self._total = sum(sum(m) for m, _ in whole)
        self.observed = self._total - self._mean
        self.count = sum(one.times for one in assigned)

    def p(self, shift: int) -> float:
        """Two-sided p of the hypothesis that the mark adds `shift` steps."""
        scale = math.lcm(self._mean.denominator, self._overlap.denominator)  # whole numbers: ties stay ties, and fast
        mean, overlap = int(self._mean * scale), int(self._overlap * scale)
        bar = abs(self._total * scale - mean - shift * (self._marks * scale - overlap))
        as_far = sum(
            one.times
            for one in self._assigned
            if abs(one.total * scale - mean - shift * (one.kept * scale - overlap)) >= bar
        )
        return as_far / self.count if self._exact else (as_far + 1) / (self.count + 1)

    def centred(self, shift: int) -> list[tuple[float, int]]:
        """(statistic, times) once the observed effect has been taken out: the distribution under no effect."""
        mean, overlap = float(self._mean), float(self._overlap)
        return [(one.total - mean - shift * (one.kept - overlap), one.times) for one in self._assigned]

    def spread(self) -> float:
        """Further than any assignment from the mean: where every interval ends."""
        return 2 * max(abs(d) for d, _ in self.centred(0)) + 1


def _edge(test: _Test, found: float, reach: float, level: float) -> float:
    """The furthest shift from `found`, towards `reach`, that is not rejected; infinite where none is.

    Close to the estimate p is near 1 and it falls with the distance, so the edge is bracketed by doubling and then halved.
    """
    inside, outside = 0.0, reach / 64
    for _ in range(40):
        if test.p(round(found + outside)) <= level:
            break
        inside, outside = outside, 2 * outside
    else:
        return math.copysign(math.inf, reach)
    while abs(outside - inside) > max(1.0, 1e-4 * abs(outside)):
        middle = (inside + outside) / 2
        if test.p(round(found + middle)) <= level:
            outside = middle
        else:
            inside = middle
    return found + outside


def _steps(values: Sequence[float]) -> list[int]:
    return [round(value / STEP) for value in values]


def _all(whole: Sequence[tuple[list[int], list[int]]]) -> list[_Draw]:
    """Every assignment, those with the same sum and overlap put together."""
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    for marked, others in whole:
        # partial[j]: sums and overlaps of the ways to mark j of the values so far
        partial: list[dict[tuple[int, int], int]] = [{(0, 0): 1}, *({} for _ in marked)]
        for value, own in [*((v, 1) for v in marked), *((v, 0) for v in others)]:
            for j in range(len(marked) - 1, -1, -1):
                for (total, kept), times in partial[j].items():
                    key = (total + value, kept + own)
                    partial[j + 1][key] = partial[j + 1].get(key, 0) + times
        joined: dict[tuple[int, int], int] = {}
        for (total, kept), times in ways.items():
            for (more, own), again in partial[len(marked)].items():
                key = (total + more, kept + own)
                joined[key] = joined.get(key, 0) + times * again
        ways = joined
    return [_Draw(total, kept, times) for (total, kept), times in ways.items()]


def _drawn(whole: Sequence[tuple[list[int], list[int]]], seed: int, draws: int) -> list[_Draw]:
    chance = random.Random(seed)
    pools = [([*((v, 1) for v in marked), *((v, 0) for v in others)], len(marked)) for marked, others in whole]
    out: list[_Draw] = []
    for _ in range(draws):
        total = kept = 0
        for values, marks in pools:
            for value, own in chance.sample(values, marks):
                total += value
                kept += own
        out.append(_Draw(total, kept, 1))
    return out


def _weighted_quantile(rows: Sequence[tuple[float, int]], share: float) -> float:
    """The least value that at least `share` of the weight does not exceed. `rows` in order."""
    wanted, seen = share * sum(times for _, times in rows), 0
    for value, times in rows:
        seen += times
        if seen >= wanted:
            return value
    return rows[-1][0]
