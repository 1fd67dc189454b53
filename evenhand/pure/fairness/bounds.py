"""What the scheduler guarantees, as numbers: the theorem of start-time fair queueing with corrections and with walls.

The proofs are in docs/decisions/0016-scheduler.md. Here l is the largest time that one piece of a flow takes, and E the range
of its outstanding error: how much, over the pieces in work at one time, used and expected time can differ at most in either
direction, added up. Where the true time is known at the decision, E = 0 and this is the published theorem.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Extent(NamedTuple):
    """A flow's weight, its largest piece l and the range E of its outstanding error, in worker-milliseconds."""

    weight: int
    largest_ms: int
    error_ms: int = 0


def lag_limit(one: Extent, other: Extent, unit: int) -> int:
    """How far |W_f/r_f - W_g/r_g| can get over any interval in which both wait, in tag units.

    l_f/r_f + l_g/r_g (Goyal, Vin and Cheng 1996, theorem 1), each l widened by its E.
    """
    return sum(unit // flow.weight * (flow.largest_ms + flow.error_ms) for flow in (one, other))


def lead_limit(one: Extent, other: Extent, lead: int, unit: int) -> int:
    """The most by which W_f/r_f can exceed W_g/r_g where `other` waits in every pool that serves `one`, in tag units.

    `lead`: the largest that `other`'s tag exceeds `one`'s, over those pools, when the interval begins (it may be negative).
    """
    return lead + unit // one.weight * (one.largest_ms + one.error_ms) + unit // other.weight * other.error_ms


def wait_limit_ms(one: Extent, others: Iterable[Extent], unit: int, *, lead: int = 0) -> int:
    """The work handed to `others` while `one` waits for its next piece to be served, at most, in worker-milliseconds.

    Sum over g of r_g * (l_f/r_f) + l_g (ibid., theorem 4, in units of work), each l widened by its E. `lead`: how far `one`
    stands before the virtual time beyond that, because other pools served it; at most what `FairQueue.forgive` was given.
    """
    ahead = unit // one.weight * (one.largest_ms + one.error_ms) + lead
    return sum(-(-g.weight * ahead // unit) + g.largest_ms + g.error_ms for g in others)
