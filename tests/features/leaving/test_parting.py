"""An organisation leaves: nothing of it can be read any more, and a receipt proves it."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from evenhand.app.transparency import log_signer
from evenhand.features.leaving.parting import read_receipt
from evenhand.features.trust.bundles import Evidence
from evenhand.features.trust.sequencer import store as log_store
from evenhand.infra.crypto.datakey import KeyDestroyed
from evenhand.infra.db import SYSTEM
from evenhand.pure.log.report import OK
from tests.conftest import World
from tests.features.leaving.test_deletion import certificate
from tests.features.trust.test_log import checked, end_epoch, faults, log_in
from tests.laws.estate import Estate, fill
from tests.laws.test_erasure import STAYS

pytestmark = pytest.mark.anyio
API = "/api/v1"


@pytest.fixture
async def estate(world: World) -> Estate:
    return await fill(world, "Acme", "ALPHA")


async def tables_with(world: World, org: str) -> set[str]:
    out: set[str] = set()
    async with world.db.tx(org, SYSTEM, unproved=True) as tx:
        names = await tx.conn.fetch(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'"
            " where c.relnamespace = 'evenhand'::regnamespace and c.relkind = 'r' and has_table_privilege(c.oid, 'select')"
        )
        for (name,) in names:
            if await tx.conn.fetchval(f"select exists (select from evenhand.{name} where org_id = $1)", org):
                out.add(name)
    return out


async def test_who_leaves_is_gone_and_can_prove_it(world: World, estate: Estate, tmp_path: Path) -> None:
    this = replace(log_in(tmp_path), signer=log_signer(world.services.settings))
    acme, birch = estate.customer, await world.customer("Birch")
    api = world.keyed(acme.live_key)
    assert (await api.post(f"{API}/org/leave", json={"confirm": "acme"})).status_code == 400
    await world.keyed(acme.test_key).put(f"{API}/org/hold", json={"reason": "Case 7"})
    held = await api.post(f"{API}/org/leave", json={"confirm": "Acme"})
    assert held.status_code == 409 and held.json()["code"] == "on_hold"
    assert (await api.get(f"{API}/projects")).status_code == 200, "nothing has begun"
    await world.keyed(acme.test_key).delete(f"{API}/org/hold")
    await world.drain()

    said = (await api.post(f"{API}/org/leave", json={"confirm": "Acme"})).json()["items"]
    assert [(one["organisation"], one["mode"]) for one in said] == [(acme.test, "test"), (acme.live, "live")]
    assert (await api.get(f"{API}/projects")).status_code == 401, "the doors are closed at once"
    assert (
        await world.client().post(f"{API}/session", json={"email": acme.owner_email, "password": "x"})
    ).status_code == 401
    receipt = said[1]["receipt"]
    early = (await world.client().get(f"{API}/leaving/{receipt}")).json()["deletion"]
    assert early["state"] == "running" and early["certificate"] == ""
    await world.drain()

    done = (await world.client().get(f"{API}/leaving/{receipt}")).json()["deletion"]
    assert done["state"] == "done"
    words = certificate(done["certificate"])
    assert words["what"] == "organisation" and words["rows"]["task"] > 5 and words["files"]["count"] >= 1
    scopes = {(key["scope"], tuple(key["versions"])) for key in words["keys"]}
    assert {("own", (1,)), ("project", (1,)), ("organisation", (1,))} <= scopes
    for org in (acme.live, acme.test):
        assert await tables_with(world, org) <= STAYS
        assert not [p for p in (world.services.settings.home.objects / org).rglob("*") if p.is_file()]
    above = next(key["customer_keys"] for key in words["keys"] if key["scope"] == "organisation")
    assert [(await world.db.key_service.describe(key)).state for key in above] == ["destroyed"]
    # what other processes still hold ends within minutes; a new one has nothing to begin with
    world.db.keyrings._held.clear()  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(KeyDestroyed):
        (await world.db.seal(acme.live)).check()
    assert (await world.keyed(birch.live_key).get(f"{API}/projects")).status_code == 200
    assert (await world.customer("Acme")).live != acme.live, "the name is free"

    # the receipt opens the evidence, and nothing else does
    await end_epoch(world, this)
    _, _, seal = await read_receipt(world.db, receipt)
    async with world.db.narrow("sequencer") as door:
        epoch = await log_store.LAST_EPOCH.one(door, published=2**62)
    out = io.BytesIO()
    with Evidence(this.files, this.secret, epoch) as evidence:
        async with world.db.tx(acme.live, SYSTEM, read_only=True, unproved=True) as tx:
            await evidence.gather(tx, seal)
        await evidence.write(world.db, out, [])
    report = checked(out.getvalue(), this)
    assert faults(report) == [] and report.check("deletions").status == OK, report.as_text()
    for wrong in (
        receipt[:-1] + ("a" if receipt[-1] != "a" else "b"),
        said[0]["receipt"][:48] + receipt[48:],
        receipt[:48],
        "x",
    ):
        assert (await world.client().get(f"{API}/leaving/{wrong}")).status_code == 404


async def test_a_receipt_that_got_lost_is_given_again(world: World) -> None:
    acme = await world.customer("Acme")
    api = world.keyed(acme.test_key)
    first = (await api.post(f"{API}/org/leave", json={"confirm": "Acme"})).json()["items"]
    assert [one["mode"] for one in first] == ["test"], "a test space alone can be left"
    await world.drain()
    async with world.db.tx(acme.live, acme.actor) as tx:
        assert await tx.conn.fetchval("select count(*) from evenhand.org_key where org_id = $1", acme.live) == 1
    both = (await world.keyed(acme.live_key).post(f"{API}/org/leave", json={"confirm": "Acme"})).json()["items"]
    assert [one["mode"] for one in both] == ["live"]
    key = (await world.db.key_service.describe(f"org-{acme.live}")).state
    await world.drain()
    assert (key, (await world.db.key_service.describe(f"org-{acme.live}")).state) == ("enabled", "destroyed")
