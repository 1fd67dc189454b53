"""Progress of a project: the figures are those that counting everything gives, whatever is remembered, done and undone."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evenhand.features.annotations import actions as annotations
from evenhand.features.reviews import past, progress
from evenhand.features.tasks import leases
from evenhand.infra.ids import new_id
from tests.conftest import Customer, World

pytestmark = pytest.mark.anyio
ONTOLOGY = {"fields": [{"key": "n", "type": "number", "min": 0, "max": 10}]}
ANSWER = {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": 1}]}
COUNTED = """select
    (select count(*) from evenhand.task where project_id = $1 and state = 'done') as done,
    (select count(*) from (select distinct on (task_id) decision from evenhand.review where project_id = $1
                            order by task_id, review_id desc) r) as reviewed,
    (select count(*) from (select distinct on (task_id) decision from evenhand.review where project_id = $1
                            order by task_id, review_id desc) r where decision = 'accept') as accepted,
    (select coalesce(sum(seconds), 0)::float8 from evenhand.answer where project_id = $1 and origin = 'label') as label_s"""


class Play:
    """A project of forty tasks, most of them done at some time of the last two days."""

    def __init__(self, world: World, customer: Customer, project: str, person: str) -> None:
        self.world, self.customer, self.project, self.person = world, customer, project, person
        self.chance = random.Random(5)

    def tx(self) -> Any:
        return self.world.db.tx(self.customer.live, self.customer.actor)

    async def work(self, count: int) -> None:
        for _ in range(count):
            (one,), _ = await leases.next_work(self.world.db, self.person, "label", 1)
            await annotations.submit(self.world.db, self.person, one.handle, one.handle, ANSWER, 0.25)

    async def age(self) -> None:
        """What was done a moment ago was done some time in the last two days."""
        async with self.tx() as tx:
            for row in await tx.conn.fetch("select task_id from evenhand.task where state = 'done'"):
                at = datetime.now(UTC) - timedelta(minutes=self.chance.randint(10, 2880))
                await tx.conn.execute("update evenhand.task set completed_at = $2 where task_id = $1", row[0], at)

    async def judge(self, minutes_ago: int) -> None:
        async with self.tx() as tx:
            for row in await tx.conn.fetch("select task_id from evenhand.task where state = 'done'"):
                if self.chance.random() < 0.5:
                    at_ms = int(datetime.now(UTC).timestamp() * 1000) - minutes_ago * 60_000
                    await tx.conn.execute(
                        "insert into evenhand.review (org_id, review_id, task_id, project_id, source, decision, body)"
                        " values ($1, $2, $3, $4, 'customer', $5::text, '')",
                        self.customer.live, new_id(at_ms), row[0], self.project, self.chance.choice(["accept", "fix"]),
                    )  # fmt: skip

    async def undo(self, count: int) -> None:
        async with self.tx() as tx:
            rows = await tx.conn.fetch("select task_id from evenhand.task where state = 'done' order by random()")
            for row in rows[:count]:
                await annotations.requeue(tx, row[0], "test")

    async def check(self) -> int:
        """Against counting everything; gives how many are done."""
        async with self.tx() as tx:
            truth = dict(await tx.conn.fetchrow(COUNTED, self.project))
            so = await past.sofar(tx, self.project)
            assert (sum(so.minutes.values()), so.reviewed, so.accepted) == (
                truth["done"], truth["reviewed"], truth["accepted"],
            )  # fmt: skip
            assert so.label_s == pytest.approx(truth["label_s"])
            every = await tx.conn.fetch("select completed_at from evenhand.task where state = 'done'")
            assert all(so.minutes[row[0].replace(second=0, microsecond=0)] for row in every)
            told = await progress.progress(tx, self.project)
            assert (told.counts.done, told.counts.total) == (truth["done"], 40)
            assert [p.done for p in told.series] == sorted(p.done for p in told.series)
            assert not told.series or (told.series[0].done, told.series[-1].done) == (0, truth["done"])
            return truth["done"]


async def play(world: World) -> Play:
    customer = await world.customer("Acme")
    person = await world.worker("ann@people.example", customer.live)
    api = world.keyed(customer.live_key)
    project = (await api.post("/api/v1/projects", json={"name": "P", "medium": "text", "ontology": ONTOLOGY})).json()[
        "id"
    ]
    lines = "\n".join(f'{{"data":{{"text":"{n}"}}}}' for n in range(40))
    assert (await api.post(f"/api/v1/projects/{project}/tasks/bulk", content=lines)).json()["created"] == 40
    return Play(world, customer, project, person)


async def test_the_figures_are_those_of_counting(world: World) -> None:
    made = await play(world)
    assert await made.check() == 0
    await made.work(25)
    await made.age()
    past.PAST.clear()  # as after a start
    assert await made.check() == 25
    await made.judge(minutes_ago=20)
    past.PAST.clear()
    await made.check()
    for turn in range(4):
        await made.undo(3)
        assert await made.check() == 25 - 3 * (turn + 1) + 3 * turn
        await made.judge(minutes_ago=0)
        await made.check()
        await made.work(3)
        assert await made.check() == 25
    api = world.keyed(made.customer.live_key)
    told = (await api.get(f"/api/v1/projects/{made.project}/progress")).json()
    assert told["counts"]["done"] == 25 and told["quality"]["reviewed"] > 10 and 0 < told["seconds"]["median"] <= 0.25


async def test_what_is_past_is_not_read_again(world: World) -> None:
    """The second question about the same past reads the last minutes alone."""
    made = await play(world)
    await made.work(25)
    await made.age()
    past.PAST.clear()
    await made.check()
    async with made.tx() as tx:  # unseen, since nothing says that it is done no longer
        await tx.conn.execute("update evenhand.task set purpose = 'evaluation' where state = 'done'")
        assert sum((await past.sofar(tx, made.project)).minutes.values()) == 25
