"""The port: what we ask of a key service, and the words in which it fails.

The customer's key never leaves its service. We send 32 bytes to be wrapped and get them back unwrapped, for as long as the
customer lets us.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from evenhand.pure.trouble import Busy, Denied, Invalid, Missing, Upstream

Context = Mapping[str, str]
"""What a wrapped key is for: organisation, key, version. Authenticated with it, and not secret (services log it)."""

State = Literal["enabled", "disabled", "pending_deletion", "destroyed", "unavailable"]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as its service describes it. `versions`: those that still open, where the service says; else empty."""

    key_id: str
    state: State
    versions: tuple[int, ...] = ()
    gone_at: float | None = None
    """Seconds since 1970 at which a key with a waiting time is or was destroyed."""


class KeyService(Protocol):
    """Every call may raise KeyRevoked, KeyGone, KeyServiceDown or KeyServiceBusy."""

    async def wrap(self, key_id: str, plain: bytes, context: Context) -> bytes:
        """`plain` sealed under the newest version of the key, bound to `context`."""
        ...

    async def unwrap(self, key_id: str, wrapped: bytes, context: Context) -> bytes:
        """What was wrapped, by any version. Raises Altered where the bytes, the key or the context are others."""
        ...

    async def rotate(self, key_id: str) -> KeyInfo:
        """A new version for what is wrapped from now on; old ones go on opening."""
        ...

    async def destroy(self, key_id: str) -> KeyInfo:
        """Ends the key for good, at once or after the service's waiting time, in which it opens nothing either."""
        ...

    async def describe(self, key_id: str) -> KeyInfo: ...


class KeyRevoked(Denied):
    """The customer has disabled its key, or taken away our right to use it."""

    code = "key_revoked"
    hint = "Nothing is lost. Whoever runs the key service must enable the key and let Evenhand use it; then try again."

    def __init__(self, key_id: str, reason: str) -> None:
        super().__init__(f"The key '{key_id}' may not be used: {reason}.")


class KeyGone(Missing):
    """There is no such key, or no longer."""

    code = "key_gone"
    hint = "Check the key's name. If it was destroyed, what was sealed under it can't be read again by anybody."

    def __init__(self, key_id: str) -> None:
        super().__init__(f"The key '{key_id}' does not exist at its key service, or was destroyed.")


class KeyNotUsable(Invalid):
    """The key or the address is of a kind that cannot do what we need."""

    code = "key_not_usable"


class KeyServiceDown(Upstream):
    """No usable answer. The data is safe, and readable again once the service answers."""

    code = "key_service_down"
    hint = "Nothing is lost. Try again in a minute; if it stays so, look at the key service and the way to it."


class KeyServiceBusy(Busy):
    code = "key_service_busy"
    hint = "The key service asks us to wait. Try again shortly."


def canonical(context: Context) -> bytes:
    """One spelling of a context: JSON with sorted keys, without spaces."""
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
