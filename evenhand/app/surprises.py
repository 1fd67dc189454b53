"""What `evenhand doctor` says of the settings: what is refused, and what is allowed but would surprise."""

import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from evenhand.app.opening import URL_VARIABLE
from evenhand.app.settings import Settings, settings_from_environment
from evenhand.infra.fetch import ALLOW_VARIABLE
from evenhand.infra.postgres.doctor import Check
from evenhand.pure.trouble import Trouble

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SOON_D = 14
#: every variable that the server or the command line reads
KNOWN = {
    "EVENHAND_HOME", "EVENHAND_PORT", "EVENHAND_HOST", "EVENHAND_PUBLIC_URL", "EVENHAND_MEDIA_URL", "EVENHAND_TLS_CERT",
    "EVENHAND_TLS_KEY", "EVENHAND_SMTP_URL", "EVENHAND_MAIL_FROM", "EVENHAND_PG_BIN", "EVENHAND_URL", "EVENHAND_KEY",
    "EVENHAND_KEY_LIFE", "EVENHAND_TRUSTED_PROXIES", "EVENHAND_REQUESTS_PER_SECOND",
    "EVENHAND_STORAGE_GB", "EVENHAND_SESSION_IDLE_HOURS", URL_VARIABLE, ALLOW_VARIABLE,
}  # fmt: skip
#: those that only the tests read
_OF_TESTS = "EVENHAND_TEST_"


def surprises(env: Mapping[str, str]) -> list[Check]:
    """Findings about the settings in `env`, most serious first in each matter. Reads certificates, changes nothing."""
    found = list(_unknown(env))
    try:
        settings = settings_from_environment(env)
    except Trouble as err:
        return [Check("settings", "fail", err.message, err.hint or ""), *found]
    for look in (_media(settings, env), _tls(settings), _listening(settings), _mail(settings), _private(env)):
        found.extend(look)
    return found or [Check("settings", "ok", f"The settings fit together; people reach this at {settings.public_url}.")]


def _unknown(env: Mapping[str, str]) -> Iterator[Check]:
    for name in sorted(env):
        if name.startswith("EVENHAND_") and name not in KNOWN and not name.startswith(_OF_TESTS):
            yield Check(
                "settings", "warn", f"{name} is set, and nothing reads it.", "Look at the spelling, or unset it."
            )


def _media(settings: Settings, env: Mapping[str, str]) -> Iterator[Check]:
    given = env.get("EVENHAND_MEDIA_URL", "")
    if not given:
        if settings.public_host != "localhost" or settings.secure:
            yield Check(
                "media",
                "warn",
                "Customers' files are shown from the host name of the pages: EVENHAND_MEDIA_URL is not set. They are "
                "sandboxed there, but another name would keep them from every session even if a browser errs.",
                "Give the server a second name and set, for example, EVENHAND_MEDIA_URL="
                f"https://media.{settings.public_host}",
            )
        return
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        yield Check(
            "media",
            "fail",
            f"EVENHAND_MEDIA_URL must be an address such as https://media.example.org, not '{given}'.",
            "Without it the browser refuses to show files.",
        )
    elif settings.secure and parts.scheme == "http":
        yield Check(
            "media",
            "fail",
            "The pages are https and EVENHAND_MEDIA_URL is plain http: browsers will not show files.",
            "Use https for both.",
        )
    elif parts.hostname == settings.public_host:
        yield Check(
            "media",
            "warn",
            "EVENHAND_MEDIA_URL has the host name of EVENHAND_PUBLIC_URL, so it keeps nothing apart.",
            "Use a second name of the same server.",
        )


def _tls(settings: Settings) -> Iterator[Check]:
    cert, key = settings.tls_cert, settings.tls_key
    if not cert and not key:
        return
    if not (cert and key):
        missing = "EVENHAND_TLS_KEY" if cert else "EVENHAND_TLS_CERT"
        yield Check("tls", "fail", f"{missing} is not set, and the other half is.", "Set both, or neither.")
        return
    if not settings.secure:
        yield Check(
            "tls",
            "fail",
            f"There is a certificate, but people are sent to {settings.public_url}.",
            "Set EVENHAND_PUBLIC_URL to the https address, or leave the certificate away.",
        )
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
        first = x509.load_pem_x509_certificates(Path(cert).read_bytes())[0]
    except (OSError, ValueError) as err:
        why = (
            err.strerror if isinstance(err, OSError) and err.strerror else "they do not belong together, or are no PEM"
        )
        yield Check("tls", "fail", f"The certificate or its key cannot be used: {why}.", "Look at both files.")
        return
    left = first.not_valid_after_utc - datetime.now(UTC)
    if left.total_seconds() < 0:
        yield Check(
            "tls", "fail", "The certificate has expired, so browsers refuse the page.", "Renew it, start again."
        )
    elif left.days < _SOON_D:
        yield Check("tls", "warn", f"The certificate expires in {left.days} days.", "Renew it and start again.")


def _listening(settings: Settings) -> Iterator[Check]:
    near = settings.host in _LOOPBACK
    if not near and not settings.tls_cert:
        yield Check(
            "listening",
            "warn",
            f"Evenhand listens on {settings.host} without TLS: what other machines send it can be read on the way.",
            "Set EVENHAND_TLS_CERT and EVENHAND_TLS_KEY, or leave EVENHAND_HOST at 127.0.0.1 and put a proxy in front.",
        )
    elif near and settings.tls_cert:
        yield Check(
            "listening",
            "warn",
            "Evenhand serves TLS, but to this machine only.",
            "Set EVENHAND_HOST=0.0.0.0 so that others reach it.",
        )
    elif settings.secure and near:
        yield Check(
            "listening",
            "ok",
            f"A proxy must do TLS for {settings.public_url} and pass it on to 127.0.0.1:{settings.port} with its Host.",
        )
    if not settings.secure and (urlsplit(settings.public_url).port or 80) != settings.port:
        yield Check(
            "listening",
            "warn",
            f"Links lead to {settings.public_url}, and Evenhand listens on port {settings.port}.",
            "Let EVENHAND_PUBLIC_URL and EVENHAND_PORT agree.",
        )


def _mail(settings: Settings) -> Iterator[Check]:
    if not settings.smtp_url:
        return
    parts = urlsplit(settings.smtp_url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        yield Check(
            "mail",
            "fail",
            "EVENHAND_SMTP_URL is no address of a mail server.",
            "For example smtps://user:password@mail.example.org",
        )
    elif not settings.mail_from and settings.public_host in _LOOPBACK:
        yield Check(
            "mail",
            "warn",
            f"Mail would come from evenhand@{settings.public_host}, which mail servers refuse.",
            "Set EVENHAND_MAIL_FROM.",
        )


def _private(env: Mapping[str, str]) -> Iterator[Check]:
    if env.get(ALLOW_VARIABLE) == "1":
        yield Check(
            "private",
            "warn",
            f"{ALLOW_VARIABLE}=1: addresses that customers give may lead into your own network.",
            "Unset it unless every customer may reach what this machine reaches.",
        )
