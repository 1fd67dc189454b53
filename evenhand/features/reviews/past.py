"""What a project has behind it, remembered by this process.

A console asks every few seconds, and a large project has a hundred thousand finished tasks. What lies more than SETTLED behind
no longer changes, but for a task that is done no longer: `undone` says which minute has to be counted anew. So each question
reads the last minutes only, and the sum is exact.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from evenhand.features.reviews import store
from evenhand.infra.db import Tx

SETTLED = timedelta(minutes=5)  # every transaction that began before has ended
_OVERLAP = timedelta(minutes=10)  # how far back `undone` is read again: its lines may come out of order
_MOST = 300
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Sums:
    """What rows with ids below `below` add up to. Replaced, never changed: two questions may be under way at once."""

    below: str = ""
    reviewed: int = 0
    accepted: int = 0
    label_s: float = 0.0


@dataclass(slots=True)
class _Past:
    minutes: dict[datetime, int] = field(default_factory=dict[datetime, int])  # done, by the minute they were done in
    upto: datetime = _EVER  # `minutes` is whole before this
    looked: datetime | None = None  # when `undone` was read
    sums: _Sums = field(default_factory=_Sums)


PAST: OrderedDict[tuple[str, str], _Past] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Sofar:
    """`minutes`: how many tasks were done in each minute, those of a moment ago too. `label_s`: of all answers."""

    minutes: dict[datetime, int]
    reviewed: int
    accepted: int
    label_s: float


async def sofar(tx: Tx, project: str) -> Sofar:
    """All that was done, judged and worked in a project."""
    past = PAST.setdefault((tx.org_id, project), _Past())
    PAST.move_to_end((tx.org_id, project))
    while len(PAST) > _MOST:
        PAST.popitem(last=False)
    now: datetime = await store.CLOCK.value(tx)
    settled = (now - SETTLED).replace(second=0, microsecond=0)
    if past.upto < settled:
        for row in await store.DONE_MINUTES.all(tx, org=tx.org_id, project=project, since=past.upto, until=settled):
            past.minutes[row["minute"]] = row["n"]
        past.upto = max(past.upto, settled)
    await _undone(tx, project, past, now)
    minutes = dict(past.minutes)
    for row in await store.DONE_MINUTES.all(tx, org=tx.org_id, project=project, since=past.upto, until=now + _OVERLAP):
        minutes[row["minute"]] = row["n"]
    sums = await _sums(tx, project, past, settled)
    return Sofar({at: n for at, n in minutes.items() if n}, sums.reviewed, sums.accepted, sums.label_s)


async def _undone(tx: Tx, project: str, past: _Past, now: datetime) -> None:
    """Counts the minutes anew in which something was done that is done no longer."""
    since = (past.looked or now) - _OVERLAP
    minutes = [
        row["minute"]
        for row in await store.UNDONE_MINUTES.all(tx, org=tx.org_id, project=project, since=since, until=past.upto)
    ]
    for row in await store.MINUTES_ANEW.all(tx, org=tx.org_id, project=project, minutes=minutes) if minutes else ():
        past.minutes[row["minute"]] = row["n"]
    past.looked = now


async def _sums(tx: Tx, project: str, past: _Past, settled: datetime) -> _Sums:
    """Verdicts and time so far. What is settled is remembered, what came since is added for this answer only."""
    below = f"{int(settled.timestamp() * 1000):012x}"  # ids begin with their time
    if past.sums.below < below:
        past.sums = await _added(tx, project, past.sums, below)
    return await _added(tx, project, past.sums, "g")  # past every id


async def _added(tx: Tx, project: str, base: _Sums, below: str) -> _Sums:
    judged = await store.JUDGED_BETWEEN.one(tx, org=tx.org_id, project=project, since=base.below, below=below)
    worked: float = await store.WORKED_BETWEEN.value(tx, org=tx.org_id, project=project, since=base.below, below=below)
    return _Sums(below, base.reviewed + judged["reviewed"], base.accepted + judged["accepted"], base.label_s + worked)
