"""Reads what strace wrote of connect, sendto, sendmsg and sendmmsg: which addresses a program tried to reach."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

_FAMILY = re.compile(r"sa_family=(AF_\w+)([^}]*)\}")
_INET = re.compile(r"sin_port=htons\((\d+)\), sin_addr=inet_addr\(\"([^\"]+)\"\)")
_INET6 = re.compile(r"sin6_port=htons\((\d+)\),.*?inet_pton\(AF_INET6, \"([^\"]+)\"")
_RESOLVER = re.compile(
    r"nscd|systemd/resolve|avahi|mdns|sssd"
)  # local sockets behind which a resolver asks the network
#: the C library asks a name service cache for users too; where none runs, that asks nobody
_NO_CACHE = re.compile(r"^.*sun_path=\"[^\"]*nscd/socket\".*ENOENT.*$", re.MULTILINE)
DNS = 53


def addresses(text: str) -> Iterator[str]:
    """Every address that is named: `127.0.0.1 port 80`, `unix /run/x`, `netlink`."""
    for family, rest in _FAMILY.findall(text):
        if (found := _INET.search(rest) or _INET6.search(rest)) is not None:
            yield f"{found[2]} port {found[1]}"
        elif family == "AF_UNIX":
            yield f"unix {rest.partition('sun_path=')[2]}"
        else:
            yield family


def beyond(text: str) -> list[str]:
    """Those that lie beyond this machine, or ask a resolver. An address that can't be read counts as beyond."""
    return [found for found in addresses(_NO_CACHE.sub("", text)) if not _stays(found)]


def _stays(address: str) -> bool:
    host, _, port = address.partition(" port ")
    if port:
        return ip_address(host).is_loopback and int(port) != DNS
    if host.startswith("unix "):
        return not _RESOLVER.search(host)
    return host in ("AF_NETLINK", "AF_UNSPEC")  # the kernel of this machine; and taking an address back
