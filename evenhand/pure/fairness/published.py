"""The published form of the neutrality figures: the rows of a day and a class of work, the seed, and what follows from them.

`faults` makes every number again from the rows beside it. No row says who it is: tags are drawn anew for each publication.
"""

import math
from collections.abc import Iterable

import msgspec

from evenhand.pure.fairness.figures import Policy, Row, figures
from evenhand.pure.fairness.permutation import Comparison
from evenhand.pure.trouble import Invalid

FORM = "evenhand-neutrality-v1"
_CLOSE = 1e-9  # of a number: floating point may differ in its last digits from machine to machine


class Line(msgspec.Struct, frozen=True):
    """A customer in a stratum (class of work and weight), as in `figures.Row`; behind_ms and limit_ms as in `rollup.Sums`: how
    far from its entitlement it was in one batch of decisions, in worker-ms, and the limit of that batch."""

    tag: str
    affiliate: bool | None
    stratum: str
    waiting_s: float
    served_ms: int
    entitled_ms: int
    behind_ms: int
    limit_ms: int


class Share(msgspec.Struct, frozen=True):
    """Of all that was served, the customer's part, and the part it was entitled to."""

    tag: str
    served: float
    entitled: float


class Quantile(msgspec.Struct, frozen=True):
    p: float
    seconds: float


class Versus(msgspec.Struct, frozen=True):
    """Affiliates minus all others, with its interval; two-sided p of the stratified permutation test; and the smallest true
    difference that it could have detected. An end without a number: the interval is open there."""

    difference: float | None
    low: float | None
    high: float | None
    p: float
    exact: bool
    assignments: int
    detectable: float | None


class Measured(msgspec.Struct, frozen=True):
    """null: not shown, too few. jain: among customers that waited throughout. largest_lag: the largest |served - entitled| of
    the day as a part of what was entitled; lag_of_limit: the largest of a batch as a part of its limit."""

    customers: int
    jain: float | None
    largest_lag: float | None
    lag_of_limit: float | None
    waiting: list[Quantile] | None
    affiliates_waiting: list[Quantile] | None
    others_waiting: list[Quantile] | None
    service_test: Versus | None
    waiting_test: Versus | None


class Shown(Measured, frozen=True, kw_only=True):
    """The same with each customer's share."""

    shares: list[Share]


class Publication(msgspec.Struct, frozen=True):
    """A day (UTC) of a class of work. held_back: rows that are not shown. least: customers in a group that is shown."""

    form: str
    day: str
    work: str
    least: int
    level: float
    power: float
    draws: int
    seed: int
    held_back: int
    lines: list[Line]
    figures: Shown


def publication(
    day: str, work: str, lines: Iterable[Line], policy: Policy, *, seed: int, held_back: int
) -> Publication:
    """lines: those that may be published (`figures.publishable`), and no others."""
    kept = sorted(lines, key=lambda line: (line.tag, line.stratum))
    return Publication(
        FORM, day, work, policy.least, policy.level, policy.power, policy.draws, seed, held_back, kept, _shown(kept, policy, seed)
    )  # fmt: skip


def row_of(line: Line) -> Row:
    return Row(line.tag, line.affiliate, line.stratum, line.waiting_s, line.served_ms, line.entitled_ms)


def faults(published: Publication) -> list[str]:
    """What does not follow from the published rows, a sentence each. Raises Invalid where the rows are no rows."""
    if published.form != FORM:
        raise Invalid(f"{published.form} is no form that this program knows.", hint=f"It knows {FORM}.")
    policy = Policy(least=published.least, level=published.level, power=published.power, draws=published.draws)
    again = msgspec.to_builtins(_shown(published.lines, policy, published.seed))
    said = msgspec.to_builtins(published.figures)
    where = f"{published.day}, {published.work}"
    return [f"{where}: {name} is {was}, and follows as {now}" for name, was, now in differing("", said, again)]


def differing(name: str, said: object, again: object) -> list[tuple[str, object, object]]:
    """(name, said, again) of each part of two values that is not the same, numbers up to their last digits."""
    if isinstance(said, dict) and isinstance(again, dict):
        return [one for key in again for one in differing(f"{name}.{key}".lstrip("."), said.get(key), again[key])]
    if isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        return [
            one for n, (a, b) in enumerate(zip(said, again, strict=True)) for one in differing(f"{name}[{n}]", a, b)
        ]
    if isinstance(said, int | float) and isinstance(again, int | float):
        same = math.isclose(said, again, rel_tol=_CLOSE, abs_tol=_CLOSE)
    else:
        same = said == again
    return [] if same else [(name, said, again)]


def _shown(lines: list[Line], policy: Policy, seed: int) -> Shown:
    found = figures(map(row_of, lines), policy, seed=seed)
    parts = [line.behind_ms / line.limit_ms for line in lines if line.limit_ms]
    return Shown(
        customers=found.customers,
        shares=[Share(*share) for share in found.shares],
        jain=found.jain,
        largest_lag=found.largest_lag,
        lag_of_limit=max(parts) if parts and found.jain is not None else None,
        waiting=_quantiles(found.waiting_s),
        affiliates_waiting=_quantiles(found.affiliates_waiting_s),
        others_waiting=_quantiles(found.others_waiting_s),
        service_test=None if found.jain is None else versus(found.service),
        waiting_test=None if found.jain is None else versus(found.waiting),
    )


def _quantiles(found: tuple[tuple[float, float], ...] | None) -> list[Quantile] | None:
    return None if found is None else [Quantile(p, seconds) for p, seconds in found]


def versus(one: Comparison | None) -> Versus | None:
    if one is None:
        return None
    low, high = (None if end is None or math.isinf(end) else end for end in (one.low, one.high))
    return Versus(one.difference, low, high, one.p, one.exact, one.assignments, one.detectable)
