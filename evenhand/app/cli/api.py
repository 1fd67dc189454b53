"""One way to projects, batches, tasks and exports: the native HTTP API, that of another machine with --url and a key,
else that of this installation, which `door` serves to this process alone. So a command does the same here and there.
"""

import argparse
import os
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from evenhand.app.cli.loading import load
from evenhand.infra.ids import is_id
from evenhand.pure.trouble import KINDS, Invalid, Missing, Trouble, Upstream

TIMEOUT_S = 300.0
TRIES = 6
PREFIX = "/api/v1"
_AGAIN = (429, 502, 503, 504)


class Refused(Trouble):
    """The server said no, in its own words."""


class Api:
    """The native API. Replies are decoded JSON; what the server refuses is raised as trouble. Every call may be sent
    twice without harm: writes carry an idempotency key, imports their import key, files their reference."""

    def __init__(self, client: httpx.Client, where: str) -> None:
        self._client = client
        self._reached = False  # a server that has answered is waited for; one that never did is told at once
        self.where = where

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params=_given(query))

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        content = msgspec.json.encode({} if body is None else body)
        headers = {"content-type": "application/json", "idempotency-key": uuid4().hex}
        return self._ask("POST", path, params=_given(query), content=content, headers=headers)

    def put(self, path: str, body: Any) -> Any:
        headers = {"content-type": "application/json"}
        return self._ask("PUT", path, content=msgspec.json.encode(body), headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        headers = {"content-type": "application/json", "idempotency-key": uuid4().hex}
        return self._ask("PATCH", path, content=msgspec.json.encode(body), headers=headers)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

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
    def stream(
        self,
        path: str,
        query: dict[str, Any] | None = None,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
    ) -> Generator[httpx.Response]:
        """A reply that is read as it comes."""
        try:
            with self._client.stream(method, PREFIX + path, params=_given(query or {}), headers=headers) as reply:
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
                if last or not self._reached:
                    raise self._away(err) from err
            else:
                self._reached = True
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
    with (
        load("door:served_here")(given.org, given.mode, key) as (socket, own_key),
        _client("http://localhost", own_key, socket) as client,
    ):
        yield Api(client, "This installation")


def _client(url: str, key: str, socket: str | None = None) -> httpx.Client:
    # without TLS nobody's certificate is looked at: reading the list of those to trust takes as long as a request
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.lower().startswith("http:") else True
    try:
        return httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(TIMEOUT_S, connect=10),
            verify=trust,
            transport=httpx.HTTPTransport(uds=socket, verify=trust) if socket else None,
        )
    except (httpx.InvalidURL, UnicodeError) as err:
        raise Invalid("--url is not an address.", hint="Such as https://label.example.org.") from err
