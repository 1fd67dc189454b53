"""The ASGI application: the hot routes first, then the table, the compatible doors, media, and the studio's files."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evenhand.app.gateway import Gateway
from evenhand.app.http.entry import come_back, signed_out_there
from evenhand.app.http.errors import Problem
from evenhand.app.http.log import log_routes
from evenhand.app.http.media import serve_media
from evenhand.app.http.openapi import document
from evenhand.app.http.routes import ROUTES, Route, encode_json, endpoint, json_reply, problem_reply
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.app.transparency import log_files
from evenhand.infra.db import AWAY
from evenhand.pure.trouble import Busy

log = logging.getLogger("evenhand.http")
STATIC = Path(__file__).parent.parent / "static"
PREFIX = "/api/v1"
#: modules whose import fills the route table; this is the order of matching, whatever was imported first
MODULES = (
    "work",
    "session",
    "account",
    "entry",
    "projects",
    "tasks",
    "exports",
    "org",
    "quality",
    "trust",
    "contracts",
    "neutrality",
    "grants",
    "keys",
    "leaving",
)
_PAGES = (
    "/",
    "/signin",
    "/neutrality",
    "/account",
    "/link/{token}",
    "/work",
    "/review",
    "/operator",
    "/director",
    "/console",
    "/console/{rest:path}",
    "/pilot/{rest:path}",
)
_HOT = ("/work/next", "/work/{handle}/submit")

for _name in MODULES:
    import_module(f"evenhand.app.http.{_name}")
ROUTES.sort(key=lambda found: MODULES.index(found.handler.__module__.rpartition(".")[2]))


def _headers(settings: Settings) -> dict[str, str]:
    """What every page carries. Nothing is loaded from elsewhere; media comes from the media host."""
    media = settings.media_url
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: blob: {media}".strip(),
            f"media-src 'self' blob: {media}".strip(),
            f"connect-src 'self' {media}".strip(),
            "font-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
    out = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
    if settings.secure:
        out["strict-transport-security"] = "max-age=31536000"
    return out


class Doorkeeper:
    """Looks at the Host of every request: an unknown one is refused (DNS rebinding), the media host shows no pages."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._public = settings.public_host
        self._elsewhere = f"They come from {settings.media_url}."
        self._media = urlsplit(settings.media_url).hostname or ""
        self._known = {"localhost", "127.0.0.1", "[::1]", self._public, self._media} - {""}
        self._common = [(k.encode(), v.encode()) for k, v in _headers(settings).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        app = self._app
        host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() not in self._known:
            app = problem_reply(Problem(400, "invalid", "This server does not answer for that host name."))
        elif self._is_media_host(name):
            if not self._serves_on_media_host(str(scope["path"])):
                app = RedirectResponse(self._settings.public_url + str(scope["path"]), 307)
            # whatever a file could do there, it does it without anybody's session
            scope = {**scope, "headers": [(k, v) for k, v in scope["headers"] if k != b"cookie"]}
        elif str(scope["path"]).startswith("/media/") and self._media not in ("", self._public):
            app = problem_reply(Problem(404, "missing", "Files are not shown at this address.", self._elsewhere))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                have = {k for k, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in self._common if h[0] not in have)]
            await send(message)

        await app(scope, receive, send_with_headers)

    def _is_media_host(self, name: str) -> bool:
        return name.lower() == self._media and self._media != self._public

    @staticmethod
    def _serves_on_media_host(path: str) -> bool:
        return path.startswith(("/media/", "/api/", "/v1", "/v2", "/log/", "/healthz"))


def build(
    settings: Settings, open_services: Callable[[], Any], doors: Callable[[Services], list[BaseRoute]]
) -> ASGIApp:
    """The application. `open_services` is an async context manager that yields Services; `doors` adds compatible APIs."""
    services = Services(settings, None, None)  # type: ignore[arg-type]
    gateway = Gateway(services)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with open_services() as opened, opened.db.hearing():
            services.db, services.objects, services.refusals = opened.db, opened.objects, opened.refusals
            services.uploads = opened.uploads
            yield
            await gateway.close()

    async def health(_: Request) -> Response:
        try:
            async with services.db.connection("gate") as conn:
                await conn.fetchval("select 1")
        except (*AWAY, Busy, asyncpg.PostgresError):
            log.warning("health: the database is away")
            return json_reply({"status": "database away"}, 503)
        return json_reply({"status": "ok"})

    async def media(request: Request) -> Response:
        return await serve_media(request, gateway, settings.public_url)

    async def returned(request: Request) -> Response:
        return await come_back(request, services)

    async def signed_out(request: Request) -> Response:
        return await signed_out_there(request, services)

    async def openapi(_: Request) -> Response:
        return Response(encode_json(document(ROUTES, PREFIX, settings.cookie)), media_type="application/json")

    hot = [r for r in ROUTES if r.path in _HOT]
    table = hot + [r for r in ROUTES if r.path not in _HOT]
    routes: list[BaseRoute] = [_starlette(r, services) for r in table]
    routes += [
        *log_routes(services, log_files(settings)),
        StarletteRoute("/healthz", health, methods=["GET", "HEAD"]),
        StarletteRoute("/media/{token}", media, methods=["GET", "HEAD", "OPTIONS"]),
        StarletteRoute("/signin/return/{org}", returned, methods=["GET"]),
        StarletteRoute("/signout/provider/{org}", signed_out, methods=["POST"]),
        StarletteRoute(f"{PREFIX}/openapi.json", openapi, methods=["GET"]),
        *doors(services),
        StarletteRoute("/studio/{path:path}", _static, methods=["GET", "HEAD"]),
        *(StarletteRoute(page, _page, methods=["GET", "HEAD"]) for page in _PAGES),
    ]
    routes.append(StarletteRoute("/{path:path}", _Nothing(list(routes))))
    return Doorkeeper(Starlette(routes=routes, lifespan=lifespan), settings)


def _starlette(found: Route, services: Services) -> StarletteRoute:
    return StarletteRoute(f"{PREFIX}{found.path}", endpoint(found, services), methods=[found.method])


async def _static(request: Request) -> Response:
    path = STATIC / request.path_params["path"]
    try:
        path = path.resolve()
        found = path.is_relative_to(STATIC.resolve()) and path.is_file()
    except (ValueError, OSError):  # a zero character, a name that is too long
        found = False
    if not found:
        return _not_here()
    cache = "public, max-age=31536000, immutable" if "/assets/" in str(path) else "no-cache"
    return FileResponse(path, headers={"cache-control": cache})


async def _page(request: Request) -> Response:
    index = STATIC / "index.html"
    if not index.is_file():
        return Response("The studio has not been built. Run `make build`.\n", 503, media_type="text/plain")
    return FileResponse(index, headers={"cache-control": "no-store"})


#: what programs call: a wrong address there is answered for programs, whoever asks
_DOORS = ("/api/", "/v1/", "/v2/", "/media/", "/studio/", "/log/")


def _from_reader(scope: Scope) -> bool:
    """Somebody typed an address into a browser."""
    wants = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return scope["method"] == "GET" and b"text/html" in wants and not scope["path"].startswith(_DOORS)


def _no_page() -> Response:
    """The studio says in words that there is no such page, and where one may go."""
    index = STATIC / "index.html"
    if not index.is_file():
        return _not_here()
    return FileResponse(index, 404, headers={"cache-control": "no-store"})


def _not_here() -> Response:
    return problem_reply(Problem(404, "missing", "There is nothing at this address.", "Look at /api/v1/openapi.json."))


class _Nothing:
    """What no route takes, whatever the method: an address that others reach (405, with what it takes), or none."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = [r for r in routes if isinstance(r, StarletteRoute)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._reply(scope)(scope, receive, send)

    def _reply(self, scope: Scope) -> Response:
        allowed: set[str] = set()
        for found in self._routes:
            if found.matches(scope)[0] is Match.PARTIAL:
                allowed |= found.methods or set()
        if not allowed:
            return _no_page() if _from_reader(scope) else _not_here()
        if scope["method"] == "OPTIONS":
            reply = Response(status_code=204)
        else:
            reply = problem_reply(Problem(405, "invalid", f"This address does not take {scope['method'][:20]}."))
        reply.headers["allow"] = ", ".join(sorted({*allowed, "OPTIONS"}))
        return reply
