"""Projects, batches, seats and the pilot, for the customer."""

from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches, views
from evenhand.features.projects.actions import NewProject, ProjectPatch
from evenhand.features.projects.types import Batch, BatchBody, Project, Seat, Version
from evenhand.features.projects.views import ViewChange, Views
from evenhand.features.reviews import progress
from evenhand.features.reviews.types import Pilot, Progress
from evenhand.features.tasks import leases
from evenhand.features.tasks.actions import cancel_unstarted
from evenhand.features.tasks.leases import Assignment
from evenhand.infra.db import Tx
from evenhand.pure.trouble import Invalid


class ProjectIn(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    medium: str
    ontology: dict[str, Any] = {}
    instructions: str = ""
    overlap: int = 1
    review: str = "none"
    review_rate: float = 0.0
    lease_s: int = 1200
    pilot: bool = False
    callback_url: str = ""
    rate: str = ""
    reference: str = ""


class ProjectPage(msgspec.Struct):
    limit: int = 50
    cursor: str | None = None
    archived: bool = False


class Projects(msgspec.Struct, frozen=True):
    items: list[Project]
    next: str | None


class Versions(msgspec.Struct, frozen=True):
    items: list[Version]
    next: str | None = None


class BatchIn(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    staging: bool = False
    priority: int = 0
    callback_url: str = ""
    metadata: dict[str, Any] = {}


class BatchPatch(msgspec.Struct, forbid_unknown_fields=True):
    priority: int


class BatchPage(msgspec.Struct):
    limit: int = 50
    cursor: str | None = None
    state: str | None = None


class Batches(msgspec.Struct, frozen=True):
    items: list[Batch]
    next: str | None


class SeatIn(msgspec.Struct):
    person: str
    role: str


class SeatsIn(msgspec.Struct):
    items: list[SeatIn]


class SeatList(msgspec.Struct, frozen=True):
    items: list[Seat]
    next: str | None = None


def bounded(limit: int) -> int:
    if not 1 <= limit <= 200:
        raise Invalid("`limit` must be 1 to 200.")
    return limit


def cursor_after(items: list[Any], limit: int) -> str | None:
    """Where the next page begins: after the last id, if this page was full."""
    return items[-1].id if len(items) == limit else None


@route("GET", "/projects", query=ProjectPage, reply=Projects)
async def list_projects(call: Call, tx: Tx) -> Any:
    """List projects, newest first"""
    limit = bounded(call.query.limit)
    if call.grant is not None and call.grant["project_id"] is not None:  # nothing else is there for whoever holds it
        only = await projects.get_project(tx, call.grant["project_id"])
        return Projects([only] if (only.state == "archived") == call.query.archived else [], None)
    items = await projects.list_projects(tx, after=call.query.cursor, limit=limit, archived=call.query.archived)
    return Projects(items, cursor_after(items, limit))


@route("POST", "/projects", body=ProjectIn, reply=Project)
async def create_project(call: Call, tx: Tx) -> Any:
    """Create a project"""
    return await projects.create_project(tx, NewProject(**msgspec.structs.asdict(call.body)))


@route("GET", "/projects/{project}", reply=Project)
async def get_project(call: Call, tx: Tx) -> Any:
    """Read a project"""
    return await projects.get_project(tx, call.path("project"))


@route("PATCH", "/projects/{project}", body=ProjectPatch, reply=Project)
async def change_project(call: Call, tx: Tx) -> Any:
    """Change a project; ontology and instructions make a new version"""
    return await projects.change_project(tx, call.path("project"), call.body)


@route("GET", "/projects/{project}/versions", reply=Versions)
async def list_versions(call: Call, tx: Tx) -> Any:
    """List the versions of a project, newest first"""
    return Versions(await projects.list_versions(tx, call.path("project")))


@route("GET", "/projects/{project}/progress", reply=Progress)
async def get_progress(call: Call, tx: Tx) -> Any:
    """How far, how good, how much, when done, who looked"""
    return await progress.progress(tx, call.path("project"))


@route("GET", "/projects/{project}/pilot", reply=Pilot)
async def get_pilot(call: Call, tx: Tx) -> Any:
    """The pilot: your answers against theirs"""
    return await progress.pilot(tx, call.path("project"))


@route("POST", "/projects/{project}/pilot/next", reply=Assignment)
async def pilot_next(call: Call, tx: Tx) -> Any:
    """Label a task of the pilot yourself"""
    row = await progress.pilot_next(tx, call.path("project"))
    return await leases.read_assignment(call.db, tx, row)


@route("POST", "/projects/{project}/pilot/go", reply=dict[str, int])
async def pilot_go(call: Call, tx: Tx) -> Any:
    """End the pilot and open everything"""
    return {"opened": await projects.end_pilot(tx, call.path("project"))}


@route("GET", "/projects/{project}/seats", reply=SeatList)
async def list_seats(call: Call, tx: Tx) -> Any:
    """Who may work on a project"""
    return SeatList(await projects.list_seats(tx, call.path("project")))


@route("PUT", "/projects/{project}/seats", body=SeatsIn, reply=SeatList)
async def set_seats(call: Call, tx: Tx) -> Any:
    """Set who may work on a project"""
    wanted = [(seat.person, seat.role) for seat in call.body.items]
    return SeatList(await projects.set_seats(tx, call.path("project"), wanted))


@route("GET", "/projects/{project}/views", reply=Views)
async def list_views(call: Call, tx: Tx) -> Any:
    """List your saved views of a project's tasks"""
    return await views.list_views(tx, call.path("project"))


@route("PATCH", "/projects/{project}/views", body=ViewChange, reply=Views)
async def change_view(call: Call, tx: Tx) -> Any:
    """Save a view of your own, or take it away"""
    return await views.change_view(tx, call.path("project"), call.body)


@route("GET", "/projects/{project}/batches", query=BatchPage, reply=Batches)
async def list_batches(call: Call, tx: Tx) -> Any:
    """List the batches of a project, newest first"""
    await projects.get_project(tx, call.path("project"))
    limit = bounded(call.query.limit)
    items = await batches.list_batches(
        tx, project=call.path("project"), state=call.query.state, after=call.query.cursor, limit=limit
    )
    return Batches(items, cursor_after(items, limit))


@route("POST", "/projects/{project}/batches", body=BatchIn, reply=Batch)
async def create_batch(call: Call, tx: Tx) -> Any:
    """Create a batch"""
    given: BatchIn = call.body
    body = BatchBody(given.name, given.callback_url, given.metadata)
    return await batches.create_batch(tx, call.path("project"), body, staging=given.staging, priority=given.priority)


@route("GET", "/batches/{batch}", reply=Batch)
async def get_batch(call: Call, tx: Tx) -> Any:
    """Read a batch"""
    return await batches.get_batch(tx, call.path("batch"))


@route("PATCH", "/batches/{batch}", body=BatchPatch, reply=Batch)
async def change_batch(call: Call, tx: Tx) -> Any:
    """Change a batch's priority"""
    return await batches.change_batch(tx, call.path("batch"), priority=call.body.priority)


@route("POST", "/batches/{batch}/finalize", reply=Batch)
async def finalize(call: Call, tx: Tx) -> Any:
    """Send a staged batch"""
    return await batches.move_batch(tx, call.path("batch"), "finalize")


@route("POST", "/batches/{batch}/pause", reply=Batch)
async def pause(call: Call, tx: Tx) -> Any:
    """Pause a batch; work that has begun goes on"""
    return await batches.move_batch(tx, call.path("batch"), "pause")


@route("POST", "/batches/{batch}/resume", reply=Batch)
async def resume(call: Call, tx: Tx) -> Any:
    """Resume a paused batch"""
    return await batches.move_batch(tx, call.path("batch"), "resume")


@route("POST", "/batches/{batch}/cancel", reply=Batch)
async def cancel(call: Call, tx: Tx) -> Any:
    """Cancel a batch; tasks that nobody has begun are cancelled"""
    await batches.move_batch(tx, call.path("batch"), "cancel")
    await cancel_unstarted(tx, call.path("batch"))
    return await batches.get_batch(tx, call.path("batch"))
