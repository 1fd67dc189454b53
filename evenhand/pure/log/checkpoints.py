"""Checkpoints, the signed heads of trees (c2sp.org/tlog-checkpoint), and witnesses' cosignatures (c2sp.org/tlog-cosignature)."""

from dataclasses import dataclass

from evenhand.pure.log.notes import Note, VerifierKey, hash_of, whole_number
from evenhand.pure.log.wrong import Unreadable, Wrong


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a tree, as c2sp.org/tlog-checkpoint writes it."""

    origin: str
    size: int
    root: bytes
    note: Note

    @staticmethod
    def parse(raw: bytes) -> "Checkpoint":
        """Raises Unreadable."""
        note = Note.parse(raw)
        lines = note.text[:-1].split("\n")
        if len(lines) < 3 or not all(lines):
            raise Unreadable("a checkpoint must have an origin, a size and a root, and no empty line")
        return Checkpoint(lines[0], whole_number(lines[1]), hash_of(lines[2]), note)

    def signed_by(self, key: VerifierKey) -> None:
        """The log signed it. Raises Wrong."""
        if self.origin != key.name:
            raise Wrong(f"the checkpoint is of the log {self.origin!r}, the key of {key.name!r}")
        found = self.note.by(key)
        if not found:
            raise Wrong(f"the log {key.name!r} has not signed the checkpoint")
        for signature in found:
            key.verify(signature, self.note.text.encode())

    def cosigned_at(self, key: VerifierKey) -> int | None:
        """When this witness cosigned it, in seconds since 1970; None where it did not. Raises Wrong."""
        times: list[int] = []
        for signature in self.note.by(key):
            time_s = int.from_bytes(signature[:8], "big")
            key.verify(signature[8:], cosigned_message(time_s, self.note.text))
            times.append(time_s)
        return min(times) if times else None


def cosigned_message(time_s: int, text: str) -> bytes:
    """What a witness signs, c2sp.org/tlog-cosignature for Ed25519."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()
