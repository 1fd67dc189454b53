"""Legal holds: while there is one, retention and deletion stop, and say so."""

from typing import Any

from evenhand.features.leaving import store
from evenhand.features.leaving.types import Hold, HoldReleased, HoldSet
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.jobs import enqueue
from evenhand.infra.seal import At
from evenhand.pure.trouble import Conflict, Invalid, Missing

REASON_MOST = 2_000
ERASE_JOB = "leaving.erase"


class OnHold(Conflict):
    code = "on_hold"
    hint = "An owner can release the hold; until then nothing that it covers is deleted."


async def list_holds(tx: Tx, project: str) -> list[Hold]:
    """Those that concern a project; all of the organisation's for ""."""
    rows = await store.HOLDS.all(tx, org=tx.org_id, project=project)
    return [_hold(tx, row) for row in rows]


def _hold(tx: Tx, row: Any) -> Hold:
    return Hold(row["project_id"], str(tx.seal.open(row["body"], _at(row["project_id"]))["reason"]), row["created_at"])


def _at(project: str) -> At:
    """Of the organisation's own scope: a hold is no part of what it holds."""
    return At("hold", project)


async def check_no_hold(tx: Tx, project: str) -> None:
    """Raises OnHold. An organisation ("") is held by a hold of any of its projects too."""
    held = await list_holds(tx, project)
    if not held:
        return
    if held[0].project == "":
        raise OnHold("The organisation is under a legal hold, so nothing of it is deleted.")
    if project == "":
        raise OnHold(f"There is a legal hold on {len(held)} of its projects, so the organisation is not deleted.")
    raise OnHold("The project is under a legal hold, so nothing of it is deleted.")


async def set_hold(tx: Tx, project: str, reason: str) -> list[Hold]:
    """From now on nothing of the project ("": of the organisation) is deleted; what is under way stops where it is."""
    require(tx, Verb.MANAGE)
    if project:
        await projects.row_of(tx, project)
    if not reason.strip():
        raise Invalid("A legal hold needs a reason.", hint="Say which case it is for; owners see it.")
    # a batch that runs holds this row: it ends, and none follows
    for row in await store.ERASURE_UNDER_WAY.all(tx, org=tx.org_id, project=project or None):
        await store.ERASURE_STATE.run(tx, org=tx.org_id, erasure=row["erasure_id"], state="held")
    body = tx.seal.shut({"reason": reason.strip()[:REASON_MOST]}, _at(project))
    if await store.HOLD_PUT.maybe(tx, org=tx.org_id, project=project, body=body) is not None:
        await record(tx, HoldSet(project or tx.org_id, "project" if project else "organisation"))
    return await list_holds(tx, project)


async def release_hold(tx: Tx, project: str) -> list[Hold]:
    """Takes a hold back. A deletion that it had stopped goes on, unless another hold is in its way."""
    require(tx, Verb.MANAGE)
    if project:
        await projects.row_of(tx, project)
    if await store.HOLD_DROP.maybe(tx, org=tx.org_id, project=project) is None:
        raise Missing("There is no such hold.")
    await record(tx, HoldReleased(project or tx.org_id, "project" if project else "organisation"))
    for row in await store.ERASURE_UNDER_WAY.all(tx, org=tx.org_id, project=project or None):
        if not await list_holds(tx, row["project_id"]):
            await store.ERASURE_STATE.run(tx, org=tx.org_id, erasure=row["erasure_id"], state="running")
            await enqueue(tx, ERASE_JOB, {"erasure": row["erasure_id"]})
    return await list_holds(tx, project)
