"""Every page of the studio, found by its router: axe finds nothing in light and dark, and it fits a phone."""

import re
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.journeys.conftest import Demo, Sit
from tests.journeys.steps import called, check_fits, check_page, native, ok, visit

pytestmark = pytest.mark.journey
APP = Path(__file__).resolve().parents[2] / "studio" / "src" / "app"
#: a place in a path -> what stands there
PLACES = {":id": "{project}", ":task": "{task}", ":token": "no-such-link"}
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def written(pattern: str, file: str) -> list[str]:
    """What the router's own text says, each once."""
    found = re.findall(pattern, (APP / file).read_text())
    return list(dict.fromkeys(one for many in found for one in ([many] if isinstance(many, str) else many) if one))


def in_console() -> list[str]:
    """Paths below /console/ORGANISATION, with {project} and {task} in their places. A place that has no case here fails."""
    (tabs,) = written(r"const tabs = \[([^\]]+)\]", "console/project/ProjectPage.tsx")
    out: list[str] = []
    for path in ["", *written(r"match\('([^']+)', rest\)", "console/ConsoleApp.tsx")]:
        many = re.findall(r"'(\w+)'", tabs) if path.endswith("/:tab?") else [""]
        for tab in many:
            parts = path.removesuffix("/:tab?").split("/")
            assert all(not part.startswith(":") or part in PLACES for part in parts), f"{path} has no case in this test"
            out.append("/".join([PLACES.get(part, part) for part in parts] + ([tab] if tab else [])))
    return out


def at_top() -> set[str]:
    return set(written(r"path === '([^']+)'|match\('([^']+)', path\)", "shell/App.tsx"))


def test_every_page_of_the_console(demo: Demo, sit: Sit) -> None:
    person = sit(demo.email("owner"))
    page = person.page
    page.wait_for_url(re.compile("/console/[0-9a-f]{24}"))
    home = re.sub(r"(/console/[0-9a-f]{24}).*", r"\1", page.url)
    with native(demo.server, demo.found["organisations"][0]["live_key"]) as api:
        project = next(p["id"] for p in ok(api.get("/projects"))["items"] if p["name"] == "Everyday photographs")
        task = ok(api.get("/tasks", params={"project": project, "state": "done"}))["items"][0]["id"]
    paths = in_console()
    assert len(paths) > 20 and {"/trust", "/access", "/projects/{project}/quality"} <= set(paths)
    for path in paths:
        visit(page, home + path.format(project=project, task=task))
        check_page(page, path)


def test_every_page_beside_the_console(demo: Demo, sit: Sit) -> None:
    """/ and /console lead on; what is not signed in, and what has a role, has a page."""
    seen = {"/", "/console"}

    def look(email: str | None, pages: Iterable[str]) -> None:
        person = sit(email)
        for path in pages:
            visit(person.page, demo.url + path.replace(":token", PLACES[":token"]))
            check_page(person.page, path)
            seen.add(path)
        person.wrong[:] = [line for line in person.wrong if "/links/" not in line]  # a dead link is a 404

    look(None, ["/signin", "/link/:token", "/neutrality"])
    look(demo.email("operator"), ["/operator", "/account"])
    look(demo.email("director"), ["/director"])
    page = sit(demo.email("operator"), start="/operator").page
    page.get_by_role("button", name="Reset link for Ana Costa").click()
    page.get_by_role("dialog").get_by_role("button", name="Make link").click()
    page.get_by_label("Reset link", exact=True).wait_for()
    check_page(page, "a reset link")
    for role, path in (("annotator", "/work"), ("reviewer", "/review")):
        page = sit(demo.email(role, -1), start=path).page
        called(page)
        check_page(page, path)
        seen.add(path)
    assert at_top() - seen == set(), "a page without a case"


def test_long_names_fit_a_phone(demo: Demo, sit: Sit) -> None:
    mark = uuid4().hex[:8]
    org = demo.server.customer(f"{LONG} {mark}")
    email = f"ottilie.{mark}@{'bauunterbeamten' * 3}.example"
    demo.server.member(email, "owner", org.live)
    ontology = {"classes": [], "fields": [{"key": "a", "type": "text", "title": LONG}]}
    with native(demo.server, org.live_key) as api:
        body = {"name": f"{LONG} II", "medium": "text", "ontology": ontology, "rate": LONG}
        project = ok(api.post("/projects", json=body))["id"]
        ok(api.post(f"/projects/{project}/tasks", json={"name": LONG * 2, "data": {"text": LONG * 5}, "tags": [LONG]}))
        ok(api.post(f"/projects/{project}/batches", json={"name": LONG}))
        ok(api.put("/walls", json={"name": LONG, "cool_off_days": 30}))
    page = sit(email).page
    home = f"{demo.url}/console/{org.live}"
    inside = ("", "/tasks", "/batches", "/settings", "/instructions")
    for path in ("", "/projects", "/people", "/support", "/trust", *(f"/projects/{project}{tab}" for tab in inside)):
        visit(page, home + path)
        check_fits(page, path)
    page = sit(demo.email("operator"), start="/operator").page
    page.get_by_role("cell", name=re.compile(mark)).first.wait_for()
    check_fits(page, "/operator")
