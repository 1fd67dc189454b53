"""How people and keys get into an organisation: its provider, its mail domains, its networks."""

from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from evenhand.app.http.call import Call, read_body, seen_in, session_in
from evenhand.app.http.errors import problem_of
from evenhand.app.http.refusing import note_refusal
from evenhand.app.http.routes import json_reply, route
from evenhand.app.http.session import same_site, with_cookie
from evenhand.app.services import Services
from evenhand.features.access import logout, networks, oidc, provider, sessions
from evenhand.features.access.provider import DomainView, GivenRole, ProviderBody, ProviderView
from evenhand.infra.db import Actor, Tx
from evenhand.pure.trouble import Invalid, Trouble


class WaysIn(msgspec.Struct, frozen=True):
    """`address`: where this request came from, so that nobody locks themselves out. No networks: from anywhere."""

    provider: ProviderView | None
    domains: list[DomainView]
    networks: list[str]
    address: str


class ProviderIn(msgspec.Struct, forbid_unknown_fields=True):
    """`client_secret`: left out, the one that is kept stays. `role`: of somebody who comes for the first time."""

    issuer: str
    client_id: str
    client_secret: str = ""
    role: GivenRole = "viewer"
    on: bool = True


class DomainIn(msgspec.Struct, forbid_unknown_fields=True):
    domain: str


class NetworksIn(msgspec.Struct, forbid_unknown_fields=True):
    networks: list[str]


class Away(msgspec.Struct, forbid_unknown_fields=True):
    email: str


class There(msgspec.Struct, frozen=True):
    url: str


async def _view(call: Call, tx: Tx) -> WaysIn:
    found, domains = await provider.view(tx, call.services.settings.public_url)
    return WaysIn(found, domains, await networks.list_networks(tx), call.seen.address)


@route("GET", "/access", reply=WaysIn)
async def get_access(call: Call, tx: Tx) -> Any:
    """How people and keys get into this space"""
    return await _view(call, tx)


@route("PUT", "/access/provider", body=ProviderIn, reply=WaysIn, tx=False, fresh=True)
async def put_provider(call: Call) -> Any:
    """Set the organisation's OpenID provider; it is asked what it is before it is kept"""
    given: ProviderIn = call.body
    async with call.db.tx(call.org_id, call.actor) as tx:
        await provider.view(tx, "")  # who may not is told before anybody is asked
    provider.check_given(given.issuer, given.client_id)
    await provider.discover(given.issuer)
    async with call.db.tx(call.org_id, call.actor) as tx:
        body = ProviderBody(given.issuer, given.client_id, given.client_secret, given.role)
        await provider.put_provider(tx, body, on=given.on)
        return await _view(call, tx)


@route("DELETE", "/access/provider", reply=WaysIn, fresh=True)
async def drop_provider(call: Call, tx: Tx) -> Any:
    """Remove the provider"""
    await provider.drop_provider(tx)
    return await _view(call, tx)


@route("POST", "/access/domains", body=DomainIn, reply=WaysIn, fresh=True)
async def add_domain(call: Call, tx: Tx) -> Any:
    """Name a mail domain; it counts once it was shown to be yours"""
    await provider.add_domain(tx, call.db.platform, call.body.domain)
    return await _view(call, tx)


@route("POST", "/access/domains/{domain}/verify", reply=WaysIn, tx=False, fresh=True)
async def verify_domain(call: Call) -> Any:
    """Look whether the domain's web server shows the word"""
    name, platform = call.path("domain"), call.db.platform
    async with call.db.tx(call.org_id, call.actor) as tx:
        body = await provider.word_of(tx, platform, name)
    await provider.look_for(body, provider.read_web)
    async with call.db.tx(call.org_id, call.actor) as tx:
        await provider.domain_shown(tx, platform, body.name)
        return await _view(call, tx)


@route("DELETE", "/access/domains/{domain}", reply=WaysIn, fresh=True)
async def drop_domain(call: Call, tx: Tx) -> Any:
    """Remove a mail domain"""
    await provider.drop_domain(tx, call.db.platform, call.path("domain"))
    return await _view(call, tx)


@route("PUT", "/access/networks", body=NetworksIn, reply=WaysIn, fresh=True)
async def set_networks(call: Call, tx: Tx) -> Any:
    """Say from which networks the organisation's people and keys may come; none means any"""
    await networks.set_networks(call.db, tx, call.body.networks, call.seen)
    return await _view(call, tx)


# --- the way in by a provider


def _trip_cookie(services: Services) -> str:
    return f"{services.settings.cookie}_trip"


@route("POST", "/session/provider", who="public", body=Away, reply=There, tx=False)
async def leave(call: Call) -> Any:
    """Begin to sign in with your organisation: the address to go to"""
    same_site(call)
    settings = call.services.settings
    token = session_in(call.request, call.services)
    held = await sessions.who_holds(call.db, token, call.seen) if token else None
    again = held is not None and held.method == "provider"  # a fresh proof is asked for
    going = await oidc.leave(call.db, settings.public_url, call.body.email, call.seen, again=again)
    reply = json_reply(There(going.url))
    reply.set_cookie(
        _trip_cookie(call.services),
        going.browser,
        max_age=oidc.TRIP_S,
        path="/",
        httponly=True,
        secure=settings.secure,
        samesite="lax",
    )
    return reply


async def come_back(request: Request, services: Services) -> Response:
    """Where a provider sends the browser: signs in, and goes on to the studio; or to the sign-in page with a reason's name."""
    org_id, name = str(request.path_params["org"]), _trip_cookie(services)
    answer = {key: request.query_params[key] for key in request.query_params}
    call = Call(request, services, Actor("system", "nobody"))
    try:
        signed = await oidc.come_back(
            services.db, services.settings.public_url, org_id, answer, request.cookies.get(name, ""), seen_in(request)
        )
        reply = with_cookie(call, RedirectResponse("/", 303), signed.token)
    except Exception as err:
        # a browser stands here: whatever it is, it goes back to the sign-in page, and a bug is logged as one
        problem_of(err)
        note_refusal(services, err, "sign-in by the organisation's provider")
        reason = {
            "NotAdmitted": "not-admitted", "BehindAWall": "wall", "Upstream": "upstream", "BadProvider": "upstream",
        }  # fmt: skip
        known = reason.get(type(err).__name__, "refused") if isinstance(err, Trouble) else "refused"
        reply = RedirectResponse(f"/signin?provider={known}", 303)
    reply.delete_cookie(name, path="/")
    reply.headers["cache-control"] = "no-store"
    return reply


LOGOUT_MOST = 64_000


def _logout_tokens(body: bytes) -> list[str]:
    try:
        return parse_qs(body.decode("ascii"), max_num_fields=20).get("logout_token", [])
    except ValueError as err:
        raise Invalid("The form can't be read.") from err


async def signed_out_there(request: Request, services: Services) -> Response:
    """Where an organisation's provider tells that somebody has signed out (Back-Channel Logout 1.0, 2.5 to 2.8): 200 without a
    body, 400 with `error` as JSON for what is not taken, and nothing of it is kept on the way."""
    try:
        if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
            raise Invalid("The body must be a form.")
        given = _logout_tokens(await read_body(request, LOGOUT_MOST))
        if len(given) != 1:
            raise Invalid("There must be one `logout_token`.")
        await logout.take(services.db, str(request.path_params["org"]), given[0], seen_in(request))
        reply = Response(status_code=200)
    except Exception as err:
        # the provider understands this answer only; a bug is logged as one by problem_of
        problem = problem_of(err)
        status = problem.status if problem.status in (429, 500, 503) else 400
        reply = json_reply({"error": "invalid_request", "error_description": problem.detail}, status)
        if problem.retry_after_s:
            reply.headers["retry-after"] = str(round(problem.retry_after_s))
    reply.headers["cache-control"] = "no-store"
    return reply
