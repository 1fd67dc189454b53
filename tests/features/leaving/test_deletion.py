"""Deletion that can be proved: what is gone, what is left, and what the customer's verifier says of it."""

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from evenhand.app import worker
from evenhand.app.transparency import log_signer
from evenhand.features.leaving import running, store
from evenhand.features.leaving.retention import run_retention
from evenhand.features.trust.sequencer import tick
from evenhand.infra.db import SYSTEM
from evenhand.infra.jobs import Worker, enqueue
from evenhand.pure.log.deletions import Commitment
from evenhand.pure.log.notes import Note
from evenhand.pure.log.report import OK
from tests.conftest import World
from tests.features.trust.test_log import bundle_of, checked, end_epoch, faults, log_in, work
from tests.laws.estate import Estate, fill, picture

pytestmark = pytest.mark.anyio
API = "/api/v1"


@pytest.fixture
async def estate(world: World) -> Estate:
    return await fill(world, "Acme", "ALPHA")


async def rows_of(world: World, org: str, project: str) -> dict[str, int]:
    """Rows by table that name the project, or a task of it."""
    out: dict[str, int] = {}
    async with world.db.tx(org, SYSTEM) as tx:
        tables = await tx.conn.fetch(
            "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where c.relnamespace = 'evenhand'::regnamespace and c.relkind = 'r' and a.attname = 'project_id'"
        )
        for table, _ in tables:
            if table not in ("erasure", "hold"):
                count = await tx.conn.fetchval(
                    f"select count(*) from evenhand.{table} where org_id = $1 and project_id = $2", org, project
                )
                if count:
                    out[table] = count
    return out


def certificate(note: str) -> dict[str, Any]:
    text = Note.parse(note.encode()).text
    return json.loads(text.removeprefix("evenhand-deletion-v1\n"))


async def test_a_deleted_project_is_gone_and_proved(world: World, estate: Estate, tmp_path: Path) -> None:
    this = replace(log_in(tmp_path), signer=log_signer(world.services.settings))
    api, org, project = world.keyed(estate.customer.live_key), estate.customer.live, estate.ids["project"]
    async with world.db.tx(org, SYSTEM) as tx:
        tasks = [r["task_id"] for r in await tx.conn.fetch("select task_id from evenhand.task where org_id = $1"
                 " and project_id = $2 order by task_id", org, project)]  # fmt: skip
        answers = await tx.conn.fetch("select task_id, answer_id from evenhand.answer where org_id = $1", org)
    name = (await api.get(f"{API}/projects/{project}")).json()["name"]
    wrong = await api.post(f"{API}/projects/{project}/delete", json={"confirm": name + "x"})
    assert wrong.status_code == 400 and name in wrong.json()["detail"]
    asked = (await api.post(f"{API}/projects/{project}/delete", json={"confirm": name})).json()
    assert asked["state"] == "running" and asked["certificate"] == ""
    again = await api.post(f"{API}/projects/{project}/delete", json={"confirm": name})
    assert again.status_code == 409
    await world.drain()
    done = (await api.get(f"{API}/deletions/{asked['id']}")).json()
    assert done["state"] == "done" and done["tasks"] == len(tasks) and done["answers"] == len(answers) > 0
    assert await rows_of(world, org, project) == {}
    assert (await api.get(f"{API}/projects/{project}")).status_code == 404
    assert (await api.get(f"{API}/tasks/{tasks[0]}")).status_code == 404
    assert await rows_of(world, org, estate.ids["pictures"]), "the other project is whole"

    said = certificate(done["certificate"])
    assert said["rows"]["task"] == len(tasks) and said["rows"]["answer"] == len(answers) and said["project"] == project
    # whoever has the ids computes the commitment again
    gone = Commitment(base64.b64decode(said["commitment"]["salt"]))
    for task in tasks:
        gone.add("task", [task])
        gone.add("answer", sorted(a["answer_id"] for a in answers if a["task_id"] == task))
    assert gone.as_dict() == said["commitment"]

    await tick(world.db, this)
    await end_epoch(world, this)
    raw = await bundle_of(world, this, org)
    report = checked(raw, this)
    assert report.check("deletions").status == OK and faults(report) == [], report.as_text()


# --- smaller worlds


async def project_with(world: World, key: str, name: str, texts: int = 0, assets: tuple[str, ...] = ()) -> str:
    api = world.keyed(key)
    medium = "image" if assets else "text"
    fields = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}
    made = (await api.post(f"{API}/projects", json={"name": name, "medium": medium, "ontology": fields})).json()["id"]
    lines = [{"data": {"text": f"{name} {n}"}} for n in range(texts)] + [{"data": {"asset": a}} for a in assets]
    said = await api.post(f"{API}/projects/{made}/tasks/bulk", content="\n".join(json.dumps(line) for line in lines))
    assert said.json()["created"] == len(lines), said.text
    await world.drain()
    return made


async def upload(world: World, key: str, name: str) -> str:
    said = await world.keyed(key).post(f"{API}/assets", files={"file": (name, picture(), "image/jpeg")})
    return said.json()["id"]


async def test_files_that_another_project_shows_stay(world: World) -> None:
    acme = await world.customer("Acme")
    api, objects = world.keyed(acme.live_key), world.services.objects
    mine, shared = await upload(world, acme.live_key, "mine.jpg"), await upload(world, acme.live_key, "shared.jpg")
    first = await project_with(world, acme.live_key, "First", assets=(mine, shared))
    await project_with(world, acme.live_key, "Second", assets=(shared,))
    looked = await world.client().get((await api.get(f"{API}/assets/{mine}")).json()["thumb_url"])
    assert looked.status_code == 200
    async with world.db.tx(acme.live, SYSTEM) as tx:
        names = {r["asset_id"]: r["object"] for r in await tx.conn.fetch("select asset_id, object from evenhand.asset")}
    assert await objects.exists(acme.live, f"{names[mine]}.t320")
    gone = (await api.post(f"{API}/projects/{first}/delete", json={"confirm": "First"})).json()
    await world.drain()
    done = (await api.get(f"{API}/deletions/{gone['id']}")).json()
    assert (done["state"], done["tasks"], done["files"]) == ("done", 2, 1)
    assert (await api.get(f"{API}/assets/{mine}")).status_code == 404
    assert (await api.get(f"{API}/assets/{shared}")).status_code == 200
    left = [await objects.exists(acme.live, name) for name in (names[mine], f"{names[mine]}.t320", names[shared])]
    assert left == [False, False, True]


async def test_a_hold_stops_what_runs_and_what_was_not_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 2)
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    project = await project_with(world, acme.live_key, "P", texts=6)
    assert (await api.put(f"{API}/org/hold", json={"reason": " "})).status_code == 400
    assert (await api.put(f"{API}/org/hold", json={"reason": "Case 7"})).json()["items"][0]["reason"] == "Case 7"
    refused = await api.post(f"{API}/projects/{project}/delete", json={"confirm": "P"})
    assert refused.status_code == 409 and refused.json()["code"] == "on_hold"
    assert (await api.delete(f"{API}/org/hold")).json()["items"] == []
    gone = (await api.post(f"{API}/projects/{project}/delete", json={"confirm": "P"})).json()["id"]

    class Held(Exception):
        pass

    inner, batches = running._Run._tasks, 0  # pyright: ignore[reportPrivateUsage]

    async def some(self: Any, going: Any) -> bool:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise Held
        return await inner(self, going)

    with monkeypatch.context() as patch:
        patch.setattr(running._Run, "_tasks", some)  # pyright: ignore[reportPrivateUsage]
        await world.drain()
    async with world.db.tx(acme.live, SYSTEM) as tx:  # a worker that died after its first batch
        assert await tx.conn.fetchval("select count(*) from evenhand.task") == 4
        await tx.conn.execute("update evenhand.job set run_at = now() where state = 'ready'")
    await api.put(f"{API}/projects/{project}/hold", json={"reason": "Case 8"})
    await world.drain()
    held = (await api.get(f"{API}/deletions/{gone}")).json()
    assert (held["state"], held["tasks"], held["certificate"]) == ("held", 2, "")
    # whoever gets past the program does not get past the database
    async with world.db.tx(acme.live, SYSTEM) as tx:
        with pytest.raises(asyncpg.PostgresError, match="no deletion runs"):
            await store.ERASE_TASKS.value(tx, ctx=tx.context(), erasure=gone, tasks=[])
    await api.delete(f"{API}/projects/{project}/hold")
    await world.drain()
    done = (await api.get(f"{API}/deletions/{gone}")).json()
    assert done["state"] == "done" and certificate(done["certificate"])["rows"]["task"] == 6
    assert certificate(done["certificate"])["commitment"]["leaves"] == 6


async def test_two_workers_delete_it_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 3)
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    project = await project_with(world, acme.live_key, "P", texts=20)
    gone = (await api.post(f"{API}/projects/{project}/delete", json={"confirm": "P"})).json()["id"]
    async with world.db.tx(acme.live, SYSTEM) as tx:
        await enqueue(tx, "leaving.erase", {"erasure": gone})
    workers = [Worker(world.db, worker.handlers(world.services)) for _ in range(2)]
    await asyncio.gather(*(one.drain() for one in workers))
    said = certificate((await api.get(f"{API}/deletions/{gone}")).json()["certificate"])
    assert said["rows"]["task"] == 20 and said["commitment"]["leaves"] == 20
    async with world.db.tx(acme.live, SYSTEM) as tx:
        events = await tx.conn.fetchval("select count(*) from evenhand.fact where kind = 'data.deleted'")
        assert events == 1


async def test_retention_takes_what_has_served_its_time(world: World, tmp_path: Path) -> None:
    this = replace(log_in(tmp_path), signer=log_signer(world.services.settings))
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    await world.worker("ann@people.example", acme.live)
    api = world.keyed(acme.live_key)
    await work(world, acme.live_key, "ann@people.example", 5, 3)
    await project_with(world, birch.live_key, "Theirs", texts=2)
    project = (await api.get(f"{API}/projects")).json()["items"][0]["id"]
    for wrong in ({"done_days": 0}, {"ended_days": 40_000}, {"done_days": -1}):
        assert (await api.put(f"{API}/projects/{project}/retention", json=wrong)).status_code == 400
    await api.put(f"{API}/projects/{project}/retention", json={"done_days": 30})
    assert await run_retention(world.db) == 0, "nothing is old yet"
    async with world.db.tx(acme.live, SYSTEM) as tx:
        done = await tx.conn.fetch("select task_id from evenhand.task where state = 'done' order by task_id")
        old = [row["task_id"] for row in done[:2]]
        await tx.conn.execute(
            "update evenhand.task set completed_at = now() - interval '31 days' where task_id = any($1)", old
        )
    await api.put(f"{API}/org/hold", json={"reason": "Case 9"})
    assert await run_retention(world.db) == 0, "a hold stops it"
    await api.delete(f"{API}/org/hold")
    assert await run_retention(world.db) == 1
    await world.drain()
    assert await run_retention(world.db) == 0
    data = (await api.get(f"{API}/projects/{project}/data")).json()
    assert [d["tasks"] for d in data["deletions"]] == [2] and data["retention"]["done_days"] == 30
    async with world.db.tx(acme.live, SYSTEM) as tx:
        left = {row["task_id"] for row in await tx.conn.fetch("select task_id from evenhand.task")}
    assert len(left) == 3 and not left & set(old)
    # all of it, once the project has ended
    await api.put(f"{API}/projects/{project}/retention", json={"ended_days": 7})
    await api.patch(f"{API}/projects/{project}", json={"state": "archived"})
    assert await run_retention(world.db) == 0
    async with world.db.tx(acme.live, SYSTEM) as tx:
        await tx.conn.execute("update evenhand.project set updated_at = now() - interval '8 days'")
    assert await run_retention(world.db) == 1
    await world.drain()
    assert (await api.get(f"{API}/projects/{project}")).status_code == 200, "the project itself stays"
    async with world.db.tx(acme.live, SYSTEM) as tx:
        assert await tx.conn.fetchval("select count(*) from evenhand.task") == 0
    await tick(world.db, this)
    await end_epoch(world, this)
    report = checked(await bundle_of(world, this, acme.live), this)
    assert faults(report) == [] and "2 certificates" in report.check("deletions").words
    theirs = checked(await bundle_of(world, this, birch.live), this)
    assert "no deletion certificates" in theirs.check("deletions").words
    async with world.db.tx(birch.live, SYSTEM) as tx:
        assert await tx.conn.fetchval("select count(*) from evenhand.task") == 2
