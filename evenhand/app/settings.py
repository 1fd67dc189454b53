"""What the environment says: where the home is, which port, which address people use."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from evenhand.infra.envelope import LIFE_S
from evenhand.infra.home import Home, port_from_environment
from evenhand.pure.trouble import Invalid

KEY_LIFE_LEAST_S = 5.0
#: hours after which a session that nobody uses ends
IDLE_H, IDLE_LEAST_H, IDLE_MOST_H = 12.0, 0.25, 720.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class UnsafeUrl(Invalid):
    hint = "Use https, or http://localhost:PORT on this machine."


@dataclass(frozen=True, slots=True)
class Settings:
    home: Home
    port: int
    public_url: str  # no slash at the end
    host: str = "127.0.0.1"
    tls_cert: str = ""
    tls_key: str = ""
    smtp_url: str = ""
    mail_from: str = ""
    key_life_s: float = LIFE_S
    requests_per_s: float = 200.0  # of one organisation, for each HTTP process; 0: as many as come
    storage_bytes: int = 10**12  # of the files of one space; 0: as many as the disk takes
    session_idle_s: float = IDLE_H * 3600
    trusted_proxies: str = ""  # addresses and networks whose X-Forwarded-For is believed, with commas

    @property
    def loopback(self) -> bool:
        """Nobody but this machine reaches it: a demo may sign in with passwords alone."""
        return self.public_host in _LOOPBACK and self.host in _LOOPBACK

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_url).hostname or "localhost"

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def media_url(self) -> str:
        """Where media is shown from: another host name than the pages', so that nothing in a file reaches a session.
        "" means the same host (the operator has given no other)."""
        given = os.environ.get("EVENHAND_MEDIA_URL", "").rstrip("/")
        if given:
            return given
        if not self.secure and self.public_host == "localhost":
            return f"http://127.0.0.1:{urlsplit(self.public_url).port or 80}"
        return ""

    @property
    def cookie(self) -> str:
        # Chromium sends a __Host- cookie of loopback http to every port, so there the port is in the name.
        return "__Host-evenhand" if self.secure else f"evenhand_{self.port}"


def _key_life(given: str) -> float:
    """Seconds for which what a key service opened stays in memory: from 5 to 300."""
    if not given:
        return LIFE_S
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not KEY_LIFE_LEAST_S <= seconds <= LIFE_S:
        raise Invalid(f"EVENHAND_KEY_LIFE must be {KEY_LIFE_LEAST_S:.0f} to {LIFE_S:.0f} seconds, not '{given[:20]}'.")
    return seconds


def _idle(given: str) -> float:
    """Seconds without use after which a session ends: from a quarter of an hour to thirty days."""
    try:
        hours = float(given) if given else IDLE_H
    except ValueError:
        hours = 0.0
    if not IDLE_LEAST_H <= hours <= IDLE_MOST_H:
        raise Invalid(f"EVENHAND_SESSION_IDLE_HOURS must be {IDLE_LEAST_H} to {IDLE_MOST_H:.0f}, not '{given[:20]}'.")
    return hours * 3600


def _amount(env: Mapping[str, str], name: str, usual: float) -> float:
    """A number of 0 or more."""
    given = env.get(name, "")
    try:
        found = float(given) if given else usual
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e9:
        raise Invalid(f"{name} must be a number, 0 for no limit, not '{given[:20]}'.")
    return found


def settings_from_environment(env: Mapping[str, str] | None = None) -> Settings:
    env = os.environ if env is None else env
    port = port_from_environment(env)
    public = env.get("EVENHAND_PUBLIC_URL", "").rstrip("/") or f"http://localhost:{port}"
    parts = urlsplit(public)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise UnsafeUrl(f"EVENHAND_PUBLIC_URL must be an address such as https://label.example.org, not '{public}'.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UnsafeUrl(
            f"EVENHAND_PUBLIC_URL is plain http to '{parts.hostname}': passwords would travel in the clear."
        )
    return Settings(
        Home.from_environment(env),
        port,
        public,
        env.get("EVENHAND_HOST", "") or "127.0.0.1",
        env.get("EVENHAND_TLS_CERT", ""),
        env.get("EVENHAND_TLS_KEY", ""),
        env.get("EVENHAND_SMTP_URL", ""),
        env.get("EVENHAND_MAIL_FROM", ""),
        _key_life(env.get("EVENHAND_KEY_LIFE", "")),
        _amount(env, "EVENHAND_REQUESTS_PER_SECOND", 200),
        int(_amount(env, "EVENHAND_STORAGE_GB", 1000) * 10**9),
        _idle(env.get("EVENHAND_SESSION_IDLE_HOURS", "")),
        # a proxy on this machine is what public https without a certificate of ours stands behind
        env.get("EVENHAND_TRUSTED_PROXIES", "127.0.0.1" if public.startswith("https://") else ""),
    )
