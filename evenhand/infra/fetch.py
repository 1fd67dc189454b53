"""Reaching out: attachments in, callbacks out. Private addresses are refused unless the operator allows them.

The name is resolved once and the connection goes to the address that was checked, so that a second answer of the name
server cannot lead elsewhere (DNS rebinding). Redirects are followed by hand, each checked again.
"""

import asyncio
import ipaddress
import os
import re
import socket
import ssl
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from evenhand.pure.trouble import Invalid, Upstream

ALLOW_VARIABLE = "EVENHAND_ALLOW_PRIVATE_ADDRESSES"
MOST_REDIRECTS = 5
TIMEOUT_S = 30
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


_NO_NAME = re.compile(r"[\x00-\x20\x7f\"%<>\\^`{|}]")
_MAIL = re.compile(r"[^@\s\x00-\x1f/:]{1,64}@[^@\s\x00-\x1f/:]{1,190}")


class UnsafeAddress(Invalid):
    hint = f"Use a public address, or ask the operator to set {ALLOW_VARIABLE}=1."


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    media_type: str
    body: bytes
    url: str


def private_allowed() -> bool:
    return os.environ.get(ALLOW_VARIABLE) == "1"


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet (mapped and translated IPv4 included)."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour is not None:
            return is_public(str(ip.sixtofour))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def check_url(url: str, *, private: bool = False) -> None:
    """Refuses what can be refused without asking a name server. private: whoever named it may lead us anywhere."""
    try:
        parts = urlsplit(url)
        httpx.URL(url)  # what reads the address later must be able to
    except (ValueError, httpx.InvalidURL) as err:
        raise Invalid(f"'{url[:200]}' is not an http or https address.") from err
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"'{url[:200]}' is not an http or https address.")
    if _NO_NAME.search(parts.hostname):
        raise Invalid(f"'{url[:200]}' names no host.")
    if parts.username or parts.password:
        raise Invalid("An address must not carry a user name or a password.")
    try:
        port = parts.port
    except ValueError as err:
        raise Invalid("The port of the address is not a number.") from err
    if port == 0:
        raise Invalid("The port of the address is not a number.")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        if parts.hostname.rstrip(".").lower() == "localhost" and not (private or private_allowed()):
            raise UnsafeAddress("The address leads into this machine.") from None
        return
    if not is_public(str(literal)) and not (private or private_allowed()):
        raise UnsafeAddress("The address leads into a private network.")


def check_callback(address: str) -> None:
    """Refuses an address to which news can't be sent: it must be a mail address or a public URL."""
    if not _MAIL.fullmatch(address):
        check_url(address)


@cache
def _usual_trust() -> ssl.SSLContext:
    """The public authorities, read once: that takes 20 ms of CPU, more than all else in a request."""
    return httpx.create_ssl_context(trust_env=False)


async def resolve(host: str, port: int, *, private: bool = False) -> str:
    """The first usable address of a host. Every answer must be public, not just the one that is used."""
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), timeout=10)
    except (OSError, TimeoutError, UnicodeError) as err:
        raise Upstream(f"The name '{host}' could not be resolved.") from err
    addresses = [str(entry[4][0]) for entry in found]
    if not (private or private_allowed()) and not all(is_public(address) for address in addresses):
        raise UnsafeAddress(f"The name '{host}' leads into a private network.")
    return addresses[0]


async def request(
    method: str,
    url: str,
    *,
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
    most_bytes: int,
    follow: bool = True,
    timeout_s: float = TIMEOUT_S,
    trust: ssl.SSLContext | None = None,
    private: bool = False,
) -> Fetched:
    """One request to a checked address. `trust`: whose certificates are believed, where not the usual authorities';
    `private`: the address is the operator's own word, so it may lead into a network of theirs.

    Raises Upstream when nothing usable came back."""
    for _ in range(MOST_REDIRECTS + 1):
        check_url(url, private=private)
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await resolve(host, port, private=private)
        named = httpx.URL(url)
        target = named.copy_with(host=address)
        sent = {
            "user-agent": "Evenhand/0.1",
            "host": named.netloc.decode("ascii"),
            "accept-encoding": "gzip",
            **(headers or {}),
        }
        extensions: dict[str, Any] = {"sni_hostname": host} if parts.scheme == "https" else {}
        try:
            async with (
                asyncio.timeout(timeout_s),
                httpx.AsyncClient(timeout=timeout_s, trust_env=False, verify=trust or _usual_trust()) as client,
            ):
                ask = client.build_request(method, target, content=content, headers=sent, extensions=extensions)
                reply = await client.send(ask, stream=True, follow_redirects=False)
                try:
                    if follow and reply.status_code in (301, 302, 303, 307, 308) and "location" in reply.headers:
                        url = _follow(url, reply.headers["location"])
                        continue
                    body = await _read(reply, most_bytes)
                finally:
                    await reply.aclose()
        except (httpx.HTTPError, TimeoutError, OSError) as err:
            raise Upstream(f"{host} did not answer ({type(err).__name__}).") from err
        kind = reply.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        return Fetched(reply.status_code, kind, body, url)
    raise Upstream(f"{url[:200]} redirects more than {MOST_REDIRECTS} times.")


def _follow(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as err:
        raise Upstream("The address redirects to something that is not an address.") from err


async def _read(reply: httpx.Response, most_bytes: int) -> bytes:
    """The body, up to a limit that counts what came after decompression. It is unfolded here, piece by piece and never
    past the limit: a small reply may hold gigabytes, and one that is packed twice would hold them in a single step."""
    encoding = reply.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise Upstream(f"The address answered in the encoding '{encoding[:40]}', which was not asked for.")
    unfold = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding.endswith("gzip") else None
    held: list[bytes] = []
    size = 0
    async for piece in reply.aiter_raw(65536):
        if unfold is not None:
            try:
                piece = unfold.decompress(piece, most_bytes + 1 - size)
            except zlib.error as err:
                raise Upstream("The address answered with a broken gzip stream.") from err
        size += len(piece)
        if size > most_bytes:
            raise Upstream(f"The file is larger than {most_bytes // 1_000_000} MB.")
        held.append(piece)
    return b"".join(held)
