"""The scheduler's state as a small value of whole numbers: what is stored, rebuilt, hashed and replayed.

An `AccountRow` is a row of a table and so is a `PoolRow`; a decision changes one of each. `restore(snapshot(queue), seed)`
decides as `queue` would have, for ever.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from evenhand.pure.fairness.account import Account, Anchor, Chain
from evenhand.pure.fairness.queueing import Decision, Entry, FairQueue, Head, Pool
from evenhand.pure.fairness.rates import pace_of
from evenhand.pure.trouble import Invalid


class ChainRow(NamedTuple):
    """`gaps`: (left, came back). `anchors`: (at, level, before)."""

    pool: int
    left_at: int
    left_spent: int
    gaps: tuple[tuple[int, int], ...]
    anchors: tuple[tuple[int, int, int], ...]


class AccountRow(NamedTuple):
    """`open`: (decision number, charged ms)."""

    flow: int
    weight: int
    spent_ms: int
    open: tuple[tuple[int, int], ...]
    chains: tuple[ChainRow, ...]


class PoolRow(NamedTuple):
    """`busy` is 0 or 1."""

    pool: int
    level: int
    busy: int
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True)
class State:
    """Everything but the seed, which is a secret of its batch."""

    unit: int
    number: int
    accounts: tuple[AccountRow, ...] = ()
    pools: tuple[PoolRow, ...] = ()


class Waiting(NamedTuple):
    """A head as the functional form takes it: the flow's opaque flow, its contracted weight, the expected cost."""

    flow: int
    weight: int
    cost_ms: int


class Outcome(NamedTuple):
    """`decision` is None where nothing waited; `trace` is what the decision saw."""

    decision: Decision | None
    state: State
    trace: tuple[Entry, ...]


def snapshot(queue: FairQueue) -> State:
    """The queue as a value, in an order that does not depend on how it came about."""
    accounts = tuple(
        AccountRow(
            flow,
            account.weight,
            account.spent,
            tuple(account.open.items()),
            tuple(
                ChainRow(
                    pool,
                    one.left_at,
                    one.left_spent,
                    tuple(one.gaps),
                    tuple((a.at, a.level, a.before) for a in one.anchors),
                )
                for pool, one in sorted(account.chains.items())
            ),
        )
        for flow, account in sorted(queue.accounts.items())
    )
    pools = tuple(
        PoolRow(pool, place.level, int(place.busy), tuple(Head(*head) for head in sorted(place.heads.items())))
        for pool, place in sorted(queue.pools.items())
    )
    return State(queue.unit, queue.number, accounts, pools)


def restore(state: State, seed: bytes) -> FairQueue:
    """The queue of a stored state."""
    queue = FairQueue(state.unit, seed)
    queue.number = state.number
    for row in state.accounts:
        chains = {
            one.pool: Chain([Anchor(*anchor) for anchor in one.anchors], one.left_at, one.left_spent, list(one.gaps))
            for one in row.chains
        }
        queue.accounts[row.flow] = Account(
            row.weight, pace_of(row.weight, state.unit), row.spent_ms, dict(sorted(row.open)), chains
        )
        for number, _ in row.open:
            queue.lease_open(number, row.flow)
    for row in state.pools:
        queue.pools[row.pool] = Pool(row.level, bool(row.busy), {head.flow: head.cost_ms for head in row.heads})
    queue.reseed(seed)
    return queue


def decide(state: State, pool: int, heads: Iterable[Waiting], seed: bytes) -> Outcome:
    """One decision as a function: `heads` is all that waits for `pool` now, in any order. O(flows)."""
    queue = restore(state, seed)
    wanted = {head.flow: head for head in heads}
    for flow in [n for n in queue.pools.get(pool, Pool()).heads if n not in wanted]:
        queue.depart(flow, pool)
    for _, head in sorted(wanted.items()):
        queue.enrol(head.flow, head.weight)
        queue.arrive(head.flow, pool, head.cost_ms)
    trace = queue.view(pool)
    decision = queue.decide(pool)
    return Outcome(decision, snapshot(queue), trace)


def charge(state: State, number: int, used_ms: int) -> State:
    """The state after decision `number` turned out to take `used_ms`."""
    queue = restore(state, bytes(16))  # a charge breaks no ties
    queue.charge(number, used_ms)
    return snapshot(queue)


def rescale(state: State, unit: int) -> State:
    """The same state under a rate card whose unit is a multiple of the old one: the same decisions, larger numbers."""
    factor, rest = divmod(unit, state.unit)
    if rest or factor < 1:
        raise Invalid(f"{unit} is no multiple of the unit {state.unit}", hint="Take the common multiple of both cards.")
    accounts = tuple(
        row._replace(
            chains=tuple(
                one._replace(anchors=tuple((at, level * factor, before) for at, level, before in one.anchors))
                for one in row.chains
            )
        )
        for row in state.accounts
    )
    pools = tuple(row._replace(level=row.level * factor) for row in state.pools)
    return State(unit, state.number, accounts, pools)


def encode(state: State) -> bytes:
    """Canonical bytes: JSON of whole numbers without spaces. Equal states, equal bytes."""
    return json.dumps([state.unit, state.number, state.accounts, state.pools], separators=(",", ":")).encode()


def decode(data: bytes) -> State:
    """The state that `encode` wrote."""
    unit, number, accounts, pools = cast(
        tuple[int, int, Sequence[Sequence[object]], Sequence[Sequence[object]]], json.loads(data)
    )
    return State(
        unit,
        number,
        tuple(
            AccountRow(*row[:4], tuple(ChainRow(*chain) for chain in row[4]))
            for row in cast(tuple[AccountRow, ...], _frozen(accounts))
        ),
        tuple(
            PoolRow(pool, level, busy, tuple(Head(*head) for head in heads))
            for pool, level, busy, heads in cast(Sequence[tuple[int, int, int, Sequence[tuple[int, int]]]], pools)
        ),
    )


def _frozen(value: object) -> object:
    return tuple(_frozen(one) for one in cast(list[object], value)) if isinstance(value, list) else value
