"""The walk over the events of a bundle, once, in the order of their places: inclusion, completeness, order, deletions."""

import base64
import hashlib
from collections.abc import Generator
from typing import Any, cast

from evenhand.pure.log.bundle import Bundle, Epoch, Event
from evenhand.pure.log.leaves import leaf_entry, read_canonical
from evenhand.pure.log.notes import Note, VerifierKey
from evenhand.pure.log.proofs import fold, leaf_hash
from evenhand.pure.log.report import Report
from evenhand.pure.log.wrong import Unreadable, Wrong

LATE_US = 5_000_000  #: an event later than this is told of
MANY = 10_000  #: gaps wider than this are told at once
OPENED, DELETED = "log.opened", "data.deleted"
DELETION = "evenhand-deletion-v1\n"


class Walk:
    """Holds what the walk has seen so far: a few numbers, whatever the number of events."""

    def __init__(self, bundle: Bundle, report: Report, key: VerifierKey, too_late_us: int) -> None:
        self.bundle, self.key, self.too_late_us = bundle, key, too_late_us
        self.inclusion, self.completeness = report.check("inclusion"), report.check("completeness")
        self.order, self.deletions, self.earlier = (
            report.check("order"),
            report.check("deletions"),
            report.check("earlier"),
        )
        self.expected = bundle.first  #: the counter that comes next
        self.missing: set[int] = set()
        self.at = 0  #: which epoch we are in
        self.clock_us = 0
        self.seen = self.late = self.latest_us = 0
        self.certified: dict[str, int] = {}  #: digest of a deletion certificate -> counter of its event

    def go(self) -> None:
        bundle, size = self.bundle, self.bundle.checkpoint.size
        hashes, leaves = bundle.hashes(), self._leaves()

        def take() -> bytes:
            one = next(hashes, b"")
            if len(one) != 32:
                raise Wrong("the file with the hashes between the leaves is too short")
            return one

        def apart(low: int, high: int) -> None:
            what = f"the leaves given for places {low} to {high - 1} are not those of the tree"
            self.inclusion.fault("altered", what, low=low, high=high - 1, counters=f"up to {self.expected - 1}")

        try:
            root = fold(size, leaves, take, apart)
            if root != bundle.checkpoint.root:
                self.inclusion.fault("altered", "leaves and proof do not lead to the root of the checkpoint", size=size)
            if next(hashes, b""):
                self.inclusion.fault("altered", "the file with the hashes between the leaves is too long", size=size)
        except Wrong as err:
            self.inclusion.fault("altered", f"the walk ended here: {err}", counter=self.expected, size=size)
            for check in (self.completeness, self.order, self.deletions):
                check.skip("the events could not all be read", asked=True)
            return
        finally:
            leaves.close()
            hashes.close()
        self.inclusion.done(f"{self.seen} events and {len(bundle.epochs)} epochs stand in the tree of {size} leaves")
        self._count()
        late = f"; {self.late} were late, the latest by {self.latest_us / 1e6:.1f} s" if self.late else ""
        self.order.done(f"times never go back{late}")
        self._certificates()

    def _leaves(self) -> Generator[tuple[int, bytes]]:
        """Leaf hashes of events and epochs, in the order of their places."""
        last, epochs = -1, self.bundle.epochs
        for event in self.bundle.events():
            while self.at < len(epochs) and epochs[self.at].size - 1 < event.index:
                yield self._epoch(epochs[self.at], last)
                last, self.at = epochs[self.at].size - 1, self.at + 1
            if event.index <= last:
                raise Wrong(f"the event with counter {event.counter} stands at {event.index}, after {last}")
            if self.at == len(epochs):
                raise Wrong(f"the event with counter {event.counter} stands at {event.index}, after the last epoch")
            last = event.index
            self._event(event)
            yield event.index, leaf_hash(event.leaf)
        for epoch in epochs[self.at :]:
            yield self._epoch(epoch, last)
            last, self.at = epoch.size - 1, self.at + 1

    def _epoch(self, epoch: Epoch, last: int) -> tuple[int, bytes]:
        if epoch.size - 1 <= last:
            raise Wrong(f"epoch {epoch.number} stands at {epoch.size - 1}, after {last}")
        self._tick(epoch.time_us, epoch=epoch.number, index=epoch.size - 1)
        return epoch.size - 1, leaf_hash(epoch.entry)

    def _event(self, event: Event) -> None:
        self.seen += 1
        if leaf_entry(event.digest, self.bundle.tag, event.counter, event.sequenced_us) != event.leaf:
            what = "what was logged is not this body with this salt, counter and time"
            self.inclusion.fault("altered", what, counter=event.counter, index=event.index, field="body")
        self._number(event)
        self._place(event)
        self._tick(event.sequenced_us, counter=event.counter, index=event.index)
        late_us = event.sequenced_us - event.time_us
        if late_us > LATE_US:
            self.late, self.latest_us = self.late + 1, max(self.latest_us, late_us)
        if late_us > self.too_late_us or late_us < -LATE_US:
            what = f"it says that it happened {abs(late_us) / 1e6:.0f} s {'before' if late_us > 0 else 'after'} it was logged"
            name = "back-dated" if late_us > 0 else "post-dated"
            self.order.fault(name, what, counter=event.counter, index=event.index, field="time")
        if event.kind == DELETED:
            data = cast("dict[str, Any]", event.data) if isinstance(event.data, dict) else {}
            self.certified[str(data.get("certificate"))] = event.counter

    def _tick(self, time_us: int, **where: int) -> None:
        if time_us < self.clock_us:
            what = f"its time lies {(self.clock_us - time_us) / 1e6:.3f} s before that of a leaf before it"
            self.order.fault("back-dated", what, **where, field="sequenced")
        self.clock_us = max(self.clock_us, time_us)

    def _number(self, event: Event) -> None:
        """The counter goes up by one from event to event."""
        counter, where = event.counter, {"counter": event.counter, "index": event.index}
        if counter == 1:
            self._opening(event)
        if counter >= self.expected:
            gap = range(self.expected, counter)
            if len(gap) + len(self.missing) <= MANY:
                self.missing.update(gap)
            else:
                what = f"counters {gap.start} to {gap.stop - 1} are missing"
                self.completeness.fault("dropped", what, counter=gap.start)
            self.expected = counter + 1
        elif counter in self.missing:
            self.missing.discard(counter)
            self.order.fault("reordered", f"counter {self.expected - 1} stands before it", **where)
        else:
            self.completeness.fault("hidden", "there are two events with this counter", **where)

    def _opening(self, event: Event) -> None:
        """The first event says which slot is the organisation's, for good."""
        if event.kind != OPENED or event.data != {"slot": self.bundle.slot}:
            what = f"the first event does not say that slot {self.bundle.slot} is yours"
            self.completeness.fault("hidden", what, counter=1, index=event.index, field="slot")

    def _place(self, event: Event) -> None:
        """The event stands in the epoch that counted it."""
        epochs = self.bundle.epochs
        epoch = epochs[self.at]
        begun = epochs[self.at - 1].count if self.at else self.bundle.first - 1
        if not begun < event.counter <= epoch.count or (self.at == 0 and event.index < epoch.previous):
            what = f"it stands in epoch {epoch.number}, whose map counts events {begun + 1} to {epoch.count}"
            self.completeness.fault("hidden", what, counter=event.counter, index=event.index, epoch=epoch.number)

    def _count(self) -> None:
        first, last = self.bundle.first, self.bundle.epochs[-1].count
        for counter in sorted(self.missing):
            self.completeness.fault("dropped", "there is no event with this counter", counter=counter)
        if self.expected <= last:
            what = f"the log counts {last} events of yours, and the bundle ends with {self.expected - 1}"
            self.completeness.fault("hidden", what, counter=self.expected, epoch=self.bundle.epochs[-1].number)
        if first > 1:
            base = self.bundle.epochs[0]
            if base.count != first - 1:
                what = f"the first epoch given counts {base.count} events, and the bundle begins with {first}"
                self.completeness.fault("hidden", what, counter=base.count + 1, epoch=base.number)
            self.earlier.skip(f"events 1 to {first - 1} are not in this bundle, nor does it say which slot is yours")
        else:
            self.earlier.done("the bundle begins with the first event")
        whose = f"tag {self.bundle.tag.hex()[:16]}, slot {self.bundle.slot}"
        self.completeness.done(f"events {first} to {last} of {whose}, without a gap, and no others")

    def _certificates(self) -> None:
        check = self.deletions
        if "deletions.jsonl" not in self.bundle.names and not self.certified:
            check.skip("the bundle has no deletion certificates, and no event says that something was deleted")
            return
        found = 0
        for line in self.bundle.lines("deletions.jsonl") if "deletions.jsonl" in self.bundle.names else ():
            found += 1
            note = Note.parse(str(line.get("note")).encode())
            if not note.text.startswith(DELETION):
                raise Unreadable(f"deletions.jsonl, line {found}: not a deletion certificate")
            read_canonical(note.text.removeprefix(DELETION)[:-1])
            self._certificate(note, found)
        for counter in self.certified.values():
            check.fault("dropped", "its deletion certificate is not in the bundle", counter=counter)
        check.done(f"{found} certificates, each signed, and logged by an event")

    def _certificate(self, note: Note, line: int) -> None:
        signatures = note.by(self.key)
        try:
            if not signatures:
                raise Wrong(f"{self.key.name!r} has not signed it")
            for signature in signatures:
                self.key.verify(signature, note.text.encode())
        except Wrong as err:
            self.deletions.fault("unsigned", str(err), certificate=line)
        digest = base64.b64encode(hashlib.sha256(note.text.encode()).digest()).decode()
        if self.certified.pop(digest, None) is None:
            self.deletions.fault("altered", "no event in the bundle has logged this certificate", certificate=line)
