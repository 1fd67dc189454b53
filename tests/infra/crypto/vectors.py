"""The published known answers."""

import json
from collections.abc import Iterator
from typing import Any

from tests.data import data


def load(name: str) -> Any:
    return json.loads(data("vectors", name).read_text())


def wycheproof(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each case with the group that it belongs to."""
    for group in load(f"wycheproof_{name}_test.json")["testGroups"]:
        for case in group["tests"]:
            yield group, case


def floe(name: str) -> tuple[bytes, bytes]:
    """Plaintext and sealed file."""
    texts = [data("vectors", "floe", f"java_{name}_{kind}.txt").read_text() for kind in ("pt", "ct")]
    return bytes.fromhex(texts[0]), bytes.fromhex(texts[1])
