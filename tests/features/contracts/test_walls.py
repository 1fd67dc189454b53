"""Walls: who has worked for one is kept off the other, in the database, for as long as the contract says, and nobody learns
whose wall it is."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from evenhand.features.contracts import walls
from evenhand.features.contracts.walls import NewWall, PersonKeptOff
from evenhand.features.people import actions as people
from evenhand.features.tasks.leases import lease
from evenhand.infra.db import SYSTEM
from evenhand.infra.seal import At
from tests.conftest import Customer, World

pytestmark = pytest.mark.anyio
KIM = "kim@pool.example"


async def with_work(world: World, customer: Customer, tasks: int = 3, name: str = "P") -> str:
    api = world.keyed(customer.live_key)
    project = (await api.post("/api/v1/projects", json={"name": name, "medium": "text"})).json()["id"]
    for n in range(tasks):
        await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": f"{customer.name} {n}"}})
    return project


async def project_of(world: World, customer: Customer) -> str:
    async with world.db.tx(customer.live, SYSTEM) as tx:
        return await tx.conn.fetchval("select project_id from evenhand.project limit 1")


async def kinds(world: World, org: str, *wanted: str) -> list[str]:
    async with world.db.tx(org, SYSTEM) as tx:
        rows = await tx.conn.fetch(
            "select kind from evenhand.fact where org_id = $1 and kind = any($2) order by fact_id", org, list(wanted)
        )
    return [row["kind"] for row in rows]


@pytest.fixture
async def rivals(world: World) -> tuple[Customer, Customer, str]:
    """Two customers with work, and a worker whom the operator lends to both."""
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    kim = await world.worker(KIM, acme.live, birch.live, shared=True)
    await world.drain()
    await with_work(world, acme)
    await with_work(world, birch)
    return acme, birch, kim


async def wall(world: World, of: Customer, name: str, days: int = 30, **more: Any) -> None:
    await walls.set_wall(world.db, of.live, of.actor, NewWall(name, days, **more))


async def leases(world: World, want: int = 3) -> list[str]:
    """The spaces of what Kim is given, until there is no more."""
    kim = await world.browser(KIM)
    got: list[str] = []
    while found := (await kim.post("/work/next", {"want": want})).json()["assignments"]:
        for one in found:
            got.append(one["handle"][:24])
            await kim.post(f"/work/{one['handle']}/submit", {"key": one["handle"], "answer": {"annotations": []}})
    return got


async def test_without_a_wall_the_pool_serves_all(world: World, rivals: Any) -> None:
    assert set(await leases(world)) == {rivals[0].live, rivals[1].live}


@pytest.mark.parametrize("whose", [0, 1])
async def test_a_wall_keeps_apart_in_both_directions(world: World, rivals: Any, whose: int) -> None:
    acme, birch, kim = rivals
    mine, theirs = (acme, birch) if whose == 0 else (birch, acme)
    await wall(world, mine, theirs.name)
    got = await leases(world)
    assert len(set(got)) == 1, "one of the two, and from then on not the other"
    other = birch if got[0] == acme.live else acme
    until = await walls.kept_until(world.db, other.live, kim)
    assert until is not None and timedelta(days=30) < until - datetime.now(UTC) < timedelta(days=30, hours=2)
    # the test space is the same customer
    sibling = other.test
    assert await walls.kept_until(world.db, sibling, kim) == until
    seen = await (await world.browser(KIM)).post("/work/next", {"want": 1})
    assert seen.json()["empty"]["reason"] in ("kept_off", "nothing_open", "done_by_you")
    for word in (acme.name, birch.name, acme.live, birch.live):
        assert word not in seen.text, "a worker does not learn whose wall it is"


async def test_the_desk_itself_refuses(world: World, rivals: Any) -> None:
    """Not the list of heads but the lease: with another's head in hand the database says no."""
    acme, birch, kim = rivals
    await wall(world, acme, "Birch")
    projects = {one.live: await project_of(world, one) for one in (acme, birch)}
    first = await lease(world.db, acme.live, projects[acme.live], kim, "label", kim)
    assert first is not None
    assert await lease(world.db, birch.live, projects[birch.live], kim, "label", kim) is None
    assert await lease(world.db, acme.live, projects[acme.live], kim, "label", kim) is not None


async def test_two_at_once_are_one_after_the_other(world: World, rivals: Any) -> None:
    acme, birch, kim = rivals
    await wall(world, acme, "Birch", 0)
    found = [(one.live, await project_of(world, one)) for one in (acme, birch)]
    given = await asyncio.gather(*(lease(world.db, org, project, kim, "label", kim) for org, project in found * 2))
    assert len({one.handle[:24] for one in given if one is not None}) == 1


async def test_seats_are_not_given_over_a_wall(world: World, rivals: Any) -> None:
    acme, birch, kim = rivals
    await wall(world, acme, "Birch")
    got = (await leases(world))[0]
    other = birch if got == acme.live else acme
    api = world.keyed(other.live_key)
    project = await with_work(world, other, 0, "Another")
    await world.drain()
    assert (await api.get(f"/api/v1/projects/{project}/seats")).json()["items"] == []
    person = (await api.get("/api/v1/members")).json()["items"]
    mine = next(m["person"] for m in person if m["source"] == "pool")
    reply = await api.put(f"/api/v1/projects/{project}/seats", json={"items": [{"person": mine, "role": "label"}]})
    assert reply.status_code == 409 and acme.name not in reply.text and birch.name not in reply.text
    # nor by hand: the serving role may not write seats
    async with world.db.tx(other.live, SYSTEM) as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.conn.execute(
                "insert into evenhand.seat (org_id, project_id, person_id, role) values ($1, $2, $3, 'label')",
                other.live, project, kim,
            )  # fmt: skip


async def test_the_operator_is_told_the_day(world: World, rivals: Any) -> None:
    acme, birch, kim = rivals
    await wall(world, acme, "Cedar")  # nobody's name as yet
    await leases(world)
    cedar = await world.customer("Cedar")
    until = await walls.kept_until(world.db, cedar.live, kim)
    assert until is not None, "a customer that comes later is walled from its first second"
    with pytest.raises(PersonKeptOff, match=f"until {until:%Y-%m-%d}"):
        await walls.no_wall(world.db, [cedar.live], kim)
    await people.add_person(world.db, "root@operator.example", "Root", "correct horse battery", operator=True)
    root = await world.browser("root@operator.example")
    reply = await root.post("/operator/people/invite", {"email": KIM, "role": "annotator", "orgs": ["Cedar"]})
    assert reply.status_code == 409 and "kept off" in reply.json()["detail"] and "Acme" not in reply.text
    assert birch.live not in {org for org, _, _ in await walls.kept_off(world.db)}


async def test_a_wall_against_nobody_answers_as_one_against_somebody(world: World, rivals: Any) -> None:
    api = world.keyed(rivals[0].live_key)
    replies = [
        await api.put("/api/v1/walls", json={"name": name, "cool_off_days": 9}) for name in ("Birch", "Nobody at all")
    ]
    assert [r.status_code for r in replies] == [200, 200]
    assert set(replies[0].json()) == set(replies[1].json())
    items = (await api.get("/api/v1/walls")).json()["items"]
    assert [i["name"] for i in items] == ["Birch", "Nobody at all"]
    theirs = (await world.keyed(rivals[1].live_key).get("/api/v1/walls")).json()
    assert theirs == {"items": []}, "the other one sees nothing of it"
    assert await kinds(world, rivals[1].live, "WallSet", "WallEnded") == []
    ended = await api.delete(f"/api/v1/walls/{items[0]['id']}")
    assert ended.json() == {"ended": True}
    assert [i["name"] for i in (await api.get("/api/v1/walls")).json()["items"]] == ["Nobody at all"]
    assert await kinds(world, rivals[0].live, "WallSet", "WallEnded") == ["WallSet", "WallSet", "WallEnded"]
    assert set(await leases(world)) == {rivals[0].live, rivals[1].live}, "what is down keeps nobody off"
    wrong = await world.keyed(rivals[0].test_key).put("/api/v1/walls", json={"name": "Birch", "cool_off_days": 9})
    assert wrong.status_code == 400


async def test_a_group_means_its_members(world: World, rivals: Any) -> None:
    acme, birch, kim = rivals
    await wall(world, acme, "telecoms", kind="group")
    assert await walls.kept_until(world.db, birch.live, kim) is None
    await walls.set_group(world.db, "Birch", "telecoms")
    assert len(set(await leases(world))) == 1
    await walls.set_group(world.db, "Birch", "telecoms", member=False)
    assert await walls.kept_off(world.db) == []
    assert await kinds(world, birch.live, "ConflictGroupChanged") == ["ConflictGroupChanged"] * 2


async def test_an_interest_bars(world: World, rivals: Any) -> None:
    acme, birch, kim = rivals
    await walls.bar(world.db, "Birch", kim)
    assert set(await leases(world)) == {acme.live}
    async with world.db.tx(birch.live, SYSTEM) as tx:
        row = await tx.conn.fetchrow("select fact_id, about_id, body from evenhand.fact where kind = 'PersonBarred'")
        assert row["about_id"] == kim and kim not in str(tx.seal.open(row["body"], At("fact", row["fact_id"]))), (
            "in the event, an alias"
        )
    await walls.bar(world.db, "Birch", kim, until=datetime.now(UTC) - timedelta(seconds=1))
    assert set(await leases(world)) == {birch.live}


async def test_old_work_is_not_looked_at_again(world: World, rivals: Any) -> None:
    """Who cooled off and works for the rival now doesn't open what they once did, nor read instructions there."""
    acme, birch, kim = rivals
    browser = await world.browser(KIM)
    one = (await browser.post("/work/next", {"want": 1})).json()["assignments"][0]
    await browser.post(f"/work/{one['handle']}/submit", {"key": "k", "answer": {"annotations": []}})
    first, second = (acme, birch) if one["handle"][:24] == acme.live else (birch, acme)
    assert (await browser.get(f"/work/{one['handle']}")).status_code == 200
    assert (await browser.get(f"/work/projects/{one['project']['id']}/instructions")).status_code == 200
    await wall(world, second, first.name, 1)
    other = (await browser.post("/work/next", {"want": 1})).json()
    assert {a["handle"][:24] for a in other["assignments"]} <= {first.live}, "still kept off the second"
    await walls.bar(world.db, first.name, kim)
    assert (await browser.get(f"/work/{one['handle']}")).status_code == 404
    assert (await browser.get(f"/work/projects/{one['project']['id']}/instructions")).status_code == 404
