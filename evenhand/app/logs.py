"""Logs: what happened and where, and never what a customer wrote. A message of an error may quote that, so errors appear by
kind and place, also those that a library logs."""

import asyncio
import logging
import os
from types import TracebackType
from typing import Any

import asyncpg

from evenhand.infra.home import Home

log = logging.getLogger("evenhand")
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_KEPT_BYTES = 20 * 1024 * 1024  # of the log before this start, and of the one before that


def trail(err: BaseException) -> str:
    """The type of an error and our lines on the way to it, the last one first."""
    places: list[str] = []
    trace = err.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("evenhand."):
            places.append(f"{name}:{trace.tb_lineno}")
        trace = trace.tb_next
    detail = f" {getattr(err, 'sqlstate', '')}" if isinstance(err, asyncpg.PostgresError) else ""
    return f"{type(err).__name__}{detail} at {' < '.join(reversed(places[-6:]))}"


class Discreet(logging.Formatter):
    """Errors by kind and place."""

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return f"a bug: {trail(ei[1])}" if ei[1] is not None else ""


def on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For errors that nobody waited for. The event loop's own words would quote them."""
    err = context.get("exception")
    said = str(context.get("message", "")).split("\n", 1)[0]
    if isinstance(err, BaseException):
        log.error("a bug: %s: %s", said.split(":", 1)[0], trail(err))
    else:
        log.warning("%s", said)


def log_to(home: Home) -> None:
    """All of it into the home's log, warnings on the terminal too."""
    os.umask(0o077)
    logging.raiseExceptions = False  # a disk that is full must not fill the terminal with that of each line
    place = home.logs / "evenhand.log"
    if place.is_file() and place.stat().st_size > _KEPT_BYTES:
        place.replace(place.with_suffix(".log.1"))
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    file = logging.FileHandler(place, encoding="utf-8")
    for handler in (terminal, file):
        handler.setFormatter(Discreet(_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[terminal, file])
    logging.getLogger("httpx").setLevel(logging.WARNING)
