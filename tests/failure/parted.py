"""A server whose database is elsewhere, and the way between them, which can be cut or go silent."""

import asyncio
import contextlib
import shutil
import socket
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from evenhand.infra.postgres.roles import connection_info
from tests.failure.running import Running
from tests.pg import TestServer


class Way:
    """Passes what comes on to the database. `cut`: refuses and breaks off, as a machine that was switched off and on.
    `silence`: takes everything and passes nothing on, as a switch that died."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._meet, sock=self._listening))
        self._loop.run_forever()
        self._server.close()
        if left := asyncio.all_tasks(self._loop):  # what was cut ends by itself
            self._loop.run_until_complete(asyncio.wait(left, timeout=2))
        self._loop.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            await self._open.wait()
            inner_reader, inner = await asyncio.open_unix_connection(self._upstream)
            self._writers.add(inner)
            await asyncio.gather(self._pump(reader, inner), self._pump(inner_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
        self._writers.discard(writer)

    def _do(self, act: Callable[[], Any]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (act(), done.set()))
        assert done.wait(5)

    def _break_off(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def cut(self) -> None:
        self._refusing = True
        self._do(self._break_off)

    def silence(self) -> None:
        self._do(self._open.clear)

    def heal(self) -> None:
        """New connections pass; of the old ones, those that are still held get what was kept back."""
        self._refusing = False
        self._do(self._open.set)

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


@dataclass
class Parted(Running):
    """`evenhand up` on a PostgreSQL that somebody else runs, reached over TCP through `way`."""

    server: TestServer = field(kw_only=True)
    way: Way = field(kw_only=True)

    @property
    def environment(self) -> dict[str, str]:
        owner = connection_info(self.server.urls.owner)
        login = f"{quote(str(owner['user']))}:{quote(str(owner['password']))}"
        url = f"postgresql://{login}@127.0.0.1:{self.way.port}/{owner['dbname']}"
        return {**super().environment, "EVENHAND_DATABASE_URL": url}

    def database(self) -> psycopg.Connection[Any]:
        """Not through the way."""
        return psycopg.connect(self.server.admin_url_of("evenhand"), autocommit=True)


@contextlib.contextmanager
def parted(folder: Path, port: int, server: TestServer) -> Generator[Parted]:
    info = connection_info(server.urls.owner)
    way = Way(f"{info['host']}/.s.PGSQL.{info.get('port') or 5432}")
    made = Parted(folder, port, server=server, way=way)
    made.settings.home.make()
    # the roles are there already; a server that comes to them needs their passwords
    made.settings.home.database_keys.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(server.home.database_keys, made.settings.home.database_keys)
    try:
        made.start()
        yield made
    finally:
        made.end()
        way.close()
