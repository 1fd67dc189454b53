"""Nobody starves: with walls, several pools, customers that come and go and times that are known late, the wait of each customer
for its next piece stays within the bound that docs/decisions/0016-scheduler.md proves, from every seed."""

import random
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.pure.fairness.bounds import Extent, wait_limit_ms
from evenhand.pure.fairness.queueing import FairQueue
from evenhand.pure.fairness.rates import pace_of, unit_of

CARD = (1, 2, 5, 10)
UNIT = unit_of(CARD)
FLOWS, POOLS, DECISIONS = 5, 3, 250


@dataclass
class Wait:
    """Of a flow in a pool: how far it stood before the virtual time when it began, and what others got there since."""

    ahead: int
    others_ms: int = 0


@dataclass
class Played:
    """A random course of events; flow 0 and 1 always have work."""

    chance: random.Random
    weights: list[int]
    largest: int
    pools: int = POOLS
    queue: FairQueue = field(init=False)
    open: list[tuple[int, int, int, int]] = field(default_factory=list[tuple[int, int, int, int]])
    error: list[int] = field(default_factory=lambda: [0] * FLOWS)
    low: list[int] = field(default_factory=lambda: [0] * FLOWS)
    high: list[int] = field(default_factory=lambda: [0] * FLOWS)
    waits: dict[tuple[int, int], Wait] = field(default_factory=dict[tuple[int, int], Wait])
    ended: list[tuple[int, Wait]] = field(default_factory=list[tuple[int, Wait]])

    def __post_init__(self) -> None:
        self.queue = FairQueue(UNIT, self.chance.randbytes(32))
        for n, weight in enumerate(self.weights):
            self.queue.enrol(n, weight)
        # who may be served by whom: everybody by pool 0, and by others as it falls
        self.may = [{0} | {p for p in range(1, self.pools) if self.chance.random() < 0.5} for _ in range(FLOWS)]
        for n in (0, 1):
            self.arrive(n)

    def arrive(self, n: int) -> None:
        cost = self.chance.randint(1, self.largest)
        for pool in sorted(self.may[n]):
            self.queue.arrive(n, pool, cost)
        self.begin(n)

    def begin(self, n: int) -> None:
        """A wait begins in each pool: after a piece, after a pause, or where something was forgiven."""
        for pool in self.may[n]:
            self.end(n, pool)
            self.waits[n, pool] = Wait(self.queue.tag(n, pool) - self.queue.pools[pool].level)

    def end(self, n: int, pool: int) -> None:
        if (wait := self.waits.pop((n, pool), None)) is not None:
            self.ended.append((n, wait))

    def depart(self, n: int) -> None:
        for pool in sorted(self.may[n]):
            self.queue.depart(n, pool)
            self.end(n, pool)

    def decide(self, pool: int) -> None:
        decided = self.queue.decide(pool)
        if decided is None:
            return
        who, used = decided.winner, self.chance.randint(0, self.largest)
        for (n, at), wait in self.waits.items():
            if at == pool and n != who:
                wait.others_ms += used
        self.error[who] += used - decided.cost_ms
        self.open.append((decided.number, who, decided.cost_ms, used))
        self.seen()
        self.arrive(who)

    def charge(self) -> None:
        number, who, expected, used = self.open.pop(self.chance.randrange(len(self.open)))
        self.queue.charge(number, used)
        self.error[who] -= used - expected
        self.seen()

    def seen(self) -> None:
        for n in range(FLOWS):
            self.low[n], self.high[n] = min(self.low[n], self.error[n]), max(self.high[n], self.error[n])

    def play(self) -> None:
        for _ in range(DECISIONS):
            other = self.chance.randrange(2, FLOWS)
            if (other, 0) in self.waits:
                if self.chance.random() < 0.3:
                    self.depart(other)
            elif self.chance.random() < 0.5:
                self.arrive(other)
            if self.open and self.chance.random() < 0.6:
                self.charge()
            self.decide(self.chance.randrange(self.pools))
        for n, pool in list(self.waits):
            self.end(n, pool)


def worst_of(played: Played) -> Fraction:
    """The longest wait as a part of its bound."""
    extents = [Extent(w, played.largest, played.high[n] - played.low[n]) for n, w in enumerate(played.weights)]
    worst = Fraction(0)
    for n, wait in played.ended:
        own = pace_of(played.weights[n], UNIT) * played.largest
        limit = wait_limit_ms(
            extents[n], extents[:n] + extents[n + 1 :], UNIT, lead=max(0, wait.ahead - own)
        )  # `lead`: what other pools gave it before
        worst = max(worst, Fraction(wait.others_ms, limit))
    return worst


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(CARD), min_size=FLOWS, max_size=FLOWS),
    st.integers(1, 5000),
    st.integers(0, 2**64).map(random.Random),
)
def test_whoever_waits_is_served_within_the_bound(weights: list[int], largest: int, chance: random.Random) -> None:
    played = Played(chance, weights, largest)
    played.play()
    assert played.ended and worst_of(played) <= 1


def test_the_bound_would_see_starvation() -> None:
    """The same course with one customer charged many times what it used: its wait is longer than the bound allows."""

    class Cheated(Played):
        def decide(self, pool: int) -> None:
            super().decide(pool)
            if self.open and self.open[-1][1] == 0:
                number, who, expected, used = self.open.pop()
                self.queue.charge(number, 60 * self.largest)
                self.error[who] -= used - expected

    played = Cheated(random.Random(1), [1] * FLOWS, 1000, pools=1)
    played.play()
    assert worst_of(played) > 1
