"""The law of locks: batch, task, what hangs on it, and seats last. What handles many tasks at once and what handles one of them
at the same moment wait for each other in one direction only."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from evenhand.features.annotations import actions as annotations
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.projects.actions import NewProject
from evenhand.features.projects.types import BatchBody
from evenhand.features.reviews import actions as reviews
from evenhand.features.reviews.types import Verdict
from evenhand.features.tasks import actions as tasks
from evenhand.features.tasks import adding, holding, leases
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import Filter
from evenhand.features.tasks.types import NewTask, TaskInput
from evenhand.infra.db import Actor
from tests.conftest import World

pytestmark = pytest.mark.anyio
ONTOLOGY = {"fields": [{"key": "n", "type": "number", "min": 0, "max": 10}]}
ANSWER = {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": 1}]}


class Scene:
    """Three tasks of two places each; Ann has the first two, so that she has a cursor, and Ben has one answer."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def make(self, *, answered: bool = False) -> "Scene":
        self.customer = await self.world.customer("Acme")
        self.org = self.customer.live
        self.ann = await self.world.worker("ann@people.example", self.org)
        self.ben = await self.world.worker("ben@people.example", self.org)
        async with self.tx() as tx:
            self.project = (await projects.create_project(tx, NewProject("P", "text", ONTOLOGY, overlap=2))).id
            self.batch = (await batches.create_batch(tx, self.project, BatchBody("B"))).id
            for n in range(3):
                await adding.create_task(tx, self.project, NewTask(TaskInput(text=f"t{n}"), batch=self.batch))
        self.first, self.second, *_ = (await leases.next_work(self.world.db, self.ann, "label", 3))[0]
        if answered:
            for one in (self.first, self.second):
                await annotations.submit(self.world.db, self.ann, one.handle, one.handle, ANSWER, 1)
        await self.cursor()
        return self

    def tx(self, person: str | None = None) -> Any:
        return self.world.db.tx(self.org, Actor("person", person) if person else self.customer.actor)

    async def cursor(self) -> None:
        """There is one to be reset, else nobody would lock a seat."""
        async with self.tx() as tx:
            count = await tx.conn.fetchval("select count(*) from evenhand.seat where cursor_task is not null")
        assert count == 1

    async def meet(self, many: Callable[[], Awaitable[Any]], task: str, then: Callable[[Any], Awaitable[Any]]) -> Any:
        """`then` goes on with a task that it holds, while `many` has others already and waits for this one."""
        async with self.tx(self.ann) as one:
            await tasks_store.HOLD_TASK.run(one, org=self.org, task=task)
            going = asyncio.create_task(many())  # type: ignore[arg-type]
            mine = one.conn.get_server_pid()
            async with asyncio.timeout(10):
                while not await self.world_waits_for(mine):
                    assert not going.done(), going
            await then(one)
        return await going

    async def world_waits_for(self, pid: int) -> bool:
        async with self.tx() as tx:
            return await tx.conn.fetchval(
                "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))", pid
            )


async def test_leases_that_run_out_and_one_that_is_given_back(world: World) -> None:
    scene = await Scene(world).make()
    async with scene.tx() as tx:
        await tx.conn.execute(
            "update evenhand.assignment set lease_until = clock_timestamp() - interval '1 second' where state = 'leased'"
        )
    second = leases.split_handle(scene.second.handle)[1]
    ended = await scene.meet(
        lambda: holding.expire_due(world.db), scene.second.task, lambda tx: holding.release(tx, second)
    )
    assert ended == 2, "the first and the third; the second was given back"


async def test_somebody_leaves_and_gives_one_back(world: World) -> None:
    scene = await Scene(world).make()
    second = leases.split_handle(scene.second.handle)[1]
    back = await scene.meet(
        lambda: holding.release_all(world.db, scene.ann), scene.second.task, lambda tx: holding.release(tx, second)
    )
    assert back == 2


async def test_much_is_done_again_and_one_is_called_back(world: World) -> None:
    scene = await Scene(world).make(answered=True)
    second = leases.split_handle(scene.second.handle)[1]

    async def again() -> tuple[int, int]:
        async with scene.tx() as tx:
            return await annotations.requeue_matching(
                tx, scene.project, Filter(person=scene.ann), None, None, dry_run=False
            )

    async def back(tx: Any) -> None:
        await annotations.recall(tx, second)
        await holding.release(tx, second)

    assert await scene.meet(again, scene.second.task, back) == (2, 2)


async def test_a_judgement_waits_for_whoever_stops_the_batch(world: World) -> None:
    """A judgement takes the batch before the task: it can go on to have the task done again."""
    scene = await Scene(world).make(answered=True)
    (one, *_) = (await leases.next_work(world.db, scene.ben, "label", 3))[0]
    task = one.task
    await annotations.submit(world.db, scene.ben, one.handle, "k", ANSWER, 1)
    await world.drain()

    async def judge() -> None:
        async with scene.tx() as tx:
            await reviews.audit_task(tx, task, Verdict("reject", "Look again."))
            await annotations.requeue(tx, task, "customer")

    async with scene.tx() as stopping:
        await batches.move_batch(stopping, scene.batch, "pause")
        going = asyncio.create_task(judge())
        async with asyncio.timeout(10):
            while not await scene.world_waits_for(stopping.conn.get_server_pid()):
                assert not going.done(), going
        # who waits for the batch does not hold the task
        await stopping.conn.execute("select 1 from evenhand.task where task_id = $1 for no key update nowait", task)
    await going
    async with scene.tx() as tx:
        assert tasks.state_of(await tasks.task_row(tx, task)) == "held"
