"""A box: `x, y, w, h` in pixels, optionally turned clockwise about its centre by `angle_rad`."""

import math

from evenhand.pure.kinds.geometry import bounds_of, corners, polygon_iou
from evenhand.pure.kinds.kind import Bounds, Kind, Obj, keys, ordered, wrong
from evenhand.pure.numbers import is_coordinate


def _check(a: Obj) -> None:
    x, y, w, h = a["x"], a["y"], a["w"], a["h"]
    if not is_coordinate(x):
        raise wrong("x", "must be a finite number of at most 1e7")
    if not is_coordinate(y):
        raise wrong("y", "must be a finite number of at most 1e7")
    if not is_coordinate(w) or w <= 0:
        raise wrong("w", "must be a number above 0 and at most 1e7")
    if not is_coordinate(h) or h <= 0:
        raise wrong("h", "must be a number above 0 and at most 1e7")
    if "angle_rad" in a and not is_coordinate(a["angle_rad"]):
        raise wrong("angle_rad", "must be a finite number")


def _normalise(a: Obj) -> Obj:
    out = ordered(a, "x", "y", "w", "h", "angle_rad")
    if "angle_rad" in out:
        angle = math.remainder(out["angle_rad"], 2 * math.pi)
        if angle:
            out["angle_rad"] = angle
        else:
            del out["angle_rad"]
    return out


def outline(a: Obj) -> list[tuple[float, float]]:
    """Its four corners, turned."""
    return corners(a["x"], a["y"], a["w"], a["h"], a.get("angle_rad", 0.0))


def _bounds(a: Obj) -> Bounds:
    if a.get("angle_rad"):
        return bounds_of(outline(a))
    return (float(a["x"]), float(a["y"]), float(a["x"] + a["w"]), float(a["y"] + a["h"]))


def _area(a: Obj) -> float:
    return float(a["w"] * a["h"])


def _distance(a: Obj, b: Obj) -> float:
    """1 - intersection over union."""
    ax, ay, aw, ah, aa = a["x"], a["y"], a["w"], a["h"], a.get("angle_rad", 0)
    bx, by, bw, bh, ba = b["x"], b["y"], b["w"], b["h"], b.get("angle_rad", 0)
    if ax == bx and ay == by and aw == bw and ah == bh and aa == ba:
        return 0.0
    if aa or ba:
        return 1.0 - polygon_iou(outline(a), outline(b))
    w = min(ax + aw, bx + bw) - max(ax, bx)
    h = min(ay + ah, by + bh) - max(ay, by)
    if w <= 0 or h <= 0:
        return 1.0
    both = w * h
    either = aw * ah + bw * bh - both
    return max(0.0, min(1.0, 1.0 - both / either)) if either > 0 else 1.0


_required, _allowed = keys("x", "y", "w", "h", classed=True, optional=("angle_rad",))
BOX = Kind("box", True, _required, _allowed, _check, _normalise, _bounds, _area, _distance)
