import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.ontology import EMPTY, check_ontology, summary_of_change, with_defaults
from evenhand.pure.trouble import Invalid
from tests.pure.strategies import ONTOLOGY

Obj = dict[str, Any]


@pytest.mark.parametrize("ontology", [EMPTY, {}, ONTOLOGY, with_defaults(ONTOLOGY)])
def test_good(ontology: Obj) -> None:
    check_ontology(ontology)


CAR: Obj = {"name": "car", "kinds": ["box"]}
CHOICE: Obj = {"key": "k", "type": "choice", "choices": [{"value": "a"}]}


FAULTS: list[tuple[Any, str]] = [
    ([], ""),
    ({"colors": []}, "colors"),
    ({"classes": {}}, "classes"),
    ({"classes": [{"name": "car"}]}, "classes[0].kinds"),
    ({"classes": [{"name": "car", "kinds": []}]}, "classes[0].kinds"),
    ({"classes": [{"name": "car", "kinds": ["choice"]}]}, "classes[0].kinds[0]"),
    ({"classes": [{"name": "", "kinds": ["box"]}]}, "classes[0].name"),
    ({"classes": [CAR, CAR]}, "classes[1].name"),
    ({"classes": [{**CAR, "color": "red"}]}, "classes[0].color"),
    ({"classes": [{**CAR, "hotkey": "ab"}]}, "classes[0].hotkey"),
    ({"classes": [{**CAR, "attributes": ["x"]}]}, "classes[0].attributes[0]"),
    ({"classes": [{**CAR, "shape": 1}]}, "classes[0].shape"),
    ({"attributes": [{"name": "a", "type": "colour"}]}, "attributes[0].type"),
    ({"attributes": [{"name": "a", "type": "choice"}]}, "attributes[0].choices"),
    ({"attributes": [{"name": "a", "type": "text", "choices": []}]}, "attributes[0].choices"),
    ({"attributes": [{"name": "a", "type": "text", "required": "yes"}]}, "attributes[0].required"),
    ({"fields": [{"key": "a", "type": "text"}, {"key": "a", "type": "text"}]}, "fields[1].key"),
    ({"fields": [{**CHOICE, "choices": [{"value": "a"}, {"value": "a"}]}]}, "fields[0].choices[1].value"),
    ({"fields": [{**CHOICE, "target": "answers"}]}, "fields[0].target"),
    ({"fields": [{"key": "a", "type": "rating", "min": 5, "max": 1}]}, "fields[0].max"),
    ({"fields": [{"key": "a", "type": "rating", "step": 0}]}, "fields[0].step"),
    ({"fields": [{"key": "a", "type": "rating", "prefill": "answer"}]}, "fields[0].prefill"),
    ({"limits": {"span": {}}}, "limits.span"),
    ({"limits": {"box": {"min_w": -1}}}, "limits.box.min_w"),
    ({"limits": {"line": {"min_points": 4, "max_points": 2}}}, "limits.line.max_points"),
]


@pytest.mark.parametrize(("ontology", "path"), FAULTS)
def test_faults_name_their_path(ontology: object, path: str) -> None:
    with pytest.raises(Invalid) as trouble:
        check_ontology(ontology)
    assert path in [e["path"] for e in trouble.value.errors]


KEYS = st.sampled_from(["classes", "attributes", "fields", "limits", "name", "key", "type", "kinds", "choices"])


@given(
    st.recursive(
        st.none() | st.text(max_size=3) | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
    )
)
def test_never_crashes(value: object) -> None:
    with contextlib.suppress(Invalid):
        check_ontology(value)


def test_defaults_fill_and_do_not_clash() -> None:
    many: Obj = {"classes": [{"name": f"c{i}", "kinds": ["box"]} for i in range(60)]}
    many["classes"][3]["color"] = "#0072B2"
    many["classes"][4]["hotkey"] = "1"
    full = with_defaults(many)
    check_ontology(full)
    colors = [c["color"].lower() for c in full["classes"]]
    assert len(set(colors)) == 60
    keys = [c["hotkey"] for c in full["classes"] if "hotkey" in c]
    assert len(keys) == len(set(keys)) == 35
    assert with_defaults(full) == full
    assert "color" not in many["classes"][0]


def test_summary() -> None:
    old: Obj = {"classes": [CAR, {"name": "tree", "kinds": ["box"]}], "fields": [CHOICE]}
    classes = [{**CAR, "kinds": ["box", "polygon"]}, {"name": "bus", "kinds": ["box"]}]
    new: Obj = {"classes": classes, "fields": [CHOICE]}
    assert summary_of_change(old, new) == "Added class bus; removed class tree; changed class car"
    assert summary_of_change(old, old) == ""
    swapped = {**old, "classes": old["classes"][::-1]}
    assert summary_of_change(old, swapped) == "Reordered classes"
