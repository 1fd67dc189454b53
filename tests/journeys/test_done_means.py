"""The whole of first light: a script with the official client sends twenty images, people label and review them in the
browser, one comes back and is mended, callbacks arrive, and the export opens in pycocotools."""

import contextlib
import io
import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page
from pycocotools.coco import COCO
from scaleapi import ScaleClient
from scaleapi.tasks import TaskType

from tests.journeys.conftest import Demo, Sit, check_axe
from tests.journeys.steps import called, draw_box, eventually, native, ok, send, submit
from tests.serving import Elsewhere

pytestmark = pytest.mark.journey
PHOTOGRAPHS = sorted((Path(__file__).resolve().parents[2] / "fixtures" / "demo").glob("*.jpg"))
TASKS = 20
COMMENT = "The box cuts off the left half. Please draw it around the whole animal."


def send_work(demo: Demo, key: str, other: Elsewhere) -> tuple[str, list[str]]:
    """The customer's script. Gives the project's id and the ids of the tasks."""
    client = ScaleClient(key, source="journey", api_instance_url=f"{demo.url}/v1")
    params = {"instruction": "Every animal.", "geometries": {"box": {"objects_to_annotate": ["animal", "person"]}}}
    project = client.create_project("Lakeside animals", TaskType.ImageAnnotation, params)
    with native(demo.server, key) as api:
        native_id = ok(api.get("/projects"))["items"][0]["id"]
        ok(api.patch(f"/projects/{native_id}", json={"review": "all"}))
    batch = client.create_batch(project.name, "Monday", callback=f"{other.url}/batch")
    tasks: list[str] = []
    for n in range(TASKS):
        photograph = PHOTOGRAPHS[n % len(PHOTOGRAPHS)]
        url = other.put(f"{n:02d}-{photograph.name}", "image/jpeg", photograph.read_bytes())
        made = client.create_task(
            TaskType.ImageAnnotation,
            batch=batch.name,
            attachment=url,
            attachment_type="image",
            unique_id=f"lakeside-{n:02d}",
            callback_url=f"{other.url}/task",
        )
        tasks.append(made.id)
    batch.finalize()
    eventually(lambda: client.get_batch(batch.name).get_status()["pending"] == TASKS)
    return native_id, tasks


def review_all(page: Page) -> str:
    """Rejects the first with a comment, fixes the second, accepts the rest; gives the name of the rejected one."""
    rejected = called(page)
    check_axe(page, "review")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Comment to the annotator").fill(COMMENT)
    check_axe(page, "reject")
    send(page, lambda: dialog.get_by_role("button", name="Reject answer").click())
    draw_box(page, 0.65, 0.8)
    page.get_by_role("button", name="Submit fix").wait_for()
    fix = send(page, lambda: page.get_by_role("button", name="Submit fix").click())
    assert len(fix.request.post_data_json["answer"]["annotations"]) == 2
    for _ in range(TASKS - 2):
        send(page, lambda: page.keyboard.press("a"))
    return rejected


def mend(page: Page) -> None:
    """The annotator reads why it came back, and does it again."""
    page.get_by_text("Sent back by a reviewer").first.wait_for()
    assert page.get_by_text(COMMENT).first.is_visible()
    check_axe(page, "a task that came back")
    draw_box(page, 0.2, 0.35)
    submit(page)


def export(demo: Demo, key: str, project: str, folder: Path) -> COCO:
    reply = httpx.get(
        f"{demo.url}/api/v1/exports", params={"project": project, "format": "coco"},
        headers={"authorization": f"Bearer {key}"}, timeout=30,
    )  # fmt: skip
    assert reply.status_code == 200, reply.text
    file = folder / "lakeside.json"
    file.write_bytes(reply.content)
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(file))


def test_a_script_sends_work_and_gets_it_back(demo: Demo, sit: Sit, other: Elsewhere, tmp_path: Path) -> None:
    org = demo.server.customer("Lakeside")
    demo.server.member("lia@lakeside.example", "annotator", org.live)
    demo.server.member("rob@lakeside.example", "reviewer", org.live)
    project, tasks = send_work(demo, org.live_key, other)

    annotator = sit("lia@lakeside.example", start="/work").page
    for _ in range(TASKS):
        called(annotator)
        draw_box(annotator)
        sent = submit(annotator)
        assert [a["class"] for a in sent.request.post_data_json["answer"]["annotations"]] == ["animal"]
    annotator.locator(".eh-work-empty").wait_for()
    reviewer = sit("rob@lakeside.example", start="/review").page
    rejected = review_all(reviewer)
    annotator.goto(f"{demo.url}/work")
    assert called(annotator) == rejected
    mend(annotator)
    reviewer.goto(f"{demo.url}/review")
    assert called(reviewer) == rejected
    send(reviewer, lambda: reviewer.keyboard.press("a"))

    got = other.calls("/task", TASKS, within_s=30)
    assert sorted({r.body["task_id"] for r in got}) == sorted(tasks) and len(got) == TASKS
    assert all(r.body["status"] == "completed" and "evenhand-signature" in r.headers for r in got)
    assert other.calls("/batch")[0].body
    coco = export(demo, org.live_key, project, tmp_path)
    assert len(coco.getImgIds()) == TASKS and {c["name"] for c in coco.loadCats(coco.getCatIds())} >= {"animal"}
    boxes = coco.loadAnns(coco.getAnnIds())
    # the fixed one has two, and so has the mended one: its first answer came back with it
    assert TASKS + 1 <= len(boxes) <= TASKS + 2 and all(b["bbox"][2] > 10 and b["bbox"][3] > 10 for b in boxes)
    assert json.loads((tmp_path / "lakeside.json").read_text())["images"][0]["file_name"]
