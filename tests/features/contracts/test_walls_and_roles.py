"""Walls and roles in consoles: whoever has one at a customer is kept off its rivals' work and consoles, in both directions, and for
the rivals' days after its end. Nobody learns by an invitation who works for a rival."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from evenhand.features.contracts import walls
from evenhand.features.contracts.walls import NewWall
from evenhand.features.people import actions as people
from evenhand.features.people import links, members
from evenhand.features.people.rules import BehindAWall
from evenhand.infra.db import SYSTEM
from tests.conftest import Browser, Customer, World
from tests.features.contracts.test_walls import KIM, leases, with_work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


@pytest.fixture
async def birch(world: World) -> Customer:
    made = await world.customer("Birch")
    await with_work(world, made)
    return made


@pytest.fixture
async def kim(world: World, acme: Customer, birch: Customer) -> str:
    """A worker whom the operator lends to Birch."""
    made = await world.worker(KIM, birch.live, shared=True)
    await world.drain()
    return made


async def wall(world: World, of: Customer, name: str, days: int = 30) -> None:
    await walls.set_wall(world.db, of.live, of.actor, NewWall(name, days))


async def remove(world: World, of: Customer, person: str) -> None:
    async with world.db.tx(of.live, of.actor) as tx:
        await members.remove_member(tx, await world.alias(of.live, person))


async def seen(browser: Browser, org: str) -> int:
    browser.org = org
    return (await browser.get("/projects")).status_code


async def test_a_role_keeps_off_the_rivals_work(world: World, acme: Customer, birch: Customer, kim: str) -> None:
    await wall(world, acme, "Birch")
    await people.add_member(world.db, acme.live, kim, "viewer")
    until = await walls.kept_until(world.db, birch.live, kim)
    assert until is not None and until.year > 9000, "as long as the role lasts"
    assert await leases(world) == []
    asked = (await (await world.browser(KIM)).post("/work/next", {"want": 1})).json()["empty"]
    assert asked["reason"] == "kept_off" and "Acme" not in asked["text"] and "Birch" not in asked["text"]
    # another role of the same console goes on the same
    async with world.db.tx(acme.live, acme.actor) as tx:
        await members.change_role(tx, await world.alias(acme.live, kim), "manager")
    assert await leases(world) == []
    # the days are counted from its end, whichever way it ends
    async with world.db.tx(acme.live, acme.actor) as tx:
        await members.change_role(tx, await world.alias(acme.live, kim), "annotator")
    until = await walls.kept_until(world.db, birch.live, kim)
    assert until is not None and timedelta(days=29, hours=23) < until - datetime.now(UTC) <= timedelta(days=30)
    assert await leases(world) == []
    await wall(world, acme, "Birch", 0)
    assert set(await leases(world)) == {birch.live}


async def test_who_works_for_a_rival_gets_no_role(world: World, acme: Customer, birch: Customer, kim: str) -> None:
    await wall(world, birch, "Acme")
    assert set(await leases(world)) == {birch.live}
    with pytest.raises(BehindAWall, match="until"):
        await people.add_member(world.db, acme.live, kim, "owner")
    # who invites is told nothing: the answer is the one for anybody
    api = world.keyed(acme.live_key)
    replies = [
        await api.post("/api/v1/members/invite", json={"email": email, "role": "viewer"})
        for email in (KIM, "nobody@elsewhere.example")
    ]
    assert [r.status_code for r in replies] == [200, 200] and set(replies[0].json()) == set(replies[1].json())
    # who takes it up is told, and the link stays
    browser = await world.browser(KIM)
    token = replies[0].json()["link"].rsplit("/", 1)[-1]
    for _ in range(2):
        refused = await browser.post(f"/links/{token}", {})
        assert refused.status_code == 403 and "kept" not in refused.text and "A wall between" in refused.text
        assert "Birch" not in refused.text
    assert await seen(browser, acme.live) == 404
    states = {m["email"]: m["state"] for m in (await api.get("/api/v1/members")).json()["items"]}
    assert states[KIM] == "invited"
    async with world.db.tx(birch.live, birch.actor) as tx:
        (line,) = (await walls.list_walls(tx)).items
    await walls.end_wall(world.db, birch.live, birch.actor, line.id)
    assert (await browser.post(f"/links/{token}", {})).status_code == 200
    assert await seen(browser, acme.live) == 200


async def test_of_two_roles_the_older_one_stays(world: World, acme: Customer, birch: Customer) -> None:
    """No rival shuts somebody's console by giving them a role, or a wall."""
    sam = await people.add_person(world.db, "sam@people.example", "Sam", "correct horse battery")
    await people.add_member(world.db, acme.live, sam, "owner")
    await people.add_member(world.db, birch.live, sam, "viewer")
    browser = await world.browser("sam@people.example", acme.live)
    assert (await seen(browser, acme.live), await seen(browser, birch.live)) == (200, 200)
    await wall(world, birch, "Acme")
    assert await seen(browser, acme.live) == 200
    refused = await browser.get("/projects") if await seen(browser, birch.live) == 403 else None
    assert refused is not None and "for now" in refused.json()["detail"] and "Acme" not in refused.text
    # nor by another way into the console: what it shows is asked for by role, whatever the route
    for path in ("/audit", "/members", "/questions", "/walls"):
        assert (await browser.get(path)).status_code == 403, path
    # who leaves the older one waits for the days of the other
    async with world.db.tx(acme.live, acme.actor) as tx:
        await members.remove_member(tx, await world.alias(acme.live, sam))
    assert await seen(browser, birch.live) == 403
    with pytest.raises(BehindAWall):
        await people.add_member(world.db, acme.live, sam, "owner")
    await wall(world, birch, "Acme", 0)
    assert await seen(browser, birch.live) == 200


async def test_no_key_leads_around_a_wall(world: World, acme: Customer, birch: Customer) -> None:
    """From a test space whose role is the older one, no key of the live space is made; nor does a link to a file go on."""
    sam = await people.add_person(world.db, "sam@people.example", "Sam", "correct horse battery")
    await people.add_member(world.db, birch.test, sam, "owner")
    await people.add_member(world.db, acme.live, sam, "owner")
    await people.add_member(world.db, birch.live, sam, "owner")
    browser = await world.browser("sam@people.example", birch.test)
    asked = {"name": "k", "mode": "live"}
    assert (await browser.post("/keys", asked)).status_code == 200
    await wall(world, acme, "Birch")
    assert await people.role_in(world.db, birch.live, sam) is None
    assert await people.role_in(world.db, acme.live, sam) is None, "older than one at Birch, younger than the other"
    assert await people.role_in(world.db, birch.test, sam) == "owner"
    refused = await browser.post("/keys", asked)
    assert refused.status_code == 403, refused.text
    assert (await browser.get("/projects")).status_code == 200
    assert await people.role_in(world.db, birch.live, birch.owner) == "owner", "others are not concerned"


async def test_work_before_a_wall_shuts_no_console(world: World, acme: Customer, birch: Customer, kim: str) -> None:
    await people.add_member(world.db, acme.live, kim, "manager")
    assert set(await leases(world)) == {birch.live}
    await wall(world, birch, "Acme")
    browser = await world.browser(KIM)
    assert await seen(browser, acme.live) == 200
    until = await walls.kept_until(world.db, birch.live, kim)
    assert until is not None and until.year > 9000


async def test_a_role_and_a_lease_at_once(world: World, acme: Customer, birch: Customer, kim: str) -> None:
    await wall(world, acme, "Birch")
    browser = await world.browser(KIM)

    async def role() -> bool:
        try:
            await people.add_member(world.db, acme.live, kim, "viewer")
        except BehindAWall:
            return False
        return True

    began, *replies = await asyncio.gather(role(), *(browser.post("/work/next", {"want": 1}) for _ in range(4)))
    leased = sum(len(r.json()["assignments"]) for r in replies)
    assert began != (leased > 0), "one of the two, and never both"


async def test_who_leaves_and_what_closes(world: World, acme: Customer, birch: Customer, kim: str) -> None:
    await wall(world, acme, "Birch")
    await people.add_member(world.db, acme.live, kim, "viewer")
    await people.close_space(world.db, acme.live)
    until = await walls.kept_until(world.db, birch.live, kim)
    assert until is not None and until < datetime.now(UTC) + timedelta(days=30), "counted from the day it closed"


async def test_the_provider_lets_nobody_over_a_wall(world: World, acme: Customer, birch: Customer, kim: str) -> None:
    await wall(world, acme, "Birch")
    assert set(await leases(world)) == {birch.live}
    with pytest.raises(BehindAWall):
        await links.admit(world.db, acme.live, KIM, "Kim", "viewer")


async def test_only_the_function_writes_roles(world: World, acme: Customer) -> None:
    for column in ("role = 'annotator'", "state = 'removed'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.db.tx(acme.live, SYSTEM) as tx:
                await tx.conn.execute(f"update evenhand.member set {column}")


async def test_every_role_has_its_tie(world: World, acme: Customer, birch: Customer, kim: str) -> None:
    """What the functions promise, as the database has it: a console role lasts where, and only where, its tie does."""
    await people.add_member(world.db, acme.live, kim, "viewer")
    await remove(world, acme, kim)
    async with world.db.narrow("gate") as door:
        rows: list[Any] = await door.conn.fetch(
            """select coalesce(m.org_id, t.org_id) from (select * from evenhand.member
                 where state = 'active' and role in ('owner', 'manager', 'viewer')) m
                 full join (select * from evenhand.tie where console_until = 'infinity') t
                   on t.org_id = m.org_id and t.person_id = m.person_id
                where m.org_id is null or t.org_id is null"""
        )
    assert rows == []
