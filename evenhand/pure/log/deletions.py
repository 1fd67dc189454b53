"""Deletion certificates: what they say, and the commitment to the ids that have gone. `walk` checks them in a bundle.

The commitment is the root of an RFC 6962 tree with one leaf for each thing, in the order in which it went: tasks by id, each
followed by its answers by id; then files by id. A leaf's entry is HMAC-SHA256(salt, "task ID"), "answer ID" or "file ID", so
who has the ids (the archive has them) and the certificate can compute it again, and nobody learns an id from it.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from evenhand.pure.log.leaves import canonical
from evenhand.pure.log.merkle import Frontier
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.walk import DELETION

BACKUPS = (
    "Backups made before this time keep what is named here as ciphertext, with the wrapped keys of their time. They open it only "
    "through the key service, for as long as the key above the destroyed ones lives: destroy or rotate that key, or let the "
    "backups run out."
)
EVENTS = (
    "The events of the transparency log stay: ids, times and kinds, opened by the organisation's own evidence only."
)


def gone_entry(salt: bytes, what: str, id_: str) -> bytes:
    """The entry of one thing that has gone. what: task, answer or file.  Returns 32 bytes."""
    return hmac.digest(salt, f"{what} {id_}".encode(), "sha256")


class Commitment:
    """The right edge of the tree over what has gone, which grows batch by batch and is kept between them."""

    def __init__(self, salt: bytes, leaves: int = 0, edge: bytes = b"") -> None:
        """salt: 32 random bytes; leaves, edge: as an earlier one was left."""
        self._salt = salt
        self._tree = Frontier(leaves, [edge[at : at + 32] for at in range(0, len(edge), 32)])

    def add(self, what: str, ids: Iterable[str]) -> None:
        for id_ in ids:
            self._tree.append(leaf_hash(gone_entry(self._salt, what, id_)))

    @property
    def leaves(self) -> int:
        return self._tree.size

    @property
    def edge(self) -> bytes:
        return b"".join(self._tree.roots)

    def as_dict(self) -> dict[str, Any]:
        return {
            "salt": base64.b64encode(self._salt).decode(),
            "leaves": self._tree.size,
            "root": base64.b64encode(self._tree.root()).decode(),
        }


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a certificate says. `what`: project, organisation or retention; times in microseconds since 1970."""

    id: str
    what: str
    organisation: str
    project: str
    asked_us: int
    finished_us: int
    rows: dict[str, int]
    files: int
    bytes: int
    gone: Commitment
    keys: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def deletion_text(this: Deletion) -> str:
    """The text of the note, to be signed by the log's key."""
    body = {
        "v": 1, "id": this.id, "what": this.what, "organisation": this.organisation, "project": this.project,
        "asked": this.asked_us, "finished": this.finished_us, "rows": this.rows,
        "files": {"count": this.files, "bytes": this.bytes}, "commitment": this.gone.as_dict(), "keys": this.keys,
        "backups": BACKUPS, "events": EVENTS,
    }  # fmt: skip
    return f"{DELETION}{canonical(body).decode()}\n"


def certificate_digest(text: str) -> str:
    """What the event `data.deleted` has as its `certificate`."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
