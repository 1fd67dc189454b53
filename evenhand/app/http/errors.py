"""Trouble as HTTP: one table. Errors are problem documents (RFC 9457); the compatible doors have their own shape."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from evenhand.infra.db import AWAY
from evenhand.pure.trouble import Busy, Conflict, Denied, Invalid, Missing, Trouble, Upstream

log = logging.getLogger("evenhand.http")

STATUS: dict[type[Trouble], int] = {Invalid: 400, Denied: 403, Missing: 404, Conflict: 409, Busy: 503, Upstream: 502}
TITLES = {
    400: "The request is not right",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    429: "Too many requests",
    500: "A bug in Evenhand",
    502: "Another machine failed",
    503: "Busy",
    507: "The disk is full",
}


class SignIn(Denied):
    code = "signin"
    hint = "Sign in, or send an API key as `Authorization: Bearer`."


class TooLarge(Invalid):
    code = "invalid"
    hint = "Send it in smaller parts."


class WrongToken(Denied):
    hint = "Reload the page and try again."


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    code: str
    detail: str
    hint: str | None = None
    errors: list[Any] | None = None
    retry_after_s: float | None = None

    def document(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "type": f"urn:evenhand:problem:{self.code}",
            "title": TITLES.get(self.status, "Trouble"),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.hint:
            out["hint"] = self.hint
        if self.errors:
            out["errors"] = self.errors
        return out


_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.UniqueViolationError,
)
_FULL = (asyncpg.DiskFullError,)


def problem_of(err: BaseException) -> Problem:
    """What a caller is told. Anything unforeseen is logged by kind and place, and told as a bug without content."""
    if isinstance(err, Trouble):
        status = next((code for kind, code in STATUS.items() if isinstance(err, kind)), 500)
        if err.code == "signin":
            status = 401
        if isinstance(err, TooLarge):
            status = 413
        retry = err.retry_after_s if isinstance(err, Busy) else None
        if isinstance(err, Busy) and retry is not None and retry >= 60:
            status = 429
        return Problem(status, err.code, err.message, err.hint, list(err.errors) or None, retry)
    if isinstance(err, msgspec.ValidationError):
        return Problem(400, "invalid", f"The request is not right: {err}", "Compare it with the reference.")
    if isinstance(err, msgspec.DecodeError):
        return Problem(400, "invalid", "The body is not JSON.", "Send JSON in UTF-8.")
    if isinstance(err, RecursionError):
        return Problem(400, "invalid", "The body is nested too deeply.", "Send a flatter document.")
    if isinstance(err, (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError, UnicodeError)):
        return Problem(400, "invalid", "The text has a character that can't be kept.", "Leave out zero characters.")
    if isinstance(err, asyncpg.DataError) or (isinstance(err, asyncpg.InterfaceError) and isinstance(err, ValueError)):
        return Problem(400, "invalid", "A number or a time in the request is out of range.", "Use a smaller one.")
    if isinstance(err, AWAY):
        return Problem(503, "busy", "The database is away.", "Nothing was lost. Try again in a moment.", None, 2)
    if isinstance(err, _AGAIN):
        return Problem(503, "busy", "Two changes met.", "Send the request again.", None, 1)
    if isinstance(err, _FULL) or (isinstance(err, OSError) and err.errno == 28):
        return Problem(
            507, "busy", "The disk of the server is full.", "Nothing was changed. Tell the operator.", None, 60
        )
    if isinstance(err, (TimeoutError, asyncio.TimeoutError, asyncpg.QueryCanceledError)):
        return Problem(503, "busy", "This took too long and was stopped.", "Try again, or ask for less.", None, 5)
    if isinstance(err, OSError):
        return Problem(503, "busy", "The database is away.", "Nothing was lost. Try again in a moment.", None, 2)
    log.error("a bug: %s", _trail(err))
    return Problem(500, "bug", "Something went wrong on our side.", "Nothing was half done. Tell the operator.")


def _trail(err: BaseException) -> str:
    """The type of an error and the way to it, without its message: that may quote content."""
    places: list[str] = []
    trace = err.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("evenhand."):
            places.append(f"{name}:{trace.tb_lineno}")
        trace = trace.tb_next
    detail = f" {getattr(err, 'sqlstate', '')}" if isinstance(err, asyncpg.PostgresError) else ""
    return f"{type(err).__name__}{detail} at {' < '.join(reversed(places[-6:]))}"
