"""Seats that are given and taken by themselves. Each is an event of the project, like those that somebody gave by hand."""

from typing import Any

from evenhand.features.projects import store
from evenhand.features.projects.types import SeatsChanged
from evenhand.infra.db import Tx
from evenhand.infra.facts import record


async def give_seats(tx: Tx, project: str | None = None, person: str | None = None, role: str | None = None) -> int:
    """Seats for whom no wall keeps off; None stands for every project that is open to all, and for everybody. Returns how many."""
    given = await store.GIVE_SEATS.all(tx, project=project, person=person, role=role)
    for one, people in _by_project(given).items():
        await record(tx, SeatsChanged(one, len(people), 0, joined=people))
    return len(given)


async def seat_newcomer(tx: Tx, person: str, role: str) -> None:
    """A new annotator or reviewer gets a seat in every project that is open to all of the organisation."""
    if role in ("annotator", "reviewer"):
        await give_seats(tx, person=person, role="label" if role == "annotator" else "review")


async def unseat(tx: Tx, person: str) -> None:
    """Takes all seats of a person."""
    taken = await store.SEAT_LEAVE.all(tx, org=tx.org_id, person=person)
    for one, people in _by_project(taken).items():
        await record(tx, SeatsChanged(one, 0, len(people), left=people))


def _by_project(rows: list[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in sorted((row["project_id"], row["person_id"]) for row in rows):
        found.setdefault(row[0], []).append(row[1])
    return found
