"""Asking for a deletion, and how far it is. What deletes is in `running`."""

import os
from typing import Any

import msgspec

from evenhand.features.leaving import store
from evenhand.features.leaving.holds import ERASE_JOB, check_no_hold
from evenhand.features.leaving.types import DeletionAsked, Erasure, Reason
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects.store import PROJECT_SET
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.jobs import enqueue
from evenhand.pure.trouble import Conflict, Invalid, Missing

_MOST = 1000  # tries: it must end some day, and a worker may die as often as it has batches


class NotConfirmed(Invalid):
    hint = "Send `confirm` with the name exactly as it is written."


class BeingDeleted(Conflict):
    hint = "Look at its progress; the certificate comes when it is done."


def erasure_of(row: Any) -> Erasure:
    counts = msgspec.json.decode(row["counts"])
    return Erasure(
        row["erasure_id"], row["project_id"], row["reason"], row["state"], counts.get("task", 0),
        counts.get("answer", 0), row["files"], row["bytes"], row["created_at"], row["ended_at"], row["note"] or "",
    )  # fmt: skip


async def list_erasures(tx: Tx, project: str) -> list[Erasure]:
    """Those of a project; all of the organisation's for "". Newest first."""
    return [erasure_of(row) for row in await store.ERASURE_LIST.all(tx, org=tx.org_id, project=project)]


async def get_erasure(tx: Tx, erasure: str) -> Erasure:
    require(tx, Verb.READ)
    row = await store.ERASURE_GET.maybe(tx, org=tx.org_id, erasure=erasure) if is_id(erasure) else None
    if row is None:
        raise Missing("There is no such deletion.")
    return erasure_of(row)


async def begin(tx: Tx, project: str, reason: Reason) -> Erasure:
    """A deletion and the job that does it. Raises OnHold, and BeingDeleted where one of the same is under way."""
    await check_no_hold(tx, project)
    erasure = new_id()
    added = await store.ERASURE_ADD.maybe(
        tx, org=tx.org_id, erasure=erasure, project=project, reason=reason, salt=os.urandom(32)
    )
    if added is None:
        raise BeingDeleted("It is being deleted already.")
    await enqueue(tx, ERASE_JOB, {"erasure": erasure}, most=_MOST)
    return erasure_of(await store.ERASURE_GET.one(tx, org=tx.org_id, erasure=erasure))


async def delete_project(tx: Tx, project: str, confirm: str) -> Erasure:
    """Deletes a project with everything in it, and the keys of it. `confirm`: its name, typed."""
    require(tx, Verb.MANAGE)
    row = await projects.row_of(tx, project)
    name = projects.body_of(tx, row).name
    if confirm != name:
        raise NotConfirmed(f"To delete the project '{name}', its name must be confirmed.")
    made = await begin(tx, project, "project")
    await PROJECT_SET.run(
        tx, org=tx.org_id, project=project, state="archived", overlap=None, review=None, review_rate=None, lease_s=None,
        version=None, stage=None, name_mac=None, body=None,
    )  # fmt: skip
    await record(tx, DeletionAsked(made.id, "project", project))
    return made
