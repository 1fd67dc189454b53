"""What is stored is sealed with the organisation's key: whoever has the database without the keys reads nothing of a
customer, and whoever takes the key away ends all reading."""

import asyncio
import json
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from evenhand.app import worker
from evenhand.app.http.server import PREFIX
from evenhand.app.opening import key_service
from evenhand.features.people import actions as people
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.kms.local import LocalKeys
from evenhand.infra.kms.port import Context, KeyServiceDown
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import at
from tests.conftest import KEYS, World, settings_for, world_of
from tests.laws.estate import fill
from tests.laws.test_canary import sightings
from tests.laws.test_twin import ids_of
from tests.pg import TestServer
from tests.security.sealing import CANARY, Clock, everything, looking, project_with

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]


@pytest.fixture
def clock() -> Clock:
    """By which the keys of the world live."""
    return Clock()


@pytest.fixture
async def world(urls: DatabaseUrls, tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    settings = settings_for(tmp_path)
    settings.home.make()
    worker.listen()
    async with (
        Database(urls, KEYS, key_service(settings.home, KEYS), record, clock=clock) as db,
        world_of(settings, db) as made,
    ):
        yield made


def _dump(conn: psycopg.Connection[Any]) -> bytes:
    """Every row of every table, as `pg_dump` writes it."""
    tables = conn.execute(
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')"
        " and n.nspname not like 'pg_toast%'"
    ).fetchall()
    out = bytearray()
    for schema, table in tables:
        statement = sql.SQL("copy (select * from {}) to stdout").format(sql.Identifier(schema, table))
        with conn.cursor() as cursor, cursor.copy(statement) as copy:
            for piece in copy:
                out += bytes(piece)
    return bytes(out)


def _on_disk(conn: psycopg.Connection[Any], folder: Path) -> list[str]:
    """Where the canary is found among the files of the database, the write-ahead log among them."""
    conn.execute("checkpoint")
    found: list[str] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (seen := sightings(path.read_bytes(), CANARY)):
            found.append(f"{path.relative_to(folder)}: {seen[0][:80]}")
    return found


async def test_nothing_of_a_customer_lies_in_the_database(
    world: World, pg_server: TestServer, urls: DatabaseUrls
) -> None:
    acme = await fill(world, "Acme", CANARY)
    api = world.keyed(acme.customer.live_key)
    assert CANARY in (await api.get(f"{PREFIX}/projects/{acme.ids['project']}")).text
    with looking(pg_server, urls) as conn:
        dump = await asyncio.to_thread(_dump, conn)
        assert acme.ids["project"].encode() in dump and len(dump) > 50_000, "the dump has the rows"
        assert not sightings(dump, CANARY), sightings(dump, CANARY)[:3]
        assert await asyncio.to_thread(_on_disk, conn, pg_server.home.pg) == []
        # the search would have found it: in the table, its files and the log
        conn.execute(
            "update evenhand.setting set body = %s where org_id = %s",
            (b"\x00" + json.dumps(CANARY).encode(), acme.customer.live),
        )
        assert sightings(_dump(conn), CANARY)
        seen = await asyncio.to_thread(_on_disk, conn, pg_server.home.pg)
    assert any("base/" in place for place in seen) and any("pg_wal/" in place for place in seen), seen


async def test_a_revoked_key_ends_every_read_and_nobody_elses(world: World, clock: Clock) -> None:
    acme, birch = await fill(world, "Acme", CANARY), await fill(world, "Birch", "OTHER")
    mine, rival = world.keyed(acme.customer.live_key), world.keyed(birch.customer.live_key)
    before = await everything(world, acme.customer.live_key, ids_of(acme))
    assert [status for status, _ in before.values()].count(200) > 20
    theirs = await everything(world, birch.customer.live_key, ids_of(birch))
    service = world.db.key_service
    await service.enable(f"org-{acme.customer.live}", enabled=False)
    clock.now += 299
    for name, (status, body) in (await everything(world, acme.customer.live_key, ids_of(acme))).items():
        assert (status, CANARY in body) == (403, False), f"{name}: {status} {body[:200]}"
        assert "key_revoked" in body and "may not be used: it is disabled" in body, f"{name}: {body[:300]}"
    test = world.keyed(acme.customer.test_key)
    assert (await test.get(f"{PREFIX}/projects")).status_code == 403, "the test space has the same customer"
    refused = await mine.post(f"{PREFIX}/projects", json={"name": "New", "medium": "text"})
    assert refused.status_code == 403 and "enable the key" in refused.json()["hint"]
    compatible = world.client(auth=(acme.customer.live_key, ""))
    for path in ("/v1/tasks", "/v1/projects", "/v2/tasks"):
        reply = await compatible.get(path)
        assert reply.status_code == 403 and "may not be used" in reply.json()["error"], f"{path}: {reply.text}"
    for link in acme.links:
        media = await world.client(headers={"host": "127.0.0.1:8080"}).get(link)
        assert media.status_code == 403, f"{link}: {media.status_code}"
    after = await everything(world, birch.customer.live_key, ids_of(birch))
    assert {name: status for name, (status, _) in after.items()} == {n: s for n, (s, _) in theirs.items()}
    assert (await rival.post(f"{PREFIX}/projects", json={"name": "New", "medium": "text"})).status_code == 200
    await service.enable(f"org-{acme.customer.live}", enabled=True)
    clock.now += 5
    again = await everything(world, acme.customer.live_key, ids_of(acme))
    assert {name: status for name, (status, _) in again.items()} == {n: s for n, (s, _) in before.items()}


async def test_a_shared_annotator_goes_on_with_the_others(world: World, clock: Clock) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    await world.worker("pool@people.example", acme.live, birch.live, shared=True)
    for customer in (acme, birch):
        await project_with(world, customer.live_key, 3)
    await world.drain()
    ann = await world.browser("pool@people.example")
    of_acme: list[str] = []
    while not of_acme:
        held = (await ann.post("/work/next", {"want": 2})).json()["assignments"]
        of_acme = [one["handle"] for one in held if one["handle"].startswith(acme.live)]
    await world.db.key_service.enable(f"org-{acme.live}", enabled=False)
    clock.now += 299
    got = await ann.post("/work/next", {"want": 1})
    assert got.status_code == 200 and got.json()["assignments"][0]["handle"].startswith(birch.live), got.text
    summary = await ann.get("/work/summary")
    assert summary.status_code == 200 and len(summary.json()["projects"]) == 1
    assert (await ann.get("/work/inbox")).status_code == 200
    beats = await ann.post("/work/heartbeat", {"handles": of_acme})
    assert beats.status_code == 200 and all(beats.json()["leases"].values()), "nobody loses the time meanwhile"
    answer = {"key": "k", "answer": {"annotations": []}, "seconds": 1}
    refused = await ann.post(f"/work/{of_acme[0]}/submit", answer)
    assert (refused.status_code, refused.json()["code"]) == (403, "key_revoked")
    await world.worker("stranger@people.example", birch.live)
    stranger = await world.browser("stranger@people.example")
    hidden = await stranger.post(f"/work/{of_acme[0]}/submit", answer)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "missing"), "a stranger learns nothing of keys"
    await world.db.key_service.enable(f"org-{acme.live}", enabled=True)
    clock.now += 5
    assert (await ann.post(f"/work/{of_acme[0]}/submit", answer)).status_code == 200


async def test_jobs_wait_for_a_key_and_for_nothing_else(world: World, clock: Clock, urls: DatabaseUrls) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    for customer in (acme, birch):
        await project_with(world, customer.live_key, 1)
        await world.worker(f"ann@{customer.name.lower()}.example", customer.live)
    await world.db.key_service.enable(f"org-{acme.live}", enabled=False)
    clock.now += 299

    async def states(org: str) -> set[tuple[str, int]]:
        async with world.db.tx(org, SYSTEM, unproved=True) as tx:
            return {tuple(r) for r in await tx.conn.fetch("select state, attempts from evenhand.job")}

    assert ("ready", 0) in await states(acme.live) and ("ready", 0) in await states(birch.live)
    await world.drain()
    assert await states(birch.live) == {("done", 1)}
    assert await states(acme.live) == {("ready", 0)}, "no try is used up"
    await world.db.key_service.enable(f"org-{acme.live}", enabled=True)
    clock.now += 5
    with psycopg.connect(urls.picker, autocommit=True) as conn:
        conn.execute("update evenhand.job set run_at = now() where state = 'ready'")  # a minute later
    await world.drain()
    assert await states(acme.live) == {("done", 1)}


async def test_a_project_without_its_key_is_gone_for_good(
    world: World, pg_server: TestServer, urls: DatabaseUrls, clock: Clock
) -> None:
    """The wrapped keys of one project are deleted: within the life of the keys nobody reads it, and all else goes on."""
    acme = await world.customer("Acme")
    kept, gone = await project_with(world, acme.live_key, 1), await project_with(world, acme.live_key, 0, "P2")
    api = world.keyed(acme.live_key)
    assert (await api.get(f"{PREFIX}/projects/{gone}")).status_code == 200
    with looking(pg_server, urls) as conn:
        assert conn.execute("delete from evenhand.data_key where project_id = %s", (gone,)).rowcount == 1
    clock.now += 299
    reply = await api.get(f"{PREFIX}/projects/{gone}")
    assert (reply.status_code, reply.json()["code"]) == (404, "key_destroyed"), reply.text
    assert (await api.get(f"{PREFIX}/projects/{kept}")).status_code == 200


async def test_a_row_of_another_customer_does_not_open(world: World, pg_server: TestServer, urls: DatabaseUrls) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    stolen, target = await project_with(world, acme.live_key, 1), await project_with(world, birch.live_key, 1)
    rival = world.keyed(birch.live_key)
    assert (await rival.get(f"{PREFIX}/projects/{target}")).status_code == 200
    with looking(pg_server, urls) as conn:
        done = conn.execute(
            "update evenhand.project set body = (select body from evenhand.project where project_id = %s)"
            " where project_id = %s",
            (stolen, target),
        )
        assert done.rowcount == 1
    reply = await rival.get(f"{PREFIX}/projects/{target}")
    assert (reply.status_code, reply.json()["code"]) == (409, "altered"), reply.text


async def test_wrapped_keys_of_another_customer_do_not_open(
    world: World, pg_server: TestServer, urls: DatabaseUrls
) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    with looking(pg_server, urls) as conn:
        for table, columns in (("org_key", "wrapped, key_id"), ("data_key", "wrapped, under")):
            conn.execute(
                sql.SQL("update evenhand.{t} set ({c}) = (select {c} from evenhand.{t} where org_id = %s)"
                        " where org_id = %s").format(t=sql.Identifier(table), c=sql.SQL(columns)),
                (acme.live, birch.live),
            )  # fmt: skip
    async with (
        Database(urls, KEYS, world.db.key_service, record) as db,
        world_of(world.services.settings, db) as restarted,
    ):
        reply = await restarted.keyed(birch.live_key).get(f"{PREFIX}/projects")
        assert (reply.status_code, reply.json().get("code")) == (409, "altered"), reply.text
        assert (await restarted.keyed(acme.live_key).get(f"{PREFIX}/projects")).status_code == 200


class Away(LocalKeys):
    """A service that nobody reaches."""

    async def unwrap(self, key_id: str, wrapped: bytes, context: Context) -> bytes:
        raise KeyServiceDown("The key service did not answer.")


async def test_a_service_that_is_away_is_told_as_that(world: World, urls: DatabaseUrls, tmp_path: Path) -> None:
    acme = await world.customer("Acme")
    service = Away(tmp_path / "away", b"r" * 32)
    async with Database(urls, KEYS, service, record) as db, world_of(world.services.settings, db) as without:
        reply = await without.keyed(acme.live_key).get(f"{PREFIX}/projects")
    assert (reply.status_code, reply.json().get("code")) == (502, "key_service_down"), reply.text
    assert "Try again in a minute" in reply.json()["hint"]


_BESIDE = """
import asyncio, pickle, sys
from pathlib import Path
from evenhand.app.opening import key_service
from evenhand.features.projects import actions as projects
from evenhand.infra.crypto.datakey import KeyDestroyed, KeyNotHeld
from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.home import Home
from tests.conftest import KEYS

async def main(urls, home, org):
    async with Database(urls, KEYS, key_service(Home(Path(home)), KEYS), record) as db, db.tx(org, SYSTEM) as tx:
        print(*(p.name for p in await projects.list_projects(tx)))
        await projects.create_project(tx, projects.NewProject("From beside", "text", {"fields": []}))

asyncio.run(main(pickle.loads(bytes.fromhex(sys.argv[1])), *sys.argv[2:]))
"""


async def test_a_restart_and_another_process_openeverything(world: World, urls: DatabaseUrls) -> None:
    acme = await world.customer("Acme")
    await project_with(world, acme.live_key, 1)
    home = str(world.services.settings.home.path)
    arguments = [sys.executable, "-c", _BESIDE, pickle.dumps(urls).hex(), home, acme.live]
    beside = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, timeout=60)
    assert beside.stdout.split() == ["P1"], beside.stderr
    seen = (await world.keyed(acme.live_key).get(f"{PREFIX}/projects")).json()["items"]
    assert {p["name"] for p in seen} == {"P1", "From beside"}
    async with Database(urls, KEYS, LocalKeys(Path(home) / "keys" / "kms", KEYS.key("kms-root")), record) as again:
        assert (await people.find_org(again, "Acme")).id == acme.live, "names are found by the same index as before"
        async with again.tx(acme.live, SYSTEM) as tx:
            projects = await tx.conn.fetch("select project_id, body from evenhand.project")
            tasks = await tx.conn.fetch("select project_id, task_id, body from evenhand.task")
            assert len([tx.seal.open(row["body"], at("project", row)) for row in projects]) == 2
            assert len([tx.seal.open(row["body"], at("task", row)) for row in tasks]) == 1


async def test_an_organisation_and_its_keys_are_made_at_once_or_not_at_all(
    world: World, pg_server: TestServer, urls: DatabaseUrls
) -> None:
    await world.customer("Acme")
    with looking(pg_server, urls) as conn:
        conn.execute("alter table evenhand.data_key add constraint none_more check (version > 1) not valid")
        with pytest.raises(Exception, match="none_more"):
            await people.create_org(world.db, "Birch")
        (count,) = conn.execute("select count(*) from evenhand.org").fetchone() or (0,)
        assert count == 2, "only those of Acme"
        conn.execute("alter table evenhand.data_key drop constraint none_more")
    assert (await people.create_org(world.db, "Birch")).name == "Birch"
