"""Files that the operator's people saw under a grant: until when, and what the report of them says."""

from typing import Any

import pytest

from evenhand.app.gateway import Gateway
from evenhand.features.assets import viewings
from evenhand.features.grants import leaving
from evenhand.features.people import actions as people
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.app.http.test_media import API, at_once, look, looking, picture, upload, with_task
from tests.conftest import PASSWORD, Browser, Customer, World
from tests.pg import TestServer

__all__ = ["at_once"]
pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("at_once")]


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


async def robin_of(world: World, acme: Customer) -> Browser:
    await people.add_person(world.db, "robin@operator.example", "Robin", PASSWORD, operator=True)
    return await world.browser("robin@operator.example", acme.live)


async def pictures(world: World, acme: Customer, count: int, name: str = "Streets") -> tuple[str, list[str]]:
    """A project and its tasks, each with a picture of its own."""
    api = world.keyed(acme.live_key)
    project = (await api.post(f"{API}/projects", json={"name": name, "medium": "image"})).json()["id"]
    tasks: list[str] = []
    for n in range(count):
        asset = (await upload(world, acme, picture(600 + n), f"{n}.png"))["id"]
        made = await api.post(f"{API}/projects/{project}/tasks", json={"data": {"asset": asset}})
        assert made.status_code == 200, made.text
        tasks.append(made.json()["id"])
    return project, tasks


async def give(owner: Browser, **more: Any) -> str:
    given = await owner.post("/support/grants", {"staff": "Robin", "minutes": 30, **more})
    assert given.status_code == 200, given.text
    return str(given.json()["grants"][0]["id"])


async def link_of(root: Browser, task: str) -> str:
    read = await root.get(f"/tasks/{task}")
    assert read.status_code == 200, read.text
    return str(read.json()["data"]["image"]["url"])


async def test_a_link_given_under_a_grant_ends_with_that_grant(world: World, acme: Customer) -> None:
    _, (task,) = await pictures(world, acme, 1)
    root, owner = await robin_of(world, acme), await world.browser(acme.owner_email, acme.live)
    first = await give(owner)
    link = await link_of(root, task)
    assert (await look(world, link)).status_code == 200
    assert (await owner.ask("DELETE", f"/support/grants/{first}")).status_code == 200
    ended = await look(world, link)
    assert ended.status_code == 404 and "ended" in ended.json()["detail"], ended.text
    await give(owner)
    assert (await look(world, link)).status_code == 404, "another grant does not wake it"
    again = await link_of(root, task)
    assert again != link and (await look(world, again)).status_code == 200
    assert await viewings.close_ended(world.db, late_s=0) == 1, "the viewing of the ended grant, and no other"
    assert (await look(world, again)).status_code == 200


async def test_a_grant_that_runs_out_ends_its_links(
    world: World, acme: Customer, pg_server: TestServer, urls: DatabaseUrls
) -> None:
    project, (task,) = await pictures(world, acme, 1)
    root, owner = await robin_of(world, acme), await world.browser(acme.owner_email, acme.live)
    await give(owner, project=project)
    link = await link_of(root, task)
    assert (await look(world, link)).status_code == 200
    with looking(pg_server, urls) as conn:  # time passes
        conn.execute("update evenhand.access_grant set from_at = from_at - interval '1 hour', until_at = now()")
    assert (await look(world, link)).status_code == 404


async def test_a_report_counts_the_files_that_somebody_could_see(world: World, acme: Customer) -> None:
    _, tasks = await pictures(world, acme, 3)
    root, owner = await robin_of(world, acme), await world.browser(acme.owner_email, acme.live)
    await give(owner)
    gate = Gateway(world.services)
    for task in (tasks[0], tasks[1], tasks[0]):
        sight = await gate.open((await link_of(root, task)).rsplit("/", 1)[-1])
        await sight.read(0, 1000)
    await gate.close()
    alias = await world.alias(acme.live, root.person)
    running = (await owner.get(f"/people/{alias}/report")).json()
    assert running["files"] == 2, "a file that was shown twice is one"
    left = await leaving.leave(world.db, root.person)
    assert left.grants == 1
    report = (await owner.get(f"/people/{alias}/report")).json()
    details = [s["detail"] for s in report["seen"] if s["what"] in ("MediaIssued", "MediaClosed")]
    assert "could see 1 files" in details and sum("bytes in" in d for d in details) == 2, details
    assert sum(int(d.split()[1]) for d in details if d.startswith("read ")) == 3000
    (listed,) = (await owner.get("/leavers")).json()["items"]
    assert (listed["name"], listed["files"]) == ("Robin", 2)
    await viewings.close_ended(world.db, late_s=-9_999)
    assert (await owner.get(f"/people/{alias}/report")).json()["sha256"] == report["sha256"], "it is final"


async def test_a_workers_report_counts_the_files_of_their_leases(world: World, acme: Customer) -> None:
    ann, lease = await with_task(world, acme)
    owner = await world.browser(acme.owner_email, acme.live)
    alias = await world.alias(acme.live, ann.person)
    assert (await owner.get(f"/people/{alias}/report")).json()["files"] == 0, "nothing was looked at yet"
    for link in (lease["data"]["image"]["url"], lease["data"]["image"]["thumb_url"]):
        assert (await look(world, link)).status_code == 200
    assert (await owner.get(f"/people/{alias}/report")).json()["files"] == 1
