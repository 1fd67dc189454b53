"""The customer's own work: a project from nothing to running, people and keys, and the browser of tasks by keyboard."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Demo, Sit, check_axe
from tests.journeys.steps import draw_box, native, ok, submit, take_password_and_app, work_through
from tests.serving import PASSWORD

pytestmark = pytest.mark.journey
PHOTOGRAPHS = sorted((Path(__file__).resolve().parents[2] / "fixtures" / "demo").glob("*.jpg"))


def drop(page: Page, files: list[Path]) -> None:
    """Files dropped on the import dialog, as from a desktop."""
    carried = page.evaluate_handle(
        """(files) => {
          const carried = new DataTransfer();
          for (const [name, data] of files) {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            carried.items.add(new File([bytes], name, { type: 'image/jpeg' }));
          }
          return carried;
        }""",
        [[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files],
    )
    for kind in ("dragover", "drop"):
        page.dispatch_event(".eh-drop", kind, {"dataTransfer": carried})


def box_like(begin: float, end: float) -> Any:
    """What a colleague answers who draws the same box as `draw_box`, in the picture's own pixels."""

    def answer(one: dict[str, Any]) -> list[dict[str, Any]]:
        image = one["data"]["image"]
        w, h = image["width"], image["height"]
        name = one["ontology"]["classes"][0]["name"]
        x, y = w * begin, h * begin
        return [
            {"id": "c", "kind": "box", "class": name, "x": x, "y": y, "w": w * (end - begin), "h": h * (end - begin)}
        ]

    return answer


def test_a_project_from_nothing_to_running(demo: Demo, sit: Sit) -> None:
    org = demo.server.customer("Northwind")
    demo.server.member("olga@northwind.example", "owner", org.live)
    demo.server.member("nils@northwind.example", "annotator", org.live)
    person = sit("olga@northwind.example")
    page = person.page
    page.get_by_role("link", name="New project").first.click()
    check_axe(page, "new project")
    page.get_by_role("button", name="Create project").click()
    assert page.get_by_text("Give the project a name.").is_visible()
    page.get_by_label("Project name").fill("Farm animals")
    page.get_by_role("button", name="Create project").click()
    dialog = page.get_by_role("dialog", name=re.compile("Import into"))
    dialog.wait_for()
    check_axe(page, "import")
    drop(page, PHOTOGRAPHS)
    dialog.get_by_text("12 tasks created").wait_for()
    dialog.get_by_role("button", name="Go to the pilot").click()
    project = re.search(r"/projects/([0-9a-f]{24})/pilot", page.url)
    assert project is not None

    page.get_by_role("link", name="Start labelling").click()
    for _ in range(10):
        draw_box(page, 0.3, 0.7)
        submit(page)
    with demo.server.signed_in("nils@northwind.example") as nils:
        assert work_through(nils, project[1], 99, box_like(0.3, 0.7)) == 10, "a pilot opens ten tasks and no more"
    page.get_by_role("button", name="Compare and go").click()
    page.get_by_text("10 of 10 labelled by you").wait_for()
    # that nothing is left is a 404, which the browser logs
    person.wrong[:] = [line for line in person.wrong if not line.endswith("/pilot/next")]
    page.get_by_text(re.compile(r"\d+% agreement")).wait_for()
    check_axe(page, "pilot, compared")
    page.get_by_role("button", name="Open to annotators").click()
    check_axe(page, "go")
    page.get_by_role("dialog").get_by_role("button", name="Open to annotators").click()
    page.get_by_text("The project runs.", exact=True).wait_for()
    with demo.server.signed_in("nils@northwind.example") as nils:
        assert work_through(nils, project[1], 1, box_like(0.1, 0.9)) == 1
    page.get_by_role("link", name="Overview").click()
    expect(page.locator(".eh-facts")).to_contain_text("of 12 tasks", timeout=15_000)
    page.get_by_role("img", name=re.compile("rogress")).or_(page.locator("svg.eh-plot, .eh-plot svg")).first.wait_for()
    check_axe(page, "overview")


def invited(page: Page, email: str, role: str) -> str:
    """The link of an invitation that the page makes."""
    page.get_by_role("button", name="Invite a person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Email").fill(email)
    dialog.get_by_label("Role").select_option(label=role)
    check_axe(page, "invite")
    dialog.get_by_role("button", name="Make link").click()
    link = dialog.get_by_label("Invitation link", exact=True).inner_text()
    check_axe(page, "invitation link")
    dialog.get_by_role("button", name="Close").last.click()
    return link


def test_people_and_keys(demo: Demo, sit: Sit) -> None:
    org = demo.server.customer("Eastgate")
    demo.server.member("edda@eastgate.example", "owner", org.live)
    page = sit("edda@eastgate.example", start=f"/console/{org.live}/people").page
    link = invited(page, "vera@eastgate.example", "Viewer")
    guest = sit(None, start=link.removeprefix(demo.url)).page
    guest.get_by_role("heading", name="Join Eastgate").wait_for()
    check_axe(guest, "accept an invitation")
    guest.get_by_label("Your name").fill("Vera View")
    take_password_and_app(guest, PASSWORD)
    guest.get_by_role("button", name="I have kept them").click()
    guest.wait_for_url(re.compile("/console/"))
    guest.get_by_text("No project yet").wait_for()
    assert guest.get_by_role("link", name="New project").count() == 0, (
        "a viewer is not offered what a viewer may not do"
    )
    guest.goto(f"{demo.url}/console/{org.live}/keys")
    guest.get_by_text("Only owners see and make keys").wait_for()
    check_axe(guest, "keys, as a viewer")

    page.reload()
    page.get_by_text("Vera View").wait_for()
    page.get_by_role("button", name="Actions for Vera View").click()
    page.get_by_role("menuitemradio", name=re.compile("^Manager")).click()
    page.get_by_text("Vera View is now Manager").wait_for()
    guest.goto(f"{demo.url}/console/{org.live}")
    guest.get_by_role("link", name="New project").first.wait_for()

    page.goto(f"{demo.url}/console/{org.live}/keys")
    page.get_by_role("button", name="New API key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("training pipeline")
    check_axe(page, "new key")
    dialog.get_by_role("button", name="Create key").click()
    key = dialog.get_by_label("Key", exact=True).inner_text()
    check_axe(page, "the key, shown once")
    dialog.get_by_role("button", name="I have kept it").click()
    with native(demo.server, key) as api:
        assert ok(api.get("/projects"))["items"] == []
        page.reload()
        page.get_by_text("training pipeline").wait_for()
        assert key not in page.content(), "a key is shown once"
        page.get_by_role("button", name="Revoke training pipeline").click()
        check_axe(page, "revoke")
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        page.get_by_text("training pipeline", exact=True).wait_for(state="detached")
        assert api.get("/projects").status_code == 401


TEXTS = ("harbour", "market", "station")


@pytest.fixture
def letters(demo: Demo) -> tuple[str, str]:
    """(organisation, project): 30 texts, six of them done by each of two annotators."""
    org = demo.server.customer("Westmoor")
    demo.server.member("wanda@westmoor.example", "owner", org.live)
    for name in ("ada", "ben"):
        demo.server.member(f"{name}@westmoor.example", "annotator", org.live)
    field = {"key": "mood", "type": "choice", "choices": [{"value": "good"}, {"value": "bad"}], "required": True}
    ontology = {"classes": [{"name": "place", "kinds": ["span"]}], "attributes": [], "fields": [field]}
    with native(demo.server, org.live_key) as api:
        made = ok(api.post("/projects", json={"name": "Letters to the editor", "medium": "text", "ontology": ontology}))
        lines = [
            {"data": {"text": f"Letter {n} about the {TEXTS[n % 3]}."}, "name": f"{TEXTS[n % 3]} {n:02d}"}
            for n in range(30)
        ]
        report = ok(
            api.post(
                f"/projects/{made['id']}/tasks/bulk",
                content="\n".join(json.dumps(line) for line in lines),
                headers={"content-type": "application/x-ndjson"},
            )
        )
        assert report["created"] == 30
    mood = [{"id": "m", "kind": "choice", "field": "mood", "values": ["good"]}]
    for name in ("ada", "ben"):
        with demo.server.signed_in(f"{name}@westmoor.example") as person:
            assert work_through(person, made["id"], 6, lambda _: mood) == 6
    return org.live, made["id"]


def count(page: Page, text: str) -> None:
    expect(page.locator(".eh-filter-count")).to_have_text(text, timeout=15_000)


def test_the_task_browser_by_keyboard(demo: Demo, sit: Sit, letters: tuple[str, str]) -> None:
    """Not one click: palette, pages, search, list, panel, filter, a saved view, and a person's work done again."""
    org, project = letters
    person = sit("wanda@westmoor.example", start=f"/console/{org}")
    page, keys = person.page, person.page.keyboard
    page.get_by_role("heading", name="Westmoor").wait_for()
    keys.press("?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    check_axe(page, "shortcuts")
    keys.press("Escape")
    keys.press("Control+k")
    page.get_by_role("combobox", name="Go to a page or do something").wait_for()
    check_axe(page, "palette")
    keys.type("letters to")
    page.get_by_role("option", name="Letters to the editor").wait_for()
    keys.press("Enter")
    page.wait_for_url(f"**/projects/{project}")
    page.get_by_role("link", name="Tasks", exact=True).focus()
    keys.press("Enter")
    count(page, "30 tasks")

    keys.press("/")
    keys.type("harbour")
    count(page, "10 tasks")
    assert "q=harbour" in page.url, "the address names what is shown"
    page.locator(".eh-grid").focus()
    keys.press("ArrowDown")
    keys.press("Enter")
    page.locator("aside.eh-panel").wait_for()
    check_axe(page, "a task beside the list")
    first = page.url
    keys.press("j")
    page.wait_for_function("(before) => location.href !== before", arg=first)
    keys.press("k")
    page.wait_for_function("(before) => location.href === before", arg=first)
    page.locator(".eh-panel-body").focus()
    keys.press("Escape")
    page.locator("aside.eh-panel").wait_for(state="detached")

    page.locator(".eh-filters select").focus()
    keys.type("Done")
    keys.press("Enter") if page.locator(".eh-filters select").input_value() != "done" else None
    count(page, "4 tasks")
    page.get_by_role("button", name="Views").focus()
    keys.press("Enter")
    page.get_by_role("menuitem", name="Save this view").wait_for()
    keys.press("End")
    keys.press("Enter")
    page.get_by_label("Name of the view").fill("Done harbours")
    check_axe(page, "save a view")
    keys.press("Enter")
    page.get_by_role("button", name="Done harbours").wait_for()
    page.goto(f"{demo.url}/console/{org}/projects/{project}/tasks")
    count(page, "30 tasks")
    page.get_by_role("button", name="Views").focus()
    keys.press("Enter")
    keys.type("Done h")
    keys.press("Enter")
    count(page, "4 tasks")
    requeue_of(page, "Ada")
    with demo.server.signed_in("wanda@westmoor.example") as api:
        api.headers["evenhand-org"] = org
        assert ok(api.get("/tasks", params={"project": project, "state": "done"}))["total"] == 6
        assert ok(api.get("/tasks", params={"project": project, "state": "open"}))["total"] == 24


def requeue_of(page: Page, name: str) -> None:
    """Everything that a person did is labelled again; how much that is, is said before."""
    page.keyboard.press("Control+k")
    page.keyboard.type("requeue work")
    page.get_by_role("option", name="Requeue work").wait_for()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Requeue work")
    dialog.get_by_label("Person").select_option(label=name)
    dialog.get_by_role("button", name="Count").focus()
    page.keyboard.press("Enter")
    dialog.get_by_text("6 tasks fit.").wait_for()
    check_axe(page, "requeue")
    page.keyboard.press("Enter")
    page.get_by_text("6 tasks are back in the queue").wait_for()
