"""An archive is taken from any byte on, by whoever still may, for as long as nothing of it was deleted."""

import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from starlette.requests import Request

from evenhand.app.http.call import who_asks
from evenhand.app.http.errors import SignIn
from evenhand.app.http.leaving import while_allowed
from evenhand.features.assets.unused import drop_unused
from evenhand.features.leaving import taking
from evenhand.infra.db import SYSTEM
from tests.conftest import World
from tests.features.leaving.test_archive import API, make
from tests.laws.estate import Estate, fill, picture

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]


@pytest.fixture
async def acme(world: World) -> Estate:
    out = await fill(world, "Acme", "ALPHA")
    api = world.keyed(out.customer.live_key)
    for width in (31, 32, 33, 200):
        done = await api.post(f"{API}/assets", files={"file": (f"{width}.jpg", picture(width), "image/jpeg")})
        assert done.status_code == 200
    await world.drain()  # the estate deletes a project
    return out


async def kinds(world: World, org: str) -> Counter[str]:
    async with world.db.tx(org, SYSTEM) as tx:
        rows = await tx.conn.fetch("select kind from evenhand.fact where org_id = $1", org)
    return Counter(row["kind"] for row in rows)


async def test_any_part_is_that_part(world: World, acme: Estate) -> None:
    api = world.keyed(acme.customer.live_key)
    made = await make(world, acme.customer.live_key)
    whole = (await api.get(f"{API}/archive")).content
    tag = f'"{hashlib.sha256(whole).hexdigest()}"'
    chance = random.Random(7)
    size = len(whole)
    ends = sorted({0, 1, size - 1, size, *(chance.randrange(size) for _ in range(12))})
    before = await kinds(world, acme.customer.live)
    asked = 0
    for start, end in pairwise(ends):
        headers = {"range": f"bytes={start}-{end - 1}", "if-range": tag}
        said = await api.get(f"{API}/archive", headers=headers)
        assert (said.status_code, said.headers["etag"], said.content) == (206, tag, whole[start:end])
        assert said.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        asked += 1
    # each is an event of its own, with what it committed to
    after = await kinds(world, acme.customer.live)
    assert after["ArchiveTaken"] - before["ArchiveTaken"] == asked and after["ArchiveMade"] == 1
    audit = (await api.get(f"{API}/audit")).json()["items"]
    newest = next(line for line in audit if line["what"] == "ArchiveTaken")
    assert newest["detail"]["sha256"] == made["sha256"] and newest["detail"]["end"] == size
    # of another archive than the one that is there, the whole comes
    other = await api.get(f"{API}/archive", headers={"range": "bytes=5-", "if-range": '"of another one"'})
    assert (other.status_code, other.content) == (200, whole)
    assert (await api.get(f"{API}/archive", headers={"range": f"bytes={size}-"})).status_code == 416


async def test_what_changes_meanwhile_is_not_in_it(world: World, acme: Estate) -> None:
    api = world.keyed(acme.customer.live_key)
    await make(world, acme.customer.live_key)
    whole = (await api.get(f"{API}/archive")).content
    task = {"data": {"text": "of a later time"}}
    assert (await api.post(f"{API}/projects/{acme.ids['project']}/tasks", json=task)).status_code == 200
    half = len(whole) // 2
    rest = await api.get(f"{API}/archive", headers={"range": f"bytes={half}-"})
    assert whole[:half] + rest.content == whole
    # one is kept at a time, and it is no file that nothing needs; the one before has gone
    again = await make(world, acme.customer.live_key)
    assert again["size"] != len(whole)
    found = {one.name for one in await _objects(world, acme.customer.live)}
    async with world.db.tx(acme.customer.live, SYSTEM) as tx:
        (kept,) = await taking.archive_objects(tx)
    assert kept in found
    await drop_unused(world.db, world.services.objects, taking.archive_objects, older=-taking.KEPT_FOR)
    assert {one.name for one in await _objects(world, acme.customer.live)} == found
    assert (await api.get(f"{API}/archive")).status_code == 200


async def _objects(world: World, org: str) -> list[Any]:
    objects = world.services.objects
    later = datetime.now(UTC) + timedelta(days=1)
    return [one for n in range(256) for one in await objects.older(org, f"{n:02x}", later)]


async def test_what_is_deleted_lies_in_no_archive(world: World, acme: Estate) -> None:
    api = world.keyed(acme.customer.live_key)
    await make(world, acme.customer.live_key)
    project = acme.ids["project"]
    gone = await api.post(f"{API}/projects/{project}/delete", json={"confirm": "Project ALPHA"})
    assert gone.status_code == 200
    # it is not put together while that is under way
    said = await api.post(f"{API}/archive")
    assert said.status_code == 409 and "being deleted" in said.json()["detail"]
    await world.drain()
    assert (await api.get(f"{API}/archive")).status_code == 404
    async with world.db.tx(acme.customer.live, SYSTEM) as tx:
        assert await taking.archive_objects(tx) == set()
    await make(world, acme.customer.live_key)
    assert (await api.get(f"{API}/archive")).status_code == 200


async def test_who_loses_the_right_gets_no_more(world: World, acme: Estate) -> None:
    api = world.keyed(acme.customer.live_key)
    archive = await make(world, acme.customer.live_key)
    made = (await api.post(f"{API}/keys", json={"name": "taker", "scopes": ["manage"]})).json()
    taker = world.keyed(made["key"])
    assert (await taker.get(f"{API}/archive")).status_code == 200
    # in the middle of a download
    call = await who_asks(_asked(made["key"]), world.services, who="customer")
    pieces = while_allowed(call, archive["id"], _pieces(), look_s=0.0)
    assert await anext(pieces) == b"one"
    assert (await api.delete(f"{API}/keys/{made['id']}")).status_code == 200
    with pytest.raises(SignIn):
        await anext(pieces)
    half = {"range": f"bytes={archive['size'] // 2}-"}
    assert (await taker.get(f"{API}/archive", headers=half)).status_code == 401
    # and of one that another has taken the place of
    call = await who_asks(_asked(acme.customer.live_key), world.services, who="customer")
    pieces = while_allowed(call, archive["id"], _pieces(), look_s=0.0)
    assert await anext(pieces) == b"one"
    await make(world, acme.customer.live_key)
    with pytest.raises(taking.ArchiveGone):
        await anext(pieces)


def _asked(key: str) -> Request:
    headers = [(b"authorization", f"Bearer {key}".encode())]
    return Request({"type": "http", "method": "GET", "path": f"{API}/archive", "headers": headers, "client": None})


async def _pieces() -> AsyncIterator[bytes]:
    for piece in (b"one", b"two"):
        yield piece
