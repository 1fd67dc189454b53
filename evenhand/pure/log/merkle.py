"""Trees that grow, and the proofs about them: RFC 6962, section 2.1. What checks them is in `proofs`.

A `Nodes` gives the hash of a complete subtree: (level, index) -> 32 bytes over the leaves index*2**level and on, 2**level of
them. A `Tree` in memory has one, and so have tiles.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from evenhand.pure.log.proofs import EMPTY_ROOT, node_hash

Nodes: TypeAlias = Callable[[int, int], bytes]


class Frontier:
    """The right edge of a tree: what is needed to append and to know the root, and no more (log2 of the size).

    `roots` are the roots of the complete subtrees from left to right, the binary digits of `size`.
    """

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        """Raises ValueError where the roots are not as many as the size has ones."""
        self.size, self.roots = size, list(roots)
        if len(self.roots) != size.bit_count():
            raise ValueError(f"a tree of {size} has {size.bit_count()} roots on its edge, not {len(self.roots)}")

    @staticmethod
    def of(nodes: Nodes, size: int) -> "Frontier":
        """The edge of the tree of `size` that `nodes` knows."""
        roots = [nodes(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]
        return Frontier(size, reversed(roots))

    def append(self, leaf: bytes) -> None:
        """leaf: its hash, 32 bytes. A batch of n costs n hashes and at most log2(size) more."""
        made = leaf
        full = self.size
        while full & 1:
            made = node_hash(self.roots.pop(), made)
            full >>= 1
        self.roots.append(made)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> list[list[bytes]]:
        """Appends many. leaves: their hashes.

        Returns the complete subtrees that came to be, from left to right: rows[k] those of 2**k leaves, the leaves in rows[0]. The
        last row is empty.
        """
        rows, roots, level = [list(leaves)], list[bytes](), 0
        size, self.size = self.size, self.size + len(rows[0])
        while rows[level] or size >> level:
            here = [self.roots.pop(), *rows[level]] if size >> level & 1 else rows[level]
            if len(here) % 2:
                roots.append(here[-1])
            rows.append(_parents(here))
            level += 1
        self.roots = roots[::-1]
        return rows

    def root(self) -> bytes:
        """The root of the tree as it is now, 32 bytes."""
        if not self.roots:
            return EMPTY_ROOT
        made = self.roots[-1]
        for one in reversed(self.roots[:-1]):
            made = node_hash(one, made)
        return made


class Tree:
    """A whole tree in memory, for small ones."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """leaves: hashes, 32 bytes each."""
        self.levels: list[list[bytes]] = [[]]
        self.extend(leaves)

    @property
    def size(self) -> int:
        return len(self.levels[0])

    def extend(self, leaves: Iterable[bytes]) -> None:
        self.levels[0].extend(leaves)
        for level in range(self.size.bit_length() - 1):
            below = self.levels[level]
            if len(self.levels) == level + 1:
                self.levels.append([])
            here = self.levels[level + 1]
            here += _parents(below[2 * len(here) :])

    def nodes(self, level: int, index: int) -> bytes:
        return self.levels[level][index]

    def root(self) -> bytes:
        return root_of(self.nodes, self.size)


def _parents(nodes: list[bytes]) -> list[bytes]:
    """The hashes over pairs of neighbours; one that has none is left out."""
    return list(map(node_hash, nodes[::2], nodes[1::2]))


def _split(low: int, high: int) -> int:
    """Where RFC 6962 splits the leaves low..high-1: after the largest power of two below their number."""
    return low + (1 << (high - low - 1).bit_length() - 1)


def span(nodes: Nodes, low: int, high: int) -> bytes:
    """The hash over the leaves low..high-1, which must be a subtree of some tree of RFC 6962."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return nodes(level, low >> level)
    middle = _split(low, high)
    return node_hash(span(nodes, low, middle), span(nodes, middle, high))


def root_of(nodes: Nodes, size: int) -> bytes:
    """The root of the first `size` leaves, 32 bytes."""
    return span(nodes, 0, size) if size else EMPTY_ROOT


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The audit path of a leaf, from its sibling upwards. Raises ValueError where there is no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"index {index} is outside a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = _split(low, high)
        if index < middle:
            path.append(span(nodes, middle, high))
            high = middle
        else:
            path.append(span(nodes, low, middle))
            low = middle
    return path[::-1]


def consistency_proof(nodes: Nodes, size1: int, size2: int) -> list[bytes]:
    """That the tree of size1 begins the tree of size2. Empty for one size. Raises ValueError unless 0 < size1 <= size2."""
    if not 0 < size1 <= size2:
        raise ValueError(f"there is no proof from {size1} to {size2}")
    path: list[bytes] = []
    low, high, whole = 0, size2, True
    while high != size1:
        middle = _split(low, high)
        if size1 <= middle:
            path.append(span(nodes, middle, high))
            high = middle
        else:
            path.append(span(nodes, low, middle))
            low, whole = middle, False
    if not whole:
        path.append(span(nodes, low, high))
    return path[::-1]


def between(nodes: Nodes, size: int, indices: Iterator[int], emit: Callable[[bytes], object]) -> None:
    """Gives `emit` the hashes that `proofs.fold` takes for leaves at these indices, which rise."""
    ahead = next(indices, size)

    def subtree(low: int, high: int) -> None:
        nonlocal ahead
        if ahead >= high:
            emit(span(nodes, low, high))
        elif high - low == 1:
            before, ahead = ahead, next(indices, size)
            if ahead <= before:
                raise ValueError(f"index {ahead} comes after {before}")
        else:
            if high - low == 256:
                emit(span(nodes, low, high))
            middle = _split(low, high)
            subtree(low, middle)
            subtree(middle, high)

    if size:
        subtree(0, size)
