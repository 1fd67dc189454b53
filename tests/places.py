"""Where tests put what a server of theirs writes: in memory, where there is plenty of it."""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_PLENTY = 4_000_000_000  # bytes free, in that file system and of the machine's memory


def _free_memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)


def _roomy() -> bool:
    return os.access(_MEMORY, os.W_OK) and min(shutil.disk_usage(_MEMORY).free, _free_memory()) > _PLENTY


def short_folder(prefix: str) -> Path:
    """A new folder with a short path, since a socket may lie below it. A test's database is copied in a tenth of the time in
    memory, and what has to outlast a power cut is tested elsewhere (`tests/infra/postgres`, `tests/failure`)."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if _roomy() else "/tmp"))
