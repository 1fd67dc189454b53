"""Signed links to media: bound to the space, the file, the viewer, and what lets the viewer see it, for some minutes.

A link is opened by showing it, without a cookie, so that it may be served from another host name, where nothing that a file
contains can reach a session. It is not enough by itself: the gateway asks whether the viewer's session or key still lives, and
the lease or the page that it was given with.
"""

import base64
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from evenhand.infra.db import Actor, Database
from evenhand.infra.ids import is_id
from evenhand.infra.keys import Keys
from evenhand.pure.trouble import Missing

LIFE_S = 3600
#: what is linked again within so many seconds gets the same links, so that a list that is read again loads no picture again
ROUND_S = 600
VARIANTS = ("full", "thumb")
Kind = Literal["lease", "session", "key"]
GRANTS: tuple[Kind, ...] = ("lease", "session", "key")
_PAYLOAD = 1 + 12 + 12 + 1 + 5 + 12 + 16
_MAC = 19  # with the payload a multiple of three, so that base64 spells a link in one way
_NO_SESSION = bytes(16)

Link = Callable[[str, str], str]
"""(asset, variant) to a link."""


class LinkExpired(Missing):
    hint = "Reload the page: links to media live for an hour at most, and end with the lease or the session."


@dataclass(frozen=True, slots=True)
class Grant:
    """What lets somebody see a file: a lease, or a page that was given to a session or a key.

    `id`: of the lease's assignment, or of the viewing (viewings.py) of the page. `who`: 16 bytes, the beginning of the
    session's hash, or the id of the key; zeros where a lease was given to nobody's session."""

    kind: Kind
    id: str
    who: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What a link says."""

    org_id: str
    asset: str
    variant: str  # full or thumb
    until_s: int
    grant: Grant


def of_lease(assignment: str, session: bytes) -> Grant:
    """`session`: the hash of the session's token, b"" without one."""
    return Grant("lease", assignment, session[:16] or _NO_SESSION)


def of_page(viewing: str, actor: Actor) -> Grant | None:
    """None for who is neither a person with a session nor a key: nobody would be there to be asked."""
    if actor.kind == "key" and is_id(actor.id):
        return Grant("key", viewing, bytes.fromhex(actor.id).ljust(16, b"\0"))
    if actor.kind == "person" and actor.session:
        return Grant("session", viewing, actor.session[:16])
    return None


def link_of(db: Database, org_id: str, grant: Grant | None) -> Link:
    """Links by a grant; "" without one: they would open to anybody."""
    if grant is None:
        return lambda asset, variant: ""
    return lambda asset, variant: db.media_base + sign(db.keys, org_id, asset, grant, variant)


def sign(
    keys: Keys,
    org_id: str,
    asset: str,
    grant: Grant,
    variant: str = "full",
    *,
    now_s: float | None = None,
) -> str:
    """The path of a link, "/media/..."."""
    at = int(time.time() if now_s is None else now_s) // ROUND_S * ROUND_S
    payload = b"".join(
        (
            bytes([GRANTS.index(grant.kind)]),
            bytes.fromhex(org_id),
            bytes.fromhex(asset),
            bytes([VARIANTS.index(variant)]),
            (at + LIFE_S).to_bytes(5, "big"),
            bytes.fromhex(grant.id),
            grant.who,
        )
    )
    mac = hmac.digest(keys.key("media"), payload, "sha256")[:_MAC]
    return "/media/" + base64.urlsafe_b64encode(payload + mac).decode()


def read(keys: Keys, token: str, now_s: float | None = None) -> Shown:
    """What a link says, or LinkExpired."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != _PAYLOAD + _MAC or len(token) != len(raw) // 3 * 4:  # padding would be a second spelling
        raise LinkExpired("This link does not lead to a file.")
    payload, mac = raw[:_PAYLOAD], raw[_PAYLOAD:]
    if not hmac.compare_digest(mac, hmac.digest(keys.key("media"), payload, "sha256")[:_MAC]):
        raise LinkExpired("This link does not lead to a file.")
    until_s = int.from_bytes(payload[26:31], "big")
    if until_s < (time.time() if now_s is None else now_s):
        raise LinkExpired("This link is too old.")
    grant = Grant(GRANTS[payload[0]], payload[31:43].hex(), payload[43:])
    return Shown(payload[1:13].hex(), payload[13:25].hex(), VARIANTS[payload[25]], until_s, grant)
