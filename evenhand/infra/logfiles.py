"""The files of the transparency log: tiles, bundles of entries and the newest checkpoint. All of them are public."""

import os
import shutil
from pathlib import Path

from evenhand.pure.log.tiles import WIDTH, Tile

CHECKPOINT = "checkpoint"
EPOCH = "epoch"
KEY = "key"
POLICY = "policy"


class LogFiles:
    """Files in a folder of their own. What they hold is made from the database and can be made again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile, or of a wider one that begins with it. Raises FileNotFoundError."""
        try:
            return (self.folder / tile.path).read_bytes()
        except FileNotFoundError:
            if tile.width == WIDTH:
                raise
        return self._wider(tile)

    def _wider(self, tile: Tile) -> bytes:
        """A partial tile goes when the full one is there, and where several batches were shown at once it never was."""
        whole = self.folder / Tile(tile.level, tile.index).path
        try:
            return whole.read_bytes()
        except FileNotFoundError:
            parts = whole.with_name(f"{whole.name}.p")
            widths = [int(p.name) for p in parts.iterdir() if p.name.isdigit()] if parts.is_dir() else []
            enough = [width for width in widths if width > tile.width]
            if not enough:
                raise
            return (parts / str(min(enough))).read_bytes()

    def put_tile(self, tile: Tile, data: bytes) -> None:
        self._put(tile.path, data)
        if tile.width == WIDTH and (parts := self.folder / f"{tile.path}.p").is_dir():
            shutil.rmtree(parts, ignore_errors=True)

    def checkpoint(self) -> bytes | None:
        return self._found(CHECKPOINT)

    def epoch(self) -> bytes | None:
        """The newest checkpoint that ends an epoch, with the cosignatures that have come by now."""
        return self._found(EPOCH)

    def policy(self) -> str:
        """Which witnesses the log asks, as the worker wrote it down; "" before it has run."""
        return (self._found(POLICY) or b"").decode()

    def key(self) -> str:
        """The key by which the log is known, as the worker wrote it down; "" before it has run."""
        return (self._found(KEY) or b"").decode().strip()

    def _found(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def put_key(self, key: str) -> None:
        self._put(KEY, key.encode() + b"\n")

    def put_policy(self, text: str) -> None:
        self._put(POLICY, text.encode())

    def put_epoch(self, note: bytes) -> None:
        self._put(EPOCH, note)

    def put_checkpoint(self, note: bytes) -> None:
        self._put(CHECKPOINT, note)

    def _put(self, name: str, data: bytes) -> None:
        """Whole or not at all; it may be written again after a power cut, so it need not be on the disk at once."""
        path = self.folder / name
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            fresh.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_bytes(data)
        fresh.replace(path)
