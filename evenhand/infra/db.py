"""PostgreSQL for request paths: one small pool for each role, and `Tx`, an open transaction that knows who asks."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import asyncpg

from evenhand.infra import context
from evenhand.infra.keys import Keys
from evenhand.infra.lending import Lending
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import Seal
from evenhand.pure.trouble import Busy

Role = Literal["app", "gate", "scheduler", "picker", "sequencer", "loader", "cleaner"]
Pool = Literal[Role, "desk"]


#: what the driver raises when the database is away, going or coming: nothing is wrong with what was asked
AWAY: tuple[type[BaseException], ...] = (
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver was in the middle of a reply when the connection went
    ConnectionError,
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `role` is the role in the organisation; `scopes` limit what an API key may do."""

    kind: Literal["person", "key", "system"]
    id: str
    role: str = ""
    scopes: frozenset[str] = frozenset({"read", "write"})


SYSTEM = Actor("system", "system", role="system")


@dataclass(slots=True)
class Tx:
    """An open transaction of one organisation. What takes it may touch the world."""

    conn: Any
    org_id: str
    actor: Actor
    now: datetime
    seal: Seal
    _renew: Any = None
    after_commit: list[Any] = field(default_factory=list[Any])

    async def renew(self) -> None:
        """Signs the context again: exports and imports that run past a minute call it for each chunk."""
        await self.conn.execute("select set_config('evenhand.ctx', $1, true)", self._renew())


@dataclass(slots=True)
class Narrow:
    """A connection of one of the narrow roles, for platform tables only."""

    conn: Any
    seal: Seal


ACQUIRE_S = 10.0
#: Connections of a role that stay open when nobody uses them; the others end after two minutes.
WARM = 4
#: Connections that next and submit share: a step takes a millisecond, so a few that stay warm do more than many, and no
#: export that holds the app's connections for minutes keeps an annotator waiting.
DESK = 4
#: A plan that is made while a table is small is kept while it grows: it must never be a scan of the whole table.
_PLANS = {"enable_seqscan": "off"}


async def _keep(_: Any) -> None:
    """Nothing to reset: settings are transaction-local, and a transaction ends with RESET ALL in the same round trip."""


class Database:
    """The pools. Open it with `async with Database(...)`. A pool connects when it is first used."""

    def __init__(self, urls: DatabaseUrls, keys: Keys, *, app_connections: int = 8) -> None:
        self._urls = urls
        self.keys = keys
        self._secret = keys.key("context")
        self._most: dict[Pool, int] = {
            "app": app_connections,
            "desk": DESK,
            "gate": DESK,
            "scheduler": 4,
            "picker": 1,
            "sequencer": 1,
            "loader": 2,
            "cleaner": 1,
        }
        self._pools: dict[Pool, Any] = {}
        self._lending: dict[Pool, Lending] = {}
        self.platform = Seal(keys, "")

    async def __aenter__(self) -> "Database":
        for role, most in self._most.items():
            self._pools[role] = await asyncpg.create_pool(
                self._urls.app if role == "desk" else getattr(self._urls, role),
                min_size=0,
                max_size=most,
                max_inactive_connection_lifetime=120,
                reset=_keep,
                server_settings={"application_name": f"evenhand {role}", **_PLANS},
                command_timeout=120,
            )
            self._lending[role] = Lending(self._pools[role], most, WARM)
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.terminate()  # who still wants a connection is told that the database is away

    def sign(self, conn: Any, org_id: str, actor_id: str) -> str:
        return context.mint(self._secret, org_id, actor_id, conn.get_server_pid())

    def seal(self, org_id: str) -> Seal:
        return Seal(self.keys, org_id)

    @asynccontextmanager
    async def connection(self, role: Pool) -> AsyncGenerator[Any]:
        """A connection of a role. Raises Busy when none comes free, and one of AWAY when the database cannot be reached:
        no other error, so that whoever asks again later has one list to know."""
        lending = self._lending[role]
        try:
            conn = await lending.acquire(ACQUIRE_S)
        except (TimeoutError, asyncpg.TooManyConnectionsError) as err:
            raise Busy("All database connections are in use.", hint="Try again in a moment.", retry_after_s=2) from err
        except OSError as err:  # its socket is not there yet: a missing file, but none that anybody asked for
            raise ConnectionError("the database cannot be reached") from err
        try:
            yield conn
        except BaseException:  # it may be in the middle of a reply
            await lending.release(conn, in_order=False)
            raise
        await lending.release(conn, in_order=True)

    @asynccontextmanager
    async def narrow(self, role: Role) -> AsyncGenerator[Narrow]:
        """One transaction of a narrow role."""
        async with self.connection(role) as conn, conn.transaction():
            yield Narrow(conn, self.platform)

    @asynccontextmanager
    async def tx(self, org_id: str, actor: Actor, *, role: Role = "app", read_only: bool = False) -> AsyncGenerator[Tx]:
        """One transaction inside an organisation's wall. Commits when the block ends, rolls back when it raises."""
        after: list[Any] = []
        async with self.connection(role) as conn:

            def signed() -> str:
                return self.sign(conn, org_id, actor.id)

            mode = "isolation level repeatable read read only" if read_only else ""
            # One round trip: the token is hexadecimal and dots, so it needs no quoting.
            await conn.execute(f"begin {mode}; select set_config('evenhand.ctx', '{signed()}', true)")
            tx = Tx(conn, org_id, actor, datetime.now(UTC), self.seal(org_id), signed, after)
            try:
                yield tx
            except BaseException:
                if not conn.is_closed():
                    await conn.execute("rollback; reset all")
                raise
            await conn.execute("commit; reset all")
        for call in after:
            await call()


async def chunks(rows: AsyncIterator[Any], size: int) -> AsyncIterator[list[Any]]:
    """Rows in lists of `size`."""
    held: list[Any] = []
    async for row in rows:
        held.append(row)
        if len(held) >= size:
            yield held
            held = []
    if held:
        yield held
