"""Files that nothing needs: a process that dies between keeping a file and its row leaves one behind. They go after a day.

Names are random, so a file that is found is held against the rows of the space it lies in, and of no other. What lies in the
folder of a space that the database does not know is left alone: it may belong to another installation.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from evenhand.features.assets import store
from evenhand.features.people.store import ORG_GET
from evenhand.infra.db import SYSTEM, Database, Tx
from evenhand.infra.objects import Listed, Objects
from evenhand.infra.seal import KEYLESS, At

UNTOUCHED = timedelta(days=1)  # no upload and no job takes that long
_AT = At("setting", "unused_files")
#: names of a space's objects that are no asset's
Needed = Callable[[Tx], Awaitable[set[str]]]
_PREFIXES = [f"{n:02x}" for n in range(256)]


class Swept(msgspec.Struct):
    """What has gone so far, and when somebody looked last."""

    files: int = 0
    bytes: int = 0
    looked_at: datetime | None = None


async def drop_unused(
    db: Database, objects: Objects, needed: Needed | None = None, *, older: timedelta = UNTOUCHED
) -> Swept:
    """Deletes what no asset names, what is not `needed` for anything else, and is older than `older`. Returns what went now."""
    now = Swept(looked_at=datetime.now(UTC))
    for space in objects.spaces():
        async with db.narrow("gate") as door:
            if await ORG_GET.maybe(door, org=space) is None:
                continue
        here = Swept()
        for prefix in _PREFIXES:
            found = await objects.older(space, prefix, datetime.now(UTC) - older)
            for one in await _unneeded(db, space, found, needed):
                await objects.delete(space, one.name)
                here.files += 1
                here.bytes += one.size
        with suppress(*KEYLESS):  # without a key its customer reads no count of it either
            await _remember(db, space, here)
        now.files += here.files
        now.bytes += here.bytes
    return now


async def _unneeded(db: Database, space: str, found: list[Listed], needed: Needed | None) -> list[Listed]:
    """Those that nothing of the space names. A thumbnail belongs to the object whose name it begins with."""
    if not found:
        return []
    names = sorted({one.name.partition(".")[0] for one in found})
    async with db.tx(space, SYSTEM) as tx:
        known = {row["object"] for row in await store.OBJECTS_KNOWN.all(tx, org=space, objects=names)}
        known |= await needed(tx) if needed is not None else set()
    return [one for one in found if one.name.partition(".")[0] not in known]


async def _remember(db: Database, space: str, here: Swept) -> None:
    async with db.tx(space, SYSTEM) as tx:
        before = await swept(tx)
        total = Swept(before.files + here.files, before.bytes + here.bytes, datetime.now(UTC))
        await store.SWEPT_PUT.run(tx, org=space, body=tx.seal.shut(total, _AT))


async def swept(tx: Tx) -> Swept:
    """What has gone in this space."""
    body = await store.SWEPT_GET.value(tx, org=tx.org_id)
    return tx.seal.open_as(body, Swept, _AT) if body is not None else Swept()
