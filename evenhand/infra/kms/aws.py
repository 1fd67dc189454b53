"""AWS KMS, by its JSON protocol. What we need: kms:Encrypt, Decrypt, DescribeKey; for the rest also RotateKeyOnDemand and
ScheduleKeyDeletion. The encryption context shows in the customer's CloudTrail beside every use.
"""

import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
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
    State,
)
from evenhand.infra.kms.sigv4 import Credentials, sign
from evenhand.infra.kms.wire import Reply, ask, check_endpoint
from evenhand.pure.trouble import Trouble

WAITING_DAYS = 7  # the shortest that AWS allows
_STATES: dict[str, State] = {
    "Enabled": "enabled", "Disabled": "disabled", "PendingDeletion": "pending_deletion",
    "PendingReplicaDeletion": "pending_deletion", "Updating": "enabled",
}  # fmt: skip
_REVOKED = {
    "AccessDeniedException": "AWS denies us access to it",
    "DisabledException": "it is disabled",
    "KMSInvalidStateException": "it is disabled or waiting to be deleted",
    "InvalidGrantTokenException": "our grant has ended",
    "UnrecognizedClientException": "AWS does not know our access key",
    "InvalidClientTokenId": "AWS does not know our access key",
    "InvalidSignatureException": "AWS refuses our signature; check the secret key and this machine's clock",
    "SignatureDoesNotMatch": "AWS refuses our signature; check the secret key",
    "RequestExpired": "our request looked too old; check this machine's clock",
    "ExpiredTokenException": "our credentials have expired",
    "MissingAuthenticationToken": "AWS misses our credentials",
}
_BUSY = ("ThrottlingException", "LimitExceededException", "TooManyRequestsException", "RequestLimitExceeded")
_ALTERED = ("InvalidCiphertextException", "IncorrectKeyException")
_RETRY_AFTER_S = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


class AwsKeys:
    """KeyService over AWS KMS. A key id is an ARN, a key's id or an alias. `endpoint`, `trust`: for a private endpoint."""

    def __init__(
        self,
        region: str,
        credentials: Credentials,
        *,
        endpoint: str | None = None,
        clock: Callable[[], datetime] = _now,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._trust = trust
        self._region = region
        self._credentials = credentials
        self._url = check_endpoint(endpoint or f"https://kms.{region}.amazonaws.com") + "/"
        self._clock = clock

    def __repr__(self) -> str:
        return f"AwsKeys({self._region!r}, {self._credentials!r})"

    async def wrap(self, key_id: str, plain: bytes, context: Context) -> bytes:
        asked = {"Plaintext": b64encode(plain).decode(), "EncryptionContext": dict(context)}
        return _bytes(await self._call("Encrypt", key_id, asked), "CiphertextBlob")

    async def unwrap(self, key_id: str, wrapped: bytes, context: Context) -> bytes:
        asked = {"CiphertextBlob": b64encode(wrapped).decode(), "EncryptionContext": dict(context)}
        return _bytes(await self._call("Decrypt", key_id, asked), "Plaintext")

    async def rotate(self, key_id: str) -> KeyInfo:
        await self._call("RotateKeyOnDemand", key_id)
        return await self.describe(key_id)

    async def destroy(self, key_id: str) -> KeyInfo:
        """AWS keeps the key disabled for seven days, in which the customer can still cancel, and then deletes it."""
        found = await self.describe(key_id)
        if found.state == "pending_deletion":
            return found
        reply = await self._call("ScheduleKeyDeletion", key_id, {"PendingWindowInDays": WAITING_DAYS})
        return KeyInfo(key_id, "pending_deletion", gone_at=_time(reply.get("DeletionDate")))

    async def describe(self, key_id: str) -> KeyInfo:
        found: Any = (await self._call("DescribeKey", key_id)).get("KeyMetadata")
        if not isinstance(found, dict):
            raise KeyServiceDown("AWS KMS answered without the key's description.")
        return KeyInfo(
            key_id, _STATES.get(str(found.get("KeyState")), "unavailable"), gone_at=_time(found.get("DeletionDate"))
        )

    async def _call(self, operation: str, key_id: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps({"KeyId": key_id, **(asked or {})}).encode()
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"TrentService.{operation}"}
        signed = sign(
            "POST", self._url, headers, body,
            credentials=self._credentials, region=self._region, service="kms", now=self._clock(),
        )  # fmt: skip
        reply = await ask("POST", self._url, signed, body, self._trust)
        if reply.status != 200:
            raise _trouble(reply, key_id)
        return reply.content


def _trouble(reply: Reply, key_id: str) -> Trouble:
    """AWS's name for what went wrong, as one of our kinds. Its own words may quote the request, and are left out."""
    kind = str(reply.content.get("__type", "")).rpartition("#")[2].partition(":")[0]
    if kind in _REVOKED:
        return KeyRevoked(key_id, _REVOKED[kind])
    if kind in _ALTERED:
        return Altered("This wrapped key")
    if kind == "NotFoundException":
        return KeyGone(key_id)
    if kind in _BUSY or reply.status == 429:
        return KeyServiceBusy("AWS KMS has too much to do for us right now.", retry_after_s=_RETRY_AFTER_S)
    if reply.status >= 500 or kind in ("KeyUnavailableException", "DependencyTimeoutException"):
        return KeyServiceDown(f"AWS KMS failed ({kind or reply.status}).")
    if reply.status in (401, 403):
        return KeyRevoked(key_id, f"AWS refuses us ({kind or reply.status})")
    return KeyNotUsable(
        f"AWS KMS refuses the key '{key_id}' ({kind or reply.status}).",
        hint="It must be a symmetric key for encryption, in the region that was given.",
    )


def _bytes(content: dict[str, Any], name: str) -> bytes:
    try:
        return b64decode(content[name], validate=True)
    except (KeyError, TypeError, ValueError):
        raise KeyServiceDown(f"AWS KMS answered without {name}.") from None


def _time(given: Any) -> float | None:
    return float(given) if isinstance(given, int | float) else None
