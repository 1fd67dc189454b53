"""How much of a process one customer may take: requests a second, and requests at once.

A token bucket for each organisation (RFC 9110's 429 when it is empty), and a line of its own for what it asks at the same time:
what one customer waits for, nobody else waits for. Each HTTP process counts for itself. Next and submit, which belong to people and
not to a customer, pass by: there leases are the limit."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from types import TracebackType

from evenhand.infra.keys import hashed
from evenhand.pure.trouble import Busy

#: a bucket holds as much as comes in this time
BURST_S = 20.0
#: half of a process's connections for requests, so that others always find some
AT_ONCE = 4
MOST_WAITING = 200
_MOST_KNOWN = 20_000


class TooManyRequests(Busy):
    hint = "Wait as long as Retry-After says; many tasks go in one request to /tasks/bulk."


class _Bucket:
    __slots__ = ("at", "left")

    def __init__(self, at: float, left: float) -> None:
        self.at, self.left = at, left


class Limits:
    """per_s: requests a second for each organisation; 0 for as many as come."""

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._clock = per_s, clock
        self._orgs: dict[str, _Bucket] = {}
        #: whose a key or session was when it was last let in: it says in which line to stand, and lets nobody in
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._lines: dict[str, _Line] = {}

    def _bucket(self, org_id: str) -> _Bucket:
        now = self._clock()
        one = self._orgs.get(org_id)
        if one is None:
            one = self._orgs[org_id] = _Bucket(now, self._per_s * BURST_S)
        one.left = min(self._per_s * BURST_S, one.left + (now - one.at) * self._per_s)
        one.at = now
        return one

    def take(self, org_id: str, credential: str = "") -> None:
        """Counts a request of somebody who may ask for this organisation. Raises TooManyRequests."""
        if credential:
            self._remember(hashed(credential), org_id)
        if not self._per_s:
            return
        one = self._bucket(org_id)
        if one.left < 1:
            raise self._refused(one)
        one.left -= 1

    def look(self, key: str) -> None:
        """Refuses a key whose organisation has nothing left, before the database is asked whose it is."""
        org_id = self._known.get(hashed(key))
        if org_id is not None and self._per_s:
            one = self._bucket(org_id)
            if one.left < 1:
                raise self._refused(one)

    def _remember(self, credential: bytes, org_id: str) -> None:
        if self._known.get(credential) != org_id:
            self._known[credential] = org_id
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)

    def _refused(self, one: _Bucket) -> TooManyRequests:
        text = f"Your organisation may send {self._per_s:g} requests a second here, and {self._per_s * BURST_S:g} at a stretch."
        return TooManyRequests(text, retry_after_s=(1 - one.left) / self._per_s)

    def turn(self, credential: str, address: str) -> "Turn":
        """`async with` it around the work of one request. Whom nobody knows yet stands in the line of their address."""
        return Turn(self._lines, self._known.get(hashed(credential)) or f"from {address}")


class _Line:
    __slots__ = ("inside", "waiting")

    def __init__(self) -> None:
        self.inside = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Turn:
    """A place among the requests of one line. Raises TooManyRequests when the line is too long."""

    __slots__ = ("_lines", "_name")

    def __init__(self, lines: dict[str, _Line], name: str) -> None:
        self._lines, self._name = lines, name

    async def __aenter__(self) -> None:
        line = self._lines.get(self._name)
        if line is None:
            line = self._lines[self._name] = _Line()
        if line.inside < AT_ONCE:
            line.inside += 1
            return
        if len(line.waiting) >= MOST_WAITING:
            raise TooManyRequests("Too many requests of yours wait already.", retry_after_s=1)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting.append(mine)
        try:
            await mine
        except BaseException:
            if mine.done() and not mine.cancelled():  # it came at the moment of giving up
                self._pass_on(line)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trail: TracebackType | None
    ) -> None:
        self._pass_on(self._lines[self._name])

    def _pass_on(self, line: _Line) -> None:
        while line.waiting:
            following = line.waiting.popleft()
            if not following.done():
                following.set_result(None)
                return
        line.inside -= 1
        if not line.inside:
            del self._lines[self._name]
