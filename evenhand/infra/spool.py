"""A place for what is being put together and does not fit into memory: on the disk it is ciphertext, under a key that nobody keeps.

A temporary file is deleted when it is closed, but its blocks stay on the disk until something else is written there, and a
customer's export must not be found among them.
"""

import io
import os
import tempfile
from typing import IO, Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 16


class _Sealed(io.RawIOBase):
    """AES-256-CTR over a file without a name. Written forward only: no position is enciphered twice under one key."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (closed with this)
        self._key = os.urandom(32)
        self._at = self._end = 0

    def _pass(self, data: bytes, at: int) -> bytes:
        block, skip = divmod(at, _BLOCK)
        cipher = Cipher(algorithms.AES(self._key), modes.CTR(block.to_bytes(_BLOCK, "big"))).encryptor()
        cipher.update(b"\0" * skip)
        return cipher.update(data)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._at)
        data = self._pass(self._file.read(len(buffer)), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def write(self, data: Any) -> int:
        if self._at != self._end:
            raise io.UnsupportedOperation("a spool is written forward only")
        sealed = memoryview(self._pass(bytes(data), self._at))
        self._file.seek(self._at)
        while sealed:
            sealed = sealed[self._file.write(sealed) :]
        self._at = self._end = self._at + len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """In memory up to `in_memory` bytes, then sealed on the disk. Append, then read from anywhere."""

    _file: Any
    _rolled: bool

    def __init__(self, in_memory: int) -> None:
        super().__init__(max_size=in_memory)

    def rollover(self) -> None:
        if self._rolled:
            return
        held, at = self._file, self._file.tell()
        self._file = io.BufferedRandom(_Sealed())
        self._file.write(held.getbuffer())
        self._file.seek(at)
        self._rolled = True


class Forward:
    """A spool for a writer that would go back where it can: a zip file then has its sizes behind each entry."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool

    def write(self, data: Any) -> int:
        return self._spool.write(data)

    def flush(self) -> None:
        """Nothing to do: a spool is read by who wrote it."""
