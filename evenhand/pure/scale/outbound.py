"""Answers as the interface's `response`, and responses as answers (hypothesis, expected_response, fix)."""

import math
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from evenhand.pure.answers import merge_answers
from evenhand.pure.kinds.box import outline
from evenhand.pure.kinds.listing import check_annotation
from evenhand.pure.numbers import is_number
from evenhand.pure.scale import checks as c
from evenhand.pure.scale.checks import Obj, as_text, bad, leaves
from evenhand.pure.scale.types import GLOBAL, NATIVE_GEOMETRIES, REPEATED, TaskType, prompts, unit_fields
from evenhand.pure.trouble import Invalid

_NAMES = uuid.UUID("7d9f0c52-1d0e-5e0b-9b43-0a8f5c3f6c11")
_is_id = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII).fullmatch
_is_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Out:
    """What a family needs to write a response."""

    type: TaskType
    params: Obj
    result: list[Obj]  # annotations of the one result
    answers: Sequence[Obj]  # every answer, earliest first
    task_id: str
    seconds: float | None

    def uuid(self, a: Obj) -> str:
        """The annotation's own id where it is a UUID, else one derived from it: the same every time."""
        id_ = str(a["id"])
        return id_ if _is_uuid(id_) else str(uuid.uuid5(_NAMES, f"{self.task_id}/{id_}"))

    def answered(self, kind: str, field: str) -> list[Obj]:
        return [a for a in self.result if a["kind"] == kind and a["field"] == field]


def respond(
    type_: TaskType,
    params: Obj,
    answers: Sequence[Obj],
    *,
    task_id: str,
    is_customer_fix: bool = False,
    seconds: float | None = None,
) -> Obj:
    """The `response` of a completed task. `answers`: one result, or all answers (earliest first) to be merged."""
    result = answers[0] if len(answers) == 1 else merge_answers(answers)
    out = Out(type_, params, result["annotations"], answers or [result], task_id, seconds)
    response = OUT[type_.family](out)
    if type_.family == "image":
        response["is_customer_fix"] = is_customer_fix
    return response


# ---------------------------------------------------------------- shapes


def _number(v: float, whole: bool) -> float | int:
    return round(v) if whole else v


def _vertices(points: Sequence[Sequence[float]], whole: bool = False) -> list[Obj]:
    return [{"x": _number(p[0], whole), "y": _number(p[1], whole)} for p in points]


def shape(a: Obj, *, whole: bool = False) -> Obj:
    """The geometry of a native annotation: left/top/width/height, vertices, or x/y."""
    if a["kind"] == "box":
        out: Obj = {
            "left": _number(a["x"], whole),
            "top": _number(a["y"], whole),
            "width": _number(a["w"], whole),
            "height": _number(a["h"], whole),
        }
        if a.get("angle_rad"):
            out["rotation"] = a["angle_rad"]
            out["vertices"] = _vertices(outline(a))
        return out
    if a["kind"] == "point":
        return {"x": a["x"], "y": a["y"]}
    return {"vertices": _vertices(a["points"])}


def _originals(name: str, choices: object) -> dict[str, Any]:
    """Our text of a choice -> what the customer wrote (a number, a truth value)."""
    return {leaf.value: leaf.original for leaf in leaves(name, choices)} if choices else {}


def _attributes(given: Obj, described: dict[str, Obj]) -> Obj:
    out: Obj = {}
    for name, value in given.items():
        originals = _originals(name, described.get(name, {}).get("choices"))
        if isinstance(value, list):
            out[name] = [originals.get(v, v) for v in cast(list[str], value)]
        else:
            out[name] = originals.get(value, value) if isinstance(value, str) else value
    return out


def _out_image(o: Out) -> Obj:
    described = cast(dict[str, Obj], o.params.get("annotation_attributes") or {})
    geometries = cast(dict[str, Obj], o.params.get("geometries") or {})
    rows: list[Obj] = []
    for a in o.result:
        if a["kind"] in NATIVE_GEOMETRIES:
            whole = bool(geometries.get(a["kind"], {}).get("integer_pixels"))
            rows.append(
                {
                    "uuid": o.uuid(a),
                    "type": a["kind"],
                    "label": a["class"],
                    "attributes": _attributes(a.get("attributes") or {}, described),
                    **shape(a, whole=whole),
                }
            )
    form = cast(dict[str, Obj], o.params.get("global_attributes") or {})
    return {
        "annotations": rows,
        "global_attributes": {k: v for k, d in form.items() if (v := _global_value(o, k, d)) is not None},
        "links": [],
        "is_customer_fix": False,
    }


def _global_value(o: Out, name: str, described: Obj) -> Any:
    for a in o.result:
        if a.get("field") == GLOBAL + name:
            if a["kind"] == "text":
                return a["text"]
            if a["kind"] == "rating":
                return a["value"]
            if described.get("type") == "boolean":
                return a["values"][0] == "true"
            originals = _originals(name, described.get("choices"))
            values = [originals.get(v, v) for v in a["values"]]
            return values if described.get("allow_multiple") else values[0]
    return None


def _out_legacy(o: Out) -> Obj:
    return {"annotations": [{**shape(a), "label": a["class"]} for a in o.result if a["kind"] == o.type.geometry]}


# ---------------------------------------------------------------- forms


def _out_categorization(o: Out) -> Obj:
    originals = _originals("categories", o.params["categories"])
    found = o.answered("choice", "category")
    values = [originals.get(v, v) for v in found[0]["values"]] if found else []
    multiple = o.params.get("allow_multiple") is True
    out: Obj = {"category": values if multiple else (values[0] if values else None)}
    by_category = {as_text(v): k for k, v in cast(Obj, o.params.get("category_ids") or {}).items()}
    if by_category:
        ids = [by_category.get(as_text(v)) for v in values]
        out["category_id"] = ids if multiple else (ids[0] if ids else None)
    return out


def _texts(o: Out, fields: object) -> Obj:
    """Key -> text; a field left open is there with an empty text, so that every key can be read."""
    out: Obj = {}
    for key, _, _ in prompts(fields):
        found = o.answered("text", key)
        out[key] = found[0]["text"] if found else ""
    return out


def _out_comparison(o: Out) -> Obj:
    out: Obj = {}
    if o.params.get("choices"):
        found = o.answered("choice", "choice")
        value = found[0]["values"][0] if found else None
        out["choice"] = _originals("choices", o.params["choices"]).get(value, value) if value is not None else None
    if o.params.get("fields"):
        out["fields"] = _texts(o, o.params["fields"])
    return out


def _out_transcription(o: Out) -> Obj:
    columns = {
        key: [a["text"] for a in o.answered("text", REPEATED + key)]
        for key, _, _ in prompts(o.params.get("repeatable_fields"))
    }
    count = max((len(v) for v in columns.values()), default=0)
    rows = [{k: v[i] for k, v in columns.items() if i < len(v)} for i in range(count)]
    return {"fields": _texts(o, o.params.get("fields")), "repeatable_fields": rows}


def _out_datacollection(o: Out) -> Obj:
    out: Obj = {"fields": _texts(o, o.params["fields"])}
    if o.seconds is not None:
        out["time_spent_in_seconds"] = round(o.seconds)
    return out


def _out_textcollection(o: Out) -> Obj:
    annotations: Obj = {}
    for _, f in unit_fields("fields", o.params["fields"]):
        key, kind = f["field_id"], f["type"]
        originals = _originals(key, f.get("choices")) if kind in ("category", "select") else {}
        entries: list[Any] = []
        for answer in o.answers:
            entries.extend(_unit_values(a, kind, originals) for a in answer["annotations"] if a.get("field") == key)
        annotations[key] = {"type": kind, "field_id": key, "response": entries}
    return {"annotations": annotations}


def _unit_values(a: Obj, kind: str, originals: dict[str, Any]) -> Any:
    if a["kind"] == "text":
        return a["text"]
    if a["kind"] == "rating":
        return a["value"]
    if kind == "boolean":
        return a["values"][0] == "true"
    return [originals.get(v, v) for v in a["values"]]


def _out_ner(o: Out) -> Obj:
    text = str(o.params["text"])
    rows: list[Obj] = []
    for a in o.result:
        if a["kind"] == "span":
            start, end = int(a["start"]), int(a["end"])
            row: Obj = {"id": o.uuid(a), "start": start, "end": end, "text": text[start:end], "label": a["class"]}
            if a.get("attributes"):
                row["attributes"] = a["attributes"]
            rows.append(row)
    return {"annotations": rows, "relationships": []}


OUT: dict[str, Callable[[Out], Obj]] = {
    "image": _out_image,
    "legacy": _out_legacy,
    "categorization": _out_categorization,
    "comparison": _out_comparison,
    "transcription": _out_transcription,
    "datacollection": _out_datacollection,
    "textcollection": _out_textcollection,
    "ner": _out_ner,
}


# ---------------------------------------------------------------- the way back


class _Back:
    """Collects native annotations; every fault names the parameter that the response came in."""

    def __init__(self, name: str, type_: TaskType, params: Obj) -> None:
        self.name, self.type, self.params = name, type_, params
        self.rows: list[Obj] = []

    def add(self, at: str, annotation: Obj, given_id: object = None) -> None:
        id_ = given_id if isinstance(given_id, str) and _is_id(given_id) else f"{self.name[:20]}-{len(self.rows)}"
        full = {"id": id_, **annotation}
        try:
            check_annotation(full)
        except Invalid as e:
            raise bad(f"{self.name}.{at}", e.message) from None
        self.rows.append(full)

    def list_of(self, response: Obj, key: str) -> list[tuple[str, Obj]]:
        value = response.get(key)
        if value is None:
            return []
        c.rows(f"{self.name}.{key}", value)
        out: list[tuple[str, Obj]] = []
        for i, row in enumerate(cast(list[object], value)):
            c.obj(f"{self.name}.{key}[{i}]", row)
            out.append((f"{key}[{i}]", cast(Obj, row)))
        return out

    def obj_of(self, response: Obj, key: str) -> Obj:
        value = response.get(key)
        if value is None:
            return {}
        c.obj(f"{self.name}.{key}", value)
        return cast(Obj, value)

    def choice(self, at: str, field: str, value: object) -> None:
        values = cast(list[object], value) if isinstance(value, list) else [value]
        if values:
            self.add(at, {"kind": "choice", "field": field, "values": [as_text(v) for v in values]})

    def text(self, at: str, field: str, value: object) -> None:
        if value is not None and value != "":
            self.add(at, {"kind": "text", "field": field, "text": value})


def native_annotations(type_: TaskType, params: Obj, response: Obj, name: str = "response") -> list[Obj]:
    """Native annotations of a response. Types that no surface opens have none. `name`: the parameter, for faults."""
    family = BACK.get(type_.family)
    if family is None:
        return []
    back = _Back(name, type_, params)
    family(back, response)
    return back.rows


def native_answer(type_: TaskType, params: Obj, response: object, name: str = "response") -> Obj:
    c.obj(name, response)
    return {"annotations": native_annotations(type_, params, cast(Obj, response), name)}


def _points(row: Obj) -> list[Any]:
    vertices = row.get("vertices")
    if not isinstance(vertices, list):
        return []
    return [
        [cast(Obj, v).get("x"), cast(Obj, v).get("y")] if isinstance(v, dict) else v
        for v in cast(list[object], vertices)
    ]


def _native_shape(kind: object, row: Obj) -> Obj:
    if kind == "box":
        out: Obj = {"kind": "box", **{k: row.get(s) for k, s in zip("xywh", _BOX, strict=True)}}
        if is_number(row.get("rotation")) and row["rotation"]:
            out["angle_rad"] = math.remainder(row["rotation"], 2 * math.pi)
        return out
    if kind == "point":
        return {"kind": "point", "x": row.get("x"), "y": row.get("y")}
    return {"kind": kind, "points": _points(row)}


_BOX = ("left", "top", "width", "height")


def _native_attributes(value: object, at: str) -> Obj:
    if not value:
        return {}
    c.obj(at, value)
    out: Obj = {}
    for k, v in cast(Obj, value).items():
        if isinstance(v, list):
            out[k] = [as_text(x) for x in cast(list[object], v)]
        elif v is not None:
            out[k] = v
    return out


def _retyped(attributes: Obj, described: dict[str, Obj]) -> Obj:
    """Choices that the customer wrote as numbers are texts in the native model."""
    for k, v in attributes.items():
        d = described.get(k)
        if d and d.get("type", "category") == "category" and not isinstance(v, str | list):
            attributes[k] = as_text(v)
        if d and d.get("allow_multiple") and not isinstance(attributes[k], list):
            attributes[k] = [attributes[k]]
    return attributes


def _back_shapes(b: _Back, response: Obj) -> None:
    described = cast(dict[str, Obj], b.params.get("annotation_attributes") or {})
    for at, row in b.list_of(response, "annotations"):
        kind = b.type.geometry or row.get("type")
        if kind not in NATIVE_GEOMETRIES:
            raise bad(f"{b.name}.{at}.type", f"must be one of {', '.join(NATIVE_GEOMETRIES)}")
        attributes = _retyped(_native_attributes(row.get("attributes"), f"{b.name}.{at}.attributes"), described)
        shaped = {**_native_shape(kind, row), "class": row.get("label")}
        b.add(at, {**shaped, "attributes": attributes} if attributes else shaped, row.get("uuid"))
    form = cast(dict[str, Obj], b.params.get("global_attributes") or {})
    for key, value in b.obj_of(response, "global_attributes").items():
        kind = form.get(key, {}).get("type", "category")
        if kind == "text":
            b.text(f"global_attributes.{key}", GLOBAL + key, value)
        elif kind in ("category", "boolean"):
            b.choice(f"global_attributes.{key}", GLOBAL + key, value)
        else:
            b.add(f"global_attributes.{key}", {"kind": "rating", "field": GLOBAL + key, "value": value})


def _back_categorization(b: _Back, response: Obj) -> None:
    if response.get("category") is not None:
        b.choice("category", "category", response["category"])


def _back_fields(b: _Back, response: Obj) -> None:
    if response.get("choice") is not None:
        b.choice("choice", "choice", response["choice"])
    for key, value in b.obj_of(response, "fields").items():
        b.text(f"fields.{key}", key, value)
    for at, row in b.list_of(response, "repeatable_fields"):
        for key, value in row.items():
            b.text(f"{at}.{key}", REPEATED + key, value)


def _back_textcollection(b: _Back, response: Obj) -> None:
    kinds = {f["field_id"]: f for _, f in unit_fields("fields", b.params["fields"])}
    for key, value in b.obj_of(response, "annotations").items():
        at = f"annotations.{key}"
        field = kinds.get(key)
        if field is None:
            raise bad(f"{b.name}.{at}", "is not a field of this task")
        # A bare value stands for a list of one response.
        entries = cast(Obj, value).get("response") if isinstance(value, dict) else value
        rows: list[Any] = cast(list[Any], entries) if isinstance(entries, list) else [entries]
        if field["type"] in ("category", "select"):
            if rows:
                b.choice(at, key, cast(object, rows[0]) if isinstance(rows[0], list) else rows)
        elif field["type"] == "boolean":
            if rows:
                b.choice(at, key, rows[0])
        else:
            many = (field.get("max_responses_required") or 1) > 1
            for v in rows if many else rows[:1]:
                if field["type"] == "number":
                    b.add(at, {"kind": "rating", "field": key, "value": v})
                else:
                    b.text(at, key, v)


def _back_ner(b: _Back, response: Obj) -> None:
    for at, row in b.list_of(response, "annotations"):
        span: Obj = {"kind": "span", "class": row.get("label"), "start": row.get("start"), "end": row.get("end")}
        attributes = _native_attributes(row.get("attributes"), f"{b.name}.{at}.attributes")
        b.add(at, {**span, "attributes": attributes} if attributes else span, row.get("id"))


BACK: dict[str, Callable[[_Back, Obj], None]] = {
    "image": _back_shapes,
    "legacy": _back_shapes,
    "categorization": _back_categorization,
    "comparison": _back_fields,
    "transcription": _back_fields,
    "datacollection": _back_fields,
    "textcollection": _back_textcollection,
    "ner": _back_ner,
}
