"""Signing in and out, and single-use links."""

from typing import Any

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call, csrf_of, session_in
from evenhand.app.http.errors import SignIn, WrongToken
from evenhand.app.http.routes import json_reply, route
from evenhand.features.people import actions as people
from evenhand.features.people.types import LinkView, Seats, SessionView
from evenhand.features.tasks import leases


class Credentials(msgspec.Struct):
    email: str
    password: str


class LinkUse(msgspec.Struct):
    password: str
    name: str = ""
    email: str | None = None


async def _view(call: Call, person: str, token: str) -> SessionView:
    who, orgs = await people.person_view(call.db, person)
    label = await leases.heads_of(call.db, person, "label")
    review = await leases.heads_of(call.db, person, "review")
    media = call.services.settings.media_url
    return SessionView(who, csrf_of(call.db.keys, token), orgs, Seats(len(label), len(review)), media)


def _with_cookie(call: Call, view: SessionView, token: str) -> Response:
    reply = json_reply(view)
    settings = call.services.settings
    reply.set_cookie(
        settings.cookie,
        token,
        max_age=people.SESSION_S,
        path="/",
        httponly=True,
        secure=settings.secure,
        samesite="lax",
    )
    return reply


def _same_site(call: Call) -> None:
    """A form on another site must not sign anybody in."""
    origin = call.request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != call.request.headers.get("host"):
        raise WrongToken("This request came from another site.")


@route("GET", "/session", who="public", reply=SessionView, tx=False)
async def get_session(call: Call) -> Any:
    """Who is signed in"""
    token = session_in(call.request, call.services)
    holder = await people.who_holds_session(call.db, token) if token else None
    if holder is None:
        raise SignIn("You are not signed in.")
    return await _view(call, holder[0], token)


@route("POST", "/session", who="public", body=Credentials, reply=SessionView, tx=False)
async def sign_in(call: Call) -> Any:
    """Sign in"""
    _same_site(call)
    client = call.request.client.host if call.request.client else "?"
    token = await people.sign_in(call.db, call.body.email, call.body.password, client)
    holder = await people.who_holds_session(call.db, token)
    if holder is None:
        raise SignIn("You are not signed in.")
    return _with_cookie(call, await _view(call, holder[0], token), token)


@route("DELETE", "/session", who="person", reply=dict[str, bool], tx=False)
async def sign_out(call: Call) -> Any:
    """Sign out; leases go back"""
    await leases.release_all(call.db, call.actor.id)
    await people.sign_out(call.db, call.session)
    reply = json_reply({"signed_out": True})
    reply.delete_cookie(call.services.settings.cookie, path="/")
    return reply


@route("GET", "/links/{token}", who="public", reply=LinkView, tx=False)
async def get_link(call: Call) -> Any:
    """What a single-use link is for"""
    return await people.look_at_link(call.db, call.path("token"))


@route("POST", "/links/{token}", who="public", body=LinkUse, reply=SessionView, tx=False)
async def use_link(call: Call) -> Any:
    """Use a link: choose a password and sign in"""
    _same_site(call)
    body: LinkUse = call.body
    client = call.request.client.host if call.request.client else "?"
    token = await people.use_link(
        call.db, call.path("token"), name=body.name, email=body.email, password=body.password, came_from=client
    )
    holder = await people.who_holds_session(call.db, token)
    if holder is None:
        raise SignIn("You are not signed in.")
    return _with_cookie(call, await _view(call, holder[0], token), token)
