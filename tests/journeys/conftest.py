"""A demo that is served, and a browser: what a newcomer has after `make run`."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.serving import PASSWORD, Elsewhere, Serving, elsewhere, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).resolve().parents[2] / "studio" / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Demo:
    """The served demo and its sign-ins."""

    server: Serving
    found: dict[str, Any]

    @property
    def url(self) -> str:
        return self.server.url

    def email(self, role: str, number: int = 0) -> str:
        return [p["email"] for p in self.found["people"] if p["role"] == role][number]

    def password(self, email: str) -> str:
        return next((p["password"] for p in self.found["people"] if p["email"] == email), PASSWORD)


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with serving(demo=True) as server:
        yield Demo(server, json.loads(server.settings.home.demo_file.read_text()))


@pytest.fixture
def other() -> Iterator[Elsewhere]:
    with elsewhere() as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as play:
        args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        opened = play.chromium.launch(executable_path=CHROMIUM, args=args)
        yield opened
        opened.close()


@dataclass
class Person:
    """Somebody in front of a browser. `wrong` collects what the page complained about."""

    context: BrowserContext
    page: Page
    wrong: list[str]


Sit = Callable[..., Person]


@pytest.fixture
def sit(demo: Demo, browser: Browser) -> Iterator[Sit]:
    """Signs somebody in and gives their page. Nothing may be logged as an error by the end of the test."""
    people: list[Person] = []

    def make(email: str | None, *, width: int = 1440, dark: bool = False, start: str = "/") -> Person:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        person = Person(context, page, [])
        page.on("pageerror", lambda err: person.wrong.append(str(err)))
        page.on(
            "console",
            lambda m: (
                person.wrong.append(f"{m.text} {m.location.get('url', '')}")
                if m.type == "error" and "status of 401" not in m.text
                else None
            ),
        )
        people.append(person)
        if email is not None:
            page.goto(f"{demo.url}/signin")
            page.locator("input[type=email]").fill(email)
            page.locator("input[type=password]").fill(demo.password(email))
            page.keyboard.press("Enter")
            page.wait_for_url(lambda url: "signin" not in url)
        if start != "/" or email is None:
            page.goto(f"{demo.url}{start}")
        return person

    yield make
    complaints = [line for p in people for line in p.wrong]
    for p in people:
        p.context.close()
    assert complaints == []


def check_axe(page: Page, where: str) -> None:
    """axe finds nothing (WCAG 2.2 A and AA)."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        # what is on its way from one colour to another is read when it has got there
        """async () => {
            const moving = document.getAnimations().filter(a => a.effect?.getComputedTiming().iterations !== Infinity)
            await Promise.allSettled(moving.map(a => a.finished))
            return (await axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']}))
            .violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(' | '))
        }"""
    )
    assert found == [], f"{where}: {found}"
