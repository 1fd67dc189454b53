"""Who has an answer already gets 304 and leaves no event; what is shown leaves one, to whom it is shown, at least once an hour."""

from typing import Any

import pytest
from starlette.requests import Request

from evenhand.app.http.call import Call
from evenhand.app.http.routes import json_reply
from evenhand.app.http.unchanged import HOUR_S, unless_held
from evenhand.infra.db import Actor
from tests.conftest import World

pytestmark = pytest.mark.anyio
_FIELDS = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}


async def looks(world: World, org: str) -> int:
    async with await world.system(org) as tx:
        return await tx.conn.fetchval(
            "select count(*) from evenhand.fact where org_id = $1 and kind in ('ContentShown', 'TaskViewed')", org
        )


async def test_a_page_that_stays_open_leaves_an_event_for_each_change(world: World) -> None:
    acme = await world.customer("Acme")
    org, key = acme.live, world.keyed(acme.live_key)
    made = (await key.post("/api/v1/projects", json={"name": "One", "medium": "text", "ontology": _FIELDS})).json()
    task = (await key.post(f"/api/v1/projects/{made['id']}/tasks", json={"data": {"text": "one"}})).json()
    await world.drain()
    for path in ("/api/v1/projects", f"/api/v1/tasks/{task['id']}"):
        before = await looks(world, org)
        first = await key.get(path)
        held = {"if-none-match": first.headers["etag"]}
        assert await looks(world, org) == before + 1
        for _ in range(3):
            again = await key.get(path, headers=held)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert await looks(world, org) == before + 1, "nothing was shown"
        assert (await key.get(path)).json() == first.json() and await looks(world, org) == before + 2, "asked for whole"
        guessed = await key.get(path, headers={"if-none-match": '"00000000000000000000000000000000"'})
        assert guessed.status_code == 200 and await looks(world, org) == before + 3
    first = await key.get("/api/v1/projects")
    await key.post("/api/v1/projects", json={"name": "Two", "medium": "text", "ontology": _FIELDS})
    before = await looks(world, org)
    changed = await key.get("/api/v1/projects", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200 and len(changed.json()["items"]) == 2
    assert await looks(world, org) == before + 1


def _call(world: World, path: str = "/api/v1/projects", tag: str = "", **more: Any) -> Call:
    headers = [(b"host", b"localhost"), (b"if-none-match", tag.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    given: dict[str, Any] = {"actor": Actor("person", "1" * 24, role="owner"), "org_id": "2" * 24} | more
    return Call(Request(scope), world.services, **given)


async def test_a_tag_is_for_one_caller_one_address_one_hour_and_one_answer(world: World) -> None:
    now = 1_800_000_000.0

    def status(call: Call, body: Any = "shown", at: float = now) -> int:
        return unless_held(call, json_reply(body), lambda: at).status_code

    tag = unless_held(_call(world), json_reply("shown"), lambda: now).headers["etag"]
    assert status(_call(world, tag=tag)) == 304
    assert status(_call(world, tag=tag), at=now + HOUR_S) == 200
    assert status(_call(world, tag=tag), body="more") == 200
    assert status(_call(world, "/api/v1/tasks", tag)) == 200
    assert status(_call(world, tag=tag, actor=Actor("person", "3" * 24, role="owner"))) == 200
    assert status(_call(world, tag=tag, org_id="4" * 24)) == 200
    assert status(_call(world, tag=tag, grant={"project_id": None})) == 200, (
        "the operator's people leave an event each time"
    )
