"""Runs the checks one after the other, says which, and stops at the first that fails.

python scripts/check.py lint | all | bench   (in .venv, after scripts/setup.py)
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
STUDIO = ROOT / "studio"
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")  # the oldest release that is served from


def lint() -> None:
    code = [name for name in ("evenhand", "tests", "bench", "scripts", "hatch_build.py") if (ROOT / name).exists()]
    run("Style", [BIN / "ruff", "check", *code])
    run("Format", [BIN / "ruff", "format", "--check", "--quiet", *code])
    run("Floor plan", [BIN / "lint-imports"])


def types_and_studio() -> None:
    """Two at a time: each works on one core for most of its time."""
    sys.path.insert(0, str(ROOT))
    import hatch_build

    hatch_build.install_packages(STUDIO)
    folder, _ = hatch_build.node_and_npm()
    node, modules = folder / "node", STUDIO / "node_modules"
    with ThreadPoolExecutor(2) as beside:
        done = [
            beside.submit(run, "Types", [BIN / "pyright"], quiet=True),
            beside.submit(
                run,
                "Browser code: types",
                [node, modules / "typescript" / "bin" / "tsc", "--noEmit"],
                STUDIO,
                quiet=True,
            ),
            beside.submit(
                run, "Browser code: tests", [node, modules / "vitest" / "vitest.mjs", "run"], STUDIO, quiet=True
            ),
        ]
    for each in done:
        each.result()


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
    quiet: bool = False,
) -> None:
    """`skipped`: the exit code by which a program says that what it needs cannot be had here. `more`: environment.
    quiet: what it says is shown where it fails."""
    if not quiet:
        print(f"\n== {title}", flush=True)
    started = time.monotonic()
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "CI": os.environ.get("CI", "1")}
    environment |= more or {}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None,
    )  # fmt: skip
    took = f"{time.monotonic() - started:.0f} s"
    heading = f"\n== {title}\n" if quiet else ""
    if done.returncode == skipped:
        print(f"{heading}   skipped", flush=True)
    elif done.returncode:
        raise SystemExit(f"{heading}{done.stdout or ''}\n{title}: failed after {took}.")
    else:
        print(f"{heading}   passed in {took}", flush=True)


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what not in ("lint", "all", "bench"):
        raise SystemExit("Usage: check.py lint|all|bench")
    if what == "bench":
        bench()
    else:
        lint()
    if what == "lint":
        run("Types", [BIN / "pyright"])
    if what == "all":
        types_and_studio()
        server()
        print("\nEverything passed.")
