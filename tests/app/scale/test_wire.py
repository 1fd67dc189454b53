"""The traps of the interface, on the wire, without the client's help; and that the client is driven whole."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from scaleapi import ScaleClient
from scaleapi.api_client.v2 import V2Api

from tests.serving import Elsewhere, Org, Serving

TASK = {"attachment": "http://example.com/a.png", "geometries": {"box": {"objects_to_annotate": ["cat"]}}}
HERE = Path(__file__).parent


def fresh(what: str) -> str:
    return f"{what} {uuid4().hex[:8]}"


@pytest.fixture
def wire(server: Serving, org: Org) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=(org.test_key, ""), timeout=20) as client:
        yield client


def create(wire: httpx.Client, **more: Any) -> dict[str, Any]:
    reply = wire.post("/v1/task/imageannotation", json={**TASK, **more})
    assert reply.status_code == 200, reply.text
    return reply.json()


def refused(reply: httpx.Response, status: int) -> str:
    assert reply.status_code == status, reply.text
    body = reply.json()
    assert body["status_code"] == status
    assert isinstance(body["error"], str)
    return body["error"]


def test_basic_and_bearer(server: Serving, org: Org) -> None:
    for version in ("/v1/projects", "/v2/projects"):
        assert httpx.get(server.url + version, auth=(org.test_key, "")).status_code == 200
        bearer = {"authorization": f"Bearer {org.test_key}"}
        assert httpx.get(server.url + version, headers=bearer).status_code == 200
        refused(httpx.get(server.url + version), 401)
        refused(httpx.get(server.url + version, auth=("nobody", "")), 401)
        refused(httpx.get(server.url + version, headers={"authorization": "Basic ???"}), 401)


def test_names_are_decoded_after_the_path_is_split(wire: httpx.Client) -> None:
    name = fresh("b/1 %2F?#ä")
    assert wire.post("/v1/projects", json={"type": "annotation", "name": name}).status_code == 200
    quoted = "".join(f"%{b:02X}" for b in name.encode())
    assert wire.get(f"/v1/projects/{quoted}").json()["name"] == name
    refused(wire.get("/v1/projects/a/b"), 404)


def test_no_body_is_an_empty_one(wire: httpx.Client) -> None:
    task = create(wire, metadata={"a": 1}, tags=["x"])["task_id"]
    json = {"content-type": "application/json"}
    assert wire.post(f"/v1/task/{task}/setMetadata", headers=json).json()["metadata"] == {}
    assert wire.put(f"/v1/task/{task}/tags", headers=json).json()["tags"] == ["x"]
    assert wire.post(f"/v1/task/{task}/tags", headers=json).json()["tags"] == []


def test_deletes_carry_a_body(wire: httpx.Client) -> None:
    task = create(wire, tags=["x", "y"])["task_id"]
    assert wire.request("DELETE", f"/v1/task/{task}/tags", json=["x", "z"]).json()["tags"] == ["y"]
    refused(wire.request("DELETE", f"/v1/task/{task}/tags", json={"not": "a list"}), 400)


def test_no_conflict_where_the_client_would_stumble(wire: httpx.Client) -> None:
    """Tags, cancel and delete unique_id never answer 409, not even for an idempotency key used twice."""
    task = create(wire, tags=["x"])["task_id"]
    key = {"idempotency-key": uuid4().hex}
    assert wire.post(f"/v1/task/{task}/tags", json=["a"], headers=key).status_code == 200
    refused(wire.post(f"/v1/task/{task}/tags", json=["b"], headers=key), 400)
    refused(wire.post(f"/v1/task/{task}/cancel", headers=key), 400)
    refused(wire.delete(f"/v1/task/{task}/unique_id", headers=key), 400)


def test_booleans_have_capitals(wire: httpx.Client) -> None:
    found = wire.get("/v1/tasks", params={"limited_response": "True", "include_attachment_url": "False", "limit": 1})
    assert found.status_code == 200
    refused(wire.get("/v1/tasks", params={"limited_response": "maybe"}), 400)


def test_lists_have_the_keys_that_are_read_without_default(wire: httpx.Client) -> None:
    tasks = wire.get("/v1/tasks", params={"project": create(wire)["project"], "limit": 1}).json()
    assert {"docs", "total", "limit", "offset", "has_more"} <= tasks.keys()
    batches = wire.get("/v1/batches").json()
    assert {"docs", "totalDocs", "limit", "offset", "has_more"} <= batches.keys()
    for path in ("projects", "teams", "studio/batches"):
        assert isinstance(wire.get(f"/v1/{path}").json(), list)
    assert isinstance(wire.get("/v1/studio/assignments").json(), dict)
    name = fresh("empty")
    wire.post("/v1/projects", json={"type": "annotation", "name": name, "params": None, "datasetId": None})
    assert isinstance(wire.get(f"/v1/projects/{name}").json()["param_history"], list)
    batch = wire.post("/v1/batches", json={"project": name, "name": name, "callback": ""}).json()
    assert batch["metadata"] == {}
    assert wire.post(f"/v1/batches/{name}/prioritize", json={"priority": 7}).json()["priority"] == 7


def test_repeated_keys_are_lists(wire: httpx.Client) -> None:
    ids = [fresh("uid") for _ in range(2)]
    made = [create(wire, unique_id=u)["task_id"] for u in ids]
    found = wire.get("/v1/tasks", params=[("unique_id", u) for u in ids]).json()
    assert [d["task_id"] for d in found["docs"]] == made[::-1]
    assert found["total"] == 2


def test_an_idempotency_key(wire: httpx.Client) -> None:
    key = {"idempotency-key": uuid4().hex}
    first = wire.post("/v1/task/imageannotation", json=TASK, headers=key)
    assert wire.post("/v1/task/imageannotation", json=TASK, headers=key).json() == first.json()
    refused(wire.post("/v1/task/imageannotation", json={**TASK, "instruction": "x"}, headers=key), 409)


def test_forms(wire: httpx.Client) -> None:
    data = "attachment=http://example.com/&attachment_type=website&categories=a&categories=b&metadata[k]=v"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    task = wire.post("/v1/task/categorization", content=data + "&allow_multiple=true", headers=headers).json()
    assert task["params"]["categories"] == ["a", "b"]
    assert task["params"]["allow_multiple"] is True
    assert task["metadata"] == {"k": "v"}


def test_bad_input_is_refused_in_words(wire: httpx.Client) -> None:
    post = "/v1/task/imageannotation"
    refused(wire.post(post, content=b"{not json"), 400)
    refused(wire.post(post, content=b"[" * 100_000), 400)
    refused(wire.post(post, json=["a list"]), 400)
    refused(wire.post(post, json={**TASK, "metadata": {"x": "\x00"}, "unique_id": "a\x00b"}), 400)
    refused(wire.post(post, json={**TASK, "callback_url": "ftp://example.com/"}), 400)
    refused(wire.post(post, json={**TASK, "attachment": "file:///etc/passwd"}), 400)
    refused(wire.post(post, json={**TASK, "priority": 11}), 400)
    refused(wire.post(post, json={**TASK, "tags": list("abcdef")}), 400)
    refused(wire.post("/v1/task/nosuchtype", json=TASK), 402)
    refused(wire.get("/v1/tasks", params={"status": "done"}), 400)
    refused(wire.get("/v1/tasks", params={"start_time": "yesterday"}), 400)
    refused(wire.get("/v1/task/a/b/c/d"), 404)
    refused(wire.patch("/v1/tasks"), 405)
    refused(wire.post("/v1/files/upload", data={"project_name": "x"}), 400)
    refused(wire.get("/v1/nothing"), 404)
    refused(wire.get("/v2/nothing"), 404)
    refused(wire.post("/v2/task/chat", json={}), 400)


def test_another_customer_finds_nothing(server: Serving, wire: httpx.Client, org: Org) -> None:
    rival = server.customer(fresh("Rival"))
    task = create(wire, unique_id=fresh("uid"), batch=None)
    name = fresh("secret")
    wire.post("/v1/projects", json={"type": "annotation", "name": name})
    with httpx.Client(base_url=server.url, auth=(rival.test_key, "")) as stranger:
        nothing = f"/v1/task/{'0' * 24}"
        assert stranger.get(f"/v1/task/{task['task_id']}").json() == stranger.get(nothing).json()
        refused(stranger.get(f"/v1/projects/{name}"), 404)
        refused(stranger.get("/v2/task", params={"task_id": task["task_id"]}), 404)
        assert stranger.get("/v1/tasks", params={"unique_id": task["unique_id"]}).json()["total"] == 0
        assert stranger.post("/v1/projects", json={"type": "annotation", "name": name}).status_code == 200


def test_a_key_that_may_only_read(server: Serving, org: Org, wire: httpx.Client) -> None:
    made = wire.post(
        "/api/v1/keys", json={"name": "reader", "scopes": ["read"]}, auth=None, headers=_bearer(org.test_key)
    )
    key = made.json()["key"]
    with httpx.Client(base_url=server.url, auth=(key, "")) as reader:
        assert reader.get("/v1/tasks").status_code == 200
        assert reader.get("/v1/teams").status_code == 200
        refused(reader.post("/v1/task/imageannotation", json=TASK), 403)
        refused(reader.post("/v1/teams/invite", json={"emails": ["a@b.example"], "team_role": "member"}), 403)


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_response_files_are_reached_by_a_protected_address(wire: httpx.Client, other: Elsewhere) -> None:
    body = {"attachment": "http://example.com/v.mp4", "geometries": {"box": {"objects_to_annotate": ["car"]}}}
    task = wire.post("/v1/task/videoannotation", json=body).json()
    assert task["response"]["annotations"]["url"].startswith("http")
    refused(wire.get(f"/v1/task/{task['task_id']}/response_url/{'0' * 24}"), 404)


def test_every_public_method_of_the_client_is_driven() -> None:
    """So that a new version of the client fails here first."""
    text = "\n".join(p.read_text() for p in HERE.glob("test_*.py"))
    v1 = [n for n, _ in inspect.getmembers(ScaleClient, inspect.isfunction) if not n.startswith("_")]
    left = [n for n in v1 if not re.search(rf"\b(client|live|\))\.{n}\b", text)]
    plain = [n for n, _ in inspect.getmembers(V2Api, inspect.isfunction)]
    v2 = [n for n in plain if not n.startswith("_") and not re.search("_with(out)?_", n)]
    left += [f"v2.{n}" for n in v2 if not re.search(rf"\bv2\.{n}\(", text)]
    assert left == []
