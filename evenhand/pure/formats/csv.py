"""CSV (RFC 4180, UTF-8, CRLF): one row for each annotation; a task without any has one row of its own.

A cell that a spreadsheet would take for a formula gets a leading apostrophe, and so does a cell that begins with one;
reading takes it away again. Numbers of our own are never escaped.
"""

import codecs
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, cast

import msgspec

from evenhand.pure.formats.task import ExportTask, Report, Spool, Streaming
from evenhand.pure.kinds.kind import Obj
from evenhand.pure.trouble import Invalid

OMITS = ("task data", "ontology", "single answers", "reviews", "priority and error")
TASK = (
    "task_id", "name", "project", "batch", "state", "unique_id", "created_at", "completed_at",
    "tags", "metadata", "labels",
)  # fmt: skip
ANNOTATION = (
    "annotation_id", "kind", "class", "field", "value", "values", "target", "strength", "x", "y", "w", "h", "angle_rad",
    "points", "start", "end", "text", "attributes",
)  # fmt: skip
COLUMNS = (*TASK, *ANNOTATION)
NUMBERS = ("x", "y", "w", "h", "angle_rad", "start", "end", "strength")
_DANGER = tuple("=+-@\t\r\n'＝＋－＠")
_QUOTED = frozenset(',"\r\n')


def guard(text: str) -> str:
    """Safe to open in a spreadsheet."""
    return f"'{text}" if text.startswith(_DANGER) else text


def unguard(text: str) -> str:
    return text[1:] if text.startswith("'") else text


def _cell(text: str) -> str:
    if _QUOTED.isdisjoint(text) and not text.startswith(" ") and not text.endswith(" "):
        return text
    return '"' + text.replace('"', '""') + '"'


def _row(cells: Iterable[str]) -> str:
    return ",".join(map(_cell, cells)) + "\r\n"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode() if value else ""


class CsvWriter(Streaming):
    def __init__(self, ontology: Obj | None = None, new_spool: Spool | None = None) -> None:
        self.report = Report("csv", OMITS)

    def start(self) -> bytes:
        return _row(COLUMNS).encode()

    def task(self, task: ExportTask) -> bytes:
        labels = "" if task.result is None else str(len(task.result))
        texts = (task.id, task.name, task.project, task.batch, task.state, task.unique_id)
        head = [guard(t or "") for t in texts]
        head += [task.created_at or "", task.completed_at or "", _json(task.tags), _json(task.metadata), labels]
        prefix = ",".join(map(_cell, head))
        text = task.data.get("text")
        shown = text if isinstance(text, str) else ""
        rows = [f"{prefix},{_row(_cells(a, shown))}" for a in task.result or ()]
        try:
            out = "".join(rows or [f"{prefix}{',' * len(ANNOTATION)}\r\n"]).encode()
        except UnicodeEncodeError:
            self.report.skip("holds text that UTF-8 cannot write", task.id)
            return b""
        self.report.tasks += 1
        self.report.annotations += len(rows)
        return out

    def finish(self) -> Iterator[bytes]:
        """A CSV has no place for a report: the caller gives it beside the file."""
        return iter(())


def _cells(a: Obj, text: str) -> list[str]:
    kind = a["kind"]
    cells: dict[str, str] = {"annotation_id": guard(a["id"]), "kind": kind}
    for key in ("class", "field", "target"):
        if key in a:
            cells[key] = guard(a[key])
    for key in NUMBERS:
        if key in a:
            cells[key] = repr(a[key])
    if "points" in a:
        cells["points"] = msgspec.json.encode(a["points"]).decode()
    if kind == "choice":
        one = len(a["values"]) == 1
        cells["value" if one else "values"] = guard(a["values"][0]) if one else _json(a["values"])
    elif kind == "rating":
        cells["value"] = repr(a["value"])
    elif kind == "preference":
        cells["value"] = guard(a["winner"] or "")
    elif kind == "text":
        cells["text"] = guard(a["text"])
    elif kind == "span":
        cells["text"] = guard(text[int(a["start"]) : int(a["end"])])
    cells["attributes"] = _json(a.get("attributes"))
    return [cells.get(c, "") for c in ANNOTATION]


# ---------------------------------------------------------------- reading


def records(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """RFC 4180 records of bytes cut anywhere. A quoted cell may hold commas, quotes and line ends of any kind."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    row: list[str] = []
    cell: list[str] = []
    state = "start"  # of a cell; then plain | quoted | closed (a quote was seen inside quotes) | cr
    number = 1
    for text in _texts(decoder, chunks):
        for ch in text:
            if state == "cr":
                state = "start"
                if ch == "\n":
                    continue
            if state == "quoted":
                if ch == '"':
                    state = "closed"
                else:
                    cell.append(ch)
            elif ch == '"' and state in ("start", "closed"):
                if state == "closed":
                    cell.append(ch)
                state = "quoted"
            elif ch == ",":
                row.append("".join(cell))
                cell.clear()
                state = "start"
            elif ch in "\r\n":
                row.append("".join(cell))
                cell.clear()
                yield row
                row = []
                number += 1
                state = "cr" if ch == "\r" else "start"
            elif state == "closed":
                raise Invalid(f"Record {number}: there is text after a closing quote.")
            else:
                cell.append(ch)
                state = "plain"
    if state == "quoted":
        raise Invalid(f"Record {number}: a quote is not closed.")
    if cell or row or state == "closed":
        row.append("".join(cell))
        yield row


def _texts(decoder: codecs.IncrementalDecoder, chunks: Iterable[bytes]) -> Iterator[str]:
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8 text.") from None


def read_csv(chunks: Iterable[bytes]) -> Iterator[ExportTask]:
    """Tasks with their results; neighbouring rows of the same task belong together."""
    rows = records(chunks)
    none: list[str] = []
    head = next(rows, none)
    if "task_id" not in head:
        raise Invalid("The first line must name the columns, task_id among them.")
    named = (dict(zip(head, row, strict=False)) for row in rows if row != [""])
    for id_, group in groupby(named, key=lambda r: r["task_id"]):
        try:
            yield _read_task(id_, list(group))
        except (KeyError, ValueError, msgspec.MsgspecError) as e:
            raise Invalid(f"Task {unguard(id_)[:80]}: {type(e).__name__} {e}") from None


def _read_task(id_: str, rows: list[dict[str, str]]) -> ExportTask:
    first = rows[0]
    kept: Obj = {k: unguard(v) for k in ("name", "project", "batch", "unique_id") if (v := first.get(k))}
    kept |= {k: v for k in ("created_at", "completed_at") if (v := first.get(k))}
    if first.get("tags"):
        kept["tags"] = msgspec.json.decode(first["tags"], type=list[str])
    if first.get("metadata"):
        kept["metadata"] = msgspec.json.decode(first["metadata"], type=dict[str, Any])
    result = [_read_annotation(r) for r in rows if r.get("kind")]
    none = not result and not first.get("labels")
    state = unguard(first.get("state") or "done")
    return ExportTask(id=unguard(id_), state=state, result=None if none else result, **kept)


def _read_number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _read_annotation(row: dict[str, str]) -> Obj:
    kind = row["kind"]
    a: Obj = {"id": unguard(row["annotation_id"]), "kind": kind}
    for key in ("class", "field", "target"):
        if row.get(key):
            a[key] = unguard(row[key])
    for key in NUMBERS:
        if row.get(key):
            a[key] = _read_number(row[key])
    if row.get("points"):
        a["points"] = msgspec.json.decode(row["points"])
    if kind == "choice":
        several = row.get("values")
        a["values"] = msgspec.json.decode(several, type=list[str]) if several else [unguard(row["value"])]
    elif kind == "rating":
        a["value"] = _read_number(row["value"])
    elif kind == "preference":
        a["winner"] = unguard(row["value"]) or None
    elif kind == "text":
        a["text"] = unguard(row["text"])
    if row.get("attributes"):
        a["attributes"] = cast(Obj, msgspec.json.decode(row["attributes"]))
    return a
