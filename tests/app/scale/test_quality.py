"""Tasks with a known answer, with a live key: mixed invisibly into the work, scored, and never a part of it; the course."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from scaleapi import ScaleClient
from scaleapi.exceptions import ScaleInvalidRequest, ScaleNotEnabled
from scaleapi.tasks import TaskType

from tests.app.scale.conftest import client_for
from tests.pure.scale.bodies import BODIES
from tests.serving import Elsewhere, Org, Serving

Eventually = Callable[..., Any]
Obj = dict[str, Any]
TEXT = "Zoë met Bob."
RIGHT: Obj = {"annotations": [{"start": 0, "end": 3, "label": "person"}]}
WRONG: Obj = {"annotations": [{"start": 4, "end": 7, "label": "person"}]}
NER = TaskType.NamedEntityRecognition


def fresh(what: str) -> str:
    return f"{what} {uuid4().hex[:8]}"


@dataclass
class House:
    """A customer of its own with one annotator and one reviewer, so that nothing else is in their queues."""

    server: Serving
    org: Org
    client: ScaleClient
    native: httpx.Client
    worker: str
    reviewer: str

    def project(self, **more: Any) -> str:
        name: str = self.client.create_project(fresh("names"), NER, {"labels": ["person"]}).name
        if more:
            found = self.native.patch(f"/projects/{self.id_of(name)}", json=more)
            assert found.status_code == 200, found.text
        return name

    def id_of(self, project: str) -> str:
        return str(self.client.v2.get_project(project_name=project).id)

    def quality(self, project: str, **change: Any) -> Obj:
        path = f"/projects/{self.id_of(project)}/quality"
        found = self.native.patch(path, json=change) if change else self.native.get(path)
        assert found.status_code == 200, found.text
        return found.json()

    def live(self, project: str, **more: Any) -> str:
        return str(self.client.create_task(NER, project=project, text=TEXT, **more).id)

    def evaluation(self, project: str, **more: Any) -> str:
        given: Obj = {"project": project, "text": TEXT, "expected_response": RIGHT, **more}
        return str(self.client.create_evaluation_task(NER, **given).id)

    def training(self, project: str) -> str:
        given: Obj = {"project": project, "text": TEXT, "expected_response": RIGHT}
        return str(self.client.create_training_task(NER, **given).id)


@pytest.fixture
def house(server: Serving) -> Iterator[House]:
    org = server.customer(fresh("House"))
    worker, reviewer = (f"{uuid4().hex[:10]}@workers.example" for _ in range(2))
    server.member(worker, "annotator", org.live)
    server.member(reviewer, "reviewer", org.live)
    headers = {"authorization": f"Bearer {org.live_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=20) as native:
        yield House(server, org, client_for(server, org.live_key), native, worker, reviewer)


def next_task(person: httpx.Client, role: str = "label") -> Obj | None:
    reply = person.post("/work/next", json={"want": 1, "role": role})
    assert reply.status_code == 200, reply.text
    found = reply.json()["assignments"]
    return found[0] if found else None


def answer(person: httpx.Client, work: Obj, start: int = 0, end: int = 3, **more: Any) -> Obj:
    rows = [{"id": "a", "kind": "span", "class": "person", "start": start, "end": end}]
    body = {"key": uuid4().hex, "answer": {"annotations": rows}, "seconds": 1, **more}
    reply = person.post(f"/work/{work['handle']}/submit", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def shape(value: Any) -> Any:
    """The keys of a document and the types of its values."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    return [shape(v) for v in value] if isinstance(value, list) else type(value).__name__


def test_evaluation_tasks_are_mixed_in_and_cannot_be_told(
    house: House, other: Elsewhere, eventually: Eventually
) -> None:
    project = house.project()
    path = f"/{uuid4().hex}"
    live: set[str] = set()
    gold = {house.evaluation(project, callback_url=other.url + path) for _ in range(4)}
    batch = house.client.create_batch(project, fresh("batch"))
    live = {house.live(project, batch=batch.name, callback_url=other.url + path) for _ in range(24)}
    house.quality(project, gold_share=0.5)
    given: list[str] = []
    shapes: list[Any] = []
    replies: list[Any] = []
    with house.server.signed_in(house.worker) as lee:
        while (work := next_task(lee)) is not None:
            given.append(work["task"])
            shapes.append(shape(work))
            assert shape(lee.get(f"/work/{work['handle']}").json()) == shape(work)
            assert lee.get(f"/work/{work['handle']}").json()["task"] == work["task"]
            replies.append(shape(answer(lee, work)))
    assert live < set(given)
    hidden = [t for t in given if t not in live]
    # at half of the leases, four of them all but surely come before 24 others are through; none comes twice
    assert 1 <= len(hidden) <= len(gold)
    assert len(set(given)) == len(given)
    assert all(s == shapes[0] for s in shapes)
    assert all(r == replies[0] for r in replies)
    # ids do not tell: those of gold tasks, which are older, are shown as of the live work's age
    assert min(t[:12] for t in given) >= min(t[:12] for t in live)
    assert gold.isdisjoint(given)
    # and they are no part of the work
    assert house.client.get_tasks_count(project_name=project) == len(live)
    eventually(lambda: house.client.get_batch(batch.name).status == "completed")
    counts = house.native.get(f"/projects/{house.id_of(project)}").json()["counts"]
    assert (counts["total"], counts["done"]) == (len(live), len(live))
    other.calls(path, len(live))
    assert {call.body["task_id"] for call in other.calls(path)} == live
    lines = house.native.get("/exports", params={"project": house.id_of(project), "format": "jsonl"})
    assert lines.status_code == 200, lines.text
    assert len(lines.text.strip().splitlines()) == len(live)
    scored = eventually(lambda: _all_scored(house, project, len(hidden)))
    assert (scored["evaluations"], scored["mean"]) == (len(hidden), 1.0)


def _all_scored(house: House, project: str, count: int) -> Obj | None:
    found = house.quality(project)["labelers"]
    return found[0] if found and found[0]["evaluations"] == count else None


def test_scores_are_read_by_task_and_by_labeler(house: House, eventually: Eventually) -> None:
    project = house.project()
    gold = house.evaluation(project)
    house.quality(project, gold_share=0.5)
    with house.server.signed_in(house.worker) as lee:
        wrong = _answer_gold(house, lee, project, 4, 7)
    assert wrong is not None
    get = house.client.api.get_request
    (found,) = eventually(lambda: get("quality/labelers", params={"quality_task_ids": [gold]}))
    assert found["email"] == house.worker
    assert (found["evaluation_tasks"], found["average_score"]) == (1, 0.0)
    assert found["scores"][0]["quality_task_id"] == gold
    assert get("quality/labelers", params={"labeler_emails": house.reviewer}) == []
    with pytest.raises(ScaleInvalidRequest):
        get("quality/labelers", params={"quality_task_ids": house.live(project)})


def _answer_gold(house: House, person: httpx.Client, project: str, start: int, end: int) -> Obj | None:
    """Works until the gold task has come; live work is made as long as it has not."""
    live: set[str] = set()
    for _ in range(60):
        live.add(house.live(project))
        work = next_task(person)
        if work is None:
            continue
        reply = answer(person, work, start, end)
        if work["task"] not in live:
            return reply
    raise AssertionError("no gold task came in 60 leases")


def test_a_gold_answer_is_repeated_called_back_and_scored_again(house: House, eventually: Eventually) -> None:
    project = house.project()
    house.evaluation(project)
    house.quality(project, gold_share=0.5)
    live: set[str] = set()
    with house.server.signed_in(house.worker) as lee:
        work = None
        while work is None or work["task"] in live:
            live.add(house.live(project))
            work = next_task(lee)
            assert len(live) < 60
            if work is not None and work["task"] in live:
                answer(lee, work)
        key = uuid4().hex
        first = answer(lee, work, 4, 7, key=key)
        assert answer(lee, work, 4, 7, key=key) == first
        rows = [{"id": "a", "kind": "span", "class": "person", "start": 0, "end": 3}]
        body = {"key": uuid4().hex, "answer": {"annotations": rows}, "seconds": 1}
        assert lee.post(f"/work/{work['handle']}/submit", json=body).status_code == 409
        back = lee.post(f"/work/{work['handle']}/recall")
        assert back.status_code == 200, back.text
        assert back.json()["answer"]["annotations"][0]["start"] == 4
        answer(lee, work, 0, 3)
    scored = eventually(lambda: (s := house.quality(project)["labelers"]) and s[0]["mean"] == 1.0 and s[0])
    assert scored["evaluations"] == 1


def test_the_course_comes_before_the_live_work(house: House) -> None:
    project = house.project()
    course = [house.training(project) for _ in range(2)]
    live = house.live(project)
    with house.server.signed_in(house.worker) as lee:
        for cycle, (start, end) in enumerate(((4, 7), (0, 3)), 1):
            for n, task in enumerate(course, 1):
                work = next_task(lee)
                assert work is not None
                assert (work["task"], "training" in work["message"]) == (task, True)
                reply = answer(lee, work, start, end)
                got = {**reply["feedback"], "note": reply["note"]}
                last = n == len(course)
                state = "open" if not last else ("again" if cycle == 1 else "passed")
                assert (got["done"], got["of"], got["course"]) == (n, 2, state)
                assert got["note"].startswith(f"Training {n} of 2:")
                assert got["score"] == (1.0 if cycle == 2 else 0.0)
                assert got["expected"]["annotations"][0]["end"] == 3
        work = next_task(lee)
        assert work is not None
        assert (work["task"], work["message"]) == (live, "")
        assert answer(lee, work)["feedback"] is None
    (one,) = house.quality(project)["labelers"]
    assert (one["course"]["state"], one["course"]["cycle"], one["course"]["score"]) == ("passed", 2, 1.0)
    assert house.client.get_tasks_count(project_name=project) == 1


def test_who_fails_twice_waits_for_a_managers_decision(house: House) -> None:
    project = house.project()
    task = house.training(project)
    live = house.live(project)
    path = f"/projects/{house.id_of(project)}/quality/again"
    with house.server.signed_in(house.worker) as lee:
        for state in ("again", "failed"):
            work = next_task(lee)
            assert work is not None
            assert answer(lee, work, 4, 7)["feedback"]["course"] == state
            assert lee.post(f"/work/{work['handle']}/recall").status_code == 409  # the expected answer has been seen
        reply = lee.post("/work/next", json={"want": 1}).json()
        assert reply["assignments"] == []
        assert reply["empty"]["reason"] == "course"
        (one,) = house.quality(project)["labelers"]
        assert one["course"]["state"] == "failed"
        assert house.native.post(path, json={"person": one["person"], "because": ""}).status_code == 400
        again = house.native.post(path, json={"person": one["person"], "because": "A word was misunderstood."})
        assert again.status_code == 200, again.text
        assert house.native.post(path, json={"person": one["person"], "because": "Twice"}).status_code == 409
        work = next_task(lee)
        assert work is not None
        assert work["task"] == task
        assert answer(lee, work)["feedback"]["course"] == "passed"
        work = next_task(lee)
        assert work is not None
        assert work["task"] == live


def test_a_course_ends_when_its_last_open_task_is_taken_out(house: House, eventually: Eventually) -> None:
    project = house.project()
    house.training(project)
    second = house.training(project)
    live = house.live(project)
    with house.server.signed_in(house.worker) as lee:
        work = next_task(lee)
        assert work is not None
        answer(lee, work)
        house.client.cancel_task(second)
        work = eventually(lambda: next_task(lee))
        assert work["task"] == live


def test_reviewers_judge_a_known_answer(house: House, eventually: Eventually) -> None:
    project = house.project(review="all")
    gold = house.evaluation(project, initial_response=WRONG)
    house.quality(project, gold_share=0.5)
    live: set[str] = set()
    shapes: list[Any] = []
    replies: list[Any] = []
    with house.server.signed_in(house.worker) as lee, house.server.signed_in(house.reviewer) as rex:
        for _ in range(60):
            live.add(house.live(project))
            work = next_task(lee)
            assert work is not None
            assert work["task"] in live  # what is for reviewers is not given to annotators
            answer(lee, work)
            work = eventually(lambda: next_task(rex, "review"))
            shapes.append(shape(work))
            replies.append(shape(answer(rex, work, verdict={"decision": "fix"})))
            if work["task"] not in live:
                assert work["review"]["answers"][0]["annotations"][0]["start"] == 4
                assert work["review"]["by"].startswith("Worker ")
                break
        else:
            raise AssertionError("no gold task came in 60 reviews")
    assert all(s == shapes[0] for s in shapes)
    assert all(r == replies[0] for r in replies)
    (one,) = house.quality(project)["labelers"]
    assert (one["evaluations"], one["mean"], one["scores"][0]["task"]) == (1, 1.0, gold)
    assert house.native.get(f"/projects/{house.id_of(project)}/progress").json()["quality"]["reviewed"] == len(live) - 1


def test_a_known_answer_must_fit_its_task(house: House) -> None:
    project = house.project()
    for expected in ({"annotations": [{"start": 0, "end": 3, "label": "dog"}]}, {"annotations": [{"start": 0}]}, [], 5):
        with pytest.raises(ScaleInvalidRequest, match="expected_response"):
            house.evaluation(project, expected_response=expected)
    with pytest.raises(ScaleInvalidRequest, match="initial_response"):
        house.client.create_training_task(
            NER, project=project, text=TEXT, expected_response=RIGHT, initial_response=WRONG
        )
    with pytest.raises(ScaleNotEnabled):
        body: Obj = {**BODIES["segmentannotation"], "expected_response": {"annotations": {}}}
        house.client.create_evaluation_task(TaskType.SegmentAnnotation, **body)
    for change in ({"gold_share": 0.6}, {"pass_mark": -1}, {"gold_share": "x"}, {"nothing": 1}):
        found = house.native.patch(f"/projects/{house.id_of(project)}/quality", json=change)
        assert found.status_code == 400, found.text


def test_a_picture_with_a_known_answer_is_fetched_first(house: House, other: Elsewhere, eventually: Eventually) -> None:
    box = {"box": {"objects_to_annotate": ["cat"]}}
    project = house.client.create_project(fresh("cats"), TaskType.ImageAnnotation, {"geometries": box}).name
    expected = {"annotations": [{"type": "box", "label": "cat", "left": 1, "top": 2, "width": 30, "height": 40}]}
    path = f"/{uuid4().hex}"
    given: Obj = {"project": project, "expected_response": expected, "callback_url": other.url + path}
    good = house.client.create_training_task(TaskType.ImageAnnotation, attachment=f"{other.url}/cat.png", **given).id
    bad = house.client.create_evaluation_task(TaskType.ImageAnnotation, attachment=f"{other.url}/none.png", **given).id
    live = house.client.create_task(TaskType.ImageAnnotation, project=project, attachment=f"{other.url}/cat.png").id

    def states() -> Obj:
        return {t["id"]: t["state"] for t in house.quality(project)["tasks"]}

    eventually(lambda: states() == {good: "open", bad: "closed"}, within_s=40)
    with house.server.signed_in(house.worker) as lee:
        work = eventually(lambda: next_task(lee))
        assert (work["task"], work["data"]["image"]["width"]) == (good, 64)
        rows = [{"id": "a", "kind": "box", "class": "cat", "x": 1, "y": 2, "w": 30, "h": 20}]
        feedback = answer(lee, work, answer={"annotations": rows})["feedback"]
        assert 0.4 < feedback["score"] < 0.8
        assert feedback["course"] == "again"
        work = next_task(lee)
        assert work is not None
        assert work["task"] == good
        rows[0]["h"] = 40
        assert answer(lee, work, answer={"annotations": rows})["feedback"]["course"] == "passed"
        work = eventually(lambda: next_task(lee))
        assert work["task"] == live
    assert house.client.get_task(bad).status == "error"
    assert house.client.get_tasks_count(project_name=project) == 1
    assert [call for call in other.got if call.path == path] == []
