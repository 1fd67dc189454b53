"""The archive of everything: it is whole, explains itself, goes in again, and has nothing of anybody else."""

import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from typing import Any

import pytest

from evenhand.features.leaving.parts import PARTS
from evenhand.infra.db import SYSTEM
from evenhand.pure.formats.again import as_new, exported
from tests.conftest import World
from tests.laws.estate import Estate, fill, picture

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]
API = "/api/v1"


@pytest.fixture
async def estates(world: World) -> tuple[Estate, Estate]:
    return await fill(world, "Acme", "ALPHA"), await fill(world, "Birch", "BETA")


async def make(world: World, key: str) -> dict[str, Any]:
    said = await world.keyed(key).post(f"{API}/archive")
    assert said.status_code == 200 and said.headers["content-type"] == "application/x-ndjson"
    last = [json.loads(line) for line in said.content.splitlines()][-1]
    assert "problem" not in last, last
    return last["archive"]


async def take(world: World, key: str) -> zipfile.ZipFile:
    made = await make(world, key)
    said = await world.keyed(key).get(f"{API}/archive")
    assert said.status_code == 200 and said.headers["content-type"] == "application/zip"
    assert (len(said.content), hashlib.sha256(said.content).hexdigest()) == (made["size"], made["sha256"])
    return zipfile.ZipFile(io.BytesIO(said.content))


def lines(found: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.read(name).splitlines()]


async def test_it_is_whole_and_of_nobody_else(world: World, estates: tuple[Estate, Estate]) -> None:
    acme, birch = estates
    found = await take(world, acme.customer.live_key)
    assert found.testzip() is None
    manifest = lines(found, "manifest.jsonl")
    assert manifest[-1] == {"format": "evenhand-archive-v1", "complete": True}
    assert {m["path"] for m in manifest[:-1]} == set(found.namelist()) - {"manifest.jsonl"}
    for entry in manifest[:-1]:
        content = found.read(entry["path"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
        assert entry.get("lines", content.count(b"\n")) == content.count(b"\n")
        assert birch.mark.encode() not in content and birch.customer.live.encode() not in content, entry["path"]
    # as many rows as the database has, of each table
    async with world.db.tx(acme.customer.live, SYSTEM) as tx:
        for part in PARTS:
            table = re.findall(r"from evenhand\.(\w+)", part.rows.numbered)[0]
            count = await tx.conn.fetchval(
                f"select count(*) from evenhand.{table} where org_id = $1", acme.customer.live
            )
            assert len(lines(found, f"{part.name}.jsonl")) == count, part.name
        rows = await tx.conn.fetch("select fact_id, kind from evenhand.fact where org_id = $1", acme.customer.live)
    told = {line["id"] for line in lines(found, "events.jsonl")}
    after = Counter(row["kind"] for row in rows if row["fact_id"] not in told)
    # that it was taken is in it; what comes after its snapshot is an export of each project, one of which links to a file
    exports = [name for name in found.namelist() if re.fullmatch(r"projects/\w+\.jsonl", name)]
    assert len(exports) == 2 and after == {"Exported": 2, "MediaIssued": 1, "ArchiveTaken": 1}
    assert len(told) + after.total() == len(rows) and "ArchiveMade" in {row["kind"] for row in rows}
    for name in (
        "projects",
        "versions",
        "batches",
        "tasks",
        "answers",
        "reviews",
        "questions",
        "deliveries",
        "callbacks",
    ):
        rows = lines(found, f"{name}.jsonl")
        assert rows and all(row["body"] is not None for row in rows), name
        assert acme.mark in found.read(f"{name}.jsonl").decode() or name == "callbacks", name
    (path,) = [name for name in found.namelist() if name.startswith("files/")]
    assert path == f"files/{acme.ids['asset']}.jpg" and found.read(path) == picture()
    text = found.read("README.md").decode()
    documented = set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))
    assert {re.sub(r"(projects|files)/\w+(\.jpg)?", r"\1/ID", name) for name in found.namelist()} <= {
        *documented, "README.md", "organisation.json",
    }  # fmt: skip


async def test_secrets_and_other_peoples_ids_stay(world: World, estates: tuple[Estate, Estate]) -> None:
    acme = estates[0]
    found = await take(world, acme.customer.live_key)
    everything = b"".join(found.read(name) for name in found.namelist())
    secrets = (await world.keyed(acme.customer.live_key).get(f"{API}/settings/callbacks")).json()
    for secret in (*secrets.values(), acme.customer.live_key, acme.tokens["key"], acme.tokens["link"]):
        assert secret.encode() not in everything
    # people are known by the id that they have here, which no other customer sees
    async with world.db.tx(acme.customer.live, SYSTEM) as tx:
        real = await tx.conn.fetch("select person_id from evenhand.member where org_id = $1", acme.customer.live)
    assert real and not any(row["person_id"].encode() in everything for row in real)
    known = {row["person_id"] for row in lines(found, "members.jsonl")}
    answered = {row["person_id"] for row in lines(found, "answers.jsonl") if row["person_id"]}
    assert answered and answered <= known
    async with world.db.tx(acme.customer.live, SYSTEM) as tx:
        wrapped = await tx.conn.fetch(
            "select wrapped from evenhand.data_key union all select wrapped from evenhand.org_key"
        )
    assert wrapped and not any(bytes(row["wrapped"])[:24] in everything for row in wrapped)


async def test_only_an_owner_takes_everything(world: World, estates: tuple[Estate, Estate]) -> None:
    await world.worker("man@people.example", estates[0].customer.live, role="manager")
    manager = await world.browser("man@people.example", estates[0].customer.live)
    assert (await manager.get("/archive")).status_code == 403
    owner = await world.browser(estates[0].customer.owner_email, estates[0].customer.live)
    assert (await manager.post("/archive")).status_code == 403
    assert (await owner.get("/archive")).status_code == 404
    assert (await owner.post("/archive")).status_code == 200
    assert (await owner.get("/archive")).status_code == 200
    assert (await manager.get("/archive")).status_code == 403
    audit = (await owner.get("/audit")).json()["items"]
    assert "ArchiveTaken" in {line["what"] for line in audit}


async def test_a_project_goes_in_again(world: World, estates: tuple[Estate, Estate]) -> None:
    acme = estates[0]
    found = await take(world, acme.customer.live_key)
    project = acme.ids["project"]
    zenith = await world.customer("Zenith")
    api = world.keyed(zenith.live_key)
    ontology = json.loads(found.read(f"projects/{project}.ontology.json"))
    made = (await api.post(f"{API}/projects", json={"name": "Again", "medium": "text", "ontology": ontology})).json()
    assert made["ontology"] == ontology
    old = [exported(line) for line in found.read(f"projects/{project}.jsonl").splitlines()]
    again = [as_new(task).line for task in old if task is not None]
    body = "\n".join(json.dumps(line) for line in again if line is not None)
    said = (await api.post(f"{API}/projects/{made['id']}/tasks/bulk", content=body)).json()
    assert said["created"] == len(old) > 0 and said["failed"] == 0, said
    await world.drain()
    new = lines(await take(world, zenith.live_key), "tasks.jsonl")
    before = [row for row in lines(found, "tasks.jsonl") if row["project_id"] == project]
    for name in ("name", "unique_id", "tags", "metadata"):
        assert [row["body"].get(name) for row in new] == [row["body"].get(name) for row in before], name
    assert [row["body"]["data"]["text"] for row in new] == [row["body"]["data"]["text"] for row in before]
