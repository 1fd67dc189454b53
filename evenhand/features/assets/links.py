"""Signed links to media. A link names space, asset, variant and a time; it needs no cookie, so it may be served from
another host name, where nothing that a file contains can reach a session."""

import base64
import hmac
import time

from evenhand.infra.keys import Keys
from evenhand.pure.trouble import Missing

LIFE_S = 6 * 3600
_ROUND_S = 3600  # links of one hour are equal, so that browsers can cache what they show
VARIANTS = ("full", "thumb")


class LinkExpired(Missing):
    hint = "Reload the page: links to media live for some hours."


def sign(keys: Keys, org_id: str, asset_id: str, variant: str = "full", now_s: float | None = None) -> str:
    """The path of a media link, "/media/..."."""
    at = int(time.time() if now_s is None else now_s) // _ROUND_S * _ROUND_S
    payload = (
        bytes.fromhex(org_id)
        + bytes.fromhex(asset_id)
        + bytes([VARIANTS.index(variant)])
        + (at + LIFE_S).to_bytes(5, "big")
    )
    mac = hmac.digest(keys.key("media"), payload, "sha256")[:18]
    return "/media/" + base64.urlsafe_b64encode(payload + mac).decode().rstrip("=")


def read(keys: Keys, token: str, now_s: float | None = None) -> tuple[str, str, str]:
    """(space, asset, variant) of a link, or LinkExpired."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 48 or len(token) != 64:  # 48 bytes need no padding: a link is spelled in one way
        raise LinkExpired("This link does not lead to a file.")
    payload, mac = raw[:30], raw[30:]
    if not hmac.compare_digest(mac, hmac.digest(keys.key("media"), payload, "sha256")[:18]):
        raise LinkExpired("This link does not lead to a file.")
    if int.from_bytes(payload[25:30], "big") < (time.time() if now_s is None else now_s):
        raise LinkExpired("This link is too old.")
    return payload[:12].hex(), payload[12:24].hex(), VARIANTS[payload[24]]
