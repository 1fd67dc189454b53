"""Batches that finish, run again and finish again; filters of the list; follow-up tasks; marks without a repair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from scaleapi import ScaleClient
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from tests.app.scale.conftest import next_of
from tests.pure.scale.bodies import BODIES
from tests.serving import Elsewhere, Org, Serving

Eventually = Callable[..., Any]
NER = TaskType.NamedEntityRecognition


def fresh(what: str) -> str:
    return f"{what} {uuid4().hex[:8]}"


@pytest.fixture
def lee(server: Serving, org: Org) -> Iterator[httpx.Client]:
    with server.signed_in("lee@workers.example") as client:
        yield client


@pytest.fixture
def native(server: Serving, org: Org) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {org.live_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=20) as client:
        yield client


def label(person: httpx.Client, task: str) -> None:
    work = next_of(person, task)
    rows = [{"id": "a", "kind": "span", "class": "person", "start": 0, "end": 3}]
    body = {"key": uuid4().hex, "answer": {"annotations": rows}, "seconds": 1}
    assert person.post(f"/work/{work['handle']}/submit", json=body).status_code == 200


def make(live: ScaleClient, batch: str) -> str:
    return str(live.create_task(NER, batch=batch, text="Zoë met Bob.", labels=["person"]).id)


def test_each_completion_is_told_once(
    live: ScaleClient, lee: httpx.Client, native: httpx.Client, other: Elsewhere, eventually: Eventually
) -> None:
    """A late task, or one that is done anew, makes a finished batch run again; when it is finished again, that is told."""
    path = f"/{uuid4().hex}"
    project = live.create_project(fresh("batches"), NER)
    batch = live.create_batch(project.name, fresh("batch"), callback=other.url + path)
    first = make(live, batch.name)
    label(lee, first)
    (told,) = other.calls(path)
    assert (told.body["batch"], told.body["status"]) == (batch.name, "completed")
    done = live.get_batch(batch.name)
    assert (done.status, told.body["completed_at"]) == ("completed", done.as_dict()["completed_at"])

    second = make(live, batch.name)
    running = live.get_batch(batch.name)
    assert running.status == "in_progress"
    assert "completed_at" not in running.as_dict()
    assert live.batch_status(batch.name) == {"status": "in_progress", "pending": 1, "completed": 1}
    label(lee, second)
    assert len(other.calls(path, 2)) == 2

    again = native.post(f"/tasks/{first}/requeue", json={"comment": "Look again."})
    assert again.status_code == 200, again.text
    assert live.batch_status(batch.name) == {"status": "in_progress", "pending": 1, "completed": 1}
    label(lee, first)
    calls = other.calls(path, 3)
    assert len({c.body["completed_at"] for c in calls}) == len(calls) == 3
    eventually(lambda: live.get_batch(batch.name).status == "completed")


def test_a_batch_that_is_being_filled_is_not_told_as_finished(
    client: ScaleClient, other: Elsewhere, eventually: Eventually
) -> None:
    """In test mode each task is done at once: the batch is finished when no more come, and that is told once."""
    path = f"/{uuid4().hex}"
    project = client.create_project(fresh("filling"), NER)
    batch = client.create_batch(project.name, fresh("batch"), callback=other.url + path)
    for _ in range(30):
        client.create_task(NER, batch=batch.name, text="Zoë", labels=["person"])
    (call,) = other.calls(path)
    assert call.body["batch"] == batch.name
    eventually(lambda: client.get_batch(batch.name).status == "completed")
    assert client.batch_status(batch.name)["completed"] == 30
    assert len(other.calls(path)) == 1


def test_batches_by_archived_project_and_by_audit(client: ScaleClient, server: Serving, org: Org) -> None:
    project = client.create_project(fresh("archive"), NER)
    batch = client.create_batch(project.name, fresh("batch"))
    task = client.create_task(NER, batch=batch.name, text="Zoë", labels=["person"])
    get = client.api.get_request
    audited = {"project": project.name, "audited_after": "2020-01-01"}
    assert get("batches", params=audited)["totalDocs"] == 0
    client.audit_task(task.id, True)
    assert [b["name"] for b in get("batches", params=audited)["docs"]] == [batch.name]
    assert get("batches", params={"project": project.name, "audited_before": "2020-01-01"})["docs"] == []
    id_ = client.v2.get_project(project_name=project.name).id
    headers = {"authorization": f"Bearer {org.test_key}"}
    found = httpx.patch(f"{server.url}/api/v1/projects/{id_}", json={"state": "archived"}, headers=headers)
    assert found.status_code == 200, found.text
    assert batch.name in [b.name for b in client.batches(project=project.name, exclude_archived=False).docs]
    assert client.batches(project=project.name, exclude_archived=True).docs == []


# --- follow-ups of lidar tasks


def lidar(client: ScaleClient, **more: Any) -> Any:
    return client.create_task(TaskType.LidarAnnotation, **{**BODIES["lidarannotation"], **more})


def frames_of(url: str) -> list[Any]:
    return list(httpx.get(url).json())


def test_a_follow_up_starts_from_a_completed_lidar_task(client: ScaleClient) -> None:
    frames = [f"http://example.com/{n}.json" for n in range(4)]
    root = lidar(client, attachments=frames)
    cuboids = frames_of(root.response["annotations"]["url"])
    linking = client.create_task(TaskType.LidarLinking, lidar_task=root.id, lidar_task_frames=[3, 1])
    assert linking.params["attachments"] == [frames[3], frames[1]]
    linked = frames_of(linking.response["annotations"]["url"])
    assert [f["camera_responses"][0]["annotations"][0]["cuboid_uuid"] for f in linked] == [
        cuboids[n]["cuboids"][0]["uuid"] for n in (3, 1)
    ]
    segments = client.create_task(TaskType.LidarSegmentation, lidar_task=root.id, labels=["Car"])
    assert segments.params["attachments"] == frames
    file = httpx.get(segments.response["point_segmentations"]["url"]).json()
    assert len(file["point_objects"]) == 4
    for wrong in ({"lidar_task": linking.id}, {"lidar_task": root.id, "lidar_task_frames": [4]}, {"lidar_task": 5}):
        with pytest.raises(ScaleInvalidRequest, match="lidar_task"):
            client.create_task(TaskType.LidarLinking, **wrong)


def test_follow_ups_are_declared_with_their_root(client: ScaleClient) -> None:
    project = client.create_project(fresh("scenes"), TaskType.LidarAnnotation)
    defs = [{"type": "lidarlinking", "metadata": {"k": 1}}, {"type": "lidarsegmentation", "labels": ["Car"]}]
    root = lidar(client, project=project.name, dependents={"defs": defs})
    made = [client.get_task(t) for t in root.as_dict()["dependents"]]
    assert [(t.type, t.params["lidar_task"], t.project) for t in made] == [
        ("lidarlinking", root.id, project.name),
        ("lidarsegmentation", root.id, project.name),
    ]
    assert made[0].metadata == {"k": 1}
    later = lidar(client, project=project.name, dependents={"defs": defs[:1], "require_audit": True})
    assert "dependents" not in later.as_dict()
    client.audit_task(later.id, False)
    assert "dependents" not in client.get_task(later.id).as_dict()
    client.audit_task(later.id, True)
    client.audit_task(later.id, True)
    assert len(client.get_task(later.id).as_dict()["dependents"]) == 1
    # other types know no such params: they are kept and mean nothing
    plain = client.create_task(NER, text="Zoë", labels=["person"], dependents=5, lidar_task=[], lidar_task_frames="x")
    assert plain.params["dependents"] == 5
    for wrong in ({"defs": []}, {"defs": [{"type": "imageannotation"}]}, {}, 5):
        with pytest.raises(ScaleInvalidRequest, match="dependents"):
            lidar(client, dependents=wrong)


# --- marks without a repair, taxonomies


def test_audits_without_fixes_say_what_is_wrong(client: ScaleClient) -> None:
    task = client.create_task(NER, text="Zoë", labels=["person"])
    marks = [{"type": "class", "severity": "critical", "comments": "a dog"}, {"type": "missing"}]
    post, get = client.api.post_request, client.api.get_request
    post(f"task/{task.id}/audit", body={"accepted": False, "comments": None, "errors": marks})
    (audit,) = get("audits", params={"task_id": task.id})
    assert audit["audit_result"] == "rejected"
    assert audit["errors"] == [marks[0], {"type": "missing", "severity": "default"}]
    assert get("audits", params={"id": audit["id"]}) == [audit]
    with pytest.raises(ScaleInvalidRequest, match="errors"):
        post(f"task/{task.id}/audit", body={"accepted": False, "errors": [{"type": "ugly"}]})


def test_tasks_carry_the_version_of_the_taxonomy(client: ScaleClient) -> None:
    project = client.create_project(fresh("taxonomy"), NER, {"labels": ["person"]})
    plain = client.create_task(NER, project=project.name, text="Zoë")
    assert "taxonomyVersion" not in plain.as_dict()
    for version in (1, 2):
        body = {"ontology": [{"choice": "person"}], "name": "people"}
        client.api.post_request(f"projects/{project.name}/setOntology", body=body)
        task = client.create_task(NER, project=project.name, text="Zoë")
        assert task.as_dict()["taxonomyVersion"] == version
