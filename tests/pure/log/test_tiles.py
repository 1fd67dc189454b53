"""Tiles: the paths and widths of c2sp.org/tlog-tiles, and the same proofs from tiles as from the tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.pure.log.merkle import Frontier, Tree, consistency_proof, inclusion_proof, root_of
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.tiles import (
    ENTRIES,
    Damaged,
    Tile,
    TileNodes,
    bundle_of,
    entries_of,
    grown,
    grown_entries,
    tile_at,
)


class Shelf(dict[str, bytes]):
    """Tiles as files."""

    def read(self, tile: Tile) -> bytes:
        return self[tile.path]


def test_paths_of_the_specification() -> None:
    assert Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert Tile(ENTRIES, 67).path == "tile/entries/067"
    assert Tile(2, 0, 17).path == "tile/2/000.p/17"
    assert Tile(63, 999_999_999, 255).path == "tile/63/x999/x999/999.p/255"


@given(st.integers(-1, 63), st.integers(0, 1 << 50), st.integers(1, 256))
def test_paths_read_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/67", "tile/0/0067", "tile/00/067", "tile/64/067", "tile/0/x000/067", "tile/0/001/067", "tile/0/067.p/0",
        "tile/0/067.p/256", "tile/0/067.p/01", "tile/0/067/", "/tile/0/067", "tile/-1/067", "tile/0/x1/067", "checkpoint",
        "tile/0/067\n", "tile/0/../067", "tile/entries/x001/x067",
    ],
)  # fmt: skip
def test_paths_that_are_none(path: str) -> None:
    with pytest.raises(ValueError):
        Tile.parse(path)


def leaves(low: int, high: int) -> list[bytes]:
    return [leaf_hash(n.to_bytes(4, "big")) for n in range(low, high)]


def rows(low: int, high: int) -> list[list[bytes]]:
    """What comes to be when the leaves low..high-1 follow those before them."""
    frontier = Frontier()
    frontier.extend(leaves(0, low))
    return frontier.extend(leaves(low, high))


def test_the_example_of_the_specification() -> None:
    """A tree of 70,000: 273 full tiles at level 0 and one of 112, one full at level 1 and one of 17, one of 1 at level 2."""
    tiles = [tile for tile, _ in grown(0, rows(0, 70_000), Shelf().read)]
    assert [tile.width for tile in tiles if tile.level == 0] == [256] * 273 + [112]
    assert [tile.width for tile in tiles if tile.level == 1] == [256, 17]
    assert [tile.width for tile in tiles if tile.level == 2] == [1]
    assert len(tiles) == 277
    assert [t.path for t, _ in grown(0, rows(0, 256), Shelf().read)] == ["tile/0/000", "tile/1/000.p/1"]


@settings(max_examples=25)
@given(
    parts=st.lists(st.sampled_from([1, 3, 16, 64, 240, 255, 256, 257, 1024, 4096]), min_size=1, max_size=7),
    data=st.data(),
)
def test_any_growth(parts: list[int], data: st.DataObject) -> None:
    """Whatever the batches: tiles give the tree's root and proofs, and only the partial tiles of the edge were read."""
    shelf, tree, frontier, size = Shelf(), Tree(), Frontier(), 0
    for part in parts:
        fresh = leaves(size, size + part)
        read: list[Tile] = []

        def reading(tile: Tile, read: list[Tile] = read) -> bytes:
            read.append(tile)
            return shelf.read(tile)

        made = list(grown(size, frontier.extend(fresh), reading))
        assert all(tile.width < 256 for tile in read) and len(read) <= 3
        shelf.update((tile.path, raw) for tile, raw in made)
        entries = [n.to_bytes(4, "big") for n in range(size, size + part)]
        shelf.update((tile.path, raw) for tile, raw in grown_entries(size, entries, shelf.read))
        tree.extend(fresh)
        size += part
    nodes = TileNodes(shelf.read, size, kept=data.draw(st.integers(1, 64)))
    assert root_of(nodes, size) == tree.root() == frontier.root()
    assert Frontier.of(nodes, size).roots == frontier.roots
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert inclusion_proof(nodes, index, size) == inclusion_proof(tree.nodes, index, size)
    assert consistency_proof(nodes, old, size) == consistency_proof(tree.nodes, old, size)
    assert inclusion_proof(nodes, old - 1, old) == inclusion_proof(tree.nodes, old - 1, old)  # an older, smaller tree
    held = entries_of(shelf.read(tile_at(ENTRIES, index // 256, size)))
    assert leaf_hash(held[index % 256]) == tree.levels[0][index]


def test_a_short_tile_is_seen() -> None:
    shelf = Shelf((tile.path, raw) for tile, raw in grown(0, rows(0, 300), Shelf().read))
    shelf["tile/0/001.p/44"] = shelf["tile/0/001.p/44"][:-32]
    with pytest.raises(Damaged, match=r"tile/0/001\.p/44 has 1376 bytes, not 1408"):
        inclusion_proof(TileNodes(shelf.read, 300), 270, 300)
    with pytest.raises(Damaged):
        list(grown(300, rows(300, 301), shelf.read))
    with pytest.raises(ValueError):
        tile_at(0, 2, 300)


def test_a_full_tile_serves_for_a_partial_one() -> None:
    full = Shelf((tile.path, raw) for tile, raw in grown(0, rows(0, 512), Shelf().read))
    nodes = TileNodes(
        lambda tile: full[Tile(tile.level, tile.index).path if tile.level == 0 else "tile/1/000.p/2"], 300
    )
    assert root_of(nodes, 300) == Tree(leaves(0, 300)).root()


@given(st.lists(st.binary(max_size=40)))
def test_bundles_of_entries(entries: list[bytes]) -> None:
    raw = bundle_of(entries)
    assert entries_of(raw) == entries
    if entries:
        with pytest.raises(Damaged):
            entries_of(raw[:-1])


def test_entries_that_do_not_fit() -> None:
    assert bundle_of([b"a" * 65_535])[:2] == b"\xff\xff"
    with pytest.raises(ValueError):
        bundle_of([b"a" * 65_536])
    shelf = Shelf({"tile/entries/000.p/2": bundle_of([b"one"])})
    with pytest.raises(Damaged):
        list(grown_entries(2, [b"three"], shelf.read))


def test_a_day_of_nothing_is_under_50_mb() -> None:
    """An idle log: 16 leaves every five seconds. Partial tiles go when their full one is there."""
    shelf, frontier, batches = Shelf(), Frontier(), 1024
    for size in range(0, 16 * batches, 16):
        fresh = leaves(size, size + 16)
        made = [*grown(size, frontier.extend(fresh), shelf.read), *grown_entries(size, fresh, shelf.read)]
        shelf.update((tile.path, raw) for tile, raw in made)
        for tile, _ in made:
            if tile.width == 256:
                for width in range(16, 256, 16):
                    shelf.pop(Tile(tile.level, tile.index, width).path, None)
    partial = sum(len(raw) for path, raw in shelf.items() if ".p/" in path)
    full = sum(len(raw) for path, raw in shelf.items() if ".p/" not in path)
    assert full * 17_280 / batches < 18.3e6  # 17,280 batches a day
    assert partial < 0.1e6
