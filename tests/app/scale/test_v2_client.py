"""v2 through the official client: every public method."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from scaleapi import ScaleClient
from scaleapi.api_client.v2 import ExpandableEnumBatch, ExpandableEnumTask, Option
from scaleapi.api_client.v2.exceptions import (
    ApiException,
    BadRequestException,
    ConflictException,
    NotFoundException,
    UnauthorizedException,
)
from scaleapi.api_client.v2.models.batch_operation_request import BatchOperationRequest
from scaleapi.api_client.v2.models.create_batch_request import CreateBatchRequest
from scaleapi.api_client.v2.models.create_chat_task_request import CreateChatTaskRequest
from scaleapi.api_client.v2.models.set_batch_metadata_request import SetBatchMetadataRequest
from scaleapi.api_client.v2.models.set_task_metadata_request import SetTaskMetadataRequest
from scaleapi.tasks import TaskType

from tests.app.scale.conftest import client_for, next_of
from tests.serving import Elsewhere, Org, Serving

EARLY = datetime(2020, 1, 1, tzinfo=UTC)
LATE = datetime(2999, 1, 1, tzinfo=UTC)
TALK: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    "answers": [{"id": "a", "text": "Rayleigh."}, {"id": "b", "text": "Paint."}],
    "topic": "physics",
}


def fresh(what: str) -> str:
    return f"{what} {uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def project(client: ScaleClient) -> Any:
    name = fresh("chats & more")
    client.create_project(name, TaskType.Chat, {"instruction": "Compare."})
    return client.v2.get_project(project_name=name)


def chat(client: ScaleClient, project: Any, **more: Any) -> Any:
    given = {"project_id": project.id, "template_variables": TALK, **more}
    return client.v2.create_chat_task(CreateChatTaskRequest(**given))


def test_projects(client: ScaleClient, project: Any) -> None:
    assert client.v2.get_project(project_id=project.id).name == project.name
    found = client.v2.get_projects(created_after=EARLY, created_before=LATE).projects
    assert project.id in [p.id for p in found]
    assert client.v2.get_projects(created_before=EARLY).projects == []
    with pytest.raises(NotFoundException):
        client.v2.get_project(project_id="0" * 24)
    with pytest.raises(BadRequestException):
        client.v2.get_project()


def test_a_wrong_key(server: Serving) -> None:
    with pytest.raises(UnauthorizedException):
        client_for(server, "test_nobody").v2.get_projects()


def test_batches_run_through_their_states(client: ScaleClient, project: Any) -> None:
    given = CreateBatchRequest(name=fresh("batch"), project_id=project.id, staging_batch=True, metadata={"a": {"b": 1}})
    batch = client.v2.create_batch(given)
    assert batch.status.value == "staging"
    with pytest.raises(ConflictException):
        client.v2.create_batch(given)
    ref = BatchOperationRequest(batch_id=batch.id)
    with pytest.raises(BadRequestException):
        client.v2.resume_batch(ref)
    assert client.v2.finalize_batch(BatchOperationRequest(batch_name=batch.name)).status.value == "in_progress"
    with pytest.raises(BadRequestException):
        client.v2.finalize_batch(BatchOperationRequest(batch_name=batch.name))
    assert client.v2.pause_batch(ref).batch.status.value == "paused"
    assert client.v2.resume_batch(ref).batch.status.value == "in_progress"
    merged = client.v2.set_batch_metadata(
        SetBatchMetadataRequest(batch_id=batch.id, metadata={"a": {"c": 2}}, merge=True)
    )
    assert merged.metadata == {"a": {"b": 1, "c": 2}}
    replaced = client.v2.set_batch_metadata(SetBatchMetadataRequest(batch_id=batch.id, metadata={"z": 1}))
    assert replaced.metadata == {"z": 1}
    cancelled = client.v2.cancel_batch(ref)
    assert cancelled.batch.status.value == "cancelled"
    assert cancelled.message
    with pytest.raises(ApiException):
        client.v2.resume_batch(ref)
    found = client.v2.get_batch(batch_name=batch.name, expand=[ExpandableEnumBatch.PROJECT])
    assert found.project.actual_instance.name == project.name
    assert client.v2.get_batch(batch_id=batch.id).project.actual_instance == project.id
    with pytest.raises(NotFoundException):
        client.v2.get_batch(batch_id="0" * 24)


def test_batches_are_listed_page_by_page(client: ScaleClient) -> None:
    name = fresh("pages")
    client.create_project(name, TaskType.Chat)
    made = [client.v2.create_batch(CreateBatchRequest(name=fresh("b"), project_name=name)).id for _ in range(3)]
    first = client.v2.get_batches(project_name=name, limit=2)
    assert [b.id for b in first.batches] == made[:0:-1]
    rest = client.v2.get_batches(project_name=name, limit=2, next_token=first.next_token)
    assert [b.id for b in rest.batches] == made[:1]
    assert rest.next_token is None
    assert client.v2.get_batches(project_name=name, status="cancelled").batches == []
    with pytest.raises(BadRequestException):
        client.v2.get_batches(project_name=name, next_token="forged")


def test_a_chat_task_is_completed_at_once_in_test_mode(client: ScaleClient, project: Any, other: Elsewhere) -> None:
    task = chat(client, project, metadata={"m": 1}, callback_url=f"{other.url}/chat")
    assert task.status.value == "completed"
    assert task.metadata == {"m": 1}
    found = client.v2.get_task(
        task_id=task.task_id,
        expand=[ExpandableEnumTask.PROJECT, ExpandableEnumTask.BATCH],
        opts=[Option.SUBMISSIONS, Option.ANNOTATION_DETAILS],
    )
    assert found.project.actual_instance.id == project.id
    (thread,) = found.threads
    messages = [m for turn in thread.turns for m in turn.messages]
    assert [m.content.text for m in messages] == ["Why is the sky blue?", "Rayleigh.", "Paint."]
    assert [m.source_id for m in messages[1:]] == ["a", "b"]
    assert messages[1].annotations[0].actual_instance.type == "integer"
    assert {a.actual_instance.key for a in thread.turns[-1].annotations} >= {"preference", "preference_strength"}
    assert thread.submissions
    annotation = messages[1].annotations[0].actual_instance
    assert client.v2.get_annotation(annotation_id=annotation.id).actual_instance.value == annotation.value
    with pytest.raises(NotFoundException):
        client.v2.get_annotation(annotation_id=f"{task.task_id}_nothing")
    body = other.calls("/chat")[0].body
    assert body["task_id"] == task.task_id
    assert body["response"]["threads"]
    assert client.get_task(task.task_id).type == "chat"


def test_task_metadata_is_replaced_or_merged(client: ScaleClient, project: Any) -> None:
    task = chat(client, project, metadata={"a": {"b": 1}})
    merged = client.v2.set_task_metadata(
        SetTaskMetadataRequest(task_id=task.task_id, metadata={"a": {"c": 2}}, merge=True)
    )
    assert merged.metadata == {"a": {"b": 1, "c": 2}}
    replaced = client.v2.set_task_metadata(SetTaskMetadataRequest(task_id=task.task_id, metadata={"d": 1}))
    assert replaced.metadata == {"d": 1}
    with pytest.raises(NotFoundException):
        client.v2.set_task_metadata(SetTaskMetadataRequest(task_id="0" * 24, metadata={"d": 1}))


def test_tasks_are_listed_page_by_page(client: ScaleClient) -> None:
    name = fresh("tasks")
    client.create_project(name, TaskType.Chat)
    batch = client.v2.create_batch(CreateBatchRequest(name=fresh("b"), project_name=name))
    made = [
        client.v2.create_chat_task(CreateChatTaskRequest(batch_name=batch.name, template_variables=TALK)).task_id
        for _ in range(3)
    ]
    page = client.v2.get_tasks(batch_id=batch.id, limit=2, status="completed", completed_after=EARLY, expand=["batch"])
    assert [t.task_id for t in page.tasks] == made[:0:-1]
    assert page.tasks[0].batch.actual_instance.name == batch.name
    assert page.next_token
    found = client.v2_get_tasks(project_name=name, limit=2, completed_after=EARLY, completed_before=LATE)
    assert [t.task_id for t in found] == made[::-1]
    assert client.v2.get_tasks(project_name=name, status="error").tasks == []
    with pytest.raises(NotFoundException):
        client.v2.get_task(task_id="0" * 24)


def test_a_live_chat_task_waits_for_a_person(live: ScaleClient, server: Serving, org: Org, other: Elsewhere) -> None:
    name = fresh("live chats")
    live.create_project(name, TaskType.Chat, {"instruction": "Compare."})
    found = live.v2.get_project(project_name=name)
    task = chat(live, found, callback_url=f"{other.url}/live-chat")
    assert (task.status.value, task.threads) == ("pending", [])
    with pytest.raises(BadRequestException):
        chat(live, found, template_variables={})
    with server.signed_in("lee@workers.example") as lee:
        work = next_of(lee, task.task_id)
        conversation = work["data"]["conversation"]
        assert [a["text"] for a in conversation["answers"]] == ["Rayleigh.", "Paint."]
        answer = [
            {"id": "p", "kind": "preference", "field": "preference", "winner": "a", "strength": 2},
            {"id": "r1", "kind": "rating", "field": "quality", "value": 5, "target": "a"},
            {"id": "r2", "kind": "rating", "field": "quality", "value": 1, "target": "b"},
        ]
        sent = {"key": fresh("k"), "answer": {"annotations": answer}, "seconds": 3}
        reply = lee.post(f"/work/{work['handle']}/submit", json=sent)
        assert reply.status_code == 200, reply.text
    (got,) = other.calls("/live-chat")
    assert got.body["status"] == "completed"
    done = live.v2.get_task(task_id=task.task_id)
    marks = {a.actual_instance.key: a.actual_instance for a in done.threads[0].turns[-1].annotations}
    assert marks["preference"].value == [["a"], ["b"]]
    assert marks["preference_strength"].value == 2


def test_deliveries_and_datasets_are_well_formed(client: ScaleClient, project: Any) -> None:
    v2 = client.v2
    assert v2.get_deliveries(project_id=project.id, delivered_after=EARLY, delivered_before=LATE).deliveries == []
    page = v2.get_delivery_tasks(project_id=project.id, limit=10)
    assert (page.docs, page.total) == ([], 0)
    with pytest.raises(NotFoundException):
        v2.get_delivery(delivery_id="0" * 24)
    dataset = fresh("dataset")
    client.create_project(fresh("linked"), TaskType.ImageAnnotation, dataset_id=dataset)
    assert dataset in [d.id for d in v2.get_datasets().datasets]
    assert v2.get_dataset_deliveries(dataset_id=dataset).deliveries == []
    assert v2.get_dataset_tasks(dataset_id=dataset).tasks == []
    for ask in (
        lambda: v2.get_schema(schema_id="x"),
        lambda: v2.get_dataset_delivery(delivery_id="x"),
        lambda: v2.get_dataset_task(task_id="x"),
        lambda: v2.get_dataset_task_response_url(task_id="x", attachment_id="y"),
    ):
        with pytest.raises(NotFoundException):
            ask()
