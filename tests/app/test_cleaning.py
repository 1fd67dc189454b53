"""What is old goes, what is younger stays, in every space, and the cleaner cannot be told otherwise."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from evenhand.app.cleaning import clean
from evenhand.infra.db import SYSTEM
from evenhand.infra.jobs import enqueue
from evenhand.infra.postgres import roles
from tests.conftest import Customer, World
from tests.pg import TestServer

pytestmark = pytest.mark.anyio


class Behind:
    """The superuser's view, to set clocks back."""

    def __init__(self, server: TestServer, world: World) -> None:
        database = roles.connection_info(world.db._urls.owner)["dbname"]  # type: ignore[attr-defined]
        self.conn = psycopg.connect(server.admin_url_of(database), autocommit=True)

    def run(self, query: str, *values: Any) -> None:
        self.conn.execute(query.encode(), values)

    def count(self, table: str) -> int:
        row = self.conn.execute(f"select count(*) from evenhand.{table}".encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def behind(pg_server: TestServer, world: World) -> Any:
    made = Behind(pg_server, world)
    yield made
    made.conn.close()


@pytest.fixture
async def two(world: World) -> tuple[Customer, Customer]:
    return await world.customer("Acme"), await world.customer("Birch")


async def test_kept_replies_live_a_day(world: World, behind: Behind, two: tuple[Customer, Customer]) -> None:
    sent = {"name": "Once", "medium": "text"}
    firsts: list[str] = []
    for customer in two:
        api = world.keyed(customer.live_key)
        first, again = [
            await api.post("/api/v1/projects", json=sent, headers={"idempotency-key": "k"}) for _ in range(2)
        ]
        assert first.text == again.text and again.headers["idempotent-replayed"] == "true"
        firsts.append(first.text)
    behind.run("update evenhand.idempotency set created_at = now() - %s", timedelta(hours=23, minutes=59))
    assert (await clean(world.db))["idempotency"] == 0
    again = await world.keyed(two[0].live_key).post("/api/v1/projects", json=sent, headers={"idempotency-key": "k"})
    assert again.text == firsts[0], "promised for 24 hours"
    behind.run(
        "update evenhand.idempotency set created_at = now() - interval '25 hours' where org_id = %s", two[0].live
    )
    assert (await clean(world.db))["idempotency"] == 1
    assert behind.count("idempotency") == 1, "the other's is younger"


async def test_ended_jobs_go_with_their_steps_and_failed_ones_later(
    world: World, behind: Behind, two: tuple[Customer, Customer]
) -> None:
    await world.drain()  # what making customers caused
    for customer in two:
        async with world.db.tx(customer.live, SYSTEM) as tx:
            await enqueue(tx, "nobody.knows", {}, most=1)
    await world.drain()
    behind.run("insert into evenhand.job_step (org_id, job_id, step, body) select org_id, job_id, 'a', '' from evenhand.job"
               " on conflict do nothing")  # fmt: skip
    async with world.db.tx(two[0].live, SYSTEM) as tx:
        await enqueue(tx, "tasks.fetch", {"task": "x", "fetches": []})
    done, dead = 0, 2
    for (state,) in behind.conn.execute("select state from evenhand.job").fetchall():
        done += state == "done"
    assert done > 0
    behind.run("update evenhand.job set ended_at = now() - interval '6 days 23 hours' where ended_at is not null")
    assert (await clean(world.db))["job"] == 0
    behind.run("update evenhand.job set ended_at = now() - interval '8 days' where ended_at is not null")
    assert (await clean(world.db))["job"] == done
    assert behind.count("job") == dead + 1 and behind.count("job_step") == dead, "the failed and the waiting stay"
    behind.run("update evenhand.job set ended_at = now() - interval '31 days' where ended_at is not null")
    assert (await clean(world.db))["job"] == dead
    assert behind.count("job") == 1 and behind.count("job_step") == 0


async def test_more_than_one_bite_is_eaten(world: World, behind: Behind, two: tuple[Customer, Customer]) -> None:
    behind.run(
        "insert into evenhand.idempotency (org_id, actor_id, key_mac, request_mac, created_at, body)"
        " select %s, 'a', int4send(n), '', now() - interval '2 days', '' from generate_series(1, 4500) n",
        two[1].live,
    )
    assert (await clean(world.db))["idempotency"] == 4_500
    assert behind.count("idempotency") == 0


async def test_sessions_links_and_tries_go_when_they_are_over(
    world: World, behind: Behind, two: tuple[Customer, Customer]
) -> None:
    browser = await world.browser(two[0].owner_email, two[0].live)
    for n in range(3):
        made = await browser.post("/members/invite", {"email": f"n{n}@people.example", "role": "viewer"})
        assert made.status_code == 200, made.text
    behind.run("insert into evenhand.signin_attempt values ('a', now() - interval '23 hours', 1),"
               " ('b', now() - interval '25 hours', 1)")  # fmt: skip
    sessions, tries = behind.count("session"), behind.count("signin_attempt")
    nothing = await clean(world.db)
    assert (nothing["session"], nothing["link"], nothing["signin_attempt"]) == (0, 0, 1)
    assert behind.count("signin_attempt") == tries - 1
    assert (await browser.get("/session")).status_code == 200
    behind.run(
        "update evenhand.session set expires_at = now() - interval '1 second' where person_id = %s", two[0].owner
    )
    behind.run("update evenhand.link set used_at = now() - interval '8 days'"
               " where token_hash = (select token_hash from evenhand.link limit 1)")  # fmt: skip
    gone = await clean(world.db)
    assert (gone["session"], gone["link"]) == (sessions, 1)
    behind.run("update evenhand.link set expires_at = now() - interval '8 days'")
    assert (await clean(world.db))["link"] == 2
    assert (await browser.get("/session")).status_code == 401


async def test_the_cleaner_cannot_touch_what_is_young(
    world: World, behind: Behind, two: tuple[Customer, Customer]
) -> None:
    """Whatever statement it is made to run: its policies show it nothing else."""
    async with world.db.tx(two[0].live, SYSTEM) as tx:
        await enqueue(tx, "tasks.fetch", {"task": "x", "fetches": []})
    await world.browser(two[0].owner_email)
    before = {table: behind.count(table) for table in ("job", "session", "signin_attempt")}
    async with world.db.connection("cleaner") as conn:
        for table in (*before, "idempotency", "link"):
            assert await conn.execute(f"delete from evenhand.{table}") == "DELETE 0"
            assert await conn.fetchval(f"select count(*) from evenhand.{table}") == 0
    assert {table: behind.count(table) for table in before} == before and before["job"] > 0


async def test_what_was_decided_goes_after_it_was_told_and_kept_for_long_enough(world: World, behind: Behind) -> None:
    """Batches with their decisions: an old one goes, an old one that nobody was told of stays, and so does a younger one."""
    ages = (("old", 36, True), ("untold", 36, False), ("young", 34, True))
    for n, (_, days, told) in enumerate(ages):
        behind.run(
            "insert into evenhand.sched_batch (class, batch, root, leaves, limits, told, closed)"
            " values ('label', %s, sha256(''), '', '[]', %s, now() - make_interval(days => %s))", n, told, days,
        )  # fmt: skip
        for number in range(3):
            behind.run(
                "insert into evenhand.sched_decision (class, number, batch, at, assignment, commitment, key, trace)"
                " values ('label', %s, %s, now(), '', sha256(''), sha256(''), '')", 10 * n + number, n,
            )  # fmt: skip
    async with world.db.connection("cleaner") as conn:
        assert await conn.execute("delete from evenhand.sched_decision where batch > 0") == "DELETE 0"
    gone = await clean(world.db)
    assert (gone["sched_batch"], gone["sched_decision"]) == (1, 3)
    assert (behind.count("sched_batch"), behind.count("sched_decision")) == (2, 6)
    assert (await clean(world.db))["sched_decision"] == 0
