"""A tenant with something of everything, so that laws have something to look for."""

import io
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from evenhand.features.people import actions as people
from tests.authenticator import add_passkey
from tests.conftest import PASSWORD, Browser, Customer, World

ONTOLOGY = {
    "classes": [{"name": "car", "kinds": ["box"]}, {"name": "word", "kinds": ["span"]}],
    "attributes": [],
    "fields": [
        {"key": "mood", "type": "choice", "choices": [{"value": "good"}, {"value": "bad"}]},
        {"key": "note", "type": "text", "long": True},
    ],
}


def picture(width: int = 40, height: int = 30) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (10, 90, 200)).save(out, "JPEG")
    return out.getvalue()


def answer(note: str = "fine", value: str = "good") -> dict[str, Any]:
    return {
        "annotations": [
            {"id": "m", "kind": "choice", "field": "mood", "values": [value]},
            {"id": "n", "kind": "text", "field": "note", "text": note},
        ]
    }


@dataclass
class Estate:
    """Ids of one tenant. `mark` is in every text of it; `looks` are paths under /api/v1 that show some of it."""

    customer: Customer
    mark: str
    ids: dict[str, str] = field(default_factory=dict[str, str])
    links: list[str] = field(default_factory=list[str])
    tokens: dict[str, str] = field(default_factory=dict[str, str])


async def _ok(reply: Any) -> Any:
    assert reply.status_code == 200, f"{reply.request.method} {reply.request.url.path}: {reply.text}"
    return reply.json()


async def fill(world: World, name: str, mark: str) -> Estate:
    """Drives the doors until `name` has a project, a batch, tasks in every state, people, keys, callbacks, deliveries."""
    customer = await world.customer(name)
    slug = name.lower()
    await world.worker(f"{slug}.ann@people.example", customer.live)
    await world.worker(f"{slug}.rev@people.example", customer.live, role="reviewer")
    out = Estate(customer, mark)
    api = world.keyed(customer.live_key)
    await _customer_side(api, out)
    owner = await world.browser(customer.owner_email, customer.live)
    out.ids["session"] = (await _ok(await owner.get("/sessions")))["items"][0]["id"]
    await add_passkey(owner)
    out.ids["domain"] = f"{slug}.example"
    await _ok(await owner.post("/access/domains", {"domain": out.ids["domain"]}))
    out.ids["passkey"] = (await _ok(await owner.get("/me/security")))["passkeys"][0]["id"]
    await world.drain()
    await _worker_side(world, out, slug)
    await _support_side(world, api, out)
    await world.drain()
    await _after(api, out)
    return out


async def _customer_side(api: Any, out: Estate) -> None:
    mark, ids = out.mark, out.ids
    ontology = {**ONTOLOGY, "classes": [*ONTOLOGY["classes"], {"name": f"class {mark}", "kinds": ["box"]}]}  # type: ignore[misc]
    project = {
        "name": f"Project {mark}", "medium": "text", "ontology": ontology, "instructions": f"# Rules {mark}",
        "review": "all", "callback_url": f"{mark}@callbacks.example", "rate": f"rate {mark}"[:80],
    }  # fmt: skip
    ids["project"] = (await _ok(await api.post("/api/v1/projects", json=project)))["id"]
    await _ok(await api.patch(f"/api/v1/projects/{ids['project']}", json={"instructions": f"# New rules {mark}"}))
    pictures = {"name": f"Pictures {mark}", "medium": "image", "ontology": ontology}
    ids["pictures"] = (await _ok(await api.post("/api/v1/projects", json=pictures)))["id"]
    batch = {"name": f"Batch {mark}", "metadata": {"note": mark}}
    ids["batch"] = (await _ok(await api.post(f"/api/v1/projects/{ids['project']}/batches", json=batch)))["id"]
    staged = {"name": f"Staged {mark}", "staging": True}
    ids["staged"] = (await _ok(await api.post(f"/api/v1/projects/{ids['project']}/batches", json=staged)))["id"]
    upload = {"files": {"file": (f"{mark}.jpg", picture(), "image/jpeg")}, "data": {"reference_id": f"ref {mark}"}}
    asset = await _ok(await api.post("/api/v1/assets", **upload))
    ids["asset"] = asset["id"]
    out.links += [asset["url"], asset["thumb_url"]]
    shown = await _ok(
        await api.post(
            f"/api/v1/projects/{ids['pictures']}/tasks",
            json={"data": {"asset": asset["id"]}, "name": f"Picture {mark}"},
        )
    )
    ids["picture_task"] = shown["id"]
    for n in range(5):
        task = {
            "data": {"text": f"Text {n} {mark}", "context": f"Context {mark}"}, "name": f"Task {n} {mark}",
            "batch": ids["batch"] if n < 3 else None, "unique_id": f"{mark}-{n}", "tags": [f"tag {mark}"],
            "metadata": {"from": mark},
        }  # fmt: skip
        ids[f"task_{n}"] = (await _ok(await api.post(f"/api/v1/projects/{ids['project']}/tasks", json=task)))["id"]
    key = await _ok(await api.post("/api/v1/keys", json={"name": f"Key {mark}"}))
    ids["key"], out.tokens["key"] = key["id"], key["key"]
    members = (await _ok(await api.get("/api/v1/members")))["items"]
    ids["member"] = next(m["person"] for m in members if m["role"] == "annotator")
    ids["owner"] = next(m["person"] for m in members if m["role"] == "owner")
    await _ok(await api.put("/api/v1/walls", json={"name": f"Rival {mark}", "cool_off_days": 30}))
    ids["wall"] = (await _ok(await api.get("/api/v1/walls")))["items"][0]["id"]
    link = await _ok(await api.post("/api/v1/members/invite", json={"email": "new@people.example", "role": "viewer"}))
    out.tokens["link"] = link["link"].rsplit("/", 1)[-1]


async def _worker_side(world: World, out: Estate, slug: str) -> None:
    mark, ids = out.mark, out.ids
    ann = await world.browser(f"{slug}.ann@people.example")
    held: list[dict[str, Any]] = []
    while len(held) < 5:
        held += (await _ok(await ann.post("/work/next", {"want": 3})))["assignments"]
    texts = [a for a in held if a["project"]["id"] == ids["project"]]
    out.links += [a["data"]["image"]["url"] for a in held if "image" in a["data"]]
    first, second, third = texts[:3]
    await _ok(await ann.ask("PUT", f"/work/{first['handle']}/draft", json={"version": 1, "body": {"note": mark}}))
    await _ok(await ann.post(f"/work/{first['handle']}/question", {"text": f"Question {mark}"}))
    for n, one in enumerate((first, second)):
        sent = {"key": f"k{n}", "answer": answer(f"Answer {mark}"), "seconds": 2}
        await _ok(await ann.post(f"/work/{one['handle']}/submit", sent))
    await _ok(await ann.post(f"/work/{third['handle']}/skip", {"reason": "other", "comment": f"Skip {mark}"}))
    await _ok(await ann.ask("PUT", f"/work/{texts[3]['handle']}/draft", json={"version": 1, "body": {"note": mark}}))
    ids["handle"], ids["submitted_handle"], ids["skipped_handle"] = (
        texts[3]["handle"],
        second["handle"],
        third["handle"],
    )
    await world.drain()
    rev = await world.browser(f"{slug}.rev@people.example")
    reviews = (await _ok(await rev.post("/work/next", {"want": 2, "role": "review"})))["assignments"]
    verdicts = [
        {"key": "r1", "verdict": {"decision": "fix", "comment": f"Fixed {mark}"}, "answer": answer(f"Fix {mark}")},
        {"key": "r2", "verdict": {"decision": "reject", "comment": f"Rejected {mark}"}},
    ]
    for review, verdict in zip(reviews, verdicts, strict=True):
        await _ok(await rev.post(f"/work/{review['handle']}/submit", {**verdict, "seconds": 1}))
    ids["review_handle"] = reviews[0]["handle"]
    ids["done_task"], ids["rejected_task"] = (r["task"] for r in reviews)


async def _support_side(world: World, api: Any, out: Estate) -> None:
    """A grant to somebody of the operator's, used and ended: nobody of theirs has access afterwards."""
    email = "helper@operator.example"
    await people.add_person(world.db, email, "Helper", PASSWORD, operator=True)
    asked = {"staff": "Helper", "minutes": 5, "reason": f"Reason {out.mark}"}
    grant = (await _ok(await api.post("/api/v1/support/grants", json=asked)))["grants"][0]["id"]
    await _ok(await (await world.browser(email, out.customer.live)).get(f"/projects/{out.ids['project']}"))
    await _ok(await api.delete(f"/api/v1/support/grants/{grant}"))
    out.ids["grant"] = out.ids["ask"] = grant


async def _after(api: Any, out: Estate) -> None:
    mark, ids = out.mark, out.ids
    question = (await _ok(await api.get("/api/v1/questions")))["items"][0]
    ids["question"] = question["id"]
    await _ok(await api.post(f"/api/v1/questions/{question['id']}/answer", json={"text": f"Reply {mark}"}))
    ids["callback"] = (await _ok(await api.get("/api/v1/callbacks")))["items"][0]["id"]
    gone = await _ok(await api.post("/api/v1/projects", json={"name": f"Gone {mark}", "medium": "text"}))
    asked = await _ok(await api.post(f"/api/v1/projects/{gone['id']}/delete", json={"confirm": f"Gone {mark}"}))
    ids["deletion"] = asked["id"]
    delivery = {"project": ids["project"], "name": f"Delivery {mark}"}
    feed = {"url": "https://siem.example/events"}
    ids["feed"] = (await _ok(await api.post("/api/v1/trust/feeds", json=feed)))["items"][0]["id"]
    ids["delivery"] = (await _ok(await api.post("/api/v1/deliveries", json=delivery)))["id"]
    found = await _ok(await api.get(f"/api/v1/tasks/{ids['done_task']}"))
    ids["answer"] = found["answers"][0]["id"]
    ids["review"] = found["reviews"][0]["id"]


async def people_of(world: World, name: str) -> tuple[Browser, Browser]:
    """The annotator's and the reviewer's browsers."""
    slug = name.lower()
    return await world.browser(f"{slug}.ann@people.example"), await world.browser(f"{slug}.rev@people.example")
