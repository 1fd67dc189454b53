"""One way to projects, batches, tasks and exports: the native HTTP API.

With --url and a key the API of another machine. Without them that of this installation: the same application is served
to this process alone, on a socket in a private folder, with a key that lives as long as the command. So a command does
the same whether a server runs or not, here or there, and what it does stands in the organisation's audit trail.
"""

import argparse
import asyncio
import os
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import uvicorn

from evenhand.app import worker
from evenhand.app.http.server import PREFIX, build
from evenhand.app.opening import database, services
from evenhand.app.scale.door import scale_routes
from evenhand.app.services import Services
from evenhand.app.settings import Settings, settings_from_environment
from evenhand.features.people import actions as people
from evenhand.infra.db import SYSTEM
from evenhand.infra.ids import is_id
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.pure.trouble import KINDS, Invalid, Missing, Trouble, Upstream

TIMEOUT_S = 300.0
TRIES = 6
_AGAIN = (429, 502, 503, 504)
_KEY_LIFE = timedelta(hours=24)


class Refused(Trouble):
    """The server said no, in its own words."""


class Api:
    """The native API. Replies are decoded JSON; what the server refuses is raised as trouble. Every call may be sent
    twice without harm: writes carry an idempotency key, imports their import key, files their reference."""

    def __init__(self, client: httpx.Client, where: str) -> None:
        self._client = client
        self.where = where

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params=_given(query))

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        content = msgspec.json.encode({} if body is None else body)
        headers = {"content-type": "application/json", "idempotency-key": uuid4().hex}
        return self._ask("POST", path, params=_given(query), content=content, headers=headers)

    def post_lines(self, path: str, lines: bytes, **query: Any) -> Any:
        headers = {"content-type": "application/x-ndjson"}
        return self._ask("POST", path, params=_given(query), content=lines, headers=headers)

    def upload(self, name: str, data: bytes, reference: str) -> Any:
        fields = {"name": name, "reference_id": reference}
        return self._ask("POST", "/assets", data=fields, files={"file": (Path(name).name, data)})

    def all(self, path: str, most: int = 10**9, **query: Any) -> list[Any]:
        """The items of every page, up to `most`."""
        out: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, **query, limit=min(200, most - len(out)), cursor=cursor)
            out += page["items"]
            cursor = page.get("next")
            if cursor is None or len(out) >= most:
                return out[:most]

    @contextmanager
    def stream(self, path: str, **query: Any) -> Generator[httpx.Response]:
        """A reply that is read as it comes."""
        try:
            with self._client.stream("GET", PREFIX + path, params=_given(query)) as reply:
                if reply.status_code >= 400:
                    reply.read()
                    raise _refusal(reply)
                yield reply
        except httpx.TransportError as err:
            raise self._away(err) from err

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                reply = self._client.request(method, PREFIX + path, **options)
            except httpx.TransportError as err:
                if last or isinstance(err, httpx.UnsupportedProtocol):
                    raise self._away(err) from err
            else:
                if reply.status_code < 400:
                    return _decoded(reply)
                if last or reply.status_code not in _AGAIN:
                    raise _refusal(reply)
            time.sleep(min(0.5 * 2**attempt, 8.0))
        raise AssertionError("unreachable")

    def _away(self, err: Exception) -> Trouble:
        return Upstream(
            f"{self.where} does not answer ({type(err).__name__}).",
            hint="Nothing is half done. Check the address and the network, then run the same command again.",
        )

    # --- finding by id or name

    def project(self, ref: str) -> Any:
        if is_id(ref):
            return self.get(f"/projects/{ref}")
        hits = [p for p in self.all("/projects", archived="true") if p["name"] == ref]
        if not hits:
            raise Missing(f"There is no project called '{ref[:100]}'.", hint="`evenhand project list` shows them.")
        return hits[0]

    def batch(self, project: str, ref: str) -> Any:
        if is_id(ref):
            return self.get(f"/batches/{ref}")
        hits = [b for b in self.all(f"/projects/{project}/batches") if b["name"] == ref]
        if not hits:
            raise Missing(f"There is no batch called '{ref[:100]}'.", hint="`evenhand batch list` shows them.")
        return hits[0]


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None and value != ""}


def _decoded(reply: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(reply.content)
    except msgspec.DecodeError as err:
        raise Upstream(
            "What answered there is not Evenhand.", hint="Check --url: it is the address of the page."
        ) from err


def _refusal(reply: httpx.Response) -> Trouble:
    try:
        problem = msgspec.json.decode(reply.content)
        detail, code = str(problem["detail"]), str(problem["code"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return Upstream(f"The server answered {reply.status_code}.", hint="Check --url.")
    kind = next((k for k in KINDS if k.code == code), Refused)
    hint = problem.get("hint")
    if code == "signin":
        hint = "Check --key (or EVENHAND_KEY): it may belong to another server, be revoked or have expired."
    return kind(detail, hint=hint, errors=problem.get("errors"))


@contextmanager
def open_api(given: argparse.Namespace) -> Generator[Api]:
    """The API that the command's options mean."""
    url = (given.url or os.environ.get("EVENHAND_URL", "")).rstrip("/")
    key = given.key or os.environ.get("EVENHAND_KEY", "")
    if url:
        if not key:
            raise Invalid(f"A key is needed for {url}.", hint="Set EVENHAND_KEY, or give --key.")
        if given.org:
            raise Invalid("--org is for this machine; a key says which organisation it means.", hint="Leave --org out.")
        with _client(url, key) as client:
            yield Api(client, url)
        return
    settings = settings_from_environment()
    with database(settings) as (urls, keys):
        door = _Door(settings, urls, keys, given.org, given.mode if not key else None, key)
        with door, _client("http://localhost", door.key, door.socket) as client:
            yield Api(client, "This installation")


def _client(url: str, key: str, socket: str | None = None) -> httpx.Client:
    try:
        return httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(TIMEOUT_S, connect=10),
            transport=httpx.HTTPTransport(uds=socket) if socket else None,
        )
    except (httpx.InvalidURL, UnicodeError) as err:
        raise Invalid("--url is not an address.", hint="Such as https://label.example.org.") from err


async def _the_org(s: Services, ref: str | None) -> str:
    """The organisation that is meant: the one named, or the only one."""
    if ref:
        return (await people.find_org(s.db, ref)).id
    orgs = await people.list_orgs(s.db)
    if not orgs:
        raise Missing("There is no organisation yet.", hint="Make one: evenhand org create NAME")
    if len(orgs) > 1:
        names = ", ".join(org.name for org in orgs[:5])
        raise Invalid("Which organisation is meant?", hint=f"Add --org with one of: {names}.")
    return orgs[0].id


class _Door:
    """The application on a private socket, in a thread of this process, for as long as the block runs."""

    def __init__(
        self, settings: Settings, urls: DatabaseUrls, keys: Keys, org: str | None, mode: Any, key: str
    ) -> None:
        self.key = key
        self.socket = ""
        self._settings, self._urls, self._keys, self._org, self._mode = settings, urls, keys, org, mode
        self._ready, self._failed = threading.Event(), None
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="evenhand door", daemon=True)

    _failed: BaseException | None

    def __enter__(self) -> "_Door":
        worker.listen()
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=15)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as err:
            self._failed = err
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with services(self._settings, self._urls, self._keys, connections=4) as opened, self._own_key(opened):
            with tempfile.TemporaryDirectory(prefix="evenhand-") as folder:  # made with mode 0700
                self.socket = f"{folder}/door"
                await self._answer(opened, self._stop)

    async def _answer(self, opened: Services, stop: asyncio.Event) -> None:
        @asynccontextmanager
        async def same() -> AsyncGenerator[Services]:
            yield opened

        app = build(self._settings, same, scale_routes)
        config = uvicorn.Config(
            app, uds=self.socket, http="httptools", lifespan="on", access_log=False, log_config=None,
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110  (uvicorn has no event for it)
            await asyncio.sleep(0.005)
        self._ready.set()
        await stop.wait()
        server.should_exit = True
        await serving

    @asynccontextmanager
    async def _own_key(self, s: Services) -> AsyncGenerator[None]:
        """A key for this command only, ended with it; a killed command's ends by itself within a day."""
        if self.key:
            yield
            return
        org = await _the_org(s, self._org)
        made = await people.create_key(
            s.db, org, self._mode, name="command line", expires_at=datetime.now(UTC) + _KEY_LIFE
        )
        self.key = made.key
        try:
            yield
        finally:
            space = (await people.find_org(s.db, org, self._mode)).id
            async with s.db.tx(space, SYSTEM) as tx:
                await people.revoke_key(tx, made.id)
