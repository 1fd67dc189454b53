"""From a task as the interface describes it to our own: what the annotator sees, the ontology, the instructions."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from evenhand.pure.answers import check_answer
from evenhand.pure.conditions import circle_in
from evenhand.pure.ontology import check_ontology
from evenhand.pure.scale import checks as c
from evenhand.pure.scale.checks import Obj, bad, leaves
from evenhand.pure.scale.conditions import attribute_when, field_when, labels_of
from evenhand.pure.scale.outbound import native_annotations
from evenhand.pure.scale.types import GLOBAL, NATIVE_GEOMETRIES, REPEATED, TaskType, prompts, unit_fields
from evenhand.pure.trouble import Invalid

YES_NO: list[Obj] = [{"value": "true", "label": "Yes"}, {"value": "false", "label": "No"}]


class Native(msgspec.Struct, frozen=True):
    """`data` is a TaskInput: image_url | text | conversation, with prelabels, context and references where given."""

    medium: str
    data: Obj
    ontology: Obj
    instructions: str


class _Draft:
    """What a family fills in."""

    def __init__(self) -> None:
        self.medium = "none"
        self.data: Obj = {}
        self.classes: dict[str, Obj] = {}
        self.attributes: dict[str, Obj] = {}
        self.fields: list[Obj] = []
        self.limits: Obj = {}
        self.notes: list[str] = []  # lines appended to the instructions: what the form cannot say
        self.references: list[Obj] = []
        self.context: list[str] = []

    def add_class(self, leaf: c.Leaf, kind: str) -> None:
        known = self.classes.setdefault(leaf.value, {"name": leaf.value, "kinds": []})
        if kind not in known["kinds"]:
            known["kinds"].append(kind)
        if leaf.title != leaf.value:
            known["title"] = leaf.title

    def refer(self, url: str, name: str) -> None:
        self.references.append({"url": url, "name": name})

    def ontology(self) -> Obj:
        out: Obj = {
            "classes": list(self.classes.values()),
            "attributes": list(self.attributes.values()),
            "fields": self.fields,
        }
        if self.limits:
            out["limits"] = self.limits
        return out


def inbound(type_: TaskType, params: Obj, instruction: str = "") -> Native:
    """`params` has its defaults and has been checked; the type is one that a surface opens."""
    draft = _Draft()
    family = FAMILIES.get(type_.family)
    if family is None:
        raise ValueError(f"no surface opens {type_.name}")
    family(draft, type_, params)
    for i, extra in enumerate(cast(list[Any], params.get("context_attachments") or [])):
        url = cast(Obj, extra).get("attachment") if isinstance(extra, dict) else extra
        if c.is_url(url):
            draft.refer(cast(str, url), f"context {i + 1}")
    data = draft.data
    if draft.references:
        data["references"] = draft.references
    if draft.context:
        data["context"] = "\n\n".join(draft.context)
    prelabels = _prelabels(type_, params)
    if prelabels:
        _check_prelabels(prelabels, draft.ontology(), data)
        data["prelabels"] = prelabels
    instructions = "\n\n".join(part for part in (instruction, "\n".join(draft.notes)) if part)
    return Native(draft.medium, data, draft.ontology(), instructions)


def _prelabels(type_: TaskType, params: Obj) -> list[Obj]:
    """`hypothesis` (a response) and `base_annotations` (a response, or the list of its annotations)."""
    out: list[Obj] = []
    hypothesis = params.get("hypothesis")
    if hypothesis:
        c.obj("hypothesis", hypothesis)
        out.extend(native_annotations(type_, params, cast(Obj, hypothesis), "hypothesis"))
    base = cast(object, params.get("base_annotations"))
    if isinstance(base, list):
        base = {"annotations": cast(list[object], base)}
    if base:
        c.obj("base_annotations", base)
        out.extend(native_annotations(type_, params, cast(Obj, base), "base_annotations"))
    seen: set[str] = set()
    unique: list[Obj] = []
    for a in out:
        if a["id"] not in seen:
            seen.add(a["id"])
            unique.append(a)
    return unique


def _check_prelabels(prelabels: list[Obj], ontology: Obj, data: Obj) -> None:
    try:
        check_answer({"annotations": prelabels}, ontology, data, complete=False)
    except Invalid as e:
        raise Invalid(f"hypothesis or base_annotations: {e.message}", errors=e.errors) from None


# ---------------------------------------------------------------- the medium


def _attach(draft: _Draft, params: Obj) -> None:
    """One attachment as the thing to look at: an image, a text, or a page to open."""
    attachment, kind = params.get("attachment"), params.get("attachment_type", "image")
    if not attachment:
        return
    if kind == "text":
        draft.medium, draft.data["text"] = "text", attachment
    elif kind == "image":
        draft.medium, draft.data["image_url"] = "image", attachment
    else:
        draft.refer(attachment, "attachment")


# ---------------------------------------------------------------- images


def _image(draft: _Draft, type_: TaskType, params: Obj) -> None:
    _attach(draft, {**params, "attachment_type": "image"})
    for kind, geometry in cast(dict[str, Obj], params["geometries"]).items():
        if kind not in NATIVE_GEOMETRIES:
            continue
        at = f"geometries.{kind}.objects_to_annotate"
        for leaf in leaves(at, geometry["objects_to_annotate"]):
            draft.add_class(leaf, kind)
        _limits(draft, kind, geometry)
    attributes = cast(dict[str, Obj], params.get("annotation_attributes") or {})
    for name, attribute in attributes.items():
        draft.attributes[name] = _attribute(f"annotation_attributes.{name}", name, attribute)
    _conditions(draft, attributes)
    for name, attribute in cast(dict[str, Obj], params.get("global_attributes") or {}).items():
        draft.fields.append(_global_field(name, attribute))


def _limits(draft: _Draft, kind: str, geometry: Obj) -> None:
    limits: Obj = {}
    if kind == "box":
        for theirs, ours in (("min_width", "min_w"), ("min_height", "min_h")):
            least = c.to_number(f"geometries.box.{theirs}", geometry.get(theirs) or 0)
            if least:
                limits[ours] = least
        limits["can_rotate"] = bool(geometry.get("can_rotate", False))
    elif kind in ("polygon", "line"):
        for theirs, ours in (("min_vertices", "min_points"), ("max_vertices", "max_points")):
            if geometry.get(theirs):
                limits[ours] = int(geometry[theirs])
    if limits:
        draft.limits[kind] = limits


def _attribute(at: str, name: str, attribute: Obj) -> Obj:
    kind = attribute.get("type", "category")
    out: Obj = {"name": name, "type": "number"}
    title = attribute.get("title") or attribute.get("description")
    if isinstance(title, str) and title:
        out["title"] = title[:500]
    if kind == "category":
        out["type"] = "choice"
        out["choices"] = [leaf.value for leaf in leaves(f"{at}.choices", attribute["choices"])]
        if attribute.get("allow_multiple"):
            out["multiple"] = True
    elif kind in ("text", "boolean"):
        out["type"] = kind
    if attribute.get("required"):
        out["required"] = True
    return out


def _conditions(draft: _Draft, attributes: dict[str, Obj]) -> None:
    """A condition on labels becomes the class's own list of attributes, one on other attributes the attribute's `when`;
    what cannot be read so is told in the instructions."""
    only: dict[str, set[str]] = {}
    told: list[str] = []
    for name, attribute in attributes.items():
        conditions = attribute.get("conditions")
        if not conditions:
            continue
        given = cast(Obj, conditions) if isinstance(conditions, dict) else {}
        labels = labels_of(given.get("label_condition"))
        if labels:
            only[name] = set(labels)
        if labels and set(given) == {"label_condition"}:
            continue
        when = attribute_when(conditions, draft.attributes)
        if when is None or ("label_condition" in given and not labels):
            told.append(name)
        else:
            draft.attributes[name]["when"] = when
    told += _break_circles(draft.attributes)
    for name in told:
        # Not asked for by force: whether it applies is for the annotator to see.
        draft.attributes[name].pop("required", None)
        rule_text = msgspec.json.encode(attributes[name]["conditions"]).decode()
        draft.notes.append(f"* **{name}** applies only where: `{rule_text}`")
    if only:
        for known in draft.classes.values():
            known["attributes"] = [a for a in draft.attributes if a not in only or known["name"] in only[a]]


def _break_circles(rows: Mapping[str, Obj]) -> list[str]:
    """Takes away the `when` of what depends on itself, and names it: one who waits for the other could never be answered."""
    broken: list[str] = []
    while (name := circle_in({k: row["when"] for k, row in rows.items() if "when" in row})) is not None:
        del rows[name]["when"]
        broken.append(name)
    return broken


def _global_field(name: str, attribute: Obj) -> Obj:
    as_attribute = _attribute(f"global_attributes.{name}", name, attribute)
    field: Obj = {"key": GLOBAL + name, "type": "text", "title": as_attribute.get("title", name)}
    if as_attribute["type"] == "choice":
        field |= {"type": "choice", "choices": [{"value": v} for v in as_attribute["choices"]]}
        if as_attribute.get("multiple"):
            field["multiple"] = True
    elif as_attribute["type"] == "boolean":
        field |= {"type": "choice", "choices": YES_NO}
    elif as_attribute["type"] == "number":
        field["type"] = "number"
    if as_attribute.get("required"):
        field["required"] = True
    return field


def _legacy(draft: _Draft, type_: TaskType, params: Obj) -> None:
    _attach(draft, {**params, "attachment_type": "image"})
    for leaf in leaves("objects_to_annotate", params["objects_to_annotate"]):
        draft.add_class(leaf, type_.geometry)
    if type_.geometry == "box":
        box: Obj = {"min_width": params.get("min_width") or 0, "min_height": params.get("min_height") or 0}
        _limits(draft, "box", box)
    for i, example in enumerate(cast(list[Any], params.get("examples") or [])):
        e = cast(Obj, example) if isinstance(example, dict) else {}
        if c.is_url(e.get("image")):
            word = "right" if e.get("correct") else "wrong"
            draft.refer(e["image"], f"example {i + 1} ({word})")
            if e.get("explanation"):
                draft.notes.append(f"* Example {i + 1} ({word}): {e['explanation']}")


# ---------------------------------------------------------------- forms


def _text_fields(fields: object, prefix: str = "") -> list[Obj]:
    found: list[Obj] = []
    for key, title, extra in prompts(fields):
        field: Obj = {"key": prefix + key, "type": "text", "title": title}
        if prefix == REPEATED:
            field["multiple"] = True
        if extra.get("required") is True:
            field["required"] = True
        found.append(field)
    return found


def _choice_field(key: str, title: str, name: str, values: object, *, multiple: bool) -> Obj:
    choices: list[Obj] = [
        {"value": leaf.value} | ({"label": leaf.title} if leaf.title != leaf.value else {})
        for leaf in leaves(name, values)
    ]
    field: Obj = {"key": key, "type": "choice", "title": title, "choices": choices, "required": True}
    if multiple:
        field["multiple"] = True
    return field


def _categorization(draft: _Draft, type_: TaskType, params: Obj) -> None:
    _attach(draft, params)
    multiple = params.get("allow_multiple") is True
    draft.fields.append(_choice_field("category", "Category", "categories", params["categories"], multiple=multiple))


def _comparison(draft: _Draft, type_: TaskType, params: Obj) -> None:
    attachments = cast(list[str], params["attachments"])
    if params.get("attachment_type") == "text":
        draft.medium = "conversation"
        answers = [{"id": str(i + 1), "text": text, "title": _letter(i)} for i, text in enumerate(attachments)]
        draft.data["conversation"] = {"messages": [], "answers": answers}
    else:
        for i, url in enumerate(attachments):
            draft.refer(url, _letter(i))
    if params.get("choices"):
        draft.fields.append(_choice_field("choice", "Choice", "choices", params["choices"], multiple=False))
    draft.fields.extend(_text_fields(params.get("fields")))


def _letter(i: int) -> str:
    return chr(ord("A") + i) if i < 26 else str(i + 1)


def _transcription(draft: _Draft, type_: TaskType, params: Obj) -> None:
    _attach(draft, params)
    draft.fields.extend(_text_fields(params.get("fields")))
    draft.fields.extend(_text_fields(params.get("repeatable_fields"), REPEATED))


def _datacollection(draft: _Draft, type_: TaskType, params: Obj) -> None:
    _attach(draft, params)
    draft.fields.extend(_text_fields(params["fields"]))


# ---------------------------------------------------------------- text


def _ner(draft: _Draft, type_: TaskType, params: Obj) -> None:
    draft.medium, draft.data["text"] = "text", params["text"]
    for leaf in leaves("labels", params["labels"]):
        draft.add_class(leaf, "span")
    for label in cast(list[Any], params["labels"]):
        if not isinstance(label, dict):
            continue
        row = cast(Obj, label)
        name = next((str(row[k]) for k in ("choice", "value", "label", "name") if row.get(k)), "")
        if name not in draft.classes:
            continue
        if row.get("description"):
            draft.notes.append(f"* **{name}**: {row['description']}")
        own: list[str] = []
        for key, attribute in _label_attributes(row.get("attributes")):
            if attribute.get("type", "category") != "category" or "choices" in attribute:
                draft.attributes.setdefault(key, _attribute(f"labels.{name}.attributes.{key}", key, attribute))
                own.append(key)
        draft.classes[name]["attributes"] = own


def _label_attributes(value: object) -> list[tuple[str, Obj]]:
    if isinstance(value, dict):
        return [(k, cast(Obj, v)) for k, v in cast(Obj, value).items() if isinstance(v, dict)]
    if isinstance(value, list):
        rows = [cast(Obj, v) for v in cast(list[object], value) if isinstance(v, dict)]
        return [(str(r.get("name", r.get("field_id"))), r) for r in rows if r.get("name", r.get("field_id"))]
    return []


def _textcollection(draft: _Draft, type_: TaskType, params: Obj) -> None:
    for key in ("title", "description"):
        if isinstance(params.get(key), str) and params[key]:
            draft.notes.append(str(params[key]))
    texts: list[str] = []
    for i, row in enumerate(cast(list[Any], params.get("attachments") or [])):
        a = cast(Obj, row) if isinstance(row, dict) else {"type": "website", "content": row}
        if a["type"] == "text":
            texts.append(a["content"])
        elif a["type"] == "image" and draft.medium == "none":
            draft.medium, draft.data["image_url"] = "image", a["content"]
        else:
            draft.refer(a["content"], f"attachment {i + 1}")
    if texts and draft.medium == "none":
        draft.medium, draft.data["text"] = "text", "\n\n".join(texts)
    elif texts:
        draft.context.extend(texts)
    fields = unit_fields("fields", params["fields"])
    rows = {field["field_id"]: _unit_field(at, field) for at, field in fields}
    told: list[str] = []
    for _, field in fields:
        if field.get("conditions"):
            when = field_when(field["conditions"], rows)
            if when is None:
                told.append(field["field_id"])
            else:
                rows[field["field_id"]]["when"] = when
    told += _break_circles(rows)
    for _, field in fields:
        if field["field_id"] in told:
            row = rows[field["field_id"]]
            row.pop("required", None)
            words = f"Only where: {msgspec.json.encode(field['conditions']).decode()}"
            row["hint"] = "\n".join(filter(None, (row.get("hint"), words)))[:5000]
    draft.fields.extend(rows[field["field_id"]] for _, field in fields)


def _unit_field(at: str, f: Obj) -> Obj:
    kind = f["type"]
    out: Obj = {"key": f["field_id"], "type": "text", "title": str(f.get("title") or f["field_id"])[:500]}
    hint = "\n".join(str(f[k]) for k in ("description", "hint") if f.get(k))
    if hint:
        out["hint"] = hint[:5000]
    if kind in ("category", "select"):
        field = _choice_field(out["key"], out["title"], f"{at}.choices", f["choices"], multiple=_many(f, "max_choices"))
        out |= {k: field[k] for k in ("type", "choices", "multiple") if k in field}
    elif kind == "boolean":
        out |= {"type": "choice", "choices": YES_NO}
    elif kind == "number":
        out["type"] = "number"
        for theirs, ours in (("min", "min"), ("max", "max"), ("min_value", "min"), ("max_value", "max")):
            if f.get(theirs) is not None:
                out[ours] = c.to_number(f"{at}.{theirs}", f[theirs])
    else:
        out["long"] = True
    if kind in ("text", "number") and _many(f, "max_responses_required"):
        out["multiple"] = True
    if f.get("required") is True:
        out["required"] = True
    return out


def _many(f: Obj, key: str) -> bool:
    return (f.get(key) or 1) > 1


FAMILIES: dict[str, Callable[[_Draft, TaskType, Obj], None]] = {
    "image": _image,
    "legacy": _legacy,
    "categorization": _categorization,
    "comparison": _comparison,
    "transcription": _transcription,
    "datacollection": _datacollection,
    "ner": _ner,
    "textcollection": _textcollection,
}


def check_openable(native: Native) -> None:
    """Raise `Invalid` where the mapped ontology breaks our own limits, in words that name the task's parameters."""
    try:
        check_ontology(native.ontology)
    except Invalid as e:
        raise bad("task", f"cannot be opened: {e.errors[0]['path']} {e.errors[0]['detail']}") from None
