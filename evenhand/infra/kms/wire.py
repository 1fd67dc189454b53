"""One question to a key service over HTTPS, and its JSON answer."""

import ipaddress
import json
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from evenhand.infra import fetch
from evenhand.infra.kms.port import KeyNotUsable, KeyServiceDown
from evenhand.pure.trouble import Upstream

TIMEOUT_S = 10
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """`content` may hold an unwrapped key, and is not shown."""

    status: int
    content: dict[str, Any]

    def __repr__(self) -> str:
        return f"Reply({self.status})"


def check_endpoint(url: str) -> str:
    """The address without a slash at its end. Raises KeyNotUsable unless it is https, or this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is none
    except ValueError as err:
        raise KeyNotUsable(f"'{url[:200]}' is not an address.", hint="Such as https://vault.example.com:8200.") from err
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise KeyNotUsable(f"'{url[:200]}' is not an https address.", hint="A key must not travel in the clear.")
    return url.rstrip("/")


async def ask(
    method: str, url: str, headers: dict[str, str], content: bytes | None, trust: ssl.SSLContext | None
) -> Reply:
    """`trust`: the service's own certificate authority, where it has one.

    Raises KeyServiceDown where nothing usable came back, UnsafeAddress where the address may not be reached."""
    try:
        reply = await fetch.request(
            method, url, content=content, headers=headers,
            most_bytes=_MOST_BYTES, follow=False, timeout_s=TIMEOUT_S, trust=trust,
        )  # fmt: skip
    except Upstream as err:
        raise KeyServiceDown(f"The key service did not answer: {err.message}") from err
    if 300 <= reply.status < 400:
        raise KeyServiceDown("The key service sends us elsewhere; it must be asked at the address that answers.")
    try:
        found: object = json.loads(reply.body) if reply.body else {}
    except ValueError:
        found = None
    if isinstance(found, dict):
        return Reply(reply.status, found)
    if reply.status < 400:
        raise KeyServiceDown("The key service answered with something that is not JSON.")
    return Reply(reply.status, {})


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
