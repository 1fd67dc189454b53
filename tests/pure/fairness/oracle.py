"""Start-time fair queueing as the paper has it, in fractions, by looking at everything each time. Slow, short and apart."""

from dataclasses import dataclass, field
from fractions import Fraction

from evenhand.pure.fairness.seeds import tie_of


@dataclass
class Plain:
    """`history[flow]` is what happened to it: ["wait", pool, v], ["leave", pool] and ["piece", number, ms]."""

    seed: bytes
    unit: int
    weights: dict[int, int]
    history: dict[int, list[list]] = field(default_factory=dict)
    waiting: dict[int, dict[int, int]] = field(default_factory=dict)
    level: dict[int, Fraction] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)
    number: int = 0

    def finish(self, flow: int, pool: int) -> Fraction | None:
        """F_j = max(v_j, F_(j-1)) + l_j / r, from the beginning, over the pieces handed out while it waited in this pool."""
        tag: Fraction | None = None
        here = False
        for what, *rest in self.history.get(flow, []):
            if what == "wait":
                if rest[0] == pool:
                    tag, here = rest[1] if tag is None else max(rest[1], tag), True
            elif what == "leave":
                here = here and rest[0] != pool
            elif tag is not None and here:
                tag += Fraction(rest[1], self.weights[flow])
        return tag

    def arrive(self, flow: int, pool: int, cost_ms: int) -> None:
        heads = self.waiting.setdefault(pool, {})
        if flow not in heads:
            v = self.level.setdefault(pool, Fraction(0))
            self.history.setdefault(flow, []).append(["wait", pool, v])
        heads[flow] = cost_ms

    def depart(self, flow: int, pool: int) -> None:
        if self.waiting.get(pool, {}).pop(flow, None) is not None:
            self.history[flow].append(["leave", pool])

    def decide(self, pool: int) -> tuple[int, Fraction] | None:
        heads = self.waiting.get(pool, {})
        if not heads:
            if pool in self.busy:
                tags = [t for flow in self.history if (t := self.finish(flow, pool)) is not None]
                self.level[pool] = max([self.level[pool], *tags])
                self.busy.discard(pool)
            return None
        starts = {flow: self.finish(flow, pool) for flow in heads}
        winner = min(heads, key=lambda flow: (starts[flow], tie_of(self.seed, flow, int(starts[flow] * self.unit))))
        self.number += 1
        self.history[winner].append(["piece", self.number, heads[winner]])
        self.level[pool] = max(self.level[pool], starts[winner])
        self.busy.add(pool)
        return winner, starts[winner]

    def charge(self, number: int, used_ms: int) -> None:
        for events in self.history.values():
            for event in events:
                if event[:2] == ["piece", number]:
                    event[2] = used_ms
