"""Processes: a parent that forks HTTP processes and a worker from one loaded image, and ends them in order."""

import asyncio
import contextlib
import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import uvicorn
import uvloop

from evenhand.app import worker
from evenhand.app.http.server import build
from evenhand.app.logs import on_loop_error
from evenhand.app.opening import services
from evenhand.app.scale.door import scale_routes
from evenhand.app.settings import Settings
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.pure.trouble import Conflict

log = logging.getLogger("evenhand")
_PR_SET_PDEATHSIG = 1
CALM_S = 5.0  # a child that lives shorter than this is restarted with a pause
_GRACE_S = 8.0


class PortInUse(Conflict):
    hint = "Stop the other program, or set EVENHAND_PORT to a free port."


def listen(settings: Settings) -> socket.socket:
    """The listening socket, bound before anything is started, shared by all HTTP processes."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
    except OSError as err:
        made.close()
        if err.errno == errno.EADDRINUSE:
            raise PortInUse(f"Port {settings.port} is in use by another program.") from err
        raise PortInUse(f"Port {settings.port} can't be opened: {os.strerror(err.errno or 0)}.") from err
    made.listen(1024)
    made.setblocking(False)
    return made


def _die_with_parent(parent: int) -> None:
    """A child ends when its parent is gone, however it went."""
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def serve_http(settings: Settings, urls: DatabaseUrls, keys: Keys, made: socket.socket) -> None:
    """One HTTP process, until SIGTERM."""
    worker.listen()
    app = build(settings, lambda: services(settings, urls, keys, process="web"), scale_routes)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=5,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
    )
    server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(on_loop_error)
        runner.run(server.serve(sockets=[made]))


def serve_jobs(settings: Settings, urls: DatabaseUrls, keys: Keys, made: socket.socket) -> None:
    """The worker process, until SIGTERM. It lets go of the door: else that stayed open while a last job ends."""
    made.close()
    worker.listen()

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(on_loop_error)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        async with services(settings, urls, keys, connections=4, process="worker") as opened:
            await worker.run(opened, stop)

    asyncio.run(main())


@dataclass(slots=True)
class _Child:
    name: str
    run: Callable[[], None]
    pid: int = 0
    started: float = 0.0


class Family:
    """The children. Ctrl-C ends HTTP, then the worker; the caller then ends the database."""

    def __init__(self, children: list[tuple[str, Callable[[], None]]]) -> None:
        self._children = [_Child(name, run) for name, run in children]
        self._stopping = False

    def start(self) -> None:
        gc.collect()
        gc.freeze()  # what is loaded now stays shared between the processes
        for child in self._children:
            self._fork(child)

    def _fork(self, child: _Child) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                _die_with_parent(parent)
                child.run()
                code = 0
            except KeyboardInterrupt:
                code = 0
            except BaseException as err:
                # a forked child: nothing may unwind into what its parent was doing
                log.error("%s ended: %s", child.name, type(err).__name__)
            finally:
                os._exit(code)
        child.pid, child.started = pid, time.monotonic()

    def watch(self, healthy: Callable[[], None], stop: Callable[[], bool]) -> None:
        """Restarts a child that died; returns when told to stop. `healthy` raises when the database has ended."""
        while not stop():
            healthy()
            for child in self._children:
                if child.pid and _ended(child.pid):
                    if stop():
                        return
                    log.warning("%s has ended; starting it again", child.name)
                    if time.monotonic() - child.started < CALM_S:
                        time.sleep(1)
                    self._fork(child)
            time.sleep(0.1)

    def stop(self) -> None:
        for kind in ("http", "worker"):
            mine = [c for c in self._children if c.name.startswith(kind) and c.pid]
            for child in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGTERM)
            deadline = time.monotonic() + _GRACE_S
            for child in mine:
                while not _ended(child.pid):
                    if time.monotonic() > deadline:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(child.pid, signal.SIGKILL)
                    time.sleep(0.02)
                child.pid = 0


def _ended(pid: int) -> bool:
    try:
        done, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return done != 0


class Stopper:
    """Remembers that Ctrl-C or SIGTERM came."""

    def __init__(self) -> None:
        self.told = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._tell)

    def _tell(self, _number: int, _frame: FrameType | None) -> None:
        self.told = True

    def __call__(self) -> bool:
        return self.told
