"""One server for the tests that hurt it; each leaves it whole again."""

import shutil
from collections.abc import Iterator

import pytest

from tests.failure.running import Cast, Running, free_port, seed
from tests.places import short_folder


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    folder = short_folder("ev-fail-")
    made = Running(folder, free_port())
    made.start()
    yield made
    made.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cast(running: Running) -> Cast:
    return seed(running)
