"""Claim: over a simulated year every customer gets its due: Jain's index at least 0.99, lag within the proven bound.

A year, from a seed: 24 customers of four price classes, one of them 100 times larger, in bursts; 22 people in four pools with
walls between them; pools that fall out for days; work that takes other than expected, which is known only afterwards. Then

* Jain's index of served/entitled, each week, over those who waited throughout; entitled is constrained max-min (`maxmin`);
* the lag of every pair that the theorem speaks about, each week, as a part of its bound;
* 1,000 relabellings: names permuted, everything told in another order: the relabelled decisions, exactly;
* a bias of 5 % for affiliates, planted in what they are charged, found within a week; and fair weeks that raise no alarm
  more often than the level says.
"""

import argparse
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.support.serving import conclude, say
from evenhand.pure.fairness.bounds import Extent, lag_limit, lead_limit
from evenhand.pure.fairness.figures import Policy, Row, figures, jain
from evenhand.pure.fairness.maxmin import Claim, entitlements
from evenhand.pure.fairness.queueing import FairQueue
from evenhand.pure.fairness.rates import pace_of, unit_of

JAIN_LEAST = 0.99
HOUR, DAY, WEEK = 3_600_000, 86_400_000, 7 * 86_400_000  # ms
CARD = (1, 2, 5, 10)
UNIT = unit_of(CARD)
CUSTOMERS, GIANT = 24, 3
# People in each pool, and whom they may serve: all; all but the rivals 0 to 5; one language; one clearance.
PEOPLE = (12, 4, 3, 3)
MAY = (frozenset(range(24)), frozenset(range(6, 24)), frozenset(range(6, 14)), frozenset((3, *range(12, 18))))
POOLS = [frozenset(p for p, some in enumerate(MAY) if n in some) for n in range(CUSTOMERS)]
WEIGHTS = [CARD[n % len(CARD)] for n in range(CUSTOMERS)]
NEVER, LEAD_PIECES = 1 << 62, 6
NOTHING_MS = 5 * 60_000  # until somebody who found nothing asks again


@dataclass(slots=True)
class Period:
    """What happened since `begun`, in worker-ms of used time: served by customer, worked by pool; the extents since ever."""

    begun: int
    leads: dict[tuple[int, int], int]
    served: list[int] = field(default_factory=lambda: [0] * CUSTOMERS)
    worked: list[int] = field(default_factory=lambda: [0] * len(PEOPLE))
    largest: list[int] = field(default_factory=lambda: [0] * CUSTOMERS)
    low: list[int] = field(default_factory=lambda: [0] * CUSTOMERS)
    high: list[int] = field(default_factory=lambda: [0] * CUSTOMERS)
    waited: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)] * CUSTOMERS)


class World:
    """Customers, people and time. It knows the names; the queue does not."""

    def __init__(
        self,
        seed: int,
        *,
        piece_ms: int,
        bias: dict[int, float] | None = None,
        shuffle: int | None = None,
        lulls: float = 0.006,
    ):
        self.chance, self.queue, self.now = random.Random(seed), FairQueue(UNIT, seed.to_bytes(32)), 0
        self.telling = random.Random(shuffle) if shuffle is not None else None
        self.piece_ms, self.bias, self.lulls = piece_ms, bias or {}, lulls
        self.backlog, self.full_since = [0] * CUSTOMERS, [NEVER] * CUSTOMERS
        self.next_cost = [self._cost() for _ in range(CUSTOMERS)]
        self.ready, self.bursting = [0] * CUSTOMERS, [n % 2 == 0 or n == GIANT or not lulls for n in range(CUSTOMERS)]
        self.error, self.down_until = [0] * CUSTOMERS, [0] * len(PEOPLE)
        self.winners: list[int] = []
        for n in self._order(range(CUSTOMERS)):
            self.queue.enrol(n, WEIGHTS[n])
        crew = [pool for pool, people in enumerate(PEOPLE) for _ in range(people)]
        # (time, person, pool, the decision that ends then or 0, customer, expected, used)
        self.asks = [(0, person, pool, 0, 0, 0, 0) for person, pool in enumerate(crew)]
        heapify(self.asks)
        self.hour = 0
        self._arrivals()
        self.period = self._period()

    def _order(self, some: Sequence[int]) -> list[int]:
        """The order in which things are told, which must not matter."""
        return self.telling.sample(some, len(some)) if self.telling else list(some)

    def _cost(self) -> int:
        return round(self.piece_ms * self.chance.uniform(0.3, 1.7))

    def _arrivals(self) -> None:
        """An hour's new work: bursts and lulls of a week or so; the giant has a hundred times what others of its class have."""
        share = sum(PEOPLE) * HOUR / self.piece_ms / CUSTOMERS
        for n in range(CUSTOMERS):
            if self.chance.random() < self.lulls:
                self.bursting[n] = not self.bursting[n]
            size = share * WEIGHTS[n] * CUSTOMERS / sum(WEIGHTS) * (100 if n == GIANT else 1)
            size *= 1.6 if self.bursting[n] else 0.1
            if self.backlog[n] < 1_000_000:
                more = int(self.chance.uniform(0.5, 1.5) * size + self.chance.random())
                if more and not self.backlog[n]:
                    self.full_since[n] = self.ready[n] = self.now
                self.backlog[n] += more
        for n in self._order([n for n in range(CUSTOMERS) if self.backlog[n]]):
            for pool in self._order(sorted(POOLS[n])):
                self.queue.arrive(n, pool, self._said(n, self.next_cost[n]))
        for pool in range(len(PEOPLE)):
            if self.chance.random() < 12 / (365 * 24):  # about once a month
                self.down_until[pool] = self.now + self.chance.randrange(6, 48) * HOUR
        self.hour += 1

    def run(self, until: int) -> Period:
        """To the moment `until`, the end of an epoch; what happened on the way."""
        while self.asks[0][0] < until:
            at = self.asks[0][0]
            if at >= self.hour * HOUR:
                self.now = self.hour * HOUR
                self._arrivals()
                continue
            self._ask()
        self.now = until
        # What other pools gave somebody in this epoch keeps it waiting for so much work of one's own in the next, and no more.
        self.queue.forgive(LEAD_PIECES * self.piece_ms * UNIT)
        ended, self.period = self.period, self._period()
        return ended

    def _ask(self) -> None:
        self.now, person, pool, number, n, expected, used = heappop(self.asks)
        if number:
            self.queue.charge(number, self._said(n, used))
            self.error[n] -= used - expected
        if self.now < self.down_until[pool]:
            heappush(self.asks, (self.down_until[pool], person, pool, 0, 0, 0, 0))
            return
        decided = self.queue.decide(pool)
        if decided is None:
            heappush(self.asks, (self.now + NOTHING_MS, person, pool, 0, 0, 0, 0))
            return
        n, period = decided.winner, self.period
        self.winners.append(n)
        expected = self.next_cost[n]
        used = round(expected * min(3.0, max(0.25, self.chance.lognormvariate(0, 0.4))))
        heappush(self.asks, (self.now + used, person, pool, decided.number, n, expected, used))
        self.error[n] += used - expected
        period.served[n] += used
        period.worked[pool] += used
        period.largest[n] = max(period.largest[n], used)
        period.low[n], period.high[n] = min(period.low[n], self.error[n]), max(period.high[n], self.error[n])
        count, total = period.waited[n]
        period.waited[n] = count + 1, total + self.now - self.ready[n]
        self.backlog[n] -= 1
        self.next_cost[n], self.ready[n] = self._cost(), self.now
        for other in self._order(sorted(POOLS[n])):
            if self.backlog[n]:
                self.queue.arrive(n, other, self._said(n, self.next_cost[n]))
            else:
                self.queue.depart(n, other)
        if not self.backlog[n]:
            self.full_since[n] = NEVER

    def _said(self, n: int, ms: int) -> int:
        """What the queue is told: the truth, but for those for whom a bias is planted."""
        return round(ms / (1 + self.bias.get(n, 0.0)))

    def _period(self) -> Period:
        waiting = {(n, p): self.queue.tag(n, p) for n in range(CUSTOMERS) if self.backlog[n] for p in POOLS[n]}
        after = Period(self.now, waiting)
        if self.hour > 1:  # the last piece before a period can be what puts a customer ahead in it
            after.largest, after.low, after.high = self.period.largest, self.period.low, self.period.high
        return after

    def throughout(self, period: Period) -> list[int]:
        """Customers with work waiting since before the period and to now."""
        return [n for n in range(CUSTOMERS) if self.backlog[n] and self.full_since[n] < period.begun]


def due(period: Period, waiting: Sequence[int]) -> list[float]:
    """Worker-ms to which each customer was entitled of what was worked; who did not wait wanted what it got."""
    claims = [Claim(WEIGHTS[n], POOLS[n], None if n in waiting else period.served[n]) for n in range(CUSTOMERS)]
    return [float(share) for share in entitlements(dict(enumerate(period.worked)), claims)]


def lag(period: Period, waiting: Sequence[int]) -> float:
    """The largest lag of the week as a part of its bound, over every pair that the theorem speaks about."""
    worst = 0.0
    extents = [Extent(WEIGHTS[n], period.largest[n], period.high[n] - period.low[n]) for n in range(CUSTOMERS)]
    for f in waiting:
        for g in waiting:
            if f == g or not POOLS[f] <= POOLS[g]:
                continue
            ahead = period.served[f] * pace_of(WEIGHTS[f], UNIT) - period.served[g] * pace_of(WEIGHTS[g], UNIT)
            lead = max(period.leads[g, p] - period.leads[f, p] for p in POOLS[f])
            limits = [lead_limit(extents[f], extents[g], lead, UNIT)]
            if POOLS[f] == POOLS[g] and len(POOLS[f]) == 1:
                limits.append(lag_limit(extents[f], extents[g], UNIT))
            for limit in limits:
                if ahead > limit:
                    return math.inf
                worst = max(worst, ahead / limit if limit > 0 and ahead > 0 else 0.0)
    return worst


def year(piece_ms: int, weeks: int) -> tuple[float, float, int]:
    """(the smallest weekly Jain's index, the largest part of a bound, decisions)."""
    world, least, worst, pairs = World(1, piece_ms=piece_ms), 1.0, 0.0, 0
    low: list[float] = []
    for week in range(weeks):
        period = world.run((week + 1) * WEEK)
        waiting = world.throughout(period)
        pairs += len(waiting)
        if len(waiting) >= 2:
            entitled = due(period, waiting)
            low.append(jain([period.served[n] / entitled[n] for n in waiting]))
            worst = max(worst, lag(period, waiting))
    least = min(low)
    say(
        weeks=weeks, decisions=len(world.winners), waiting_throughout=round(pairs / weeks, 1),
        jain_least=round(least, 5), jain_median=round(sorted(low)[len(low) // 2], 5), lag_of_bound=round(worst, 3),
        giant_share_of_work=round(world.winners.count(GIANT) / len(world.winners), 3),
    )  # fmt: skip
    return least, worst, len(world.winners)


def relabelled(times: int, piece_ms: int) -> int:
    """How many of `times` relabelled replays give exactly the relabelled decisions."""
    alike = 0
    for n in range(times):
        names = [f"customer {k}" for k in range(CUSTOMERS)]
        other = random.Random(n).sample(names, CUSTOMERS)
        new = dict(zip(names, other, strict=True))
        one, two = World(n, piece_ms=piece_ms), World(n, piece_ms=piece_ms, shuffle=n)
        one.run(DAY)
        two.run(DAY)
        alike += [new[names[w]] for w in one.winners] == [other[w] for w in two.winners] and len(one.winners) > 50
    return alike


def week_of(seed: int, piece_ms: int, bias: float) -> tuple[float, float, float | None]:
    """(p, difference of served/entitled, smallest detectable) of a simulated week's figures."""
    chance = random.Random(seed)
    marked = set(chance.sample(range(CUSTOMERS), CUSTOMERS // 2))
    world, rows = World(1000 + seed, piece_ms=piece_ms, bias=dict.fromkeys(marked, bias), lulls=0), list[Row]()
    for day in range(7):
        period = world.run((day + 1) * DAY)
        waiting = world.throughout(period)
        entitled = due(period, waiting)
        for n in waiting:
            count, total = period.waited[n]
            # Alike but for who they are: the same day. Who may serve them is in what they are entitled to.
            kind = f"day {day}"
            rows.append(
                Row(f"c{n:02}", n in marked, kind, total / max(count, 1) / 1000, period.served[n], round(entitled[n]))
            )
    found = figures(rows, Policy(least=2, draws=999), seed=seed).service
    if found is None or found.difference is None:
        return 1.0, 0.0, None  # nobody to set beside the affiliates: nothing is found, and nothing alarms
    return found.p, found.difference, found.detectable


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    piece_ms = (60 if quick else 10) * 60_000
    least, worst, _ = year(piece_ms, 52)
    times = 1000
    alike = relabelled(times, 240 * 60_000)
    say(relabelled=times, alike=alike)
    trials = 8 if quick else 40
    week_piece_ms = 20 * 60_000
    fair = [week_of(n, week_piece_ms, 0.0) for n in range(trials)]
    biased = [week_of(n, week_piece_ms, 0.05) for n in range(trials)]
    alarms, found = sum(p <= 0.05 for p, _, _ in fair), sum(p <= 0.05 for p, d, _ in biased if d > 0)
    allowed = trials * 0.05 + 3 * math.sqrt(trials * 0.05 * 0.95)
    say(
        weeks=trials, bias_found=found, false_alarms=alarms, alarms_allowed=round(allowed, 1),
        difference_measured=round(sum(d for _, d, _ in biased) / trials, 4),
        detectable=round(sum(d or 0 for _, _, d in fair) / trials, 4),
    )  # fmt: skip
    ratios = {
        "Jain's index": least / JAIN_LEAST,
        "lag": 1 / worst if worst else math.inf,
        "relabelling": float(alike == times),
        "planted bias": found / trials,
        "false alarms": float(alarms <= allowed),
    }
    say(ratios={k: round(v, 3) for k, v in ratios.items()})
    weakest = min(ratios, key=lambda k: ratios[k])
    conclude(f"a neutral year (worst: {weakest})", least, "Jain's index, least week", JAIN_LEAST, ratios[weakest])


if __name__ == "__main__":
    main()
