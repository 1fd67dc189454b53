"""What has served its time is taken away: kept replies, ended jobs, closed viewings, old sessions, links and counts of
sign-in tries.

How long each is kept stands in the policies of the role `cleaner` (0004_facts_jobs.sql), which shows it nothing younger;
so the statements here name no time.
"""

import asyncio
import logging
import time

from evenhand.features.assets.unused import drop_unused
from evenhand.features.leaving.taking import archive_objects
from evenhand.infra.db import Database
from evenhand.infra.objects import Objects
from evenhand.infra.sql import Sql

log = logging.getLogger("evenhand.cleaning")
FIRST_S = 300.0  # a start has better things to do
EVERY_S = 3600.0
FILES_S = 24 * 3600.0
_AT_ONCE = 2_000  # rows a transaction: short locks, and whoever stops the worker waits for one of these at most

_KEPT_REPLIES = Sql(
    "clean_idempotency",
    """delete from evenhand.idempotency where (org_id, actor_id, key_mac) in (
              select org_id, actor_id, key_mac from evenhand.idempotency order by created_at limit %(most)s)""",
    role="cleaner",
)
_ENDED_JOBS = Sql(
    "clean_job",
    """delete from evenhand.job where (org_id, job_id) in (
              select org_id, job_id from evenhand.job order by ended_at limit %(most)s)""",
    role="cleaner",
)
_VIEWINGS = Sql(
    "clean_viewing",
    """delete from evenhand.viewing where (org_id, viewing_id) in (
              select org_id, viewing_id from evenhand.viewing order by closed_at limit %(most)s)""",
    role="cleaner",
)
# The scheduler's record, a batch at a time: its decisions, then what they stood under.
_OLD_BATCH = Sql(
    "clean_sched_oldest", "select class, batch from evenhand.sched_batch order by closed limit 1", role="cleaner"
)
_DECISIONS = Sql(
    "clean_sched_decision",
    "delete from evenhand.sched_decision where class = %(class)s and batch = %(batch)s",
    role="cleaner",
)
_BATCH = Sql(
    "clean_sched_batch",
    "delete from evenhand.sched_batch where class = %(class)s and batch = %(batch)s",
    role="cleaner",
)
_SESSIONS = Sql("clean_session", "delete from evenhand.session", role="cleaner")
_LINKS = Sql("clean_link", "delete from evenhand.link", role="cleaner")
_CEREMONIES = Sql("clean_ceremony", "delete from evenhand.ceremony", role="cleaner")
_ENTRANCES = Sql("clean_entrance", "delete from evenhand.entrance", role="cleaner")
_TRIES = Sql("clean_signin_attempt", "delete from evenhand.signin_attempt", role="cleaner")
_RECEIPTS = Sql("clean_erasure", "update evenhand.erasure set receipt = null where receipt is not null", role="cleaner")


async def clean(db: Database) -> dict[str, int]:
    """Takes away what is old now. Returns how many rows of each table."""
    gone: dict[str, int] = {}
    for name, statement in (
        ("session", _SESSIONS),
        ("link", _LINKS),
        ("signin_attempt", _TRIES),
        ("receipt", _RECEIPTS),
        ("ceremony", _CEREMONIES),
        ("entrance", _ENTRANCES),
    ):
        async with db.narrow("cleaner") as door:
            gone[name] = await statement.run(door)
    for name, statement in (("idempotency", _KEPT_REPLIES), ("job", _ENDED_JOBS), ("viewing", _VIEWINGS)):
        gone[name] = 0
        while True:
            async with db.narrow("cleaner") as door:
                count = await statement.run(door, most=_AT_ONCE)
            gone[name] += count
            if count < _AT_ONCE:
                break
    gone["sched_decision"] = gone["sched_batch"] = 0
    while await _old_batch(db, gone):
        pass
    return gone


async def _old_batch(db: Database, gone: dict[str, int]) -> bool:
    """Whether there was one. One transaction, so that no batch is left with a part of its decisions."""
    async with db.narrow("cleaner") as door:
        row = await _OLD_BATCH.maybe(door)
        if row is None:
            return False
        key = {"class": row["class"], "batch": row["batch"]}
        gone["sched_decision"] += await _DECISIONS.run(door, **key)
        gone["sched_batch"] += await _BATCH.run(door, **key)
    return True


async def keep_clean(db: Database, objects: Objects, stop: asyncio.Event) -> None:
    """Cleans every hour until `stop` is set, and once a day looks for files that nothing needs."""
    wait_s = FIRST_S
    files_at = 0.0
    while True:
        try:
            await asyncio.wait_for(stop.wait(), wait_s)
            return
        except TimeoutError:
            wait_s = EVERY_S
        try:
            gone = await clean(db)
            log.info("cleaned: %s", ", ".join(f"{count} {name}" for name, count in gone.items()))
            if time.monotonic() >= files_at:
                files = await drop_unused(db, objects, archive_objects)
                log.info("dropped %d files that nothing needed, %d bytes", files.files, files.bytes)
                files_at = time.monotonic() + FILES_S
        except Exception as err:
            # database and store can fail in their drivers' ways: cleaning goes on when they are back
            log.warning("cleaning failed (%s); trying again in an hour", type(err).__name__)
