"""A choice: `field` and the `values` chosen, at least one, each once."""

from typing import cast

from evenhand.pure.kinds.kind import (
    NAME_MAX,
    Kind,
    Obj,
    check_text,
    check_texts,
    keys,
    no_area,
    no_bounds,
    ordered,
    wrong,
)


def _check(a: Obj) -> None:
    check_text("field", a["field"], NAME_MAX, 1)
    values = a["values"]
    if type(values) is not list or not values:
        raise wrong("values", "must be a list of at least one text")
    check_texts("values", cast(list[object], values))
    if len(set(cast(list[str], values))) != len(cast(list[str], values)):
        raise wrong("values", "names a value twice")


def _normalise(a: Obj) -> Obj:
    out = ordered(a, "field", "values")
    out["values"] = list(a["values"])
    return out


def _distance(a: Obj, b: Obj) -> float:
    """0 for the same set of values, else 1: no half marks."""
    return 0.0 if set(a["values"]) == set(b["values"]) else 1.0


_required, _allowed = keys("field", "values", classed=False)
CHOICE = Kind("choice", False, _required, _allowed, _check, _normalise, no_bounds, no_area, _distance)
