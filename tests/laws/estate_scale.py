"""A tenant that came by the doors compatible with Scale: something of everything that they can name, in its test space."""

from typing import Any

from tests.conftest import Customer, World
from tests.pure.scale.bodies import BODIES

Ids = dict[str, str]
TALK = {
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    "answers": [{"id": "a", "text": "Rayleigh."}, {"id": "b", "text": "Paint."}],
}


async def _ok(reply: Any) -> Any:
    assert reply.status_code == 200, f"{reply.request.method} {reply.request.url.path}: {reply.text}"
    return reply.json()


async def fill_scale(world: World, name: str, mark: str) -> tuple[Customer, Ids]:
    """The customer, and names and ids of its objects; `mark` is in every text that it wrote."""
    customer = await world.customer(name)
    worker = f"{name.lower()}.worker@people.example"
    await world.worker(worker, customer.live, customer.test)
    api = world.keyed(customer.test_key)
    ids: Ids = {"org": customer.test, "email": customer.owner_email, "worker": worker}
    await _projects(api, ids, mark)
    await _tasks(api, ids, mark)
    await _files_and_deliveries(api, ids, mark)
    await world.drain()
    return customer, ids


async def _projects(api: Any, ids: Ids, mark: str) -> None:
    ids["project"], ids["chats"], ids["studio"] = (f"{what} {mark}" for what in ("Project", "Chats", "Studio"))
    ids["dataset"] = f"Dataset {mark}"
    params = {"instruction": f"Rules {mark}", "labels": [f"class {mark}"]}
    for given in (
        {"type": "namedentityrecognition", "name": ids["project"], "params": params, "datasetId": ids["dataset"]},
        {"type": "chat", "name": ids["chats"], "params": {"instruction": f"Compare {mark}"}},
        {"type": "annotation", "name": ids["studio"], "studio": True},
    ):
        await _ok(await api.post("/v1/projects", json=given))
    found = (await _ok(await api.get("/v2/projects")))["projects"]
    ids |= {f"{n}_id": next(p["id"] for p in found if p["name"] == ids[n]) for n in ("project", "chats", "studio")}
    for key, project in (("batch", "project"), ("talks", "chats"), ("staged", "studio")):
        ids[key] = f"Batch {project} {mark}"
        given = {"project": ids[project], "name": ids[key], "metadata": {"note": mark}}
        ids[f"{key}_id"] = (await _ok(await api.post("/v1/batches", json=given)))["id"]
    ids["group"] = f"Group {mark}"
    assign = {"emails": [ids["worker"]], "projects": [ids["studio"]]}
    await _ok(await api.post("/v1/studio/assignments/add", json=assign))
    group = {"emails": [ids["worker"]], "name": ids["group"]}
    await _ok(await api.post(f"/v1/studio/projects/{ids['studio']}/groups", json=group))


async def _tasks(api: Any, ids: Ids, mark: str) -> None:
    ids["unique"] = f"unique {mark}"
    text = {
        "project": ids["project"], "batch": ids["batch"], "text": f"Text {mark}", "labels": [f"class {mark}"],
        "unique_id": ids["unique"], "tags": [f"tag {mark}"], "metadata": {"from": mark},
        "callback_url": f"{mark.lower()}@callbacks.example",
    }  # fmt: skip
    ids["task"] = (await _ok(await api.post("/v1/task/namedentityrecognition", json=text)))["task_id"]
    await _ok(await api.post(f"/v1/task/{ids['task']}/audit", json={"accepted": True, "comments": f"Fine {mark}"}))
    ids["audit"] = (await _ok(await api.get("/v1/audits", params={"task_id": ids["task"]})))[0]["id"]
    more = {**text, "unique_id": f"more {mark}"}
    await _ok(await api.post("/v1/task/namedentityrecognition", json=more))
    page = await _ok(await api.get("/v1/tasks", params={"limit": 1}))
    ids["token"] = page["next_token"]
    quality = {
        **{k: v for k, v in text.items() if k not in ("batch", "unique_id")},
        "expected_response": {"annotations": []},
    }
    ids["quality"] = (await _ok(await api.post("/v1/evaluation_tasks/namedentityrecognition", json=quality)))["id"]
    talk = {**TALK, "topic": f"Topic {mark}"}
    chat = {"batch_name": ids["talks"], "template_variables": talk, "metadata": {"from": mark}}
    made = await _ok(await api.post("/v2/task/chat", json=chat))
    ids["chat"] = made["task_id"]
    ids["annotation"] = made["threads"][0]["turns"][-1]["annotations"][0]["id"]
    frames = [f"https://frames.example/{mark}/{n}" for n in range(4)]
    lidar = {**BODIES["lidarannotation"], "attachments": frames}
    ids["root"] = (await _ok(await api.post("/v1/task/lidarannotation", json=lidar)))["task_id"]
    segments = {**BODIES["lidarsegmentation"], "attachments": frames}
    stored = await _ok(await api.post("/v1/task/lidarsegmentation", json=segments))
    ids["stored"] = stored["task_id"]


async def _files_and_deliveries(api: Any, ids: Ids, mark: str) -> None:
    ids["reference"] = f"ref {mark}"
    data = {"display_name": f"{mark}.txt", "reference_id": ids["reference"], "project_name": ids["project"]}
    kept = await _ok(
        await api.post("/v1/files/upload", files={"file": ("x.txt", f"Words {mark}".encode(), "text/plain")}, data=data)
    )
    ids["file"], ids["address"] = kept["id"], kept["attachment_url"]
    listed = (await _ok(await api.get("/v1/files")))["docs"]
    ids["made"] = next((f["id"] for f in listed if f["id"] != ids["file"]), ids["file"])
    ids["delivery"] = f"Delivery {mark}"
    given = {"project": ids["project_id"], "name": ids["delivery"]}
    ids["delivery_id"] = (await _ok(await api.post("/api/v1/deliveries", json=given)))["id"]
