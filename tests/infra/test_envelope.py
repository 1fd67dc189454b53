"""Envelope encryption over a real key service: what opens where, how long, and never again."""

import asyncio
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest

from evenhand.infra.crypto import floe
from evenhand.infra.crypto.datakey import DataKey, KeyDestroyed, KeyNotHeld, Scope, WrappedKey
from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.envelope import LIFE_S, PATIENCE_S, Keyring, Unwrap
from evenhand.infra.kms.local import LocalKeys
from evenhand.infra.kms.port import KeyRevoked, KeyService, KeyServiceDown
from tests.infra.kms.conftest import ROOT, aws, aws_keys, own_network
from tests.infra.kms.doubles import Aws

__all__ = ["aws", "own_network"]
pytestmark = pytest.mark.anyio


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A ring for an organisation with one key, and a project with one key."""

    service: KeyService
    clock: Clock = field(default_factory=Clock)
    log: list[Unwrap] = field(default_factory=list)
    org_keys: list[WrappedKey] = field(default_factory=list)
    project: list[WrappedKey] = field(default_factory=list)

    async def on_unwrap(self, unwrap: Unwrap) -> None:
        await asyncio.sleep(0)
        self.log.append(unwrap)

    def ring(self, org_id: str = "acme", *, org_keys: list[WrappedKey] | None = None) -> Keyring:
        given = self.org_keys if org_keys is None else org_keys
        return Keyring(org_id, self.service, "customer", given, on_unwrap=self.on_unwrap, clock=self.clock)

    async def begin(self) -> Keyring:
        ring = self.ring()
        self.org_keys.append(await ring.new_org_key())
        self.project.append(await ring.new_project_key("p1"))
        return ring

    def asked(self) -> int:
        """How often the key service was asked to unwrap."""
        return sum(unwrap.level == "organisation" for unwrap in self.log)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    keys = LocalKeys(tmp_path / "keys", ROOT)
    await keys.create("customer")
    return World(keys)


@pytest.fixture
def remote(aws: Aws) -> World:
    return World(aws_keys(aws))


async def test_rows_and_files_open_in_another_process(world: World) -> None:
    ring = await world.begin()
    key = await ring.data_key("p1", world.project)
    row = key.seal(b"a body", "task/7", 3)
    object_key, wrapped_object = key.new_object_key("asset/9")
    file = b"".join(floe.encrypt(object_key.key, object_key.aad, [b"a picture"], floe.GCM256_IV256_16K))
    stored = [WrappedKey.from_bytes(each.to_bytes()) for each in world.project]

    other = world.ring()
    again = await other.data_key("p1", stored)
    assert again.open(row, "task/7", 3) == b"a body"
    opened = await other.object_key(again, "asset/9", WrappedKey.from_bytes(wrapped_object.to_bytes()))
    assert b"".join(floe.decrypt(opened.key, opened.aad, [file], floe.GCM256_IV256_16K)) == b"a picture"
    assert world.log[-1] == Unwrap("object", Scope("acme", "p1"), "asset/9", 1, "customer", "opened")


async def test_a_row_opens_in_its_place_only(world: World) -> None:
    ring = await world.begin()
    key = await ring.data_key("p1", world.project)
    row = key.seal(b"a body", "task/7", 3)
    places = list(product(("acme", "birch"), ("p1", "p2"), ("task/7", "task/8"), (3, 4)))
    material = key._keys  # the very same keys, so that nothing but the place differs
    for org, project, name, version in places:
        there = DataKey(Scope(org, project), material, float("inf"), world.clock)
        if (org, project, name, version) == places[0]:
            assert there.open(row, name, version) == b"a body"
        else:
            with pytest.raises(Altered):
                there.open(row, name, version)


async def test_wrapped_keys_open_in_their_place_only(world: World) -> None:
    ring = await world.begin()
    key = await ring.data_key("p1", world.project)
    _, wrapped = key.new_object_key("asset/9", 1)
    with pytest.raises(Altered):
        await ring.data_key("p2", world.project)
    with pytest.raises(Altered):
        await ring.data_key("p1", [WrappedKey(2, 1, world.project[0].data)])
    with pytest.raises(Altered):
        await world.ring("birch").data_key("p1", world.project)
    for name, moved in (("asset/8", wrapped), ("asset/9", WrappedKey(2, wrapped.under, wrapped.data))):
        with pytest.raises(Altered):
            await ring.object_key(key, name, moved)
    assert [unwrap.outcome for unwrap in world.log[-2:]] == ["refused", "refused"]


async def test_one_kind_of_sealed_thing_is_not_another(world: World) -> None:
    """A wrapped object key is not taken for a row's body, whatever it is called."""
    ring = await world.begin()
    key = await ring.data_key("p1", world.project)
    _, wrapped = key.new_object_key("asset/9")
    with pytest.raises(Altered):
        key.open((1).to_bytes(4, "big") + wrapped.data, "asset/9", 1)
    row = key.seal(bytes(32), "asset/9", 1)
    with pytest.raises(Altered):
        key.open_object_key("asset/9", WrappedKey(1, 1, row[4:]))


@pytest.mark.parametrize("at", range(0, 80, 7))
async def test_altered_rows_are_refused(world: World, at: int) -> None:
    ring = await world.begin()
    key = await ring.data_key("p1", world.project)
    row = bytearray(key.seal(bytes(40), "task/7"))
    row[at] ^= 1
    with pytest.raises((Altered, KeyNotHeld, KeyDestroyed)):  # the last two where the key's version was changed
        key.open(bytes(row), "task/7")
    with pytest.raises((Altered, KeyDestroyed)):
        key.open(bytes(row[:at]), "task/7")


async def test_every_unwrap_is_logged_once(world: World) -> None:
    await world.begin()
    ring = world.ring()
    for _ in range(5):
        await ring.data_key("p1", world.project)
    assert world.log == [
        Unwrap("organisation", Scope("acme"), "", 1, "customer", "opened"),
        Unwrap("project", Scope("acme", "p1"), "", 1, "customer", "opened"),
    ]


async def test_what_cannot_be_logged_is_not_released(world: World) -> None:
    await world.begin()

    async def full(_: Unwrap) -> None:
        raise OSError("the log is full")

    ring = Keyring("acme", world.service, "customer", world.org_keys, on_unwrap=full, clock=world.clock)
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            await ring.data_key("p1", world.project)


async def test_a_revoked_key_ends_every_read_within_the_life(remote: World, aws: Aws) -> None:
    await remote.begin()
    ring = remote.ring()
    key = await ring.data_key("p1", remote.project)
    row = key.seal(b"a body", "task/7")
    aws.states["customer"] = "Disabled"
    refused_at: dict[str, float] = {}
    begun = remote.clock.now
    for _ in range(64):
        remote.clock.now += 5
        try:
            (await ring.data_key("p1", remote.project)).open(row, "task/7")
            assert not refused_at, "it opened again although the key is still revoked"
        except KeyRevoked:
            refused_at.setdefault("asking", remote.clock.now - begun)
        try:
            key.open(row, "task/7")
        except KeyNotHeld:
            refused_at.setdefault("handed out before", remote.clock.now - begun)
    assert refused_at.keys() == {"asking", "handed out before"}
    assert max(refused_at.values()) <= LIFE_S
    assert refused_at["handed out before"] == refused_at["asking"]  # once one refusal is known, nothing else opens
    aws.states["customer"] = "Enabled"
    assert (await ring.data_key("p1", remote.project)).open(row, "task/7") == b"a body"


async def test_a_handed_out_key_never_outlives_its_life(remote: World, aws: Aws) -> None:
    """Also where nobody asks the ring again, so that it cannot notice."""
    await remote.begin()
    key = await remote.ring().data_key("p1", remote.project)
    row = key.seal(b"a body", "task/7")
    wrapped = key.new_object_key("asset/9")[1]
    remote.clock.now += LIFE_S - 1
    assert key.open(row, "task/7") == b"a body"
    remote.clock.now += 1
    for use in (
        lambda: key.open(row, "task/7"), lambda: key.seal(b"", "task/7"), lambda: key.derive("mac"),
        lambda: key.new_object_key("asset/9"), lambda: key.open_object_key("asset/9", wrapped),
    ):  # fmt: skip
        with pytest.raises(KeyNotHeld):
            use()


async def test_keys_in_hand_outlast_a_short_outage(remote: World, aws: Aws) -> None:
    await remote.begin()
    ring = remote.ring()
    row = (await ring.data_key("p1", remote.project)).seal(b"a body", "task/7")
    aws.broken = lambda: (500, b"{}")
    remote.clock.now += LIFE_S * 0.9  # past the time to renew
    asked = len(aws.seen)
    for _ in range(10):
        assert (await ring.data_key("p1", remote.project)).open(row, "task/7") == b"a body"
    assert len(aws.seen) == asked + 1  # not once for each read while the service is down
    remote.clock.now += PATIENCE_S
    await ring.data_key("p1", remote.project)
    assert len(aws.seen) == asked + 2
    remote.clock.now += LIFE_S * 0.1
    with pytest.raises(KeyServiceDown):
        await ring.data_key("p1", remote.project)
    aws.broken = None
    assert (await ring.data_key("p1", remote.project)).open(row, "task/7") == b"a body"


async def test_keys_are_renewed_before_they_end(world: World) -> None:
    """Two projects, asked for in turns over an hour: what is handed out always lives for at least a fifth."""
    ring = await world.begin()
    second = [await ring.new_project_key("p2")]
    for n in range(720):
        world.clock.now += 5
        key = await ring.data_key("p1", world.project) if n % 2 else await ring.data_key("p2", second)
        assert key.until - world.clock.now >= LIFE_S * 0.2 - 5
    assert world.asked() == pytest.approx(3600 / (LIFE_S * 0.8), abs=1)


async def test_a_crowd_asks_the_service_once(remote: World, aws: Aws) -> None:
    await remote.begin()
    others = [await remote.ring().new_project_key(f"p{n}") for n in range(2, 6)]
    ring = remote.ring()
    asked = len(aws.seen)
    projects = {"p1": remote.project, **{f"p{n}": [key] for n, key in enumerate(others, start=2)}}
    found = await asyncio.gather(*(ring.data_key(name, projects[name]) for name in projects for _ in range(20)))
    assert len(aws.seen) == asked + 1
    assert len({id(key) for key in found}) == len(projects)


async def test_who_gives_up_waiting_stops_nobody_else(remote: World, aws: Aws) -> None:
    await remote.begin()
    ring = remote.ring()
    first = asyncio.create_task(ring.data_key("p1", remote.project))
    second = asyncio.create_task(ring.data_key("p1", remote.project))
    await asyncio.sleep(0)
    first.cancel()
    assert isinstance(await second, DataKey)
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failure_is_not_remembered(remote: World, aws: Aws) -> None:
    await remote.begin()
    ring = remote.ring()
    aws.denied = True
    failed = await asyncio.gather(*(ring.data_key("p1", remote.project) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(error, KeyRevoked) for error in failed)
    aws.denied = False
    assert await ring.data_key("p1", remote.project)
    assert [unwrap.outcome for unwrap in remote.log if unwrap.level == "organisation"] == ["refused", "opened"]


async def test_project_keys_rotate_and_old_rows_open(world: World) -> None:
    ring = await world.begin()
    old = (await ring.data_key("p1", world.project)).seal(b"old", "task/7")
    index = (await ring.data_key("p1", world.project)).derive("mac/name")
    world.project.append(await ring.new_project_key("p1", 2))
    key = await ring.data_key("p1", world.project)
    new = key.seal(b"new", "task/7")
    assert (old[:4], new[:4]) == (b"\x00\x00\x00\x01", b"\x00\x00\x00\x02")
    assert (key.open(old, "task/7"), key.open(new, "task/7")) == (b"old", b"new")
    assert key.derive("mac/name") == index  # names are found after a rotation as before
    late = await world.ring().data_key("p1", world.project[:1])
    with pytest.raises(KeyNotHeld):
        late.open(new, "task/7")
    without = await world.ring().data_key("p1", world.project[1:])
    with pytest.raises(KeyDestroyed):
        without.open(old, "task/7")


async def test_organisation_keys_rotate(world: World) -> None:
    ring = await world.begin()
    row = (await ring.data_key("p1", world.project)).seal(b"a body", "task/7")
    world.org_keys.append(await ring.new_org_key())
    moved = await ring.rewrap_project("p1", world.project)
    assert ([key.under for key in moved], [key.version for key in moved]) == ([2], [1])
    only_new = world.ring(org_keys=world.org_keys[1:])
    assert (await only_new.data_key("p1", moved)).open(row, "task/7") == b"a body"
    with pytest.raises(KeyDestroyed):
        await only_new.data_key("p1", world.project)


async def test_the_customer_key_rotates(remote: World, aws: Aws) -> None:
    ring = await remote.begin()
    row = (await ring.data_key("p1", remote.project)).seal(b"a body", "task/7")
    wrapped = await ring.rotate_customer_key()
    assert [key.version for key in wrapped] == [1] and wrapped != remote.org_keys
    aws.versions["customer"][0] = bytes(32)  # the old version is gone from the service
    assert (await remote.ring(org_keys=wrapped).data_key("p1", remote.project)).open(row, "task/7") == b"a body"
    with pytest.raises(Altered):
        await remote.ring().data_key("p1", remote.project)


async def test_what_is_shredded_opens_nowhere_ever(world: World) -> None:
    ring = await world.begin()
    elsewhere = world.ring()
    key = await ring.data_key("p1", world.project)
    held = await elsewhere.data_key("p1", world.project)
    row = key.seal(b"a body", "task/7")
    info = await ring.destroy()
    assert info.state == "destroyed"
    with pytest.raises(KeyNotHeld):
        key.open(row, "task/7")  # at once, also for what was handed out
    for _ in range(2):
        with pytest.raises(KeyDestroyed):
            await ring.data_key("p1", world.project)
    assert held.open(row, "task/7") == b"a body"  # another process, within its minutes
    world.clock.now += LIFE_S
    with pytest.raises(KeyNotHeld):
        held.open(row, "task/7")
    for other in (elsewhere, world.ring()):
        with pytest.raises(KeyDestroyed):
            await other.data_key("p1", world.project)
    with pytest.raises(KeyDestroyed):
        await world.ring(org_keys=[]).data_key("p1", world.project)


async def test_a_project_is_shredded_alone(world: World) -> None:
    ring = await world.begin()
    other = [await ring.new_project_key("p2")]
    row = (await ring.data_key("p2", other)).seal(b"kept", "task/7")
    with pytest.raises(KeyDestroyed):
        await ring.data_key("p1", [])
    assert (await ring.data_key("p2", other)).open(row, "task/7") == b"kept"


@pytest.mark.parametrize("level", ["organisation", "project"])
async def test_destroyed_while_somebody_waits(world: World, level: str) -> None:
    await world.begin()
    ring = world.ring()
    released, go = asyncio.Event(), asyncio.Event()

    async def slow(unwrap: Unwrap) -> None:
        if unwrap.level == level:
            released.set()
            await go.wait()

    ring._on_unwrap = slow
    waiting = asyncio.create_task(ring.data_key("p1", world.project))
    await released.wait()
    await ring.destroy()
    go.set()
    with pytest.raises(KeyDestroyed):
        await waiting


async def test_keys_that_another_process_made_or_gave_up(world: World) -> None:
    ring = await world.begin()
    key = await ring.data_key("p1", world.project)
    row = key.seal(b"a body", "task/7")
    other = world.ring()
    world.org_keys.append(await other.new_org_key())
    second = [await other.new_project_key("p2")]
    with pytest.raises(KeyDestroyed):
        await ring.data_key("p2", second)
    ring.adopt(world.org_keys)
    assert await ring.data_key("p2", second)
    assert key.open(row, "task/7") == b"a body"
    ring.adopt(world.org_keys[1:])
    with pytest.raises(KeyDestroyed):
        await ring.data_key("p1", world.project)
    assert key.open(row, "task/7") == b"a body", "a key that was only wrapped anew goes on"
    ring.prune({"p2"})
    with pytest.raises(KeyNotHeld):
        key.open(row, "task/7")
    assert await ring.data_key("p2", second)


async def test_no_secret_is_shown(world: World) -> None:
    ring = await world.begin()
    key = await ring.data_key("p1", world.project)
    object_key, _ = key.new_object_key("asset/9")
    secrets = [object_key.key, key.derive("mac"), *key._keys.values()]
    for shown in (repr(ring), repr(key), repr(object_key), repr(ring._released), str(key)):
        assert "not shown" in shown
        assert not any(secret.hex() in shown or repr(secret)[2:-1] in shown for secret in secrets)
