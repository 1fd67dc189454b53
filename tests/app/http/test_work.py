"""The main job, through the native door: a customer sends work, people label and review it, the customer sees it."""

import io

import pytest
from PIL import Image

from tests.conftest import World

pytestmark = pytest.mark.anyio
ONTOLOGY = {"classes": [{"name": "car", "kinds": ["box"]}], "attributes": [], "fields": []}
TEXTS = {
    "classes": [{"name": "person", "kinds": ["span"]}],
    "attributes": [],
    "fields": [{"key": "mood", "type": "choice", "choices": [{"value": "good"}, {"value": "bad"}], "required": True}],
}


def picture(width: int = 64, height: int = 48) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def box(name: str = "a1") -> dict:
    return {"id": name, "kind": "box", "class": "car", "x": 1, "y": 2, "w": 10, "h": 12}


def mood(value: str) -> dict:
    return {"id": f"m-{value}", "kind": "choice", "field": "mood", "values": [value]}


async def test_picture_from_upload_to_result(world: World) -> None:
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live, shared=True)
    api = world.keyed(acme.live_key)
    upload = await api.post("/api/v1/assets", files={"file": ("street.jpg", picture(), "image/jpeg")})
    assert upload.status_code == 200, upload.text
    asset = upload.json()
    assert (asset["width"], asset["height"], asset["state"]) == (64, 48, "ready")
    project = (
        await api.post("/api/v1/projects", json={"name": "Cars", "medium": "image", "ontology": ONTOLOGY})
    ).json()
    made = await api.post(
        f"/api/v1/projects/{project['id']}/tasks", json={"data": {"asset": asset["id"]}, "name": "street.jpg"}
    )
    assert made.status_code == 200, made.text
    task = made.json()["id"]
    await world.drain()

    ann = await world.browser("ann@people.example")
    work = (await ann.post("/work/next", {"want": 2})).json()
    assert [a["task"] for a in work["assignments"]] == [task]
    lease = work["assignments"][0]
    assert lease["ontology"]["classes"][0]["name"] == "car"
    shown = await world.client().get(lease["data"]["image"]["url"], headers={"host": "127.0.0.1:8080"})
    assert shown.status_code == 200 and shown.content == picture()
    thumb = await world.client().get(lease["data"]["image"]["thumb_url"])
    assert thumb.status_code == 200 and thumb.headers["content-type"] == "image/jpeg"
    draft = await ann.ask("PUT", f"/work/{lease['handle']}/draft", json={"version": 1, "body": {"edits": []}})
    assert draft.json() == {"version": 1}
    again = (await ann.get(f"/work/{lease['handle']}")).json()
    assert again["draft"] == {"version": 1, "body": {"edits": []}}
    wrong = await ann.post(
        f"/work/{lease['handle']}/submit", {"key": "k", "answer": {"annotations": [box() | {"class": "cat"}]}}
    )
    assert wrong.status_code == 400 and "cat" in wrong.text
    sent = {"key": "k1", "answer": {"annotations": [box()]}, "seconds": 3}
    done = await ann.post(f"/work/{lease['handle']}/submit", sent)
    assert done.json()["state"] == "submitted", done.text
    assert (await ann.post(f"/work/{lease['handle']}/submit", sent)).json() == done.json()
    other = await ann.post(f"/work/{lease['handle']}/submit", {**sent, "key": "k2"})
    assert other.status_code == 409
    await world.drain()

    found = (await api.get(f"/api/v1/tasks/{task}")).json()
    assert found["state"] == "done"
    assert found["result"]["annotations"] == [box()]
    assert found["answers"][0]["by"].startswith("Worker ")
    listing = (await api.get("/api/v1/tasks", params={"project": project["id"], "q": "street"})).json()
    assert (listing["total"], listing["items"][0]["id"]) == (1, task)
    progress = (await api.get(f"/api/v1/projects/{project['id']}/progress")).json()
    assert progress["counts"]["done"] == 1
    history = (await api.get(f"/api/v1/tasks/{task}/history")).json()
    assert {"TaskCreated", "TaskLeased", "AnnotationSubmitted"} <= {h["what"] for h in history["items"]}


async def test_overlap_review_reject_fix(world: World) -> None:
    acme = await world.customer("Acme")
    for n in (1, 2):
        await world.worker(f"a{n}@people.example", acme.live)
    await world.worker("rev@people.example", acme.live, role="reviewer")
    api = world.keyed(acme.live_key)
    project = (
        await api.post(
            "/api/v1/projects",
            json={"name": "Moods", "medium": "text", "ontology": TEXTS, "overlap": 2, "review": "all"},
        )
    ).json()["id"]
    lines = b'{"data":{"text":"hello"},"name":"one"}\n{"data":{}}\nnot json\n{"data":{"text":"bye"},"unique_id":"u"}\n'
    report = (await api.post(f"/api/v1/projects/{project}/tasks/bulk?import=x", content=lines)).json()
    assert (report["created"], report["failed"]) == (2, 2)
    assert [e["line"] for e in report["errors"]] == [2, 3]
    again = (await api.post(f"/api/v1/projects/{project}/tasks/bulk?import=x", content=lines)).json()
    assert (again["created"], again["repeated"]) == (0, 2)
    await world.drain()

    first = await world.browser("a1@people.example")
    second = await world.browser("a2@people.example")
    mine = (await first.post("/work/next", {"want": 3})).json()["assignments"]
    theirs = (await second.post("/work/next", {"want": 3})).json()["assignments"]
    assert len(mine) == len(theirs) == 2
    assert {a["task"] for a in mine} == {a["task"] for a in theirs}
    for who, leases in ((first, mine), (second, theirs)):
        for lease in leases:
            body = {"key": lease["handle"], "answer": {"annotations": [mood("good")]}, "seconds": 1}
            assert (await who.post(f"/work/{lease['handle']}/submit", body)).status_code == 200
    empty = (await first.post("/work/next", {"want": 1})).json()
    assert empty["assignments"] == [] and empty["empty"]["reason"] in ("nothing_open", "all_taken")
    await world.drain()

    reviewer = await world.browser("rev@people.example")
    reviews = (await reviewer.post("/work/next", {"want": 2, "role": "review"})).json()["assignments"]
    assert len(reviews) == 2 and len(reviews[0]["review"]["answers"]) == 2
    reject = {"key": "r1", "verdict": {"decision": "reject", "comment": "Look at the tone"}, "seconds": 1}
    assert (await reviewer.post(f"/work/{reviews[0]['handle']}/submit", reject)).status_code == 200
    fix = {"key": "r2", "verdict": {"decision": "fix"}, "answer": {"annotations": [mood("bad")]}, "seconds": 1}
    assert (await reviewer.post(f"/work/{reviews[1]['handle']}/submit", fix)).status_code == 200
    await world.drain()
    fixed = (await api.get(f"/api/v1/tasks/{reviews[1]['task']}")).json()
    assert fixed["state"] == "done" and fixed["result"]["annotations"][0]["values"] == ["bad"]
    back = (await first.post("/work/next", {"want": 1})).json()["assignments"]
    assert back[0]["task"] == reviews[0]["task"] and back[0]["message"] == "Look at the tone"
    assert back[0]["answer"]["annotations"] == [mood("good")], "a rejected task brings what was made of it"
    inbox = (await first.get("/work/inbox")).json()["items"]
    assert inbox[0]["kind"] == "rejected"


async def test_skip_release_recall_and_questions(world: World) -> None:
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live)
    api = world.keyed(acme.live_key)
    project = (
        await api.post(
            "/api/v1/projects", json={"name": "T", "medium": "text", "ontology": TEXTS, "instructions": "# Hi"}
        )
    ).json()["id"]
    for text in ("one", "two"):
        await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": text}})
    await world.drain()
    ann = await world.browser("ann@people.example")
    first, second = (await ann.post("/work/next", {"want": 2})).json()["assignments"]
    assert (await ann.post("/work/release", {"handles": [second["handle"]]})).json() == {"released": 1}
    beats = (await ann.post("/work/heartbeat", {"handles": [first["handle"], second["handle"]]})).json()["leases"]
    assert beats[first["handle"]] and beats[second["handle"]] is None
    question = await ann.post(f"/work/{first['handle']}/question", {"text": "What is a mood?"})
    assert question.status_code == 200
    # Sent again because the first reply was lost: still one question.
    path, key = f"/work/{first['handle']}/question", {"Idempotency-Key": "q1"}
    twice = [await ann.post(path, {"text": "Asked offline?"}, headers=key) for _ in range(2)]
    assert twice[0].json() == twice[1].json()
    assert len((await api.get("/api/v1/questions?open=true")).json()["items"]) == 2
    assert (await ann.post(f"/work/{first['handle']}/skip", {"reason": "unclear"})).json() == {"state": "skipped"}
    again = (await ann.post("/work/next", {"want": 3})).json()["assignments"]
    assert [a["task"] for a in again] == [second["task"]], "a skipped task is not shown to the same person again"
    asked = (await api.get("/api/v1/questions?open=true")).json()["items"][0]
    await api.post(f"/api/v1/questions/{asked['id']}/answer", json={"text": "How it feels."})
    notes = (await ann.get(f"/work/projects/{project}/instructions")).json()
    assert notes["markdown"] == "# Hi" and notes["questions"][0]["answer"] == "How it feels."
    lease = again[0]
    body = {"key": "k", "answer": {"annotations": [mood("good")]}, "seconds": 2}
    await ann.post(f"/work/{lease['handle']}/submit", body)
    back = await ann.post(f"/work/{lease['handle']}/recall")
    assert back.status_code == 200 and back.json()["answer"]["annotations"][0]["values"] == ["good"]
    changed = {"key": "k2", "answer": {"annotations": [mood("bad")]}, "seconds": 3}
    assert (await ann.post(f"/work/{lease['handle']}/submit", changed)).status_code == 200
    found = (await api.get(f"/api/v1/tasks/{lease['task']}")).json()
    assert found["result"]["annotations"][0]["values"] == ["bad"]
    assert [a["state"] for a in found["answers"]] == ["superseded", "current"]
    summary = (await ann.get("/work/summary")).json()
    assert summary["today"]["tasks"] == 1


async def test_late_work_is_kept(world: World) -> None:
    acme = await world.customer("Acme")
    for n in (1, 2):
        await world.worker(f"a{n}@people.example", acme.live)
    api = world.keyed(acme.live_key)
    project = (await api.post("/api/v1/projects", json={"name": "T", "medium": "text", "ontology": TEXTS})).json()["id"]
    await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": "one"}})
    await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": "two"}})
    await world.drain()
    a1, a2 = await world.browser("a1@people.example"), await world.browser("a2@people.example")
    leases = (await a1.post("/work/next", {"want": 2})).json()["assignments"]
    async with world.db.tx(acme.live, acme.actor) as tx:
        await tx.conn.execute("update evenhand.assignment set lease_until = now() - interval '1 second'")
    await world.drain()
    taken = (await a2.post("/work/next", {"want": 1})).json()["assignments"][0]
    body = {"key": "k", "answer": {"annotations": [mood("good")]}, "seconds": 2}
    by_task = {lease["task"]: lease for lease in leases}
    extra = (await a1.post(f"/work/{by_task[taken['task']]['handle']}/submit", body)).json()
    assert extra["late"] and extra["extra"] and "kept" in extra["note"]
    free = next(lease for lease in leases if lease["task"] != taken["task"])
    late = (await a1.post(f"/work/{free['handle']}/submit", body)).json()
    assert late["late"] and not late["extra"]
    found = (await api.get(f"/api/v1/tasks/{taken['task']}")).json()
    assert found["state"] == "full" and found["answers"][0]["extra"]
    assert (await a2.post(f"/work/{taken['handle']}/submit", body)).status_code == 200
    assert (await api.get(f"/api/v1/tasks/{free['task']}")).json()["state"] == "done"


async def test_pilot(world: World) -> None:
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live)
    owner = await world.browser(acme.owner_email, acme.live)
    project = (await owner.post("/projects", {"name": "P", "medium": "text", "ontology": TEXTS, "pilot": True})).json()[
        "id"
    ]
    lines = "\n".join(f'{{"data":{{"text":"text {n}"}}}}' for n in range(30))
    await owner.ask("POST", f"/projects/{project}/tasks/bulk", content=lines)
    counts = (await owner.get(f"/projects/{project}")).json()["counts"]
    assert (counts["open"], counts["held"]) == (10, 20)
    mine = (await owner.post(f"/projects/{project}/pilot/next")).json()
    body = {"key": "k", "answer": {"annotations": [mood("good")]}, "seconds": 2}
    assert (await owner.post(f"/work/{mine['handle']}/submit", body)).status_code == 200
    await world.drain()
    ann = await world.browser("ann@people.example")
    lease = (await ann.post("/work/next", {"want": 1})).json()["assignments"][0]
    assert lease["task"] == mine["task"]
    await ann.post(f"/work/{lease['handle']}/submit", body)
    pilot = (await owner.get(f"/projects/{project}/pilot")).json()
    assert (pilot["yours"], pilot["theirs"], pilot["agreement"]) == (1, 1, 1)
    assert (await owner.post(f"/projects/{project}/pilot/go")).json() == {"opened": 20}


async def test_half_a_picture_is_kept_but_not_labelled(world: World) -> None:
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    half = picture(400, 300)[:-900]
    asset = (await api.post("/api/v1/assets", files={"file": ("half.jpg", half, "image/jpeg")})).json()
    assert asset["width"] is None
    project = (
        await api.post("/api/v1/projects", json={"name": "Cars", "medium": "image", "ontology": ONTOLOGY})
    ).json()
    made = await api.post(f"/api/v1/projects/{project['id']}/tasks", json={"data": {"asset": asset["id"]}})
    assert made.status_code == 400 and "broken" in made.text


async def test_what_is_remembered_of_a_lease_serves_nobody_else(world: World) -> None:
    acme = await world.customer("Acme")
    await world.worker("ann@people.example", acme.live)
    await world.worker("bob@people.example", acme.live)
    api = world.keyed(acme.live_key)
    project = (
        await api.post("/api/v1/projects", json={"name": "T", "medium": "text", "ontology": TEXTS, "instructions": ""})
    ).json()["id"]
    for text in ("one", "two"):
        await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": text}})
    await world.drain()
    ann, bob = await world.browser("ann@people.example"), await world.browser("bob@people.example")
    lease = (await ann.post("/work/next", {"want": 1})).json()["assignments"][0]
    wrong = {"annotations": [{"id": "a", "kind": "choice", "field": "mood", "values": ["neither"]}]}
    for answer in (wrong, {"annotations": []}):
        reply = await bob.post(f"/work/{lease['handle']}/submit", {"key": "k", "answer": answer})
        assert reply.status_code == 404 and "neither" not in reply.text and "mood" not in reply.text
    assert (await ann.post(f"/work/{lease['handle']}/submit", {"key": "k", "answer": wrong})).status_code == 400
    me = (await ann.get("/session")).json()["person"]["id"]
    async with world.db.narrow("gate") as door:
        await door.conn.execute("delete from evenhand.session where person_id = $1", me)
    reply = await ann.post(f"/work/{lease['handle']}/submit", {"key": "k", "answer": wrong})
    assert reply.status_code == 401 and "mood" not in reply.text
