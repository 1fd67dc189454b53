"""Whose turn it is, over the real database: decided, charged, sealed, told, opened and replayed."""

from pathlib import Path
from typing import Any

import pytest

from evenhand.features.tasks.turns import open_class
from evenhand.features.trust.turns import Keeper
from evenhand.pure.log.report import OK
from tests.conftest import Browser, Customer, World
from tests.features.trust.test_log import bundle_of, checked, end_epoch, log_in

pytestmark = pytest.mark.anyio
_FIELDS = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}
CLASS = "label native text"


async def project(world: World, customer: Customer, tasks: int) -> None:
    api = world.keyed(customer.live_key)
    made = await api.post("/api/v1/projects", json={"name": "P", "medium": "text", "ontology": _FIELDS})
    lines = "\n".join(f'{{"data":{{"text":"{customer.name} {n}"}}}}' for n in range(tasks))
    await api.post(f"/api/v1/projects/{made.json()['id']}/tasks/bulk", content=lines)
    await world.drain()


async def lease(ann: Browser) -> dict[str, Any]:
    return (await ann.post("/work/next", {"want": 1})).json()["assignments"][0]


async def submit(ann: Browser, one: dict[str, Any], seconds: float) -> None:
    answer = {"annotations": [{"id": "a", "kind": "text", "field": "mood", "text": "fine"}]}
    said = await ann.post(f"/work/{one['handle']}/submit", {"key": one["handle"], "answer": answer, "seconds": seconds})
    assert said.status_code == 200, said.text


async def two_customers(world: World, tasks: int) -> tuple[Customer, Customer, Browser]:
    acme, zenith = await world.customer("Acme"), await world.customer("Zenith")
    await world.worker("ann@people.example", acme.live, zenith.live, shared=True)
    await project(world, acme, tasks)
    await project(world, zenith, tasks)
    return acme, zenith, await world.browser("ann@people.example")


async def test_turns_are_taken_charged_sealed_and_replayed(world: World, tmp_path: Path) -> None:
    acme, zenith, ann = await two_customers(world, 8)
    whose: list[str] = []
    for _ in range(8):
        one = await lease(ann)
        whose.append(one["data"]["text"].split()[0])
        await submit(ann, one, 0.001)
    assert whose.count("Acme") == whose.count("Zenith") == 4
    keeper, this = Keeper(world.db), log_in(tmp_path)
    await keeper.tick(close=True)
    await keeper.tick(close=True)
    replica = await open_class(world.db, CLASS)
    assert replica.ledger.owner == {}, "everything that was submitted is charged"
    assert max(a.spent for a in replica.ledger.queue.accounts.values()) < 60_000, "with what was used"
    await end_epoch(world, this)
    for customer, won in ((acme, 4), (zenith, 4)):
        raw = await bundle_of(world, this, customer.live)
        report = checked(raw, this)
        check = report.checks["decisions"]
        assert check.status == OK, report.as_text()
        assert check.words.startswith("8 decisions came out the same"), check.words
        assert won == whose.count(customer.name)
