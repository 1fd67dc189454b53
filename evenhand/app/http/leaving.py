"""What a project and the organisation keep: legal holds, retention, and deletion with a certificate."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import IO, Any, cast

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call, who_asks
from evenhand.app.http.errors import problem_of
from evenhand.app.http.evidence import evidence_reply, newest
from evenhand.app.http.ranges import wanted_range
from evenhand.app.http.routes import route
from evenhand.app.http.streaming import streamed
from evenhand.features.leaving import erasing, holds, parting, retention, taking
from evenhand.features.leaving.archive import Archive
from evenhand.features.leaving.parting import Parting
from evenhand.features.leaving.types import ArchiveReady, DataView, Erasure, Hold, Retention
from evenhand.features.people import actions as people
from evenhand.features.people.rules import Verb, require
from evenhand.features.trust.bundles import LogAway, NothingYet
from evenhand.infra.db import SYSTEM, Actor, Tx
from evenhand.infra.spool import Forward

_TOLD_S = 1.0  # between two lines of progress
_LOOK_S = 5.0  # how long a taker that has lost the right goes on


class HoldIn(msgspec.Struct, forbid_unknown_fields=True):
    reason: str


class Holds(msgspec.Struct, frozen=True):
    items: list[Hold]


class RetentionIn(msgspec.Struct, forbid_unknown_fields=True):
    done_days: int | None = None
    ended_days: int | None = None


class ConfirmIn(msgspec.Struct, forbid_unknown_fields=True):
    """`confirm`: the name of what goes, typed."""

    confirm: str


@route("GET", "/projects/{project}/data", reply=DataView)
async def project_data(call: Call, tx: Tx) -> Any:
    """What a project keeps: its rule, holds and deletions"""
    return await retention.data_view(tx, call.path("project"))


@route("PUT", "/projects/{project}/retention", body=RetentionIn, reply=Retention, fresh=True)
async def set_retention(call: Call, tx: Tx) -> Any:
    """Set how long a project's tasks, answers and files are kept"""
    rule = Retention(call.body.done_days, call.body.ended_days)
    return await retention.set_retention(tx, call.path("project"), rule)


@route("PUT", "/projects/{project}/hold", body=HoldIn, reply=Holds, fresh=True)
async def hold_project(call: Call, tx: Tx) -> Any:
    """Put a project under a legal hold: nothing of it is deleted"""
    return Holds(await holds.set_hold(tx, call.path("project"), call.body.reason))


@route("DELETE", "/projects/{project}/hold", reply=Holds, fresh=True)
async def release_project(call: Call, tx: Tx) -> Any:
    """Release a project from its legal hold"""
    return Holds(await holds.release_hold(tx, call.path("project")))


@route("POST", "/projects/{project}/delete", body=ConfirmIn, reply=Erasure, fresh=True)
async def delete_project(call: Call, tx: Tx) -> Any:
    """Delete a project with everything in it, for good"""
    return await erasing.delete_project(tx, call.path("project"), call.body.confirm)


@route("GET", "/deletions/{deletion}", reply=Erasure)
async def get_deletion(call: Call, tx: Tx) -> Any:
    """Read a deletion: how far it is, and its certificate"""
    return await erasing.get_erasure(tx, call.path("deletion"))


class Space(msgspec.Struct, frozen=True):
    id: str
    name: str
    mode: str


@route("GET", "/org", reply=Space, tx=False)
async def get_org(call: Call) -> Any:
    """Which organisation this is, and which of its spaces"""
    async with call.db.tx(call.org_id, call.actor) as tx:
        require(tx, Verb.READ)
    about = await people.space_of(call.db, call.org_id)
    return Space(about.id, about.name, about.mode)


@route("GET", "/org/data", reply=DataView)
async def org_data(call: Call, tx: Tx) -> Any:
    """What the organisation keeps: holds and deletions of all its projects"""
    return await retention.data_view(tx, "")


@route("PUT", "/org/hold", body=HoldIn, reply=Holds, fresh=True)
async def hold_org(call: Call, tx: Tx) -> Any:
    """Put the organisation under a legal hold: nothing in this space is deleted"""
    return Holds(await holds.set_hold(tx, "", call.body.reason))


@route("DELETE", "/org/hold", reply=Holds, fresh=True)
async def release_org(call: Call, tx: Tx) -> Any:
    """Release the organisation from its legal hold"""
    return Holds(await holds.release_hold(tx, ""))


class Partings(msgspec.Struct, frozen=True):
    items: list[Parting]


class LeavingView(msgspec.Struct, frozen=True):
    """How far it is, for whoever has the receipt; `certificate` once it is done."""

    deletion: Erasure


@route("POST", "/org/leave", body=ConfirmIn, reply=Partings, tx=False, fresh=True)
async def leave(call: Call) -> Any:
    """Leave: everything in this space is deleted (of a live space, in the test space too), and nobody gets in any more"""
    return Partings(await parting.leave(call.db, call.org_id, call.actor, call.body.confirm))


@route("GET", "/leaving/{receipt}", who="public", reply=LeavingView, tx=False)
async def get_leaving(call: Call) -> Any:
    """How far the deletion is, by the receipt of an organisation that left"""
    return LeavingView((await parting.read_receipt(call.db, call.path("receipt")))[1])


@route("GET", "/leaving/{receipt}/evidence", who="public", tx=False, media="application/zip")
async def get_last_evidence(call: Call) -> Response:
    """The last evidence of an organisation that left, with its deletion certificate"""
    org, _, seal = await parting.read_receipt(call.db, call.path("receipt"))
    with await newest(call) as evidence:
        async with call.db.tx(org, SYSTEM, read_only=True, unproved=True) as tx:
            await evidence.gather(tx, seal)
        return await evidence_reply(call, evidence, [])


class Progressed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the reply while an archive is put together. bytes: so far. The last line has the archive, or the problem."""

    bytes: int
    archive: ArchiveReady | None = None
    problem: dict[str, Any] | None = None


@route("POST", "/archive", tx=False, media="application/x-ndjson", fresh=True)
async def make_archive(call: Call) -> Response:
    """Put everything that this space has together, to be taken within seven days: lines of progress, the last with the archive"""
    about = await people.space_of(call.db, call.org_id)
    actor = _taker(call)

    async def evidence(out: IO[bytes]) -> bool:
        with suppress(LogAway, NothingYet), await newest(call) as taken:
            async with call.db.tx(call.org_id, actor, read_only=True) as tx:
                await taken.gather(tx)
            await taken.write(call.db, cast(IO[bytes], Forward(out)), [])
            return True
        return False

    archive = Archive(
        call.db, call.services.objects, call.org_id, actor, name=about.name, mode=about.mode, evidence=evidence
    )
    async with call.db.tx(call.org_id, actor) as tx:
        await archive.open(tx)
    return await streamed(_lines(call, archive), 200, {"cache-control": "no-store"}, "application/x-ndjson")


async def _lines(call: Call, archive: Archive) -> AsyncIterator[bytes]:
    """Progress about every second, so that no proxy thinks that nobody is there."""
    told, size = time.monotonic(), 0
    try:
        async for size in archive.make():
            if time.monotonic() - told >= _TOLD_S:
                told = time.monotonic()
                yield _line(Progressed(size))
        async with call.db.tx(call.org_id, _taker(call)) as tx:
            kept = await taking.get_kept(tx)
        yield _line(Progressed(size, taking.ready(kept)))
    except Exception as err:
        # the status is sent already: problem_of says whatever it is without content, and logs a bug as one
        yield _line(Progressed(size, problem=problem_of(err).document()))


def _line(said: Progressed) -> bytes:
    return msgspec.json.encode(said) + b"\n"


def _taker(call: Call) -> Actor:
    """Who may manage may take everything, so also a key that could not read by itself."""
    return replace(call.actor, scopes=call.actor.scopes | {"read"})


@route("GET", "/archive", tx=False, media="application/zip", fresh=True)
async def take_everything(call: Call) -> Response:
    """Take the archive that lies ready: one zip file that explains itself. Ranges are answered, so a download can go on"""
    actor, services = _taker(call), call.services
    async with call.db.tx(call.org_id, actor) as tx:
        kept = await taking.get_kept(tx)
        tag = f'"{kept.sha256}"'
        name = f"evenhand-{call.org_id[-8:]}-{kept.made_at:%Y-%m-%d}.zip"
        headers = {
            "content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store", "etag": tag,
            "accept-ranges": "bytes",
        }  # fmt: skip
        start, end, status = 0, kept.size, 200
        if (wanted := wanted_range(call.request, kept.size, tag)) is not None:
            start, end, status = *wanted, 206
            if start >= kept.size:
                return Response(status_code=416, headers={**headers, "content-range": f"bytes */{kept.size}"})
            headers["content-range"] = f"bytes {start}-{end - 1}/{kept.size}"
        headers["content-length"] = str(end - start)
        taken = taking.Taking(call.db, services.objects, call.org_id, actor, kept, start, end)
        await taken.open(tx)
    return await streamed(while_allowed(call, kept.id, taken.stream()), status, headers, "application/zip")


async def while_allowed(
    call: Call, archive: str, pieces: AsyncIterator[bytes], look_s: float = _LOOK_S
) -> AsyncIterator[bytes]:
    """Who has lost the right to it in the middle gets no more of it; nor does anybody once something of it was deleted."""
    looked = time.monotonic()
    async for piece in pieces:
        if time.monotonic() - looked >= look_s:
            again = await who_asks(call.request, call.services, who="customer")
            async with call.db.tx(call.org_id, _taker(again)) as tx:
                if (await taking.get_kept(tx)).id != archive:
                    raise taking.ArchiveGone("Another archive has taken its place.")
            looked = time.monotonic()
        yield piece
