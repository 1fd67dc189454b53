"""Out again: what was labelled comes back in every format, and each says what it could not carry."""

import io
import json
import zipfile

import pytest

from evenhand.pure.formats.listing import BY_NAME
from tests.app.http.test_work import box, picture
from tests.conftest import World

pytestmark = pytest.mark.anyio
ONTOLOGY = {"classes": [{"name": "car", "kinds": ["box", "line"]}], "attributes": [], "fields": []}


async def labelled(world: World) -> tuple[object, str]:
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live)
    api = world.keyed(acme.live_key)
    project = (
        await api.post("/api/v1/projects", json={"name": "Cars", "medium": "image", "ontology": ONTOLOGY})
    ).json()["id"]
    asset = (await api.post("/api/v1/assets", files={"file": ("a.jpg", picture(), "image/jpeg")})).json()["id"]
    for n in range(3):
        await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"asset": asset}, "name": f"a{n}.jpg"})
    await world.drain()
    ann = await world.browser("ann@people.example")
    line = {"id": "l1", "kind": "line", "class": "car", "points": [[0, 0], [5, 5]]}
    for lease in (await ann.post("/work/next", {"want": 2})).json()["assignments"]:
        body = {"key": "k", "answer": {"annotations": [box(), line]}, "seconds": 2}
        assert (await ann.post(f"/work/{lease['handle']}/submit", body)).status_code == 200
    return api, project


async def test_every_format(world: World) -> None:
    api, project = await labelled(world)
    done = f"/api/v1/exports?project={project}&state=done"
    lines = (await api.get(done)).text.strip().split("\n")
    tasks = list(BY_NAME["jsonl"].read([(await api.get(done)).content]))
    assert len(tasks) == 2 and [a["kind"] for a in tasks[0].result] == ["box", "line"]
    assert json.loads(lines[-1]).get("report", json.loads(lines[-1]))
    coco = (await api.get(f"{done}&format=coco")).json()
    assert len(coco["images"]) == 2 and coco["annotations"][0]["bbox"] == [1, 2, 10, 12]
    yolo = zipfile.ZipFile(io.BytesIO((await api.get(f"{done}&format=yolo")).content))
    assert any(n.endswith(".txt") and "labels/" in n for n in yolo.namelist())
    assert "box" in (await api.get(f"{done}&format=csv")).text
    report = (await api.get(f"/api/v1/exports/report?project={project}&format=coco&state=done")).json()
    assert report["tasks"] == 2 and report["skipped"][0]["count"] == 2
    assert (await api.get(f"{done}&format=exe")).status_code == 400


async def test_jsonl_has_what_reviewers_said_and_what_was_asked(world: World) -> None:
    api, project = await labelled(world)
    (first, *_) = (await api.get(f"/api/v1/tasks?project={project}&state=done")).json()["items"]
    verdict = {"decision": "accept", "comment": "Well boxed"}
    assert (await api.post(f"/api/v1/tasks/{first['id']}/audit", json=verdict)).status_code == 200
    asset = (await api.get(f"/api/v1/exports?project={project}")).text.split('"asset":"')[1][:24]
    body = {"data": {"asset": asset}, "priority": 7}
    assert (await api.post(f"/api/v1/projects/{project}/tasks", json=body)).status_code == 200
    found = {t.id: t for t in BY_NAME["jsonl"].read([(await api.get(f"/api/v1/exports?project={project}")).content])}
    (review,) = found[first["id"]].reviews
    assert (review["decision"], review["comment"], review["source"]) == ("accept", "Well boxed", "customer")
    assert sorted(t.priority for t in found.values()) == [0, 0, 0, 7]
    assert sum(len(t.reviews) for t in found.values()) == 1


async def test_deliveries_hold_what_is_new(world: World) -> None:
    api, project = await labelled(world)
    first = (await api.post("/api/v1/deliveries", json={"project": project, "name": "May"})).json()
    assert first["task_count"] == 2
    again = await api.post("/api/v1/deliveries", json={"project": project})
    assert again.status_code == 400 and "Nothing new" in again.text
    sent = await api.get(first["url"].replace("&org=", "&org="))
    assert len(list(BY_NAME["jsonl"].read([sent.content]))) == 2
    assert [d["id"] for d in (await api.get("/api/v1/deliveries")).json()["items"]] == [first["id"]]
