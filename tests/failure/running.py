"""A whole server in processes of its own, as an operator runs it, and ways to hurt it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from evenhand.app.opening import database, services
from evenhand.app.settings import Settings, settings_from_environment
from evenhand.features.people import actions as people
from evenhand.infra.postgres.roles import with_database
from evenhand.infra.postgres.server import server_of

PREFIX = "/api/v1"
PASSWORD = "correct horse battery"
_UP = """
import sys
from evenhand.app.cli import main
sys.exit(main(["up", "--no-browser"]))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def patiently(ready: Callable[[], Any], within_s: float, what: str) -> Any:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        found = ready()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {what}")


@dataclass
class Running:
    """A home, a port, and the processes that serve it."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    seen: set[int] = field(default_factory=set[int])  # every process that was ever ours

    @property
    def environment(self) -> dict[str, str]:
        ours = {"EVENHAND_HOME": str(self.folder / "home"), "EVENHAND_PORT": str(self.port)}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("EVENHAND_") and k != "DISPLAY"}
        return {**kept, **ours, "EVENHAND_ALLOW_PRIVATE_ADDRESSES": "1"}

    @property
    def settings(self) -> Settings:
        return settings_from_environment(self.environment)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "up.log").read_text(errors="replace")

    def start(self, within_s: float = 40) -> None:
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _UP], env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        patiently(self.healthy, within_s, f"the start; it said: {self.log[-2000:]}")
        self.members()

    def healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.log[-2000:]}"
        return self.health() == 200

    def health(self) -> int:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5).status_code
        except httpx.HTTPError:
            return 0

    # --- who is who

    def members(self) -> dict[str, list[psutil.Process]]:
        """The processes: parent, http, worker, postmaster, backends."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        found: dict[str, list[psutil.Process]] = {
            "parent": [parent],
            "http": [],
            "worker": [],
            "postmaster": [],
            "backend": [],
        }
        for one in parent.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                self.seen.add(one.pid)
                found[self._kind(one, parent)].append(one)
        self.seen.add(parent.pid)
        return found

    def _kind(self, one: psutil.Process, parent: psutil.Process) -> str:
        name, line = one.name(), " ".join(one.cmdline())
        if "postgres" in name or line.startswith("postgres") or "/postgres " in line:
            return "backend" if line.startswith("postgres:") else "postmaster"
        if one.ppid() == parent.pid and "python" in name:
            return "http" if self._listens(one) else "worker"
        return "backend"

    def _listens(self, one: psutil.Process) -> bool:
        return any(c.status == psutil.CONN_LISTEN and c.laddr.port == self.port for c in one.net_connections("tcp"))

    def kill(self, kind: str) -> None:
        """kill -9 of one process of a kind."""
        self.members()[kind][0].kill()

    def left(self) -> list[int]:
        """Processes that were ours and still live."""
        alive: list[int] = []
        for pid in self.seen:
            with contextlib.suppress(psutil.NoSuchProcess):
                if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                    alive.append(pid)
        return alive

    def stop(self, sign: int = signal.SIGINT) -> int:
        """Ctrl-C, and the exit code. Fails when anything is left."""
        assert self.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            self.members()
        self.process.send_signal(sign)
        code = self.process.wait(30)
        patiently(lambda: not self.left(), 15, "every process gone")
        return code

    def end(self) -> None:
        """Whatever happened: nothing of ours stays behind."""
        with contextlib.suppress(Exception):
            self.members()
        for pid in self.seen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)

    # --- behind the doors

    def database(self) -> psycopg.Connection[Any]:
        """The superuser's view."""
        server = server_of(self.settings.home)
        return psycopg.connect(with_database(server.admin_url, "evenhand"), autocommit=True)

    def rows(self, query: str, *values: Any) -> list[Any]:
        with self.database() as conn:
            return conn.execute(query, values).fetchall()


@dataclass
class Cast:
    """Who acts: a customer's key, annotators, a reviewer."""

    org: str
    key: str
    emails: list[str]
    reviewer: str


def seed(running: Running, people_count: int = 3, *, name: str = "Acme", team: str = "people") -> Cast:
    """Makes an organisation with people, through the program's own actions."""

    async def make() -> Cast:
        async with services(running.settings, *opened, connections=2) as s:
            org = await people.create_org(s.db, name)
            key = await people.create_key(s.db, org.id, "live")
            emails = [f"ann{n}@{team}.example" for n in range(people_count)]
            for email in [*emails, f"rev@{team}.example"]:
                person = await people.add_person(s.db, email, email.split("@")[0], PASSWORD)
                role: Any = "reviewer" if email.startswith("rev") else "annotator"
                await people.add_member(s.db, org.id, person, role)
            return Cast(org.id, key.key, emails, f"rev@{team}.example")

    with database(running.settings) as opened:
        return asyncio.run(make())


class Receiver:
    """Somebody else's server that takes callbacks."""

    def __init__(self) -> None:
        self.got: list[str] = []
        received = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                received.append(body.decode())
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def receiving() -> Generator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        made.close()
