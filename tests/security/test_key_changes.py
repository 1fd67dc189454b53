"""What one process changes of an organisation's keys holds in the others at once; a rotated key is given up by itself."""

import asyncio
from collections.abc import Callable

import pytest

from evenhand.app.http.server import PREFIX
from evenhand.features.keys.actions import retire
from evenhand.infra.crypto.datakey import KeyDestroyed, KeyNotHeld
from evenhand.infra.db import Database
from evenhand.infra.facts import record
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import KEYS, World, world_of
from tests.pg import TestServer
from tests.security.sealing import looking, project_with

pytestmark = pytest.mark.anyio


async def comes(true: Callable[[], bool]) -> None:
    """Waits for what another process does."""
    for _ in range(1_000):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come")


async def test_a_deleted_projects_key_ends_in_every_process(
    world: World, urls: DatabaseUrls, pg_server: TestServer
) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    project = await project_with(world, acme.live_key, 1)
    stays = await project_with(world, acme.live_key, 1, "P2")
    api = world.keyed(acme.live_key)
    name = (await api.get(f"{PREFIX}/projects/{project}")).json()["name"]
    async with Database(urls, KEYS, world.db.key_service, record) as other, other.hearing():
        seal, theirs = await other.seal(acme.live, project), await other.seal(birch.live)
        key, own = seal.data_key(project), seal.data_key("")
        asleep = seal.data_key(stays)
        assert key.seal(b"x", "row/1")

        def listening() -> bool:
            with looking(pg_server, urls) as conn:
                found = conn.execute(
                    "select count(*) from pg_stat_activity where application_name = 'evenhand hearing'"
                    " and datname = current_database()"
                ).fetchone()
            return found == (2,)  # the world hears as well

        await comes(listening)
        asked = await api.post(f"{PREFIX}/projects/{project}/delete", json={"confirm": name})
        assert asked.status_code == 200, asked.text
        await world.drain()

        def ended() -> bool:  # nobody asks that process for anything: it lets go by itself
            try:
                key.seal(b"x", "row/1")
            except KeyNotHeld:
                return True
            return False

        await comes(ended)
        with pytest.raises(KeyDestroyed):
            (await other.seal(acme.live, project)).data_key(project)
        assert asleep.seal(b"x", "row/1") and own.seal(b"x", "row/1") and theirs.data_key("").seal(b"x", "row/1")
        # the connection that hears ends, another takes its place, and what it missed is read
        with looking(pg_server, urls) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'evenhand hearing'"
                " and datname = current_database()"
            )
            name = (await api.get(f"{PREFIX}/projects/{stays}")).json()["name"]
            await api.post(f"{PREFIX}/projects/{stays}/delete", json={"confirm": name})
            await world.drain()
        key = asleep
        await comes(ended)


async def test_a_rotated_key_is_given_up_by_itself(world: World, urls: DatabaseUrls, pg_server: TestServer) -> None:
    acme = await world.customer("Acme")
    project = await project_with(world, acme.live_key, 2)
    api = world.keyed(acme.live_key)

    async def versions(of: World) -> list[int]:
        shown = (await of.keyed(acme.live_key).get(f"{PREFIX}/encryption")).json()
        return [one["version"] for one in shown["organisation"]]

    turned = await api.post(f"{PREFIX}/encryption/rotate", json={"level": "organisation"})
    assert turned.status_code == 200 and await versions(world) == [2, 1]
    await world.drain()
    assert await versions(world) == [2, 1], "the job waits: a process that knows no newer one may still wrap by the old"
    assert await retire(world.db, acme.live) is True, "and so does whoever comes before the time"
    assert await versions(world) == [2, 1]
    with looking(pg_server, urls) as conn:  # eleven minutes later
        conn.execute("update evenhand.org_key set created_at = created_at - interval '11 minutes'")
        conn.execute("update evenhand.job set run_at = now() where kind = 'keys.retire' and state = 'ready'")
    async with (
        Database(urls, KEYS, world.db.key_service, record, process="other") as db,
        world_of(world.services.settings, db) as other,
    ):
        held = (await db.seal(acme.live, project)).data_key(project)
        sealed = held.seal(b"by a process that holds the old one", "row/1")
        await world.drain()
        assert await versions(world) == [2] == await versions(other)
        assert held.open(sealed, "row/1"), "nothing that is under way is cut off"
        for one in (world, other):
            shown = await one.keyed(acme.live_key).get(f"{PREFIX}/tasks?project={project}")
            assert len(shown.json()["items"]) == 2
    with looking(pg_server, urls) as conn:
        under = conn.execute("select distinct under from evenhand.data_key where org_id = %s", (acme.live,)).fetchall()
        left = conn.execute(
            "select count(*) from evenhand.job where kind = 'keys.retire' and state <> 'done'"
        ).fetchone()
    assert under == [(2,)] and left == (0,)
    assert await retire(world.db, acme.live) is False, "there is nothing more to give up"
    # a process that begins now opens everything with what is left
    async with (
        Database(urls, KEYS, world.db.key_service, record, process="later") as db,
        world_of(world.services.settings, db) as later,
    ):
        assert (await later.keyed(acme.live_key).get(f"{PREFIX}/projects/{project}")).status_code == 200
