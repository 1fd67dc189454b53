"""Leaves: what the log holds is 32 bytes for each event, and shows nothing."""

import hashlib
import json
import struct
from typing import Any, cast

from evenhand.pure.log.wrong import Unreadable

_NUMBERS = struct.Struct(">QQ")
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Any) -> bytes:
    """The one way to write a JSON value: sorted names, no spaces, UTF-8, no fractions. Raises ValueError."""
    return _WRITER.encode(value).encode()


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} has no place here")


_STRICT = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)


def read_canonical(text: str) -> dict[str, Any]:
    """An object in canonical JSON. Raises Unreadable."""
    try:
        value = _STRICT.decode(text)
        if isinstance(value, dict) and canonical(value) == text.encode():
            return cast("dict[str, Any]", value)
    except (ValueError, RecursionError) as err:
        raise Unreadable(f"a body is not JSON: {err}") from err
    raise Unreadable("a body is not an object in canonical JSON")


def event_digest(salt: bytes, body: bytes) -> bytes:
    """What the act commits to, before it has a number. salt: 32 random bytes.  Returns 32 bytes."""
    return hashlib.sha256(b"evenhand-event-v1\n" + salt + body).digest()


def leaf_entry(digest: bytes, tag: bytes, counter: int, sequenced_us: int) -> bytes:
    """The leaf: the digest with the organisation's tag, its counter and the time, which the sequencer adds. 32 bytes."""
    return hashlib.sha256(b"evenhand-leaf-v1\n" + digest + tag + _NUMBERS.pack(counter, sequenced_us)).digest()


def slot_entry(tag: bytes, epoch: int, count: int) -> bytes:
    """An organisation's slot in the map of an epoch: how many events it has had so far. 32 bytes."""
    return hashlib.sha256(b"evenhand-slot-v1\n" + tag + epoch.to_bytes(8, "big") + count.to_bytes(8, "big")).digest()


LOG_TAG = bytes(32)  #: the log's own events, which are the epochs
