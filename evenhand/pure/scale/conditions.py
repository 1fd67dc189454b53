"""`conditions` of attributes and unit fields, as the native `when`.

An object asks for all of its keys, a list for any of its entries, `not` turns round what it holds; a list of values is met by
any of them. Attributes wrap this in `label_condition` (on the class) and `attribute_conditions` (on other attributes): both
have to hold. What cannot be read this way gives None, and is told to the annotator in words instead.
"""

from collections.abc import Mapping
from typing import Any, cast

from evenhand.pure.numbers import is_number
from evenhand.pure.scale.checks import Obj, as_text

DEEP_MOST = 6


class _Unread(Exception):
    """This is not a condition that we know how to read."""


def labels_of(rule: object) -> list[str]:
    """The labels of a `label_condition`; empty when it names none."""
    if not isinstance(rule, dict):
        return []
    named = cast(Obj, rule).get("label", cast(Obj, rule).get("labels"))
    rows = cast(list[object], named) if isinstance(named, list) else [named]
    return [row for row in rows if isinstance(row, str)]


def attribute_when(conditions: object, attributes: Mapping[str, Obj]) -> Obj | None:
    """The part of an attribute's conditions that is about other attributes, whose native forms are given by name."""
    if not isinstance(conditions, dict):
        return None
    given = cast(Obj, conditions)
    if set(given) - {"label_condition", "attribute_conditions"}:
        return None
    return _read(given.get("attribute_conditions"), "attribute", attributes)


def field_when(conditions: object, fields: Mapping[str, Obj]) -> Obj | None:
    """The conditions of a unit field; `fields` holds the native form of every field by its key."""
    return _read(conditions, "field", fields)


def _read(value: object, head: str, known: Mapping[str, Obj]) -> Obj | None:
    try:
        return _condition(value, head, known, 0)
    except _Unread:
        return None


def _condition(value: object, head: str, known: Mapping[str, Obj], depth: int) -> Obj:
    if depth > DEEP_MOST:
        raise _Unread
    if isinstance(value, list) and value:
        return _one_of("any", [_condition(v, head, known, depth + 1) for v in cast(list[object], value)])
    if not isinstance(value, dict) or not value:
        raise _Unread
    parts: list[Obj] = []
    for key, wanted in cast(dict[str, Any], value).items():
        if key in known:
            parts.append(_leaf(key, wanted, head, known[key]))
        elif key == "not":
            parts.append({"not": _condition(wanted, head, known, depth + 1)})
        else:
            raise _Unread
    return _one_of("all", parts)


def _leaf(name: str, wanted: object, head: str, row: Obj) -> Obj:
    if isinstance(wanted, dict) and set(cast(Obj, wanted)) == {"not"}:
        return {"not": _leaf(name, cast(Obj, wanted)["not"], head, row)}
    values = cast(list[object], wanted) if isinstance(wanted, list) else [wanted]
    if not values:
        raise _Unread
    return {head: name, "in": [_value(v, row) for v in values]}


def _value(value: object, row: Obj) -> object:
    """As an answer has it: a choice is text natively, whatever it was on the way in."""
    kind = row["type"]
    if kind in ("choice", "text") and isinstance(value, str | bool | int | float):
        return as_text(value)
    if (kind == "boolean" and isinstance(value, bool)) or (kind in ("number", "rating") and is_number(value)):
        return value
    raise _Unread


def _one_of(group: str, parts: list[Obj]) -> Obj:
    return parts[0] if len(parts) == 1 else {group: parts}
