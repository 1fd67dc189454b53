"""What an OpenID Connect provider says (OpenID Connect Core 1.0, Discovery 1.0, Back-Channel Logout 1.0, RFC 7636, RFC 9207),
checked without reaching anywhere: the document it describes itself by, the signature and the claims of an ID token or a logout
token."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import jwt
from jwt import PyJWK, PyJWS

from evenhand.pure.trouble import Denied, Invalid

#: algorithm -> (kty, crv) of the keys that it is used with. Nothing symmetric is here, and nothing that signs nothing.
ALGORITHMS: dict[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
SKEW_S = 90  #: by how much the two clocks may differ
TOKEN_MOST = 20_000
KEYS_MOST = 50
_RSA_BITS = 2048
#: how old a logout token may be: whoever has one can end sessions by it, and a provider sends it at once
LOGOUT_FRESH_S = 300
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_TYPE = "logout+jwt"
_PLAIN_TYPES = (
    "",
    "jwt",
)  # what many providers still call a logout token: the specification only recommends the other name
SCOPES = "openid email profile"


class BadProvider(Invalid):
    hint = "Compare the issuer's address with what your provider's documentation says."


class BadToken(Denied):
    code = "signin"
    hint = "Sign in again. If it happens again, tell the owner of your organisation."


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked. `tells_issuer`: it names itself in its answers (RFC 9207), so one without a name is refused."""

    issuer: str
    authorize: str
    token: str
    keys: str
    secret_in_body: bool
    tells_issuer: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """Who the provider says has signed in."""

    subject: str
    email: str
    email_verified: bool | None
    name: str
    sid: str = ""  # what the provider calls its own session


@dataclass(frozen=True, slots=True)
class Logout:
    """Whose sessions the provider has ended: all of a subject's, or the one that it calls `sid`. `token_id`: to be taken once."""

    subject: str
    sid: str
    token_id: str


def discovery_url(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def usable_url(url: str, *, plain_allowed: bool) -> bool:
    """Whether an address may be part of a sign-in: https, without a user name or a fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    schemes = ("https", "http") if plain_allowed else ("https",)
    return parts.scheme in schemes and bool(parts.hostname) and not parts.username and not parts.fragment


def read_discovery(document: Any, issuer: str, *, plain_allowed: bool) -> Endpoints:
    """Raises BadProvider where the document is of another issuer or leads to an address that can't be used."""
    if not isinstance(document, dict):
        raise BadProvider("The provider's document is no JSON object.")
    found = cast("dict[str, Any]", document)
    if found.get("issuer") != issuer:
        raise BadProvider(f"The provider calls itself '{str(found.get('issuer'))[:200]}' and not '{issuer}'.")
    urls: list[str] = []
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        url = found.get(name)
        if not isinstance(url, str) or not usable_url(url, plain_allowed=plain_allowed):
            raise BadProvider(f"The provider's document has no usable `{name}`.")
        urls.append(url)
    methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    in_body = "client_secret_basic" not in methods and "client_secret_post" in methods
    tells = found.get("authorization_response_iss_parameter_supported") is True
    return Endpoints(issuer, urls[0], urls[1], urls[2], in_body, tells)


def challenge_of(verifier: str) -> str:
    """PKCE, S256 (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def authorize_url(
    at: Endpoints, *, client_id: str, redirect: str, state: str, nonce: str, verifier: str, again: bool
) -> str:
    """Where the browser goes. `again`: the provider must ask who it is, however recently it has."""
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect,
        "scope": SCOPES,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    if again:
        asked |= {"prompt": "login", "max_age": "0"}
    return f"{at.authorize}{'&' if '?' in at.authorize else '?'}{urlencode(asked)}"


def check_id_token(
    token: Any, keys: Any, *, issuer: str, client_id: str, nonce: str, now_s: float, fresh_s: int | None = None
) -> Claims:
    """Raises BadToken. keys: the provider's JWKS. fresh_s: how long ago the person may have signed in at the provider."""
    claims = _signed(token, keys)
    audiences = _meant_for(claims, issuer, client_id)
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise BadToken("The ID token was given to somebody else.")
    _in_time(claims, now_s)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise BadToken("The ID token answers another question.")
    if fresh_s is not None and _time(claims, "auth_time") < now_s - fresh_s - SKEW_S:
        raise BadToken("The provider did not ask again who it is.")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise BadToken("The ID token names nobody.")
    verified = claims.get("email_verified")
    return Claims(
        subject,
        str(claims.get("email") or ""),
        verified if isinstance(verified, bool) else None,
        str(claims.get("name") or "")[:200],
        _short(claims.get("sid")),
    )


def check_logout_token(token: Any, keys: Any, *, issuer: str, client_id: str, now_s: float) -> Logout:
    """Raises BadToken. It must tell of a logout and must not have a nonce, so no token of a sign-in passes for one."""
    claims = _signed(token, keys, kinds=(_LOGOUT_TYPE, *_PLAIN_TYPES))
    _meant_for(claims, issuer, client_id)
    _in_time(claims, now_s)
    if _time(claims, "iat") < now_s - LOGOUT_FRESH_S - SKEW_S:
        raise BadToken("The logout token is old.")
    if "nonce" in claims:
        raise BadToken("The token belongs to a sign-in.")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(cast("dict[str, Any]", events).get(_LOGOUT_EVENT), dict):
        raise BadToken("The token tells of something else than a logout.")
    found = Logout(_short(claims.get("sub")), _short(claims.get("sid")), _short(claims.get("jti")))
    if not found.token_id:
        raise BadToken("The logout token has no `jti`.")
    if not found.subject and not found.sid:
        raise BadToken("The logout token names nobody.")
    return found


def _short(found: Any) -> str:
    """A name of the provider's, "" for what is none."""
    return found if isinstance(found, str) and len(found) <= 255 else ""


def _meant_for(claims: dict[str, Any], issuer: str, client_id: str) -> list[Any]:
    """The audiences, of which we are one."""
    if claims.get("iss") != issuer:
        raise BadToken("The token comes from another issuer.")
    audience = claims.get("aud")
    audiences: list[Any] = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise BadToken("The token is meant for somebody else.")
    return audiences


def _in_time(claims: dict[str, Any], now_s: float) -> None:
    if not _time(claims, "exp") > now_s - SKEW_S:
        raise BadToken("The token has expired.")
    if _time(claims, "iat") > now_s + SKEW_S or ("nbf" in claims and _time(claims, "nbf") > now_s + SKEW_S):
        raise BadToken("The token is from the future; the two clocks differ.")


def _time(claims: dict[str, Any], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise BadToken(f"The token has no `{name}`.")
    return float(found)


def _signed(token: Any, keys: Any, *, kinds: tuple[str, ...] = ()) -> dict[str, Any]:
    """The claims of a token that one of the provider's keys has signed, by the algorithm that the key is for. kinds: what the token
    may call itself; without them, all but a logout token."""
    if not isinstance(token, str) or not token or len(token) > TOKEN_MOST:
        raise BadToken("There is no token.")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as err:
        raise BadToken("The token can't be read.") from err
    called = str(header.get("typ", "")).lower().removeprefix("application/")
    if (called not in kinds) if kinds else (called == _LOGOUT_TYPE):
        raise BadToken("The token is of another kind.")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise BadToken("The token is signed in a way that is not taken.")
    for key in _candidates(keys, algorithm, header.get("kid")):
        try:
            payload: bytes = PyJWS().decode(token, key.key, algorithms=[algorithm])
            return _object(payload)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    raise BadToken("The token is not signed by its provider.")


def _object(payload: bytes) -> dict[str, Any]:
    found = json.loads(payload)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return cast("dict[str, Any]", found)


def _candidates(keys: Any, algorithm: str, kid: Any) -> list[PyJWK]:
    """The keys that may have signed: of the algorithm's kind, for signatures, and with the name that the token gives."""
    kind, curve = ALGORITHMS[algorithm]
    listed: Any = cast("dict[str, Any]", keys).get("keys") if isinstance(keys, dict) else None
    out: list[PyJWK] = []
    for one in cast("list[Any]", listed)[:KEYS_MOST] if isinstance(listed, list) else []:
        if not isinstance(one, dict):
            continue
        key = cast("dict[str, Any]", one)
        fits = key.get("kty") == kind and (curve is None or key.get("crv") == curve)
        if not fits or key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
            continue
        if kid is not None and key.get("kid") != kid:
            continue
        try:
            made = PyJWK(key, algorithm=algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if kind == "RSA" and made.key.key_size < _RSA_BITS:
            continue
        out.append(made)
    return out
