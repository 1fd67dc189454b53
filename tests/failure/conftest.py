"""One server for the tests that hurt it; each leaves it whole again."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.failure.running import Cast, Running, free_port, seed


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="ev-fail-", dir="/tmp"))  # short: a socket lives below
    made = Running(folder, free_port())
    made.start()
    yield made
    made.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cast(running: Running) -> Cast:
    return seed(running)
