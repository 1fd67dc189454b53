"""What every kind of annotation can do, and the checks that all of them share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from evenhand.pure.numbers import is_coordinate, is_number
from evenhand.pure.trouble import Invalid

Obj = dict[str, Any]
Bounds = tuple[float, float, float, float]

ID_MAX = 64
CLASS_MAX = 200
NAME_MAX = 200
TEXT_MAX = 1_000_000
POINTS_MAX = 10_000
VALUES_MAX = 1_000
ATTRIBUTES_MAX = 200

_is_id = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. All functions take annotations that `check` has passed; none changes what it is given."""

    name: str
    classed: bool  # carries `class` and `attributes`
    required: frozenset[str]
    allowed: frozenset[str]
    check: Callable[[Obj], None]  # the kind's own keys; raises Invalid with the path
    normalise: Callable[[Obj], Obj]  # the one canonical spelling; idempotent
    bounds: Callable[[Obj], Bounds | None]  # x0, y0, x1, y1 in pixels; None where there is no place
    area: Callable[[Obj], float]  # square pixels; characters for spans; 0 where there is none
    distance: Callable[[Obj, Obj], float]  # 0 (same) .. 1 (nothing in common); symmetric


def wrong(path: str, detail: str) -> Invalid:
    return Invalid(f"{path}: {detail}" if path else detail, errors=[{"path": path, "detail": detail}])


def keys(*own: str, classed: bool, optional: tuple[str, ...] = ()) -> tuple[frozenset[str], frozenset[str]]:
    """(required, allowed) keys of a kind with these keys of its own."""
    required = {"id", "kind", *own, *(("class",) if classed else ())}
    return frozenset(required), frozenset(required | set(optional) | ({"attributes"} if classed else set()))


def check_common(kind: Kind, a: Obj) -> None:
    """Keys, id, class and attributes."""
    present = a.keys()
    if not present <= kind.allowed:
        extra = min(str(k) for k in present if k not in kind.allowed)
        raise wrong(extra, f"a {kind.name} has no such key")
    if not present >= kind.required:
        raise wrong(min(kind.required - present), "is required")
    id_ = a["id"]
    if type(id_) is not str or _is_id(id_) is None:
        raise wrong("id", "must be 1 to 64 of A-Z a-z 0-9 _ -")
    if kind.classed:
        name = a["class"]
        if type(name) is not str or not 1 <= len(name) <= CLASS_MAX:
            raise wrong("class", f"must be a text of 1 to {CLASS_MAX} characters")
        if "attributes" in a:
            check_attributes(a["attributes"])


def check_attributes(value: object) -> None:
    if type(value) is not dict:
        raise wrong("attributes", "must be an object")
    attributes = cast(dict[str, object], value)
    if len(attributes) > ATTRIBUTES_MAX:
        raise wrong("attributes", f"has more than {ATTRIBUTES_MAX} entries")
    for name, v in attributes.items():
        if not 1 <= len(name) <= NAME_MAX:
            raise wrong("attributes", f"a name must have 1 to {NAME_MAX} characters")
        if type(v) is list:
            check_texts(f"attributes.{name}", cast(list[object], v))
        elif type(v) is str:
            check_text(f"attributes.{name}", v)
        elif type(v) is not bool and not is_number(v):
            raise wrong(f"attributes.{name}", "must be a text, a finite number, true or false, or a list of texts")


def check_text(path: str, value: object, longest: int = TEXT_MAX, shortest: int = 0) -> None:
    if type(value) is not str:
        raise wrong(path, "must be a text")
    if not shortest <= len(value) <= longest:
        raise wrong(path, f"must have {shortest} to {longest:,} characters")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise wrong(path, "holds half of a surrogate pair, which no text file can keep") from None


def check_texts(path: str, values: list[object]) -> None:
    if len(values) > VALUES_MAX:
        raise wrong(path, f"has more than {VALUES_MAX:,} entries")
    for i, v in enumerate(values):
        if type(v) is not str:
            raise wrong(f"{path}[{i}]", "must be a text")
        check_text(f"{path}[{i}]", v)


def check_points(value: object, least: int) -> None:
    """`points`: [[x, y], ...], finite, |coordinate| <= 1e7."""
    if type(value) is not list:
        raise wrong("points", "must be a list of [x, y]")
    points = cast(list[object], value)
    if not least <= len(points) <= POINTS_MAX:
        raise wrong("points", f"must have {least} to {POINTS_MAX:,} points")
    for i, p in enumerate(points):
        if type(p) is not list or len(cast(list[object], p)) != 2:
            raise wrong(f"points[{i}]", "must be [x, y]")
        x, y = cast(list[object], p)
        if not is_coordinate(x):
            raise wrong(f"points[{i}][0]", "must be a finite number of at most 1e7")
        if not is_coordinate(y):
            raise wrong(f"points[{i}][1]", "must be a finite number of at most 1e7")


def ordered(a: Obj, *own: str) -> Obj:
    """A copy with keys in the one order: id, kind, class, own keys, attributes unless empty."""
    out: Obj = {"id": a["id"], "kind": a["kind"]}
    if "class" in a:
        out["class"] = a["class"]
    for key in own:
        if key in a:
            out[key] = a[key]
    if a.get("attributes"):
        attributes = cast(Obj, a["attributes"])
        out["attributes"] = {k: list(cast(list[str], v)) if type(v) is list else v for k, v in attributes.items()}
    return out


def no_bounds(a: Obj) -> Bounds | None:
    return None


def no_area(a: Obj) -> float:
    return 0.0
