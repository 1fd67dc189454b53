"""The keys of one scope: what they are bound to, and what is derived from them. Where they come from: test_envelope."""

import time
from itertools import product

import pytest

from evenhand.infra.crypto.datakey import DataKey, Scope, WrappedKey, bind


def test_no_two_places_are_spelled_alike() -> None:
    assert bind("a", "b") != bind("ab", "") != bind("", "ab")
    assert bind("a", 1, 2) != bind("a", 12) != bind("a1", 2)


def test_derived_keys_differ_by_purpose_project_and_organisation() -> None:
    material = {1: bytes(range(32))}
    found = {
        DataKey(Scope(org, project), material, float("inf"), time.monotonic).derive(purpose)
        for org, project, purpose in product(("acme", "birch"), ("", "p1"), ("mac/name", "mac/tag"))
    }
    assert len(found) == 8 and {len(key) for key in found} == {32}


def test_wrapped_keys_are_stored_with_their_versions() -> None:
    wrapped = WrappedKey(7, 3, b"sealed")
    assert wrapped.to_bytes() == b"\x00\x00\x00\x07\x00\x00\x00\x03sealed"
    assert WrappedKey.from_bytes(wrapped.to_bytes()) == wrapped
    with pytest.raises(ValueError, match="not a wrapped key"):
        WrappedKey.from_bytes(b"short")
