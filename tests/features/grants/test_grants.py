"""Support grants, break-glass, directors and leavers, through the doors."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from evenhand.app.http.routes import ROUTES
from evenhand.app.http.support import SHOWN
from evenhand.features.contracts import walls
from evenhand.features.grants import figures, leaving, store
from evenhand.features.people import actions as people
from evenhand.infra.db import SYSTEM
from evenhand.infra.seal import At
from tests.app.test_mail import Post
from tests.conftest import PASSWORD, Browser, Customer, World
from tests.laws.estate import Estate, fill
from tests.laws.test_twin import CUSTOMER, ids_of

pytestmark = pytest.mark.anyio
REASON = "The export of last night is empty."


async def staff(world: World, name: str, org: str = "") -> Browser:
    email = f"{name.lower()}@operator.example"
    await people.add_person(world.db, email, name, PASSWORD, operator=True)
    return await world.browser(email, org)


async def facts(world: World, org: str, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    async with world.db.tx(org, SYSTEM) as tx:
        rows = await tx.conn.fetch(
            "select fact_id, kind, body from evenhand.fact where org_id = $1 and kind = any($2) order by fact_id",
            org,
            list(kinds),
        )
        found = [(r["kind"], tx.seal.open(r["body"], At("fact", r["fact_id"]))) for r in rows]
    return [one for one in found if one[1].get("staff") != "Helper"]  # of the estate's own making


@pytest.fixture
async def acme(world: World) -> Estate:
    return await fill(world, "Acme", "ALPHA")


async def test_a_grant_opens_reading_and_nothing_else(world: World, acme: Estate) -> None:
    live = acme.customer.live
    root, owner = await staff(world, "Robin", live), await world.browser(acme.customer.owner_email, live)
    assert (await root.get("/projects")).status_code == 404, "no standing access"
    named = (await owner.get("/support")).json()["staff"]
    assert "Robin" in {s["name"] for s in named} and root.person not in {s["id"] for s in named}
    given = await owner.post("/support/grants", {"staff": "Robin", "minutes": 30, "reason": REASON})
    assert given.status_code == 200 and given.json()["grants"][0]["live"] is True
    ids = ids_of(acme)
    for route in ROUTES:
        if route.who != "customer":
            continue
        name = f"{route.method} {route.path}"
        for path, options in CUSTOMER[name](ids, {**ids, "n": "9"}) or [(route.path, {"json": {}})]:
            reply = await root.ask(route.method, path, **options)
            if route.method == "GET" and route.path in SHOWN:
                assert reply.status_code in (200, 404), f"{name}: {reply.text}"
            else:
                assert reply.status_code == 403, f"{name}: {reply.status_code} {reply.text}"
    used = await facts(world, live, "SupportUsed")
    assert len(used) > 10 and {u["staff"] for _, u in used} == {"Robin"}
    assert f"/api/v1/tasks/{acme.ids['done_task']}" in {u["looked_at"] for _, u in used}
    session = (await root.get("/session")).json()
    assert [(o["id"], o["role"]) for o in session["orgs"]] == [(live, "support")]
    # the customer's other spaces stay shut, and so do other customers
    for org in (acme.customer.test, (await world.customer("Birch")).live):
        root.org = org
        assert (await root.get("/projects")).status_code == 404


async def test_a_grant_ends_by_itself_and_by_the_customers_hand(world: World, acme: Estate) -> None:
    live = acme.customer.live
    root, owner = await staff(world, "Robin", live), await world.browser(acme.customer.owner_email, live)
    first = (await owner.post("/support/grants", {"staff": "Robin", "minutes": 5})).json()["grants"][0]["id"]
    assert (await root.get("/projects")).status_code == 200
    ended = await owner.ask("DELETE", f"/support/grants/{first}")
    assert ended.json()["grants"][0]["live"] is False and ended.json()["grants"][0]["uses"] == 1
    assert (await root.get("/projects")).status_code == 404
    assert (await owner.ask("DELETE", f"/support/grants/{first}")).status_code == 404
    async with world.db.tx(live, acme.customer.actor) as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):  # nothing makes a grant longer
            await tx.conn.execute("update evenhand.access_grant set until_at = now() + interval '1 hour'")
    async with world.db.tx(live, acme.customer.actor) as tx:
        with pytest.raises(asyncpg.CheckViolationError):
            await store.GRANT_ADD.value(
                tx, org=live, grant="g", kind="break_glass", staff="a", second="b", project=None, minutes=241, body=b""
            )
    async with world.db.tx(live, acme.customer.actor) as tx:  # by itself: what lies in the past opens nothing
        await tx.conn.execute(
            "insert into evenhand.access_grant (org_id, grant_id, kind, staff_id, from_at, until_at, body)"
            " values ($1, 'past', 'support', $2, now() - interval '2 hours', now() - interval '1 second', '')",
            live, root.person,
        )  # fmt: skip
    assert (await root.get("/projects")).status_code == 404
    assert [k for k, _ in await facts(world, live, "SupportGranted", "SupportEnded")] == [
        "SupportGranted",
        "SupportEnded",
    ]


async def test_a_grant_for_a_project_stays_in_it(world: World, acme: Estate) -> None:
    live, ids = acme.customer.live, acme.ids
    root, owner = await staff(world, "Robin", live), await world.browser(acme.customer.owner_email, live)
    await owner.post("/support/grants", {"staff": "Robin", "minutes": 5, "project": ids["project"]})
    for path in (f"/projects/{ids['project']}", f"/tasks/{ids['done_task']}", f"/tasks?project={ids['project']}",
                 f"/batches/{ids['batch']}", f"/questions?project={ids['project']}"):  # fmt: skip
        assert (await root.get(path)).status_code == 200, path
    # of all projects that one: the page begins with the list
    assert [one["id"] for one in (await root.get("/projects")).json()["items"]] == [ids["project"]]
    for path in (f"/projects/{ids['pictures']}", f"/tasks/{ids['picture_task']}", "/tasks", "/questions", "/members",
                 f"/tasks?project={ids['pictures']}", f"/deliveries?project={ids['pictures']}"):  # fmt: skip
        assert (await root.get(path)).status_code == 403, path
    used = await facts(world, live, "SupportUsed")
    assert len(used) == 6, "what was refused was not read"
    (opened,) = (await root.get("/session")).json()["orgs"]
    assert (opened["role"], opened["project"]) == ("support", ids["project"])


async def test_walls_hold_for_the_operators_people_too(world: World, acme: Estate) -> None:
    """Who has read one customer's data reads nothing of its rival, by grant or by broken glass; and the rival is not told why."""
    birch, chestnut = await world.customer("Birch"), await world.customer("Chestnut")
    await walls.set_wall(world.db, birch.live, birch.actor, walls.NewWall("Acme", 30))
    root = await staff(world, "Robin", acme.customer.live)
    for one in (acme.customer, birch, chestnut):
        owner = await world.browser(one.owner_email, one.live)
        assert (await owner.post("/support/grants", {"staff": "Robin", "minutes": 30})).status_code == 200
    assert (await root.get("/projects")).status_code == 200
    root.org = birch.live
    refused = await root.get("/projects")
    assert refused.status_code == 409 and "kept off" in refused.text and "Acme" not in refused.text
    asked = await root.post("/operator/break-glass", {"org": "Birch", "minutes": 30, "reason": REASON})
    assert asked.status_code == 409
    assert await facts(world, birch.live, "SupportUsed", "BreakGlassAsked") == []
    root.org = chestnut.live
    assert (await root.get("/projects")).status_code == 200, "who is nobody's rival is helped as before"
    await walls.end_wall(world.db, birch.live, birch.actor, await wall_of(world, birch))
    root.org = birch.live
    assert (await root.get("/projects")).status_code == 200


async def wall_of(world: World, customer: Customer) -> str:
    async with world.db.tx(customer.live, customer.actor) as tx:
        (only,) = (await walls.list_walls(tx)).items
    return only.id


async def test_breaking_glass_takes_two_and_tells_the_customer(world: World, acme: Estate) -> None:
    live = acme.customer.live
    first, second = await staff(world, "Robin", live), await staff(world, "Sam")
    owner = await world.browser(acme.customer.owner_email, live)
    short = await first.post("/operator/break-glass", {"org": "Acme", "minutes": 30, "reason": "why"})
    assert short.status_code == 400
    long = await first.post("/operator/break-glass", {"org": "Acme", "minutes": 241, "reason": REASON})
    assert long.status_code == 400
    asked = (await first.post("/operator/break-glass", {"org": "Acme", "minutes": 30, "reason": REASON})).json()
    ask = asked["asks"][0]["id"]
    assert asked["asks"][0]["mine"] is True
    alone = await first.post(f"/operator/break-glass/{ask}/confirm")
    assert alone.status_code == 409 and (await first.get("/projects")).status_code == 404
    assert (await second.post(f"/operator/break-glass/{ask}/confirm")).status_code == 200
    assert (await first.get("/projects")).status_code == 200
    second.org = live
    assert (await second.get("/projects")).status_code == 404, "who confirms reads nothing"
    assert (await second.post(f"/operator/break-glass/{ask}/confirm")).status_code == 404, "once"
    told = await facts(world, live, "BreakGlassAsked", "BreakGlassOpened")
    assert [k for k, _ in told] == ["BreakGlassAsked", "BreakGlassOpened"]
    assert (told[1][1]["staff"], told[1][1]["second"], told[1][1]["reason"]) == ("Robin", "Sam", REASON)
    shown = (await owner.get("/support")).json()["grants"][0]
    assert (shown["kind"], shown["staff"], shown["second"], shown["reason"], shown["live"]) == (
        "break_glass", "Robin", "Sam", REASON, True)  # fmt: skip
    assert (await owner.ask("DELETE", f"/support/grants/{ask}")).status_code == 200
    assert (await first.get("/projects")).status_code == 404


async def test_the_customer_is_told_of_broken_glass_by_mail_at_once(world: World, acme: Estate) -> None:
    """A mail to each owner, by the job that the opening itself brings: who, until when, where it is ended. Not why."""
    live = acme.customer.live
    first, second = await staff(world, "Robin", live), await staff(world, "Sam")
    await world.worker("second.owner@people.example", live, role="owner")
    await world.worker("viewer@people.example", live, role="viewer")
    await world.drain()
    with Post("HELP") as post:
        url = f"smtp://127.0.0.1:{post.server_address[1]}"
        world.services.settings = replace(world.services.settings, smtp_url=url, mail_from="evenhand@example.org")
        asked = (await first.post("/operator/break-glass", {"org": "Acme", "minutes": 30, "reason": REASON})).json()
        await world.drain()
        assert post.said == [], "asking opens nothing"
        assert (await second.post(f"/operator/break-glass/{asked['asks'][0]['id']}/confirm")).status_code == 200
        await world.drain()
        post.shutdown()
    told = {line.removeprefix("To: ") for line in post.said if line.startswith("To: ")}
    assert told == {acme.customer.owner_email, "second.owner@people.example"}
    said = "\n".join(post.said)
    assert said.count("Robin of the operator may read what is yours until ") == 2 and "Sam confirmed it" in said
    assert "/console/support" in said and REASON not in said
    assert "Subject: Somebody of the operator can read your data now" in said


async def test_a_director_sees_figures_and_nothing_else(world: World, acme: Estate) -> None:
    await people.add_person(world.db, "board@operator.example", "Board", PASSWORD)
    board = await world.browser("board@operator.example", acme.customer.live)
    assert (await board.get("/director/figures")).status_code == 403
    await figures.set_director(world.db, "board@operator.example")
    ids = ids_of(acme)
    seen = ""
    for route in ROUTES:
        if route.who in ("customer", "operator"):
            path = re.sub(r"\{(\w+)\}", lambda m: ids.get(m[1], ids["project"]), route.path)
            reply = await board.ask(route.method, path, json={})
            assert reply.status_code in (403, 404), f"{route.method} {path}: {reply.status_code}"
            seen += reply.text
    reply = await board.get("/director/figures")
    assert reply.status_code == 200 and (await board.get("/session")).json()["person"]["director"] is True
    for word in (acme.mark, "Acme", acme.customer.live, acme.customer.test):
        assert word not in reply.text + seen


async def test_a_week_of_few_customers_has_no_figures(world: World, acme: Estate) -> None:
    async with world.db.tx(acme.customer.live, SYSTEM) as tx:  # last week
        await tx.conn.execute(
            "update evenhand.assignment set closed_at = closed_at - interval '8 days' where state = 'submitted'"
        )
    few = await figures.figures(world.db)
    assert [(w.tasks, w.hours) for w in few.weeks] == [(None, None)] and few.smallest_group == 5
    enough = await figures.figures(world.db, smallest_group=1)
    assert enough.weeks[0].tasks == 0, "counts are rounded to tens"


async def test_who_leaves_is_out_at_once_and_each_customer_reads_what_they_saw(world: World, acme: Estate) -> None:
    birch = await world.customer("Birch")
    ann = await world.browser("acme.ann@people.example")
    held = acme.ids["handle"]
    assert (await ann.get(f"/work/{held}")).status_code == 200
    live = acme.customer.live
    api = world.keyed(acme.customer.live_key)
    alias = await world.alias(live, ann.person)
    before = (await api.get(f"/api/v1/people/{alias}/report")).json()
    assert before["tasks"] >= 2 and before["first"] <= before["last"] and ann.person not in str(before)
    left = await leaving.leave(world.db, ann.person)
    assert left.sessions >= 1 and left.leases >= 1 and left.customers == 1
    for path in ("/session", f"/work/{held}", "/work/summary"):
        assert (await ann.get(path)).status_code == 401
    again = await world.client().post(
        "/api/v1/session", json={"email": "acme.ann@people.example", "password": PASSWORD}
    )
    assert again.status_code == 401
    listed = (await api.get("/api/v1/leavers")).json()["items"]
    assert [(one["person"], one["tasks"]) for one in listed] == [(alias, before["tasks"])]
    after = (await api.get(f"/api/v1/people/{alias}/report")).json()
    assert after["sha256"] == (await facts(world, live, "PersonLeft"))[0][1]["sha256"]
    async with world.db.tx(live, SYSTEM) as tx:
        assert await tx.conn.fetchval("select count(*) from evenhand.draft") >= 1, "drafts stay"
        assert (
            await tx.conn.fetchval(
                "select count(*) from evenhand.assignment where person_id = $1 and state = 'leased'", ann.person
            )
            == 0
        )
    assert await facts(world, birch.live, "PersonLeft") == []
    async with world.db.connection("scheduler") as conn:
        tie = await conn.fetchval(
            "select worked_until from evenhand.tie where org_id = $1 and person_id = $2", live, ann.person
        )
    assert tie > datetime.now(UTC) - timedelta(hours=1), "walls hold afterwards"


async def test_staff_who_leaves_loses_grants_and_keys(world: World, acme: Estate) -> None:
    live = acme.customer.live
    root, owner = await staff(world, "Robin", live), await world.browser(acme.customer.owner_email, live)
    await people.add_member(world.db, live, root.person, "owner")
    key = (await root.post("/keys", {"name": "mine"})).json()["key"]
    async with world.db.narrow("gate") as door:
        await door.conn.execute("update evenhand.member set state = 'removed' where person_id = $1", root.person)
    await owner.post("/support/grants", {"staff": "Robin", "minutes": 60})
    assert (await root.get("/projects")).status_code == 200
    left = await leaving.leave(world.db, root.person)
    assert (left.grants, left.keys) == (1, 1)
    assert (await root.get("/projects")).status_code == 401
    assert (await world.keyed(key).get("/api/v1/projects")).status_code == 401
    listed = (await owner.get("/leavers")).json()["items"]
    assert (listed[0]["name"], listed[0]["grants"]) == ("Robin", 1)
    found = (await owner.get(f"/people/{listed[0]['person']}/report")).json()
    assert [s["detail"] for s in found["seen"] if s["what"] == "SupportUsed"] == ["/api/v1/projects"]
