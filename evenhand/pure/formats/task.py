"""What every format writes and reads: a task with its result, and the report of what could not be carried."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, Protocol

import msgspec

Obj = dict[str, Any]
Spool = Callable[[], IO[bytes]]  # a new, empty, seekable file: a temporary one, so that memory stays flat

EXAMPLES_MAX = 5
CHUNK = 1 << 16


class ExportTask(msgspec.Struct, kw_only=True):
    """`result`: the annotations that are delivered; None while there are none. `answers`: every single answer.
    `reviews`: what reviewers decided, in that order. `error`: why a task could not be worked on."""

    id: str
    name: str | None = None
    project: str | None = None
    batch: str | None = None
    state: str = "done"
    created_at: str | None = None
    completed_at: str | None = None
    metadata: Obj = {}
    tags: list[str] = []
    unique_id: str | None = None
    priority: int = 0
    error: str | None = None
    data: Obj = {}
    result: list[Obj] | None = None
    answers: list[Obj] = []
    reviews: list[Obj] = []
    ontology: Obj = {}


class Report:
    """What a format could not carry, and what it had to change: by reason, with a count and a few ids."""

    def __init__(self, format_: str, omits: Sequence[str] = ()) -> None:
        self.format = format_
        self.omits = list(omits)  # parts of a task that this format never carries
        self.tasks = 0
        self.annotations = 0
        self.skipped: dict[str, Obj] = {}
        self.changed: dict[str, Obj] = {}

    def skip(self, reason: str, task: str, annotation: str | None = None) -> None:
        _count(self.skipped, reason, task, annotation)

    def change(self, reason: str, task: str, annotation: str | None = None) -> None:
        _count(self.changed, reason, task, annotation)

    def as_dict(self) -> Obj:
        return {
            "format": self.format,
            "tasks": self.tasks,
            "annotations": self.annotations,
            "skipped": [{"reason": r, **row} for r, row in self.skipped.items()],
            "changed": [{"reason": r, **row} for r, row in self.changed.items()],
            "omits": self.omits,
        }

    def json(self) -> bytes:
        return msgspec.json.encode(self.as_dict())


def _count(rows: dict[str, Obj], reason: str, task: str, annotation: str | None) -> None:
    row = rows.setdefault(reason, {"count": 0, "examples": []})
    row["count"] += 1
    if len(row["examples"]) < EXAMPLES_MAX:
        row["examples"].append(task if annotation is None else f"{task}/{annotation}")


class Writer(Protocol):
    """`start` once, `task` for each task, then `finish` (in pieces) or `end` (at once). Nothing is kept of a task that
    is written but what the caller's spools hold."""

    report: Report

    def start(self) -> bytes: ...
    def task(self, task: ExportTask) -> bytes: ...
    def finish(self) -> Iterator[bytes]: ...
    def end(self) -> bytes: ...


class Streaming:
    """`end` for writers that write `finish`."""

    report: Report

    def finish(self) -> Iterator[bytes]:
        raise NotImplementedError

    def end(self) -> bytes:
        return b"".join(self.finish())


def write(writer: Writer, tasks: Iterable[ExportTask]) -> Iterator[bytes]:
    yield writer.start()
    for task in tasks:
        piece = writer.task(task)
        if piece:
            yield piece
    yield from writer.finish()


def pieces(spool: IO[bytes]) -> Iterator[bytes]:
    """What a spool holds, from its beginning, in pieces."""
    spool.seek(0)
    while piece := spool.read(CHUNK):
        yield piece


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, of chunks cut anywhere."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        if b"\n" in chunk:
            *whole, rest = rest.split(b"\n")
            yield from whole
    if rest:
        yield rest


_RESERVED = frozenset(["con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))])
_unsafe = re.compile(r"[^\w.()@+=, -]+")


def safe_name(name: str, otherwise: str = "file", most: int = 120) -> str:
    """A file name that stays in its folder on every system: no path, no control characters, no reserved name."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    clean = _unsafe.sub("_", last).strip(" .")[:most].strip(" .").lstrip("-=+@")
    if not clean:
        return otherwise
    return f"_{clean}" if clean.partition(".")[0].lower() in _RESERVED else clean


def safe_path(name: str, otherwise: str = "file") -> str:
    """The same with its folders: a relative path that never leaves the folder it is written into."""
    parts = name.replace("\\", "/").split("/")[-8:]
    kept = [safe_name(part, "") for part in parts]
    return "/".join([part for part in kept[:-1] if part] + [kept[-1] or otherwise])


def image_of(task: ExportTask) -> tuple[Obj, float, float] | None:
    """(image, width, height) of a task that shows one."""
    image = task.data.get("image")
    if not isinstance(image, dict):
        return None
    found: Obj = image  # type: ignore[assignment]
    width, height = found.get("width"), found.get("height")
    if not isinstance(width, int | float) or not isinstance(height, int | float) or width <= 0 or height <= 0:
        return None
    return found, width, height
