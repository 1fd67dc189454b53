"""AWS KMS and Vault over the wire: who asks is proved, and each way of failing has its own words."""

import json
import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.fetch import ALLOW_VARIABLE, UnsafeAddress
from evenhand.infra.kms.aws import AwsKeys
from evenhand.infra.kms.port import (
    KeyGone,
    KeyInfo,
    KeyNotUsable,
    KeyRevoked,
    KeyServiceBusy,
    KeyServiceDown,
)
from evenhand.infra.kms.sigv4 import Credentials
from evenhand.infra.kms.vault import VaultKeys
from evenhand.pure.trouble import Trouble
from tests.infra.kms.conftest import ACCESS, SECRET, TOKEN, aws_keys, vault_keys
from tests.infra.kms.doubles import Aws, Vault, serving

pytestmark = pytest.mark.anyio
PLAIN = bytes(range(32))
CONTEXT = {"organisation": "acme", "key": "organisation", "version": "1"}


async def test_aws_accepts_our_signature_and_no_other(aws: Aws) -> None:
    assert await aws_keys(aws).wrap("customer", PLAIN, CONTEXT)
    for keys in (aws_keys(aws, secret="another"), aws_keys(aws, access="AKIDOTHER")):
        with pytest.raises(KeyRevoked) as caught:
            await keys.wrap("customer", PLAIN, CONTEXT)
        assert SECRET not in caught.value.message and "another" not in caught.value.message


@pytest.mark.parametrize(("off_s", "taken"), [(0, True), (290, True), (-290, True), (310, False), (-310, False)])
async def test_aws_refuses_a_clock_that_is_off(aws: Aws, off_s: float, taken: bool) -> None:
    keys = aws_keys(aws, off_s=off_s)
    if taken:
        assert (await keys.describe("customer")).state == "enabled"
    else:
        with pytest.raises(KeyRevoked, match="clock"):
            await keys.describe("customer")


async def test_aws_is_told_what_a_key_is_for_and_nothing_more(aws: Aws) -> None:
    await aws_keys(aws).wrap("customer", PLAIN, CONTEXT)
    method, path, headers, body = aws.seen[-1]
    assert (method, path, headers["x-amz-target"]) == ("POST", "/", "TrentService.Encrypt")
    assert json.loads(body) == {
        "KeyId": "customer", "Plaintext": b64encode(PLAIN).decode(), "EncryptionContext": CONTEXT,
    }  # fmt: skip
    assert SECRET not in str(headers)


async def test_aws_refuses_a_key_wrapped_by_another(aws: Aws) -> None:
    aws.make("rival")
    wrapped = await aws_keys(aws).wrap("customer", PLAIN, CONTEXT)
    with pytest.raises(Altered):
        await aws_keys(aws).unwrap("rival", wrapped, CONTEXT)


async def test_aws_waits_before_it_deletes(aws: Aws) -> None:
    keys = aws_keys(aws)
    info = await keys.destroy("customer")
    assert info == KeyInfo("customer", "pending_deletion", gone_at=1_800_000_000.5)
    assert await keys.describe("customer") == info
    assert await keys.destroy("customer") == info  # asking twice is no harm


async def test_aws_access_taken_away(aws: Aws) -> None:
    keys = aws_keys(aws)
    wrapped = await keys.wrap("customer", PLAIN, CONTEXT)
    aws.denied = True
    with pytest.raises(KeyRevoked, match="denies us access"):
        await keys.unwrap("customer", wrapped, CONTEXT)


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}, KeyServiceBusy),
        (500, {"__type": "KMSInternalException"}, KeyServiceDown),
        (500, {"__type": "KeyUnavailableException"}, KeyServiceDown),
        (400, {"__type": "com.amazonaws.kms#DependencyTimeoutException"}, KeyServiceDown),
        (400, {"__type": "InvalidKeyUsageException"}, KeyNotUsable),
        (400, {"__type": "ExpiredTokenException"}, KeyRevoked),
        (403, {}, KeyRevoked),
        (200, {}, KeyServiceDown),
        (200, {"Plaintext": 7}, KeyServiceDown),
        (200, {"Plaintext": "no base64!"}, KeyServiceDown),
    ],
)
async def test_aws_failures_have_their_kind(aws: Aws, status: int, content: object, kind: type[Trouble]) -> None:
    aws.broken = lambda: (status, json.dumps(content).encode())
    with pytest.raises(kind) as caught:
        await aws_keys(aws).unwrap("customer", b"wrapped", CONTEXT)
    assert caught.value.hint


async def test_vault_takes_our_token_and_namespace(vault: Vault) -> None:
    vault.namespace = "acme/team"
    assert (await vault_keys(vault, namespace="acme/team").describe("customer")).versions == (1,)
    for keys in (vault_keys(vault), vault_keys(vault, namespace="acme/team", token="another")):
        with pytest.raises(KeyRevoked) as caught:
            await keys.describe("customer")
        assert TOKEN not in str(caught.value) and "another" not in str(caught.value)


async def test_vault_is_told_what_a_key_is_for(vault: Vault) -> None:
    await vault_keys(vault).wrap("customer", PLAIN, CONTEXT)
    method, path, headers, body = vault.seen[-1]
    assert (method, path, headers["x-vault-token"]) == ("POST", "/v1/transit/encrypt/customer", TOKEN)
    bound = b64encode(json.dumps(CONTEXT, sort_keys=True, separators=(",", ":")).encode()).decode()
    assert json.loads(body) == {
        "plaintext": b64encode(PLAIN).decode(), "context": bound, "associated_data": bound,
    }  # fmt: skip


async def test_vault_deletes_at_once(vault: Vault) -> None:
    await vault_keys(vault).destroy("customer")
    assert vault.keys == {}
    assert [(method, path) for method, path, _, _ in vault.seen] == [
        ("POST", "/v1/transit/keys/customer/config"), ("DELETE", "/v1/transit/keys/customer"),
    ]  # fmt: skip
    with pytest.raises(KeyGone):
        await vault_keys(vault).describe("customer")


async def test_vault_retires_old_versions(vault: Vault) -> None:
    keys = vault_keys(vault)
    wrapped = await keys.wrap("customer", PLAIN, CONTEXT)
    await keys.rotate("customer")
    vault.keys["customer"]["min_decryption_version"] = 2
    assert (await keys.describe("customer")).versions == (2,)
    with pytest.raises(KeyRevoked, match="version"):
        await keys.unwrap("customer", wrapped, CONTEXT)


async def test_a_sealed_vault_is_down_not_gone(vault: Vault) -> None:
    vault.sealed = True
    with pytest.raises(KeyServiceDown, match="sealed"):
        await vault_keys(vault).wrap("customer", PLAIN, CONTEXT)


@pytest.mark.parametrize(
    ("status", "data", "kind"),
    [
        (429, b'{"errors":["rate limited"]}', KeyServiceBusy),
        (473, b"", KeyServiceDown),
        (502, b"<html>Bad gateway</html>", KeyServiceDown),
        (200, b"<html>Sign in</html>", KeyServiceDown),
        (200, b'{"data":{}}', KeyServiceDown),
        (307, b"", KeyServiceDown),
    ],
)
async def test_vault_failures_have_their_kind(vault: Vault, status: int, data: bytes, kind: type[Trouble]) -> None:
    vault.broken = lambda: (status, data)
    with pytest.raises(kind) as caught:
        await vault_keys(vault).wrap("customer", PLAIN, CONTEXT)
    assert caught.value.hint


async def test_a_service_that_is_not_there_is_down() -> None:
    aws = AwsKeys("eu-central-1", Credentials(ACCESS, SECRET), endpoint="http://127.0.0.1:9")
    vault = VaultKeys("http://127.0.0.1:9", TOKEN)
    for keys in (aws, vault):
        with pytest.raises(KeyServiceDown) as caught:
            await keys.wrap("customer", PLAIN, CONTEXT)
        assert "Nothing is lost" in str(caught.value.hint)


@pytest.mark.parametrize("address", ["http://vault.example:8200", "ftp://vault.example", "vault.example", ""])
def test_keys_do_not_travel_in_the_clear(address: str) -> None:
    with pytest.raises(KeyNotUsable, match="not an https address"):
        VaultKeys(address, TOKEN)
    if address:
        with pytest.raises(KeyNotUsable, match="not an https address"):
            AwsKeys("eu-central-1", Credentials(ACCESS, SECRET), endpoint=address)


async def test_own_network_only_with_the_operators_word(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer that names its key service must not reach the operator's network through it."""
    monkeypatch.delenv(ALLOW_VARIABLE)
    with pytest.raises(UnsafeAddress):
        await vault_keys(vault).wrap("customer", PLAIN, CONTEXT)
    assert vault.seen == []


def certificate(folder: Path, host: str) -> Path:
    """A private authority that is its own server, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )  # fmt: skip
    file = folder / f"{host}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return file


@pytest.mark.parametrize(("host", "trusted", "taken"), [
    ("127.0.0.1", True, True), ("127.0.0.1", False, False), ("127.0.0.2", True, False),
])  # fmt: skip
async def test_a_private_authority_is_believed_when_told_and_for_its_host(
    tmp_path: Path, host: str, trusted: bool, taken: bool
) -> None:
    file = certificate(tmp_path, host)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    double = Vault(TOKEN)
    double.make("customer")
    with serving(double, tls):
        trust = ssl.create_default_context(cafile=str(file)) if trusted else None
        keys = VaultKeys(double.url, TOKEN, trust=trust)
        if taken:
            assert (await keys.describe("customer")).state == "enabled"
        else:
            with pytest.raises(KeyServiceDown):
                await keys.describe("customer")
            assert double.seen == []
