"""A tree as files that never change: c2sp.org/tlog-tiles. Paths, tiles, bundles of entries; proofs from tiles alone."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evenhand.pure.log.proofs import node_hash

WIDTH = 256
ENTRIES = -1  #: the level of bundles of entries, which lie beside the tiles
_PATH = re.compile(r"tile/(entries|0|[1-5][0-9]?|6[0-3]?|[7-9])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class Damaged(Exception):
    """A tile is not what it must be."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Which tile: `index` within its `level`, `width` hashes of it (1 to 256), or entries where the level is ENTRIES."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Such as tile/0/x001/x234/067.p/8."""
        groups, rest = [f"{self.index % 1000:03}"], self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{part}"

    @staticmethod
    def parse(path: str) -> "Tile":
        """Raises ValueError for what is not the path of a tile, in its only form."""
        found = _PATH.fullmatch(path)
        if found:
            level, groups, width = found.groups()
            index = int(groups.replace("/", "").replace("x", ""))
            tile = Tile(ENTRIES if level == "entries" else int(level), index, int(width) if width else WIDTH)
            if tile.path == path and (not width or tile.width < WIDTH):
                return tile
        raise ValueError(f"{path[:100]!r} is not the path of a tile")


#: Bytes of a tile. A reader may give a wider tile than was asked for; its beginning is used.
ReadTile: TypeAlias = Callable[[Tile], bytes]


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile as it is in a tree of `size`. Raises ValueError where the tree has none of it."""
    width = min(WIDTH, (size >> 8 * max(level, 0)) - index * WIDTH)
    if width < 1:
        raise ValueError(f"a tree of {size} has no tile {index} at level {level}")
    return Tile(level, index, width)


class TileNodes:
    """The hashes of complete subtrees of a tree of `size`, from its tiles. What it reads is not believed: check the proof."""

    def __init__(self, read: ReadTile, size: int, *, kept: int = 64) -> None:
        """kept: how many tiles are held in memory, with the hashes above them (16 KiB each)."""
        self._read, self.size, self._kept = read, size, kept
        self._tiles: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def __call__(self, level: int, index: int) -> bytes:
        high, low = divmod(level, 8)
        place = index << low
        return self._rows(high, place // WIDTH)[low][place % WIDTH >> low]

    def _rows(self, level: int, index: int) -> list[list[bytes]]:
        key = (level, index)
        rows = self._tiles.get(key)
        if rows is None:
            rows = self._tiles[key] = rows_of(hashes_of(self._read, tile_at(level, index, self.size)))
            if len(self._tiles) > self._kept:
                self._tiles.popitem(last=False)
        else:
            self._tiles.move_to_end(key)
        return rows


def hashes_of(read: ReadTile, tile: Tile) -> list[bytes]:
    """The hashes of a tile. Raises Damaged where it is too short."""
    raw = read(tile)
    if len(raw) < 32 * tile.width or len(raw) % 32:
        raise Damaged(f"{tile.path} has {len(raw)} bytes, not {32 * tile.width}")
    return [raw[at : at + 32] for at in range(0, 32 * tile.width, 32)]


def rows_of(hashes: list[bytes]) -> list[list[bytes]]:
    """A tile's hashes and the complete nodes above them: rows[r][i] covers 2**r hashes. At most 9 rows."""
    rows = [hashes]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return rows


def grown(size: int, rows: Sequence[list[bytes]], read: ReadTile) -> Iterator[tuple[Tile, bytes]]:
    """The tiles to write when a tree of `size` has grown; partial ones as of the new size.

    rows: what came to be, as `Frontier.extend` gives it. Only the partial tiles of the old right edge are read. A partial tile may
    be deleted when its full one is written.
    """
    for level, fresh in enumerate(rows[::8]):
        if not fresh:
            break
        index, width = divmod(size >> 8 * level, WIDTH)
        hashes = [*hashes_of(read, Tile(level, index, width)), *fresh] if width else fresh
        for at in range(0, len(hashes), WIDTH):
            part = hashes[at : at + WIDTH]
            yield Tile(level, index + at // WIDTH, len(part)), b"".join(part)


def bundle_of(entries: Iterable[bytes]) -> bytes:
    """A bundle of entries: each with its length in two bytes before it. Raises ValueError for one over 65,535 bytes."""
    out = bytearray()
    for entry in entries:
        if len(entry) > 0xFFFF:
            raise ValueError(f"an entry of {len(entry)} bytes is too long for a bundle")
        out += len(entry).to_bytes(2, "big") + entry
    return bytes(out)


def entries_of(raw: bytes) -> list[bytes]:
    """The entries of a bundle. Raises Damaged."""
    out: list[bytes] = []
    at = 0
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if at + 2 > len(raw) or end > len(raw):
            raise Damaged("a bundle of entries ends in the middle of one")
        out.append(raw[at + 2 : end])
        at = end
    return out


def grown_entries(size: int, entries: Sequence[bytes], read: ReadTile) -> Iterator[tuple[Tile, bytes]]:
    """The bundles to write when `entries` are appended to a log of `size`."""
    index, width = divmod(size, WIDTH)
    held = entries_of(read(Tile(ENTRIES, index, width)))[:width] if width else []
    if len(held) != width:
        raise Damaged(f"{Tile(ENTRIES, index, width).path} holds {len(held)} entries, not {width}")
    held += entries
    for at in range(0, len(held), WIDTH):
        part = held[at : at + WIDTH]
        yield Tile(ENTRIES, index + at // WIDTH, len(part)), bundle_of(part)
