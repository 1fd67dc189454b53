"""The keys of one scope (an organisation's own rows, or a project) while they are released: rows, files, derived keys.

Everything is bound to its place: organisation, project, object and version are associated data, so that what is copied to
another row, project or customer does not open there.
"""

import os
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from evenhand.infra.crypto.xaes import KEY_BYTES, Chunk, Xaes
from evenhand.pure.trouble import Busy, Missing

_VERSION = struct.Struct(">I")
_LENGTH = struct.Struct(">I")


class KeyDestroyed(Missing):
    """Crypto-shredding: the ciphertext may still lie somewhere, and nobody can open it."""

    code = "key_destroyed"
    hint = "This cannot be undone. The deletion certificate says when it was destroyed, and on whose word."

    def __init__(self) -> None:
        super().__init__("The key of this data was destroyed, so it can no longer be read by anybody.")


class KeyNotHeld(Busy):
    """The keys in hand have served their time, or are older than what is to be opened. They must be asked for again."""

    code = "key_not_held"
    hint = "Try again: the keys are fetched anew."


class KeyNewer(KeyNotHeld):
    """Another process has rotated the key since ours were read."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key is for. `project_id` is "" for what belongs to the organisation as a whole."""

    org_id: str
    project_id: str = ""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key sealed under another. `under`: the version of that other one (0: the key service keeps count itself)."""

    version: int
    under: int
    data: bytes

    def to_bytes(self) -> bytes:
        """As it is stored."""
        return _VERSION.pack(self.version) + _VERSION.pack(self.under) + self.data

    @classmethod
    def from_bytes(cls, stored: bytes) -> "WrappedKey":
        if len(stored) < 2 * _VERSION.size:
            raise ValueError("this is not a wrapped key")
        version, under = struct.unpack_from(">II", stored)
        return cls(version, under, stored[8:])


@dataclass(frozen=True, slots=True, repr=False)
class ObjectKey:
    """The key of one file, and the associated data to seal it with."""

    key: bytes
    aad: bytes

    def __repr__(self) -> str:
        return "ObjectKey(not shown)"


def bind(*parts: str | int) -> bytes:
    """Parts as associated data, each with its length, so that no two lists look the same."""
    out = bytearray()
    for part in parts:
        text = str(part).encode()
        out += _LENGTH.pack(len(text)) + text
    return bytes(out)


class DataKey:
    """`keys`: version -> 32 bytes. `until`: the reading of `clock` after which they are no longer to be used."""

    __slots__ = (
        "__weakref__",
        "_aads",
        "_chunk",
        "_clock",
        "_derived",
        "_keys",
        "_xaes",
        "latest",
        "scope",
        "until",
    )

    def __init__(self, scope: Scope, keys: Mapping[int, bytes], until: float, clock: Callable[[], float]) -> None:
        self.scope = scope
        self.until = until
        self.latest = max(keys)
        self._clock = clock
        self._keys = dict(keys)
        self._xaes = {version: Xaes(key) for version, key in keys.items()}
        self._aads = {version: bind("evenhand/row/1", scope.org_id, scope.project_id, version) for version in keys}
        self._chunk: Chunk = self._xaes[self.latest].chunk()
        self._derived: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"DataKey({self.scope!r}, versions {sorted(self._keys)}, keys not shown)"

    def seal(self, body: bytes, object_id: str, version: int = 0) -> bytes:
        """A row's body, under the newest key. `version` is the row's own, where it has one. Raises KeyNotHeld."""
        self._held()
        latest = self.latest
        return _VERSION.pack(latest) + self._chunk.seal(body, self._aad(latest, object_id, version))

    def open(self, sealed: bytes, object_id: str, version: int = 0) -> bytes:
        """Raises Altered, KeyNotHeld, KeyDestroyed."""
        self._held()
        under = int.from_bytes(sealed[:4], "big")
        xaes = self._xaes.get(under)
        if xaes is None:
            raise self._absent(under)
        return xaes.open(sealed[4:], self._aad(under, object_id, version))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for a purpose (a blind index, a draft's key), from the first version: they outlive rotation."""
        self._held()
        found = self._derived.get(purpose)
        if found is None:
            first = min(self._keys)
            info = bind("evenhand/derived/1", self.scope.org_id, self.scope.project_id, purpose)
            found = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._keys[first])
            self._derived[purpose] = found
        return found

    def new_object_key(self, object_id: str, version: int = 1) -> tuple[ObjectKey, WrappedKey]:
        """A fresh key for one file, and what to store of it."""
        self._held()
        key = os.urandom(KEY_BYTES)
        aad = self._object_aad(object_id, version)
        return ObjectKey(key, aad), WrappedKey(version, self.latest, self._xaes[self.latest].seal(key, b"key" + aad))

    def open_object_key(self, object_id: str, wrapped: WrappedKey) -> ObjectKey:
        """Raises Altered, KeyNotHeld, KeyDestroyed."""
        self._held()
        xaes = self._xaes.get(wrapped.under)
        if xaes is None:
            raise self._absent(wrapped.under)
        aad = self._object_aad(object_id, wrapped.version)
        return ObjectKey(xaes.open(wrapped.data, b"key" + aad), aad)

    def handed_over(self, receipt: bytes) -> bytes:
        """These keys, sealed under another that whoever leaves keeps (32 bytes). Raises KeyNotHeld."""
        self._held()
        keys = b"".join(_VERSION.pack(version) + key for version, key in self._keys.items())
        return Xaes(receipt).seal(keys, bind("evenhand/receipt/1", self.scope.org_id, self.scope.project_id))

    @staticmethod
    def taken_over(scope: Scope, sealed: bytes, receipt: bytes) -> "DataKey":
        """Keys that were handed over, for good. Raises Altered where the receipt is another one."""
        opened = Xaes(receipt).open(sealed, bind("evenhand/receipt/1", scope.org_id, scope.project_id))
        size = _VERSION.size + KEY_BYTES
        parts = [opened[at : at + size] for at in range(0, len(opened), size)]
        keys = {int.from_bytes(part[: _VERSION.size], "big"): part[_VERSION.size :] for part in parts}
        return DataKey(scope, keys, float("inf"), time.monotonic)

    @property
    def alive(self) -> bool:
        """Whether these keys may still be used."""
        return self._clock() < self.until

    def forget(self) -> None:
        """Ends the use of these keys at once, wherever this object is held. Python cannot promise to wipe memory."""
        self.until = float("-inf")
        self._keys.clear()
        self._xaes.clear()
        self._derived.clear()

    def _aad(self, under: int, object_id: str, version: int) -> bytes:
        return self._aads[under] + bind(object_id, version)

    def _object_aad(self, object_id: str, version: int) -> bytes:
        return bind("evenhand/object/1", self.scope.org_id, self.scope.project_id, object_id, version)

    def _held(self) -> None:
        if not self.alive:
            raise KeyNotHeld("The keys of this data are no longer in hand.")

    def _absent(self, version: int) -> Exception:
        if version > self.latest:
            return KeyNewer("This was sealed with a newer key than those in hand.")
        return KeyDestroyed()
