"""Three days of neutrality figures for the demo, whose two customers are too few for figures of their own.

The days are played by the machine that hands out work, with made-up customers who all wait throughout, and are published under a
name that says so. The command that makes published figures again finds the same numbers.
"""

import random
from datetime import UTC, date, datetime, timedelta

from evenhand.features.trust.neutrality import POLICY, place
from evenhand.infra.db import Database
from evenhand.pure.fairness.ledger import Arrive, Charge, Decide, Flow, Form, Ledger
from evenhand.pure.fairness.published import Line, Publication, publication
from evenhand.pure.fairness.rollup import Seen, batch_sums

WORK = "simulated for the demo"
_DAYS, _DECISIONS = 3, 360
_WEIGHTS = (1, 2, 5) * 6  # of contracts; the first six are affiliates, two of each weight
_AFFILIATES = 6
_UNIT = 2520  # of a ledger's clock for a weight of 1


async def publish_simulated(db: Database, today: date | None = None) -> None:
    """The last days that are old enough. A day that is published stays as it is."""
    last = (today or datetime.now(UTC).date()) - timedelta(days=2)
    for n in range(_DAYS):
        day = last - timedelta(days=n)
        made = simulated(day.isoformat(), seed=day.toordinal())
        await place(db, day, WORK, made)


def simulated(day: str, *, seed: int) -> Publication:
    """A day of made-up customers, some of them affiliates; the machine does not know which."""
    chance, ledger = random.Random(seed), Ledger(_UNIT, seed.to_bytes(32))
    weights = dict(enumerate(_WEIGHTS))
    flows = tuple(weights)
    for weight in _WEIGHTS:
        ledger.apply(Flow(weight))
    ledger.apply(Form(-1, flows))
    ledger.apply(Arrive(0, flows))
    seen: list[Seen] = []
    for n in range(_DECISIONS):
        decided = ledger.apply(Decide(0))
        assert decided is not None, "everybody waits"
        used = chance.randrange(20_000, 110_000)
        ledger.apply(Charge(decided.number, used))
        seen.append(Seen(n * 1000, 0, decided.winner, frozenset(flows), used))
    limits = {flow: ledger.limit(flow) * weight // _UNIT for flow, weight in weights.items()}
    sums = batch_sums(seen, weights, limits)
    lines = [
        Line(
            chance.randbytes(8).hex(), flow < _AFFILIATES, f"{WORK}, weight {weights[flow]}",
            round(max(5.0, chance.gauss(90 / weights[flow], 8)), 1),
            one.served_ms, round(one.entitled_ms), one.behind_ms, one.limit_ms,
        )
        for flow, one in sums.items()
    ]  # fmt: skip
    return publication(day, WORK, lines, POLICY, seed=seed, held_back=0)
