"""Objects: files in a folder or a bucket, under random names, a prefix for each organisation."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import obstore
from obstore.store import LocalStore

from evenhand.pure.trouble import Busy, Missing

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """An object in a listing; `size` in bytes."""

    name: str
    size: int


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

    def __init__(self, folder: Path) -> None:
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

    async def put(self, org_id: str, name: str, data: bytes) -> None:
        """Keeps an object, whole or not at all, and on the disk: when this returns a power cut takes it no more.

        Raises StorageFull, StorageShut."""
        path = self._path(org_id, name)
        try:
            await obstore.put_async(self._store, path, data)
            await asyncio.to_thread(_sync, self._folder / path)
        except Exception as err:
            if "No space left" in str(err) or "quota exceeded" in str(err):
                raise StorageFull("The disk that holds files is full, so this file was not kept.") from err
            if any(words in str(err) for words in _SHUT):
                raise StorageShut("Files cannot be written at the moment.", retry_after_s=30) from err
            raise

    async def get(self, org_id: str, name: str) -> bytes:
        try:
            reply: Any = await obstore.get_async(self._store, self._path(org_id, name))
        except FileNotFoundError as err:
            raise Missing("This file is no longer here.") from err
        return bytes(await reply.bytes_async())

    async def size(self, org_id: str, name: str) -> int:
        try:
            meta: Any = await obstore.head_async(self._store, self._path(org_id, name))
        except FileNotFoundError as err:
            raise Missing("This file is no longer here.") from err
        return int(meta["size"])

    async def exists(self, org_id: str, name: str) -> bool:
        try:
            await obstore.head_async(self._store, self._path(org_id, name))
        except FileNotFoundError:
            return False
        return True

    async def stream(self, org_id: str, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in chunks."""
        path = self._path(org_id, name)
        size = await self.size(org_id, name)
        end = size if end is None else min(end, size)
        at = start
        while at < end:
            upto = min(at + CHUNK, end)
            piece: Any = await obstore.get_range_async(self._store, path, start=at, end=upto)
            yield bytes(piece)
            at = upto

    def spaces(self) -> list[str]:
        """Spaces that have objects."""
        found: Any = obstore.list_with_delimiter(self._store)
        return sorted(str(prefix).strip("/") for prefix in found["common_prefixes"])

    async def older(self, org_id: str, prefix: str, than: datetime) -> list[Held]:
        """The objects of a space whose names begin with `prefix` (two hexadecimal digits), written before `than`."""
        listing: Any = obstore.list(self._store, prefix=f"{org_id}/{prefix}/")
        out: list[Held] = []
        async for some in listing:
            for meta in some:
                if meta["last_modified"] < than:
                    out.append(Held(str(meta["path"]).rsplit("/", 1)[-1], int(meta["size"])))
        return out

    async def delete(self, org_id: str, name: str) -> None:
        await obstore.delete_async(self._store, self._path(org_id, name))


def _sync(file: Path) -> None:
    for place in (file, file.parent):
        opened = os.open(place, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
