"""A person's own account: what they sign in with, where they are signed in. And the ends of sessions that others may bring."""

from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call, check_csrf, session_in
from evenhand.app.http.errors import SignIn
from evenhand.app.http.routes import json_reply, route
from evenhand.app.http.session import same_site, session_view, signed, with_cookie
from evenhand.features.access import factors, passkeys, sessions, signin
from evenhand.features.access.passkeys import Site
from evenhand.features.access.types import AppBegun, EntranceLine, Held, Method, PasskeyBegun, Security, SessionLine
from evenhand.features.people.types import SessionView
from evenhand.infra.db import Tx
from evenhand.pure.trouble import Denied


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    code: str


class PasswordIn(msgspec.Struct, forbid_unknown_fields=True):
    password: str


class ProofIn(msgspec.Struct, forbid_unknown_fields=True):
    """A code of the authenticator app or a recovery code; or, for demo people, the password."""

    code: str = ""
    password: str = ""


class PasskeyIn(msgspec.Struct, forbid_unknown_fields=True):
    """`credential`: what `navigator.credentials` gave, as its `toJSON` writes it."""

    token: str
    credential: dict[str, Any]
    name: str = ""


class NameIn(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Enrolled(msgspec.Struct, frozen=True):
    """`recovery`: codes that are shown this once. `session`: of somebody whom this has signed in."""

    recovery: list[str]
    session: SessionView | None = None


class SessionLines(msgspec.Struct, frozen=True):
    items: list[SessionLine]


class Entrances(msgspec.Struct, frozen=True):
    items: list[EntranceLine]


CREDENTIAL_MOST = 40_000


def site_of(call: Call) -> Site:
    return Site(call.services.settings.public_url)


class NotWithThis(Denied):
    hint = "Sign in as yourself: with a passkey, or with your password and a code."


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose factors are changed: somebody who is signed in and has just proved it, or somebody who makes the first."""

    person: str
    held: Held | None
    token: str


async def subject_of(call: Call) -> Subject:
    """Raises SignIn, WrongToken, ProveAgain, NotWithThis."""
    token = session_in(call.request, call.services)
    held = await sessions.who_holds(call.db, token, call.seen) if token else None
    person = held.person if held is not None else await signin.who_enrols(call.db, token) if token else None
    if person is None:
        raise SignIn("You are not signed in.")
    check_csrf(call.request, call.services, token)
    if held is not None:
        own_session(held)
        sessions.require_fresh(held)
    return Subject(person, held, token)


def own_session(held: Held | None) -> None:
    """An organisation's provider vouches for a person inside that organisation, and changes nothing of their account."""
    if held is None or held.bound is not None:
        raise NotWithThis("This session comes from an organisation's sign-in, which can't change your own account.")


async def enrolled(call: Call, who: Subject, method: Method, recovery: list[str]) -> Response:
    """The reply after a factor was made: whoever was making their first one is signed in by it."""
    token = None
    if who.held is None:
        token = await signin.end_enrolment(call.db, who.token, method, call.seen)
    if token is None:
        return json_reply(Enrolled(recovery))
    return with_cookie(call, json_reply(Enrolled(recovery, await session_view(call, token))), token)


def _held(call: Call) -> Held:
    own_session(call.held)
    assert call.held is not None
    return call.held


@route("GET", "/me/security", who="person", reply=Security, tx=False)
async def security(call: Call) -> Any:
    """What you sign in with, and where you are signed in"""
    current = call.held.session if call.held is not None else ""
    return await factors.security(call.db, call.actor.id, current)


@route("POST", "/me/app", who="public", reply=AppBegun, tx=False)
async def begin_app(call: Call) -> Any:
    """Begin to set up an authenticator app"""
    return await factors.begin_app(call.db, (await subject_of(call)).person)


@route("POST", "/me/app/confirm", who="public", body=CodeIn, reply=Enrolled, tx=False)
async def confirm_app(call: Call) -> Any:
    """Confirm an authenticator app by a code; the recovery codes are shown this once"""
    who = await subject_of(call)
    codes = await factors.confirm_app(call.db, who.person, call.body.token, call.body.code)
    return await enrolled(call, who, "code", codes)


@route("DELETE", "/me/app", who="person", reply=Security, tx=False, fresh=True)
async def remove_app(call: Call) -> Any:
    """Remove the authenticator app"""
    held = _held(call)
    await factors.remove_app(call.db, held.person)
    return await factors.security(call.db, held.person, held.session)


@route("POST", "/me/recovery", who="person", reply=Enrolled, tx=False, fresh=True)
async def new_recovery_codes(call: Call) -> Any:
    """Make new recovery codes; the old ones end"""
    return Enrolled(await factors.new_recovery_codes(call.db, _held(call).person))


@route("POST", "/me/password", who="public", body=PasswordIn, reply=dict[str, bool], tx=False)
async def set_password(call: Call) -> Any:
    """Choose a password; your other sessions end"""
    who = await subject_of(call)
    session = who.held.session if who.held is not None else ""
    await factors.set_password(call.db, who.person, call.body.password, session)
    return {"changed": True}


@route("POST", "/me/prove", who="person", body=ProofIn, reply=dict[str, int], tx=False)
async def prove(call: Call) -> Any:
    """Show that it is still you, for what asks for a fresh proof"""
    body: ProofIn = call.body
    await signin.prove(
        call.db, _held(call), code=body.code, password=body.password, demo_home=call.services.settings.loopback
    )
    return {"fresh_s": sessions.FRESH_S}


@route("POST", "/me/passkeys", who="public", reply=PasskeyBegun, tx=False)
async def begin_passkey(call: Call) -> Any:
    """Begin to make a passkey: what the browser is to be asked"""
    return await passkeys.begin_adding(call.db, site_of(call), (await subject_of(call)).person)


@route("POST", "/me/passkeys/confirm", who="public", body=PasskeyIn, reply=Enrolled, tx=False, most=CREDENTIAL_MOST)
async def confirm_passkey(call: Call) -> Any:
    """Keep a new passkey"""
    who, body = await subject_of(call), call.body
    await passkeys.end_adding(call.db, site_of(call), who.person, body.token, body.credential, body.name)
    return await enrolled(call, who, "passkey", [])


@route("PATCH", "/me/passkeys/{passkey}", who="person", body=NameIn, reply=Security, tx=False)
async def rename_passkey(call: Call) -> Any:
    """Name a passkey"""
    held = _held(call)
    await passkeys.rename(call.db, held.person, call.path("passkey"), call.body.name)
    return await factors.security(call.db, held.person, held.session)


@route("DELETE", "/me/passkeys/{passkey}", who="person", reply=Security, tx=False, fresh=True)
async def remove_passkey(call: Call) -> Any:
    """Remove a passkey"""
    held = _held(call)
    await passkeys.remove(call.db, held.person, call.path("passkey"))
    return await factors.security(call.db, held.person, held.session)


@route("POST", "/me/prove/passkey", who="person", body=PasskeyIn, reply=dict[str, int], tx=False, most=CREDENTIAL_MOST)
async def prove_by_passkey(call: Call) -> Any:
    """Show by a passkey that it is still you; the challenge is the one of `/session/passkey`"""
    await passkeys.prove(call.db, site_of(call), _held(call), call.body.token, call.body.credential)
    return {"fresh_s": sessions.FRESH_S}


@route("POST", "/session/passkey", who="public", reply=PasskeyBegun, tx=False)
async def begin_by_passkey(call: Call) -> Any:
    """Begin to sign in with a passkey: what the browser is to be asked"""
    same_site(call)
    return await passkeys.begin_signing_in(call.db, site_of(call), call.seen)


@route(
    "POST", "/session/passkey/confirm", who="public", body=PasskeyIn, reply=SessionView, tx=False, most=CREDENTIAL_MOST
)
async def sign_in_by_passkey(call: Call) -> Any:
    """Sign in with a passkey"""
    same_site(call)
    return await signed(
        call, await passkeys.sign_in(call.db, site_of(call), call.body.token, call.body.credential, call.seen)
    )


@route("GET", "/me/fresh", who="person", reply=dict[str, int], tx=False, fresh=True)
async def is_fresh(call: Call) -> Any:
    """Whether the last proof is fresh enough for what asks for one: a page asks before it follows a link to a file"""
    age_s = call.held.proved_s if call.held is not None else 0.0
    return {"fresh_s": max(0, round(sessions.FRESH_S - age_s))}


@route("DELETE", "/me/sessions/{session}", who="person", reply=Security, tx=False)
async def end_session(call: Call) -> Any:
    """End one of your sessions, at once"""
    held = _held(call)
    await sessions.end_session(call.db, held.person, call.path("session"))
    return await factors.security(call.db, held.person, held.session)


@route("DELETE", "/me/sessions", who="person", reply=Security, tx=False)
async def end_other_sessions(call: Call) -> Any:
    """End all of your other sessions, at once"""
    held = _held(call)
    await sessions.end_others(call.db, held.person, held.session)
    return await factors.security(call.db, held.person, held.session)


# --- of others


@route("GET", "/sessions", reply=Entrances)
async def list_entrances(call: Call, tx: Tx) -> Any:
    """Sessions of the organisation's own people in this space"""
    return Entrances(await sessions.list_entrances(tx))


@route("DELETE", "/sessions/{session}", reply=Entrances)
async def end_entrance(call: Call, tx: Tx) -> Any:
    """End somebody's session in this space, at once"""
    await sessions.end_entrance(tx, call.path("session"))
    return Entrances(await sessions.list_entrances(tx))


@route("GET", "/operator/people/{person}/sessions", who="operator", reply=SessionLines, tx=False)
async def operator_sessions(call: Call) -> Any:
    """Somebody's sessions"""
    return SessionLines(await sessions.list_sessions(call.db, call.path("person")))


@route("DELETE", "/operator/people/{person}/sessions", who="operator", reply=SessionLines, tx=False)
async def operator_end_sessions(call: Call) -> Any:
    """End all of somebody's sessions, at once"""
    await sessions.end_others(call.db, call.path("person"), "", call.actor)
    return SessionLines([])
