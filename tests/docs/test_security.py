"""What docs/security claims is shown by tests that are there, and a line that shows none says so."""

import re
import subprocess
import sys
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


def test_named_tests_are_collected() -> None:
    every = {one for page in PAGES for one in named(page)}
    missing = sorted(file for file, _ in every if not (ROOT / file).is_file())
    assert missing == []
    files = sorted({file for file, _ in every if file.endswith(".py")})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-n", "0", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    collected = {re.sub(r"\[.*", "", line) for line in done.stdout.splitlines() if "::" in line}
    gone = sorted(f"{file}::{test}" for file, test in every if test and f"{file}::{test}" not in collected)
    empty = sorted(file for file in files if not any(one.startswith(f"{file}::") for one in collected))
    assert (gone, empty) == ([], []), done.stderr
    assert len(collected) > 100
