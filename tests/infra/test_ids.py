"""Ids: they sort as they came, and tell the time."""

import time

import pytest

from evenhand.infra import ids
from evenhand.infra.ids import is_id, new_id, new_ids


def test_ids_of_a_process_sort_as_they_came() -> None:
    begun = time.time_ns() // 1_000_000
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made)) and all(map(is_id, made))
    assert all(begun <= int(one[:12], 16) <= time.time_ns() // 1_000_000 + 1 for one in made)


def test_a_clock_that_is_set_back_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(ids.time, "time_ns", lambda: now)
    first = new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: now - 500_000_000)
    assert new_id() > first, "half a second is a correction"
    monkeypatch.setattr(ids.time, "time_ns", lambda: now - 3_600_000_000_000)
    assert int(new_id()[:12], 16) == (now - 3_600_000_000_000) // 1_000_000


def test_ids_for_lines_keep_their_order() -> None:
    made = new_ids(10_000)
    assert made == sorted(set(made)) and all(map(is_id, made))
    assert new_id(at_ms=5)[:12] == "000000000005"
