"""An OpenID provider after the specification: a real HTTP server with real keys that checks what it is asked (client, redirect,
PKCE) and signs properly; and a liar where a test says so. It shares no code with what it tests."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@dataclass
class Key:
    """A signing key of one algorithm, and its public half as a JWK."""

    alg: str
    kid: str = field(default_factory=lambda: secrets.token_hex(4))
    bits: int = 2048

    def __post_init__(self) -> None:
        if self.alg == "RS256":
            self._rsa = rsa.generate_private_key(65537, self.bits)
        elif self.alg == "ES256":
            self._ec = ec.generate_private_key(ec.SECP256R1())
        else:
            self._ed = ed25519.Ed25519PrivateKey.generate()

    def jwk(self) -> dict[str, str]:
        common = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg == "RS256":
            public = self._rsa.public_key().public_numbers()
            return {**common, "kty": "RSA", "n": number(public.n), "e": number(public.e)}
        if self.alg == "ES256":
            point = self._ec.public_key().public_numbers()
            return {**common, "kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}
        return {**common, "kty": "OKP", "crv": "Ed25519", "x": b64(self._ed.public_key().public_bytes_raw())}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        head = {"alg": self.alg, "kid": self.kid, "typ": "JWT", **header}
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
        if self.alg == "RS256":
            signature = self._rsa.sign(text.encode(), padding.PKCS1v15(), SHA256())
        elif self.alg == "ES256":
            r, s = decode_dss_signature(self._ec.sign(text.encode(), ec.ECDSA(SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        else:
            signature = self._ed.sign(text.encode())
        return f"{text}.{b64(signature)}"


Bend = Callable[[dict[str, Any]], str]


@dataclass
class Provider:
    """One issuer with one client. `bend`: makes the token instead, from the honest claims."""

    url: str = ""
    client_id: str = "evenhand"
    client_secret: str = "a secret/with:odd characters"
    key: Key = field(default_factory=lambda: Key("RS256"))
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "s-1", "email": "kim@acme.example", "name": "Kim"})
    tells_issuer: bool = True
    bend: Bend | None = None
    document: dict[str, Any] = field(default_factory=dict[str, Any])  # what the discovery document says instead
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    exchanges: int = 0

    @property
    def issuer(self) -> str:
        return f"{self.url}/acme"

    def sign_in(self, url: str) -> str:
        """What the provider does with a browser that comes to `url` once its person has signed in: where it sends it."""
        assert url.startswith(f"{self.issuer}/authorize?")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code" and asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], **({"iss": self.issuer} if self.tells_issuer else {})}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def claims(self, asked: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer, "aud": self.client_id, "exp": now + 300, "iat": now, "nonce": asked["nonce"],
            "auth_time": now, **self.person,
        }  # fmt: skip

    def exchange(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        self.exchanges += 1
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        kind, _, given = headers.get("authorization", "").partition(" ")
        client, _, secret = base64.b64decode(given).decode().partition(":")
        if kind != "Basic" or (unquote(client), unquote(secret)) != (self.client_id, self.client_secret):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)
        challenge = b64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        claims = self.claims(asked)
        token = self.bend(claims) if self.bend is not None else self.key.sign(claims)
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def logout_token(self, key: Key | None = None, typ: str = "logout+jwt", **changed: Any) -> str:
        """What it sends when its person signs out: their `sub`, and `sid` where a session has one. None takes a claim away."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sub": self.person["sub"],
            **({"sid": self.person["sid"]} if "sid" in self.person else {}), **changed,
        }  # fmt: skip
        return (key or self.key).sign({name: value for name, value in claims.items() if value is not None}, typ=typ)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if method == "POST" and path == "/acme/token":
            return self.exchange(headers, body)
        if path == "/acme/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
                "authorization_response_iss_parameter_supported": self.tells_issuer, **self.document,
            }  # fmt: skip
        return (200, {"keys": [self.key.jwk()]}) if path == "/acme/keys" else (404, {})


@contextmanager
def serving(made: Provider) -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = made.answer(self.command, self.path, headers, self.rfile.read(size))
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _reply

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
