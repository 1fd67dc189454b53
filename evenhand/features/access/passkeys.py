"""Passkeys (WebAuthn level 3): discoverable, with user verification, several for a person. What the browser sends is checked by
fido2; whose it is, that a challenge is used once, and that the counter of signatures grows, is checked here."""

import logging
import struct
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.webauthn import (
    Aaguid,
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from evenhand.features.access import sessions, store
from evenhand.features.access.factors import BegunNo, LastFactor
from evenhand.features.access.signin import Signed, begin_ceremony, ceremony_at, count_try, from_network, too_many
from evenhand.features.access.types import Held, PasskeyAdded, PasskeyBegun, PasskeyRemoved, Seen
from evenhand.infra.db import Database, Narrow
from evenhand.infra.ids import new_id
from evenhand.infra.seal import At
from evenhand.pure.trouble import Concern, Conflict, Denied, Invalid, Missing

MOST = 20  # of one person
NAME_MOST = 60
CEREMONY_S = 300
_NAME = "Evenhand"
#: what the parsers of a hostile answer may raise
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, struct.error, OverflowError, RecursionError)
logging.getLogger("fido2").setLevel(logging.WARNING)  # it would name each credential


class WrongPasskey(Denied):
    code = "signin"
    hint = "Try again, or sign in with your password and a code."


class NotTaken(Invalid):
    hint = "Begin again, with a passkey that asks for your finger, your face or a PIN."


class NoPasskeysHere(Conflict):
    hint = "Open Evenhand by its name: passkeys work on https, and on http://localhost."


class _Body(msgspec.Struct):
    name: str


@dataclass(frozen=True, slots=True)
class Site:
    """Where people open the studio: its origin, and the name that passkeys are made for."""

    origin: str

    def server(self) -> Fido2Server:
        host = urlsplit(self.origin).hostname or ""
        if not host or host.replace(".", "").isdigit() or ":" in host:
            raise NoPasskeysHere("Passkeys are made for a name, and this server is opened by a number.")
        relying = PublicKeyCredentialRpEntity(name=_NAME, id=host)
        return Fido2Server(
            relying, attestation=AttestationConveyancePreference.NONE, verify_origin=lambda told: told == self.origin
        )


def _state(asked: dict[str, Any]) -> dict[str, Any]:
    """The challenge as fido2 wants it back."""
    return {"challenge": asked["challenge"], "user_verification": UserVerificationRequirement.REQUIRED}


def _descriptors(rows: list[Any]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=bytes(row["credential"]))
        for row in rows
    ]


async def begin_adding(db: Database, site: Site, person: str) -> PasskeyBegun:
    """What the browser is asked for a new passkey."""
    server = site.server()
    async with db.narrow("gate") as door:
        have = await store.PASSKEY_LIST.all(door, person=person)
        if len(have) >= MOST:
            raise Conflict(f"You have {MOST} passkeys already.", hint="Remove one that you do not use.")
        who = door.seal.open((await store.FACTORS.one(door, person=person))["body"], At("person", person))
        user = PublicKeyCredentialUserEntity(
            name=who["email"], id=person.encode(), display_name=who["name"] or who["email"]
        )
        options, state = server.register_begin(
            user,
            _descriptors(have),
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        token = await begin_ceremony(door, "passkey_add", person, {"challenge": state["challenge"]}, life_s=CEREMONY_S)
    return PasskeyBegun(token, dict(options))


async def end_adding(db: Database, site: Site, person: str, token: str, credential: dict[str, Any], name: str) -> None:
    """Keeps a new passkey. Raises BegunNo, NotTaken."""
    name = name.strip()[:NAME_MOST] or "Passkey"
    async with db.narrow("gate") as door:
        begun = await store.CEREMONY_END.maybe(door, hash=sessions.hashed(token), kind="passkey_add")
        if begun is None or begun["person_id"] != person:
            raise BegunNo("No passkey is being made.")
        asked = door.seal.open(begun["body"], ceremony_at(token))
    try:
        answer = site.server().register_complete(_state(asked), RegistrationResponse.from_dict(credential))
        made = answer.credential_data
        assert made is not None
        public_key = cbor.encode(dict(made.public_key))
    except _UNREADABLE as err:
        raise NotTaken("The passkey could not be checked.") from err
    async with db.narrow("gate") as door:
        passkey = new_id()
        added = await store.PASSKEY_ADD.run(
            door,
            passkey=passkey,
            person=person,
            credential=made.credential_id,
            public_key=public_key,
            count=answer.counter,
            body=door.seal.shut(_Body(name), At("passkey", passkey)),
        )
    if not added:
        raise NotTaken("This passkey is in use already.")
    await sessions.tell(db, person, PasskeyAdded(person))


async def begin_signing_in(db: Database, site: Site, seen: Seen) -> PasskeyBegun:
    """A challenge for whichever passkey the browser has for this site: who it is comes with the answer."""
    server = site.server()
    async with db.narrow("gate") as door:
        blocked = await count_try(door, from_network(seen))
        options, state = server.authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
        token = await begin_ceremony(door, "passkey", None, {"challenge": state["challenge"]}, life_s=CEREMONY_S)
    if blocked:
        raise too_many()
    return PasskeyBegun(token, dict(options))


async def sign_in(db: Database, site: Site, token: str, credential: dict[str, Any], seen: Seen) -> Signed:
    """A session for the holder of a passkey. Raises WrongPasskey."""
    async with db.narrow("gate") as door:
        whose, proved = await _check(door, site, token, credential, None)
        if proved and whose is not None:
            return Signed(await sessions.start(db, door, whose, "passkey", seen))
    err = WrongPasskey("This passkey does not open anything here.")
    raise err if whose is None else err.concerning(Concern("", "person", whose, "passkey"))


async def prove(db: Database, site: Site, held: Held, token: str, credential: dict[str, Any]) -> None:
    """Shows that it is still the same person. Raises WrongPasskey."""
    async with db.narrow("gate") as door:
        _, proved = await _check(door, site, token, credential, held.person)
        if proved:
            await store.SESSION_PROVED.run(door, session=held.session, method="passkey")
            return
    raise _NotYours("This passkey is not yours.").concerning(Concern("", "person", held.person, "passkey"))


class _NotYours(Denied):
    hint = "Take one of your own."


async def _check(
    door: Narrow, site: Site, token: str, credential: dict[str, Any], expected: str | None
) -> tuple[str | None, bool]:
    """(whose the passkey is that was shown, whether it answered the challenge). The challenge is used up in any case."""
    whose: str | None = None
    begun = await store.CEREMONY_END.maybe(door, hash=sessions.hashed(token), kind="passkey")
    if begun is None:
        return whose, False
    asked = door.seal.open(begun["body"], ceremony_at(token))
    try:
        answer = AuthenticationResponse.from_dict(credential)
        row = await store.PASSKEY_GET.maybe(door, credential=answer.raw_id[:1024])
        whose = row["person_id"] if row is not None else None
        if row is None or row["state"] != "active" or expected not in (None, whose):
            return whose, False
        handle = answer.response.user_handle
        if handle is not None and handle != row["person_id"].encode():
            return whose, False
        key = CoseKey.parse(cast("dict[int, Any]", cbor.decode(bytes(row["public_key"]))))
        known = AttestedCredentialData.create(Aaguid.NONE, answer.raw_id, key)
        site.server().authenticate_complete(_state(asked), [known], answer)
        count = answer.response.authenticator_data.counter
    except _UNREADABLE:
        return whose, False
    # A counter that does not grow is a copy of the key; those that do not count stay at zero.
    if count <= row["sign_count"] and (count or row["sign_count"]):
        return whose, False
    await store.PASSKEY_USED.run(door, passkey=row["passkey_id"], count=count)
    return whose, True


async def rename(db: Database, person: str, passkey: str, name: str) -> None:
    name = name.strip()[:NAME_MOST]
    if not name:
        raise Invalid("A passkey needs a name.")
    async with db.narrow("gate") as door:
        body = door.seal.shut(_Body(name), At("passkey", passkey))
        if await store.PASSKEY_NAME.maybe(door, person=person, passkey=passkey, body=body) is None:
            raise Missing("There is no such passkey.")


async def remove(db: Database, person: str, passkey: str) -> None:
    async with db.narrow("gate") as door:
        await store.FACTORS_LOCK.run(door, person=person)
        if await store.PASSKEY_DROP.maybe(door, person=person, passkey=passkey) is None:
            raise Missing("There is no such passkey.")
        left = await store.FACTORS.one(door, person=person)
        if not left["passkeys"] and left["app"] is None and not left["demo"]:
            raise LastFactor("It is the only thing that you can sign in with.")  # and so it stays
    await sessions.tell(db, person, PasskeyRemoved(person))
