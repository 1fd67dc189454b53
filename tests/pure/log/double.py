"""A log in memory, with its witnesses, for tests only: it holds the signing key, and does with it what it is told.

The witnesses are honest: they run the real protocol and refuse what does not go on from what they have seen.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evenhand.pure.log.bundle import Bundle
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.checks import Question, verify
from evenhand.pure.log.events import (
    Closing,
    epoch_body,
    epoch_map,
    event_body,
    make_batch,
    size_with_closing,
)
from evenhand.pure.log.leaves import event_digest
from evenhand.pure.log.merkle import Tree, consistency_proof, inclusion_proof
from evenhand.pure.log.notes import LOG_KEY, WITNESS_KEY
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.report import Report
from evenhand.pure.log.signing import Signer, cosignature, sign_checkpoint
from evenhand.pure.log.witness import AddCheckpoint, consider, merged
from evenhand.pure.log.writing import EpochOpening, EventOpening, Whose, write_bundle

START_S = 1_790_000_000
SLOTS = 64
ORGS = ("alder", "birch", "cedar")


def rnd(*words: object) -> bytes:
    """32 bytes that look random and are the same every time."""
    return sha256(repr(words).encode()).digest()


def private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(rnd("key", name))


LOG = Signer.of("log.example.org/evenhand", LOG_KEY, private("log"))
TAGS = {org: rnd("tag", org) for org in ORGS}
SLOT = {org: 5 + 7 * n for n, org in enumerate(ORGS)}


@dataclass
class WitnessDouble:
    """A witness with a clock of its own."""

    signer: Signer
    latest: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])

    def add(self, body: bytes, now_s: int) -> tuple[int, str]:
        answer = consider(body, {LOG.key.name: [LOG.key]}, self.latest)
        if answer.accepted is None:
            return answer.status, answer.body
        self.latest[answer.accepted.origin] = (answer.accepted.size, answer.accepted.root)
        return answer.status, cosignature(self.signer, answer.accepted, now_s)


def witnesses() -> list[WitnessDouble]:
    return [WitnessDouble(Signer.of(f"witness.example.net/w{n}", WITNESS_KEY, private(f"w{n}"))) for n in range(3)]


POLICY_TEXT = (
    f"log {LOG.key}\n"
    + "".join(f"witness w{n} {one.signer.key}\n" for n, one in enumerate(witnesses()))
    + "group all-of-them 2 w0 w1 w2\nquorum all-of-them\n"
)
POLICY = Policy.parse(POLICY_TEXT.encode())


@dataclass
class Act:
    """What somebody did. id makes the salt, so that the same act has the same digest in two logs."""

    org: str
    kind: str
    id: int
    time_s: float | None = None
    data: dict[str, Any] | None = None

    def body(self, time_us: int) -> bytes:
        data = self.data if self.data is not None else {"thing": self.id}
        return event_body(self.kind, int(self.time_s * 1e6) if self.time_s is not None else time_us - 1_000_000, data)


def opened(org: str) -> Act:
    return Act(org, "log.opened", -1 - ORGS.index(org), data={"slot": SLOT[org]})


@dataclass
class Closed:
    size: int
    salt: bytes
    body: bytes
    map: Tree
    counts: dict[bytes, int]


class LogDouble:
    """A log. `history` is a list of epochs, each a list of acts; `run` writes them, 600 s apart."""

    def __init__(self, watched_by: list[WitnessDouble] | None = None) -> None:
        self.tree, self.entries = Tree(), list[bytes]()
        self.counts: dict[bytes, int] = {}
        self.events: dict[str, list[EventOpening]] = {org: [] for org in ORGS}
        self.closed: list[Closed] = []
        self.notes: dict[int, bytes] = {}
        self.witnesses = witnesses() if watched_by is None else watched_by
        self.now_s = START_S
        self.claimed_s: int | None = None  #: the time that the log says it is, where it lies

    def run(self, history: Iterable[list[Act]]) -> "LogDouble":
        for acts in history:
            self.now_s += 600
            self.epoch(acts)
        return self

    def epoch(self, acts: list[Act], counts: Callable[[dict[bytes, int]], dict[bytes, int]] = dict) -> None:
        """One batch that ends an epoch. counts: how to falsify the map."""
        time_us = (self.claimed_s or self.now_s) * 1_000_000
        bodies = [act.body(time_us) for act in acts]
        salts = [rnd("salt", act.org, act.id) for act in acts]
        tags = [TAGS[act.org] for act in acts]
        digests = [event_digest(salt, body) for salt, body in zip(salts, bodies, strict=True)]
        number = len(self.closed) + 1
        after = dict(self.counts)
        for tag in tags:
            after[tag] = after.get(tag, 0) + 1
        said = counts(after)
        held = [(SLOT[org], TAGS[org], said[TAGS[org]]) for org in ORGS if TAGS[org] in said]
        made = epoch_map(SLOTS, number, held, rnd("map"))
        size = self.tree.size + size_with_closing(len(tags))
        previous = self.closed[-1].size if self.closed else 0
        body = epoch_body(number, time_us, size=size, previous=previous, tree=made)
        closing = Closing(number, rnd("epoch", number), body)
        batch = make_batch(
            tags, digests, self.counts, start=self.tree.size, time_us=time_us, secret=rnd("secret"),
            seed=rnd("seed", self.tree.size), closing=closing,
        )  # fmt: skip
        for act, counter, index, salt, text in zip(acts, batch.counters, batch.indices, salts, bodies, strict=True):
            entry = batch.entries[index - self.tree.size]
            self.events[act.org].append(EventOpening(counter, index, time_us, salt, entry, text))
        self.entries += batch.entries
        self.tree.extend(map(leaf_hash, batch.entries))
        self.closed.append(Closed(size, closing.salt, body, made, said))
        self.notes[size] = self.publish()

    def publish(self) -> bytes:
        """Signs the tree as it is, and asks the witnesses."""
        note = sign_checkpoint(LOG, self.tree.size, self.tree.root())
        for one in self.witnesses:
            old = one.latest.get(LOG.key.name, (0, b""))[0]
            proof = consistency_proof(self.tree.nodes, old, self.tree.size) if 0 < old <= self.tree.size else []
            status, said = one.add(AddCheckpoint(min(old, self.tree.size), tuple(proof), note).body(), self.now_s + 1)
            if status == 200:
                note = merged(note, said.encode(), [one.signer.key])
        return note

    def bundle(
        self,
        org: str,
        *,
        epochs: int | None = None,
        first: int = 1,
        events: Callable[[list[EventOpening]], list[EventOpening]] = list,
        records: Callable[[list[EpochOpening]], list[EpochOpening]] = list,
        slot: int | None = None,
        **more: Any,
    ) -> bytes:
        """The bundle as of the epoch with this number. events, records: how to falsify it."""
        closed = self.closed[:epochs]
        size, nodes = closed[-1].size, self.tree.nodes
        tag = TAGS[org]
        at = SLOT[org] if slot is None else slot
        openings = [
            EpochOpening(
                one.size, one.salt, one.body, one.counts[tag], inclusion_proof(one.map.nodes, at, SLOTS),
                self.notes[one.size], consistency_proof(nodes, one.size, size),
            )
            for one in closed
            if one.counts.get(tag, 0) >= max(1, first - 1)
        ]  # fmt: skip
        own = [one for one in self.events[org] if one.index < size and one.counter >= first]
        out = io.BytesIO()
        write_bundle(
            out, Whose(tag, at, first), checkpoint=self.notes[size], size=size, nodes=nodes, epochs=records(openings),
            events=events(sorted(own, key=lambda one: one.index)), **more,
        )  # fmt: skip
        return out.getvalue()


def question(**more: Any) -> Question:
    return Question(LOG.key, more.pop("policy", POLICY), **more)


def check(bundle: bytes, *, since: bytes | None = None, against: bytes | None = None, **more: Any) -> Report:
    """The report on a bundle."""
    return verify(
        Bundle(io.BytesIO(bundle)),
        question(
            since=Checkpoint.parse(since) if since else None,
            against=Bundle(io.BytesIO(against)) if against else None,
            **more,
        ),
    )


def edit(bundle: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The bundle with one of its files changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(out, "w") as new:
        for one in old.namelist():
            raw = old.read(one)
            new.writestr(one, change(raw) if one == name else raw)
    return out.getvalue()


def edit_event(bundle: bytes, counter: int, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The bundle with one event's line changed."""

    def lines(raw: bytes) -> bytes:
        values = [json.loads(line) for line in raw.splitlines()]
        for value in values:
            if value["counter"] == counter:
                change(value)
        return b"".join(json.dumps(value).encode() + b"\n" for value in values)

    return edit(bundle, "events.jsonl", lines)


def history(epochs: int = 4, each: int = 3) -> list[list[Act]]:
    """Each epoch, each organisation does `each` things; the first of all is that its log is opened."""
    out: list[list[Act]] = []
    for epoch in range(epochs):
        acts = [opened(org) for org in ORGS] if epoch == 0 else []
        acts += [Act(org, "access.media", epoch * each + n) for n in range(each) for org in ORGS]
        out.append(acts)
    return out


def faults(report: Report) -> dict[str, list[tuple[str, dict[str, int | str]]]]:
    """check -> (name, where) of its faults."""
    return {c.name: [(fault.name, fault.where) for fault in c.faults] for c in report.checks.values() if c.faults}
