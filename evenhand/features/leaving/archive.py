"""The archive of everything, put together as it streams: memory stays flat however much there is. docs/how-to/take-everything.md"""

import hashlib
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

import msgspec

from evenhand.features.assets.actions import body_of as asset_body
from evenhand.features.deliveries.exports import Export
from evenhand.features.leaving.parts import EVENTS, LAST_FILE, PARTS, PROJECT_IDS, READY_FILES, VIEWS, Part
from evenhand.features.leaving.readme import readme
from evenhand.features.leaving.taking import RECORD, check_deletions, keep_archive
from evenhand.features.leaving.types import ArchiveMade, Kept
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects.actions import NoSuchProject, row_of, version_of
from evenhand.infra.crypto.datakey import KeyDestroyed
from evenhand.infra.db import Actor, Database, Tx
from evenhand.infra.facts import event_of, person_alias, record
from evenhand.infra.files import open_file
from evenhand.infra.ids import new_id
from evenhand.infra.objects import Objects
from evenhand.infra.seal import At
from evenhand.infra.spool import Spool
from evenhand.pure.formats.zipstream import ZipStream

CHUNK = 500  # rows between two signatures of the context, and of a piece of the stream
FILES_AT_ONCE = 100
FORMAT = "evenhand-archive-v1"
_SPOOL = 4_000_000
_PEOPLE = ("person_id", "actor_id")
_encode = msgspec.json.encode
#: writes the evidence into a file, and says whether there is any
Evidence = Callable[[IO[bytes]], Awaitable[bool]]


class Archive:
    """The making of one archive: `open` checks and records it, `make` puts it together, `keep` lets it be taken, also in pieces.

    What is no file's content ("the rest") is kept once, sealed, with the places of the files in between; files are hashed
    where they lie, and read again when they are taken. docs/decisions/0026-archives.md"""

    _zip: ZipStream
    _rest: IO[bytes]
    _index: IO[bytes]
    _manifest: IO[bytes]

    def __init__(
        self, db: Database, objects: Objects, org: str, actor: Actor, *, name: str, mode: str, evidence: Evidence
    ) -> None:
        self._db, self._objects, self._org, self._actor = db, objects, org, actor
        self._name, self._mode, self._evidence = name, mode, evidence
        self._id, self._begun = new_id(), datetime.now(UTC)
        self._files: list[IO[bytes]] = []
        self._sha = hashlib.sha256()
        self._size = self._rest_size = self._count = 0

    def _spool(self) -> IO[bytes]:
        made: Any = Spool(_SPOOL)  # `make` closes it
        self._files.append(made)
        return made

    async def open(self, tx: Tx) -> None:
        """Checks that the caller may have everything, and records that it is put together."""
        require(tx, Verb.MANAGE)
        await check_deletions(tx, self._begun)
        await record(tx, ArchiveMade(self._org, self._id))
        self._rest, self._index, self._manifest = self._spool(), self._spool(), self._spool()
        self._zip = ZipStream(self._spool())

    async def make(self) -> AsyncIterator[int]:
        """Puts it together; says from time to time how many bytes it has. Rows are of one snapshot; files are read after it,
        as far as they are still there."""
        try:
            async for piece in self._everything():
                self._add(piece)
                yield self._size
            await self._keep()
            yield self._size
        finally:
            for file in self._files:
                file.close()

    def _add(self, piece: bytes) -> None:
        self._sha.update(piece)
        self._size += len(piece)
        self._rest_size += len(piece)
        self._rest.write(piece)

    async def _keep(self) -> None:
        kept = Kept(
            self._id, self._size, self._sha.hexdigest(), self._rest_size, self._count, self._begun,
            self._objects.fresh_name(), b"",
        )  # fmt: skip
        await keep_archive(self._db, self._objects, self._org, self._actor, kept, (self._rest, self._index))

    async def _everything(self) -> AsyncIterator[bytes]:
        evidence = self._spool()
        have = await self._evidence(evidence)
        text = readme(self._name, self._mode, datetime.now(UTC).isoformat(timespec="seconds"), have)
        yield self._whole("README.md", text.encode())
        about = {"format": FORMAT, "organisation": self._org, "name": self._name, "mode": self._mode}
        yield self._whole("organisation.json", _encode(about) + b"\n")
        async for piece in self._rows():
            yield piece
        async for piece in self._projects():
            yield piece
        async for piece in self._bytes():
            yield piece
        if have:
            for piece in self._spooled("evidence.zip", evidence):
                yield piece
        self._manifest.write(_encode({"format": FORMAT, "complete": True}) + b"\n")
        for piece in self._spooled("manifest.jsonl", self._manifest, listed=False):
            yield piece
        for piece in self._zip.finish():
            yield piece

    # --- entries

    def _listed(self, name: str, size: int, digest: str, lines: int | None) -> None:
        entry = {"path": name, "bytes": size, "sha256": digest} | ({} if lines is None else {"lines": lines})
        self._manifest.write(_encode(entry) + b"\n")

    def _whole(self, name: str, content: bytes) -> bytes:
        self._listed(name, len(content), hashlib.sha256(content).hexdigest(), None)
        return self._zip.file(name, content)

    def _spooled(self, name: str, spool: IO[bytes], *, listed: bool = True) -> Iterator[bytes]:
        entry = _Entry(self._zip, name, packed=False)
        yield entry.head
        spool.seek(0)
        while piece := spool.read(1 << 18):
            yield entry.add(piece)
        yield self._zip.end()
        if listed:
            self._listed(name, entry.size, entry.sha.hexdigest(), None)

    async def _entry(self, name: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        entry = _Entry(self._zip, name, packed=True)
        yield entry.head
        async for piece in pieces:
            yield entry.add(piece)
        yield self._zip.end()
        self._listed(name, entry.size, entry.sha.hexdigest(), entry.lines)

    # --- what is in them

    async def _rows(self) -> AsyncIterator[bytes]:
        await self._known()
        async with self._db.tx(self._org, self._actor, read_only=True) as tx:
            for part in PARTS:
                async for piece in self._entry(f"{part.name}.jsonl", _table(tx, part)):
                    yield piece
            async for piece in self._entry("views.jsonl", _views(tx)):
                yield piece
            async for piece in self._entry("events.jsonl", _events(tx)):
                yield piece

    async def _projects(self) -> AsyncIterator[bytes]:
        for project in await self._known():
            export = Export(self._db, self._org, self._actor, project, "jsonl")
            try:
                async with self._db.tx(self._org, self._actor) as tx:
                    await export.open(tx)
                    ontology = version_of(tx, await row_of(tx, project)).ontology
            except (KeyDestroyed, NoSuchProject):  # its rows above say so
                continue
            yield self._whole(f"projects/{project}.ontology.json", _encode(ontology) + b"\n")
            async for piece in self._entry(f"projects/{project}.jsonl", export.stream()):
                yield piece

    async def _known(self) -> list[str]:
        """The projects, with the keys of those that another process has made a moment ago."""
        async with self._db.tx(self._org, self._actor) as tx:
            found = [row["project_id"] for row in await PROJECT_IDS.all(tx, org=self._org)]
        for project in found:
            await self._db.seal(self._org, project)
        return found

    async def _bytes(self) -> AsyncIterator[bytes]:
        async with self._db.tx(self._org, self._actor) as tx:
            last = await LAST_FILE.value(tx, org=self._org)
        after = ""
        while last is not None:
            async with self._db.tx(self._org, self._actor) as tx:
                rows = await READY_FILES.all(tx, org=self._org, after=after, last=last, limit=FILES_AT_ONCE)
                seal, files = tx.seal, [(row, asset_body(tx, row)) for row in rows]
            if not rows:
                return
            for row, _ in files:
                if not await self._objects.exists(self._org, row["object"]):
                    continue  # deleted meanwhile; files.jsonl names it
                name = f"files/{row['asset_id']}{mimetypes.guess_extension(row['media_type'] or '') or ''}"
                file = await open_file(self._objects, seal, row["object"], row["object_key"])
                entry = _Entry(self._zip, name, packed=False)
                yield entry.head
                self._index.write(RECORD.pack(self._size, file.size, self._rest_size, row["asset_id"].encode()))
                self._count += 1
                async for piece in file.pieces(0, file.size):
                    self._sha.update(entry.add(piece))
                    self._size += len(piece)
                    yield b""
                yield self._zip.end()
                self._listed(name, entry.size, entry.sha.hexdigest(), None)
            after = rows[-1]["asset_id"]


class _Entry:
    """An entry as it is written: its size, its lines and its hash."""

    def __init__(self, zipped: ZipStream, name: str, *, packed: bool) -> None:
        self._zip = zipped
        self.head = zipped.begin(name, packed=packed)
        self.sha = hashlib.sha256()
        self.size = self.lines = 0

    def add(self, piece: bytes) -> bytes:
        self.sha.update(piece)
        self.size += len(piece)
        self.lines += piece.count(b"\n")
        return self._zip.add(piece)


async def _table(tx: Tx, part: Part) -> AsyncIterator[bytes]:
    async for piece in _lines(tx, part.rows.stream(tx, org=tx.org_id), lambda row: _line(tx, part, row)):
        yield piece


def _line(tx: Tx, part: Part, row: Any) -> dict[str, Any]:
    line = dict(row.items())
    if part.place is not None:
        try:
            line["body"] = msgspec.Raw(tx.seal.open_json(row["body"], part.place(row)))
        except KeyDestroyed:  # nobody can read it any more
            line["body"] = None
    for name in _PEOPLE:
        if line.get(name) is not None:
            line[name] = person_alias(tx.seal, line[name])
    return line


async def _views(tx: Tx) -> AsyncIterator[bytes]:
    def line(row: Any) -> dict[str, Any]:
        _, project, person = row["name"].split(" ")
        body = tx.seal.open_json(row["body"], At("setting", row["name"], project))
        return {"project_id": project, "person_id": person_alias(tx.seal, person), "body": msgspec.Raw(body)}

    async for piece in _lines(tx, VIEWS.stream(tx, org=tx.org_id), line):
        yield piece


async def _events(tx: Tx) -> AsyncIterator[bytes]:
    def line(row: Any) -> dict[str, Any]:
        event = event_of(tx.seal, row["fact_id"], row["kind"], row["at"], row["about_id"], row["body"])
        return {
            "id": row["fact_id"], "counter": row["counter"], "index": row["index"], "salt": row["salt"],
            "event": event.decode(),
        }  # fmt: skip

    async for piece in _lines(tx, EVENTS.stream(tx, org=tx.org_id), line):
        yield piece


async def _lines(tx: Tx, rows: AsyncIterator[Any], line: Callable[[Any], dict[str, Any]]) -> AsyncIterator[bytes]:
    """The rows as JSON lines, in pieces."""
    held: list[bytes] = []
    async for row in rows:
        held.append(_encode(line(row)) + b"\n")
        if len(held) >= CHUNK:
            yield b"".join(held)
            held.clear()
            await tx.renew()
    yield b"".join(held)
