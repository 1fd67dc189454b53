"""A polygon: `points` [[x, y], ...], at least 3, closed by itself; it may be concave or cross itself."""

from evenhand.pure.kinds.geometry import bounds_of, polygon_area, polygon_iou
from evenhand.pure.kinds.kind import Bounds, Kind, Obj, check_points, keys, ordered


def _check(a: Obj) -> None:
    check_points(a["points"], 3)


def _normalise(a: Obj) -> Obj:
    out = ordered(a, "points")
    out["points"] = [list(p) for p in a["points"]]
    return out


def _bounds(a: Obj) -> Bounds:
    return bounds_of(a["points"])


def _area(a: Obj) -> float:
    return polygon_area(a["points"])


def _distance(a: Obj, b: Obj) -> float:
    """1 - intersection over union."""
    if a["points"] == b["points"]:
        return 0.0
    return 1.0 - polygon_iou(a["points"], b["points"])


_required, _allowed = keys("points", classed=True)
POLYGON = Kind("polygon", True, _required, _allowed, _check, _normalise, _bounds, _area, _distance)
