"""What a project and the organisation keep: legal holds, retention, and deletion with a certificate."""

from contextlib import suppress
from dataclasses import replace
from typing import IO, Any, cast

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call
from evenhand.app.http.evidence import evidence_reply, newest
from evenhand.app.http.routes import route
from evenhand.app.http.streaming import streamed
from evenhand.features.leaving import erasing, holds, parting, retention
from evenhand.features.leaving.archive import Archive
from evenhand.features.leaving.parting import Parting
from evenhand.features.leaving.types import DataView, Erasure, Hold, Retention
from evenhand.features.people import actions as people
from evenhand.features.people.rules import Verb, require
from evenhand.features.trust.bundles import LogAway, NothingYet
from evenhand.infra.db import SYSTEM, Tx
from evenhand.infra.spool import Forward


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


@route("GET", "/archive", tx=False, media="application/zip", fresh=True)
async def take_everything(call: Call) -> Response:
    """Take everything that this space has, as one zip file that explains itself"""
    about = await people.space_of(call.db, call.org_id)
    # who may manage may take everything, so also a key that could not read by itself
    actor = replace(call.actor, scopes=call.actor.scopes | {"read"})

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
    name = f"evenhand-{about.mode}-{call.org_id[-8:]}.zip"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return await streamed(archive.stream(), 200, headers, "application/zip")
