"""Who may do what, over every route: roles, scopes of keys, and their immediate end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from evenhand.app.http.server import PREFIX
from evenhand.features.people import actions as people
from evenhand.features.people.rules import ALLOWED, ROLES, Verb
from tests.authenticator import add_passkey
from tests.conftest import Browser, World
from tests.features.access.people import open_link
from tests.laws.estate import Estate, fill
from tests.laws.test_twin import CUSTOMER, OPERATOR, PERSON, Ask, at, ids_of, made_up

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]

#: what a customer route needs; a route that is not here fails the test
NEEDS: dict[str, Verb] = {
    "GET /projects": Verb.READ,
    "POST /projects": Verb.WRITE,
    "GET /projects/{project}": Verb.READ,
    "PATCH /projects/{project}": Verb.WRITE,
    "GET /projects/{project}/versions": Verb.READ,
    "GET /projects/{project}/progress": Verb.READ,
    "GET /projects/{project}/views": Verb.READ,
    "PATCH /projects/{project}/views": Verb.READ,
    "POST /projects/{project}/quality/tasks": Verb.WRITE,
    "GET /projects/{project}/pilot": Verb.READ,
    "POST /projects/{project}/pilot/next": Verb.WORK,
    "POST /projects/{project}/pilot/go": Verb.WRITE,
    "GET /projects/{project}/seats": Verb.READ,
    "PUT /projects/{project}/seats": Verb.WRITE,
    "GET /projects/{project}/quality": Verb.READ,
    "PATCH /projects/{project}/quality": Verb.WRITE,
    "POST /projects/{project}/quality/again": Verb.WRITE,
    "GET /projects/{project}/batches": Verb.READ,
    "POST /projects/{project}/batches": Verb.WRITE,
    "GET /batches/{batch}": Verb.READ,
    "PATCH /batches/{batch}": Verb.WRITE,
    "POST /batches/{batch}/finalize": Verb.WRITE,
    "POST /batches/{batch}/pause": Verb.WRITE,
    "POST /batches/{batch}/resume": Verb.WRITE,
    "POST /batches/{batch}/cancel": Verb.WRITE,
    "POST /projects/{project}/tasks": Verb.WRITE,
    "POST /projects/{project}/tasks/bulk": Verb.WRITE,
    "POST /projects/{project}/tasks/exported": Verb.WRITE,
    "GET /tasks": Verb.READ,
    "POST /tasks/requeue": Verb.JUDGE,
    "GET /tasks/{task}": Verb.READ,
    "GET /tasks/{task}/history": Verb.READ,
    "POST /tasks/{task}/cancel": Verb.WRITE,
    "POST /tasks/{task}/requeue": Verb.JUDGE,
    "POST /tasks/{task}/audit": Verb.JUDGE,
    "POST /assets": Verb.WRITE,
    "GET /assets/{asset}": Verb.READ,
    "GET /callbacks": Verb.READ,
    "POST /callbacks/{callback}/replay": Verb.WRITE,
    "GET /settings/callbacks": Verb.MANAGE,
    "GET /exports": Verb.READ,
    "GET /exports/report": Verb.READ,
    "GET /deliveries": Verb.READ,
    "POST /deliveries": Verb.WRITE,
    "GET /members": Verb.READ,
    "POST /members/invite": Verb.MANAGE,
    "PATCH /members/{person}": Verb.MANAGE,
    "DELETE /members/{person}": Verb.MANAGE,
    "GET /keys": Verb.MANAGE,
    "POST /keys": Verb.MANAGE,
    "DELETE /keys/{key}": Verb.MANAGE,
    "GET /questions": Verb.READ,
    "POST /questions/{question}/answer": Verb.WRITE,
    "GET /access": Verb.MANAGE,
    "PUT /access/provider": Verb.MANAGE,
    "DELETE /access/provider": Verb.MANAGE,
    "POST /access/domains": Verb.MANAGE,
    "POST /access/domains/{domain}/verify": Verb.MANAGE,
    "DELETE /access/domains/{domain}": Verb.MANAGE,
    "PUT /access/networks": Verb.MANAGE,
    "GET /sessions": Verb.MANAGE,
    "DELETE /sessions/{session}": Verb.MANAGE,
    "GET /audit": Verb.READ,
    "GET /trust/bundle": Verb.READ,
    "GET /trust/status": Verb.READ,
    "GET /trust/feeds": Verb.MANAGE,
    "POST /trust/feeds": Verb.MANAGE,
    "PATCH /trust/feeds/{feed}": Verb.MANAGE,
    "DELETE /trust/feeds/{feed}": Verb.MANAGE,
    "GET /contract": Verb.READ,
    "GET /encryption": Verb.MANAGE,
    "POST /encryption/check": Verb.MANAGE,
    "PUT /encryption/service": Verb.MANAGE,
    "POST /encryption/rotate": Verb.MANAGE,
    "GET /projects/{project}/data": Verb.READ,
    "PUT /projects/{project}/retention": Verb.MANAGE,
    "PUT /projects/{project}/hold": Verb.MANAGE,
    "DELETE /projects/{project}/hold": Verb.MANAGE,
    "POST /projects/{project}/delete": Verb.MANAGE,
    "GET /deletions/{deletion}": Verb.READ,
    "GET /org": Verb.READ,
    "GET /org/data": Verb.READ,
    "POST /archive": Verb.MANAGE,
    "GET /archive": Verb.MANAGE,
    "POST /org/leave": Verb.MANAGE,
    "PUT /org/hold": Verb.MANAGE,
    "DELETE /org/hold": Verb.MANAGE,
    "GET /walls": Verb.READ,
    "GET /settings/media": Verb.READ,
    "GET /support": Verb.READ,
    "POST /support/grants": Verb.MANAGE,
    "DELETE /support/grants/{grant}": Verb.MANAGE,
    "GET /leavers": Verb.READ,
    "GET /people/{person}/report": Verb.READ,
    "PUT /walls": Verb.MANAGE,
    "PUT /settings/media": Verb.MANAGE,
    "DELETE /walls/{wall}": Verb.MANAGE,
}
_PLAIN: dict[str, Ask] = {
    "GET /projects": at("/projects"),
    "POST /projects": at("/projects", json={"name": "Another", "medium": "text"}),
    "POST /assets": at("/assets", files={"file": ("x.txt", b"words", "text/plain")}),
    "GET /settings/callbacks": at("/settings/callbacks"),
    "GET /members": at("/members"),
    "POST /members/invite": at("/members/invite", json={"email": "more@people.example", "role": "viewer"}),
    "GET /keys": at("/keys"),
    "POST /keys": at("/keys", json={"name": "more"}),
    "GET /access": at("/access"),
    "PUT /access/provider": at("/access/provider", json={"issuer": "https://id.invalid", "client_id": "x"}),
    "DELETE /access/provider": at("/access/provider"),
    "PUT /access/networks": at("/access/networks", json={"networks": []}),
    "GET /sessions": at("/sessions"),
    "GET /audit": at("/audit"),
    "GET /trust/bundle": at("/trust/bundle"),
    "GET /trust/status": at("/trust/status"),
    "GET /trust/feeds": at("/trust/feeds"),
    "POST /trust/feeds": at("/trust/feeds", json={"url": "https://siem.example/roles"}),
    "GET /contract": at("/contract"),
    "GET /org": at("/org"),
    "GET /encryption": at("/encryption"),
    "POST /encryption/check": at("/encryption/check"),
    "PUT /encryption/service": at("/encryption/service", json={"kind": "local"}),
    "GET /org/data": at("/org/data"),
    "POST /archive": at("/archive"),
    "GET /archive": at("/archive"),
    "POST /org/leave": at("/org/leave", json={"confirm": "not its name"}),
    "PUT /org/hold": at("/org/hold", json={"reason": "Case 7"}),
    "DELETE /org/hold": at("/org/hold"),
    "GET /walls": at("/walls"),
    "GET /settings/media": at("/settings/media"),
    "PUT /settings/media": at("/settings/media", json={"watermark": "off"}),
    "GET /support": at("/support"),
    "GET /leavers": at("/leavers"),
    "PUT /walls": at("/walls", json={"name": "Somebody", "cool_off_days": 9}),
}


def asks(name: str, ids: dict[str, str]) -> list[Ask]:
    return [_PLAIN[name]] if name in _PLAIN else CUSTOMER[name](ids, ids)


def test_every_route_says_what_it_needs() -> None:
    assert set(NEEDS) == set(CUSTOMER)


@pytest.fixture
async def estate(world: World) -> Estate:
    return await fill(world, "Acme", "ALPHA")


async def browser_as(world: World, estate: Estate, role: Any) -> Browser:
    email = f"{role}.extra@people.example"
    await world.worker(email, estate.customer.live, role=role)
    return await world.browser(email, estate.customer.live)


async def test_roles(world: World, estate: Estate) -> None:
    """Who may not is told so, with real ids at hand; who may gets past that."""
    ids = {**ids_of(estate), "n": "2"}
    faults: list[str] = []
    for role in ROLES:
        browser = await browser_as(world, estate, role)
        for name, verb in NEEDS.items():
            may = verb in ALLOWED[role]
            method = name.split(" ", 1)[0]
            for path, options in asks(name, {**made_up(ids), "n": role} if may else ids):
                reply = await browser.ask(method, path, **options)
                if (reply.status_code == 403) == may:
                    faults.append(f"{role} {name}: {reply.status_code} {reply.text[:200]}")
                if not may and reply.json()["code"] != "denied":
                    faults.append(f"{role} {name}: {reply.text[:200]}")
        for name in OPERATOR:
            method, path = name.split(" ", 1)
            reply = await browser.ask(method, path, json={"email": "x@y.example", "role": "operator"})
            if reply.status_code != 403:
                faults.append(f"{role} {name}: {reply.status_code}")
    assert not faults, "\n".join(faults)


async def test_scopes(world: World, estate: Estate) -> None:
    ids = {**ids_of(estate), "n": "3"}
    verbs = {Verb.READ: "read", Verb.WRITE: "write", Verb.JUDGE: "write", Verb.MANAGE: "manage", Verb.WORK: "work"}
    faults: list[str] = []
    for scopes in (["read"], ["write"], ["manage"], ["read", "write"]):
        made = await people.create_key(world.db, estate.customer.live, "live", scopes=scopes)
        api = world.keyed(made.key)
        for name, verb in NEEDS.items():
            may = verbs[verb] in scopes
            method = name.split(" ", 1)[0]
            # a write answers with what it wrote, which takes the right to read
            if may and "read" not in scopes and verb in (Verb.WRITE, Verb.JUDGE):
                continue
            for path, options in asks(name, {**made_up(ids), "n": "".join(scopes)} if may else ids):
                reply = await api.request(method, f"{PREFIX}{path}", **options)
                if (reply.status_code == 403) == may:
                    faults.append(f"{scopes} {name}: {reply.status_code} {reply.text[:200]}")
        more = await api.post(f"{PREFIX}/keys", json={"scopes": ["read", "write", "manage"]})
        assert more.status_code == 403, "a key makes no key that may do more than itself"
    assert not faults, "\n".join(faults)


async def test_doors_without_a_name(world: World, estate: Estate) -> None:
    """Nobody, a wrong key, a wrong cookie: 401 everywhere but on the public routes. A key is no person."""
    ids = ids_of(estate)
    settings = world.services.settings
    strangers = (
        world.client(),
        world.keyed("live_" + "x" * 43),
        world.keyed(""),
        world.keyed("x"),
        world.keyed(estate.customer.live_key[:-1]),
        world.keyed(estate.customer.live_key + "x"),
        world.client(headers={"authorization": "Basic bm90IGEga2V5Og=="}),
        world.client(headers={"authorization": "Basic !!!"}),
        world.client(headers={"authorization": "Bearer"}),
        world.client(headers={"cookie": f"{settings.cookie}={'x' * 43}"}),
        world.client(headers={"cookie": f"{settings.cookie}={'x' * 4000}"}),
    )
    for name in (*CUSTOMER, *PERSON, *OPERATOR):
        method = name.split(" ", 1)[0]
        path, options = ([*asks(name, ids), at("/audit")] if name in CUSTOMER else [at(name.split(" ", 1)[1])])[0]
        for stranger in strangers:
            reply = await stranger.request(method, f"{PREFIX}{path}", **options)
            assert reply.status_code == 401, f"{name}: {reply.status_code} {reply.text}"
            assert reply.json()["code"] == "signin" and reply.headers["www-authenticate"] == "Bearer"
    api = world.keyed(estate.customer.live_key)
    for name in (*PERSON, *OPERATOR):
        method, path = name.split(" ", 1)
        reply = await api.request(method, f"{PREFIX}{path}", json={"email": "x@y.example", "role": "operator"})
        assert reply.status_code == 403, f"{name}: {reply.status_code}"


async def test_a_key_ends_at_once(world: World) -> None:
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)

    async def status(key: str) -> int:
        return (await world.keyed(key).get(f"{PREFIX}/projects")).status_code

    made = (await owner.post("/keys", {"name": "k"})).json()
    assert made["key"].startswith(made["prefix"]) and await status(made["key"]) == 200
    assert (await owner.ask("DELETE", f"/keys/{made['id']}")).status_code == 200
    assert await status(made["key"]) == 401
    assert (await owner.ask("DELETE", f"/keys/{made['id']}")).status_code == 404
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert await status((await owner.post("/keys", {"expires_at": past})).json()["key"]) == 401
    assert await status((await owner.post("/keys", {"expires_at": soon})).json()["key"]) == 200
    # kept as a hash: the key is in no list and in no row
    assert made["key"] not in (await owner.get("/keys")).text
    async with world.db.tx(acme.live, acme.actor) as tx:
        rows = await tx.conn.fetch("select k::text as row from evenhand.api_key k")
        assert not any(made["key"][14:] in row["row"] for row in rows)


async def test_modes_are_walls(world: World) -> None:
    """A test key sees the test space; an owner of one space makes no keys for the other."""
    acme = await world.customer("Acme")
    live, test = world.keyed(acme.live_key), world.keyed(acme.test_key)
    project = (await live.post(f"{PREFIX}/projects", json={"name": "P", "medium": "text"})).json()["id"]
    assert (await test.get(f"{PREFIX}/projects/{project}")).status_code == 404
    assert (await test.post(f"{PREFIX}/keys", json={"mode": "live"})).status_code == 403
    await world.worker("tester@people.example", acme.test, role="owner")
    tester = await world.browser("tester@people.example", acme.test)
    assert (await tester.post("/keys", {"mode": "live"})).status_code == 403
    assert (await tester.post("/keys", {"mode": "test"})).json()["key"].startswith("test_")
    owner = await world.browser(acme.owner_email, acme.test)
    assert (await owner.post("/keys", {"mode": "live"})).json()["key"].startswith("live_")


async def test_who_leaves_is_gone_at_once(world: World, estate: Estate) -> None:
    """A removed annotator with a lease in hand sees nothing more, before any job has run."""
    owner = await world.browser(estate.customer.owner_email, estate.customer.live)
    ann = await world.browser("acme.ann@people.example")
    handle = estate.ids["handle"]
    assert (await ann.get(f"/work/{handle}")).status_code == 200
    assert (await owner.ask("DELETE", f"/members/{await world.alias(owner.org, ann.person)}")).status_code == 200
    body = {"key": "late", "answer": {"annotations": []}, "seconds": 1}
    for reply in (
        await ann.get(f"/work/{handle}"),
        await ann.post(f"/work/{handle}/submit", body),
        await ann.post(f"/work/{handle}/recall"),
        await ann.post(f"/work/{handle}/question", {"text": "May I?"}),
        await ann.ask("PUT", f"/work/{handle}/draft", json={"version": 99, "body": {}}),
    ):
        assert reply.status_code == 404, reply.text
    beats = (await ann.post("/work/heartbeat", {"handles": [handle]})).json()["leases"]
    assert beats == {handle: None}
    assert (await ann.post("/work/next", {"want": 1})).json()["assignments"] == []
    held = {(await owner.get(f"/tasks/{estate.ids[t]}")).json()["state"] for t in estate.ids if t.startswith("task_")}
    await world.drain()
    freed = {(await owner.get(f"/tasks/{estate.ids[t]}")).json()["state"] for t in estate.ids if t.startswith("task_")}
    assert "full" in held and "full" not in freed, "what was held is free again"
    assert (await ann.ask("DELETE", "/session")).status_code == 200
    # a customer's own people likewise
    viewer = await browser_as(world, estate, "viewer")
    assert (await viewer.get("/projects")).status_code == 200
    await owner.ask("DELETE", f"/members/{await world.alias(owner.org, viewer.person)}")
    assert (await viewer.get("/projects")).status_code == 404


async def test_the_last_owner_stays(world: World) -> None:
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    me = await world.alias(acme.live, owner.person)
    assert (await owner.ask("DELETE", f"/members/{me}")).status_code == 409
    assert (await owner.ask("PATCH", f"/members/{me}", json={"role": "viewer"})).status_code == 409
    again = await owner.post("/members/invite", {"email": acme.owner_email, "role": "viewer"})
    assert again.status_code == 409, "an invitation does not change the role of a member"
    assert (await owner.get("/keys")).status_code == 200


async def test_an_invitation_is_no_key_to_an_account(world: World) -> None:
    """Who invites sees the link. It must not open the account of somebody who has one, nor join another's invitation."""
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    rival = world.keyed(birch.live_key)
    link = (await rival.post(f"{PREFIX}/members/invite", json={"email": acme.owner_email, "role": "viewer"})).json()
    token = link["link"].rsplit("/", 1)[-1]
    assert (await world.client().get(f"{PREFIX}/links/{token}")).json()["known"] is True
    taken = await world.client().post(f"{PREFIX}/links/{token}", json={"password": "chosen by the rival", "name": "Me"})
    assert taken.status_code == 401, taken.text
    owner = await world.browser(acme.owner_email)  # still with the old password
    joined = await world.client().post(
        f"{PREFIX}/links/{token}", json={"password": "correct horse battery", "name": ""}
    )
    assert {o["id"] for o in joined.json()["orgs"]} == {acme.live, acme.test, birch.live}
    assert (await world.client().get(f"{PREFIX}/links/{token}")).status_code == 404
    assert (await owner.get("/session")).status_code == 200

    # a newcomer whom two invite: each link joins its own space only
    fresh = "newcomer@people.example"
    mine = await world.keyed(acme.live_key).post(f"{PREFIX}/members/invite", json={"email": fresh, "role": "owner"})
    theirs = await rival.post(f"{PREFIX}/members/invite", json={"email": fresh, "role": "viewer"})
    squatter = await open_link(world, theirs.json()["link"], password="chosen by the rival")
    await add_passkey(squatter)
    assert [o["id"] for o in (await squatter.get("/session")).json()["orgs"]] == [birch.live]
    stolen: httpx.Response = await world.client().post(
        f"{PREFIX}/links/{mine.json()['link'].rsplit('/', 1)[-1]}",
        json={"password": "chosen by acme's man", "name": "N"},
    )
    assert stolen.status_code == 401


async def test_an_operators_flag_waits_for_the_link(world: World) -> None:
    """Inviting an operator makes nobody an operator; a customer's link to the same address never does."""
    await people.add_person(world.db, "root@operator.example", "Root", "correct horse battery", operator=True)
    birch = await world.customer("Birch")
    root = await world.browser("root@operator.example")
    invited = await root.post("/operator/people/invite", {"email": "two@operator.example", "role": "operator"})
    link = await world.keyed(birch.live_key).post(
        f"{PREFIX}/members/invite", json={"email": "two@operator.example", "role": "viewer"}
    )
    two = await open_link(world, link.json()["link"])
    await add_passkey(two)
    assert (await two.get("/session")).json()["person"]["operator"] is False
    token = invited.json()["link"].rsplit("/", 1)[-1]
    assert (await two.post(f"/links/{token}", {})).json()["person"]["operator"] is True


async def test_an_operator_has_no_standing_access(world: World, estate: Estate) -> None:
    await people.add_person(world.db, "root@operator.example", "Root", "correct horse battery", operator=True)
    root = await world.browser("root@operator.example", estate.customer.live)
    ids = ids_of(estate)
    for name in CUSTOMER:
        for path, options in asks(name, ids):
            reply = await root.ask(name.split(" ", 1)[0], path, **options)
            assert reply.status_code == 404, f"{name}: {reply.status_code} {reply.text}"
    for name in ("handle", "submitted_handle", "review_handle"):
        assert (await root.get(f"/work/{ids[name]}")).status_code == 404
    seen = (await root.get("/operator/overview")).text
    assert estate.mark not in seen and estate.customer.name in seen
