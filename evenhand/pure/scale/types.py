"""Every task type of the interface as a row of data: what it needs, what is filled in, who can open it.

A new type is a row here; `inbound`, `outbound` and `madeup` are written by family, not by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from evenhand.pure.scale import checks as c
from evenhand.pure.scale.checks import Check, Obj, bad, given, missing
from evenhand.pure.trouble import Denied, Invalid

ATTACHMENT_TYPES = ("text", "image", "video", "audio", "website", "pdf", "json")
GEOMETRIES = ("box", "polygon", "line", "point", "cuboid", "ellipse")
NATIVE_GEOMETRIES = ("box", "polygon", "line", "point")
TEXT_FIELDS = ("text", "category", "number", "boolean", "select")
ATTRIBUTE_TYPES = ("category", "number", "angle", "text", "boolean", "x_line", "y_line")


ROOT_TYPE = "lidarannotation"  # what follow-up tasks start from
GLOBAL = "global:"  # our keys of the fields that answer `global_attributes`
REPEATED = "repeatable:"  # our keys of the fields that answer `repeatable_fields`


class NotEnabled(Denied):
    """402: the account is not enabled for this type; nobody here can open it yet."""

    hint = "Use a test key to try this type; live work of this kind cannot be opened by annotators yet."


@dataclass(frozen=True, slots=True)
class TaskType:
    name: str
    family: str  # which mapping and which made-up response
    required: tuple[str, ...] = ()  # "a|b": at least one of them
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    checks: Mapping[str, Check] = field(default_factory=dict[str, Check])
    fetches: tuple[str, ...] = ("attachment", "attachments")  # parameters that hold URLs to fetch
    opens: tuple[str, ...] = ()  # attachment types that a surface opens; () = no live work yet
    geometry: str = ""  # the one geometry of a legacy image type
    quality: bool = False  # evaluation and training tasks may be made of it
    dependent: bool = False  # may start from a completed lidarannotation task


def _fields(name: str, value: object) -> None:
    """`{key: prompt}` where the prompt is a text or an object; or a list of `{field_id, title}`."""
    if isinstance(value, list):
        for i, row in enumerate(cast(list[object], value)):
            c.obj(f"{name}[{i}]", row)
            row_ = cast(Obj, row)
            c.name_text(f"{name}[{i}].field_id", row_.get("field_id", row_.get("key")))
        return
    c.obj(name, value)
    for key, prompt in cast(Obj, value).items():
        c.name_text(f"{name} key", key)
        if not isinstance(prompt, str | dict):
            raise bad(f"{name}.{key}", "must be a string or an object")


def _geometries(name: str, value: object) -> None:
    c.obj(name, value)
    geometries = cast(Obj, value)
    if not geometries:
        raise bad(name, f"must have at least one of {', '.join(GEOMETRIES)}")
    for key, geometry in geometries.items():
        at = f"{name}.{key}"
        if key not in GEOMETRIES:
            raise bad(at, f"is not a geometry; known are {', '.join(GEOMETRIES)}")
        c.obj(at, geometry)
        g = cast(Obj, geometry)
        if "objects_to_annotate" not in g:
            raise missing(f"{at}.objects_to_annotate")
        c.choices(f"{at}.objects_to_annotate", g["objects_to_annotate"])
        for param, check in _GEOMETRY_PARAMS.items():
            if g.get(param) is not None:
                check(f"{at}.{param}", g[param])
        low, high = g.get("min_vertices"), g.get("max_vertices")
        if low is not None and high is not None and low > high:
            raise bad(f"{at}.max_vertices", "is below min_vertices")


_GEOMETRY_PARAMS: Mapping[str, Check] = {
    "min_height": c.size,
    "min_width": c.size,
    "can_rotate": c.flag,
    "integer_pixels": c.flag,
    "min_vertices": c.count,
    "max_vertices": c.count,
    "camera_intrinsics": c.obj,
    "camera_rotation_quaternion": c.obj,
    "camera_height": c.number,
}
_GEOMETRY_DEFAULTS: Mapping[str, Obj] = {
    "box": {"min_height": 0, "min_width": 0, "can_rotate": False, "integer_pixels": False},
    "cuboid": {"min_height": 0, "min_width": 0},
}


def _attributes(name: str, value: object) -> None:
    c.obj(name, value)
    for key, attribute in cast(Obj, value).items():
        at = f"{name}.{key}"
        c.name_text(f"{name} key", key)
        c.obj(at, attribute)
        a = cast(Obj, attribute)
        if a.get("type", "category") not in (*ATTRIBUTE_TYPES, "linked"):
            raise bad(f"{at}.type", f"must be one of {', '.join((*ATTRIBUTE_TYPES, 'linked'))}")
        if a.get("type", "category") == "category":
            if "choices" not in a:
                raise missing(f"{at}.choices")
            c.choices(f"{at}.choices", a["choices"])
        for param in ("allow_multiple", "required"):
            if a.get(param) is not None:
                c.flag(f"{at}.{param}", a[param])


def _labels(name: str, value: object) -> None:
    c.choices(name, value)


def _segment_labels(name: str, value: object) -> None:
    c.choices(name, value)
    if len(cast(list[object], value)) > 50:
        raise bad(name, "must be at most 50 labels")


def _unit_fields(name: str, value: object) -> None:
    """The fields of a textcollection: unit fields, or field sets that hold at least two of them."""
    c.filled_rows(name, value)
    seen: set[str] = set()
    for at, f in unit_fields(name, cast(list[object], value)):
        c.name_text(f"{at}.field_id", f.get("field_id"))
        if f["field_id"] in seen:
            raise bad(f"{at}.field_id", f"{f['field_id']!r} is there twice")
        seen.add(f["field_id"])
        c.filled(f"{at}.type", f.get("type"))
        if f["type"] in ("category", "select"):
            if "choices" not in f:
                raise missing(f"{at}.choices")
            c.choices(f"{at}.choices", f["choices"])
        for param in ("min_choices", "max_choices", "min_responses_required", "max_responses_required"):
            if f.get(param) is not None:
                c.count(f"{at}.{param}", f[param])
        if f.get("required") is not None:
            c.flag(f"{at}.required", f["required"])


def unit_fields(name: str, fields: list[object], depth: int = 0) -> list[tuple[str, Obj]]:
    """(path, unit field), with field sets opened."""
    out: list[tuple[str, Obj]] = []
    for i, value in enumerate(fields):
        at = f"{name}[{i}]"
        c.obj(at, value)
        f = cast(Obj, value)
        if f.get("type") == "field_set":
            c.filled_rows(f"{at}.fields", f.get("fields"))
            if depth > 4:
                raise bad(at, "is nested more than 4 deep")
            out.extend(unit_fields(f"{at}.fields", f["fields"], depth + 1))
        else:
            out.append((at, f))
    return out


def prompts(fields: object) -> list[tuple[str, str, Obj]]:
    """(key, title, extras) of `{key: prompt}` or of a list of `{field_id, title}`."""
    out: list[tuple[str, str, Obj]] = []
    if isinstance(fields, dict):
        for key, prompt in cast(Obj, fields).items():
            extra = cast(Obj, prompt) if isinstance(prompt, dict) else {}
            shown = prompt if isinstance(prompt, str) else extra.get("title") or extra.get("description")
            out.append((key, str(shown or key)[:500], extra))
    elif isinstance(fields, list):
        for row in cast(list[Obj], fields):
            key = row.get("field_id", row.get("key"))
            out.append((str(key), str(row.get("title") or key)[:500], row))
    return out


def _documents(name: str, value: object) -> None:
    """Attachments of a textcollection: `{type, content}`, or URLs."""
    c.rows(name, value)
    for i, row in enumerate(cast(list[object], value)):
        if isinstance(row, str):
            c.url(f"{name}[{i}]", row)
            continue
        c.obj(f"{name}[{i}]", row)
        a = cast(Obj, row)
        c.one_of(*ATTACHMENT_TYPES)(f"{name}[{i}].type", a.get("type"))
        if a["type"] == "text":
            c.text(f"{name}[{i}].content", a.get("content"))
        else:
            c.url(f"{name}[{i}].content", a.get("content"))


def _dependents(name: str, value: object) -> None:
    """What is to be made once the task is completed: `{defs: [{type, ...}], require_audit}`."""
    c.obj(name, value)
    found = cast(Obj, value)
    c.filled_rows(f"{name}.defs", found.get("defs"))
    if found.get("require_audit") is not None:
        c.flag(f"{name}.require_audit", found["require_audit"])
    for i, one in enumerate(cast(list[object], found["defs"])):
        at = f"{name}.defs[{i}]"
        c.obj(at, one)
        type_ = BY_NAME.get(str(cast(Obj, one).get("type")))
        if type_ is None or not type_.dependent:
            raise bad(f"{at}.type", f"must be one of {', '.join(t.name for t in TYPES if t.dependent)}")


def _things(name: str, value: object) -> None:
    """Attachments of a comparison: URLs or texts, at least one."""
    c.filled_rows(name, value)
    for i, row in enumerate(cast(list[object], value)):
        c.filled(f"{name}[{i}]", row)


def _objects(*more: tuple[str, Check]) -> dict[str, Check]:
    return {"objects_to_annotate": c.choices, "with_labels": c.flag, "examples": c.rows, **dict(more)}


_LEGACY: Obj = {"attachment_type": "image", "with_labels": False, "examples": []}
_IMAGE: Mapping[str, Check] = {
    "geometries": _geometries,
    "annotation_attributes": _attributes,
    "global_attributes": _attributes,
    "links": c.obj,
    "padding": c.size,
    "paddingX": c.size,
    "paddingY": c.size,
}
_VIDEO: Mapping[str, Check] = {**_IMAGE, "attachments": c.urls, "frame_rate": c.number, "events_to_annotate": c.rows}
_FRAMES: Mapping[str, Check] = {"attachments": c.urls, "labels": _labels, "annotation_attributes": _attributes}

TYPES: tuple[TaskType, ...] = (
    TaskType("imageannotation", "image", ("attachment", "geometries"), {"attachment_type": "image"}, _IMAGE,
             opens=("image",), quality=True),
    TaskType("annotation", "legacy", ("attachment", "objects_to_annotate"),
             {**_LEGACY, "min_width": 0, "min_height": 0},
             _objects(("min_width", c.size), ("min_height", c.size)), opens=("image",), geometry="box"),
    TaskType("polygonannotation", "legacy", ("attachment", "objects_to_annotate"), _LEGACY, _objects(),
             opens=("image",), geometry="polygon"),
    TaskType("lineannotation", "legacy", ("attachment", "objects_to_annotate"), {**_LEGACY, "splines": False},
             _objects(("splines", c.flag)), opens=("image",), geometry="line"),
    TaskType("pointannotation", "legacy", ("attachment", "objects_to_annotate"), _LEGACY, _objects(),
             opens=("image",), geometry="point"),
    TaskType("cuboidannotation", "legacy", ("attachment", "objects_to_annotate"), _LEGACY,
             _objects(("min_annotations", c.count), ("max_annotations", c.count)), geometry="cuboid"),
    TaskType("laneannotation", "lane", ("attachment",), _LEGACY, _objects(), geometry="line"),
    TaskType("segmentannotation", "segment", ("attachment", "labels"),
             {"attachment_type": "image", "allow_unlabeled": False},
             {"labels": _segment_labels, "instance_labels": c.rows, "allow_unlabeled": c.flag,
              "allow_parent_labels": c.flag}, quality=True),
    TaskType("videoannotation", "video", ("attachment|attachments", "geometries"), {"attachment_type": "video"},
             _VIDEO),
    TaskType("videoplaybackannotation", "playback", ("attachment|attachments", "geometries"),
             {"attachment_type": "video"}, _VIDEO, quality=True),
    TaskType("videoboxannotation", "video", ("attachment|attachments",), {"attachment_type": "video"},
             {**_VIDEO, "objects_to_annotate": c.choices}, geometry="box"),
    TaskType("videocuboidannotation", "video", ("attachment|attachments",), {"attachment_type": "video"},
             {**_VIDEO, "objects_to_annotate": c.choices}, geometry="cuboid"),
    TaskType("federal2dvideoannotation", "video", ("attachment|attachments",), {"attachment_type": "video"}, _VIDEO),
    TaskType("lidarannotation", "cuboids", ("attachments", "labels"), {"attachment_type": "json"},
             {**_FRAMES, "dependents": _dependents}),
    TaskType("lidarsegmentation", "pointsegments", ("attachments|lidar_task", "labels"), {"attachment_type": "json"},
             _FRAMES, dependent=True),
    TaskType("lidartopdown", "topdown", ("attachment|attachments",), {"attachment_type": "json"},
             {"geometries": _geometries, "attachments": c.urls}),
    TaskType("lidarlinking", "linking", ("attachments|lidar_task",), {}, {"attachments": c.urls}, dependent=True),
    TaskType("sensorfusion", "cuboids", ("attachments",), {"scene_format": "sensor_fusion"},
             {"attachments": c.urls, "annotation_definition": c.rows}),
    TaskType("categorization", "categorization", ("attachment", "categories"),
             {"attachment_type": "image", "allow_multiple": False},
             {"categories": c.choices, "category_ids": c.obj, "allow_multiple": c.flag, "force": c.flag},
             opens=("image", "text", "website")),
    TaskType("comparison", "comparison", ("attachments", "choices|fields"), {"attachment_type": "image"},
             {"attachments": _things, "choices": c.choices, "fields": _fields}, opens=("image", "text", "website")),
    TaskType("transcription", "transcription", ("attachment", "fields|repeatable_fields"),
             {"attachment_type": "image"}, {"fields": _fields, "repeatable_fields": _fields},
             opens=("image", "text", "website")),
    TaskType("datacollection", "datacollection", ("attachment", "fields"), {"attachment_type": "website"},
             {"fields": _fields}, opens=("image", "text", "website")),
    TaskType("textcollection", "textcollection", ("fields",), {"attachments": [], "responses_required": 1},
             {"fields": _unit_fields, "attachments": _documents, "responses_required": c.one_to_hundred},
             opens=("image", "text", "website"), quality=True),
    TaskType("namedentityrecognition", "ner", ("text", "labels"), {},
             {"text": c.filled, "labels": _labels}, opens=("text",), quality=True),
    TaskType("documenttranscription", "document", ("attachment|attachments", "features"),
             {"attachment_type": "image", "lang": "en-US", "geometry": "box"},
             {"attachments": c.urls, "features": c.filled_rows, "geometry": c.one_of("box", "polygon")}, quality=True),
    TaskType("documentmodel", "document", ("attachment|attachments",),
             {"attachment_type": "image", "geometry": "box"}, {"attachments": c.urls, "features": c.rows}),
    TaskType("audiotranscription", "audio", ("attachment",), {"attachment_type": "audio", "verbatim": False},
             {"verbatim": c.flag}),
    TaskType("phonecall", "phonecall", ("phone_number",), {},
             {"phone_number": c.filled, "script": c.text, "fields": _fields, "choices": c.choices}),
    TaskType("chat", "chat"),
    TaskType("chatexperimental", "chat"),
    TaskType("chatlite", "chat"),
    TaskType("multichat", "chat"),
    TaskType("multistage", "chat"),
)  # fmt: skip

BY_NAME: Mapping[str, TaskType] = MappingProxyType({t.name: t for t in TYPES})
LIVE: frozenset[str] = frozenset(t.name for t in TYPES if t.opens)
QUALITY: frozenset[str] = frozenset(t.name for t in TYPES if t.quality)


def get_type(name: str) -> TaskType:
    """The row of a type; raises `NotEnabled` (402) for a name that is not in the table."""
    found = BY_NAME.get(name)
    if found is None:
        raise NotEnabled(f"Task type {name[:80]!r} is not enabled for this account")
    return found


COMMON_PARAMS: Mapping[str, Check] = {
    "attachment_type": c.one_of(*ATTACHMENT_TYPES),
    "context_attachments": c.rows,
    "can_add_base_annotations": c.flag,
    "can_edit_base_annotations": c.flag,
    "can_edit_base_annotation_labels": c.flag,
    "can_delete_base_annotations": c.flag,
}


def with_defaults(type_: TaskType, params: Obj) -> Obj:
    """The parameters as they are shown to the customer: what was sent, and what the type fills in."""
    out = {k: v for k, v in params.items() if v is not None}
    for key, value in type_.defaults.items():
        if key not in out:
            out[key] = list(cast(list[Any], value)) if isinstance(value, list) else value
    if isinstance(out.get("geometries"), dict):
        out["geometries"] = {
            name: {**_GEOMETRY_DEFAULTS.get(name, {}), **cast(Obj, g)} if isinstance(g, dict) else g
            for name, g in cast(Obj, out["geometries"]).items()
        }
    return out


def check_params(type_: TaskType, params: Obj) -> None:
    """Raise `Invalid` naming the first parameter that is missing or wrong. `params` has its defaults."""
    for need in type_.required:
        options = need.split("|")
        if not any(given(params.get(option)) for option in options):
            raise missing(" or ".join(options))
    for name, check in (*COMMON_PARAMS.items(), *type_.checks.items()):
        if given(params.get(name)):
            check(name, params[name])
    if given(params.get("attachment")):
        if params.get("attachment_type") == "text":
            c.filled("attachment", params["attachment"])
        else:
            c.url("attachment", params["attachment"])
    if params.get("attachment_type") != "text" and type_.family == "comparison":
        c.urls("attachments", params["attachments"])


def attachment_urls(type_: TaskType, params: Obj) -> list[str]:
    """Every URL that has to be fetched before the work can start, each once, in order."""
    found: list[str] = []

    def take(value: object) -> None:
        if isinstance(value, list):
            for v in cast(list[object], value):
                take(v)
        elif isinstance(value, dict):
            v = cast(Obj, value)
            if v.get("type") not in ("text", "website"):
                take(v.get("content", v.get("attachment")))
        elif c.is_url(value):
            found.append(cast(str, value))

    if params.get("attachment_type") not in ("text", "website"):
        for key in type_.fetches:
            take(params.get(key))
    elif type_.family == "textcollection":
        take(params.get("attachments"))
    take(params.get("context_attachments"))
    return list(dict.fromkeys(found))


def why_not_live(type_: TaskType, params: Obj) -> str | None:
    """Why no surface can open this task, in words; None when one can."""
    if not type_.opens:
        return f"Task type {type_.name} is not enabled for live work on this account"
    kind = params.get("attachment_type", type_.defaults.get("attachment_type"))
    if kind is not None and type_.family != "textcollection" and kind not in type_.opens:
        return f"Attachments of type {kind} are not enabled for {type_.name} tasks"
    if type_.family == "image":
        return _why_not_image(params)
    return _why_not_textcollection(params) if type_.family == "textcollection" else None


def _why_not_image(params: Obj) -> str | None:
    for name in cast(Obj, params.get("geometries") or {}):
        if name not in NATIVE_GEOMETRIES:
            return f"Geometry {name} is not enabled for live work on this account"
    for key in ("annotation_attributes", "global_attributes"):
        for name, attribute in cast(Obj, params.get(key) or {}).items():
            if isinstance(attribute, dict) and cast(Obj, attribute).get("type") == "linked":
                return f"Attribute {name}: linked attributes are not enabled for live work on this account"
    if params.get("links"):
        return "Links between annotations are not enabled for live work on this account"
    return None


def _why_not_textcollection(params: Obj) -> str | None:
    for _, f in unit_fields("fields", params.get("fields") or []):
        if f.get("type") not in TEXT_FIELDS:
            return f"Fields of type {f.get('type')} are not enabled for live work on this account"
    for a in cast(list[Any], params.get("attachments") or []):
        kind = cast(Obj, a).get("type") if isinstance(a, dict) else "website"
        if kind not in ("image", "text", "website"):
            return f"Attachments of type {kind} are not enabled for textcollection tasks"
    return None


def require_live(type_: TaskType, params: Obj) -> None:
    why = why_not_live(type_, params)
    if why is not None:
        raise NotEnabled(why)


def require_quality(type_: TaskType) -> None:
    if not type_.quality:
        raise Invalid(f"Task type {type_.name} cannot be an evaluation or training task")
