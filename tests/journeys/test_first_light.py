"""First light, as people see it: work is labelled by people in the browser, on any connection, and the customer sees it."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import Demo, Sit, check_axe

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


def check_both(page: Page, where: str) -> None:
    """axe finds nothing, light and dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("() => document.getAnimations().every((a) => a.playState !== 'running')")
        check_axe(page, f"{where}, {scheme}")


def test_axe_finds_nothing(demo: Demo, sit: Sit) -> None:
    stranger = sit(None, start="/signin")
    stranger.page.wait_for_selector("input[type=email]")
    check_both(stranger.page, "sign-in")
    worker = sit(demo.email("annotator", 3), start="/work")
    for medium in ("image", "conversation"):
        until_medium(worker.page, medium)
        check_both(worker.page, f"{medium} task")
    reviewer = sit(demo.email("reviewer"), start="/review")
    reviewer.page.wait_for_load_state("networkidle")
    check_both(reviewer.page, "review")
    operator = sit(demo.email("operator"), start="/operator").page
    operator.wait_for_load_state("networkidle")
    check_both(operator, "operator")
    operator.get_by_role("button", name="Reset link for Ana Costa").click()
    operator.get_by_role("dialog").get_by_role("button", name="Make link").click()
    operator.get_by_label("Reset link", exact=True).wait_for()
    check_both(operator, "a reset link")
    owner = sit(demo.email("owner")).page
    for path in console_paths(owner):
        visit(owner, demo.url + path)
        check_both(owner, path.split("/", 3)[-1])


def console_paths(page: Page) -> list[str]:
    """Every page of the console, by its address: the organisation's, then a project's tabs."""
    page.wait_for_url(re.compile("/console/"))
    link = page.get_by_role("link", name="Everyday photographs", exact=True).first
    link.wait_for(state="attached")
    project = str(link.get_attribute("href"))
    home = project.split("/projects/")[0]
    paths = [home] + [
        f"{home}/{name}" for name in ("projects", "new", "deliveries", "people", "keys", "encryption", "audit")
    ]
    tabs = ("", "/tasks", "/batches", "/pilot", "/questions", "/instructions", "/export", "/settings")
    return paths + [project + tab for tab in tabs]


def visit(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("heading").first.wait_for()
    page.wait_for_load_state("networkidle")


def test_the_console_fits_a_phone(demo: Demo, sit: Sit) -> None:
    page = sit(demo.email("owner"), width=390).page
    for path in console_paths(page):
        visit(page, demo.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} px wide"


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
