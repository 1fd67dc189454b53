"""Native tasks and projects as the interface would call them: type by medium, params from the ontology."""

from collections.abc import Sequence
from typing import Any, cast

from evenhand.pure.scale.checks import Obj
from evenhand.pure.scale.types import BY_NAME, GLOBAL, NATIVE_GEOMETRIES, TaskType

TIE = "tie"
_BY_MEDIUM = {"image": "imageannotation", "text": "namedentityrecognition"}


def type_name(kind: str, medium: str) -> str:
    """The type of a task or project: its own, or the one nearest to a native one."""
    return kind if kind in BY_NAME else _BY_MEDIUM.get(medium, "textcollection")


def type_of(kind: str, medium: str, ontology: Obj) -> TaskType:
    """As above; a text without classes is a form."""
    name = type_name(kind, medium)
    if kind not in BY_NAME and medium in _BY_MEDIUM and not ontology.get("classes"):
        name = "textcollection"
    return BY_NAME[name]


def _attribute(a: Obj) -> Obj:
    out: Obj = {"type": {"choice": "category"}.get(a["type"], a["type"]), "description": a.get("title", a["name"])}
    if a["type"] == "choice":
        out["choices"] = list(a.get("choices", []))
        out["allow_multiple"] = bool(a.get("multiple"))
    return out


def _answers_of(data: Obj) -> list[str]:
    conversation = cast(Obj, data.get("conversation") or {})
    return [str(a["id"]) for a in cast(list[Obj], conversation.get("answers") or [])]


def derived_params(type_: TaskType, ontology: Obj, data: Obj, attachment: str = "") -> Obj:
    """The params that would have made such a task."""
    classes = cast(list[Obj], ontology.get("classes") or [])
    fields = cast(list[Obj], ontology.get("fields") or [])
    attributes = cast(list[Obj], ontology.get("attributes") or [])
    if type_.name == "imageannotation":
        geometries: Obj = {}
        for kind in NATIVE_GEOMETRIES:
            names = [c["name"] for c in classes if kind in c["kinds"]]
            if names:
                geometries[kind] = {"objects_to_annotate": names}
        return {
            "attachment": attachment,
            "attachment_type": "image",
            "geometries": geometries,
            "annotation_attributes": {a["name"]: _attribute(a) for a in attributes},
            "global_attributes": {f["key"]: _global(f) for f in fields},
        }
    if type_.name == "namedentityrecognition":
        return {"text": str(data.get("text") or ""), "labels": [{"name": c["name"]} for c in classes]}
    shown: list[Obj] = []
    if data.get("text"):
        shown.append({"type": "text", "content": data["text"]})
    if attachment:
        shown.append({"type": "image", "content": attachment})
    answers = _answers_of(data)
    units: list[Obj] = []
    for f in fields:
        targets = answers if f.get("target") == "answers" else [""]
        units.extend(_unit(f, target, answers) for target in targets)
    return {"attachments": shown, "fields": units}


def _global(f: Obj) -> Obj:
    kind = {"choice": "category", "rating": "number", "preference": "category"}.get(f["type"], f["type"])
    out: Obj = {"type": kind, "description": f.get("title", f["key"])}
    if f["type"] == "choice":
        out["choices"] = [c["value"] for c in f.get("choices", [])]
        out["allow_multiple"] = bool(f.get("multiple"))
    return out


def _unit(f: Obj, target: str, answers: Sequence[str]) -> Obj:
    kind = {"choice": "category", "rating": "number", "preference": "category"}.get(f["type"], f["type"])
    title = f.get("title", f["key"])
    out: Obj = {
        "type": kind,
        "field_id": _field_id(f["key"], target),
        "title": f"{title} ({target})" if target else title,
    }
    if f["type"] == "choice":
        out["choices"] = [{"label": c.get("label", c["value"]), "value": c["value"]} for c in f.get("choices", [])]
        if f.get("multiple"):
            out["max_choices"] = len(out["choices"])
    if f["type"] == "preference":
        out["choices"] = [{"label": a, "value": a} for a in (*answers, TIE)]
    return out


def _field_id(key: str, target: object) -> str:
    return f"{key}.{target}" if target else key


def fitting(type_: TaskType, annotations: list[Any]) -> list[Obj]:
    """The annotations of a native answer under the names that the derived params give to their fields."""
    out: list[Obj] = []
    for a in cast(list[Obj], annotations):
        if "field" not in a:
            out.append(a)
        elif type_.name == "imageannotation":
            out.append({**_plain(a), "field": GLOBAL + a["field"]})
        elif type_.name == "textcollection":
            out.append({**_plain(a), "field": _field_id(a["field"], a.get("target"))})
    return out


def _plain(a: Obj) -> Obj:
    if a["kind"] != "preference":
        return a
    return {"id": a["id"], "kind": "choice", "field": a["field"], "values": [a["winner"] if a["winner"] else TIE]}
