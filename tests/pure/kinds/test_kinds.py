"""Laws over the whole list of kinds, and the golden fixtures that the browser's tests read too."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.kinds.kind import POINTS_MAX
from evenhand.pure.kinds.listing import BY_NAME, KINDS, area, bounds, check_annotation, distance, normalise
from evenhand.pure.trouble import Invalid
from tests.pure.strategies import BY_KIND, annotations

FIXTURES = Path(__file__).parents[3] / "fixtures" / "kinds"
Obj = dict[str, Any]


def cases() -> list[tuple[str, Obj]]:
    return [
        (f"{path.parent.name}/{path.name}", json.loads(path.read_text("utf-8")))
        for path in sorted(FIXTURES.glob("*/*.json"))
    ]


def test_every_kind_has_fixtures_and_a_strategy() -> None:
    assert {k.name for k in KINDS} == set(BY_KIND) == set(BY_NAME)
    with_fixtures = {name.split("/")[0] for name, _ in cases()}
    assert {"span", "choice", "text", "rating", "preference"} <= with_fixtures <= set(BY_NAME)


@pytest.mark.parametrize(("name", "fixture"), cases(), ids=lambda v: v if isinstance(v, str) else "")
def test_fixtures(name: str, fixture: Obj) -> None:
    for a in fixture["accept"]:
        assert check_annotation(a).name == name.split("/")[0]
        assert check_annotation(normalise(a)).name == a["kind"]
    for case in fixture["refuse"]:
        with pytest.raises(Invalid) as trouble:
            check_annotation(case["annotation"])
        assert trouble.value.errors[0]["detail"], case["why"]


@pytest.mark.parametrize("kind", list(BY_KIND))
@given(data=st.data())
def test_laws(kind: str, data: st.DataObject) -> None:
    a, b = data.draw(BY_KIND[kind]), data.draw(BY_KIND[kind])
    before = copy.deepcopy((a, b))
    check_annotation(a)
    d = distance(a, b)
    assert d == distance(b, a)
    assert 0.0 <= d <= 1.0
    assert distance(a, a) == distance(a, copy.deepcopy(a)) == 0.0
    n = normalise(a)
    check_annotation(n)
    assert normalise(n) == n
    assert distance(a, n) <= 1e-6
    assert json.loads(json.dumps(n)) == n
    where, was = bounds(n), bounds(a)
    assert (where is None) == (was is None)
    if where and was:
        assert where[0] <= where[2]
        assert where[1] <= where[3]
        assert where == pytest.approx(was, abs=1e-6)
        if kind != "polygon":  # a polygon that crosses itself may count a part twice
            assert area(a) <= 4 * (where[2] - where[0]) * (where[3] - where[1]) + 1e-6
    assert area(a) >= 0
    assert (a, b) == before


@given(annotations, annotations)
def test_kinds_do_not_mix(a: Obj, b: Obj) -> None:
    if a["kind"] != b["kind"]:
        assert distance(a, b) == 1.0


@given(annotations, st.text(min_size=1, max_size=8))
def test_unknown_keys_are_refused(a: Obj, key: str) -> None:
    if key not in BY_NAME[a["kind"]].allowed:
        with pytest.raises(Invalid) as trouble:
            check_annotation({**a, key: 1})
        assert trouble.value.errors[0]["path"] == key


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["id", "kind", "class", "x", "points", "values", "field"]), inner)
        ),
    )
)
def test_anything_else_is_refused_and_never_crashes(value: object) -> None:
    with pytest.raises(Invalid):
        check_annotation(value)


BOX: Obj = {"id": "a", "kind": "box", "class": "car", "x": 1, "y": 2, "w": 3, "h": 4}


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("w", 0, "w"),
        ("h", -1.0, "h"),
        ("x", float("nan"), "x"),
        ("y", float("inf"), "y"),
        ("x", 10_000_001, "x"),
        ("x", 10**400, "x"),
        ("x", True, "x"),
        ("x", "1", "x"),
        ("angle_rad", None, "angle_rad"),
        ("class", "c" * 201, "class"),
        ("id", "ä", "id"),
        ("id", "a\n", "id"),
        ("kind", "ellipse", "kind"),
        ("attributes", {"a": float("nan")}, "attributes.a"),
        ("attributes", {"a": "\ud800"}, "attributes.a"),
    ],
)
def test_box_faults_name_their_path(key: str, value: object, path: str) -> None:
    with pytest.raises(Invalid) as trouble:
        check_annotation({**BOX, key: value})
    assert trouble.value.errors[0]["path"] == path


def test_points_faults_name_the_point() -> None:
    shape: Obj = {"id": "a", "kind": "polygon", "class": "c", "points": [[0, 0], [1, 1], [2, "3"]]}
    with pytest.raises(Invalid) as trouble:
        check_annotation(shape)
    assert trouble.value.errors[0]["path"] == "points[2][1]"
    with pytest.raises(Invalid):
        check_annotation({**shape, "points": [[0, 0]] * (POINTS_MAX + 1)})


def test_overlaps_are_those_of_geometry() -> None:
    other = {**BOX, "x": 2.5}  # half of the width in common
    assert distance(BOX, other) == pytest.approx(1 - 1.5 * 4 / (12 + 12 - 6))
    quarter = {**BOX, "w": 4, "angle_rad": 1.5707963267948966}
    assert distance({**BOX, "w": 4}, quarter) == pytest.approx(0, abs=1e-6)
    square = {"id": "p", "kind": "polygon", "class": "c", "points": [[0, 0], [4, 0], [4, 4], [0, 4]]}
    ell = {**square, "points": [[0, 0], [4, 0], [4, 2], [2, 2], [2, 4], [0, 4]]}
    assert area(ell) == 12
    assert distance(square, ell) == pytest.approx(0.25)
    far = {**square, "points": [[9, 9], [12, 9], [12, 12]]}
    assert distance(square, far) == 1.0
    line = {"id": "l", "kind": "line", "class": "c", "points": [[0, 0], [100, 0]]}
    assert distance(line, {**line, "points": [[100, 0], [50, 0], [0, 0]]}) == pytest.approx(0, abs=1e-9)
    assert 0.4 < distance(line, {**line, "points": [[0, 5], [100, 5]]}) < 0.6


def test_ten_thousand_boxes_in_a_tenth_of_a_second() -> None:
    boxes = [{**BOX, "id": f"b{i}", "x": float(i), "attributes": {"colour": "red"}} for i in range(10_000)]
    best = 1.0
    for _ in range(3):
        start = time.process_time()
        for a in boxes:
            check_annotation(a)
        best = min(best, time.process_time() - start)
    assert best < 0.1
