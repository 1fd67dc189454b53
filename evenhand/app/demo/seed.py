"""Making the demo through the same actions that people use. Every step looks first what is there already, so that a
start that was killed half-way is simply run again; demo.json is written last and says that the demo is whole."""

import asyncio
import secrets
from dataclasses import dataclass, field

import msgspec

from evenhand.app.demo.content import Content, DemoPerson, SeedFailed, load
from evenhand.app.demo.finished import work_through
from evenhand.app.demo.neutral import publish_simulated
from evenhand.app.demo.projects import make_project
from evenhand.app.demo.watch import keep_watch, leave
from evenhand.app.listening import listen
from evenhand.app.opening import services
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.features.grants import figures
from evenhand.features.people import actions as people
from evenhand.features.people import store as people_store
from evenhand.features.people.types import Mode, Org, RoleName
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
    leaver = await _leaver(s, content.leaver, [org.id for org in orgs])
    staff = [made.ids[p.email] for p in content.operators]
    places: list[tuple[str, str]] = []
    for org, described in zip(orgs, content.organisations, strict=True):
        owner = Actor("person", made.ids[described.owner.email], "owner")
        made_here = [
            await make_project(s, org.id, owner, found[name], instructions[name]) for name in described.projects
        ]
        places.append((org.id, made_here[0]))
        crew = [made.ids[p.email] for p in content.annotators]
        for name in described.projects:
            await work_through(s.db, org.id, owner, found[name], crew, made.ids[content.reviewers[0].email])
        if len(made_here) > 1:
            await keep_watch(s, org.id, owner, staff, made_here)
        live, test = [await _key(s, org, mode) for mode in MODES]
        made.orgs.append({"name": org.name, "live_key": live, "test_key": test})
    if leaver is not None:
        await leave(s, leaver, staff[0], places)
    await publish_simulated(s.db)
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
    for who in content.operators:
        await _person(s, who, "operator", [], made)
    await _person(s, content.director, "director", [], made)
    await figures.set_director(s.db, content.director.email)
    for org, described in zip(orgs, content.organisations, strict=True):
        own = [(await people.find_org(s.db, org.id, mode)).id for mode in MODES]
        await _person(s, described.owner, "owner", own, made)
        if described.manager is not None:
            await _person(s, described.manager, "manager", own, made)
        if described.viewer is not None:
            await _person(s, described.viewer, "viewer", own, made)
    for who in content.annotators:
        await _person(s, who, "annotator", spaces, made)
    for who in content.reviewers:
        await _person(s, who, "reviewer", spaces, made)


async def _leaver(s: Services, who: DemoPerson, spaces: list[str]) -> str | None:
    """Somebody of the pool who will have left: nobody signs in as them. None: they have."""
    if who.email in {one.email for one, state in await people.people_overview(s.db) if state == "left"}:
        return None
    unseen = Made()
    await _person(s, who, "annotator", spaces, unseen)
    return unseen.ids[who.email]


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
