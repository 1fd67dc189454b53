"""An archive that lies ready: kept sealed for some days, taken whole or from any byte on, gone as soon as anything is deleted.

Only what is no file's content is kept twice. Behind it stand the places of the files, so that a range is found without reading what
comes before. A space has one archive at a time; the next one takes its place.
"""

import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import IO

import msgspec

from evenhand.features.assets.actions import drop_object
from evenhand.features.assets.storage_limit import count_file
from evenhand.features.leaving.types import ArchiveReady, ArchiveTaken, Kept
from evenhand.features.people.rules import Verb, require
from evenhand.infra.crypto import floe
from evenhand.infra.crypto.datakey import KeyDestroyed
from evenhand.infra.db import SYSTEM, Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.files import PARAMETERS, PIECE_BYTES, FileKey, OpenFile, file_aad, new_file_key, open_file
from evenhand.infra.objects import Objects
from evenhand.infra.seal import KEYLESS, At
from evenhand.infra.sql import Sql
from evenhand.pure.trouble import Conflict, Missing

KEPT_FOR = timedelta(days=7)
#: of a file in between: where its content begins, its size, how much of the rest comes before it, its asset
RECORD = struct.Struct(">QQQ24s")
_AT_ONCE = 100  # files looked up in a transaction
_AT = At("setting", "archive")
_GET = Sql("archive_kept_get", "select body from evenhand.setting where org_id = %(org)s and name = 'archive'")
_LOCK = Sql(
    "archive_kept_lock", "select body from evenhand.setting where org_id = %(org)s and name = 'archive' for update"
)
_PUT = Sql(
    "archive_kept_put",
    """insert into evenhand.setting (org_id, name, body) values (%(org)s, 'archive', %(body)s)
       on conflict (org_id, name) do update set body = excluded.body""",
)
_DROP = Sql("archive_kept_drop", "delete from evenhand.setting where org_id = %(org)s and name = 'archive'")
_DELETED_SINCE = Sql(
    "archive_deleted_since",
    """select exists (select from evenhand.erasure
                       where org_id = %(org)s and (state = 'running' or created_at >= %(since)s or ended_at >= %(since)s))""",
)
_FILES = Sql(
    "archive_kept_files",
    """select asset_id, object, object_key from evenhand.asset
        where org_id = %(org)s and asset_id = any(%(assets)s::text[]) and state = 'ready'""",
)


class NoArchive(Missing):
    hint = "POST /api/v1/archive makes one; `evenhand archive take` does so by itself."


class ArchiveGone(Conflict):
    hint = "Something was deleted, or the right to it has ended. Have a new one made: POST /api/v1/archive."


class Deleting(Conflict):
    hint = "What goes must not lie in an archive. Try again when the deletion is done: `evenhand org data` shows it."


async def check_deletions(tx: Tx, since: datetime) -> None:
    """Raises Deleting where something is being deleted, or was since then."""
    if await _DELETED_SINCE.value(tx, org=tx.org_id, since=since):
        raise Deleting("Something is being deleted just now.")


async def keep_archive(
    db: Database, objects: Objects, org: str, actor: Actor, kept: Kept, parts: tuple[IO[bytes], ...]
) -> None:
    """Keeps what was put together, in the place of the archive before it. Raises StorageFull."""
    async with db.tx(org, actor) as tx:
        await count_file(tx, objects, sum(part.tell() for part in parts))
        key = new_file_key(tx.seal, kept.object)
    sealed = floe.encrypt(key.key.key, file_aad(key.key, ""), _pieces(parts), PARAMETERS)
    await objects.put(org, kept.object, sealed)
    async with db.tx(org, actor) as tx:
        before = await _LOCK.value(tx, org=org)
        try:
            await check_deletions(tx, kept.made_at)
        except Deleting:
            await drop_object(objects, org, kept.object)
            raise
        await _PUT.run(tx, org=org, body=tx.seal.shut(_with_key(kept, key), _AT))
        old = tx.seal.open_as(before, Kept, _AT).object if before is not None else None
    if old is not None:
        await drop_object(objects, org, old)


def _with_key(kept: Kept, key: FileKey) -> Kept:
    return msgspec.structs.replace(kept, key=key.stored)


def _pieces(parts: tuple[IO[bytes], ...]) -> Iterator[bytes]:
    for part in parts:
        part.seek(0)
        while piece := part.read(PIECE_BYTES):
            yield piece


async def get_kept(tx: Tx) -> Kept:
    """The archive that lies ready. Raises NoArchive, and Denied to who may not have everything."""
    require(tx, Verb.MANAGE)
    body = await _GET.value(tx, org=tx.org_id)
    kept = tx.seal.open_as(body, Kept, _AT) if body is not None else None
    if kept is None or kept.made_at + KEPT_FOR < datetime.now(UTC):
        raise NoArchive("There is no archive that lies ready.")
    return kept


def ready(kept: Kept) -> ArchiveReady:
    return ArchiveReady(kept.id, kept.size, kept.sha256, kept.made_at, kept.made_at + KEPT_FOR)


async def archive_objects(tx: Tx) -> set[str]:
    """The objects of archives that still lie ready, for who looks for those that nothing needs."""
    body = await _GET.value(tx, org=tx.org_id)
    with suppress(*KEYLESS):  # what can't be opened can't be taken
        kept = tx.seal.open_as(body, Kept, _AT) if body is not None else None
        return {kept.object} if kept is not None and kept.made_at + KEPT_FOR >= datetime.now(UTC) else set()
    return set()


async def drop_archive(db: Database, objects: Objects, org: str) -> None:
    """What is deleted must not lie in an archive: it goes first."""
    async with db.tx(org, SYSTEM) as tx:
        body = await _LOCK.value(tx, org=org)
        if body is None:
            return
        # inside the transaction, and before its row: without the row nobody would know the object's name
        with suppress(KeyDestroyed):  # then nobody can read it, and it goes with the files that nothing needs
            await drop_object(objects, org, tx.seal.open_as(body, Kept, _AT).object)
        await _DROP.run(tx, org=org)


@dataclass(frozen=True, slots=True)
class _Place:
    """A file in between: where its content begins, its size, how much of the rest comes before it, and where it is kept."""

    start: int
    size: int
    rest: int
    asset: str
    object: str = ""
    key: bytes | None = None


class Taking:
    """The bytes of an archive from `start` up to but not with `end`. Who streams them asks from time to time whether they may be
    taken still: `get_kept`, with the same id."""

    _rest: OpenFile

    def __init__(
        self, db: Database, objects: Objects, org: str, actor: Actor, kept: Kept, start: int, end: int
    ) -> None:
        self._db, self._objects, self._org, self._actor = db, objects, org, actor
        self._kept, self._start, self._end = kept, start, end

    async def open(self, tx: Tx) -> None:
        """Records that it leaves the house."""
        require(tx, Verb.MANAGE)
        kept = self._kept
        self._rest = await open_file(self._objects, tx.seal, kept.object, kept.key)
        await record(tx, ArchiveTaken(self._org, kept.id, kept.sha256, self._start, self._end))

    async def stream(self) -> AsyncIterator[bytes]:
        """Raises ArchiveGone in the middle where a file was deleted."""
        at, number = self._start, await self._first(self._start)
        while at < self._end:
            places = await self._places(number)
            for place in places:
                async for piece in self._until(place.start, at, place.rest):
                    yield piece
                at = max(at, min(place.start, self._end))
                upto = min(place.start + place.size, self._end)
                if at < upto:
                    seal = await self._db.seal(self._org)
                    file = await open_file(self._objects, seal, place.object, place.key)
                    async for piece in file.pieces(at - place.start, upto - place.start):
                        yield piece
                    at = upto
            number += len(places)
            if number >= self._kept.files:
                async for piece in self._until(self._kept.size, at, self._kept.rest):
                    yield piece
                return

    async def _until(self, place: int, at: int, rest: int) -> AsyncIterator[bytes]:
        """What is no file's content from `at` up to `place`, of which `rest` is the position in it."""
        end = min(place, self._end)
        if at < end:
            async for piece in self._rest.pieces(rest - (place - at), rest - (place - end)):
                yield piece

    async def _place(self, number: int) -> _Place:
        at = self._kept.rest + number * RECORD.size
        start, size, rest, asset = RECORD.unpack(await self._rest.read(at, at + RECORD.size))
        return _Place(start, size, rest, asset.decode())

    async def _first(self, at: int) -> int:
        """The number of the first file that ends behind `at`."""
        low, high = 0, self._kept.files
        while low < high:
            middle = (low + high) // 2
            place = await self._place(middle)
            low, high = (middle + 1, high) if place.start + place.size <= at else (low, middle)
        return low

    async def _places(self, number: int) -> list[_Place]:
        """The next files, with where they are kept."""
        places = [await self._place(n) for n in range(number, min(number + _AT_ONCE, self._kept.files))]
        async with self._db.tx(self._org, self._actor) as tx:
            rows = await _FILES.all(tx, org=self._org, assets=[place.asset for place in places])
        found = {row["asset_id"]: row for row in rows}
        if len(found) != len(places):
            raise ArchiveGone("A file of this archive was deleted meanwhile.")
        return [replace(p, object=found[p.asset]["object"], key=found[p.asset]["object_key"]) for p in places]
