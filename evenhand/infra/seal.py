"""The sealed body of a row. Everything that is content passes through here on its way to and from the database.

The first byte says how: 1 is XAES-256-GCM under the organisation's data key, bound to the organisation (decision 0014).
"""

import hmac
import time
from collections.abc import Callable
from math import inf
from typing import Any, TypeVar

import msgspec

from evenhand.infra.crypto.datakey import DataKey, KeyDestroyed, KeyNotHeld, Scope
from evenhand.infra.keys import Keys
from evenhand.infra.kms.port import KeyRevoked, KeyServiceBusy, KeyServiceDown
from evenhand.pure.trouble import Conflict, Trouble

T = TypeVar("T")

#: why a key may not be there, while the rest of the world goes on
KEYLESS: tuple[type[Trouble], ...] = (KeyRevoked, KeyDestroyed, KeyNotHeld, KeyServiceDown, KeyServiceBusy)
_SEALED = b"\x01"
_encode = msgspec.json.encode
_decode = msgspec.json.decode


class NotSealed(Conflict):
    code = "not_sealed"
    hint = "Tell the operator: this Evenhand reads version 1 only. Another release wrote it, or it was damaged."


class Seal:
    """Seals and opens bodies of one organisation ("" is the platform's own), and makes its blind indexes.

    There is one for each organisation and process; its key is exchanged in it as time goes by, so that what holds the
    seal through a long export holds the key of the minute. Where there is none, every use raises the reason."""

    __slots__ = ("_derive", "_key", "_trouble", "org_id")

    def __init__(self, org_id: str, *, derive: Callable[[str], bytes] | None = None) -> None:
        """`derive` gives the keys of the blind indexes where they do not come from the data key."""
        self.org_id = org_id
        self._derive = derive
        self._key: DataKey | None = None
        self._trouble: Trouble = KeyNotHeld("The keys of this data have not been asked for.")

    def hold(self, key: DataKey) -> None:
        """From now on this is the key."""
        self._key = key

    def lose(self, why: Trouble) -> None:
        """From now on every use raises `why`."""
        self._key = None
        self._trouble = why

    def check(self) -> None:
        """Raises what any use would raise now: KeyRevoked, KeyDestroyed, KeyServiceDown, KeyServiceBusy, Altered."""
        self._held()

    def shut(self, body: Any) -> bytes:
        """The sealed bytes of a JSON-able body."""
        return _SEALED + self._held().seal(_encode(body), "")

    def shut_json(self, body: bytes) -> bytes:
        """The sealed bytes of a body that is JSON text already."""
        return _SEALED + self._held().seal(body, "")

    def open_json(self, sealed: bytes) -> bytes:
        """The JSON text of a sealed body. Raises Altered, NotSealed and what `check` raises."""
        if sealed[:1] != _SEALED:
            raise NotSealed(f"A stored body is of version {sealed[0] if sealed else 'none'}, which is not sealed.")
        return self._held().open(sealed[1:], "")

    def open(self, sealed: bytes) -> Any:
        """The body as plain Python values."""
        return _decode(self.open_json(sealed))

    def open_as(self, sealed: bytes, kind: type[T]) -> T:
        """The body as a struct."""
        return _decode(self.open_json(sealed), type=kind)

    def mac(self, what: str, text: str | bytes) -> bytes:
        """16 bytes for equality: names, unique ids, keys. Equal texts of one organisation are equal."""
        return self._digest(f"mac/{what}", text)[:16]

    def token(self, what: str, text: str) -> int:
        """A signed 64-bit word for blind indexes of many values: tags, words of a name, classes."""
        return int.from_bytes(self._digest(f"token/{what}", text)[:8], "big", signed=True)

    def _digest(self, purpose: str, text: str | bytes) -> bytes:
        derive = self._derive or self._held().derive
        return hmac.digest(derive(purpose), text.encode() if isinstance(text, str) else text, "sha256")

    def _held(self) -> DataKey:
        if self._key is None:
            raise self._trouble.with_traceback(None)
        return self._key


def platform_seal(keys: Keys) -> Seal:
    """The platform's own: organisations' and people's names. Its keys come from the installation's master."""
    seal = Seal("", derive=keys.key)
    seal.hold(DataKey(Scope(""), {1: keys.key("platform-seal")}, inf, time.monotonic))
    return seal
