"""Trees: the public vectors, the definition of RFC 6962 written out, and every proof of every sequence of appends."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.log.merkle import Frontier, Tree, between, consistency_proof, inclusion_proof, root_of
from evenhand.pure.log.proofs import (
    EMPTY_ROOT,
    fold,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from evenhand.pure.log.wrong import Wrong
from tests.data import cases_of, data


def cases(name: str) -> list[Any]:
    def read(path: Path) -> Iterator[Any]:
        for line in path.read_text().splitlines():
            yield pytest.param(json.loads(line), id=json.loads(line)["case"])

    return cases_of(read, "vectors", name)


def raw(values: list[str] | None) -> list[bytes]:
    return [base64.b64decode(one) for one in values or []]


def verdict(wrong: bool, work: Callable[[], None]) -> None:
    if not wrong:
        return work()
    with pytest.raises(Wrong):
        work()
    return None


@pytest.mark.parametrize("case", cases("merkle_inclusion.jsonl"))
def test_public_inclusion(case: dict[str, Any]) -> None:
    leaf, root = raw([case["leafHash"], case["root"]])
    verdict(
        case["wantErr"], lambda: verify_inclusion(case["leafIdx"], case["treeSize"], leaf, raw(case["proof"]), root)
    )


@pytest.mark.parametrize("case", cases("merkle_consistency.jsonl"))
def test_public_consistency(case: dict[str, Any]) -> None:
    root1, root2 = raw([case["root1"], case["root2"]])
    verdict(case["wantErr"], lambda: verify_consistency(case["size1"], case["size2"], raw(case["proof"]), root1, root2))


def test_there_are_98_of_each() -> None:
    data("vectors", "merkle_inclusion.jsonl")
    assert len(cases("merkle_inclusion.jsonl")) == len(cases("merkle_consistency.jsonl")) == 98


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word. leaves: hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def some(count: int) -> list[bytes]:
    return [leaf_hash(n.to_bytes(4, "big")) for n in range(count)]


def test_roots_are_those_of_the_definition() -> None:
    frontier = Frontier()
    for size in range(70):
        assert Tree(some(size)).root() == frontier.root() == mth(some(size))
        frontier.append(leaf_hash(size.to_bytes(4, "big")))


def test_every_proof_of_small_trees() -> None:
    leaves = some(40)
    tree = Tree(leaves)
    for size in range(1, 41):
        root = mth(leaves[:size])
        for index in range(size):
            verify_inclusion(index, size, leaves[index], inclusion_proof(tree.nodes, index, size), root)
        for old in range(1, size + 1):
            verify_consistency(old, size, consistency_proof(tree.nodes, old, size), mth(leaves[:old]), root)


SIZES = st.integers(1, 700)


@given(parts=st.lists(st.integers(0, 90), max_size=8), data=st.data())
def test_any_appends(parts: list[int], data: st.DataObject) -> None:
    """However leaves come, the tree is the same, grows consistently, and its edge can be taken up anywhere."""
    tree, frontier, sizes = Tree(), Frontier(), list[tuple[int, bytes]]()
    leaves = some(sum(parts))
    for part in parts:
        fresh = leaves[tree.size : tree.size + part]
        tree.extend(fresh)
        frontier = Frontier.of(tree.nodes, frontier.size) if data.draw(st.booleans()) else frontier
        if data.draw(st.booleans()):
            for leaf in fresh:
                frontier.append(leaf)
        else:
            before = frontier.size
            rows = frontier.extend(fresh)
            assert [row for row in rows if row] == [
                new for n, row in enumerate(tree.levels) if (new := row[before >> n :])
            ]
            assert not rows[-1]
        assert frontier.root() == tree.root() == root_of(tree.nodes, tree.size)
        sizes.append((tree.size, tree.root()))
    assert tree.root() == Tree(leaves).root()
    for size, root in sizes:
        if size:
            verify_consistency(size, tree.size, consistency_proof(tree.nodes, size, tree.size), root, tree.root())


@given(size=SIZES, data=st.data())
def test_a_changed_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    leaves = some(size)
    tree = Tree(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(tree.nodes, index, size), tree.root()
    verify_inclusion(index, size, leaves[index], proof, root)

    def flipped(one: bytes) -> bytes:
        bit = data.draw(st.integers(0, 255))
        return (int.from_bytes(one, "big") ^ 1 << bit).to_bytes(32, "big")

    at = data.draw(st.integers(0, len(proof)))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else size
    changed: list[tuple[int, int, bytes, list[bytes], bytes]] = [
        (index, size, flipped(leaves[index]), proof, root),
        (index, size, leaves[index], proof, flipped(root)),
        (index, size, leaves[index], [*proof[:at], flipped(root), *proof[at:]], root),
        (other, size, leaves[index], proof, root),
        (-1 - index, size, leaves[index], proof, root),
        (index, index, leaves[index], proof, root),
        (index, size, leaves[index][:31], proof, root),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed += [
            (index, size, leaves[index], [*proof[:at], flipped(proof[at]), *proof[at + 1 :]], root),
            (index, size, leaves[index], proof[:-1], root),
            (index, size, leaves[index], proof[1:], root),
        ]
    for one in changed:
        with pytest.raises(Wrong):
            verify_inclusion(*one)


@given(size=SIZES, data=st.data())
def test_a_changed_consistency_proof_fails(size: int, data: st.DataObject) -> None:
    leaves = some(size)
    tree = Tree(leaves)
    old = data.draw(st.integers(1, size))
    proof, root1, root2 = consistency_proof(tree.nodes, old, size), mth(leaves[:old]), tree.root()
    verify_consistency(old, size, proof, root1, root2)
    noise = leaf_hash(b"noise")
    at = data.draw(st.integers(0, len(proof)))
    changed: list[tuple[int, int, list[bytes], bytes, bytes]] = [
        (old, size, proof, noise, root2),
        (old, size, proof, root1, noise),
        (old, size, [*proof[:at], noise, *proof[at:]], root1, root2),
        (size + 1, size, proof, root1, root2),
        (0, size, proof, root1, root2),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed += [
            (old, size, [*proof[:at], noise, *proof[at + 1 :]], root1, root2),
            (old, size, proof[:-1], root1, root2),
            (old, size, proof, root2, root1),
        ]
    for one in changed:
        with pytest.raises(Wrong):
            verify_consistency(*one)


@given(size=st.integers(1, 1500), data=st.data())
def test_one_proof_for_many_leaves(size: int, data: st.DataObject) -> None:
    """`fold` takes what `between` gives; a changed leaf is found within its 256, a changed hash at the root or there."""
    leaves = some(size)
    tree = Tree(leaves)
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1), max_size=30)))
    hashes: list[bytes] = []
    between(tree.nodes, size, iter(chosen), hashes.append)

    def folded(own: list[tuple[int, bytes]], given: list[bytes]) -> tuple[bytes, list[tuple[int, int]], int]:
        rest, apart = iter(given), list[tuple[int, int]]()
        root = fold(size, iter(own), lambda: next(rest), lambda low, high: apart.append((low, high)))
        return root, apart, len(list(rest))

    own = [(at, leaves[at]) for at in chosen]
    assert folded(own, hashes) == (tree.root(), [], 0)
    if chosen:
        at = data.draw(st.sampled_from(range(len(chosen))))
        index = chosen[at]
        root, apart, left = folded([*own[:at], (index, leaf_hash(b"noise")), *own[at + 1 :]], hashes)
        assert root != tree.root() or apart == [(index // 256 * 256, index // 256 * 256 + 256)]
        assert left == 0
    if hashes:
        at = data.draw(st.sampled_from(range(len(hashes))))
        root, apart, _ = folded(own, [*hashes[:at], leaf_hash(b"noise"), *hashes[at + 1 :]])
        assert root != tree.root() or apart


def test_what_can_not_be_proved() -> None:
    tree = Tree(some(5))
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(ValueError):
            inclusion_proof(tree.nodes, index, size)
    for size1, size2 in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(ValueError):
            consistency_proof(tree.nodes, size1, size2)
    with pytest.raises(ValueError):
        Frontier(5, some(1))
    with pytest.raises(ValueError):
        between(tree.nodes, 5, iter([3, 3]), lambda _: None)
