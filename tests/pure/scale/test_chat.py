"""v2 conversations, read by the official client's own models."""

from typing import Any

import pytest
from scaleapi.api_client.v2.models.annotation import Annotation
from scaleapi.api_client.v2.models.task import Task

from evenhand.pure.answers import check_answer
from evenhand.pure.ontology import check_ontology
from evenhand.pure.scale.chat import chat_native, files, find_annotation, made_up_chat, task_of_annotation, threads
from evenhand.pure.trouble import Invalid

Obj = dict[str, Any]
TASK = "0123456789abcdef01234567"

ONTOLOGY: Obj = {
    "fields": [
        {"key": "better", "type": "preference", "title": "Which?", "required": True},
        {"key": "stars", "type": "rating", "min": 1, "max": 5, "target": "answers"},
        {"key": "share", "type": "number"},
        {"key": "topic", "type": "choice", "choices": [{"value": "a", "label": "A"}, {"value": "b"}]},
        {"key": "flaws", "type": "choice", "choices": [{"value": "a"}, {"value": "b"}], "multiple": True},
        {"key": "rewrite", "type": "text", "prefill": "answer", "hint": "Make it better"},
    ]
}
VARIABLES: Obj = {
    "messages": [
        {"role": "system", "text": "Be kind."},
        {"role": "human", "content": {"text": "Hi"}},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "text": "How are you?"},
    ],
    "answers": ["Fine", {"id": "b", "text": "Not so well"}],
    "persona": "nurse",
}
ANSWER: Obj = {
    "annotations": [
        {"id": "1", "kind": "preference", "field": "better", "winner": "b", "strength": 2},
        {"id": "2", "kind": "rating", "field": "stars", "value": 4, "target": "1"},
        {"id": "3", "kind": "rating", "field": "stars", "value": 3.5, "target": "b"},
        {"id": "4", "kind": "rating", "field": "share", "value": 7},
        {"id": "5", "kind": "choice", "field": "topic", "values": ["a"]},
        {"id": "6", "kind": "choice", "field": "flaws", "values": ["a", "b"]},
        {"id": "7", "kind": "text", "field": "rewrite", "text": "Very well!", "target": "b"},
    ]
}


def read(given: list[Obj]) -> Any:
    task: Obj = {
        "task_id": TASK,
        "project": "p",
        "status": "completed",
        "created_at": "2024-01-01T00:00:00.000Z",
        "threads": given,
    }
    found = Task.from_dict(task)
    assert found is not None
    return found


def test_the_client_reads_every_annotation() -> None:
    native = chat_native(VARIABLES, ONTOLOGY)
    check_answer(ANSWER, ONTOLOGY, native.data)
    assert "nurse" in native.data["context"]
    given = threads(TASK, native.data, ONTOLOGY, ANSWER, submissions=[{"contributor_id": "w1"}])
    thread = read(given).threads[0]
    assert thread.submissions[0].contributor_id == "w1"
    first, last = thread.turns
    assert [m.role.value for m in first.messages] == ["system", "user", "assistant"]
    assert [m.source_id for m in last.messages][1:] == ["1", "b"]
    found = {a.actual_instance.key: a.actual_instance for a in last.annotations}
    assert found["better"].value == [["b"], ["1"]]
    assert found["better_strength"].value == 2
    assert found["share"].value == 7
    assert found["topic"].value == "a"
    assert found["topic"].labels == ["A", "b"]
    assert found["flaws"].value == ["a", "b"]
    assert last.messages[1].annotations[0].actual_instance.possible_values == [1, 2, 3, 4, 5]
    assert [a.actual_instance.value for a in last.messages[2].annotations] == ["3.5", "Very well!"]
    id_ = f"{TASK}_5"
    assert task_of_annotation(id_) == TASK
    assert (find_annotation(given, id_) or {})["value"] == "a"
    assert find_annotation(given, "x") is None


def test_ties_and_texts_and_shapes() -> None:
    tie = {"annotations": [{"id": "1", "kind": "preference", "field": "better", "winner": None, "strength": 0}]}
    native = chat_native(VARIABLES, ONTOLOGY)
    turn = read(threads(TASK, native.data, ONTOLOGY, tie)).threads[0].turns[-1]
    assert turn.annotations[0].actual_instance.value == [["1", "b"]]
    marks: Obj = {
        "annotations": [
            {"id": "1", "kind": "span", "class": "city", "start": 0, "end": 4},
            {"id": "2", "kind": "point", "class": "eye", "x": 1, "y": 2},
        ]
    }
    turn = read(threads(TASK, {"text": "Bonn!"}, {}, marks)).threads[0].turns[0]
    spans, shapes = (a.actual_instance for a in turn.annotations)
    assert spans.value[0].text == "Bonn"
    assert '"eye"' in shapes.value
    assert read(threads(TASK, {}, {}, {"annotations": []})).threads[0].turns[0].messages == []


def test_files_are_lists() -> None:
    a = files("a", "k", [{"url": "http://e.com/a.pdf", "mime_type": "application/pdf", "name": "a.pdf"}])
    found = Annotation.from_dict(a)
    assert found is not None
    assert found.actual_instance is not None


@pytest.mark.parametrize(
    "variables", [VARIABLES, {}, {"prompt": "Why?"}, {"prompt": "Why?", "responses": ["a", "b", "c"]}]
)
def test_made_up(variables: Obj) -> None:
    native, answer = made_up_chat(variables, TASK)
    assert (native, answer) == made_up_chat(variables, TASK)
    check_ontology(native.ontology)
    check_answer(answer, native.ontology, native.data)
    found = read(threads(TASK, native.data, native.ontology, answer))
    assert found.threads[0].turns
    assert found.to_json()


@pytest.mark.parametrize(
    "variables", [{"messages": 1}, {"answers": [5]}, {"answers": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}]
)
def test_bad_variables(variables: Obj) -> None:
    with pytest.raises(Invalid, match="template_variables"):
        chat_native(variables)
