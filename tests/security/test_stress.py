"""Cancelled requests over a small pool, and writes that are sent twice: nobody gets another's answer, nothing doubles."""

import asyncio
import random
import time
from contextlib import suppress
from typing import Any

import pytest

from evenhand.app.http.server import PREFIX
from evenhand.infra.db import Database
from evenhand.infra.facts import record
from evenhand.infra.ids import new_id
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import KEYS, Customer, World, world_of

pytestmark = pytest.mark.anyio
REQUESTS = 2_000
AT_ONCE = 24


async def _tasks(world: World, customer: Customer) -> str:
    api = world.keyed(customer.live_key)
    project = (await api.post(f"{PREFIX}/projects", json={"name": f"Of {customer.name}", "medium": "text"})).json()[
        "id"
    ]
    lines = "\n".join(f'{{"data":{{"text":"{customer.name} {n}"}},"name":"{customer.name}"}}' for n in range(5))
    assert (await api.post(f"{PREFIX}/projects/{project}/tasks/bulk", content=lines)).json()["created"] == 5
    return project


async def test_cancelled_requests_never_mix_tenants(world: World, urls: DatabaseUrls) -> None:
    """2,000 requests of two tenants over two connections, most cancelled somewhere on the way. Every answer that arrives
    belongs to who asked; every acknowledged write is there; the pool is whole afterwards."""
    customers = [await world.customer("Acme"), await world.customer("Birch")]
    projects = {c.name: await _tasks(world, c) for c in customers}
    chance = random.Random(20261122)
    wrong: list[str] = []
    acknowledged: dict[str, set[str]] = {c.name: set() for c in customers}
    arrived = 0
    async with (
        Database(urls, KEYS, world.db.key_service, record, app_connections=2) as small,
        world_of(world.services.settings, small) as narrow,
    ):

        async def ask(customer: Customer, n: int) -> None:
            nonlocal arrived
            api = clients[customer.name]
            other = next(c for c in customers if c is not customer)
            kind = n % 4
            if kind == 0:
                sent = {"data": {"text": f"{customer.name} wrote {n}"}, "unique_id": f"u{n}", "name": customer.name}
                reply = await api.post(f"{PREFIX}/projects/{projects[customer.name]}/tasks", json=sent)
                if reply.status_code == 200:
                    acknowledged[customer.name].add(reply.json()["id"])
            elif kind == 1:
                reply = await api.get(f"{PREFIX}/projects/{projects[other.name]}")
                if reply.status_code == 200:
                    wrong.append(f"{customer.name} read {reply.text}")
            else:
                reply = await api.get(f"{PREFIX}/tasks" if kind == 2 else f"{PREFIX}/projects")
                if reply.status_code == 200 and customer.name not in reply.text:
                    wrong.append(f"{customer.name} got {reply.text[:200]}")
            arrived += 1
            if other.name in reply.text or (reply.status_code >= 500 and reply.status_code != 503):
                wrong.append(f"{customer.name} got {reply.status_code} {reply.text[:200]}")

        clients = {c.name: narrow.keyed(c.live_key) for c in customers}
        numbers = iter(range(REQUESTS))
        until = time.monotonic() + 22

        async def line() -> None:
            for n in numbers:
                if time.monotonic() > until:
                    return
                request = asyncio.create_task(ask(chance.choice(customers), n))
                if chance.random() < 0.8:
                    await asyncio.sleep(chance.random() ** 3 * 0.15)
                    request.cancel()
                    if chance.random() < 0.3:  # a second time, while the first is being cleaned up
                        await asyncio.sleep(0)
                        request.cancel()
                with suppress(asyncio.CancelledError):
                    await request

        await asyncio.gather(*(line() for _ in range(AT_ONCE)))
        left = len(list(numbers))
        # the pool is whole: nothing of anybody's transaction or context is left on a connection
        async with small.connection("app") as one, small.connection("app") as two:
            for conn in (one, two):
                assert not conn.is_in_transaction()
                assert await conn.fetchval("select current_setting('evenhand.ctx', true)") in (None, "")
                assert await conn.fetchval("select count(*) from evenhand.task") == 0
    assert wrong == []
    assert left < REQUESTS / 2 and arrived > 100, f"{left} were not sent, {arrived} arrived"
    for customer in customers:
        async with world.db.tx(customer.live, customer.actor) as tx:
            rows = await tx.conn.fetch(
                "select t.task_id, q.task_id is not null as queued, (select count(*) from evenhand.fact f"
                " where f.about_id = t.task_id and f.kind = 'TaskCreated') as facts, t.unique_mac is not null as one"
                " from evenhand.task t left join evenhand.queue q using (org_id, task_id)"
            )
        # a write is whole or not there, whenever it was cancelled
        assert {(r["queued"], r["facts"]) for r in rows if r["one"]} <= {(True, 1)}
        assert acknowledged[customer.name] <= {r["task_id"] for r in rows}


# --- idempotency


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


async def test_the_same_request_gets_the_same_reply(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    body = {"name": "Once", "medium": "text"}

    async def send(key: str, sent: Any = body, path: str = "/projects", client: Any = api) -> Any:
        return await client.post(f"{PREFIX}{path}", json=sent, headers={"idempotency-key": key})

    first = await send("k1")
    again = await send("k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    assert (await send("k1", {**body, "name": "Other"})).status_code == 409
    project = first.json()["id"]
    assert (await send("k1", {"name": "Once"}, f"/projects/{project}/batches")).status_code == 409, "another path"
    assert (await send("k2")).status_code == 409, "another key is another request, and the name is taken"
    assert (await send("x" * 129)).status_code == 400
    failed = await send("k3", {"name": "", "medium": "text"})
    assert failed.status_code == 400
    assert (await send("k3", {"name": "Fixed", "medium": "text"})).status_code == 200, "a refusal is not kept"
    # keys belong to who sends them and to the space
    birch = await world.customer("Birch")
    for key in (birch.live_key, acme.test_key):
        other = await send("k1", client=world.keyed(key))
        assert other.status_code == 200 and other.json()["id"] != project


async def test_concurrent_duplicates_make_one(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    project = (await api.post(f"{PREFIX}/projects", json={"name": "P", "medium": "text"})).json()["id"]
    for _ in range(3):
        headers = {"idempotency-key": new_id()}
        replies = await asyncio.gather(
            *(
                api.post(f"{PREFIX}/projects/{project}/tasks", json={"data": {"text": "once"}}, headers=headers)
                for _ in range(6)
            )
        )
        assert {r.status_code for r in replies} == {200}, [r.text for r in replies]
        assert len({r.json()["id"] for r in replies}) == 1
    assert (await api.get(f"{PREFIX}/tasks")).json()["total"] == 3


async def test_unique_ids_hold_under_concurrency(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    project = (await api.post(f"{PREFIX}/projects", json={"name": "P", "medium": "text"})).json()["id"]
    task = {"data": {"text": "x"}, "unique_id": "the one"}
    line = b'{"data":{"text":"x"},"unique_id":"the one"}'
    replies = await asyncio.gather(
        *(api.post(f"{PREFIX}/projects/{project}/tasks", json=task) for _ in range(6)),
        *(api.post(f"{PREFIX}/projects/{project}/tasks/bulk", content=line) for _ in range(3)),
    )
    assert all(r.status_code in (200, 409, 503) for r in replies), [(r.status_code, r.text[:200]) for r in replies]
    assert (await api.get(f"{PREFIX}/tasks")).json()["total"] == 1


async def test_the_same_import_at_the_same_time(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    project = (await api.post(f"{PREFIX}/projects", json={"name": "P", "medium": "text"})).json()["id"]
    lines = "\n".join(f'{{"data":{{"text":"line {n}"}}}}' for n in range(200))
    url = f"{PREFIX}/projects/{project}/tasks/bulk?import=nightly"
    reports = [r.json() for r in await asyncio.gather(*(api.post(url, content=lines) for _ in range(4)))]
    assert sorted((r["created"], r["repeated"]) for r in reports) == [(0, 200)] * 3 + [(200, 0)]
    assert (await api.get(f"{PREFIX}/tasks")).json()["total"] == 200
