"""Whoever has one seat is handed the next task in one call of the database. What it believes for that ends in time."""

import pytest

from evenhand.features.tasks import leases
from tests.conftest import Browser, World

pytestmark = pytest.mark.anyio
_FIELDS = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}


async def project(world: World, key: str, name: str, tasks: int) -> str:
    api = world.keyed(key)
    made = await api.post("/api/v1/projects", json={"name": name, "medium": "text", "ontology": _FIELDS})
    lines = "\n".join(f'{{"data":{{"text":"{name} {n}"}}}}' for n in range(tasks))
    loaded = await api.post(f"/api/v1/projects/{made.json()['id']}/tasks/bulk", content=lines)
    assert loaded.json()["created"] == tasks, loaded.text
    await world.drain()
    return made.json()["id"]


async def handed(ann: Browser) -> str:
    """The text of the next task, which is given back at once."""
    work = (await ann.post("/work/next", {"want": 1})).json()["assignments"]
    await ann.post("/work/release", {"handles": [one["handle"] for one in work]})
    return work[0]["data"]["text"] if work else ""


async def test_the_second_task_needs_no_look_at_the_heads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live)
    await project(world, acme.live_key, "A", 3)
    ann = await world.browser("ann@people.example")
    looks = 0
    inner = leases.waiting_for

    async def counted(*given: object) -> object:
        nonlocal looks
        looks += 1
        return await inner(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(leases, "waiting_for", counted)
    for _ in range(3):
        assert (await handed(ann)).startswith("A ")
    assert looks == 1


async def test_a_second_customer_is_seen_when_that_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme, zenith = await world.customer("Acme"), await world.customer("Zenith")
    await world.worker("ann@people.example", acme.live, zenith.live, shared=True)
    await project(world, acme.live_key, "A", 4)
    ann = await world.browser("ann@people.example")
    monkeypatch.setattr(leases, "_ONE_SEAT_LIFE_S", 1e9)
    assert (await handed(ann)).startswith("A ")
    await project(world, zenith.live_key, "Z", 4)
    assert (await handed(ann)).startswith("A ")
    monkeypatch.setattr(leases, "_ONE_SEAT_LIFE_S", 0.0)
    both = {(await handed(ann)).split()[0] for _ in range(2)}
    assert both == {"A", "Z"}  # whoever has had its turn waits for the other's


async def test_an_empty_queue_is_said_and_a_session_that_ended_is_nobodys(world: World) -> None:
    acme = await world.customer("Acme")
    person = await world.worker("ann@people.example", acme.live)
    await project(world, acme.live_key, "A", 1)
    ann = await world.browser("ann@people.example")
    first = (await ann.post("/work/next", {"want": 1})).json()
    assert len(first["assignments"]) == 1
    empty = (await ann.post("/work/next", {"want": 1})).json()
    assert empty["assignments"] == [] and empty["empty"]["reason"]
    await ann.post("/work/release", {"handles": [first["assignments"][0]["handle"]]})
    async with world.db.narrow("gate") as door:
        await door.conn.execute("delete from evenhand.session where person_id = $1", person)
    assert (await ann.post("/work/next", {"want": 1})).status_code == 401


async def test_a_member_who_was_removed_is_handed_nothing(world: World) -> None:
    acme = await world.customer("Acme")
    person = await world.worker("ann@people.example", acme.live)
    await project(world, acme.live_key, "A", 2)
    ann = await world.browser("ann@people.example")
    assert await handed(ann)
    async with world.db.narrow("gate") as door:
        await door.conn.execute("update evenhand.member set state = 'removed' where person_id = $1", person)
    assert await handed(ann) == ""
