"""How a receiver knows that we sent it."""

import hmac


def signature(secret: str, body: bytes, at_s: int) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over "<seconds>.<body>". The time stamp stops replays."""
    mac = hmac.digest(secret.encode(), f"{at_s}.".encode() + body, "sha256").hex()
    return f"t={at_s},v1={mac}"
