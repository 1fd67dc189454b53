"""Two bundles of one log, side by side: whether they tell one history, and where they part."""

from collections.abc import Iterator

from evenhand.pure.log.bundle import Bundle, Event
from evenhand.pure.log.report import Check, Report


def compare(one: Bundle, two: Bundle, alone: Report, check: Check) -> None:
    """alone: the report on the second bundle by itself. The bundles may be of different organisations."""
    for other in alone.checks.values():
        for fault in other.faults[:1]:
            check.fault("second bundle", f"by itself it fails in {other.name}: {fault}")
    theirs = {epoch.number: epoch for epoch in two.epochs}
    common = [epoch for epoch in one.epochs if epoch.number in theirs]
    if not common:
        check.skip("the two bundles have no epoch in common; get one that reaches further", asked=True)
        return
    for epoch in common:
        other = theirs[epoch.number]
        mine, yours = epoch.checkpoint, other.checkpoint
        if (mine.size, mine.root, epoch.entry) != (yours.size, yours.root, other.entry):
            what = f"one bundle's tree has {mine.size} leaves, the other's {yours.size}, and they are not one tree"
            if mine.size == yours.size:
                what = f"the log has signed two different trees of {mine.size} leaves"
            check.fault("forked", what, epoch=epoch.number, after_size=epoch.previous)
            break
    same = one.tag == two.tag
    if same:
        if one.slot != two.slot:
            check.fault("hidden", f"one bundle counts in slot {one.slot}, the other in slot {two.slot}", field="slot")
        # the second is the one that was kept, where both are of one size
        older, newer = sorted((two, one), key=lambda bundle: bundle.checkpoint.size)
        _events(older, newer, check)
    words = "event by event, for one organisation" if same else "and are of two organisations"
    check.done(f"the bundles tell one history in epochs {common[0].number} to {common[-1].number}, {words}")


def _events(older: Bundle, newer: Bundle, check: Check) -> None:
    """Finds the first event that the two bundles tell differently, and names what was done to it."""
    for was, now in _pairs(older.events(), newer.events()):
        if (was.leaf, was.index, was.digest) == (now.leaf, now.index, now.digest):
            continue
        where = {"counter": was.counter, "index": was.index}
        if was.digest == now.digest:
            check.fault("reordered", f"it stands at {now.index} in the other bundle", **where)
        elif not any(event.digest == was.digest for event in newer.events()):
            moved_up = any(event.digest == now.digest for event in older.events())
            what = "it is not in the other bundle; " + ("what followed it took its place" if moved_up else "another is")
            check.fault("dropped" if moved_up else "altered", what, **where)
        else:
            known = any(event.digest == now.digest for event in older.events())
            what = (
                "another event stands in its place" if known else "an event was put in before it, which was not there"
            )
            check.fault("reordered" if known else "back-dated", what, **where)
        return


def _pairs(one: Iterator[Event], two: Iterator[Event]) -> Iterator[tuple[Event, Event]]:
    """The events that both have, by their counters."""
    mine, yours = next(one, None), next(two, None)
    while mine is not None and yours is not None:
        if mine.counter == yours.counter:
            yield mine, yours
        step = mine.counter - yours.counter
        mine = next(one, None) if step <= 0 else mine
        yours = next(two, None) if step >= 0 else yours
