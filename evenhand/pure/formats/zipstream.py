"""A zip archive written forward only: nothing is sought, nothing but the spool grows. Entries that are known whole have
their sizes in front of them, others behind; the directory waits in a spool. No time stamps: the same input gives the
same bytes. (APPNOTE.TXT 6.3.10, with zip64 where counts, sizes or offsets need it.)"""

import zlib
from collections.abc import Iterator
from struct import pack
from typing import IO, Any

from evenhand.pure.formats.task import pieces

_UTF8 = 0x800
_SIZES_BEHIND = 0x8
_DATE = 0x21  # 1980-01-01
_MAX32 = 0xFFFFFFFF
_MAX16 = 0xFFFF
_DEFLATE_FROM = 200  # below this, packing gains nothing


class _Open:
    """An entry under way. packer: None where it is stored as it is."""

    def __init__(self, name: bytes, offset: int, packer: Any) -> None:
        self.name, self.offset, self.packer = name, offset, packer
        self.method = 0 if packer is None else 8
        self.crc = self.packed = self.size = 0


class ZipStream:
    _open: _Open

    def __init__(self, directory: IO[bytes]) -> None:
        self._directory = directory
        self._offset = self._count = self._size = 0

    def file(self, name: str, content: bytes) -> bytes:
        """One whole entry."""
        method, body = 0, content
        if len(content) >= _DEFLATE_FROM:
            packer = zlib.compressobj(6, zlib.DEFLATED, -15)
            body = packer.compress(content) + packer.flush()
            method = 8
        head = self._enter(name, method, zlib.crc32(content), len(body), len(content))
        self._offset += len(body)
        return head + body

    def spooled(self, name: str, spool: IO[bytes]) -> Iterator[bytes]:
        """An entry that waits in a spool: read twice, stored as it is."""
        crc = size = 0
        for piece in pieces(spool):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
        if size >= _MAX32:
            raise ValueError("an entry of 4 GiB or more needs another archive")
        yield self._enter(name, 0, crc, size, size)
        yield from pieces(spool)
        self._offset += size

    def begin(self, name: str, *, packed: bool = True) -> bytes:
        """An entry of any size, which `add` goes on with until `end`."""
        raw = name.encode()
        self._open = _Open(raw, self._offset, zlib.compressobj(6, zlib.DEFLATED, -15) if packed else None)
        common = pack("<HHHHIIIH", _UTF8 | _SIZES_BEHIND, self._open.method, 0, _DATE, 0, _MAX32, _MAX32, len(raw))
        head = b"PK\x03\x04" + pack("<H", 45) + common + pack("<H", 20) + raw + pack("<HHQQ", 1, 16, 0, 0)
        self._offset += len(head)
        return head

    def add(self, data: bytes) -> bytes:
        one = self._open
        one.crc, one.size = zlib.crc32(data, one.crc), one.size + len(data)
        return self._went(one, one.packer.compress(data) if one.packer is not None else data)

    def end(self) -> bytes:
        one = self._open
        last = self._went(one, one.packer.flush()) if one.packer is not None else b""
        behind = b"PK\x07\x08" + pack("<IQQ", one.crc, one.packed, one.size)
        self._offset += len(behind)
        self._list(one.name, _UTF8 | _SIZES_BEHIND, one.method, one.crc, one.packed, one.size, one.offset)
        return last + behind

    def _went(self, one: "_Open", data: bytes) -> bytes:
        one.packed += len(data)
        self._offset += len(data)
        return data

    def _enter(self, name: str, method: int, crc: int, packed: int, size: int) -> bytes:
        raw = name.encode()
        common = pack("<HHHHIIIH", _UTF8, method, 0, _DATE, crc, packed, size, len(raw))
        head = b"PK\x03\x04" + pack("<H", 20) + common + pack("<H", 0) + raw
        self._list(raw, _UTF8, method, crc, packed, size, self._offset)
        self._offset += len(head)
        return head

    def _list(self, raw: bytes, flags: int, method: int, crc: int, packed: int, size: int, offset: int) -> None:
        """A row of the directory. What needs more than 32 bits stands behind it, in this order."""
        large = [n for n in (size, packed, offset) if n >= _MAX32]
        extra = pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        version = 45 if large or flags & _SIZES_BEHIND else 20
        row = b"PK\x01\x02" + pack("<HHHHHH", 45, version, flags, method, 0, _DATE)
        row += pack("<IIIH", crc, min(packed, _MAX32), min(size, _MAX32), len(raw))
        row += pack("<HHHHII", len(extra), 0, 0, 0, 0, min(offset, _MAX32)) + raw + extra
        self._directory.write(row)
        self._size += len(row)
        self._count += 1

    def finish(self) -> Iterator[bytes]:
        start = self._offset
        yield from pieces(self._directory)
        end = b""
        if self._count >= _MAX16 or start >= _MAX32 or self._size >= _MAX32:
            end += b"PK\x06\x06" + pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, self._count, self._count, self._size, start)
            end += b"PK\x06\x07" + pack("<IQI", 0, start + self._size, 1)
        count, size, at = min(self._count, _MAX16), min(self._size, _MAX32), min(start, _MAX32)
        yield end + b"PK\x05\x06" + pack("<HHHHIIH", 0, 0, count, count, size, at, 0)
