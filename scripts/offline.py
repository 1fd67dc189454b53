"""Makes one archive from which Evenhand is installed without a network: wheels, hashes, install.sh.

python scripts/offline.py [FOLDER]   (in .venv, after scripts/setup.py run; FOLDER: dist/ unless given)

What was fetched and built is kept in .make/offline, so the second time needs no network. The same sources and packages give the
same bytes.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".make" / "offline"
TEMPLATES = ROOT / "scripts" / "offline"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
SOURCES = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "evenhand", "fixtures/demo", "studio")
LEFT_OUT = {"__pycache__", "static", "node_modules", "dist", "coverage", ".vite", "test-results"}
_GLIBC = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


def main(folder: Path) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    with _alone():
        packages = _packages(ROOT / "requirements.txt")
        archive = _archive(folder, [*packages.glob("*.whl"), *_our_wheel().glob("*.whl")])
    print(f"{archive}\n  {archive.stat().st_size / 1e6:.0f} MB, sha256 {_sha256(archive.read_bytes())}")


def _packages(listed: Path) -> Path:
    """A folder with the wheels of a list for this platform, each checked against its hash."""

    def fetch(place: Path) -> None:
        print(f"Fetching the packages of {listed.name} ...", flush=True)
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
        only = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
        _call([sys.executable, "-m", "pip", "download", *quiet, *only, "-r", str(listed), "-d", str(place)])

    return _kept(listed.stem, [listed.read_bytes()], fetch)


def _our_wheel() -> Path:
    """A folder with the wheel of this clone, the studio in it."""
    listed = ROOT / "requirements-build.txt"

    def tools(place: Path) -> None:
        wheels = ["--no-index", "--find-links", str(_packages(listed))]
        quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        _call([sys.executable, "-m", "pip", "install", *quiet, *wheels, "-r", str(listed), "--target", str(place)])

    def build(place: Path) -> None:
        found = _kept("tools", [listed.read_bytes()], tools)
        print("Building the package ...", flush=True)
        known = {k: v for k, v in os.environ.items() if k != "EVENHAND_SKIP_STUDIO"}
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
        _call(command, {**known, "PYTHONPATH": str(found)})

    return _kept("wheel", _sources(), build)


def _sources() -> list[bytes]:
    """What the wheel is made from: names and contents."""
    out: list[bytes] = []
    for name in SOURCES:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            inner = path.relative_to(ROOT)
            if path.is_file() and not LEFT_OUT.intersection(inner.parts):
                out += [inner.as_posix().encode(), path.read_bytes()]
    return out


def _archive(folder: Path, wheels: list[Path]) -> Path:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    name = f"evenhand-{settings['project']['version']}-offline"
    files = {f"wheels/{path.name}": path.read_bytes() for path in wheels}
    words = {
        "VERSION": settings["project"]["version"],
        "SYSTEM": platform.system(),
        "MACHINE": platform.machine(),
        "PYTHON": PYTHON,
        "PYTHON_TUPLE": PYTHON.replace(".", ", "),
        "GLIBC": _glibc([path.name for path in wheels]),
    }
    for path in TEMPLATES.iterdir():
        text = re.sub(r"@([A-Z_]+)@", lambda found: words[found[1]], path.read_text(encoding="utf-8"))
        files[path.name] = text.encode()
    files["requirements.txt"] = "".join(sorted(_requirement(path) for path in wheels)).encode()
    sums = "".join(f"{_sha256(data)}  {inner}\n" for inner, data in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{name}-{words['SYSTEM'].lower()}-{words['MACHINE']}-python{PYTHON}.tar"
    new = archive.with_suffix(".new")
    with tarfile.open(new, "w", format=tarfile.USTAR_FORMAT) as out:
        for inner, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{inner}")
            entry.size, entry.mode = len(data), 0o755 if inner.endswith(".sh") else 0o644
            entry.mtime = 1_577_836_800  # one time for all: the same inputs give the same bytes
            out.addfile(entry, io.BytesIO(data))
    return new.replace(archive)


def _requirement(wheel: Path) -> str:
    project, version = wheel.name.split("-")[:2]
    return f"{project.replace('_', '-')}=={version} --hash=sha256:{_sha256(wheel.read_bytes())}\n"


def _glibc(wheels: list[str]) -> str:
    """The oldest C library that every wheel runs on, in words; a wheel names each that it runs on."""
    needs: list[tuple[int, int]] = []
    for name in wheels:
        tags = [_GLIBC[tag] for tag in _GLIBC if f"{tag}_" in name]
        tags += [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)_", name)]
        if tags:
            needs.append(min(tags))
    return ", glibc {}.{} or later".format(*max(needs)) if needs else ""


def _kept(what: str, inputs: list[bytes], make: Callable[[Path], None]) -> Path:
    """A folder that `make` filled from these inputs; what it was made from before is taken away."""
    digest = hashlib.sha256(f"{PYTHON} {platform.platform()}".encode())
    for data in inputs:
        digest.update(len(data).to_bytes(8, "big") + data)
    place = KEPT / f"{what}-{digest.hexdigest()[:24]}"
    if not place.is_dir():
        unfinished = KEPT / f"{what}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        make(unfinished)
        for old in KEPT.glob(f"{what}-{'?' * 24}"):
            shutil.rmtree(old)
        unfinished.rename(place)
    return place


@contextmanager
def _alone() -> Generator[None]:
    with (KEPT / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _call(command: list[str], environment: dict[str, str] | None = None) -> None:
    if subprocess.run(command, cwd=ROOT, env=environment).returncode:
        raise SystemExit(f"This step failed: {' '.join(command[1:5])}")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        raise SystemExit("Usage: offline.py [FOLDER]")
    main(Path(sys.argv[1]) if len(sys.argv) == 2 else ROOT / "dist")
