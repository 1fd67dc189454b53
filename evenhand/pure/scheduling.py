"""Which of a customer's own projects somebody gets next: plain rotation, the one that was served longest ago first.

Between customers the scheduler decides (`pure/fairness`), before anybody looks here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one queue. `tag` means nothing to the decision but breaks ties in a fixed order."""

    tag: str
    served_at: datetime
    waiting: bool


def order(heads: Sequence[Head]) -> list[int]:
    """Positions in `heads` in the order in which to try them; those where nothing waits are left out."""
    waiting = [n for n, head in enumerate(heads) if head.waiting]
    return sorted(waiting, key=lambda n: (heads[n].served_at, heads[n].tag))
