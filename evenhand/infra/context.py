"""The signed context: who asks, for one transaction on one connection. PostgreSQL checks it inside every policy."""

import hmac
import time

LIFE_S = 60
_BLOCK = 64


def pads(secret: bytes) -> tuple[bytes, bytes]:
    """The inner and outer pads of HMAC-SHA256 (RFC 2104) that the database keeps instead of the key."""
    block = secret.ljust(_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def mint(secret: bytes, org_id: str, actor_id: str, backend_pid: int, now_s: float | None = None) -> str:
    """ "org.actor.pid.expiry.mac": bound to a backend and to the next minute."""
    expiry = int(time.time() if now_s is None else now_s) + LIFE_S
    payload = f"{org_id}.{actor_id}.{backend_pid}.{expiry}"
    return f"{payload}.{hmac.digest(secret, payload.encode(), 'sha256').hex()}"
