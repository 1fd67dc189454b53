"""Runs the checks one after the other, says which, and stops at the first that fails.

python scripts/check.py lint | all | bench   (in .venv, after scripts/setup.py)
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
STUDIO = ROOT / "studio"
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")  # the oldest release that is served from


def lint() -> None:
    code = [name for name in ("evenhand", "tests", "bench", "scripts", "hatch_build.py") if (ROOT / name).exists()]
    run("Style", [BIN / "ruff", "check", *code])
    run("Format", [BIN / "ruff", "format", "--check", "--quiet", *code])
    run("Types", [BIN / "pyright"])
    run("Floor plan", [BIN / "lint-imports"])


def studio() -> None:
    sys.path.insert(0, str(ROOT))
    import hatch_build

    hatch_build.install_packages(STUDIO)
    folder, _ = hatch_build.node_and_npm()
    node = folder / "node"
    modules = STUDIO / "node_modules"
    run("Browser code: types", [node, modules / "typescript" / "bin" / "tsc", "--noEmit"], STUDIO)
    run("Browser code: tests", [node, modules / "vitest" / "vitest.mjs", "run"], STUDIO)


def server() -> None:
    # one more than the two cores that are counted on: many tests wait for a clock, a browser or a disk
    pytest: list[Path | str] = [BIN / "pytest", "-n", os.environ.get("EVENHAND_TEST_PROCESSES", "3"), "-q"]
    run("Server, database and journeys", pytest)
    if (DEBIAN_15 / "postgres").exists():
        run("Database on PostgreSQL 15", [*pytest, "-m", "database"], more={"EVENHAND_TEST_PG_BIN": str(DEBIAN_15)})
    else:
        print(f"\n== Database on PostgreSQL 15\n   skipped: there is no {DEBIAN_15}", flush=True)


def bench() -> None:
    files = sorted(path for path in (ROOT / "bench").glob("*.py") if not path.name.startswith("_"))
    if not files:
        print("There are no benchmarks yet.")
    for file in files:
        run(f"Benchmark {file.stem}", [BIN / "python", file, "--quick"], skipped=3)


def run(
    title: str,
    command: list[Path | str],
    folder: Path = ROOT,
    *,
    skipped: int | None = None,
    more: dict[str, str] | None = None,
) -> None:
    """`skipped`: the exit code by which a program says that what it needs cannot be had here. `more`: environment."""
    print(f"\n== {title}", flush=True)
    started = time.monotonic()
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "CI": os.environ.get("CI", "1")}
    environment |= more or {}
    done = subprocess.run([str(word) for word in command], cwd=folder, env=environment)
    if done.returncode == skipped:
        print("   skipped", flush=True)
        return
    if done.returncode:
        raise SystemExit(f"\n{title}: failed after {time.monotonic() - started:.0f} s.")
    print(f"   passed in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what not in ("lint", "all", "bench"):
        raise SystemExit("Usage: check.py lint|all|bench")
    if what == "bench":
        bench()
    else:
        lint()
    if what == "all":
        studio()
        server()
        print("\nEverything passed.")
