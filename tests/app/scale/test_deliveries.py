"""v2 deliveries with real work in them: labelled by a person, delivered at the native door, read by the official client."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import jsonschema_rs
import pytest
from scaleapi import ScaleClient
from scaleapi.api_client.v2 import ExpandableEnumDelivery, Option
from scaleapi.api_client.v2.exceptions import BadRequestException, NotFoundException
from scaleapi.api_client.v2.models.create_batch_request import CreateBatchRequest
from scaleapi.api_client.v2.models.create_chat_task_request import CreateChatTaskRequest
from scaleapi.tasks import TaskType

from tests.app.scale.conftest import next_of
from tests.app.scale.test_v2_client import EARLY, LATE, TALK
from tests.serving import Org, Serving


def fresh(what: str) -> str:
    return f"{what} {uuid4().hex[:8]}"


def label(person: httpx.Client, task: str, rows: list[dict[str, Any]]) -> None:
    work = next_of(person, task)
    body = {"key": uuid4().hex, "answer": {"annotations": rows}, "seconds": 3}
    reply = person.post(f"/work/{work['handle']}/submit", json=body)
    assert reply.status_code == 200, reply.text


def deliver(server: Serving, org: Org, project: str, name: str) -> str:
    headers = {"authorization": f"Bearer {org.live_key}"}
    body = {"project": project, "name": name, "format": "jsonl"}
    reply = httpx.post(f"{server.url}/api/v1/deliveries", json=body, headers=headers)
    assert reply.status_code in (200, 201), reply.text
    return str(reply.json()["id"])


CHAT = [
    {"id": "p", "kind": "preference", "field": "preference", "winner": "b", "strength": 1},
    {"id": "r1", "kind": "rating", "field": "quality", "value": 2, "target": "a"},
    {"id": "r2", "kind": "rating", "field": "quality", "value": 4, "target": "b"},
]


def test_a_filled_delivery(live: ScaleClient, server: Serving, org: Org) -> None:
    v2 = live.v2
    name = fresh("chats")
    live.create_project(name, TaskType.Chat, {"instruction": "Compare."})
    project = v2.get_project(project_name=name)
    batch = v2.create_batch(CreateBatchRequest(name=fresh("batch"), project_id=project.id))
    made = [
        v2.create_chat_task(CreateChatTaskRequest(batch_id=batch.id, template_variables=TALK)).task_id for _ in range(3)
    ]
    with server.signed_in("lee@workers.example") as lee:
        for task in made:
            label(lee, task, CHAT)
    title = fresh("first delivery")
    delivery = deliver(server, org, project.id, title)

    (listed,) = v2.get_deliveries(project_id=project.id, delivered_after=EARLY, delivered_before=LATE).deliveries
    assert (listed.id, listed.name, listed.task_count) == (delivery, title, 3)
    assert listed.project.actual_instance == project.id
    (expanded,) = v2.get_deliveries(project_name=name, expand=["project"]).deliveries
    assert expanded.project.actual_instance.name == name
    assert v2.get_deliveries(project_id=project.id, delivered_before=EARLY).deliveries == []

    first = v2.get_delivery(
        delivery_id=delivery, limit=2, opts=[Option.SUBMISSIONS],
        expand=[ExpandableEnumDelivery.DELIVERY, ExpandableEnumDelivery.BATCH, ExpandableEnumDelivery.PROJECT],
    )  # fmt: skip
    assert first.delivery.actual_instance.name == title
    assert [t.task_id for t in first.tasks] == made[:0:-1]
    assert first.tasks[0].batch.actual_instance.name == batch.name
    assert first.tasks[0].project.actual_instance.name == name
    (thread,) = first.tasks[0].threads
    marks = {a.actual_instance.key: a.actual_instance.value for a in thread.turns[-1].annotations}
    assert marks == {"preference": [["b"], ["a"]], "preference_strength": 1}
    assert thread.submissions[0].contributor_id.startswith("Worker ")
    rest = v2.get_delivery(delivery_name=title, limit=2, next_token=_token(live, delivery_name=title, limit=2))
    assert [t.task_id for t in rest.tasks] == made[:1]
    assert rest.next_token is None
    assert rest.delivery.actual_instance == delivery
    with pytest.raises(NotFoundException):
        v2.get_delivery(delivery_name="no such delivery")
    with pytest.raises(BadRequestException):
        v2.get_delivery()


def _token(live: ScaleClient, **query: Any) -> str:
    return str(live.v2.get_delivery(**query).next_token)


def test_delivered_responses_fit_the_schema_that_they_name(live: ScaleClient, server: Serving, org: Org) -> None:
    v2 = live.v2
    project = live.create_project(fresh("names"), TaskType.NamedEntityRecognition, {"labels": ["person"]})
    made = [
        live.create_task(TaskType.NamedEntityRecognition, project=project.name, text="Zoë met Bob.").id
        for _ in range(3)
    ]
    with server.signed_in("lee@workers.example") as lee:
        for task in made[:2]:
            label(lee, task, [{"id": "a", "kind": "span", "class": "person", "start": 8, "end": 11}])
    id_ = v2.get_project(project_name=project.name).id
    delivery = deliver(server, org, id_, fresh("d"))
    page = v2.get_delivery_tasks(delivery_id=delivery, limit=1)
    assert (page.total, [d.task_id for d in page.docs]) == (1, [made[1]])
    (rest,) = v2.get_delivery_tasks(delivery_id=delivery, limit=1, next_token=page.next_token).docs
    assert rest.task_id == made[0]
    assert rest.delivery_id == delivery
    assert rest.delivered_at is not None
    assert rest.response["annotations"][0]["text"] == "Bob"
    schema = v2.get_schema(schema_id=rest.response_schema_id).var_schema
    jsonschema_rs.Draft202012Validator(json.loads(schema.var_json)).validate(rest.response)
    assert v2.get_delivery_tasks(project_id=id_, status="completed", completed_after=EARLY).total == 2
    assert v2.get_delivery_tasks(project_id=id_, status="pending").docs == []
    assert v2.get_delivery_tasks(project_id=id_, completed_before=EARLY).next_token is None
    # what is done later is in the next delivery, and nothing is delivered twice
    with server.signed_in("lee@workers.example") as lee:
        label(lee, made[2], [])
    second = deliver(server, org, id_, fresh("d"))
    assert [t.task_id for t in v2.get_delivery(delivery_id=second).tasks] == [made[2]]
    assert [d.id for d in v2.get_deliveries(project_id=id_).deliveries] == [second, delivery]
