from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.scale import requests as r
from evenhand.pure.scale.query import (
    Place,
    decode_token,
    encode_token,
    list_of_batches,
    list_of_tasks,
    parse_batches,
    parse_tasks,
    parse_v2,
)
from evenhand.pure.scale.times import format_time, parse_time
from evenhand.pure.scale.types import BY_NAME
from evenhand.pure.trouble import Invalid
from tests.pure.scale.bodies import BODIES

Obj = dict[str, Any]
GOOD = BODIES["annotation"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"tags": ["a"] * 3 + list("bcdef")}, "tags"),
        ({"tags": "a"}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"metadata": {"a": "x" * 10_241}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"priority": 15}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"priority": True}, "priority"),
        ({"callback_url": "ftp://x"}, "callback_url"),
        ({"callback_url": "nobody"}, "callback_url"),
        ({"unique_id": 5}, "unique_id"),
        ({"clear_unique_id_on_error": "yes"}, "clear_unique_id_on_error"),
        ({"attachment": "cow.jpg"}, "attachment"),
        ({"attachment": "file:///etc/passwd"}, "attachment"),
        ({"attachment": 7}, "attachment"),
        ({"attachment_type": "hologram"}, "attachment_type"),
        ({"min_width": "wide"}, "min_width"),
        ({"min_width": -1}, "min_width"),
        ({"min_height": "nan"}, "min_height"),
        ({"with_labels": "yes"}, "with_labels"),
        ({"objects_to_annotate": []}, "objects_to_annotate"),
        ({"objects_to_annotate": ["a", "a"]}, "objects_to_annotate"),
        ({"objects_to_annotate": {"a": 1}}, "objects_to_annotate"),
        ({"instruction": 5}, "instruction"),
        ({"project": 5}, "project"),
    ],
)
def test_bad_values_are_named(change: Obj, name: str) -> None:
    with pytest.raises(Invalid, match=name):
        r.parse_task("annotation", {**GOOD, **change})


GEOMETRIES: list[Any] = [
    {},
    [],
    {"sphere": {"objects_to_annotate": ["a"]}},
    {"box": {}},
    {"box": ["a"]},
    {"box": {"objects_to_annotate": ["a"], "min_width": "x"}},
    {"line": {"objects_to_annotate": ["a"], "min_vertices": 5, "max_vertices": 2}},
    {"polygon": {"objects_to_annotate": [{"subchoices": []}]}},
]


@pytest.mark.parametrize("geometries", GEOMETRIES)
def test_bad_geometries(geometries: Any) -> None:
    with pytest.raises(Invalid, match="geometries"):
        r.parse_task("imageannotation", {"attachment": "http://e.com/a.png", "geometries": geometries})


def test_not_given_means_the_same_in_every_spelling() -> None:
    plain = r.parse_task("annotation", GOOD)
    empty = {"callback_url": "", "project": "", "unique_id": None, "metadata": None, "tags": None, "priority": None}
    assert r.parse_task("annotation", {**GOOD, **empty}) == plain
    assert plain.tags is None
    assert plain.unique_id is None
    assert plain.metadata == {}
    assert plain.params["examples"] == []
    assert plain.params["min_width"] == "30"
    assert r.parse_task("annotation", {**GOOD, "anything": {"else": 1}}).params["anything"] == {"else": 1}
    assert r.parse_task("annotation", {**GOOD, "callback_url": "me@example.com"}).callback_url == "me@example.com"


def test_text_attachments() -> None:
    body = {"attachment": "just words", "attachment_type": "text", "categories": ["a", "b"]}
    assert r.parse_task("categorization", body).params["attachment"] == "just words"


def test_project_defaults() -> None:
    project: Obj = {"instruction": "Project.", "objects_to_annotate": ["cow"], "min_width": 3, "tags": ["p"]}
    body = {"attachment": "http://e.com/a.png", "instruction": "Task.", "min_width": 5}
    task = r.parse_task("annotation", body, project_params=project)
    assert task.instruction == "Task.\n\nProject."
    assert task.params["objects_to_annotate"] == ["cow"]
    assert task.params["min_width"] == 5
    assert task.tags == ["p"]
    assert r.parse_task("annotation", {**GOOD}, project_params=project).instruction == "Project."


def test_quality_tasks() -> None:
    body: Obj = {**BODIES["imageannotation"], "expected_response": {"annotations": []}}
    task = r.parse_quality_task("imageannotation", body)
    assert task.expected_response == {"annotations": []}
    assert "expected_response" not in task.params
    with pytest.raises(Invalid, match="expected_response"):
        r.parse_quality_task("imageannotation", BODIES["imageannotation"])
    with pytest.raises(Invalid, match="categorization"):
        r.parse_quality_task("categorization", {**BODIES["categorization"], "expected_response": {"a": 1}})


def test_tags() -> None:
    assert r.set_tags(None) == []
    assert r.set_tags(["a", "b", "a"]) == ["a", "b"]
    assert r.add_tags(["a", "b"], ["b", "c"]) == ["a", "b", "c"]
    assert r.remove_tags(["a", "b"], ["b", "z"]) == ["a"]
    with pytest.raises(Invalid, match="tags"):
        r.add_tags(["a", "b", "c", "d", "e"], ["f"])


def test_small_bodies() -> None:
    assert r.parse_audit({"accepted": True, "comments": None}) == r.Audit(True, None)
    assert r.parse_metadata(None) == {}
    assert r.parse_unique_id({"unique_id": "u"}) == "u"
    batch = r.parse_batch(
        {
            "project": "p",
            "name": "b/1 x",
            "calibration_batch": False,
            "self_label_batch": False,
            "callback": "",
            "metadata": {},
        }
    )
    assert batch == r.CreateBatch(project="p", name="b/1 x")
    project = r.parse_project(
        {"type": "imageannotation", "name": "p", "params": None, "rapid": False, "studio": False, "datasetId": None}
    )
    assert project == r.CreateProject(type="imageannotation", name="p")
    image = BY_NAME["imageannotation"]
    assert r.parse_set_params(image, {"patch": True, "b": 2}, {"a": 1}) == {"a": 1, "b": 2}
    assert r.parse_set_params(image, {"patch": False, "b": 2}, {"a": 1}) == {"b": 2}
    assert r.parse_upload({"metadata": '{"a":1}', "project_name": "p"}).metadata == {"a": 1}
    assert r.parse_import({"file_url": "http://e.com/a"}).file_url == "http://e.com/a"
    assert r.parse_invite({"emails": ["a@b.co"], "team_role": "labeler"}).team_role == "labeler"
    assert r.parse_group_change({"add_emails": [], "remove_emails": ["a@b.co"]}).remove_emails == ["a@b.co"]
    assert r.parse_batch_groups({"groups": []}) == []
    assert r.parse_priorities({"batches": [{"name": "b"}, {"name": "a"}]}, ["a", "b"]) == ["b", "a"]
    assert r.parse_v2_batch({"name": "b", "project_id": "1", "staging_batch": False}).project_id == "1"
    assert r.parse_v2_ref({"batch_name": "b"}).batch_name == "b"
    assert r.parse_v2_metadata({"task_id": "t", "metadata": {}}, task=True).task_id == "t"
    assert r.parse_v2_chat({"project_name": "p"}).template_variables == {}


def _priorities(body: object) -> list[str]:
    return r.parse_priorities(body, ["a", "b"])


REFUSED: list[tuple[Any, Any]] = [
    (r.parse_audit, {}),
    (r.parse_audit, {"accepted": "yes"}),
    (r.parse_metadata, []),
    (r.parse_unique_id, {}),
    (r.parse_batch, {"name": "b"}),
    (r.parse_batch, {"name": "b", "project": "p", "metadata": 1}),
    (r.parse_project, {"name": "p", "type": "x"}),
    (r.parse_project, {"name": "p", "type": "annotation", "params": []}),
    (r.parse_project, {"name": "p", "type": "annotation", "params": {"objects_to_annotate": 1}}),
    (r.parse_import, {"file_url": "file:///a"}),
    (r.parse_upload, {"metadata": "{"}),
    (r.parse_invite, {"emails": [], "team_role": "member"}),
    (r.parse_invite, {"emails": ["a@b.co"], "team_role": "king"}),
    (r.parse_assign, {"emails": ["a@b.co"]}),
    (r.parse_group, {"emails": ["x"], "name": "g"}),
    (_priorities, {"batches": [{"name": "a"}]}),
    (r.parse_v2_batch, {"name": "b"}),
    (r.parse_v2_ref, {}),
    (r.parse_v2_chat, {}),
    (r.set_tags, {}),
    (r.body_object, 5),
]


@pytest.mark.parametrize(("parse", "body"), REFUSED)
def test_small_bodies_refused(parse: Any, body: Any) -> None:
    with pytest.raises(Invalid) as trouble:
        parse(body)
    assert trouble.value.errors


def test_deep_merge() -> None:
    old = {"a": {"b": 1, "c": [1]}, "d": 1}
    new: Obj = {"a": {"c": [2], "e": {}}, "d": {"f": 1}}
    assert r.deep_merge(old, new) == {"a": {"b": 1, "c": [2], "e": {}}, "d": {"f": 1}}
    assert old == {"a": {"b": 1, "c": [1]}, "d": 1}
    with pytest.raises(Invalid):
        r.deep_merge({"a": "x" * 9000}, {"b": "x" * 9000})
    deep: Obj = {}
    for _ in range(1_600):
        deep = {"a": deep}
    with pytest.raises(Invalid):
        r.deep_merge(deep, deep)


# ---------------------------------------------------------------- queries, tokens, times


def test_queries() -> None:
    q = parse_tasks(
        [
            ("tags", "x"), ("tags", "y"), ("unique_id", "u1"), ("unique_id", "u2"), ("limit", "5"),
            ("customer_review_status", "accepted,fixed"), ("include_attachment_url", "True"),
            ("limited_response", "False"), ("start_time", "2021-01-02"), ("end_time", "2021-01-02T03:04:05.678901"),
            ("status", "completed"), ("type", "annotation"), ("project", ""), ("other", "1"),
        ]
    )  # fmt: skip
    assert q.tags == ("x", "y")
    assert q.unique_id == ("u1", "u2")
    assert q.customer_review_status == ("accepted", "fixed")
    assert (q.limit, q.include_attachment_url, q.limited_response, q.project) == (5, True, False, None)
    assert q.start_time == datetime(2021, 1, 2, tzinfo=UTC)
    assert q.end_time == datetime(2021, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert parse_tasks([]).limit == 100
    assert parse_batches([("exclude_archived", "True"), ("offset", "20")]).offset == 20
    v2 = parse_v2([("expand", "project"), ("expand", "batch"), ("created_after", "2021-01-02T03:04:05.000000+0000")])
    assert v2.expand == ("project", "batch")
    assert v2.created_after == datetime(2021, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "pair",
    [
        ("limit", "0"), ("limit", "101"), ("limit", "ten"), ("limit", "-1"), ("limit", "１"), ("status", "done"),
        ("start_time", "yesterday"), ("start_time", "2021-02-30"), ("include_attachment_url", "maybe"),
        ("customer_review_status", "accepted,great"), ("type", "x"), ("offset", "1e3"),
    ],
)  # fmt: skip
def test_bad_queries(pair: tuple[str, str]) -> None:
    with pytest.raises(Invalid, match=pair[0]):
        parse_tasks([pair])


KEY = b"k" * 32


@given(st.text(max_size=30), st.text(max_size=30))
def test_tokens_come_back(id_: str, scope: str) -> None:
    place = Place(id_, "2021-01-02T03:04:05.000Z")
    token = encode_token(place, key=KEY, scope=scope)
    assert decode_token(token, key=KEY, scope=scope) == place
    for other in (b"l" * 32, KEY):
        with pytest.raises(Invalid):
            decode_token(token, key=other, scope=scope if other != KEY else scope + "x")


@given(st.text(max_size=100))
def test_garbage_tokens(token: str) -> None:
    with pytest.raises(Invalid):
        decode_token(token, key=KEY, scope="")


@given(st.integers(0), st.integers(1, 255))
def test_forged_tokens(at: int, change: int) -> None:
    import base64

    token = encode_token(Place("a" * 24, "2021"), key=KEY, scope="s")
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[at % len(raw)] ^= change
    with pytest.raises(Invalid):
        decode_token(base64.urlsafe_b64encode(raw).decode().rstrip("="), key=KEY, scope="s")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2021-01-02", datetime(2021, 1, 2, tzinfo=UTC)),
        ("2021-01-02T03:04:05", datetime(2021, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2021-01-02 03:04", datetime(2021, 1, 2, 3, 4, tzinfo=UTC)),
        ("2021-01-02T03:04:05.6Z", datetime(2021, 1, 2, 3, 4, 5, 600000, tzinfo=UTC)),
        ("2021-01-02T03:04:05.123456789Z", datetime(2021, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2021-01-02T03:04:05+02:00", datetime(2021, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2021-01-02T03:04:05 0200", datetime(2021, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2021-01-02T03:04:05-02", datetime(2021, 1, 2, 5, 4, 5, tzinfo=UTC)),
    ],
)
def test_times(text: str, at: datetime) -> None:
    assert parse_time("t", text) == at


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]), min_value=datetime(2, 1, 1)))
def test_times_there_and_back(at: datetime) -> None:
    text = format_time(at)
    assert len(text) == 24
    assert text.endswith("Z")
    assert abs(parse_time("t", text) - at) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text", ["", "2021", "2021-13-01", "2021-01-01T25:00", "9" * 60, "0001-01-01T00:00:00+23:00", None, 5]
)
def test_bad_times(text: Any) -> None:
    with pytest.raises(Invalid, match="t "):
        parse_time("t", text)


def test_pages() -> None:
    assert "next_token" not in list_of_tasks([1], 1, 100, None)
    assert list_of_tasks([1], 9, 1, "x")["has_more"] is True
    assert list_of_batches([1], 9, 1, 8)["has_more"] is False
