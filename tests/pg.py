"""A real PostgreSQL for the tests: one a test process, made in half a second, gone with it.

EVENHAND_TEST_PG_BIN names another bin folder than the embedded wheel's, for these servers and for those of `serving`:
`make test` runs the tests with the mark `database` a second time on Debian's 15. Durability is off: tests do not
survive a power cut anyway. tests/infra/postgres tests it on servers of its own.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from evenhand.infra.home import Home
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.postgres.server import Server
from tests.places import short_folder

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "120",
    "min_wal_size": "128MB",
}


BIN_VARIABLE = "EVENHAND_TEST_PG_BIN"


def bin_folder() -> Path | None:
    given = os.environ.get(BIN_VARIABLE, "")
    return Path(given) if given else None


def product_environment() -> dict[str, str]:
    """The environment for the product in a process of its own: nothing of whoever runs the tests, and our database."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("EVENHAND_")}
    chosen = bin_folder()
    return {**known, "EVENHAND_PG_BIN": str(chosen)} if chosen else known


@dataclass
class TestServer:
    """The server, the URLs of the empty database `evenhand`, and copies of any database."""

    __test__ = False

    server: Server
    home: Home
    urls: DatabaseUrls

    def urls_of(self, database: str) -> DatabaseUrls:
        """The same roles on another database of this server."""
        every = {name: roles.with_database(getattr(self.urls, name), database) for name in DatabaseUrls.__slots__}
        return replace(self.urls, **every)

    def admin_url_of(self, database: str) -> str:
        """The superuser's, for looking behind the wall in tests."""
        return roles.with_database(self.server.admin_url, database)

    def clone_database(self, template: str = roles.DATABASE, name: str | None = None) -> str:
        """A copy of `template` (nobody may be connected to that) with its owner and grants."""
        fresh = name or f"t_{secrets.token_hex(6)}"
        with psycopg.connect(self.server.admin_url, autocommit=True) as conn:
            conn.execute(
                # nothing here survives a power cut, so the files are copied as they are: half the CPU of the default
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                    sql.Identifier(fresh), sql.Identifier(template), sql.Identifier(roles.OWNER)
                )
            )
            roles.grant_database(conn, fresh)
        return fresh

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self.server.admin_url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def cloned(self, template: str = roles.DATABASE) -> Generator[DatabaseUrls]:
        """A copy for the length of a block."""
        name = self.clone_database(template)
        try:
            yield self.urls_of(name)
        finally:
            self.drop_database(name)


@contextmanager
def running_server(bin_dir: Path | None = None) -> Generator[TestServer]:
    """A server in a folder of its own, with roles and an empty database `evenhand`."""
    folder = short_folder("ev-pg-")
    home = Home(folder / "home").make()
    server = Server(home.pg, home.run, bin_dir or bin_folder(), settings=FAST, password_file=home.superuser_key)
    try:
        server.start()
        yield TestServer(server, home, roles.prepare(server.admin_url, passwords=home.database_keys))
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pg_server() -> Iterator[TestServer]:
    """One server for each test process (a worker of xdist is one)."""
    with running_server() as server:
        yield server
