"""PostgreSQL for request paths: one small pool for each role, and `Tx`, an open transaction that knows who asks."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

import asyncpg

from evenhand.infra import context
from evenhand.infra.crypto.datakey import WrappedKey
from evenhand.infra.envelope import LIFE_S
from evenhand.infra.hearing import hear
from evenhand.infra.keyrings import DATA_KEYS, KEY_SERVICE, ORG_KEYS, Keyrings, KeyUnwrapped, Stored
from evenhand.infra.keys import Keys
from evenhand.infra.kms.choice import Choice, open_service
from evenhand.infra.kms.local import LocalKeys
from evenhand.infra.kms.port import KeyService
from evenhand.infra.lending import Lending
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At, KeyUnknown, KeyUseNotLogged, Seal, platform_seal
from evenhand.pure.trouble import Busy, Denied

T = TypeVar("T")
Role = Literal["app", "gate", "scheduler", "picker", "sequencer", "loader", "cleaner", "reporter"]
Pool = Literal[Role, "desk", "keys"]


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
    """Who asks. `role` is the role in the organisation; `scopes` limit what an API key may do. `only` and `barred`: the
    spaces that a person's session is bound to, and those whose networks it was not seen in. `session`: the
    hash of the token of a person's session, where there is one. `grant`: the customer's grant by which somebody of the
    operator's reads."""

    kind: Literal["person", "key", "system"]
    id: str
    role: str = ""
    scopes: frozenset[str] = frozenset({"read", "write"})
    session: bytes = b""
    only: frozenset[str] | None = None
    barred: frozenset[str] = frozenset()
    grant: str = ""

    def may_enter(self, org_id: str) -> bool:
        return (self.only is None or org_id in self.only) and org_id not in self.barred


class NotFromHere(Denied):
    hint = "Sign in as yourself, or from one of the organisation's networks."


SYSTEM = Actor("system", "system", role="system")


class Settling(Protocol):
    """What gathers during a transaction, and is written at its end."""

    async def settle(self, tx: "Tx") -> None: ...


@dataclass(slots=True)
class Tx:
    """An open transaction of one organisation. What takes it may touch the world."""

    conn: Any
    org_id: str
    actor: Actor
    now: datetime
    seal: Seal
    _sign: Callable[[], str]
    _rings: Keyrings
    after_commit: list[Any] = field(default_factory=list[Any])
    before_commit: dict[str, Settling] = field(default_factory=dict[str, Settling])

    async def renew(self) -> None:
        """Signs the context and asks for the keys again: exports that run past a minute call it for each chunk."""
        await self.unlock()
        await self.conn.execute("select set_config('evenhand.ctx', $1, true)", self._sign())

    def context(self) -> str:
        """The signed context, for a function of the database that has it checked itself."""
        return self._sign()

    async def unlock(self) -> None:
        """Asks for the keys. Needed in an `unproved` transaction only, once what the actor names was found."""
        self.seal = await self._rings.seal(self.org_id)

    async def seal_of(self, project_id: str) -> Seal:
        """The seal, with the key of a project that another process may have made a moment ago."""
        return await self._rings.seal(self.org_id, project_id)

    async def new_key(self, project_id: str) -> WrappedKey:
        """A key for a project that this transaction makes; it has to store it (DATA_KEY_PUT)."""
        return await self._rings.new_project_key(self.org_id, project_id)


@dataclass(slots=True)
class Narrow:
    """A connection of one of the narrow roles, for platform tables only."""

    conn: Any
    seal: Seal


#: Writes a fact, and gives its id. Facts stand above the transactions that they are written in, so it is handed in.
Record = Callable[[Tx, Any], Awaitable[str]]

ACQUIRE_S = 10.0
#: Connections of a role that stay open when nobody uses them; the others end after two minutes.
WARM = 4
#: Connections that next and submit share: a step takes a millisecond, so a few that stay warm do more than many, and no
#: export that holds the app's connections for minutes keeps an annotator waiting.
DESK = 4
#: A plan that is made while a table is small is kept while it grows: it must never be a scan of the whole table.
_PLANS = {"enable_seqscan": "off"}
#: Pools whose statements find a few rows by their keys. A plan for each call's values would seem cheaper there, and making it
#: anew each time takes longer than running it.
_PLANNED_ONCE: tuple[Pool, ...] = ("desk", "gate", "picker", "scheduler")


#: Seconds after which a statement is given up: those that look at a few rows, and those that work through many. Silence for
#: as long as a look may take means that nobody is there: a network swallows everything and never says so.
_LOOK_S, _WORK_S = 10.0, 60.0
_PATIENCE_S: dict[Pool, float] = {
    "desk": _LOOK_S, "gate": _LOOK_S, "keys": _LOOK_S, "picker": _LOOK_S, "scheduler": 30.0, "app": _WORK_S,
}  # fmt: skip
_MOST_PATIENT_S = 120.0
_ROLLBACK_S = 5.0


@contextmanager
def _heard(conn: Any, *, within_s: float) -> Generator[None]:
    """A connection that does not answer is ended at once: any further word on it would wait without end."""
    try:
        yield
    except TimeoutError as err:
        _end(conn)
        if within_s <= _LOOK_S:
            raise ConnectionError("the database does not answer") from err
        raise


async def _keep(_: Any) -> None:
    """Nothing to reset: settings are transaction-local, and a transaction ends with RESET ALL in the same round trip."""


class Database:
    """The pools. Open it with `async with Database(...)`. A pool connects when it is first used."""

    def __init__(
        self,
        urls: DatabaseUrls,
        keys: Keys,
        key_service: LocalKeys,
        record: Record,
        *,
        app_connections: int = 8,
        media_base: str = "",
        key_life_s: float = LIFE_S,
        session_idle_s: float = 12 * 3600,
        process: str = "evenhand",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key_service` wraps the keys of organisations that have chosen no other; what is released is used for `key_life_s`
        seconds of `clock`, and `record` (facts.record) writes that it was. `process`: what this is, for the events that say
        who opened a key. `media_base`: where links to files lead, "" for the host that a page comes from.
        A session that nobody uses for `session_idle_s` seconds is over."""
        self._urls = urls
        self.keys = keys
        self.key_service = key_service
        self.media_base = media_base
        self.session_idle_s = session_idle_s
        self.process = f"{process} {os.getpid()}"
        self.keyrings = Keyrings(
            self.wrapped_keys, on_release=self._released, process=self.process, life_s=key_life_s, clock=clock
        )
        self._record = record
        self._services: dict[str, tuple[bytes, KeyService]] = {}
        self._secret = keys.key("context")
        self._most: dict[Pool, int] = {
            "app": app_connections,
            "desk": DESK,
            "keys": 1,
            "gate": DESK,
            "scheduler": 4,
            "picker": 1,
            "sequencer": 1,
            "loader": 2,
            "cleaner": 1,
            "reporter": 1,
        }
        self._pools: dict[Pool, Any] = {}
        self._lending: dict[Pool, Lending] = {}
        self.platform = platform_seal(keys)

    async def __aenter__(self) -> "Database":
        for role, most in self._most.items():
            self._pools[role] = await asyncpg.create_pool(
                self._urls.app if role in ("desk", "keys") else getattr(self._urls, role),
                min_size=0,
                max_size=most,
                max_inactive_connection_lifetime=120,
                reset=_keep,
                server_settings={
                    "application_name": f"evenhand {role}",
                    "plan_cache_mode": "force_generic_plan" if role in _PLANNED_ONCE else "auto",
                    **_PLANS,
                },
                command_timeout=_PATIENCE_S.get(role, _MOST_PATIENT_S),
            )
            self._lending[role] = Lending(self._pools[role], most, WARM)
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.terminate()  # who still wants a connection is told that the database is away

    def sign(self, conn: Any, org_id: str, actor_id: str) -> str:
        return context.mint(self._secret, org_id, actor_id, conn.get_server_pid())

    @asynccontextmanager
    async def hearing(self) -> AsyncGenerator[None]:
        """Meanwhile, keys that another process changes or destroys are noticed here at once."""
        task = asyncio.create_task(hear(self._urls.app, self.keyrings.hear, self.keyrings.hear_all))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def seal(self, org_id: str, project_id: str = "") -> Seal:
        """The seal of an organisation, without a call of the database while its keys and that of the project are in hand.
        It comes also where its keys do not: using it then says why."""
        return await self.keyrings.seal(org_id, project_id)

    async def learn(self, err: KeyUnknown) -> None:
        """Reads the keys that were missing. Whoever got the error tries once more then."""
        await self.keyrings.learn(err.org_id, err.project_id, err.version)

    async def open_as(self, seal: Seal, sealed: bytes, kind: type[T], at: At) -> T:
        """As seal.open_as, once more with what another process has made or rotated since."""
        try:
            return seal.open_as(sealed, kind, at)
        except KeyUnknown as err:
            await self.learn(err)
            return seal.open_as(sealed, kind, at)

    async def within(self, org_id: str, actor: Actor, work: Callable[[Tx], Awaitable[T]]) -> T:
        """What `work` gives, in a transaction; in a second one where a key of another process had to be learned."""
        try:
            async with self.tx(org_id, actor) as tx:
                return await work(tx)
        except KeyUnknown:
            async with self.tx(org_id, actor) as tx:
                return await work(tx)

    async def _released(self, seal: Seal, event: KeyUnwrapped) -> None:
        """The event of a key that was opened, before anybody gets it."""
        org_id = event.about
        try:
            async with self._walled("keys", org_id, SYSTEM.id, "") as conn:
                sign = partial(self.sign, conn, org_id, SYSTEM.id)
                await self._record(Tx(conn, org_id, SYSTEM, datetime.now(UTC), seal, sign, self.keyrings), event)
        except AWAY:
            raise
        except asyncpg.PostgresError as err:
            raise KeyUseNotLogged("The use of the key could not be logged, so it is not released.") from err

    async def wrapped_keys(self, org_id: str) -> Stored | None:
        """What is stored of an organisation's keys, and the service that opens them.

        By a connection that is for nothing else: whoever waits for keys may hold one of any other kind."""
        async with self._walled("keys", org_id, SYSTEM.id, "read only") as conn:
            on = Narrow(conn, self.platform)
            rows = await ORG_KEYS.all(on, org=org_id)
            under = await DATA_KEYS.all(on, org=org_id)
            chosen = await KEY_SERVICE.maybe(on, org=org_id)
        data_keys: dict[str, list[WrappedKey]] = {}
        for row in under:
            data_keys.setdefault(row["project_id"], []).append(WrappedKey(row["version"], row["under"], row["wrapped"]))
        if not rows or "" not in data_keys:
            return None
        service, where = self._service(org_id, chosen["body"] if chosen is not None else None)
        org_keys = [WrappedKey(row["version"], 0, row["wrapped"]) for row in rows]
        return Stored(rows[-1]["key_id"], org_keys, data_keys, service, where)

    def _service(self, org_id: str, chosen: bytes | None) -> tuple[KeyService, str]:
        """The service of an organisation, the same object as long as its choice stays."""
        if chosen is None:
            return self.key_service, "this installation"
        choice = self.platform.open_as(chosen, Choice, At("key_service", org_id))
        held = self._services.get(org_id)
        if held is None or held[0] != chosen:
            held = self._services[org_id] = (chosen, open_service(choice, self.key_service))
        return held[1], choice.where

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
            with _heard(conn, within_s=_PATIENCE_S.get(role, _MOST_PATIENT_S)):
                yield conn
        except BaseException:  # it may be in the middle of a reply
            await lending.release(conn, in_order=False)
            raise
        await lending.release(conn, in_order=True)

    @asynccontextmanager
    async def narrow(self, role: Role) -> AsyncGenerator[Narrow]:
        """One transaction of a narrow role."""
        async with self.connection(role) as conn, conn.transaction():
            with _heard(conn, within_s=_PATIENCE_S.get(role, _MOST_PATIENT_S)):
                yield Narrow(conn, self.platform)

    @asynccontextmanager
    async def tx(
        self, org_id: str, actor: Actor, *, role: Role = "app", read_only: bool = False, unproved: bool = False
    ) -> AsyncGenerator[Tx]:
        """One transaction inside an organisation's wall. Commits when the block ends, rolls back when it raises.

        `unproved`: nobody has said yet that the actor belongs here, so no keys are asked for: whether there are any, and
        how long that takes, is nothing for a stranger to learn."""
        if not actor.may_enter(org_id):
            raise NotFromHere("This session does not reach into that organisation.")
        after: list[Any] = []
        seal = Seal(org_id) if unproved else await self.seal(org_id)
        mode = "isolation level repeatable read read only" if read_only else ""
        try:
            async with self._walled(role, org_id, actor.id, mode) as conn:

                def sign() -> str:
                    return self.sign(conn, org_id, actor.id)

                made = Tx(conn, org_id, actor, datetime.now(UTC), seal, sign, self.keyrings, after)
                yield made
                for each in made.before_commit.values():
                    await each.settle(made)
        except KeyUnknown as err:  # of a project that another process has just made: whoever tries again has it
            await self.learn(err)
            raise
        for call in after:
            await call()

    @asynccontextmanager
    async def _walled(self, pool: Pool, org_id: str, actor_id: str, mode: str) -> AsyncGenerator[Any]:
        """A connection in a transaction whose context is signed."""
        async with self.connection(pool) as conn:
            # One round trip: the token is hexadecimal and dots, so it needs no quoting.
            token = self.sign(conn, org_id, actor_id)
            with _heard(conn, within_s=_LOOK_S):
                await conn.execute(f"begin {mode}; select set_config('evenhand.ctx', '{token}', true)", timeout=_LOOK_S)
            try:
                with _heard(conn, within_s=_MOST_PATIENT_S):
                    yield conn
            except BaseException:  # of the block, cancelled too
                await _roll_back(conn)
                raise
            await conn.execute("commit; reset all")


async def _roll_back(conn: Any) -> None:
    """Or ends the connection, and the transaction with it."""
    try:
        if not conn.is_closed():
            async with asyncio.timeout(_ROLLBACK_S):
                await conn.execute("rollback; reset all")
    except (TimeoutError, *AWAY):
        _end(conn)


def _end(conn: Any) -> None:
    with suppress(asyncpg.InterfaceError):  # it has ended, and the pool has taken it back by itself
        conn.terminate()


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
