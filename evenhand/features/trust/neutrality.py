"""The public neutrality figures: each day and class of work once, from the decisions that were sealed and the work that was done.

The role `scheduler` gives decisions and the time that their work took, the role `reporter` who owns a stake: neither of them can
see both. They are put together here, in the worker, and what leaves carries no name. See docs/decisions/0025-neutrality.md.
"""

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from evenhand.features.contracts.affiliates import affiliates
from evenhand.features.tasks import turns_store
from evenhand.features.trust import neutrality_store as store
from evenhand.features.trust.sealing import looked_at
from evenhand.infra.db import Database
from evenhand.pure.fairness.figures import Policy, publishable
from evenhand.pure.fairness.published import Line, Measured, Publication, publication, row_of
from evenhand.pure.fairness.rollup import Seen, Sums, batch_sums
from evenhand.pure.fairness.weeks import PublishedWeek, chained, monday_of, week_of

log = logging.getLogger("evenhand.neutrality")
POLICY = Policy(delay_s=86_400)
_EVERY_S = 3600.0
_BACK_D = 30  # days that are made up for after a pause
_MOST = 28  # publications that are shown: with a thousand customers each is 250 kB
_WEEKS = 12
_LINKS = 100
_LOCK = 0x4E4555  # one publication at a time: each has its place in the chain
WEEK = ""  # what stands for a class where a whole week is published


class ChainLink(msgspec.Struct, frozen=True):
    """A publication's place in the chain. head: SHA-256 of the words "evenhand-neutrality-v1", a line end, the head before and the
    SHA-256 of its JSON (32 bytes each; none before the first). The newest head stands in each epoch of the log."""

    number: int
    day: str
    work: str
    sha256: str
    head: str


class Neutrality(msgspec.Struct, frozen=True):
    """What is published, newest first. A day is shown `delay_h` hours after its end; groups below `least` customers never are.
    weeks: days put together. chain: the newest publications, days and weeks (without `work`); of one day its own."""

    delay_h: int
    least: int
    publications: list[Publication]
    weeks: list[PublishedWeek] = []
    chain: list[ChainLink] = []


class NeutralityDay(msgspec.Struct, frozen=True):
    """A publication without its rows."""

    day: str
    work: str
    least: int
    level: float
    held_back: int
    figures: Measured


class NeutralityDays(msgspec.Struct, frozen=True):
    """The publications of `Neutrality` without their rows, newest first."""

    delay_h: int
    least: int
    days: list[NeutralityDay]
    weeks: list[PublishedWeek]


async def neutrality(
    db: Database, *, week: date | None = None, day: date | None = None, work: str | None = None
) -> Neutrality:
    """What anybody may see: the newest, or a week by its Monday with all its days, or a day, of which one class of work."""
    async with db.narrow("reporter") as door:
        if day is not None:
            rows = await store.ONE_DAY.all(door, day=day, **{"class": work})
        elif week is not None:
            rows = await store.BETWEEN.all(door, **{"from": week}, to=week + timedelta(days=7))
        else:
            rows = await store.PUBLISHED.all(door, most=_MOST)
        weeks = await store.WEEKS.all(door, week=week, most=_WEEKS)
        chain = await store.CHAIN.all(door, day=day, most=_LINKS)  # whose every link takes the hash of a publication
    shown = [msgspec.json.decode(row["publication"], type=Publication) for row in rows]
    links = [ChainLink(r["number"], r["day"].isoformat(), r["class"], r["sha256"], r["head"].hex()) for r in chain]
    return Neutrality(POLICY.delay_s // 3600, POLICY.least, shown, [_week_in(row) for row in weeks], links)


async def neutrality_days(db: Database) -> NeutralityDays:
    """What `neutrality` gives, without a row for each customer: a hundredth of it, and the days are not read."""
    async with db.narrow("reporter") as door:
        rows = await store.SUMMARIES.all(door, most=_MOST)
        weeks = await store.WEEKS.all(door, week=None, most=_WEEKS)
    days = [msgspec.json.decode(row["summary"], type=NeutralityDay) for row in rows]
    return NeutralityDays(POLICY.delay_s // 3600, POLICY.least, days, [_week_in(row) for row in weeks])


def _week_in(row: Any) -> PublishedWeek:
    return msgspec.json.decode(row["publication"], type=PublishedWeek)


async def publish_due(db: Database, now: datetime, policy: Policy = POLICY) -> int:
    """Publishes each day that is over for long enough and not out yet, then each week; how many publications."""
    end = (now - timedelta(seconds=policy.delay_s)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=_BACK_D)
    async with db.narrow("scheduler") as on:
        due = [(row["day"], row["class"]) for row in await store.DAYS.all(on, **{"from": begin}, to=end)]
    async with db.narrow("reporter") as door:
        done = {(row["day"], row["class"]) for row in await store.DONE.all(door, since=begin.date())}
    count = 0
    for day, name in due:
        if (day, name) not in done:
            count += await place(db, day, name, await _made(db, day, name, policy))
    first = monday_of(begin.date()) + timedelta(days=7)  # of the week before some days may be too old to be made up for
    for monday in (first + timedelta(days=7 * n) for n in range(_BACK_D // 7)):
        if monday + timedelta(days=7) <= end.date() and (monday, WEEK) not in done:
            async with db.narrow("reporter") as door:
                rows = await store.BETWEEN.all(door, **{"from": monday}, to=monday + timedelta(days=7))
            days = [msgspec.json.decode(row["publication"], type=Publication) for row in rows]
            if days:
                made = await asyncio.to_thread(week_of, monday, days, policy, seed=secrets.randbits(53))
                count += await place(db, monday, WEEK, made)
    return count


async def place(db: Database, day: date, name: str, made: Publication | PublishedWeek) -> int:
    """Publishes it, and gives it its place in the chain. Whoever was first has the word: its tags stay."""
    text = msgspec.json.encode(made)
    async with db.narrow("reporter") as door:
        await store.LOCK.run(door, lock=_LOCK)
        newest = await store.HEAD.maybe(door)
        number, before = (0, b"") if newest is None else (newest["number"], newest["head"])
        head = chained(before, hashlib.sha256(text).digest())
        return await store.PUBLISH.run(
            door, day=day, publication=text.decode(), number=number + 1, head=head, **{"class": name}
        )


async def _made(db: Database, day: date, name: str, policy: Policy) -> Publication:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    async with db.narrow("scheduler") as on:
        flows = await turns_store.FLOWS.all(on, **{"class": name, "from": 0})
        batches = await store.BATCHES.all(on, **{"class": name, "from": begin}, to=begin + timedelta(days=1))
    orgs: list[str] = [row["org_id"] for row in flows]
    sums: dict[tuple[str, int], Sums] = {}
    for batch in batches:
        for key, one in (await _batch(db, name, batch, orgs)).items():
            sums.setdefault(key, Sums()).add(one)
    async with db.narrow("reporter") as door:
        live = {row["org_id"] for row in await store.LIVE.all(door, orgs=orgs)}
    lines = _lines(name, sums, live, await affiliates(db))
    seed = secrets.randbits(53)  # a whole number in every program that reads JSON
    kept, held_back = await asyncio.to_thread(publishable, map(row_of, lines), policy)
    marks = {(row.tag, row.stratum): row.affiliate for row in kept}
    shown = [
        msgspec.structs.replace(line, affiliate=marks[line.tag, line.stratum])
        for line in lines
        if (line.tag, line.stratum) in marks
    ]
    return await asyncio.to_thread(publication, day.isoformat(), name, shown, policy, seed=seed, held_back=held_back)


def _lines(name: str, sums: dict[tuple[str, int], Sums], live: set[str], marked: frozenset[str]) -> list[Line]:
    """Test spaces take part in what others are entitled to; they are no customers, and have no line."""
    tags = {org: secrets.token_hex(8) for org, _ in sums}
    return [
        Line(
            tags[org], org in marked, f"{name}, weight {weight}", round(one.waited_ms / max(1, one.pieces) / 1000, 1),
            one.served_ms, round(one.entitled_ms), one.behind_ms, one.limit_ms,
        )
        for (org, weight), one in sums.items()
        if org in live and round(one.entitled_ms) > 0
    ]  # fmt: skip


async def _batch(db: Database, name: str, batch: Any, orgs: Sequence[str]) -> dict[tuple[str, int], Sums]:
    """By customer and its weight: what it was served and entitled to while it waited throughout the batch."""
    async with db.narrow("scheduler") as on:
        rows = await turns_store.DECISIONS.all(on, **{"class": name}, batch=batch["batch"])
    if not rows:
        return {}
    looked = await asyncio.to_thread(lambda: [looked_at(row["trace"]) for row in rows])
    async with db.narrow("scheduler") as on:
        closed = await turns_store.CLOSED.all(
            on, numbers=[row["number"] for row in rows], assignments=[row["assignment"] for row in rows],
            orgs=[orgs[decision.winner] for _, decision in looked],
        )  # fmt: skip
        weighed = await store.WEIGHTS.all(on, orgs=list(orgs), at=rows[0]["at"])
    used = {row["number"]: row["used_ms"] or 0 for row in closed}
    weights = dict(enumerate(_in_order(orgs, weighed)))
    limits: list[int] = json.loads(batch["limits"])
    paces = {flow: pace for waited, _ in looked for flow, pace in waited.items()}
    limits_ms = {flow: limits[flow] // pace for flow, pace in paces.items()}
    seen = [
        Seen(round(row["at"].timestamp() * 1000), made.pool, made.winner, frozenset(waited), used[row["number"]])
        for row, (waited, made) in zip(rows, looked, strict=True)
    ]
    found = await asyncio.to_thread(batch_sums, seen, weights, limits_ms)
    return {(orgs[flow], weights[flow]): one for flow, one in found.items()}


def _in_order(orgs: Sequence[str], rows: Iterable[Any]) -> list[int]:
    weight_of = {row["org_id"]: row["weight"] for row in rows}
    return [weight_of[org] for org in orgs]


async def run(db: Database, stop: asyncio.Event) -> None:
    """Every hour, until told to stop."""
    while not stop.is_set():
        try:
            await publish_due(db, datetime.now(UTC))
        except Exception as err:
            # a driver fails in ways of its own, and nothing starts this again: a day that could not be made is due in an hour
            log.warning("the neutrality figures wait (%s); trying again", type(err).__name__)
        try:
            await asyncio.wait_for(stop.wait(), _EVERY_S)
        except TimeoutError:
            continue
