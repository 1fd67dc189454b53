"""Signing in with a password, which takes a second factor; and what that is taken with: codes of an app, recovery codes.

What is wrong is never said: an address that nobody has, a password and a code that do not fit get one answer, after as much
work."""

import time
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from evenhand.features.access import sessions, store
from evenhand.features.access.types import Held, Method, Seen
from evenhand.features.people.passwords import verify_password
from evenhand.infra.db import Database, Narrow
from evenhand.infra.seal import At
from evenhand.pure.totp import step_of
from evenhand.pure.trouble import Busy, Concern, Denied, Trouble

MOST_TRIES = 10  # sign-ins for one address in a quarter of an hour
ENROL_S = 1800
_WINDOW_S = 900
_NO_SECRET = b"nobody's secret, ...."


Refusal = TypeVar("Refusal", bound=Trouble)


class WrongCredentials(Denied):
    code = "signin"
    hint = "Check the address, the password and the code. Whoever has a passkey uses that instead of a password."


class WrongCode(Denied):
    hint = "Take the code that the app shows now; each works once. A recovery code works too."


@dataclass(frozen=True, slots=True)
class Signed:
    """The token for the cookie. `enrolling`: it opens nothing yet but making a second factor."""

    token: str
    enrolling: bool = False


class AppSecret(msgspec.Struct):
    """The sealed body of an authenticator app."""

    secret: bytes


async def count_try(door: Narrow, *subjects: tuple[str, int]) -> bool:
    """Counts a try for each subject; whether one of them has had too many in this quarter of an hour. Not to be rolled back."""
    for subject, most in subjects:
        if await store.TRY_COUNT.value(door, subject=door.seal.mac("try", subject)) > most:
            return True
    return False


def too_many() -> Busy:
    return Busy("Too many tries.", hint="Wait a quarter of an hour, or ask for a reset link.", retry_after_s=_WINDOW_S)


def from_network(seen: Seen) -> tuple[str, int]:
    return f"from {seen.address}", MOST_TRIES * 20


async def sign_in(
    db: Database, email: str, password: str, code: str, seen: Seen, *, demo_home: bool, now_s: float | None = None
) -> Signed:
    """A session for an address, its password and a code. Raises WrongCredentials, Busy.

    demo_home: whether demo people need no code here. Whoever has no second factor yet gets to the making of one."""
    email = email.strip().lower()[:254]
    async with db.narrow("gate") as door:
        blocked = await count_try(door, (f"email {email}", MOST_TRIES), from_network(seen))
        row = await store.SIGNIN_PERSON.maybe(door, email_mac=door.seal.mac("email", email), person=None)
    if blocked:
        raise _told(too_many(), row, "tries")
    usable = row is not None and row["state"] == "active"
    fits = await verify_password(row["password_hash"] if row is not None and usable else None, password[:1001])
    async with db.narrow("gate") as door:
        method = await _second(door, row, code, fits, demo_home, time.time() if now_s is None else now_s)
        if method is not None and row is not None:
            await store.TRY_CLEAR.run(door, subject=door.seal.mac("try", f"email {email}"))
            if method == "none":
                return Signed(await begin_enrolment(door, row["person_id"]), enrolling=True)
            return Signed(await sessions.start(db, door, row["person_id"], method, seen))
    raise _told(WrongCredentials("The address, the password or the code is wrong."), row, _reason(row, fits))


def _told(err: Refusal, row: Any, reason: str) -> Refusal:
    """The refusal, with whom it concerns: the spaces of whoever has the address."""
    return err if row is None else err.concerning(Concern("", "person", row["person_id"], reason))


def _reason(row: Any, fits: bool) -> str:
    """The class of a refusal; what was typed is in no record."""
    if row is None or row["state"] != "active":
        return "closed"
    if not fits:
        return "password"
    return "code" if row["totp_body"] is not None else "factor"


async def _second(door: Narrow, row: Any, code: str, fits: bool, demo_home: bool, now_s: float) -> Any:
    """What the sign-in is proved by; "none" where a second factor has to be made first, None where it is refused."""
    if row is not None and row["totp_body"] is not None:
        return await use_code(door, row["person_id"], row, code, now_s) if fits else None
    step_of(_NO_SECRET, code, time_s=now_s)  # as much work as for somebody who has an app
    if row is None or not fits:
        return None
    if row["demo"] and demo_home:
        return "password"
    return None if row["has_passkey"] else "none"


async def use_code(door: Narrow, person: str, row: Any, code: str, now_s: float) -> Method | None:
    """Takes a code of the app or a recovery code; each works once. None when it is neither."""
    secret = door.seal.open_as(row["totp_body"], AppSecret, At("totp", person)).secret
    step = step_of(secret, code, time_s=now_s, after=row["totp_step"])
    if step is not None and await store.TOTP_USE.value(door, person=person, step=step) is not None:
        return "code"
    used = await store.RECOVERY_USE.value(door, person=person, mac=recovery_mac(door, person, code))
    return "recovery" if used is not None else None


def recovery_mac(door: Narrow, person: str, code: str) -> bytes:
    """What is kept of a recovery code: a MAC under a key that is not in the database."""
    plain = "".join(c for c in code.upper() if c.isalnum())[:64]
    return door.seal.mac("recovery", f"{person} {plain}")


async def begin_enrolment(door: Narrow, person: str) -> str:
    """A token that opens nothing but the making of a second factor, for half an hour."""
    return await begin_ceremony(door, "enrol", person, {}, life_s=ENROL_S)


async def begin_ceremony(door: Narrow, kind: str, person: str | None, body: Any, *, life_s: int = 600) -> str:
    """The token of something that must be ended once, and soon."""
    token = sessions.new_token()
    await store.CEREMONY_ADD.run(
        door,
        hash=sessions.hashed(token),
        kind=kind,
        person=person,
        life_s=life_s,
        body=door.seal.shut(body, ceremony_at(token)),
    )
    return token


def ceremony_at(token: str) -> At:
    return At("ceremony", sessions.hashed(token).hex())


async def who_enrols(db: Database, token: str) -> str | None:
    """The person of an enrolment's token, or None."""
    if not 20 <= len(token) <= 100:
        return None
    async with db.narrow("gate") as door:
        row = await store.CEREMONY_GET.maybe(door, hash=sessions.hashed(token), kind="enrol")
    return row["person_id"] if row is not None else None


async def end_enrolment(db: Database, token: str, method: Method, seen: Seen) -> str | None:
    """The session that an enrolment ends in, for whoever has made a second factor. None when it has ended already."""
    async with db.narrow("gate") as door:
        row = await store.CEREMONY_END.maybe(door, hash=sessions.hashed(token), kind="enrol")
        if row is None:
            return None
        factors = await store.FACTORS.one(door, person=row["person_id"])
        if factors["app"] is None and not factors["passkeys"]:
            raise WrongCode("There is no second factor yet.")
        return await sessions.start(db, door, row["person_id"], method, seen)


async def prove(
    db: Database, held: Held, *, code: str, password: str, demo_home: bool, now_s: float | None = None
) -> None:
    """Shows that it is still the same person: by a code; by the password where that alone signs in. Raises WrongCode, Busy."""
    async with db.narrow("gate") as door:
        blocked = await count_try(door, (f"prove {held.person}", MOST_TRIES))
        row = await store.SIGNIN_PERSON.one(door, email_mac=None, person=held.person)
    if blocked:
        raise too_many()
    alone = row["demo"] and demo_home and row["totp_body"] is None
    fits = await verify_password(row["password_hash"], password[:1001]) if alone else True
    async with db.narrow("gate") as door:
        method: Method | None = None
        if alone and fits:
            method = "password"
        elif row["totp_body"] is not None:
            method = await use_code(door, held.person, row, code, time.time() if now_s is None else now_s)
        if method is not None:
            await store.TRY_CLEAR.run(door, subject=door.seal.mac("try", f"prove {held.person}"))
            await store.SESSION_PROVED.run(door, session=held.session, method=method)
            return
    raise WrongCode("That is not right.").concerning(
        Concern("", "person", held.person, "code" if not alone else "password")
    )
