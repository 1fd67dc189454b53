"""v1 through the official client: every public method, in test mode."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import requests
from scaleapi import ScaleClient
from scaleapi.batches import BatchStatus
from scaleapi.exceptions import (
    ScaleDuplicateResource,
    ScaleException,
    ScaleInvalidRequest,
    ScaleNotEnabled,
    ScaleResourceNotFound,
    ScaleUnauthorized,
)
from scaleapi.tasks import TaskReviewStatus, TaskStatus, TaskType
from scaleapi.teams import TeammateRole

from tests.app.scale.conftest import client_for
from tests.pure.scale.bodies import BODIES
from tests.serving import Elsewhere, Org, Serving

BOX = {"box": {"objects_to_annotate": ["cat"], "min_width": 2}}
CAT = "http://example.com/cat.png"
NAMED = {t.value: t for t in TaskType}


def fresh(what: str) -> str:
    return f"{what} {uuid4().hex[:8]}"


def make(client: ScaleClient, **more: Any) -> Any:
    return client.create_task(TaskType.ImageAnnotation, **{"attachment": CAT, "geometries": BOX, **more})


# --- errors


def test_a_wrong_key_is_unauthorized(server: Serving) -> None:
    with pytest.raises(ScaleUnauthorized) as caught:
        client_for(server, "test_nobody").get_projects()
    assert caught.value.code == 401


def test_what_is_not_there_is_not_found(client: ScaleClient) -> None:
    with pytest.raises(ScaleResourceNotFound, match=r"Task with that ID not found\."):
        client.get_task("0" * 24)
    for ask in (client.get_project, client.get_batch, client.batch_status, client.finalize_batch):
        with pytest.raises(ScaleResourceNotFound):
            ask("nothing/like this")
    with pytest.raises(ScaleResourceNotFound):
        client.create_batch("no such project", fresh("batch"))
    with pytest.raises(ScaleResourceNotFound):
        make(client, project="no such project")


@pytest.mark.parametrize(
    "name",
    [
        "categorization", "transcription", "datacollection", "annotation", "polygonannotation", "lineannotation",
        "documenttranscription", "imageannotation",
    ],
)  # fmt: skip
def test_a_missing_attachment_is_invalid(client: ScaleClient, name: str) -> None:
    with pytest.raises(ScaleInvalidRequest, match="attachment") as caught:
        client.create_task(NAMED[name], callback_url="http://example.com/callback", instruction="Look")
    assert caught.value.code == 400


def test_a_type_without_a_surface_is_not_enabled_in_live_mode(live: ScaleClient) -> None:
    with pytest.raises(ScaleNotEnabled) as caught:
        live.create_task(TaskType.SegmentAnnotation, **BODIES["segmentannotation"])
    assert caught.value.code == 402
    with pytest.raises(ScaleException):
        live.api.post_request("task/nosuchtype", body={"attachment": CAT})


# --- tasks


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_type_is_completed_at_once_in_test_mode(client: ScaleClient, name: str, other: Elsewhere) -> None:
    if name in NAMED:
        task = client.create_task(NAMED[name], **BODIES[name]).as_dict()
    else:
        task = client.api.post_request(f"task/{name}", body=BODIES[name])
    assert task["type"] == name
    assert task["status"] == "completed"
    assert task["is_test"] is True
    assert task["callback_succeeded"] is True
    assert isinstance(task["response"], dict)
    assert "tags" not in task
    assert "unique_id" not in task
    assert task["metadata"] == {}
    assert client.get_task(task["task_id"]).as_dict()["response"].keys() == task["response"].keys()


def test_response_files_open_without_a_key(client: ScaleClient) -> None:
    task = client.create_task(TaskType.SegmentAnnotation, **BODIES["segmentannotation"])
    url = task.response["annotations"]["combined"]["image"]
    found = requests.get(url, timeout=10)
    assert found.status_code == 200
    assert found.content.startswith(b"\x89PNG")
    frames = client.create_task(TaskType.VideoAnnotation, **BODIES["videoannotation"]).response["annotations"]["url"]
    assert requests.get(frames, timeout=10).json()[0]["annotations"]


def test_the_common_fields_come_back(client: ScaleClient) -> None:
    uid = fresh("uid")
    task = make(
        client,
        instruction="Draw a box",
        callback_url="http://example.com/callback",
        metadata={"a": {"b": 1}},
        tags=["x", "y"],
        unique_id=uid,
        priority=30,
    )
    found = client.get_task(task.id)
    assert found.instruction == "Draw a box"
    assert found.callback_url == "http://example.com/callback"
    assert found.metadata == {"a": {"b": 1}}
    assert found.tags == ["x", "y"]
    assert found.unique_id == uid
    assert found.priority == 30
    assert found.params["geometries"]["box"]["min_height"] == 0
    assert found.created_at.endswith("Z")
    assert len(found.id) == 24
    task.refresh()
    assert hash(task) == hash(found)


def test_a_unique_id_is_taken_once(client: ScaleClient) -> None:
    uid = fresh("uid")
    task = make(client, unique_id=uid)
    with pytest.raises(ScaleDuplicateResource) as caught:
        make(client, unique_id=uid)
    assert f'The unique_id ("{uid}") is already used for a different task ({task.id}).' in str(caught.value)
    assert [t.id for t in client.tasks(unique_id=uid).docs] == [task.id]
    second = make(client)
    with pytest.raises(ScaleDuplicateResource):
        client.update_task_unique_id(second.id, uid)
    client.clear_task_unique_id(task.id)
    assert "unique_id" not in client.get_task(task.id).as_dict()
    assert client.update_task_unique_id(second.id, uid).unique_id == uid
    second.clear_unique_id()
    second.update_unique_id(fresh("uid"))


def test_a_completed_task_is_not_cancelled(client: ScaleClient) -> None:
    task = make(client)
    with pytest.raises(ScaleInvalidRequest):
        client.cancel_task(task.id)
    with pytest.raises(ScaleInvalidRequest):
        task.cancel(True)


def test_metadata_is_replaced(client: ScaleClient) -> None:
    task = make(client, metadata={"a": 1})
    assert client.set_task_metadata(task.id, {"b": 2}).metadata == {"b": 2}
    assert client.set_task_metadata(task.id, {}).metadata == {}
    task.set_metadata({"c": 3})
    with pytest.raises(ScaleInvalidRequest):
        client.set_task_metadata(task.id, {"long": "x" * 11_000})


def test_tags_are_set_added_and_deleted(client: ScaleClient) -> None:
    task = make(client)
    assert client.set_task_tags(task.id, ["a", "b"]).tags == ["a", "b"]
    assert client.add_task_tags(task.id, ["b", "c"]).tags == ["a", "b", "c"]
    assert client.delete_task_tags(task.id, ["a", "nothing"]).tags == ["b", "c"]
    assert client.set_task_tags(task.id, []).tags == []
    task.set_tags(["q"])
    task.add_tags(["r"])
    task.delete_tags(["q"])
    assert client.get_task(task.id).tags == ["r"]
    with pytest.raises(ScaleInvalidRequest):
        client.set_task_tags(task.id, list("abcdef"))
    with pytest.raises(ScaleResourceNotFound):
        client.add_task_tags("0" * 24, ["x"])


def test_an_audit_changes_the_review_status(client: ScaleClient) -> None:
    task = make(client)
    client.audit_task(task.id, True, "good")
    found = client.get_task(task.id)
    assert found.customer_review_status == "accepted"
    assert found.audits[0]["audit_result"] == "accepted"
    assert found.audits[0]["audit_source"] == "customer"
    task.audit(False)
    assert client.get_task(task.id).customer_review_status == "rejected"
    assert len(client.api.get_request("audits", params={"task_id": task.id})) == 2


def test_tasks_are_listed_newest_first_page_by_page(client: ScaleClient) -> None:
    project = client.create_project(fresh("list"), TaskType.ImageAnnotation)
    client.create_batch(project.name, batch := fresh("batch"))
    made = [make(client, batch=batch, tags=[f"n{n % 2}"]).id for n in range(7)]
    everything = list(client.get_tasks(project_name=project.name, limit=3))
    assert [t.id for t in everything] == made[::-1]
    assert client.get_tasks_count(project_name=project.name) == 7
    page = client.tasks(project=project.name, limit=3)
    assert (page.total, page.limit, page.offset, page.has_more, len(page.docs)) == (7, 3, 0, True, 3)
    rest = client.tasks(project=project.name, limit=3, next_token=page.next_token)
    assert [t.id for t in rest.docs] == made[::-1][3:6]
    last = client.tasks(project=project.name, limit=100)
    assert last.has_more is False
    assert last.next_token is None
    assert [t.id for t in client.get_tasks(batch_name=batch, tags=["n1"])] == made[1::2][::-1]
    client.audit_task(made[0], True)
    client.audit_task(made[1], False)
    reviewed = client.get_tasks(
        project_name=project.name, review_status=[TaskReviewStatus.Accepted, TaskReviewStatus.Rejected]
    )
    assert {t.id for t in reviewed} == {made[0], made[1]}
    found = client.get_tasks(
        project_name=project.name,
        batch_name=batch,
        task_type=TaskType.ImageAnnotation,
        status=TaskStatus.Completed,
        unique_id=None,
        completed_after="2020-01-01",
        completed_before="2999-01-01T00:00:00",
        updated_after="2020-01-01 00:00:00.123456",
        updated_before="2999-01-01",
        created_after="2020-01-01T00:00:00Z",
        created_before="2999-01-01",
    )
    assert len(list(found)) == 7
    assert list(client.get_tasks(project_name=project.name, status=TaskStatus.Canceled)) == []
    assert client.get_tasks_count(project_name=project.name, created_before="2020-01-01") == 0
    short = client.tasks(project=project.name, limited_response=True).docs[0].as_dict()
    assert short.keys() == {"task_id", "status", "metadata", "project", "otherVersion"}
    assert client.tasks(project=project.name, include_attachment_url=True).docs[0].attachmentS3Url == CAT
    with pytest.raises(ScaleInvalidRequest):
        client.tasks(bogus=1)
    with pytest.raises(ScaleInvalidRequest):
        client.tasks(limit=101)
    with pytest.raises(ScaleInvalidRequest):
        client.tasks(next_token="forged")


# --- projects and batches


def test_projects_keep_their_history(client: ScaleClient) -> None:
    name = fresh("a project/with ä %2F")
    made = client.create_project(name, TaskType.ImageAnnotation, {"instruction": "Label", "geometries": BOX})
    assert (made.name, made.type, made.version, made.instruction) == (name, "imageannotation", 0, "Label")
    with pytest.raises(ScaleDuplicateResource):
        client.create_project(name, TaskType.ImageAnnotation)
    patched = client.update_project(name, patch=True, instruction="Label all")
    assert (patched.version, patched.instruction, patched.params["geometries"]) == (1, "Label all", BOX)
    replaced = client.update_project(name, instruction="Anew")
    assert replaced.version == 2
    assert "geometries" not in replaced.params
    assert [v["version"] for v in client.get_project(name).as_dict()["param_history"]] == [0, 1, 2]
    assert name in [p.name for p in client.get_projects()]
    assert name in [p.name for p in client.projects()]


def test_a_task_inherits_from_its_project(client: ScaleClient) -> None:
    params = {"instruction": "Of the project.", "geometries": BOX, "padding": 4}
    project = client.create_project(fresh("inherit"), TaskType.ImageAnnotation, params)
    task = client.create_task(
        TaskType.ImageAnnotation, project=project.name, attachment=CAT, instruction="Of the task.", padding=7
    )
    assert task.instruction == "Of the task.\n\nOf the project."
    assert task.params["padding"] == 7
    assert task.params["geometries"]["box"]["objects_to_annotate"] == ["cat"]
    assert task.project_param_version == 0


def test_a_project_has_a_template_where_its_type_has_one(client: ScaleClient) -> None:
    params = {"fields": [{"type": "text", "field_id": "a", "title": "A"}]}
    project = client.create_project(fresh("forms"), TaskType.TextCollection, params)
    template = project.get_template()
    assert template.get_template_variables()["fields"] == params["fields"]
    assert template.is_auto_onboardable() is False
    assert template.get_response_schema() is None
    assert client.get_project_template(project.name).id == template.id
    plain = client.create_project(fresh("plain"), TaskType.ImageAnnotation)
    with pytest.raises(ScaleInvalidRequest):
        client.get_project_template(plain.name)


def test_batches(client: ScaleClient, eventually: Callable[..., Any], other: Elsewhere) -> None:
    project = client.create_project(fresh("batches"), TaskType.ImageAnnotation)
    first = client.create_batch(project.name, fresh("b/1 x"), callback=f"{other.url}/batch", metadata={"k": 1})
    assert (first.status, first.project, first.metadata) == (BatchStatus.InProgress.value, project.name, {"k": 1})
    with pytest.raises(ScaleDuplicateResource):
        client.create_batch(project.name, first.name)
    second = client.create_batch(project.name, fresh("second"))
    assert second.metadata == {}
    task = make(client, batch=first.name)
    assert (task.project, task.batch) == (project.name, first.name)
    make(client, batch=first.name)
    assert first.get_status()["completed"] == 2
    assert client.batch_status(second.name) == {"status": "in_progress"}
    assert first.finalize().name == first.name
    assert client.finalize_batch(second.name).status == "in_progress"
    assert client.set_batch_metadata(second.name, {"z": 1}).metadata == {"z": 1}
    assert client.set_batch_metadata(second.name, {}).metadata == {}
    found = client.batches(project=project.name, limit=1)
    assert (found.total, found.limit, found.offset, found.has_more) == (2, 1, 0, True)
    assert [b.name for b in found.docs] == [second.name]
    assert [b.name for b in client.get_batches(project_name=project.name)] == [second.name, first.name]
    eventually(lambda: client.get_batch(first.name).status == "completed")
    assert other.calls("/batch")[0].body["status"] == "completed"
    done = client.get_batches(project_name=project.name, batch_status=BatchStatus.Completed, exclude_archived=True)
    assert [b.name for b in done] == [first.name]
    # a finished batch takes more, as it does there
    assert make(client, batch=first.name).batch == first.name


def test_rapid_batches_are_staged_and_compulsory(client: ScaleClient) -> None:
    project = client.create_project(fresh("rapid"), TaskType.ImageAnnotation, {"geometries": BOX}, rapid=True)
    batch = client.create_batch(project.name, fresh("calibration"), calibration_batch=True)
    assert batch.status == BatchStatus.Staging.value
    with pytest.raises(ScaleInvalidRequest, match="batch"):
        make(client, project=project.name)
    make(client, batch=batch.name)
    batch.finalize()
    assert client.get_batch(batch.name).status == "in_progress"
    with pytest.raises(ScaleInvalidRequest, match="finalized"):
        make(client, batch=batch.name)


# --- files


def test_files_are_uploaded_and_imported(client: ScaleClient, other: Elsewhere) -> None:
    reference = fresh("ref")
    file = client.upload_file(
        io.BytesIO(b"hello there"),
        project_name="p",
        display_name="hello.txt",
        reference_id=reference,
        metadata='{"a":1}',
    )
    assert file.attachment_url.startswith("scaledata://")
    assert file.as_dict()["mime_type"] == "text/plain"
    assert (file.as_dict()["size"], file.as_dict()["project_names"]) == (11, ["p"])
    with pytest.raises(ScaleDuplicateResource):
        client.upload_file(io.BytesIO(b"again"), reference_id=reference)
    imported = client.import_file(f"{other.url}/cat.png", project_name="p")
    assert imported.as_dict()["mime_type"] == "image/png"
    with pytest.raises(ScaleInvalidRequest):
        client.import_file(f"{other.url}/nothing.png")
    with pytest.raises(ScaleInvalidRequest):
        client.import_file("file:///etc/passwd")
    listed = client.api.get_request("files", params={"project": "p", "limit": 1})
    assert [d["id"] for d in listed["docs"]] == [imported.id]
    rest = client.api.get_request("files", params={"project": "p", "limit": 1, "next_token": listed["next_token"]})
    assert [d["id"] for d in rest["docs"]] == [file.id]
    task = make(client, attachment=imported.attachment_url)
    assert task.params["attachment"] == imported.attachment_url


# --- quality tasks


def test_quality_tasks(client: ScaleClient) -> None:
    project = client.create_project(fresh("quality"), TaskType.ImageAnnotation, {"geometries": BOX}, rapid=True)
    expected = {"annotations": [{"type": "box", "label": "cat", "left": 1, "top": 2, "width": 3, "height": 4}]}
    given: dict[str, Any] = {"project": project.name, "attachment": CAT, "expected_response": expected}
    evaluation = client.create_evaluation_task(TaskType.ImageAnnotation, **given, initial_response=expected)
    assert evaluation.expected_response == expected
    training = client.create_training_task(TaskType.ImageAnnotation, **given)
    assert training.id != evaluation.id
    assert client.get_tasks_count(project_name=project.name) == 0
    with pytest.raises(ScaleInvalidRequest):
        client.create_training_task(TaskType.ImageAnnotation, project=project.name, attachment=CAT)
    with pytest.raises(ScaleInvalidRequest):
        client.create_evaluation_task(TaskType.Categorization, **given)


# --- teams and studio


def test_teams(client: ScaleClient) -> None:
    mates = client.list_teammates()
    assert {m.email: m.role for m in mates}["ada@acme.example"] == "admin"
    email = f"{uuid4().hex[:8]}@acme.example"
    invited = {m.email: m for m in client.invite_teammates([email, "ada@acme.example"], TeammateRole.Member)}
    assert (invited[email].role, invited[email].company) == ("member", "Acme")
    assert invited[email].expiry is not None
    assert invited["ada@acme.example"].role == "admin"
    changed = {m.email: m.role for m in client.update_teammates_role([email], TeammateRole.Manager)}
    assert changed[email] == "manager"
    labeler = next(m for m in client.list_teammates() if m.email == "lee@workers.example")
    assert (labeler.role, labeler.is_studio_labeler) == ("labeler", True)
    assert {m.email: m.role for m in invited[email].update_teammate_role(TeammateRole.Labeler)}[email] == "labeler"
    with pytest.raises(ScaleResourceNotFound):
        client.update_teammates_role(["nobody@acme.example"], TeammateRole.Manager)


def test_studio(client: ScaleClient) -> None:
    lee = "lee@workers.example"
    project = client.create_project(fresh("studio/x"), TaskType.ImageAnnotation, {"geometries": BOX}, studio=True)
    removed = client.remove_studio_assignments([lee], [project.name])
    assert project.name not in removed[lee].assigned_projects
    with pytest.raises(ScaleInvalidRequest):
        client.create_project_group(project.name, [lee], "early")
    added = client.add_studio_assignments([lee], [project.name])
    assert project.name in added[lee].assigned_projects
    assert project.name in client.list_studio_assignments()[lee].assigned_projects
    assert client.list_studio_assignments()["ada@acme.example"].assigned_projects == []
    group = client.create_project_group(project.name, [lee], "night/shift")
    assert (group.numWorkers, group.isSingleton) == (1, True)
    with pytest.raises(ScaleDuplicateResource):
        client.create_project_group(project.name, [lee], "night/shift")
    assert [g.name for g in client.list_project_groups(project.name)] == ["night/shift"]
    assert client.update_project_group(project.name, "night/shift", [], [lee]).numWorkers == 0
    assert client.update_project_group(project.name, "night/shift", [lee], []).numWorkers == 1
    names = [client.create_batch(project.name, fresh(f"studio {n}")).name for n in range(3)]
    pending = [b.name for b in client.list_studio_batches()]
    assert [n for n in pending if n in names] == names
    order = pending[::-1]
    assert [b.name for b in client.set_studio_batches_priorities(order)] == order
    assert [b.name for b in client.list_studio_batches()] == order
    with pytest.raises(ScaleInvalidRequest):
        client.set_studio_batches_priorities(order[:1])
    assert [b.name for b in client.reset_studio_batches_priorities()] == pending
    batch = client.assign_studio_batches(names[0], ["night/shift"])
    assert (batch.groups, batch.total, batch.completed, batch.batch_type) == (["night/shift"], 0, 0, "Production")
    with pytest.raises(ScaleResourceNotFound):
        client.assign_studio_batches(names[0], ["nobody"])


def test_live_and_test_do_not_see_each_other(client: ScaleClient, live: ScaleClient, org: Org) -> None:
    task = make(client, unique_id=(uid := fresh("uid")))
    with pytest.raises(ScaleResourceNotFound):
        live.get_task(task.id)
    assert live.tasks(unique_id=uid).total == 0
