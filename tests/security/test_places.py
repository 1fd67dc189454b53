"""Each sealed body opens where it lies and nowhere else: not as another row's, project's, table's or version's."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql

from evenhand.app.http.server import PREFIX
from evenhand.features.people import actions as people
from evenhand.features.projects.groups import create_group
from evenhand.infra.crypto.datakey import KeyDestroyed, KeyNotHeld
from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.fetch import ALLOW_VARIABLE
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from tests.conftest import KEYS, PASSWORD, World, world_of
from tests.features.access.idp import Provider, serving
from tests.features.access.test_provider import show_domain, trip
from tests.laws.estate import Estate, fill
from tests.pg import TestServer
from tests.security.sealing import CANARY, looking, project_with

pytestmark = pytest.mark.anyio
_OF_ASSIGNMENT = "(select a.project_id from evenhand.assignment a where a.assignment_id = t.assignment_id)"
NONE = "''"
#: how the place of a body is named, by the columns of its row: object, project, version
PLACES = {
    "answer": ("answer_id", "project_id", ""), "api_key": ("key_id", "", ""), "asset": ("asset_id", "", ""),
    "assignment": ("assignment_id", "project_id", ""), "batch": ("batch_id", "project_id", ""),
    "contract": ("version::text", "", ""), "hold": ("project_id", "", ""),
    "callback": ("callback_id", "", ""), "callback_try": ("callback_id", "", "try_no"),
    "delivery": ("delivery_id", "project_id", ""),
    "draft": ("assignment_id", _OF_ASSIGNMENT, "version"),
    "fact": ("fact_id", "", ""), "idempotency": ("actor_id || '/' || encode(key_mac, 'hex')", "", ""),
    "import_chunk": ("encode(key_mac, 'hex') || '/' || first_line", "project_id", ""),
    "job": ("job_id", "", ""), "job_step": ("job_id || '/' || step", "", ""), "member": ("person_id", "", ""),
    "notice": ("notice_id", "coalesce(project_id, '')", ""), "project": ("project_id", "project_id", ""),
    "project_version": ("project_id", "project_id", "version"), "question": ("question_id", "project_id", ""),
    "review": ("review_id", "project_id", ""), "setting": ("name", "coalesce(substring(name from '^views ([^ ]+)'), '')", ""),
    "task": ("task_id", "project_id", ""), "worker_group": ("group_id", "project_id", ""),
    "wall": ("wall_id", "", ""), "feed": ("feed_id", "", ""), "access_grant": ("grant_id", "", ""),
    "glass_ask": ("ask_id", "", ""), "viewing": ("viewing_id", "", ""), "provider": (NONE, "", ""),
    "email_domain": ("encode(domain_mac, 'hex')", "", ""), "entrance": ("session_id", "", ""),
}  # fmt: skip
#: sealed by the installation, under the platform's own keys
_PLATFORM = {"org", "person", "key_service", "session", "passkey", "totp", "ceremony", "conflict_group"}


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv(ALLOW_VARIABLE, "1")  # the double is on this machine
    with serving(Provider()) as made:
        yield made


async def _the_rest(world: World, acme: Estate, idp: Provider) -> None:
    """What the estate has none of, because it would change how its other parts are met."""
    live, name = acme.customer.live, "root@operator.example"
    async with world.db.tx(live, acme.customer.actor) as tx:
        await create_group(tx, acme.ids["project"], "night shift", [])
    owner = await world.browser(acme.customer.owner_email, live)
    provider = {"issuer": idp.issuer, "client_id": idp.client_id, "client_secret": idp.client_secret}
    await people.add_person(world.db, name, "Root", PASSWORD, operator=True)
    root = await world.browser(name)
    for reply in (
        await owner.ask("PUT", "/access/provider", json=provider),
        await owner.ask("PUT", "/org/hold", json={"reason": "Case 7"}),
        await root.ask("PUT", f"/operator/contracts/{live}", json={"price_class": "double"}),
        await root.post("/operator/break-glass", {"org": live, "minutes": 5, "reason": "The export is empty."}),
    ):
        assert reply.status_code == 200, reply.text
    await show_domain(world, owner)
    assert await trip(world.client(), idp) == "/"


async def _places(conn: Any) -> list[tuple[At, bytes]]:
    """Every sealed body of the organisation whose context is signed, with its place."""
    out: list[tuple[At, bytes]] = []
    for table, (object_, project, version) in PLACES.items():
        rows = await conn.fetch(
            f"select {object_} as object, {project or NONE} as project, {version or 0} as version, body"
            f" from evenhand.{table} t"
        )
        out += [(At(table, r["object"], r["project"], r["version"]), r["body"]) for r in rows]
    return out


async def test_every_body_opens_at_its_own_place_only(
    world: World, pg_server: TestServer, urls: DatabaseUrls, idp: Provider
) -> None:
    """No row's body opens as another row's, another project's, another table's or another version's."""
    acme = await fill(world, "Acme", CANARY)
    await _the_rest(world, acme, idp)
    more = await project_with(world, acme.customer.live_key, 2)
    api = world.keyed(acme.customer.live_key)
    for key in ("one", "two"):
        sent = await api.post(
            f"{PREFIX}/projects", json={"name": key, "medium": "text"}, headers={"idempotency-key": key}
        )
        assert sent.status_code == 200, sent.text
        path = f"{PREFIX}/projects/{more}/tasks/bulk?import={key}"
        sent = await api.post(path, content='{"data": {"text": "x"}}')
        assert sent.status_code == 200, sent.text
    with looking(pg_server, urls) as conn:
        tables = {
            name
            for (name,) in conn.execute(
                "select table_name from information_schema.columns"
                " where table_schema = 'evenhand' and column_name = 'body' and data_type = 'bytea'"
            )
        }
    assert tables == PLACES.keys() | _PLATFORM, "a table with a body belongs into the list above"
    async with world.db.tx(acme.customer.live, SYSTEM) as tx:
        found = await _places(tx.conn)
        assert {place.table for place, _ in found} == PLACES.keys(), "a table without a row shows nothing"
        assert any(place.project == more for place, _ in found)
        rest = [place for place, _ in found]
        for n, (place, body) in enumerate(found):
            tx.seal.open_json(body, place)
            wrong = {
                place._replace(version=place.version + 1),
                place._replace(object=place.object + "0"),
                place._replace(table="task" if place.table != "task" else "answer"),
                place._replace(project="" if place.project else more),
                rest[(n + 1) % len(rest)],
                next((p for p in rest[n + 1 :] if p.table == place.table), place._replace(object="x")),
            }
            for elsewhere in wrong - {place}:
                with pytest.raises((Altered, KeyDestroyed, KeyNotHeld)):
                    tx.seal.open_json(body, elsewhere)


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ("task", "/tasks/{done_task}"),
        ("answer", "/tasks/{done_task}"),
        ("project_version", "/projects/{project}"),
        ("batch", "/batches/{batch}"),
        ("question", "/questions?project={project}"),
    ],
)
async def test_a_row_of_the_same_customer_does_not_open_elsewhere(
    world: World, pg_server: TestServer, urls: DatabaseUrls, table: str, path: str
) -> None:
    """Somebody who writes to the database gives a row the body of another of the same customer: every door refuses it."""
    acme = await fill(world, "Acme", CANARY)
    api = world.keyed(acme.customer.live_key)
    address = f"{PREFIX}{path.format(**acme.ids)}"
    assert (await api.get(address)).status_code == 200
    with looking(pg_server, urls) as conn:
        name = sql.Identifier(table)
        bodies = conn.execute(
            sql.SQL("select ctid, body from evenhand.{t} where org_id = %s").format(t=name), (acme.customer.live,)
        ).fetchall()
        if len(bodies) == 1:  # there is one only: its body is put back as it was for an earlier row
            bodies.append((bodies[0][0], conn.execute("select body from evenhand.project").fetchall()[0][0]))
        for (row, _), (_, other) in zip(bodies, bodies[1:] + bodies[:1], strict=True):
            conn.execute(sql.SQL("update evenhand.{t} set body = %s where ctid = %s").format(t=name), (other, row))
    reply = await api.get(address)
    assert (reply.status_code, reply.json()["code"]) == (409, "altered"), reply.text


async def test_a_project_made_elsewhere_is_known_at_once(world: World, urls: DatabaseUrls) -> None:
    """Another process holds the organisation's keys already when a project is made: it learns the new key when it needs it."""
    acme = await world.customer("Acme")
    async with Database(urls, KEYS, world.db.key_service, record) as db, world_of(world.services.settings, db) as other:
        there = other.keyed(acme.live_key)
        assert (await there.get(f"{PREFIX}/projects")).json()["items"] == []
        project = await project_with(world, acme.live_key, 1)
        listed = await there.get(f"{PREFIX}/projects")  # names no project
        assert [p["id"] for p in listed.json()["items"]] == [project], listed.text
        second = await project_with(world, acme.live_key, 2, "P2")
        tasks = await there.get(f"{PREFIX}/tasks")
        assert tasks.status_code == 200 and len(tasks.json()["items"]) == 3, tasks.text
        assert (await there.get(f"{PREFIX}/projects/{second}")).status_code == 200
        third = await project_with(world, acme.live_key, 1, "P3")
        compatible = other.client(auth=(acme.live_key, ""))
        assert (await compatible.get("/v1/projects")).status_code == 200
        await world.worker("ann@acme.example", acme.live)
        await world.drain()
        fourth = await project_with(world, acme.live_key, 1, "P4")
        ann = await other.browser("ann@acme.example")
        seen: set[str] = set()
        for _ in range(5):
            leased = await ann.post("/work/next", {"want": 1})
            assert leased.status_code == 200, leased.text
            seen |= {one["project"]["id"] for one in leased.json()["assignments"]}
        assert {third, fourth} <= seen
