"""Known answers made in the console: a finished task becomes one, is mixed into the work, and gives scores with an interval."""

import pytest

from evenhand.pure.numbers import wilson
from tests.app.http.test_people import EMAIL, PROJECT, lend, ok, work
from tests.conftest import World
from tests.laws.estate import answer

pytestmark = pytest.mark.anyio


async def test_a_finished_task_becomes_one_with_a_known_answer(world: World) -> None:
    acme = await world.customer("Acme")
    await lend(world, acme.live)
    owner = await world.browser(acme.owner_email, acme.live)
    project = (await ok(await owner.post("/projects", PROJECT)))["id"]
    made = [
        (await ok(await owner.post(f"/projects/{project}/tasks", {"data": {"text": f"Text {n}"}})))["id"]
        for n in (1, 2)
    ]

    async def known(task: str, purpose: str = "evaluation") -> tuple[int, dict[str, object]]:
        reply = await owner.post(f"/projects/{project}/quality/tasks", {"task": task, "purpose": purpose})
        return reply.status_code, reply.json()

    assert (await known(made[0]))[0] == 409, "there is no result yet"
    await work(world, EMAIL)
    await work(world, EMAIL)
    await world.drain()
    status, quality = await known(made[0])
    assert status == 200
    (gold,) = quality["tasks"]  # type: ignore[misc]
    assert (gold["purpose"], gold["state"], gold["answers"]) == ("evaluation", "open", 0)
    assert gold["id"] not in made, "the finished task stays what it is"
    counts = (await ok(await owner.get(f"/projects/{project}")))["counts"]
    assert (counts["total"], counts["done"]) == (2, 2), "and the new one is no part of the work"
    await ok(await owner.ask("PATCH", f"/projects/{project}/quality", json={"gold_share": 0.5}))
    # gold tasks come only where live work waits
    for n in range(12):
        await ok(await owner.post(f"/projects/{project}/tasks", {"data": {"text": f"More {n}"}}))
    browser = await world.browser(EMAIL)
    while held := (await ok(await browser.post("/work/next", {"want": 1})))["assignments"]:
        body = {"key": held[0]["handle"], "answer": answer(), "seconds": 2}
        await ok(await browser.post(f"/work/{held[0]['handle']}/submit", body))
    await world.drain()
    (one,) = (await ok(await owner.get(f"/projects/{project}/quality")))["labelers"]
    assert one["name"].startswith("Worker ")
    assert (one["evaluations"], one["mean"]) == (1, 1.0)
    assert (one["low"], one["high"]) == pytest.approx(wilson(1, 1))
    assert one["low"] < 0.3, "one task proves little, and the interval says so"


async def test_only_tasks_of_the_project_and_only_those_who_may(world: World) -> None:
    acme = await world.customer("Acme")
    await lend(world, acme.live)
    owner = await world.browser(acme.owner_email, acme.live)
    await world.worker("vera@acme.example", acme.live, role="viewer")
    vera = await world.browser("vera@acme.example", acme.live)
    one, two = [(await ok(await owner.post("/projects", {**PROJECT, "name": n})))["id"] for n in ("One", "Two")]
    task = (await ok(await owner.post(f"/projects/{one}/tasks", {"data": {"text": "Text"}})))["id"]
    await work(world, EMAIL)
    await world.drain()
    body = {"task": task, "purpose": "training"}
    assert (await owner.post(f"/projects/{two}/quality/tasks", body)).status_code == 404
    assert (await vera.post(f"/projects/{one}/quality/tasks", body)).status_code == 403
    assert (await owner.post(f"/projects/{one}/quality/tasks", {**body, "purpose": "work"})).status_code == 400
    (gold,) = (await ok(await owner.post(f"/projects/{one}/quality/tasks", body)))["tasks"]
    assert (gold["purpose"], gold["role"]) == ("training", "label")
