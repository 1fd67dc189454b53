"""One request to the compatible door, and the table of what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from evenhand.app.http.call import BODY_MOST
from evenhand.app.scale.linking import Links
from evenhand.app.services import Services
from evenhand.features.assets.viewings import page_of
from evenhand.infra.db import Actor, Database, Tx
from evenhand.infra.objects import Objects
from evenhand.pure.scale.checks import Obj
from evenhand.pure.trouble import Invalid

Version = Literal["v1", "v2"]
DEPTH_MOST = 8
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}


@dataclass(slots=True)
class Ask:
    """What a handler gets: who asks, the parts of the path (decoded), the body."""

    request: Request
    services: Services
    actor: Actor
    org_id: str
    mode: str
    names: dict[str, str]
    raw: bytes = b""

    @property
    def db(self) -> Database:
        return self.services.db

    @property
    def objects(self) -> Objects:
        return self.services.objects

    @property
    def live(self) -> bool:
        return self.mode == "live"

    def links(self, tx: Tx) -> Links:
        """Links of the reply that `tx` makes."""
        return Links.of(self.services.settings, page_of(tx, self.services.db))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query string; repeated keys stay apart."""
        return self.request.query_params.multi_items()

    def body(self) -> object:
        """The JSON (or form) body; None when there is none."""
        text = self.raw.strip()
        if not text:
            return None
        kind = self.request.headers.get("content-type", "")
        # curl says "form" of whatever it sends
        if kind.startswith("application/x-www-form-urlencoded") and text[:1] not in (b"{", b"["):
            return from_form(text)
        value: object = msgspec.json.decode(text)
        return value

    def scope(self) -> str:
        """Whose list a page token belongs to: this space, this route, these filters."""
        filters = sorted((k, v) for k, v in self.pairs if k not in ("next_token", "limit"))
        return f"{self.org_id} {self.request.url.path} {filters}"


def from_form(raw: bytes) -> Obj:
    """`a=1&a=2` is a list, `fields[x]=y` an object, `a[]=1` a list; true and false are truth values."""
    out: Obj = {}
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=1000)
    except ValueError as err:
        raise Invalid("The form-encoded body is not right.") from err
    for name, text in pairs:
        head, *rest = name.replace("]", "").split("[")
        if len(rest) > DEPTH_MOST:
            raise Invalid("The form is nested too deeply.")
        value = _WORDS.get(text, text)
        _put(out, [head, *rest], value)
    return out


def _put(into: Obj, keys: list[str], value: object) -> None:
    as_list = keys[-1] == ""
    keys = [k for k in keys if k != ""]
    if not keys:
        raise Invalid("A form field has no name.")
    for key in keys[:-1]:
        into = into.setdefault(key, {})
        if not isinstance(into, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Invalid(f"The form field {key[:60]} is both a text and an object.")
    last = keys[-1]
    if last in into:
        held = into[last]
        into[last] = [*held, value] if isinstance(held, list) else [held, value]
    else:
        into[last] = [value] if as_list else value


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """`handler(ask, tx)`, or `handler(ask)` where `tx` is False: then it opens its own."""

    version: Version
    method: str
    path: tuple[str, ...]
    handler: Handler
    tx: bool = True
    streams: bool = False  # the handler reads the body itself
    most: int = BODY_MOST

    @property
    def name(self) -> str:
        """As the list of those that show nothing has it."""
        return f"{self.version} {self.method} {'/'.join(self.path)}"

    def match(self, parts: list[str]) -> dict[str, str] | None:
        if len(parts) != len(self.path):
            return None
        names: dict[str, str] = {}
        for want, part in zip(self.path, parts, strict=True):
            if want.startswith("{"):
                names[want[1:-1]] = part
            elif want != part:
                return None
        return names


ENTRIES: list[Entry] = []


def entry(version: Version, method: str, path: str, **options: Any) -> Callable[[Handler], Handler]:
    """Adds a handler to the table; `{name}` matches one part of the path, percent-decoded after the split."""

    def add(handler: Handler) -> Handler:
        ENTRIES.append(Entry(version, method, tuple(path.split("/")), handler, **options))
        return handler

    return add
