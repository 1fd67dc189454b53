"""Keys of the installation: one random master, everything else derived from it (HKDF-SHA256, RFC 5869)."""

import hmac
import os
import secrets
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_FILE = "master.key"
LOG_FILE = "log.key"


class Keys:
    """Derives purpose-bound keys from the master. The master never leaves this object."""

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise ValueError("the master key must have 32 bytes")
        self._master = master
        self._derived = lru_cache(maxsize=4096)(self._derive)

    def _derive(self, purpose: str, org_id: str) -> bytes:
        info = f"evenhand/1/{purpose}/{org_id}".encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._master)

    def key(self, purpose: str, org_id: str = "") -> bytes:
        """32 bytes for one purpose, and for one organisation where given."""
        return self._derived(purpose, org_id)

    def mac(self, purpose: str, text: str | bytes, org_id: str = "") -> bytes:
        """16 bytes that stand for the text: equal texts of one organisation are equal, nothing else can be read from it."""
        data = text.encode() if isinstance(text, str) else text
        return hmac.digest(self.key(purpose, org_id), data, "sha256")[:16]


def load_keys(folder: Path) -> Keys:
    """The keys in `folder`, made at the first start (mode 0600)."""
    return Keys(secret_in(folder / MASTER_FILE))


def load_log_key(folder: Path) -> Ed25519PrivateKey:
    """The key that signs the log, made at the first start (mode 0600)."""
    return Ed25519PrivateKey.from_private_bytes(secret_in(folder / LOG_FILE))


def secret_in(path: Path) -> bytes:
    """32 random bytes that stay the same from the first time that somebody asks."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(secrets.token_bytes(32))
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(fresh, path)  # two first starts at once: one wins, both read the winner
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


def hashed(token: str) -> bytes:
    """What is kept of a secret that we hand out (key, session, link): its SHA-256."""
    return sha256(token.encode()).digest()
