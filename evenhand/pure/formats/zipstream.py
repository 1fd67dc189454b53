"""A zip archive written forward only: nothing is sought, nothing but the spool grows. Entries are small and known
whole, so that sizes stand in front of them; the directory waits in a spool. No time stamps: the same input gives the
same bytes. (APPNOTE.TXT 6.3.10, with zip64 where counts or offsets need it.)"""

import zlib
from collections.abc import Iterator
from struct import pack
from typing import IO

from evenhand.pure.formats.task import pieces

_UTF8 = 0x800
_DATE = 0x21  # 1980-01-01
_MAX32 = 0xFFFFFFFF
_MAX16 = 0xFFFF
_DEFLATE_FROM = 200  # below this, packing gains nothing


class ZipStream:
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

    def _enter(self, name: str, method: int, crc: int, packed: int, size: int) -> bytes:
        raw = name.encode()
        common = pack("<HHHHIIIH", _UTF8, method, 0, _DATE, crc, packed, size, len(raw))
        head = b"PK\x03\x04" + pack("<H", 20) + common + pack("<H", 0) + raw
        far = self._offset >= _MAX32
        extra = pack("<HHQ", 1, 8, self._offset) if far else b""
        row = b"PK\x01\x02" + pack("<HH", 45, 45 if far else 20) + common
        row += pack("<HHHHII", len(extra), 0, 0, 0, 0, _MAX32 if far else self._offset) + raw + extra
        self._directory.write(row)
        self._size += len(row)
        self._count += 1
        self._offset += len(head)
        return head

    def finish(self) -> Iterator[bytes]:
        start = self._offset
        yield from pieces(self._directory)
        end = b""
        if self._count >= _MAX16 or start >= _MAX32 or self._size >= _MAX32:
            end += b"PK\x06\x06" + pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, self._count, self._count, self._size, start)
            end += b"PK\x06\x07" + pack("<IQI", 0, start + self._size, 1)
        count, size, at = min(self._count, _MAX16), min(self._size, _MAX32), min(start, _MAX32)
        yield end + b"PK\x05\x06" + pack("<HHHHIIH", 0, 0, count, count, size, at, 0)
