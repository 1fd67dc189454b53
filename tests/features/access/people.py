"""Real people for the tests of signing in: they come by a link, and make a second factor as anybody does."""

import base64
import time
from dataclasses import dataclass
from typing import Any

import httpx

from evenhand.pure.totp import code_at, step_at
from tests.conftest import PASSWORD, Browser, World


def app_code(secret: str, steps: int = 0) -> str:
    """What an app shows that has read this secret; `steps` half minutes from now."""
    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return code_at(raw, step_at(time.time()) + steps)


@dataclass
class Somebody:
    """A person with a password and an authenticator app, and the browser in which they made it."""

    email: str
    secret: str
    recovery: list[str]
    browser: Browser

    def code(self, steps: int = 0) -> str:
        return app_code(self.secret, steps)

    async def sign_in(self, client: httpx.AsyncClient, code: str, password: str = PASSWORD) -> httpx.Response:
        body = {"email": self.email, "password": password, "code": code}
        return await client.post("/api/v1/session", json=body)


async def open_link(world: World, link: str, **body: Any) -> Browser:
    """Somebody opens a link in a fresh browser; they are not signed in yet."""
    client = world.client()
    given = {"name": "Kim Newcomer", "password": PASSWORD, **body}
    reply = await client.post(f"/api/v1/links/{link.rsplit('/', 1)[-1]}", json=given)
    assert reply.status_code == 200, reply.text
    assert reply.json()["enrol"] is True and reply.json()["orgs"] == []
    return Browser(client, reply.json()["person"]["id"], reply.json()["csrf"])


async def with_app(world: World, api: Any, email: str, role: str = "viewer", org: str = "") -> Somebody:
    """Invited by the organisation of `api`, and enrolled with an app."""
    invited = await api.post("/api/v1/members/invite", json={"email": email, "role": role})
    assert invited.status_code == 200, invited.text
    browser = await open_link(world, invited.json()["link"])
    begun = (await browser.post("/me/app")).json()
    done = await browser.post("/me/app/confirm", {"token": begun["token"], "code": app_code(begun["secret"], -1)})
    assert done.status_code == 200, done.text
    found = done.json()
    browser.csrf, browser.org = found["session"]["csrf"], org
    return Somebody(email, begun["secret"], found["recovery"], browser)
