"""The operator's own people, by name: customers know them, as they are no workers of the pool."""

from evenhand.infra.db import Database
from evenhand.infra.seal import At
from evenhand.infra.sql import Sql

_STAFF = Sql(
    "staff_names",
    """select p.person_id, p.operator and p.state = 'active' as active, p.body from evenhand.person p
        where p.operator or exists (select from evenhand.access_grant g where p.person_id in (g.staff_id, g.second_id))
        order by p.person_id""",
    role="gate",
)


async def names_of_staff(db: Database, *, active: bool = False) -> dict[str, str]:
    """Person to name, of the operator's people; also of those who were and had a grant, unless only `active` are wanted."""
    async with db.narrow("gate") as door:
        rows = await _STAFF.all(door)
        return {
            r["person_id"]: str(door.seal.open(r["body"], At("person", r["person_id"]))["name"])
            for r in rows
            if r["active"] or not active
        }
