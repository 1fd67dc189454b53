"""Settings that are refused or would surprise are said in plain words, each with what to do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import evenhand
from evenhand.app.surprises import KNOWN, surprises

HTTPS = {"EVENHAND_PUBLIC_URL": "https://label.example.org"}
MEDIA = {**HTTPS, "EVENHAND_MEDIA_URL": "https://media.example.org"}


@pytest.mark.parametrize(
    ("env", "verdict", "words"),
    [
        ({}, "ok", "fit together"),
        (HTTPS, "warn", "EVENHAND_MEDIA_URL is not set"),
        (MEDIA, "ok", "A proxy must do TLS"),
        ({**HTTPS, "EVENHAND_MEDIA_URL": "https://label.example.org"}, "warn", "keeps nothing apart"),
        ({**HTTPS, "EVENHAND_MEDIA_URL": "http://media.example.org"}, "fail", "will not show files"),
        ({**HTTPS, "EVENHAND_MEDIA_URL": "media.example.org"}, "fail", "must be an address"),
        ({"EVENHAND_PUBLIC_URL": "http://label.example.org"}, "fail", "passwords would travel in the clear"),
        ({"EVENHAND_PUBLIC_URL": "http://127.0.0.1:8080"}, "warn", "EVENHAND_MEDIA_URL is not set"),
        ({"EVENHAND_PUBLIC_URL": "http://localhost:9000"}, "warn", "listens on port 8080"),
        ({"EVENHAND_PORT": "eighty"}, "fail", "EVENHAND_PORT"),
        ({"EVENHAND_HOST": "0.0.0.0"}, "warn", "without TLS"),
        ({**MEDIA, "EVENHAND_TLS_CERT": "x"}, "fail", "EVENHAND_TLS_KEY is not set"),
        ({"EVENHAND_TLS_CERT": "x", "EVENHAND_TLS_KEY": "y"}, "fail", "people are sent to http://localhost:8080"),
        ({**MEDIA, "EVENHAND_TLS_CERT": "/nowhere", "EVENHAND_TLS_KEY": "/nowhere"}, "fail", "No such file"),
        ({"EVENHAND_SMTP_URL": "mail.example.org"}, "fail", "no address of a mail server"),
        ({"EVENHAND_SMTP_URL": "smtps://mail.example.org"}, "warn", "evenhand@localhost"),
        ({"EVENHAND_ALLOW_PRIVATE_ADDRESSES": "1"}, "warn", "into your own network"),
        ({"EVENHAND_PUBLIC_ULR": "https://label.example.org"}, "warn", "nothing reads it"),
    ],
)
def test_each_is_said(env: dict[str, str], verdict: str, words: str) -> None:
    found = surprises(env)
    assert [(c.verdict, c.sentence) for c in found if words in c.sentence] != [], found
    assert next(c for c in found if words in c.sentence).verdict == verdict
    assert all(c.hint for c in found if c.verdict != "ok")
    assert all("\n" not in c.sentence for c in found)


def certificate(folder: Path, days: int) -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "label.example.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "c").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "k").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return {**MEDIA, "EVENHAND_TLS_CERT": str(folder / "c"), "EVENHAND_TLS_KEY": str(folder / "k")}


@pytest.mark.parametrize(("days", "words"), [(-2, "has expired"), (3, "expires in 3 days"), (90, "")])
def test_certificates(tmp_path: Path, days: int, words: str) -> None:
    env = {**certificate(tmp_path, days), "EVENHAND_HOST": "0.0.0.0"}
    found = [c for c in surprises(env) if c.verdict != "ok"]
    assert [c.sentence for c in found if words in c.sentence] if words else found == []


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    env = certificate(tmp_path, 90) | {"EVENHAND_TLS_KEY": certificate(other, 90)["EVENHAND_TLS_KEY"]}
    assert any(c.verdict == "fail" and "cannot be used" in c.sentence for c in surprises(env))


def test_every_variable_that_is_read_is_known() -> None:
    """A new setting that is not in the list would be called a misspelling."""
    import re

    read: set[str] = set()
    for path in Path(evenhand.__file__).parent.rglob("*.py"):
        read |= set(re.findall(r"\bEVENHAND_[A-Z_]+[A-Z]\b", path.read_text()))
    assert {name for name in read if not name.startswith("EVENHAND_TEST")} <= KNOWN | {"EVENHAND_PUBLIC"}
