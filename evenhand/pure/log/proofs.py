"""Trees: the hashes of RFC 6962, section 2.1, and the verifiers of RFC 9162."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from evenhand.pure.log.wrong import Wrong

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf. entry: what is logged.  Returns 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its children, 32 bytes each."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _hashes_only(hashes: Iterable[bytes]) -> None:
    if any(len(one) != 32 for one in hashes):
        raise Wrong("a hash does not have 32 bytes")


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162, 2.1.3.2: the leaf hash `leaf` stands at `index` of the tree of `size` leaves with `root`. Raises Wrong."""
    _hashes_only((leaf, root, *proof))
    if not 0 <= index < size:
        raise Wrong(f"index {index} is outside a tree of {size}")
    at, last, made = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Wrong("the proof is too long")
        if at & 1 or at == last:
            made = node_hash(sibling, made)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, sibling)
        at, last = at >> 1, last >> 1
    if last or made != root:
        raise Wrong("the proof does not lead to the root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """RFC 9162, 2.1.4.2: the tree of `size1` is the beginning of the tree of `size2`. Raises Wrong.

    From an empty tree there is nothing to prove: size1 0 is Wrong, whatever the roots.
    """
    if not 0 < size1 <= size2:
        raise Wrong(f"a tree of {size1} can't be shown to begin a tree of {size2}")
    if size1 == size2:
        if proof or root1 != root2:
            raise Wrong("trees of one size have different roots" if not proof else "a proof where none belongs")
        return
    _hashes_only((root1, root2, *proof))
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    if not proof:
        raise Wrong("the proof is empty")
    at, last = size1 - 1, size2 - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise Wrong("the proof is too long")
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    if last or old != root1 or new != root2:
        raise Wrong("the proof does not lead from one root to the other")


def fold(
    size: int, leaves: Iterator[tuple[int, bytes]], take: Callable[[], bytes], fault: Callable[[int, int], None]
) -> bytes:
    """The root of a tree of `size`, from some of its leaf hashes (in rising order of index) and the hashes in between.

    Left to right, depth first: a subtree without a leaf of ours is one hash from `take`. A subtree of 256 with leaves of ours
    is one hash from `take` as well, and then what it is made of; `fault(low, high)` is told where the two disagree, so that
    a wrong leaf is found near its place.
    """
    ahead = next(leaves, (size, b""))

    def subtree(low: int, high: int) -> bytes:
        nonlocal ahead
        if ahead[0] >= high:
            return take()
        width = high - low
        if width == 1:
            made, ahead = ahead[1], next(leaves, (size, b""))
            return made
        claimed = take() if width == 256 else None
        middle = low + (1 << (width - 1).bit_length() - 1)
        made = node_hash(subtree(low, middle), subtree(middle, high))
        if claimed is None or claimed == made:
            return made
        fault(low, high)
        return claimed

    return subtree(0, size)
