"""The ontology: which classes, attributes and fields a project has, checked once when it is set.

Shape (unknown keys are refused):

    {"classes": [{"name", "color"?, "hotkey"?, "kinds": [...], "title"?, "attributes"?: [attribute names]}],
     "attributes": [{"name", "type": "choice|number|text|boolean", "title"?, "choices"?, "multiple"?, "required"?,
                     "when"?}],
     "fields": [{"key", "type": "choice|text|number|rating|preference", "title"?, "hint"?, "choices"?, "multiple"?,
                 "required"?, "min"?, "max"?, "step"?, "target"?, "long"?, "prefill"?, "when"?}],
     "limits": {"box": {"min_w", "min_h", "can_rotate"}, "polygon": {...}, "line": {"min_points", "max_points"}}}

`when` says under which condition an attribute or a field applies: see `conditions`.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, cast

from evenhand.pure.conditions import circle_in, faults_in
from evenhand.pure.kinds.kind import NAME_MAX, Obj
from evenhand.pure.kinds.listing import CLASSED
from evenhand.pure.numbers import is_number, is_whole
from evenhand.pure.trouble import Fault, Invalid

CLASSES_MAX = 1_000
ATTRIBUTES_MAX = 200
FIELDS_MAX = 200
CHOICES_MAX = 1_000
TITLE_MAX = 500
HINT_MAX = 5_000
FAULTS_MAX = 20

ATTRIBUTE_TYPES = ("choice", "number", "text", "boolean")
FIELD_TYPES = ("choice", "text", "number", "rating", "preference")
EMPTY: Obj = {"classes": [], "attributes": [], "fields": []}

# Okabe and Ito 2008 first (told apart with any colour vision), then steps round the hue circle.
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#b8a900", "#7b5ea7",
    "#c0392b", "#2e86ab", "#5d8233", "#a0522d", "#8e44ad", "#16a085", "#d68910", "#4b6584",
)  # fmt: skip
HOTKEYS = "123456789qwertyuiopasdfghjklzxcvbnm"

_is_color = re.compile(r"#[0-9a-f]{6}", re.ASCII).fullmatch


class _Faults(list[Fault]):
    def say(self, path: str, detail: str) -> None:
        if len(self) < FAULTS_MAX:
            self.append({"path": path, "detail": detail})

    def obj(self, path: str, value: object, allowed: Iterable[str], required: Iterable[str]) -> Obj | None:
        if not isinstance(value, dict):
            self.say(path, "must be an object")
            return None
        obj = cast(Obj, value)
        for key in obj:
            if key not in allowed:
                self.say(f"{path}.{key}" if path else key, "is not a key of an ontology")
        for key in required:
            if key not in obj:
                self.say(f"{path}.{key}", "is required")
        return obj

    def rows(self, path: str, value: object, most: int, least: int = 0) -> list[Any]:
        if not isinstance(value, list):
            self.say(path, "must be a list")
            return []
        items = cast(list[Any], value)
        if not least <= len(items) <= most:
            self.say(path, f"must have {least} to {most:,} entries")
        return items[:most]

    def text(self, path: str, value: object, longest: int, shortest: int = 0) -> bool:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            self.say(path, f"must be a text of {shortest} to {longest:,} characters")
            return False
        return True

    def one_of(self, path: str, value: object, choices: tuple[str, ...]) -> bool:
        if value not in choices:
            self.say(path, f"must be one of {', '.join(choices)}")
            return False
        return True

    def flags(self, path: str, obj: Obj, *names: str) -> None:
        for name in names:
            if name in obj and not isinstance(obj[name], bool):
                self.say(f"{path}.{name}", "must be true or false")

    def unique(self, path: str, name: str, seen: set[str]) -> None:
        if name in seen:
            self.say(path, f"{name!r} is there twice")
        seen.add(name)


def _check_class(f: _Faults, path: str, value: object, attributes: set[str], seen: set[str], keys: set[str]) -> None:
    c = f.obj(path, value, ("name", "color", "hotkey", "kinds", "title", "attributes"), ("name", "kinds"))
    if c is None:
        return
    if "name" in c and f.text(f"{path}.name", c["name"], NAME_MAX, 1):
        f.unique(f"{path}.name", c["name"], seen)
    if "color" in c and not (isinstance(c["color"], str) and _is_color(c["color"].lower())):
        f.say(f"{path}.color", "must be #rrggbb")
    if "hotkey" in c and f.text(f"{path}.hotkey", c["hotkey"], 1, 1):
        f.unique(f"{path}.hotkey", c["hotkey"], keys)
    if "title" in c:
        f.text(f"{path}.title", c["title"], TITLE_MAX)
    if "kinds" in c:
        kinds = f.rows(f"{path}.kinds", c["kinds"], len(CLASSED), 1)
        for i, kind in enumerate(kinds):
            f.one_of(f"{path}.kinds[{i}]", kind, tuple(sorted(CLASSED)))
    if "attributes" in c:
        for i, name in enumerate(f.rows(f"{path}.attributes", c["attributes"], ATTRIBUTES_MAX)):
            if not isinstance(name, str) or name not in attributes:
                f.say(f"{path}.attributes[{i}]", "names no attribute of this ontology")


def _check_attribute(f: _Faults, path: str, value: object, seen: set[str]) -> None:
    a = f.obj(path, value, ("name", "type", "title", "choices", "multiple", "required", "when"), ("name", "type"))
    if a is None:
        return
    if "name" in a and f.text(f"{path}.name", a["name"], NAME_MAX, 1):
        f.unique(f"{path}.name", a["name"], seen)
    if "type" in a:
        f.one_of(f"{path}.type", a["type"], ATTRIBUTE_TYPES)
    if "title" in a:
        f.text(f"{path}.title", a["title"], TITLE_MAX)
    f.flags(path, a, "multiple", "required")
    if a.get("type") == "choice":
        values: set[str] = set()
        for i, v in enumerate(f.rows(f"{path}.choices", a.get("choices"), CHOICES_MAX, 1)):
            if f.text(f"{path}.choices[{i}]", v, NAME_MAX, 1):
                f.unique(f"{path}.choices[{i}]", v, values)
    elif "choices" in a:
        f.say(f"{path}.choices", "belongs to attributes of type choice only")


FIELD_KEYS = (
    "key", "type", "title", "hint", "choices", "multiple", "required",
    "min", "max", "step", "target", "long", "prefill", "when",
)  # fmt: skip


def _check_field(f: _Faults, path: str, value: object, seen: set[str]) -> None:
    d = f.obj(path, value, FIELD_KEYS, ("key", "type"))
    if d is None:
        return
    if "key" in d and f.text(f"{path}.key", d["key"], NAME_MAX, 1):
        f.unique(f"{path}.key", d["key"], seen)
    if "type" in d:
        f.one_of(f"{path}.type", d["type"], FIELD_TYPES)
    if "title" in d:
        f.text(f"{path}.title", d["title"], TITLE_MAX)
    if "hint" in d:
        f.text(f"{path}.hint", d["hint"], HINT_MAX)
    f.flags(path, d, "multiple", "required", "long")
    if d.get("type") == "choice":
        _check_choices(f, path, d)
    elif "choices" in d:
        f.say(f"{path}.choices", "belongs to fields of type choice only")
    if d.get("type") in ("number", "rating"):
        _check_scale(f, path, d)
    if "target" in d:
        f.one_of(f"{path}.target", d["target"], ("task", "answers"))
        if d["target"] == "answers" and d.get("type") in ("choice", "preference"):
            f.say(f"{path}.target", f"a {d['type']} is asked of the task, not of each answer")
    if "prefill" in d:
        f.one_of(f"{path}.prefill", d["prefill"], ("answer",))
        if d.get("type") != "text":
            f.say(f"{path}.prefill", "belongs to fields of type text only")


def _check_choices(f: _Faults, path: str, d: Obj) -> None:
    seen: set[str] = set()
    keys: set[str] = set()
    for i, value in enumerate(f.rows(f"{path}.choices", d.get("choices"), CHOICES_MAX, 1)):
        at = f"{path}.choices[{i}]"
        choice = f.obj(at, value, ("value", "label", "hotkey"), ("value",))
        if choice is None:
            continue
        if "value" in choice and f.text(f"{at}.value", choice["value"], TITLE_MAX, 1):
            f.unique(f"{at}.value", choice["value"], seen)
        if "label" in choice:
            f.text(f"{at}.label", choice["label"], TITLE_MAX)
        if "hotkey" in choice and f.text(f"{at}.hotkey", choice["hotkey"], 1, 1):
            f.unique(f"{at}.hotkey", choice["hotkey"], keys)


def _check_scale(f: _Faults, path: str, d: Obj) -> None:
    for name in ("min", "max", "step"):
        if name in d and not is_number(d[name]):
            f.say(f"{path}.{name}", "must be a finite number")
            return
    if "min" in d and "max" in d and d["min"] > d["max"]:
        f.say(f"{path}.max", "is below min")
    if "step" in d and d["step"] <= 0:
        f.say(f"{path}.step", "must be above 0")


def _size(value: object) -> bool:
    return is_number(value) and value >= 0


def _count(value: object) -> bool:
    return is_whole(value) and 0 <= value <= 10_000


def _flag(value: object) -> bool:
    return isinstance(value, bool)


LIMITS: dict[str, dict[str, tuple[Callable[[object], bool], str]]] = {
    "box": {
        "min_w": (_size, "must be a number, 0 or more"),
        "min_h": (_size, "must be a number, 0 or more"),
        "can_rotate": (_flag, "must be true or false"),
    },
    "polygon": {
        "min_points": (_count, "must be a whole number from 0 to 10,000"),
        "max_points": (_count, "must be a whole number from 0 to 10,000"),
    },
    "line": {
        "min_points": (_count, "must be a whole number from 0 to 10,000"),
        "max_points": (_count, "must be a whole number from 0 to 10,000"),
    },
}


def _check_limits(f: _Faults, value: object) -> None:
    limits = f.obj("limits", value, LIMITS, ())
    for kind, given in (limits or {}).items():
        allowed = LIMITS.get(kind)
        if allowed is None:
            continue
        limit = f.obj(f"limits.{kind}", given, allowed, ()) or {}
        for name, v in limit.items():
            if name in allowed and not allowed[name][0](v):
                f.say(f"limits.{kind}.{name}", allowed[name][1])
        low, high = limit.get("min_points"), limit.get("max_points")
        if _count(low) and _count(high) and cast(int, low) > cast(int, high):
            f.say(f"limits.{kind}.max_points", "is below min_points")


def _check_conditions(f: _Faults, part: str, key: str, ontology: Obj, names: dict[str, set[str]]) -> None:
    """`names`: what the conditions of this part may refer to. The rest of the ontology is known to be right."""
    rows = cast(list[Obj], ontology.get(part, []))
    for i, row in enumerate(rows):
        if "when" in row:
            for fault in faults_in(f"{part}[{i}].when", row["when"], names):
                f.say(fault["path"], fault["detail"])
    circle = None if f else circle_in({row[key]: row["when"] for row in rows if "when" in row})
    if circle is not None:
        at = next(i for i, row in enumerate(rows) if row[key] == circle)
        f.say(f"{part}[{at}].when", "depends on itself")


def check_ontology(value: object) -> None:
    """Raise `Invalid` that names every fault (the first twenty) with its path."""
    f = _Faults()
    o = f.obj("", value, ("classes", "attributes", "fields", "limits"), ())
    if o is not None:
        attributes: set[str] = set()
        for i, a in enumerate(f.rows("attributes", o.get("attributes", []), ATTRIBUTES_MAX)):
            _check_attribute(f, f"attributes[{i}]", a, attributes)
        classes: set[str] = set()
        keys: set[str] = set()
        for i, c in enumerate(f.rows("classes", o.get("classes", []), CLASSES_MAX)):
            _check_class(f, f"classes[{i}]", c, attributes, classes, keys)
        fields: set[str] = set()
        for i, d in enumerate(f.rows("fields", o.get("fields", []), FIELDS_MAX)):
            _check_field(f, f"fields[{i}]", d, fields)
        if not f:
            _check_conditions(f, "attributes", "name", o, {"class": classes, "attribute": attributes})
            _check_conditions(f, "fields", "key", o, {"field": fields})
        if "limits" in o:
            _check_limits(f, o["limits"])
    if f:
        first = f[0]
        at = f"{first['path']}: " if first["path"] else ""
        raise Invalid(f"The ontology cannot be used: {at}{first['detail']}.", errors=f)


def with_defaults(ontology: Obj) -> Obj:
    """A copy with all three lists present, and a colour and a hotkey for every class that has none."""
    taken_colors = {str(c["color"]).lower() for c in ontology.get("classes", []) if "color" in c}
    taken_keys = {c["hotkey"] for c in ontology.get("classes", []) if "hotkey" in c}
    colors = _free(PALETTE, taken_colors)
    hotkeys = [k for k in HOTKEYS if k not in taken_keys]
    classes: list[Obj] = []
    for i, c in enumerate(ontology.get("classes", [])):
        copy = dict(c)
        if "color" not in copy:
            copy["color"] = colors.pop(0) if colors else _hue(i)
        if "hotkey" not in copy and hotkeys:
            copy["hotkey"] = hotkeys.pop(0)
        classes.append(copy)
    out: Obj = {
        "classes": classes,
        "attributes": list(ontology.get("attributes", [])),
        "fields": [_field_with_hotkeys(d) for d in ontology.get("fields", [])],
    }
    if ontology.get("limits"):
        out["limits"] = ontology["limits"]
    return out


def _free(palette: tuple[str, ...], taken: set[str]) -> list[str]:
    return [c for c in palette if c not in taken]


def _hue(i: int) -> str:
    """A colour for class `i` beyond the palette: golden-angle steps round the hue circle, even lightness."""
    hue = (i * 137.508) % 360 / 60
    high, low = 176, 64
    middle = round(low + (high - low) * (1 - abs(hue % 2 - 1)))
    r, g, b = ((high, middle, low), (middle, high, low), (low, high, middle),
               (low, middle, high), (middle, low, high), (high, low, middle))[int(hue)]  # fmt: skip
    return f"#{r:02x}{g:02x}{b:02x}"


def _field_with_hotkeys(field: Obj) -> Obj:
    choices = cast(list[Obj] | None, field.get("choices"))
    if not choices:
        return field
    taken = {c.get("hotkey") for c in choices}
    free = [k for k in HOTKEYS if k not in taken]
    return {**field, "choices": [c if "hotkey" in c or not free else {**c, "hotkey": free.pop(0)} for c in choices]}


def _names(ontology: Obj, part: str, key: str) -> dict[str, Obj]:
    return {row[key]: row for row in ontology.get(part, [])}


def summary_of_change(old: Obj, new: Obj) -> str:
    """What an annotator should know about the change, in a line; empty when nothing has changed."""
    said: list[str] = []
    parts = (
        ("classes", "name", "class", "classes"),
        ("attributes", "name", "attribute", "attributes"),
        ("fields", "key", "field", "fields"),
    )
    for part, key, word, plural in parts:
        before, after = _names(old, part, key), _names(new, part, key)
        for verb, names in (
            ("added", [n for n in after if n not in before]),
            ("removed", [n for n in before if n not in after]),
            ("changed", [n for n in after if n in before and after[n] != before[n]]),
        ):
            if names:
                shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
                said.append(f"{verb} {word if len(names) == 1 else plural} {shown}")
        if list(before) != list(after) and before == after:
            said.append(f"reordered {plural}")
    if (old.get("limits") or {}) != (new.get("limits") or {}):
        said.append("changed limits")
    line = "; ".join(said)
    return line[:1].upper() + line[1:]
