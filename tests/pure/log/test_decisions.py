"""Decisions in a bundle: what an honest log opens replays, and what it bends is seen."""

import json
import random
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from evenhand.features.trust.openings import lines_of
from evenhand.features.trust.sealing import pack
from evenhand.pure.fairness.commitment import commit
from evenhand.pure.fairness.ledger import Arrive, Charge, Decide, Flow, Form, Ledger
from evenhand.pure.fairness.seeds import seed_commitment
from evenhand.pure.log.merkle import Tree
from evenhand.pure.log.proofs import leaf_hash
from tests.pure.log.double import Act, LogDouble, check, faults, opened, rnd

NAME, UNIT = "label native text", 2520
#: batch 2 comes after batch 1: its seed is what batch 1's commits with
SECOND = rnd("seed")
FIRST = seed_commitment(SECOND)
SEEDS = {1: FIRST, 2: SECOND}
MINE = 1


@dataclass
class Batch:
    event: dict[str, Any]
    lines: list[dict[str, Any]]


def batch_of(number: int, *, cheat: bool = False, count: int = 12) -> Batch:
    """Three customers and `count` decisions. cheat: the last goes to whoever stands farthest behind."""
    chance = random.Random(number)
    seed = SEEDS[number]
    ledger = Ledger(UNIT, seed)
    for step in (Flow(1), Flow(2), Flow(1), Form(-1, (0, 1, 2)), Arrive(0, (0, 1, 2))):
        ledger.apply(step)
    rows: list[dict[str, Any]] = []
    won = 0
    for n in range(count):
        trace = ledger.queue.view(0)
        decided = ledger.apply(Decide(0))
        assert decided is not None
        ledger.apply(Charge(decided.number, chance.randrange(1_000, 90_000)))
        if cheat and n == count - 1:
            last = max(trace, key=lambda entry: entry.start)
            decided = decided._replace(winner=last.flow, start=last.start)
        won += decided.winner == MINE
        made = commit(trace, decided, seed_commitment(seed), rnd("key", n))
        rows.append({"commitment": made, "key": rnd("key", n), "trace": pack(trace, decided), "assignment": f"a{n}"})
    leaves = sorted([row["commitment"] for row in rows] + [rnd("fill", n) for n in range(16 - count)])
    event = {
        "about": NAME, "batch": number, "root": Tree(map(leaf_hash, leaves)).root().hex(), "size": 16, "seed": seed.hex(),
        "waited": count, "won": won, "limit": str(ledger.limit(MINE)),
    }  # fmt: skip
    told = {"batch": number, "leaves": b"".join(leaves)}
    return Batch(event, [json.loads(line) for line in lines_of(NAME, MINE, told, rows, seed)])


def enrolled(seeds: bytes = seed_commitment(FIRST)) -> Act:
    return Act(
        "birch", "FlowEnrolled", 1, data={"about": NAME, "batch": 1, "flow": MINE, "seeds": seeds.hex(), "weight": 2}
    )


def found(batches: list[Batch], lines: list[dict[str, Any]] | None = None, first: Act | None = None) -> Any:
    acts = [first or enrolled(), *(Act("birch", "TurnsSealed", 2 + n, data=b.event) for n, b in enumerate(batches))]
    log = LogDouble().run([[opened("birch"), *acts]])
    given = [line for batch in batches for line in batch.lines] if lines is None else lines
    return check(log.bundle("birch", decisions=given))


def test_what_is_honest_replays() -> None:
    report = found([batch_of(1), batch_of(2)])
    assert report.exit == 0, report.as_text()
    assert report.checks["decisions"].words.startswith("24 decisions came out the same")


def test_older_batches_may_be_left_out_and_the_report_says_so() -> None:
    report = found([batch_of(1), batch_of(2)], batch_of(2).lines)
    assert report.exit == 0 and report.checks["decisions"].words.endswith("; 1 older batches are not in the bundle")


def test_a_winner_that_stood_behind_is_seen() -> None:
    assert {name for name, _ in faults(found([batch_of(1, cheat=True)]))["decisions"]} == {"unfair"}


def without_one(lines: list[dict[str, Any]]) -> None:
    lines.pop()


def twice(lines: list[dict[str, Any]]) -> None:
    lines.append(lines[0])


def another_start(lines: list[dict[str, Any]]) -> None:
    lines[3]["opening"]["own"] = b64encode(b"[1,1260,0,60000,0]").decode()


def another_other(lines: list[dict[str, Any]]) -> None:
    one = lines[3]["opening"]["others"][0]
    one[1] = b64encode(bytes(b64decode(one[1])[:1]) + b"\x07").decode()


def elsewhere(lines: list[dict[str, Any]]) -> None:
    lines[3]["index"] = (lines[3]["index"] + 1) % 16


def unknown_batch(lines: list[dict[str, Any]]) -> None:
    lines[3]["batch"] = 7


@pytest.mark.parametrize(
    ("bend", "names"),
    [
        (without_one, {"hidden"}), (twice, {"altered"}), (another_start, {"altered", "hidden"}),
        (another_other, {"altered", "hidden"}), (elsewhere, {"altered", "hidden"}), (unknown_batch, {"unsealed", "hidden"}),
    ],
)  # fmt: skip
def test_what_is_bent_in_the_bundle_is_seen(bend: Callable[[list[dict[str, Any]]], None], names: set[str]) -> None:
    batch = batch_of(1)
    bend(batch.lines)
    got = {name for name, _ in faults(found([batch]))["decisions"]}
    assert got == names


def test_a_seed_that_was_chosen_afterwards_is_seen() -> None:
    report = found([batch_of(1)], first=enrolled(rnd("another chain")))
    assert ("seeds", {"counter": 3}) in faults(report)["decisions"]


def test_of_a_long_chain_the_one_seed_that_was_changed_is_seen() -> None:
    """In whatever order batches are told: what follows from the newest seed that holds follows from the first."""
    seeds = [rnd("last")]
    for _ in range(9):
        seeds.append(seed_commitment(seeds[-1]))
    seeds.reverse()  # of batches 1 to 10
    told = [{**batch_of(1).event, "batch": n, "seed": seeds[n - 1].hex(), "waited": 0, "won": 0} for n in range(1, 11)]
    told[5]["seed"] = rnd("changed").hex()
    order = [told[at] for at in (0, 3, 4, 5, 1, 8, 9, 2, 6, 7)]
    report = found([Batch(event, []) for event in order], first=enrolled(seed_commitment(seeds[0])))
    assert faults(report)["decisions"] == [("seeds", {"counter": 3 + 3})]


def test_a_customer_that_was_farther_behind_than_can_be_is_seen() -> None:
    batch = batch_of(1)
    batch.event["limit"] = "1"
    assert {name for name, _ in faults(found([batch]))["decisions"]} == {"too far behind"}


def test_two_accounts_of_one_batch_are_a_fork() -> None:
    batch = batch_of(1)
    other = Batch({**batch.event, "root": rnd("other").hex()}, [])
    assert "forked" in {name for name, _ in faults(found([batch, other]))["decisions"]}
