"""What is the same for every task of a project's version, remembered by this process."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

import msgspec

from evenhand.features.projects import actions as projects
from evenhand.infra.db import SYSTEM, Database, Tx
from evenhand.infra.seal import FORGETTERS


class ProjectView(msgspec.Struct, frozen=True):
    id: str
    name: str
    medium: str
    rate: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """As of the project's last change. ontology: JSON."""

    view: ProjectView
    ontology: bytes
    changed_at: datetime


class Shelf:
    """What was used longest ago goes first; people who work for hundreds of customers find theirs again."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: OrderedDict[tuple[str, str, int], Known] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[str, str, int]) -> Known | None:
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
        return held

    def put(self, key: tuple[str, str, int], known: Known) -> None:
        self._drop(key)
        self._held[key] = known
        self._bytes += len(known.ontology)
        while len(self._held) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._held)))

    def _drop(self, key: tuple[str, str, int]) -> None:
        gone = self._held.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone.ontology)

    def forget(self, org_id: str) -> None:
        for key in [key for key in self._held if key[0] == org_id]:
            self._drop(key)


_SHELF = Shelf(2000, 32_000_000)
FORGETTERS.append(_SHELF.forget)


async def known_of(db: Database, org_id: str, project: str, version: int, changed_at: datetime) -> Known:
    """changed_at: of the project, as the lease found it. Read anew only where that is news."""
    held = _SHELF.get((org_id, project, version))
    if held is not None and held.changed_at == changed_at:
        return held
    return await db.within(org_id, SYSTEM, lambda own: read_known(own, project, version))


async def read_known(tx: Tx, project: str, version: int) -> Known:
    key = (tx.org_id, project, version)
    row = await projects.row_of(tx, project)
    held = _SHELF.get(key)
    if held is None or held.changed_at != row["updated_at"]:
        body = projects.body_of(tx, row)
        ontology = msgspec.json.encode(await projects.ontology_at(tx, project, version))
        held = Known(ProjectView(project, body.name, row["medium"], body.rate), ontology, row["updated_at"])
        _SHELF.put(key, held)
    return held
