"""What every key service keeps to, run over each of them."""

import pytest

from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.kms.port import KeyGone, KeyNotUsable, KeyRevoked
from tests.infra.kms.conftest import Service

pytestmark = pytest.mark.anyio
PLAIN = bytes(range(32))
CONTEXT = {"organisation": "acme", "key": "organisation", "version": "1"}


async def test_what_was_wrapped_is_unwrapped(service: Service) -> None:
    wrapped = await service.keys.wrap("customer", PLAIN, CONTEXT)
    assert PLAIN not in wrapped
    assert await service.keys.unwrap("customer", wrapped, dict(reversed(CONTEXT.items()))) == PLAIN
    assert await service.keys.wrap("customer", PLAIN, CONTEXT) != wrapped


@pytest.mark.parametrize(
    "context",
    [{}, {**CONTEXT, "organisation": "birch"}, {**CONTEXT, "version": "2"}, {**CONTEXT, "more": ""}],
    ids=["none", "another organisation", "another version", "more"],
)
async def test_another_context_is_refused(service: Service, context: dict[str, str]) -> None:
    wrapped = await service.keys.wrap("customer", PLAIN, CONTEXT)
    with pytest.raises(Altered):
        await service.keys.unwrap("customer", wrapped, context)


async def test_what_was_altered_is_refused(service: Service) -> None:
    wrapped = await service.keys.wrap("customer", PLAIN, CONTEXT)
    at = len(wrapped) // 2
    flipped = wrapped[:at] + (b"A" if wrapped[at : at + 1] != b"A" else b"B") + wrapped[at + 1 :]
    for changed in (flipped, wrapped[:-4], wrapped[:3], b"", wrapped + b"AAAA"):
        with pytest.raises(Altered):
            await service.keys.unwrap("customer", changed, CONTEXT)


async def test_old_versions_open_after_rotation(service: Service) -> None:
    old = await service.keys.wrap("customer", PLAIN, CONTEXT)
    info = await service.keys.rotate("customer")
    assert info.state == "enabled"
    assert info.versions == (() if service.name == "aws" else (1, 2))  # AWS does not number what it holds
    new = await service.keys.wrap("customer", PLAIN[::-1], CONTEXT)
    assert await service.keys.unwrap("customer", old, CONTEXT) == PLAIN
    assert await service.keys.unwrap("customer", new, CONTEXT) == PLAIN[::-1]


async def test_a_revoked_key_says_what_to_do_and_comes_back(service: Service) -> None:
    wrapped = await service.keys.wrap("customer", PLAIN, CONTEXT)
    service.revoke(True)
    for asked in (service.keys.unwrap("customer", wrapped, CONTEXT), service.keys.wrap("customer", PLAIN, CONTEXT)):
        with pytest.raises(KeyRevoked) as caught:
            await asked
        assert "customer" in caught.value.message and "enable the key" in str(caught.value.hint)
    service.revoke(False)
    assert await service.keys.unwrap("customer", wrapped, CONTEXT) == PLAIN


async def test_a_destroyed_key_opens_nothing(service: Service) -> None:
    wrapped = await service.keys.wrap("customer", PLAIN, CONTEXT)
    assert (await service.keys.describe("customer")).state == "enabled"
    info = await service.keys.destroy("customer")
    assert info.state == ("pending_deletion" if service.name == "aws" else "destroyed")
    for asked in (service.keys.unwrap("customer", wrapped, CONTEXT), service.keys.wrap("customer", PLAIN, CONTEXT)):
        with pytest.raises((KeyGone, KeyRevoked)):
            await asked
    with pytest.raises((KeyGone, KeyRevoked)):
        await service.keys.rotate("customer")


async def test_a_key_that_never_was(service: Service) -> None:
    for asked in (
        service.keys.describe("nobody"), service.keys.wrap("nobody", PLAIN, CONTEXT),
        service.keys.rotate("nobody"), service.keys.destroy("nobody"),
    ):  # fmt: skip
        with pytest.raises(KeyGone):
            await asked


@pytest.mark.parametrize("name", ["", "../customer", "a/b", "..", "a b", "a?b=c", "ä", "x" * 200, "a\nb"])
async def test_a_name_cannot_lead_elsewhere(service: Service, name: str) -> None:
    with pytest.raises(KeyGone if service.name == "aws" else KeyNotUsable):  # AWS takes the name in the body
        await service.keys.wrap(name, PLAIN, CONTEXT)


async def test_secrets_are_not_shown(service: Service) -> None:
    shown = repr(service.keys)
    assert "not shown" in shown
    for secret in ("secret/of", "session token", "hvs.token", "a root key"):
        assert secret not in shown
