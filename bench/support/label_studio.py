"""Label Studio in an environment of its own, outside the repository: installed once, started anew for every run.

It comes from the configured package registries by pip, is never imported here, and is driven only through its REST API. A
data folder with an empty, migrated database and its people is made at installation and copied for every run.
"""

import fcntl
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.support.serving import free_port

WANTED = "label-studio>=1.20,<2"
CANNOT_INSTALL = 3
PEOPLE = 4
PASSWORD = "a long enough password"
_FIRST_TOKEN = "0123456789abcdef0123456789abcdef01234567"  # of a server that lives for minutes on 127.0.0.1
_READY = "ready.json"
_START_S = 600.0  # the first start migrates, which takes a minute of CPU
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Installed:
    version: str
    folder: Path
    install_s: float
    cached: bool


@dataclass(frozen=True)
class Peer:
    """A served Label Studio."""

    port: int
    pid: int
    tokens: list[str]


class CannotInstall(Exception):
    pass


def cache_folder() -> Path:
    if own := os.environ.get("EVENHAND_BENCH_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evenhand-bench"


def installed(version: str | None = None) -> Installed:
    """The environment in the cache, else a new one; one clear sentence and exit code 3 when there can be none."""
    try:
        root = cache_folder()
        root.mkdir(parents=True, exist_ok=True)
        with (root / "label-studio.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two runs must not install into one folder
            return _cached(root, version) or _install(root, version)
    except (CannotInstall, OSError) as e:
        print(f"Label Studio could not be installed, so there is nothing to compare with: {e}", file=sys.stderr)
        raise SystemExit(CANNOT_INSTALL) from None


def _cached(root: Path, version: str | None) -> Installed | None:
    found = [path.parent for path in root.glob(f"label-studio-{version or '*'}/{_READY}")]
    if not found:
        return None
    newest = max(found, key=lambda folder: [int(n) for n in re.findall(r"\d+", folder.name)])
    about = json.loads((newest / _READY).read_text())
    return Installed(about["version"], newest, about["install_s"], True)


def _install(root: Path, version: str | None) -> Installed:
    begun = time.monotonic()
    staging = root / "label-studio.new"
    shutil.rmtree(staging, ignore_errors=True)
    _run("its virtual environment", [sys.executable, "-m", "venv", str(staging)])
    if version is None:
        report = _pip(staging, "install", "--dry-run", "--no-deps", "--ignore-installed", "--report", "-", WANTED)
        version = str(json.loads(report)["install"][0]["metadata"]["version"])
    folder = root / f"label-studio-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)  # before any script with a path in it is written
    print(f"Installing Label Studio {version} into {folder}; this takes minutes, once.", file=sys.stderr)
    _pip(folder, "install", f"label-studio=={version}")
    tokens = _make_template(folder)
    spent = round(time.monotonic() - begun, 1)
    (folder / _READY).write_text(json.dumps({"version": version, "install_s": spent, "tokens": tokens}))
    return Installed(version, folder, spent, False)


def _pip(folder: Path, *words: str) -> str:
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    return _run(f"pip {words[0]}", [*pip, *words])


def _run(what: str, command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no reason given"]
        raise CannotInstall(f"{what} failed ({said[-1]})")
    return done.stdout


def _make_template(folder: Path) -> list[str]:
    """The empty database: migrated, with the people of the benchmark. Returns their tokens."""
    data = folder / "template"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    first = ["--username", "a0@bench.example", "--password", PASSWORD, "--user-token", _FIRST_TOKEN]
    with _serving(folder, data, first) as (port, _):
        return [_FIRST_TOKEN, *(_sign_up(port, f"a{n}@bench.example") for n in range(1, PEOPLE))]


def _sign_up(port: int, email: str) -> str:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        line.request("GET", "/user/signup/")
        csrf = _cookie(line, "csrftoken")
        form = urllib.parse.urlencode({"email": email, "password": PASSWORD, "csrfmiddlewaretoken": csrf})
        head = {"cookie": f"csrftoken={csrf}", "content-type": "application/x-www-form-urlencoded"}
        line.request("POST", "/user/signup/", form, head)
        line.request("GET", "/api/current-user/token", headers={"cookie": f"sessionid={_cookie(line, 'sessionid')}"})
        return str(json.loads(line.getresponse().read())["token"])
    except (http.client.HTTPException, ValueError, KeyError) as e:
        raise CannotInstall(f"its sign-up did not work as expected ({e!r})") from None
    finally:
        line.close()


def _cookie(line: http.client.HTTPConnection, name: str) -> str:
    reply = line.getresponse()
    reply.read()
    for cookie in reply.headers.get_all("set-cookie") or []:
        if cookie.startswith(f"{name}="):
            return str(cookie.split(";", 1)[0].split("=", 1)[1])
    raise CannotInstall(f"no cookie {name} came with status {reply.status}")


@contextmanager
def label_studio(at: Installed) -> Generator[Peer]:
    """One Label Studio on a copy of the empty database, as its documentation starts it; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="ls-bench-"))
    try:
        shutil.copytree(at.folder / "template", folder / "data")
        tokens = json.loads((at.folder / _READY).read_text())["tokens"]
        with _serving(at.folder, folder / "data", []) as (port, pid):
            yield Peer(port, pid, tokens)
    except CannotInstall as e:
        raise SystemExit(f"Label Studio is installed, but does not start: {e}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _serving(environment: Path, data: Path, more: list[str]) -> Generator[tuple[int, int]]:
    port = free_port()
    command = [
        str(environment / "bin" / "label-studio"), "start", "--no-browser", "--data-dir", str(data), "--port", str(port),
        "--internal-host", "127.0.0.1", "--enable-legacy-api-token", *more,
    ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ls-home-") as home:
        log = Path(home) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, env=_quiet(home), cwd=home, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            _wait(port, process, log)
            yield port, process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _quiet(home: str) -> dict[str, Any]:
    """Its defaults, with telemetry, error reports and version checks off, and no way to the outside."""
    return {
        "PATH": os.environ.get("PATH", ""), "HOME": home, "LANG": "C.UTF-8",
        "COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "",
        "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "NO_PROXY": "localhost,127.0.0.1",
    }  # fmt: skip


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotInstall(f"its server ended:\n{log.read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise CannotInstall(f"its server did not answer within {_START_S:.0f} s")
