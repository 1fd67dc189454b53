"""What an import reads: JSONL, CSV or a folder of files, as records with the place where each one stands.

A record that can't be used is a Fault with its place; the rest goes on. The order is always the same, so that an import
that broke off can be sent again.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from evenhand.infra.home import plain_reason
from evenhand.pure.formats.again import as_new, behind_in, exported
from evenhand.pure.formats.jsonl import REPORT
from evenhand.pure.formats.task import ExportTask
from evenhand.pure.trouble import Invalid

LINE_MOST = 3_900_000  # the server takes lines below 4 MB
FILE_MOST = 80_000_000
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
_COLUMNS = (
    "text",
    "image_url",
    "asset",
    "name",
    "unique_id",
    "tags",
    "priority",
    "context",
    "callback_url",
    "question",
)
_PREFIXES = ("metadata.", "answer.")
_DATA = ("image_url", "asset", "text", "conversation", "prelabels", "context")
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv"}
_UNPACK = "Unpack it, and import the file that is in it."
_PACKED = (
    (b"\x1f\x8b", "compressed (gzip)", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed (Zstandard)", _UNPACK),
    (b"BZh", "compressed (bzip2)", _UNPACK),
    (b"\xfd7zX", "compressed (xz)", _UNPACK),
    (b"PK\x03\x04", "a zip file or a spreadsheet", "Unpack it and import the folder; save a spreadsheet as CSV first."),
)
_BAD_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: "line 17", or a file's name."""

    where: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an export: its asset in the organisation it came from, and a link for others."""

    asset: str
    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """One task as JSON. A picture of a folder (`file`) or of an export (`picture`) still has to be where the tasks go, and
    its asset belongs into `line`. `behind`: how much of an exported task had no place in `line`. `whole`: the line of an export
    as it stands."""

    where: str
    line: bytes
    read: int  # bytes of the source that it stands for, for the progress
    file: Path | None = None
    picture: Picture | None = None
    behind: dict[str, int] = field(default_factory=dict[str, int])
    whole: bool = False


Found = Iterator[Record | Fault]


@dataclass(frozen=True, slots=True)
class Source:
    """`records` reads anew each time. `digest` is the same as long as the content is."""

    kind: str
    total: int  # bytes
    digest: str
    records: Callable[[], Found]


def open_source(
    path: Path, kind: str | None, medium: str, leave_out: Collection[str] = (), *, whole: bool = False
) -> Source:
    """The source that a path means; `leave_out` are parts of exported tasks. `whole`: lines of an export, as they stand. Raises
    Invalid where nothing can be read."""
    try:
        if path.is_dir():
            kind = kind or "folder"
        elif not path.exists():
            raise Invalid(f"There is no file or folder {path}.")
        else:
            _refuse_packed(path)
        kind = kind or _SUFFIXES.get(path.suffix.lower())
        if kind is None:
            raise Invalid(f"What is in {path} can't be told from its name.", hint="Add --as jsonl, csv or folder.")
        if (kind == "folder") != path.is_dir():
            raise Invalid(f"{path} is {'a folder' if path.is_dir() else 'a file'}.", hint="Leave --as out.")
        if kind == "folder":
            return _folder(path, medium)
        return _file(path, kind, leave_out, whole)
    except OSError as err:
        raise Invalid(f"{err.filename or path} can't be read: {plain_reason(err)}.") from err


def _refuse_packed(path: Path) -> None:
    """Says what to do with a file that holds another one, or a spreadsheet, instead of calling it bad text."""
    if not path.is_file():
        raise Invalid(f"{path} is not a file or a folder.", hint="Write it into a file first.")
    with path.open("rb") as file:
        head = file.read(4)
    for magic, what, hint in _PACKED:
        if head.startswith(magic):
            raise Invalid(f"{path} is {what}.", hint=hint)


def _file(path: Path, kind: str, leave_out: Collection[str], whole: bool) -> Source:
    digest, size = sha256(), 0
    with path.open("rb") as file:
        head = file.read(4096)
        file.seek(0)
        while piece := file.read(1 << 20):
            digest.update(piece)
            size += len(piece)
    if size == 0:
        raise Invalid(f"{path} is empty.", hint="There is nothing to import.")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head[:4]:
        raise Invalid(f"{path} is not UTF-8 text (line 1 begins like UTF-16).", hint="Save it as UTF-8 and try again.")
    if kind == "csv":
        _CsvHead.read(path)  # trouble with the header is told before anything is sent
        return Source(kind, size, digest.hexdigest(), lambda: _csv(path))
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"[":
        raise Invalid(
            f"{path} is one JSON array.", hint="Write one task a line, such as by: jq -c '.[]' FILE > FILE.jsonl"
        )
    return Source(kind, size, digest.hexdigest(), lambda: _jsonl(path, leave_out, whole))


# --- JSONL


def _jsonl(path: Path, leave_out: Collection[str], whole: bool) -> Found:
    number = 0
    with path.open("rb") as file:
        while raw := file.readline(LINE_MOST + 1):
            number += 1
            where, size = f"line {number}", len(raw)
            if size > LINE_MOST and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(1 << 20)
                yield Fault(where, "invalid", f"The line is longer than {LINE_MOST:,} bytes.")
                continue
            line = raw.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else raw.strip()
            if not line:
                continue
            if line.startswith(REPORT):
                yield Fault(where, "behind", "last lines that say what the export had left out")
                continue
            if whole:
                yield Record(where, line, size, behind=behind_in(line), whole=True)
                continue
            task = exported(line)
            yield _json_record(where, line, size) if task is None else _again(where, task, size, leave_out)


def _again(where: str, task: ExportTask, size: int, leave_out: Collection[str]) -> Record | Fault:
    """An exported task as a new one."""
    new = as_new(task, leave_out)
    if new.line is None:
        return Fault(where, "behind", next(iter(new.behind)))
    picture = Picture(new.asset, new.url, task.name or "") if new.asset or new.url else None
    return Record(where, msgspec.json.encode(new.line), size, picture=picture, behind=new.behind)


def _json_record(where: str, line: bytes, size: int) -> Record | Fault:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as err:
        return Fault(
            where, "invalid", f"It is not UTF-8 text: byte {line[err.start]:#04x} at position {err.start + 1}."
        )
    if b'"data"' not in line:
        try:
            flat = msgspec.json.decode(line)
        except msgspec.DecodeError as err:
            return Fault(where, "invalid", f"It is not JSON: {str(err).removeprefix('JSON is malformed: ')}.")
        except RecursionError:
            return Fault(where, "invalid", "It is nested too deeply.")
        if isinstance(flat, dict) and not flat.keys().isdisjoint(_DATA):
            line = msgspec.json.encode(_with_data(msgspec.convert(flat, dict[str, Any])))
    return Record(where, line.replace(b"\n", b" "), size)


def _with_data(flat: dict[str, Any]) -> dict[str, Any]:
    """A task whose data stands beside its name, in the API's shape."""
    data = {name: flat.pop(name) for name in _DATA if name in flat}
    return {"data": data, **flat}


# --- CSV


@dataclass(frozen=True, slots=True)
class _CsvHead:
    columns: list[str]
    delimiter: str

    @classmethod
    def read(cls, path: Path) -> "_CsvHead":
        csv.field_size_limit(LINE_MOST)
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            first = file.readline(100_000)
            delimiter = max(",;\t", key=first.count)
            file.seek(0)
            try:
                columns = [cell.strip() for cell in next(csv.reader(file, delimiter=delimiter, strict=True))]
            except (csv.Error, StopIteration) as err:
                raise Invalid(f"{path}: line 1 is not the header of a CSV file ({err or 'nothing there'}).") from err
        if _BAD_BYTE.search("".join(columns)):
            raise Invalid(f"{path}: line 1 is not UTF-8 text.", hint="Save the file as UTF-8 and try again.")
        known = ", ".join((*_COLUMNS, "metadata.NAME", "answer.ID"))
        for column in columns:
            if column not in _COLUMNS and not column.startswith(_PREFIXES):
                raise Invalid(
                    f"{path}: there is no place for a column '{column[:60]}'.",
                    hint=f"Known are {known}. To keep it with the task, call it metadata.{column[:60] or 'NAME'}.",
                )
        twice = next((column for column in columns if columns.count(column) > 1), None)
        if twice is not None:
            raise Invalid(f"{path}: the column '{twice}' is there twice.")
        return cls(columns, delimiter)


def _csv(path: Path) -> Found:
    head = _CsvHead.read(path)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file, delimiter=head.delimiter, strict=True)
        next(rows)
        while True:
            where = f"line {rows.line_num + 1}"
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as err:
                yield Fault(where, "invalid", _csv_words(str(err)))
                continue
            if any(cells):
                yield _csv_record(where, head.columns, cells)


def _csv_words(said: str) -> str:
    if "unexpected end of data" in said:
        return "A quotation mark that opens here is never closed; nothing after it could be read."
    if "field larger" in said:
        return f"A cell is longer than {LINE_MOST:,} characters, or a quotation mark is not closed."
    return f"The quotation marks are not right ({said})."


def _csv_record(where: str, columns: list[str], cells: list[str]) -> Record | Fault:
    if len(cells) != len(columns):
        return Fault(where, "invalid", f"It has {len(cells)} cells and the header has {len(columns)}.")
    if bad := _BAD_BYTE.search("".join(cells)):
        return Fault(where, "invalid", f"It is not UTF-8 text (byte {ord(bad[0]) - 0xDC00:#04x}).")
    task: dict[str, Any] = {}
    metadata: dict[str, str] = {}
    answers: list[dict[str, str]] = []
    for column, cell in zip(columns, cells, strict=True):
        if column.startswith("metadata."):
            metadata[column.removeprefix("metadata.")] = cell
        elif column.startswith("answer."):
            answers.append({"id": column.removeprefix("answer."), "text": cell})
        elif column == "tags":
            task["tags"] = [tag.strip() for tag in re.split("[;,|]", cell) if tag.strip()] or None
        elif column == "priority":
            if cell.strip() and not re.fullmatch(r"\s*-?\d{1,9}\s*", cell):
                return Fault(where, "invalid", f"The priority '{cell[:40]}' is not a whole number.")
            task["priority"] = int(cell) if cell.strip() else 0
        elif cell:
            task[column] = cell
    question = task.pop("question", None)
    if question is not None or answers:
        messages = [{"role": "user", "text": question}] if question else []
        task["conversation"] = {"messages": messages, "answers": answers}
    if metadata:
        task["metadata"] = metadata
    line = msgspec.json.encode(_with_data(task))
    if len(line) > LINE_MOST:
        return Fault(where, "invalid", f"The row is longer than {LINE_MOST:,} bytes.")
    return Record(where, line, len("".join(cells).encode()) + len(cells))


# --- folders


def _folder(root: Path, medium: str) -> Source:
    """Pictures for an image project, .txt files for any other, below `root`, in the order of their names."""
    wanted = PICTURES if medium == "image" else frozenset({".txt"})
    files = [
        path
        for path in sorted(root.rglob("*"), key=lambda p: p.relative_to(root).parts)
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    taken = [path for path in files if path.suffix.lower() in wanted]
    if not taken:
        what = "pictures" if medium == "image" else ".txt files"
        raise Invalid(f"There are no {what} in {root}.", hint=f"The project takes {medium} tasks.")
    digest = sha256()
    for path in taken:
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode("utf-8", "surrogateescape"))
        with path.open("rb") as file:
            digest.update(_hashed(file.read))
    total = sum(path.stat().st_size for path in taken)
    left_out = len(files) - len(taken)

    def records() -> Found:
        if left_out:
            yield Fault("", "left_out", f"{left_out} other file{'s were' if left_out > 1 else ' was'} left out.")
        for path in taken:
            yield _from_file(path, path.relative_to(root).as_posix(), medium)

    return Source("folder", total, digest.hexdigest(), records)


def _hashed(read: Callable[[int], bytes]) -> bytes:
    digest = sha256()
    while piece := read(1 << 20):
        digest.update(piece)
    return digest.digest()


def _from_file(path: Path, name: str, medium: str) -> Record | Fault:
    try:
        size = path.stat().st_size
        if size == 0:
            return Fault(name, "invalid", "The file is empty.")
        if medium == "image":
            if size > FILE_MOST:
                return Fault(name, "invalid", f"The file is larger than {FILE_MOST // 1_000_000} MB.")
            return Record(name, b"", size, path)
        if size > LINE_MOST:
            return Fault(name, "invalid", f"The text is longer than {LINE_MOST:,} bytes.")
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = err.object[: err.start].count(b"\n") + 1
        return Fault(name, "invalid", f"Line {line} is not UTF-8 text (byte {err.object[err.start]:#04x}).")
    return Record(name, msgspec.json.encode({"data": {"text": text}, "name": name[:500]}), size)
