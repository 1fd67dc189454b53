"""The written list of formats. A new one is one file and one line here."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from evenhand.pure.formats.coco import CARRIES as COCO_KINDS
from evenhand.pure.formats.coco import CocoWriter, read_coco
from evenhand.pure.formats.csv import CsvWriter, read_csv
from evenhand.pure.formats.jsonl import JsonlWriter, read_jsonl
from evenhand.pure.formats.task import ExportTask, Spool, Writer
from evenhand.pure.formats.yolo import CARRIES as YOLO_KINDS
from evenhand.pure.formats.yolo import YoloWriter, read_yolo
from evenhand.pure.kinds.listing import KINDS

_EVERY = tuple(k.name for k in KINDS)


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    title: str
    media_type: str
    suffix: str
    kinds: tuple[str, ...]  # kinds of annotation that it carries
    writer: Callable[[dict[str, Any] | None, Spool | None], Writer]  # (the project's ontology, maker of spools)
    read: Callable[[Iterable[bytes]], Iterator[ExportTask]]


FORMATS: tuple[Format, ...] = (
    Format("jsonl", "JSON lines", "application/x-ndjson", "jsonl", _EVERY, JsonlWriter, read_jsonl),
    Format("coco", "COCO", "application/json", "json", COCO_KINDS, CocoWriter, read_coco),
    Format("yolo", "YOLO", "application/zip", "zip", YOLO_KINDS, YoloWriter, read_yolo),
    Format("csv", "CSV", "text/csv; charset=utf-8", "csv", _EVERY, CsvWriter, read_csv),
)
BY_NAME: Mapping[str, Format] = MappingProxyType({f.name: f for f in FORMATS})
