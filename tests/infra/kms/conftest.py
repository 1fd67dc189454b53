"""The three key services, each with a key named `customer`: files in a folder, and the doubles of AWS and Vault."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from evenhand.infra.fetch import ALLOW_VARIABLE
from evenhand.infra.kms.aws import AwsKeys
from evenhand.infra.kms.local import LocalKeys
from evenhand.infra.kms.port import KeyService
from evenhand.infra.kms.sigv4 import Credentials
from evenhand.infra.kms.vault import VaultKeys
from tests.infra.kms.doubles import Aws, Vault, serving

ACCESS, SECRET, SESSION, TOKEN = "AKIDDOUBLE", "a secret/of+40 characters", "a session token", "hvs.token"
ROOT = b"a root key of exactly 32 bytes.."


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doubles are on this machine, which is refused unless the operator allows it."""
    monkeypatch.setenv(ALLOW_VARIABLE, "1")


@pytest.fixture
def aws() -> Iterator[Aws]:
    double = Aws(ACCESS, SECRET, region="eu-central-1", session_token=SESSION)
    double.make("customer")
    with serving(double):
        yield double


@pytest.fixture
def vault() -> Iterator[Vault]:
    double = Vault(TOKEN)
    double.make("customer")
    with serving(double):
        yield double


def aws_keys(double: Aws, *, secret: str = SECRET, access: str = ACCESS, off_s: float = 0) -> AwsKeys:
    return AwsKeys(
        "eu-central-1", Credentials(access, secret, SESSION),
        endpoint=double.url, clock=lambda: double.now + timedelta(seconds=off_s),
    )  # fmt: skip


def vault_keys(double: Vault, *, token: str = TOKEN, namespace: str | None = None) -> VaultKeys:
    return VaultKeys(double.url, token, namespace=namespace)


@pytest.fixture
async def local(tmp_path: Path) -> LocalKeys:
    keys = LocalKeys(tmp_path / "keys", ROOT, clock=lambda: 1_800_000_000.5)
    await keys.create("customer")
    return keys


@dataclass
class Service:
    """A key service, and a way for the customer to take away its key and to give it back."""

    name: str
    keys: KeyService
    revoke: Callable[[bool], None]


@pytest.fixture(params=["local", "aws", "vault", "vault with derivation"])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    if request.param == "local":
        folder = tmp_path / "keys"
        local = LocalKeys(folder, ROOT, clock=lambda: 1_800_000_000.5)
        await local.create("customer")

        def switch(revoked: bool) -> None:
            file = folder / "customer.key"
            now, then = ("enabled", "disabled") if revoked else ("disabled", "enabled")
            file.write_text(file.read_text().replace(f'"{now}"', f'"{then}"'))

        yield Service("local", local, switch)
    elif request.param == "aws":
        aws = Aws(ACCESS, SECRET, region="eu-central-1", session_token=SESSION)
        aws.make("customer")
        with serving(aws):
            yield Service(
                "aws", aws_keys(aws), lambda revoked: aws.states.update(customer="Disabled" if revoked else "Enabled")
            )
    else:
        vault = Vault(TOKEN)
        vault.make("customer", derived="derivation" in request.param)

        def withdraw(revoked: bool) -> None:
            vault.token = "another" if revoked else TOKEN

        with serving(vault):
            yield Service("vault", vault_keys(vault), withdraw)
