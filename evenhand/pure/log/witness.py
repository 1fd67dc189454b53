"""The witness protocol, c2sp.org/tlog-witness: what is sent, what is answered, and why. Who stores and serves is elsewhere."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.notes import VerifierKey, hash_of, whole_number
from evenhand.pure.log.proofs import EMPTY_ROOT, verify_consistency
from evenhand.pure.log.signing import signature_line
from evenhand.pure.log.wrong import Unreadable, Wrong

MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: go on from the tree of `old_size`. note: the checkpoint as it was sent."""

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes

    def body(self) -> bytes:
        """The body of the request."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.proof)
        return f"old {self.old_size}\n{hashes}\n".encode() + self.note

    @staticmethod
    def parse(body: bytes) -> "AddCheckpoint":
        """Raises Unreadable, which is status 400."""
        head, gap, note = body.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as err:
            raise Unreadable("the request is not text") from err
        if not gap or not lines[0].startswith("old ") or len(lines) - 1 > MOST_HASHES:
            raise Unreadable("the request must be an old size, at most 63 hashes, an empty line and a checkpoint")
        return AddCheckpoint(whole_number(lines[0][4:]), tuple(map(hash_of, lines[1:])), note)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. Where `accepted` is there, store it in place of the latest, and answer with its cosignature only then."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    accepted: Checkpoint | None = None


def consider(body: bytes, logs: Mapping[str, Sequence[VerifierKey]], latest: Mapping[str, tuple[int, bytes]]) -> Answer:
    """What a witness does with a request.

    logs: origin -> keys that are trusted for it; latest: origin -> (size, root) that was cosigned last. Looking at
    `latest` and storing what was accepted must be one step, or a slow request could roll the witness back.
    """
    try:
        request = AddCheckpoint.parse(body)
        new = Checkpoint.parse(request.note)
    except Unreadable as err:
        return Answer(400, f"{err}\n")
    if new.origin not in logs:
        return Answer(404, "this witness does not know the log\n")
    if not any(_signed(new, key) for key in logs[new.origin]):
        return Answer(403, "no trusted key of the log has signed the checkpoint\n")
    if request.old_size > new.size:
        return Answer(400, "the old size is larger than the new\n")
    size, root = latest.get(new.origin, (0, EMPTY_ROOT))
    if request.old_size != size or (new.size == size and new.root != root):
        return Answer(409, f"{size}\n", SIZE_TYPE)
    try:
        if size:
            verify_consistency(size, new.size, request.proof, root, new.root)
        elif request.proof:
            raise Wrong("from an empty tree there is no proof")
    except Wrong as err:
        return Answer(422, f"{err}\n")
    return Answer(200, accepted=new)


def _signed(checkpoint: Checkpoint, key: VerifierKey) -> bool:
    try:
        checkpoint.signed_by(key)
    except Wrong:
        return False
    return True


def merged(note: bytes, answer: bytes, keys: Sequence[VerifierKey]) -> bytes:
    """The checkpoint with those cosignatures of an answer that are by `keys` and good. Raises Unreadable."""
    whole, known = Checkpoint.parse(note + answer), Checkpoint.parse(note)
    lines: list[str] = []
    for name, id_, signature in whole.note.signatures[len(known.note.signatures) :]:
        for key in keys:
            if (key.name, key.id) == (name, id_) and not known.note.by(key) and _cosigned(whole, key):
                lines.append(signature_line(key, signature))
    return note + "".join(lines).encode()


def _cosigned(checkpoint: Checkpoint, key: VerifierKey) -> bool:
    try:
        return checkpoint.cosigned_at(key) is not None
    except Wrong:
        return False
