"""Real things for the tests: a migrated template database, a copy of it for a test, the application over it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenhand.app import worker
from evenhand.app.http.server import build
from evenhand.app.opening import key_service
from evenhand.app.scale.door import scale_routes
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.features.people import actions as people
from evenhand.features.trust import bundles
from evenhand.infra.db import SYSTEM, Actor, Database
from evenhand.infra.facts import person_alias, record
from evenhand.infra.home import Home
from evenhand.infra.jobs import Worker
from evenhand.infra.keys import Keys
from evenhand.infra.migrate import migrate
from evenhand.infra.objects import Objects
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.authenticator import Authenticator, add_passkey
from tests.pg import TestServer, pg_server

__all__ = ["pg_server"]
PASSWORD = "correct horse battery"
KEYS = Keys(b"evenhand tests use this one key.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks a database of the application gets the mark `database`; tests that take both servers do not need it."""
    for item in items:
        asks: set[str] = set(getattr(item, "fixturenames", ()))
        if "bin_dir" not in asks and (
            "pg_server" in asks or (asks & {"server", "served", "still"} and "tests/app" in item.nodeid)
        ):
            item.add_marker(pytest.mark.database)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def template(pg_server: TestServer) -> str:
    """A migrated database that tests copy."""
    name = pg_server.clone_database(name="evenhand_template")
    migrate(pg_server.urls_of(name).owner, KEYS.key("context"))
    return name


@pytest.fixture
def urls(pg_server: TestServer, template: str) -> Iterator[DatabaseUrls]:
    with pg_server.cloned(template) as found:
        yield found


@pytest.fixture
async def db(urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(urls, KEYS, key_service(Home(tmp_path / "home"), KEYS), record) as opened:
        yield opened


@dataclass
class Customer:
    """An organisation with its keys and its owner."""

    live: str
    test: str
    name: str
    live_key: str
    test_key: str
    owner: str
    owner_email: str

    @property
    def actor(self) -> Actor:
        return Actor("person", self.owner, "owner")


@dataclass
class Browser:
    """A signed-in person: cookies and the CSRF token."""

    client: httpx.AsyncClient
    person: str
    csrf: str
    org: str = ""

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"x-evenhand-csrf": self.csrf, **options.pop("headers", {})}
        if self.org:
            headers["evenhand-org"] = self.org
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.ask("POST", path, json=json, **options)


@dataclass
class World:
    """The application over a database of its own, and what tests do with it."""

    services: Services
    app: Any
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])
    passkeys: dict[str, Authenticator] = field(default_factory=dict[str, Authenticator])

    @property
    def db(self) -> Database:
        return self.services.db

    def client(self, **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        made = httpx.AsyncClient(transport=transport, base_url="http://localhost:8080", **options)
        self.clients.append(made)
        return made

    def keyed(self, key: str) -> httpx.AsyncClient:
        return self.client(headers={"authorization": f"Bearer {key}"})

    async def customer(self, name: str) -> Customer:
        org = await people.create_org(self.db, name)
        test = await people.find_org(self.db, org.id, "test")
        live_key = await people.create_key(self.db, org.id, "live")
        test_key = await people.create_key(self.db, org.id, "test")
        email = f"owner@{name.lower().replace(' ', '-')}.example"
        owner = await people.add_person(self.db, email, f"Owner of {name}", PASSWORD)
        for space in (org.id, test.id):
            await people.add_member(self.db, space, owner, "owner")
        return Customer(org.id, test.id, name, live_key.key, test_key.key, owner, email)

    async def worker(self, email: str, *orgs: str, role: Any = "annotator", shared: bool = False) -> str:
        person = await people.add_person(self.db, email, email.split("@")[0], PASSWORD)
        for org in orgs:
            await people.add_member(self.db, org, person, role, shared=shared)
        return person

    async def browser(self, email: str, org: str = "") -> Browser:
        """Signs somebody in. Customers' owners and `worker`s are demo people, to whom a password is enough on this home;
        whoever came by a link makes a passkey the first time, and uses it from then on."""
        client, key = self.client(), self.passkeys.get(email)
        if key is None:
            reply = await client.post("/api/v1/session", json={"email": email, "password": PASSWORD})
        else:
            begun = (await client.post("/api/v1/session/passkey")).json()
            answer = {"token": begun["token"], "credential": key.get(begun["options"])}
            reply = await client.post("/api/v1/session/passkey/confirm", json=answer)
        assert reply.status_code == 200, reply.text
        found = reply.json()
        made = Browser(client, found["person"]["id"], found["csrf"], org)
        if found["enrol"]:
            self.passkeys[email] = await add_passkey(made)
        return made

    async def alias(self, org: str, person: str) -> str:
        """The id under which the customer of a space knows a person."""
        return person_alias(await self.db.seal(org), person)

    async def drain(self) -> int:
        """Runs the jobs that are due, and the sweep."""
        done = await Worker(self.db, worker.handlers(self.services)).drain()
        await worker.sweep(self.services)
        return done

    async def system(self, org: str) -> Any:
        return self.db.tx(org, SYSTEM)


def settings_for(folder: Path) -> Settings:
    return Settings(Home(folder / "home"), 8080, "http://localhost:8080")


@asynccontextmanager
async def world_of(settings: Settings, db: Database) -> AsyncIterator[World]:
    """The whole application, in this process, over a database that is open."""
    services = Services(settings, db, Objects(settings.home.objects, settings.storage_bytes))

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        yield services

    app = build(settings, opened, scale_routes)
    # the lifespan only hands the services over; this process holds them already
    inner = app._app  # type: ignore[attr-defined]
    made = World(services, app)
    async with inner.router.lifespan_context(inner):
        yield made
    for client in made.clients:
        await client.aclose()


@pytest.fixture
async def one_window() -> None:
    """Tries are counted by quarters of an hour: who counts them does not begin shortly before the end of one."""
    left = 900 - time.time() % 900
    if left < 30:
        await asyncio.sleep(left + 0.2)


@pytest.fixture
def nobody_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sequencer runs beside the test, so evidence is refused at once and not after a wait for it."""
    monkeypatch.setattr(bundles, "WAIT_S", 0.0)


@pytest.fixture
async def world(urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[World]:
    """The whole application, in this process, over real PostgreSQL."""
    settings = settings_for(tmp_path)
    settings.home.make()
    worker.listen()
    service = key_service(settings.home, KEYS)
    async with (
        Database(urls, KEYS, service, record, media_base=settings.media_url) as db,
        world_of(settings, db) as made,
    ):
        yield made
