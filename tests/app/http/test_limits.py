"""What one customer may take: requests a second, requests at once, room for files; and that nobody else waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.app.limits import AT_ONCE, BURST_S, Limits, TooManyRequests
from evenhand.app.settings import settings_from_environment
from evenhand.infra.db import DESK, Database
from evenhand.pure.trouble import Invalid
from tests.conftest import World, settings_for, world_of
from tests.laws.test_twin import Recorder

pytestmark = pytest.mark.anyio
PER_S = 0.5
BURST = int(PER_S * BURST_S)


@pytest.fixture
async def tight(db: Database, tmp_path: Path) -> AsyncIterator[World]:
    """Ten requests at a stretch, and 4 kB of files."""
    settings = replace(settings_for(tmp_path), requests_per_s=PER_S, storage_bytes=4_000)
    settings.home.make()
    async with world_of(settings, db) as made:
        yield made


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 30)), max_size=80), st.floats(0.1, 5))
def test_a_bucket_gives_no_more_than_it_holds(asks: list[tuple[str, float]], per_s: float) -> None:
    now = 0.0
    limits = Limits(per_s, lambda: now)
    given_at: dict[str, list[float]] = {"a": [], "b": []}
    for org, wait in asks:
        now += wait
        try:
            limits.take(org)
            given_at[org].append(now)
        except TooManyRequests as err:
            assert err.retry_after_s is not None and 0 < err.retry_after_s <= 1 / per_s + 1e-6
            before = now
            now += err.retry_after_s + 1e-6
            limits.take(org)  # who waits as long as it was told to is let in
            given_at[org].append(now)
            assert now > before
    for times in given_at.values():
        for n, first in enumerate(times):
            for m in range(n, len(times)):
                assert m - n + 1 <= per_s * (BURST_S + times[m] - first) + 1 + 1e-6


async def test_too_many_are_told_to_wait(tight: World) -> None:
    acme, birch = await tight.customer("Acme"), await tight.customer("Birch")
    api, rival = tight.keyed(acme.live_key), tight.keyed(birch.live_key)
    statuses = [(await api.get("/api/v1/projects")).status_code for _ in range(BURST + 2)]
    assert statuses[:BURST] == [200] * BURST and 429 in statuses[BURST:]
    recorder = Recorder()
    recorder.install(tight)
    refused = await api.get("/api/v1/projects")
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
    assert "0.5 requests a second" in refused.json()["detail"] and refused.json()["code"] == "limit"
    assert recorder.take() == [], "nothing is asked of the database"
    scale = await api.get("/v1/projects")
    assert scale.status_code == 429 and "retry-after" in scale.headers and "error" in scale.json()
    assert (await rival.get("/api/v1/projects")).status_code == 200, "another customer has its own"
    assert (await tight.keyed(acme.test_key).get("/api/v1/projects")).status_code == 200, "so has the test space"
    stranger = await tight.browser(birch.owner_email, acme.live)
    assert (await stranger.get("/projects")).status_code == 404, "who does not belong here learns nothing of it"
    owner = await tight.browser(acme.owner_email, acme.live)
    assert (await owner.get("/projects")).status_code == 429, "people and keys of a customer share it"
    assert (await owner.get("/session")).status_code == 200, "signing in and working is no request of a customer"


async def test_a_flood_makes_nobody_else_wait(world: World) -> None:
    """A hundred and more of one customer's requests wait in its own line; another's goes past them."""
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    api, rival = world.keyed(acme.live_key), world.keyed(birch.live_key)
    assert {(await client.get("/api/v1/projects")).status_code for client in (api, rival)} == {200}
    # every connection that they may take is made: making one takes as long as many requests
    async with AsyncExitStack() as held:
        for role, most in (("gate", DESK), ("app", 2 * AT_ONCE)):
            for _ in range(most):
                await held.enter_async_context(world.services.db.connection(role))
    done: list[int] = []

    async def one(client: httpx.AsyncClient) -> int:
        reply = await client.get("/api/v1/projects")
        done.append(reply.status_code)
        return len(done)

    flood = [asyncio.create_task(one(api)) for _ in range(150)]
    await asyncio.sleep(0)  # each has begun
    place = await asyncio.create_task(one(rival))
    await asyncio.gather(*flood)
    assert set(done) <= {200, 429} and done.count(200) > 100
    assert place <= 30, f"the other customer came out as number {place} of {len(done)}"


async def test_files_have_a_limit(tight: World) -> None:
    acme, birch = await tight.customer("Acme"), await tight.customer("Birch")
    api, rival = tight.keyed(acme.live_key), tight.keyed(birch.live_key)

    async def upload(client: httpx.AsyncClient, size: int, path: str = "/api/v1/assets") -> httpx.Response:
        return await client.post(path, files={"file": ("x.txt", b"x" * size, "text/plain")})

    def kept() -> int:
        return sum(1 for path in tight.services.settings.home.objects.rglob("*") if path.is_file())

    assert (await upload(api, 2_500)).status_code == 200
    before = kept()
    over = await upload(api, 2_500)
    assert over.status_code == 507 and "may take" in over.json()["detail"] and "operator" in over.json()["hint"]
    scale = await upload(api, 2_500, "/v1/files/upload")
    assert scale.status_code == 503 and "may take" in scale.json()["error"]
    assert kept() == before, "nothing of it is left behind"
    assert (await upload(api, 1_000)).status_code == 200, "what fits is taken"
    assert (await upload(rival, 3_900)).status_code == 200, "another customer has its own room"


def test_the_limits_are_settings() -> None:
    usual = settings_from_environment({})
    assert (usual.requests_per_s, usual.storage_bytes) == (200, 10**12)
    given = settings_from_environment({"EVENHAND_REQUESTS_PER_SECOND": "0", "EVENHAND_STORAGE_GB": "0.5"})
    assert (given.requests_per_s, given.storage_bytes) == (0, 500_000_000)
    for wrong in ("many", "-1", "nan"):
        with pytest.raises(Invalid, match="EVENHAND_STORAGE_GB"):
            settings_from_environment({"EVENHAND_STORAGE_GB": wrong})
