"""Ids: 24 hexadecimal characters, 48 bits of milliseconds and 48 bits of chance, so that they sort by time."""

import os
import re
import time

_ID = re.compile(r"[0-9a-f]{24}\Z")
_STEP_BACK_MS = 1000  # a clock that is set back further than this is believed


class _Last:
    """The id that this process made last."""

    value = 0


def new_id(at_ms: int | None = None) -> str:
    """A fresh id, above the last one of this process, so that what follows within a millisecond sorts as it came. `at_ms`
    (milliseconds since 1970) is for rows that must sort at another time."""
    ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    chance = int.from_bytes(os.urandom(6), "big")
    value = ms << 48 | chance
    if at_ms is None:
        if value <= _Last.value < (ms + _STEP_BACK_MS) << 48:
            value = _Last.value + 1 + (chance & 0xFFFF_FFFF)
        _Last.value = value
    return f"{value:024x}"


def new_ids(count: int) -> list[str]:
    """`count` fresh ids in increasing order: the lines of a file keep their order as tasks."""
    start = (time.time_ns() // 1_000_000 << 48) | int.from_bytes(os.urandom(5), "big")
    step = 1 + int.from_bytes(os.urandom(1), "big")
    return [f"{start + step * n:024x}" for n in range(count)]


def is_id(text: str) -> bool:
    """Whether the text has the form of an id. Anything else can be answered 'not found' without asking the database."""
    return _ID.match(text) is not None
