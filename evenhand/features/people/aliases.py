"""The ids under which one customer knows people. Every customer has its own, the same that its events have, so that two of them
cannot tell by their papers that a worker is one person. The person and the operator see the real id."""

from evenhand.features.people import store
from evenhand.infra.db import Tx
from evenhand.infra.facts import OF_PEOPLE, person_alias

_SHOWN = 16  # hexadecimal digits of the alias in a name: 64 bits


def alias_of(tx: Tx, person: str) -> str:
    """The id of a person for this customer: 24 hexadecimal digits."""
    return person_alias(tx.seal, person)


def pseudonym(tx: Tx, person: str | None) -> str:
    """A worker's name inside this wall. Two customers see two different ones."""
    if person is None:
        return "machine"
    shown = alias_of(tx, person)[:_SHOWN].upper()
    return "Worker " + "-".join(shown[at : at + 4] for at in range(0, _SHOWN, 4))


async def person_behind(tx: Tx, alias: str | None) -> str | None:
    """Whose alias this is here, or None: for one that belongs to nobody, another customer's and a real id alike."""
    if alias is None:
        return None
    rows = await store.MEMBER_IDS.all(tx, org=tx.org_id)
    return next((r["person_id"] for r in rows if alias_of(tx, r["person_id"]) == alias), None)


def about_of(tx: Tx, kind: str, about: str) -> str:
    """What a fact is about, as this customer may read it."""
    return alias_of(tx, about) if kind in OF_PEOPLE else about


async def wanted_person(tx: Tx, alias: str | None) -> str | None:
    """For a filter: None for everybody, and what no person is called where the alias is nobody's."""
    return None if alias is None else await person_behind(tx, alias) or ""
