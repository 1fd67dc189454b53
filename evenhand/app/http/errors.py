"""Trouble as HTTP: one table. Errors are problem documents (RFC 9457); the compatible doors have their own shape."""

import asyncio
import errno
import logging
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from evenhand.app.limits import TooManyRequests
from evenhand.app.logs import trail
from evenhand.infra.db import AWAY
from evenhand.infra.objects import StorageFull
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
    415: "Not a type that is taken here",
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


class NotJson(Invalid):
    code = "invalid"
    hint = "Send JSON in UTF-8, as `Content-Type: application/json`."


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
_FULL_AGAIN_S = 60.0


def problem_of(err: BaseException) -> Problem:
    """What a caller is told. Anything unforeseen is logged by kind and place, and told as a bug without content."""
    if isinstance(err, StorageFull):
        return Problem(507, err.code, err.message, err.hint, None, _FULL_AGAIN_S)
    if isinstance(err, Trouble):
        status = next((code for kind, code in STATUS.items() if isinstance(err, kind)), 500)
        if err.code == "signin":
            status = 401
        if isinstance(err, TooLarge):
            status = 413
        if isinstance(err, NotJson):
            status = 415
        if isinstance(err, TooManyRequests):
            return Problem(429, "limit", err.message, err.hint, None, err.retry_after_s)
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
        return Problem(400, "invalid", "The text is not UTF-8, or has a zero character.", "Send UTF-8.")
    if isinstance(err, asyncpg.DataError) or (isinstance(err, asyncpg.InterfaceError) and isinstance(err, ValueError)):
        return Problem(400, "invalid", "A number or a time in the request is out of range.", "Use a smaller one.")
    if isinstance(err, AWAY):
        return Problem(503, "busy", "The database is away.", "Nothing was lost. Try again in a moment.", None, 2)
    if isinstance(err, _AGAIN):
        return Problem(503, "busy", "Two changes met.", "Send the request again.", None, 1)
    if isinstance(err, _FULL) or (isinstance(err, OSError) and err.errno in (errno.ENOSPC, errno.EDQUOT)):
        return Problem(
            507,
            "busy",
            "The disk of the server is full.",
            "Nothing was changed. Tell the operator.",
            None,
            _FULL_AGAIN_S,
        )
    if isinstance(err, asyncpg.InsufficientPrivilegeError) and "table fact" in str(err):
        return Problem(
            503,
            "busy",
            "This can't be written into the transparency log, and what can't be logged is neither shown nor done.",
            "Nothing was changed. Tell the operator.",
            None,
            _FULL_AGAIN_S / 2,
        )
    if isinstance(err, (TimeoutError, asyncio.TimeoutError, asyncpg.QueryCanceledError)):
        return Problem(503, "busy", "This took too long and was stopped.", "Try again, or ask for less.", None, 5)
    log.error("a bug: %s", trail(err))
    return Problem(500, "bug", "Something went wrong on our side.", "Nothing was half done. Tell the operator.")
