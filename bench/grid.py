"""The task browser at 100,000 tasks in a headless browser: open, scroll, filter and search, with thumbnails.

A real server and a real sign-in. Times are taken in the page. `rows_ms` runs from the navigation of a page that the
browser has seen before to the frame that shows rows; `filter_ms` and `search_ms` from the input event (the last key
typed) to the frame that shows the new rows; `frame_ms` is the distance between frames while the wheel turns; `jump_ms`
from pulling the scroll bar to the middle or the end to the frame that shows the rows there.

Targets: first rows under 1 s, filter and search under 300 ms (the slowest of several kinds), scroll frame under 33 ms (p99).
The last line's value is the worst of target / measured: 1 = all targets met, larger is better.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import sys
from collections.abc import AsyncIterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.editor import chromium, percentile
from bench.support.seed import PASSWORD
from bench.support.serving import Running, conclude, evenhand, say
from evenhand.app.services import Services
from evenhand.features.assets import actions as assets
from evenhand.features.assets.types import AssetBody
from evenhand.features.people import actions as people
from evenhand.features.projects import actions as projects
from evenhand.features.projects.actions import NewProject
from evenhand.features.tasks.imports import CHUNK, import_lines
from evenhand.infra.db import SYSTEM
from evenhand.infra.ids import new_ids
from evenhand.infra.seal import At

TASKS = 100_000
ANSWERED = 40_000
PICTURES = 64
TARGETS_MS = {"rows": 1_000.0, "filter": 300.0, "search": 300.0, "scroll": 33.0, "jump": 300.0}
EMAIL = "owner@bench.example"
PLACES = ("harbour", "street", "market", "station", "meadow", "kitchen", "workshop", "garden")
ONTOLOGY = {"classes": [{"name": "car", "kinds": ["box"]}, {"name": "person", "kinds": ["box"]}]}

PROBE = """
(() => {
  const probe = { frames: [], on: false, from: null, shown: null, blank: 0, looked: 0 };
  window.probe = probe;
  let last = 0;
  const rows = () => document.querySelectorAll('.eh-grid-row .eh-grid-title');
  // Somebody who looks at a frame sees what is painted after it: the message comes then.
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { if (probe.painting) { probe.shown = performance.now(); probe.painting = false; } };
  probe.wait = (test) => { probe.shown = null; probe.test = test; };
  const tick = (now) => {
    if (probe.on && last) probe.frames.push(now - last);
    if (probe.on) { probe.looked += 1; if (!rows().length) probe.blank += 1; }
    last = probe.on ? now : 0;
    if (probe.test && probe.test(rows())) { probe.test = null; probe.painting = true; channel.port2.postMessage(0); }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  probe.wait((found) => found.length > 0);
  addEventListener('input', (event) => { probe.from = event.timeStamp; }, true);
})();
"""


def pictures() -> list[bytes]:
    """Gradients of different colours: they compress, decode and scale like photographs."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[0:480, 0:640]
    out: list[bytes] = []
    for n in range(PICTURES):
        rng = np.random.default_rng(n)
        phase = rng.uniform(0, 6, 3)
        base = np.stack([128 + 90 * np.sin((x + y) / (60 + 5 * n) + p) for p in phase], axis=-1)
        held = io.BytesIO()
        Image.fromarray(np.clip(base + rng.normal(0, 9, base.shape), 0, 255).astype("uint8")).save(held, "JPEG")
        out.append(held.getvalue())
    return out


def seed(running: Running) -> tuple[str, str]:
    """(organisation, project): pictures, tasks, and answers to the oldest."""

    async def work(opened: Services) -> tuple[str, str]:
        db = opened.db
        org = (await people.create_org(db, "Bench")).id
        owner = await people.add_person(db, EMAIL, "Olga Owner", PASSWORD)
        await people.add_member(db, org, owner, "owner")
        crew = [await people.add_person(db, f"a{n}@bench.example", f"Annotator {n}", PASSWORD) for n in range(8)]
        for person in crew:
            await people.add_member(db, org, person, "annotator")
        async with db.tx(org, SYSTEM) as tx:
            project = (await projects.create_project(tx, NewProject("Pictures", "image", ONTOLOGY))).id
        made = [
            await assets.keep_file_once(db, opened.objects, org, SYSTEM, data, AssetBody(name=f"{n}.jpg"))
            for n, data in enumerate(pictures())
        ]

        async def lines() -> AsyncIterator[list[bytes]]:
            for at in range(0, TASKS, CHUNK):
                yield [line(n, made[n % PICTURES].id) for n in range(at, min(TASKS, at + CHUNK))]

        report = await import_lines(db, org, SYSTEM, project, lines())
        if report.created != TASKS:
            raise SystemExit(f"only {report.created} of {TASKS} tasks were created: {report.errors[:3]}")
        await answer(opened, org, project, crew)
        return org, project

    return running.do(work)


def line(n: int, asset: str) -> bytes:
    name = f"{PLACES[n % len(PLACES)]} camera{n % 31} {n:06d}.jpg"
    return b'{"data":{"asset":"%s"},"name":"%s"}' % (asset.encode(), name.encode())


async def answer(opened: Services, org: str, project: str, crew: list[str]) -> None:
    """Finishes the first tasks, by everybody in turn, as the application would have written it."""
    seal = await opened.db.seal(org, project)
    body = {"annotations": [{"id": "b", "kind": "box", "class": "car", "x": 1, "y": 1, "w": 9, "h": 9}]}
    classes = {name: [seal.token("class", name)] for name in ("car", "person")}
    async with opened.db.tx(org, SYSTEM) as tx:
        found = await tx.conn.fetch(
            "select task_id from evenhand.task where org_id = $1 order by task_id limit $2", org, ANSWERED
        )
        tasks = [row[0] for row in found]
        answers = new_ids(len(tasks))
        await tx.conn.executemany(
            """insert into evenhand.answer (org_id, answer_id, task_id, project_id, person_id, origin, state, labels,
                                            classes, body)
               values ($1, $2, $3, $4, $5, 'label', 'current', 1, $6, $7)""",
            [
                (
                    org,
                    made,
                    task,
                    project,
                    crew[n % 8],
                    classes["car" if n % 50 else "person"],
                    seal.shut(body, At("answer", made, project)),
                )
                for n, (made, task) in enumerate(zip(answers, tasks, strict=True))
            ],
        )
        await tx.conn.execute(
            """update evenhand.task t set state = 'done', completed_at = now(), labels = 1, result_id = a.answer_id
                 from evenhand.answer a
                where t.org_id = $1 and a.org_id = t.org_id and a.task_id = t.task_id""",
            org,
        )
        await tx.conn.execute(
            "delete from evenhand.queue q using evenhand.answer a where q.org_id = $1 and a.org_id = $1 and a.task_id = q.task_id",
            org,
        )


def sign_in(context: BrowserContext, running: Running) -> None:
    page = context.new_page()
    page.goto(f"{running.base}/signin")
    page.locator("input[type=email]").fill(EMAIL)
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/console/" in url)
    page.close()


def shown(page: Page, since: str) -> float:
    """Milliseconds from `since` (an expression in the page) until the awaited rows were painted."""
    page.wait_for_function("() => window.probe.shown !== null")
    return float(page.evaluate(f"() => window.probe.shown - {since}"))


def open_grid(context: BrowserContext, url: str) -> tuple[Page, float, float]:
    """A page with the browser, the time until it had rows, and until every picture in sight was there."""
    page = context.new_page()
    page.add_init_script(PROBE)
    page.goto(url, wait_until="commit")
    rows = shown(page, "0")
    page.wait_for_function("() => [...document.querySelectorAll('img.eh-thumb')].slice(0, 12).every((i) => i.complete)")
    return page, rows, float(page.evaluate("() => performance.now()"))


#: what the rows must show once the filter holds
FILTERS = {
    "state": ("done", "'Done'"),
    "person": (1, "'Done'"),  # the first of those who did the work: what they are called is the customer's alias
    "class": ("person", "'Done'"),
}


def measure_filters(page: Page) -> dict[str, float]:
    """Each filter from the moment it is chosen. The state has its own list; the rest are set where the address is."""
    out: dict[str, float] = {}
    for name, (value, wanted) in FILTERS.items():
        page.evaluate(
            f"() => window.probe.wait((rows) => rows.length && rows[0].closest('.eh-grid-row').textContent.includes({wanted}))"
        )
        if name == "state":
            page.locator(".eh-filters select").select_option(value)
            out[name] = shown(page, "window.probe.from")
            clear = lambda: page.locator(".eh-filters select").select_option("")  # noqa: E731
        else:
            page.get_by_role("button", name="Filter", exact=True).click()
            box = page.get_by_role("dialog").locator("select").nth(1 if name == "person" else 2)
            box.select_option(index=value) if isinstance(value, int) else box.select_option(value)
            out[name] = shown(page, "window.probe.from")
            page.keyboard.press("Escape")
            clear = lambda: page.get_by_role("button", name="Clear").first.click()  # noqa: E731
        page.evaluate(
            "() => window.probe.wait((rows) => rows.length && !document.querySelector('.eh-grid').textContent.includes('Done'))"
        )
        clear()
        page.wait_for_function("() => window.probe.shown !== null")
    return out


def measure_search(page: Page) -> dict[str, float]:
    """Words typed key by key; counted from the last key."""
    out: dict[str, float] = {}
    box = page.locator(".eh-filters input[type=search]")
    for name, words in (("common word", "harbour"), ("two words", "street camera5"), ("one task", "004217")):
        box.fill("")
        page.wait_for_function("() => !location.search.includes('q=')")
        page.wait_for_timeout(600)
        page.evaluate(
            """(words) => window.probe.wait((rows) => rows.length && new URLSearchParams(location.search).get('q') === words
                 && [...rows].every((row) => words.split(' ').every((w) => row.textContent.includes(w))))""",
            words,
        )
        box.press_sequentially(words, delay=40)
        out[name] = shown(page, "window.probe.from")
    box.fill("")
    page.wait_for_timeout(600)
    return out


def measure_scroll(page: Page, turns: int) -> dict[str, float]:
    """A wheel that turns fast: 40 turns of 240 px a second."""
    area = page.locator(".eh-grid").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + 200, area["y"] + 200)
    page.evaluate("() => { Object.assign(window.probe, { frames: [], blank: 0, looked: 0, on: true }) }")
    for _ in range(turns):
        page.mouse.wheel(0, 240)
        page.wait_for_timeout(20)
    taken = page.evaluate("() => { const p = window.probe; p.on = false; return [p.frames, p.blank / p.looked] }")
    return {"p50": percentile(taken[0], 0.5), "p99": percentile(taken[0], 0.99), "blank_share": taken[1]}


def measure_jump(page: Page) -> list[float]:
    """The scroll bar pulled to the middle, the end and the start."""
    out: list[float] = []
    for share in (0.5, 1.0, 0.25):
        out.append(
            float(
                page.evaluate(
                    """(share) => new Promise((done) => {
                      const grid = document.querySelector('.eh-grid');
                      const from = performance.now();
                      grid.scrollTop = (grid.scrollHeight - grid.clientHeight) * share;
                      requestAnimationFrame(() => requestAnimationFrame(() => {
                        const look = () => {
                          const box = grid.getBoundingClientRect();
                          const inside = [...grid.querySelectorAll('.eh-grid-row')].filter((row) => {
                            const r = row.getBoundingClientRect();
                            return r.top >= box.top && r.bottom <= box.bottom;
                          });
                          const full = inside.every((row) => row.querySelector('.eh-grid-title'));
                          if (inside.length > 5 && full) done(performance.now() - from);
                          else requestAnimationFrame(look);
                        };
                        look();
                      }));
                    })""",
                    share,
                )
            )
        )
    return out


def measure(context: BrowserContext, url: str, quick: bool) -> dict[str, float]:
    page, rows, thumbs = open_grid(context, url)
    height = page.evaluate("() => document.querySelector('.eh-grid').scrollHeight")
    scroll = measure_scroll(page, 80 if quick else 240)
    jump = measure_jump(page)
    filters = measure_filters(page)
    search = measure_search(page)
    page.close()
    return {
        "rows_ms": rows,
        "thumbs_ms": thumbs,
        "reach_rows": height / 48,
        "scroll_frame_p50_ms": scroll["p50"],
        "scroll_frame_p99_ms": scroll["p99"],
        "scroll_blank_share": scroll["blank_share"],
        "jump_ms": max(jump),
        **{f"filter_{name}_ms": value for name, value in filters.items()},
        **{f"search_{name.replace(' ', '_')}_ms": value for name, value in search.items()},
    }


def run(browser: Browser, running: Running, seeded: tuple[str, str], quick: bool) -> dict[str, float]:
    """The median of several passes: a p99 of one pass is what else the machine was doing."""
    org, project = seeded
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    sign_in(context, running)
    url = f"{running.base}/console/{org}/projects/{project}/tasks"
    open_grid(context, url)[0].close()
    passes = [measure(context, url, quick) for _ in range(3 if quick else 5)]
    return {name: round(statistics.median(one[name] for one in passes), 2) for name in passes[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; under two minutes")
    quick: bool = parser.parse_args().quick
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(evenhand())
        seeded = seed(running)  # before Playwright: it keeps an event loop of its own in this thread
        playwright = stack.enter_context(sync_playwright())
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium(), args=args)
        stack.callback(browser.close)
        found = run(browser, running, seeded, quick)
    say(tasks=TASKS, **found, load_1m=round(os.getloadavg()[0], 1))
    measured = {
        "rows": found["rows_ms"],
        "filter": max(value for name, value in found.items() if name.startswith("filter_")),
        "search": max(value for name, value in found.items() if name.startswith("search_")),
        "scroll": found["scroll_frame_p99_ms"],
        "jump": found["jump_ms"],
    }
    ratios = {name: TARGETS_MS[name] / measured[name] for name in TARGETS_MS}
    worst = min(ratios, key=lambda name: ratios[name])
    conclude(
        "grid: open, scroll, filter, search 100,000 tasks",
        measured[worst],
        f"ms, {worst}",
        TARGETS_MS[worst],
        ratios[worst],
    )


if __name__ == "__main__":
    main()
