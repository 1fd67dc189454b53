"""What directors and investors see: figures of all customers together, by week, and none of a week in which few were served.

The role `reporter` reads them: columns to be counted, and no body, name or mark of a single customer leaves this module.
"""

from datetime import datetime

import msgspec

from evenhand.features.grants import store
from evenhand.features.people.actions import get_person
from evenhand.infra.db import Database, Narrow

#: weeks in which fewer customers were served have no figures: they would tell about a single one
SMALLEST_GROUP = 5


class Week(msgspec.Struct, frozen=True):
    """An epoch, a week that has ended. Without figures where fewer than `smallest_group` customers were served."""

    week: datetime
    tasks: int | None
    hours: float | None


class Figures(msgspec.Struct, frozen=True):
    smallest_group: int
    weeks: list[Week]


async def is_director(db: Database, person: str) -> bool:
    async with db.connection("gate") as conn:
        return bool(await store.IS_DIRECTOR.value(Narrow(conn, db.platform), person=person))


async def set_director(db: Database, email: str, *, director: bool = True) -> str:
    """Lets somebody see the figures, or no longer. Returns the person's id."""
    person = await get_person(db, email)
    async with db.narrow("gate") as door:
        await store.DIRECTOR_SET.run(door, person=person, director=director)
    return person


async def figures(db: Database, *, smallest_group: int = SMALLEST_GROUP) -> Figures:
    """Tasks and paid hours of the last 26 whole weeks. Tasks are rounded to tens and hours to whole ones, so that a week's
    change tells less about one customer's work."""
    async with db.narrow("reporter") as door:
        rows = await store.FIGURES.all(door)
    return Figures(
        smallest_group,
        [
            Week(r["week"], round(r["tasks"], -1), round(r["hours"]))
            if r["customers"] >= smallest_group
            else Week(r["week"], None, None)
            for r in rows
        ],
    )
