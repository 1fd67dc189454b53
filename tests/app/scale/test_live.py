"""Live work: fetched, labelled by a person through the native door, seen by the official client, told by callback."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from scaleapi import ScaleClient
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from tests.app.scale.conftest import next_of
from tests.serving import Elsewhere, Org, Received, Serving

Eventually = Callable[..., Any]


def fresh(what: str) -> str:
    return f"{what} {uuid4().hex[:8]}"


@pytest.fixture
def lee(server: Serving, org: Org) -> Iterator[httpx.Client]:
    with server.signed_in("lee@workers.example") as client:
        yield client


def submit(person: httpx.Client, task: str, *annotations: dict[str, Any], seconds: float = 2) -> dict[str, Any]:
    work = next_of(person, task)
    rows = [{"id": f"a{n}", **a} for n, a in enumerate(annotations)]
    body = {"key": uuid4().hex, "answer": {"annotations": rows}, "seconds": seconds}
    reply = person.post(f"/work/{work['handle']}/submit", json=body)
    assert reply.status_code == 200, reply.text
    return work


def check_signature(server: Serving, org: Org, got: Received) -> None:
    """As a receiver does it."""
    headers = {"authorization": f"Bearer {org.live_key}"}
    secrets = httpx.get(f"{server.url}/api/v1/settings/callbacks", headers=headers).json()
    assert got.headers["scale-callback-auth"] == secrets["auth_key"]
    parts = dict(p.split("=", 1) for p in got.headers["evenhand-signature"].split(","))
    mac = hmac.digest(secrets["signing_secret"].encode(), f"{parts['t']}.".encode() + got.raw, "sha256").hex()
    assert hmac.compare_digest(mac, parts["v1"])


def test_an_image_is_labelled(
    server: Serving, org: Org, live: ScaleClient, lee: httpx.Client, other: Elsewhere, eventually: Eventually
) -> None:
    params = {
        "instruction": "All cats.",
        "geometries": {"box": {"objects_to_annotate": ["cat"]}, "polygon": {"objects_to_annotate": ["sofa"]}},
        "annotation_attributes": {"age": {"type": "category", "choices": [1, 2]}},
    }
    project = live.create_project(fresh("cats"), TaskType.ImageAnnotation, params)
    batch = live.create_batch(project.name, fresh("batch"), callback=f"{other.url}/cats-batch")
    path = f"/{uuid4().hex}"
    task = live.create_task(
        TaskType.ImageAnnotation, batch=batch.name, attachment=f"{other.url}/cat.png", callback_url=other.url + path
    )
    assert (task.status, task.is_test) == ("pending", False)
    assert "response" not in task.as_dict()
    assert batch.get_status()["pending"] == 1
    work = submit(
        lee,
        task.id,
        {"kind": "box", "class": "cat", "attributes": {"age": "2"}, "x": 1, "y": 2, "w": 10, "h": 20},
        {"kind": "polygon", "class": "sofa", "attributes": {"age": "1"}, "points": [[0, 0], [9, 0], [9, 9]]},
    )
    assert (work["data"]["image"]["width"], work["data"]["image"]["height"]) == (64, 48)
    assert work["data"]["image"]["url"]
    (got,) = other.calls(path)
    check_signature(server, org, got)
    assert (got.body["task_id"], got.body["status"]) == (task.id, "completed")
    found = live.get_task(task.id)
    assert got.body["response"] == found.response == got.body["task"]["response"]
    box, sofa = found.response["annotations"]
    assert (box["type"], box["label"], box["attributes"]) == ("box", "cat", {"age": 2})
    assert (box["left"], box["top"], box["width"], box["height"]) == (1, 2, 10, 20)
    assert sofa["vertices"][1] == {"x": 9, "y": 0}
    eventually(lambda: live.get_task(task.id).as_dict().get("callback_succeeded"))
    url = live.tasks(unique_id=None, batch=batch.name, include_attachment_url=True).docs[0].attachmentS3Url
    assert httpx.get(url).content.startswith(b"\x89PNG")
    eventually(lambda: live.get_batch(batch.name).status == "completed")
    assert other.calls("/cats-batch")
    live.audit_task(task.id, False, "too loose")
    audited = other.calls(path, 2)[1].body
    assert audited["task"]["customer_review_status"] == "rejected"
    live.api.post_request(f"task/{task.id}/send_callback")
    live.api.post_request(f"task/{task.id}/send-callback")
    other.calls(path, 4)


def test_an_attachment_that_cannot_be_had_is_an_error(
    live: ScaleClient, other: Elsewhere, eventually: Eventually
) -> None:
    box = {"box": {"objects_to_annotate": ["cat"]}}
    uid, path = fresh("uid"), f"/{uuid4().hex}"
    broken = live.create_task(
        TaskType.ImageAnnotation,
        attachment=f"{other.url}/broken.png",
        geometries=box,
        unique_id=uid,
        clear_unique_id_on_error=True,
        callback_url=other.url + path,
    )
    missing = live.create_task(TaskType.ImageAnnotation, attachment=f"{other.url}/none.png", geometries=box)
    for task, status in ((broken, 200), (missing, 404)):
        eventually(lambda task=task: live.get_task(task.id).status == "error")
        response = live.get_task(task.id).response
        assert isinstance(response["error"], str)
        assert response["attachments"] == [{"statusCode": status, "url": task.params["attachment"]}]
    assert "unique_id" not in live.get_task(broken.id).as_dict()
    got = other.calls(path)[0].body
    assert (got["status"], got["response"]["attachments"][0]["statusCode"]) == ("error", 200)
    with pytest.raises(ScaleInvalidRequest):
        live.cancel_task(missing.id)


def test_a_pending_task_is_cancelled_once_and_for_all(live: ScaleClient) -> None:
    uid = fresh("uid")
    given: dict[str, Any] = {"text": "Anna met Bob.", "labels": ["person"], "unique_id": uid}
    task = live.create_task(TaskType.NamedEntityRecognition, **given)
    assert live.cancel_task(task.id, clear_unique_id=True).status == "canceled"
    assert live.cancel_task(task.id).status == "canceled"
    assert "unique_id" not in live.get_task(task.id).as_dict()
    again = live.create_task(TaskType.NamedEntityRecognition, **given)
    again.cancel()


def test_names_are_marked_in_a_text(live: ScaleClient, lee: httpx.Client, eventually: Eventually) -> None:
    task = live.create_task(TaskType.NamedEntityRecognition, text="Zoë met Bob.", labels=[{"name": "person"}])
    submit(lee, task.id, {"kind": "span", "class": "person", "start": 0, "end": 3})
    eventually(lambda: live.get_task(task.id).status == "completed")
    (row,) = live.get_task(task.id).response["annotations"]
    assert (row["start"], row["end"], row["text"], row["label"]) == (0, 3, "Zoë", "person")


@pytest.mark.parametrize("attachment", ["words themselves", "address", "stored"])
def test_a_text_attachment(
    live: ScaleClient, lee: httpx.Client, other: Elsewhere, eventually: Eventually, attachment: str
) -> None:
    text = "Grüße aus Genf"
    given = {
        "words themselves": lambda: text,
        "address": lambda: f"{other.url}/note.txt",
        "stored": lambda: live.import_file(f"{other.url}/note.txt").attachment_url,
    }[attachment]()
    task = live.create_task(
        TaskType.Categorization, attachment=given, attachment_type="text", categories=["short", "long"]
    )
    work = submit(lee, task.id, {"kind": "choice", "field": "category", "values": ["short"]})
    assert work["data"]["text"] == text
    eventually(lambda: live.get_task(task.id).status == "completed")
    assert live.get_task(task.id).response["category"] == "short"


def test_stored_pictures_and_references_are_shown(live: ScaleClient, lee: httpx.Client, other: Elsewhere) -> None:
    stored = live.import_file(f"{other.url}/cat.png").attachment_url
    task = live.create_task(
        TaskType.ImageAnnotation,
        attachment=stored,
        geometries={"box": {"objects_to_annotate": ["cat"]}},
        context_attachments=[{"attachment": f"{other.url}/note.txt"}, {"attachment": stored}],
        hypothesis={"annotations": [{"type": "box", "label": "cat", "left": 1, "top": 1, "width": 5, "height": 5}]},
    )
    work = next_of(lee, task.id)
    assert work["data"]["image"]["width"] == 64
    assert [r["name"] for r in work["data"]["references"]] == ["context 2", "context 1"]
    assert all(r["url"] for r in work["data"]["references"])
    assert work["data"]["prelabels"][0]["kind"] == "box"
    with pytest.raises(ScaleInvalidRequest):  # somebody is at work on it
        live.cancel_task(task.id)
    lee.post("/work/release", json={"handles": [work["handle"]]})
    task.cancel()
    foreign = f"scaledata://{'0' * 24}/{'0' * 24}"
    with pytest.raises(ScaleInvalidRequest):
        live.create_task(TaskType.ImageAnnotation, attachment=foreign, geometries=task.params["geometries"])


def test_a_form_gathers_as_many_answers_as_were_asked_for(
    server: Serving, org: Org, live: ScaleClient, lee: httpx.Client, eventually: Eventually
) -> None:
    server.member("kim@workers.example", "annotator", org.live)
    field = {"type": "category", "field_id": "nice", "title": "Nice?", "choices": [{"label": "Yes", "value": "yes"}]}
    field["choices"] = [*field["choices"], {"label": "No", "value": "no"}]  # type: ignore[misc]
    # a project made after kim has joined gives her a seat at once
    project = live.create_project(fresh("form"), TaskType.TextCollection)
    task = live.create_task(
        TaskType.TextCollection,
        project=project.name,
        attachments=[{"type": "text", "content": "hello"}],
        fields=[field],
        responses_required=2,
    )
    submit(lee, task.id, {"kind": "choice", "field": "nice", "values": ["no"]})
    assert live.get_task(task.id).status == "pending"
    with server.signed_in("kim@workers.example") as kim:
        submit(kim, task.id, {"kind": "choice", "field": "nice", "values": ["yes"]})
    eventually(lambda: live.get_task(task.id).status == "completed")
    found = live.get_task(task.id).response["annotations"]["nice"]
    assert found == {"type": "category", "field_id": "nice", "response": [["no"], ["yes"]]}


def test_native_tasks_are_shown_as_well(
    server: Serving, org: Org, live: ScaleClient, lee: httpx.Client, other: Elsewhere, eventually: Eventually
) -> None:
    """What was made at the native door has a type by its medium and params from its ontology."""
    fields = [{"key": "weather", "type": "choice", "choices": [{"value": "sun"}, {"value": "rain"}]}]
    ontology = {"classes": [{"name": "cat", "kinds": ["box"]}], "attributes": [], "fields": fields}
    chat = [
        {"key": "best", "type": "preference"},
        {"key": "tone", "type": "rating", "min": 1, "max": 5, "target": "answers"},
    ]
    with httpx.Client(base_url=f"{server.url}/api/v1", headers={"authorization": f"Bearer {org.live_key}"}) as native:
        name, talks = fresh("native"), fresh("talks")
        made = native.post("/projects", json={"name": name, "medium": "image", "ontology": ontology}).json()
        given = {"data": {"image_url": f"{other.url}/cat.png"}}
        task = native.post(f"/projects/{made['id']}/tasks", json=given).json()["id"]
        made = native.post(
            "/projects", json={"name": talks, "medium": "conversation", "ontology": {"fields": chat}}
        ).json()
        talk = {"messages": [], "answers": [{"id": "x", "text": "1"}, {"id": "y", "text": "2"}]}
        second = native.post(f"/projects/{made['id']}/tasks", json={"data": {"conversation": talk}}).json()["id"]
    assert live.get_project(name).type == "imageannotation"
    submit(
        lee,
        task,
        {"kind": "box", "class": "cat", "x": 1, "y": 1, "w": 5, "h": 5},
        {"kind": "choice", "field": "weather", "values": ["rain"]},
    )
    submit(
        lee,
        second,
        {"kind": "preference", "field": "best", "winner": None, "strength": 0},
        {"kind": "rating", "field": "tone", "target": "x", "value": 4},
        {"kind": "rating", "field": "tone", "target": "y", "value": 2},
    )
    eventually(lambda: live.get_task(second).status == "completed")
    eventually(lambda: live.get_task(task).status == "completed")
    (row,) = live.get_tasks(project_name=name)
    assert row.type == "imageannotation"
    assert row.params["geometries"] == {"box": {"objects_to_annotate": ["cat"]}}
    assert row.response["annotations"][0]["label"] == "cat"
    assert row.response["global_attributes"] == {"weather": "rain"}
    form = live.get_task(second)
    assert form.type == "textcollection"
    answers = {k: v["response"] for k, v in form.response["annotations"].items()}
    assert answers == {"best": [["tie"]], "tone.x": [4], "tone.y": [2]}
