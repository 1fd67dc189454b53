"""Plane geometry for shapes: areas, overlaps, distances. Points are (x, y), y grows downward."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

Point = Sequence[float]
XY = tuple[float, float]

LINES = 128  # scan lines over a pair of polygons, at least
SAMPLES = 32  # points along a line that stand for it


def corners(x: float, y: float, w: float, h: float, angle_rad: float) -> list[XY]:
    """The four corners of a box turned clockwise about its centre: from top-left, clockwise."""
    cx, cy, c, s = x + w / 2, y + h / 2, math.cos(angle_rad), math.sin(angle_rad)
    halves = ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
    return [(cx + dx * c - dy * s, cy + dx * s + dy * c) for dx, dy in halves]


def bounds_of(points: Sequence[Point]) -> tuple[float, float, float, float]:
    xs = [p[0] for p in points]
    ys = [p[1] for p in points]
    return (float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys)))


def polygon_area(points: Sequence[Point]) -> float:
    """Shoelace, relative to the first point so that far-off polygons keep their digits."""
    ox, oy = points[0]
    total = 0.0
    for i in range(1, len(points) - 1):
        p, q = points[i], points[i + 1]
        total += (p[0] - ox) * (q[1] - oy) - (q[0] - ox) * (p[1] - oy)
    return abs(total) / 2


def clip_to_rectangle(points: Sequence[Point], x0: float, y0: float, x1: float, y1: float) -> list[XY]:
    """Sutherland and Hodgman 1974: the part of a polygon inside a rectangle (may touch itself along the edges)."""
    out: list[XY] = [(p[0], p[1]) for p in points]
    for axis, limit, above in ((0, x0, True), (0, x1, False), (1, y0, True), (1, y1, False)):
        given, out = out, []
        for i, q in enumerate(given):
            p = given[i - 1]
            p_in = p[axis] >= limit if above else p[axis] <= limit
            q_in = q[axis] >= limit if above else q[axis] <= limit
            if p_in != q_in:
                t = (limit - p[axis]) / (q[axis] - p[axis])
                other = p[1 - axis] + t * (q[1 - axis] - p[1 - axis])
                out.append((limit, other) if axis == 0 else (other, limit))
            if q_in:
                out.append(q)
    return out


def _lines(a: Sequence[Point], b: Sequence[Point]) -> tuple[list[float], list[float]]:
    """Heights of scan lines and their weights: between neighbouring corners widths change linearly, so lines in the
    middle of each slab measure areas exactly where nothing crosses."""
    ys = sorted({float(p[1]) for p in a} | {float(p[1]) for p in b})
    if len(ys) > 4 * LINES:
        low, high = ys[0], ys[-1]
        ys = [low + (high - low) * i / LINES / 4 for i in range(4 * LINES + 1)]
    per = max(1, -(-LINES // max(1, len(ys) - 1)))
    at: list[float] = []
    weight: list[float] = []
    for low, high in pairwise(ys):
        step = (high - low) / per
        at.extend(low + step * (k + 0.5) for k in range(per))
        weight.extend([step] * per)
    return at, weight


def _crossings(points: Sequence[Point], at: list[float]) -> list[list[float]]:
    rows: list[list[float]] = [[] for _ in at]
    px, py = points[-1][0], points[-1][1]
    for q in points:
        qx, qy = q[0], q[1]
        if py != qy:
            low, high = (py, qy) if py < qy else (qy, py)
            slope = (qx - px) / (qy - py)
            for row in range(bisect_left(at, low), bisect_left(at, high)):
                rows[row].append(px + slope * (at[row] - py))
        px, py = qx, qy
    for row in rows:
        row.sort()
    return rows


def _shared(a: list[float], b: list[float]) -> float:
    """Length that two sorted lists of (start, end, start, end, ...) have in common."""
    total, i, j = 0.0, 0, 0
    while i + 1 < len(a) and j + 1 < len(b):
        total += max(0.0, min(a[i + 1], b[j + 1]) - max(a[i], b[j]))
        if a[i + 1] < b[j + 1]:
            i += 2
        else:
            j += 2
    return total


def _length(a: list[float]) -> float:
    return sum(a[i + 1] - a[i] for i in range(0, len(a) - 1, 2))


def polygon_iou(a: Sequence[Point], b: Sequence[Point]) -> float:
    """Intersection over union by scan lines, even-odd rule: any polygon, self-crossing and concave ones too."""
    at, weight = _lines(a, b)
    both = either = 0.0
    for row_a, row_b, w in zip(_crossings(a, at), _crossings(b, at), weight, strict=True):
        shared = _shared(row_a, row_b)
        both += shared * w
        either += (_length(row_a) + _length(row_b) - shared) * w
    if either <= 0.0:  # no area on either side: the same corners or nothing in common
        return 1.0 if sorted(map(tuple, a)) == sorted(map(tuple, b)) else 0.0
    return min(1.0, max(0.0, both / either))


def along(points: Sequence[Point], count: int = SAMPLES) -> list[XY]:
    """`count` points at even steps along a line, both ends included."""
    ends = [0.0]
    for p, q in pairwise(points):
        ends.append(ends[-1] + math.hypot(q[0] - p[0], q[1] - p[1]))
    total = ends[-1]
    out: list[XY] = []
    i = 0
    for k in range(count):
        goal = total * k / (count - 1)
        while i < len(points) - 2 and ends[i + 1] < goal:
            i += 1
        span = ends[i + 1] - ends[i]
        t = min(1.0, (goal - ends[i]) / span) if span > 0 else 0.0
        p, q = points[i], points[i + 1]
        out.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
    return out


def mean_gap(a: Sequence[XY], b: Sequence[XY]) -> float:
    """Mean over the points of `a` of the distance to the nearest part of the line `b`."""
    total = 0.0
    for x, y in a:
        best = math.inf
        for (px, py), (qx, qy) in pairwise(b):
            dx, dy = qx - px, qy - py
            ex, ey = x - px, y - py
            length2 = dx * dx + dy * dy
            t = max(0.0, min(1.0, (ex * dx + ey * dy) / length2)) if length2 > 0 else 0.0
            ex, ey = ex - t * dx, ey - t * dy
            d2 = ex * ex + ey * ey
            if d2 < best:
                best = d2
        total += math.sqrt(best)
    return total / len(a)
