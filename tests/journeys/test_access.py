"""Passkeys as people meet them: Chromium's own authenticator, by the protocol of its tools, on http://localhost."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from evenhand.features.people import actions as people
from evenhand.features.people import links
from tests.journeys.conftest import Demo, Sit, check_axe
from tests.journeys.steps import take_password_and_app

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def authenticator(page: Page) -> Any:
    """A virtual one inside the browser: it has a finger on it."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp, made["authenticatorId"]


def invite(demo: Demo, email: str, role: Any) -> str:
    async def make(s: Any) -> str:
        org = (await people.list_orgs(s.db))[0]
        _, link = await links.invite_person(s.db, email, s.settings.public_url, role=role, orgs=[org.id])
        return link.link

    return demo.server.run(make)


def test_a_newcomer_makes_a_passkey_and_signs_in_with_it(demo: Demo, sit: Sit) -> None:
    link = invite(demo, "pat@people.example", "owner")
    pat = sit(None, start=link.removeprefix(demo.url))
    page = pat.page
    cdp, inside = authenticator(page)
    page.get_by_label("Your name").fill("Pat Passkey")
    check_axe(page, "link")
    page.get_by_role("button", name="Next: create a passkey").click()
    page.get_by_role("button", name="Create a passkey").click()
    page.wait_for_url("**/console/**")
    assert len(cdp.send("WebAuthn.getCredentials", {"authenticatorId": inside})["credentials"]) == 1

    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Security").click()
    expect(page.get_by_role("cell", name="First passkey", exact=True)).to_be_visible()
    check_axe(page, "security")
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/signin**")
    check_axe(page, "sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/console/**")

    # a proof that is too old is asked for again, and then the key is made after all
    async def age(s: Any) -> None:
        async with s.db.narrow("gate") as door:
            await door.conn.execute("update evenhand.session set proved_at = now() - interval '1 hour'")

    demo.server.run(age)
    page.goto(f"{page.url.rstrip('/')}/keys?new=1")
    page.get_by_label("Name").fill("after a proof")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    check_axe(page, "proof")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Your new key")).to_be_visible()

    # and before the keys of the organisation are changed, or everything is taken
    home = page.url.split("/keys")[0]
    page.goto(f"{home}/encryption")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("status").filter(has_text="opened in")).to_be_visible()
    demo.server.run(age)
    page.get_by_role("button", name="Rotate: Organisation key").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("There is a new version.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Organisation key"))).to_contain_text("2")
    demo.server.run(age)
    page.goto(f"{home}/data")
    page.get_by_role("button", name="Download the archive").click()
    with page.expect_download():
        page.get_by_role("button", name="Use a passkey").click()
    pat.wrong[:] = [line for line in pat.wrong if "status of 403" not in line]


def test_a_newcomer_takes_a_password_and_an_app(demo: Demo, sit: Sit) -> None:
    link = invite(demo, "alex@people.example", "owner")
    alex = sit(None, start=link.removeprefix(demo.url), width=390)
    page = alex.page
    page.get_by_label("Your name").fill("Alex App")
    take_password_and_app(page, "a few plain words")
    codes = page.locator(".eh-codes code")
    expect(codes).to_have_count(10)
    check_axe(page, "recovery codes")
    recovery = codes.first.inner_text()
    page.get_by_role("button", name="I have kept them").click()
    page.wait_for_url("**/console/**")
    page.goto(f"{page.url.rstrip('/')}/access")
    expect(page.get_by_role("heading", name="Your own sign-in")).to_be_visible()
    check_axe(page, "access")

    again = sit(None, start="/signin")
    again.page.get_by_label("Email").fill("alex@people.example")
    again.page.locator("input[type=password]").fill("a few plain words")
    again.page.keyboard.press("Enter")
    expect(again.page.get_by_role("alert")).to_contain_text("wrong")
    again.page.get_by_label("Code", exact=True).fill(recovery)
    again.page.keyboard.press("Enter")
    again.page.wait_for_url("**/console/**")
