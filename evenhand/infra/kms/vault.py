"""HashiCorp Vault (or OpenBao) with the Transit engine. The key must be `aes256-gcm96`. The policy that we need:

path "transit/encrypt/NAME" and "transit/decrypt/NAME": update (not create: encrypting would then make a missing key);
path "transit/keys/NAME": read; for the rest also update on "transit/keys/NAME/rotate" and ".../config", and delete.
"""

import json
import re
import ssl
from base64 import b64decode, b64encode
from typing import Any

from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.kms.port import (
    Context,
    KeyGone,
    KeyInfo,
    KeyNotUsable,
    KeyRevoked,
    KeyServiceBusy,
    KeyServiceDown,
    canonical,
)
from evenhand.infra.kms.wire import Reply, ask, check_endpoint
from evenhand.pure.trouble import Trouble

_NAME = re.compile(r"[\w.-]{1,128}", re.ASCII)
_MOUNT = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_SEALED = "vault:v"
_RETRY_AFTER_S = 5.0


class VaultKeys:
    """KeyService over Vault Transit. `mount`: where the engine is; `namespace`: of Vault Enterprise, where there is one;
    `trust`: the authority of its certificate, where that is a private one."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        mount: str = "transit",
        namespace: str | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._trust = trust
        if not _MOUNT.fullmatch(mount):
            raise KeyNotUsable(f"'{mount[:80]}' is no path of a secrets engine.", hint="The usual one is 'transit'.")
        self._url = f"{check_endpoint(address)}/v1/{mount}"
        self._headers = {"x-vault-token": token, "x-vault-request": "true", "content-type": "application/json"}
        if namespace is not None:
            self._headers["x-vault-namespace"] = namespace

    def __repr__(self) -> str:
        return f"VaultKeys({self._url!r}, token not shown)"

    async def wrap(self, key_id: str, plain: bytes, context: Context) -> bytes:
        asked = {"plaintext": b64encode(plain).decode(), **_bound(context)}
        sealed = (await self._call("POST", "encrypt", key_id, asked)).get("ciphertext")
        if not isinstance(sealed, str) or not sealed.startswith(_SEALED):
            raise KeyServiceDown("Vault answered without a ciphertext.")
        return sealed.encode()

    async def unwrap(self, key_id: str, wrapped: bytes, context: Context) -> bytes:
        asked = {"ciphertext": wrapped.decode("ascii", "replace"), **_bound(context)}
        plain = (await self._call("POST", "decrypt", key_id, asked)).get("plaintext")
        try:
            return b64decode(plain or "", validate=True)
        except (TypeError, ValueError):
            raise KeyServiceDown("Vault answered without a plaintext.") from None

    async def rotate(self, key_id: str) -> KeyInfo:
        await self._call("POST", "keys", key_id, {}, "/rotate")
        return await self.describe(key_id)

    async def destroy(self, key_id: str) -> KeyInfo:
        """At once. Vault deletes a key only after it was told that it may."""
        await self._call("POST", "keys", key_id, {"deletion_allowed": True}, "/config")
        await self._call("DELETE", "keys", key_id)
        return KeyInfo(key_id, "destroyed")

    async def describe(self, key_id: str) -> KeyInfo:
        found = await self._call("GET", "keys", key_id)
        versions: Any = found.get("keys")
        if not isinstance(versions, dict):
            raise KeyServiceDown("Vault answered without the key's versions.")
        if not found.get("supports_encryption", False):
            raise KeyNotUsable(f"The key '{key_id}' cannot encrypt.", hint="Make one of the type aes256-gcm96.")
        oldest = int(found.get("min_decryption_version", 1))
        return KeyInfo(key_id, "enabled", tuple(sorted(v for v in map(int, versions) if v >= oldest)))

    async def _call(
        self, method: str, what: str, key_id: str, asked: dict[str, Any] | None = None, more: str = ""
    ) -> dict[str, Any]:
        if not _NAME.fullmatch(key_id) or set(key_id) == {"."}:
            raise KeyNotUsable(f"'{key_id[:80]}' is no name of a key in Vault.", hint="Letters, digits, '-', '_', '.'.")
        content = json.dumps(asked).encode() if asked is not None else None
        reply = await ask(method, f"{self._url}/{what}/{key_id}{more}", self._headers, content, self._trust)
        if reply.status not in (200, 204):
            raise _trouble(reply, key_id, what)
        data: Any = reply.content.get("data")
        return data if isinstance(data, dict) else {}


def _bound(context: Context) -> dict[str, str]:
    """Both, since a key with derivation takes `context`, and any other `associated_data`."""
    text = b64encode(canonical(context)).decode()
    return {"context": text, "associated_data": text}


def _trouble(reply: Reply, key_id: str, what: str) -> Trouble:
    """Vault tells most things apart in words only, and its words may quote the request, so they are not passed on."""
    said: Any = reply.content.get("errors")
    words = " ".join(str(word) for word in said).lower() if isinstance(said, list) else ""
    if reply.status == 403:
        return KeyRevoked(key_id, "Vault denies it to our token, or the token has ended")
    if reply.status == 404 or "key not found" in words or "policy not found" in words or "no existing key" in words:
        return KeyGone(key_id)
    if "disallowed by policy" in words:  # the version is older than min_decryption_version
        return KeyRevoked(key_id, "Vault no longer opens the version under which this was wrapped")
    if reply.status == 429:
        return KeyServiceBusy("Vault has too much to do for us right now.", retry_after_s=_RETRY_AFTER_S)
    if reply.status >= 470:  # 472, 473: a standby that does not serve; 503: sealed
        return KeyServiceDown("Vault is sealed." if reply.status == 503 else f"Vault failed ({reply.status}).")
    if what == "decrypt" and reply.status == 400:
        return Altered("This wrapped key")
    return KeyNotUsable(
        f"Vault refuses the key '{key_id}' ({reply.status}).", hint="Make one of the type aes256-gcm96."
    )
