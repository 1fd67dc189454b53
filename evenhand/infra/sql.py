"""Named SQL. A statement is text with %(name)s parameters, kept next to the function that runs it.

Every statement registers itself, so that a law test can PREPARE them all against the migrated schema.
"""

import re
from collections.abc import AsyncIterator
from typing import Any, Protocol

_NAME = re.compile(r"%\((\w+)\)s")

#: every statement of the program, by name
STATEMENTS: dict[str, "Sql"] = {}


class Runs(Protocol):
    """What can run a statement: a transaction, or a door's narrow connection."""

    @property
    def conn(self) -> Any: ...


class Sql:
    """One statement. `role` is the database role that runs it (the law test prepares it as that role)."""

    __slots__ = ("_order", "name", "numbered", "role")

    def __init__(self, name: str, text: str, *, role: str = "app") -> None:
        order: list[str] = []

        def number(match: re.Match[str]) -> str:
            if match[1] not in order:
                order.append(match[1])
            return f"${order.index(match[1]) + 1}"

        self.numbered = _NAME.sub(number, text)
        self._order = tuple(order)
        self.name = name
        self.role = role
        if name in STATEMENTS:
            raise ValueError(f"two statements are called {name}")
        STATEMENTS[name] = self

    def _values(self, given: dict[str, Any]) -> list[Any]:
        if len(given) != len(self._order):
            raise TypeError(f"{self.name} takes {self._order}, not {tuple(given)}")
        return [given[name] for name in self._order]

    async def many(self, on: Runs, given: list[dict[str, Any]]) -> None:
        """Once for each, in as few round trips as the driver needs."""
        if given:
            await on.conn.executemany(self.numbered, [self._values(one) for one in given])

    async def all(self, on: Runs, **given: Any) -> list[Any]:
        return await on.conn.fetch(self.numbered, *self._values(given))

    async def maybe(self, on: Runs, **given: Any) -> Any | None:
        return await on.conn.fetchrow(self.numbered, *self._values(given))

    async def one(self, on: Runs, **given: Any) -> Any:
        row = await on.conn.fetchrow(self.numbered, *self._values(given))
        if row is None:
            raise LookupError(f"{self.name} gave no row")
        return row

    async def value(self, on: Runs, **given: Any) -> Any:
        return await on.conn.fetchval(self.numbered, *self._values(given))

    async def run(self, on: Runs, **given: Any) -> int:
        """Runs it and says how many rows it changed."""
        status: str = await on.conn.execute(self.numbered, *self._values(given))
        tail = status.rsplit(" ", 1)[-1]
        return int(tail) if tail.isdigit() else 0

    async def stream(self, on: Runs, chunk: int = 500, **given: Any) -> AsyncIterator[Any]:
        """Rows by a server-side cursor: memory stays flat however many there are."""
        async for row in on.conn.cursor(self.numbered, *self._values(given), prefetch=chunk):
            yield row
