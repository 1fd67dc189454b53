"""The sealed body of a row. Everything that is content passes through here on its way to and from the database.

Version 0 passes the body through; a later version encrypts it under the organisation's key. The first byte says which.
"""

from typing import Any, TypeVar

import msgspec

from evenhand.infra.keys import Keys

T = TypeVar("T")

_PLAIN = b"\x00"
_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Seal:
    """Seals and opens bodies of one organisation ("" is the platform's own), and makes its blind indexes."""

    __slots__ = ("_keys", "org_id")

    def __init__(self, keys: Keys, org_id: str) -> None:
        self._keys = keys
        self.org_id = org_id

    def shut(self, body: Any) -> bytes:
        """The sealed bytes of a JSON-able body."""
        return _PLAIN + _encode(body)

    def shut_json(self, body: bytes) -> bytes:
        """The sealed bytes of a body that is JSON text already."""
        return _PLAIN + body

    def open_json(self, sealed: bytes) -> bytes:
        """The JSON text of a sealed body."""
        if sealed[:1] != _PLAIN:
            raise ValueError("this body was sealed by a newer version of Evenhand")
        return sealed[1:]

    def open(self, sealed: bytes) -> Any:
        """The body as plain Python values."""
        return _decode(self.open_json(sealed))

    def open_as(self, sealed: bytes, kind: type[T]) -> T:
        """The body as a struct."""
        return _decode(self.open_json(sealed), type=kind)

    def mac(self, what: str, text: str | bytes) -> bytes:
        """16 bytes for equality: names, unique ids, keys."""
        return self._keys.mac(f"mac/{what}", text, self.org_id)

    def token(self, what: str, text: str) -> int:
        """A signed 64-bit word for blind indexes of many values: tags, words of a name, classes."""
        return int.from_bytes(self._keys.mac(f"token/{what}", text, self.org_id)[:8], "big", signed=True)
