"""Two customers lay everything that they are given about one shared worker side by side: no name, no id and no hash is the same.

Every route that a customer may read is walked, those added tomorrow included, and the compatible doors beside them."""

import json
import re

import pytest

from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX
from evenhand.features.people.aliases import pseudonym
from evenhand.infra.db import SYSTEM
from evenhand.infra.facts import person_alias
from evenhand.infra.seal import At
from tests.conftest import World
from tests.laws.estate import Estate, answer, fill
from tests.laws.test_twin import CUSTOMER, ids_of

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]
KIM = "kim.shared@pool.example"
FORMATS = ("jsonl", "coco", "yolo", "csv")
#: what could identify somebody: eight letters or digits in a row, at least one of them a digit
_TOKEN = re.compile(r"(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{8,}")
#: a moment, written out or in Unix seconds: two customers may look within the same one
_TIME = re.compile(r"20\d\d-?\d\d-?\d\d(T\d\d)?|1[789]\d{8}")
_DOORS = ("/v1/tasks", "/v1/tasks?limit=5", "/v1/batches", "/v1/projects", "/v1/teams", "/v1/quality/labelers",
          "/v1/studio/assignments", "/v1/audits", "/v2/projects", "/v2/tasks")  # fmt: skip


def tokens(text: str) -> set[str]:
    found = {t for t in _TOKEN.findall(text) if not _TIME.fullmatch(t)}
    return found | {t.lower().replace("-", "") for t in found}


async def works(world: World, estate: Estate, n: int, email: str = KIM) -> list[str]:
    """Kim, or somebody else, does tasks of this customer; gives the ids of the tasks."""
    api = world.keyed(estate.customer.live_key)
    made = await api.post(f"{PREFIX}/projects", json={"name": f"Shared {n}", "medium": "text", "review": "none"})
    project = made.json()["id"]
    estate.ids["shared"] = project
    for k in range(2):
        await api.post(f"{PREFIX}/projects/{project}/tasks", json={"data": {"text": f"words {n} {k}"}})
    await world.drain()
    kim = await world.browser(email)
    done: list[str] = []
    while held := (await kim.post("/work/next", {"want": 1})).json()["assignments"]:
        sent = {"key": held[0]["handle"], "seconds": 2, "answer": answer(f"note {n}")}
        if not held[0]["ontology"].get("fields"):
            sent["answer"] = {"annotations": []}
        reply = await kim.post(f"/work/{held[0]['handle']}/submit", sent)
        assert reply.status_code == 200, reply.text
        done.append(held[0]["task"])
    await kim.post("/work/release", {"handles": []})
    return done


async def all_that(world: World, estate: Estate, tasks: list[str]) -> str:
    """Everything that this customer can read, by its key and as its owner, evidence and exports unpacked."""
    key = world.keyed(estate.customer.live_key)
    owner = await world.browser(estate.customer.owner_email, estate.customer.live)
    ids = ids_of(estate)
    out: list[str] = []
    asked = 0
    for route in ROUTES:
        if route.method != "GET" or route.who != "customer" or route.path == "/trust/bundle":
            continue
        for path, options in CUSTOMER[f"GET {route.path}"](ids, ids) or [(route.path, {})]:
            for send in (key.get, owner.client.get):
                headers = {"evenhand-org": estate.customer.live} if send is owner.client.get else {}
                reply = await send(f"{PREFIX}{path}", headers=headers, **options)
                out.append(reply.text)
                asked += 1
    assert asked > 50
    for task in tasks:
        for more in ("", "/history"):
            out.append((await key.get(f"{PREFIX}/tasks/{task}{more}")).text)
    for project in (ids["project"], estate.ids["shared"]):
        out += [(await key.get(f"{PREFIX}/exports", params={"project": project, "format": f})).text for f in FORMATS]
        for part in ("seats", "progress", "quality"):
            out.append((await key.get(f"{PREFIX}/projects/{project}/{part}")).text)
    for path in (*_DOORS, *(f"/v1/task/{task}" for task in tasks), *(f"/v2/task?task_id={task}" for task in tasks)):
        out.append((await key.get(path)).text)
    async with world.db.tx(estate.customer.live, SYSTEM) as tx:  # what the bundle opens: every event's body
        rows = await tx.conn.fetch("select fact_id, body from evenhand.fact where org_id = $1", estate.customer.live)
        out += [json.dumps(tx.seal.open(row["body"], At("fact", row["fact_id"]))) for row in rows]
    return "\n".join(out)


async def sealed_turns(world: World, org: str) -> set[str]:
    async with world.db.tx(org, SYSTEM) as tx:
        rows = await tx.conn.fetch(
            "select fact_id, body from evenhand.fact where org_id = $1 and kind in ('TurnsSealed', 'FlowEnrolled')", org
        )
        bodies = [tx.seal.open(row["body"], At("fact", row["fact_id"])) for row in rows]
    return {body[name] for body in bodies for name in ("root", "seed", "seeds") if name in body}


@pytest.fixture
async def three(world: World) -> list[Estate]:
    return [await fill(world, name, mark) for name, mark in (("Acme", "ALPHA"), ("Birch", "BETA"), ("Cedar", "GAMMA"))]


async def test_nothing_links_a_shared_worker(world: World, three: list[Estate]) -> None:
    spaces = [estate.customer.live for estate in three[:2]]
    person = await world.worker(KIM, *spaces, shared=True)
    await world.drain()
    seen: list[str] = []
    for n, estate in enumerate(three[:2]):
        done = await works(world, estate, n)
        assert done, "Kim worked here"
        seen.append(await all_that(world, estate, done))
    mine = [person_alias(await world.db.seal(space), person) for space in spaces]
    for text, alias in zip(seen, mine, strict=True):
        assert person not in text and KIM not in text and "kim.shared" not in text, "the real one is nowhere"
        assert alias in text, "and yet the customer can tell its workers apart"
    assert mine[0] != mine[1]
    # what a third customer, whom Kim has never worked for, is told as well is the same for everybody
    lee = await world.worker("lee.other@pool.example", three[2].customer.live, shared=True)
    await world.drain()
    done = await works(world, three[2], 2, "lee.other@pool.example")
    control = await all_that(world, three[2], done)
    assert person_alias(await world.db.seal(three[2].customer.live), lee) in control
    # the root of a batch of decisions, and what commits to its seeds, are told to all who waited in it, whoever did the work
    told = {t for space in spaces for t in await sealed_turns(world, space)}
    assert tokens(seen[0]) & tokens(seen[1]) - tokens(control) - told == set()


async def test_the_search_sees_what_is_common() -> None:
    assert tokens('{"person":"01a206f2f3d8529e9d1cfa72","at":"2026-11-23T05:59:11Z"}') == {"01a206f2f3d8529e9d1cfa72"}
    assert "9f3a11c077ab20e4" in tokens("Worker 9F3A-11C0-77AB-20E4")


async def test_an_alias_is_no_shorter_than_64_bits_and_only_ones_own_is_taken(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    person = await world.worker(KIM, acme.live, birch.live, shared=True)
    async with world.db.tx(acme.live, SYSTEM) as tx:
        name = pseudonym(tx, person)
    assert len(re.sub("[^0-9A-F]", "", name.removeprefix("Worker "))) * 4 >= 64
    api = world.keyed(acme.live_key)
    theirs = await world.alias(birch.live, person)
    for wrong in (person, theirs, "0" * 24):
        assert (await api.patch(f"{PREFIX}/members/{wrong}", json={"role": "reviewer"})).status_code == 404
        assert (await api.get(f"{PREFIX}/tasks", params={"person": wrong})).json()["items"] == []
    right = await world.alias(acme.live, person)
    assert (await api.patch(f"{PREFIX}/members/{right}", json={"role": "reviewer"})).status_code == 200
