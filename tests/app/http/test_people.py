"""Whom a customer knows by name: the people it invited. Those whom the operator shares have a pseudonym everywhere."""

from typing import Any

import pytest

from evenhand.features.people import actions as people
from evenhand.features.people import store
from evenhand.infra.seal import At
from tests.conftest import PASSWORD, Browser, Customer, World
from tests.laws.estate import answer

pytestmark = pytest.mark.anyio
EMAIL, NAME = "zebedee.lent@pool.example", "Zebedee Lent"
OWN_EMAIL, OWN_NAME = "olive@acme.example", "Olive Own"
PROJECT = {
    "name": "Moods", "medium": "text",
    "ontology": {"classes": [], "attributes": [],
                 "fields": [{"key": "mood", "type": "choice", "choices": [{"value": "good"}, {"value": "bad"}]},
                            {"key": "note", "type": "text", "long": True}]},
}  # fmt: skip


async def ok(reply: Any) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()


async def accept(world: World, link: str, name: str) -> None:
    token = link.rsplit("/", 1)[-1]
    await ok(await world.client().post(f"/api/v1/links/{token}", json={"name": name, "password": PASSWORD}))


async def lend(world: World, *orgs: str) -> None:
    """The operator invites a worker of the pool, who accepts."""
    await people.add_person(world.db, "root@operator.example", "Root", PASSWORD, operator=True)
    root = await world.browser("root@operator.example")
    asked = {"email": EMAIL, "role": "annotator", "orgs": list(orgs)}
    await accept(world, (await ok(await root.post("/operator/people/invite", asked)))["link"], NAME)


async def hire(world: World, customer: Customer) -> Browser:
    """The customer invites an annotator of its own, who accepts; gives the owner's browser."""
    owner = await world.browser(customer.owner_email, customer.live)
    made = await ok(await owner.post("/members/invite", {"email": OWN_EMAIL, "role": "annotator"}))
    await accept(world, made["link"], OWN_NAME)
    return owner


async def work(world: World, email: str) -> None:
    browser = await world.browser(email)
    held = (await ok(await browser.post("/work/next", {"want": 1})))["assignments"]
    await ok(await browser.post(f"/work/{held[0]['handle']}/submit", {"key": email, "answer": answer(), "seconds": 2}))


async def test_the_pool_has_pseudonyms_and_staff_has_names(world: World) -> None:
    acme = await world.customer("Acme")
    await lend(world, acme.live)
    owner = await hire(world, acme)
    project = (await ok(await owner.post("/projects", PROJECT)))["id"]
    for n in range(2):
        await ok(await owner.post(f"/projects/{project}/tasks", {"data": {"text": f"Text {n}"}}))
    await work(world, EMAIL)
    await work(world, OWN_EMAIL)
    await world.drain()
    members = {m["name"]: m for m in (await ok(await owner.get("/members")))["items"]}
    assert members[OWN_NAME]["email"] == OWN_EMAIL and members[OWN_NAME]["source"] == "own"
    (lent,) = [m for m in members.values() if m["source"] == "pool"]
    assert lent["name"].startswith("Worker ") and lent["email"] == ""
    rows = (await ok(await owner.get("/tasks")))["items"]
    paths = ["/members", "/audit", f"/projects/{project}/seats", f"/projects/{project}/progress",
             f"/exports?project={project}", *(f"/tasks/{row['id']}" for row in rows),
             *(f"/tasks/{row['id']}/history" for row in rows)]  # fmt: skip
    seen = "\n".join([(await owner.get(path)).text for path in paths])
    seen += (await world.client(auth=(acme.live_key, "")).get("/v1/teams")).text
    assert lent["name"] in seen and OWN_NAME in seen, "the search looks where names are"
    for secret in (EMAIL, NAME, "Zebedee", "zebedee"):
        assert secret not in seen
    # not hidden by the view alone: inside the wall nothing is kept that could be shown
    async with world.db.tx(acme.live, acme.actor) as tx:
        kept = [
            tx.seal.open(r["body"], At("member", r["person_id"]))
            for r in await store.MEMBER_LIST.all(tx, org=tx.org_id)
        ]
    assert OWN_EMAIL in str(kept) and "ebedee" not in str(kept)


async def test_two_customers_know_the_same_worker_by_two_names(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    await lend(world, acme.live, birch.live)
    names: set[str] = set()
    for customer in (acme, birch):
        owner = await world.browser(customer.owner_email, customer.live)
        names |= {m["name"] for m in (await ok(await owner.get("/members")))["items"] if m["source"] == "pool"}
    assert len(names) == 2


async def test_a_lent_worker_can_not_be_made_staff(world: World) -> None:
    """As a manager a worker would have a name, and see what managers see: only the customer's own people may."""
    acme = await world.customer("Acme")
    await lend(world, acme.live)
    owner = await world.browser(acme.owner_email, acme.live)
    (lent,) = [m for m in (await ok(await owner.get("/members")))["items"] if m["source"] == "pool"]
    refused = await owner.ask("PATCH", f"/members/{lent['person']}", json={"role": "manager"})
    assert refused.status_code == 409 and "shared by the operator" in refused.text
    moved = await ok(await owner.ask("PATCH", f"/members/{lent['person']}", json={"role": "reviewer"}))
    assert next(m["role"] for m in moved["items"] if m["person"] == lent["person"]) == "reviewer"
