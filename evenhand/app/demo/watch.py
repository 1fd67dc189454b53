"""What the trust page is about, in the demo: a grant that was used, broken glass, a wall, a delivery, a hold, a turned key, a
project that is deleted, somebody who left. All by the actions that people use; each step looks first what is there already."""

from evenhand.app.demo.content import DemoProject, DemoTask
from evenhand.app.demo.projects import make_project
from evenhand.app.services import Services
from evenhand.features.contracts import walls
from evenhand.features.contracts.walls import NewWall
from evenhand.features.deliveries.exports import Export, create_delivery, list_deliveries
from evenhand.features.grants import actions as grants
from evenhand.features.grants import leaving
from evenhand.features.grants.types import GrantKind, NewAsk, NewGrant
from evenhand.features.keys import actions as keys
from evenhand.features.keys.types import Rotation
from evenhand.features.leaving import erasing, holds, retention
from evenhand.features.leaving.types import Retention
from evenhand.features.people.staff import names_of_staff
from evenhand.features.tasks import leases
from evenhand.infra.db import Actor

_TRIAL = DemoProject(
    "Trial round", "text", "", "none", "Trial",
    {"classes": [{"name": "product", "kinds": ["span"]}]},
    [DemoTask("trial 1", text="The lamp arrived broken."), DemoTask("trial 2", text="Where is my order?")],
)  # fmt: skip
_LOOKED_INTO = "Two photographs did not load for our annotators; please look at the import."
_BROKEN = "Jobs of this customer wait for an hour and nobody answers the telephone."
_HELD_FOR = "Case 26-114, complaint about a supplier: keep everything until it is settled."


async def keep_watch(s: Services, org: str, owner: Actor, staff: list[str], made: list[str]) -> None:
    """Everything but the leaver. staff: two of the operator's people; made: two projects, the first with finished work."""
    first, second = made
    async with s.db.tx(org, owner) as tx:
        walled = bool((await walls.list_walls(tx)).items)
        if not (await list_deliveries(tx, project=first, after=None, limit=1)):
            await create_delivery(tx, first, "First results", "coco")
        await holds.set_hold(tx, second, _HELD_FOR)
        if await retention.retention_of(tx, first) == Retention():
            await retention.set_retention(tx, first, Retention(done_days=730))
        deleted = bool(await erasing.list_erasures(tx, ""))
        turned = any(len(one.versions) > 1 for one in (await keys.show_keys(s.db, tx)).projects)
    if not walled:
        await walls.set_wall(s.db, org, owner, NewWall("Cedar Works", 90))
    if not turned:
        await _take_results(s, org, owner, first)
        await keys.rotate(s.db, org, owner, Rotation("project", first))
    await _let_look(s, org, owner, staff, first)
    await _break_glass(s, org, owner, staff)
    if not deleted:
        project = await make_project(s, org, owner, _TRIAL, "# A trial\n\nMark every product.\n")
        async with s.db.tx(org, owner) as tx:
            await erasing.delete_project(tx, project, _TRIAL.name)


async def _take_results(s: Services, org: str, owner: Actor, project: str) -> None:
    export = Export(s.db, org, owner, project, "jsonl", media_url=s.settings.public_url, state="done")
    async with s.db.tx(org, owner) as tx:
        await export.open(tx)
    async for _ in export.stream():
        pass


async def _let_look(s: Services, org: str, owner: Actor, staff: list[str], project: str) -> None:
    if not await _given(s, org, owner, "support"):
        name = (await names_of_staff(s.db))[staff[0]]
        async with s.db.tx(org, owner) as tx:
            await grants.give(s.db, tx, NewGrant(name, 60, _LOOKED_INTO, project))
    await _look_and_end(s, org, owner, staff[0], f"/api/v1/projects/{project}")


async def _break_glass(s: Services, org: str, owner: Actor, staff: list[str]) -> None:
    asker, second = (Actor("person", one, "operator") for one in staff)
    if not await _given(s, org, owner, "break_glass"):
        asked = [one for one in (await grants.access(s.db, staff[0])).asks if one.org == org]
        if not asked:
            asked = (await grants.ask_to_break(s.db, asker, NewAsk(org, 30, _BROKEN))).asks
        await grants.confirm_break(s.db, second, asked[0].id)
    await _look_and_end(s, org, owner, staff[0], "/api/v1/projects")


async def _given(s: Services, org: str, owner: Actor, kind: GrantKind) -> bool:
    async with s.db.tx(org, owner) as tx:
        return any(one.kind == kind for one in (await grants.support(s.db, tx)).grants)


async def _look_and_end(s: Services, org: str, owner: Actor, person: str, looked_at: str) -> None:
    """A demo in which somebody may still look would begin with a red line above each page."""
    grant = await grants.live_grant(s.db, org, person)
    if grant is None:
        return
    async with s.db.tx(org, Actor("person", person, "support")) as tx:
        await grants.use(tx, grant, (await names_of_staff(s.db))[person], looked_at)
    async with s.db.tx(org, owner) as tx:
        await grants.end(s.db, tx, grant["grant_id"])


async def leave(s: Services, person: str, operator: str, places: list[tuple[str, str]]) -> None:
    """Somebody of the pool takes a task in each place (organisation, project), and leaves: the tasks come back, reports stay."""
    for org, project in places:
        await leases.lease(s.db, org, project, person, "label", person)
    await leaving.leave(s.db, person, Actor("person", operator, "operator"))
