"""What a customer puts first is handed out first, wherever somebody's search for work had come to."""

import json
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.projects.actions import NewProject
from evenhand.features.projects.types import BatchBody
from evenhand.features.tasks import adding, leases, store
from evenhand.features.tasks.imports import import_lines
from evenhand.features.tasks.types import NewTask, TaskInput
from evenhand.infra.facts import event_text
from evenhand.infra.ids import new_id
from evenhand.infra.postgres import roles
from tests.conftest import Customer, World

pytestmark = pytest.mark.anyio
ONTOLOGY = {"fields": [{"key": "n", "type": "number", "min": 0, "max": 9}]}


class Place:
    """A customer's project, and somebody who works in it."""

    def __init__(self, world: World, customer: Customer, person: str, project: str) -> None:
        self.world, self.customer, self.person, self.project = world, customer, person, project

    @staticmethod
    async def make(world: World, overlap: int, texts: int) -> "Place":
        customer = await world.customer("Acme")
        person = await world.worker("ann@people.example", customer.live)
        async with world.db.tx(customer.live, customer.actor) as tx:
            project = (await projects.create_project(tx, NewProject("P", "text", ONTOLOGY, overlap=overlap))).id
            for n in range(texts):
                await adding.create_task(tx, project, NewTask(TaskInput(text=f"plain {n}")))
        return Place(world, customer, person, project)

    def tx(self) -> Any:
        return self.world.db.tx(self.customer.live, self.customer.actor)

    async def batch(self, name: str, priority: int) -> str:
        async with self.tx() as tx:
            return (await batches.create_batch(tx, self.project, BatchBody(name), priority=priority)).id

    async def bring(self, lines: list[bytes], batch: str | None = None) -> None:
        async def chunks() -> AsyncIterator[list[bytes]]:
            yield lines

        await import_lines(self.world.db, self.customer.live, self.customer.actor, self.project, chunks(), batch=batch)

    async def blocks_of_a_lease(self) -> int:
        """How many pages PostgreSQL looked at to hand a task out."""
        db, org = self.world.db, self.customer.live
        async with db.connection("desk") as conn:
            plan = await conn.fetchval(
                "explain (analyze, buffers, format json) " + store.LEASE.numbered,
                db.sign(conn, org, self.person), None, self.person, self.project, "label", new_id(), new_id(), bytes(32),
                event_text("TaskLeased", {}), b"sealed", b"sealed", 100, 1.0,
            )  # fmt: skip
        top = json.loads(plan)[0]["Plan"]
        return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])

    async def blocks_of_the_heads(self) -> int:
        async with self.world.db.connection("scheduler") as conn:
            explained = "explain (analyze, buffers, format json) " + store.HEADS.numbered
            top = json.loads(await conn.fetchval(explained, self.person, "label"))[0]["Plan"]
        return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])

    async def next(self) -> str:
        one = (await leases.next_work(self.world.db, self.person, "label", 1))[0][0]
        return str(one.data["text"])


@pytest.mark.parametrize("overlap", [1, 2])
async def test_what_goes_first_is_next(world: World, overlap: int) -> None:
    place = await Place.make(world, overlap, 3)
    assert await place.next() == "plain 0"

    soon = await place.batch("Soon", 5)
    await place.bring([b'{"data":{"text":"of a batch"}}'], soon)
    assert await place.next() == "of a batch"

    await place.bring([b'{"data":{"text":"of its own"},"priority":7}'])
    assert await place.next() == "of its own"

    async with place.tx() as tx:
        await adding.create_task(tx, place.project, NewTask(TaskInput(text="added"), batch=soon))
    assert await place.next() == "added"
    assert await place.next() == "plain 1"


async def test_done_work_does_not_slow_the_search(world: World, pg_server: Any, urls: Any) -> None:
    """Of what is no longer open the index keeps the entries until a vacuum: a search that goes on where the last one ended
    reads none of them."""
    place = await Place.make(world, 1, 0)
    for _ in range(5):
        await place.bring([b'{"data":{"text":"x"}}'] * 2000)
    database = roles.connection_info(urls.owner)["dbname"]
    with psycopg.connect(pg_server.admin_url_of(database), autocommit=True) as conn:
        conn.execute("alter table evenhand.queue set (autovacuum_enabled = off)")
        conn.execute(
            "delete from evenhand.queue where task_id in (select task_id from evenhand.queue order by task_id limit 9900)"
        )
        await place.blocks_of_a_lease()
        goes_on = await place.blocks_of_a_lease()
        conn.execute("update evenhand.seat set cursor_until = '-infinity'")
        from_the_head = await place.blocks_of_a_lease()
        whose_turn = await place.blocks_of_the_heads()
    assert goes_on + 60 < from_the_head, (goes_on, from_the_head)
    assert whose_turn + 60 < from_the_head, (whose_turn, from_the_head)


@pytest.mark.parametrize("overlap", [1, 2])
async def test_a_search_follows_its_person_and_seldom_begins_anew(
    world: World, pg_server: Any, urls: Any, overlap: int
) -> None:
    place = await Place.make(world, overlap, 3)
    database = roles.connection_info(urls.owner)["dbname"]
    asked = """select cursor_task, cursor_at, cursor_until, extract(epoch from cursor_until - cursor_at)::float8 as life
                 from evenhand.seat where person_id = %s"""
    with psycopg.connect(pg_server.admin_url_of(database), autocommit=True, row_factory=namedtuple_row) as conn:

        def seat() -> Any:
            return conn.execute(asked, (place.person,)).fetchone()

        assert await place.next() == "plain 0"
        first = seat()
        assert first.life == 60 if overlap > 1 else 2 < first.life <= 60
        conn.execute("update evenhand.seat set cursor_until = now() + interval '1 hour'")
        kept = seat().cursor_until
        assert await place.next() == "plain 1"
        assert seat().cursor_task == first.cursor_task, "it stands where it is for a moment"
        conn.execute("update evenhand.seat set cursor_at = cursor_at - interval '1 hour'")
        assert await place.next() == "plain 2"
        moved = seat()
    assert moved.cursor_task > first.cursor_task and moved.cursor_at >= first.cursor_at and moved.cursor_until == kept
