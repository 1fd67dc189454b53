"""Connections kept in hand in front of asyncpg's pool: lending one costs no task, no lock and no timer.

asyncpg's pool makes, watches and mends connections; giving one back there costs about 80 µs of CPU. Here a connection that
came back in order goes straight to whoever has waited longest, or stays in hand.
"""

import asyncio
from collections import deque
from typing import Any

import asyncpg


def _clean(conn: Any) -> bool:
    """Open, and in no transaction that somebody left behind."""
    try:
        return not (conn.is_closed() or conn.is_in_transaction())
    except asyncpg.InterfaceError:  # it ended, and the pool has taken it back by itself
        return False


class Lending:
    """Lends the connections of `pool`, at most `most` at once; keeps up to `warm` in hand. Nobody else may use the pool."""

    __slots__ = ("_idle", "_lent", "_most", "_pool", "_waiting", "_warm")

    def __init__(self, pool: Any, most: int, warm: int) -> None:
        self._pool = pool
        self._most = most
        self._warm = warm
        self._idle: list[Any] = []
        self._lent = 0
        #: in the order of their arrival; each gets a connection, or None: the leave to fetch one from the pool
        self._waiting: deque[asyncio.Future[Any]] = deque()

    async def acquire(self, timeout: float) -> Any:
        """A connection that is open. Raises TimeoutError, or what the driver raises when it cannot connect."""
        while self._idle:
            conn = self._idle.pop()
            if _clean(conn):
                self._lent += 1
                return conn
            await self._pool.release(conn)
        if self._lent < self._most:
            self._lent += 1
        else:
            conn = await self._turn(timeout)
            if conn is not None:
                return conn
        try:
            return await self._pool.acquire(timeout=timeout)
        except BaseException:  # who is cancelled here holds a place, too
            self._pass_on(None)
            raise

    async def _turn(self, timeout: float) -> Any:
        """Waits for a place among the `most`: it comes with a connection, or with None."""
        turn: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(timeout):
                return await turn
        except BaseException:  # cancelled or timed out
            if turn.done() and not turn.cancelled():  # it came at the moment of giving up
                self._pass_on(turn.result())
            raise

    def _pass_on(self, conn: Any) -> None:
        """A place is free, with a connection or without one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(conn)
                return
        self._lent -= 1
        if conn is not None:
            self._idle.append(conn)

    async def release(self, conn: Any, *, in_order: bool) -> None:
        """Takes a connection back. One that is not in order, or that nobody needs, goes to the pool, which sees to it."""
        if in_order and _clean(conn) and (self._waiting or len(self._idle) < self._warm):
            self._pass_on(conn)
            return
        try:
            await self._pool.release(conn)
        finally:
            self._pass_on(None)
