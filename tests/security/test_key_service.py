"""A customer's own key service: chosen, tried, rotated, revoked, and each opening told. Vault and AWS are doubles that hold
real keys and check what they are asked; see tests/infra/kms."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from evenhand.app import worker
from evenhand.app.http.server import PREFIX
from evenhand.app.opening import key_service
from evenhand.features.annotations import actions as annotations
from evenhand.features.tasks import known
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from tests.conftest import KEYS, World, settings_for, world_of
from tests.infra.kms.doubles import Aws, Vault, serving
from tests.laws.estate import fill
from tests.laws.test_twin import ids_of
from tests.pg import TestServer
from tests.security.sealing import CANARY, Clock, everything, looking, project_with

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]
TOKEN = "hvs.the-customers-own-token"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(urls: DatabaseUrls, tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    settings = settings_for(tmp_path)
    settings.home.make()
    worker.listen()
    async with (
        Database(urls, KEYS, key_service(settings.home, KEYS), record, clock=clock) as db,
        world_of(settings, db) as made,
    ):
        yield made


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setenv("EVENHAND_ALLOW_PRIVATE_ADDRESSES", "1")
    double = Vault(TOKEN)
    double.make("acme")
    with serving(double):
        yield double


def in_vault(vault: Vault, **changed: str) -> dict[str, str]:
    return {"kind": "vault", "key_id": "acme", "address": vault.url, "token": TOKEN, **changed}


async def uses(world: World, org: str) -> list[dict[str, Any]]:
    """The events of openings of an organisation's key, oldest first."""
    async with world.db.tx(org, SYSTEM) as tx:
        rows = await tx.conn.fetch(
            "select fact_id, body from evenhand.fact where kind = 'KeyUnwrapped' order by fact_id"
        )
        return [tx.seal.open(row["body"], At("fact", row["fact_id"])) for row in rows]


async def test_a_key_service_is_tried_and_then_wraps_everything(
    world: World, vault: Vault, urls: DatabaseUrls, pg_server: TestServer
) -> None:
    acme = await world.customer("Acme")
    project = await project_with(world, acme.live_key, 1)
    api = world.keyed(acme.live_key)
    for given, code in (
        (in_vault(vault, token="wrong"), "key_revoked"),
        (in_vault(vault, key_id="other"), "key_gone"),
        (in_vault(vault, address="http://vault.example"), "key_not_usable"),
        ({"kind": "vault", "address": vault.url, "token": TOKEN}, "key_not_usable"),
        ({"kind": "aws", "key_id": "k"}, "key_not_usable"),
    ):
        refused = await api.put(f"{PREFIX}/encryption/service", json=given)
        assert refused.json().get("code") == code, refused.text
    before = (await api.get(f"{PREFIX}/encryption")).json()
    assert (before["service"]["kind"], before["service"]["state"]) == ("local", "enabled"), "nothing has changed"
    chosen = await api.put(f"{PREFIX}/encryption/service", json=in_vault(vault))
    assert chosen.status_code == 200, chosen.text
    service = chosen.json()["service"]
    assert (service["kind"], service["key_id"], service["state"]) == ("vault", "acme", "enabled")
    assert TOKEN not in chosen.text
    with looking(pg_server, urls) as conn:
        kept = conn.execute("select body from evenhand.key_service union all select body from evenhand.fact").fetchall()
        assert len(kept) > 5 and not any(TOKEN.encode() in bytes(body) for (body,) in kept)
        (wrapped,) = conn.execute(
            "select wrapped from evenhand.org_key where org_id = %s", (acme.live,)
        ).fetchone() or (b"",)
        assert bytes(wrapped).startswith(b"vault:v1:")
    asked = len(vault.seen)
    async with (
        Database(urls, KEYS, world.db.key_service, record, process="other") as db,
        world_of(world.services.settings, db) as other,
    ):
        assert (await other.keyed(acme.live_key).get(f"{PREFIX}/projects/{project}")).status_code == 200
        assert [path.split("/")[3] for _, path, _, _ in vault.seen[asked:]] == ["decrypt"]
        checked = await other.keyed(acme.live_key).post(f"{PREFIX}/encryption/check")
        assert checked.status_code == 200 and checked.json()["key_id"] == "acme", checked.text
    told = await uses(world, acme.live)
    here, vaults = "this installation", f"Vault {vault.url}"
    seen = [(use["service"], use["purpose"]) for use in told]
    assert seen == [(here, "serving"), (here, "wrapping anew"), (vaults, "serving"), (vaults, "serving")]
    assert told[-1]["process"].startswith("other ") and told[-1]["keys"] == 2, "its own key and the project's"
    back = await api.put(f"{PREFIX}/encryption/service", json={"kind": "local"})
    assert back.json()["service"]["where"] == "this installation", back.text
    assert (await api.get(f"{PREFIX}/projects/{project}")).status_code == 200


async def test_rotation_leaves_everything_readable(world: World, vault: Vault, urls: DatabaseUrls) -> None:
    acme = await world.customer("Acme")
    project = await project_with(world, acme.live_key, 2)
    await world.worker("ann@acme.example", acme.live)
    await world.drain()
    api = world.keyed(acme.live_key)
    assert (await api.put(f"{PREFIX}/encryption/service", json=in_vault(vault))).status_code == 200
    async with Database(urls, KEYS, world.db.key_service, record) as db, world_of(world.services.settings, db) as other:
        there = other.keyed(acme.live_key)
        assert (await there.get(f"{PREFIX}/projects/{project}")).status_code == 200
        annotator = await other.browser("ann@acme.example")
        for what in ({"level": "customer"}, {"level": "project", "project": project}, {"level": "organisation"}):
            done = await api.post(f"{PREFIX}/encryption/rotate", json=what)
            assert done.status_code == 200, done.text
        keys = done.json()
        assert keys["service"]["versions"] == [1, 2] and [v["version"] for v in keys["organisation"]] == [2, 1]
        mine = next(one for one in keys["projects"] if one["project"] == project)
        assert [(v["version"], v["under"]) for v in mine["versions"]] == [(2, 2), (1, 2)]
        # what is written under the newest keys is read by a process that has not seen them yet, and the other way round
        sent = await api.post(f"{PREFIX}/projects/{project}/tasks", json={"data": {"text": "after"}, "priority": 9})
        assert sent.status_code == 200, sent.text
        leased = (await annotator.post("/work/next", {"want": 3})).json()["assignments"]
        assert {one["data"]["text"] for one in leased} == {"after", "Text 0", "Text 1"}
        assert len((await there.get(f"{PREFIX}/tasks")).json()["items"]) == 3
        assert (await there.patch(f"{PREFIX}/projects/{project}", json={"instructions": "New"})).status_code == 200
        assert (await api.get(f"{PREFIX}/projects/{project}")).json()["instructions"] == "New"
    missing = await api.post(f"{PREFIX}/encryption/rotate", json={"level": "project", "project": "0" * 24})
    assert missing.status_code == 404
    async with world.db.tx(acme.live, SYSTEM) as tx:
        kinds = [
            r[0] for r in await tx.conn.fetch("select kind from evenhand.fact where kind like 'Key%' order by fact_id")
        ]
        assert kinds.count("KeyRotated") == 3 and kinds.count("KeyServiceChosen") == 1


async def test_a_customer_that_revokes_ends_every_read(world: World, vault: Vault, clock: Clock) -> None:
    acme, birch = await fill(world, "Acme", CANARY), await fill(world, "Birch", "OTHER")
    api = world.keyed(acme.customer.live_key)
    assert (await api.put(f"{PREFIX}/encryption/service", json=in_vault(vault))).status_code == 200
    before = await everything(world, acme.customer.live_key, ids_of(acme))
    theirs = await everything(world, birch.customer.live_key, ids_of(birch))
    assert any(key[0] == acme.customer.live for key in known._SHELF._held.keys() | annotations._CHECKERS.keys())
    vault.token = "rotated away"  # the customer takes our token back
    clock.now += 299
    for name, (status, body) in (await everything(world, acme.customer.live_key, ids_of(acme))).items():
        assert (status, CANARY in body) == (403, False), f"{name}: {status} {body[:200]}"
    for link in acme.links:
        shown = await world.client(headers={"host": "127.0.0.1:8080"}).get(link)
        assert shown.status_code == 403, f"{link}: {shown.status_code}"
    assert not any(key[0] == acme.customer.live for key in known._SHELF._held.keys() | annotations._CHECKERS.keys())
    after = await everything(world, birch.customer.live_key, ids_of(birch))
    assert {name: status for name, (status, _) in after.items()} == {n: s for n, (s, _) in theirs.items()}
    vault.token = TOKEN
    clock.now += 5
    again = await everything(world, acme.customer.live_key, ids_of(acme))
    assert {name: status for name, (status, _) in again.items()} == {n: s for n, (s, _) in before.items()}
    assert (await uses(world, acme.customer.live))[-1]["refused"] >= 1, "the customer is told that we asked in vain"


async def test_aws_wraps_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ALLOW_PRIVATE_ADDRESSES", "1")
    acme = await world.customer("Acme")
    double = Aws("AKIDEXAMPLE", "s" * 40, region="eu-central-1")
    double.make("alias/acme")
    with serving(double):
        given = {"kind": "aws", "key_id": "alias/acme", "region": "eu-central-1", "address": double.url,
                 "access_key": "AKIDEXAMPLE", "secret_key": "s" * 40}  # fmt: skip
        api = world.keyed(acme.live_key)
        chosen = await api.put(f"{PREFIX}/encryption/service", json=given)
        assert chosen.status_code == 200 and chosen.json()["service"]["where"] == "AWS KMS eu-central-1", chosen.text
        assert "s" * 40 not in chosen.text
        await project_with(world, acme.live_key, 1)
        double.denied = True
        refused = await api.post(f"{PREFIX}/encryption/check")
        assert (refused.status_code, refused.json()["code"]) == (403, "key_revoked")


async def test_what_cannot_be_logged_is_not_released(
    world: World, pg_server: TestServer, urls: DatabaseUrls, clock: Clock
) -> None:
    acme = await world.customer("Acme")
    await project_with(world, acme.live_key, 1)
    api = world.keyed(acme.live_key)
    with looking(pg_server, urls) as conn:
        conn.execute("alter table evenhand.fact add constraint full_up check (kind <> 'KeyUnwrapped') not valid")
        clock.now += 299
        reply = await api.get(f"{PREFIX}/projects")
        assert (reply.status_code, reply.json()["code"]) == (502, "key_use_not_logged"), reply.text
        conn.execute("alter table evenhand.fact drop constraint full_up")
    clock.now += 5
    assert (await api.get(f"{PREFIX}/projects")).status_code == 200
