"""A server with a certificate of its own, as others reach it: which TLS it speaks, and whose word it takes for where one is."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenhand.app.settings import settings_from_environment
from tests.failure.running import free_port, patiently
from tests.pg import product_environment
from tests.places import short_folder
from tests.serving import Serving

_UP = "from evenhand.app.up import up; from evenhand.app.settings import settings_from_environment as s; "
_UP += "up(s(), open_browser=False)"
_SUITES = ("ECDHE", "TLS_AES", "TLS_CHACHA20")


@dataclass
class Secure:
    port: int
    certificate: Path
    serving: Serving

    def can(self, least: ssl.TLSVersion, most: ssl.TLSVersion, suites: str = "") -> str:
        """The suite on which this client agrees with a server that takes anything: else a refusal would show nothing."""
        taking, asking = (
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            ssl.create_default_context(cafile=str(self.certificate)),
        )
        taking.load_cert_chain(self.certificate, self.certificate.with_suffix(".key"))
        for one in (taking, asking):
            one.minimum_version, one.maximum_version = least, most
            one.set_ciphers(suites or "ALL:@SECLEVEL=0")
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        sides = (
            taking.wrap_bio(there, back, server_side=True),
            asking.wrap_bio(back, there, server_hostname="localhost"),
        )
        for _ in range(5):
            for side in reversed(sides):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()
        cipher = sides[1].cipher()
        assert cipher is not None
        return cipher[0]

    def shake(self, least: ssl.TLSVersion, most: ssl.TLSVersion, suites: str = "") -> tuple[str, str]:
        """(version, suite) of a handshake. Raises SSLError, or OSError where the other side hangs up."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.minimum_version, context.maximum_version = least, most
        context.set_ciphers(suites or "DEFAULT:@SECLEVEL=0")
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as made,
        ):
            cipher = made.cipher()
            assert cipher is not None
            return str(made.version()), cipher[0]

    def client(self, **options: Any) -> httpx.Client:
        trusted = ssl.create_default_context(cafile=str(self.certificate))
        return httpx.Client(base_url=f"https://localhost:{self.port}", verify=trusted, timeout=20, **options)


@pytest.fixture(scope="module")
def secure() -> Iterator[Secure]:
    """`evenhand up` with certificate files; no proxy stands before it, and it is told so."""
    folder, port = short_folder("ev-"), free_port()
    made = [
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    subprocess.run(["openssl", "req", "-x509", *made, *files], check=True, capture_output=True)
    env = {
        **product_environment(), "EVENHAND_HOME": str(folder / "home"), "EVENHAND_PORT": str(port),
        "EVENHAND_PUBLIC_URL": f"https://localhost:{port}", "EVENHAND_TLS_CERT": str(folder / "tls.crt"),
        "EVENHAND_TLS_KEY": str(folder / "tls.key"), "EVENHAND_TRUSTED_PROXIES": "",
    }  # fmt: skip
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", _UP], env=env, stdout=out, stderr=out, start_new_session=True)
    found = Secure(port, folder / "tls.crt", Serving(settings_from_environment(env), process, log))

    def healthy() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            with found.client() as client:
                return client.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        patiently(healthy, 60, "the start")
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_is_1_2_at_least(secure: Secure) -> None:
    v = ssl.TLSVersion
    assert secure.shake(v.TLSv1_3, v.TLSv1_3)[0] == "TLSv1.3"
    assert secure.shake(v.TLSv1_2, v.TLSv1_2)[0] == "TLSv1.2"
    assert secure.shake(v.TLSv1_2, v.TLSv1_3)[0] == "TLSv1.3", "the newest that both can"
    for old in (v.TLSv1, v.TLSv1_1):
        assert secure.can(old, old)
        with pytest.raises(OSError):
            secure.shake(old, old)
    with socket.create_connection(("127.0.0.1", secure.port), timeout=10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP/1.1 200"), "nothing is answered in the clear"


def test_only_suites_with_forward_secrecy(secure: Secure) -> None:
    v = ssl.TLSVersion
    for suites in ("ECDHE+AESGCM", "ECDHE+CHACHA20"):
        assert secure.shake(v.TLSv1_2, v.TLSv1_2, suites)[1].startswith(_SUITES)
    for weak in ("kRSA+AESGCM:@SECLEVEL=0", "kRSA+AES:@SECLEVEL=0", "ECDHE+AES+SHA1:@SECLEVEL=0"):
        assert secure.can(v.TLSv1_2, v.TLSv1_2, weak)
        with pytest.raises(OSError):
            secure.shake(v.TLSv1_2, v.TLSv1_2, weak)


def test_where_one_is_cannot_be_forged(secure: Secure) -> None:
    """An organisation that lets in its own networks only is not deceived by headers that any proxy or asker could write."""
    org = secure.serving.customer("Acme")
    secure.serving.member("ada@acme.example", "owner", org.live)

    async def limit(opened: Any) -> None:
        async with opened.db.connection("app") as conn:
            sign = opened.db.sign(conn, org.live, "system")
            await conn.execute(
                f"begin; select set_config('evenhand.ctx', '{sign}', true);"
                f"insert into evenhand.ip_rule (org_id, networks) values ('{org.live}', '{{192.0.2.0/24}}'); commit"
            )

    secure.serving.run(limit)
    key = {"authorization": f"Bearer {org.live_key}"}
    forged: list[dict[str, str]] = [
        {"x-forwarded-for": "192.0.2.7"}, {"x-forwarded-for": "192.0.2.7, 127.0.0.1"}, {"x-real-ip": "192.0.2.7"},
        {"forwarded": "for=192.0.2.7;proto=https"}, {"x-client-ip": "192.0.2.7"}, {"x-forwarded-host": "evil.example"},
    ]  # fmt: skip
    with secure.client() as client:
        for more in forged:
            reply = client.get("/api/v1/projects", headers={**key, **more})
            assert reply.status_code == 403, f"{more}: {reply.text}"
        assert "Strict-Transport-Security" in client.get("/healthz").headers
