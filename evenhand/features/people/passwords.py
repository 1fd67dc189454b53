"""Passwords: not among those that are guessed first, and kept by argon2id (RFC 9106), a few at a time so that a burst of sign-ins
cannot eat the machine's memory."""

import asyncio
import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from evenhand.pure.passwords import weakness
from evenhand.pure.trouble import Busy, Invalid

T = TypeVar("T")
_AT_ONCE = 2
_MOST_WAITING = 64
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
_waiting = 0
#: verified when there is no such person, so that both cases take as long
_NOBODY = _hasher.hash("nobody has this password")


class EasyPassword(Invalid):
    hint = "Take a few plain words that have nothing to do with each other or with you; or let a password manager make one."


@cache
def common_passwords() -> frozenset[str]:
    """What people most often choose; whence it is, says common_passwords.LICENSE."""
    packed = files("evenhand.features.people").joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n")) - {""}


def check_strength(password: str, *own: str) -> None:
    """Length is what counts (NIST SP 800-63B), and that nobody guesses it. Raises Invalid.

    own: what anybody knows of the person."""
    if len(password) < 10:
        raise Invalid("The password is too short.", hint="Use at least 10 characters; a few plain words do well.")
    if len(password) > 1000:
        raise Invalid("The password is longer than 1,000 characters.")
    why = weakness(password, common_passwords(), own)
    if why is not None:
        raise EasyPassword(why)


async def _run(call: Callable[[], T]) -> T:
    global _waiting
    if _waiting >= _MOST_WAITING:
        raise Busy("Many people are signing in just now.", hint="Try again in a few seconds.", retry_after_s=5)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, call)
    finally:
        _waiting -= 1


async def hash_password(password: str) -> str:
    return await _run(lambda: _hasher.hash(password))


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password fits. Takes as long when there is nothing to compare with."""

    def check() -> bool:
        try:
            return _hasher.verify(stored or _NOBODY, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    return await _run(check)
