"""Public data that is not ours to hand on: read where it lies, beside the repository or in EVENHAND_DATA. A test that needs it
is skipped where it is absent, and says so."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("EVENHAND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def _absent(path: Path) -> str:
    return f"{path.name} is not here: set EVENHAND_DATA to the folder of public data that has it"


def data(*parts: str) -> Path:
    """A file of it, for the test that asks."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(_absent(path))
    return path


def cases_of(read: Callable[[Path], Iterable[Any]], *parts: str) -> list[Any]:
    """Parameters from a file: its cases, or a single one that is skipped."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=_absent(path)))]
    return list(read(path))
