"""The shape of each task type's `response` as JSON Schema (draft 2020-12): what a delivered response is checked with.

Schemas are open: a response may say more than is written here. A changed schema gets a new id, since customers keep ids.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from evenhand.pure.scale.checks import Obj
from evenhand.pure.scale.types import BY_NAME, TaskType
from evenhand.pure.trouble import Missing

_PREFIX, _EDITION = "response", 1
_TEXT: Obj = {"type": "string"}
_NUMBER: Obj = {"type": "number"}
_WHOLE: Obj = {"type": "integer"}
_ANY: Obj = {}
_OBJECT: Obj = {"type": "object"}
_VALUE: Obj = {"type": ["string", "number", "boolean", "null"]}


def _object(required: Mapping[str, Obj], optional: Mapping[str, Obj] | None = None) -> Obj:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _list(item: Obj) -> Obj:
    return {"type": "array", "items": item}


_POINT = _object({"x": _NUMBER, "y": _NUMBER})
_LINK = _object({"url": {"type": "string", "format": "uri"}})
_SHAPE: Mapping[str, tuple[Mapping[str, Obj], Mapping[str, Obj]]] = {
    "box": (
        {"left": _NUMBER, "top": _NUMBER, "width": _NUMBER, "height": _NUMBER},
        {"rotation": _NUMBER, "vertices": _list(_POINT)},
    ),
    "polygon": ({"vertices": _list(_POINT)}, {}),
    "line": ({"vertices": _list(_POINT)}, {}),
    "point": ({"x": _NUMBER, "y": _NUMBER}, {}),
    "cuboid": ({"vertices": _list(_POINT)}, {}),
    "ellipse": ({"vertices": _list(_POINT)}, {}),
}


def _drawn(kind: str) -> Obj:
    required, optional = _SHAPE[kind]
    named = {"uuid": _TEXT, "type": {"const": kind}, "label": _VALUE, "attributes": _OBJECT}
    return _object({**named, **required}, optional)


_IMAGE = _object(
    {
        "annotations": _list({"oneOf": [_drawn(kind) for kind in _SHAPE]}),
        "global_attributes": _OBJECT,
        "links": _list(_ANY),
        "is_customer_fix": {"type": "boolean"},
    }
)


def _legacy(type_: TaskType) -> Obj:
    required, optional = _SHAPE[type_.geometry or "line"]
    return _object({"annotations": _list(_object({**required, "label": _VALUE}, optional))})


_THREAD = _object({"id": _TEXT, "turns": _list(_OBJECT), "annotations": _list(_OBJECT)})
_SPAN = _object({"id": _TEXT, "start": _WHOLE, "end": _WHOLE, "text": _TEXT, "label": _TEXT}, {"attributes": _OBJECT})
_WORD = _object({"word": _TEXT, "start": _NUMBER, "end": _NUMBER, "confidence": _NUMBER})
_UNIT = _object({"type": _TEXT, "field_id": _TEXT, "response": _list(_ANY)})
_READ = _object(
    {"uuid": _TEXT, "page": _WHOLE, "label": _TEXT, "text": _TEXT, "location": _OBJECT, "refs": _list(_TEXT)}
)
_FAMILIES: Mapping[str, Obj] = {
    "image": _IMAGE,
    "topdown": _IMAGE,
    "segment": _object({"annotations": _OBJECT, "labelMapping": _OBJECT}),
    "video": _object({"annotations": _LINK}, {"events": _LINK}),
    "playback": _object({"annotations": _LINK}, {"events": _LINK}),
    "cuboids": _object({"annotations": _LINK}),
    "pointsegments": _object({"point_segmentations": _LINK}, {"annotations": _LINK}),
    "linking": _object({"annotations": _LINK}),
    "categorization": _object(
        {"category": {"anyOf": [_VALUE, _list(_VALUE)]}}, {"category_id": {"anyOf": [_VALUE, _list(_VALUE)]}}
    ),
    "comparison": _object({}, {"choice": _VALUE, "fields": _OBJECT}),
    "transcription": _object({"fields": _OBJECT, "repeatable_fields": _list(_OBJECT)}),
    "datacollection": _object({"fields": _OBJECT}, {"time_spent_in_seconds": _WHOLE}),
    "textcollection": _object({"annotations": {"type": "object", "additionalProperties": _UNIT}}),
    "ner": _object({"annotations": _list(_SPAN), "relationships": _list(_OBJECT)}),
    "document": _object({"annotations": _list(_READ)}),
    "audio": _object({"transcript": _TEXT, "duration": _NUMBER, "alignment": _list(_WORD)}),
    "phonecall": _object(
        {"outcome": {"enum": ["no_pickup", "hung_up", "success"]}}, {"fields": _OBJECT, "choice": _VALUE}
    ),
    "chat": _object({"threads": _list(_THREAD)}),
}


def schema_id(type_name: str) -> str:
    """The id of the schema that responses of a type are delivered against."""
    return f"{_PREFIX}_{type_name}_{_EDITION}"


def schema_of(id_: str) -> Obj:
    """The schema with this id. Raises `Missing`."""
    parts = id_.split("_")
    type_ = BY_NAME.get(parts[1]) if len(parts) == 3 else None
    if type_ is None or id_ != schema_id(type_.name):
        raise Missing("There is no such schema.")
    legacy = type_.family in ("legacy", "lane")
    found = _legacy(type_) if legacy else _FAMILIES[type_.family]
    title = f"Response of a {type_.name} task"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id_, "title": title, **found}


def schema_text(id_: str) -> str:
    """As above, as the interface wants it: JSON as text."""
    made: Any = schema_of(id_)
    return msgspec.json.encode(made).decode()
