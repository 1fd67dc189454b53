"""FLOE as published (c2sp.org/FLOE, eprint 2025/2275): files in segments that can be opened alone and in any order.

A sealed file is a header of 74 bytes (parameters, IV, a tag that commits to key and AAD) and segments of one length; the
last is marked and may be shorter. Segments carry their place, so that cutting, swapping, repeating or adding is refused.
A key rotates after 2^20 segments. What a file ends with is always its last segment: a full one if the length fits, and an
empty one only for an empty file (others may end with an empty segment as well, and are read).
"""

import hmac
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evenhand.infra.crypto.trouble import Altered

KEY_BYTES = 32
HEADER_BYTES = 74
SEGMENT_OVERHEAD = 32  # length word, IV, tag
_IV_BYTES = 32
_PREFIX_BYTES = 10 + _IV_BYTES
_AEAD_IV_BYTES = 12
_TAG_BYTES = 16
_MESSAGE_KEY_BYTES = 48
_MOST_SEGMENTS = 1 << 40
_INTERNAL = 0xFFFFFFFF
_WORD = struct.Struct(">I")
_PLACE = struct.Struct(">Q?")
_ENCODED = struct.Struct(">BBII")


@dataclass(frozen=True, slots=True)
class Parameters:
    """AES-256-GCM, HKDF-Expand-SHA-384 and an IV of 32 bytes are fixed; the length of a sealed segment is not."""

    segment_bytes: int
    rotation_bits: int = 20

    def __post_init__(self) -> None:
        if not SEGMENT_OVERHEAD < self.segment_bytes < _INTERNAL:
            raise ValueError(f"a FLOE segment must be longer than {SEGMENT_OVERHEAD} bytes")

    @property
    def plain_bytes(self) -> int:
        """Bytes of plaintext in a full segment."""
        return self.segment_bytes - SEGMENT_OVERHEAD

    def encoded(self) -> bytes:
        return _ENCODED.pack(0, 0, self.segment_bytes, _IV_BYTES)

    def sealed_size(self, plain_size: int) -> int:
        """Bytes that a file of `plain_size` has when it is sealed here."""
        segments = max(1, -(-plain_size // self.plain_bytes))
        return HEADER_BYTES + plain_size + segments * SEGMENT_OVERHEAD

    def plain_size(self, sealed_size: int) -> int:
        """Bytes of plaintext in a sealed file. Raises Altered where no file has that size."""
        body = sealed_size - HEADER_BYTES
        segments = -(-body // self.segment_bytes)
        if body <= 0 or body - (segments - 1) * self.segment_bytes < SEGMENT_OVERHEAD:
            raise Altered("This file")
        return body - segments * SEGMENT_OVERHEAD


GCM256_IV256_4K = Parameters(4 * 1024)
GCM256_IV256_16K = Parameters(16 * 1024)
GCM256_IV256_64K = Parameters(64 * 1024)
GCM256_IV256_1M = Parameters(1024 * 1024)


class _Message:
    """The keys of one sealed file, and its segments by their place."""

    def __init__(self, key: bytes, aad: bytes, iv: bytes, parameters: Parameters) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a FLOE key has {KEY_BYTES} bytes")
        self._parameters = parameters
        self._prefix = parameters.encoded() + iv
        self._aad = aad
        self.header = self._prefix + self._expand(key, b"HEADER_TAG:", 32)
        self._key = self._expand(key, b"MESSAGE_KEY:", _MESSAGE_KEY_BYTES)
        self._rotation = 0
        self._cipher = self._derive(0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key not shown)"

    def _expand(self, key: bytes, purpose: bytes, size: int) -> bytes:
        """HKDF-Expand-SHA-384 (RFC 5869) of at most 48 bytes, which is its first block."""
        return hmac.digest(key, self._prefix + purpose + self._aad + b"\x01", "sha384")[:size]

    def _derive(self, rotation: int) -> AESGCM:
        masked = rotation << self._parameters.rotation_bits
        return AESGCM(self._expand(self._key, b"DEK:" + masked.to_bytes(8, "big"), KEY_BYTES))

    def _at(self, position: int) -> AESGCM:
        rotation = position >> self._parameters.rotation_bits
        if rotation != self._rotation:
            self._cipher, self._rotation = self._derive(rotation), rotation
        return self._cipher

    def seal_into(self, plaintext: memoryview, position: int, last: bool, out: memoryview) -> None:
        """Seals a segment into `out`, which has room for exactly it."""
        if position >= _MOST_SEGMENTS - (not last):
            raise ValueError("a FLOE file has at most 2^40 segments")
        iv = os.urandom(_AEAD_IV_BYTES)
        _WORD.pack_into(out, 0, len(out) if last else _INTERNAL)
        out[4:16] = iv
        self._at(position).encrypt_into(iv, plaintext, _PLACE.pack(position, last), out[16:])

    def open_into(self, segment: memoryview, position: int, last: bool, out: memoryview) -> None:
        """Opens a segment of the right length into `out`, which has room for exactly its plaintext. Raises Altered."""
        if _WORD.unpack_from(segment)[0] != (len(segment) if last else _INTERNAL) or position >= _MOST_SEGMENTS:
            raise Altered("This file")
        try:
            self._at(position).decrypt_into(segment[4:16], segment[16:], _PLACE.pack(position, last), out)
        except InvalidTag:
            raise Altered("This file") from None


def _message_of(key: bytes, aad: bytes, header: bytes, parameters: Parameters) -> _Message:
    """Raises Altered where the header was not made with this key, AAD and parameters."""
    if len(header) != HEADER_BYTES:
        raise Altered("This file")
    message = _Message(key, aad, header[10:_PREFIX_BYTES], parameters)
    if not hmac.compare_digest(message.header, header):
        raise Altered("This file")
    return message


class Encryptor:
    """Seals a file as it comes. The first bytes that `feed` or `finish` give are the header."""

    def __init__(self, key: bytes, aad: bytes, parameters: Parameters) -> None:
        self._message = _Message(key, aad, os.urandom(_IV_BYTES), parameters)
        self._parameters = parameters
        self._held = bytearray()
        self._header = self._message.header
        self._position = 0
        self._closed = False

    def __repr__(self) -> str:
        return "Encryptor(key not shown)"

    def feed(self, data: bytes) -> bytes:
        """What can be written already. A full segment waits until it is known not to be the last."""
        self._held += data
        return self._seal(max(0, len(self._held) - 1) // self._parameters.plain_bytes, 0)

    def finish(self) -> bytes:
        """The last segment."""
        return self._seal(0, len(self._held) + SEGMENT_OVERHEAD)

    def _seal(self, segments: int, last_bytes: int) -> bytes:
        """The header, where it is still to come, so many full segments, and the last one where it has any bytes."""
        if self._closed:
            raise ValueError("this file is finished")
        size, plain = self._parameters.segment_bytes, self._parameters.plain_bytes
        begin = len(self._header)
        out = bytearray(begin + segments * size + last_bytes)
        out[:begin] = self._header
        self._header = b""
        with memoryview(self._held) as held, memoryview(out) as sealed:
            for n in range(segments):
                place = sealed[begin + n * size : begin + (n + 1) * size]
                self._message.seal_into(held[n * plain : (n + 1) * plain], self._position, False, place)
                self._position += 1
            if last_bytes:
                self._closed = True
                self._message.seal_into(held, self._position, True, sealed[begin:])
        del self._held[: segments * plain]
        return bytes(out)


class Decryptor:
    """Opens a file as it comes. Every byte given out is authentic; that it is whole is known when `finish` returns."""

    def __init__(self, key: bytes, aad: bytes, parameters: Parameters) -> None:
        self._key, self._aad, self._parameters = key, aad, parameters
        self._message: _Message | None = None
        self._held = bytearray()
        self._position = 0
        self._closed = False

    def __repr__(self) -> str:
        return "Decryptor(key not shown)"

    def feed(self, data: bytes) -> bytes:
        """The plaintext of every segment that is complete. Raises Altered."""
        if self._closed and data:
            raise Altered("This file")
        self._held += data
        ready: list[bytes] = []
        at = 0
        with memoryview(self._held) as held:
            if self._message is None:
                if len(held) < HEADER_BYTES:
                    return b""
                at = HEADER_BYTES
                self._message = _message_of(self._key, self._aad, bytes(held[:at]), self._parameters)
            while len(held) - at >= SEGMENT_OVERHEAD:
                size = self._length(held, at)
                if len(held) - at < size:
                    break
                out = bytearray(size - SEGMENT_OVERHEAD)
                self._message.open_into(held[at : at + size], self._position, self._closed, memoryview(out))
                ready.append(bytes(out))
                self._position += 1
                at += size
                if self._closed and at < len(held):
                    raise Altered("This file")
        del self._held[:at]
        return b"".join(ready)

    def _length(self, held: memoryview, at: int) -> int:
        """Bytes of the segment that begins here; notes when it is the last."""
        word = int(_WORD.unpack_from(held, at)[0])
        if word == _INTERNAL:
            return self._parameters.segment_bytes
        if not SEGMENT_OVERHEAD <= word <= self._parameters.segment_bytes:
            raise Altered("This file")
        self._closed = len(held) - at >= word
        return word

    def finish(self) -> None:
        """Raises Altered where the end is missing."""
        if not self._closed:
            raise Altered("This file")


class RangeReader:
    """Opens any range of a sealed file, given its header and the segments that cover the range.

    `sealed_size` decides which segment is taken for the last. A cut or lengthened file is noticed when that segment is
    read; who must know before that its size is right reads the last byte first, or has the size from a sealed row.
    """

    def __init__(self, key: bytes, aad: bytes, header: bytes, sealed_size: int, parameters: Parameters) -> None:
        self.plain_size = parameters.plain_size(sealed_size)
        self._message = _message_of(key, aad, header, parameters)
        self._sealed_size = sealed_size
        self._parameters = parameters
        self._last = -(-(sealed_size - HEADER_BYTES) // parameters.segment_bytes) - 1

    def __repr__(self) -> str:
        return f"RangeReader(plain_size={self.plain_size}, key not shown)"

    def cover(self, start: int, end: int) -> tuple[int, int]:
        """Where, in the sealed file, the segments stand that hold the bytes from `start` up to but not with `end`.

        A range that ends the file covers its last segment, also where that is empty."""
        if not 0 <= start <= end <= self.plain_size:
            raise ValueError("this range is not within the file")
        first, final = self._segments(start, end)
        size = self._parameters.segment_bytes
        return HEADER_BYTES + first * size, min(HEADER_BYTES + (final + 1) * size, self._sealed_size)

    def read(self, start: int, end: int, sealed: bytes | bytearray) -> memoryview:
        """The bytes from `start` to `end`, given what `cover` asked for. Raises Altered."""
        covered = self.cover(start, end)
        if len(sealed) != covered[1] - covered[0]:
            raise Altered("This file")
        first, final = self._segments(start, end)
        size, plain = self._parameters.segment_bytes, self._parameters.plain_bytes
        out = memoryview(bytearray(len(sealed) - (final - first + 1) * SEGMENT_OVERHEAD))
        segments = memoryview(sealed)
        for n in range(final - first + 1):
            segment, place = segments[n * size : (n + 1) * size], out[n * plain : (n + 1) * plain]
            self._message.open_into(segment, first + n, first + n == self._last, place)
        return out[start - first * plain : end - first * plain]

    def _segments(self, start: int, end: int) -> tuple[int, int]:
        """The first and the final segment of a range, both included."""
        plain = self._parameters.plain_bytes
        final = self._last if end == self.plain_size else max(start, end - 1) // plain
        return min(start // plain, final), final


def encrypt(key: bytes, aad: bytes, pieces: Iterable[bytes], parameters: Parameters) -> Iterator[bytes]:
    """A file of any length, piece by piece; holds no more than a piece and a segment."""
    sealing = Encryptor(key, aad, parameters)
    for piece in pieces:
        if out := sealing.feed(piece):
            yield out
    yield sealing.finish()


def decrypt(key: bytes, aad: bytes, pieces: Iterable[bytes], parameters: Parameters) -> Iterator[bytes]:
    """The plaintext, segment by segment. Raises Altered, at the latest after the last piece."""
    opening = Decryptor(key, aad, parameters)
    for piece in pieces:
        if out := opening.feed(piece):
            yield out
    opening.finish()
