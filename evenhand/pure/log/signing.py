"""Making notes, checkpoints and cosignatures. The secret key stays with whoever gives `sign`; what checks is in `notes`."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evenhand.pure.log.checkpoints import Checkpoint, cosigned_message
from evenhand.pure.log.notes import LOG_KEY, WITNESS_KEY, VerifierKey, name_is_good


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, and how: `sign` takes a message and gives the 64 bytes of an Ed25519 signature (RFC 8032)."""

    key: VerifierKey
    sign: Callable[[bytes], bytes]

    @staticmethod
    def of(name: str, kind: int, private: Ed25519PrivateKey) -> "Signer":
        """kind: LOG_KEY or WITNESS_KEY. Raises ValueError for a name that no key may have."""
        if not name_is_good(name):
            raise ValueError(f"{name!r} can't be the name of a key: no spaces, no plus, not empty")
        return Signer(VerifierKey(name, kind, private.public_key().public_bytes_raw()), private.sign)


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """The line of a signature, with its newline."""
    return f"— {key.name} {base64.b64encode(key.id + signature).decode()}\n"


def sign_note(text: str, signers: Iterable[Signer]) -> bytes:
    """A signed note. Raises ValueError for a text that no note may have."""
    if not text.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in text):
        raise ValueError("the text of a note ends with a newline and has no other control character")
    lines = [signature_line(one.key, one.sign(text.encode())) for one in signers]
    return f"{text}\n{''.join(lines)}".encode()


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text of a checkpoint. root: 32 bytes."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def sign_checkpoint(signer: Signer, size: int, root: bytes) -> bytes:
    """The head of a log, signed by it. The log's name is its origin."""
    if signer.key.kind != LOG_KEY:
        raise ValueError("a checkpoint is signed with the key of a log")
    return sign_note(checkpoint_text(signer.key.name, size, root), [signer])


def cosignature(signer: Signer, checkpoint: Checkpoint, time_s: int) -> str:
    """The line that a witness answers with. time_s: now, in seconds since 1970."""
    if signer.key.kind != WITNESS_KEY:
        raise ValueError("a cosignature is made with the key of a witness")
    signature = signer.sign(cosigned_message(time_s, checkpoint.note.text))
    return signature_line(signer.key, time_s.to_bytes(8, "big") + signature)
