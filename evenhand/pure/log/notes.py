"""Signed notes: a text, and lines with signatures (c2sp.org/signed-note). Parsed strictly."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evenhand.pure.log.wrong import Unreadable, Wrong

LOG_KEY, WITNESS_KEY = 1, 4


def from_base64(text: str) -> bytes:
    """Strict standard base64: one way only to write the same bytes. Raises Unreadable."""
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as err:
        raise Unreadable(f"{text[:50]!r} is not base64") from err
    if binascii.b2a_base64(raw, newline=False).decode() != text:
        raise Unreadable(f"{text[:50]!r} is not base64 as it is written")
    return raw


def hash_of(text: str) -> bytes:
    """32 bytes from base64. Raises Unreadable."""
    raw = from_base64(text)
    if len(raw) != 32:
        raise Unreadable(f"{text[:50]!r} is not a hash of 32 bytes")
    return raw


def whole_number(text: str) -> int:
    """A decimal without leading zeros, below 2**63. Raises Unreadable."""
    if (
        not (text.isascii() and text.isdigit())
        or (text[0] == "0" and text != "0")
        or len(text) > 19
        or int(text) >= 1 << 63
    ):
        raise Unreadable(f"{text[:30]!r} is not a whole number")
    return int(text)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key as c2sp.org/signed-note writes it: name+id in hex+base64 of its type and its 32 bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @staticmethod
    def parse(text: str) -> "VerifierKey":
        """Raises Unreadable."""
        name, _, rest = text.partition("+")
        id_hex, _, material = rest.partition("+")
        raw = from_base64(material)
        if not name_is_good(name) or len(raw) != 33 or raw[0] not in (LOG_KEY, WITNESS_KEY):
            raise Unreadable(f"{text[:100]!r} is not a key (name+id+base64; Ed25519, of type 1 or 4)")
        key = VerifierKey(name, raw[0], raw[1:])
        if id_hex != key.id.hex():
            raise Unreadable(f"the key of {name!r} has the id {key.id.hex()}, not {id_hex[:20]!r}")
        return key

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises Wrong."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as err:
            raise Wrong(f"the signature by {self.name!r} is not good") from err


def name_is_good(name: str) -> bool:
    """Whether a key may be called so: not empty, no space, no plus, nothing below a space."""
    return bool(name) and not any(c.isspace() or c == "+" or ord(c) < 0x20 for c in name)


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note, taken apart; nothing is verified yet. signatures: (name, key id, signature)."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @staticmethod
    def parse(raw: bytes) -> "Note":
        """Raises Unreadable."""
        try:
            whole = raw.decode()
        except UnicodeDecodeError as err:
            raise Unreadable("a note is not UTF-8") from err
        if any(ord(c) < 0x20 and c != "\n" for c in whole):
            raise Unreadable("a note has a control character")
        text, gap, rest = whole.rpartition("\n\n")
        if not gap or not text or not rest.endswith("\n"):
            raise Unreadable("a note must be a text, an empty line, and lines with signatures")
        lines = rest[:-1].split("\n")
        if len(lines) > 100:
            raise Unreadable("a note has more than 100 signatures")
        return Note(text + "\n", tuple(map(_signature_line, lines)))

    def by(self, key: VerifierKey) -> list[bytes]:
        """The signatures made by this key, as its name and id say."""
        return [signature for name, id_, signature in self.signatures if name == key.name and id_ == key.id]


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not name_is_good(parts[1]):
        raise Unreadable(f"{line[:100]!r} is not the line of a signature")
    raw = from_base64(parts[2])
    if len(raw) < 5:
        raise Unreadable(f"the signature by {parts[1]!r} is too short")
    return parts[1], raw[:4], raw[4:]
