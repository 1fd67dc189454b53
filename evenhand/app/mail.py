"""Mail is optional: with EVENHAND_SMTP_URL set, links are sent as well as shown."""

import asyncio
import logging
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from evenhand.app.settings import Settings
from evenhand.pure.trouble import Upstream

log = logging.getLogger("evenhand.mail")
TIMEOUT_S = 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _send(settings: Settings, to: str, subject: str, text: str) -> None:
    parts = urlsplit(settings.smtp_url)
    message = EmailMessage()
    message["To"] = to
    message["From"] = settings.mail_from or f"evenhand@{settings.public_host}"
    message["Subject"] = subject
    message.set_content(text)
    host, port = parts.hostname or "localhost", parts.port
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_S)
    else:
        server = smtplib.SMTP(host, port or 587, timeout=TIMEOUT_S)
    with server:
        server.ehlo()  # before that nothing is known of what the server can
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        elif parts.scheme == "smtp" and host not in _LOOPBACK:
            raise Upstream("The mail server offers no TLS.", hint="Links are secrets. Use smtps, or one that does.")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


async def send_mail(settings: Settings, to: str, subject: str, text: str) -> None:
    """Sends one mail. Raises Upstream when it can't be sent or mail is not set up."""
    if not settings.smtp_url:
        raise Upstream("Mail is not set up.", hint="Set EVENHAND_SMTP_URL, for example smtps://user:password@host.")
    try:
        await asyncio.to_thread(_send, settings, to, subject, text)
    except (OSError, smtplib.SMTPException) as err:
        raise Upstream(f"The mail server did not take the mail ({type(err).__name__}).") from err


async def send_link(settings: Settings, to: str, link: str) -> bool:
    """Sends a single-use link where mail is set up. It is shown to whoever made it in any case."""
    if not settings.smtp_url:
        return False
    try:
        await send_mail(settings, to, "Your link to Evenhand", f"Open this link once, within a week:\n\n{link}\n")
    except Upstream as err:
        log.warning("a link could not be mailed: %s", err)
        return False
    return True
