"""An authenticator in software, after the specification (WebAuthn level 3, sections 6 and 7) and not after our own code: an
ES256 key, discoverable, with user verification. Each liar is one of its switches."""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def raw(given: str) -> bytes:
    return urlsafe_b64decode(given + "=" * (-len(given) % 4))


def _cbor(value: Any) -> bytes:
    """As much of CBOR (RFC 8949) as an attestation needs."""

    def head(kind: int, size: int) -> bytes:
        if size < 24:
            return bytes([kind << 5 | size])
        return bytes([kind << 5 | 24, size]) if size < 256 else bytes([kind << 5 | 25]) + struct.pack(">H", size)

    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(5, len(value)) + b"".join(_cbor(k) + _cbor(v) for k, v in value.items())


@dataclass
class Authenticator:
    """One passkey."""

    origin: str = "http://localhost:8080"
    host: str | None = None  # the name that it claims to be made for; else the one of the options
    verifies: bool = True
    counts: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: os.urandom(32))
    user: bytes = b""
    count: int = 0

    def _data(self, host: str, more: bytes = b"") -> bytes:
        if self.counts:
            self.count += 1
        flags = PRESENT | (VERIFIED if self.verifies else 0) | (ATTESTED if more else 0)
        return hashlib.sha256((self.host or host).encode()).digest() + struct.pack(">BI", flags, self.count) + more

    def _told(self, kind: str, options: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _reply(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response,
            "clientExtensionResults": {}, "authenticatorAttachment": "platform",
        }  # fmt: skip

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to `navigator.credentials.create`."""
        asked = options["publicKey"]
        self.user = raw(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        made = bytes(16) + struct.pack(">H", len(self.id)) + self.id + _cbor(cose)
        attestation = _cbor({"fmt": "none", "attStmt": {}, "authData": self._data(asked["rp"]["id"], made)})
        told = self._told("webauthn.create", asked)
        return self._reply({"clientDataJSON": text(told), "attestationObject": text(attestation)})

    def get(self, options: dict[str, Any], kind: str = "webauthn.get") -> dict[str, Any]:
        """The answer to `navigator.credentials.get`."""
        asked = options["publicKey"]
        told, data = self._told(kind, asked), self._data(asked["rpId"])
        signature = self.key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(SHA256()))
        return self._reply(
            {
                "clientDataJSON": text(told), "authenticatorData": text(data), "signature": text(signature),
                "userHandle": text(self.user),
            }
        )  # fmt: skip


async def add_passkey(browser: Any, made: Authenticator | None = None, name: str = "My key") -> Authenticator:
    """Makes a passkey for whoever sits in front of the browser."""
    made = made or Authenticator()
    begun = (await browser.post("/me/passkeys")).json()
    credential = made.create(begun["options"])
    reply = await browser.post(
        "/me/passkeys/confirm", {"token": begun["token"], "credential": credential, "name": name}
    )
    assert reply.status_code == 200, reply.text
    if reply.json()["session"] is not None:
        browser.csrf = reply.json()["session"]["csrf"]
    return made
