"""Days put together: the same test over all that was published of a week, stratified by day, class of work and weight.

One day detects only a coarse bias; a week of days finds one of 5 %. No further row is published for it: its rows are those of its
days, and `week_faults` makes it again from them. Tags of two days have nothing in common, and the test needs none that have.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from evenhand.pure.fairness.figures import Policy, Row, comparisons
from evenhand.pure.fairness.published import Publication, Versus, differing, versus
from evenhand.pure.trouble import Invalid

FORM = "evenhand-neutrality-week-v1"
DRAWS = 999  # a week of many customers has ten thousand rows


class WeekPart(msgspec.Struct, frozen=True):
    """A publication that is in it. sha256: of its JSON as it is published, without spaces."""

    day: str
    work: str
    sha256: str


class PublishedWeek(msgspec.Struct, frozen=True):
    """`week`: its Monday. rows: of those that carry a mark. The tests: affiliates minus all others; null: not shown, too few."""

    form: str
    week: str
    level: float
    power: float
    draws: int
    seed: int
    parts: list[WeekPart]
    rows: int
    service_test: Versus | None
    waiting_test: Versus | None


def digest(publication: Publication) -> str:
    return hashlib.sha256(msgspec.json.encode(publication)).hexdigest()


def chained(before: bytes, digest: bytes) -> bytes:
    """The head of the chain of publications after one more. before: the head so far, b"" for none; digest: SHA-256 of its text."""
    return hashlib.sha256(b"evenhand-neutrality-v1\n" + before + digest).digest()


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_of(
    monday: date, days: Iterable[Publication], policy: Policy, *, seed: int, draws: int = DRAWS
) -> PublishedWeek:
    """The week's figures. days: all that was published of it."""
    made = sorted(days, key=lambda one: (one.day, one.work))
    rows = _rows(made)
    at = Policy(policy.least, policy.delay_s, policy.level, policy.power, draws)
    service, waiting = (None, None) if not rows else map(versus, comparisons(rows, at, seed=seed))
    parts = [WeekPart(one.day, one.work, digest(one)) for one in made]
    return PublishedWeek(FORM, monday.isoformat(), at.level, at.power, draws, seed, parts, len(rows), service, waiting)


def week_faults(week: PublishedWeek, published: Sequence[Publication]) -> list[str] | None:
    """What does not follow from the days, a sentence each; None where one of its days is not among them."""
    if week.form != FORM:
        raise Invalid(f"{week.form} is no form that this program knows.", hint=f"It knows {FORM}.")
    found = {(one.day, one.work): one for one in published}
    if not all((part.day, part.work) in found for part in week.parts):
        return None
    days = [found[part.day, part.work] for part in week.parts]
    policy = Policy(level=week.level, power=week.power)
    again = week_of(date.fromisoformat(week.week), days, policy, seed=week.seed, draws=week.draws)
    said, now = msgspec.to_builtins(week), msgspec.to_builtins(again)
    return [
        f"week of {week.week}: {name} is {was}, and follows as {new}" for name, was, new in differing("", said, now)
    ]


def _rows(days: Iterable[Publication]) -> list[Row]:
    """A row a customer, day, class and weight; without those of a day whose marks are withheld."""
    return [
        Row(f"{one.day} {line.tag}", line.affiliate, f"{one.day} {line.stratum}", line.waiting_s, line.served_ms, line.entitled_ms)
        for one in days
        for line in one.lines
        if line.affiliate is not None
    ]  # fmt: skip
