"""After a project is deleted nothing on the disk opens what it had: no file, no key of a file, no kept reply, no waiting job."""

import json
from typing import Any

import pytest

from evenhand.infra.db import SYSTEM
from evenhand.infra.files import file_key, read_whole
from evenhand.infra.seal import At
from evenhand.pure.trouble import Trouble
from tests.conftest import World
from tests.features.leaving.test_deletion import API, project_with, upload

pytestmark = pytest.mark.anyio
GONE, STAYS = "https://gone.invalid/LAPWING.jpg", "https://stays.invalid/REDSHANK.jpg"


async def waiting(world: World, key: str, project: str, url: str, repeat: str) -> Any:
    """A task whose attachment cannot be fetched: its job waits for the next try, and its reply is kept."""
    body = {"data": {"image_url": url}}
    return await world.keyed(key).post(
        f"{API}/projects/{project}/tasks", json=body, headers={"idempotency-key": repeat}
    )


async def opened(world: World, org: str) -> tuple[dict[str, str], list[str]]:
    """Of every job and every kept reply what can still be read of it."""
    async with world.db.tx(org, SYSTEM) as tx:
        jobs = await tx.conn.fetch("select job_id, state, body from evenhand.job where kind = 'tasks.fetch'")
        kept = await tx.conn.fetch("select actor_id, key_mac, body from evenhand.idempotency where body <> ''")
        states = {
            row["state"] + (json.dumps(tx.seal.open(row["body"], At("job", row["job_id"]))) if row["body"] else ""): ""
            for row in jobs
        }
        replies = [
            json.dumps(tx.seal.open(r["body"], At("idempotency", f"{r['actor_id']}/{bytes(r['key_mac']).hex()}")))
            for r in kept
        ]
    return states, replies


async def test_nothing_that_remains_opens_what_a_project_had(world: World) -> None:
    acme = await world.customer("Acme")
    api, objects, org = world.keyed(acme.live_key), world.services.objects, acme.live
    mine, theirs = await upload(world, acme.live_key, "mine.jpg"), await upload(world, acme.live_key, "theirs.jpg")
    going = await project_with(world, acme.live_key, "Going", assets=(mine,))
    staying = await project_with(world, acme.live_key, "Staying", assets=(theirs,))
    for project, url, repeat in ((going, GONE, "one"), (staying, STAYS, "two")):
        made = await waiting(world, acme.live_key, project, url, repeat)
        assert made.status_code == 200, made.text
    await world.drain()
    jobs, replies = await opened(world, org)
    assert GONE in str(jobs) and STAYS in str(jobs) and len(replies) == 2
    async with world.db.tx(org, SYSTEM) as tx:
        rows = {
            r["asset_id"]: r for r in await tx.conn.fetch("select asset_id, object, object_key from evenhand.asset")
        }
    sealed = {path: path.read_bytes() for path in world.services.settings.home.objects.rglob("*") if path.is_file()}
    ours = [path for path in sealed if rows[mine]["object"] in path.name]
    assert ours, "its bytes lie there"

    assert (await api.post(f"{API}/projects/{going}/delete", json={"confirm": "Going"})).status_code == 200
    await world.drain()
    left = {path for path in world.services.settings.home.objects.rglob("*") if path.is_file()}
    assert left == set(sealed) - set(ours), "its files, and no others, are gone from the disk"
    # whoever kept a copy of the disk finds no key to it: neither the row that had it, nor in any row that is left
    for path in ours:
        path.write_bytes(sealed[path])
    async with world.db.tx(org, SYSTEM) as tx:
        keys = await tx.conn.fetch("select asset_id, object_key from evenhand.asset where object_key is not null")
        assert {row["asset_id"] for row in keys} == {theirs}
        bodies = await tx.conn.fetch("select asset_id, body from evenhand.asset")
        urls = json.dumps([tx.seal.open(row["body"], At("asset", row["asset_id"])) for row in bodies])
        assert STAYS in urls and GONE not in urls, "nor the address of one that was still to come"
        name = rows[mine]["object"]
        for row in keys:
            with pytest.raises(Trouble):
                await read_whole(objects, org, name, file_key(tx.seal, name, row["object_key"]))
        # the one that was in the row would have opened it: so it is the row on which it hangs
        assert await read_whole(objects, org, name, file_key(tx.seal, name, rows[mine]["object_key"]))
        assert await tx.conn.fetchval("select count(*) from evenhand.data_key where project_id = $1", going) == 0
    jobs, replies = await opened(world, org)
    assert GONE not in str(jobs) and STAYS in str(jobs) and "done" in jobs, "the job of the task that went is empty"
    assert replies == []
    again = await waiting(world, acme.live_key, staying, STAYS, "two")
    assert again.status_code == 409 and "kept no more" in again.json()["detail"], "and nothing is carried out twice"
    assert (await api.get(f"{API}/projects/{staying}")).json()["counts"]["total"] == 2
