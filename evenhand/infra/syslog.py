"""Handing messages to a syslog receiver, by UDP, TCP or TLS. Its address is checked like every other that we reach out to."""

import asyncio
import fcntl
import socket
import ssl
import struct
import termios
from collections.abc import Sequence
from urllib.parse import urlsplit

from evenhand.infra.fetch import resolve
from evenhand.pure.syslog import framed
from evenhand.pure.trouble import Invalid, Upstream

PORTS = {"syslog+tls": 6514, "syslog+tcp": 601, "syslog+udp": 514}
TIMEOUT_S = 15.0
_LOOK_S = 0.02


def address_of(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of syslog+tls://HOST:PORT. Raises Invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as err:
        raise Invalid(f"'{url[:200]}' is not the address of a syslog receiver.") from err
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise Invalid(
            f"'{url[:200]}' is not the address of a syslog receiver.",
            hint="Write syslog+tls://HOST:PORT, syslog+tcp://HOST:PORT or syslog+udp://HOST:PORT.",
        )
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]


async def send(url: str, messages: Sequence[bytes], *, trust: ssl.SSLContext | None = None) -> None:
    """Sends them in order. On a stream it waits until the other machine has acknowledged every byte; UDP has no such word.

    trust: whose certificates are believed, where not the usual authorities'. Raises Upstream."""
    scheme, host, port = address_of(url)
    address = await resolve(host, port)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if scheme == "syslog+udp":
                await _datagrams(address, port, messages)
            else:
                secure = (trust or ssl.create_default_context()) if scheme == "syslog+tls" else None
                await _stream(address, port, host, secure, messages)
    except (OSError, TimeoutError) as err:
        raise Upstream(f"{host} did not take it ({type(err).__name__}).") from err


async def _datagrams(address: str, port: int, messages: Sequence[bytes]) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(address, port))
    try:
        for one in messages:
            transport.sendto(one)
    finally:
        transport.close()


async def _stream(address: str, port: int, host: str, secure: ssl.SSLContext | None, messages: Sequence[bytes]) -> None:
    _, out = await asyncio.open_connection(address, port, ssl=secure, server_hostname=host if secure else None)
    try:
        for one in messages:
            out.write(framed(one))
            await out.drain()
        made: socket.socket = out.get_extra_info("socket")
        while out.transport.get_write_buffer_size() or _unacknowledged(made):
            if out.is_closing():
                raise ConnectionResetError
            await asyncio.sleep(_LOOK_S)
    finally:
        out.close()


def _unacknowledged(made: socket.socket) -> int:
    """Bytes that the other machine has not acknowledged yet (SIOCOUTQ of Linux's tcp(7))."""
    number = struct.unpack("i", fcntl.ioctl(made.fileno(), termios.TIOCOUTQ, struct.pack("i", 0)))[0]
    return int(number)
