"""The files of the transparency log: tiles, bundles of entries and the newest checkpoint. All of them are public."""

import os
import shutil
from pathlib import Path

from evenhand.pure.log.tiles import WIDTH, Tile

CHECKPOINT = "checkpoint"
KEY = "key"


class LogFiles:
    """Files in a folder of their own. What they hold is made from the database and can be made again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile, or of a wider one that begins with it. Raises FileNotFoundError."""
        try:
            return (self._folder / tile.path).read_bytes()
        except FileNotFoundError:
            if tile.width == WIDTH:
                raise
        return self._wider(tile)

    def _wider(self, tile: Tile) -> bytes:
        """A partial tile goes when the full one is there."""
        return (self._folder / Tile(tile.level, tile.index).path).read_bytes()

    def put_tile(self, tile: Tile, data: bytes) -> None:
        self._put(tile.path, data)
        if tile.width == WIDTH:
            shutil.rmtree(self._folder / f"{tile.path}.p", ignore_errors=True)

    def checkpoint(self) -> bytes | None:
        return self._found(CHECKPOINT)

    def key(self) -> str:
        """The key by which the log is known, as the worker wrote it down; "" before it has run."""
        return (self._found(KEY) or b"").decode().strip()

    def _found(self, name: str) -> bytes | None:
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def put_key(self, key: str) -> None:
        self._put(KEY, key.encode() + b"\n")

    def put_checkpoint(self, note: bytes) -> None:
        self._put(CHECKPOINT, note)

    def _put(self, name: str, data: bytes) -> None:
        """Whole or not at all; it may be written again after a power cut, so it need not be on the disk at once."""
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_bytes(data)
        fresh.replace(path)
