"""Export, import, export: the same, up to ids and links, for every medium, every kind of annotation and every state."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from evenhand.infra.db import SYSTEM
from tests.conftest import Customer, World
from tests.laws.estate import ONTOLOGY, fill, picture
from tests.pure.strategies import BY_KIND

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]
API = "/api/v1"
MEDIA = ("image", "text", "conversation", "none")
_BEGIN = datetime(2025, 3, 1, tzinfo=UTC)
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
_NAMES = _WORDS.filter(lambda words: bool(words.strip()))


def _moment(seconds: int) -> str:
    at = _BEGIN + timedelta(milliseconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_MOMENTS = st.integers(0, 10**9).map(_moment)
_SECONDS = st.integers(0, 900_000).map(lambda n: n / 1000)
_ANNOTATIONS = st.lists(st.one_of(*BY_KIND.values()), max_size=3, unique_by=lambda one: one["id"])
_ANSWERS = st.fixed_dictionaries({
    "id": st.just("old"), "by": _NAMES, "origin": st.sampled_from(("label", "review", "customer", "merged", "machine", "gold")),
    "state": st.sampled_from(("current", "extra", "superseded", "rejected")), "late": st.booleans(), "seconds": _SECONDS,
    "submitted_at": _MOMENTS, "annotations": _ANNOTATIONS,
})  # fmt: skip
_REVIEWS = st.fixed_dictionaries(
    {
        "id": st.just("old"), "by": _NAMES, "decision": st.sampled_from(("accept", "fix", "reject")),
        "source": st.sampled_from(("reviewer", "customer")), "at": _MOMENTS, "seconds": _SECONDS, "comment": _WORDS,
    },
    optional={"errors": st.lists(st.fixed_dictionaries({"note": _WORDS}), min_size=1, max_size=2)},
)  # fmt: skip
_TALKS = st.fixed_dictionaries({
    "messages": st.lists(st.fixed_dictionaries({"role": _WORDS, "text": _WORDS}), min_size=1, max_size=3),
    "answers": st.just([{"id": "a", "text": "one"}, {"id": "b", "text": "two", "title": "B"}]),
})  # fmt: skip


@st.composite
def _tasks(draw: st.DrawFn) -> dict[str, Any]:
    medium = draw(st.sampled_from(MEDIA))
    data: dict[str, Any] = {"medium": medium}
    if medium == "image":
        data["image"] = {}
    elif medium == "conversation":
        data["conversation"] = draw(_TALKS)
    elif medium == "text" or draw(st.booleans()):
        data["text"] = draw(_NAMES)
    more = {"context": draw(_WORDS), "name": draw(_WORDS), "prelabels": draw(_ANNOTATIONS)}
    data |= {name: words for name, words in more.items() if words}
    state = draw(st.sampled_from(("open", "done", "canceled", "error")))
    answers = draw(st.lists(_ANSWERS, max_size=3))
    done = state == "done" and bool(answers)
    return {
        "id": "old", "name": draw(_NAMES), "project": "old", "batch": draw(st.sampled_from((None, "May", "June"))),
        "state": state, "created_at": draw(_MOMENTS), "completed_at": None, "priority": draw(st.integers(-1000, 1000)),
        "metadata": draw(st.dictionaries(_WORDS, st.one_of(st.integers(-(2**53), 2**53), _WORDS, st.none()), max_size=2)),
        "tags": draw(st.lists(_WORDS.filter(bool), max_size=3)), "unique_id": None,
        "error": draw(_NAMES) if state == "error" else None, "data": data,
        "result": draw(st.sampled_from(answers))["annotations"] if done else None,
        "answers": answers, "reviews": draw(st.lists(_REVIEWS, max_size=2)), "ontology": {},
    }  # fmt: skip


def drawn(count: int) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []

    @seed(20261123)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_tasks())
    def collect(task: dict[str, Any]) -> None:
        out.append(task)

    collect()
    return out


def shape(task: dict[str, Any], *, came_in: bool = False) -> str:
    """What must be the same. `came_in`: of a task that is compared with what it became: what was not done counts no more."""
    task = json.loads(json.dumps(task))
    for name in ("id", "project", "created_at", "completed_at"):
        task.pop(name)
    for file in (task["data"].get("image"), *task["data"].get("references", [])):
        for name in ("asset", "url"):
            (file or {}).pop(name, None)
    for one in (*task["answers"], *task["reviews"]):
        one.pop("id")
        if came_in and task["state"] == "open" and one.get("state") in ("current", "extra"):
            one["state"] = "superseded"
    for many in ("answers", "reviews"):
        task[many] = sorted(json.dumps(one, sort_keys=True) for one in task[many])
    return json.dumps(task, sort_keys=True)


async def _project(api: Any, name: str, medium: str) -> str:
    made = await api.post(f"{API}/projects", json={"name": name, "medium": medium, "ontology": ONTOLOGY})
    assert made.status_code == 200, made.text
    return made.json()["id"]


async def _send(api: Any, project: str, lines: list[dict[str, Any]], key: str = "") -> dict[str, Any]:
    body = "\n".join(json.dumps(line) for line in lines)
    said = await api.post(f"{API}/projects/{project}/tasks/exported", params={"import": key}, content=body)
    assert said.status_code == 200, said.text
    return said.json()


async def _exported(api: Any, project: str) -> list[dict[str, Any]]:
    said = await api.get(f"{API}/exports", params={"project": project})
    assert said.status_code == 200, said.text
    return [json.loads(line) for line in said.content.splitlines()]


async def _asset(api: Any) -> dict[str, Any]:
    files = {"file": ("p.jpg", picture(), "image/jpeg")}
    return (await api.post(f"{API}/assets", files=files)).json()


async def test_the_round_trip_of_everything(world: World) -> None:
    lines = drawn(150)
    for n, line in enumerate(lines):
        line["unique_id"] = f"unique {n}" if n % 3 else None
    assert {a["kind"] for t in lines for answer in t["answers"] for a in answer["annotations"]} == set(BY_KIND)
    assert {(t["data"]["medium"], t["state"]) for t in lines} >= {(m, s) for m in MEDIA for s in ("open", "done")}
    first, second = (
        world.keyed((await world.customer("First")).live_key),
        world.keyed((await world.customer("Second")).live_key),
    )
    assets = [await _asset(api) for api in (first, second)]
    for medium in MEDIA:
        mine = [line for line in lines if line["data"]["medium"] == medium]
        for line in mine:
            line["batch"] = line["batch"] and f"{line['batch']} {medium}"
            if medium == "image":
                line["data"]["image"] = {
                    "asset": assets[0]["id"], "width": 40, "height": 30, "type": "image/jpeg", "name": "p.jpg",
                }  # fmt: skip
                line["data"]["references"] = [
                    {"asset": assets[0]["id"], "name": "beside", "url": "https://old.example/x"}
                ]
        project = await _project(first, medium, medium)
        assert await _send(first, project, mine, "k") == {
            "created": len(mine),
            "repeated": 0,
            "failed": 0,
            "errors": [],
        }
        assert (await _send(first, project, mine, "k"))["repeated"] == len(mine)
        out = await _exported(first, project)
        assert sorted(map(shape, out)) == sorted(shape(line, came_in=True) for line in mine)
        # and once more, into another organisation
        for task in out:
            for file in (task["data"].get("image"), *task["data"].get("references", [])):
                if file is not None:
                    file["asset"] = assets[1]["id"]
        other = await _project(second, medium, medium)
        assert (await _send(second, other, out))["created"] == len(out)
        assert sorted(map(shape, await _exported(second, other))) == sorted(map(shape, out))


async def test_what_came_in_is_as_if_it_had_been_done_here(world: World) -> None:
    estate = await fill(world, "Acme", "ALPHA")
    out = await _exported(world.keyed(estate.customer.live_key), estate.ids["project"])
    other = await world.customer("Second")
    api = world.keyed(other.live_key)
    project = await _project(api, "Again", "text")
    assert (await _send(api, project, out))["created"] == len(out)
    await world.drain()
    (done,) = [task for task in out if task["state"] == "done"]
    found = (await api.get(f"{API}/tasks", params={"project": project, "state": "done"})).json()["items"]
    task = (await api.get(f"{API}/tasks/{found[0]['id']}")).json()
    assert task["result"]["annotations"] == done["result"]
    assert [a["by"] for a in task["answers"]] == [a["by"] for a in done["answers"]]
    assert [(r["by"], r["comment"]) for r in task["reviews"]] == [(r["by"], r["comment"]) for r in done["reviews"]]
    # nobody is paid for it, nobody is told, and what was marked is found
    async with world.db.tx(other.live, SYSTEM) as tx:
        for table in ("assignment", "callback", "delivery", "notice"):
            assert await tx.conn.fetchval(f"select count(*) from evenhand.{table}") == 0, table
    span = {"id": "s", "kind": "span", "class": "word", "start": 0, "end": 1}
    word = GOOD | {
        "name": "with a word",
        "state": "done",
        "answers": [ANSWER | {"annotations": [span]}],
        "result": [span],
    }
    assert (await _send(api, project, [word]))["created"] == 1
    chosen = await api.get(f"{API}/tasks", params={"project": project, "class": "word"})
    assert [item["name"] for item in chosen.json()["items"]] == ["with a word"]
    # what was not done is done by people here
    await world.worker("new.ann@people.example", other.live)
    ann = await world.browser("new.ann@people.example")
    await world.drain()  # which gives the newcomer a seat
    given_out = (await ann.post("/work/next", {"want": 3})).json()["assignments"]
    assert given_out and all(a["project"]["id"] == project for a in given_out)


GOOD: dict[str, Any] = {"data": {"medium": "text", "text": "x"}, "state": "open"}
ANSWER: dict[str, Any] = {
    "id": "a", "by": "Ann", "origin": "label", "state": "current", "submitted_at": "2025-01-01T00:00:00Z", "annotations": [],
}  # fmt: skip
BOX = {"id": "b", "kind": "box", "class": "car", "x": 1, "y": 1, "w": 2, "h": 2}
BAD: list[tuple[str, dict[str, Any]]] = [
    ("medium", {"data": {"medium": "image", "image": {"asset": "0" * 24}}}),
    ("unknown field", {"more": 1}),
    ("unknown field", {"answers": [ANSWER | {"paid": 3}]}),
    ("Invalid enum value", {"answers": [ANSWER | {"origin": "pilot"}]}),
    ("timezone", {"answers": [ANSWER | {"submitted_at": "2025-01-01T00:00:00"}]}),
    ("seconds", {"answers": [ANSWER | {"seconds": -1}]}),
    ("answers[0].annotations[0]", {"answers": [ANSWER | {"annotations": [{**BOX, "w": -1}]}]}),
    ("is used twice", {"answers": [ANSWER | {"annotations": [BOX, BOX]}]}),
    ("must be one of", {"data": {"medium": "text", "text": "x", "prelabels": [{"id": "a", "kind": "virus"}]}}),
    ("at most", {"tags": ["a"] * 6}),
    ("metadata", {"metadata": {"much": "x" * 11_000}}),
    ("priority", {"priority": 5000}),
    ("Invalid enum value", {"state": "review"}),
]


async def test_what_is_wrong_is_named_and_the_rest_comes_in(world: World) -> None:
    customer: Customer = await world.customer("Acme")
    api = world.keyed(customer.live_key)
    project = await _project(api, "Target", "text")
    said = await _send(api, project, [GOOD, *(GOOD | more for _, more in BAD), GOOD])
    assert (said["created"], said["failed"]) == (2, len(BAD))
    for n, (words, _) in enumerate(BAD, 2):
        (fault,) = [error for error in said["errors"] if error["line"] == n]
        assert words in fault["detail"], fault
    # what one organisation has, another does not find
    rival = world.keyed((await world.customer("Birch")).live_key)
    asset = (await _asset(rival))["id"]
    pictures = await _project(api, "Pictures", "image")
    stolen = {"data": {"medium": "image", "image": {"asset": asset}}, "state": "done"}
    assert (await _send(api, pictures, [stolen]))["errors"][0]["code"] in ("missing", "invalid")
    # a unique id is used once, and a batch is one project's
    twice = [GOOD | {"unique_id": "u"}, GOOD | {"unique_id": "u"}]
    assert (await _send(api, project, twice))["failed"] == 1
    assert (await _send(api, project, twice[:1]))["errors"][0]["code"] == "conflict"
    assert (await _send(api, project, [GOOD | {"batch": "May"}]))["created"] == 1
    other = await _project(api, "Other", "text")
    assert "another project" in (await _send(api, other, [GOOD | {"batch": "May"}]))["errors"][0]["detail"]
