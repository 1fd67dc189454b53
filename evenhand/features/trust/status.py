"""How the log is, for everybody: how far, and whether it is late. That it is late is all that somebody can do to an event."""

from datetime import UTC, datetime

import msgspec

from evenhand.features.people.rules import Verb, require
from evenhand.features.trust import store
from evenhand.features.trust.types import BATCH_S, Clock
from evenhand.features.trust.witnesses import is_met, quorum_of
from evenhand.infra.db import Database, Tx
from evenhand.infra.facts import micros, now_us
from evenhand.infra.logfiles import LogFiles
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.notes import VerifierKey

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


class WitnessSeen(msgspec.Struct, frozen=True):
    """`cosigned_at`: the newest epoch, by the witness's own clock; null where it has not cosigned it."""

    name: str
    cosigned_at: datetime | None


class TrustStatus(msgspec.Struct, frozen=True):
    """`events`: of this organisation that have their place; `quorum`: whether enough witnesses cosigned the newest epoch, null
    where the policy asks for none."""

    log: LogStatus
    key: str
    events: int
    witnesses: list[WitnessSeen]
    quorum: bool | None


async def trust_status(tx: Tx, db: Database, files: LogFiles) -> TrustStatus:
    require(tx, Verb.READ)
    events: int = await store.MY_COUNT.value(tx, org=tx.org_id) or 0
    policy, note = quorum_of(files), files.epoch()
    seen = [
        WitnessSeen(name.decode("utf-8", "replace"), _cosigned_at(note, key)) for name, key in policy.witnesses.items()
    ]
    quorum = None if policy.quorum is None else note is not None and is_met(policy, note)
    return TrustStatus(await log_status(db), files.key(), events, seen, quorum)


def _cosigned_at(note: bytes | None, key: VerifierKey) -> datetime | None:
    at_s = None if note is None else Checkpoint.parse(note).cosigned_at(key)
    return None if at_s is None else datetime.fromtimestamp(at_s, UTC)


def _moment(time_us: int) -> datetime | None:
    return datetime.fromtimestamp(time_us / 1e6, UTC) if time_us else None
