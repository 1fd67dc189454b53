"""The bundle of evidence, read as it streams. Its form is described in docs/decisions/0015-log.md."""

import json
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, cast

from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.leaves import LOG_TAG, event_digest, leaf_entry, read_canonical
from evenhand.pure.log.notes import hash_of
from evenhand.pure.log.wrong import Unreadable


def number(value: Any, name: str, most: int = (1 << 63) - 1) -> int:
    """A whole number from JSON. Raises Unreadable."""
    if type(value) is not int or not 0 <= value <= most:
        raise Unreadable(f"{name} is not a whole number")
    return value


def _words(value: Any, name: str) -> str:
    if type(value) is not str:
        raise Unreadable(f"{name} is not text")
    return value


def _proof(value: Any, name: str) -> list[bytes]:
    if type(value) is not list or len(cast("list[Any]", value)) > 128:
        raise Unreadable(f"{name} is not a list of hashes")
    return [hash_of(_words(one, name)) for one in cast("list[Any]", value)]


@dataclass(frozen=True, slots=True)
class Epoch:
    """A record of the log about itself, the last leaf of a tree, with the organisation's slot in its map."""

    number: int
    time_us: int
    size: int
    previous: int
    slots: int
    map_root: bytes
    entry: bytes
    count: int
    slot_proof: list[bytes]
    checkpoint: Checkpoint
    consistency: list[bytes]

    @staticmethod
    def read(line: dict[str, Any]) -> "Epoch":
        text = _words(line.get("body"), "body")
        body = read_canonical(text)
        fields = {name: number(body.get(name), name) for name in ("epoch", "time", "size", "previous", "slots")}
        digest = event_digest(hash_of(_words(line.get("salt"), "salt")), text.encode())
        if body.get("kind") != "log.epoch":
            raise Unreadable("the body is not that of an epoch")
        return Epoch(
            fields["epoch"], fields["time"], fields["size"], fields["previous"], fields["slots"],
            hash_of(_words(body.get("root"), "root")), leaf_entry(digest, LOG_TAG, fields["epoch"], fields["time"]),
            number(line.get("count"), "count"), _proof(line.get("slot_proof"), "slot_proof"),
            Checkpoint.parse(_words(line.get("checkpoint"), "checkpoint").encode()),
            _proof(line.get("consistency"), "consistency"),
        )  # fmt: skip


@dataclass(slots=True)  # not frozen: a million are made, and frozen ones take longer
class Event:
    """An event, opened. leaf: what the bundle says the log holds, to be compared with what the opening makes."""

    counter: int
    index: int
    sequenced_us: int
    digest: bytes
    leaf: bytes
    kind: str
    time_us: int
    data: Any

    @staticmethod
    def read(line: dict[str, Any]) -> "Event":
        text = _words(line.get("body"), "body")
        body = read_canonical(text)
        return Event(
            number(line.get("counter"), "counter"), number(line.get("index"), "index"),
            number(line.get("sequenced"), "sequenced"),
            event_digest(hash_of(_words(line.get("salt"), "salt")), text.encode()),
            hash_of(_words(line.get("leaf"), "leaf")), _words(body.get("kind"), "kind"),
            number(body.get("time"), "time"), body.get("data"),
        )  # fmt: skip


LONGEST_LINE = 4 << 20  #: bytes
_READER = json.JSONDecoder()
#: what a zip file that is damaged, encrypted or of an unknown kind raises, and what JSON does
_DAMAGED = (KeyError, OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)


class Bundle:
    """A bundle, read as it streams; only the manifest, the checkpoint and the epochs are held in memory."""

    def __init__(self, file: Any) -> None:
        """file: a path or an open binary file. Raises Unreadable."""
        try:
            self.zip = zipfile.ZipFile(file)
        except _DAMAGED as err:
            raise Unreadable(f"the bundle is not a zip file: {err}") from err
        names = self.zip.namelist()
        if len(set(names)) != len(names):
            raise Unreadable("the bundle has two files of one name")
        self.names = frozenset(names)
        manifest = next(self.lines("manifest.json"), {})
        if manifest.get("format") != "evenhand-bundle-v1":
            raise Unreadable("the bundle is not of the form evenhand-bundle-v1; get the verifier that fits it")
        self.tag = hash_of(_words(manifest.get("tag"), "tag"))
        self.slot = number(manifest.get("slot"), "slot")
        self.first = number(manifest.get("first"), "first")
        self.checkpoint = Checkpoint.parse(self._small("checkpoint"))
        self.epochs = list(self._read("epochs.jsonl", Epoch.read))
        if not self.epochs:
            raise Unreadable("epochs.jsonl is empty")

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(self, *_: object) -> None:
        self.zip.close()

    def _small(self, name: str) -> bytes:
        try:
            with self.zip.open(name) as file:
                return file.read(LONGEST_LINE)
        except _DAMAGED as err:
            raise Unreadable(f"{name} can't be read: {err}") from err

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The objects of a file of JSON lines. Raises Unreadable with the number of the line."""
        at = 0
        try:
            with self.zip.open(name) as file:
                while line := file.readline(LONGEST_LINE):
                    at += 1
                    value = _READER.decode(line.decode())
                    if type(value) is not dict:
                        raise ValueError("not an object")
                    yield cast("dict[str, Any]", value)
        except _DAMAGED as err:
            raise Unreadable(f"{name}, line {at}: {err}") from err

    def _read(self, name: str, read: Callable[[dict[str, Any]], Any]) -> Iterator[Any]:
        for at, line in enumerate(self.lines(name), 1):
            try:
                yield read(line)
            except Unreadable as err:
                raise Unreadable(f"{name}, line {at}: {err}") from err

    def events(self) -> Iterator[Event]:
        """The events in the order of their places in the log. Raises Unreadable."""
        return self._read("events.jsonl", Event.read)

    def hashes(self) -> Generator[bytes]:
        """The hashes between the leaves, 32 bytes each, in the order in which `fold` takes them. Raises Unreadable."""
        try:
            with self.zip.open("proof") as file:
                while one := file.read(32):
                    yield one
        except _DAMAGED as err:
            raise Unreadable(f"proof can't be read: {err}") from err

    def consistency_from(self, size: int) -> list[bytes] | None:
        """The proof from a tree of `size` to the newest, where the bundle was made with one. Raises Unreadable."""
        if "consistency.jsonl" in self.names:
            for line in self.lines("consistency.jsonl"):
                if line.get("size") == size:
                    return _proof(line.get("proof"), "proof")
        return None
