"""A real server for tests: the supervisor in a process of its own, with a home, a database and a port of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from evenhand.app.opening import database, services
from evenhand.app.services import Services
from evenhand.app.settings import Settings, settings_from_environment
from evenhand.features.people import actions as people
from evenhand.infra.fetch import ALLOW_VARIABLE
from tests.pg import product_environment
from tests.places import short_folder

PASSWORD = "correct horse battery"
_UP = "from evenhand.app.up import up; from evenhand.app.settings import settings_from_environment as s; "
_UP += "up(s(), open_browser=False, with_demo={demo})"


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@dataclass
class Org:
    """A customer: spaces and keys."""

    live: str
    test: str
    live_key: str
    test_key: str


@dataclass
class Serving:
    """The running server."""

    settings: Settings
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return self.settings.public_url

    def run(self, act: Any) -> Any:
        """Runs `act(services)` beside the server, over the same database."""

        async def inside(urls: Any, keys: Any) -> Any:
            async with services(self.settings, urls, keys, connections=2) as opened:
                return await act(opened)

        # in a thread of its own: Playwright keeps an event loop running in the test's
        with database(self.settings) as (urls, keys), ThreadPoolExecutor(1) as beside:
            return beside.submit(asyncio.run, inside(urls, keys)).result()

    def customer(self, name: str) -> Org:
        async def make(opened: Services) -> Org:
            org = await people.create_org(opened.db, name)
            test = await people.find_org(opened.db, org.id, "test")
            live_key = await people.create_key(opened.db, org.id, "live")
            test_key = await people.create_key(opened.db, org.id, "test")
            return Org(org.id, test.id, live_key.key, test_key.key)

        return self.run(make)

    def member(self, email: str, role: Any, *orgs: str) -> str:
        async def make(opened: Services) -> str:
            person = await people.add_person(opened.db, email, email.split("@")[0].title(), PASSWORD)
            for org in orgs:
                await people.add_member(opened.db, org, person, role)
            return person

        return self.run(make)

    def staff(self, email: str) -> str:
        """Somebody of the operator's. Returns their name."""
        name = email.split("@")[0].title()

        async def make(opened: Services) -> str:
            return await people.add_person(opened.db, email, name, PASSWORD, operator=True)

        self.run(make)
        return name

    @contextmanager
    def signed_in(self, email: str) -> Generator[httpx.Client]:
        """A browser's session: cookie and CSRF header."""
        with httpx.Client(base_url=f"{self.url}/api/v1", timeout=20) as client:
            found = client.post("/session", json={"email": email, "password": PASSWORD})
            assert found.status_code == 200, found.text
            client.headers["x-evenhand-csrf"] = found.json()["csrf"]
            yield client


@contextmanager
def serving(*, demo: bool = False) -> Generator[Serving]:
    """A server for the length of a block; nothing of it is left afterwards."""
    folder = short_folder("ev-")
    env = {
        **product_environment(),
        "EVENHAND_HOME": str(folder / "home"),
        "EVENHAND_PORT": str(free_port()),
        ALLOW_VARIABLE: "1",
    }
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _UP.format(demo=demo)], env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        made = Serving(settings_from_environment(env), process, log)
        _await_health(made)
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _await_health(made: Serving) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert made.process.poll() is None, made.log.read_text()
        try:
            if httpx.get(f"{made.url}/healthz").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not start\n{made.log.read_text()}")


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Elsewhere:
    """Somebody else's web server: files to fetch, and a receiver of callbacks."""

    url: str
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    got: list[Received] = field(default_factory=list[Received])

    def put(self, name: str, kind: str, data: bytes) -> str:
        self.files[f"/{name}"] = (kind, data)
        return f"{self.url}/{name}"

    def calls(self, path: str, count: int = 1, within_s: float = 15) -> list[Received]:
        """The calls to `path`, when there are `count` of them."""
        deadline = time.monotonic() + within_s
        while True:
            found = [r for r in self.got if r.path == path]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"{len(found)} calls to {path}"
            time.sleep(0.05)


@contextmanager
def elsewhere() -> Generator[Elsewhere]:
    made: Elsewhere

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, data = made.files.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("content-type", kind or "text/plain")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("content-length", "0")))
            made.got.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, data))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Elsewhere(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
