"""Sealed files: each under a key of its own (FLOE, 16 KiB segments), which is wrapped by the key of its scope and lies in the
row of its noun. Bound to organisation, project, object and version; a copy in another size is bound to its variant as well.

Ranges are opened without touching the rest. Nothing here writes plaintext anywhere.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from evenhand.infra.crypto import floe
from evenhand.infra.crypto.datakey import DataKey, ObjectKey, WrappedKey
from evenhand.infra.crypto.floe import HEADER_BYTES, RangeReader
from evenhand.infra.objects import Held, Objects
from evenhand.infra.seal import Seal
from evenhand.pure.trouble import Conflict

PARAMETERS = floe.GCM256_IV256_16K
#: what is read, opened and sent at a time
PIECE_BYTES = 256 * 1024
_LENGTH = struct.Struct(">I")


class FileNotSealed(Conflict):
    code = "not_sealed"
    hint = "Upload the file again. It was kept by a version of Evenhand that did not seal files."


@dataclass(frozen=True, slots=True)
class FileKey:
    """The key of one file in hand, and what is stored of it."""

    key: ObjectKey
    stored: bytes

    def __repr__(self) -> str:
        return "FileKey(not shown)"


def scope_key(seal: Seal) -> DataKey:
    """The key that wraps those of files. Files belong to no project (an upload comes before any), so: the organisation's."""
    return seal.data_key("")


def new_file_key(seal: Seal, name: str) -> FileKey:
    """A key for the object `name`. Raises what `seal.check` raises."""
    key, wrapped = scope_key(seal).new_object_key(f"file/{name}")
    return FileKey(key, wrapped.to_bytes())


def file_key(seal: Seal, name: str, stored: bytes | None) -> ObjectKey:
    """The key of a stored file. Raises FileNotSealed, Altered, and what `seal.check` raises."""
    if stored is None:
        raise FileNotSealed("This file is not sealed, so it is not shown.")
    return scope_key(seal).open_object_key(f"file/{name}", WrappedKey.from_bytes(stored))


def sealed_pieces(key: ObjectKey, data: bytes, variant: str = "") -> Iterator[bytes]:
    """A file as it is written. `variant` names a copy that is derived from it: "" is the file itself."""
    view = memoryview(data)
    pieces = (bytes(view[at : at + PIECE_BYTES]) for at in range(0, len(view), PIECE_BYTES))
    return floe.encrypt(key.key, file_aad(key, variant), pieces, PARAMETERS)


async def keep(objects: Objects, org_id: str, name: str, key: ObjectKey, data: bytes, variant: str = "") -> None:
    """Keeps a file, sealed piece by piece on its way to the disk. Raises StorageFull."""
    await objects.put(org_id, _place(name, variant), sealed_pieces(key, data, variant))


async def read_whole(objects: Objects, org_id: str, name: str, key: ObjectKey) -> bytes:
    """A file, for what has to look at all of it. Raises Missing, Altered."""
    sealed = await objects.get(org_id, name)
    return b"".join(await asyncio.to_thread(list, floe.decrypt(key.key, file_aad(key, ""), [sealed], PARAMETERS)))


class OpenFile:
    """A sealed file that is held open: consecutive ranges cost neither a look-up nor the header again.

    It serves for as long as the key that wraps its own is released; then `alive` is False and it has to be opened anew."""

    __slots__ = ("_held", "_reader", "_released", "size")

    def __init__(self, held: Held, header: bytes, key: ObjectKey, released: DataKey, variant: str) -> None:
        self._held = held
        self._released = released
        self._reader = RangeReader(key.key, file_aad(key, variant), header, held.size, PARAMETERS)
        self.size = self._reader.plain_size

    @property
    def alive(self) -> bool:
        return self._released.alive

    async def read(self, start: int, end: int) -> memoryview:
        """The bytes from `start` up to but not with `end`. Raises Altered."""
        low, high = self._reader.cover(start, end)
        return self._reader.read(start, end, await self._held.read(low, high))

    async def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """The same, in pieces that fit its segments, and never more than one of them in memory."""
        step = PIECE_BYTES // PARAMETERS.plain_bytes * PARAMETERS.plain_bytes
        at = start
        while at < end:
            upto = min((at // step + 1) * step, end)
            yield bytes(await self.read(at, upto))
            at = upto


async def open_file(objects: Objects, seal: Seal, name: str, stored: bytes | None, variant: str = "") -> OpenFile:
    """Raises Missing where the file or its variant is not there, FileNotSealed, Altered, and what `seal.check` raises."""
    key = file_key(seal, name, stored)
    held = await objects.hold(seal.org_id, _place(name, variant))
    return OpenFile(held, bytes(await held.read(0, HEADER_BYTES)), key, scope_key(seal), variant)


def _place(name: str, variant: str) -> str:
    return f"{name}.{variant}" if variant else name


def file_aad(key: ObjectKey, variant: str) -> bytes:
    word = variant.encode()
    return key.aad + _LENGTH.pack(len(word)) + word
