"""Making the demo through the same actions that people use. Every step looks first what is there already, so that a
start that was killed half-way is simply run again; demo.json is written last and says that the demo is whole."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from evenhand.app.demo.content import Content, DemoPerson, DemoProject, SeedFailed, input_of, load
from evenhand.app.demo.finished import work_through
from evenhand.app.demo.pictures import keep_pictures
from evenhand.app.listening import listen
from evenhand.app.opening import services
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.features.people import actions as people
from evenhand.features.people import store as people_store
from evenhand.features.people.types import Mode, Org, RoleName
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches
from evenhand.features.projects.actions import NewProject
from evenhand.features.projects.types import BatchBody
from evenhand.features.tasks import imports
from evenhand.infra.db import SYSTEM, Actor
from evenhand.infra.home import write_private
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from evenhand.pure.trouble import Missing

KEY_NAME = "demo"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are taken for each other
MODES: tuple[Mode, Mode] = ("live", "test")


@dataclass(slots=True)
class Made:
    """What will stand in demo.json."""

    people: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    ids: dict[str, str] = field(default_factory=dict[str, str])  # email -> person
    orgs: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


def seed(settings: Settings, urls: DatabaseUrls, keys: Keys) -> None:
    """Makes the demo, or finishes one that broke off. Refuses a database that holds other organisations."""
    if settings.home.demo_file.exists():
        return
    listen()

    async def run() -> None:
        async with services(settings, urls, keys, connections=4) as opened:
            await _seed(opened)

    asyncio.run(run())


async def _seed(s: Services) -> None:
    content, found, instructions = load()
    await _refuse_strangers(s, content)
    made = Made()
    orgs = [await _org(s, org.name) for org in content.organisations]
    await _everybody(s, content, orgs, made)
    for org, described in zip(orgs, content.organisations, strict=True):
        owner = Actor("person", made.ids[described.owner.email], "owner")
        for name in described.projects:
            await _project(s, org.id, owner, found[name], instructions[name])
        crew = [made.ids[p.email] for p in content.annotators]
        for name in described.projects:
            await work_through(s.db, org.id, owner, found[name], crew, made.ids[content.reviewers[0].email])
        live, test = [await _key(s, org, mode) for mode in MODES]
        made.orgs.append({"name": org.name, "live_key": live, "test_key": test})
    document = {"url": s.settings.public_url, "people": made.people, "organisations": made.orgs}
    write_private(s.settings.home.demo_file, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


async def _refuse_strangers(s: Services, content: Content) -> None:
    """Only an empty database, or one with a demo that broke off, is taken."""
    known = {org.name for org in content.organisations}
    async with s.db.narrow("gate") as door:
        rows = await people_store.ORG_LIST.all(door)
        strangers = [row for row in rows if not row["demo"]]
        names = {door.seal.open(row["body"], At("org", row["org_id"]))["name"] for row in rows}
    if strangers or not names <= known:
        raise SeedFailed(
            "This database holds other organisations, so no demo is made in it.",
            hint="Start without --demo, or give the demo a home of its own: EVENHAND_HOME=/some/new/folder.",
        )


async def _org(s: Services, name: str) -> Org:
    try:
        return await people.find_org(s.db, name)
    except Missing:
        return await people.create_org(s.db, name, demo=True)


async def _everybody(s: Services, content: Content, orgs: list[Org], made: Made) -> None:
    spaces = [(await people.find_org(s.db, org.id, mode)).id for org in orgs for mode in MODES]
    await _person(s, content.operator, "operator", [], made)
    for org, described in zip(orgs, content.organisations, strict=True):
        own = [(await people.find_org(s.db, org.id, mode)).id for mode in MODES]
        await _person(s, described.owner, "owner", own, made)
    for who in content.annotators:
        await _person(s, who, "annotator", spaces, made)
    for who in content.reviewers:
        await _person(s, who, "reviewer", spaces, made)


async def _person(s: Services, who: DemoPerson, role: str, spaces: list[str], made: Made) -> None:
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    person = await people.add_person(s.db, who.email, who.name, password, operator=role == "operator")
    for space in spaces:
        await people.add_member(s.db, space, person, msgspec.convert(role, RoleName), shared=True)
    made.ids[who.email] = person
    made.people.append({"name": who.name, "role": role, "email": who.email, "password": password})


async def _key(s: Services, org: Org, mode: Mode) -> str:
    """A fresh key; those of an attempt that broke off are ended, since nobody was ever shown them."""
    space = await people.find_org(s.db, org.id, mode)
    async with s.db.tx(space.id, SYSTEM) as tx:
        for old in await people.list_keys(tx, mode):
            if old.name == KEY_NAME:
                await people.revoke_key(tx, old.id)
    return (await people.create_key(s.db, org.id, mode, name=KEY_NAME)).key


async def _project(s: Services, org_id: str, owner: Actor, described: DemoProject, instructions: str) -> None:
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

    report = await imports.import_lines(s.db, org_id, owner, project, chunk(), batch=batch, key=KEY_NAME)
    if report.failed:
        raise SeedFailed(f"The demo's task {report.errors[0].line} was refused: {report.errors[0].detail}")


def sign_ins(settings: Settings) -> list[str]:
    """Lines for the terminal: who can sign in, and with what."""
    try:
        found = msgspec.json.decode(settings.home.demo_file.read_bytes())
    except FileNotFoundError:
        return []
    out = ["", "  Sign in as any of these (they are kept in " + str(settings.home.demo_file) + "):", ""]
    for one in found["people"]:
        out.append(f"    {one['role']:<10} {one['email']:<22} {one['password']}   {one['name']}")
    out.append("")
    return out
