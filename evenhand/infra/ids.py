"""Ids: 24 hexadecimal characters, 48 bits of milliseconds and 48 bits of chance, so that they sort by time."""

import os
import re
import time

_ID = re.compile(r"[0-9a-f]{24}\Z")


def new_id(at_ms: int | None = None) -> str:
    """A fresh id; `at_ms` (milliseconds since 1970) is for rows that must sort at another time."""
    ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    return f"{ms:012x}{os.urandom(6).hex()}"


def new_ids(count: int) -> list[str]:
    """`count` fresh ids in increasing order: the lines of a file keep their order as tasks."""
    start = (time.time_ns() // 1_000_000 << 48) | int.from_bytes(os.urandom(5), "big")
    step = 1 + int.from_bytes(os.urandom(1), "big")
    return [f"{start + step * n:024x}" for n in range(count)]


def is_id(text: str) -> bool:
    """Whether the text has the form of an id. Anything else can be answered 'not found' without asking the database."""
    return _ID.match(text) is not None
