"""What is done with projects: gather, decide, write, record."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from evenhand.features.people.aliases import alias_of
from evenhand.features.people.members import member_names
from evenhand.features.people.profiles import tidy_name
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import store
from evenhand.features.projects.seats import give_seats
from evenhand.features.projects.types import (
    Counts,
    PilotEnded,
    Project,
    ProjectBody,
    ProjectChanged,
    ProjectCreated,
    Seat,
    SeatsChanged,
    Version,
    VersionBody,
)
from evenhand.infra.access import commitment
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.fetch import check_callback
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.keyrings import DATA_KEY_PUT
from evenhand.infra.seal import At
from evenhand.pure.ontology import EMPTY, check_ontology, summary_of_change, with_defaults
from evenhand.pure.trouble import Conflict, Invalid, Missing

INSTRUCTIONS_MOST = 500_000
PILOT_SIZE = 10
#: where tasks without a project of a compatible door live
LOOSE_PROJECT = "Unsorted"


class ProjectNameTaken(Conflict):
    hint = "Choose another name; archived projects keep theirs."


class NotAvailable(Conflict):
    hint = "Leave them out. They get a seat by themselves when they are, where a project is open to all."


class NoSuchProject(Missing):
    hint = "Look at the list of projects; a test key sees test projects only."


class NewProject(msgspec.Struct):
    """What a new project needs. Only name and medium are required."""

    name: str
    medium: str
    ontology: dict[str, Any] = {}
    instructions: str = ""
    overlap: int = 1
    review: str = "none"
    review_rate: float = 0.0
    lease_s: int = 1200
    pilot: bool = False
    everyone: bool = True
    kind: str = "native"
    params: dict[str, Any] = {}
    callback_url: str = ""
    rapid: bool = False
    studio: bool = False
    dataset_id: str | None = None
    rate: str = ""
    reference: str = ""


class ProjectPatch(msgspec.Struct):
    name: str | None = None
    ontology: dict[str, Any] | None = None
    instructions: str | None = None
    overlap: int | None = None
    review: str | None = None
    review_rate: float | None = None
    lease_s: int | None = None
    state: str | None = None
    rate: str | None = None


def _check(new: NewProject | ProjectPatch) -> None:
    if new.overlap is not None and not 1 <= new.overlap <= 100:
        raise Invalid("`overlap` must be 1 to 100: how many people label each task.")
    if new.review is not None and new.review not in ("none", "all", "sample"):
        raise Invalid("`review` must be none, all or sample.")
    if new.review_rate is not None and not 0 <= new.review_rate <= 1:
        raise Invalid("`review_rate` must be between 0 and 1.")
    if new.lease_s is not None and not 10 <= new.lease_s <= 86_400:
        raise Invalid("`lease_s` must be 10 to 86,400 seconds.")
    if new.instructions is not None and len(new.instructions) > INSTRUCTIONS_MOST:
        raise Invalid(f"The instructions are longer than {INSTRUCTIONS_MOST:,} characters.")


async def create_project(tx: Tx, new: NewProject) -> Project:
    require(tx, Verb.WRITE)
    _check(new)
    name = tidy_name(new.name, "a project")
    if new.medium not in ("image", "text", "conversation", "none"):
        raise Invalid("`medium` must be image, text, conversation or none.")
    ontology = {**EMPTY, **new.ontology}
    check_ontology(ontology)
    if new.callback_url:
        check_callback(new.callback_url)
    project = new_id()
    key = await tx.new_key(project)
    body = ProjectBody(name, new.callback_url, new.rapid, new.studio, new.dataset_id, new.rate, new.reference[:200])
    made = await store.PROJECT_ADD.maybe(
        tx,
        org=tx.org_id,
        project=project,
        name_mac=tx.seal.mac("project", name),
        kind=new.kind,
        medium=new.medium,
        stage="pilot" if new.pilot else "live",
        overlap=new.overlap,
        review=new.review,
        review_rate=new.review_rate,
        lease_s=new.lease_s,
        everyone=new.everyone,
        body=tx.seal.shut(body, _at(project)),
    )
    if made is None:
        raise ProjectNameTaken(f"There is a project called '{name}' already.")
    await DATA_KEY_PUT.run(tx, org=tx.org_id, project=project, version=key.version, under=key.under, wrapped=key.data)
    await _add_version(
        tx, project, 0, VersionBody(with_defaults(ontology), new.instructions, "First version", new.params)
    )
    await record(tx, ProjectCreated(project, new.kind, rate_hash(body.rate)))
    if new.everyone:
        await give_seats(tx, project=project)
    return await get_project(tx, project)


def rate_hash(rate: str) -> str:
    """What an event says of the words in which a project names its pay: a commitment, since they are content."""
    return commitment([rate]) if rate else ""


def _at(project: str) -> At:
    return At("project", project, project)


def version_at(project: str, version: int) -> At:
    """The place of a version's body."""
    return At("project_version", project, project, version)


async def _add_version(tx: Tx, project: str, number: int, version: VersionBody) -> None:
    body = tx.seal.shut(version, version_at(project, number))
    await store.VERSION_ADD.run(tx, org=tx.org_id, project=project, version=number, body=body)


def project_of(tx: Tx, row: Any, counts: Counts | None = None) -> Project:
    body = body_of(tx, row)
    version = version_of(tx, row)
    return Project(
        row["project_id"],
        body.name,
        row["kind"],
        row["medium"],
        row["stage"],
        row["state"],
        row["overlap"],
        row["review"],
        row["review_rate"],
        row["lease_s"],
        version.ontology,
        version.instructions,
        row["version"],
        row["created_at"],
        counts or Counts(),
        body.reference,
    )


async def row_of(tx: Tx, project: str) -> Any:
    """The row of a project with its newest version, or NoSuchProject."""
    row = await store.PROJECT_GET.maybe(tx, org=tx.org_id, project=project) if is_id(project) else None
    if row is None:
        raise NoSuchProject("There is no such project.")
    await tx.seal_of(project)
    return row


async def row_named(tx: Tx, name: str) -> Any:
    row = await store.PROJECT_NAMED.maybe(tx, org=tx.org_id, name_mac=tx.seal.mac("project", name))
    if row is None:
        raise NoSuchProject(f"There is no project called '{name[:100]}'.")
    await tx.seal_of(row["project_id"])
    return row


def body_of(tx: Tx, row: Any) -> ProjectBody:
    return tx.seal.open_as(row["body"], ProjectBody, _at(row["project_id"]))


def version_of(tx: Tx, row: Any) -> VersionBody:
    return tx.seal.open_as(row["version_body"], VersionBody, version_at(row["project_id"], row["version"]))


async def ontology_at(tx: Tx, project: str, version: int) -> dict[str, Any]:
    """The ontology of a project's version: work is judged by the one it was handed out under."""
    row = await store.VERSION_GET.one(tx, org=tx.org_id, project=project, version=version)
    return tx.seal.open_as(row["body"], VersionBody, version_at(project, version)).ontology


async def get_project(tx: Tx, project: str) -> Project:
    require(tx, Verb.READ)
    row = await row_of(tx, project)
    return project_of(tx, row, (await count_tasks(tx, project=project)).get(project))


async def list_projects(
    tx: Tx, *, after: str | None = None, limit: int = 50, archived: bool = False, counted: bool = True
) -> list[Project]:
    require(tx, Verb.READ)
    rows = await store.PROJECT_LIST.all(
        tx, org=tx.org_id, after=after, limit=limit, archived=archived, since=None, until=None
    )
    counts = await count_tasks(tx) if counted and rows else {}
    return [project_of(tx, row, counts.get(row["project_id"])) for row in rows]


#: (org, project, batch) -> (when, counts): large projects are counted at most every two seconds, by each process
_COUNTED: dict[tuple[str, str | None, str | None], tuple[float, dict[str, Counts]]] = {}
_COUNT_LIFE_S = 2.0
_COUNT_EXACT_BELOW = 10_000


async def count_tasks(tx: Tx, *, project: str | None = None, batch: str | None = None) -> dict[str, Counts]:
    """Counts by project. Exact; above 10,000 tasks as of at most two seconds ago."""
    key = (tx.org_id, project, batch)
    held = _COUNTED.get(key)
    if held is not None and time.monotonic() - held[0] < _COUNT_LIFE_S:
        return held[1]
    out: dict[str, dict[str, int]] = {}
    for row in await store.COUNTS.all(tx, org=tx.org_id, project=project, batch=batch):
        state = "review" if row["state"] == "reviewing" else row["state"]
        mine = out.setdefault(row["project_id"], {})
        mine[state] = mine.get(state, 0) + row["n"]
    result = {key: Counts(**states, total=sum(states.values())) for key, states in out.items()}
    if sum(c.total for c in result.values()) > _COUNT_EXACT_BELOW:
        if len(_COUNTED) > 1000:
            _COUNTED.clear()
        _COUNTED[key] = (time.monotonic(), result)
    else:
        _COUNTED.pop(key, None)
    return result


async def change_project(tx: Tx, project: str, patch: ProjectPatch) -> Project:
    """Changes what is given. A new ontology or new instructions make a new version; annotators are told."""
    require(tx, Verb.WRITE)
    _check(patch)
    row = await row_of(tx, project)
    locked = await store.PROJECT_LOCK.one(tx, org=tx.org_id, project=project)
    old = version_of(tx, row)
    body = body_of(tx, row)
    changed = [name for name in patch.__struct_fields__ if getattr(patch, name) is not None]
    if patch.state is not None and patch.state not in ("active", "paused", "archived"):
        raise Invalid("`state` must be active, paused or archived.")
    new_version: int | None = None
    if patch.ontology is not None or patch.instructions is not None:
        ontology = old.ontology if patch.ontology is None else {**EMPTY, **patch.ontology}
        check_ontology(ontology)
        instructions = old.instructions if patch.instructions is None else patch.instructions
        summary = summary_of_change(old.ontology, ontology) if patch.ontology is not None else ""
        if instructions != old.instructions:
            summary = "; ".join(filter(None, [summary, "Instructions changed"]))
        number = new_version = locked["version"] + 1
        version = VersionBody(with_defaults(ontology), instructions, summary, old.params)
        await _add_version(tx, project, number, version)
    if patch.name is not None:
        body.name = tidy_name(patch.name, "a project")
        other = await store.PROJECT_NAMED.maybe(tx, org=tx.org_id, name_mac=tx.seal.mac("project", body.name))
        if other is not None and other["project_id"] != project:
            raise ProjectNameTaken(f"There is a project called '{body.name}' already.")
    if patch.rate is not None:
        body.rate = patch.rate[:80]
    await store.PROJECT_SET.run(
        tx,
        org=tx.org_id,
        project=project,
        state=patch.state,
        overlap=patch.overlap,
        review=patch.review,
        review_rate=patch.review_rate,
        lease_s=patch.lease_s,
        version=new_version,
        stage=None,
        name_mac=tx.seal.mac("project", body.name) if patch.name is not None else None,
        body=tx.seal.shut(body, _at(project)),
    )
    rate = "" if patch.rate is None else rate_hash(body.rate)
    await record(tx, ProjectChanged(project, locked["version"] if new_version is None else new_version, changed, rate))
    return await get_project(tx, project)


async def set_params(tx: Tx, row: Any, version: VersionBody) -> int:
    """Appends a version as it is (compatible doors). Returns its number."""
    require(tx, Verb.WRITE)
    project = row["project_id"]
    locked = await store.PROJECT_LOCK.one(tx, org=tx.org_id, project=project)
    number = locked["version"] + 1
    await _add_version(tx, project, number, version)
    await store.PROJECT_SET.run(
        tx, org=tx.org_id, project=project, state=None, overlap=None, review=None, review_rate=None, lease_s=None,
        version=number, stage=None, name_mac=None, body=None,
    )  # fmt: skip
    await record(tx, ProjectChanged(project, number, ["params"]))
    return number


async def list_versions(tx: Tx, project: str) -> list[Version]:
    require(tx, Verb.READ)
    await row_of(tx, project)
    out: list[Version] = []
    for row in await store.VERSION_LIST.all(tx, org=tx.org_id, project=project):
        body = tx.seal.open_as(row["body"], VersionBody, version_at(project, row["version"]))
        out.append(Version(row["version"], row["created_at"], body.summary, body.instructions, body.ontology))
    return out


async def end_pilot(tx: Tx, project: str) -> int:
    """The customer is content with the pilot: everything that was held back for it is opened."""
    require(tx, Verb.WRITE)
    row = await row_of(tx, project)
    if row["stage"] != "pilot":
        raise Conflict("This project is past its pilot.")
    await store.PROJECT_SET.run(
        tx, org=tx.org_id, project=project, state=None, overlap=None, review=None, review_rate=None, lease_s=None,
        version=None, stage="live", name_mac=None, body=None,
    )  # fmt: skip
    opened = await store.QUEUE_OPEN.run(tx, org=tx.org_id, batch=None, project=project)
    await store.CURSORS_RESET.run(tx, org=tx.org_id, projects=[project])
    await record(tx, PilotEnded(project, opened))
    return opened


# --- seats


async def list_seats(tx: Tx, project: str) -> list[Seat]:
    require(tx, Verb.READ)
    await row_of(tx, project)
    names = await member_names(tx)
    rows = await store.SEAT_LIST.all(tx, org=tx.org_id, project=project)
    return [Seat(alias_of(tx, r["person_id"]), names.get(r["person_id"], "?"), r["role"]) for r in rows]


async def set_seats(tx: Tx, project: str, wanted: Iterable[tuple[str, str]]) -> list[Seat]:
    """Exactly these (alias of a person, role) may take this project's tasks. From now on newcomers are not added by themselves."""
    require(tx, Verb.WRITE)
    await row_of(tx, project)
    behind = {alias_of(tx, person): person for person in await member_names(tx)}
    want: set[tuple[str, str]] = set()
    for alias, role in wanted:
        if alias not in behind:
            raise Missing("Somebody on the list is not a member of this organisation.", hint="Invite them first.")
        want.add((behind[alias], role))
        if role not in ("label", "review"):
            raise Invalid("`role` of a seat must be label or review.")
    have = {(r["person_id"], r["role"]) for r in await store.SEAT_LIST.all(tx, org=tx.org_id, project=project)}
    for person, role in sorted(want - have):
        if not await store.GIVE_SEATS.all(tx, project=project, person=person, role=role):
            raise NotAvailable("Somebody on the list is not available for your projects just now.")
    for person, role in sorted(have - want):
        await store.SEAT_DROP.run(tx, org=tx.org_id, project=project, person=person, role=role)
    await store.EVERYONE_OFF.run(tx, org=tx.org_id, project=project)
    joined, left = (sorted(p for p, _ in people) for people in (want - have, have - want))
    await record(tx, SeatsChanged(project, len(joined), len(left), joined, left))
    return await list_seats(tx, project)


async def loose_project(tx: Tx, medium: str) -> Any:
    """The project that takes tasks for which a compatible door names none; one for each medium, made when first needed."""
    name = f"{LOOSE_PROJECT} {medium}"
    row = await store.PROJECT_NAMED.maybe(tx, org=tx.org_id, name_mac=tx.seal.mac("project", name))
    if row is not None:
        return row
    try:
        made = await create_project(tx, NewProject(name, medium, kind="loose"))
    except ProjectNameTaken:  # somebody else made it a moment ago
        return await row_named(tx, name)
    return await row_of(tx, made.id)


def since(text: str | None, what: str) -> datetime | None:
    """A moment from a query: ISO 8601, UTC when no zone is given."""
    if text is None or text == "":
        return None
    try:
        return msgspec.convert(text if "T" in text else f"{text}T00:00:00Z", datetime)
    except msgspec.ValidationError as err:
        raise Invalid(f"`{what}` is not a time.", hint="Use ISO 8601, such as 2026-11-22T08:00:00Z.") from err
