"""Keys in a folder: what lies on the disk, who may read it, and what is left of a destroyed key."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.kms.local import KeyExists, LocalKeys
from evenhand.infra.kms.port import KeyGone, KeyRevoked
from tests.infra.kms.conftest import ROOT

pytestmark = pytest.mark.anyio
PLAIN = bytes(range(32))


async def test_files_are_private(local: LocalKeys, tmp_path: Path) -> None:
    await local.rotate("customer")
    await local.create("second")
    await local.destroy("second")
    folder = tmp_path / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert sorted(file.name for file in folder.iterdir()) == ["customer.key", "lock", "second.destroyed"]


async def test_versions_open_under_their_root_key_and_name_only(local: LocalKeys, tmp_path: Path) -> None:
    wrapped = await local.wrap("customer", PLAIN, {})
    stranger = LocalKeys(tmp_path / "keys", bytes(32))
    with pytest.raises(Altered):
        await stranger.unwrap("customer", wrapped, {})
    (tmp_path / "keys" / "other.key").write_bytes((tmp_path / "keys" / "customer.key").read_bytes())
    with pytest.raises(Altered):
        await local.unwrap("other", wrapped, {})


async def test_an_unknown_version_is_refused(local: LocalKeys) -> None:
    wrapped = await local.wrap("customer", PLAIN, {})
    with pytest.raises(Altered):
        await local.unwrap("customer", (7).to_bytes(4, "big") + wrapped[4:], {})


async def test_another_process_sees_it_at_once(local: LocalKeys, tmp_path: Path) -> None:
    other = LocalKeys(tmp_path / "keys", ROOT)
    wrapped = await local.wrap("customer", PLAIN, {})
    await other.rotate("customer")
    assert (await local.describe("customer")).versions == (1, 2)
    await other.enable("customer", enabled=False)
    with pytest.raises(KeyRevoked):
        await local.unwrap("customer", wrapped, {})
    with pytest.raises(KeyRevoked):
        await local.rotate("customer")
    await other.enable("customer", enabled=True)
    assert await local.unwrap("customer", wrapped, {}) == PLAIN
    await other.destroy("customer")
    with pytest.raises(KeyGone):
        await local.unwrap("customer", wrapped, {})


async def test_rotations_at_once_lose_none(local: LocalKeys) -> None:
    await asyncio.gather(*(local.rotate("customer") for _ in range(8)))
    assert (await local.describe("customer")).versions == tuple(range(1, 10))


async def test_what_is_replaced_or_destroyed_is_overwritten(local: LocalKeys, tmp_path: Path) -> None:
    """Seen through descriptors opened before: the very blocks on which the sealed versions stood."""
    file = tmp_path / "keys" / "customer.key"
    first = file.open("rb")
    before = first.read()
    await local.rotate("customer")
    second = file.open("rb")
    rotated = second.read()
    await local.destroy("customer")
    with first, second:
        for opened, held in ((first, before), (second, rotated)):
            opened.seek(0)
            left = opened.read()
            assert len(left) == len(held) and left != held and b"versions" not in left


async def test_a_destroyed_name_is_not_used_again(local: LocalKeys) -> None:
    info = await local.destroy("customer")
    assert (info.state, info.gone_at) == ("destroyed", 1_800_000_000.5)
    assert await local.describe("customer") == info
    assert await local.destroy("customer") == info  # asking twice is no harm
    with pytest.raises(KeyExists):
        await local.create("customer")


async def test_an_unfinished_destruction_is_finished(local: LocalKeys, tmp_path: Path) -> None:
    """The process ended after the key was declared destroyed and before its file was gone."""
    wrapped = await local.wrap("customer", PLAIN, {})
    file = tmp_path / "keys" / "customer.key"
    (tmp_path / "keys" / "customer.destroyed").write_text("1.0")
    file.write_bytes(os.urandom(100))
    with pytest.raises(KeyGone):
        await local.unwrap("customer", wrapped, {})
    assert (await local.destroy("customer")).gone_at == 1.0
    assert not file.exists()
