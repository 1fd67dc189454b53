"""Start-time fair queueing over opaque flows, for people who may serve only some of them.

Goyal, Vin and Cheng, "Start-time fair queueing", SIGCOMM 1996; the order among those whom a person may serve is the greedy
one of constrained max-min fairness (Ghodsi, Zaharia, Shenker and Stoica, "Choosy", EuroSys 2013): the lowest tag goes first.

A *flow* is a customer's work in one class, a *pool* the people who may serve the same flows. A flow has one account of
worker-milliseconds, and in each pool a tag that is counted from that pool's virtual time when the flow began to wait there. So

* with one pool this is start-time fair queueing to the letter, and its theorem holds;
* work done by one pool moves a flow back in all pools, which makes the shares max-min fair across pools;
* a newcomer starts level in every pool: it neither takes a well-staffed pool for itself until it has caught up with a year
  of others' work, nor waits in a poor one for them to catch up with it.

Here are no names, clocks or chance: the same calls give the same decisions on every machine. Every argument is a number, but
for the seed of the ties, whose hash was published before.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace
from typing import NamedTuple

from evenhand.pure.fairness.account import Account
from evenhand.pure.fairness.rates import pace_of
from evenhand.pure.fairness.seeds import tie_of
from evenhand.pure.trouble import Conflict, Invalid, Missing


class FlowUnknown(Missing):
    hint = "Enrol the flow with its weight first."


class LeaseUnknown(Missing):
    hint = "A decision is charged once; it was charged already, or never made here."


class Head(NamedTuple):
    """The next piece of a flow that waits: what it is expected to take."""

    flow: int
    cost_ms: int


class Decision(NamedTuple):
    """Decision `number` gave `pool` the head of flow `winner`. Tags are in units of the class's rate card."""

    number: int
    pool: int
    winner: int
    start: int
    finish: int
    cost_ms: int


class Entry(NamedTuple):
    """One waiting flow as a decision sees it. `flow` is its opaque index."""

    flow: int
    pace: int
    start: int
    cost_ms: int
    tie: bytes


@dataclass(slots=True)
class Pool:
    """`level` is the virtual time: the largest start tag served. `busy`: served something since the level was closed.

    `heap` holds lower bounds of the waiting flows' keys; `keys` says which entry of a flow counts.
    """

    level: int = 0
    busy: bool = False
    heads: dict[int, int] = field(default_factory=dict[int, int])
    heap: list[tuple[int, bytes, int]] = field(default_factory=list[tuple[int, bytes, int]])
    keys: dict[int, int] = field(default_factory=dict[int, int])


class FairQueue:
    """All flows and pools of one class of work. A decision costs O(log flows), a charge O(its pools + its open leases)."""

    def __init__(self, unit: int, seed: bytes) -> None:
        """unit: `rates.unit_of` the rate card. seed: secret until its batch is over, at least 16 bytes."""
        if len(seed) < 16:
            raise Invalid("the seed of the ties is shorter than 16 bytes", hint="Draw 32 random bytes for each batch.")
        self.unit, self.number, self._seed = unit, 0, seed
        self.accounts: dict[int, Account] = {}
        self.pools: dict[int, Pool] = {}
        self._owner: dict[int, int] = {}

    # -- who waits ----------------------------------------------------------------------------------------------------

    def enrol(self, flow: int, weight: int) -> None:
        """A flow with its contracted weight; again, with another weight, from now on."""
        pace = pace_of(weight, self.unit)
        account = self.accounts.get(flow)
        if account is None:
            self.accounts[flow] = Account(weight, pace)
        elif account.weight != weight:
            account.reweigh(weight, pace)

    def arrive(self, flow: int, pool: int, cost_ms: int) -> None:
        """The flow has something for this pool from now on. Called while it waits already, it only renews the cost."""
        if cost_ms < 0:
            raise Invalid("a cost is below zero", hint="Expected worker-milliseconds are zero or more.")
        place = self.pools.setdefault(pool, Pool())
        if flow not in place.heads:
            self._account(flow).wait(pool, self.number, place.level)
            place.heads[flow] = cost_ms
            self._push(place, pool, flow)
        place.heads[flow] = cost_ms

    def depart(self, flow: int, pool: int) -> None:
        """Nothing waits for this pool any more. What the flow owes is kept, what it is owed is not."""
        place = self.pools.get(pool)
        if place is None or place.heads.pop(flow, None) is None:
            return
        place.keys.pop(flow, None)
        self.accounts[flow].leave(pool, self.number, place.level)

    def waiting(self, pool: int) -> int:
        place = self.pools.get(pool)
        return len(place.heads) if place else 0

    # -- decisions ----------------------------------------------------------------------------------------------------

    def decide(self, pool: int, without: Collection[int] = ()) -> Decision | None:
        """The waiting flow with the lowest start tag, charged what its head is expected to take; None where nothing waits.

        `without`: flows that this person cannot be given just now (they have had all of its open pieces); the virtual time does
        not pass them by. When nothing waits, the busy period is over and the virtual time becomes the largest finish tag
        (ibid., step 2).
        """
        place = self.pools.get(pool)
        if place is None or not place.heads:
            if place is not None and place.busy:
                tags = (account.tag(pool) for account in self.accounts.values())
                place.level = max([place.level, *(tag for tag in tags if tag is not None)])
                place.busy = False
                for account in self.accounts.values():
                    account.forget(pool, place.level)
            return None
        flow, start = lowest = self._lowest(place, pool)
        if flow in without:
            rest = [n for n in place.heads if n not in without]
            if not rest:
                return None
            start, _, flow = min(
                (tag, tie_of(self._seed, n, tag), n) for n, tag in ((n, self.tag(n, pool)) for n in rest)
            )
        account, cost_ms = self.accounts[flow], place.heads[flow]
        self.number += 1
        account.hand_out(self.number, cost_ms)
        self._owner[self.number] = flow
        # Never back: the flow that is served may be owed time and stand below; newcomers have no part in that.
        place.level = max(place.level, lowest[1])
        place.busy = True
        finish = start + account.pace * cost_ms
        if flow == lowest[0]:
            place.keys[flow] = finish
            heapreplace(place.heap, (finish, tie_of(self._seed, flow, finish), flow))
        return Decision(self.number, pool, flow, start, finish, cost_ms)

    def charge(self, number: int, used_ms: int) -> None:
        """Decision `number` took `used_ms`: correct the account by what was expected too much or too little."""
        if used_ms < 0:
            raise Invalid("used time is below zero", hint="Charge zero for a lease that was given back unused.")
        flow = self._owner.pop(number, None)
        if flow is None:
            raise LeaseUnknown(f"no open lease has the number {number}")
        account = self.accounts[flow]
        if account.settle(number, used_ms) == 0:
            return
        for pool in list(account.chains):
            place = self.pools[pool]
            if flow not in place.heads:
                account.forget(pool, place.level)
            elif self.tag(flow, pool) < place.keys[flow]:
                self._push(place, pool, flow)  # a heap of lower bounds: what rose is found when it comes up

    def spend(self, flow: int, used_ms: int) -> None:
        """Work that was done for the flow without a decision, by somebody who may serve nobody else."""
        if used_ms < 0:
            raise Invalid("used time is below zero", hint="Charge what was paid.")
        self._account(flow).spent += used_ms  # tags only rise, so the heaps' lower bounds hold

    def form(self, pool: int, like: int, flows: Collection[int]) -> None:
        """A new pool of people for `flows`, most of whom came from the pool `like`: each flow stands there as it stood."""
        origin = self.pools.get(like, Pool())
        place = self.pools[pool] = Pool(origin.level, origin.busy)
        for flow in flows:
            account = self._account(flow)
            if like in account.chains:
                account.copy(like, pool)
                if account.chains[pool].left_at < 0:
                    account.leave(pool, self.number, place.level)

    def disband(self, pool: int) -> None:
        """Nobody is in this pool any more: what stood in it is let go."""
        self.pools.pop(pool, None)
        for account in self.accounts.values():
            account.chains.pop(pool, None)

    def forgive(self, lead: int) -> None:
        """Close an epoch: no waiting flow stays further than `lead` tag units ahead of a pool's virtual time.

        Within one pool nobody gets that far. A flow that other pools served much can; when those people are gone, this is
        what bounds its wait here (docs/decisions/0016-scheduler.md).
        """
        for pool, place in self.pools.items():
            for flow in place.heads:
                excess = self.tag(flow, pool) - place.level - lead
                if excess > 0:
                    self.accounts[flow].shift(pool, -excess)
                    self._push(place, pool, flow)

    def reseed(self, seed: bytes) -> None:
        """The next batch of ties."""
        self._seed = seed
        for pool, place in self.pools.items():
            starts = {flow: self.tag(flow, pool) for flow in place.heads}
            place.heap = [(start, tie_of(seed, flow, start), flow) for flow, start in starts.items()]
            place.keys = starts
            heapify(place.heap)

    # -- looking ------------------------------------------------------------------------------------------------------

    def tag(self, flow: int, pool: int) -> int:
        """The start tag of the flow's next piece in this pool."""
        tag = self._account(flow).tag(pool)
        if tag is None:
            raise Conflict("the flow has never waited in this pool", hint="Let it arrive first.")
        return tag

    def view(self, pool: int) -> tuple[Entry, ...]:
        """All that a decision for `pool` sees, by flow. O(waiting flows): for commitments, not for deciding."""
        place = self.pools.get(pool, Pool())
        return tuple(
            Entry(n, self.accounts[n].pace, start, place.heads[n], tie_of(self._seed, n, start))
            for n, start in ((n, self.tag(n, pool)) for n in sorted(place.heads))
        )

    def lease_open(self, number: int, flow: int) -> None:
        """Take up a lease that a stored account holds open."""
        self._owner[number] = flow

    # -- inside -------------------------------------------------------------------------------------------------------

    def _account(self, flow: int) -> Account:
        try:
            return self.accounts[flow]
        except KeyError:
            raise FlowUnknown(f"no flow has the index {flow}") from None

    def _push(self, place: Pool, pool: int, flow: int) -> None:
        start = self.tag(flow, pool)
        place.keys[flow] = start
        heappush(place.heap, (start, tie_of(self._seed, flow, start), flow))

    def _lowest(self, place: Pool, pool: int) -> tuple[int, int]:
        """The waiting flow with the lowest true key, brought to the top of the heap."""
        heap, keys = place.heap, place.keys
        while True:
            start, _, flow = heap[0]
            if keys.get(flow) != start:
                heappop(heap)
                continue
            now = self.tag(flow, pool)
            if now == start:
                return flow, start
            keys[flow] = now
            heapreplace(heap, (now, tie_of(self._seed, flow, now), flow))
