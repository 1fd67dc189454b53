"""The law of dispatch: whatever people, customers, time and chance do to the queue at the same moment, no task is handed
out beyond its overlap, nobody has one twice, nothing acknowledged is lost, and every task can be finished."""

import asyncio
import os
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.app import worker
from evenhand.features.annotations import actions as annotations
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.projects.actions import NewProject
from evenhand.features.projects.types import BatchBody
from evenhand.features.reviews import actions as reviews
from evenhand.features.reviews.types import Verdict
from evenhand.features.tasks import actions as tasks
from evenhand.features.tasks import adding, holding, leases
from evenhand.features.tasks.types import NewTask, TaskInput
from evenhand.infra.db import Actor
from evenhand.infra.jobs import Worker
from evenhand.infra.seal import at
from evenhand.pure.scheduling import Head, order
from evenhand.pure.trouble import Conflict, Missing, Trouble
from tests.conftest import Customer, World

pytestmark = pytest.mark.anyio
ONTOLOGY = {"fields": [{"key": "n", "type": "number", "min": 0, "max": 1_000_000}]}
PEOPLE, REVIEWERS = 8, 2
#: other numbers play other scenes: EVENHAND_TEST_SEED=7 pytest tests/laws/test_dispatch.py
SEED = int(os.environ.get("EVENHAND_TEST_SEED", "0")) * 100


def answer(n: int) -> dict[str, Any]:
    return {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": n}]}


#: name -> a query that finds what breaks the law
LAWS = {
    "taken is not live leases and current answers": """
        select q.task_id, q.state, q.taken, q.answered, l.n as leases, c.n as answers from evenhand.queue q,
          lateral (select count(*) n from evenhand.assignment a where a.org_id = q.org_id and a.task_id = q.task_id
                    and a.state = 'leased' and a.role = 'label') l,
          lateral (select count(*) n from evenhand.answer a where a.org_id = q.org_id and a.task_id = q.task_id
                    and a.state = 'current' and a.origin = 'label') c
         where q.taken <> l.n + c.n or q.answered <> c.n or l.n + c.n > q.overlap""",
    "somebody has a task twice": """
        select h.task_id, h.person_id from (
            select task_id, person_id from evenhand.assignment where state = 'leased' and role = 'label'
            union all
            select task_id, person_id from evenhand.answer where state = 'current' and origin = 'label') h
         group by 1, 2 having count(*) > 1""",
    "an unfinished task is not in the queue, or a finished one is": """
        select t.task_id, t.state, q.state as queue_state from evenhand.task t
          left join evenhand.queue q using (org_id, task_id) where (t.state = 'todo') <> (q.task_id is not null)""",
    "a lease on a finished task": """
        select a.task_id, a.role from evenhand.assignment a join evenhand.task t using (org_id, task_id)
         where a.state = 'leased' and a.role <> 'pilot' and t.state <> 'todo'""",
    "a state that does not fit the places": """
        select q.task_id, q.state, q.taken, q.overlap from evenhand.queue q
         where (q.state = 'full' and q.taken < q.overlap) or (q.state = 'held' and q.taken > 0)""",
    "held without a reason": """
        select q.task_id from evenhand.queue q left join evenhand.batch b using (org_id, batch_id)
         where q.state = 'held' and coalesce(b.state, 'in_progress') not in ('staging', 'paused')""",
    "open and untouched in a batch that waits": """
        select q.task_id, b.state from evenhand.queue q join evenhand.batch b using (org_id, batch_id)
         where q.state = 'open' and q.taken = 0 and b.state in ('staging', 'paused')""",
    "reviewing without one reviewer": """
        select q.task_id, q.state, l.n from evenhand.queue q, lateral (
            select count(*) n from evenhand.assignment a where a.org_id = q.org_id and a.task_id = q.task_id
               and a.state = 'leased' and a.role = 'review') l
         where (q.state = 'reviewing') <> (l.n = 1) or l.n > 1""",
    "done without a result": "select task_id from evenhand.task where state = 'done' and result_id is null",
    "answered and forgotten": """
        select q.task_id from evenhand.queue q where q.answered = q.overlap and q.state not in ('review', 'reviewing')
           and not exists (select from evenhand.job j where j.kind = 'annotations.settle' and j.state <> 'done')""",
    "a result that was put aside": """
        select t.task_id, a.state from evenhand.task t join evenhand.answer a
            on a.org_id = t.org_id and a.answer_id = t.result_id
         where t.state = 'done' and a.state not in ('current', 'extra')""",
}


@dataclass
class Scene:
    world: World
    customer: Customer
    project: str
    people: list[str]
    reviewers: list[str]
    chance: random.Random
    batches: list[str] = field(default_factory=list[str])
    held: dict[str, list[str]] = field(default_factory=dict[str, list[str]])  # person -> handles ever held
    keys: dict[str, list[tuple[str, int]]] = field(default_factory=dict[str, list[tuple[str, int]]])  # handle -> acks
    sent: int = 0

    @property
    def org(self) -> str:
        return self.customer.live

    def tx(self, actor: Actor | None = None) -> Any:
        return self.world.db.tx(self.org, actor or self.customer.actor)

    # --- what people do

    async def next(self) -> None:
        person = self.chance.choice(self.people)
        got, _ = await leases.next_work(self.world.db, person, "label", self.chance.randint(1, 3))
        self.held.setdefault(person, []).extend(one.handle for one in got)

    def pick(self, people: list[str]) -> tuple[str, str] | None:
        person = self.chance.choice(people)
        handles = self.held.get(person)
        # mostly the newest ones, now and then a long forgotten one
        return (
            (person, self.chance.choice(handles[-3:] if self.chance.random() < 0.7 else handles)) if handles else None
        )

    async def submit(self) -> None:
        found = self.pick(self.people)
        if found is None:
            return
        person, handle = found
        self.sent += 1
        n = self.sent
        done = await annotations.submit(self.world.db, person, handle, f"k{n}", answer(n), 1)
        assert done.state == "submitted"
        self.keys.setdefault(handle, []).append((f"k{n}", n))

    async def submit_again(self) -> None:
        """A client that did not hear the reply."""
        found = self.pick(self.people)
        if found is None or not self.keys.get(found[1]):
            return
        key, n = self.keys[found[1]][-1]
        await annotations.submit(self.world.db, found[0], found[1], key, answer(n), 1)

    async def on_lease(self, what: str) -> None:
        found = self.pick(self.people if what != "review" else self.reviewers)
        if found is None:
            return
        person, handle = found
        _, assignment = leases.split_handle(handle)
        async with self.tx(Actor("person", person)) as tx:
            if what == "release":
                await holding.release(tx, assignment)
            elif what == "skip":
                await holding.skip(tx, assignment, "other", "")
            elif what == "recall":
                await annotations.recall(tx, assignment)
            elif what == "beat":
                await holding.beat(tx, [assignment])
            else:
                decision = self.chance.choice(("accept", "fix", "reject", "accept"))
                fixed = answer(1_000_000) if decision == "fix" else None
                verdict = Verdict(decision, "because")
                await reviews.submit_review(tx, assignment, f"r{assignment}", verdict, fixed, 1)

    async def next_review(self) -> None:
        person = self.chance.choice(self.reviewers)
        got, _ = await leases.next_work(self.world.db, person, "review", 1)
        self.held.setdefault(person, []).extend(one.handle for one in got)

    # --- what time and customers do

    async def expire(self) -> None:
        async with self.tx() as tx:
            await tx.conn.execute(
                "with due as (select org_id, assignment_id from evenhand.assignment where state = 'leased'"
                " and random() < 0.4 order by task_id, assignment_id for update)"
                " update evenhand.assignment a set lease_until = clock_timestamp() - interval '1 second' from due"
                " where a.org_id = due.org_id and a.assignment_id = due.assignment_id"
            )
        await holding.expire_due(self.world.db)

    async def requeue(self) -> None:
        async with self.tx() as tx:
            found = await tx.conn.fetchval("select task_id from evenhand.task order by random() limit 1")
            await annotations.requeue(tx, found, "test")

    async def cancel_task(self) -> None:
        async with self.tx() as tx:
            found = await tx.conn.fetchval("select task_id from evenhand.task order by random() limit 1")
            await tasks.cancel_task(tx, found)

    async def move_batch(self) -> None:
        async with self.tx() as tx:
            to = self.chance.choice(("pause", "resume", "finalize", "pause", "resume"))
            await batches.move_batch(tx, self.chance.choice(self.batches), to)

    async def cancel_batch(self) -> None:
        batch = self.chance.choice(self.batches)
        async with self.tx() as tx:
            await batches.move_batch(tx, batch, "cancel")
            await tasks.cancel_unstarted(tx, batch)

    async def add_task(self) -> None:
        batch = self.chance.choice([None, *self.batches])
        async with self.tx() as tx:
            await adding.create_task(tx, self.project, NewTask(TaskInput(text="more"), batch=batch))

    async def settle(self) -> None:
        await Worker(self.world.db, worker.handlers(self.world.services)).drain()

    async def sweep(self) -> None:
        await worker.sweep(self.world.services)

    async def one(self, what: str) -> None:
        """One move; what the rules refuse is refused. No two ever wait for each other."""
        try:
            if what in ("release", "skip", "recall", "beat", "review"):
                await self.on_lease(what)
            else:
                await getattr(self, what)()
        except Trouble as err:
            assert isinstance(err, (Conflict, Missing)), err

    async def check(self, when: str) -> None:
        async with self.tx() as tx:
            for name, query in LAWS.items():
                found = [dict(row) for row in await tx.conn.fetch(query)]
                assert not found, f"{when}: {name}: {found[:3]}"
            rows = await tx.conn.fetch(
                "select assignment_id, answer_id, project_id, body from evenhand.answer where origin = 'label'"
            )
            kept: dict[str, list[int]] = {}
            for row in rows:
                value = tx.seal.open(row["body"], at("answer", row))["annotations"][0]["value"]
                kept.setdefault(row["assignment_id"], []).append(value)
            for handle, acks in self.keys.items():
                mine = sorted(kept.get(leases.split_handle(handle)[1], []))
                assert mine == sorted({n for _, n in acks}), f"{when}: acknowledged {acks}, kept {mine}"


MOVES = (
    *["next"] * 8, *["submit"] * 8, *["submit_again"] * 2, *["release"] * 2, "skip", *["recall"] * 2, "beat",
    *["expire"] * 2, *["requeue"] * 2, "cancel_task", *["move_batch"] * 3, *["add_task"] * 2, *["settle"] * 3, "sweep",
    *["next_review"] * 3, *["review"] * 3,
)  # fmt: skip


async def scene(world: World, seed: int, overlap: int, review: str) -> Scene:
    customer = await world.customer(f"Acme {seed}")
    people = [await world.worker(f"a{n}.{seed}@people.example", customer.live) for n in range(PEOPLE)]
    judges = [
        await world.worker(f"r{n}.{seed}@people.example", customer.live, role="reviewer") for n in range(REVIEWERS)
    ]
    async with world.db.tx(customer.live, customer.actor) as tx:
        new = NewProject("P", "text", ONTOLOGY, overlap=overlap, review=review)
        project = (await projects.create_project(tx, new)).id
        made = [await batches.create_batch(tx, project, BatchBody(f"B{n}"), staging=n == 1) for n in range(3)]
        for n in range(12):
            batch = [None, *(b.id for b in made)][n % 4]
            await adding.create_task(tx, project, NewTask(TaskInput(text=f"t{n}"), batch=batch))
    return Scene(world, customer, project, people, judges, random.Random(seed), [b.id for b in made])


async def finish(play: Scene) -> None:
    """Everything is let go, then people simply work: all tasks get done."""
    async with play.tx() as tx:
        for batch in play.batches:
            state = (await batches.get_batch(tx, batch)).state
            if state in ("staging", "paused"):
                await batches.move_batch(tx, batch, "finalize" if state == "staging" else "resume")
        # a skip counts until the end of time, so with few people there may be too few left: take those back
        await tx.conn.execute("update evenhand.assignment set state = 'released' where state = 'skipped'")
        await tx.conn.execute(
            "update evenhand.assignment set lease_until = clock_timestamp() - interval '1 second' where state = 'leased'"
        )
    for _ in range(60):
        await play.sweep()
        await play.settle()
        busy = False
        for person in [*play.people, *play.reviewers]:
            role = "review" if person in play.reviewers else "label"
            got, _ = await leases.next_work(play.world.db, person, role, 3)  # type: ignore[arg-type]
            for one in got:
                busy = True
                if role == "label":
                    play.sent += 1
                    await annotations.submit(play.world.db, person, one.handle, f"k{play.sent}", answer(play.sent), 1)
                    play.keys.setdefault(one.handle, []).append((f"k{play.sent}", play.sent))
                else:
                    async with play.tx(Actor("person", person)) as tx:
                        verdict = Verdict("accept", "")
                        await reviews.submit_review(tx, leases.split_handle(one.handle)[1], "end", verdict, None, 1)
        if not busy:
            break
    await play.settle()
    await play.sweep()
    async with play.tx() as tx:
        stuck = await tx.conn.fetch(
            "select t.task_id, t.state, q.state as queue, q.taken, q.answered, b.state as batch from evenhand.task t"
            " left join evenhand.queue q using (org_id, task_id)"
            " left join evenhand.batch b on b.org_id = t.org_id and b.batch_id = t.batch_id"
            " where t.state not in ('done', 'canceled')"
        )
    assert not stuck, [dict(row) for row in stuck]


@pytest.mark.parametrize(
    ("seed", "overlap", "review"),
    [(1, 1, "none"), (2, 2, "none"), (3, 3, "all"), (4, 1, "all"), (5, 2, "all"), (6, 3, "none")],
)
async def test_the_queue_keeps_its_laws(world: World, seed: int, overlap: int, review: str) -> None:
    play = await scene(world, SEED + seed, overlap, review)
    for turn in range(30):
        moves = play.chance.choices(MOVES, k=play.chance.randint(1, 10))
        if turn == 22:
            moves.append("cancel_batch")
        await asyncio.gather(*(play.one(move) for move in moves))
        await play.check(f"seed {SEED + seed} turn {turn} {moves}")
    await finish(play)
    await play.check("at the end")


async def test_sixteen_clients_get_every_task_once(world: World) -> None:
    customer = await world.customer("Acme")
    people = [await world.worker(f"a{n}@people.example", customer.live) for n in range(16)]
    api = world.keyed(customer.live_key)
    made = await api.post("/api/v1/projects", json={"name": "P", "medium": "text", "ontology": ONTOLOGY})
    lines = "\n".join(f'{{"data":{{"text":"{n}"}}}}' for n in range(300))
    await api.post(f"/api/v1/projects/{made.json()['id']}/tasks/bulk", content=lines)
    seen: list[str] = []

    async def work(person: str) -> None:
        while True:
            got, _ = await leases.next_work(world.db, person, "label", 3)
            if not got:
                return
            for one in got:
                seen.append(one.task)
                await annotations.submit(world.db, person, one.handle, one.handle, answer(1), 1)

    await asyncio.gather(*(work(person) for person in people))
    assert len(seen) == len(set(seen)) == 300
    found = (await api.get(f"/api/v1/projects/{made.json()['id']}")).json()["counts"]
    assert found["done"] == found["total"] == 300


async def test_one_person_asking_often_holds_few(world: World) -> None:
    """Ten pages of one person ask at once: never more leases than a person may hold."""
    customer = await world.customer("Acme")
    person = await world.worker("ann@people.example", customer.live)
    api = world.keyed(customer.live_key)
    made = await api.post("/api/v1/projects", json={"name": "P", "medium": "text", "ontology": ONTOLOGY})
    lines = "\n".join(f'{{"data":{{"text":"{n}"}}}}' for n in range(40))
    await api.post(f"/api/v1/projects/{made.json()['id']}/tasks/bulk", content=lines)
    results = await asyncio.gather(*(leases.next_work(world.db, person, "label", 3) for _ in range(10)))
    handles = [one.handle for got, _ in results for one in got]
    assert len(handles) == len(set(handles)) == leases.MOST_LEASES


# --- whose turn it is: names do not matter

HEADS = st.lists(
    st.builds(Head, st.text(min_size=1, max_size=4), st.datetimes(), st.booleans()),
    unique_by=lambda head: head.tag,
    max_size=12,
)


@given(HEADS, st.randoms(use_true_random=False))
def test_the_order_of_the_question_does_not_matter(heads: list[Head], chance: random.Random) -> None:
    mixed = list(heads)
    chance.shuffle(mixed)
    assert [mixed[n] for n in order(mixed)] == [heads[n] for n in order(heads)]


@given(HEADS, st.data())
def test_swapping_two_customers_swaps_the_decisions(heads: list[Head], data: st.DataObject) -> None:
    """With different times nothing about a tag counts: rename, and the decision is renamed with it."""
    distinct = list({head.served_at: head for head in heads}.values())
    names = data.draw(st.permutations([head.tag for head in distinct]))
    renamed = [Head(name, head.served_at, head.waiting) for name, head in zip(names, distinct, strict=True)]
    assert order(renamed) == order(distinct)


@given(HEADS)
def test_only_those_who_wait_and_all_of_them(heads: list[Head]) -> None:
    found = order(heads)
    assert sorted(found) == [n for n, head in enumerate(heads) if head.waiting]
    times = [heads[n].served_at for n in found]
    assert times == sorted(times), "who was served longest ago goes first"
