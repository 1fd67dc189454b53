"""A session that nobody uses ends; one that is used goes on, until it has lived long enough; a page alone keeps none alive."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from evenhand.app.settings import IDLE_H, settings_from_environment
from evenhand.features.access import sessions
from evenhand.features.access.types import Seen
from evenhand.infra.postgres import roles
from evenhand.pure.trouble import Invalid
from tests.conftest import Browser, Customer, World
from tests.pg import TestServer

pytestmark = pytest.mark.anyio
ALONE = {"evenhand-background": "1"}
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "say-how-long-sessions-last.md"


@pytest.fixture
def clock(pg_server: TestServer, world: World) -> Iterator[Any]:
    """`clock(hours)`: as much time goes by for every session. This process forgets which it has seen, as after a start."""
    database = roles.connection_info(world.db._urls.owner)["dbname"]  # type: ignore[attr-defined]
    with psycopg.connect(pg_server.admin_url_of(database), autocommit=True) as conn:

        def goes(hours: float) -> None:
            conn.execute(
                "update evenhand.session set seen_at = seen_at - %(by)s, expires_at = expires_at - %(by)s,"
                " ends_at = ends_at - %(by)s, proved_at = proved_at - %(by)s",
                {"by": timedelta(hours=hours)},
            )
            sessions._SEEN_AT.clear()  # type: ignore[attr-defined]

        yield goes


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


@pytest.fixture
async def owner(world: World, acme: Customer) -> Browser:
    return await world.browser(acme.owner_email, acme.live)


async def ends_in_h(browser: Browser) -> float:
    line = next(x for x in (await browser.get("/me/security")).json()["sessions"] if x["current"])
    return (datetime.fromisoformat(line["expires_at"]) - datetime.now(UTC)).total_seconds() / 3600


async def test_what_nobody_uses_ends(owner: Browser, clock: Any) -> None:
    clock(IDLE_H - 0.2)
    assert (await owner.get("/projects")).status_code == 200
    clock(IDLE_H - 0.2)  # it was used meanwhile
    assert (await owner.get("/projects")).status_code == 200
    clock(IDLE_H + 0.1)
    assert (await owner.get("/projects")).status_code == 401
    assert (await owner.get("/session")).status_code == 401, "and it does not come back by being asked for"


async def test_a_page_alone_keeps_nothing_alive(owner: Browser, clock: Any) -> None:
    for _ in range(3):  # a tab that was left open asks and asks
        clock(IDLE_H / 4)
        reply = await owner.client.get("/api/v1/projects", headers={"evenhand-org": owner.org, **ALONE})
        assert reply.status_code == 200
    clock(IDLE_H / 4 + 0.1)
    reply = await owner.client.get("/api/v1/projects", headers={"evenhand-org": owner.org, **ALONE})
    assert reply.status_code == 401


async def test_at_last_it_ends_whatever_is_done(owner: Browser, clock: Any) -> None:
    for _ in range(sessions.SESSION_S // 3600 // 10):
        clock(10)
        found = await owner.get("/session")
    assert found.status_code == 401
    assert sessions.SESSION_S == 30 * 24 * 3600


async def test_at_the_desk(world: World, acme: Customer, clock: Any) -> None:
    """Next and submit look the session up inside the database: they end with it, and keep it alive as well."""
    await world.worker("ann@pool.example", acme.live, shared=True)
    ann = await world.browser("ann@pool.example")
    for _ in range(2):
        clock(IDLE_H - 0.2)
        assert (await ann.post("/work/next", {"want": 1})).status_code == 200
    assert IDLE_H - 0.01 < await ends_in_h(ann) <= IDLE_H
    clock(IDLE_H + 0.1)
    assert (await ann.post("/work/next", {"want": 1})).status_code == 401


async def test_a_note_now_and_then(world: World, owner: Browser, clock: Any) -> None:
    """That a session is used is written every five minutes, not with every call; the desk is sent to the look-up for it then."""
    token, seen = owner.client.cookies[world.services.settings.cookie], Seen("127.0.0.1")
    await owner.get("/projects")
    before = await ends_in_h(owner)
    assert sessions.seen_at(token, seen) and not sessions.seen_at(token, Seen("127.0.0.2"))
    clock(0.05)  # three minutes
    await owner.get("/projects")
    assert before - 0.06 < await ends_in_h(owner) < before - 0.04, "not written"
    assert sessions.seen_at(token, seen)
    clock(0.05)
    assert not sessions.seen_at(token, seen), "unknown again"
    await owner.client.get("/api/v1/session", headers=ALONE)
    assert not sessions.seen_at(token, seen), "a note is due, and nobody was there"
    assert sessions.seen_at(token, replace(seen, background=True)), "which the page alone need not wait for"
    await owner.get("/projects")
    assert sessions.seen_at(token, seen) and await ends_in_h(owner) > IDLE_H - 0.01


async def test_the_installation_says_how_long(world: World, acme: Customer, clock: Any) -> None:
    world.db.session_idle_s = settings_from_environment({"EVENHAND_SESSION_IDLE_HOURS": "0.5"}).session_idle_s
    owner = await world.browser(acme.owner_email, acme.live)
    assert 0.49 < await ends_in_h(owner) <= 0.5
    clock(0.6)
    assert (await owner.get("/projects")).status_code == 401
    assert settings_from_environment({}).session_idle_s == 12 * 3600
    for wrong in ("0", "0.2", "721", "a day", "nan"):
        with pytest.raises(Invalid, match="EVENHAND_SESSION_IDLE_HOURS"):
            settings_from_environment({"EVENHAND_SESSION_IDLE_HOURS": wrong})


def test_the_page_says_what_holds() -> None:
    page = PAGE.read_text()
    assert f"{IDLE_H:.0f} hours" in page and f"{sessions.SESSION_S // 86400} days" in page
    assert f"{sessions.PROVIDER_SESSION_S // 3600} hours after" in page
