"""Leaves and batches: what they show to somebody who may only look, and what they keep for the customer."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.pure.log import leaves as leaves_module
from evenhand.pure.log.events import (
    Closing,
    batch_size,
    epoch_body,
    epoch_map,
    event_body,
    make_batch,
    padding_entry,
    size_with_closing,
    slots_for,
)
from evenhand.pure.log.leaves import LOG_TAG, event_digest, leaf_entry, read_canonical, slot_entry
from evenhand.pure.log.merkle import inclusion_proof
from evenhand.pure.log.proofs import leaf_hash, verify_inclusion
from evenhand.pure.log.wrong import Unreadable
from tests.pure.log.double import ORGS, TAGS, rnd

SECRET, SEED = rnd("secret"), rnd("seed")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_a_batch_is_a_power_of_four() -> None:
    sizes = {batch_size(count) for count in range(300)}
    assert sizes == {16, 64, 256, 1024}
    assert [batch_size(n) for n in (0, 16, 17, 64, 65)] == [16, 16, 64, 64, 256]
    assert size_with_closing(15) == 16 and size_with_closing(16) == 64


@settings(max_examples=50)
@given(who=st.lists(st.sampled_from(ORGS), max_size=80), start=st.integers(0, 1 << 40), closes=st.booleans())
def test_batches(who: list[str], start: int, closes: bool) -> None:
    """Every event has a place of its own and the next counter; order is kept within an organisation; the rest is padding."""
    tags, digests = [TAGS[org] for org in who], [rnd("digest", n) for n in range(len(who))]
    counts = {TAGS["alder"]: 7}
    closing = Closing(3, rnd("salt"), b"{}") if closes else None
    batch = make_batch(tags, digests, counts, start=start, time_us=9, secret=SECRET, seed=SEED, closing=closing)
    assert len(batch.entries) == batch_size(len(who) + closes)
    assert all(len(entry) == 32 for entry in batch.entries) and len(set(batch.entries)) == len(batch.entries)
    places = [index - start for index in batch.indices]
    assert len(set(places)) == len(who)
    for tag, digest, counter, place in zip(tags, digests, batch.counters, places, strict=True):
        assert batch.entries[place] == leaf_entry(digest, tag, counter, 9)
    for org in ORGS:
        mine = [n for n, whose in enumerate(who) if whose == org]
        begun = 7 if org == "alder" else 0
        assert [batch.counters[n] for n in mine] == list(range(begun + 1, begun + 1 + len(mine)))
        assert [batch.indices[n] for n in mine] == sorted(batch.indices[n] for n in mine)
        assert counts.get(TAGS[org], 0) == begun + len(mine)
    empty = set(range(len(batch.entries))) - set(places)
    if closing is not None:
        assert batch.entries[-1] == leaf_entry(closing.digest, LOG_TAG, 3, 9)
        empty.remove(len(batch.entries) - 1)
    assert all(batch.entries[at] == padding_entry(SECRET, start + at) for at in empty)


def test_places_do_not_tell_how_many_came_before() -> None:
    """The last of fifteen events falls anywhere in its batch, whoever's the others are."""
    tags, digests = [TAGS["alder"]] * 9 + [TAGS["birch"]], [rnd(n) for n in range(10)]
    places = Counter(
        make_batch(tags, digests, {}, start=0, time_us=0, secret=SECRET, seed=rnd("seed", n)).indices[-1]
        for n in range(1600)
    )
    assert set(places) == set(range(16))
    assert max(places.values()) < 150  # 100 expected each; 150 is five standard deviations away


@given(st.dictionaries(st.text(), JSON, max_size=4), st.integers(0, 1 << 62))
def test_bodies_read_back(data: dict[str, object], time_us: int) -> None:
    body = event_body("access.media", time_us, data)
    assert read_canonical(body.decode()) == {"v": 1, "kind": "access.media", "time": time_us, "data": data}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', '{"a":1.0}', '{"a":1e3}', '{"a":NaN}', '{"a":-Infinity}', "[]", "1", "",
        '{"a":"\\u0041"}', '{"a":"\\ud800"}', '{"a":-0}', '{"a":01}', "{" * 100_000, '{"a":1}\n', '{"a":"\\/"}',
    ],
)  # fmt: skip
def test_there_is_one_way_to_write_a_body(text: str) -> None:
    with pytest.raises(Unreadable):
        read_canonical(text)


def test_what_a_body_can_not_hold() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            event_body("a", 1, {"x": value})
    with pytest.raises(UnicodeEncodeError):
        event_body("a", 1, {"x": "\ud800"})


def test_each_part_makes_another_leaf() -> None:
    digest = event_digest(rnd("salt"), b"body")
    base = leaf_entry(digest, TAGS["alder"], 5, 6)
    others = {
        leaf_entry(event_digest(rnd("other"), b"body"), TAGS["alder"], 5, 6),
        leaf_entry(event_digest(rnd("salt"), b"bodies"), TAGS["alder"], 5, 6),
        leaf_entry(digest, TAGS["birch"], 5, 6), leaf_entry(digest, TAGS["alder"], 6, 6),
        leaf_entry(digest, TAGS["alder"], 5, 7), leaf_entry(digest, TAGS["alder"], 6, 5),
    }  # fmt: skip
    assert len(others) == 6 and base not in others


def test_domains_are_apart() -> None:
    """No two of the things that are hashed begin the same, so none can be taken for another."""
    folder = Path(leaves_module.__file__).parent
    found = [
        domain for path in folder.glob("*.py") for domain in re.findall(r'b"(evenhand-[a-z]+-v1)', path.read_text())
    ]
    names = ("event", "leaf", "padding", "places", "slot")
    assert sorted(found) == [f"evenhand-{name}-v1" for name in names]


def test_the_map_of_an_epoch() -> None:
    held = [(3, TAGS["alder"], 12), (40, TAGS["birch"], 1)]
    tree = epoch_map(64, 7, held, SECRET)
    for slot, tag, count in held:
        proof = inclusion_proof(tree.nodes, slot, 64)
        verify_inclusion(slot, 64, leaf_hash(slot_entry(tag, 7, count)), proof, tree.root())
    assert len(set(tree.levels[0])) == 64  # empty slots are told apart from one another no better than from others
    assert not set(tree.levels[0]) & set(epoch_map(64, 8, held, SECRET).levels[0])  # nor from epoch to epoch
    body = read_canonical(epoch_body(7, 5, size=32, previous=16, tree=tree).decode())
    assert body["kind"] == "log.epoch" and body["slots"] == 64 and body["public"] == {}
    assert [slots_for(n) for n in (0, 512, 513, 3000)] == [1024, 1024, 4096, 16384]
