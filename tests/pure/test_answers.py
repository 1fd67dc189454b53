import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.answers import Checker, agreement, check_answer, classes_of, label_counts, merge_answers
from evenhand.pure.trouble import Invalid
from tests.pure.strategies import ONTOLOGY, answers_of

Obj = dict[str, Any]
TEXT: Obj = {
    "medium": "text",
    "text": "x" * 300,
    "conversation": {"messages": [], "answers": [{"id": "a", "text": ""}, {"id": "b", "text": ""}]},
}


def faults(answer: object, ontology: Obj, data: Obj | None = None, **options: bool) -> list[str]:
    with pytest.raises(Invalid) as trouble:
        check_answer(answer, ontology, data, **options)
    return [e["path"] for e in trouble.value.errors]


def box(**more: Any) -> Obj:
    return {"id": "a", "kind": "box", "class": "car", "x": 1, "y": 2, "w": 3, "h": 4, **more}


@given(answers_of())
def test_strategies_fit_the_ontology(answer: Obj) -> None:
    check_answer(answer, ONTOLOGY, TEXT)


@given(answers_of(), answers_of())
def test_agreement_laws(a: Obj, b: Obj) -> None:
    before = copy.deepcopy((a, b))
    forth, back = agreement(a, b), agreement(b, a)
    assert forth is not None
    assert back is not None
    assert forth == pytest.approx(back, abs=1e-9)
    assert 0 <= forth <= 1
    assert agreement(a, copy.deepcopy(a)) == pytest.approx(1)
    assert agreement(a, None) is None
    assert (a, b) == before


@given(st.lists(answers_of(), max_size=4))
def test_merging_gives_a_valid_answer(answers: list[Obj]) -> None:
    merged = merge_answers(answers)
    check_answer(merged, ONTOLOGY, TEXT)
    if len(answers) == 1:
        assert merged == answers[0]


def test_merge_takes_the_majority_and_the_earliest() -> None:
    def pick(id_: str, *values: str) -> Obj:
        return {"id": id_, "kind": "choice", "field": "weather", "values": list(values)}

    first = {"annotations": [box(), pick("c", "sun")]}
    second = {"annotations": [box(id="z", x=50), pick("a", "fog", "rain")]}
    third = {"annotations": [pick("q", "rain", "fog")]}
    assert merge_answers([first, second])["annotations"] == [box(), pick("c", "sun")]
    merged = merge_answers([first, second, third])["annotations"]
    assert merged[0] == box()
    assert merged[1]["values"] == ["fog", "rain"]
    assert merged[1]["id"] == "a-2"
    assert merge_answers([])["annotations"] == []


def test_every_fault_is_named() -> None:
    assert faults([], ONTOLOGY) == [""]
    assert faults({"annotations": [], "more": 1}, ONTOLOGY) == ["more"]
    assert faults({"annotations": {}}, ONTOLOGY) == ["annotations"]
    rows = [box(), box(), box(id="b", **{"class": "lorry"}), box(id="c", w=0), 7]
    assert faults({"annotations": rows}, ONTOLOGY) == [
        "annotations[1].id",
        "annotations[2].class",
        "annotations[3].w",
        "annotations[4]",
    ]
    assert len(faults({"annotations": [7] * 100}, ONTOLOGY)) == 20
    assert faults({"annotations": [box()] * 20_001}, ONTOLOGY) == ["annotations"]


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({"colour": "green"}, "annotations[0].attributes.colour"),
        ({"colour": ["red"]}, "annotations[0].attributes.colour"),
        ({"seats": "4"}, "annotations[0].attributes.seats"),
        ({"seats": True}, "annotations[0].attributes.seats"),
        ({"note": 1}, "annotations[0].attributes.note"),
        ({"hidden": "yes"}, "annotations[0].attributes.hidden"),
        ({"parts": "door"}, "annotations[0].attributes.parts"),
        ({"parts": ["door", "door"]}, "annotations[0].attributes.parts"),
        ({"speed": 1}, "annotations[0].attributes.speed"),
    ],
)
def test_attributes(attributes: Obj, path: str) -> None:
    assert faults({"annotations": [box(attributes=attributes)]}, ONTOLOGY) == [path]


def test_class_rules() -> None:
    ontology: Obj = {
        "classes": [{"name": "car", "kinds": ["box"], "attributes": ["colour"]}, {"name": "tree", "kinds": ["point"]}],
        "attributes": [
            {"name": "colour", "type": "text", "required": True},
            {"name": "age", "type": "number", "required": True},
        ],
        "limits": {"box": {"min_w": 2, "min_h": 5, "can_rotate": False}, "line": {"max_points": 2}},
    }
    good: Obj = box(h=6, attributes={"colour": "red"})
    check_answer({"annotations": [good]}, ontology)
    assert faults({"annotations": [{**good, "h": 4}]}, ontology) == ["annotations[0].h"]
    assert faults({"annotations": [{**good, "angle_rad": 1}]}, ontology) == ["annotations[0].angle_rad"]
    bare = box(h=6)
    assert faults({"annotations": [bare]}, ontology) == ["annotations[0].attributes.colour"]
    check_answer({"annotations": [bare]}, ontology, complete=False)
    tree = {"id": "t", "kind": "box", "class": "tree", "x": 1, "y": 1, "w": 5, "h": 5, "attributes": {"age": 3}}
    assert faults({"annotations": [tree]}, ontology) == ["annotations[0].kind"]


def test_spans_stay_inside_the_text_in_code_points() -> None:
    span = {"id": "s", "kind": "span", "class": "car", "start": 0, "end": 2}
    check_answer({"annotations": [span]}, ONTOLOGY, {"medium": "text", "text": "👋🏽"})
    assert faults({"annotations": [{**span, "end": 3}]}, ONTOLOGY, {"text": "👋🏽"}) == ["annotations[0].end"]
    assert faults({"annotations": [span]}, ONTOLOGY, {"medium": "image"}) == ["annotations[0].kind"]


def test_fields() -> None:
    ontology: Obj = {
        "fields": [
            {"key": "k", "type": "choice", "choices": [{"value": "a"}, {"value": "b"}], "required": True},
            {"key": "n", "type": "number", "min": 0, "max": 10, "step": 0.5},
            {"key": "r", "type": "rating", "target": "answers", "required": True},
            {"key": "t", "type": "text", "multiple": True, "required": True},
            {"key": "p", "type": "preference"},
        ]
    }
    data: Obj = {"conversation": {"messages": [], "answers": [{"id": "x", "text": ""}, {"id": "y", "text": ""}]}}
    k = {"id": "1", "kind": "choice", "field": "k", "values": ["a"]}
    rx = {"id": "2", "kind": "rating", "field": "r", "value": 1, "target": "x"}
    ry = {"id": "3", "kind": "rating", "field": "r", "value": 1, "target": "y"}
    t = {"id": "4", "kind": "text", "field": "t", "text": "hello"}
    good = [k, rx, ry, t, {**t, "id": "5"}]
    check_answer({"annotations": good}, ontology, data)
    check_answer({"annotations": []}, ontology, data, complete=False)
    assert faults({"annotations": []}, ontology, data) == ["fields.k", "fields.r", "fields.r", "fields.t"]
    assert faults({"annotations": [k, rx, t]}, ontology, data) == ["fields.r"]

    def at(*rows: Obj) -> list[str]:
        return faults({"annotations": list(rows)}, ontology, data)

    assert at({**k, "values": ["a", "b"]}) == ["annotations[0].values"]
    assert at({**k, "values": ["c"]}) == ["annotations[0].values[0]"]
    assert at({**k, "field": "z"}) == ["annotations[0].field"]
    assert at({**k, "field": "t"}) == ["annotations[0].kind"]
    assert at(k, {**k, "id": "9"}) == ["annotations[1].field"]
    assert at({**rx, "target": "q"}) == ["annotations[0].target"]
    assert at({"id": "2", "kind": "rating", "field": "r", "value": 1}) == ["annotations[0].target"]
    assert at({**t, "target": "x"}) == ["annotations[0].target"]
    assert at({**t, "text": " "}) == ["annotations[0].text"]
    assert at({"id": "n", "kind": "rating", "field": "n", "value": 11}) == ["annotations[0].value"]
    assert at({"id": "n", "kind": "rating", "field": "n", "value": 0.3}) == ["annotations[0].value"]
    assert at({"id": "p", "kind": "preference", "field": "p", "winner": "z", "strength": 1}) == [
        "annotations[0].winner"
    ]


def test_counts() -> None:
    answer = {"annotations": [box(), box(id="b"), {"id": "c", "kind": "choice", "field": "w", "values": ["sun"]}]}
    assert label_counts(answer) == {"car": 2, "w: sun": 1}
    assert classes_of(answer) == ["car"]


def test_speed_and_piles() -> None:
    rows = [box(id=f"b{i}", x=float(i % 100 * 20), y=float(i // 100 * 20)) for i in range(10_000)]
    checker = Checker(ONTOLOGY)
    start = time.process_time()
    checker.check({"annotations": rows})
    assert time.process_time() - start < 0.2
    pile = {"annotations": [box(id=f"b{i}") for i in range(2_000)]}
    start = time.process_time()
    assert agreement(pile, copy.deepcopy(pile)) == pytest.approx(1)
    assert time.process_time() - start < 10
