"""What one customer was charged, and where that puts it in each pool.

In start-time fair queueing (Goyal, Vin and Cheng 1996, equations 4 and 5) the j-th piece of a flow has the start tag
S_j = max(v_j, F_(j-1)) and the finish tag F_j = S_j + l_j / r. Unrolled,

    F_n = max over j <= n of (v_j + (l_j + ... + l_n) / r),

where only those j matter at which the flow began to wait: while it waits, v never passes its tag. An `Anchor` is one such j.
The unrolled form takes corrections exactly: when it turns out that a piece took other than expected, the sums that contain
it change and the others do not, so the tag becomes the one that the true time would have given, in whatever order the
corrections come. Time that was paid back cannot become credit for a pause in between, because the anchor after the pause
does not contain it.
"""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Anchor:
    """The flow began to wait in a pool: after decision `at`, at virtual time `level`, with `before` ms charged by then."""

    at: int
    level: int
    before: int


@dataclass(slots=True)
class Chain:
    """A flow's history in one pool. Only what it was handed while it waited there counts there.

    left_at: the decision after which it stopped waiting, or -1 while it waits; left_spent: what it had been charged by then.
    gaps: (left, came back) of pauses in which other pools handed it pieces that are still open.
    """

    anchors: list[Anchor]
    left_at: int = -1
    left_spent: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])


@dataclass(slots=True)
class Account:
    """One flow. `spent` and the values of `open` are worker-milliseconds; `open` is by decision number, in order."""

    weight: int
    pace: int
    spent: int = 0
    open: dict[int, int] = field(default_factory=dict[int, int])
    chains: dict[int, Chain] = field(default_factory=dict[int, Chain])

    def tag(self, pool: int) -> int | None:
        """The finish tag in `pool` of what was charged so far, which is the start tag of what comes next."""
        chain = self.chains.get(pool)
        if chain is None:
            return None
        spent = self.spent if chain.left_at < 0 else chain.left_spent
        if len(chain.anchors) == 1:
            one = chain.anchors[0]
            return one.level + self.pace * (spent - one.before)
        return max(a.level + self.pace * (spent - a.before) for a in chain.anchors)

    def wait(self, pool: int, at: int, level: int) -> None:
        """The flow begins to wait in `pool`: it starts no lower than the virtual time there."""
        chain = self.chains.setdefault(pool, Chain([]))
        if chain.left_at >= 0:
            elsewhere = self.spent - chain.left_spent
            for anchor in chain.anchors:
                anchor.before += elsewhere
            chain.gaps.append((chain.left_at, at))
            chain.left_at = -1
        chain.anchors.append(Anchor(at, level, self.spent))
        self._prune(chain)

    def leave(self, pool: int, at: int, level: int) -> None:
        """Nothing waits in `pool` any more; its virtual time is `level`."""
        chain = self.chains[pool]
        chain.left_at, chain.left_spent = at, self.spent
        self.forget(pool, level)

    def forget(self, pool: int, level: int) -> None:
        """Let go of a history that the next anchor will outdo whatever happens: who left stands still there."""
        chain = self.chains.get(pool)
        if chain and chain.left_at >= 0 and not self.open:
            tag = self.tag(pool)
            if tag is not None and tag <= level:
                del self.chains[pool]

    def copy(self, origin: int, pool: int) -> None:
        """Begin in `pool` with the history of `origin`."""
        old = self.chains[origin]
        anchors = [Anchor(a.at, a.level, a.before) for a in old.anchors]
        self.chains[pool] = Chain(anchors, old.left_at, old.left_spent, list(old.gaps))

    def shift(self, pool: int, by: int) -> None:
        """Move the tag in `pool` by so many units; corrections still to come count as they would have."""
        for anchor in self.chains[pool].anchors:
            anchor.level += by

    def reweigh(self, weight: int, pace: int) -> None:
        """Another weight from now on: the tags stand as they are and count on at the new pace."""
        for chain in self.chains.values():
            spent = self.spent if chain.left_at < 0 else chain.left_spent
            for anchor in chain.anchors:
                anchor.level += self.pace * (spent - anchor.before)
                anchor.before = spent
        self.weight, self.pace = weight, pace

    def hand_out(self, number: int, cost_ms: int) -> None:
        self.spent += cost_ms
        self.open[number] = cost_ms

    def settle(self, number: int, used_ms: int) -> int:
        """Charge what was used in place of what was expected; the difference in ms."""
        difference = used_ms - self.open.pop(number)
        self.spent += difference
        for chain in self.chains.values():
            elsewhere = any(left < number <= back for left, back in chain.gaps)
            for anchor in chain.anchors:
                if elsewhere or anchor.at >= number:
                    anchor.before += difference
            if chain.left_at >= number:
                chain.left_spent += difference
            self._prune(chain)
        return difference

    def _prune(self, chain: Chain) -> None:
        """Drop what no open piece can move apart any more: gaps without one, and of anchors with none between them the lower."""
        if len(chain.anchors) == 1 and not chain.gaps:
            return
        numbers = list(self.open)
        chain.gaps = [
            (left, back) for left, back in chain.gaps if bisect_right(numbers, left) < bisect_right(numbers, back)
        ]
        kept = [chain.anchors[0]]
        for new in chain.anchors[1:]:
            old = kept[-1]
            if bisect_right(numbers, old.at) < bisect_right(numbers, new.at):
                kept.append(new)
            elif new.level - self.pace * new.before >= old.level - self.pace * old.before:
                kept[-1] = new
        chain.anchors = kept
