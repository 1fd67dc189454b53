"""The sealed body of a row. Everything that is content passes through here on its way to and from the database.

The first byte says how: 2 is XAES-256-GCM under the data key of the row's project, or of the organisation where the row has
none, bound to the place where it lies (decision 0014).
"""

import hmac
import time
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple, TypeVar

import msgspec

from evenhand.infra.crypto.datakey import DataKey, KeyDestroyed, KeyNewer, KeyNotHeld, Scope
from evenhand.infra.crypto.trouble import KeyAltered
from evenhand.infra.keys import Keys
from evenhand.infra.kms.port import KeyRevoked, KeyServiceBusy, KeyServiceDown
from evenhand.pure.trouble import Conflict, Trouble, Upstream

T = TypeVar("T")


class KeyUseNotLogged(Upstream):
    code = "key_use_not_logged"
    hint = "What cannot be logged is not released. Try again in a moment; if it stays so, `evenhand doctor` says more."


#: why a key may not be there, while the rest of the world goes on
KEYLESS: tuple[type[Trouble], ...] = (
    KeyRevoked,
    KeyDestroyed,
    KeyNotHeld,
    KeyServiceDown,
    KeyServiceBusy,
    KeyUseNotLogged,
    KeyAltered,
)
_SEALED = b"\x02"
_encode = msgspec.json.encode
_decode = msgspec.json.decode


#: what a process remembers of content beside its keys, by organisation: it ends with them
FORGETTERS: list[Callable[[str], None]] = []


def forget_content(org_id: str) -> None:
    """No key, no content: whatever was opened and kept goes."""
    for forget in FORGETTERS:
        forget(org_id)


class NotSealed(Conflict):
    code = "not_sealed"
    hint = "Tell the operator: this Evenhand reads version 2 only. Another release wrote it, or it was damaged."


class KeyUnknown(KeyNotHeld):
    """A key that this process has not read: another one has just made or rotated it, or it was destroyed.

    `version` is the one that is missing, 0 for any."""

    def __init__(self, org_id: str, project_id: str, version: int = 0) -> None:
        super().__init__("The keys of this project have not been asked for.")
        self.org_id = org_id
        self.project_id = project_id
        self.version = version


class At(NamedTuple):
    """The place of a sealed body. What is copied to another place does not open there.

    `object`: the rest of the row's primary key, ids joined by "/". `project`: "" where the row is the organisation's own.
    `version`: the row's own, where it has one."""

    table: str
    object: str
    project: str = ""
    version: int = 0


def at(table: str, row: Any) -> At:
    """The place of a project's row whose key is one id: the columns `<table>_id` and `project_id`."""
    return At(table, row[f"{table}_id"], row["project_id"])


class Seal:
    """Seals and opens bodies of one organisation ("" is the platform's own), and makes its blind indexes.

    There is one for each organisation and process; its key is exchanged in it as time goes by, so that what holds the
    seal through a long export holds the key of the minute. Where there is none, every use raises the reason."""

    __slots__ = ("_derive", "_keys", "_open", "org_id")

    def __init__(self, org_id: str, *, derive: Callable[[str], bytes] | None = None) -> None:
        """`derive` gives the keys of the blind indexes where they do not come from the data key."""
        self.org_id = org_id
        self._derive = derive
        self._keys: dict[str, DataKey] = {}
        self._open: Callable[[str], DataKey] = _raising(KeyNotHeld("The keys of this data have not been asked for."))

    def hold(self, key: DataKey, open_project: Callable[[str], DataKey] | None = None) -> None:
        """From now on this is the organisation's own key. `open_project` gives those of its projects, or raises."""
        self._keys = {"": key}
        self._open = open_project or _raising(KeyNotHeld("This organisation has no projects."))

    def lose(self, why: Trouble) -> None:
        """From now on every use raises `why`."""
        self._keys = {}
        self._open = _raising(why)
        forget_content(self.org_id)

    def data_key(self, project_id: str) -> DataKey:
        """The key of a project ("": of the organisation's own rows). Raises what `check` raises, and KeyUnknown."""
        key = self._keys.get(project_id)
        if key is None:
            key = self._keys[project_id] = self._open(project_id)
        return key

    def held(self) -> bool:
        """Whether the organisation's own key is in hand, or was until a moment ago."""
        return bool(self._keys)

    def check(self) -> None:
        """Raises what any use would raise now: KeyRevoked, KeyDestroyed, KeyServiceDown, KeyServiceBusy, Altered."""
        self.data_key("")

    def shut(self, body: Any, at: At) -> bytes:
        """The sealed bytes of a JSON-able body, for this place only."""
        return self.shut_json(_encode(body), at)

    def shut_json(self, body: bytes, at: At) -> bytes:
        """The sealed bytes of a body that is JSON text already."""
        return _SEALED + self.data_key(at.project).seal(body, f"{at.table}/{at.object}", at.version)

    def open_json(self, sealed: bytes, at: At) -> bytes:
        """The JSON text of a body that was sealed for this place. Raises Altered, NotSealed and what `check` raises."""
        if sealed[:1] != _SEALED:
            raise NotSealed(f"A stored body is of version {sealed[0] if sealed else 'none'}, which is not sealed.")
        try:
            return self.data_key(at.project).open(sealed[1:], f"{at.table}/{at.object}", at.version)
        except KeyNewer:
            raise KeyUnknown(self.org_id, at.project, int.from_bytes(sealed[1:5], "big")) from None

    def open(self, sealed: bytes, at: At) -> Any:
        """The body as plain Python values."""
        return _decode(self.open_json(sealed, at))

    def open_as(self, sealed: bytes, kind: type[T], at: At) -> T:
        """The body as a struct."""
        return _decode(self.open_json(sealed, at), type=kind)

    def mac(self, what: str, text: str | bytes) -> bytes:
        """16 bytes for equality: names, unique ids, keys. Equal texts of one organisation are equal."""
        return self._digest(f"mac/{what}", text)[:16]

    def token(self, what: str, text: str) -> int:
        """A signed 64-bit word for blind indexes of many values: tags, words of a name, classes."""
        return int.from_bytes(self._digest(f"token/{what}", text)[:8], "big", signed=True)

    def secret(self, what: str, text: str) -> bytes:
        """32 bytes that are the same for equal texts of one organisation, as a key for what lies elsewhere."""
        return self._digest(f"secret/{what}", text)

    def _digest(self, purpose: str, text: str | bytes) -> bytes:
        derive = self._derive or self.data_key("").derive
        return hmac.digest(derive(purpose), text.encode() if isinstance(text, str) else text, "sha256")


def _raising(why: Trouble) -> Callable[[str], DataKey]:
    def refuse(project_id: str) -> DataKey:
        raise why.with_traceback(None)

    return refuse


def platform_seal(keys: Keys) -> Seal:
    """The platform's own: organisations' and people's names. Its keys come from the installation's master."""
    seal = Seal("", derive=keys.key)
    seal.hold(DataKey(Scope(""), {1: keys.key("platform-seal")}, inf, time.monotonic))
    return seal
