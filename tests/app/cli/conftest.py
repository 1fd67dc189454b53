"""The real command in processes of its own, beside a running server or without one."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.pg import product_environment
from tests.places import short_folder
from tests.serving import free_port, serving

COMMAND = [sys.executable, "-c", "import sys; from evenhand.app.cli import main; sys.exit(main())"]


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Place:
    """One installation, as its user meets it."""

    home: Path
    port: int
    more: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def env(self) -> dict[str, str]:
        return {**product_environment(), "EVENHAND_HOME": str(self.home), "EVENHAND_PORT": str(self.port), **self.more}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, *words: str, **env: str) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        return subprocess.Popen([*COMMAND, *words], env={**self.env, **env}, stdout=pipe, stderr=pipe)

    def run(self, *words: str | Path, **env: str) -> Done:
        command = [*COMMAND, *(str(word) for word in words)]
        done = subprocess.run(command, env={**self.env, **env}, capture_output=True, timeout=60)
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def good(self, *words: str | Path, **env: str) -> Any:
        """The JSON that a command prints, which must have worked."""
        done = self.run(*words, "--json", **env)
        assert done.code == 0, (words, done)
        return done.json


@pytest.fixture(scope="package")
def served() -> Iterator[Place]:
    """An installation whose server runs, with the organisation Alder; commands on its projects go over HTTP."""
    with serving() as made:
        place = Place(made.settings.home.path, made.settings.port)
        place.good("org", "create", "Alder")
        key = place.good("key", "create", "--org", "Alder", "--mode", "live")["key"]
        place.more.update(EVENHAND_URL=place.url, EVENHAND_KEY=key)
        yield place


@pytest.fixture(scope="package")
def demo() -> Iterator[Place]:
    """The demo: work of three media, some of it done."""
    with serving(demo=True) as made:
        place = Place(made.settings.home.path, made.settings.port)
        for org in ("Alder Works", "Birch Works"):
            for mode in ("live", "test"):
                key = place.good("key", "create", "--org", org, "--mode", mode)["key"]
                place.more[f"{org} {mode}"] = key
        yield place


@pytest.fixture
def local(served: Place) -> Place:
    """The same installation, as commands without a URL see it."""
    return Place(served.home, served.port)


@pytest.fixture
def still() -> Iterator[Place]:
    """An empty home, and nothing that runs."""
    folder = short_folder("ev-")
    yield Place(folder / "home", free_port())
    shutil.rmtree(folder, ignore_errors=True)
