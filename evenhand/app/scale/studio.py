"""v1: Studio. Assignments are seats, groups are groups of workers, batches keep their order by priority."""

from typing import Any

from evenhand.app.scale.asking import Ask, entry
from evenhand.app.scale.projects import every_row
from evenhand.app.scale.teams import member_of, members_by_email
from evenhand.features.people.aliases import alias_of
from evenhand.features.people.rules import Verb, require
from evenhand.features.people.types import Member
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches, groups
from evenhand.features.projects import store as projects_store
from evenhand.features.projects.types import Batch
from evenhand.infra.db import Tx
from evenhand.pure.scale import requests
from evenhand.pure.scale.checks import Obj, bad
from evenhand.pure.trouble import Missing

PENDING = ("staging", "in_progress", "paused")
PAGE = 200


async def assignments(tx: Tx) -> Obj:
    """e-mail -> names of the projects where the teammate has a seat; every teammate is there."""
    require(tx, Verb.READ)
    by_email = await members_by_email(tx)
    names = {row["project_id"]: projects.body_of(tx, row).name for row in await every_row(tx)}
    seats: dict[str, list[str]] = {}
    for seat in await projects_store.SEAT_LIST.all(tx, org=tx.org_id, project=None):
        name = names.get(seat["project_id"])
        mine = seats.setdefault(alias_of(tx, seat["person_id"]), [])
        if name is not None and name not in mine:
            mine.append(name)
    return {email: seats.get(member.person, []) for email, member in by_email.items()}


async def _assign(ask: Ask, tx: Tx, *, add: bool) -> Obj:
    given = requests.parse_assign(ask.body())
    require(tx, Verb.WRITE)
    by_email = await members_by_email(tx)
    people = [member_of(by_email, email) for email in given.emails]
    for name in given.projects:
        project = (await projects.row_named(tx, name))["project_id"]
        have = {(s.person, str(s.role)) for s in await projects.list_seats(tx, project)}
        mine = {(p.person, _seat(p)) for p in people}
        left = {s for s in have if s[0] not in {p.person for p in people}}
        await projects.set_seats(tx, project, have | mine if add else left)
    return await assignments(tx)


def _seat(member: Member) -> str:
    return "review" if member.role == "reviewer" else "label"


@entry("v1", "GET", "studio/assignments")
async def list_assignments(ask: Ask, tx: Tx) -> Any:
    return await assignments(tx)


@entry("v1", "POST", "studio/assignments/add")
async def add_assignments(ask: Ask, tx: Tx) -> Any:
    return await _assign(ask, tx, add=True)


@entry("v1", "POST", "studio/assignments/remove")
async def remove_assignments(ask: Ask, tx: Tx) -> Any:
    return await _assign(ask, tx, add=False)


# --- groups


def group_v1(group: groups.Group, emails: dict[str, str]) -> Obj:
    known = [p for p in group.people if p in emails]
    return {
        "id": group.id,
        "name": group.name,
        "numWorkers": len(known),
        "isSingleton": len(known) == 1,
        "workers": [{"id": p, "email": emails[p]} for p in known],
    }


async def _emails(tx: Tx) -> dict[str, str]:
    return {m.person: email for email, m in (await members_by_email(tx)).items()}


async def _assigned(tx: Tx, project: str, emails: list[str]) -> list[str]:
    """The people behind the addresses; each must have a seat in the project."""
    by_email = await members_by_email(tx)
    seated = {s.person for s in await projects.list_seats(tx, project)}
    people = [member_of(by_email, email).person for email in emails]
    for email, person in zip(emails, people, strict=True):
        if person not in seated:
            raise bad("emails", f"names {email}, who is not assigned to this project")
    return people


@entry("v1", "GET", "studio/projects/{project}/groups")
async def list_groups(ask: Ask, tx: Tx) -> Any:
    project = (await projects.row_named(tx, ask.names["project"]))["project_id"]
    emails = await _emails(tx)
    return [group_v1(g, emails) for g in await groups.list_groups(tx, project)]


@entry("v1", "POST", "studio/projects/{project}/groups")
async def create_group(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_group(ask.body())
    project = (await projects.row_named(tx, ask.names["project"]))["project_id"]
    people = await _assigned(tx, project, given.emails)
    return group_v1(await groups.create_group(tx, project, given.name, people), await _emails(tx))


@entry("v1", "PUT", "studio/projects/{project}/groups/{group}")
async def change_group(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_group_change(ask.body())
    project = (await projects.row_named(tx, ask.names["project"]))["project_id"]
    by_email = await members_by_email(tx)
    changed = await groups.change_group(
        tx,
        project,
        ask.names["group"],
        add=await _assigned(tx, project, given.add_emails),
        remove=[member_of(by_email, email).person for email in given.remove_emails],
    )
    return group_v1(changed, await _emails(tx))


# --- batches


async def _pending(tx: Tx) -> list[tuple[Batch, Any]]:
    """Unfinished batches of Studio projects with their projects: highest priority first, then oldest first."""
    require(tx, Verb.READ)
    studio = {row["project_id"]: row for row in await every_row(tx) if projects.body_of(tx, row).studio}
    found: list[Batch] = []
    for project in studio:
        for state in PENDING:
            found += await batches.list_batches(tx, project=project, state=state, limit=PAGE)
    found.sort(key=lambda b: (-b.priority, b.created_at, b.id))
    return [(b, studio[b.project]) for b in found]


async def _batch(tx: Tx, batch: Batch, project: Any, place: int) -> Obj:
    body = batches.batch_body(tx, await batches.batch_row(tx, batch.id))
    return {
        "id": batch.id,
        "name": batch.name,
        "projectId": batch.project,
        "projectName": projects.body_of(tx, project).name,
        "batchType": "Calibration" if body.calibration else "Production",
        "studioPriority": place,
        "total": batch.counts.total,
        "completed": batch.counts.done,
        "groups": body.groups,
    }


async def _studio_batches(tx: Tx) -> list[Obj]:
    return [await _batch(tx, b, p, n + 1) for n, (b, p) in enumerate(await _pending(tx))]


@entry("v1", "GET", "studio/batches")
async def list_studio_batches(ask: Ask, tx: Tx) -> Any:
    return await _studio_batches(tx)


@entry("v1", "PUT", "studio/batches/{batch}")
async def assign_batch(ask: Ask, tx: Tx) -> Any:
    names = requests.parse_batch_groups(ask.body())
    row = await batches.batch_row_named(tx, ask.names["batch"])
    known = {g.name for g in await groups.list_groups(tx, row["project_id"])}
    for name in names:
        if name not in known:
            raise groups.NoSuchGroup(f"There is no group called '{name[:100]}' in this project.")
    body = batches.batch_body(tx, row)
    body.groups = names
    await batches.change_batch(tx, row["batch_id"], body)
    found = next((b for b in await _studio_batches(tx) if b["id"] == row["batch_id"]), None)
    if found is None:
        raise Missing("This batch is not a pending batch of a Studio project.")
    return found


@entry("v1", "POST", "studio/batches/set_priorities")
async def set_priorities(ask: Ask, tx: Tx) -> Any:
    pending = {b.name: b for b, _ in await _pending(tx)}
    order = requests.parse_priorities(ask.body(), list(pending))
    for n, name in enumerate(order):
        await batches.change_batch(tx, pending[name].id, priority=min(1000, len(order) - n))
    return await _studio_batches(tx)


@entry("v1", "POST", "studio/batches/reset_priorities")
async def reset_priorities(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.WRITE)
    for batch, _ in await _pending(tx):
        if batch.priority:
            await batches.change_batch(tx, batch.id, priority=0)
    return await _studio_batches(tx)
