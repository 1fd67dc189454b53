"""The task browser's server side: a place in a long list, and the views that somebody keeps."""

import asyncio
from typing import Any

import pytest

from tests.app.http.test_people import PROJECT, ok
from tests.conftest import World

pytestmark = pytest.mark.anyio


async def names(client: Any, project: str, **query: Any) -> tuple[list[str], int | None]:
    page = await ok(await client.get("/tasks", params={"project": project, **query}))
    return [row["name"] for row in page["items"]], page["total"]


async def test_any_place_of_the_list_can_be_opened(world: World) -> None:
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    project = (await ok(await owner.post("/projects", PROJECT)))["id"]
    for n in range(12):
        tags = ["even"] if n % 2 == 0 else []
        body = {"data": {"text": f"Text {n}"}, "name": f"t{n:02}", "tags": tags}
        await ok(await owner.post(f"/projects/{project}/tasks", body))
    newest = [f"t{n:02}" for n in reversed(range(12))]
    for order, whole in (("newest", newest), ("oldest", newest[::-1])):
        for skip in (0, 1, 4, 9, 11, 12, 500):
            found, total = await names(owner, project, order=order, skip=skip, limit=3)
            assert (found, total) == (whole[skip : skip + 3], 12), (order, skip)
    assert await names(owner, project, tag="even", skip=4, limit=5) == (["t02", "t00"], 6)
    assert (await names(owner, project, skip=4, limit=3, count="false"))[1] is None
    # the page goes on with a cursor like any other
    page = await ok(await owner.get("/tasks", params={"project": project, "skip": 3, "limit": 2}))
    assert (await names(owner, project, cursor=page["next"], limit=2))[0] == newest[5:7]
    for wrong in ({"skip": -1}, {"skip": 20_000_000}, {"skip": 1, "cursor": page["next"]}):
        reply = await owner.get("/tasks", params={"project": project, **wrong})
        assert reply.status_code == 400 and "skip" in reply.text


async def test_everybody_has_views_of_their_own(world: World) -> None:
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    await world.worker("vera@acme.example", acme.live, role="viewer")
    vera = await world.browser("vera@acme.example", acme.live)
    project, other = [(await ok(await owner.post("/projects", {**PROJECT, "name": n})))["id"] for n in ("One", "Two")]

    async def change(who: Any, name: str, query: str | None) -> Any:
        return await who.ask("PATCH", f"/projects/{project}/views", json={"name": name, "query": query})

    assert (await ok(await owner.get(f"/projects/{project}/views")))["items"] == []
    # two pages at once: neither view is lost
    await asyncio.gather(change(owner, "zebra", "state=done"), change(owner, "Apple", "q=x"))
    await ok(await change(vera, "mine", "state=error"))
    kept = (await ok(await owner.get(f"/projects/{project}/views")))["items"]
    assert kept == [{"name": "Apple", "query": "q=x"}, {"name": "zebra", "query": "state=done"}]
    assert [v["name"] for v in (await ok(await vera.get(f"/projects/{project}/views")))["items"]] == ["mine"]
    assert (await ok(await owner.get(f"/projects/{other}/views")))["items"] == []
    assert (await ok(await change(owner, "zebra", "state=open")))["items"][1]["query"] == "state=open"
    assert [v["name"] for v in (await ok(await change(owner, "Apple", None)))["items"]] == ["zebra"]
    for name, query in (("", "x"), ("n" * 61, "x"), ("n", "x" * 2_001)):
        assert (await change(owner, name, query)).status_code == 400
    assert (await vera.get(f"/projects/{'0' * 26}/views")).status_code == 404


async def test_a_mistyped_address_is_told_in_a_page_to_readers_only(world: World) -> None:
    client = world.client()
    html = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = await client.get("/nowhere", headers=html)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (404, "text/html")
    assert "content-security-policy" in page.headers
    media = await client.get("http://127.0.0.1:8080/nowhere", headers=html)
    assert "text/html" not in media.headers.get("content-type", ""), "files have a host name of their own"
    for path, headers in (("/nowhere", {}), ("/api/v1/nowhere", html), ("/v1/nowhere", html), ("/studio/no.js", html)):
        reply = await client.get(path, headers=headers)
        assert reply.status_code in (401, 404) and "json" in reply.headers["content-type"], path
    assert "json" in (await client.post("/nowhere", headers=html)).headers["content-type"]
