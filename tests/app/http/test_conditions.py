"""Fields that depend on other fields, through the native door: refused, asked for, merged. And drafts of any size."""

import base64
import gzip
import json
import random

import pytest

from tests.conftest import World

pytestmark = pytest.mark.anyio
YES_NO = [{"value": "yes"}, {"value": "no"}]
ONTOLOGY = {
    "classes": [],
    "attributes": [],
    "fields": [
        {"key": "damage", "type": "choice", "choices": YES_NO, "required": True},
        {"key": "where", "type": "text", "required": True, "when": {"field": "damage", "in": ["yes"]}},
    ],
}


def damage(value: str, where: str | None = None) -> dict:
    rows: list[dict] = [{"id": "d", "kind": "choice", "field": "damage", "values": [value]}]
    if where is not None:
        rows.append({"id": "w", "kind": "text", "field": "where", "text": where})
    return {"annotations": rows}


async def _project(world: World, overlap: int) -> tuple[object, str]:
    acme = await world.customer("Acme")
    for n in range(overlap):
        await world.worker(f"a{n}@people.example", acme.live)
    api = world.keyed(acme.live_key)
    body = {"name": "Damage", "medium": "text", "ontology": ONTOLOGY, "overlap": overlap}
    project = (await api.post("/api/v1/projects", json=body)).json()["id"]
    made = await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": "a car"}})
    await world.drain()
    return api, made.json()["id"]


async def test_what_does_not_apply_is_refused_and_what_does_is_asked_for(world: World) -> None:
    api, task = await _project(world, 1)
    ann = await world.browser("a0@people.example")
    lease = (await ann.post("/work/next", {"want": 1})).json()["assignments"][0]
    assert lease["ontology"]["fields"][1]["when"] == {"field": "damage", "in": ["yes"]}
    path = f"/work/{lease['handle']}/submit"
    hidden = await ann.post(path, {"key": "1", "answer": damage("no", "door"), "seconds": 1})
    assert hidden.status_code == 400
    assert hidden.json()["errors"][0]["path"] == "annotations[1].field"
    missing = await ann.post(path, {"key": "2", "answer": damage("yes"), "seconds": 1})
    assert missing.json()["errors"] == [{"path": "fields.where", "detail": "is required"}]
    assert (await ann.post(path, {"key": "3", "answer": damage("no"), "seconds": 1})).status_code == 200
    await world.drain()
    assert (await api.get(f"/api/v1/tasks/{task}")).json()["state"] == "done"  # type: ignore[attr-defined]


async def test_a_merged_answer_keeps_nothing_that_the_majority_rules_out(world: World) -> None:
    api, task = await _project(world, 3)
    for n, answer in enumerate((damage("yes", "door"), damage("no"), damage("no"))):
        who = await world.browser(f"a{n}@people.example")
        lease = (await who.post("/work/next", {"want": 1})).json()["assignments"][0]
        body = {"key": "k", "answer": answer, "seconds": 1}
        assert (await who.post(f"/work/{lease['handle']}/submit", body)).status_code == 200
    await world.drain()
    result = (await api.get(f"/api/v1/tasks/{task}")).json()["result"]["annotations"]  # type: ignore[attr-defined]
    assert [(a["field"], a.get("values")) for a in result] == [("damage", ["no"])]


async def test_a_draft_of_fifty_megabytes_comes_back_whole(world: World) -> None:
    await _project(world, 1)
    ann = await world.browser("a0@people.example")
    lease = (await ann.post("/work/next", {"want": 1})).json()["assignments"][0]
    chance = random.Random(7)
    points = [[round(chance.uniform(0, 4000), 2), round(chance.uniform(0, 3000), 2)] for _ in range(10_000)]
    # 300 different lines of 10,000 points, as hard to compress as coordinates are.
    shapes = [json.dumps(points[i:] + points[:i])[:-1] for i in range(300)]
    text = "[" + ",".join(f'{{"points":{shape}]}}' for shape in shapes) + "]"
    assert len(text) > 50_000_000
    packed = base64.b64encode(gzip.compress(text.encode(), 1)).decode()
    body = {"version": 1, "body": {"gzip": packed}}
    assert (await ann.ask("PUT", f"/work/{lease['handle']}/draft", json=body)).json() == {"version": 1}
    again = (await ann.get(f"/work/{lease['handle']}")).json()["draft"]
    assert gzip.decompress(base64.b64decode(again["body"]["gzip"])).decode() == text
