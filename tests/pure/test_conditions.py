"""The rule of what applies, over the table of cases that the browser's tests read too."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from evenhand.pure.answers import Checker, check_answer
from evenhand.pure.conditions import Conditions, circle_in
from evenhand.pure.ontology import check_ontology, with_defaults
from evenhand.pure.trouble import Invalid
from tests.pure.strategies import ONTOLOGY, answers_of

Obj = dict[str, Any]
TABLE: Obj = json.loads((Path(__file__).parents[2] / "fixtures" / "conditions" / "cases.json").read_text())


def _without(annotations: list[Obj], dropped: list[str]) -> list[Obj]:
    """The annotations less those (`id`) and those attributes (`id.name`) that the case names."""
    kept: list[Obj] = []
    for a in annotations:
        if a["id"] in dropped:
            continue
        left = {k: v for k, v in a.get("attributes", {}).items() if f"{a['id']}.{k}" not in dropped}
        bare = {k: v for k, v in a.items() if k != "attributes"}
        kept.append({**bare, "attributes": left} if left else bare)
    return kept


def _missing(e: Invalid) -> list[str]:
    return [fault["path"] + fault["detail"] for fault in e.errors if "is required" in fault["detail"]]


def test_the_ontology_of_the_table_is_good() -> None:
    check_ontology(TABLE["ontology"])
    check_ontology(with_defaults(TABLE["ontology"]))


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_what_does_not_apply_is_dropped(case: Obj) -> None:
    given_ = {"annotations": copy.deepcopy(case["annotations"])}
    settled = Conditions(TABLE["ontology"]).settle(given_)
    assert settled["annotations"] == _without(case["annotations"], case["dropped"])
    assert given_["annotations"] == case["annotations"]


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_the_checker_refuses_what_is_hidden_and_asks_for_what_is_not(case: Obj) -> None:
    checker = Checker(TABLE["ontology"])
    checker.check({"annotations": case["annotations"]}, TABLE["data"], complete=False)
    if case["dropped"]:
        with pytest.raises(Invalid, match=r"does not apply here|is required"):
            checker.check({"annotations": case["annotations"]}, TABLE["data"])
    settled = checker.conditions.settle({"annotations": case["annotations"]})
    if not case["missing"]:
        checker.check(settled, TABLE["data"])
        return
    with pytest.raises(Invalid) as trouble:
        checker.check(settled, TABLE["data"])
    said = "\n".join(_missing(trouble.value))
    for name in case["missing"]:
        # "c.since" is an attribute of annotation c; "correction:a" a field asked of answer a.
        id_, _, attribute = name.partition(".")
        key, _, target = name.partition(":")
        assert (f".attributes.{attribute}is required" if attribute else f"fields.{key}is required") in said
        assert not target or f"'{target}'" in said
        assert not attribute or any(a["id"] == id_ for a in case["annotations"])
    assert len(_missing(trouble.value)) == len(case["missing"])


@pytest.mark.parametrize("case", TABLE["refused"], ids=lambda case: case["why"])
def test_conditions_that_make_no_sense_are_refused(case: Obj) -> None:
    fields = [
        *TABLE["ontology"]["fields"],
        {"key": "last", "type": "text", "when": case["when"]},
        {"key": "round", "type": "text", "when": {"field": "last"}},
    ]
    with pytest.raises(Invalid) as trouble:
        check_ontology({**TABLE["ontology"], "fields": fields})
    assert ".when" in trouble.value.errors[0]["path"]


def test_nesting_has_an_end() -> None:
    when: Obj = {"field": "a"}
    for _ in range(10):
        when = {"not": when}
    with pytest.raises(Invalid, match="deep"):
        check_ontology({"fields": [{"key": "a", "type": "text"}, {"key": "b", "type": "text", "when": when}]})


def test_a_long_chain_is_no_circle() -> None:
    chain = {f"f{i}": {"field": f"f{i + 1}"} for i in range(5_000)}
    assert circle_in(chain) is None
    assert circle_in({**chain, "f5000": {"field": "f0"}}) is not None


@given(answers_of())
def test_without_conditions_nothing_changes(answer: Obj) -> None:
    assert Conditions(ONTOLOGY).settle(answer) is answer
    check_answer(answer, ONTOLOGY)
