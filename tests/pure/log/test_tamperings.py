"""Seven tamperings by somebody who holds the log's signing key, each done carelessly and with care: each is caught by name,
and it is said where."""

from dataclasses import replace

import pytest

from evenhand.pure.log.leaves import event_digest, leaf_entry
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.report import Report
from evenhand.pure.log.writing import EpochOpening, EventOpening
from tests.pure.log.double import (
    LOG,
    ORGS,
    START_S,
    TAGS,
    Act,
    LogDouble,
    check,
    edit_event,
    faults,
    history,
    witnesses,
)

UNWATCHED = Policy.parse(f"log {LOG.key}\nquorum none\n".encode())


@pytest.fixture(scope="module")
def honest() -> LogDouble:
    return LogDouble().run(history())


@pytest.fixture(scope="module")
def saved(honest: LogDouble) -> bytes:
    """The checkpoint that Birch saved at the end of the second epoch."""
    return honest.notes[honest.closed[1].size]


def rewritten(past: list[list[Act]], honest: LogDouble, *, own: int = 0) -> LogDouble:
    """Another history, signed with the log's key after the honest one was witnessed. own: witnesses that the log runs."""
    return LogDouble(honest.witnesses[own:] + witnesses()[:own]).run(past)


def caught(report: Report, name: str, by: str) -> dict[str, int | str]:
    """Where a fault of this name was found by this check."""
    assert report.exit == 1
    found = [where for fault, where in faults(report).get(by, []) if fault == name]
    assert found, (name, by, report.as_text())
    return found[0]


def test_nothing_is_wrong_with_the_honest_log(honest: LogDouble, saved: bytes) -> None:
    for org in ORGS:
        report = check(honest.bundle(org), since=saved, against=honest.bundle("birch", epochs=3))
        assert report.exit == 0 and not faults(report), report.as_text()
        made = {name for name, one in report.checks.items() if one.made}
        assert made == set(report.checks) - {"decisions", "deletions"}


def without(past: list[list[Act]], org: str, id: int) -> list[list[Act]]:
    return [[act for act in acts if (act.org, act.id) != (org, id)] for acts in past]


# drop


def test_drop_from_the_bundle(honest: LogDouble) -> None:
    def drop(events: list[EventOpening]) -> list[EventOpening]:
        return [one for one in events if one.counter != 5]

    assert caught(check(honest.bundle("birch", events=drop)), "dropped", "completeness") == {"counter": 5}


def test_drop_from_history(honest: LogDouble, saved: bytes) -> None:
    forged = rewritten(without(history(), "birch", 3), honest).bundle("birch")
    assert caught(check(forged), "forked", "witnesses") == {"size": 64}
    assert caught(check(forged, since=saved), "forked", "since") == {"size": 32}
    unwatched = check(forged, against=honest.bundle("birch"), policy=UNWATCHED)
    assert caught(unwatched, "dropped", "against")["counter"] == 5  # log.opened and 0 to 2 come before 3
    assert caught(unwatched, "forked", "against")["epoch"] == 2
    assert check(forged, policy=UNWATCHED).exit == 0  # alone, without witness or anything saved, nothing can tell


# alter


@pytest.mark.parametrize("field", ["body", "salt", "sequenced", "leaf"])
def test_alter_what_is_shown(honest: LogDouble, field: str) -> None:
    def change(line: dict[str, object]) -> None:
        if field == "body":
            line["body"] = str(line["body"]).replace("access.media", "access.thumb")
        elif field == "sequenced":
            line["sequenced"] = int(str(line["sequenced"])) + 1
        else:
            line[field] = line_of_six[field]

    line_of_six: dict[str, object] = {}
    edit_event(honest.bundle("birch"), 6, line_of_six.update)
    where = caught(check(edit_event(honest.bundle("birch"), 5, change)), "altered", "inclusion")
    index = next(one.index for one in honest.events["birch"] if one.counter == 5)
    assert where == {"counter": 5, "index": index, "field": "body"}


def test_alter_with_the_leaf(honest: LogDouble) -> None:
    """The opening and its leaf agree, so only the tree can tell; in a large tree the place is known to 256 leaves."""
    large = LogDouble([]).run([*history(1, 80), *history(1, 1)])

    def change(events: list[EventOpening]) -> list[EventOpening]:

        one = events[40]
        body = one.body.replace(b"access.media", b"access.thumb")
        entry = leaf_entry(event_digest(one.salt, body), TAGS["birch"], one.counter, one.sequenced_us)
        return [*events[:40], replace(one, body=body, entry=entry), *events[41:]]

    index = large.events["birch"][40].index
    where = caught(check(large.bundle("birch", events=change), policy=UNWATCHED), "altered", "inclusion")
    assert int(where["low"]) <= index <= int(where["high"]) and where["low"] == index // 256 * 256


def test_alter_history(honest: LogDouble, saved: bytes) -> None:
    past = history()
    past[1] = [replace(act, kind="access.thumb") if (act.org, act.id) == ("birch", 4) else act for act in past[1]]
    forged = rewritten(past, honest).bundle("birch")
    assert caught(check(forged), "forked", "witnesses") == {"size": 64}
    assert caught(check(forged, since=saved), "forked", "since") == {"size": 32}
    report = check(forged, against=honest.bundle("birch"), policy=UNWATCHED)
    assert caught(report, "altered", "against")["counter"] == 6


# reorder


def test_reorder_what_is_shown(honest: LogDouble) -> None:
    def swap(events: list[EventOpening]) -> list[EventOpening]:
        counter = {5: 6, 6: 5}
        return [replace(one, counter=counter.get(one.counter, one.counter)) for one in events]

    report = check(honest.bundle("birch", events=swap))
    assert caught(report, "reordered", "order")["counter"] == 5
    assert caught(report, "altered", "inclusion")["counter"] == 6


def test_reorder_across_epochs(honest: LogDouble) -> None:
    """The sequencer writes a later number before an earlier one, so that all leaves are good."""

    class Swapping(LogDouble):
        def epoch(self, acts: list[Act], counts: object = None) -> None:
            if len(self.closed) == 1:
                self.counts[TAGS["birch"]] += 1  # leaves 5 out ...
            super().epoch(acts)
            if len(self.closed) == 2:
                self.counts[TAGS["birch"]] = 4  # ... and takes it up in the next epoch

    report = check(Swapping([]).run(history(3)).bundle("birch"), policy=UNWATCHED)
    assert caught(report, "reordered", "order")["counter"] == 5
    assert caught(report, "hidden", "completeness")["counter"] == 5  # it does not stand in the epoch that counted it


def test_reorder_history(honest: LogDouble, saved: bytes) -> None:
    past = history()
    past[1][1], past[1][4] = past[1][4], past[1][1]  # two acts of Birch
    assert {act.org for act in (past[1][1], past[1][4])} == {"birch"}
    forged = rewritten(past, honest).bundle("birch")
    assert caught(check(forged), "forked", "witnesses") == {"size": 64}
    assert caught(check(forged, since=saved), "forked", "since") == {"size": 32}
    report = check(forged, against=honest.bundle("birch"), policy=UNWATCHED)
    assert caught(report, "reordered", "against")["counter"] == 5


# back-date


def test_back_date_the_act() -> None:
    """The event is logged now and says that it happened long ago."""
    past = history()
    past[2][1] = replace(past[2][1], time_s=START_S - 86_400)
    report = check(LogDouble().run(past).bundle("birch"))
    where = caught(report, "back-dated", "order")
    assert (where["counter"], where["field"]) == (8, "time")


def test_back_date_the_logs_clock() -> None:
    """The log turns its own clock back for an epoch."""
    log = LogDouble().run(history(2))
    log.claimed_s = START_S + 600
    log.run(history(1))
    report = check(log.bundle("birch"))
    assert caught(report, "back-dated", "order")["field"] == "sequenced"
    assert caught(report, "back-dated", "times") == {"epoch": 3, "size": 48, "field": "time"}


def test_back_date_within_an_epoch() -> None:
    """The log's clock has stood still for an hour, so that its own times never go back; the witnesses' clocks went on."""
    log = LogDouble().run(history(2))
    log.claimed_s = log.now_s + 5
    log.now_s += 3600
    log.run(history(1))
    report = check(log.bundle("birch"))
    assert "order" not in faults(report)
    assert caught(report, "back-dated", "times")["epoch"] == 3
    assert check(log.bundle("birch"), policy=UNWATCHED).checks["times"].status == "not checked"


def test_back_date_by_putting_in(honest: LogDouble) -> None:
    past = history()
    past[1].insert(0, Act("birch", "access.media", 99))
    report = check(rewritten(past, honest).bundle("birch"), against=honest.bundle("birch"), policy=UNWATCHED)
    assert caught(report, "back-dated", "against")["counter"] == 5


# fork


def test_fork_shown_to_one(honest: LogDouble) -> None:
    """The log keeps a second history for Birch, with one witness of its own in it."""
    forged = rewritten(without(history(), "alder", 4), honest, own=1).bundle("birch")
    assert caught(check(forged), "forked", "witnesses") == {"size": 64}


def test_fork_found_by_two_customers(honest: LogDouble) -> None:
    """Without witnesses, and though each of the two bundles is good by itself."""
    forged = rewritten(without(history(), "alder", 4), honest).bundle("birch")
    assert check(forged, policy=UNWATCHED).exit == 0
    where = caught(check(forged, against=honest.bundle("cedar"), policy=UNWATCHED), "forked", "against")
    assert where == {"epoch": 2, "after_size": 16}  # epoch 1 ended the same in both


# roll back


def test_roll_back(honest: LogDouble) -> None:
    newest = honest.notes[honest.closed[3].size]
    report = check(honest.bundle("birch", epochs=2), since=newest)
    assert caught(report, "rolled back", "since") == {"from_size": 64, "to_size": 32}


def test_roll_back_and_go_on_differently(honest: LogDouble, saved: bytes) -> None:
    past = [*history(1), *history(5, 7)[2:]]
    forged = rewritten(past, honest)
    report = check(forged.bundle("birch"), since=saved, policy=UNWATCHED)
    assert report.exit == 2  # no proof can be made from the saved tree, and none was given
    assert report.checks["since"].status == "not checked" and "rewritten" in report.checks["since"].words
    made_up = forged.bundle("birch", consistency=[(32, [bytes(32)] * 3)])
    where = caught(check(made_up, since=saved, policy=UNWATCHED), "rewritten", "since")
    assert where["from_size"] == 32
    assert caught(check(forged.bundle("birch")), "forked", "witnesses")


# hide an organisation's event


def test_hide_the_last_events(honest: LogDouble) -> None:
    report = check(honest.bundle("birch", events=lambda events: events[:-2]))
    assert caught(report, "hidden", "completeness") == {"counter": 12, "epoch": 4}


def test_hide_the_last_epoch(honest: LogDouble) -> None:
    def cut(records: list[EpochOpening]) -> list[EpochOpening]:
        return records[:-1]

    report = check(honest.bundle("birch", records=cut, events=lambda events: events[:-3]))
    assert caught(report, "hidden", "epochs") == {"size": 64}


def test_hide_by_renumbering(honest: LogDouble) -> None:
    def renumber(events: list[EventOpening]) -> list[EventOpening]:
        return [*events[:4], *(replace(one, counter=one.counter - 1) for one in events[5:])]

    report = check(honest.bundle("birch", events=renumber))
    assert caught(report, "altered", "inclusion")["counter"] == 5
    assert caught(report, "hidden", "completeness")["counter"] == 7  # the second epoch's last is the third's first now
    assert ("hidden", {"counter": 13, "epoch": 4}) in faults(report)["completeness"]


def test_hide_by_a_falling_count() -> None:
    log = LogDouble().run(history(2))
    log.now_s += 600
    log.epoch([], counts=lambda after: {**after, TAGS["birch"]: 6})
    report = check(log.bundle("birch", events=lambda events: events[:-1]))
    assert caught(report, "hidden", "epochs") == {"epoch": 3, "size": 48}


def test_hide_by_a_false_count(honest: LogDouble) -> None:
    """The bundle says less than the map that was logged."""

    def less(records: list[EpochOpening]) -> list[EpochOpening]:
        return [*records[:-1], replace(records[-1], count=12)]

    report = check(honest.bundle("birch", records=less, events=lambda events: events[:-1]))
    assert caught(report, "hidden", "epochs") == {"epoch": 4, "size": 64, "field": "count"}


def test_hide_in_a_second_slot(honest: LogDouble) -> None:
    """The log counts Birch twice, and shows it the slot that counts less."""
    report = check(honest.bundle("birch", slot=9))
    assert caught(report, "hidden", "completeness") == {
        "counter": 1, "index": honest.events["birch"][0].index, "field": "slot",
    }  # fmt: skip


def test_hide_by_using_a_counter_twice(honest: LogDouble) -> None:
    class Twice(LogDouble):
        def epoch(self, acts: list[Act], counts: object = None) -> None:
            super().epoch(acts)
            if len(self.closed) == 2:
                self.counts[TAGS["birch"]] -= 1

    report = check(Twice([]).run(history(3)).bundle("birch"), policy=UNWATCHED)
    assert caught(report, "hidden", "completeness")["counter"] == 7
