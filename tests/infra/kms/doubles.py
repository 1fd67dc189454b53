"""Doubles of other vendors' key services: real HTTP servers that hold real keys, and check what they are asked as those do.

They are written from the vendors' documentation and share no code with what they check.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Refused(Exception):
    def __init__(self, status: int, content: dict[str, Any]) -> None:
        super().__init__(content)
        self.status, self.content = status, content


class Double:
    """What both have in common: a server, a log of requests, and a way to be out of order."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.broken: Callable[[], tuple[int, bytes]] | None = None
        self.url = ""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any] | None]:
        raise NotImplementedError


@contextmanager
def serving(double: Double, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            double.seen.append((self.command, self.path, headers, body))
            if double.broken is not None:
                status, data = double.broken()
            else:
                try:
                    status, content = double.answer(self.command, self.path, headers, body)
                except Refused as refused:
                    status, content = refused.status, refused.content
                data = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    double.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Aws(Double):
    """AWS KMS: Encrypt, Decrypt, DescribeKey, RotateKeyOnDemand, ScheduleKeyDeletion, behind Signature Version 4."""

    def __init__(self, access_key: str, secret_key: str, *, region: str, session_token: str | None = None) -> None:
        super().__init__()
        self.access_key, self.secret_key, self.region, self.session_token = (
            access_key,
            secret_key,
            region,
            session_token,
        )
        self.now = datetime.now(UTC)
        self.states: dict[str, str] = {}
        self.versions: dict[str, list[bytes]] = {}
        self.denied = False

    def make(self, key_id: str) -> None:
        self.states[key_id], self.versions[key_id] = "Enabled", [os.urandom(32)]

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any] | None]:
        self.check_signature(method, path, headers, body)
        assert headers["content-type"] == "application/x-amz-json-1.1"
        service, operation = headers["x-amz-target"].split(".")
        assert service == "TrentService"
        asked = json.loads(body)
        key_id = asked["KeyId"]
        if self.denied:
            raise Refused(400, {"__type": "AccessDeniedException", "Message": "not authorized to perform"})
        if key_id not in self.states:
            raise Refused(400, {"__type": "NotFoundException", "message": f"Key {key_id} does not exist"})
        return 200, getattr(self, operation)(key_id, asked)

    def check_signature(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """The steps of "Create a signed AWS API request", over what came in."""
        algorithm, _, rest = headers["authorization"].partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        access_key, day, region, service, ending = fields["Credential"].split("/")
        names = fields["SignedHeaders"].split(";")
        if access_key != self.access_key or headers.get("x-amz-security-token") != self.session_token:
            raise Refused(400, {"__type": "UnrecognizedClientException", "message": "The security token is invalid."})
        must = {"host", *(name for name in headers if name.startswith("x-amz-"))}
        sound = algorithm == "AWS4-HMAC-SHA256" and (region, service, ending) == (self.region, "kms", "aws4_request")
        sound = sound and must <= set(names) and names == sorted(names) and headers["x-amz-date"].startswith(day)
        canonical = method + "\n" + path + "\n\n"
        for name in names:
            canonical += name + ":" + headers[name].strip() + "\n"
        canonical += "\n" + ";".join(names) + "\n" + hashlib.sha256(body).hexdigest()
        to_sign = "AWS4-HMAC-SHA256\n" + headers["x-amz-date"] + "\n" + "/".join((day, region, service, ending))
        to_sign += "\n" + hashlib.sha256(canonical.encode()).hexdigest()
        key = b"AWS4" + self.secret_key.encode()
        for part in (day, self.region, "kms", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        if not sound or not hmac.compare_digest(expected, fields["Signature"]):
            raise Refused(400, {"__type": "InvalidSignatureException", "message": "The signature does not match."})
        sent = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs((sent - self.now).total_seconds()) > 300:
            raise Refused(400, {"__type": "InvalidSignatureException", "message": "Signature expired"})

    def usable(self, key_id: str) -> None:
        if self.states[key_id] == "Disabled":
            raise Refused(400, {"__type": "DisabledException", "message": f"{key_id} is disabled."})
        if self.states[key_id] != "Enabled":
            raise Refused(400, {"__type": "com.amazonaws.kms#KMSInvalidStateException", "message": "pending deletion"})

    @staticmethod
    def bound(asked: dict[str, Any]) -> bytes:
        return json.dumps(sorted(asked.get("EncryptionContext", {}).items())).encode()

    def Encrypt(self, key_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.usable(key_id)
        nonce, version = os.urandom(12), len(self.versions[key_id]) - 1
        plain = base64.b64decode(asked["Plaintext"], validate=True)
        assert len(plain) <= 4096
        sealed = AESGCM(self.versions[key_id][version]).encrypt(nonce, plain, self.bound(asked))
        blob = bytes([len(key_id)]) + key_id.encode() + bytes([version]) + nonce + sealed
        return {"CiphertextBlob": base64.b64encode(blob).decode(), "KeyId": key_id}

    def Decrypt(self, key_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.usable(key_id)
        blob = base64.b64decode(asked["CiphertextBlob"], validate=True)
        try:
            name, rest = blob[1 : 1 + blob[0]].decode(), blob[1 + blob[0] :]
            if name != key_id:
                raise Refused(400, {"__type": "IncorrectKeyException", "message": "another key"})
            plain = AESGCM(self.versions[key_id][rest[0]]).decrypt(rest[1:13], rest[13:], self.bound(asked))
        except (InvalidTag, IndexError, ValueError):
            raise Refused(400, {"__type": "InvalidCiphertextException"}) from None
        return {"Plaintext": base64.b64encode(plain).decode(), "KeyId": key_id}

    def DescribeKey(self, key_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"KeyId": key_id, "KeyState": self.states[key_id]}
        if self.states[key_id] == "PendingDeletion":
            found["DeletionDate"] = 1_800_000_000.5
        return {"KeyMetadata": found}

    def RotateKeyOnDemand(self, key_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.usable(key_id)
        self.versions[key_id].append(os.urandom(32))
        return {"KeyId": key_id}

    def ScheduleKeyDeletion(self, key_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        assert 7 <= asked["PendingWindowInDays"] <= 30
        if self.states[key_id] == "PendingDeletion":
            raise Refused(400, {"__type": "KMSInvalidStateException", "message": "is pending deletion."})
        self.states[key_id] = "PendingDeletion"
        return {"KeyId": key_id, "KeyState": "PendingDeletion", "DeletionDate": 1_800_000_000.5}


class Vault(Double):
    """Vault's Transit engine at `transit/`, behind a token. A `derived` key takes `context`, others `associated_data`."""

    def __init__(self, token: str, *, namespace: str | None = None) -> None:
        super().__init__()
        self.token, self.namespace = token, namespace
        self.keys: dict[str, dict[str, Any]] = {}
        self.sealed = False

    def make(self, name: str, *, derived: bool = False) -> None:
        self.keys[name] = {
            "keys": [os.urandom(32)], "derived": derived, "deletion_allowed": False, "min_decryption_version": 1,
        }  # fmt: skip

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any] | None]:
        if self.sealed:
            raise Refused(503, {"errors": ["Vault is sealed"]})
        if headers.get("x-vault-token") != self.token or headers.get("x-vault-namespace") != self.namespace:
            raise Refused(403, {"errors": ["permission denied"]})
        parts = urlsplit(path).path.split("/")
        assert parts[1:3] == ["v1", "transit"]
        asked = json.loads(body) if body else {}
        match method, parts[3:]:
            case "POST", ["encrypt", name]:
                return 200, {"data": self.encrypt(self.key(name, "encryption key not found"), asked)}
            case "POST", ["decrypt", name]:
                return 200, {"data": self.decrypt(self.key(name, "encryption key not found"), asked)}
            case "GET", ["keys", name]:
                if name not in self.keys:
                    raise Refused(404, {"errors": []})
                key = self.keys[name]
                versions = {str(n): 1_700_000_000 + n for n in range(1, len(key["keys"]) + 1)}
                shown = {**key, "keys": versions, "latest_version": len(versions), "supports_encryption": True}
                return 200, {"data": shown}
            case "POST", ["keys", name, "rotate"]:
                self.key(name, "key not found")["keys"].append(os.urandom(32))
                return 204, None
            case "POST", ["keys", name, "config"]:
                self.key(name, f"no existing key named {name} could be found").update(asked)
                return 204, None
            case "DELETE", ["keys", name]:
                if not self.key(name, "could not delete key; not found")["deletion_allowed"]:
                    raise Refused(400, {"errors": ["deletion is not allowed for this key"]})
                del self.keys[name]
                return 204, None
            case _:
                raise Refused(404, {"errors": ["no handler for route"]})

    def key(self, name: str, words: str) -> dict[str, Any]:
        if name not in self.keys:
            raise Refused(400, {"errors": [words]})
        return self.keys[name]

    @staticmethod
    def cipher(key: dict[str, Any], version: int, asked: dict[str, Any]) -> tuple[AESGCM, bytes]:
        """The cipher and the AAD: a derived key uses its context and nothing else, others their associated data."""
        material = key["keys"][version - 1]
        if key["derived"]:
            if not asked.get("context"):
                raise Refused(400, {"errors": ["missing 'context' for key derivation"]})
            context = base64.b64decode(asked["context"], validate=True)
            return AESGCM(hmac.new(material, context, hashlib.sha256).digest()), b""
        return AESGCM(material), base64.b64decode(asked.get("associated_data", ""), validate=True)

    def encrypt(self, key: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        version = len(key["keys"])
        cipher, aad = self.cipher(key, version, asked)
        nonce = os.urandom(12)
        sealed = nonce + cipher.encrypt(nonce, base64.b64decode(asked["plaintext"], validate=True), aad)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}", "key_version": version}

    def decrypt(self, key: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        try:
            vault, word, text = asked["ciphertext"].split(":")
            version, sealed = int(word.removeprefix("v")), base64.b64decode(text, validate=True)
            assert vault == "vault" and 1 <= version <= len(key["keys"])
        except (ValueError, binascii.Error, AssertionError):
            raise Refused(400, {"errors": ["invalid ciphertext: no prefix"]}) from None
        if version < key["min_decryption_version"]:
            raise Refused(400, {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]})
        cipher, aad = self.cipher(key, version, asked)
        try:
            return {"plaintext": base64.b64encode(cipher.decrypt(sealed[:12], sealed[12:], aad)).decode()}
        except InvalidTag:
            raise Refused(400, {"errors": ["cipher: message authentication failed"]}) from None
