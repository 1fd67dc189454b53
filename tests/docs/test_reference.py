"""docs/reference is what the code says."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("docs_script", ROOT / "scripts" / "docs.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for path, text in script.pages().items():
        assert path.is_file() and path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"
    assert {path.name for path in script.REFERENCE.iterdir()} == {path.name for path in script.pages()}
