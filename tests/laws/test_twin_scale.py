"""The two-tenant twin at the doors compatible with Scale: every entry of their table, asked by B with A's names and ids, answers
and runs the same as for names and ids that nobody has. An entry without a case fails."""

import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from evenhand.app.scale.asking import ENTRIES
from evenhand.infra.ids import new_id
from tests.conftest import Customer, World
from tests.laws.estate_scale import TALK, fill_scale
from tests.laws.test_canary import sightings, spellings
from tests.laws.test_twin import Case, Ids, Recorder, at, compare, made_up, masked, nowhere

pytestmark = pytest.mark.anyio
MARK = "HERONPLUME"
BOTH = tuple[tuple[Customer, Ids], tuple[Customer, Ids]]


def on(path: str, *names: str, **options: Any) -> Case:
    """One request for each name of an id that fits into `{}`, percent-encoded: names have spaces."""
    return lambda a, _: [at(path.format(quote(a[name], safe="")), **options) for name in names]


def asked(path: str, *queries: tuple[str, str], **more: Any) -> Case:
    """One request for each (parameter, name of an id)."""
    return lambda a, _: [at(path, params={key: a[name], **more}) for key, name in queries]


def sent(path: str, *bodies: tuple[str, str], **more: Any) -> Case:
    """One request for each (key of the body, name of an id)."""
    return lambda a, _: [at(path, json={key: a[name], **more}) for key, name in bodies]


_TASKS = ("task", "chat", "root", "stored", "quality")
_BATCHES = ("batch", "talks", "staged")
_PROJECTS = ("project", "chats", "studio")
_IDS = (("project_id", "project_id"), ("project_name", "project"))
_BATCH_IDS = (("batch_id", "batch_id"), ("batch_name", "batch"), ("batch_id", "talks_id"), ("batch_name", "staged"))
_NER = {"text": "x", "labels": ["y"]}


def _create(a: Ids, b: Ids) -> list[tuple[str, dict[str, Any]]]:
    """A place that is another's; files of another, wherever an address may stand."""
    path = "/v1/task/namedentityrecognition"
    box = {"geometries": {"box": {"objects_to_annotate": ["cat"]}}}
    return [
        at(path, json={**_NER, "project": a["project"]}),
        at(path, json={**_NER, "batch": a["batch"]}),
        at(path, json={**_NER, "project": b["project"], "batch": a["batch"]}),
        at("/v1/task/imageannotation", json={**box, "project": a["studio"], "attachment": a["address"]}),
    ]


def _chat(path: str) -> Case:
    return lambda a, b: [
        at(path, json={"template_variables": TALK, key: a[name], **more})
        for key, name, more in (
            ("project_id", "chats_id", {}),
            ("project_name", "chats", {}),
            ("batch_id", "talks_id", {}),
            ("batch_name", "talks", {}),
            ("batch_name", "talks", {"project_name": b["chats"]}),
        )
    ]


def _quality(path: str) -> Case:
    return sent(path, ("project", "project"), expected_response={"annotations": []}, **_NER)


def _studio(path: str) -> Case:
    return lambda a, b: [
        at(path, json={"emails": [a["worker"]], "projects": [b["studio"]]}),
        at(path, json={"emails": [b["worker"]], "projects": [a["studio"]]}),
        at(path, json={"emails": [a["email"]], "projects": [a["studio"]]}),
    ]


CASES: dict[str, Case] = {
    "POST /v1/task/{type}": _create,
    "GET /v1/task/{task}": on("/v1/task/{}", *_TASKS),
    "POST /v1/task/{task}/cancel": lambda a, b: [
        *on("/v1/task/{}/cancel", *_TASKS)(a, b),
        *on("/v1/task/{}/cancel", "task", params={"clear_unique_id": "true"})(a, b),
    ],
    "POST /v1/task/{task}/audit": on("/v1/task/{}/audit", *_TASKS, json={"accepted": True}),
    "POST /v1/task/{task}/unique_id": on("/v1/task/{}/unique_id", *_TASKS, json={"unique_id": "mine"}),
    "DELETE /v1/task/{task}/unique_id": on("/v1/task/{}/unique_id", *_TASKS),
    "POST /v1/task/{task}/setMetadata": on("/v1/task/{}/setMetadata", *_TASKS, json={"k": 1}),
    "POST /v1/task/{task}/tags": on("/v1/task/{}/tags", *_TASKS, json=["mine"]),
    "PUT /v1/task/{task}/tags": on("/v1/task/{}/tags", *_TASKS, json=["mine"]),
    "DELETE /v1/task/{task}/tags": on("/v1/task/{}/tags", *_TASKS, json=["mine"]),
    "POST /v1/task/{task}/send_callback": on("/v1/task/{}/send_callback", *_TASKS),
    "POST /v1/task/{task}/send-callback": on("/v1/task/{}/send-callback", *_TASKS),
    "GET /v1/task/{task}/response_url/{file}": lambda a, b: [
        at(f"/v1/task/{a['stored']}/response_url/{a['made']}"),
        at(f"/v1/task/{b['stored']}/response_url/{a['made']}"),
        at(f"/v1/task/{b['stored']}/response_url/{a['file']}"),
    ],
    "GET /v1/tasks": asked(
        "/v1/tasks", ("project", "project"), ("batch", "batch"), ("unique_id", "unique"), ("next_token", "token")
    ),
    "GET /v1/audits": lambda a, b: [
        at("/v1/audits", params={"task_id": a["task"]}),
        at("/v1/audits", params={"id": a["audit"]}),
        at("/v1/audits", params={"id": b["audit"], "task_id": a["task"]}),
        at("/v1/audits", params={"id": a["audit"], "task_id": b["task"]}),
    ],
    "GET /v1/quality/labelers": asked(
        "/v1/quality/labelers", ("quality_task_ids", "quality"), ("labeler_emails", "worker")
    ),
    "POST /v1/evaluation_tasks/{type}": _quality("/v1/evaluation_tasks/namedentityrecognition"),
    "POST /v1/training_tasks/{type}": _quality("/v1/training_tasks/namedentityrecognition"),
    "POST /v1/batches": sent("/v1/batches", ("project", "project"), ("project", "studio"), name="Mine"),
    "GET /v1/batches": asked("/v1/batches", ("project", "project"), detailed="true"),
    "GET /v1/batches/{name}": on("/v1/batches/{}", *_BATCHES),
    "GET /v1/batches/{name}/status": on("/v1/batches/{}/status", *_BATCHES),
    "POST /v1/batches/{name}/finalize": on("/v1/batches/{}/finalize", *_BATCHES),
    "POST /v1/batches/{name}/prioritize": on("/v1/batches/{}/prioritize", *_BATCHES, json={"priority": 3}),
    "POST /v1/batches/{name}/setMetadata": on("/v1/batches/{}/setMetadata", *_BATCHES, json={"k": 1}),
    "POST /v1/projects": nowhere,  # names no object; that a rival's name is free is a test below
    "GET /v1/projects": nowhere,
    "GET /v1/projects/{name}": on("/v1/projects/{}", *_PROJECTS),
    "POST /v1/projects/{name}/setParams": on("/v1/projects/{}/setParams", *_PROJECTS, json={"instruction": "x"}),
    "POST /v1/projects/{name}/setOntology": on("/v1/projects/{}/setOntology", *_PROJECTS, json={"ontology": []}),
    "GET /v1/projects/{name}/taskTemplates": on("/v1/projects/{}/taskTemplates", *_PROJECTS),
    "POST /v1/files/upload": nowhere,
    "POST /v1/files/import": sent("/v1/files/import", ("file_url", "address")),
    "GET /v1/files": asked("/v1/files", ("project", "project"), ("next_token", "token")),
    "GET /v1/files/{file}": on("/v1/files/{}", "file", "made"),
    "GET /v1/teams": nowhere,
    "POST /v1/teams/invite": nowhere,  # a test below: an invitation of somebody who is a rival's
    "POST /v1/teams/set_role": lambda a, _: [
        at("/v1/teams/set_role", json={"emails": [a[who]], "team_role": "manager"}) for who in ("email", "worker")
    ],
    "GET /v1/studio/assignments": nowhere,
    "POST /v1/studio/assignments/add": _studio("/v1/studio/assignments/add"),
    "GET /v1/studio/projects/{project}/groups": on("/v1/studio/projects/{}/groups", *_PROJECTS),
    "POST /v1/studio/projects/{project}/groups": lambda a, b: [
        at(f"/v1/studio/projects/{quote(a['studio'])}/groups", json={"emails": [b["worker"]], "name": "Mine"}),
        at(f"/v1/studio/projects/{quote(b['studio'])}/groups", json={"emails": [a["worker"]], "name": "Mine"}),
    ],
    "PUT /v1/studio/projects/{project}/groups/{group}": lambda a, b: [
        at(f"/v1/studio/projects/{quote(a['studio'])}/groups/{quote(a['group'])}", json={}),
        at(f"/v1/studio/projects/{quote(b['studio'])}/groups/{quote(a['group'])}", json={}),
        at(f"/v1/studio/projects/{quote(b['studio'])}/groups/{quote(b['group'])}", json={"add_emails": [a["worker"]]}),
    ],
    "GET /v1/studio/batches": nowhere,
    "PUT /v1/studio/batches/{batch}": lambda a, b: [
        at(f"/v1/studio/batches/{quote(a['staged'])}", json={"groups": []}),
        at(f"/v1/studio/batches/{quote(b['staged'])}", json={"groups": [a["group"]]}),
    ],
    "POST /v1/studio/batches/set_priorities": lambda a, b: [
        at("/v1/studio/batches/set_priorities", json={"batches": [{"name": b["staged"]}, {"name": a["staged"]}]}),
    ],
    "POST /v1/studio/batches/reset_priorities": nowhere,
    "POST /v1/studio/assignments/remove": _studio("/v1/studio/assignments/remove"),
    "GET /v2/projects": nowhere,
    "GET /v2/project": asked("/v2/project", *_IDS, ("project_id", "chats_id"), ("project_name", "studio")),
    "GET /v2/batches": asked("/v2/batches", *_IDS, ("next_token", "token"), expand="project"),
    "GET /v2/batch": asked("/v2/batch", *_BATCH_IDS, expand="project"),
    "POST /v2/batch": sent("/v2/batch", *_IDS, name="Mine as well"),
    "POST /v2/batch/finalize": sent("/v2/batch/finalize", *_BATCH_IDS),
    "POST /v2/batch/pause": sent("/v2/batch/pause", *_BATCH_IDS),
    "POST /v2/batch/resume": sent("/v2/batch/resume", *_BATCH_IDS),
    "POST /v2/batch/cancel": sent("/v2/batch/cancel", *_BATCH_IDS),
    "POST /v2/batch/metadata": sent("/v2/batch/metadata", *_BATCH_IDS, metadata={"k": 1}, merge=True),
    "GET /v2/tasks": asked("/v2/tasks", *_IDS, *_BATCH_IDS, ("next_token", "token")),
    "GET /v2/task": asked("/v2/task", *(("task_id", task) for task in _TASKS)),
    "POST /v2/task/chat": _chat("/v2/task/chat"),
    "POST /v2/task": _chat("/v2/task"),
    "POST /v2/task/metadata": sent(
        "/v2/task/metadata", *(("task_id", task) for task in _TASKS), metadata={"k": 1}, merge=True
    ),
    "GET /v2/annotation": asked("/v2/annotation", ("annotation_id", "annotation"), ("annotation_id", "chat")),
    "GET /v2/schema": asked("/v2/schema", ("schema_id", "task")),
    "GET /v2/deliveries": asked("/v2/deliveries", *_IDS),
    "GET /v2/delivery": lambda a, b: [
        *asked("/v2/delivery", ("delivery_id", "delivery_id"), ("delivery_name", "delivery"))(a, b),
        at("/v2/delivery", params={"delivery_id": b["delivery_id"], "project_id": a["project_id"]}),
        at("/v2/delivery", params={"delivery_id": b["delivery_id"], "next_token": a["token"]}),
    ],
    "GET /v2/delivery/tasks": asked("/v2/delivery/tasks", ("delivery_id", "delivery_id"), *_IDS),
    "GET /v2/datasets": nowhere,
    "GET /v2/datasets/deliveries": asked("/v2/datasets/deliveries", ("dataset_id", "dataset")),
    "GET /v2/datasets/tasks": asked("/v2/datasets/tasks", ("dataset_id", "dataset"), ("delivery_id", "delivery_id")),
    "GET /v2/datasets/delivery": asked("/v2/datasets/delivery", ("delivery_id", "delivery_id")),
    "GET /v2/datasets/task": asked("/v2/datasets/task", ("task_id", "task")),
    "GET /v2/datasets/task/{task}/response_url/{file}": lambda a, _: [
        at(f"/v2/datasets/task/{a['stored']}/response_url/{a['made']}"),
    ],
}


def test_every_entry_has_a_case() -> None:
    table = {f"{one.method} /{one.version}/{'/'.join(one.path)}" for one in ENTRIES}
    assert table == set(CASES), "entries without a case, or cases without an entry"


@pytest.fixture
async def both(world: World) -> BOTH:
    return await fill_scale(world, "Acme", MARK), await fill_scale(world, "Birch", "OWLPELLET")


def told(reply: httpx.Response, ids: Ids) -> bytes:
    """All that a reply says, without the names that were asked for: an error may repeat them."""
    text = reply.content + b"\n".join(k + b": " + v for k, v in reply.headers.raw)
    for value in ids.values():
        for spelled in (*spellings(value), quote(value).encode()):
            text = text.replace(spelled, b"")
    return text


async def test_the_rival_is_nobody(world: World, both: BOTH) -> None:
    """The same body and the same statements, no text of A's in any spelling, also in B's own lists."""
    (acme, a), (birch, b) = both
    recorder = Recorder()
    recorder.install(world)
    key, faults, count = world.keyed(birch.test_key), list[str](), 0

    async def by_key(method: str, ask: tuple[str, Any]) -> httpx.Response:
        nonlocal count
        reply = await key.request(method, ask[0], **ask[1])
        assert reply.status_code not in (401, 405, 500), f"{method} {ask[0]}: {reply.text}"
        faults.extend(f"{method} {ask[0]}: {s}" for s in sightings(told(reply, a), MARK))
        count += 1
        return reply

    faults += await compare(CASES, by_key, a, b, recorder)
    lists = [name.split(" ", 1)[1] for name in CASES if name.startswith("GET") and "{" not in name]
    for path in lists:
        await by_key("GET", at(path))
    assert len(lists) > 15 and count > 300
    assert not faults, "\n".join(faults)
    await _own_are_found(world.keyed(acme.test_key), a)


async def _own_are_found(key: httpx.AsyncClient, a: Ids) -> None:
    """With A's own key its names and made-up ones are answered differently: a case that can't tell them apart shows nothing."""
    assert sightings((await key.get("/v1/tasks")).content, MARK), "the word is there for A"
    empty = {"GET /v2/schema", "GET /v2/datasets/delivery", "GET /v2/datasets/task", "POST /v1/files/import",
             "GET /v2/datasets/task/{task}/response_url/{file}", "POST /v1/studio/batches/set_priorities"}  # fmt: skip
    for name, case in CASES.items():
        if name in empty or case is nowhere:
            continue
        method, strangers = name.split(" ", 1)[0], made_up(a)
        for mine, nobodys in zip(case(a, a), case(strangers, a), strict=True):
            replies = [
                masked(await key.request(method, path, **options), ids)
                for (path, options), ids in ((mine, a), (nobodys, strangers))
            ]
            if replies[0] != replies[1]:
                break
        else:
            raise AssertionError(f"{name} answers the same for what is there and what is not")


async def test_what_the_rival_has_is_free_and_tells_nothing(world: World, both: BOTH) -> None:
    """Names, unique ids, addresses of people, files and tasks to start from."""
    (_, a), (birch, b) = both
    key = world.keyed(birch.test_key)
    await _names_are_free(key, a, b)
    await _an_invitation_tells_nothing(key, a, birch)
    await _a_follow_up_takes_nothing(key, a, b)
    live = world.keyed(birch.live_key)  # test mode looks at no attachment
    image = {"geometries": {"box": {"objects_to_annotate": ["cat"]}}}
    answers = [
        (await live.post("/v1/task/imageannotation", json={**image, "attachment": f"scaledata://{space}/{file}"})).text
        for space, file in (
            (a["org"], a["file"]),
            (a["org"], new_id()),
            (birch.live, a["file"]),
            (birch.live, new_id()),
        )
    ]
    masked = {text.replace(a["org"], "x").replace(a["file"], "y") for text in answers[::2]}
    assert all('"status_code":40' in text for text in answers), answers
    assert not any(sightings(text.encode(), MARK) for text in masked)
    shapes = [re.sub(r"[0-9a-f]{24}", "<id>", text) for text in answers]
    assert shapes[0] == shapes[1] and shapes[2] == shapes[3]


async def _names_are_free(key: httpx.AsyncClient, a: Ids, b: Ids) -> None:
    project = {"type": "namedentityrecognition", "name": a["project"]}
    group = {"emails": [b["worker"]], "name": a["group"]}
    files = {"file": ("x.txt", b"words", "text/plain")}
    made = [
        await key.post("/v1/projects", json=project),
        await key.post("/v1/batches", json={"project": b["project"], "name": a["batch"]}),
        await key.post(
            "/v1/task/namedentityrecognition", json={**_NER, "project": b["project"], "unique_id": a["unique"]}
        ),
        await key.post("/v1/files/upload", files=files, data={"reference_id": a["reference"]}),
        await key.post(f"/v1/studio/projects/{quote(b['studio'])}/groups", json=group),
    ]
    assert [reply.status_code for reply in made] == [200] * 5, [reply.text for reply in made]


async def _an_invitation_tells_nothing(key: httpx.AsyncClient, a: Ids, birch: Customer) -> None:
    for email in (a["email"], "nobody.knows@people.example"):
        made = await key.post("/v1/teams/invite", json={"emails": [email], "team_role": "member"})
        assert made.status_code == 200, made.text
        one = next(m for m in made.json() if m["email"] == email)
        assert {k: v for k, v in one.items() if k != "expiry"} == {
            "email": email, "role": "member", "status": "invited", "company": birch.name,
            "firstName": email.split("@")[0], "lastName": "", "isStudioLabeler": False,
        }  # fmt: skip


async def _a_follow_up_takes_nothing(key: httpx.AsyncClient, a: Ids, b: Ids) -> None:
    """Test mode takes any id of a task to start from; a rival's is like one that is not there."""
    kept: list[Any] = []
    for root in (a["root"], new_id()):
        made = await key.post("/v1/task/lidarlinking", json={"lidar_task": root})
        assert made.status_code == 200, made.text
        kept.append({k: v for k, v in made.json()["params"].items() if k != "lidar_task"})
        assert not sightings(made.content, MARK)
    assert kept[0] == kept[1]
    own = await key.post("/v1/task/lidarlinking", json={"lidar_task": b["root"]})
    assert len(own.json()["params"]["attachments"]) == 4, "one's own is found"
