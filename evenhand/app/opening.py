"""The installation as a command finds it: its database reachable and migrated, whether a server runs or not."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
import os
from pathlib import Path

from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.infra.db import Database
from evenhand.infra.keys import Keys, load_keys
from evenhand.infra.migrate import migrate
from evenhand.infra.objects import Objects
from evenhand.infra.postgres.roles import DatabaseUrls, prepare, prepare_external
from evenhand.infra.postgres.server import Server

URL_VARIABLE = "EVENHAND_DATABASE_URL"
BIN_VARIABLE = "EVENHAND_PG_BIN"


def embedded_server(settings: Settings) -> Server:
    """Our own PostgreSQL, not started yet."""
    home = settings.home
    given = os.environ.get(BIN_VARIABLE, "")
    return Server(home.pg, home.run, Path(given) if given else None, password_file=home.superuser_key)


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
    server = embedded_server(settings)
    if server.running():
        yield reach(settings, server)
        return
    with server:
        yield reach(settings, server)


@asynccontextmanager
async def services(
    settings: Settings, urls: DatabaseUrls, keys: Keys, *, connections: int = 8
) -> AsyncGenerator[Services]:
    """Open services in this process."""
    async with Database(urls, keys, app_connections=connections) as db:
        yield Services(settings, db, Objects(settings.home.objects))
