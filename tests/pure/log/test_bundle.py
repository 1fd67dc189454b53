"""Bundles: what else is checked, what is not, and that a damaged bundle is never in order."""

import io
import json
import zipfile
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.pure.log.checks import moment
from evenhand.pure.log.leaves import canonical
from evenhand.pure.log.merkle import Tree, consistency_proof
from evenhand.pure.log.notes import LOG_KEY
from evenhand.pure.log.signing import Signer, sign_checkpoint, sign_note
from evenhand.pure.log.walk import DELETED, DELETION
from evenhand.pure.log.wrong import Unreadable
from tests.pure.log.double import (
    LOG,
    SLOT,
    START_S,
    TAGS,
    Act,
    LogDouble,
    check,
    edit,
    edit_event,
    faults,
    history,
    private,
)


@pytest.fixture(scope="module")
def log() -> LogDouble:
    return LogDouble().run(history())


BIRCH = f"tag {TAGS['birch'].hex()[:16]}, slot {SLOT['birch']}"


def test_a_part_of_the_history(log: LogDouble) -> None:
    report = check(log.bundle("birch", first=8))
    assert report.exit == 0
    assert report.checks["completeness"].words == f"events 8 to 13 of {BIRCH}, without a gap, and no others"
    assert report.checks["earlier"].status == "not checked"
    late = log.bundle("birch", first=8, records=lambda records: records[1:])
    assert ("hidden", {"counter": 11, "epoch": 3}) in faults(check(late))["completeness"]


def test_an_epoch_that_is_left_out(log: LogDouble) -> None:
    report = check(log.bundle("birch", records=lambda records: [*records[:2], *records[3:]]))
    assert faults(report)["epochs"] == [("dropped", {"epoch": 4, "size": 64})]


def test_an_event_of_somebody_else(log: LogDouble) -> None:
    """Cedar's event in Birch's bundle: its leaf is in the tree, but not with Birch's tag."""
    theirs = log.events["cedar"][4]
    report = check(
        log.bundle("birch", events=lambda events: sorted([*events[:4], theirs, *events[5:]], key=lambda e: e.index))
    )
    assert faults(report)["inclusion"][0] == ("altered", {"counter": 5, "index": theirs.index, "field": "body"})


def test_somebody_elses_bundle(log: LogDouble) -> None:
    """What another customer holds says nothing about one's own events, and shows none of them."""
    report = check(log.bundle("birch"), against=log.bundle("cedar"))
    assert (
        report.checks["against"].words == "the bundles tell one history in epochs 1 to 4, and are of two organisations"
    )


def test_bundles_without_a_common_epoch() -> None:
    past = history()
    past[0] = [act for act in past[0] if act.org != "cedar"]
    past[1] = [act for act in past[1] if act.org != "cedar"]
    past[2] = [act for act in history()[0] if act.org == "cedar"]
    log = LogDouble().run(past)
    report = check(log.bundle("cedar"), against=log.bundle("birch", epochs=2))
    assert report.exit == 2 and "no epoch in common" in report.checks["against"].words


def test_late_events_are_told() -> None:
    past = history()
    past[2][1] = Act("birch", "access.media", 6, time_s=START_S + 1800 - 90)
    log = LogDouble().run(past)
    report = check(log.bundle("birch"))
    assert report.exit == 0 and report.checks["order"].words == "times never go back; 1 were late, the latest by 90.0 s"
    assert faults(check(log.bundle("birch"), late_s=60))["order"][0][0] == "back-dated"
    past[2][1] = Act("birch", "access.media", 6, time_s=START_S + 1800 + 90)
    report = check(LogDouble().run(past).bundle("birch"))
    assert faults(report)["order"][0][0] == "post-dated"


def test_a_saved_checkpoint_between_epochs(log: LogDouble) -> None:

    saved = sign_checkpoint(LOG, 40, Tree(log.tree.levels[0][:40]).root())
    report = check(log.bundle("birch"), since=saved)
    assert report.exit == 2 and report.checks["since"].status == "not checked"
    proof = consistency_proof(log.tree.nodes, 40, 64)
    report = check(log.bundle("birch", consistency=[(40, proof)]), since=saved)
    assert report.exit == 0 and report.checks["since"].status == "ok"
    forged = sign_checkpoint(LOG, 40, Tree(log.tree.levels[0][1:41]).root())
    assert "since" in faults(check(log.bundle("birch", consistency=[(40, proof)]), since=forged))
    assert check(log.bundle("birch"), since=sign_checkpoint(LOG, 0, Tree().root())).checks["since"].status == "ok"


def certificate(signer: Signer = LOG, **body: object) -> bytes:
    return sign_note(DELETION + canonical(body).decode() + "\n", [signer])


def digest(note: bytes) -> str:
    return b64encode(sha256(note.rpartition(b"\n\n")[0] + b"\n").digest()).decode()


def test_deletion_certificates() -> None:
    note, other = certificate(asset="a1"), certificate(asset="a2")
    past = history(2)
    past[1].append(Act("birch", DELETED, 50, data={"certificate": digest(note)}))
    log = LogDouble().run(past)
    counter = log.events["birch"][-1].counter
    good = check(log.bundle("birch", deletions=[note]))
    assert good.exit == 0 and good.checks["deletions"].status == "ok"
    assert faults(check(log.bundle("birch", deletions=[note, other])))["deletions"] == [("altered", {"certificate": 2})]
    for bundle in (log.bundle("birch"), log.bundle("birch", deletions=[])):
        assert faults(check(bundle))["deletions"] == [("dropped", {"counter": counter})]
    thief = certificate(Signer.of(LOG.key.name, LOG_KEY, private("thief")), asset="a1")
    assert faults(check(log.bundle("birch", deletions=[thief])))["deletions"] == [("unsigned", {"certificate": 1})]
    with pytest.raises(Unreadable, match="deletions"):
        check(log.bundle("birch", deletions=[sign_note("something else\n", [LOG])]))


def test_a_stale_bundle_says_its_time(log: LogDouble) -> None:
    assert "the last ended 2026-09-21T14:33:20+00:00" in check(log.bundle("birch", epochs=2)).checks["epochs"].words
    assert moment(1 << 62) == "4611686018427387904 µs after 1970"


FILES = ("manifest.json", "checkpoint", "epochs.jsonl", "events.jsonl", "proof")


@settings(max_examples=300)
@given(name=st.sampled_from(FILES), data=st.data())
def test_any_changed_byte_is_seen(log: LogDouble, name: str, data: st.DataObject) -> None:
    """Whatever byte is changed, dropped or added: the bundle is wrong or unreadable, and nothing else is raised."""
    bundle = log.bundle("birch")

    def change(raw: bytes) -> bytes:
        at = data.draw(st.integers(0, len(raw) - 1))
        how = data.draw(st.sampled_from(["flip", "drop", "add", "cut"]))
        if how == "flip":
            return raw[:at] + bytes([raw[at] ^ 1 << data.draw(st.integers(0, 7))]) + raw[at + 1 :]
        if how == "drop":
            return raw[:at] + raw[at + 1 :]
        return raw[:at] + b"7" + raw[at:] if how == "add" else raw[:at]

    changed = edit(bundle, name, change)
    if same(bundle, changed):
        return
    try:
        report = check(changed)
    except Unreadable:
        return
    assert report.exit == 1 or loosened(bundle, changed), report.as_text()


def contents(bundle: bytes) -> dict[str, object]:
    """What a bundle says, whatever spaces its JSON has."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as file:
        out: dict[str, object] = {}
        for name in file.namelist():
            raw = file.read(name)
            out[name] = [json.loads(line) for line in raw.splitlines()] if "json" in name else raw
        return out


def same(one: bytes, two: bytes) -> bool:
    try:
        return contents(one) == contents(two)
    except ValueError:
        return False


def loosened(one: bytes, two: bytes) -> bool:
    """Whether only cosignatures differ: two of three are enough, and one of a witness nobody knows is ignored."""
    was, now = contents(one), contents(two)
    texts = [[str(found["checkpoint"]).partition("\n\n")[0] for found in value["epochs.jsonl"]] for value in (was, now)]
    heads = [bytes(value["checkpoint"]).partition(b"\n\n")[0] for value in (was, now)]
    return (
        texts[0] == texts[1]
        and heads[0] == heads[1]
        and all(was[name] == now[name] for name in ("manifest.json", "events.jsonl", "proof"))
    )


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_unreadable(log: LogDouble, name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(log.bundle("birch"))) as old, zipfile.ZipFile(out, "w") as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
    with pytest.raises(Unreadable, match=name):
        check(out.getvalue())


def test_two_files_of_one_name(log: LogDouble) -> None:
    out = io.BytesIO(log.bundle("birch"))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(out, "a") as file:
        file.writestr("events.jsonl", b"")
    with pytest.raises(Unreadable, match="two files of one name"):
        check(out.getvalue())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("counter", True), ("counter", -1), ("counter", "5"), ("counter", 1 << 63), ("index", None), ("sequenced", 1.5),
        ("salt", "AA=="), ("salt", 5), ("leaf", "!"), ("body", {}), ("body", '{"kind":5,"time":1}'), ("body", '{"kind":"a"}'),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_form(log: LogDouble, field: str, value: object) -> None:
    with pytest.raises(Unreadable, match=r"events\.jsonl, line 5"):
        check(edit_event(log.bundle("birch"), 5, lambda line: line.update({field: value})))
