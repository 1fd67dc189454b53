"""A project of the demo: its ontology, pictures and tasks. What an earlier attempt made is found by its name."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from evenhand.app.demo.content import DemoProject, SeedFailed, input_of
from evenhand.app.demo.pictures import keep_pictures
from evenhand.app.services import Services
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.projects.actions import NewProject
from evenhand.features.projects.types import BatchBody
from evenhand.features.tasks import imports
from evenhand.infra.db import Actor
from evenhand.pure.trouble import Missing

IMPORT_KEY = "demo"


async def make_project(s: Services, org_id: str, owner: Actor, described: DemoProject, instructions: str) -> str:
    """The project's id."""
    async with s.db.tx(org_id, owner) as tx:
        try:
            project = (await projects.row_named(tx, described.name))["project_id"]
            batch = (await batches.list_batches(tx, project=project, state=None, after=None, limit=1))[0].id
        except Missing:
            new = NewProject(
                described.name,
                described.medium,
                described.ontology,
                instructions,
                review=described.review,
                rate=described.rate,
            )
            project = (await projects.create_project(tx, new)).id
            batch = (await batches.create_batch(tx, project, BatchBody(described.batch))).id
    assets = await keep_pictures(s, org_id, owner, [task.picture for task in described.tasks if task.picture])
    lines: list[dict[str, Any]] = [
        {"data": input_of(task, assets.get(task.picture)), "name": task.called, "tags": task.tags}
        for task in described.tasks
    ]

    async def chunk() -> AsyncIterator[list[bytes]]:
        yield [msgspec.json.encode(line) for line in lines]

    report = await imports.import_lines(s.db, org_id, owner, project, chunk(), batch=batch, key=IMPORT_KEY)
    if report.failed:
        raise SeedFailed(f"The demo's task {report.errors[0].line} was refused: {report.errors[0].detail}")
    return project
