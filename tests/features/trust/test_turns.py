"""Whose turn it is, over the real database: decided, charged, sealed, told, opened and replayed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from evenhand.app.standalone import program
from evenhand.features.tasks.turns import Replica, open_class
from evenhand.features.trust.traces import NotATrace, audited, sealed, unsealed, whole_trace
from evenhand.features.trust.turns import Keeper
from evenhand.infra.db import SYSTEM
from evenhand.pure.fairness.account import Account
from evenhand.pure.fairness.journal import decode
from evenhand.pure.fairness.ledger import Decide
from evenhand.pure.log.report import OK
from tests.conftest import Browser, Customer, World
from tests.features.trust.test_log import bundle_of, checked, end_epoch, log_in

pytestmark = pytest.mark.anyio
_FIELDS = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}
CLASS = "label native text"


async def project(world: World, customer: Customer, tasks: int) -> None:
    api = world.keyed(customer.live_key)
    made = await api.post("/api/v1/projects", json={"name": "P", "medium": "text", "ontology": _FIELDS})
    lines = "\n".join(f'{{"data":{{"text":"{customer.name} {n}"}}}}' for n in range(tasks))
    await api.post(f"/api/v1/projects/{made.json()['id']}/tasks/bulk", content=lines)
    await world.drain()


async def lease(ann: Browser) -> dict[str, Any]:
    return (await ann.post("/work/next", {"want": 1})).json()["assignments"][0]


async def submit(ann: Browser, one: dict[str, Any], seconds: float) -> None:
    answer = {"annotations": [{"id": "a", "kind": "text", "field": "mood", "text": "fine"}]}
    said = await ann.post(f"/work/{one['handle']}/submit", {"key": one["handle"], "answer": answer, "seconds": seconds})
    assert said.status_code == 200, said.text


async def two_customers(world: World, tasks: int) -> tuple[Customer, Customer, Browser]:
    acme, zenith = await world.customer("Acme"), await world.customer("Zenith")
    await world.worker("ann@people.example", acme.live, zenith.live, shared=True)
    await project(world, acme, tasks)
    await project(world, zenith, tasks)
    return acme, zenith, await world.browser("ann@people.example")


async def test_turns_are_taken_charged_sealed_and_replayed(world: World, tmp_path: Path) -> None:
    acme, zenith, ann = await two_customers(world, 8)
    whose: list[str] = []
    for _ in range(8):
        one = await lease(ann)
        whose.append(one["data"]["text"].split()[0])
        await submit(ann, one, 0.001)
    assert whose.count("Acme") == whose.count("Zenith") == 4
    keeper, this = Keeper(world.db), log_in(tmp_path)
    await keeper.tick(close=True)
    await keeper.tick(close=True)
    replica = await open_class(world.db, CLASS)
    assert replica.ledger.owner == {}, "everything that was submitted is charged"
    assert max(a.spent for a in replica.ledger.queue.accounts.values()) < 60_000, "with what was used"
    await end_epoch(world, this)
    for customer, won in ((acme, 4), (zenith, 4)):
        raw = await bundle_of(world, this, customer.live)
        report = checked(raw, this)
        check = report.checks["decisions"]
        assert check.status == OK, report.as_text()
        assert check.words.startswith("8 decisions came out the same"), check.words
        assert won == whose.count(customer.name)


async def test_the_program_that_is_handed_out_replays_too(world: World, tmp_path: Path) -> None:
    acme, _, ann = await two_customers(world, 3)
    for _ in range(4):
        await submit(ann, await lease(ann), 1)
    this = log_in(tmp_path)
    await Keeper(world.db).tick(close=True)
    await end_epoch(world, this)
    (tmp_path / "bundle").write_bytes(await bundle_of(world, this, acme.live))
    (tmp_path / "policy").write_text(f"log {this.signer.key}\nquorum none\n")
    (tmp_path / "verify.py").write_text(program())
    command = [sys.executable, "verify.py", "bundle", "--policy", "policy", "--key", str(this.signer.key), "--json"]
    said = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True)
    found = {one["check"]: one for one in json.loads(said.stdout)["checks"]}
    assert said.returncode == 0 and found["decisions"]["status"] == OK, said.stdout
    assert found["decisions"]["words"].startswith("4 decisions came out the same")


async def test_leases_are_charged_what_was_used_of_them(world: World) -> None:
    acme, _, ann = await two_customers(world, 6)
    given = await lease(ann)
    await ann.post("/work/release", {"handles": [given["handle"]]})
    ended, skipped = await lease(ann), await lease(ann)
    await ann.post(f"/work/{skipped['handle']}/skip", {"reason": "unclear", "comment": ""})
    async with world.db.tx(ended["handle"][:24], SYSTEM) as tx:
        await tx.conn.execute(
            "update evenhand.assignment set leased_at = now() - interval '2 hours', lease_until = now() - interval '1 hour'"
            " where org_id = $1 and assignment_id = $2", tx.org_id, ended["handle"][24:],
        )  # fmt: skip
    await world.drain()
    keeper = Keeper(world.db)
    await keeper.tick()
    ledger = (await open_class(world.db, CLASS)).ledger
    assert ledger.owner == {} and sum(a.spent for a in ledger.queue.accounts.values()) < 30_000, "a skip took moments"
    async with world.db.tx(ended["handle"][:24], SYSTEM) as tx:  # two minutes later the answer comes after all
        await tx.conn.execute(
            "update evenhand.assignment set leased_at = now() - interval '2 hours' where org_id = $1", tx.org_id
        )
    before = {org: a.spent for org, a in by_org(await open_class(world.db, CLASS)).items()}
    await submit(ann, ended, 77)
    await keeper.tick()
    after = {org: a.spent for org, a in by_org(await open_class(world.db, CLASS)).items()}
    owner = ended["handle"][:24]
    assert after[owner] - before[owner] == 77_000 and acme.live in after
    assert {org: spent for org, spent in after.items() if org != owner} == {
        o: s for o, s in before.items() if o != owner
    }


def by_org(replica: Replica) -> dict[str, Account]:
    return {org: replica.ledger.queue.accounts[flow] for org, flow in replica.flow_of.items()}


async def test_work_of_those_with_one_customer_is_charged_too_and_once(world: World) -> None:
    acme, _, _ = await two_customers(world, 4)
    await world.worker("ben@people.example", acme.live)
    await world.drain()
    ben = await world.browser("ben@people.example")
    one = await lease(ben)
    await ben_waits(world, one)
    await submit(ben, one, 30)
    for _ in range(2):
        await Keeper(world.db).tick()
    accounts = by_org(await open_class(world.db, CLASS))
    assert accounts[acme.live].spent == 30_000
    async with world.db.narrow("scheduler") as on:
        rows = await on.conn.fetch("select step from evenhand.sched_step where class = $1", CLASS)
    assert not any(isinstance(step, Decide) for row in rows for step in decode(row["step"])), "nobody decided anything"


async def ben_waits(world: World, one: dict[str, Any]) -> None:
    """Moves the lease back, since nobody is paid for more time than has passed."""
    async with world.db.tx(one["handle"][:24], SYSTEM) as tx:
        await tx.conn.execute(
            "update evenhand.assignment set leased_at = now() - interval '1 hour' where org_id = $1", tx.org_id
        )


async def test_who_has_had_all_of_a_customers_work_gets_that_of_others(world: World) -> None:
    """Overlap 2: the work waits, but not for Ann."""
    acme, zenith, ann = await two_customers(world, 3)
    async with world.db.tx(acme.live, SYSTEM) as tx:
        await tx.conn.execute("update evenhand.queue set overlap = 2 where org_id = $1", tx.org_id)
    got = [(await lease(ann))["data"]["text"].split()[0] for _ in range(5)]
    assert got.count("Acme") in (2, 3) and len(got) == 5
    ledger = (await open_class(world.db, CLASS)).ledger
    assert len(ledger.owner) == 5, "what came to nothing is not held against anybody"
    assert zenith.live


async def test_the_whole_trace_opens_to_the_auditor_alone_and_replays(world: World) -> None:
    _, _, ann = await two_customers(world, 3)
    for _ in range(4):
        await submit(ann, await lease(ann), 1)
    await Keeper(world.db).tick(close=True)
    auditor = X25519PrivateKey.generate()
    lines = await whole_trace(world.db)
    raw = sealed(lines, auditor.public_key())
    found = audited(unsealed(raw, auditor))
    assert (found.decisions, found.batches, found.wrong) == (4, 1, [])
    with pytest.raises(NotATrace):
        list(unsealed(raw, X25519PrivateKey.generate()))
    decided = lines[1]["decisions"][2]
    decided["decision"] = decided["decision"]._replace(winner=1 - decided["decision"].winner)
    bent = audited(unsealed(sealed(lines, auditor.public_key()), auditor))
    assert bent.wrong == [f"{CLASS}, batch 1: decision 3 does not follow from what it saw"]
