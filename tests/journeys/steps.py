"""What people do in more than one journey."""

import base64
import time
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, Response, expect

from evenhand.pure.totp import code_at, step_at
from tests.journeys.conftest import check_axe
from tests.serving import Serving

PHONE = 390


def eventually(ask: Callable[[], Any], within_s: float = 20) -> Any:
    """Asks again until the answer is a yes, and gives it."""
    deadline = time.monotonic() + within_s
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def native(server: Serving, key: str) -> httpx.Client:
    """The native API for a program of the customer."""
    return httpx.Client(base_url=f"{server.url}/api/v1", headers={"authorization": f"Bearer {key}"}, timeout=20)


def ok(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()


def check_page(page: Page, where: str) -> None:
    """Light, dark, and as wide as a phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("() => document.getAnimations().every((a) => a.playState !== 'running')")
        check_axe(page, f"{where}, {scheme}")
    check_fits(page, where)


def check_fits(page: Page, where: str) -> None:
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": PHONE, "height": 900})
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= PHONE, f"{where} is {wide} px wide"
    page.set_viewport_size(size)


def visit(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("heading").first.wait_for()
    page.wait_for_load_state("networkidle")


def called(page: Page) -> str:
    """The name of the task on screen, when it can be worked on."""
    page.wait_for_selector(".eh-stage-image canvas, .eh-text, .eh-answers")
    return page.locator(".eh-bar-name").inner_text()


def draw_box(page: Page, begin: float = 0.4, end: float = 0.6) -> None:
    """A box of the first class, from `begin` to `end` of the view, both ways."""
    area = page.locator(".eh-image-view canvas").last.bounding_box()
    assert area is not None
    page.keyboard.press("b")
    page.mouse.move(area["x"] + area["width"] * begin, area["y"] + area["height"] * begin)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * end, area["y"] + area["height"] * end, steps=4)
    page.mouse.up()
    page.keyboard.press("1")  # the first class of the picker beside the cursor


def send(page: Page, press: Callable[[], None]) -> Response:
    """Does what submits the task on screen; the reply, when the next task or an empty queue is there."""
    name = called(page)
    with page.expect_response(lambda r: r.url.endswith("/submit")) as sent:
        press()
    assert sent.value.status == 200, sent.value.text()
    page.wait_for_function(
        "(name) => document.querySelector('.eh-work-empty') || document.querySelector('.eh-bar-name')?.textContent !== name",
        arg=name,
    )
    return sent.value


def submit(page: Page) -> Response:
    return send(page, lambda: page.keyboard.press("Control+Enter"))


def work_through(
    person: httpx.Client, project: str, most: int, answer: Callable[[dict[str, Any]], list[dict[str, Any]]]
) -> int:
    """A colleague who works through the same doors without a browser: up to `most` tasks of the project."""
    done = 0
    while done < most:
        held = ok(person.post("/work/next", json={"want": 1, "project": project}))["assignments"]
        if not held:
            return done
        for one in held:
            body = {"key": one["handle"], "answer": {"annotations": answer(one)}, "seconds": 4}
            ok(person.post(f"/work/{one['handle']}/submit", json=body))
            done += 1
    return done


def app_code(secret: str) -> str:
    """What an authenticator app shows now."""
    plain = secret.replace(" ", "")
    return code_at(base64.b32decode(plain + "=" * (-len(plain) % 8)), step_at(time.time()))


def take_password_and_app(page: Page, password: str) -> None:
    """On the page of a link, with the name filled in: a password and an authenticator app, up to the recovery codes."""
    page.get_by_role("button", name="Use a password and an authenticator app instead").click()
    page.get_by_label("New password").fill(password)
    page.get_by_role("button", name="Next: set up your app").click()
    page.get_by_role("button", name="Use an authenticator app").click()
    secret = page.locator(".eh-app-secret").inner_text()
    expect(page.get_by_role("img", name="Picture for an authenticator app")).to_be_visible()
    check_axe(page, "app")
    page.get_by_label("Code that the app shows").fill(app_code(secret))
    page.get_by_role("button", name="Confirm").click()
