"""The console beyond the main road: known answers and the course, conditions, views, a long list, and dialogs by keyboard."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Demo, Sit, check_axe
from tests.journeys.steps import eventually, native, ok, work_through

MOOD = [{"value": "good", "label": "Good"}, {"value": "bad", "label": "Bad"}]
TASKS = 1_500


class House:
    """A customer of its own with an owner and an annotator, so that no other journey is in its way."""

    def __init__(self, demo: Demo) -> None:
        mark = uuid4().hex[:8]
        self.server = demo.server
        org = demo.server.customer(f"House {mark}")
        self.org = org.live
        self.owner, self.worker = f"olga.{mark}@house.example", f"will.{mark}@house.example"
        demo.server.member(self.owner, "owner", org.live, org.test)
        demo.server.member(self.worker, "annotator", org.live)
        self.api: httpx.Client = native(demo.server, org.live_key)

    def project(self, texts: int, **ontology: Any) -> str:
        fields = [{"key": "mood", "type": "choice", "title": "Which mood?", "choices": MOOD, "required": True}]
        body = {
            "name": "Moods",
            "medium": "text",
            "ontology": {"classes": [], "attributes": [], "fields": fields, **ontology},
        }
        project = ok(self.api.post("/projects", json=body))["id"]
        lines = "\n".join(f'{{"name": "t{n:04}", "data": {{"text": "Text {n}."}}}}' for n in range(texts))
        assert ok(self.api.post(f"/projects/{project}/tasks/bulk", content=lines))["created"] == texts
        return str(project)

    def path(self, project: str, rest: str = "") -> str:
        return f"/console/{self.org}/projects/{project}/{rest}"


@pytest.fixture
def house(demo: Demo) -> Iterator[House]:
    made = House(demo)
    with made.api:
        yield made


def chosen(value: str) -> list[dict[str, Any]]:
    return [{"id": "m", "kind": "choice", "field": "mood", "values": [value]}]


def test_a_known_answer_teaches_and_a_failed_course_waits_for_a_decision(demo: Demo, sit: Sit, house: House) -> None:
    project = house.project(3)
    with demo.server.signed_in(house.worker) as worker:
        assert work_through(worker, project, 1, lambda _: chosen("good")) == 1
    eventually(lambda: ok(house.api.get(f"/projects/{project}"))["counts"]["done"] == 1)

    owner = sit(house.owner, start=house.path(project, "quality")).page
    owner.get_by_role("heading", name="No task has a known answer yet").wait_for()
    check_axe(owner, "quality, empty")
    owner.get_by_role("link", name="Show finished tasks").click()
    owner.get_by_text("t0000").click()
    owner.locator("aside.eh-panel").get_by_role("button", name="More").click()
    owner.get_by_role("menuitem", name="Use as known answer").click()
    owner.get_by_label(re.compile("^Training")).check()
    check_axe(owner, "use as known answer")
    owner.get_by_role("button", name="Make it").click()
    owner.get_by_text("It stands on the quality page").wait_for()

    page = sit(house.worker, start="/work").page
    for course in ("The training begins once more", "The team that runs the project decides"):
        page.get_by_text("you see the expected answer beside yours").wait_for()
        page.locator(".eh-choice", has_text="Bad").click()
        page.keyboard.press("Control+Enter")
        lesson = page.get_by_role("dialog", name="Training 1 of 1: t0000")
        lesson.wait_for()
        expect(lesson.get_by_role("region", name="Your answer")).to_contain_text("Bad")
        expect(lesson.get_by_role("region", name="Expected answer")).to_contain_text("Good")
        expect(lesson).to_contain_text("0% agreement")
        expect(lesson).to_contain_text(course)
        expect(lesson.get_by_role("button", name="Go on")).to_be_focused()
        check_axe(page, "feedback of the training")
        page.keyboard.press("Enter")
        lesson.wait_for(state="detached")

    owner.goto(f"{demo.url}{house.path(project, 'quality')}")
    row = owner.get_by_role("row", name=re.compile("Not passed"))
    row.get_by_role("button", name=re.compile("^Allow another try")).click()
    again = owner.get_by_role("dialog")
    expect(again.get_by_role("button", name="Allow another try")).to_be_disabled()
    again.get_by_label("Reason").fill("The instructions were unclear.")
    owner.keyboard.press("Control+Enter")
    owner.get_by_text("may try again").wait_for()
    expect(owner.get_by_role("row", name=re.compile("Under way"))).to_be_visible()
    check_axe(owner, "quality")
    (one,) = ok(house.api.get(f"/projects/{project}/quality"))["labelers"]
    assert one["course"]["state"] == "open"


def test_a_question_is_asked_only_where_another_answer_asks_for_it(sit: Sit, house: House) -> None:
    project = house.project(1)
    page = sit(house.owner, start=house.path(project, "instructions")).page
    page.get_by_role("tab", name="Classes and questions").click()
    page.get_by_role("button", name="Add question").click()
    page.get_by_label("Question question_2").fill("What is bad about it?")
    page.get_by_label("Type of What is bad about it?").select_option("text")
    page.get_by_role("button", name="Ask only when …: What is bad about it?").click()
    values = page.get_by_role("group", name="Values of Which mood?")
    values.get_by_label("Good").uncheck()
    page.get_by_text("has a condition without a value").wait_for()
    values.get_by_label("Bad").check()
    # who depends on it follows a new name
    page.get_by_label("Name in the results of Which mood?").fill("feeling")
    check_axe(page, "a condition in the editor")
    page.get_by_role("button", name="Save as new version").click()
    page.get_by_text("Saved as a new version").wait_for()
    fields = {f["key"]: f for f in ok(house.api.get(f"/projects/{project}"))["ontology"]["fields"]}
    assert fields["question_2"]["when"] == {"field": "feeling", "in": ["bad"]}

    worker = sit(house.worker, start="/work").page
    worker.locator(".eh-choice", has_text="Good").click(timeout=45_000)  # the seat in the new project comes by a job
    expect(worker.get_by_text("What is bad about it?")).to_have_count(0)
    worker.locator(".eh-choice", has_text="Bad").click()
    expect(worker.get_by_text("What is bad about it?").first).to_be_visible()


def at_row(page: Page, name: str) -> None:
    page.locator(".eh-grid-row", has_text=name).wait_for()


def test_the_scroll_bar_is_as_long_as_the_list(sit: Sit, house: House) -> None:
    project = house.project(TASKS)
    page = sit(house.owner, start=house.path(project, "tasks")).page
    at_row(page, f"t{TASKS - 1:04}")
    grid = page.locator(".eh-grid")
    assert grid.evaluate("g => g.scrollHeight") == TASKS * 48 + 32
    expect(grid).to_have_attribute("aria-rowcount", str(TASKS + 1))
    # pulled to the middle: the rows that stand there, not those that happened to be loaded
    grid.evaluate("g => { g.scrollTop = 750 * 48 }")
    at_row(page, f"t{TASKS - 1 - 752:04}")
    grid.focus()
    page.keyboard.press("End")
    at_row(page, "t0000")
    page.keyboard.press("Home")
    at_row(page, f"t{TASKS - 1:04}")
    # from the first to the last, over rows that were never on screen
    page.keyboard.press("Space")
    page.keyboard.press("Shift+End")
    page.get_by_text(f"{TASKS:,} selected").wait_for()
    check_axe(page, "a long list")
    # a task that came while the list was open moves the others on
    ok(house.api.post(f"/projects/{project}/tasks", json={"name": "newcomer", "data": {"text": "New."}}))
    page.get_by_role("button", name="Clear selection").click()
    grid.focus()
    page.keyboard.press("Home")
    at_row(page, "newcomer")
    expect(grid).to_have_attribute("aria-rowcount", str(TASKS + 2))


def test_a_saved_view_is_there_in_another_browser(demo: Demo, sit: Sit, house: House) -> None:
    project = house.project(2)
    page = sit(house.owner, start=house.path(project, "tasks?state=open")).page
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save this view").click()
    page.get_by_label("Name of the view").fill("Waiting")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Waiting").wait_for()

    page = sit(house.owner, start=house.path(project, "tasks")).page
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Waiting").click()
    page.wait_for_url(re.compile("state=open"))
    page.get_by_role("button", name="Waiting").click()
    page.get_by_role("menuitem", name="Remove view").click()
    page.get_by_role("button", name="Views").wait_for()
    with demo.server.signed_in(house.owner) as api:
        api.headers["evenhand-org"] = house.org
        assert ok(api.get(f"/projects/{project}/views"))["items"] == []


def test_a_dialog_keeps_the_focus_and_gives_it_back(sit: Sit, house: House) -> None:
    project = house.project(1)
    person = sit(house.owner, width=390, start=house.path(project, "batches"))
    page = person.page
    page.set_viewport_size({"width": 390, "height": 420})  # a phone with its keyboard out
    opener = page.get_by_role("button", name="New batch")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New batch")
    dialog.wait_for()
    # behind the last element stands the browser's own bar: there the page itself has the focus, and nothing behind the dialog
    inside = """() => document.activeElement === document.body
        || document.querySelector('[role=dialog]').contains(document.activeElement)"""
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(inside), "Tab left the dialog"
    box = dialog.bounding_box()
    assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 420
    expect(dialog.get_by_role("button", name="Create batch")).to_be_in_viewport()
    dialog.get_by_label("Hold back until I finalize it").scroll_into_view_if_needed()
    expect(dialog.get_by_label("Hold back until I finalize it")).to_be_in_viewport()
    check_axe(page, "a dialog on a phone")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Batch name").fill("Monday")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Monday").wait_for()
    dialog.wait_for(state="detached")
