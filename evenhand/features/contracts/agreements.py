"""What was agreed with a customer. One version after another, none rewritten; the same in the live and the test space."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from evenhand.features.contracts import store
from evenhand.features.contracts.cards import classes_of
from evenhand.features.contracts.rules import check_terms, moment
from evenhand.features.contracts.types import Contract, Contracts, ContractSet, Terms
from evenhand.features.people.actions import find_org
from evenhand.features.people.rules import Verb, require
from evenhand.infra.db import SYSTEM, Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import At


class _Body(msgspec.Struct):
    support: str = ""


def _at(version: int) -> At:
    return At("contract", str(version))


async def contracts_of(tx: Tx) -> Contracts:
    """The contract that holds in this space, with its history."""
    require(tx, Verb.READ)
    return await _contracts(tx)


async def _contracts(tx: Tx) -> Contracts:
    card = await store.TERMS.one(tx)
    classes = {c.name: c for c in classes_of(await store.TERMS_CLASSES.all(tx, card=card["card"]))}
    rows = await store.VERSIONS.all(tx, org=tx.org_id)
    now = datetime.now(UTC)
    # the newest that has begun and not ended, as evenhand.weight_of has it
    holds = next((r for r in rows if r["from_at"] <= now and (r["until_at"] is None or r["until_at"] > now)), None)

    def view(row: Any, *, in_force: bool) -> Contract:
        found = classes[row["class"]]
        return Contract(
            row["version"], row["class"], found.weight, found.hour_cents, card["currency"], card["card"],
            row["capacity_h"], tx.seal.open_as(row["body"], _Body, _at(row["version"])).support, row["from_at"],
            row["until_at"], in_force,
        )  # fmt: skip

    versions = [view(row, in_force=row is holds) for row in rows]
    current = next((found for found in versions if found.in_force), None)
    if current is None:
        standard = classes[card["standard"]]
        current = Contract(
            0, standard.name, standard.weight, standard.hour_cents, card["currency"], card["card"], None, "",
            card["from_at"], None,
        )  # fmt: skip
    return Contracts(current, versions)


async def in_force(db: Database) -> list[dict[str, Any]]:
    """Class, weight and capacity of every customer's live space: routing columns, no sealed terms."""
    async with db.narrow("gate") as door:
        return [
            {
                "org": r["org_id"], "version": r["version"], "price_class": r["class"], "weight": r["weight"],
                "capacity_h": r["capacity_h"], "from_at": r["from_at"], "until_at": r["until_at"],
            }
            for r in await store.IN_FORCE.all(door)
        ]  # fmt: skip


async def set_contract(db: Database, ref: str, terms: Terms, *, actor: Actor = SYSTEM) -> Contracts:
    """Agrees on a further version with a customer, in both of its spaces. `ref`: id or name."""
    test = await find_org(db, ref, "test")
    live = await find_org(db, ref, "live")
    async with db.tx(test.id, actor) as tx:
        await _set(tx, terms)
    async with db.tx(live.id, actor) as tx:
        await _set(tx, terms)
        return await _contracts(tx)


async def _set(tx: Tx, terms: Terms) -> None:
    await store.CONTRACT_LOCK.run(tx, org=tx.org_id)
    card = await store.TERMS.one(tx)
    classes = classes_of(await store.TERMS_CLASSES.all(tx, card=card["card"]))
    begin, end = check_terms(terms, datetime.now(UTC), classes)
    rows = await store.VERSIONS.all(tx, org=tx.org_id)
    version = rows[0]["version"] + 1 if rows else 1
    await store.CONTRACT_ADD.run(
        tx, org=tx.org_id, version=version, **{"class": terms.price_class}, capacity_h=terms.capacity_h, from_at=begin,
        until_at=end, body=tx.seal.shut(_Body(terms.support), _at(version)),
    )  # fmt: skip
    capacity = "" if terms.capacity_h is None else str(terms.capacity_h)
    await record(
        tx,
        ContractSet(tx.org_id, str(version), terms.price_class, capacity, terms.support, moment(begin), moment(end)),
    )


async def read_contract(db: Database, ref: str) -> Contracts:
    """A customer's contract, for the operator who agreed on it."""
    org = await find_org(db, ref)
    async with db.tx(org.id, SYSTEM) as tx:
        return await _contracts(tx)
