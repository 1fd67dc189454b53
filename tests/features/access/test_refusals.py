"""Sign-ins and refusals that concern a customer are events in its list: counted, classed, without what was typed."""

import time
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.features.access import refusals
from evenhand.features.access.refusals import Refusals
from evenhand.infra.ids import new_id
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.pure.trouble import Concern
from tests.conftest import PASSWORD, Browser, World
from tests.features.access.people import with_app

pytestmark = pytest.mark.anyio
REFUSED = ("SignInRefused", "AccessRefused")


async def listed(owner: Browser, *kinds: str) -> list[dict[str, Any]]:
    reply = await owner.get("/audit", params={"limit": 200})
    assert reply.status_code == 200, reply.text
    return [line for line in reply.json()["items"] if line["what"] in (kinds or REFUSED)]


async def tell(world: World, now_s: float | None = None) -> int:
    return await world.services.refusals.tell(world.db, now_s)


async def test_sign_ins_are_told_to_whom_they_concern(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    owner, rival = await world.browser(acme.owner_email, acme.live), await world.browser(birch.owner_email, birch.live)
    kim = await with_app(world, world.keyed(acme.live_key), "kim@people.example", org=acme.live)
    await kim.browser.get("/projects")
    came_in = await listed(owner, "SessionEntered")
    assert {line["detail"]["method"] for line in came_in} >= {"code", "password"}
    client = world.client()
    for _ in range(3):
        assert (await kim.sign_in(client, kim.code(), password="no such secret word")).status_code == 401
    await kim.sign_in(client, "123456")
    body = {"email": "nobody@people.example", "password": PASSWORD}
    assert (await client.post("/api/v1/session", json=body)).status_code == 401
    assert await tell(world) == 1
    (line,) = await listed(owner)
    assert (line["what"], line["detail"]) == ("SignInRefused", {"reason": "password", "count": 4})
    assert line["about"] == await world.alias(acme.live, kim.browser.person)
    assert not any(word in str(line) for word in ("no such secret", "kim@", "123456"))
    await kim.sign_in(client, "123456")
    assert await tell(world) == 0, "within the minute it is counted only"
    assert await tell(world, time.monotonic() + refusals.EVERY_S) == 1
    assert (await listed(owner))[0]["detail"] == {"reason": "code", "count": 1}
    assert await listed(rival) == []


async def test_what_cannot_be_written_is_told_later(world: World, urls: DatabaseUrls) -> None:
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    wrong = {"email": acme.owner_email, "password": "no such secret word"}
    with psycopg.connect(urls.owner, autocommit=True) as db_owner:
        db_owner.execute("revoke insert on evenhand.fact from evenhand_app")
        for _ in range(2):
            assert (await world.client().post("/api/v1/session", json=wrong)).status_code == 401
            assert await tell(world) == 0
        db_owner.execute("grant insert on evenhand.fact to evenhand_app")
    assert await tell(world, time.monotonic() + refusals.EVERY_S) == 2, "in both of their spaces"
    assert [line["detail"]["count"] for line in await listed(owner)] == [2]


async def test_a_shared_workers_sign_in_tells_no_customer(world: World) -> None:
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    await world.worker("lee@pool.example", acme.live, shared=True)
    body = {"email": "lee@pool.example", "password": "not the password"}
    assert (await world.client().post("/api/v1/session", json=body)).status_code == 401
    assert await tell(world) == 0 and await listed(owner) == []


async def test_refusals_in_a_space_are_told_there(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    owner, rival = await world.browser(acme.owner_email, acme.live), await world.browser(birch.owner_email)
    await world.worker("ann@people.example", acme.live)
    ann = await world.browser("ann@people.example", acme.live)
    api = world.keyed(acme.live_key)
    weak = (await api.post("/api/v1/keys", json={"name": "Reader", "scopes": ["read"]})).json()["key"]
    reader = world.keyed(weak)
    for n in range(50):
        assert (await ann.post("/projects", {"name": f"P{n}", "medium": "text"})).status_code == 403
    assert (await reader.post("/api/v1/projects", json={"name": "P", "medium": "text"})).status_code == 403
    assert (await reader.post("/v1/batches", json={"project": "P", "name": "B"})).status_code in (403, 404)
    for space in (acme.live, new_id()):
        assert (await rival.get("/projects", headers={"evenhand-org": space})).status_code == 404
    told = await tell(world)
    lines = await listed(owner)
    assert told == len(lines) == 3, "one for each asker, however often; the space that nobody has is told to nobody"
    found = {(line["detail"]["reason"], line["detail"]["asked"], line["detail"]["count"]) for line in lines}
    assert found >= {("right", "POST /projects", 50), ("stranger", "GET /projects", 1)}
    assert {line["what"] for line in lines} == {"AccessRefused"}
    group = (await owner.get("/audit", params={"group": "access"})).json()["items"]
    assert len([line for line in group if line["what"] == "AccessRefused"]) == 3


async def test_refusing_runs_nothing_on_the_way(world: World) -> None:
    """A refused request costs no statement more than it did: what is told, is told later."""
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live)
    ann = await world.browser("ann@people.example", acme.live)
    for _ in range(3):
        await ann.post("/projects", {"name": "P", "medium": "text"})
    owner = await world.browser(acme.owner_email, acme.live)
    assert await listed(owner) == []
    assert [kept.count for kept in world.services.refusals.kept.values()] == [3]


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 300)), max_size=60))
def test_at_most_one_a_minute_each_and_none_is_lost(tries: list[tuple[int, float]]) -> None:
    """As `tell` counts, without a database: what is due is taken out, once a minute for each."""
    orgs = [f"{n:024x}" for n in range(5)]
    kept, told = Refusals(), dict[str, list[tuple[float, int]]]()
    at = 0.0
    for who, wait in [*tries, (0, 1000.0), (0, 1000.0)]:
        at += wait
        if wait < 1000:
            kept.note(Concern(orgs[who], "person", "p", "right"), "x", at)
        for concern, _, count in kept.due(at):
            told.setdefault(concern.org_id, []).append((at, count))
    assert sum(count for rows in told.values() for _, count in rows) == len(tries)
    for rows in told.values():
        times = [when for when, _ in rows]
        assert all(b - a >= refusals.EVERY_S for a, b in pairwise(times))


def test_memory_is_bounded() -> None:
    kept = Refusals()
    for n in range(refusals.MOST + 50):
        kept.note(Concern(f"{n:024x}", "person", "p", "stranger"), "x")
    assert (len(kept.kept), kept.beyond) == (refusals.MOST, 50)
