"""Servers of their own, with durability on, from both bin folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from evenhand.infra.postgres.server import Server

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(params=["embedded", "debian-15"])
def bin_dir(request: pytest.FixtureRequest) -> Path | None:
    """Where the programs are: the embedded wheel's, then Debian's 15."""
    if request.param == "embedded":
        return None
    if not (DEBIAN_15 / "postgres").is_file():
        pytest.skip("Debian's postgresql-15 is not installed here")
    return DEBIAN_15


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short private folder: socket paths have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="ev-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


MakeServer = Callable[..., Server]


@pytest.fixture
def make_server(folder: Path, bin_dir: Path | None) -> Iterator[MakeServer]:
    """Makes servers that are stopped at the end, whatever happens."""
    with ExitStack() as stack:

        def make(name: str = "a", **options: object) -> Server:
            server = Server(folder / name / "pg", folder / name / "run", bin_dir, **options)  # type: ignore[arg-type]
            stack.callback(server.stop, "immediate")
            return server

        yield make


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try this")
