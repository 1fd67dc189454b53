"""Answers that differ: questions that open with other answers, a reviewer who compares and is interrupted, a customer who mends."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Demo, Sit, check_axe
from tests.journeys.steps import called, eventually, native, ok, submit, work_through

pytestmark = pytest.mark.journey
STUDIO = Path(__file__).resolve().parents[2] / "studio"
TEXT = "On Monday Tom Hart told the harbour board that the pier has moved."
YES_NO = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
ONTOLOGY = {
    "classes": [{"name": "Person", "kinds": ["span"]}, {"name": "Group", "kinds": ["span"]}],
    "attributes": [],
    "fields": [
        {"key": "damage", "title": "Is damage reported?", "type": "choice", "choices": YES_NO, "required": True},
        {
            "key": "where",
            "title": "Where?",
            "type": "text",
            "required": True,
            "when": {"field": "damage", "in": ["yes"]},
        },
    ],
}


def span(words: str, name: str) -> dict[str, Any]:
    at = TEXT.index(words)
    return {"id": words.replace(" ", "-"), "kind": "span", "class": name, "start": at, "end": at + len(words)}


def says(where: str) -> list[dict[str, Any]]:
    return [
        {"id": "d", "kind": "choice", "field": "damage", "values": ["yes"]},
        {"id": "w", "kind": "text", "field": "where", "text": where},
    ]


ANSWERS = {
    "ida": [span("Tom Hart", "Person"), span("harbour board", "Group"), *says("The pier has moved")],
    "jon": [span("Tom Hart", "Person"), span("board", "Group"), *says("The pier")],
}


@pytest.fixture(scope="module")
def harbour(demo: Demo) -> tuple[str, str, str]:
    """(organisation, the project without review, key): two texts that two annotators have answered, one that nobody has."""
    org = demo.server.customer("Harbour")
    demo.server.member("olga@harbour.example", "owner", org.live)
    demo.server.member("rut@harbour.example", "reviewer", org.live)
    for name in ("kim", *ANSWERS):
        demo.server.member(f"{name}@harbour.example", "annotator", org.live)
    with native(demo.server, org.live_key) as api:
        made = [project(api, "Harbour news", "all"), project(api, "Harbour archive", "none")]
        for name, answer in ANSWERS.items():
            with demo.server.signed_in(f"{name}@harbour.example") as person:
                assert work_through(person, made[0], 2, lambda _, answer=answer: answer) == 2
        ok(api.post(f"/projects/{made[0]}/tasks", json={"data": {"text": TEXT}, "name": "fresh"}))
    return org.live, made[1], org.live_key


def project(api: httpx.Client, name: str, review: str) -> str:
    """A project with one text, for two people each."""
    body = {"name": name, "medium": "text", "ontology": ONTOLOGY, "overlap": 2, "review": review}
    made: str = ok(api.post("/projects", json=body))["id"]
    ok(api.post(f"/projects/{made}/tasks", json={"data": {"text": TEXT}, "name": "article"}))
    return made


def test_a_question_that_does_not_apply_is_neither_shown_nor_sent(sit: Sit, harbour: tuple[str, str, str]) -> None:
    page = sit("kim@harbour.example", start="/work").page
    assert called(page) == "fresh"
    expect(page.get_by_text("Is damage reported?")).to_be_visible()
    expect(page.get_by_label("Where?")).to_have_count(0)
    page.get_by_role("radio", name="Yes").click()
    page.get_by_label("Where?").fill("At the pier")
    page.get_by_role("radio", name="No").click()
    expect(page.get_by_label("Where?")).to_have_count(0)
    # Looked at only from here on: the time still counts after a reload, and so does the answer.
    page.wait_for_timeout(6_000)
    page.reload()
    expect(page.get_by_role("radio", name="No")).to_be_checked()
    expect(page.locator(".eh-time-clock")).to_have_text(re.compile(r"00:(0[5-9]|[1-5]\d)"))
    page.get_by_role("radio", name="Yes").click()
    expect(page.get_by_label("Where?")).to_have_value("At the pier")
    page.get_by_role("radio", name="No").click()
    sent = submit(page)
    assert [a["field"] for a in sent.request.post_data_json["answer"]["annotations"]] == ["damage"]


def test_a_reviewer_compares_and_goes_on_after_a_reload(sit: Sit, harbour: tuple[str, str, str]) -> None:
    page = sit("rut@harbour.example", start="/review").page
    name = called(page)
    page.keyboard.press("c")
    differences = page.locator(".eh-tp-difference")
    expect(differences).to_have_count(1)
    expect(page.locator(".eh-text-tag-ghost")).to_have_count(1)
    expect(page.locator(".eh-text-tag-differs")).to_have_count(1)
    note = page.get_by_role("note")
    expect(note.locator("del, ins")).not_to_have_count(0)
    check_axe(page, "comparing texts")
    differences.get_by_role("button", name="Take over").click()
    expect(differences).to_have_count(0)
    page.keyboard.press("r")
    page.get_by_role("dialog").get_by_label("Comment to the annotator").fill("The whole name of the bo")
    page.keyboard.press("Escape")
    expect(page.locator("[data-save=saved]")).to_be_visible()
    page.reload()
    assert called(page) == name
    expect(page.locator(".eh-review").get_by_text("Changed by you")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog").get_by_label("Comment to the annotator")).to_have_value(
        "The whole name of the bo"
    )


def test_a_customer_mends_an_answer_where_it_was_made(demo: Demo, sit: Sit, harbour: tuple[str, str, str]) -> None:
    org, project, key = harbour
    with native(demo.server, key) as api:
        task = eventually(lambda: ok(api.get("/tasks", params={"project": project, "state": "done"}))["items"])[0]
        page = sit("olga@harbour.example", start=f"/console/{org}/projects/{project}/tasks?task={task['id']}").page
        page.get_by_role("button", name="Fix", exact=True).click()
        page.wait_for_selector(".eh-fix .eh-text")
        check_axe(page, "fix")
        other = page.get_by_label("Compare with")
        other.select_option(label=other.locator("option", has_text="differences").first.inner_text())
        page.locator(".eh-tp-difference").get_by_role("button", name="Take over").click()
        page.get_by_role("button", name="Save as result").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Comment to the annotator").fill("Only the word board.")
        dialog.get_by_role("button", name="Save as result").click()
        page.wait_for_url(lambda url: f"task={task['id']}" in url)
        mended = eventually(lambda: ok(api.get(f"/tasks/{task['id']}"))["result"])
    marked = {TEXT[a["start"] : a["end"]] for a in mended["annotations"] if a["kind"] == "span"}
    assert len(marked) == 2
    assert marked < {"Tom Hart", "board", "harbour board"}


STORE = """async ({count}) => {
    const keys = new Kept.LeaseKeys()
    keys.give('t:label', btoa('k'.repeat(32)))
    const {storage, durable} = await Kept.openStorage('bulk-' + count, keys)
    const points = Array.from({length: 25}, (_, i) => [i * 1234.567, 4321.123 - i])
    const line = (i) => ({id: 'l' + i * 7919, kind: 'line', class: 'lane', points: points.map(([x, y]) => [x + i, y + i])})
    const annotations = Array.from({length: count}, (_, i) => line(i))
    const edits = annotations.map((item, i) => ({name: 'line', at_ms: 1e12 + i, edits: [{op: 'add', item, at: i}]}))
    const draft = {slot: 't:label', handle: 'h', version: 1, synced: 0, at: 1, body: {annotations, edits, seconds: 4}}
    const size = JSON.stringify(draft).length
    await storage.putDraft(draft)
    const changed = [...annotations]
    changed[17] = line(999999)
    const began = performance.now()
    await storage.putDraft({...draft, version: 2, body: {...draft.body, annotations: changed}})
    const edit_ms = performance.now() - began
    storage.close()
    const again = await (await Kept.openStorage('bulk-' + count, keys)).storage.draft('t:label')
    const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)
    const whole = again.body.seconds === 4 && same(again.body.annotations, changed) && same(again.body.edits, edits)
    return {durable, size, edit_ms, version: again.version, whole}
}"""


def test_fifty_megabytes_of_work_stay_on_the_device(sit: Sit, tmp_path: Path) -> None:
    """The studio's own storage in a real browser: kept whole, and an edit writes what it touched."""
    bundle = tmp_path / "kept.js"
    source = tmp_path / "entry.ts"
    folder = STUDIO / "src" / "app" / "workspace"
    source.write_text("".join(f"export * from '{folder / name}'\n" for name in ("storage.ts", "sealing.ts")))
    build = [STUDIO / "node_modules" / ".bin" / "esbuild", source, "--bundle", "--format=iife", "--global-name=Kept"]
    subprocess.run([*map(str, build), f"--outfile={bundle}"], check=True, capture_output=True)
    page = sit(None, start="/signin").page
    page.evaluate(f"{bundle.read_text()}; window.Kept = Kept")
    kept = page.evaluate(STORE, {"count": 40_000})
    assert kept["size"] > 50_000_000, json.dumps(kept)
    assert (kept["durable"], kept["version"], kept["whole"]) == (True, 2, True)
    assert kept["edit_ms"] < 1_000, kept
