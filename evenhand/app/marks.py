"""Pictures that carry their viewer's name, as the gateway hands them out: made once for all ranges, in memory only, bounded.

What was made is kept while somebody may ask for its next range, and for two minutes at most. Nothing of it is written to the disk.
"""

import asyncio
import time
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from evenhand.features.assets import watermark
from evenhand.infra.files import PIECE_BYTES
from evenhand.pure.trouble import Busy

KEEP_S = 120.0
KEEP_BYTES = 64 * 2**20  # kept for further ranges
_MOST_ALIVE = 256 * 2**20  # with what is still on its way to somebody
_MOST_WAITING = 256
#: one at a time: a large picture may cost time, never memory for two
_painter = ThreadPoolExecutor(1, thread_name_prefix="marks")


class MarksBusy(Busy):
    hint = "Reload the page in a moment."


class Source(Protocol):
    """The sealed file to be marked."""

    @property
    def size(self) -> int: ...
    async def read(self, start: int, end: int) -> memoryview: ...


class MarkedFile:
    """A marked picture, read like a file."""

    def __init__(self, picture: watermark.Picture) -> None:
        self._data = memoryview(picture.data)
        self.type = picture.type
        self.size = len(picture.data)

    async def read(self, start: int, end: int) -> memoryview:
        return self._data[start:end]

    async def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        for at in range(start, end, PIECE_BYTES):
            yield bytes(self._data[at : min(at + PIECE_BYTES, end)])


class Marks:
    """Of one process and one event loop."""

    def __init__(self, *, keep_bytes: int = KEEP_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_bytes = keep_bytes
        self._clock = clock
        self._kept: OrderedDict[tuple[str, ...], tuple[MarkedFile, float]] = OrderedDict()
        self._making: dict[tuple[str, ...], asyncio.Task[MarkedFile]] = {}
        self._alive = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def kept_bytes(self) -> int:
        return sum(one.size for one, _ in self._kept.values())

    async def of(self, file: Source, name: str, lines: tuple[str, ...]) -> MarkedFile:
        """The file `name` (the same name, the same bytes) with these lines. Raises MarksBusy, NotMarked, Altered."""
        self._forget()
        key = (name, *lines)
        held = self._kept.get(key)
        if held is not None:
            self._kept.move_to_end(key)
            return held[0]
        making = self._making.get(key)
        if making is None:
            if len(self._making) >= _MOST_WAITING or self._alive >= _MOST_ALIVE:
                raise MarksBusy("Too many pictures wait for their viewers' names.", retry_after_s=2)
            making = self._making[key] = asyncio.create_task(self._make(key, file, lines))
            making.add_done_callback(lambda done: self._made(key, done))
        return await asyncio.shield(making)  # who goes away takes it from nobody else

    async def _make(self, key: tuple[str, ...], file: Source, lines: tuple[str, ...]) -> MarkedFile:
        loop = asyncio.get_running_loop()
        data = bytes(await file.read(0, file.size))
        made = MarkedFile(await loop.run_in_executor(_painter, watermark.mark, data, lines))
        self._alive += made.size
        weakref.finalize(made, self._let_go, made.size)
        if made.size <= self._keep_bytes:
            self._kept[key] = (made, self._clock() + KEEP_S)
            while self.kept_bytes > self._keep_bytes:
                self._kept.popitem(last=False)
        return made

    def _made(self, key: tuple[str, ...], done: "asyncio.Task[MarkedFile]") -> None:
        self._making.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waited has it
        if self._timer is None and self._kept:
            self._timer = asyncio.get_running_loop().call_later(KEEP_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._forget()
        if self._kept:
            self._timer = asyncio.get_running_loop().call_later(KEEP_S / 4, self._tick)

    def _forget(self) -> None:
        now = self._clock()
        for key in [key for key, (_, until) in self._kept.items() if until <= now]:
            del self._kept[key]

    def _let_go(self, size: int) -> None:
        self._alive -= size

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for one in self._making.values():
            one.cancel()
        self._kept.clear()
