"""The media gateway: the one way by which the bytes of a file leave. Whoever shows a link is asked for again what gave it.

A link says which file, by which lease or page, and to whose session or key. A process remembers for REMEMBER_S that they live
and where the file lies, so that the ranges of one file cost one look at the database every two seconds; a sign-out, a lost
lease, a revoked key or a deleted file is therefore noticed within REMEMBER_S, in the middle of a long answer as well. The
customer's key is asked for at every request, and for every piece of a long one. Where the customer wants it, pictures carry
the name of whoever looks (marks.py).
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

import asyncpg

from evenhand.app.marks import MarkedFile, Marks
from evenhand.app.services import Services
from evenhand.features.assets import actions as assets
from evenhand.features.assets import links, viewings
from evenhand.features.assets.links import LinkExpired, Shown
from evenhand.features.assets.marking import lines_of
from evenhand.features.assets.watermark import MARKED
from evenhand.features.people import actions as people
from evenhand.features.people.rules import CUSTOMER_ROLES
from evenhand.features.tasks import store as tasks
from evenhand.features.tasks.actions import body_of, files_of, task_row
from evenhand.infra.db import AWAY, SYSTEM, Actor, Tx
from evenhand.infra.files import OpenFile
from evenhand.infra.ids import new_id
from evenhand.pure.trouble import Busy, Missing

K = TypeVar("K")
V = TypeVar("V")
log = logging.getLogger("evenhand.gateway")
REMEMBER_S = 2.0
_AGAIN_S = 5.0  # how soon to ask again for what could not be written down
_MOST_OPEN = 512  # files and grants that a process remembers
_ENDED = "This link has ended, with the session, the key, the page or the lease that it was given with."


class NotWrittenDown(Busy):
    code = "not_logged"
    hint = "Nothing was shown. Try again in a moment; if it goes on, tell the operator."


@dataclass(slots=True)
class _Viewing:
    """A grant that was found alive, and what was read by it since that was last written down."""

    org_id: str
    id: str
    checked_at: float
    until_s: int
    lines: tuple[str, ...]  # what its pictures carry: nothing, or the viewer's name, the time and the viewing
    ranges: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Opened:
    file: OpenFile
    type: str
    tag: str
    checked_at: float


@dataclass(slots=True)
class Sight:
    """A file that may be shown, and where it is counted how much of it was."""

    type: str
    size: int
    tag: str
    file: OpenFile | MarkedFile
    viewing: _Viewing
    look_again: Callable[[], Awaitable[object]]  # raises where it may be shown no longer

    async def read(self, start: int, end: int) -> memoryview:
        self.viewing.ranges += 1
        self.viewing.bytes += end - start
        return await self.file.read(start, end)

    async def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        self.viewing.ranges += 1
        async for piece in self.file.pieces(start, end):
            self.viewing.bytes += len(piece)
            yield piece
            await self.look_again()  # whoever reads slowly reads for hours


class Gateway:
    """Of one process and one event loop."""

    def __init__(self, services: Services, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._clock = clock
        self._viewings: OrderedDict[tuple[str, links.Grant], _Viewing] = OrderedDict()
        self._files: OrderedDict[tuple[str, str, str], _Opened] = OrderedDict()
        self._marks = Marks()
        self._unwritten: dict[int, _Viewing] = {}
        self._writing: asyncio.Task[None] | None = None

    async def open(self, token: str) -> Sight:
        """The file behind a link. Raises LinkExpired, NotWrittenDown, Missing, NotMarked, MarksBusy, and what the customer's
        key raises."""
        shown = links.read(self._services.db.keys, token)

        async def look() -> tuple[_Viewing, _Opened]:
            (await self._services.db.seal(shown.org_id)).check()
            return await self._viewing(shown), await self._file(shown)

        viewing, opened = await look()
        self._count(viewing)
        if not viewing.lines or opened.type not in MARKED:
            return Sight(opened.type, opened.file.size, opened.tag, opened.file, viewing, look)
        marked = await self._marks.of(opened.file, opened.tag, viewing.lines)
        tag = sha256("\n".join((opened.tag, *viewing.lines)).encode()).hexdigest()[:32]
        return Sight(marked.type, marked.size, f'"{tag}"', marked, viewing, look)

    # --- may it be seen

    async def _viewing(self, shown: Shown) -> _Viewing:
        key = (shown.org_id, shown.grant)
        held = self._viewings.get(key)
        if held is not None and self._clock() - held.checked_at < REMEMBER_S:
            held.until_s = max(held.until_s, shown.until_s)
            return held
        checked_at = self._clock()
        try:
            viewing, lines = await self._check(shown)
        except Missing:
            self._viewings.pop(key, None)
            raise
        if held is None or held.id != viewing:
            held = _Viewing(shown.org_id, viewing, checked_at, shown.until_s, lines)
        held.checked_at, held.until_s, held.lines = checked_at, max(held.until_s, shown.until_s), lines
        _remember(self._viewings, key, held)
        return held

    async def _check(self, shown: Shown) -> tuple[str, tuple[str, ...]]:
        """The viewing that a link belongs to, written down, and what its pictures carry. Raises LinkExpired."""
        db, grant = self._services.db, shown.grant
        person = None
        if grant.kind == "key":
            if not await people.key_lives(db, shown.org_id, grant.who[:12].hex()):
                raise LinkExpired(_ENDED)
        elif any(grant.who):
            person = await people.who_is_still_signed_in(db, grant.who, shown.org_id)
            if person is None:
                raise LinkExpired(_ENDED)
        if grant.kind == "lease":
            return await self._lease(shown, person)
        role = await people.role_in(db, shown.org_id, person or "") if grant.kind == "session" else None
        async with db.tx(shown.org_id, SYSTEM) as tx:
            live = await viewings.VIEWING_LIVE.maybe(tx, org=shown.org_id, viewing=grant.id)
            # what the operator's people see under a grant was asked for with it; everybody else has a role here
            if live is None or (grant.kind == "session" and live["grant_id"] is None and role not in CUSTOMER_ROLES):
                raise LinkExpired(_ENDED)
            return await self._known(tx, live)

    async def _known(self, tx: Tx, viewing: Any) -> tuple[str, tuple[str, ...]]:
        return viewing["viewing_id"], await lines_of(self._services.db, tx, viewing)

    async def _lease(self, shown: Shown, person: str | None) -> tuple[str, tuple[str, ...]]:
        """The first look at a lease's files is written down before anything of them leaves."""
        db, org, assignment = self._services.db, shown.org_id, shown.grant.id
        async with db.tx(org, SYSTEM) as tx:
            row = await tasks.LEASE_SEEN.maybe(tx, org=org, assignment=assignment)
            if row is None or (person is not None and row["person_id"] != person):
                raise LinkExpired(_ENDED)
            known = await viewings.VIEWING_OF_LEASE.maybe(tx, org=org, assignment=assignment)
            if known is not None:
                return await self._known(tx, known)
            files = files_of(body_of(tx, await task_row(tx, row["task_id"])).data)
        until = datetime.fromtimestamp(shown.until_s, UTC)
        try:
            async with db.tx(org, Actor("person", row["person_id"])) as tx:
                # another process may be first: then its viewing is the one
                await viewings.begin(tx, new_id(), shown.grant, viewings.commitment(files), files, until)
                return await self._known(tx, await viewings.VIEWING_OF_LEASE.one(tx, org=org, assignment=assignment))
        except (*AWAY, asyncpg.DiskFullError):  # told by their own names
            raise
        except asyncpg.PostgresError as err:
            log.error("a viewing could not be written down (%s), so nothing was shown", type(err).__name__)
            raise NotWrittenDown(
                "That this file is shown could not be written to the log, so it is not shown.", retry_after_s=_AGAIN_S
            ) from err

    # --- where it is

    async def _file(self, shown: Shown) -> _Opened:
        key = (shown.org_id, shown.asset, shown.variant)
        held = self._files.get(key)
        now = self._clock()
        if held is not None and held.file.alive and now - held.checked_at < REMEMBER_S:
            return held
        db = self._services.db
        async with db.tx(shown.org_id, SYSTEM) as tx:
            try:
                stored = await assets.stored(tx, shown.asset)
            except Missing:
                self._files.pop(key, None)
                raise
        if held is None or not held.file.alive:
            seal = await db.seal(shown.org_id)
            found = await assets.open_variant(seal, self._services.objects, stored, shown.variant)
            tag = sha256(f"{stored.object} {shown.variant} {found.type}".encode()).hexdigest()[:32]
            held = _Opened(found.file, found.type, f'"{tag}"', now)
            if found.stands_in:  # it is tried again at the next look
                return held
        held.checked_at = now
        _remember(self._files, key, held)
        return held

    # --- how much of it

    def _count(self, viewing: _Viewing) -> None:
        self._unwritten[id(viewing)] = viewing
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._unwritten:
            await asyncio.sleep(REMEMBER_S)
            await self.write_counts()

    async def write_counts(self) -> None:
        """Writes down what was read since the last time. What a process that is killed had not written is not counted."""
        due, self._unwritten = list(self._unwritten.values()), {}
        for one in due:
            ranges, count = one.ranges, one.bytes
            one.ranges = one.bytes = 0
            until = datetime.fromtimestamp(one.until_s, UTC)
            try:
                async with self._services.db.tx(one.org_id, SYSTEM, unproved=True) as tx:
                    await viewings.VIEWING_READ.run(
                        tx, org=one.org_id, viewing=one.id, ranges=ranges, bytes=count, until=until
                    )
            except Exception as err:  # the database is away: the counts wait for it
                one.ranges, one.bytes = one.ranges + ranges, one.bytes + count
                self._unwritten[id(one)] = one
                log.warning("what was read of files is written down later (%s)", type(err).__name__)

    async def close(self) -> None:
        """Before the process ends."""
        self._marks.close()
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await self.write_counts()


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST_OPEN:
        memory.popitem(last=False)
