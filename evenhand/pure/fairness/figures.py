"""The public neutrality figures of an epoch, from a table that is published with them.

A row is one customer in one stratum: what is alike but for who the customer is, say class of work, price class and day. Here,
and nowhere in the scheduler, is it known which customers are affiliates.

Whoever has the published rows gets the same figures: everything is counted, or drawn from a published seed.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evenhand.pure.fairness.permutation import Comparison, Stratum, compare
from evenhand.pure.trouble import Invalid

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


class Row(NamedTuple):
    """`tag`: the customer's, made anew for each epoch. affiliate: None where the mark is withheld. Times of one stratum:

    waiting_s: mean time from ready to handed out. served_ms and entitled_ms: worker-milliseconds handed out while it waited,
    and what the contract entitled it to of them (`maxmin.entitlements`).
    """

    tag: str
    affiliate: bool | None
    stratum: str
    waiting_s: float
    served_ms: int
    entitled_ms: int


@dataclass(frozen=True, slots=True)
class Policy:
    """least: customers in a group that is shown. delay_s: from the epoch's end to its figures. The rest is for the tests."""

    least: int = 5
    delay_s: int = 7 * 86_400
    level: float = 0.05
    power: float = 0.8
    draws: int = 9999


class Share(NamedTuple):
    """Of all that was served, the customer's part, and the part that its contract entitled it to."""

    tag: str
    served: float
    entitled: float


@dataclass(frozen=True, slots=True)
class Figures:
    """None is *withheld*: too few customers. The two comparisons are affiliates minus all others.

    jain: of served/entitled, over the customers that waited. largest_lag: the largest |served - entitled| as a part of what
    was entitled; largest_shortfall_ms: the largest entitled - served.
    """

    customers: int
    withheld_rows: int
    shares: tuple[Share, ...]
    jain: float | None
    largest_lag: float | None
    largest_shortfall_ms: int | None
    waiting_s: tuple[tuple[float, float], ...] | None
    affiliates_waiting_s: tuple[tuple[float, float], ...] | None
    others_waiting_s: tuple[tuple[float, float], ...] | None
    service: Comparison | None
    waiting: Comparison | None


def due(epoch_end_s: float, now_s: float, policy: Policy) -> bool:
    """Whether an epoch's figures may be shown: not before its delay is over."""
    return now_s >= epoch_end_s + policy.delay_s


def publishable(rows: Iterable[Row], policy: Policy) -> tuple[tuple[Row, ...], int]:
    """The rows that may be published, in order, and how many are held back.

    A stratum with fewer than `least` customers is left out. Where fewer than `least` customers are affiliates, or fewer are
    not, the mark is taken off every row: beside the total, a small group would show through its complement.
    """
    by_stratum: dict[str, list[Row]] = {}
    seen: set[tuple[str, str]] = set()
    count = 0
    for row in rows:
        if (row.tag, row.stratum) in seen:
            raise Invalid(
                f"two rows for {row.tag} in {row.stratum}", hint="Add them up: one row a customer and stratum."
            )
        if row.served_ms < 0 or row.entitled_ms < 0 or not row.waiting_s >= 0:
            raise Invalid(f"a time below zero for {row.tag} in {row.stratum}")
        seen.add((row.tag, row.stratum))
        by_stratum.setdefault(row.stratum, []).append(row)
        count += 1
    kept = sorted(row for group in by_stratum.values() if len(group) >= policy.least for row in group)
    marked = {row.tag for row in kept if row.affiliate}
    plain = {row.tag for row in kept if row.affiliate is False}
    if min(len(marked), len(plain)) < policy.least:
        kept = [row._replace(affiliate=None) for row in kept]
    return tuple(kept), count - len(kept)


def figures(rows: Iterable[Row], policy: Policy, *, seed: int) -> Figures:
    """The figures of one epoch. `seed` is published with the rows; only drawn assignments hang on it."""
    kept, withheld = publishable(rows, policy)
    served, entitled = _by_tag(kept, lambda row: row.served_ms), _by_tag(kept, lambda row: row.entitled_ms)
    backlogged = [tag for tag in served if entitled[tag]]
    if len(served) < policy.least or len(backlogged) < policy.least:
        return Figures(len(served), withheld + len(kept), (), *[None] * 8)
    all_served, all_entitled = sum(served.values()), sum(entitled.values())
    shares = tuple(
        Share(tag, served[tag] / all_served if all_served else 0.0, entitled[tag] / all_entitled) for tag in served
    )
    marked = [row for row in kept if row.affiliate]
    plain = [row for row in kept if row.affiliate is False]
    split = bool(marked)
    service, waiting = comparisons(kept, policy, seed=seed) if split else (None, None)
    return Figures(
        customers=len(served),
        withheld_rows=withheld,
        shares=shares,
        jain=jain([served[tag] / entitled[tag] for tag in backlogged]),
        largest_lag=max(abs(served[tag] - entitled[tag]) / entitled[tag] for tag in backlogged),
        largest_shortfall_ms=max(entitled[tag] - served[tag] for tag in backlogged),
        waiting_s=quantiles([row.waiting_s for row in kept]),
        affiliates_waiting_s=quantiles([row.waiting_s for row in marked]) if split else None,
        others_waiting_s=quantiles([row.waiting_s for row in plain]) if split else None,
        service=service,
        waiting=waiting,
    )


def comparisons(rows: Sequence[Row], policy: Policy, *, seed: int) -> tuple[Comparison, Comparison]:
    """Affiliates beside all others: what was served of what was entitled, and waiting times. rows: those with a mark count."""

    def against(value: Callable[[Row], float | None]) -> Comparison:
        return compare(_strata(rows, value), seed=seed, draws=policy.draws, level=policy.level, power=policy.power)

    return against(lambda row: row.served_ms / row.entitled_ms if row.entitled_ms else None), against(
        lambda row: row.waiting_s
    )


def jain(amounts: Sequence[float]) -> float:
    """(sum x)^2 / (n * sum x^2), from 1/n (one has all) to 1 (all alike); Jain, Chiu and Hawe 1984, DEC-TR-301, eq. 1."""
    if not amounts or min(amounts) < 0:
        raise Invalid("an index of fairness needs amounts of at least zero")
    squares = math.fsum(x * x for x in amounts)
    return math.fsum(amounts) ** 2 / (len(amounts) * squares) if squares else 1.0


def quantiles(values: Sequence[float], at: Sequence[float] = QUANTILES) -> tuple[tuple[float, float], ...]:
    """(p, quantile) with linear interpolation between order statistics: definition 7 of Hyndman and Fan 1996."""
    if not values:
        raise Invalid("no values, no quantiles")
    ordered = sorted(values)
    out: list[tuple[float, float]] = []
    for p in at:
        place = p * (len(ordered) - 1)
        below = min(int(place), len(ordered) - 1)
        above = min(below + 1, len(ordered) - 1)
        out.append((p, ordered[below] + (place - below) * (ordered[above] - ordered[below])))
    return tuple(out)


def _by_tag(rows: Iterable[Row], value: Callable[[Row], int]) -> dict[str, int]:
    out: dict[str, int] = {}
    for row in rows:
        out[row.tag] = out.get(row.tag, 0) + value(row)
    return out


def _strata(rows: Iterable[Row], value: Callable[[Row], float | None]) -> list[Stratum]:
    groups: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        number = value(row)
        if number is not None and row.affiliate is not None:
            groups.setdefault(row.stratum, ([], []))[0 if row.affiliate else 1].append(number)
    return [Stratum(tuple(marked), tuple(others)) for _, (marked, others) in sorted(groups.items())]
