"""Connections kept in hand: never two borrowers at once, none lost, none lent that is not in order."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from evenhand.infra.db import Database
from evenhand.infra.lending import Lending
from evenhand.pure.trouble import Busy
from tests.pg import TestServer

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def lending(server: TestServer, most: int, warm: int) -> AsyncGenerator[Lending]:
    pool = await asyncpg.create_pool(server.urls_of("evenhand").app, min_size=0, max_size=most)
    try:
        yield Lending(pool, most, warm)
    finally:
        pool.terminate()


async def test_it_lends_to_one_at_a_time_and_loses_no_place(pg_server: TestServer) -> None:
    """Borrowers who come, wait, give up, are cancelled and break their connection, at random; then all places are there."""
    chance = random.Random(5)
    holders: dict[int, int] = {}
    overlaps = 0

    async with lending(pg_server, 3, 2) as desk:

        async def borrow(number: int) -> None:
            nonlocal overlaps
            conn = await desk.acquire(chance.choice((0.01, 5.0)))
            pid = conn.get_server_pid()
            overlaps += pid in holders
            holders[pid] = number
            in_order = False
            try:
                assert await conn.fetchval("select $1::int", number) == number
                if number % 7 == 0:
                    await conn.execute("select pg_sleep(0.02)")
                if number % 31 == 0:
                    await conn.close()
                in_order = True
            finally:
                del holders[pid]
                await desk.release(conn, in_order=in_order)

        tasks = [asyncio.create_task(borrow(n)) for n in range(400)]
        for task in chance.sample(tasks, 60):
            await asyncio.sleep(0)
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        kinds = {type(e) for e in ended if isinstance(e, BaseException)}
        assert kinds <= {asyncio.CancelledError, TimeoutError}, [e for e in ended if e is not None][:3]
        assert sum(e is None for e in ended) > 50
        assert overlaps == 0
        again = [await desk.acquire(2) for _ in range(3)]
        assert len({conn.get_server_pid() for conn in again}) == 3
        with pytest.raises(TimeoutError):
            await desk.acquire(0.05)


async def test_who_waits_gets_it_in_the_order_of_arrival(pg_server: TestServer) -> None:
    order: list[int] = []
    async with lending(pg_server, 1, 1) as desk:
        first = await desk.acquire(5)

        async def wait(number: int) -> None:
            conn = await desk.acquire(5)
            order.append(number)
            await desk.release(conn, in_order=True)

        waiting = [asyncio.create_task(wait(n)) for n in range(5)]
        await asyncio.sleep(0)
        await desk.release(first, in_order=True)
        await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3, 4]


async def test_a_connection_that_the_server_ended_in_hand_is_not_lent(pg_server: TestServer) -> None:
    async with lending(pg_server, 1, 1) as desk:
        conn = await desk.acquire(5)
        pid = conn.get_server_pid()
        await desk.release(conn, in_order=True)
        admin = await asyncpg.connect(pg_server.admin_url_of("evenhand"))
        await admin.execute("select pg_terminate_backend($1)", pid)
        while await admin.fetchval("select count(*) from pg_stat_activity where pid = $1", pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await admin.close()
        await asyncio.sleep(0.05)  # our loop reads that the line is closed
        conn = await desk.acquire(5)
        assert conn.get_server_pid() != pid
        assert await conn.fetchval("select 1") == 1


async def test_what_was_left_in_a_transaction_is_not_lent_with_it(db: Database) -> None:
    """Whoever is cancelled in the middle leaves nothing behind for the next one: no transaction, no context."""
    entered = asyncio.Event()

    async def left() -> None:
        async with db.connection("picker") as conn:
            await conn.execute("begin; select set_config('evenhand.ctx', 'left', true)")
            entered.set()
            await conn.fetch("select pg_sleep(30)")

    for _ in range(3):
        entered.clear()
        task = asyncio.create_task(left())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with db.connection("picker") as conn:
            assert not conn.is_in_transaction()
            assert await conn.fetchval("select coalesce(current_setting('evenhand.ctx', true), '')") == ""


async def test_a_transaction_that_was_left_open_does_not_stay(db: Database) -> None:
    async with db.connection("picker") as conn:
        await conn.execute("begin; select set_config('evenhand.ctx', 'left', true)")
    async with db.connection("picker") as conn:
        assert not conn.is_in_transaction()
        assert await conn.fetchval("select coalesce(current_setting('evenhand.ctx', true), '')") == ""


async def test_nobody_waits_for_ever(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async with db.connection("picker"):
        with monkeypatch.context() as hasty, pytest.raises(Busy):
            hasty.setattr("evenhand.infra.db.ACQUIRE_S", 0.05)
            async with db.connection("picker"):
                raise AssertionError
    async with db.connection("picker") as conn:
        assert await conn.fetchval("select 1") == 1
