"""One request: who asks, in which space, with what."""

import base64
import hmac
import ipaddress
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from evenhand.app.http.errors import SignIn, TooLarge, WrongToken
from evenhand.app.services import Services
from evenhand.features.access import sessions
from evenhand.features.access.types import Held, Seen
from evenhand.features.grants.actions import live_grant
from evenhand.features.grants.figures import is_director
from evenhand.features.people import actions as people
from evenhand.infra.db import Actor
from evenhand.infra.ids import is_id
from evenhand.infra.keys import Keys
from evenhand.pure.trouble import Concern, Denied, Invalid, Missing

BODY_MOST = 5_000_000


@dataclass(slots=True)
class Call:
    """What a handler gets. `org_id` is "" on routes that belong to a person and not to a space."""

    request: Request
    services: Services
    actor: Actor
    org_id: str = ""
    mode: str = "live"
    operator: bool = False
    session: str = ""  # the session's token
    grant: Any = None  # the row of the grant by which somebody of the operator's reads
    held: Held | None = None  # the session, where it was looked up
    query: Any = None
    body: Any = None

    @property
    def db(self) -> Any:
        return self.services.db

    async def know(self) -> Actor:
        """The person of a call at the desk, where it is needed apart from the work itself."""
        if not self.actor.id:
            self.held = await sessions.who_holds(self.db, self.session, self.seen)
            if self.held is None:
                raise SignIn("You are not signed in.")
            self.actor = sessions.actor_of(self.held)
        return self.actor

    @property
    def seen(self) -> Seen:
        return seen_in(self.request)

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])


def csrf_of(keys: Keys, session: str) -> str:
    """The token that a page must send with each write: it cannot be read by another site."""
    return hmac.digest(keys.key("csrf"), session.encode(), "sha256").hex()[:32]


def key_in(request: Request) -> str | None:
    """The API key of a request: Bearer, or the user name of Basic."""
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[0]
        except ValueError:
            return ""
    return None


def session_in(request: Request, services: Services) -> str:
    """The session's token, from the cookie, on the pages' own host only."""
    return request.cookies.get(services.settings.cookie, "")


def credential_in(request: Request, services: Services) -> str:
    """What a request shows of who asks: a key, or a session with the space that it names."""
    key = key_in(request)
    return key if key is not None else f"{session_in(request, services)} {request.headers.get('evenhand-org', '')}"


def seen_in(request: Request) -> Seen:
    """Whence the request comes. Behind a proxy the server has put the client's address here, if it trusts the proxy
    (EVENHAND_TRUSTED_PROXIES); a header of anybody else is not read."""
    agent, background = request.headers.get("user-agent", ""), request.headers.get("evenhand-background") == "1"
    try:
        address = ipaddress.ip_address((request.client.host if request.client else "").partition("%")[0])
    except ValueError:
        return Seen("", agent, background)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return Seen(str(address), agent, background)


async def who_asks(request: Request, services: Services, *, who: str, csrf: str = "") -> Call:
    """Finds out who asks. Raises SignIn or WrongToken; a stranger to a space finds nothing there."""
    key = key_in(request)
    if key is not None:
        services.limits.look(key)
        found = await people.who_holds_key(services.db, key, seen_in(request).address)
        if found is None:
            raise SignIn("This API key is not known, or has been revoked or has expired.")
        if who != "customer":
            raise Denied("An API key can't be used here.", hint="Sign in with a browser.")
        services.limits.take(found[0], credential_in(request, services))
        return Call(request, services, found[1], found[0], found[2])
    token, seen = session_in(request, services), seen_in(request)
    held = await sessions.who_holds(services.db, token, seen) if token else None
    if held is None:
        raise SignIn("You are not signed in.")
    check_csrf(request, services, token, csrf)
    if who == "operator" and not held.operator:
        raise Denied("This page is for operators.", hint="Ask an operator.")
    if who == "director" and not await is_director(services.db, held.person):
        raise Denied("This page is for directors.", hint="Ask an operator.")
    if who != "customer":
        actor = sessions.actor_of(held)
        return Call(request, services, actor, operator=held.operator, session=token, held=held)
    org_id = request.headers.get("evenhand-org") or request.query_params.get("org", "")
    role = await sessions.enter(services.db, org_id, held, seen) if org_id else None
    grant = await live_grant(services.db, org_id, held.person) if role is None and held.operator else None
    if grant is not None:
        actor = replace(sessions.actor_of(held, "support"), grant=grant["grant_id"])
        return Call(request, services, actor, org_id, operator=True, session=token, grant=grant, held=held)
    if role is None:
        hint = "Send your organisation's id as `Evenhand-Org`."
        err = Missing("There is no such organisation.", hint=hint)
        raise err.concerning(Concern(org_id, "person", held.person, "stranger")) if is_id(org_id) else err
    actor = sessions.actor_of(held, role)
    services.limits.take(org_id, credential_in(request, services))
    return Call(request, services, actor, org_id, operator=held.operator, session=token, held=held)


def check_csrf(request: Request, services: Services, token: str, csrf: str = "") -> None:
    """Raises WrongToken for a write that did not come from a page of ours."""
    if request.method not in ("GET", "HEAD") and not _csrf_fits(request, services, token, csrf):
        raise WrongToken("This page is out of date, so the request was refused.")


async def at_desk(request: Request, services: Services) -> Call:
    """A call of somebody whose session the handler looks up together with its first question to the database."""
    token = session_in(request, services)
    known = token and sessions.seen_at(token, seen_in(request))
    if key_in(request) is None and known and _csrf_fits(request, services, token):
        return Call(request, services, Actor("person", ""), session=token)
    return await who_asks(request, services, who="person")  # which says what is wrong


def _csrf_fits(request: Request, services: Services, token: str, csrf: str = "") -> bool:
    given = request.headers.get("x-evenhand-csrf") or csrf
    return hmac.compare_digest(given.encode(), csrf_of(services.db.keys, token).encode())


async def read_body(request: Request, most: int = BODY_MOST) -> bytes:
    """The body, or TooLarge as soon as it is."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise TooLarge(f"The body is larger than {most // 1_000_000} MB.")
    return b"".join([piece async for piece in bounded_pieces(request, most)])


async def bounded_pieces(request: Request, most: int) -> AsyncGenerator[bytes]:
    """The pieces of the body, until there are more than `most` bytes of them."""
    size = 0
    async for piece in pieces(request):
        size += len(piece)
        if size > most:
            raise TooLarge(f"The body is larger than {most // 1_000_000} MB.")
        yield piece


def announced(request: Request, most: int) -> int:
    """How many bytes a body may take, by its own word where it gives one."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else most


class _InMemory(MultiPartParser):
    """Nobody's files lie in a temporary folder, where they would not be sealed."""

    spool_max_size = sys.maxsize


async def read_form(request: Request, most: int, *, files: int = 1, fields: int = 20) -> FormData:
    """A multipart body of at most `most` bytes. Its parts wait in memory and never on disk; close the form after use."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Invalid("The body must be multipart/form-data.")
    body = bounded_pieces(request, most)
    try:
        return await _InMemory(request.headers, body, max_files=files, max_fields=fields, max_part_size=100_000).parse()
    except MultiPartException as err:
        raise Invalid(f"The multipart body is not right: {err.message}") from err
    except FormParserError as err:
        raise Invalid("The multipart body is not right.") from err
    finally:
        await body.aclose()


async def pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as err:
        raise Invalid("The sender went away before the end.") from err


def read_query(request: Request, kind: type[Any]) -> Any:
    """The query string as a struct. Repeated keys become lists where the struct has a list."""
    params = request.query_params
    known = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    given: dict[str, Any] = {}
    for name in params:
        if name not in known and name != "org":
            raise Invalid(f"There is no query parameter `{name[:60]}` here.", hint=f"Known: {', '.join(known)}.")
        if name in known:
            many = "list" in str(known[name].type)
            given[name] = params.getlist(name) if many else params[name]
    return msgspec.convert(given, kind, strict=False)
