"""An organisation leaves: everything in its space goes, its keys last, and a receipt opens what proves it.

The events of the log stay, sealed under the organisation's own key. Before that key is destroyed here it is handed over: sealed
under the receipt, which we do not keep. Whoever has the receipt takes the last evidence, with the certificate in it.
"""

import hashlib
import hmac
import logging
import secrets
from typing import Any

import msgspec

from evenhand.features.leaving import store
from evenhand.features.leaving.erasing import BeingDeleted, NotConfirmed, begin, erasure_of
from evenhand.features.leaving.types import DeletionAsked, Erasure
from evenhand.features.people import store as people_store
from evenhand.features.people.actions import close_space, space_of
from evenhand.features.people.rules import Verb, require
from evenhand.infra.crypto.datakey import DataKey, Scope
from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.db import SYSTEM, Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id
from evenhand.infra.kms.local import LocalKeys
from evenhand.infra.kms.port import KeyGone, KeyNotUsable
from evenhand.infra.seal import Seal
from evenhand.pure.trouble import Missing

log = logging.getLogger("evenhand.leaving")
_SECRET = 43  # characters of 32 random bytes


class Parting(msgspec.Struct, frozen=True):
    """A space that is being left. `receipt` is shown once, and is the only way back to the evidence."""

    organisation: str
    mode: str
    deletion: Erasure
    receipt: str


class NoSuchReceipt(Missing):
    hint = "A receipt is shown once, when an organisation leaves, and is of use for 90 days after it has gone."


async def leave(db: Database, org: str, actor: Actor, confirm: str) -> list[Parting]:
    """Leaves a test space, or a live space together with its test space. `confirm`: the organisation's name, typed.

    Raises OnHold; BeingDeleted while projects are still on their way out."""
    space = await space_of(db, org)
    async with db.tx(org, actor) as tx:
        require(tx, Verb.MANAGE)
        if confirm != space.name:
            raise NotConfirmed(f"To leave, the name '{space.name}' must be confirmed.")
    async with db.narrow("gate") as door:
        sibling: str = (await people_store.ORG_GET.one(door, org=org))["sibling_id"]
    spaces = [space]
    if space.mode == "live":
        other = await space_of(db, sibling)
        async with db.tx(other.id, SYSTEM) as tx:
            if not await _left(tx):
                spaces.insert(0, other)  # the test space first: a hold in it stops everything
    out = [await _leave(db, one.id, one.mode, actor if one.id == org else SYSTEM) for one in spaces]
    for one in spaces:
        await close_space(db, one.id)
    return out


async def _leave(db: Database, org: str, mode: str, actor: Actor) -> Parting:
    async with db.tx(org, actor) as tx:
        under_way = await store.ERASURE_UNDER_WAY.all(tx, org=org, project=None)
        if any(row["reason"] != "organisation" for row in under_way):
            raise BeingDeleted("Projects are still being deleted.", hint="Leave when they are done.")
        if under_way:  # asked again, since the first reply did not arrive: the receipt is a new one
            gone = erasure_of(under_way[0])
        else:
            gone = await begin(tx, "", "organisation")
            await record(tx, DeletionAsked(gone.id, "organisation", ""))
        secret = secrets.token_urlsafe(32)
        await store.RECEIPT_SET.run(
            tx, org=org, erasure=gone.id, receipt=tx.seal.data_key("").handed_over(_key(org, gone.id, secret))
        )
    return Parting(org, mode, gone, f"{org}{gone.id}{secret}")


def _key(org: str, erasure: str, secret: str) -> bytes:
    """The key that a receipt stands for. Its 256 random bits need no stretching."""
    return hmac.digest(b"evenhand-receipt-v1", f"{org}.{erasure}.{secret}".encode(), hashlib.sha256)


async def read_receipt(db: Database, receipt: str) -> tuple[str, Erasure, Seal]:
    """(space, deletion, the seal that opens its events) of a receipt, or NoSuchReceipt."""
    org, erasure, secret = receipt[:24], receipt[24:48], receipt[48:]
    if not (is_id(org) and is_id(erasure) and len(secret) == _SECRET and secret.isascii()):
        raise NoSuchReceipt("There is no such receipt.")
    async with db.tx(org, SYSTEM, unproved=True) as tx:
        sealed = await store.RECEIPT_GET.value(tx, org=org, erasure=erasure)
        row = await store.ERASURE_GET.maybe(tx, org=org, erasure=erasure)
    if sealed is None or row is None:
        raise NoSuchReceipt("There is no such receipt.")
    try:
        key = DataKey.taken_over(Scope(org), sealed, _key(org, erasure, secret))
    except Altered as err:
        raise NoSuchReceipt("There is no such receipt.") from err
    seal = Seal(org)
    seal.hold(key)
    return org, erasure_of(row), seal


async def _left(tx: Tx) -> Any:
    return await store.LEFT.maybe(tx, org=tx.org_id)


async def destroy_left_keys(db: Database) -> int:
    """Destroys customer keys of ours under which nothing is any more: of organisations whose spaces are all gone. A key in
    the customer's own service is the customer's to destroy. Returns how many went."""
    async with db.narrow("gate") as door:
        closed = {row["org_id"] for row in await people_store.ORG_CLOSED.all(door)}
        spaces = [(r["org_id"], r["sibling_id"]) for r in await people_store.ORG_CLOSED.all(door)]
    gone = 0
    for org, sibling in spaces:
        if org > sibling or sibling not in closed:  # each pair once, and both must have left
            continue
        rows: list[Any] = []
        for one in (org, sibling):
            async with db.tx(one, SYSTEM, unproved=True) as tx:
                rows.append(await _left(tx))
        if all(row is not None for row in rows):
            gone += await _destroy(db.key_service, {k for row in rows for k in _customer_keys(row["keys"])})
    return gone


def _customer_keys(keys: str) -> list[str]:
    return [name for scope in msgspec.json.decode(keys) for name in scope.get("customer_keys", ())]


async def _destroy(service: LocalKeys, keys: set[str]) -> int:
    gone = 0
    for key in sorted(keys):
        try:
            if (await service.describe(key)).state != "destroyed":
                await service.destroy(key)
                gone += 1
        except (KeyGone, KeyNotUsable):  # of another service, which is the customer's
            continue
    return gone
