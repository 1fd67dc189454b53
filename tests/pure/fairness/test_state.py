"""The state is a value: stored, rebuilt and replayed without a difference."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.fairness.queueing import FairQueue
from evenhand.pure.fairness.rates import unit_of
from evenhand.pure.fairness.state import State, Waiting, charge, decide, decode, encode, rescale, restore, snapshot
from evenhand.pure.trouble import Invalid
from tests.pure.fairness.test_queueing import CARD, SEED, UNIT, played, queue_of, steps, weights


def busy(queue: FairQueue, chance: random.Random, decisions: int, flows: int) -> list[tuple]:
    """Traffic that depends on `chance` and on what was decided: arrivals, departures, late charges, three pools."""
    out: list[tuple] = []
    open_ = sorted(n for account in queue.accounts.values() for n in account.open)
    while len(out) < decisions:
        flow, pool = chance.randrange(flows), chance.randrange(3)
        if chance.random() < 0.1:
            queue.depart(flow, pool)
        else:
            queue.arrive(flow, pool, chance.randrange(1, 600_000))
        if decided := queue.decide(chance.randrange(3)):
            out.append(decided)
            open_.append(decided.number)
        if len(open_) > 20:
            queue.charge(open_.pop(chance.randrange(len(open_))), chance.randrange(0, 900_000))
    return out


def test_rebuilt_midway_it_gives_the_same_next_ten_thousand() -> None:
    queue = queue_of([CARD[n % 4] for n in range(50)])
    busy(queue, random.Random(1), 3000, 50)
    stored = encode(snapshot(queue))
    rebuilt = restore(decode(stored), SEED)
    assert busy(queue, random.Random(2), 10_000, 50) == busy(rebuilt, random.Random(2), 10_000, 50)
    assert encode(snapshot(queue)) == encode(snapshot(rebuilt)) and len(stored) < 100_000


@given(weights, steps, steps)
def test_at_any_moment(by_flow: list[int], before: list[tuple], after: list[tuple]) -> None:
    queue = queue_of(by_flow)
    played(queue, before)
    state = snapshot(queue)
    assert decode(encode(state)) == state and snapshot(restore(state, SEED)) == state
    assert played(restore(state, SEED), after) == played(queue, after)


@given(weights, steps, steps)
def test_a_wider_rate_card_decides_alike(by_flow: list[int], before: list[tuple], after: list[tuple]) -> None:
    queue = queue_of(by_flow)
    played(queue, before)
    wider = rescale(snapshot(queue), unit_of((*CARD, 3)))
    other = restore(wider, SEED)
    for n, weight in enumerate(by_flow):
        assert (queue.accounts[n].weight, other.accounts[n].weight) == (weight, weight)
    with pytest.raises(Invalid):
        rescale(wider, UNIT)
    # A tie is drawn with the tag, so only what is not tied has to agree: who may win at each step.
    for what, *rest in after:
        if what == "decide":
            least = [
                {e.flow for e in v if e.start == min(x.start for x in v)}
                for v in (queue.view(rest[0]), other.view(rest[0]))
            ]
            assert least[0] == least[1]


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(1, 900)), min_size=1, max_size=40),
    st.integers(0, 2**32).map(random.Random),
)
def test_the_function_and_the_queue_agree(script: list[tuple[int, int]], chance: random.Random) -> None:
    """`decide(state, heads)` with the heads in any order is the queue with its arrivals and departures."""
    by_flow = [CARD[n % 4] for n in range(8)]
    queue, state = FairQueue(UNIT, SEED), State(UNIT, 0)
    heads: dict[int, Waiting] = {}
    for flow, cost_ms in script:
        if flow in heads and chance.random() < 0.3:
            del heads[flow]
            queue.depart(flow, 0)
        else:
            heads[flow] = Waiting(flow, by_flow[flow], cost_ms)
            queue.enrol(flow, by_flow[flow])
            queue.arrive(flow, 0, cost_ms)
        seen = queue.view(0)
        outcome = decide(state, 0, chance.sample(sorted(heads.values()), len(heads)), SEED)
        state = outcome.state
        assert outcome.decision == queue.decide(0) and state == snapshot(queue) and outcome.trace == seen
        if outcome.decision and chance.random() < 0.5:
            queue.charge(outcome.decision.number, cost_ms // 2)
            state = charge(state, outcome.decision.number, cost_ms // 2)
            assert state == snapshot(queue)
