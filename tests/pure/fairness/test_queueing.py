"""The scheduler against the paper, and the laws that make it neutral."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.fairness.bounds import Extent, lag_limit, wait_limit_ms
from evenhand.pure.fairness.queueing import FairQueue, FlowUnknown, LeaseUnknown
from evenhand.pure.fairness.rates import MAX_PACE, WeightUnfit, pace_of, unit_of
from evenhand.pure.fairness.state import restore, snapshot
from evenhand.pure.trouble import Conflict, Invalid
from tests.pure.fairness.oracle import Plain

SEED = b"a seed of at least sixteen bytes"
CARD = (1, 2, 5, 10)
UNIT = unit_of(CARD)
FLOWS = 6
weights = st.lists(st.sampled_from(CARD), min_size=FLOWS, max_size=FLOWS)
cost = st.integers(0, 5000)
flow, pool = st.integers(0, FLOWS - 1), st.integers(0, 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), flow, pool, cost),
        st.tuples(st.just("depart"), flow, pool),
        st.tuples(st.just("decide"), pool),
        st.tuples(st.just("decide"), pool),
        st.tuples(st.just("charge"), st.integers(0, 10**6), cost),
    ),
    max_size=120,
)


def queue_of(by_flow: list[int], *, unit: int = UNIT, seed: bytes = SEED) -> FairQueue:
    queue = FairQueue(unit, seed)
    for n, weight in enumerate(by_flow):
        queue.enrol(n, weight)
    return queue


def decide_alike(by_flow: list[int], script: list[tuple]) -> int:
    """Plays a script to the queue and to the paper's formulas; how many decisions it made."""
    queue, plain = queue_of(by_flow), Plain(SEED, UNIT, dict(enumerate(by_flow)))
    leases: list[int] = []
    for what, *rest in script:
        if what == "arrive":
            queue.arrive(*rest)
            plain.arrive(*rest)
        elif what == "depart":
            queue.depart(*rest)
            plain.depart(*rest)
        elif what == "charge" and leases:
            number = leases.pop(rest[0] % len(leases))
            queue.charge(number, rest[1])
            plain.charge(number, rest[1])
        elif what == "decide":
            decided, wanted = queue.decide(*rest), plain.decide(*rest)
            assert (decided and (decided.winner, Fraction(decided.start, UNIT))) == wanted
            if decided:
                leases.append(decided.number)
        for p, heads in plain.waiting.items():
            assert {n: Fraction(queue.tag(n, p), UNIT) for n in heads} == {n: plain.finish(n, p) for n in heads}
    return queue.number


@given(weights, steps)
def test_the_paper_and_the_queue_decide_alike(by_flow: list[int], script: list[tuple]) -> None:
    decide_alike(by_flow, script)


@pytest.mark.parametrize("seed", range(40))
def test_few_flows_that_come_and_go(seed: int) -> None:
    """Where pauses, empty pools, late corrections and refunds meet: two or three flows, one or two pools, 300 steps."""
    chance = random.Random(seed)
    flows, pools = 2 + seed % 2, 1 + seed % 4 // 2
    script: list[tuple] = []
    for _ in range(300):
        what = chance.choices(("arrive", "depart", "decide", "charge"), (4, 2, 4, 2))[0]
        where = (chance.randrange(flows), chance.randrange(pools))
        script.append(
            {
                "arrive": (what, *where, chance.choice((0, 10, 100, 1000))),
                "depart": (what, *where),
                "decide": (what, where[1]),
                "charge": (what, chance.randrange(10**6), chance.choice((0, 10, 100, 2000))),
            }[what]
        )
    assert decide_alike([CARD[n] for n in range(flows)], script) > 30


def test_the_worked_example() -> None:
    """Weights 1 and 2, pieces of 2: tags by hand from equations 4 to 6 of the paper, the newcomer at the virtual time."""
    queue = queue_of([1, 2, 1], unit=2)
    queue.arrive(0, 0, 2)
    queue.arrive(1, 0, 2)
    served = [queue.decide(0) for _ in range(5)]
    queue.arrive(2, 0, 2)
    served += [queue.decide(0) for _ in range(4)]
    tags = [(d.winner, d.start / 2, d.finish / 2) for d in served if d]
    # Flow 0 goes 0-2-4-6, flow 1 goes 0-1-2-3-4-5; the fifth decision starts at 2, so flow 2 goes 2-4-6. Ties may fall either way.
    by_flow = {n: [(start, end) for who, start, end in tags if who == n] for n in range(3)}
    for n, by_hand in enumerate(([(0, 2), (2, 4), (4, 6)], [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], [(2, 4), (4, 6)])):
        assert by_flow[n] == by_hand[: len(by_flow[n])]
    assert len(by_flow[0]) >= 2 and len(by_flow[1]) >= 4 and len(by_flow[2]) >= 1
    assert [start for _, start, _ in tags] == sorted(start for _, start, _ in tags)


def test_the_papers_case_against_weighted_fair_queueing() -> None:
    """Goyal, Vin and Cheng 1996, section 1: two equal flows, the server slower than its nominal rate, one comes later.

    Weighted fair queueing, whose clock runs at the nominal rate, serves only the second until it has caught up; here the two
    take turns from the start.
    """
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 1)
    for _ in range(5):
        queue.decide(0)
    queue.arrive(1, 0, 1)
    winners = [d.winner for _ in range(10) if (d := queue.decide(0))]
    gaps = [abs(winners[:n].count(0) - winners[:n].count(1)) for n in range(11)]
    assert max(gaps) <= 2 and winners.count(0) == 5


@given(weights, st.integers(1, 5000), st.integers(0, 2**32).map(random.Random))
def test_lag_and_wait_stay_within_the_theorem(by_flow: list[int], largest: int, chance: random.Random) -> None:
    """Over any interval in which two flows wait, with others coming and going; used time is known only later."""
    queue = queue_of(by_flow)
    always = (0, 1)
    for n in always:
        queue.arrive(n, 0, chance.randint(1, largest))
    work = [0] * FLOWS
    error, low, high = [0] * FLOWS, [0] * FLOWS, [0] * FLOWS
    open_: list[tuple[int, int, int, int]] = []
    gaps: list[Fraction] = []
    since = [0, 0]  # what others got since each of the two was served
    worst = [0, 0]
    for _ in range(300):
        other = chance.randrange(2, FLOWS)
        (queue.arrive(other, 0, chance.randint(1, largest)) if chance.random() < 0.5 else queue.depart(other, 0))
        if open_ and chance.random() < 0.5:
            number, who, expected, used = open_.pop(chance.randrange(len(open_)))
            queue.charge(number, used)
            error[who] -= used - expected
        decided = queue.decide(0)
        assert decided
        used = chance.randint(0, largest)
        who = decided.winner
        work[who] += used
        open_.append((decided.number, who, decided.cost_ms, used))
        error[who] += used - decided.cost_ms
        for n in range(FLOWS):
            low[n], high[n] = min(low[n], error[n]), max(high[n], error[n])
        queue.arrive(who, 0, chance.randint(1, largest))
        gaps.append(Fraction(work[0], by_flow[0]) - Fraction(work[1], by_flow[1]))
        for n in always:
            since[n] = 0 if who == n else since[n] + used
            worst[n] = max(worst[n], since[n])
    extents = [Extent(by_flow[n], largest, high[n] - low[n]) for n in range(FLOWS)]
    assert (max(gaps) - min(gaps)) * UNIT <= lag_limit(extents[0], extents[1], UNIT)
    for n in always:
        assert worst[n] <= wait_limit_ms(extents[n], [e for m, e in enumerate(extents) if m != n], UNIT)


def test_the_bound_is_tight() -> None:
    """With the true time known, two flows come within a hair of l_f/r_f + l_g/r_g, so no smaller bound could be promised."""
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 1000)
    queue.arrive(1, 0, 1000)
    first = queue.decide(0)
    assert first
    other = 1 - first.winner
    queue.arrive(other, 0, 999)
    gaps = [1000]
    for _ in range(3):
        decided = queue.decide(0)
        assert decided
        gaps.append(gaps[-1] + (decided.cost_ms if decided.winner == first.winner else -decided.cost_ms))
        queue.arrive(other, 0, 1000)
    limit = lag_limit(Extent(1, 1000), Extent(1, 1000), 1)
    assert limit * 0.99 < max(gaps) - min(gaps) + 1000 <= limit + 1000 and max(gaps) - min(gaps) <= limit


@given(weights, steps)
def test_no_place_stands_empty_while_work_waits(by_flow: list[int], script: list[tuple]) -> None:
    queue = queue_of(by_flow)
    for what, *rest in script:
        if what == "decide":
            waits = queue.waiting(rest[0])
            assert (queue.decide(*rest) is not None) == (waits > 0)
        elif what != "charge":
            getattr(queue, what)(*rest)


@given(weights, steps, st.integers(2, 1000))
def test_weights_times_k_change_nothing(by_flow: list[int], script: list[tuple], k: int) -> None:
    one, other = queue_of(by_flow), queue_of([k * w for w in by_flow], unit=unit_of(k * w for w in CARD))
    assert played(one, script) == played(other, script)


@given(weights, steps, st.integers(0, 2**32).map(random.Random))
def test_the_order_in_which_things_are_told_changes_nothing(
    by_flow: list[int], script: list[tuple], chance: random.Random
) -> None:
    """Arrivals between two decisions, and charges, in another order: the same decisions and the same state."""
    one, other = queue_of(by_flow), queue_of(by_flow)
    for batch, number in zip(batches(script), range(len(script)), strict=False):
        shuffled = chance.sample(batch, len(batch))
        for queue, calls in ((one, batch), (other, shuffled)):
            for n, p, c in calls:
                queue.arrive(n, p, c)
        assert one.decide(number % 3) == other.decide(number % 3)
    numbers = [n for row in snapshot(one).accounts for n, _ in row.open]
    for number in numbers:
        one.charge(number, 17 * number % 5000)
    for number in chance.sample(numbers, len(numbers)):
        other.charge(number, 17 * number % 5000)
    assert snapshot(one) == snapshot(other)


def batches(script: list[tuple]) -> list[list[tuple]]:
    """Runs of arrivals, each flow and pool at most once in a run."""
    out: list[list[tuple]] = []
    for at in range(0, len(script), 5):
        run = {(s[1], s[2]): s[1:] for s in script[at : at + 5] if s[0] == "arrive"}
        out.append(list(run.values()))
    return out


def played(queue: FairQueue, script: list[tuple]) -> list[tuple]:
    """The decisions of a script: number, pool, winner."""
    out: list[tuple] = []
    open_: list[int] = []
    for what, *rest in script:
        if what == "charge":
            if open_:
                queue.charge(open_.pop(rest[0] % len(open_)), rest[1])
        elif what == "decide":
            if decided := queue.decide(*rest):
                open_.append(decided.number)
                out.append(decided[:5][:3])
        else:
            getattr(queue, what)(*rest)
    return out


@pytest.mark.parametrize("pause", [10, 1000])
def test_idling_earns_no_credit(pause: int) -> None:
    """However long a flow was away, it comes back level: with two equal flows the next 100 go 50 to 50, give or take one."""
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 10)
    queue.arrive(1, 0, 10)
    for _ in range(20):
        queue.decide(0)
    queue.depart(1, 0)
    for _ in range(pause):
        queue.decide(0)
    queue.arrive(1, 0, 10)
    winners = [d.winner for _ in range(100) if (d := queue.decide(0))]
    assert abs(winners.count(0) - 50) <= 1


def test_a_refund_for_work_before_a_pause_is_no_credit_after_it() -> None:
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 1000)
    big = queue.decide(0)
    assert big
    queue.depart(0, 0)
    queue.arrive(1, 0, 10)
    for _ in range(500):
        queue.decide(0)
    queue.arrive(0, 0, 10)
    before = queue.tag(0, 0)
    queue.charge(big.number, 1)
    assert queue.tag(0, 0) == before == queue.pools[0].level


def test_a_correction_reaches_back_over_a_pause_and_no_further() -> None:
    """A long lease, a pause, and the lease was short: the flow stands where the pause left the others, not behind it."""
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 1000)
    lease = queue.decide(0)
    queue.depart(0, 0)
    queue.arrive(1, 0, 100)
    for _ in range(6):
        queue.decide(0)
    queue.arrive(0, 0, 10)
    assert lease and queue.tag(0, 0) == 1000 and queue.pools[0].level == 500
    queue.charge(lease.number, 100)
    assert queue.tag(0, 0) == 500
    queue.decide(0)
    assert queue.tag(0, 0) == 510


def test_a_newcomer_has_no_part_in_anothers_refund() -> None:
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 1000)
    for _ in range(2):
        queue.decide(0)
    queue.charge(1, 0)
    queue.charge(2, 0)
    decided = queue.decide(0)
    assert decided and decided.start == 0
    queue.arrive(1, 0, 1000)
    assert queue.tag(1, 0) == queue.pools[0].level == 1000


@given(st.lists(st.tuples(cost, cost), min_size=1, max_size=30))
def test_corrections_neither_lose_nor_make_time(pieces: list[tuple[int, int]]) -> None:
    """While a flow waits, its tag is exactly what it used, whatever had been expected; early and late alike."""
    queue, known = queue_of([5]), queue_of([5])
    queue.arrive(0, 0, 0)
    known.arrive(0, 0, 0)
    for expected, used in pieces:
        queue.arrive(0, 0, expected)
        known.arrive(0, 0, used)
        queue.decide(0)
        known.decide(0)
    for number in range(len(pieces), 0, -1):
        queue.charge(number, pieces[number - 1][1])
    assert queue.tag(0, 0) == known.tag(0, 0) == sum(used for _, used in pieces) * pace_of(5, UNIT)
    assert queue.accounts[0].spent == sum(used for _, used in pieces)


def test_a_newcomer_starts_level_in_every_pool() -> None:
    """Pool 0 has a rich flow, pool 1 a poor one. Who joins both takes neither for itself, and waits in neither."""
    queue = queue_of([1, 1, 1], unit=1)
    queue.arrive(0, 0, 10)
    queue.arrive(1, 1, 10)
    for n in range(1000):
        queue.decide(0)
        if n % 100 == 0:
            queue.decide(1)
    queue.arrive(2, 0, 10)
    queue.arrive(2, 1, 10)
    rich = [d.winner for _ in range(20) if (d := queue.decide(0))]
    assert abs(rich.count(2) - 10) <= 1
    # Served so well by pool 0, it does not take from the flow that only pool 1 serves.
    poor = [d.winner for _ in range(8) if (d := queue.decide(1))]
    assert poor.count(1) >= 7


def test_work_elsewhere_during_a_pause_does_not_count_here() -> None:
    """A month without work for pool 0, much of it in pool 1: back in pool 0 the flow is level, corrections included."""
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 10)
    queue.arrive(1, 0, 10)
    queue.decide(0)
    queue.depart(0, 0)
    queue.arrive(0, 1, 500)
    away = [d.number for _ in range(100) if (d := queue.decide(1))]
    queue.arrive(0, 0, 10)
    assert queue.tag(0, 0) <= 10
    before = queue.tag(0, 0), queue.tag(0, 1)
    queue.charge(away[0], 700)
    assert (queue.tag(0, 0), queue.tag(0, 1)) == (before[0], before[1] + 200)
    winners = [d.winner for _ in range(20) if (d := queue.decide(0))]
    assert abs(winners.count(0) - 10) <= 1


def test_an_epochs_end_bounds_the_wait_of_who_was_far_ahead() -> None:
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 1, 10)
    queue.arrive(0, 0, 10)
    queue.arrive(1, 0, 10)
    for _ in range(1000):
        queue.decide(1)
    assert [d.winner for _ in range(50) if (d := queue.decide(0))] == [1] * 50
    queue.forgive(100)
    winners = [d.winner for _ in range(20) if (d := queue.decide(0))]
    passed = winners.index(0) * 10
    assert 0 < passed <= wait_limit_ms(Extent(1, 10), [Extent(1, 10)], 1, lead=100)


def test_another_weight_counts_from_now_on() -> None:
    queue = queue_of([1, 1], unit=10)
    queue.arrive(0, 0, 10)
    queue.arrive(1, 0, 10)
    for _ in range(20):
        queue.decide(0)
    before = queue.tag(0, 0), queue.tag(1, 0)
    queue.enrol(0, 5)
    assert (queue.tag(0, 0), queue.tag(1, 0)) == before
    winners = [d.winner for _ in range(60) if (d := queue.decide(0))]
    assert abs(winners.count(0) - 50) <= 1
    queue.charge(1, 0)  # handed out at the old weight, paid back all the same
    assert queue.accounts[0].spent + queue.accounts[1].spent == 79 * 10


@given(weights, st.integers(0, 2**32).map(random.Random))
def test_another_seed_changes_ties_only(by_flow: list[int], chance: random.Random) -> None:
    queue = queue_of(by_flow)
    for n in range(FLOWS):
        queue.arrive(n, 0, chance.randint(1, 100))
    for _ in range(chance.randint(0, 40)):
        queue.decide(0)
    other = restore(snapshot(queue), b"another seed, as long as it must")
    starts = [d.start for _ in range(30) if (d := queue.decide(0))]
    others = [d.start for _ in range(30) if (d := other.decide(0))]
    assert starts == others


def test_ties_are_drawn_afresh_at_every_tag() -> None:
    """Two equal flows tie 2,000 times; each wins about half: within 5 standard deviations, 112."""
    queue = queue_of([1, 1], unit=1)
    queue.arrive(0, 0, 10)
    queue.arrive(1, 0, 10)
    winners = [d.winner for _ in range(4000) if (d := queue.decide(0))][::2]
    assert abs(winners.count(0) - 1000) < 112


def test_what_it_refuses() -> None:
    queue = queue_of([1])
    with pytest.raises(FlowUnknown):
        queue.arrive(7, 0, 1)
    with pytest.raises(LeaseUnknown):
        queue.charge(1, 1)
    with pytest.raises(Conflict):
        queue.tag(0, 0)
    with pytest.raises(Invalid):
        queue.arrive(0, 0, -1)
    queue.arrive(0, 0, 1)
    queue.decide(0)
    with pytest.raises(Invalid):
        queue.charge(1, -1)
    queue.charge(1, 1)
    with pytest.raises(LeaseUnknown):
        queue.charge(1, 1)
    with pytest.raises(Invalid):
        FairQueue(1, b"short")
    for card in ([], [0, 1], [MAX_PACE - 1, MAX_PACE, 1]):
        with pytest.raises(WeightUnfit):
            unit_of(card)
    with pytest.raises(WeightUnfit):
        pace_of(3, UNIT)
