"""A point: `x, y`."""

import math

from evenhand.pure.kinds.kind import Bounds, Kind, Obj, keys, no_area, ordered, wrong
from evenhand.pure.numbers import is_coordinate

# Two points this far apart have nothing in common: about a fingertip on a full-size photograph.
REACH_PX = 32.0


def _check(a: Obj) -> None:
    if not is_coordinate(a["x"]):
        raise wrong("x", "must be a finite number of at most 1e7")
    if not is_coordinate(a["y"]):
        raise wrong("y", "must be a finite number of at most 1e7")


def _normalise(a: Obj) -> Obj:
    return ordered(a, "x", "y")


def _bounds(a: Obj) -> Bounds:
    return (float(a["x"]), float(a["y"]), float(a["x"]), float(a["y"]))


def _distance(a: Obj, b: Obj) -> float:
    return min(1.0, math.hypot(a["x"] - b["x"], a["y"] - b["y"]) / REACH_PX)


_required, _allowed = keys("x", "y", classed=True)
POINT = Kind("point", True, _required, _allowed, _check, _normalise, _bounds, no_area, _distance)
