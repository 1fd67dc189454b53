"""Exact tags: a contract's weight as a whole number of tag units for each millisecond of work.

A tag is charged work divided by weight. In floats two machines could disagree about a tie, and fractions with a thousand
different denominators grow without end. So a class of work has one `unit`, the least common multiple of all weights on its
rate card; a millisecond of work for weight r moves a tag by `unit // r`, which is whole. Weights that are all multiplied by
the same number give the same paces, hence the same tags and decisions.
"""

import math
from collections.abc import Iterable

from evenhand.pure.trouble import Invalid

# A year of 1,000 people is 3.2e13 worker-milliseconds; with paces up to this a tag fits PostgreSQL's bigint.
MAX_PACE = 200_000


class WeightUnfit(Invalid):
    """A weight that this class of work has no exact pace for."""

    hint = "Take weights from the rate card, or choose a card whose weights have a small common multiple."


def unit_of(weights: Iterable[int]) -> int:
    """The tag unit of a rate card: the least common multiple of its weights (all at least 1)."""
    card = sorted(set(weights))
    if not card or card[0] < 1:
        raise WeightUnfit("a rate card needs weights, each a whole number of at least 1")
    unit = math.lcm(*card)
    if unit // card[0] > MAX_PACE:
        raise WeightUnfit(f"the weights' common multiple is {unit}, more than {MAX_PACE} times the smallest weight")
    return unit


def pace_of(weight: int, unit: int) -> int:
    """Tag units for each worker-millisecond of a customer with this weight."""
    if weight < 1 or unit % weight:
        raise WeightUnfit(f"the weight {weight} does not divide the tag unit {unit}")
    return unit // weight
