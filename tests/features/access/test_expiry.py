"""A key that ends soon is told of in time, once, to its own organisation."""

from datetime import UTC, datetime, timedelta

import pytest

from evenhand.app import worker
from evenhand.features.access.expiry import WARN_DAYS, keys_ending
from evenhand.features.people import actions as people
from evenhand.infra.db import SYSTEM
from tests.conftest import World

pytestmark = pytest.mark.anyio


async def test_owners_are_told_once(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    now = datetime.now(UTC)
    soon, later, past = (
        now + timedelta(days=WARN_DAYS - 1),
        now + timedelta(days=WARN_DAYS + 1),
        now - timedelta(days=1),
    )
    made = {
        name: await people.create_key(world.db, acme.live, "live", name=name, expires_at=at)
        for name, at in (("soon", soon), ("later", later), ("past", past), ("never", None), ("revoked", soon))
    }
    async with world.db.tx(acme.live, SYSTEM) as tx:
        await people.revoke_key(tx, made["revoked"].id)
    found = await keys_ending(world.db)
    assert [(one.org_id, one.name, one.ends) for one in found] == [(acme.live, "soon", f"{soon:%Y-%m-%d}")]
    assert found[0].owners == [acme.owner_email]
    assert await worker.warn_of_keys(world.services) == 0, "once"
    audit = (await world.keyed(acme.live_key).get("/api/v1/audit")).json()["items"]
    told = [line for line in audit if line["what"] == "KeyEndsSoon"]
    assert [line["about"] for line in told] == [made["soon"].id]
    assert "KeyEndsSoon" not in (await world.keyed(birch.live_key).get("/api/v1/audit")).text
    assert (await world.keyed(made["soon"].key).get("/api/v1/projects")).status_code == 200
    assert (await world.keyed(made["past"].key).get("/api/v1/projects")).status_code == 401
