"""Response schemas: every made-up response fits the schema of its type, and another type's does not fit by accident."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from evenhand.pure.scale.madeup import made_up
from evenhand.pure.scale.schemas import schema_id, schema_of, schema_text
from evenhand.pure.scale.types import BY_NAME, check_params, with_defaults
from evenhand.pure.trouble import Missing
from tests.pure.scale.bodies import BODIES


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_type_has_a_schema_that_its_responses_fit(name: str) -> None:
    type_ = BY_NAME[name]
    params = with_defaults(type_, BODIES[name])
    check_params(type_, params)
    response = made_up(type_, params, 7, lambda file, _: f"http://example.com/{file}")
    schema = json.loads(schema_text(schema_id(name)))
    assert schema["$id"] == schema_id(name)
    validator = jsonschema_rs.Draft202012Validator(schema)
    validator.validate(json.loads(json.dumps(response)))
    assert not validator.is_valid([])
    if schema["required"]:
        assert not validator.is_valid({})


@pytest.mark.parametrize(
    "id_", ["", "x", "response", "response_imageannotation", "response_nothing_1", "response_chat_2"]
)
def test_an_unknown_schema_is_missing(id_: str) -> None:
    with pytest.raises(Missing):
        schema_of(id_)
