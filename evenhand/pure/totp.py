"""Codes of authenticator apps: HOTP (RFC 4226) over time (RFC 6238), as every app draws them: SHA-1, six digits, 30 s."""

import base64
import hmac
import struct
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
#: steps that a telephone's clock may be off, both ways
DRIFT = 1


def code_at(secret: bytes, step: int, *, digits: int = DIGITS, digest: str = "sha1") -> str:
    """The code of a step (RFC 4226, section 5.3): `digits` decimal digits."""
    whole = hmac.digest(secret, struct.pack(">Q", step), digest)
    at = whole[-1] & 15
    number = struct.unpack(">I", whole[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_at(time_s: float) -> int:
    """The step that a time (seconds since 1970) lies in."""
    return int(time_s) // STEP_S


def step_of(secret: bytes, code: str, *, time_s: float, after: int = -1) -> int | None:
    """The step that a code belongs to, or None. Steps up to `after` were used, and are not taken again.

    All candidates are compared in full, so that the time it takes tells nothing."""
    given = "".join(code.split()).encode("utf-8", "replace")
    now = step_at(time_s)
    found: int | None = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        fits = hmac.compare_digest(code_at(secret, max(step, 0)).encode(), given)
        if fits and step > after:
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """The secret as people type it: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def app_uri(secret: bytes, *, issuer: str, account: str) -> str:
    """What an app reads from a picture."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return f"otpauth://totp/{label}?secret={secret_text(secret)}&issuer={quote(issuer, safe='')}"
