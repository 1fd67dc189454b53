"""Keys in hand: who asks for them, how often, for how long, and what becomes of the seals that hold them."""

import asyncio
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from evenhand.infra import keyrings
from evenhand.infra.crypto.datakey import KeyDestroyed, KeyNotHeld
from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.envelope import Keyring
from evenhand.infra.fetch import UnsafeAddress
from evenhand.infra.keyrings import Keyrings, KeyUnwrapped, Stored, new_keys
from evenhand.infra.keys import Keys
from evenhand.infra.kms.local import LocalKeys
from evenhand.infra.kms.port import Context, KeyRevoked, KeyServiceDown
from evenhand.infra.seal import KEYLESS, At, KeyUnknown, KeyUseNotLogged, NotSealed, Seal, platform_seal
from evenhand.pure.trouble import Trouble

pytestmark = pytest.mark.anyio
LIFE_S = 300.0
HERE = At("note", "1")


class Remote(LocalKeys):
    """Stands for a service on another machine: it can be away, and it counts what it is asked."""

    asked = 0
    away = False
    silent: asyncio.Event | None = None  # set: takes questions, and answers none before this
    wrong: Trouble | None = None

    async def unwrap(self, key_id: str, wrapped: bytes, context: Context) -> bytes:
        self.asked += 1
        await asyncio.sleep(0)
        if self.silent is not None:
            await self.silent.wait()
        if self.wrong is not None:
            raise self.wrong
        if self.away:
            raise KeyServiceDown("The key service did not answer.")
        return await super().unwrap(key_id, wrapped, context)


@dataclass
class Bench:
    service: Remote
    rows: dict[str, Stored] = field(default_factory=dict[str, Stored])
    now: float = 1_000.0
    reads: int = 0
    closed: bool = False
    deaf: bool = False
    told: list[KeyUnwrapped] = field(default_factory=list)

    async def read(self, org_id: str) -> Stored | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.closed:
            raise ConnectionError("the database cannot be reached")
        return self.rows.get(org_id)

    async def released(self, seal: Seal, event: KeyUnwrapped) -> None:
        assert seal.open(seal.shut("x", HERE), HERE) == "x", "the event can be sealed with the key that it tells of"
        if self.deaf:
            raise KeyUseNotLogged("no room")
        self.told.append(event)

    def keyrings(self) -> Keyrings:
        return Keyrings(self.read, on_release=self.released, process="test", life_s=LIFE_S, clock=lambda: self.now)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(Remote(tmp_path / "kms", b"r" * 32))
    for org in ("acme", "birch"):
        await made.service.create(f"org-{org}")
        made.rows[org] = await new_keys(org, made.service, f"org-{org}")
    return made


async def test_keys_in_hand_cost_no_call(bench: Bench) -> None:
    held = bench.keyrings()
    seals = await asyncio.gather(*(held.seal("acme") for _ in range(50)))
    assert (bench.reads, bench.service.asked) == (1, 1), "a crowd asks once"
    assert all(seal is seals[0] for seal in seals)
    for _ in range(3):
        bench.now += 70
        assert (await held.seal("acme")).open(seals[0].shut({"n": 1}, HERE), HERE) == {"n": 1}
    assert (bench.reads, bench.service.asked) == (1, 1)
    bench.now += 40  # four minutes and ten seconds: it is asked anew, and who holds the seal holds the new key
    before = seals[0].shut("before", HERE)
    assert await held.seal("acme") is seals[0]
    assert (bench.reads, bench.service.asked) == (2, 2)
    bench.now += 200
    assert seals[0].open(before, HERE) == "before"


async def test_what_one_process_sealed_another_opens(bench: Bench) -> None:
    mine, other = await bench.keyrings().seal("acme"), await bench.keyrings().seal("acme")
    assert (
        other.open(mine.shut({"n": 1}, HERE), HERE) == {"n": 1}
        and other.open_json(mine.shut_json(b"[1]", HERE), HERE) == b"[1]"
    )
    assert mine.mac("name", "x") == other.mac("name", b"x") and mine.token("tag", "x") == other.token("tag", "x")
    assert mine.shut("x", HERE)[:1] == b"\x02" and mine.shut("x", HERE) != mine.shut("x", HERE)


async def test_organisations_have_nothing_in_common(bench: Bench) -> None:
    held = bench.keyrings()
    acme, birch = await held.seal("acme"), await held.seal("birch")
    with pytest.raises(Altered):
        birch.open(acme.shut("secret", HERE), HERE)
    assert acme.mac("name", "x") != birch.mac("name", "x") and acme.mac("name", "x") != acme.mac("tag", "x")
    assert acme.token("name", "x") != birch.token("name", "x")


async def test_a_refusal_ends_every_use_and_does_not_last(bench: Bench) -> None:
    held = bench.keyrings()
    seal = await held.seal("acme")
    body = seal.shut("secret", HERE)
    await bench.service.enable("org-acme", enabled=False)
    bench.now += LIFE_S * 0.8
    assert await held.seal("acme") is seal
    for use in (seal.check, lambda: seal.open(body, HERE), lambda: seal.shut(1, HERE), lambda: seal.mac("name", "x")):
        with pytest.raises(KeyRevoked):
            use()
    asked = bench.service.asked
    await held.seal("acme")
    assert bench.service.asked == asked, "a refusal is believed for some seconds"
    assert (await held.seal("birch")).shut("fine", HERE)
    await bench.service.enable("org-acme", enabled=True)
    bench.now += 5
    assert (await held.seal("acme")).open(body, HERE) == "secret"


async def make_project(bench: Bench, held: Keyrings, org_id: str, project_id: str) -> None:
    """As a transaction that makes a project: the key is made, then stored."""
    wrapped = await held.new_project_key(org_id, project_id)
    bench.rows[org_id].data_keys[project_id] = [wrapped]


async def test_each_release_is_told_before_anybody_gets_the_key(bench: Bench) -> None:
    held = bench.keyrings()
    bench.deaf = True
    seal = await held.seal("acme")
    for _ in range(2):
        with pytest.raises(KeyUseNotLogged):
            seal.shut("x", HERE)
    bench.deaf = False
    bench.now += 5
    assert await held.seal("acme") is seal and seal.shut("x", HERE)
    (told,) = bench.told
    listed = sha256(b" 1\n").hexdigest()
    assert (told.about, told.versions, told.keys, told.list_sha256, told.key) == ("acme", "1", 1, listed, "org-acme")
    assert (told.purpose, told.process, told.refused) == ("serving", "test", 0)
    await bench.service.enable("org-acme", enabled=False)
    bench.now += LIFE_S
    for _ in range(3):
        await held.seal("acme")
        bench.now += 5
    await bench.service.enable("org-acme", enabled=True)
    await held.seal("acme")
    assert [each.refused for each in bench.told] == [0, 3], (
        "what was refused is told when there is a key to tell it with"
    )
    bench.now += 60
    await held.seal("acme")
    assert len(bench.told) == 2, "a use of what is in hand is no release"


async def test_a_key_that_another_process_rotated_is_learned(bench: Bench) -> None:
    held, other = bench.keyrings(), bench.keyrings()
    await make_project(bench, held, "acme", "p1")
    there = await other.seal("acme", "p1")
    at = At("task", "7", "p1")
    old = there.shut("old", at)
    ring = Keyring("acme", bench.service, "org-acme", bench.rows["acme"].org_keys, on_unwrap=nothing)
    stored = bench.rows["acme"].data_keys
    bench.rows["acme"] = replace(
        bench.rows["acme"], data_keys=stored | {"p1": [*stored["p1"], await ring.new_project_key("p1", 2)]}
    )
    held.forget("acme")
    new = (await held.seal("acme", "p1")).shut("new", at)
    with pytest.raises(KeyUnknown) as missing:
        there.open(new, at)
    asked = bench.service.asked
    await other.learn("acme", missing.value.project_id, missing.value.version)
    assert (there.open(new, at), there.open(old, at), bench.service.asked) == ("new", "old", asked)
    reads = bench.reads
    for _ in range(3):
        await other.learn("acme", "p1", 9)
    assert bench.reads == reads + 1, "what nobody has is looked for once"


async def nothing(_: object) -> None: ...


async def test_projects_have_keys_of_their_own(bench: Bench) -> None:
    held, other = bench.keyrings(), bench.keyrings()
    seal, there = await held.seal("acme"), await other.seal("acme")
    await make_project(bench, held, "acme", "p1")
    await make_project(bench, held, "acme", "p2")
    at = At("task", "7", "p1")
    body = seal.shut({"n": 1}, at)
    with pytest.raises(KeyUnknown):
        there.open(body, at)
    reads, asked = bench.reads, bench.service.asked
    assert await other.seal("acme", "p1") is there and there.open(body, at) == {"n": 1}
    assert (bench.reads, bench.service.asked) == (reads + 1, asked), (
        "the wrapped keys are read, the service is not asked"
    )
    for wrong in (at._replace(project="p2"), at._replace(project=""), at._replace(object="8"), at._replace(version=1)):
        with pytest.raises(Altered):
            there.open(body, wrong)
    reads = bench.reads
    assert await other.seal("acme", "p2") is there and bench.reads == reads, "one reading brings all"


async def test_a_project_key_that_is_gone_ends_alone(bench: Bench) -> None:
    held, other = bench.keyrings(), bench.keyrings()
    await make_project(bench, held, "acme", "p1")
    seal, there = await held.seal("acme"), await other.seal("acme", "p1")
    at = At("task", "7", "p1")
    body, own = seal.shut("x", at), seal.shut("own", HERE)
    del bench.rows["acme"].data_keys["p1"]
    bench.now += LIFE_S * 0.8
    for rings, lost in ((held, seal), (other, there)):
        assert await rings.seal("acme", "p1") is lost and lost.open(own, HERE) == "own"
        with pytest.raises(KeyDestroyed):
            lost.open(body, at)
    reads = bench.reads
    for _ in range(3):
        await other.seal("acme", "p1")
        await other.seal("acme", "never was")
    assert bench.reads == reads + 1, "what was looked for in vain is not looked for again"


async def test_a_project_in_the_making_survives_a_renewal(bench: Bench) -> None:
    held = bench.keyrings()
    seal = await held.seal("acme")
    bench.now += LIFE_S * 0.8 - 1
    wrapped = await held.new_project_key("acme", "p1")  # its transaction is still open when the keys are read again
    body = seal.shut("x", At("task", "7", "p1"))
    bench.now += 2
    assert await held.seal("acme") is seal and seal.open(body, At("task", "7", "p1")) == "x"
    bench.rows["acme"].data_keys["p1"] = [wrapped]
    bench.now += LIFE_S * 0.8
    assert (await held.seal("acme", "p1")).open(body, At("task", "7", "p1")) == "x"


async def test_a_revoked_key_is_not_asked_for_by_each_unknown_project(bench: Bench) -> None:
    held = bench.keyrings()
    await bench.service.enable("org-acme", enabled=False)
    for n in range(10):
        seal = await held.seal("acme", f"p{n}")
    assert bench.service.asked == 1
    with pytest.raises(KeyRevoked):
        seal.shut("x", At("task", "7", "p1"))


async def test_who_does_not_ask_again_holds_nothing_after_the_life(bench: Bench) -> None:
    seal = await bench.keyrings().seal("acme")
    bench.now += LIFE_S
    with pytest.raises(KeyNotHeld):
        seal.shut("late", HERE)


async def test_a_service_that_is_away_is_not_noticed_for_a_minute(bench: Bench) -> None:
    held = bench.keyrings()
    seal = await held.seal("acme")
    bench.service.away = True
    bench.now += LIFE_S * 0.8
    asked = bench.service.asked
    for _ in range(4):
        assert (await held.seal("acme")).shut("still", HERE)
    assert bench.service.asked == asked + 1, "it is asked every few seconds, not by everybody"
    bench.now += LIFE_S * 0.2
    with pytest.raises(KeyServiceDown):
        (await held.seal("acme")).shut("no longer", HERE)
    bench.service.away = False
    bench.now += 5
    assert await held.seal("acme") is seal and seal.shut("again", HERE)


async def test_a_silent_service_is_waited_for_by_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it asked twice at once; what it says in the end counts, and its customer's neighbours never notice."""
    monkeypatch.setattr(keyrings, "WAIT_S", 0.05)
    held = bench.keyrings()
    seal = await held.seal("acme")
    body = seal.shut("secret", HERE)
    bench.service.silent = asyncio.Event()
    bench.now += LIFE_S * 0.8
    asked = bench.service.asked
    for _ in range(3):
        again = await asyncio.wait_for(held.seal("acme"), 5)
        assert again.open(body, HERE) == "secret", "the key in hand serves to its end"
        bench.now += 6
    bench.now += LIFE_S * 0.2
    for _ in range(2):
        with pytest.raises(KeyServiceDown, match="has not answered"):
            (await asyncio.wait_for(held.seal("acme"), 5)).check()
        bench.now += 6
    assert bench.service.asked == asked + 1
    bench.service.silent.set()
    bench.service.silent = None
    for _ in range(20):
        await asyncio.sleep(0)
    bench.now += 6
    assert (await held.seal("acme")).open(body, HERE) == "secret"


async def test_an_answer_that_opens_nothing_is_the_customers_trouble_alone(bench: Bench) -> None:
    for wrong in (Altered("This wrapped key"), UnsafeAddress("The address leads into a private network.")):
        held = bench.keyrings()
        bench.service.wrong = wrong
        with pytest.raises(KEYLESS, match="gave no usable key"):
            (await held.seal("acme")).check()
        bench.service.wrong = None
        bench.now += 5
        (await held.seal("acme")).check()


async def test_without_wrapped_keys_all_is_destroyed(bench: Bench) -> None:
    held = bench.keyrings()
    seal = await held.seal("acme")
    del bench.rows["acme"]
    bench.now += LIFE_S * 0.8
    assert await held.seal("acme") is seal
    for lost in (seal, await held.seal("nobody")):
        with pytest.raises(KeyDestroyed):
            lost.check()


async def test_keys_that_nobody_needs_are_let_go(bench: Bench) -> None:
    held = bench.keyrings()
    idle = await held.seal("acme")
    bench.now += LIFE_S
    await held.seal("birch")
    bench.now -= LIFE_S  # were it still there, it would be good again at this hour
    with pytest.raises(KeyNotHeld):
        idle.shut("x", HERE)
    assert (await held.seal("acme")).shut("x", HERE)


async def test_a_failing_database_is_raised_and_not_remembered(bench: Bench) -> None:
    bench.closed = True
    held = bench.keyrings()
    with pytest.raises(ConnectionError):
        await held.seal("acme")
    bench.closed = False
    assert (await held.seal("acme")).shut("x", HERE)


async def test_what_is_not_sealed_says_so(bench: Bench) -> None:
    seal = await bench.keyrings().seal("acme")
    for body in (b"\x00{}", b"", b"\x01" + seal.shut({}, HERE)[1:]):
        with pytest.raises(NotSealed, match="version"):
            seal.open(body, HERE)
    sealed = seal.shut({"a": 1}, HERE)
    for broken in (sealed[:-1], sealed[:3], sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]):
        with pytest.raises((Altered, KeyNotHeld, KeyDestroyed)):
            seal.open(broken, HERE)


def test_the_platform_has_a_seal_of_its_own() -> None:
    keys = Keys(b"k" * 32)
    body = platform_seal(keys).shut({"name": "Acme"}, HERE)
    assert platform_seal(keys).open(body, HERE) == {"name": "Acme"} and b"Acme" not in body
    with pytest.raises(Altered):
        platform_seal(Keys(b"l" * 32)).open(body, HERE)
    assert platform_seal(keys).mac("email", "a@b.c") == keys.mac("mac/email", "a@b.c")
