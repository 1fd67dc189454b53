"""Keys that will end soon: their owners are told in time, once."""

from dataclasses import dataclass

from evenhand.features.access import store
from evenhand.features.access.types import KeyEndsSoon
from evenhand.features.people import members
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.seal import KEYLESS, At

WARN_DAYS = 14


@dataclass(frozen=True, slots=True)
class Ending:
    """A key that ends soon, and whom to tell: the owners' addresses."""

    org_id: str
    prefix: str
    name: str
    ends: str  # a day
    owners: list[str]


async def keys_ending(db: Database) -> list[Ending]:
    """Keys that end within two weeks and that nobody was told of. From now on they count as told: the event stands in the
    organisation's log, and a mail that fails is not sent again."""
    async with db.narrow("gate") as door:
        rows = await store.KEYS_ENDING.all(door, days=WARN_DAYS)
    out: list[Ending] = []
    for row in rows:
        try:
            async with db.tx(row["org_id"], SYSTEM) as tx:
                found = await store.KEY_WARNED.maybe(tx, org=tx.org_id, key=row["key_id"])
                if found is None:
                    continue  # another worker was quicker, or the key was revoked
                ends = f"{found['expires_at']:%Y-%m-%d}"
                await record(tx, KeyEndsSoon(row["key_id"], ends))
                owners = [m.email for m in await members.list_members(tx) if m.role == "owner" and m.state == "active"]
                name = str(tx.seal.open(found["body"], At("api_key", row["key_id"])).get("name", ""))
                out.append(Ending(tx.org_id, found["prefix"], name, ends, owners))
        except KEYLESS:
            continue
    return out
