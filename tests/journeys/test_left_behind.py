"""What a browser keeps of a customer's work when somebody has signed out or may look no more: nothing, on its disk as well."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys.conftest import CHROMIUM, PASSWORD, Demo, Sit
from tests.journeys.steps import draw_box, native, ok
from tests.laws.test_canary import sightings
from tests.serving import Org

pytestmark = pytest.mark.journey
CANARY = "LAPWINGEGG"
#: everything that a page's origin keeps: databases, storage, caches; bytes as numbers and as text
_KEPT = """async () => {
  const seen = new Set()
  const plain = (value) => {
    if (value instanceof ArrayBuffer) return plain(new Uint8Array(value))
    if (ArrayBuffer.isView(value)) return {bytes: Array.from(value), text: new TextDecoder('latin1').decode(value)}
    if (value === null || typeof value !== 'object' || seen.has(value)) return String(value)
    seen.add(value)
    if (value instanceof Map || value instanceof Set) return [...value].map(plain)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
  }
  const rows = {}
  for (const {name} of await indexedDB.databases()) {
    const asked = indexedDB.open(name)
    const db = await new Promise((yes, no) => Object.assign(asked, {onsuccess: () => yes(asked.result), onerror: no}))
    for (const table of db.objectStoreNames) {
      const store = db.transaction(table).objectStore(table)
      const all = (ask) => new Promise((yes, no) => Object.assign(ask, {onsuccess: () => yes(ask.result), onerror: no}))
      rows[`${name} ${table}`] = [(await all(store.getAllKeys())).map(String), (await all(store.getAll())).map(plain)]
    }
    db.close()
  }
  const cached = []
  for (const name of await caches.keys()) for (const ask of await (await caches.open(name)).keys()) cached.push(ask.url)
  return JSON.stringify({rows, cached, local: {...localStorage}, session: {...sessionStorage},
                         workers: (await navigator.serviceWorker?.getRegistrations() ?? []).length, cookie: document.cookie})
}"""


def kept(page: Page, context: BrowserContext) -> bytes:
    return (str(page.evaluate(_KEPT)) + json.dumps(context.cookies())).encode()


def make_work(demo: Demo, email: str = "left.behind@people.example") -> str:
    """A customer whose every word is the canary, and somebody who works for it."""
    org = demo.server.customer(f"Quails of {email}")
    demo.server.member(email, "annotator", org.live)
    ontology: dict[str, Any] = {"fields": [{"key": "note", "title": f"Note {CANARY}", "type": "text"}]}
    body = {"name": f"Birds {CANARY}", "medium": "text", "ontology": ontology, "instructions": f"Look for {CANARY}."}
    with native(demo.server, org.live_key) as api:
        project = ok(api.post("/projects", json=body))["id"]
        for n in range(3):
            task = {"data": {"text": f"{CANARY} {n}"}, "name": f"{CANARY} {n}"}
            ok(api.post(f"/projects/{project}/tasks", json=task))
    return email


def make_pictures(demo: Demo, email: str) -> tuple[Org, str]:
    """A customer with a picture whose bytes and names have the canary, and who works for it. Returns where its task is shown."""
    org = demo.server.customer(f"Lapwings of {email}")
    demo.server.member(email, "annotator", org.live)
    out = io.BytesIO()
    Image.effect_noise((320, 240), 80).save(out, "PNG")
    data, name = out.getvalue() + CANARY.encode() * 50, f"{CANARY}.png"
    body = {"name": f"Nests {CANARY}", "medium": "image", "ontology": {"classes": [{"name": CANARY, "kinds": ["box"]}]}}
    with native(demo.server, org.live_key) as api:
        project = ok(api.post("/projects", json=body))["id"]
        asset = ok(api.post("/assets", files={"file": (name, data)}))["id"]
        task = ok(api.post(f"/projects/{project}/tasks", json={"data": {"asset": asset}, "name": name}))["id"]
    return org, f"/console/{org.live}/projects/{project}/tasks?task={task}"


def work(page: Page) -> None:
    """Looks at the text and at the picture, and answers one without sending it."""
    page.get_by_text(f"{CANARY} 0").first.wait_for()
    page.get_by_text(f"Look for {CANARY}.").first.wait_for()  # open at first; the question is beneath
    page.get_by_role("button", name="Instructions", exact=True).click()
    with page.expect_response(lambda r: r.url.endswith("/draft") and r.request.method == "PUT"):
        page.get_by_label(f"Note {CANARY}").fill(f"I saw {CANARY}")
    assert CANARY in page.content()


def sign_out(page: Page) -> None:
    page.locator(".eh-account").first.click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/signin**")


def test_nothing_is_left_behind_after_signing_out(demo: Demo, sit: Sit) -> None:
    person = sit(make_work(demo), start="/work")
    page, context = person.page, person.context
    work(page)
    page.evaluate("word => localStorage.setItem('planted', word)", CANARY)
    assert sightings(kept(page, context), CANARY), "the search would see it"
    page.evaluate("() => localStorage.removeItem('planted')")
    with page.expect_response(lambda r: r.url.endswith("/api/v1/session") and r.request.method == "DELETE"):
        sign_out(page)
    nothing_is_kept(page, context)
    page.go_back()
    page.wait_for_load_state("networkidle")
    assert not sightings(page.content().encode(), CANARY), "the page of before is not shown again"


def nothing_is_kept(page: Page, context: BrowserContext) -> None:
    found = json.loads(str(page.evaluate(_KEPT)))
    left = {
        place: said[:3]
        for place, rows in found["rows"].items()
        if (said := sightings(json.dumps(rows).encode(), CANARY))
    }
    assert left == {} and not sightings(kept(page, context), CANARY), left
    assert found["cached"] == [] and found["workers"] == 0 and found["session"] == {}, found
    assert [c for c in context.cookies() if c["value"]] == []


# --- on the disk


@contextmanager
def profile(browser: Browser, folder: Path) -> Iterator[BrowserContext]:
    """A browser that keeps a profile, as people's do; what it keeps is on the disk when it has ended."""
    args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    context = browser.browser_type.launch_persistent_context(folder, executable_path=CHROMIUM, args=args)
    context.set_default_timeout(15_000)
    try:
        yield context
    finally:
        context.close()


def enter(demo: Demo, context: BrowserContext, email: str, start: str) -> Page:
    page = context.new_page()
    page.goto(f"{demo.url}/signin")
    page.locator("input[type=email]").fill(email)
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "signin" not in url)
    page.goto(f"{demo.url}{start}")
    return page


def on_disk(folder: Path, word: str) -> dict[str, str]:
    """Where in a profile the word lies: file to how it looks there."""
    found = {path: sightings(path.read_bytes(), word) for path in folder.rglob("*") if path.is_file()}
    return {str(path.relative_to(folder)): said[0] for path, said in found.items() if said}


def plant(page: Page, word: str) -> None:
    """What a page could leave: if the search did not find this, it would find nothing."""
    page.evaluate(
        """async word => {
            localStorage.setItem('planted', word)
            await (await caches.open('planted')).put('/planted', new Response(word))
            const asked = indexedDB.open('planted', 1)
            asked.onupgradeneeded = () => asked.result.createObjectStore('planted').put({word}, 1)
            await new Promise((yes, no) => Object.assign(asked, {onsuccess: yes, onerror: no}))
        }""",
        word,
    )


def test_nothing_lies_on_the_disk_after_signing_out(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """Somebody works on text and signs out; then somebody else on a picture; then the disk is searched."""
    make_pictures(demo, "disk.bea@people.example")
    with profile(browser, tmp_path) as context:
        page = enter(demo, context, make_work(demo, "disk.ann@people.example"), "/work")
        work(page)
        sign_out(page)
        page = enter(demo, context, "disk.bea@people.example", "/work")
        page.locator(".eh-image-view canvas").last.wait_for()
        page.wait_for_load_state("networkidle")
        draw_box(page)
        page.get_by_text("Saved").first.wait_for()
        assert CANARY in page.content()
        sign_out(page)
        nothing_is_kept(page, context)
        plant(page, "PLANTEDWORD")
    found = on_disk(tmp_path, "PLANTEDWORD")
    assert any("IndexedDB" in path for path in found) and any("Local Storage" in path for path in found), found
    assert on_disk(tmp_path, CANARY) == {}


def test_nothing_lies_on_the_disk_after_access_was_lost(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """Nobody signs out: a worker is removed at work, and the grant of one of the operator's people ends. The browser is closed."""
    org, place = make_pictures(demo, "disk.cy@people.example")
    demo.server.member("disk.owner@lapwing.example", "owner", org.live)
    robin = demo.server.staff("disk.robin@operator.example")
    with profile(browser, tmp_path) as context:
        page = enter(demo, context, "disk.cy@people.example", "/work")
        page.locator(".eh-image-view canvas").last.wait_for()
        with native(demo.server, org.live_key) as api:
            (cy,) = [m for m in ok(api.get("/members"))["items"] if m["role"] == "annotator"]
            ok(api.delete(f"/members/{cy['person']}"))
        context.clear_cookies()
        with native(demo.server, org.live_key) as api:
            grant = ok(api.post("/support/grants", json={"staff": robin, "minutes": 30}))["grants"][0]["id"]
        page = enter(demo, context, "disk.robin@operator.example", place)
        page.get_by_text(CANARY).first.wait_for()
        with native(demo.server, org.live_key) as api:
            ok(api.delete(f"/support/grants/{grant}"))
        page.wait_for_load_state("networkidle")
    assert on_disk(tmp_path, CANARY) == {}
