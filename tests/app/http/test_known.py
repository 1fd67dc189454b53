"""What a process remembers of a project for the people who work in it is never older than the task that it goes with."""

from datetime import UTC, datetime

import pytest

from evenhand.features.tasks import store
from evenhand.features.tasks.known import Known, ProjectView, Shelf
from evenhand.infra.db import Narrow
from tests.app.http.test_one_seat import project
from tests.conftest import World

pytestmark = pytest.mark.anyio
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def known(size: int) -> Known:
    return Known(ProjectView("p", "P", "text"), b" " * size, _WHEN)


async def test_a_new_name_and_rate_come_with_the_next_task(world: World) -> None:
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live)
    made = await project(world, acme.live_key, "A", 3)
    ann = await world.browser("ann@people.example")
    names, handle = list[str](), ""
    for name in ("Letters", "Complaints", "Complaints"):
        patched = await world.keyed(acme.live_key).patch(f"/api/v1/projects/{made}", json={"name": name})
        assert patched.status_code == 200, patched.text
        (given,) = (await ann.post("/work/next", {"want": 1})).json()["assignments"]
        handle = handle or given["handle"]
        names.append(given["project"]["name"])
    assert names == ["Letters", "Complaints", "Complaints"]
    assert (await ann.get(f"/work/{handle}")).json()["project"]["name"] == "Complaints", "a page that is loaded anew"


async def test_a_project_that_rests_gives_nobody_a_task(world: World) -> None:
    acme = await world.customer("Acme")
    person = await world.worker("ann@people.example", acme.live)
    made = [await project(world, acme.live_key, name, 3) for name in "AB"]

    async def heads() -> set[str]:
        async with world.services.db.connection("scheduler") as conn:
            rows = await store.HEADS.all(Narrow(conn, world.services.db.platform), person=person, role="label")
        return {row["project_id"] for row in rows}

    assert await heads() == set(made)
    api = world.keyed(acme.live_key)
    for state in ("paused", "archived"):
        assert (await api.patch(f"/api/v1/projects/{made[0]}", json={"state": state})).status_code == 200
        assert await heads() == {made[1]}
    assert (await api.patch(f"/api/v1/projects/{made[0]}", json={"state": "active"})).status_code == 200
    assert await heads() == set(made)


async def test_whose_turn_it_is_is_not_planned_anew_for_each_request(world: World) -> None:
    acme = await world.customer("Acme")
    person = await world.worker("ann@people.example", acme.live)
    await project(world, acme.live_key, "A", 3)
    async with world.services.db.connection("scheduler") as conn:
        for _ in range(10):
            assert await store.HEADS.all(Narrow(conn, world.services.db.platform), person=person, role="label")
        plans = await conn.fetch("select statement, generic_plans, custom_plans from pg_prepared_statements")
    found = [(r["generic_plans"], r["custom_plans"]) for r in plans if r["statement"] == store.HEADS.numbered]
    assert found == [(10, 0)]


def test_what_was_used_longest_ago_goes_first() -> None:
    shelf = Shelf(3, 100)
    for n in range(3):
        shelf.put(("org", f"p{n}", 0), known(10))
    assert shelf.get(("org", "p0", 0)) is not None
    shelf.put(("org", "p3", 0), known(10))
    assert [n for n in range(4) if shelf.get(("org", f"p{n}", 0))] == [0, 2, 3]
    shelf.put(("org", "p3", 0), known(70))
    assert [n for n in range(4) if shelf.get(("org", f"p{n}", 0))] == [0, 2, 3], "90 bytes of 100"
    shelf.put(("other", "p0", 0), known(30))
    assert shelf.get(("org", "p3", 0)) is not None and shelf.get(("other", "p0", 0)) is not None, "100 bytes of 100"
    assert not any(shelf.get(("org", f"p{n}", 0)) for n in range(3))
    shelf.forget("org")
    shelf.put(("other", "p1", 0), known(70))
    assert shelf.get(("other", "p0", 0)) is not None, "what was forgotten takes no room"
