"""`evenhand up`: everything, in the foreground, in order; and in reverse on Ctrl-C."""

import asyncio
import contextlib
import logging
import os
import sys
import time
import webbrowser
from collections.abc import Generator
from functools import partial

from evenhand.app import demo
from evenhand.app.opening import URL_VARIABLE, reach, services
from evenhand.app.processes import CALM_S, Family, Stopper, listen, serve_http, serve_jobs
from evenhand.app.settings import Settings
from evenhand.features.people.links import setup_link
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.postgres.server import Server, server_of
from evenhand.pure.trouble import Trouble

log = logging.getLogger("evenhand")
HTTP_PROCESSES = max(1, min(4, os.cpu_count() or 1))


@contextlib.contextmanager
def _step(words: str) -> Generator[None]:
    """One line that says what is being done and how long it took."""
    sys.stdout.write(f"  {words} ... ")
    sys.stdout.flush()
    begun = time.monotonic()
    yield
    sys.stdout.write(f"{time.monotonic() - begun:.1f} s\n")
    sys.stdout.flush()


def _in_child(work: "partial[object]") -> None:
    """Runs something once in a process of its own, so that what it loads does not stay."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except Trouble as err:
            sys.stderr.write(f"\n{err.message} {err.hint or ''}\n")
        except Exception:  # a forked child, as in processes.py
            logging.getLogger("evenhand").exception("a bug")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise demo.SeedFailed("The demo could not be made.")


def _print_setup_link(settings: Settings, urls: DatabaseUrls, keys: Keys) -> None:
    async def ask() -> str | None:
        async with services(settings, urls, keys, connections=1) as opened:
            link = await setup_link(opened.db, settings.public_url)
            return link.link if link is not None else None

    link = asyncio.run(ask())
    if link is not None:
        sys.stdout.write(f"\n  There is no operator yet. Open this link once to become the first:\n\n    {link}\n")
        sys.stdout.flush()


def up(settings: Settings, *, with_demo: bool = False, open_browser: bool = True) -> None:
    """Serves until Ctrl-C."""
    stop = Stopper()
    settings.home.make()
    sys.stdout.write("Evenhand\n")
    with contextlib.ExitStack() as stack:
        stack.enter_context(settings.home.lock())
        made = stack.enter_context(contextlib.closing(listen(settings)))
        server: Server | None = None
        if os.environ.get(URL_VARIABLE):
            with _step("Looking at the database"):
                urls, keys = reach(settings, None)
        else:
            server = server_of(settings.home)
            with _step("Starting the database"):
                server.start()
            stack.callback(server.stop)
            with _step("Bringing the schema up to date"):
                urls, keys = reach(settings, server)
        if with_demo and not settings.home.demo_file.exists():
            with _step("Making the demo (once)"):
                _in_child(partial(demo.seed, settings, urls, keys))
        elif not with_demo:
            _in_child(partial(_print_setup_link, settings, urls, keys))
        children = [(f"http {n}", partial(serve_http, settings, urls, keys, made)) for n in range(HTTP_PROCESSES)]
        family = Family([*children, ("worker", partial(serve_jobs, settings, urls, keys, made))])
        stack.callback(family.stop)
        family.start()
        _welcome(settings, with_demo)
        if open_browser and with_demo and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(settings.public_url)
        family.watch(_Keeper(server), stop)
        sys.stdout.write("\nStopping: first what people see, then the jobs, then the database.\n")
        sys.stdout.flush()


class _Keeper:
    """Starts the database again when it was ended from outside; requests are told to wait meanwhile. One that keeps
    ending soon after its start has a reason that a start does not mend: that is raised."""

    def __init__(self, server: Server | None) -> None:
        self._server = server
        self._started = time.monotonic()
        self._hasty = 0

    def __call__(self) -> None:
        if self._server is None or self._server.poll() is None:
            return
        self._hasty = self._hasty + 1 if time.monotonic() - self._started < CALM_S else 1
        if self._hasty > 3:
            raise self._server.why_it_ended()
        log.warning("the database has ended; starting it again")
        self._server.start()
        self._started = time.monotonic()


def _welcome(settings: Settings, with_demo: bool) -> None:
    out = [f"\n  Evenhand serves at {settings.public_url}"]
    if with_demo:
        out += demo.sign_ins(settings)
    out.append("  Press Ctrl-C to stop.\n")
    sys.stdout.write("\n".join(out) + "\n")
    sys.stdout.flush()
