"""The written list of kinds, and what can be said of any annotation. A new kind is one file and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from evenhand.pure.kinds.box import BOX
from evenhand.pure.kinds.choice import CHOICE
from evenhand.pure.kinds.kind import Bounds, Kind, Obj, check_common, wrong
from evenhand.pure.kinds.line import LINE
from evenhand.pure.kinds.point import POINT
from evenhand.pure.kinds.polygon import POLYGON
from evenhand.pure.kinds.preference import PREFERENCE
from evenhand.pure.kinds.rating import RATING
from evenhand.pure.kinds.span import SPAN
from evenhand.pure.kinds.text import TEXT

KINDS: tuple[Kind, ...] = (BOX, POLYGON, LINE, POINT, SPAN, CHOICE, TEXT, RATING, PREFERENCE)
BY_NAME: Mapping[str, Kind] = MappingProxyType({k.name: k for k in KINDS})
CLASSED: frozenset[str] = frozenset(k.name for k in KINDS if k.classed)
SPATIAL: frozenset[str] = frozenset(("box", "polygon", "line", "point"))


def check_annotation(obj: object) -> Kind:
    """Raise `Invalid` with the path of the first thing wrong; else give the annotation's kind."""
    if type(obj) is not dict:
        raise wrong("", "an annotation must be an object")
    a = cast(Obj, obj)
    name = a.get("kind")
    kind = BY_NAME.get(name) if type(name) is str else None
    if kind is None:
        raise wrong("kind", f"must be one of {', '.join(BY_NAME)}")
    check_common(kind, a)
    kind.check(a)
    return kind


def normalise(a: Obj) -> Obj:
    return BY_NAME[a["kind"]].normalise(a)


def bounds(a: Obj) -> Bounds | None:
    return BY_NAME[a["kind"]].bounds(a)


def area(a: Obj) -> float:
    return BY_NAME[a["kind"]].area(a)


def distance(a: Obj, b: Obj) -> float:
    """0 (same place, same value) .. 1. Annotations of different kinds have nothing in common."""
    return BY_NAME[a["kind"]].distance(a, b) if a["kind"] == b["kind"] else 1.0
