"""Servers of their own, with durability on, from both bin folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evenhand.infra.postgres.server import Server

MakeServer = Callable[..., Server]
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


@pytest.fixture(scope="session")
def made_clusters() -> Iterator[Callable[[Path | None], Path]]:
    """A cluster of each bin folder, made once a test process: copying one takes a tenth of initdb's time."""
    top = Path(tempfile.mkdtemp(prefix="ev-made-", dir="/tmp"))
    made: dict[Path | None, Path] = {}

    def of(bin_dir: Path | None) -> Path:
        if bin_dir not in made:
            place = top / str(len(made))
            with Server(place / "pg", place / "run", bin_dir):
                pass
            made[bin_dir] = place
        return made[bin_dir]

    yield of
    shutil.rmtree(top, ignore_errors=True)


@pytest.fixture
def make_server(
    folder: Path, bin_dir: Path | None, made_clusters: Callable[[Path | None], Path]
) -> Iterator[MakeServer]:
    """Makes servers that are stopped at the end, whatever happens. fresh: without a cluster, as at the first start."""
    with ExitStack() as stack:

        def make(name: str = "a", *, fresh: bool = False, **options: Any) -> Server:
            server = Server(folder / name / "pg", folder / name / "run", bin_dir, **options)
            if not fresh:
                place = made_clusters(bin_dir)
                shutil.copytree(place / "pg", server.data_dir)
                shutil.copy2(place / "pg.password", server.data_dir.with_name("pg.password"))
            stack.callback(server.stop, "immediate")
            return server

        yield make


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try this")
