"""The table of types, and the way in, out and back."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.pure.answers import check_answer
from evenhand.pure.ontology import check_ontology
from evenhand.pure.scale.inbound import check_openable, inbound
from evenhand.pure.scale.madeup import made_up, made_up_answer
from evenhand.pure.scale.outbound import native_answer, respond
from evenhand.pure.scale.requests import parse_task
from evenhand.pure.scale.types import BY_NAME, LIVE, TYPES, NotEnabled, attachment_urls, require_live, why_not_live
from evenhand.pure.trouble import Invalid
from tests.pure.scale.bodies import BODIES, IMAGE

Obj = dict[str, Any]
NAMES = [t.name for t in TYPES]
TASK = "0123456789abcdef01234567"


def params_of(name: str) -> Obj:
    return parse_task(name, BODIES[name]).params


def test_the_table_is_whole() -> None:
    assert set(BODIES) == set(NAMES)
    assert {
        "imageannotation", "annotation", "polygonannotation", "lineannotation", "pointannotation", "categorization",
        "comparison", "transcription", "datacollection", "textcollection", "namedentityrecognition",
    } == LIVE  # fmt: skip


def test_every_type_of_the_client_is_known() -> None:
    from scaleapi.tasks import TaskType

    assert {t.value for t in TaskType} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_type_is_parsed_and_made_up(name: str) -> None:
    files: dict[str, bytes] = {}

    def url_for(file: str, content: bytes) -> str:
        files[file] = content
        return f"https://files.example/{file}"

    params = params_of(name)
    response = made_up(BY_NAME[name], params, "seed", url_for)
    assert response == made_up(BY_NAME[name], params, "seed", url_for)
    assert json.loads(json.dumps(response, allow_nan=False)) == response
    for content in files.values():
        assert content[:4] == b"\x89PNG" or msgspec.json.decode(content)
    for key, value in BODIES[name].items():
        assert params[key] == value or key == "geometries"
    if BY_NAME[name].family in ("video", "playback", "cuboids", "linking"):
        assert response["annotations"]["url"].startswith("https://files.example/")


@pytest.mark.parametrize("name", NAMES)
def test_required_parameters_are_named(name: str) -> None:
    for need in BY_NAME[name].required:
        body = {k: v for k, v in BODIES[name].items() if k not in need.split("|")}
        with pytest.raises(Invalid, match=need.split("|")[0]):
            parse_task(name, body)


@pytest.mark.parametrize("name", sorted(LIVE))
@pytest.mark.parametrize("seed", range(5))
def test_native_there_and_back(name: str, seed: int) -> None:
    type_, params = BY_NAME[name], params_of(name)
    require_live(type_, params)
    native = inbound(type_, params, "Do it.")
    check_openable(native)
    check_ontology(native.ontology)
    assert native.instructions.startswith("Do it.")
    answer = made_up_answer(native.ontology, native.data, seed)
    check_answer(answer, native.ontology, native.data)
    response = respond(type_, params, [answer], task_id=TASK)
    back = native_answer(type_, params, response, "hypothesis")
    check_answer(back, native.ontology, native.data)
    assert respond(type_, params, [back], task_id=TASK) == response
    again = inbound(type_, {**params, "hypothesis": response})
    assert again.data["prelabels"] == back["annotations"]


@pytest.mark.parametrize("name", sorted(set(NAMES) - LIVE))
def test_live_types_that_nobody_opens(name: str) -> None:
    with pytest.raises(NotEnabled):
        parse_task(name, BODIES[name], live=True)


def test_live_needs_what_our_surfaces_open() -> None:
    assert parse_task("imageannotation", BODIES["imageannotation"], live=True).type == "imageannotation"
    for name, change in (
        ("imageannotation", {"geometries": {"cuboid": {"objects_to_annotate": ["Car"]}}}),
        ("imageannotation", {"links": {"tows": {"is_bidirectional": False}}}),
        ("imageannotation", {"annotation_attributes": {"next": {"type": "linked"}}}),
        ("imageannotation", {"attachment_type": "video"}),
        ("categorization", {"attachment_type": "audio"}),
        ("textcollection", {"fields": [{"type": "datetime", "field_id": "d"}]}),
        ("textcollection", {"attachments": [{"type": "pdf", "content": "http://e.com/a.pdf"}]}),
    ):
        body = {**BODIES[name], **change}
        assert why_not_live(BY_NAME[name], parse_task(name, body).params)
        with pytest.raises(NotEnabled):
            parse_task(name, body, live=True)
    with pytest.raises(NotEnabled):
        parse_task("mindreading", {})


def test_image_response_has_the_shape_of_the_interface() -> None:
    type_, params = BY_NAME["imageannotation"], params_of("imageannotation")
    rows: list[Obj] = [
        {"id": "a1", "kind": "box", "class": "Cow", "x": 10.5, "y": 20, "w": 30, "h": 40, "attributes": {"age": "2"}},
        {"id": "0b9a3c60-1111-4222-8333-444455556666", "kind": "box", "class": "Cow", "x": 1, "y": 2, "w": 30, "h": 20,
         "angle_rad": 0.5, "attributes": {"spots": ["head"]}},
        {"id": "a3", "kind": "line", "class": "Fence", "points": [[1, 2], [3, 4]]},
        {"id": "a4", "kind": "point", "class": "Calf", "x": 5, "y": 6},
        {"id": "a5", "kind": "choice", "field": "global:weather", "values": ["sun"]},
        {"id": "a6", "kind": "choice", "field": "global:night", "values": ["true"]},
        {"id": "a7", "kind": "rating", "field": "global:count", "value": 4},
    ]  # fmt: skip
    native = inbound(type_, params)
    check_answer({"annotations": rows}, native.ontology, native.data)
    response = respond(type_, params, [{"annotations": rows}], task_id=TASK, is_customer_fix=True)
    box, turned, line, point = response["annotations"]
    assert {k: box[k] for k in box if k != "uuid"} == {
        "type": "box", "label": "Cow", "attributes": {"age": 2}, "left": 10.5, "top": 20, "width": 30, "height": 40,
    }  # fmt: skip
    assert len(box["uuid"]) == 36
    assert turned["uuid"] == rows[1]["id"]
    assert turned["rotation"] == 0.5
    assert (turned["left"], turned["top"]) == (1, 2)
    assert len(turned["vertices"]) == 4
    assert line["vertices"] == [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    assert (point["x"], point["y"], point["type"]) == (5, 6, "point")
    assert response["global_attributes"] == {"weather": "sun", "night": True, "count": 4}
    assert response["links"] == []
    assert response["is_customer_fix"] is True


def test_image_ontology() -> None:
    native = inbound(BY_NAME["imageannotation"], params_of("imageannotation"))
    classes = {c["name"]: c for c in native.ontology["classes"]}
    assert native.data["image_url"] == IMAGE
    assert classes["Cow"]["kinds"] == ["box", "line"]
    assert classes["Mud"]["title"] == "Field / M"
    assert "Field" not in classes
    assert "name" in classes["Calf"]["attributes"]
    assert "name" not in classes["Cow"]["attributes"]
    assert native.ontology["limits"] == {
        "box": {"min_w": 10, "min_h": 10, "can_rotate": True},
        "polygon": {"min_points": 4},
        "line": {"max_points": 2},
    }
    attributes = {a["name"]: a for a in native.ontology["attributes"]}
    assert attributes["edge"]["when"] == {"attribute": "age", "in": ["2"]}
    assert "applies only where" not in native.instructions


def _attributes(**conditions: object) -> Obj:
    rows = {name: {"type": "text", "required": True, "conditions": rule} for name, rule in conditions.items()}
    params = params_of("imageannotation")
    return {**params, "annotation_attributes": {**params["annotation_attributes"], **rows}}


@pytest.mark.parametrize(
    ("rule", "when"),
    [
        ({"attribute_conditions": {"age": [1, 2]}}, {"attribute": "age", "in": ["1", "2"]}),
        (
            {"attribute_conditions": [{"age": 1, "weight": 7}, {"not": {"spots": "head"}}]},
            {
                "any": [
                    {"all": [{"attribute": "age", "in": ["1"]}, {"attribute": "weight", "in": [7]}]},
                    {"not": {"attribute": "spots", "in": ["head"]}},
                ]
            },
        ),
        (
            {"label_condition": {"label": ["Calf"]}, "attribute_conditions": [{"age": {"not": 3}}]},
            {"not": {"attribute": "age", "in": ["3"]}},
        ),
    ],
)
def test_conditions_become_a_rule(rule: Obj, when: Obj) -> None:
    native = inbound(BY_NAME["imageannotation"], _attributes(extra=rule))
    extra = next(a for a in native.ontology["attributes"] if a["name"] == "extra")
    assert extra["when"] == when
    assert extra["required"]
    by_class = {c["name"]: c["attributes"] for c in native.ontology["classes"]}
    assert ("extra" in by_class["Cow"]) == ("label_condition" not in rule)
    check_ontology(native.ontology)


@pytest.mark.parametrize(
    "rule", [[], "age", {"attribute_conditions": [{"nothing": 1}]}, {"when": {"age": 1}}, {"b": 1}]
)
def test_conditions_that_nobody_can_read_are_told_in_words(rule: Any) -> None:
    native = inbound(BY_NAME["imageannotation"], _attributes(extra=rule))
    extra = next(a for a in native.ontology["attributes"] if a["name"] == "extra")
    assert "when" not in extra
    if rule:
        assert "required" not in extra
        assert "**extra** applies only where" in native.instructions


def test_conditions_in_a_circle_are_told_in_words() -> None:
    circle = _attributes(a={"attribute_conditions": [{"b": "x"}]}, b={"attribute_conditions": [{"a": "x"}]})
    native = inbound(BY_NAME["imageannotation"], circle)
    check_ontology(native.ontology)
    assert sum("when" in row for row in native.ontology["attributes"] if row["name"] in "ab") == 1


def test_conditions_of_unit_fields() -> None:
    fields = [
        {"type": "boolean", "field_id": "b"},
        {"type": "number", "field_id": "n"},
        {"type": "text", "field_id": "yes", "required": True, "conditions": {"b": True, "n": [1, 2]}},
        {"type": "text", "field_id": "odd", "required": True, "conditions": {"somewhere": "else"}},
    ]
    native = inbound(BY_NAME["textcollection"], {**params_of("textcollection"), "fields": fields})
    yes, odd = native.ontology["fields"][2:]
    assert yes["when"] == {"all": [{"field": "b", "in": ["true"]}, {"field": "n", "in": [1, 2]}]}
    assert yes["required"]
    assert "when" not in odd
    assert "required" not in odd
    assert "Only where" in odd["hint"]
    check_ontology(native.ontology)


def test_integer_pixels() -> None:
    body = {"attachment": IMAGE, "geometries": {"box": {"objects_to_annotate": ["C"], "integer_pixels": True}}}
    params = parse_task("imageannotation", body).params
    answer = {"annotations": [{"id": "a", "kind": "box", "class": "C", "x": 1.4, "y": 2.6, "w": 3.0, "h": 4.2}]}
    box = respond(BY_NAME["imageannotation"], params, [answer], task_id=TASK)["annotations"][0]
    assert [box[k] for k in ("left", "top", "width", "height")] == [1, 3, 3, 4]


def test_responses_of_forms() -> None:
    def out(name: str, *answers: list[Obj]) -> Obj:
        return respond(BY_NAME[name], params_of(name), [{"annotations": a} for a in answers], task_id=TASK, seconds=7.4)

    public = {"id": "1", "kind": "choice", "field": "category", "values": ["public"]}
    assert out("categorization", [public]) == {"category": "public", "category_id": "1"}
    body = {**BODIES["categorization"], "allow_multiple": True, "category_ids": None}
    params = parse_task("categorization", body).params
    many = respond(BY_NAME["categorization"], params, [{"annotations": [public]}], task_id=TASK)
    assert many == {"category": ["public"]}

    def text(field: str, value: str, id_: str = "x") -> Obj:
        return {"id": id_, "kind": "text", "field": field, "text": value}

    assert out("datacollection", [text("jobs", "u")]) == {"fields": {"jobs": "u"}, "time_spent_in_seconds": 7}
    rows = [text("title", "T"), text("repeatable:username", "a"), text("repeatable:username", "b")]
    assert out("transcription", [*rows, text("repeatable:comments", "3")]) == {
        "fields": {"title": "T", "top": ""},
        "repeatable_fields": [{"username": "a", "comments": "3"}, {"username": "b"}],
    }
    choice = {"id": "1", "kind": "choice", "field": "choice", "values": ["second"]}
    assert out("comparison", [choice, text("why", "nicer")]) == {"choice": "second", "fields": {"why": "nicer"}}


def test_textcollection_lists_every_response() -> None:
    def answer(value: str, yes: str) -> Obj:
        return {"annotations": [
            {"id": "1", "kind": "choice", "field": "c", "values": [value]},
            {"id": "2", "kind": "choice", "field": "b", "values": [yes]},
            {"id": "3", "kind": "text", "field": "t", "text": value},
            {"id": "4", "kind": "rating", "field": "n", "value": 2},
        ]}  # fmt: skip

    params = params_of("textcollection")
    both = [answer("no", "true"), answer("1", "false")]
    out = respond(BY_NAME["textcollection"], params, both, task_id=TASK)["annotations"]
    assert out["c"] == {"type": "category", "field_id": "c", "response": [["no"], [1]]}
    assert out["b"]["response"] == [True, False]
    assert out["t"]["response"] == ["no", "1"]
    assert out["n"]["response"] == [2, 2]
    assert out["u"] == {"type": "text", "field_id": "u", "response": []}


def test_entities_are_cut_in_code_points() -> None:
    params = params_of("namedentityrecognition")
    answer = {"annotations": [{"id": "a", "kind": "span", "class": "city", "start": 16, "end": 20}]}
    (row,) = respond(BY_NAME["namedentityrecognition"], params, [answer], task_id=TASK)["annotations"]
    assert (row["text"], row["label"], row["start"], row["end"]) == ("Bonn", "city", 16, 20)


def test_legacy_lists() -> None:
    answer = {"annotations": [{"id": "a", "kind": "box", "class": "baby cow", "x": 1, "y": 2, "w": 30, "h": 40}]}
    out = respond(BY_NAME["annotation"], params_of("annotation"), [answer], task_id=TASK)
    assert out == {"annotations": [{"left": 1, "top": 2, "width": 30, "height": 40, "label": "baby cow"}]}
    assert params_of("annotation")["min_width"] == "30"
    assert inbound(BY_NAME["annotation"], params_of("annotation")).ontology["limits"]["box"]["min_w"] == 30


def test_attachments_to_fetch() -> None:
    assert attachment_urls(BY_NAME["imageannotation"], params_of("imageannotation")) == [IMAGE]
    assert attachment_urls(BY_NAME["lidarannotation"], params_of("lidarannotation")) == [
        IMAGE,
        "scaledata://owner/file",
    ]
    assert attachment_urls(BY_NAME["comparison"], params_of("comparison")) == []
    assert attachment_urls(BY_NAME["textcollection"], params_of("textcollection")) == []
    body = {**BODIES["annotation"], "context_attachments": [{"attachment": "http://e.com/c.png"}]}
    assert attachment_urls(BY_NAME["annotation"], body) == [IMAGE, "http://e.com/c.png"]


@pytest.mark.parametrize(
    "hypothesis",
    [
        [],
        {"annotations": {}},
        {"annotations": [1]},
        {"annotations": [{"type": "ellipse", "label": "Cow"}]},
        {"annotations": [{"type": "box", "label": "Cow", "left": "1", "top": 1, "width": 1, "height": 1}]},
        {"annotations": [{"type": "box", "label": "Dog", "left": 1, "top": 1, "width": 50, "height": 50}]},
        {"annotations": [{"type": "polygon", "label": "Mud", "vertices": [{"x": 1}]}]},
        {"annotations": [{"type": "point", "label": "Calf", "x": 1, "y": 1, "attributes": 5}]},
    ],
)
def test_bad_prelabels_are_refused_by_name(hypothesis: Any) -> None:
    with pytest.raises(Invalid, match="hypothesis") if hypothesis else pytest.raises(Invalid):
        inbound(BY_NAME["imageannotation"], {**params_of("imageannotation"), "hypothesis": hypothesis or [1]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.data())
def test_hostile_bodies_are_invalid_and_nothing_else(data: st.DataObject) -> None:
    """One parameter of a good body replaced by anything: taken as a whole (in, made up, back), or `Invalid`."""
    name = data.draw(st.sampled_from(NAMES))
    body = dict(BODIES[name])
    keys = [*body, *BY_NAME[name].checks, "tags", "metadata", "instruction", "hypothesis", "annotation_attributes"]
    body[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    try:
        params = parse_task(name, body).params
        if why_not_live(BY_NAME[name], params) is None:
            check_openable(inbound(BY_NAME[name], params))
        made_up(BY_NAME[name], params, 1, lambda n, b: n)
    except Invalid as e:
        assert e.message
