"""Access to content is an event: one for each request, with a commitment to the list of what was shown, before it is shown.

What can't be recorded is not shown: the event is in the transaction of the reading, and the reply waits for its commit.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id

LISTED = 200  #: as many ids stand in the event itself; of more there is the commitment
_ID = ("id", "task_id", "batch_id", "delivery_id", "assignment_id", "handle", "version", "name")


class ContentShown(msgspec.Struct, frozen=True):
    """Content went to whoever asked. `about`: the one thing that was asked for, or "" for a list; `asked`: the route;
    `objects`: the commitment to the ids, `listed`: the ids themselves where they are few."""

    about: str
    asked: str
    count: int
    objects: str
    listed: list[str] = []


def commitment(ids: Iterable[str]) -> str:
    """64 hexadecimal digits for a list of ids, whatever their order. The salt of the event keeps it from being guessed."""
    lines = "\n".join(sorted(ids))
    return hashlib.sha256(b"evenhand-objects-v1\n" + lines.encode()).hexdigest()


async def shown(tx: Tx, asked: str, ids: list[str], about: str = "") -> None:
    """Records that content leaves."""
    few = ids if len(ids) <= LISTED else []
    one = ids[0] if len(ids) == 1 and is_id(ids[0]) else ""  # a name is content, and `about` is a clear column
    await record(tx, ContentShown(about or one, asked, len(ids), commitment(ids), few))


def ids_in(reply: Any) -> list[str]:
    """The ids of what a reply shows: of the things in its list, else its own."""
    value = msgspec.structs.asdict(reply) if isinstance(reply, msgspec.Struct) else reply
    if isinstance(value, list | tuple):
        return [one for item in value for one in _own(item)]
    if not isinstance(value, dict):
        return []
    lists: list[Any] = [part for part in value.values() if isinstance(part, list)]
    found = [one for part in lists for item in part for one in _own(item)]
    own = _own(value)
    return own or found


def _own(item: Any) -> list[str]:
    value: Any = item if isinstance(item, dict) else None
    if isinstance(item, msgspec.Struct):
        value = {name: getattr(item, name) for name in item.__struct_fields__ if name in _ID}
    if value is None:
        return []
    return next(([str(value[name])] for name in _ID if isinstance(value.get(name), str | int)), [])
