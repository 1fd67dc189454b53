"""Writing a bundle of evidence, in the form that `bundle` reads."""

import base64
import heapq
import json
import zipfile
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from evenhand.pure.log.merkle import Nodes, between


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@dataclass(frozen=True, slots=True)
class EventOpening:
    """An event with what opens it."""

    counter: int
    index: int
    sequenced_us: int
    salt: bytes
    entry: bytes
    body: bytes

    def line(self) -> dict[str, Any]:
        return {
            "counter": self.counter, "index": self.index, "sequenced": self.sequenced_us, "salt": _b64(self.salt),
            "leaf": _b64(self.entry), "body": self.body.decode(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class EpochOpening:
    """An epoch's record with what opens it, the organisation's count and its proof, and the signed tree that it ended.

    consistency: from that tree to the newest.
    """

    size: int
    salt: bytes
    body: bytes
    count: int
    slot_proof: list[bytes]
    checkpoint: bytes
    consistency: list[bytes]

    def line(self) -> dict[str, Any]:
        return {
            "salt": _b64(self.salt), "body": self.body.decode(), "count": self.count,
            "slot_proof": [*map(_b64, self.slot_proof)], "checkpoint": self.checkpoint.decode(),
            "consistency": [*map(_b64, self.consistency)],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Whose:
    """The organisation. tag: 32 bytes that only it and the log know; first: the counter with which the bundle begins."""

    tag: bytes
    slot: int
    first: int = 1


def write_bundle(
    out: IO[bytes],
    whose: Whose,
    *,
    checkpoint: bytes,
    size: int,
    nodes: Nodes,
    epochs: Iterable[EpochOpening],
    events: Iterable[EventOpening],
    consistency: Iterable[tuple[int, list[bytes]]] = (),
    decisions: Iterable[dict[str, Any]] | None = None,
    deletions: Iterable[bytes] | None = None,
) -> None:
    """Writes a bundle as it streams; only the indices are held, 8 bytes an event.

    checkpoint: the newest, signed and cosigned, of `size` leaves, at the end of an epoch; epochs: from the organisation's first
    (or the one that counts what came before `whose.first`) to the newest; events: by index; consistency: from saved sizes to
    the newest; deletions: certificates, signed notes.
    """
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        manifest = {"format": "evenhand-bundle-v1", "tag": _b64(whose.tag), "slot": whose.slot, "first": whose.first}
        file.writestr("manifest.json", json.dumps(manifest) + "\n")
        file.writestr("checkpoint", checkpoint)
        records, indices = array("Q"), array("Q")
        with file.open("epochs.jsonl", "w", force_zip64=True) as lines:
            for epoch in epochs:
                records.append(epoch.size - 1)
                lines.write(_line(epoch.line()))
        with file.open("events.jsonl", "w", force_zip64=True) as lines:
            for event in events:
                indices.append(event.index)
                lines.write(_line(event.line()))
        with file.open(zipfile.ZipInfo("proof"), "w", force_zip64=True) as hashes:  # stored: hashes don't shrink
            between(nodes, size, heapq.merge(indices, records), hashes.write)
        _extra(
            file, "consistency.jsonl", [{"size": at, "proof": [*map(_b64, proof)]} for at, proof in consistency] or None
        )
        _extra(file, "decisions.jsonl", decisions)
        _extra(file, "deletions.jsonl", None if deletions is None else ({"note": note.decode()} for note in deletions))


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _extra(file: zipfile.ZipFile, name: str, values: Iterable[dict[str, Any]] | None) -> None:
    if values is not None:
        with file.open(name, "w", force_zip64=True) as lines:
            for value in values:
                lines.write(_line(value))
