"""What docs/security claims is shown by tests that are there, and a line that shows none says so."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "security").glob("*.md"))
_NAMED = re.compile(r"`((?:tests|studio)/[\w/.-]+?\.(?:py|test\.tsx?))(?:::(\w+))?`")
_LINE = re.compile(r"^\| (?!requirement|risk|who |---)(.+) \|$", re.MULTILINE)


def named(page: Path) -> list[tuple[str, str]]:
    """(file, test) of each that is named; the test may be empty: the whole file."""
    return [(found[1], found[2] or "") for found in _NAMED.finditer(page.read_text(encoding="utf-8"))]


def test_the_pages_are_there() -> None:
    assert {"api-top-10.md", "asvs.md", "threat-model.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_line_shows_a_test_or_says_that_it_is_not_met(page: Path) -> None:
    lines = [found[1] for found in _LINE.finditer(page.read_text(encoding="utf-8"))]
    assert len(lines) > 10
    bare = [line for line in lines if not (_NAMED.search(line) or "not met" in line or "does not apply" in line)]
    assert bare == []


def collected(file: str) -> set[str]:
    """What pytest finds in a file by its name."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    classes = {one.name for one in tree.body if isinstance(one, ast.ClassDef)}
    made = {
        name.id
        for one in tree.body
        if isinstance(one, ast.Assign)
        for name in one.targets
        if isinstance(name, ast.Name)
    }
    return {name for name in functions if name.startswith("test")} | {
        name for name in classes | made if name.startswith("Test")
    }


def test_named_tests_are_there() -> None:
    every = {one for page in PAGES for one in named(page)}
    missing = sorted(file for file, _ in every if not (ROOT / file).is_file())
    assert missing == []
    found = {file: collected(file) for file in {file for file, _ in every if file.endswith(".py")}}
    gone = sorted(f"{file}::{test}" for file, test in every if test and test not in found.get(file, ()))
    empty = sorted(file for file, tests in found.items() if not tests)
    assert (gone, empty) == ([], [])
    assert sum(map(len, found.values())) > 100
