"""An open line: `points` [[x, y], ...], at least 2."""

import math

from evenhand.pure.kinds.geometry import along, bounds_of, mean_gap
from evenhand.pure.kinds.kind import Bounds, Kind, Obj, check_points, keys, no_area, ordered

# Two lines whose mean gap is a tenth of the diagonal around them have nothing in common.
GAP_SHARE = 0.1


def _check(a: Obj) -> None:
    check_points(a["points"], 2)


def _normalise(a: Obj) -> Obj:
    out = ordered(a, "points")
    out["points"] = [list(p) for p in a["points"]]
    return out


def _bounds(a: Obj) -> Bounds:
    return bounds_of(a["points"])


def _distance(a: Obj, b: Obj) -> float:
    """Mean gap, both ways, over a tenth of the diagonal around both. The direction of drawing does not matter."""
    if a["points"] == b["points"]:
        return 0.0
    x0, y0, x1, y1 = bounds_of(a["points"] + b["points"])
    scale = GAP_SHARE * math.hypot(x1 - x0, y1 - y0)
    if scale <= 0:
        return 0.0
    pa, pb = along(a["points"]), along(b["points"])
    return min(1.0, (mean_gap(pa, pb) + mean_gap(pb, pa)) / 2 / scale)


_required, _allowed = keys("points", classed=True)
LINE = Kind("line", True, _required, _allowed, _check, _normalise, _bounds, no_area, _distance)
