"""The affiliate mark: a customer who owns a stake. For reports only.

Its table is granted to the role `reporter` and to nobody else; the floor plan keeps this module away from everything that hands
out work (pyproject.toml, "Affiliates").
"""

import msgspec

from evenhand.features.people.actions import find_org
from evenhand.infra.db import SYSTEM, Actor, Database
from evenhand.infra.facts import record
from evenhand.infra.sql import Sql


class AffiliateMarked(msgspec.Struct, frozen=True):
    about: str
    affiliate: str


_LIST = Sql("affiliate_list", "select org_id from evenhand.affiliate order by org_id", role="reporter")
_ADD = Sql(
    "affiliate_add",
    "insert into evenhand.affiliate (org_id) values (%(org)s) on conflict do nothing",
    role="reporter",
)
_END = Sql("affiliate_end", "delete from evenhand.affiliate where org_id = %(org)s", role="reporter")


async def affiliates(db: Database) -> frozenset[str]:
    """The spaces, live and test, of customers who own a stake."""
    async with db.narrow("reporter") as door:
        return frozenset(row["org_id"] for row in await _LIST.all(door))


async def mark_affiliate(db: Database, ref: str, *, affiliate: bool = True, actor: Actor = SYSTEM) -> None:
    """Sets or takes away the mark of a customer, in both spaces. The customer's log says so."""
    spaces = [(await find_org(db, ref, "live")).id, (await find_org(db, ref, "test")).id]
    async with db.tx(spaces[0], actor) as tx:
        await record(tx, AffiliateMarked(spaces[0], "yes" if affiliate else "no"))
    async with db.narrow("reporter") as door:
        for org in spaces:
            await (_ADD if affiliate else _END).run(door, org=org)
