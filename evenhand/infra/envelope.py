"""Envelope encryption: customer key (in its key service) > organisation key > project key > object key.

A `Keyring` belongs to one organisation and one event loop. It is given the wrapped keys and a key service, and keeps no
secret for longer than its life (minutes): after that it must ask the service again, which is how a key that the customer
revoked ends every read. It knows no SQL: what it returns wrapped, the caller stores.
"""

import asyncio
import os
import time
import weakref
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from evenhand.infra.crypto.datakey import DataKey, KeyDestroyed, KeyNotHeld, ObjectKey, Scope, WrappedKey, bind
from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.crypto.xaes import KEY_BYTES, Xaes
from evenhand.infra.kms.port import KeyGone, KeyInfo, KeyService
from evenhand.pure.trouble import Busy, Denied, Missing, Trouble, Upstream

T = TypeVar("T")
LIFE_S = 300.0
RENEW_AFTER = 0.8  # of the life: what is handed out lives at least the other fifth, unless the key is revoked meanwhile
PATIENCE_S = 5.0  # between two attempts to renew, while a service is down and the key in hand still lives

Level = Literal["organisation", "project", "object"]


@dataclass(frozen=True, slots=True)
class Unwrap:
    """One use of a key, for the log. `key_id`: the customer key at its service. `object_id`: of an object key."""

    level: Level
    scope: Scope
    object_id: str
    version: int
    key_id: str
    outcome: Literal["opened", "refused"]


OnUnwrap = Callable[[Unwrap], Awaitable[None]]
"""Awaited before the key is used; where it fails, so does the unwrap. What cannot be logged is not released."""


class _Released:
    """An organisation key in hand, and the readings of the clock at which it is renewed and at which it ends."""

    __slots__ = ("renew_at", "until", "xaes")

    def __init__(self, key: bytes, begun: float, life_s: float) -> None:
        self.xaes = Xaes(key)
        self.until = begun + life_s
        self.renew_at = begun + life_s * RENEW_AFTER

    def __repr__(self) -> str:
        return f"_Released(until={self.until}, key not shown)"


class Keyring:
    """The keys of one organisation. `org_keys`: its wrapped keys; none means that they were destroyed."""

    def __init__(
        self,
        org_id: str,
        service: KeyService,
        key_id: str,
        org_keys: Iterable[WrappedKey],
        *,
        on_unwrap: OnUnwrap,
        life_s: float = LIFE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.org_id = org_id
        self.key_id = key_id
        self._service = service
        self._wrapped = {wrapped.version: wrapped for wrapped in org_keys}
        self._on_unwrap = on_unwrap
        self._life_s = life_s
        self._clock = clock
        self._released: dict[int, _Released] = {}
        self._data: dict[str, tuple[frozenset[int], DataKey]] = {}
        self._handed: weakref.WeakSet[DataKey] = weakref.WeakSet()
        self._drops = 0
        self._flights: dict[tuple[str, object], asyncio.Task[Any]] = {}

    def __repr__(self) -> str:
        return f"Keyring({self.org_id!r}, versions {sorted(self._wrapped)}, keys not shown)"

    # Reading

    async def data_key(self, project_id: str, wrapped: Sequence[WrappedKey]) -> DataKey:
        """The keys of a project ("": of the organisation's own rows), all versions, for at least a fifth of the life.

        Raises KeyRevoked, KeyDestroyed, KeyServiceDown, KeyServiceBusy, Altered."""
        if not wrapped:
            raise KeyDestroyed()
        versions = frozenset(key.version for key in wrapped)
        held = self._data.get(project_id)
        if held is not None and held[0] == versions and self._is_fresh(held[1], wrapped):
            return held[1]
        return await self._once(("project", (project_id, versions)), lambda: self._open_project(project_id, wrapped))

    async def release(self, versions: Iterable[int]) -> None:
        """Brings organisation keys in hand, for at least a fifth of the life. Raises as `data_key`."""
        for version in sorted(set(versions)):
            await self._org_key(version)

    def project_key(self, project_id: str, wrapped: Sequence[WrappedKey]) -> DataKey:
        """As `data_key`, at once: under organisation keys that have been released, and logged, before.

        Raises KeyNotHeld, KeyDestroyed, Altered."""
        if not wrapped:
            raise KeyDestroyed()
        now = self._clock()
        opened: dict[int, tuple[bytes, _Released]] = {}
        for key in wrapped:
            above = self._released.get(key.under)
            if above is None or now >= above.until:
                raise KeyNotHeld("The key above this project's is no longer in hand.")
            opened[key.version] = (
                above.xaes.open(key.data, self._project_aad(project_id, key.version, key.under)),
                above,
            )
        return self._hand(project_id, opened)

    async def object_key(self, key: DataKey, object_id: str, wrapped: WrappedKey) -> ObjectKey:
        """The key of one file. Raises Altered, KeyNotHeld, KeyDestroyed."""
        try:
            opened = key.open_object_key(object_id, wrapped)
        except Trouble:
            await self._log("object", key.scope, wrapped.version, "refused", object_id)
            raise
        await self._log("object", key.scope, wrapped.version, "opened", object_id)
        return opened

    # Making, rotating, destroying. What is returned is to be stored before anything is sealed under it.

    async def new_org_key(self) -> WrappedKey:
        """A further organisation key, under the newest version of the customer key. New project keys are wrapped by it."""
        version = max(self._wrapped, default=0) + 1
        key, begun = os.urandom(KEY_BYTES), self._clock()
        wrapped = await self.wrap_org_key(version, key)
        self._wrapped[version] = wrapped
        self._released[version] = _Released(key, begun, self._life_s)
        return wrapped

    async def new_project_key(self, project_id: str, version: int = 1) -> WrappedKey:
        """A project's first key, or a further one. Old versions go on opening as long as they are kept."""
        return await self._wrap(project_id, version, os.urandom(KEY_BYTES))

    async def rewrap_project(self, project_id: str, wrapped: Sequence[WrappedKey]) -> list[WrappedKey]:
        """The same project keys under the newest organisation key, so that an older one can be given up."""
        keys = await self._open_all(project_id, wrapped)
        return [await self._wrap(project_id, version, key) for version, (key, _) in keys.items()]

    async def open_org_keys(self) -> dict[int, bytes]:
        """Every version of the organisation key, opened by its service: to be wrapped by another one."""
        return {version: await self._unwrap_org(version) for version in sorted(self._wrapped)}

    async def wrap_org_key(self, version: int, key: bytes) -> WrappedKey:
        """An organisation key that was opened elsewhere, wrapped by this service."""
        return WrappedKey(version, 0, await self._service.wrap(self.key_id, key, self._context(version)))

    async def rotate_customer_key(self) -> list[WrappedKey]:
        """A new version of the customer key, and every organisation key wrapped by it."""
        await self._service.rotate(self.key_id)
        keys = await self.open_org_keys()
        out = [await self.wrap_org_key(version, key) for version, key in keys.items()]
        self._wrapped = {wrapped.version: wrapped for wrapped in out}
        return out

    def adopt(self, org_keys: Iterable[WrappedKey]) -> None:
        """What another process has stored since. Keys in hand are kept; those no longer listed are let go of.

        What lay under them was wrapped anew by a newer one, or has gone: see `prune`."""
        self._wrapped = {wrapped.version: wrapped for wrapped in org_keys}
        if not self._wrapped:
            self.drop()
        for version in self._released.keys() - self._wrapped.keys():
            del self._released[version]

    def prune(self, project_ids: Container[str]) -> None:
        """Ends the keys of projects that are not among these, handed out or not."""
        for key in list(self._handed):
            if key.scope.project_id not in project_ids:
                key.forget()
                self._handed.discard(key)
        for project_id in [known for known in self._data if known not in project_ids]:
            del self._data[project_id]

    async def destroy(self) -> KeyInfo:
        """Destroys the customer key, and with it everything under it, for good. Here it ends at once, also where the
        service lets some days pass; other processes notice within the life of what they hold."""
        info = await self._service.destroy(self.key_id)
        self._wrapped.clear()
        self.drop()
        return info

    def drop(self) -> None:
        """Lets go of every key in hand; those handed out end as well."""
        for key in self._handed:
            key.forget()
        self._handed.clear()
        self._drops += 1
        self._data.clear()
        self._released.clear()

    # Within

    def _context(self, version: int) -> dict[str, str]:
        return {"organisation": self.org_id, "key": "organisation", "version": str(version)}

    def _is_fresh(self, key: DataKey, wrapped: Sequence[WrappedKey]) -> bool:
        """Whether the organisation keys above are still those under which it was opened, and none is to be renewed."""
        now = self._clock()
        until = float("inf")
        for version in {each.under for each in wrapped}:
            above = self._released.get(version)
            if above is None or now >= above.renew_at:
                return False
            until = min(until, above.until)
        return key.until == until

    async def _open_project(self, project_id: str, wrapped: Sequence[WrappedKey]) -> DataKey:
        drops = self._drops
        opened = await self._open_all(project_id, wrapped)
        if drops != self._drops:
            raise KeyDestroyed() if not self._wrapped else KeyNotHeld("The keys were let go of while they were opened.")
        return self._hand(project_id, opened)

    def _hand(self, project_id: str, opened: Mapping[int, tuple[bytes, _Released]]) -> DataKey:
        until = min(above.until for _, above in opened.values())
        keys = {version: key for version, (key, _) in opened.items()}
        key = DataKey(Scope(self.org_id, project_id), keys, until, self._clock)
        self._handed.add(key)
        self._data[project_id] = (frozenset(keys), key)
        return key

    async def _open_all(self, project_id: str, wrapped: Sequence[WrappedKey]) -> dict[int, tuple[bytes, _Released]]:
        out: dict[int, tuple[bytes, _Released]] = {}
        for key in wrapped:
            above = await self._org_key(key.under)
            try:
                out[key.version] = (
                    above.xaes.open(key.data, self._project_aad(project_id, key.version, key.under)),
                    above,
                )
            except Altered:
                await self._log("project", Scope(self.org_id, project_id), key.version, "refused")
                raise
            await self._log("project", Scope(self.org_id, project_id), key.version, "opened")
        return out

    async def _wrap(self, project_id: str, version: int, key: bytes) -> WrappedKey:
        under = max(self._wrapped, default=0)
        above = self._released.get(under)
        if above is None or self._clock() >= above.until:  # one that is in hand will do, whether or not it is due
            above = await self._org_key(under)
        return WrappedKey(version, under, above.xaes.seal(key, self._project_aad(project_id, version, under)))

    def _project_aad(self, project_id: str, version: int, under: int) -> bytes:
        return bind("evenhand/project-key/1", self.org_id, project_id, version, under)

    async def _org_key(self, version: int) -> _Released:
        if version not in self._wrapped:
            raise KeyDestroyed()
        released = self._released.get(version)
        if released is not None and self._clock() < released.renew_at:
            return released
        return await self._once(("organisation", version), lambda: self._renew(version))

    async def _renew(self, version: int) -> _Released:
        """Asks the service. While it is down, a key in hand serves to its end; a refusal ends all keys at once."""
        begun = self._clock()
        try:
            key = await self._unwrap_org(version)
        except (Upstream, Busy):
            released = self._released.get(version)
            if released is None or self._clock() >= released.until:
                raise
            released.renew_at = min(self._clock() + PATIENCE_S, released.until)
            return released
        except (Denied, Missing) as refused:
            self.drop()
            if isinstance(refused, KeyGone):
                raise KeyDestroyed from refused
            raise
        if version not in self._wrapped:  # destroyed while we waited
            raise KeyDestroyed()
        self._released[version] = released = _Released(key, begun, self._life_s)
        return released

    async def _unwrap_org(self, version: int) -> bytes:
        scope = Scope(self.org_id)
        try:
            key = await self._service.unwrap(self.key_id, self._wrapped[version].data, self._context(version))
        except Trouble:
            await self._log("organisation", scope, version, "refused")
            raise
        await self._log("organisation", scope, version, "opened")
        if len(key) != KEY_BYTES:
            raise Altered("This wrapped key")
        return key

    async def _log(
        self, level: Level, scope: Scope, version: int, outcome: Literal["opened", "refused"], object_id: str = ""
    ) -> None:
        await self._on_unwrap(Unwrap(level, scope, object_id, version, self.key_id, outcome))

    async def _once(self, what: tuple[str, object], work: Callable[[], Awaitable[T]]) -> T:
        """One at a time for each key; who comes meanwhile gets the same result. Who gives up waiting stops nobody else."""
        flight = self._flights.get(what)
        if flight is None:
            flight = asyncio.ensure_future(work())
            self._flights[what] = flight
            flight.add_done_callback(lambda done: self._landed(what, done))
        return await asyncio.shield(flight)

    def _landed(self, what: tuple[str, object], done: asyncio.Task[Any]) -> None:
        if self._flights.get(what) is done:
            del self._flights[what]
        if not done.cancelled():
            done.exception()  # looked at, so that a failure nobody waits for is not reported as forgotten
