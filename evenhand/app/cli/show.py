"""Printing: JSON for programs, tables for people."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec


def as_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def line(words: str = "") -> None:
    sys.stdout.write(words + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    # a name may hold anything; control characters must not reach a terminal
    return "".join(c if c.isprintable() else " " for c in str(value))


def moment(text: str | None) -> str:
    """An API time as people read it."""
    return text[:16].replace("T", " ") if text else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Columns under their heads; `empty` says what to do where there is nothing."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        line(empty)
        return
    widths = [max(len(head), *(len(row[i]) for row in cells)) for i, head in enumerate(heads)]
    for row in ([head.upper() for head in heads], *cells):
        line("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def pairs(rows: Iterable[tuple[str, Any]]) -> None:
    """One fact a line."""
    known = [(name, _cell(value)) for name, value in rows]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        line(f"{name.ljust(width)}  {value}".rstrip())
