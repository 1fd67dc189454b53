"""The native API of this installation for one command, whether its server runs or not: the application, on a socket in
a private folder, with a key that lives as long as the command. What it does stands in the customer's audit trail.
"""

import asyncio
import tempfile
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import uvicorn

from evenhand.app.http.server import build
from evenhand.app.listening import listen
from evenhand.app.opening import database, services
from evenhand.app.scale.door import scale_routes
from evenhand.app.services import Services
from evenhand.app.settings import Settings, settings_from_environment
from evenhand.features.people import actions as people
from evenhand.features.people.types import Mode
from evenhand.infra.db import SYSTEM
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.pure.trouble import Invalid, Missing

_KEY_LIFE = timedelta(hours=24)


@contextmanager
def served_here(org: str | None, mode: Mode, key: str) -> Generator[tuple[str, str]]:
    """(socket, key) of the application; a key that is given is used as it is."""
    settings = settings_from_environment()
    with database(settings) as (urls, keys), _Door(settings, urls, keys, org, mode, key) as door:
        yield door.socket, door.key


async def _the_org(s: Services, ref: str | None) -> str:
    """The organisation that is meant: the one named, or the only one."""
    if ref:
        return (await people.find_org(s.db, ref)).id
    orgs = await people.list_orgs(s.db)
    if not orgs:
        raise Missing("There is no organisation yet.", hint="Make one: evenhand org create NAME")
    if len(orgs) > 1:
        names = ", ".join(org.name for org in orgs[:5])
        raise Invalid("Which organisation is meant?", hint=f"Add --org with one of: {names}.")
    return orgs[0].id


class _Door:
    """The application on a private socket, in a thread of this process, for as long as the block runs."""

    def __init__(
        self, settings: Settings, urls: DatabaseUrls, keys: Keys, org: str | None, mode: Mode, key: str
    ) -> None:
        self.key = key
        self.socket = ""
        self._settings, self._urls, self._keys, self._org = settings, urls, keys, org
        self._mode: Mode = mode
        self._ready, self._failed = threading.Event(), None
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="evenhand door", daemon=True)

    _failed: BaseException | None

    def __enter__(self) -> "_Door":
        listen()
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # its loop is closed: it has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=15)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as err:  # of a thread: it is raised again where the command waits
            self._failed = err
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with services(self._settings, self._urls, self._keys, connections=4) as opened, self._own_key(opened):
            with tempfile.TemporaryDirectory(prefix="evenhand-") as folder:  # made with mode 0700
                self.socket = f"{folder}/door"
                await self._answer(opened, self._stop)

    async def _answer(self, opened: Services, stop: asyncio.Event) -> None:
        @asynccontextmanager
        async def same() -> AsyncGenerator[Services]:
            yield opened

        app = build(self._settings, same, scale_routes)
        config = uvicorn.Config(
            app, uds=self.socket, http="httptools", lifespan="on", access_log=False, log_config=None,
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110  (uvicorn has no event for it)
            await asyncio.sleep(0.005)
        self._ready.set()
        await stop.wait()
        server.should_exit = True
        await serving

    @asynccontextmanager
    async def _own_key(self, s: Services) -> AsyncGenerator[None]:
        """A key for this command only, ended with it; a killed command's ends by itself within a day."""
        if self.key:
            yield
            return
        org = await _the_org(s, self._org)
        made = await people.create_key(
            s.db, org, self._mode, name="command line", expires_at=datetime.now(UTC) + _KEY_LIFE
        )
        self.key = made.key
        try:
            yield
        finally:
            space = (await people.find_org(s.db, org, self._mode)).id
            async with s.db.tx(space, SYSTEM) as tx:
                await people.revoke_key(tx, made.id)
