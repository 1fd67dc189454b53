"""A number given to the task or to one answer: `field`, `value`, optional `target`."""

from evenhand.pure.kinds.kind import NAME_MAX, Kind, Obj, check_text, keys, no_area, no_bounds, ordered, wrong
from evenhand.pure.numbers import is_number


def _check(a: Obj) -> None:
    check_text("field", a["field"], NAME_MAX, 1)
    if not is_number(a["value"]):
        raise wrong("value", "must be a finite number")
    if "target" in a:
        check_text("target", a["target"], NAME_MAX, 1)


def _normalise(a: Obj) -> Obj:
    return ordered(a, "field", "value", "target")


def _distance(a: Obj, b: Obj) -> float:
    """Difference over the larger of the two (and of 1)."""
    s, t = float(a["value"]), float(b["value"])
    scale = max(abs(s), abs(t), 1.0)
    return min(1.0, abs(s / scale - t / scale))


_required, _allowed = keys("field", "value", classed=False, optional=("target",))
RATING = Kind("rating", False, _required, _allowed, _check, _normalise, no_bounds, no_area, _distance)
