"""Memory for uploads: what a file is, is told by looking at all of it, so a process holds it whole until it is sealed; but only
so many bytes at a time, and of one customer a part of them, so that nobody's uploads shut out another's. What files may take on
the disk is counted elsewhere: features/assets/storage_limit.py.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from evenhand.pure.trouble import Busy

MOST = 256_000_000  # bytes of bodies in a process; parsed they are in memory twice for a moment
EACH = 96_000_000  # of one space: one file of the largest size, or many small ones
PATIENCE_S = 20.0


class NoUploadMemory(Busy):
    code = "no_room"
    hint = "Send fewer files at a time, or this one again in a moment."


class UploadMemory:
    """Of one process and one event loop. Who does not fit waits, unread; the sender's connection slows down by itself."""

    def __init__(self, most: int = MOST, each: int = EACH, patience_s: float = PATIENCE_S) -> None:
        self.most = most
        self.each = each
        self.patience_s = patience_s
        self._held: Counter[str] = Counter()
        self._changed = asyncio.Condition()

    @property
    def held(self) -> int:
        return self._held.total()

    @asynccontextmanager
    async def of(self, org_id: str, size: int) -> AsyncGenerator[None]:
        """Memory for a body of `size` bytes while the block runs. Raises NoUploadMemory when there is none for a while."""
        size = min(size, self.each)
        async with self._changed:
            try:
                async with asyncio.timeout(self.patience_s):
                    await self._changed.wait_for(lambda: self._fits(org_id, size))
            except TimeoutError as err:
                raise NoUploadMemory("Too many files are being uploaded at once.", retry_after_s=5) from err
            self._held[org_id] += size
        try:
            yield
        finally:
            self._held[org_id] -= size
            self._held += Counter()  # forgets spaces that hold nothing
            await self._tell()

    def _fits(self, org_id: str, size: int) -> bool:
        return self._held[org_id] + size <= self.each and self._held.total() + size <= self.most

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
