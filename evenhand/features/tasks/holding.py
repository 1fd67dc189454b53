"""What people do with the leases that they hold: keep them, save drafts, give them back, skip; and leases that run out."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from evenhand.features.contracts.walls import admit
from evenhand.features.projects import actions as projects
from evenhand.features.tasks import store
from evenhand.features.tasks.leases import draft_at, heads_of, my_assignment
from evenhand.features.tasks.types import LeaseReleased, TaskSkipped
from evenhand.infra.db import Actor, Database, Narrow, Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import KEYLESS, at
from evenhand.pure.trouble import Conflict, Invalid

# A large draft comes compressed: 50 MB of shapes with their history are 20 to 30 MB at the most.
DRAFT_MOST = 48_000_000
SKIP_REASONS = ("unclear", "broken", "not_mine", "other")


class StaleDraft(Conflict):
    hint = "A newer draft is kept already; load it, or send a higher version."


async def beat(tx: Tx, assignments: list[str]) -> dict[str, datetime]:
    """Extends the caller's live leases; those missing from the answer are lost."""
    if await store.LEASED_BY.all(tx, org=tx.org_id, person=tx.actor.id):
        # what is on the screen for longer keeps off a rival's for longer; before rows are locked
        await admit(tx, tx.actor.id)
    rows = await store.BEAT.all(tx, org=tx.org_id, assignments=assignments, person=tx.actor.id)
    return {row["assignment_id"]: row["lease_until"] for row in rows}


async def release(tx: Tx, assignment: str) -> bool:
    """Gives a lease back. Its draft stays, so nothing is lost if the same person gets the task again."""
    row = await my_assignment(tx, assignment, lock=True)
    if row["state"] != "leased":
        return False
    await store.CLOSE.run(tx, org=tx.org_id, assignment=assignment, state="released", body=None)
    await _free(tx, row)
    await record(tx, LeaseReleased(row["task_id"]))
    return True


async def _free(tx: Tx, row: Any) -> None:
    """Gives the place of a lease back."""
    await store.FREE_PLACE.run(tx, org=tx.org_id, task=row["task_id"], role=row["role"])
    await projects.store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[row["project_id"]])


async def release_all(db: Database, person: str) -> int:
    """Sign-out: everything that the person holds goes back."""
    count = 0
    actor = Actor("person", person)
    rows = await heads_of(db, person, "label") + await heads_of(db, person, "review")
    for org_id in sorted({row["org_id"] for row in rows}):
        with suppress(*KEYLESS):  # what is held without a key ends by its time
            async with db.tx(org_id, actor) as tx:
                count += await take_back(tx, person)
    return count


async def take_back(tx: Tx, person: str) -> int:
    """Everything that somebody holds in this space goes back to the queue: they sign out, or are no member any more."""
    count = 0
    moved: set[str] = set()
    for row in await store.LEASED_BY.all(tx, org=tx.org_id, person=person):
        await store.HOLD_TASK.run(tx, org=tx.org_id, task=row["task_id"])
        if not await store.CLOSE.run(tx, org=tx.org_id, assignment=row["assignment_id"], state="released", body=None):
            continue  # it ended while we waited
        count += 1
        await store.FREE_PLACE.run(tx, org=tx.org_id, task=row["task_id"], role=row["role"])
        moved.add(row["project_id"])
        await record(tx, LeaseReleased(row["task_id"]))
    await projects.store.CURSORS_RESET.run(tx, org=tx.org_id, projects=sorted(moved))
    return count


async def skip(tx: Tx, assignment: str, reason: str, comment: str) -> None:
    """Somebody cannot do this task; they will not see it again, others will."""
    if reason not in SKIP_REASONS:
        raise Invalid(f"`reason` must be one of {', '.join(SKIP_REASONS)}.")
    row = await my_assignment(tx, assignment, lock=True)
    if row["state"] != "leased":
        raise Conflict("This task is no longer yours, so there is nothing to skip.", hint="Ask for the next task.")
    body = tx.seal.shut({"reason": reason, "comment": comment[:5000]}, at("assignment", row))
    await store.CLOSE.run(tx, org=tx.org_id, assignment=assignment, state="skipped", body=body)
    await store.DRAFT_DROP.run(tx, org=tx.org_id, assignment=assignment)
    await _free(tx, row)
    await record(tx, TaskSkipped(row["task_id"], reason))


async def save_draft(tx: Tx, assignment: str, version: int, body: bytes) -> int:
    """Keeps a draft; an older version never overwrites a newer one."""
    if len(body) > DRAFT_MOST:
        raise Invalid(f"The draft is larger than {DRAFT_MOST // 1_000_000} MB.")
    row = await my_assignment(tx, assignment)
    if row["state"] == "submitted":
        raise Conflict("This task has been submitted.", hint="Call it back to go on working on it.")
    kept = await store.DRAFT_PUT.value(
        tx, org=tx.org_id, assignment=assignment, version=version, body=tx.seal.shut_json(body, draft_at(row, version))
    )
    if kept is None:
        raise StaleDraft("A newer draft of this task is kept already.")
    return kept


async def expire_due(db: Database) -> int:
    """Ends leases that ran out, in every space that has some. The worker calls it every other second."""
    async with db.connection("scheduler") as conn:
        orgs = await store.EXPIRED_ORGS.all(Narrow(conn, db.platform))
    count = 0
    for row in orgs:
        async with db.connection("app") as conn:
            count += await store.EXPIRE.value(
                Narrow(conn, db.platform), ctx=db.sign(conn, row["org_id"], "system"), limit=1000
            )
    return count


async def today(tx: Tx) -> tuple[int, float]:
    """(tasks, paid seconds) of the caller in this space since midnight UTC."""
    row = await store.TODAY.one(tx, org=tx.org_id, person=tx.actor.id)
    return row["tasks"], row["paid_s"]
