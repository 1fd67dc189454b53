"""The scheduler as a machine that is fed numbered steps: whoever has the same steps has the same state.

Every process of a server keeps such a machine for each class of work, and they agree because the database gives the steps one
order. `sealing` follows them later and sees each decision again, with all that it saw. A step is a record of numbers; `encode` and
`decode` write it as JSON.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from evenhand.pure.fairness.queueing import Decision, FairQueue
from evenhand.pure.fairness.state import rescale, restore, snapshot

FIRST_COST_MS = 60_000  # what the first piece of a flow is expected to take; afterwards it is learnt
_KEPT = 7  # of 8 parts: how slowly the expected time follows what is used


class Flow(NamedTuple):
    """A customer's work in this class, under the next index."""

    weight: int


class Form(NamedTuple):
    """A pool of people under the next index: whom they may serve, and the pool most of them came from, or -1."""

    like: int
    flows: tuple[int, ...]


class Arrive(NamedTuple):
    pool: int
    flows: tuple[int, ...]


class Depart(NamedTuple):
    pool: int
    flows: tuple[int, ...]


class Decide(NamedTuple):
    """`without`: those whom the person of this decision cannot be given, although they wait."""

    pool: int
    without: tuple[int, ...] = ()


class Charge(NamedTuple):
    number: int
    used_ms: int


class Spend(NamedTuple):
    """Work by those who may serve this flow only: nobody decided anything."""

    flow: int
    used_ms: int
    pieces: int


class Weigh(NamedTuple):
    flow: int
    weight: int


class Seed(NamedTuple):
    """A new batch of ties."""

    seed: bytes


class Forgive(NamedTuple):
    lead: int


class Disband(NamedTuple):
    pool: int


class Rescale(NamedTuple):
    """A rate card with weights that the unit of tags was no multiple of."""

    unit: int


Step = Flow | Form | Arrive | Depart | Decide | Charge | Spend | Weigh | Seed | Forgive | Disband | Rescale


@dataclass(slots=True)
class Extent:
    """What is known of a flow's pieces. In ms; the last two are of the batch that runs.

    expected: of the next piece. largest: of all so far. most_open: pieces in work at one time. done: handed out or spent;
    places: the pools by whose people, and -1 for those who may serve nobody else.
    """

    expected: int = FIRST_COST_MS
    largest: int = FIRST_COST_MS
    most_open: int = 0
    done: int = 0
    places: set[int] = field(default_factory=set[int])


class Ledger:
    """The machine. `batch` numbers the seeds of ties, from 1."""

    def __init__(self, unit: int, seed: bytes) -> None:
        self.batch = 1
        self.seed = seed
        self.queue = FairQueue(unit, seed)
        self.extents: list[Extent] = []
        self.members: dict[int, tuple[int, ...]] = {}
        self.pools = 0  # that there ever were: the next index
        self.owner: dict[int, int] = {}  # open decisions and their flows

    def apply(self, step: Step) -> Decision | None:
        """Takes a step; what was decided, if it was a decision and anything waited."""
        queue = self.queue
        match step:
            case Flow(weight):
                queue.enrol(len(self.extents), weight)
                self.extents.append(Extent())
            case Form(like, flows):
                self.members[self.pools] = flows
                queue.form(self.pools, like, flows)
                self.pools += 1
            case Arrive(pool) | Depart(pool) | Decide(pool) if pool not in self.members:
                pass  # it was disbanded just now; whoever proposed this forms another
            case Arrive(pool, flows):
                for flow in flows:
                    queue.arrive(flow, pool, self.extents[flow].expected)
            case Depart(pool, flows):
                for flow in flows:
                    queue.depart(flow, pool)
            case Decide(pool, without):
                return self._decide(pool, without)
            case Charge(number, used_ms):
                self._charge(number, used_ms)
            case Spend(flow, used_ms, pieces):
                queue.spend(flow, used_ms)
                if pieces > 0:
                    self._learn(flow, used_ms // pieces)
                self._done(flow, -1, used_ms)
            case Weigh(flow, weight):
                queue.enrol(flow, weight)
            case Seed(seed):
                self.seed, self.batch = seed, self.batch + 1
                queue.reseed(seed)
                for extent in self.extents:
                    extent.done = 0
                    extent.places.clear()
            case Forgive(lead):
                queue.forgive(lead)
            case Disband(pool):
                queue.disband(pool)
                self.members.pop(pool, None)
            case Rescale(unit):
                self.queue = restore(rescale(snapshot(queue), unit), self.seed)
        return None

    def _decide(self, pool: int, without: tuple[int, ...]) -> Decision | None:
        decision = self.queue.decide(pool, without)
        if decision is None:
            return None
        flow, extent = decision.winner, self.extents[decision.winner]
        self.owner[decision.number] = flow
        self.queue.arrive(flow, pool, extent.expected)
        extent.most_open = max(extent.most_open, len(self.queue.accounts[flow].open))
        self._done(flow, pool, decision.cost_ms)
        return decision

    def _charge(self, number: int, used_ms: int) -> None:
        flow = self.owner.pop(number, None)
        if flow is None:
            return  # charged already: whoever asks again after a crash changes nothing
        self.queue.charge(number, used_ms)
        if used_ms:
            self._learn(flow, used_ms)

    def _learn(self, flow: int, used_ms: int) -> None:
        extent = self.extents[flow]
        extent.expected = max(1, (_KEPT * extent.expected + used_ms) // (_KEPT + 1))
        extent.largest = max(extent.largest, used_ms)
        for pool in self.queue.accounts[flow].chains:
            heads = self.queue.pools[pool].heads
            if flow in heads:
                heads[flow] = extent.expected

    def _done(self, flow: int, place: int, ms: int) -> None:
        extent = self.extents[flow]
        extent.done += ms
        extent.places.add(place)

    # -- what it guarantees -------------------------------------------------------------------------------------------

    def reach(self, flow: int) -> int:
        """(l + E) / r of a flow in tag units, E being at most the pieces it has had in work at once."""
        extent = self.extents[flow]
        return self.queue.accounts[flow].pace * extent.largest * (1 + extent.most_open)

    def lead(self) -> int:
        """What `Forgive` leaves of a lead: above (l + E) / r of every flow, so that nobody with one pool is touched."""
        return max((self.reach(flow) for flow in range(len(self.extents))), default=0)

    def limit(self, flow: int) -> int:
        """How far behind the winner the flow can have been in a decision of this batch, in tag units.

        Its own reach, the most that a winner can have been owed, what it was given by people of other pools meanwhile, and
        the lead that the end of the last batch left it. See docs/decisions/0021-turns.md.
        """
        extent = self.extents[flow]
        elsewhere = extent.done if len(extent.places) > 1 else 0
        return self.reach(flow) + 2 * self.lead() + self.queue.accounts[flow].pace * elsewhere
