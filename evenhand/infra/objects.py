"""Objects: files in a folder or a bucket, under random names, a prefix for each organisation."""

import asyncio
import os
import secrets
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import obstore
from obstore.store import LocalStore

from evenhand.pure.trouble import Busy, Missing

#: reads what the kernel has in memory and refuses to wait for the disk, where the kernel knows how (Linux)
_AT_ONCE: int = getattr(os, "RWF_NOWAIT", 0)


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a listing; `size` in bytes."""

    name: str
    size: int


class Held:
    """An object that is held open for reading; `size` in bytes. It is let go of with the last reference to it."""

    __slots__ = ("__weakref__", "_file", "size")

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        self.size = os.fstat(self._file).st_size

    async def read(self, start: int, end: int) -> bytearray:
        """The bytes from `start` up to but not with `end`: at once where they are in memory, else in a thread."""
        out = bytearray(end - start)
        try:
            done = os.preadv(self._file, [out], start, _AT_ONCE) if _AT_ONCE else 0
        except OSError:  # it would have to wait, or this file system can't tell
            done = 0
        if done < len(out):
            done += await asyncio.to_thread(self._rest, out, start, done)
        if done < len(out):
            raise FileLost("This file has lost its end.")
        return out

    def _rest(self, out: bytearray, start: int, done: int) -> int:
        begun = done
        with memoryview(out) as view:
            while done < len(out) and (count := os.preadv(self._file, [view[done:]], start + done)):
                done += count
        return done - begun


class FileLost(Missing):
    """There is no such object."""

    hint = "Upload the file again, or tell the operator: the disk that holds files has lost it."


class StorageFull(Busy):
    """Nothing was kept, nothing is half there, and the same again works once there is room."""

    hint = "Nothing was changed. Tell the operator, and try again when there is space."


class StorageShut(Busy):
    """Nothing was kept, and the same again works once files can be written."""

    hint = "Nothing was changed. Tell the operator: the folder or bucket of the files takes no more writing."


#: how the system says that a file can't be written for a reason that the file is not to blame for
_SHUT = ("Read-only file system", "Permission denied", "Input/output error", "Stale file handle")


class Objects:
    """Puts and gets objects. Names are random: nothing about the content can be read from a listing."""

    def __init__(self, folder: Path, most_bytes: int = 0) -> None:
        """most_bytes: how much each organisation's files may take, for whoever keeps them to ask; 0 for no limit."""
        self.most_bytes = most_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._store: Any = LocalStore(str(folder))

    @staticmethod
    def fresh_name() -> str:
        return secrets.token_hex(16)

    @staticmethod
    def _path(org_id: str, name: str) -> str:
        if not (org_id.isalnum() and name.replace(".", "").isalnum()):
            raise Missing("There is no such object.")
        return f"{org_id}/{name[:2]}/{name}"

    async def put(self, org_id: str, name: str, pieces: Iterable[bytes]) -> None:
        """Keeps an object, whole or not at all, and on the disk: when this returns a power cut takes it no more.

        Raises StorageFull, StorageShut."""
        path = self._path(org_id, name)
        try:
            await asyncio.to_thread(self._put, path, pieces)
        except Exception as err:  # the store's own kinds, told apart by their text; what is none of these goes on
            if "No space left" in str(err) or "quota exceeded" in str(err):
                raise StorageFull("The disk that holds files is full, so this file was not kept.") from err
            if any(words in str(err) for words in _SHUT):
                raise StorageShut("Files cannot be written at the moment.", retry_after_s=30) from err
            raise

    async def get(self, org_id: str, name: str) -> bytes:
        try:
            reply: Any = await obstore.get_async(self._store, self._path(org_id, name))
        except FileNotFoundError as err:
            raise FileLost("This file is no longer here.") from err
        return bytes(await reply.bytes_async())

    async def exists(self, org_id: str, name: str) -> bool:
        try:
            await obstore.head_async(self._store, self._path(org_id, name))
        except FileNotFoundError:
            return False
        return True

    async def hold(self, org_id: str, name: str) -> Held:
        """An object, open for reading. Raises Missing."""
        try:
            return Held(self._folder / self._path(org_id, name))
        except FileNotFoundError as err:
            raise FileLost("This file is no longer here.") from err

    def spaces(self) -> list[str]:
        """Spaces that have objects."""
        found: Any = obstore.list_with_delimiter(self._store)
        return sorted(str(prefix).strip("/") for prefix in found["common_prefixes"])

    async def older(self, org_id: str, prefix: str, than: datetime) -> list[Listed]:
        """The objects of a space whose names begin with `prefix` (two hexadecimal digits), written before `than`."""
        listing: Any = obstore.list(self._store, prefix=f"{org_id}/{prefix}/")
        out: list[Listed] = []
        async for some in listing:
            for meta in some:
                if meta["last_modified"] < than:
                    out.append(Listed(str(meta["path"]).rsplit("/", 1)[-1], int(meta["size"])))
        return out

    async def delete(self, org_id: str, name: str) -> None:
        await obstore.delete_async(self._store, self._path(org_id, name))

    def _put(self, path: str, pieces: Iterable[bytes]) -> None:
        obstore.put(self._store, path, pieces)
        _sync(self._folder / path)


def _sync(file: Path) -> None:
    for place in (file, file.parent):
        opened = os.open(place, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
