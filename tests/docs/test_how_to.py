"""The how-to pages do what they say: each `sh` and `python` block runs, in order, beside a real server with the demo."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pg import product_environment
from tests.places import short_folder
from tests.serving import Serving, serving

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in (ROOT / "docs" / "how-to").glob("*.md") if path.name != "README.md")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, text) of the fenced blocks."""
    return [(found[1], found[2]) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving(demo=True) as made:
        yield made


@pytest.fixture
def folder() -> Iterator[Path]:
    """A working folder with a short path (a restored database has its socket in it) and two pictures."""
    made = short_folder("ev-")
    (made / "pictures").mkdir()
    for picture in ("01-chickens.jpg", "10-city-gate.jpg"):
        shutil.copy(ROOT / "fixtures" / "demo" / picture, made / "pictures")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_blocks_run(page: Path, server: Serving, folder: Path) -> None:
    env = product_environment()
    env |= {
        "EVENHAND_HOME": str(server.settings.home.path),
        "EVENHAND_PORT": str(server.settings.port),
        "PATH": f"{Path(sys.executable).parent}:{env['PATH']}",
    }
    ran = 0
    for language, text in blocks(page):
        if language == "text":
            continue
        text = text.replace("http://localhost:8080", server.url)
        command = {"sh": ["bash", "-euo", "pipefail", "-c", text], "python": [sys.executable, "-c", text]}[language]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        ran += 1
    assert ran > 0


def test_every_page_is_listed() -> None:
    listed = (ROOT / "docs" / "how-to" / "README.md").read_text()
    for page in PAGES:
        assert f"({page.name})" in listed
