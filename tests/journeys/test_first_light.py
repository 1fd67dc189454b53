"""First light, as people see it: work is labelled by people in the browser, on any connection, and the customer sees it."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import Demo, Sit, check_axe
from tests.journeys.steps import check_page

pytestmark = pytest.mark.journey
STATIC = Path(__file__).resolve().parents[2] / "evenhand" / "app" / "static"
SHOWS = {"image": ".eh-stage-image", "text": ".eh-text", "conversation": ".eh-answers"}


def until_medium(page: Page, medium: str) -> None:
    """Skips tasks until one of the medium is on screen."""
    for _ in range(12):
        page.wait_for_selector(", ".join(SHOWS.values()))
        if page.locator(SHOWS[medium]).count():
            return
        with page.expect_response(lambda r: r.url.endswith("/skip")):
            page.get_by_role("button", name="Skip", exact=True).first.click()
            page.get_by_role("dialog").get_by_role("button", name="Skip").last.click()
        page.wait_for_timeout(300)  # the next task is swapped in on the following frame
    raise AssertionError(f"no task with {medium}")


def draw_box(page: Page) -> None:
    area = page.locator(".eh-image-view canvas").last.bounding_box()
    assert area is not None
    page.keyboard.press("b")
    page.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + area["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + area["height"] * 0.65, steps=6)
    page.mouse.up()
    page.keyboard.press("1")  # the first class of the picker beside the cursor


def submit(page: Page) -> dict[str, Any]:
    with page.expect_response(lambda r: r.url.endswith("/submit")) as sent:
        page.keyboard.press("Control+Enter")
    assert sent.value.status == 200, sent.value.text()
    return sent.value.request.post_data_json


def test_a_box_is_drawn_and_the_customer_sees_it(demo: Demo, sit: Sit) -> None:
    page = sit(demo.email("annotator"), start="/work").page
    until_medium(page, "image")
    title = page.locator("header h1, header strong, .eh-topbar-title").first.inner_text()
    draw_box(page)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    sent = submit(page)
    boxes = sent["answer"]["annotations"]
    assert [a["kind"] for a in boxes] == ["box"]
    assert boxes[0]["w"] > 20 and boxes[0]["class"]
    owner = sit(demo.email("owner"))
    api = owner.page.request
    session = api.get(f"{demo.url}/api/v1/session").json()
    org = next(o["id"] for o in session["orgs"] if o["mode"] == "live")
    found = api.get(f"{demo.url}/api/v1/tasks?q={title.split('.')[0]}", headers={"evenhand-org": org}).json()
    assert found["total"] >= 1
    task = api.get(f"{demo.url}/api/v1/tasks/{found['items'][0]['id']}", headers={"evenhand-org": org}).json()
    assert boxes[0]["id"] in [a["id"] for answer in task["answers"] for a in answer["annotations"]]


def test_work_survives_a_reload_and_being_offline(demo: Demo, sit: Sit) -> None:
    person = sit(demo.email("annotator", 1), start="/work")
    page = person.page
    until_medium(page, "conversation")
    page.get_by_label("Answer A: Better", exact=True).click()
    for group in range(2):
        page.get_by_label("4 of 5").nth(group).click()
    page.wait_for_timeout(300)
    page.reload()
    page.wait_for_selector(".eh-answers")
    chosen = page.get_by_label("Answer A: Better", exact=True)
    chosen.wait_for()
    marks = {chosen.get_attribute("aria-pressed"), chosen.get_attribute("aria-checked")}
    assert "true" in marks, "the draft is back after a reload"
    person.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    page.get_by_text(re.compile("ffline")).first.wait_for()
    person.wrong.clear()  # the browser itself logs each request that fails offline
    with page.expect_response(lambda r: r.url.endswith("/submit"), timeout=40_000) as sent:
        person.context.set_offline(False)
    assert sent.value.status == 200
    person.wrong.clear()


def test_a_text_is_labelled(demo: Demo, sit: Sit) -> None:
    page = sit(demo.email("annotator", 2), start="/work").page
    until_medium(page, "text")
    check_axe(page, "text task")
    words = page.locator(".eh-text-row").first.bounding_box()
    assert words is not None
    page.mouse.dblclick(words["x"] + 20, words["y"] + 14)
    page.keyboard.press("1")
    page.get_by_role("button", name="Instructions", exact=True).click()  # open at first; the question is beneath
    page.get_by_text("Complaint", exact=True).first.click()
    found = submit(page)["answer"]["annotations"]
    assert sorted(a["kind"] for a in found) == ["choice", "span"]
    span = next(a for a in found if a["kind"] == "span")
    assert span["class"] == "person" and span["end"] > span["start"]


def test_axe_finds_nothing_in_a_task(demo: Demo, sit: Sit) -> None:
    worker = sit(demo.email("annotator", 3), start="/work")
    for medium in ("image", "conversation"):
        until_medium(worker.page, medium)
        check_page(worker.page, f"{medium} task")


def test_the_first_task_needs_little_script(demo: Demo, sit: Sit) -> None:
    person = sit(None, start="/signin")
    scripts: list[str] = []
    person.page.on("response", lambda r: scripts.append(r.url) if r.url.split("?")[0].endswith(".js") else None)
    email = demo.email("annotator", 3)
    person.page.goto(f"{demo.url}/signin")
    person.page.locator("input[type=email]").fill(email)
    person.page.locator("input[type=password]").fill(demo.password(email))
    person.page.keyboard.press("Enter")
    person.page.wait_for_selector(", ".join(SHOWS.values()))
    person.page.wait_for_load_state("networkidle")
    size = sum(len(gzip.compress((STATIC / url.split("/studio/", 1)[1]).read_bytes())) for url in set(scripts))
    assert size <= 300_000, f"{size} bytes of compressed script before the first task"
