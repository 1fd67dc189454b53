"""Laws of plane geometry, on shapes of any make."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evenhand.pure.kinds.geometry import (
    XY,
    along,
    bounds_of,
    clip_to_rectangle,
    corners,
    mean_gap,
    polygon_area,
    polygon_iou,
)

numbers = st.floats(-1000, 1000, width=32)
points = st.tuples(numbers, numbers)
polygons = st.lists(points, min_size=3, max_size=12)
sides = st.floats(0.5, 500, width=32)
rectangles = st.tuples(numbers, numbers, sides, sides)
angles = st.floats(-math.pi, math.pi)


@st.composite
def convex(draw: st.DrawFn) -> list[XY]:
    """Corners on an ellipse, in order."""
    at = sorted(draw(st.lists(st.floats(0, 6.28), min_size=3, max_size=10, unique=True)))
    x, y, a, b = draw(numbers), draw(numbers), draw(sides), draw(sides)
    return [(x + a * math.cos(t), y + b * math.sin(t)) for t in at]


@given(polygons, st.integers(0, 11), points)
def test_area_does_not_depend_on_where_one_begins(shape: list[XY], turn: int, by: XY) -> None:
    whole = polygon_area(shape)
    turned = shape[turn % len(shape) :] + shape[: turn % len(shape)]
    close = {"rel": 1e-6, "abs": 1e-6}
    assert polygon_area(turned) == pytest.approx(whole, **close)
    assert polygon_area(shape[::-1]) == pytest.approx(whole, **close)
    assert polygon_area([(x + by[0], y + by[1]) for x, y in shape]) == pytest.approx(whole, **close)


@given(rectangles, angles)
def test_a_turned_box_keeps_its_area_and_its_centre(box: tuple[float, float, float, float], angle: float) -> None:
    x, y, w, h = box
    turned = corners(x, y, w, h, angle)
    assert polygon_area(turned) == pytest.approx(w * h, rel=1e-6)
    assert sum(p[0] for p in turned) / 4 == pytest.approx(x + w / 2, abs=1e-6)
    assert sum(p[1] for p in turned) / 4 == pytest.approx(y + h / 2, abs=1e-6)
    low_x, low_y, high_x, high_y = bounds_of(turned)
    assert high_x - low_x <= math.hypot(w, h) + 1e-6 and high_y - low_y <= math.hypot(w, h) + 1e-6


@given(polygons, rectangles)
def test_what_is_clipped_lies_inside(shape: list[XY], box: tuple[float, float, float, float]) -> None:
    x, y, w, h = box
    inside = clip_to_rectangle(shape, x, y, x + w, y + h)
    for px, py in inside:
        assert x - 1e-6 <= px <= x + w + 1e-6 and y - 1e-6 <= py <= y + h + 1e-6
    if inside:
        again = clip_to_rectangle(inside, x, y, x + w, y + h)
        assert polygon_area(again) == pytest.approx(polygon_area(inside), rel=1e-6, abs=1e-6)


@given(convex(), rectangles)
def test_two_ways_to_the_same_overlap(shape: list[XY], box: tuple[float, float, float, float]) -> None:
    """Clipping, and counting on scan lines, find the same part of a convex shape in a rectangle."""
    x, y, w, h = box
    assume(polygon_area(shape) > 1)
    inside = clip_to_rectangle(shape, x, y, x + w, y + h)
    shared = polygon_area(inside) if len(inside) >= 3 else 0.0
    share = shared / (polygon_area(shape) + w * h - shared)
    assert polygon_iou(shape, corners(x, y, w, h, 0)) == pytest.approx(share, abs=0.01)


@given(polygons, polygons)
def test_overlap_is_a_share_and_the_same_both_ways(a: list[XY], b: list[XY]) -> None:
    found = polygon_iou(a, b)
    assert 0 <= found <= 1
    assert polygon_iou(b, a) == pytest.approx(found, abs=1e-9)
    assert polygon_iou(a, a) == pytest.approx(1, abs=1e-9)


@given(st.lists(points, min_size=2, max_size=8), st.integers(2, 64))
def test_points_along_a_line_lie_on_it(line: list[XY], count: int) -> None:
    found = along(line, count)
    assert len(found) == count
    assert found[0] == pytest.approx(line[0]) and found[-1] == pytest.approx(line[-1], abs=1e-6)
    assert mean_gap(found, line) == pytest.approx(0, abs=1e-3)


def test_a_gap_is_a_distance() -> None:
    assert mean_gap([(0, 3), (5, 3)], [(0, 0), (10, 0)]) == pytest.approx(3)
    assert mean_gap([(-3, -4)], [(0, 0), (10, 0)]) == pytest.approx(5), "beyond the end it is the end that counts"
