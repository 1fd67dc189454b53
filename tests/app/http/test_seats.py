"""Who may take work: whoever is invited and accepts has a seat in the projects that are open to all, whichever came first."""

from typing import Any

import pytest

from evenhand.app import worker
from evenhand.features.people import actions as people
from tests.app.http.test_people import EMAIL, OWN_EMAIL, PROJECT, accept, ok
from tests.conftest import PASSWORD, Browser, Customer, World

pytestmark = pytest.mark.anyio


async def _project(owner: Browser, name: str, **more: Any) -> str:
    made = (await ok(await owner.post("/projects", {**PROJECT, "name": name, **more})))["id"]
    await ok(await owner.post(f"/projects/{made}/tasks", {"data": {"text": name}}))
    return made


async def _invite(world: World, acme: Customer, owner: Browser, shared: bool, role: str) -> str:
    if not shared:
        return (await ok(await owner.post("/members/invite", {"email": OWN_EMAIL, "role": role})))["link"]
    await people.add_person(world.db, "root@operator.example", "Root", PASSWORD, operator=True)
    root = await world.browser("root@operator.example")
    asked = {"email": EMAIL, "role": role, "orgs": [acme.live]}
    return (await ok(await root.post("/operator/people/invite", asked)))["link"]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("order", ["ipa", "iap", "pia"])
async def test_invited_made_accepted_in_any_order(world: World, order: str, shared: bool) -> None:
    """i: invited, p: the project is made, a: accepted."""
    role = "reviewer" if order == "pia" else "annotator"
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    closed = await _project(owner, "Closed")
    await ok(await owner.ask("PUT", f"/projects/{closed}/seats", json={"items": []}))
    link = project = ""
    for step in order:
        if step == "i":
            link = await _invite(world, acme, owner, shared, role)
        elif step == "p":
            project = await _project(owner, "Open")
        else:
            await accept(world, link, "Newcomer")
            await world.drain()
    assert await _seats(owner, project) == ["label" if role == "annotator" else "review"]
    assert await _seats(owner, closed) == []
    if role == "annotator":
        browser = await world.browser(EMAIL if shared else OWN_EMAIL)
        got = await ok(await browser.post("/work/next", {"want": 3}))
        assert [one["project"]["id"] for one in got["assignments"]] == [project]


async def _seats(owner: Browser, project: str) -> list[str]:
    return [seat["role"] for seat in (await ok(await owner.get(f"/projects/{project}/seats")))["items"]]


async def test_a_process_that_dies_before_it_can_tell(world: World) -> None:
    """The membership is there and the news of it is not: the seat comes all the same, once."""
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    project, closed = await _project(owner, "Open"), await _project(owner, "Closed")
    await ok(await owner.ask("PUT", f"/projects/{closed}/seats", json={"items": []}))
    await accept(world, await _invite(world, acme, owner, False, "annotator"), "Newcomer")
    async with world.db.tx(acme.live, acme.actor) as tx:
        gone = await tx.conn.execute(
            "update evenhand.job set state = 'dead', ended_at = now() where kind = 'projects.seat'"
        )
        assert gone != "UPDATE 0"
    await world.drain()
    assert await _seats(owner, project) == []
    assert await worker.seat_everybody(world.services) == 1
    assert await _seats(owner, project) == ["label"] and await _seats(owner, closed) == []
    assert await worker.seat_everybody(world.services) == 0
