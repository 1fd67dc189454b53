"""A password is worth nothing without a second factor; no answer tells which part was wrong; sessions end at once."""

import asyncio
from typing import Any

import psycopg
import pytest

from evenhand.features.access import sessions, signin
from evenhand.features.access.types import Seen
from evenhand.features.people import actions as people
from evenhand.features.people import links
from evenhand.infra.db import SYSTEM
from evenhand.infra.postgres import roles
from evenhand.pure.trouble import Busy, Trouble
from tests.conftest import PASSWORD, Customer, World
from tests.features.access.people import Somebody, app_code, open_link, with_app
from tests.pg import TestServer

pytestmark = pytest.mark.anyio
SEEN = Seen("127.0.0.1", "a test")


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


@pytest.fixture
async def kim(world: World, acme: Customer) -> Somebody:
    return await with_app(world, world.keyed(acme.live_key), "kim@people.example", org=acme.live)


class Clock:
    """The superuser's view, to set clocks back."""

    def __init__(self, server: TestServer, world: World) -> None:
        database = roles.connection_info(world.db._urls.owner)["dbname"]  # type: ignore[attr-defined]
        self.conn = psycopg.connect(server.admin_url_of(database), autocommit=True)

    def run(self, query: str) -> Any:
        return self.conn.execute(query.encode())


@pytest.fixture
def clock(pg_server: TestServer, world: World) -> Any:
    made = Clock(pg_server, world)
    yield made
    made.conn.close()


async def test_a_link_leads_through_enrolment(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    invited = await api.post("/api/v1/members/invite", json={"email": "lee@people.example", "role": "owner"})
    lee = await open_link(world, invited.json()["link"])
    lee.org = acme.live
    # nothing opens before the second factor is made
    for path in ("/projects", "/work/inbox", "/me/security", "/members"):
        assert (await lee.get(path)).status_code == 401, path
    assert (await lee.post("/work/next", {"want": 1})).status_code == 401
    assert (await lee.get("/session")).json()["enrol"] is True
    begun = (await lee.post("/me/app")).json()
    assert len({len(row) for row in begun["qr"]}) == 1 and len(begun["qr"]) == len(begun["qr"][0]) > 40
    wrong = await lee.post("/me/app/confirm", {"token": begun["token"], "code": "000000"})
    assert wrong.status_code == 403
    assert (await lee.get("/projects")).status_code == 401
    done = await lee.post("/me/app/confirm", {"token": begun["token"], "code": app_code(begun["secret"])})
    assert len(done.json()["recovery"]) == 10 and done.json()["session"]["enrol"] is False
    again = await lee.post("/me/app/confirm", {"token": begun["token"], "code": app_code(begun["secret"])})
    assert again.status_code in (403, 404), "the enrolment has ended"
    lee.csrf = done.json()["session"]["csrf"]
    assert (await lee.get("/projects")).status_code == 200
    facts = [line["what"] for line in (await lee.get("/audit")).json()["items"]]
    assert {"AppAdded", "MemberJoined", "SessionEntered"} <= set(facts)


async def test_a_password_takes_a_code_and_a_code_is_taken_once(world: World, kim: Somebody) -> None:
    client = world.client()
    wrong = [
        await kim.sign_in(client, ""),
        await kim.sign_in(client, "123"),
        await kim.sign_in(client, kim.code(-1)),  # the one that confirmed the app
        await kim.sign_in(client, kim.code(), password="not the password"),
        await client.post("/api/v1/session", json={"email": "nobody@x.example", "password": PASSWORD, "code": "1"}),
    ]
    assert {(r.status_code, r.text) for r in wrong} == {(401, wrong[0].text)}, "one answer to all"
    assert not any("set-cookie" in r.headers for r in wrong)
    right = await kim.sign_in(client, kim.code())
    assert right.status_code == 200 and right.json()["method"] == "code"
    assert (await kim.sign_in(world.client(), kim.code())).status_code == 401, "replayed"


async def test_two_at_once_with_one_code(world: World, kim: Somebody) -> None:
    code = kim.code()
    both = await asyncio.gather(*(kim.sign_in(world.client(), code) for _ in range(2)))
    assert sorted(r.status_code for r in both) == [200, 401]


async def test_recovery_codes_work_once_each(world: World, kim: Somebody, clock: Clock) -> None:
    first, second = kim.recovery[:2]
    used = await kim.sign_in(world.client(), first.lower().replace("-", " "))
    assert used.status_code == 200 and used.json()["method"] == "recovery"
    assert (await kim.sign_in(world.client(), first)).status_code == 401
    kept = b"".join(bytes(row[0]) for row in clock.run("select code_mac from evenhand.recovery_code").fetchall())
    assert second.encode() not in kept and len(kept) == 160
    fresh = (await kim.browser.post("/me/recovery")).json()["recovery"]
    assert (await kim.sign_in(world.client(), second)).status_code == 401, "the old ones have ended"
    assert (await kim.sign_in(world.client(), fresh[0])).status_code == 200


@pytest.mark.usefixtures("one_window")
async def test_nobody_tries_on_and_on(world: World, kim: Somebody) -> None:
    for _ in range(signin.MOST_TRIES):
        assert (await kim.sign_in(world.client(), "000000", password="wrong")).status_code == 401
    blocked = await kim.sign_in(world.client(), kim.code())
    assert blocked.status_code == 429 and blocked.headers["retry-after"] == "900"
    # somebody without an account is blocked in the same way
    body = {"email": "nobody@x.example", "password": "wrong"}
    replies = [(await world.client().post("/api/v1/session", json=body)).status_code for _ in range(11)]
    assert replies == [401] * 10 + [429]
    for _ in range(signin.MOST_TRIES):
        assert (await kim.browser.post("/me/prove", {"code": "000000"})).status_code == 403
    assert (await kim.browser.post("/me/prove", {"code": kim.code(1)})).status_code == 429


async def test_demo_people_only_at_home(world: World, acme: Customer) -> None:
    """A password alone is for demo people, and only where nobody but this machine reaches the server."""
    at_home = await signin.sign_in(world.db, acme.owner_email, PASSWORD, "", SEEN, demo_home=True)
    assert not at_home.enrolling
    elsewhere = await signin.sign_in(world.db, acme.owner_email, PASSWORD, "", SEEN, demo_home=False)
    assert elsewhere.enrolling, "to the making of a second factor"
    assert await sessions.who_holds(world.db, elsewhere.token, SEEN) is None
    from dataclasses import replace

    for changed in ({"public_url": "https://label.example.org"}, {"host": "0.0.0.0"}):
        assert not replace(world.services.settings, **changed).loopback


async def test_a_stolen_password_makes_no_factor_where_there_is_one(world: World, kim: Somebody) -> None:
    with pytest.raises(signin.WrongCredentials):
        await signin.sign_in(world.db, kim.email, PASSWORD, "", SEEN, demo_home=True)
    stranger = world.client()
    assert (await stranger.post("/api/v1/me/app")).status_code == 401
    no_csrf = await kim.browser.client.post("/api/v1/me/app")
    assert no_csrf.status_code == 403


async def test_a_reset_keeps_the_factors_unless_it_says_so(world: World, kim: Somebody) -> None:
    link = await links.reset_link(world.db, kim.email, "http://localhost:8080")
    token, fresh = link.link.rsplit("/", 1)[-1], "another long password"
    short = await world.client().post(f"/api/v1/links/{token}", json={"password": ""})
    assert short.status_code == 400
    taken = await world.client().post(f"/api/v1/links/{token}", json={"password": fresh})
    assert taken.status_code == 401, "whoever took the mail has no code"
    assert (await kim.browser.get("/session")).status_code == 401, "its sessions have ended"
    assert (await kim.sign_in(world.client(), kim.code(), password=fresh)).status_code == 200
    link = await links.reset_link(world.db, kim.email, "http://localhost:8080", factors=True)
    await open_link(world, link.link, name="")
    assert (await kim.sign_in(world.client(), kim.recovery[0])).json()["enrol"] is True


async def test_easy_passwords_are_refused_wherever_one_is_chosen(world: World, acme: Customer, kim: Somebody) -> None:
    """At an invitation, at a reset and by oneself; own names count, those of the organisation too."""
    invited = await world.keyed(acme.live_key).post(
        "/api/v1/members/invite", json={"email": "wilhelmina@people.example", "role": "viewer"}
    )
    reset = await links.reset_link(world.db, kim.email, "http://localhost:8080", factors=True)
    for link, name in ((invited.json()["link"], "Lee Longstocking"), (reset.link, "")):
        path = f"/api/v1/links/{link.rsplit('/', 1)[-1]}"
        for easy in (
            "Password2024!",
            "qwertyuiop12",
            "acme-2024-acme",
            *(["wilhelmina.7", "Longstocking1"] if name else []),
        ):
            refused = await world.client().post(path, json={"name": name, "password": easy})
            assert refused.status_code == 400 and "plain words" in refused.json()["hint"], (easy, refused.text)
    for easy in ("kim@people.example", "Kim Newcomer", "Acme-Acme-12"):
        refused = await kim.browser.post("/me/password", {"password": easy})
        assert refused.status_code == 400 and easy not in refused.text, easy
    await open_link(world, invited.json()["link"], name="Lee Longstocking")  # and the link was not used up


async def test_sessions_end_at_once(world: World, kim: Somebody) -> None:
    other = world.client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    await kim.sign_in(other, kim.code())
    mine = (await kim.browser.get("/me/security")).json()
    assert mine["app"] and mine["recovery_left"] == 10 and mine["password"] is True
    lines = {line["current"]: line for line in mine["sessions"]}
    assert len(mine["sessions"]) == 2 and lines[False]["browser"] == "Firefox on Linux"
    assert lines[False]["address"] == "127.0.0.1"
    left = await kim.browser.ask("DELETE", f"/me/sessions/{lines[False]['id']}")
    assert [line["current"] for line in left.json()["sessions"]] == [True]
    assert (await other.get("/api/v1/session")).status_code == 401
    assert (await kim.browser.ask("DELETE", f"/me/sessions/{lines[False]['id']}")).status_code == 404


async def test_an_owner_ends_a_session_here_and_nowhere_else(world: World, acme: Customer, kim: Somebody) -> None:
    birch = await world.customer("Birch")
    await people.add_member(world.db, birch.live, kim.browser.person, "viewer")
    assert (await kim.browser.get("/projects")).status_code == 200
    owner, rival = await world.browser(acme.owner_email, acme.live), await world.browser(birch.owner_email, birch.live)
    there = {line["name"] for line in (await rival.get("/sessions")).json()["items"]}
    assert there == {"Owner of Birch"}, "what happens at a rival's is not seen here"
    line = next(x for x in (await owner.get("/sessions")).json()["items"] if x["person"] == kim.browser.person)
    assert (await rival.ask("DELETE", f"/sessions/{line['id']}")).status_code == 404
    ended = await owner.ask("DELETE", f"/sessions/{line['id']}")
    assert kim.browser.person not in {x["person"] for x in ended.json()["items"]}
    gone = await kim.browser.get("/projects")
    assert gone.status_code == 401 and "ended" in gone.json()["detail"]
    kim.browser.org = birch.live
    assert (await kim.browser.get("/projects")).status_code == 200
    assert kim.browser.person in {x["person"] for x in (await rival.get("/sessions")).json()["items"]}


async def test_an_operator_ends_everything_of_somebody(world: World, kim: Somebody) -> None:
    await people.add_person(world.db, "root@operator.example", "Root", PASSWORD, operator=True)
    root = await world.browser("root@operator.example")
    path = f"/operator/people/{kim.browser.person}/sessions"
    assert len((await root.get(path)).json()["items"]) == 1
    assert (await root.ask("DELETE", path)).status_code == 200
    assert (await kim.browser.get("/session")).status_code == 401
    assert (await kim.browser.get(path.replace("operator/people", "me"))).status_code in (401, 404)


# --- a fresh proof


async def test_an_old_proof_is_asked_for_again(world: World, acme: Customer, clock: Clock) -> None:
    kim = await with_app(world, world.keyed(acme.live_key), "kim@people.example", "owner", acme.live)
    assert (await kim.browser.post("/keys", {"name": "k"})).status_code == 200
    clock.run("update evenhand.session set proved_at = now() - interval '11 minutes'")
    assert (await kim.browser.post("/keys", {"name": "k"})).json()["code"] == "prove"
    assert (await kim.browser.post("/me/app")).json()["code"] == "prove"
    assert (await kim.browser.get("/projects")).status_code == 200, "the rest goes on"
    assert (await world.keyed(acme.live_key).post("/api/v1/keys", json={"name": "by a key"})).status_code == 200
    assert (await kim.browser.post("/me/prove", {"code": "123456"})).status_code == 403
    assert (await kim.browser.post("/me/prove", {"code": kim.code()})).status_code == 200
    assert (await kim.browser.post("/keys", {"name": "k"})).status_code == 200
    owner = await world.browser(acme.owner_email, acme.live)
    clock.run("update evenhand.session set proved_at = now() - interval '11 minutes'")
    assert (await owner.post("/me/prove", {"password": "wrong"})).status_code == 403
    assert (await owner.post("/me/prove", {"password": PASSWORD})).status_code == 200
    assert (await owner.post("/keys", {"name": "k"})).status_code == 200


async def test_the_last_factor_stays(world: World, kim: Somebody) -> None:
    assert (await kim.browser.ask("DELETE", "/me/app")).status_code == 409
    changed = await kim.browser.post("/me/password", {"password": "a quite different one"})
    assert changed.status_code == 200
    assert (await kim.browser.get("/session")).status_code == 200
    assert (await kim.sign_in(world.client(), kim.code())).status_code == 401
    assert (await kim.sign_in(world.client(), kim.code(), password="a quite different one")).status_code == 200


async def test_the_pools_spaces_are_not_told(world: World, acme: Customer) -> None:
    """Two customers could tell by two events of one moment that their workers are one person."""
    birch = await world.customer("Birch")
    worker = await world.worker("ann@pool.example", acme.live, birch.live, shared=True)
    ann = await world.browser("ann@pool.example")
    begun = (await ann.post("/me/app")).json()
    code = {"token": begun["token"], "code": app_code(begun["secret"])}
    assert (await ann.post("/me/app/confirm", code)).status_code == 200
    for space in (acme.live, birch.live):
        async with world.db.tx(space, SYSTEM) as tx:
            rows = await tx.conn.fetch("select kind from evenhand.fact where about_id = $1", worker)
            assert {row["kind"] for row in rows} == {"MemberJoined"}


async def test_what_is_no_token_is_nobody(world: World) -> None:
    for token in ("", "x", "x" * 43, "x" * 1000, "\u00e9" * 30):
        assert await sessions.who_holds(world.db, token, SEEN) is None
        assert await signin.who_enrols(world.db, token) is None
    assert issubclass(Busy, Trouble)
