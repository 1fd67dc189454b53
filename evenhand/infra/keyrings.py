"""The keyrings of a process: for every organisation that it works for, the seal that holds the keys of the minute.

Keys that are held cost no call. Every four minutes the wrapped keys are read again and the key service is asked again,
by whoever comes first; the others wait for that. A refusal is remembered for some seconds, so that a crowd does not ask
the service a thousand times. A service that takes the question and says nothing is waited for by nobody longer than two
seconds: what shares people or processes with its customer goes on, and so does the question.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from evenhand.infra.crypto.datakey import DataKey, KeyDestroyed, WrappedKey
from evenhand.infra.crypto.trouble import Altered, KeyAltered
from evenhand.infra.envelope import LIFE_S, PATIENCE_S, RENEW_AFTER, Keyring, Unwrap
from evenhand.infra.kms.port import KeyService, KeyServiceDown
from evenhand.infra.seal import KEYLESS, KeyUnknown, Seal, forget_content
from evenhand.infra.sql import Sql
from evenhand.pure.trouble import Trouble

log = logging.getLogger("evenhand.keys")
#: how long anybody waits for a key service, and how long once it was silent for that: the question itself may take longer
WAIT_S, SILENT_WAIT_S = 2.0, 0.05

ORG_KEYS = Sql(
    "org_keys",
    "select version, key_id, wrapped from evenhand.org_key where org_id = %(org)s order by version",
)
DATA_KEYS = Sql(
    "data_keys",
    """select project_id, version, under, wrapped from evenhand.data_key
        where org_id = %(org)s order by project_id, version""",
)
KEY_SERVICE = Sql("key_service", "select body from evenhand.key_service where org_id = %(org)s")
DATA_KEY_PUT = Sql(
    "data_key_put",
    """insert into evenhand.data_key (org_id, project_id, version, under, wrapped)
       values (%(org)s, %(project)s, %(version)s, %(under)s, %(wrapped)s)""",
)


@dataclass(frozen=True, slots=True)
class Stored:
    """Wrapped keys as they are stored: an organisation's, those under it by project ("": of its own rows), and the
    customer's key above them."""

    key_id: str
    org_keys: list[WrappedKey]
    data_keys: dict[str, list[WrappedKey]]
    service: KeyService
    where: str = "this installation"  # the service in words


@dataclass(slots=True)
class _Held:
    seal: Seal
    ring: Keyring
    stored: Stored
    ask_at: float = 0.0  # the reading of the clock at which the service is asked again
    until: float = 0.0  # and the one at which nothing of it can be used any more
    wrapped: dict[str, list[WrappedKey]] = field(default_factory=dict[str, list[WrappedKey]])
    #: made by this process, with the end of the time in which their transaction may still be open
    young: dict[str, tuple[float, WrappedKey]] = field(default_factory=dict[str, tuple[float, WrappedKey]])
    #: what was looked for in vain: projects without a key, and versions that nobody has
    gone: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    used: list[Unwrap] = field(default_factory=list[Unwrap])  # organisation keys that the service opened, not yet told
    refused: int = 0  # how often it refused since it opened one
    asking: asyncio.Task[None] | None = None  # the question to the service that is out
    silent: bool = False  # whether the last one was not answered in time

    def open_project(self, project_id: str) -> DataKey:
        wrapped = self.wrapped.get(project_id)
        if wrapped is None:
            raise KeyDestroyed() if (project_id, 0) in self.gone else KeyUnknown(self.seal.org_id, project_id)
        return self.ring.project_key(project_id, wrapped)

    def has(self, project_id: str, version: int) -> bool:
        return any(key.version >= version for key in self.wrapped.get(project_id, ()))

    async def note(self, used: Unwrap) -> None:
        """A line of the log for each use, by ids and versions only; those of the service are told the customer."""
        level = logging.DEBUG if used.outcome == "opened" else logging.WARNING
        log.log(level, "key %s of %s, version %d: %s", used.level, used.scope.org_id, used.version, used.outcome)
        if used.level == "organisation" and used.outcome == "opened":
            self.used.append(used)
        elif used.level == "organisation":
            self.refused += 1


class KeyUnwrapped(msgspec.Struct, frozen=True):
    """An organisation key was opened by its service, for a process, and with it the keys under it.

    `versions`: those that were opened. `keys`: how many keys lie under them; `list_sha256`: of their list, one line each with
    project and version, in order. `refused`: how often the service said no since it last said yes."""

    about: str
    service: str
    key: str
    versions: str
    keys: int
    list_sha256: str
    purpose: str
    process: str
    refused: int


def unwrapped(stored: Stored, used: Sequence[Unwrap], purpose: str, process: str, refused: int = 0) -> KeyUnwrapped:
    """The event of organisation keys that were opened."""
    versions = sorted({each.version for each in used})
    lines = sorted(
        f"{project} {key.version}\n"
        for project, keys in stored.data_keys.items()
        for key in keys
        if key.under in versions
    )
    listed = sha256("".join(lines).encode()).hexdigest()
    said = ",".join(map(str, versions))
    org_id = used[0].scope.org_id
    return KeyUnwrapped(org_id, stored.where, stored.key_id, said, len(lines), listed, purpose, process, refused)


OnRelease = Callable[[Seal, KeyUnwrapped], Awaitable[None]]
"""Awaited before anybody gets the keys. The seal holds them, so that the event can be sealed."""


async def new_keys(org_id: str, service: KeyService, key_id: str) -> Stored:
    """The first keys of an organisation, to be stored before anything is sealed under them."""
    ring = Keyring(org_id, service, key_id, [], on_unwrap=_nothing)
    return Stored(key_id, [await ring.new_org_key()], {"": [await ring.new_project_key("")]}, service)


async def _nothing(used: Unwrap) -> None:
    """Keys that are made are not opened."""


class Keyrings:
    """Seals of one process and one event loop. `read` gives what is stored for an organisation, None for a stranger."""

    def __init__(
        self,
        read: Callable[[str], Awaitable[Stored | None]],
        *,
        on_release: OnRelease,
        process: str = "evenhand",
        life_s: float = LIFE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._on_release = on_release
        self._process = process
        self.life_s = life_s
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._flights: dict[str, asyncio.Task[Seal]] = {}
        self._changes: dict[
            str, int
        ] = {}  # how often an organisation's wrapped keys were changed, as far as we were told

    async def seal(self, org_id: str, project_id: str = "") -> Seal:
        """The organisation's seal, with the key of this project among those that it can open. It comes also where the
        key does not; then its use raises the reason.

        Raises only what reading from the database raises."""
        held = self._held.get(org_id)
        if held is None or self._clock() >= held.ask_at:
            seal = await self._fly(org_id)
            held = self._held.get(org_id)
            if held is None:
                return seal
        if project_id not in held.wrapped:
            await self._learn(held, project_id, 0)
        return held.seal

    async def learn(self, org_id: str, project_id: str, version: int) -> Seal:
        """The seal, once more with what another process has made since: after KeyUnknown."""
        seal = await self.seal(org_id, project_id)
        held = self._held.get(org_id)
        if held is not None and version and not held.has(project_id, version):
            await self._learn(held, project_id, version)
        return seal

    def forget(self, org_id: str) -> None:
        """The wrapped keys were changed: they are read anew when they are next needed."""
        self._changes[org_id] = self._changes.get(org_id, 0) + 1
        held = self._held.get(org_id)
        if held is not None:
            held.ask_at = 0.0

    def hear(self, org_id: str) -> None:
        """Another process has changed them: what this one holds is compared at once, so that what was destroyed ends here
        too. Nothing is done for an organisation of which nothing is held."""
        self.forget(org_id)
        if org_id in self._held:
            self._begin_flight(org_id)

    def hear_all(self) -> None:
        """Something may have been changed that was not heard of."""
        for org_id in list(self._held):
            self.hear(org_id)

    async def new_project_key(self, org_id: str, project_id: str) -> WrappedKey:
        """The first key of a project, to be stored in the transaction that makes the project. Raises what `check` raises."""
        (await self.seal(org_id)).check()
        held = self._held[org_id]
        wrapped = await held.ring.new_project_key(project_id)
        held.young[project_id] = (self._clock() + self.life_s * (1 - RENEW_AFTER), wrapped)
        held.wrapped[project_id] = [wrapped]
        return wrapped

    async def _fly(self, org_id: str) -> Seal:
        return await asyncio.shield(self._begin_flight(org_id))  # who gives up waiting stops nobody else

    def _begin_flight(self, org_id: str) -> "asyncio.Task[Seal]":
        flight = self._flights.get(org_id)
        if flight is None:
            flight = self._flights[org_id] = asyncio.create_task(self._ask(org_id))
            flight.add_done_callback(lambda done: self._landed(org_id, done))
        return flight

    async def _learn(self, held: _Held, project_id: str, version: int) -> None:
        """Reads the wrapped keys again: another process has made or rotated this one since, or it is there no more."""
        org_id = held.seal.org_id
        if (project_id, version) in held.gone or not held.seal.held():
            return
        if org_id in self._flights:  # it may have read before the key was there
            await self._fly(org_id)
        if not held.has(project_id, version):
            await self._fly(org_id)
        if not held.has(project_id, version):
            held.gone.add((project_id, version))

    async def _ask(self, org_id: str) -> Seal:
        changes = self._changes.get(org_id, 0)
        seal = await self._renew(org_id)
        if changes != self._changes.get(org_id, 0):  # it may have read before that
            self.forget(org_id)
        return seal

    async def _renew(self, org_id: str) -> Seal:
        stored = await self._read(org_id)
        self._let_go()
        held = self._held.get(org_id)
        if stored is None:
            if held is not None:  # its keys are gone, and with them what this process held
                held.ring.drop()
                held.seal.lose(KeyDestroyed())
                del self._held[org_id]
            return held.seal if held is not None else _without_keys(org_id)
        if held is None or held.ring.key_id != stored.key_id or held.stored.service is not stored.service:
            held = self._held[org_id] = self._begin(org_id, stored, held)
        held.ring.adopt(stored.org_keys)
        now = self._clock()
        held.young = {project: kept for project, kept in held.young.items() if now < kept[0]}
        known = {project: [kept] for project, (_, kept) in held.young.items()} | stored.data_keys
        if held.wrapped.keys() - known.keys():
            held.ring.prune(known)
            forget_content(org_id)
        held.wrapped, held.stored = known, stored
        asking = held.asking
        if asking is None or asking.done():
            asking = held.asking = asyncio.create_task(self._release(held))
            asking.add_done_callback(_look)
        await asyncio.wait({asking}, timeout=SILENT_WAIT_S if held.silent else WAIT_S)
        if asking.done():
            asking.result()
        else:
            held.silent = True
            self._go_on(held)
        return held.seal

    async def _release(self, held: _Held) -> None:
        """Asks the service, and brings what it opened into the seal, or the reason why it opened nothing."""
        org_id, begun = held.seal.org_id, time.monotonic()
        changes = self._changes.get(org_id, 0)
        try:
            await held.ring.release(key.under for keys in held.stored.data_keys.values() for key in keys)
            key = await held.ring.data_key("", held.stored.data_keys.get("", ()))
            if held.used:
                await self._tell(held, held.stored, key)
        except Trouble as err:
            if self._held.get(org_id) is not held:  # another service was chosen, or the keys were destroyed meanwhile
                return
            held.seal.lose(err if isinstance(err, KEYLESS) else _unusable(err))
            held.ask_at = held.until = self._clock() + PATIENCE_S
        else:
            if self._held.get(org_id) is not held:
                return
            held.seal.hold(key, held.open_project)
            held.until = key.until
            # while its service is down, a key that is due serves on and is asked for again soon
            due = key.until - self.life_s * (1 - RENEW_AFTER)
            held.ask_at = max(due, min(self._clock() + PATIENCE_S, key.until))
        held.silent = time.monotonic() - begun > WAIT_S
        if changes != self._changes.get(org_id, 0):
            held.ask_at = 0.0

    def _go_on(self, held: _Held) -> None:
        """While the service is silent: with the keys in hand to their end, then without."""
        now = self._clock()
        if held.seal.held() and now < held.until:
            held.ask_at = min(now + PATIENCE_S, held.until)
            return
        held.seal.lose(KeyServiceDown(f"The key service has not answered for {WAIT_S:.0f} seconds."))
        held.ask_at, held.until = now + PATIENCE_S, now + self.life_s  # that it is silent is worth remembering

    def _begin(self, org_id: str, stored: Stored, before: _Held | None) -> _Held:
        def note(used: Unwrap) -> Awaitable[None]:
            return held.note(used)

        ring = Keyring(
            org_id,
            stored.service,
            stored.key_id,
            stored.org_keys,
            on_unwrap=note,
            life_s=self.life_s,
            clock=self._clock,
        )
        held = _Held(before.seal if before is not None else Seal(org_id), ring, stored)
        if before is not None:
            held.young = before.young
        return held

    async def _tell(self, held: _Held, stored: Stored, key: DataKey) -> None:
        """Writes that the keys were opened. They are not given out where that fails, nor are those that were held."""
        seal = Seal(held.seal.org_id)
        seal.hold(key)
        event = unwrapped(stored, held.used, "serving", self._process, held.refused)
        try:
            await self._on_release(seal, event)
        except BaseException:  # whatever it was, cancelled too: what was not written is not given out
            held.ring.drop()
            raise
        held.used, held.refused = [], 0

    def _let_go(self) -> None:
        """Drops what has served its time: no key stays in memory because nobody works for its organisation."""
        now = self._clock()
        for org_id, held in list(self._held.items()):
            waits = org_id in self._flights or (held.asking is not None and not held.asking.done())
            if now >= held.until and not waits:
                held.ring.drop()
                forget_content(org_id)
                del self._held[org_id]

    def _landed(self, org_id: str, done: "asyncio.Task[Seal]") -> None:
        if self._flights.get(org_id) is done:
            del self._flights[org_id]
        _look(done)


def _unusable(err: Trouble) -> Trouble:
    """An answer that opens nothing, or an address that leads nowhere, is one customer's trouble like a service that is away: those
    who work for many know it by a name among KEYLESS."""
    return (
        KeyAltered(err)
        if isinstance(err, Altered)
        else KeyServiceDown(f"The key service gave no usable key. {err.message}")
    )


def _look(done: "asyncio.Task[Any]") -> None:
    """So that a failure nobody waits for is not reported as forgotten."""
    if not done.cancelled():
        done.exception()


def _without_keys(org_id: str) -> Seal:
    seal = Seal(org_id)
    seal.lose(KeyDestroyed())
    return seal
