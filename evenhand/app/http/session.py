"""Signing in and out, and single-use links."""

from typing import Any

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call, csrf_of, session_in
from evenhand.app.http.errors import SignIn, WrongToken
from evenhand.app.http.routes import json_reply, route
from evenhand.features.access import links, sessions, signin
from evenhand.features.access.signin import Signed
from evenhand.features.access.types import Ways
from evenhand.features.grants import actions as grants
from evenhand.features.people import actions as people
from evenhand.features.people.links import look_at_link
from evenhand.features.people.types import Entered, LinkView, Seats, SessionView
from evenhand.features.tasks import holding, leases


class Credentials(msgspec.Struct):
    """`code`: what the authenticator app shows, or a recovery code."""

    email: str
    password: str
    code: str = ""


class LinkUse(msgspec.Struct):
    """`password`: may be left out by whoever will use a passkey. `code`: for somebody who has an account."""

    password: str = ""
    name: str = ""
    email: str | None = None
    code: str = ""


async def session_view(call: Call, token: str) -> SessionView:
    """Who is signed in by this token, or is about to be."""
    csrf = csrf_of(call.db.keys, token)
    held = await sessions.who_holds(call.db, token, call.seen) if token else None
    if held is None:
        enrols = await signin.who_enrols(call.db, token) if token else None
        if enrols is None:
            raise SignIn("You are not signed in.")
        who, _ = await people.person_view(call.db, enrols)
        return SessionView(who, csrf, [], Seats(), enrol=True)
    who, theirs = await people.person_view(call.db, held.person)
    orgs = [Entered(org.id, org.name, org.mode, org.role) for org in theirs]
    actor = sessions.actor_of(held)
    label = await leases.heads_of(call.db, held.person, "label")
    review = await leases.heads_of(call.db, held.person, "review")
    if held.bound is not None:
        who = msgspec.structs.replace(who, operator=False)
        orgs = [org for org in orgs if org.id in held.bound]
        label, review = [[row for row in rows if actor.may_enter(row["org_id"])] for rows in (label, review)]
    media = call.services.settings.media_url
    if who.operator:  # customers that let them look, for as long as they do
        given: dict[str, Entered] = {}
        for g in sorted((await grants.access(call.db, held.person)).grants, key=lambda g: g.project or ""):
            given.setdefault(g.org, Entered(g.org, g.org_name, "live", "support", g.project))  # the widest
        orgs += given.values()
    return SessionView(who, csrf, orgs, Seats(len(label), len(review)), media, method=held.method)


def with_cookie(call: Call, reply: Response, token: str) -> Response:
    settings = call.services.settings
    reply.set_cookie(
        settings.cookie,
        token,
        max_age=sessions.SESSION_S,
        path="/",
        httponly=True,
        secure=settings.secure,
        samesite="lax",
    )
    return reply


async def signed(call: Call, signed_in: Signed) -> Response:
    """The reply that signs in: who it is, and the cookie."""
    return with_cookie(call, json_reply(await session_view(call, signed_in.token)), signed_in.token)


def same_site(call: Call) -> None:
    """A form on another site must not sign anybody in."""
    origin = call.request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != call.request.headers.get("host"):
        raise WrongToken("This request came from another site.")


@route("GET", "/session", who="public", reply=SessionView, tx=False)
async def get_session(call: Call) -> Any:
    """Who is signed in"""
    return await session_view(call, session_in(call.request, call.services))


@route("GET", "/session/ways", who="public", reply=Ways, tx=False)
async def get_ways(call: Call) -> Any:
    """How one may sign in here"""
    settings = call.services.settings
    return Ways(settings.loopback and settings.home.demo_file.exists())


@route("POST", "/session", who="public", body=Credentials, reply=SessionView, tx=False)
async def sign_in(call: Call) -> Any:
    """Sign in with a password and a code"""
    same_site(call)
    body: Credentials = call.body
    demo_home = call.services.settings.loopback
    return await signed(
        call, await signin.sign_in(call.db, body.email, body.password, body.code, call.seen, demo_home=demo_home)
    )


@route("DELETE", "/session", who="person", reply=dict[str, bool], tx=False)
async def sign_out(call: Call) -> Any:
    """Sign out; leases go back"""
    await holding.release_all(call.db, call.actor.id)
    await sessions.sign_out(call.db, call.session)
    reply = json_reply({"signed_out": True})
    reply.delete_cookie(call.services.settings.cookie, path="/")
    return reply


@route("GET", "/links/{token}", who="public", reply=LinkView, tx=False)
async def get_link(call: Call) -> Any:
    """What a single-use link is for"""
    return await look_at_link(call.db, call.path("token"))


@route("POST", "/links/{token}", who="public", body=LinkUse, reply=SessionView, tx=False)
async def use_link(call: Call) -> Any:
    """Use a link: make an account, or join with the one you have

    A newcomer is not signed in yet (`enrol`): a passkey or an authenticator app comes first."""
    same_site(call)
    body: LinkUse = call.body
    token = session_in(call.request, call.services)
    held = await sessions.who_holds(call.db, token, call.seen) if token else None
    answer = links.Answer(body.name, body.email, body.password, body.code, held)
    done = await links.use_link(
        call.db, call.path("token"), answer, call.seen, demo_home=call.services.settings.loopback
    )
    if done is None:  # the session that was shown goes on
        return await session_view(call, token)
    return await signed(call, done)
