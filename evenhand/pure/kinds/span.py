"""A span of text: `start, end` in code points, half open. Spans may overlap."""

from evenhand.pure.kinds.kind import Kind, Obj, keys, no_bounds, ordered, wrong
from evenhand.pure.numbers import is_whole

OFFSET_MAX = 10_000_000


def _check(a: Obj) -> None:
    start, end = a["start"], a["end"]
    if not is_whole(start) or not 0 <= start <= OFFSET_MAX:
        raise wrong("start", "must be a whole number of code points, 0 or more")
    if not is_whole(end) or not start < end <= OFFSET_MAX:
        raise wrong("end", "must be a whole number of code points after start")


def _normalise(a: Obj) -> Obj:
    out = ordered(a, "start", "end")
    out["start"], out["end"] = int(a["start"]), int(a["end"])
    return out


def _area(a: Obj) -> float:
    return float(a["end"] - a["start"])


def _distance(a: Obj, b: Obj) -> float:
    """1 - characters in common over characters in either."""
    both = min(a["end"], b["end"]) - max(a["start"], b["start"])
    if both <= 0:
        return 1.0
    return 1.0 - both / (a["end"] - a["start"] + b["end"] - b["start"] - both)


_required, _allowed = keys("start", "end", classed=True)
SPAN = Kind("span", True, _required, _allowed, _check, _normalise, no_bounds, _area, _distance)
