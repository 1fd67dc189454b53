"""How the log is, for everybody: how far, and whether it is late. That it is late is all that somebody can do to an event."""

from datetime import UTC, datetime

import msgspec

from evenhand.features.trust import store
from evenhand.features.trust.types import BATCH_S, Clock
from evenhand.infra.db import Database
from evenhand.infra.facts import micros, now_us

GRACE_S = 1.0  #: a batch takes a moment


class LogStatus(msgspec.Struct, frozen=True):
    """`late_s`: seconds beyond the five that an event may wait for its place; 0 while the log is on time."""

    size: int
    epoch: int
    batch_at: datetime | None
    epoch_at: datetime | None
    late_s: int


async def log_status(db: Database, clock: Clock = now_us) -> LogStatus:
    async with db.narrow("sequencer") as door:
        row = await store.HEALTH.one(door)
    since = min(row["batch_at"], row["batch_at"] if row["oldest"] is None else micros(row["oldest"]))
    waited_s = (clock() - since) / 1e6
    late_s = 0 if waited_s <= BATCH_S + GRACE_S else round(waited_s - BATCH_S)
    return LogStatus(row["size"], row["epoch"], _moment(row["batch_at"]), _moment(row["epoch_at"]), late_s)


def _moment(time_us: int) -> datetime | None:
    return datetime.fromtimestamp(time_us / 1e6, UTC) if time_us else None
