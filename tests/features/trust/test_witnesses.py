"""Witnesses from the log's side: evidence carries their cosignatures, and neither a dead nor a lying one delays anything."""

import asyncio
import io
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evenhand.app.cli.witnessing import Server, serve
from evenhand.app.witness import Looked, Witness, find_key, look
from evenhand.features.projects.types import ProjectCreated
from evenhand.features.trust import bundles, witnesses
from evenhand.features.trust.bundles import newest_epoch
from evenhand.features.trust.sequencer import run, tick
from evenhand.features.trust.status import log_status
from evenhand.features.trust.types import Log
from evenhand.infra.facts import now_us, record
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.witnessfiles import WitnessFiles
from evenhand.pure.log.bundle import Bundle
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.checks import Question, verify
from evenhand.pure.log.notes import WITNESS_KEY
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.report import OK, Report
from evenhand.pure.log.signing import Signer, cosignature, sign_checkpoint
from evenhand.pure.trouble import Conflict, Invalid, Missing
from tests.conftest import World, settings_for
from tests.features.trust.test_log import OWNER, bundle_of, end_epoch, log_in
from tests.serving import free_port

pytestmark = pytest.mark.anyio
UNWATCHED = Policy.parse(b"quorum none\n")


@asynccontextmanager
async def standing(folder: Path, this: Log, clock: float | None = None) -> AsyncIterator[tuple[Witness, str]]:
    """A witness that serves, and its address. clock: a time at which its own stands."""
    files = WitnessFiles(folder, folder.name)
    files.add_log(this.signer.key, "")
    one = Witness(files) if clock is None else Witness(files, lambda: clock)
    port, stop = free_port(), asyncio.Event()
    serving = asyncio.create_task(serve(one, "127.0.0.1", port, stop))
    while True:
        try:
            _, out = await asyncio.open_connection("127.0.0.1", port)
            out.close()
            await out.wait_closed()
            break
        except OSError:
            await asyncio.sleep(0.01)
    yield one, f"http://127.0.0.1:{port}"
    stop.set()
    await serving
    files.close()


async def act(world: World, org: str, what: str) -> None:
    async with world.db.tx(org, OWNER) as tx:
        await record(tx, ProjectCreated("1" * 24, what))


async def policy_of(world: World, this: Log) -> Policy:
    return Policy.parse(f"log {this.signer.key}\n{await witnesses.policy_words(world.db)}".encode())


def report(raw: bytes, this: Log, policy: Policy) -> Report:
    return verify(Bundle(io.BytesIO(raw)), Question(this.signer.key, policy))


async def test_evidence_carries_cosignatures_whatever_the_dead_and_the_lying_do(world: World, tmp_path: Path) -> None:
    this, acme = log_in(tmp_path), await world.customer("Acme")
    asked = asyncio.Event()

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.readuntil(b"\r\n\r\n")
        liar = Signer.of("liar", WITNESS_KEY, Ed25519PrivateKey.generate())
        note = Checkpoint.parse(sign_checkpoint(this.signer, 1, bytes(32)))
        said = cosignature(liar, note, int(time.time())).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(said) + said)
        await writer.drain()
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(1)  # longer than the log takes for all the rest
        writer.close()

    lying = await asyncio.start_server(lie, "127.0.0.1", 0)
    mute = await asyncio.start_server(silent, "127.0.0.1", 0)
    keys = [Signer.of(name, WITNESS_KEY, Ed25519PrivateKey.generate()).key for name in ("lying", "mute", "gone")]
    where = [f"http://127.0.0.1:{one.sockets[0].getsockname()[1]}" for one in (lying, mute)]
    async with standing(tmp_path / "a", this) as (a, a_at), standing(tmp_path / "b", this) as (b, b_at):
        words = witnesses.NOBODY
        for name, key, at in (
            ("a", a.key, a_at), ("b", b.key, b_at), ("lying", keys[0], where[0]), ("mute", keys[1], where[1]),
            ("gone", keys[2], f"http://127.0.0.1:{free_port()}"),
        ):  # fmt: skip
            words = witnesses.with_witness(words, name, str(key), at)
        words = words.replace("group majority 3", "group majority 2")
        await witnesses.set_policy(world.db, words)
        asking = witnesses.Asking(world.db, this)
        for n in range(3):
            await act(world, acme.live, f"{n}")
            await end_epoch(world, this)
            begun = time.monotonic()
            await asking.round()
            assert (await tick(world.db, this)).size and time.monotonic() - begun < 2, "a witness holds the log up"
            policy = await policy_of(world, this)
            while not witnesses.is_met(policy, await bundle_head(world)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        checked = report(await bundle_of(world, this, acme.live), this, policy)
        assert not any(c.faults for c in checked.checks.values()), checked.as_text()
        assert checked.check("witnesses").status == checked.check("times").status == OK
        assert asked.is_set()
        await asking.round()
        assert Checkpoint.parse(this.files.epoch() or b"").cosigned_at(a.key) is not None
        async with world.db.narrow("sequencer") as door:
            told = json.loads((await witnesses.store.LAST_EPOCH.one(door, published=2**62))["record"])["public"]
        assert told == {"software": "test", "policy": witnesses.policy_hash(words)}
        await asking.settled()
    mute.close()
    lying.close()


async def test_a_witness_that_named_a_wrong_size_is_asked_again(world: World, tmp_path: Path) -> None:
    """One that says it has cosigned what this log never had, or what it had long ago: it is heard when it comes to its senses."""
    this, acme = log_in(tmp_path), await world.customer("Acme")
    says: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        said = one.add(body) if not says else None
        status, words = (said.status, said.body.encode()) if said is not None else (409, says[0])
        writer.write(b"HTTP/1.1 %d X\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (status, len(words)) + words)
        await writer.drain()
        writer.close()

    files = WitnessFiles(tmp_path / "w", "w")
    files.add_log(this.signer.key, "")
    one, listening = Witness(files), await asyncio.start_server(answer, "127.0.0.1", 0)
    at = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    await witnesses.set_policy(world.db, witnesses.with_witness(witnesses.NOBODY, "w", str(one.key), at))
    now = [0.0]
    asking = witnesses.Asking(world.db, this, lambda: now[0])
    for wrong in (b"%d\n" % 10**12, b"0\n", b"many\n"):
        await act(world, acme.live, "x")
        await end_epoch(world, this)
        says[:] = [wrong]
        for cosigned in (False, True):
            await asking.round()
            await asking.settled()
            assert (Checkpoint.parse(await bundle_head(world)).cosigned_at(one.key) is not None) == cosigned, wrong
            says.clear()
            now[0] += witnesses._MOST_WAIT_S
    for reached_otherwise in (False, True):  # it erred, its cosignature came all the same: it is asked at once again
        await act(world, acme.live, "x")
        await end_epoch(world, this)
        says[:] = [] if reached_otherwise else [b"many\n"]
        await asking.round()
        await asking.settled()
        assert (Checkpoint.parse(await bundle_head(world)).cosigned_at(one.key) is not None) == reached_otherwise
        says.clear()
        other = witnesses.Asking(world.db, this, lambda: now[0])
        await other.round()
        await other.settled()
        await asking.round()
    listening.close()
    files.close()


async def bundle_head(world: World) -> bytes:
    async with world.db.narrow("sequencer") as door:
        return (await witnesses.store.LAST_EPOCH.one(door, published=2**62))["checkpoint"]


async def forge(world: World, this: Log, urls: DatabaseUrls) -> None:
    """Somebody with the log's key and the owner's rights begins its history anew."""
    with psycopg.connect(urls.owner) as owner:
        owner.execute("truncate evenhand.log_place, evenhand.log_batch, evenhand.log_epoch, evenhand.log_member")
        owner.execute("alter table evenhand.log_state no force row level security")
        changed = owner.execute(
            "update evenhand.log_state set xid = '0', size = 0, roots = '', epoch = 0, ended = 0, batch_at = 0, epoch_at = 0,"
            " published = 0"
        )
        assert changed.rowcount == 1
        owner.execute("alter table evenhand.log_state force row level security")
    shutil.rmtree(this.files.folder)


async def test_a_fork_is_refused_by_the_witness_and_named_by_verify(
    world: World, tmp_path: Path, urls: DatabaseUrls
) -> None:
    this, acme = log_in(tmp_path), await world.customer("Acme")
    async with standing(tmp_path / "w", this) as (one, at):
        await witnesses.set_policy(world.db, witnesses.with_witness(witnesses.NOBODY, "w", str(one.key), at))
        asking = witnesses.Asking(world.db, this)
        await act(world, acme.live, "as it was")
        await end_epoch(world, this)
        await asking.round()
        await asking.settled()
        policy = await policy_of(world, this)
        honest = await bundle_of(world, this, acme.live)
        assert report(honest, this, policy).exit == 0, report(honest, this, policy).as_text()
        size, root = one.latest(this.signer.key.name)
        await forge(world, this, urls)
        for _ in range(2):
            await act(world, acme.live, "as somebody wishes that it had been")
            await end_epoch(world, this)
            await asking.round()
            await asking.settled()
        forged = report(await bundle_of(world, this, acme.live), this, policy)
        assert one.latest(this.signer.key.name) == (size, root), "it cosigned a second history"
        assert [fault.name for fault in forged.check("witnesses").faults] == ["forked"], forged.as_text()
        for seen in (forged, report(await bundle_of(world, this, acme.live), this, UNWATCHED)):
            assert seen.check("signature").status == OK  # the key that signed is the log's own


async def test_a_log_whose_clock_is_set_back_is_told_by_the_witnesses_times(world: World, tmp_path: Path) -> None:
    this, acme = log_in(tmp_path), await world.customer("Acme")
    async with standing(tmp_path / "w", this) as (one, at):
        await witnesses.set_policy(world.db, witnesses.with_witness(witnesses.NOBODY, "w", str(one.key), at))
        asking = witnesses.Asking(world.db, this)
        await act(world, acme.live, "yesterday, as the log will say")
        async with world.db.narrow("sequencer") as door:
            await door.conn.execute("update evenhand.log_state set wanted = true, batch_at = 0")
        await tick(world.db, this, lambda: now_us() + 86_400_000_000)
        await asking.round()
        await asking.settled()
        seen = report(await bundle_of(world, this, acme.live), this, await policy_of(world, this))
        (fault,) = seen.check("times").faults
        assert fault.name == "back-dated" and fault.where["field"] == "time", seen.as_text()


async def test_a_customer_that_looks_at_the_log_is_a_witness(world: World, tmp_path: Path) -> None:
    """By HTTP: it finds the epoch and its proof, keeps what it saw, and brings the log its cosignature."""
    this, acme = log_in(settings_for(tmp_path).home.path), await world.customer("Acme")
    this.files.put_key(str(this.signer.key))
    port, stop = free_port(), asyncio.Event()
    config = uvicorn.Config(world.app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    address = f"http://127.0.0.1:{port}/log"
    files = WitnessFiles(tmp_path / "mine", "customer.example")
    one = Witness(files)
    assert await find_key(address) == this.signer.key
    files.add_log(this.signer.key, address)
    words = witnesses.with_witness(witnesses.NOBODY, "customer", str(one.key), "")
    await witnesses.set_policy(world.db, words)
    asking = witnesses.Asking(world.db, this)
    for n in range(3):
        await act(world, acme.live, f"{n}")
        for _ in range(9 * n):
            await tick(world.db, this)
        await end_epoch(world, this)
        await asking.round()
        seen = await look(one, this.signer.key.name, address)
        assert seen == Looked(this.signer.key.name, one.latest(this.signer.key.name)[0], taken=True), seen
        assert witnesses.is_met(await policy_of(world, this), await bundle_head(world))
    await asking.round()
    assert await look(one, this.signer.key.name, address) == seen
    async with httpx.AsyncClient(trust_env=False) as client:
        words = (await client.get(f"{address}/policy")).content
    good = report(await bundle_of(world, this, acme.live), this, Policy.parse(words))
    assert good.exit == 0 and good.check("witnesses").status == OK, good.as_text()
    before = one.latest(this.signer.key.name)
    this.files.put_epoch(sign_checkpoint(this.signer, before[0], bytes(32)))
    assert "refused (409)" in (await look(one, this.signer.key.name, address)).fault
    this.files.put_epoch(sign_checkpoint(this.signer, before[0] + 16, bytes(32)))
    assert "no proof" in (await look(one, this.signer.key.name, address)).fault
    this.files.put_epoch(sign_checkpoint(this.signer, 16, bytes(32)))
    assert "shorter" in (await look(one, this.signer.key.name, address)).fault
    assert one.latest(this.signer.key.name) == before
    server.should_exit = True
    await serving
    stop.set()
    files.close()


async def test_what_strangers_bring_is_not_taken(world: World, tmp_path: Path) -> None:
    this, acme = log_in(settings_for(tmp_path).home.path), await world.customer("Acme")
    await act(world, acme.live, "x")
    await end_epoch(world, this)
    stranger = Signer.of("stranger", WITNESS_KEY, Ed25519PrivateKey.generate())
    head = Checkpoint.parse(await bundle_head(world))
    api = world.client()
    line = cosignature(stranger, head, int(time.time()))
    text = head.note.text + "\n"
    said = await api.post("/log/cosign", content=text + line)
    assert (said.status_code, said.json()) == (202, {"wanted": False})
    for content, status in (
        (b"nonsense", 400),
        (text.replace(f"\n{head.size}\n", "\n99\n") + line, 404),
        (b"x" * 40_000, 413),
    ):
        assert (await api.post("/log/cosign", content=content)).status_code == status
    assert await bundle_head(world) == head.note.text.encode() + b"\n" + (await bundle_head(world)).split(b"\n\n")[1]


async def test_a_policy_is_read_before_it_is_believed(world: World) -> None:
    key = Signer.of("w", WITNESS_KEY, Ed25519PrivateKey.generate()).key
    words = witnesses.with_witness(witnesses.NOBODY, "w", str(key), "https://w.example")
    with pytest.raises(Conflict):
        witnesses.with_witness(words, "w", str(key), "")
    with pytest.raises(Missing):
        witnesses.without_witness(words, "v")
    assert witnesses.without_witness(words, "w") == witnesses.NOBODY
    for wrong in ("", "quorum w\n", f"log {key}\nquorum none\n", words.replace("https:", "gopher:")):
        with pytest.raises(Invalid):
            await witnesses.set_policy(world.db, wrong)
    assert await witnesses.policy_words(world.db) == witnesses.NOBODY


async def test_that_the_log_is_late_shows_and_nothing_else(world: World, tmp_path: Path) -> None:
    this, acme = log_in(tmp_path), await world.customer("Acme")
    await tick(world.db, this)
    assert (await log_status(world.db)).late_s == 0
    await act(world, acme.live, "x")
    late = await log_status(world.db, lambda: now_us() + 65_000_000)
    assert 58 <= late.late_s <= 62
    shown = (await world.client().get("/log/status")).json()
    assert shown["late_s"] == 0 and shown["size"] == 16
    await tick(world.db, this)
    assert (await log_status(world.db)).late_s == 0


async def test_a_bundle_waits_for_its_witnesses_but_not_long(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    this, acme = log_in(tmp_path), await world.customer("Acme")
    monkeypatch.setattr(bundles, "COSIGN_S", 0.5)
    stop = asyncio.Event()
    ticking = asyncio.create_task(run(world.db, this, stop, batch_s=0.05))
    await act(world, acme.live, "x")
    key = Signer.of("w", WITNESS_KEY, Ed25519PrivateKey.generate()).key
    policy = Policy.parse(f"witness w {key}\nquorum w\n".encode())
    begun = time.monotonic()
    found = await newest_epoch(world.db, policy)
    assert 0.5 <= time.monotonic() - begun < 5 and not witnesses.is_met(policy, found["checkpoint"])
    stop.set()
    await ticking
