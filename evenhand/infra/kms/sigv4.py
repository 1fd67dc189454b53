"""AWS Signature Version 4: what proves to AWS who asks, without sending the secret.

Written from "Create a signed AWS API request" of the IAM user guide. Paths must be normalised and come encoded once, which
is right for every service but S3.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    access_key: str
    secret_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key!r}, secret not shown)"


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """`headers` and those that have to go with them: Host, X-Amz-Date, the session token, Authorization."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    signed |= {"host": urlsplit(url).netloc, "x-amz-date": stamp}
    if credentials.session_token is not None:
        signed["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(signed))
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    hashed = sha256(_canonical(method, url, signed, names, body).encode()).hexdigest()
    text = "\n".join((ALGORITHM, stamp, scope, hashed))
    key = signing_key(credentials.secret_key, stamp[:8], region, service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return {**signed, "authorization": authorization}


def signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    """The key of one day (YYYYMMDD), region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical(method: str, url: str, signed: Mapping[str, str], names: str, body: bytes) -> str:
    parts = urlsplit(url)
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return "\n".join((
        method,
        quote(parts.path or "/", safe="/-_.~"),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{signed[name]}" for name in sorted(signed)),
        "",
        names,
        sha256(body).hexdigest(),
    ))  # fmt: skip
