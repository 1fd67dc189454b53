"""Uploads of one process: bounded together, and for each customer, and nobody's keep another's out."""

import asyncio
from contextlib import suppress

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.app.upload_memory import NoUploadMemory, UploadMemory
from tests.app.http.test_media import API
from tests.conftest import World

pytestmark = pytest.mark.anyio


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 150), st.booleans()), max_size=12))
def test_never_more_than_there_is_room_for(asked: list[tuple[str, int, bool]]) -> None:
    async def run() -> None:
        room = UploadMemory(most=100, each=60, patience_s=5)
        mine: dict[str, int] = {}

        async def one(org: str, size: int, breaks: bool) -> None:
            async with room.of(org, size):
                mine[org] = mine.get(org, 0) + min(size, 60)
                assert mine[org] <= 60 and room.held <= 100 and room.held == sum(mine.values())
                await asyncio.sleep(0)
                mine[org] -= min(size, 60)
                if breaks:
                    raise ValueError("a file that is none")

        done = await asyncio.gather(*(one(*each) for each in asked), return_exceptions=True)
        assert [isinstance(d, ValueError) for d in done] == [breaks for *_, breaks in asked], done
        assert room.held == 0, "all of it is given back"

    asyncio.run(run())


async def test_one_customers_uploads_keep_nobody_out() -> None:
    room = UploadMemory(most=100, each=60, patience_s=0.05)
    async with room.of("a", 60):
        with pytest.raises(NoUploadMemory):
            async with room.of("a", 1):
                pass
        async with room.of("b", 40):
            assert room.held == 100
    assert room.held == 0


async def test_who_goes_away_while_waiting_takes_nothing() -> None:
    room = UploadMemory(most=10, each=10, patience_s=5)

    async def wait() -> None:
        async with room.of("b", 10):
            pass

    async with room.of("a", 10):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
    assert room.held == 0
    await wait()


async def test_uploads_wait_for_room_and_are_told_when_there_is_none(world: World) -> None:
    api = world.keyed((await world.customer("Acme")).live_key)
    room = world.services.uploads
    room.most = room.each = 1500

    async def upload(n: int, path: str = f"{API}/assets") -> httpx.Response:
        return await api.post(path, files={"file": (f"{n}.txt", b"x" * 900 + bytes([48 + n]))})

    replies = await asyncio.gather(*(upload(n) for n in range(4)))
    assert [r.status_code for r in replies] == [200] * 4, "one after another"
    room.patience_s = 0.05
    async with room.of("somebody", 1000):
        refused = await upload(5)
        assert (refused.status_code, refused.json()["code"]) == (503, "no_room"), refused.text
        assert refused.headers["retry-after"] == "5" and (await upload(6, "/v1/files/upload")).status_code == 503
    assert (await upload(7)).status_code == 200
