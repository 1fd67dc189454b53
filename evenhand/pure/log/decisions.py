"""Replaying the decisions of the scheduler that a bundle opens: docs/decisions/0021-turns.md.

The log has said, in an event `TurnsSealed` for each batch, under which root the decisions stand, in how many the customer
waited, how many it won, how far behind it can have been, and the seed of the ties; an event `FlowEnrolled` has said before
which seeds there would be. Each line of `decisions.jsonl` is one decision.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from evenhand.pure.fairness.opening import Opening, replay
from evenhand.pure.fairness.seeds import follows, seed_commitment
from evenhand.pure.log.bundle import Bundle, Event
from evenhand.pure.log.proofs import leaf_hash, verify_inclusion
from evenhand.pure.log.report import Check
from evenhand.pure.log.wrong import Unreadable, Wrong


@dataclass(slots=True)
class SealedBatch:
    """What the log said about a batch of a class, and what was found of it. counter: of the event."""

    counter: int
    root: bytes
    size: int
    seed: bytes
    waited: int
    won: int
    limit: int
    found: int = 0
    found_won: int = 0
    places: set[int] = field(default_factory=set[int])


@dataclass(slots=True)
class Told:
    """All that the log said: batches, and the commitment to the seeds of a class with the batch from which on it holds.
    reached: the same of the newest batch whose seed was found to follow from it, so that no chain is walked twice."""

    batches: dict[tuple[str, int], SealedBatch] = field(default_factory=dict[tuple[str, int], SealedBatch])
    seeds: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])
    reached: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 80:
        raise Unreadable("a number of a decision can't be read")
    return value


def _hexed(value: Any) -> bytes:
    try:
        return bytes.fromhex(cast(str, value))
    except (TypeError, ValueError) as err:
        raise Unreadable("a hash of a decision can't be read") from err


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(cast(str, value), validate=True)
    except (TypeError, ValueError) as err:
        raise Unreadable("bytes of a decision can't be read") from err


def _told(bundle: Bundle, check: Check) -> Told:
    out = Told()
    for event in bundle.events():
        if event.kind in ("FlowEnrolled", "TurnsSealed"):
            try:
                _hear(event, out, check, bundle.first == 1)
            except (KeyError, TypeError, ValueError) as err:
                raise Unreadable(f"the event {event.counter} has not the form of {event.kind}") from err
    return out


def _hear(event: Event, out: Told, check: Check, whole: bool) -> None:
    data = event.data
    name, number = str(data["about"]), _whole(data["batch"])
    if event.kind == "FlowEnrolled":
        out.seeds.setdefault(name, (number, _hexed(data["seeds"])))
        return
    said = SealedBatch(
        event.counter, _hexed(data["root"]), _whole(data["size"]), _hexed(data["seed"]), _whole(data["waited"]),
        _whole(data["won"]), _whole(int(data["limit"])),
    )  # fmt: skip
    before = out.batches.setdefault((name, number), said)
    if (before.root, before.seed) != (said.root, said.seed):
        check.fault("forked", f"batch {number} of {name!r} was sealed twice, differently", counter=event.counter)
    if name not in out.seeds:
        if whole:
            check.fault("seeds", f"no event before it commits to the seeds of {name!r}", counter=event.counter)
            return
        out.seeds[name] = (number, seed_commitment(said.seed))  # the event that commits to them came before this bundle
    near = out.reached.get(name, out.seeds[name])
    first, committed = near if number >= near[0] else out.seeds[name]
    if not follows(said.seed, number, committed, first):
        check.fault(
            "seeds", f"the seed of batch {number} of {name!r} is not the one committed to", counter=event.counter
        )
    elif number >= near[0]:
        out.reached[name] = (number, seed_commitment(said.seed))


def _opening(value: Any) -> Opening:
    seeds, audit, salt_a, salt_b, seen, own, others = (
        value[n] for n in ("seeds", "audit", "salt", "own_salt", "seen", "own", "others")
    )
    triples = [cast("list[Any]", one) for one in cast("list[Any]", others)]
    return Opening(
        _bytes(seeds), _bytes(audit), (_bytes(salt_a), _bytes(salt_b)), _bytes(seen), _bytes(own),
        tuple((_bytes(a), _bytes(b), _bytes(c)) for a, b, c in triples),
    )  # fmt: skip


def check_decisions(bundle: Bundle, check: Check) -> None:
    """Replays each decision and counts them against what the log said. Raises Unreadable."""
    told = _told(bundle, check)
    replayed = worst = 0
    for at, line in _lines(bundle):
        name, number = str(line.get("class")), _whole(line.get("batch"))
        where: dict[str, int | str] = {"class": name, "batch": number, "line": at}
        said = told.batches.get((name, number))
        if said is None:
            check.fault("unsealed", "the log does not say that its batch was sealed", **where)
            continue
        share = _one(line, said, check, where)
        if share is not None:
            replayed, worst = replayed + 1, max(worst, share)
    given = [(key, said) for key, said in told.batches.items() if said.found]
    for (name, number), said in given:
        if (said.found, said.found_won) != (said.waited, said.won):
            check.fault(
                "hidden", f"the log counts {said.waited} decisions, {said.won} won; {said.found} and {said.found_won} are given",
                batch=number, counter=said.counter, **{"class": name},
            )  # fmt: skip
    left = len(told.batches) - len(given)
    more = f"; {left} older batches are not in the bundle" if left else ""
    if not replayed and not check.count and told.batches:
        check.skip("the bundle opens none of the decisions that the log tells of")
        return
    check.done(
        f"{replayed} decisions came out the same when they were replayed; the farthest behind was {worst} % of the limit{more}"
    )


def _lines(bundle: Bundle) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from enumerate(bundle.lines("decisions.jsonl"), 1)


def _one(line: dict[str, Any], said: SealedBatch, check: Check, where: dict[str, int | str]) -> int | None:
    """Replays one decision. Returns how far behind the customer was, in percent of the limit; None where it does not hold."""
    try:
        commitment, index = _bytes(line.get("commitment")), _whole(line.get("index"))
        proof = [_bytes(one) for one in cast("list[Any]", line.get("proof"))]
        opening = _opening(line.get("opening"))
    except (KeyError, TypeError, ValueError) as err:
        raise Unreadable(f"decisions.jsonl, line {where['line']}: {type(err).__name__}") from err
    if index in said.places:
        check.fault("altered", "it stands in the bundle twice", **where)
        return None
    said.places.add(index)
    try:
        verify_inclusion(index, said.size, leaf_hash(commitment), proof, said.root)
        found = replay(opening, commitment, seed=said.seed, limit=said.limit)
    except Wrong as err:
        check.fault("altered", str(err), **where)
        return None
    said.found += 1
    said.found_won += found.won
    if found.rightly is not True:
        check.fault("unfair", "whoever won stood behind, or lost the lottery", **where)
    if found.within is False:
        check.fault("too far behind", f"{found.behind} units; at most {said.limit} can be", **where)
    return max(0, found.behind) * 100 // max(1, said.limit)
