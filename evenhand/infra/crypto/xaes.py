"""XAES-256-GCM as published at c2sp.org/XAES-256-GCM: AES-256-GCM with random nonces of 192 bits.

The first half of the nonce goes through CMAC-AES-256 (NIST SP 800-108r1) and gives the AES-GCM key, the second half is
the AES-GCM nonce. Rows that are written together share a first half, so that the key is derived once for all of them and
found again when they are read together. Nothing that decides a nonce is kept between two rows but that first half: the
server forks, and two processes with one counter or one buffer of random bytes would repeat a nonce.
"""

import os
import threading

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evenhand.infra.crypto.trouble import Altered

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16
OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
CHUNK_ROWS = 4096  # random 96-bit halves under one key: a repeat has probability below 2^-72
_HALF = 12
_KEPT = 1024  # derived keys kept for reading, some 300 bytes each
_COUNTERS = int.from_bytes(b"\x00\x01X\x00" + bytes(12) + b"\x00\x02X\x00" + bytes(12), "big")
_REDUCTION = 0b10000111


class Xaes:
    """Seals and opens under one key of 32 bytes. Safe to use from several threads."""

    __slots__ = ("_blocks", "_kept", "_lock", "_subkeys")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"an XAES key has {KEY_BYTES} bytes")
        # ECB on purpose: this is the bare block cipher from which the specification builds its CMAC.
        self._blocks = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()
        left = int.from_bytes(self._blocks.update(bytes(16)), "big")
        k1 = (left << 1) & ((1 << 128) - 1) ^ (_REDUCTION if left >> 127 else 0)
        self._subkeys = _COUNTERS ^ (k1 << 128 | k1)
        self._kept: dict[bytes, AESGCM] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Xaes(key not shown)"

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Nonce (24 bytes, fresh), ciphertext, tag (16 bytes)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self.seal_with(nonce, plaintext, aad)

    def seal_with(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Ciphertext and tag for a nonce of 24 bytes that this key has never had."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"an XAES nonce has {NONCE_BYTES} bytes")
        return self._derive(nonce[:_HALF]).encrypt(nonce[_HALF:], plaintext, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext. Raises Altered."""
        half = sealed[:_HALF]
        cipher = self._kept.get(half) or self._keep(half)
        try:
            return cipher.decrypt(sealed[_HALF:NONCE_BYTES], sealed[NONCE_BYTES:], aad)
        except (InvalidTag, ValueError):  # a ValueError is a nonce cut short
            raise Altered from None

    def chunk(self) -> "Chunk":
        """Seals many rows under one derived key."""
        return Chunk(self)

    def derived_key(self, half: bytes) -> bytes:
        """The AES-256-GCM key (32 bytes) for the first 12 bytes of a nonce."""
        n = int.from_bytes(half, "big")
        block = (self._subkeys ^ (n << 128 | n)).to_bytes(32, "big")
        with self._lock:  # the context belongs to one thread at a time
            return self._blocks.update(block)

    def _derive(self, half: bytes) -> AESGCM:
        return AESGCM(self.derived_key(half))

    def _keep(self, half: bytes) -> AESGCM:
        if len(half) != _HALF:
            raise Altered
        cipher = self._derive(half)
        with self._lock:
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[half] = cipher
        return cipher


class Chunk:
    """Rows sealed together: one first half of the nonce, a fresh random second half for each row. Safe in threads."""

    __slots__ = ("_held", "_key", "_left")

    def __init__(self, key: Xaes) -> None:
        self._key = key
        self._left = 0

    def __repr__(self) -> str:
        return "Chunk(key not shown)"

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """As Xaes.seal, without deriving a key for each row."""
        if self._left <= 0:
            fresh = os.urandom(_HALF)
            self._held = (fresh, AESGCM(self._key.derived_key(fresh)))
            self._left = CHUNK_ROWS
        self._left -= 1
        half, cipher = (
            self._held
        )  # at once: another thread may renew them, and one's half does not go with another's key
        nonce = os.urandom(_HALF)
        return half + nonce + cipher.encrypt(nonce, plaintext, aad)
