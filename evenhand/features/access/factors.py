"""A person's second factors: an authenticator app with its recovery codes; and the password beside it."""

import os
import secrets
import time

import segno

from evenhand.features.access import sessions, store
from evenhand.features.access.signin import (
    MOST_TRIES,
    AppSecret,
    WrongCode,
    begin_ceremony,
    ceremony_at,
    count_try,
    recovery_mac,
    too_many,
)
from evenhand.features.access.types import (
    AppAdded,
    AppBegun,
    AppRemoved,
    PasskeyLine,
    PasswordChanged,
    RecoveryCodesMade,
    Security,
)
from evenhand.features.people import actions as people
from evenhand.features.people import store as people_store
from evenhand.features.people.passwords import check_strength, hash_password
from evenhand.infra.db import Database, Narrow
from evenhand.infra.seal import At
from evenhand.pure.totp import SECRET_BYTES, app_uri, secret_text, step_of
from evenhand.pure.trouble import Conflict, Missing

ISSUER = "Evenhand"
CODES = 10
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that are taken for each other


class BegunNo(Missing):
    hint = "Begin again; it must be ended within ten minutes, and once."


class LastFactor(Conflict):
    hint = "Add another one first."


class PasswordFirst(Conflict):
    hint = "Choose a password first, or use a passkey instead."


async def security(db: Database, person: str, current: str) -> Security:
    """What a person signs in with, and where."""
    async with db.narrow("gate") as door:
        row = await store.FACTORS.one(door, person=person)
        keys = await store.PASSKEY_LIST.all(door, person=person)
        passkeys = [
            PasskeyLine(
                k["passkey_id"],
                door.seal.open(k["body"], At("passkey", k["passkey_id"]))["name"],
                k["created_at"],
                k["used_at"],
            )
            for k in keys
        ]
    found = await sessions.list_sessions(db, person, current)
    return Security(row["password"], row["app"], row["codes"], passkeys, found, row["demo"], sessions.FRESH_S)


async def begin_app(db: Database, person: str) -> AppBegun:
    """A secret for an authenticator app. It counts once a code of it was shown."""
    secret = os.urandom(SECRET_BYTES)
    async with db.narrow("gate") as door:
        row = await store.FACTORS.one(door, person=person)
        if not row["password"]:
            raise PasswordFirst("A code goes with a password, and you have none.")
        token = await begin_ceremony(door, "app", person, AppSecret(secret))
        uri = app_uri(secret, issuer=ISSUER, account=door.seal.open(row["body"], At("person", person))["email"])
    picture = segno.make(uri, error="m", micro=False).matrix_iter(border=4)
    return AppBegun(token, secret_text(secret), uri, ["".join("1" if dot else "0" for dot in row) for row in picture])


async def confirm_app(db: Database, person: str, token: str, code: str, now_s: float | None = None) -> list[str]:
    """The app is taken into use; gives the recovery codes, which nobody sees again. Raises BegunNo, WrongCode, Busy."""
    async with db.narrow("gate") as door:
        blocked = await count_try(door, (f"prove {person}", MOST_TRIES))
        begun = await store.CEREMONY_GET.maybe(door, hash=sessions.hashed(token), kind="app")
    if blocked:
        raise too_many()
    if begun is None or begun["person_id"] != person:
        raise BegunNo("No authenticator app is being set up.")
    secret = db.platform.open_as(begun["body"], AppSecret, ceremony_at(token))
    step = step_of(secret.secret, code, time_s=time.time() if now_s is None else now_s)
    if step is None:
        raise WrongCode("That is not the code that the app shows.")
    async with db.narrow("gate") as door:
        if await store.CEREMONY_END.maybe(door, hash=sessions.hashed(token), kind="app") is None:
            raise BegunNo("This app was set up a moment ago.")
        await store.TOTP_PUT.run(door, person=person, step=step, body=door.seal.shut(secret, At("totp", person)))
        codes = await _new_codes(door, person)
        await store.TRY_CLEAR.run(door, subject=door.seal.mac("try", f"prove {person}"))
    await sessions.tell(db, person, AppAdded(person))
    return codes


async def _new_codes(door: Narrow, person: str) -> list[str]:
    """Fresh recovery codes; those of before end."""
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(CODES)]
    await people_store.RECOVERY_DROP.run(door, person=person)
    await store.RECOVERY_ADD.run(door, person=person, macs=[recovery_mac(door, person, code) for code in codes])
    return codes


async def new_recovery_codes(db: Database, person: str) -> list[str]:
    async with db.narrow("gate") as door:
        if (await store.FACTORS.one(door, person=person))["app"] is None:
            raise Missing("Recovery codes stand in for an authenticator app, and there is none.")
        codes = await _new_codes(door, person)
    await sessions.tell(db, person, RecoveryCodesMade(person))
    return codes


async def remove_app(db: Database, person: str) -> None:
    async with db.narrow("gate") as door:
        await store.FACTORS_LOCK.run(door, person=person)
        row = await store.FACTORS.one(door, person=person)
        if row["app"] is None:
            raise Missing("There is no authenticator app.")
        if not row["passkeys"] and not row["demo"]:
            raise LastFactor("Without it nobody could tell you from somebody who knows your password.")
        await people_store.TOTP_DROP.run(door, person=person)
        await people_store.RECOVERY_DROP.run(door, person=person)
    await sessions.tell(db, person, AppRemoved(person))


async def set_password(db: Database, person: str, password: str, session: str) -> None:
    """A new password; all sessions but this one end ("" for none)."""
    who, orgs = await people.person_view(db, person)
    check_strength(password, who.name, who.email, *(org.name for org in orgs))
    password_hash = await hash_password(password)
    async with db.narrow("gate") as door:
        await store.SET_PASSWORD.run(door, person=person, hash=password_hash)
        await store.SESSION_END_OTHERS.run(door, person=person, session=session)
    await sessions.tell(db, person, PasswordChanged(person))
