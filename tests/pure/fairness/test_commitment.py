"""Openings: enough to see that one was passed over rightly, and not enough to follow a rival."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.fairness import commitment as c
from evenhand.pure.fairness import opening as o
from evenhand.pure.fairness.chain import seed_of
from evenhand.pure.fairness.queueing import Decision, Entry, FairQueue
from evenhand.pure.fairness.seeds import CHAIN, follows, seed_commitment
from tests.pure.fairness.test_queueing import CARD, SEED, queue_of

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
SEEDS = c.seed_commitment(SEED)


def decided(chance: random.Random, flows: int, before: int) -> tuple[tuple[Entry, ...], Decision]:
    """A trace and its decision after `before` others; few costs, so that ties are common."""
    queue: FairQueue = queue_of([CARD[n % 4] for n in range(flows)])
    for n in range(flows):
        queue.arrive(n, 0, chance.choice([10, 20, 100]))
    for _ in range(before):
        queue.decide(0)
    trace, decision = queue.view(0), queue.decide(0)
    assert decision
    return trace, decision


cases = st.builds(decided, st.integers(0, 2**32).map(random.Random), st.integers(1, 12), st.integers(0, 60))


@given(cases)
def test_everybody_who_waited_can_replay(case: tuple[tuple[Entry, ...], Decision]) -> None:
    trace, decision = case
    commitment = c.commit(trace, decision, SEEDS, KEY)
    assert c.audit(trace, decision, SEED, KEY, commitment)
    for entry in trace:
        opening = c.open_for(trace, decision, SEEDS, KEY, entry.flow)
        found = o.replay(opening, commitment, seed=SEED, limit=entry.pace * 100)
        assert found == o.Finding(
            len(trace), entry.flow == decision.winner, entry.start, entry.start - decision.start, True, True
        )
        later = o.replay(opening, commitment)
        assert later.within == "not checked" and later.rightly == ("not checked" if found.behind == 0 else True)


@given(cases, st.integers(0, 10**6))
def test_a_wrong_winner_is_seen_by_the_one_who_was_passed_over(
    case: tuple[tuple[Entry, ...], Decision], pick: int
) -> None:
    """Somebody else is handed the work, and everything is committed to properly: the rightful winner finds out."""
    trace, right = case
    wrong = trace[pick % len(trace)]
    if wrong.flow == right.winner:
        return
    decision = right._replace(winner=wrong.flow, start=wrong.start, cost_ms=wrong.cost_ms)
    commitment = c.commit(trace, decision, SEEDS, KEY)
    found = o.replay(c.open_for(trace, decision, SEEDS, KEY, right.winner), commitment, seed=SEED)
    assert found.rightly is False and not found.won
    assert not c.audit(trace, decision, SEED, KEY, commitment)


@given(cases, st.data())
def test_no_part_can_be_exchanged(case: tuple[tuple[Entry, ...], Decision], data: st.DataObject) -> None:
    trace, decision = case
    commitment = c.commit(trace, decision, SEEDS, KEY)
    opening = c.open_for(trace, decision, SEEDS, KEY, data.draw(st.sampled_from(trace)).flow)
    forged = [
        replace(opening, seen=opening.seen + b"x"),
        replace(opening, own=opening.own.replace(b"[", b"[1", 1)),
        replace(opening, audit=bytes(32)),
        replace(opening, seeds=bytes(32)),
        replace(opening, salts=(opening.salts[1], opening.salts[0])),
        replace(opening, others=(*opening.others, (bytes(32), bytes(2), bytes(32)))),
        *(replace(opening, others=opening.others[:n] + opening.others[n + 1 :]) for n in range(len(opening.others))),
    ]
    for one in forged:
        with pytest.raises(o.OpeningWrong):
            o.replay(one, commitment)
    with pytest.raises(o.OpeningWrong):
        o.replay(opening, commitment, seed=b"not the seed that was committed.")
    with pytest.raises(c.NotWaiting):
        c.open_for(trace, decision, SEEDS, KEY, 99)


def test_a_private_part_that_contradicts_the_public_one_is_refused() -> None:
    """The operator commits to a public distance that is not the customer's true one."""
    trace, decision = decided(random.Random(3), 8, 30)
    loser = max(trace, key=lambda e: e.start)
    opening = c.open_for(trace, decision, SEEDS, KEY, loser.flow)
    lying = replace(opening, seen=(1).to_bytes(2))
    mine = o.flow_leaf(o.hashed_part(lying.salts[0], lying.seen), o.hashed_part(lying.salts[1], lying.own))
    rest = [o.flow_leaf(o.hashed_part(salt, public), private) for salt, public, private in lying.others]
    with pytest.raises(o.OpeningWrong, match="does not follow"):
        o.replay(lying, o.flow_root(lying.seeds, lying.audit, [mine, *rest]))


def test_two_openings_cannot_be_linked() -> None:
    """The same state committed to twice: no salt, hash or place in common, and of others only powers of two."""
    trace, decision = decided(random.Random(5), 40, 200)
    flow = decision.winner
    one, two = (c.open_for(trace, decision, SEEDS, key, flow) for key in (KEY, OTHER_KEY))
    assert {h for s, _, h in one.others for h in (s, h)}.isdisjoint({h for s, _, h in two.others for h in (s, h)})
    assert [seen for _, seen, _ in one.others] != [seen for _, seen, _ in two.others]
    by_distance = {(e.start - decision.start).bit_length().to_bytes(2) for e in trace if e.flow != flow}
    assert {seen for _, seen, _ in one.others} == by_distance
    spelled = repr(one.others)
    exact = [e.start for e in trace if e.flow != flow and e.start > 99]
    assert exact and not any(str(start) in spelled for start in exact)
    assert c.commit(trace, decision, SEEDS, KEY) != c.commit(trace, decision, SEEDS, OTHER_KEY)


def test_each_seed_is_the_commitment_to_the_next() -> None:
    """Wherever one enters the chain, also at what is kept of it."""
    secret = b"s" * 32
    assert seed_of(secret, CHAIN) == secret
    for batch in (1, 1023, 1024, 1025, CHAIN - 1024, CHAIN - 1):
        assert seed_of(secret, batch) == seed_commitment(seed_of(secret, batch + 1))
    assert follows(seed_of(secret, 3000), 3000, seed_commitment(seed_of(secret, 1)), 1)
