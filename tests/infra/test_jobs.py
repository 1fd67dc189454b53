"""Jobs: organisations take turns, what ended is written however the database came and went, and nothing stops the worker."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import psycopg
import pytest

from evenhand.features.people import actions as people
from evenhand.infra import jobs
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.jobs import Handler, Job, Retry, Worker, enqueue
from evenhand.infra.objects import StorageFull
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from evenhand.pure.trouble import Busy
from tests.pg import TestServer

pytestmark = pytest.mark.anyio
WITHIN_S = 20


@pytest.fixture
async def orgs(db: Database) -> list[str]:
    return sorted([(await people.create_org(db, name)).id for name in ("Acme", "Birch", "Cedar")])


@pytest.fixture
async def admin(pg_server: TestServer, urls: DatabaseUrls) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    database = roles.connection_info(urls.owner)["dbname"]
    async with await psycopg.AsyncConnection.connect(pg_server.admin_url_of(database), autocommit=True) as opened:
        yield opened


async def add(db: Database, org: str, kind: str = "note", *, most: int = 8, **params: Any) -> str:
    async with db.tx(org, SYSTEM) as tx:
        return await enqueue(tx, kind, params, most=most)


async def add_many(db: Database, admin: psycopg.AsyncConnection[Any], org: str, count: int) -> None:
    """A customer's storm."""
    seal = await db.seal(org)
    async with (
        admin.cursor() as cursor,
        cursor.copy("copy evenhand.job (org_id, job_id, kind, body) from stdin") as copy,
    ):
        for n in range(count):
            job = f"{n:024x}"
            await copy.write_row((org, job, "note", seal.shut({}, At("job", job))))
    await admin.execute("analyze evenhand.job")


class Seen:
    """A handler that notes the organisation of every job."""

    def __init__(self) -> None:
        self.orgs: list[str] = []

    async def __call__(self, job: Job) -> None:
        self.orgs.append(job.org_id)


async def until(ready: Any) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not ready():  # noqa: ASYNC110  (what is waited for is in the database as well)
            await asyncio.sleep(0.02)


async def run_until(worker: Worker, ready: Any) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        await until(lambda: ready() or running.done())
    finally:
        stop.set()
        await running
    assert ready()


async def state_of(admin: psycopg.AsyncConnection[Any], job: str) -> tuple[str, int]:
    row = await (await admin.execute("select state, attempts from evenhand.job where job_id = %s", (job,))).fetchone()
    assert row is not None
    return row[0], row[1]


async def test_a_hundred_thousand_jobs_of_one_customer_delay_nobody_else(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any]
) -> None:
    """Whoever comes later waits for one job of the others, wherever its name stands in the alphabet."""
    await add(db, orgs[1])
    await add_many(db, admin, orgs[1], 100_000)
    for org in (orgs[0], orgs[2], orgs[2]):
        await add(db, org)
    seen = Seen()
    worker = Worker(db, {"note": seen})
    for _ in range(6):
        job = await worker._claim()  # type: ignore[attr-defined]
        assert job is not None
        await worker._work(job)  # type: ignore[attr-defined]
    assert seen.orgs == [orgs[0], orgs[1], orgs[2], orgs[1], orgs[2], orgs[1]]
    # and the claim is a few probes of an index however much waits
    async with db.narrow("picker") as door:
        claim = jobs._CLAIM.numbered  # type: ignore[attr-defined]
        plan = await door.conn.fetchval(f"explain (analyze, buffers, format json) {claim}", "", [], 20)
    assert "Seq Scan" not in plan and '"Sort"' not in plan, plan
    whole = json.loads(plan)[0]["Plan"]
    assert whole["Shared Hit Blocks"] + whole["Shared Read Blocks"] < 100, plan


async def test_jobs_that_are_not_due_are_stepped_over(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any]
) -> None:
    await add(db, orgs[0])
    await add_many(db, admin, orgs[0], 1_000)
    await admin.execute("update evenhand.job set run_at = now() + interval '1 hour'")
    await add(db, orgs[2])
    seen = Seen()
    assert await Worker(db, {"note": seen}).drain() == 1
    assert seen.orgs == [orgs[2]]


async def test_slow_jobs_of_one_customer_leave_a_place(db: Database, orgs: list[str]) -> None:
    """Somebody's machine that never answers holds its own customer's jobs only."""
    hang = asyncio.Event()
    seen = Seen()

    async def slow(job: Job) -> None:
        await hang.wait()

    for _ in range(8):
        await add(db, orgs[0], "slow")
    worker = Worker(db, {"slow": slow, "note": seen}, at_once=4)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await until(lambda: len(worker._busy) == 3)  # type: ignore[attr-defined]
    await add(db, orgs[1])
    await until(lambda: seen.orgs == [orgs[1]])
    hang.set()
    stop.set()
    await running


async def test_a_worker_that_died_is_replaced_by_its_lease(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any]
) -> None:
    """The lapsed job goes before what is waiting, and its old worker can write nothing any more."""
    seen = Seen()
    first = await add(db, orgs[0])
    worker = Worker(db, {"note": seen})
    lost = await worker._claim()  # type: ignore[attr-defined]
    assert lost is not None and lost.id == first
    await add(db, orgs[1])
    assert await Worker(db, {"note": seen}).drain() == 1 and seen.orgs == [orgs[1]], "its lease is not over"
    await admin.execute("update evenhand.job set lease_until = now() - interval '1 second' where job_id = %s", (first,))
    await add(db, orgs[2])
    assert await Worker(db, {"note": seen}).drain() == 2
    assert seen.orgs[1] == orgs[0]
    with pytest.raises(jobs.Fenced):
        await lost.step("late", lambda tx: add(db, orgs[0]))
    assert await state_of(admin, first) == ("done", 2)


@pytest.mark.parametrize("how", ["done", "again", "failed"])
async def test_how_a_job_ended_is_written_when_the_database_is_back(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any], how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection dies under the worker's hands at the worst moment: the job is not run a second time for that."""
    runs = 0

    async def handler(job: Job) -> None:
        nonlocal runs
        runs += 1
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'evenhand_picker' and datname = current_database()"
        )
        if how == "again":
            raise Retry(3600)
        if how == "failed":
            raise ValueError("what a customer wrote")

    job = await add(db, orgs[0])
    worker = Worker(db, {"note": handler})
    await run_until(worker, lambda: runs and not worker._busy)  # type: ignore[attr-defined]
    state, attempts = await state_of(admin, job)
    assert runs == 1
    assert (state, attempts) == {"done": ("done", 1), "again": ("ready", 0), "failed": ("ready", 1)}[how]
    assert "a bug" not in caplog.text and "what a customer wrote" not in caplog.text


async def test_a_full_pool_is_waited_for(
    db: Database,
    orgs: list[str],
    admin: psycopg.AsyncConnection[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = await add(db, orgs[0])
    seen = Seen()
    worker = Worker(db, {"note": seen})
    stop = asyncio.Event()
    async with db.connection("picker"):  # the only one
        with monkeypatch.context() as hasty:
            hasty.setattr("evenhand.infra.db.ACQUIRE_S", 0.05)
            running = asyncio.create_task(worker.run(stop))
            await until(lambda: caplog.text.count("no job can be claimed (Busy)") > 1)
        assert not running.done() and seen.orgs == []
    await until(lambda: seen.orgs and not worker._busy)  # type: ignore[attr-defined]
    stop.set()
    await running
    assert await state_of(admin, job) == ("done", 1)


@pytest.mark.parametrize(
    ("trouble", "after"),
    [(StorageFull("The disk is full."), 30), (Busy("Wait.", retry_after_s=7), 7), (asyncpg.DiskFullError("full"), 30)],
)
async def test_what_must_be_waited_for_uses_up_no_try(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any], trouble: Exception, after: float
) -> None:
    async def handler(job: Job) -> None:
        raise trouble

    job = await add(db, orgs[0], most=1)
    assert await Worker(db, {"note": handler}).drain() == 1
    assert await state_of(admin, job) == ("ready", 0)
    query = "select extract(epoch from run_at - now()) from evenhand.job where job_id = %s"
    row = await (await admin.execute(query, (job,))).fetchone()
    assert row is not None and after - 5 < row[0] <= after


async def test_a_value_that_the_driver_refuses_is_a_failure(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any]
) -> None:
    """Its error is of the family that says that the database is away, and would be tried for ever."""

    async def handler(job: Job) -> None:
        async with job.db.narrow("picker") as door:
            await door.conn.fetchval("select $1::integer", "no number")

    job = await add(db, orgs[0], most=1)
    assert await Worker(db, {"note": handler}).drain() == 1
    assert (await state_of(admin, job))[0] == "dead"


async def test_a_job_that_cannot_be_read_stops_nobody(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any]
) -> None:
    bad = await add(db, orgs[0], most=1)
    await admin.execute("update evenhand.job set body = 'no seal of ours' where job_id = %s", (bad,))
    await add(db, orgs[1])
    seen = Seen()
    await run_until(Worker(db, {"note": seen}), lambda: seen.orgs == [orgs[1]])
    assert (await state_of(admin, bad))[0] == "dead"


async def test_a_job_that_kills_its_workers_is_put_aside(
    db: Database, orgs: list[str], admin: psycopg.AsyncConnection[Any]
) -> None:
    """Nobody lives to count it as a failure, so the claims are counted."""
    job = await add(db, orgs[0], most=2)
    worker = Worker(db, {"note": Seen()})
    for _ in range(12):
        assert await worker._claim() is not None  # type: ignore[attr-defined]
        await admin.execute(
            "update evenhand.job set lease_until = now() - interval '1 second' where job_id = %s", (job,)
        )
    handlers: dict[str, Handler] = {"note": Seen()}
    assert await Worker(db, handlers).drain() == 1
    assert (await state_of(admin, job))[0] == "dead"
    assert handlers["note"].orgs == []  # type: ignore[attr-defined]
