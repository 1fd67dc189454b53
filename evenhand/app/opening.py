"""The installation as a command finds it: its database reachable and migrated, whether a server runs or not."""

import asyncio
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.infra.db import Database
from evenhand.infra.facts import record
from evenhand.infra.home import Home
from evenhand.infra.keys import Keys, load_keys
from evenhand.infra.kms.local import LocalKeys
from evenhand.infra.migrate import migrate
from evenhand.infra.objects import Objects
from evenhand.infra.postgres.roles import DatabaseUrls, prepare, prepare_external
from evenhand.infra.postgres.server import Server, server_of

URL_VARIABLE = "EVENHAND_DATABASE_URL"
_LAST_WORD_S = 2.0


def key_service(home: Home, keys: Keys) -> LocalKeys:
    """The service that keeps the customers' keys: a folder among the installation's keys, sealed under the master."""
    return LocalKeys(home.keys / "kms", keys.key("kms-root"))


def reach(settings: Settings, server: Server | None) -> tuple[DatabaseUrls, Keys]:
    """Roles made, schema up to date. `server` is the embedded one, running; None means EVENHAND_DATABASE_URL."""
    home = settings.home
    keys = load_keys(home.keys)
    if server is None:
        urls = prepare_external(os.environ[URL_VARIABLE], passwords=home.database_keys)
    else:
        urls = prepare(server.admin_url, passwords=home.database_keys)
    migrate(urls.owner, keys.key("context"))
    return urls, keys


@contextmanager
def database(settings: Settings) -> Generator[tuple[DatabaseUrls, Keys]]:
    """The database for a command: the running server's, else one that is started for the length of the command."""
    settings.home.make()
    if os.environ.get(URL_VARIABLE):
        yield reach(settings, None)
        return
    server = server_of(settings.home)
    if server.running():
        yield reach(settings, server)
        return
    with server:
        yield reach(settings, server)


@asynccontextmanager
async def services(
    settings: Settings, urls: DatabaseUrls, keys: Keys, *, connections: int = 8, process: str = "command"
) -> AsyncGenerator[Services]:
    """Open services in this process."""
    async with Database(
        urls,
        keys,
        key_service(settings.home, keys),
        record,
        app_connections=connections,
        media_base=settings.media_url,
        key_life_s=settings.key_life_s,
        session_idle_s=settings.session_idle_s,
        process=process,
    ) as db:
        opened = Services(settings, db, Objects(settings.home.objects, settings.storage_bytes))
        telling = asyncio.create_task(opened.refusals.run(db)) if process == "web" else None
        try:
            yield opened
        finally:
            if telling is not None:
                telling.cancel()
                with suppress(TimeoutError):  # a database that is silent just now keeps nobody from stopping
                    async with asyncio.timeout(_LAST_WORD_S):
                        await opened.refusals.tell(db, last=True)
