"""A real Evenhand in a temporary home, the way a user starts it, and access to its database for seeding."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from evenhand.app.opening import services
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.infra.home import Home
from evenhand.infra.keys import Keys, load_keys
from evenhand.infra.postgres.roles import DatabaseUrls, prepare
from evenhand.infra.postgres.server import server_of

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def conclude(claim: str, value: float, unit: str, limit_or_peer: float, ratio: float) -> None:
    """The last line. ratio 1 means that the target is met; larger is better."""
    say(claim=claim, value=round(value, 4), unit=unit, limit_or_peer=round(limit_or_peer, 4), ratio=round(ratio, 4))


@dataclass
class Running:
    """A served Evenhand."""

    settings: Settings
    urls: DatabaseUrls
    keys: Keys
    process: subprocess.Popen[bytes]

    @property
    def base(self) -> str:
        return f"http://localhost:{self.settings.port}"

    def do(self, work: Callable[[Services], Coroutine[Any, Any, T]]) -> T:
        """Runs something over the server's database in this process."""

        async def run() -> T:
            async with services(self.settings, self.urls, self.keys) as opened:
                return await work(opened)

        return asyncio.run(run())

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU used so far: by our processes and by the database's, those that have ended included."""
        mine = psutil.Process(self.process.pid)
        out = {"server": 0.0, "database": 0.0}
        for p in [mine, *mine.children(recursive=True)]:
            try:
                times = p.cpu_times()
                kind = "database" if "postgres" in p.name() else "server"
            except psutil.NoSuchProcess:
                continue
            out[kind] += times.user + times.system + times.children_user + times.children_system
        return out


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def evenhand() -> Generator[Running]:
    """`evenhand up` in a home of its own; everything is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ev-bench-"))
    port = free_port()
    env = {**os.environ, "EVENHAND_HOME": str(folder / "home"), "EVENHAND_PORT": str(port)}
    env.pop("EVENHAND_DATABASE_URL", None)
    env.pop("EVENHAND_PUBLIC_URL", None)
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from evenhand.app.cli import main; sys.exit(main())", "up", "--no-browser"],
        cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until_healthy(f"http://localhost:{port}/healthz", process, folder / "log")
        settings = Settings(Home(folder / "home"), port, f"http://localhost:{port}")
        server = server_of(settings.home)
        urls = prepare(server.admin_url, passwords=settings.home.database_keys)
        yield Running(settings, urls, load_keys(settings.home.keys), process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"evenhand up ended:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=1) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("evenhand up did not answer within 60 s")
