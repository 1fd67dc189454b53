"""Mail goes over TLS where it can, and a password or a link never in the clear where it cannot."""

import contextlib
import smtplib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evenhand.app import mail
from evenhand.app.settings import Settings
from evenhand.features.people.profiles import tidy_email
from evenhand.pure.trouble import Invalid, Upstream
from tests.conftest import settings_for

pytestmark = pytest.mark.anyio


class Post(socketserver.ThreadingTCPServer):
    """A mail server, as far as a client can tell before the TLS handshake, and what was said to it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, offers: str) -> None:
        said: list[str] = []

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 post\r\n")
                content = False
                while sent := self.rfile.readline():
                    line = sent.decode().rstrip("\r\n")
                    said.append(line)
                    word = line.split(" ", 1)[0].upper()
                    if content:
                        content = line != "."
                        reply = b"" if content else b"250 kept\r\n"
                    elif word == "EHLO":
                        reply = f"250-post\r\n250 {offers}\r\n".encode()
                    elif word == "STARTTLS":
                        reply = b"454 no certificate just now\r\n"
                    elif word == "DATA":
                        content, reply = True, b"354 go on\r\n"
                    elif word == "QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    else:
                        reply = b"250 yes\r\n"
                    self.wfile.write(reply)

        super().__init__(("127.0.0.1", 0), Talk)
        self.said = said
        threading.Thread(target=self.serve_forever, daemon=True).start()


def settings(folder: Path, url: str) -> Settings:
    return replace(settings_for(folder), smtp_url=url, mail_from="evenhand@example.org")


@pytest.fixture
def with_tls() -> Iterator[Post]:
    with Post("STARTTLS") as made:
        yield made
        made.shutdown()


@pytest.fixture
def without_tls() -> Iterator[Post]:
    with Post("HELP") as made:
        yield made
        made.shutdown()


async def test_what_is_offered_is_used_before_anything_is_told(with_tls: Post, tmp_path: Path) -> None:
    url = f"smtp://name:word@127.0.0.1:{with_tls.server_address[1]}"
    with pytest.raises(Upstream):
        await mail.send_mail(settings(tmp_path, url), "ann@people.example", "A link", "secret")
    assert "STARTTLS" in with_tls.said
    assert not any(line.startswith(("AUTH", "MAIL", "RCPT", "DATA")) for line in with_tls.said), with_tls.said


async def test_a_relay_on_this_machine_needs_none(without_tls: Post, tmp_path: Path) -> None:
    url = f"smtp://127.0.0.1:{without_tls.server_address[1]}"
    await mail.send_mail(settings(tmp_path, url), "ann@people.example", "A link", "words")
    assert "To: ann@people.example" in without_tls.said


async def test_a_far_one_without_tls_is_refused(
    without_tls: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of this machine that is not in the list stands in for a machine far away."""
    monkeypatch.setattr(mail, "_LOOPBACK", ())
    url = f"smtp://name:word@127.0.0.1:{without_tls.server_address[1]}"
    with pytest.raises(Upstream, match="offers no TLS"):
        await mail.send_mail(settings(tmp_path, url), "ann@people.example", "A link", "secret")
    said: list[Any] = [line.split(" ", 1)[0].upper() for line in without_tls.said]
    assert said[0] == "EHLO" and set(said) <= {"EHLO", "QUIT"}, said


def test_the_client_library_forgets_to_ask_first() -> None:
    """Why `ehlo` stands there: without it no extension is known, STARTTLS included."""
    with Post("STARTTLS") as post, smtplib.SMTP("127.0.0.1", post.server_address[1]) as client:
        assert not client.has_extn("starttls")
        client.ehlo()
        assert client.has_extn("starttls")
        post.shutdown()


@pytest.mark.parametrize(
    "more", ["\r\nBcc: eve@evil.example", "\nBcc: eve@evil.example", "\r\n\r\nother text", " eve@evil.example"]
)
async def test_an_address_writes_no_header(without_tls: Post, tmp_path: Path, more: str) -> None:
    """Not as an address that anybody gives, and not if one came past that."""
    with pytest.raises(Invalid):
        tidy_email(f"kim@people.example{more}")
    server = without_tls
    found = settings(tmp_path, f"smtp://127.0.0.1:{server.server_address[1]}")
    with contextlib.suppress(Upstream, ValueError):
        await mail.send_mail(found, f"kim@people.example{more}", "Your link", "text")
    assert not any("evil" in line and line.upper().startswith(("BCC", "RCPT")) for line in server.said)
