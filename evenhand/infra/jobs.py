"""Jobs: work that goes on after the request. Two tables of ours inside the wall; a narrow role picks.

A job is claimed with a lease and a fence. Each step commits together with its effect, so a worker that dies between two
steps leaves nothing half done and the next one goes on. Retries back off; the last failure leaves a dead letter.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from evenhand.infra.db import AWAY, SYSTEM, Database, Tx
from evenhand.infra.ids import new_id
from evenhand.infra.kms.port import KeyRevoked, KeyServiceBusy, KeyServiceDown
from evenhand.infra.seal import At, KeyUnknown, KeyUseNotLogged
from evenhand.infra.sql import Sql
from evenhand.pure.trouble import Busy, Conflict

log = logging.getLogger("evenhand.jobs")
LEASE_S = 20  # a job of a worker that was killed waits this long for the next one
_IDLE_S = (0.05, 0.5)  # how soon to look again: the longer nothing came, the later
#: claims beyond `most` after which a job is dead: nobody lived to say how those ended, so it may be what kills them
_KILLED = 10
#: nothing is wrong with what was asked: it goes through when the database is back, has a connection free, or has room
_LATER: tuple[type[BaseException], ...] = (*AWAY, Busy, asyncpg.DiskFullError)
_NO_KEY: tuple[type[BaseException], ...] = (KeyRevoked, KeyServiceDown, KeyServiceBusy, KeyUseNotLogged)
_NO_KEY_S = 60.0  # how soon to ask for a key again
_FULL_S = 30.0  # how soon to look whether a full disk has room again

_ADD = Sql(
    "job_add",
    """insert into evenhand.job (org_id, job_id, kind, run_at, most, body)
       values (%(org)s, %(job)s, %(kind)s, coalesce(%(run_at)s::timestamptz, clock_timestamp()), %(most)s, %(body)s)""",
)
#: A job whose worker died goes first; else the organisations take turns, whatever each has waiting. `ring` walks those that
#: have ready jobs, from the one after `after` round to it again, by one probe of the index each, and stops at the first
#: that has one due.
_CLAIM = Sql(
    "job_claim",
    """with recursive lapsed as (
            select x.org_id, x.job_id from evenhand.job x
             where x.state = 'running' and x.lease_until < statement_timestamp()
             order by x.lease_until limit 1 for update skip locked
       ), ring (org_id, lap, steps) as (
            select %(after)s::text collate "C", 0, 0
             union all
            select n.org_id, n.lap, r.steps + 1
              from ring r
             cross join lateral (
                   (select x.org_id, r.lap as lap from evenhand.job x
                     where x.state = 'ready' and x.org_id > r.org_id order by x.org_id limit 1)
                    union all
                   (select x.org_id, 1 from evenhand.job x
                     where x.state = 'ready' and r.lap = 0 order by x.org_id limit 1)
                   limit 1) n
             where n.lap = 0 or n.org_id <= %(after)s
       ), due as (
            select d.org_id, d.job_id
              from ring r
             cross join lateral (
                   select x.org_id, x.job_id from evenhand.job x
                    where x.org_id = r.org_id and x.state = 'ready' and x.run_at <= statement_timestamp()
                    order by x.run_at limit 1 for update skip locked) d
             where r.steps > 0 and r.org_id <> all (%(full)s::text[])
             limit 1
       )
       update evenhand.job j
          set state = 'running', fence = j.fence + 1, attempts = j.attempts + 1,
              lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
         from (select l.org_id, l.job_id from lapsed l union all select d.org_id, d.job_id from due d limit 1) p
        where j.org_id = p.org_id and j.job_id = p.job_id
    returning j.org_id, j.job_id, j.kind, j.fence, j.attempts, j.most""",
    role="picker",
)
_BEAT = Sql(
    "job_beat",
    """update evenhand.job set lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
        where org_id = %(org)s and job_id = %(job)s and fence = %(fence)s and state = 'running'""",
    role="picker",
)
_BODY = Sql("job_body", "select body from evenhand.job where org_id = %(org)s and job_id = %(job)s")
_FINISH = Sql(
    "job_finish",
    """update evenhand.job
          set state = %(state)s, lease_until = null, attempts = coalesce(%(attempts)s::integer, attempts),
              run_at = case when %(state)s::text = 'ready'
                            then clock_timestamp() + make_interval(secs => %(after_s)s) else run_at end,
              ended_at = case when %(state)s::text <> 'ready' then clock_timestamp() end
        where org_id = %(org)s and job_id = %(job)s and fence = %(fence)s and state = 'running'""",
    role="picker",
)
_FENCED = Sql(
    "job_fenced",
    """select 1 from evenhand.job
        where org_id = %(org)s and job_id = %(job)s and fence = %(fence)s and state = 'running' for update""",
)
_STEP = Sql(
    "job_step",
    "select body from evenhand.job_step where org_id = %(org)s and job_id = %(job)s and step = %(step)s",
)
_STEP_DONE = Sql(
    "job_step_done",
    "insert into evenhand.job_step (org_id, job_id, step, body) values (%(org)s, %(job)s, %(step)s, %(body)s)",
)


_COUNTS = Sql(
    "job_counts",
    "select org_id, state, count(*) as n from evenhand.job where state <> 'done' group by org_id, state",
    role="picker",
)


async def job_counts(db: Database) -> tuple[dict[str, int], dict[str, int]]:
    """(waiting by organisation, all by state): ids and counts only."""
    async with db.narrow("picker") as door:
        rows = await _COUNTS.all(door)
    waiting: dict[str, int] = {}
    states = {"ready": 0, "running": 0, "dead": 0}
    for row in rows:
        states[row["state"]] += row["n"]
        if row["state"] != "dead":
            waiting[row["org_id"]] = waiting.get(row["org_id"], 0) + row["n"]
    return waiting, states


async def enqueue(tx: Tx, kind: str, params: dict[str, Any], *, run_at: datetime | None = None, most: int = 8) -> str:
    """Adds a job in the caller's transaction: it exists if and only if what caused it does."""
    job_id = new_id()
    await _ADD.run(
        tx, org=tx.org_id, job=job_id, kind=kind, run_at=run_at, most=most, body=tx.seal.shut(params, At("job", job_id))
    )
    return job_id


class Fenced(Conflict):
    """Another worker has taken this job over; what this one does no longer counts."""


class Retry(Exception):
    """Raised by a handler that wants to run again in `after_s` without counting it as a failure."""

    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


@dataclass(slots=True)
class Job:
    """A claimed job, as its handler sees it."""

    db: Database
    org_id: str
    id: str
    kind: str
    fence: int
    attempt: int
    most: int
    params: dict[str, Any] = field(default_factory=dict[str, Any])

    async def step(self, name: str, act: Callable[[Tx], Awaitable[Any]]) -> Any:
        """Runs `act` in a transaction at most once for this job: its result is kept with its effect."""
        at = At("job_step", f"{self.id}/{name}")
        async with self.db.tx(self.org_id, SYSTEM) as tx:
            if await _FENCED.maybe(tx, org=self.org_id, job=self.id, fence=self.fence) is None:
                raise Fenced("This job was taken over.")
            done = await _STEP.maybe(tx, org=self.org_id, job=self.id, step=name)
            if done is not None:
                return tx.seal.open(done["body"], at)
            result = await act(tx)
            await _STEP_DONE.run(tx, org=self.org_id, job=self.id, step=name, body=tx.seal.shut(result, at))
            return result


Handler = Callable[[Job], Awaitable[None]]


class Worker:
    """Claims jobs and runs them, several at a time. `handlers` is the written list of all kinds of job.

    No organisation takes every place: jobs that wait long for somebody's machine leave one for the others."""

    def __init__(self, db: Database, handlers: dict[str, Handler], *, at_once: int = 4) -> None:
        self._db = db
        self._handlers = handlers
        self._at_once = at_once
        self._busy: set[asyncio.Task[None]] = set()
        self._places: Counter[str] = Counter()  # taken, by organisation
        self._after = ""  # the organisation that had the last turn

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then lets what runs finish for five seconds; the rest goes back by its lease."""
        idle = _IDLE_S[0]
        while not stop.is_set():
            try:
                job = await self._claim() if len(self._busy) < self._at_once else None
            except _LATER as err:
                log.warning("no job can be claimed (%s); trying again", type(err).__name__)
                job, idle = None, _IDLE_S[1]
            if job is not None:
                self._begin(job)
                idle = _IDLE_S[0]
                continue
            idle = min(idle * 1.5, _IDLE_S[1])
            waits: set[asyncio.Task[Any]] = {asyncio.create_task(stop.wait()), *self._busy}
            await asyncio.wait(waits, timeout=idle, return_when=asyncio.FIRST_COMPLETED)
        if self._busy:
            await asyncio.wait(set(self._busy), timeout=5)

    async def drain(self) -> int:
        """Runs what is due now, one after the other. For tests and for commands without a server."""
        count = 0
        while (job := await self._claim()) is not None:
            await self._work(job)
            count += 1
        return count

    async def _claim(self) -> Job | None:
        most = max(1, self._at_once - 1)
        full = [org for org, taken in self._places.items() if taken >= most]
        async with self._db.narrow("picker") as door:
            row = await _CLAIM.maybe(door, after=self._after, full=full, lease_s=LEASE_S)
        if row is None:
            return None
        self._after = row["org_id"]
        return Job(self._db, row["org_id"], row["job_id"], row["kind"], row["fence"], row["attempts"], row["most"])

    def _begin(self, job: Job) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._busy.discard(task)
            self._places[job.org_id] -= 1
            if not self._places[job.org_id]:
                del self._places[job.org_id]
            if not task.cancelled() and (err := task.exception()) is not None:
                log.error("a bug: job %s %s: %s", job.kind, job.id, _where(err))

        task = asyncio.create_task(self._work(job))
        self._busy.add(task)
        self._places[job.org_id] += 1
        task.add_done_callback(ended)

    async def _work(self, job: Job) -> None:
        beat = asyncio.create_task(self._beat(job))
        started = time.monotonic()
        try:
            await self._handle(job)
            await self._finish(job, "done")
        except Retry as again:
            await self._finish(job, "ready", after_s=again.after_s, attempts=job.attempt - 1)
        except Fenced:
            log.info("job %s was taken over", job.id)
        except asyncio.CancelledError:
            raise
        except ValueError as err:  # the driver's word for a value that can't be sent is one of AWAY as well
            await self._fail(job, err)
        except AWAY as err:
            log.warning("job %s %s broke off: the database is away (%s)", job.kind, job.id, type(err).__name__)
            await self._finish(job, "ready", after_s=1, attempts=job.attempt - 1)
        except _NO_KEY as err:  # the customer has taken its key away, or its service is down: the work waits for it
            log.warning("job %s %s waits for a key (%s)", job.kind, job.id, type(err).__name__)
            await self._finish(job, "ready", after_s=_NO_KEY_S, attempts=job.attempt - 1)
        except _LATER as err:  # a full disk or too much at once: waited for, however long, and no fault of the job
            log.warning("job %s %s waits (%s)", job.kind, job.id, type(err).__name__)
            after_s = (err.retry_after_s if isinstance(err, Busy) else None) or _FULL_S
            await self._finish(job, "ready", after_s=after_s, attempts=job.attempt - 1)
        except BaseException as err:  # handlers are other people's code, and may be cancelled: each end is written down
            await self._fail(job, err)
        finally:
            beat.cancel()
            log.debug("job %s took %.3f s", job.kind, time.monotonic() - started)

    async def _fail(self, job: Job, err: BaseException) -> None:
        """One of its tries is used up; the last one leaves a dead job."""
        last = job.attempt >= job.most
        # the kind of error only: messages may quote a customer's content
        log.warning("job %s %s failed, attempt %d of %d: %s", job.kind, job.id, job.attempt, job.most, _where(err))
        await self._finish(job, "dead" if last else "ready", after_s=min(2.0**job.attempt, 600))

    async def _handle(self, job: Job) -> None:
        if job.attempt > job.most + _KILLED:
            raise RuntimeError("every worker that took this job has died")
        handler = self._handlers.get(job.kind)
        if handler is None:
            raise LookupError(f"no handler for {job.kind}")
        async with self._db.tx(job.org_id, SYSTEM) as tx:
            body = await _BODY.value(tx, org=job.org_id, job=job.id)
            job.params = tx.seal.open(body, At("job", job.id))
        try:
            await handler(job)
        except KeyUnknown as err:  # of a project that another process has just made: what was done is rolled back
            await self._db.learn(err)
            await handler(job)

    async def _finish(self, job: Job, state: str, *, after_s: float = 0, attempts: int | None = None) -> None:
        """Writes how it ended, as soon as the database takes it: what was sent out must not go out again because the
        database was away for a moment. Its heartbeat goes on meanwhile, and tries as patiently."""
        for _ in range(LEASE_S):  # after that its lease is over, and whoever claims it has it
            try:
                async with self._db.narrow("picker") as door:
                    await _FINISH.run(
                        door,
                        org=job.org_id,
                        job=job.id,
                        fence=job.fence,
                        state=state,
                        after_s=after_s,
                        attempts=attempts,
                    )
                return
            except _LATER:
                await asyncio.sleep(1)
        log.warning("job %s %s: how it ended could not be written; it will be run again", job.kind, job.id)

    async def _beat(self, job: Job) -> None:
        while True:
            await asyncio.sleep(LEASE_S / 4)
            try:
                async with self._db.narrow("picker") as door:
                    await _BEAT.run(door, org=job.org_id, job=job.id, fence=job.fence, lease_s=LEASE_S)
            except _LATER as err:
                log.debug("a heartbeat was missed (%s)", type(err).__name__)


def _where(err: BaseException) -> str:
    """The type of an error and the line of ours that it came from."""
    place = ""
    trace = err.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if str(name).startswith("evenhand."):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(err).__name__} at {place}"
