"""The log from an act to its evidence: what happened is taken in, proved, and checked by the verifier that customers have."""

import asyncio
import io
import shutil
from pathlib import Path

import asyncpg
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evenhand.features.people.actions import create_org
from evenhand.features.projects.types import ProjectCreated
from evenhand.features.trust import sequencer, store
from evenhand.features.trust.bundles import Evidence, NothingYet
from evenhand.features.trust.sequencer import publish, tick
from evenhand.features.trust.status import log_status
from evenhand.features.trust.types import Log
from evenhand.infra.db import Actor
from evenhand.infra.facts import micros, record
from evenhand.infra.logfiles import LogFiles
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from evenhand.pure.log.bundle import Bundle
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.checks import Question, verify
from evenhand.pure.log.merkle import root_of
from evenhand.pure.log.notes import LOG_KEY
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.report import OK, Report
from evenhand.pure.log.signing import Signer
from evenhand.pure.log.tiles import TileNodes
from tests.conftest import World, settings_for

pytestmark = pytest.mark.anyio
OWNER = Actor("person", "0" * 24, role="owner")
_FIELDS = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}


def log_in(folder: Path, *, epoch_s: float = 1e9) -> Log:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signer = Signer.of("log.example/evenhand", LOG_KEY, private)
    return Log(signer, LogFiles(folder / "log"), b"s" * 32, {"software": "test"}, epoch_s)


async def work(world: World, key: str, person: str, tasks: int, done: int) -> None:
    """Somebody sends tasks, and somebody does some of them."""
    api = world.keyed(key)
    made = await api.post("/api/v1/projects", json={"name": f"P{tasks}", "medium": "text", "ontology": _FIELDS})
    lines = "\n".join(f'{{"data":{{"text":"one {n}"}}}}' for n in range(tasks))
    await api.post(f"/api/v1/projects/{made.json()['id']}/tasks/bulk", content=lines)
    await world.drain()
    ann = await world.browser(person)
    for n in range(done):
        lease = (await ann.post("/work/next", {"want": 1})).json()["assignments"][0]
        answer = {"annotations": [{"id": "a", "kind": "text", "field": "mood", "text": "fine"}]}
        said = await ann.post(f"/work/{lease['handle']}/submit", {"key": f"k{n}", "answer": answer, "seconds": 1})
        assert said.status_code == 200, said.text
    await world.drain()


async def end_epoch(world: World, this: Log) -> int:
    async with world.db.narrow("sequencer") as door:
        await door.conn.execute("update evenhand.log_state set wanted = true")
    done = await tick(world.db, this)
    assert done.epoch is not None
    return done.epoch


async def bundle_of(world: World, this: Log, org: str, saved: list[int] | None = None) -> bytes:
    async with world.db.narrow("sequencer") as door:
        epoch = await sequencer.store.LAST_EPOCH.one(door, published=2**62)
    with Evidence(this.files, this.secret, epoch) as evidence:
        async with world.db.tx(org, OWNER, read_only=True) as tx:
            await evidence.gather(tx)
        out = io.BytesIO()
        await evidence.write(world.db, out, saved or [])
    return out.getvalue()


def checked(raw: bytes, this: Log, *, since: bytes | None = None) -> Report:
    policy = Policy.parse(f"log {this.signer.key}\nquorum none\n".encode())
    saved = Checkpoint.parse(since) if since is not None else None
    return verify(Bundle(io.BytesIO(raw)), Question(this.signer.key, policy, since=saved))


def faults(report: Report) -> list[str]:
    return [str(fault) for check in report.checks.values() for fault in check.faults]


async def test_two_rivals_each_check_their_own_part(world: World, tmp_path: Path) -> None:
    this = log_in(tmp_path)
    acme, zenith = await world.customer("Acme"), await world.customer("Zenith")
    await world.worker("ann@people.example", acme.live, shared=True)
    await world.worker("bob@people.example", zenith.live, shared=True)
    await work(world, acme.live_key, "ann@people.example", 5, 3)
    await tick(world.db, this)
    first = this.files.checkpoint()
    await work(world, zenith.live_key, "bob@people.example", 4, 4)
    await end_epoch(world, this)
    await work(world, acme.live_key, "ann@people.example", 3, 2)
    await end_epoch(world, this)
    assert first is not None
    for org in (acme.live, zenith.live):
        raw = await bundle_of(world, this, org, [Checkpoint.parse(first).size])
        report = checked(raw, this, since=first)
        assert faults(report) == []
        for name in ("signature", "since", "consistency", "epochs", "inclusion", "completeness", "order"):
            assert report.check(name).status == OK, report.as_text()
        kinds = [event.kind for event in Bundle(io.BytesIO(raw)).events()]
        assert kinds[0] == "log.opened"
        assert kinds.count("TaskLeased") == kinds.count("AnnotationSubmitted") == (5 if org == acme.live else 4)
        async with world.db.tx(org, OWNER) as tx:
            count = await tx.conn.fetchval("select count(*) from evenhand.fact where org_id = $1", org)
        assert len(kinds) == count + 1
    tree = TileNodes(this.files.tile, Checkpoint.parse(this.files.checkpoint() or b"").size)
    assert root_of(tree, tree.size) == Checkpoint.parse(this.files.checkpoint() or b"").root


async def waiting(world: World) -> list[tuple[str, int, int]]:
    """What is committed and has no place: kind, transaction and time (microseconds), in the order of transactions."""
    async with world.db.narrow("sequencer") as door:
        rows = await door.conn.fetch(
            "select f.org_id, f.fact_id, f.xid::text::bigint as xid, f.at from evenhand.fact f where not exists"
            " (select from evenhand.log_place p where p.org_id = f.org_id and p.fact_id = f.fact_id) order by f.xid"
        )
    return [(row["fact_id"], row["xid"], micros(row["at"])) for row in rows]


async def test_a_transaction_that_is_held_open_is_waited_for_and_not_skipped(world: World, tmp_path: Path) -> None:
    """What commits late has a lower number than what others did meanwhile. None of that gets a place before it: else the late
    one would be overtaken, or skipped for good. The log says that it is late; afterwards everything has its place, in order."""
    this = log_in(tmp_path)
    acme, zenith = await world.customer("Acme"), await world.customer("Zenith")
    quick: list[str] = []
    async with world.db.tx(acme.live, OWNER) as late:
        first = await record(late, ProjectCreated("1" * 24, "late"))
        number = int(await late.conn.fetchval("select pg_current_xact_id()::text"))
        for n in range(3):
            async with world.db.tx(zenith.live, OWNER) as other:
                quick.append(await record(other, ProjectCreated("2" * 24, f"quick {n}")))
        held: list[tuple[str, int, int]] = []
        for _ in range(2):
            await tick(world.db, this)
            held = await waiting(world)
            assert [fact for fact, xid, _ in held if xid >= number] == quick, "nothing above it has a place"
        oldest = min(at for _, _, at in held)
        for after_s, late_s in ((5, 0), (9, 4), (3600, 3595)):
            status = await log_status(world.db, lambda at=oldest + after_s * 1_000_000: at)
            assert status.late_s == late_s, "that it waits for more than five seconds is there for everybody to see"
    async with asyncio.timeout(120):  # other databases of this server may hold transactions open as well
        while any(fact in {first, *quick} for fact, _, _ in await waiting(world)):
            await tick(world.db, this)
    await end_epoch(world, this)
    async with world.db.narrow("sequencer") as door:
        rows = await door.conn.fetch("select fact_id, sequenced from evenhand.log_place")
    sequenced = {row["fact_id"]: row["sequenced"] for row in rows}
    assert all(sequenced[first] <= sequenced[fact] for fact in quick)
    for org, kinds in ((acme.live, ["late"]), (zenith.live, ["quick 0", "quick 1", "quick 2"])):
        raw = await bundle_of(world, this, org)
        assert faults(checked(raw, this)) == []
        told = [e.data["kind"] for e in Bundle(io.BytesIO(raw)).events() if e.kind == "ProjectCreated"]
        assert told == kinds


async def test_any_number_of_sequencers_give_each_event_one_place(world: World, tmp_path: Path) -> None:
    this = log_in(tmp_path)
    acme = await world.customer("Acme")

    async def act(n: int) -> None:
        async with world.db.tx(acme.live, OWNER) as tx:
            await record(tx, ProjectCreated("1" * 24, f"{n}"))

    async with asyncio.TaskGroup() as group:
        for n in range(40):
            group.create_task(act(n))
            if n % 4 == 0:
                group.create_task(tick(world.db, this))
    await end_epoch(world, this)
    raw = await bundle_of(world, this, acme.live)
    report = checked(raw, this)
    assert faults(report) == [] and report.check("completeness").status == OK
    told = [e.data["kind"] for e in Bundle(io.BytesIO(raw)).events() if e.kind == "ProjectCreated"]
    assert sorted(told, key=int) == [str(n) for n in range(40)]


async def test_a_sequencer_that_waited_for_another_one_does_not_go_back(world: World, tmp_path: Path) -> None:
    """Which transactions run it may have seen before it got the state, which is further by then: nothing gets a second place."""
    this = log_in(tmp_path)
    acme = await world.customer("Acme")
    async with world.db.tx(acme.live, OWNER) as tx:
        await record(tx, ProjectCreated("1" * 24, "placed"))
    await tick(world.db, this)
    async with world.db.narrow("sequencer") as door:
        state = dict(await store.STATE_LOCK.one(door))
        found, more = await sequencer._waiting(door, state | {"horizon": "3"})  # pyright: ignore[reportPrivateUsage]
    assert found.upto == state["xid"] and not found.whose and not more


async def test_files_that_are_lost_are_written_again_from_the_database(world: World, tmp_path: Path) -> None:
    this = log_in(tmp_path)
    acme = await world.customer("Acme")
    for _ in range(20):
        async with world.db.tx(acme.live, OWNER) as tx:
            await record(tx, ProjectCreated("1" * 24, "x"))
        await tick(world.db, this)
    await end_epoch(world, this)
    files = {p.relative_to(tmp_path / "log"): p.read_bytes() for p in (tmp_path / "log").rglob("*") if p.is_file()}
    shutil.rmtree(tmp_path / "log")
    await publish(world.db, this)
    again = {p.relative_to(tmp_path / "log"): p.read_bytes() for p in (tmp_path / "log").rglob("*") if p.is_file()}
    assert all(files[name] == again[name] for name in again)
    assert {name for name in files if ".p" not in str(name)} <= set(again)
    assert faults(checked(await bundle_of(world, this, acme.live), this)) == []


async def test_a_restored_database_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    """Another cluster counts its transactions anew: what had a place keeps it, what had none gets one, nothing twice."""
    this = log_in(tmp_path)
    acme = await world.customer("Acme")
    async with world.db.tx(acme.live, OWNER) as tx:
        await record(tx, ProjectCreated("1" * 24, "before"))
    await tick(world.db, this)
    async with world.db.tx(acme.live, OWNER) as tx:
        await record(tx, ProjectCreated("1" * 24, "between"))
    async with world.db.narrow("sequencer") as door:  # as after a restore: numbers of another cluster, far ahead
        await door.conn.execute("update evenhand.log_state set system_id = 1, xid = '900000000000'")
    await tick(world.db, this)
    async with world.db.tx(acme.live, OWNER) as tx:
        await record(tx, ProjectCreated("1" * 24, "after"))
    await end_epoch(world, this)
    raw = await bundle_of(world, this, acme.live)
    assert faults(checked(raw, this)) == []
    told = [e.data["kind"] for e in Bundle(io.BytesIO(raw)).events() if e.kind == "ProjectCreated"]
    assert told == ["before", "between", "after"]


async def test_numbers_of_another_cluster_are_passed_without_a_second_place(
    world: World, tmp_path: Path, urls: DatabaseUrls
) -> None:
    """What came along has numbers that the new cluster reaches later, in the middle of its own: each event is taken in once."""
    this = log_in(tmp_path)
    acme = await world.customer("Acme")
    told: list[str] = []

    async def act(name: str) -> None:
        told.append(name)
        async with world.db.tx(acme.live, OWNER) as tx:
            await record(tx, ProjectCreated("1" * 24, name))

    await act("placed")
    await tick(world.db, this)
    await act("not placed")
    with psycopg.connect(urls.owner) as owner:  # as if the other cluster had been 60 transactions ahead
        owner.execute("alter table evenhand.fact no force row level security")
        owner.execute("update evenhand.fact set xid = (xid::text::bigint + 60)::text::xid8")
        owner.execute("alter table evenhand.fact force row level security")
    async with world.db.narrow("sequencer") as door:
        await door.conn.execute("update evenhand.log_state set system_id = 1, xid = '900000000000'")
        highest = int(await store.NEWEST.value(door))
    passed = 0
    async with asyncio.timeout(120):  # other databases of this server may hold transactions open as well
        while passed <= highest:
            for n in range(10):
                await act(f"after {passed} {n}")
            await tick(world.db, this)
            async with world.db.narrow("sequencer") as door:
                state = await store.STATE_LOCK.one(door)
                passed = int(state["xid"])
                assert state["mixed"] == (passed <= highest), "from then on nothing needs to be looked up"
        while await waiting(world):
            await tick(world.db, this)
    await end_epoch(world, this)
    raw = await bundle_of(world, this, acme.live)
    assert faults(checked(raw, this)) == []
    names = [e.data["kind"] for e in Bundle(io.BytesIO(raw)).events() if e.kind == "ProjectCreated"]
    assert sorted(names) == sorted(told)


async def test_files_that_a_crash_left_behind_are_brought_up_to_date(world: World, tmp_path: Path) -> None:
    """A batch is committed before its tiles are written: the next one writes what is missing, from the database."""
    this = log_in(tmp_path)
    folder, behind, shown = tmp_path / "log", tmp_path / "behind", 0
    acme = await world.customer("Acme")
    for n in range(21):
        if n == 5:
            shutil.copytree(folder, behind)
        async with world.db.tx(acme.live, OWNER) as tx:
            await record(tx, ProjectCreated("1" * 24, f"{n}"))
        size = (await tick(world.db, this)).size
        if n == 4:
            shown = size
    shutil.copytree(folder, tmp_path / "right")
    shutil.rmtree(folder)
    behind.rename(folder)
    async with world.db.narrow("sequencer") as door:
        await store.PUBLISHED_SET.run(door, size=shown)
    await tick(world.db, this)
    for path in (tmp_path / "right").rglob("*"):
        if path.is_file() and "tile" in path.parts and ".p" not in str(path):
            assert (folder / path.relative_to(tmp_path / "right")).read_bytes() == path.read_bytes()
    await end_epoch(world, this)
    assert faults(checked(await bundle_of(world, this, acme.live), this)) == []


async def test_a_commitment_of_another_length_is_refused(world: World) -> None:
    """Digests are read one after another: one byte less would move those of everybody else."""
    acme = await world.customer("Acme")
    async with world.db.tx(acme.live, OWNER) as tx:
        fact = await record(tx, ProjectCreated("1" * 24, "whole"))
    for length in (31, 33):
        with pytest.raises(asyncpg.CheckViolationError, match="digest_check"):
            async with world.db.tx(acme.live, OWNER) as tx:
                await tx.conn.execute(
                    "insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, at, salt, digest, body)"
                    " select org_id, 'f', kind, actor_kind, actor_id, about_id, at, salt, $2, body from evenhand.fact"
                    " where fact_id = $1",
                    fact, bytes(length),
                )  # fmt: skip


async def test_what_an_observer_sees_is_a_size_class(world: World, tmp_path: Path) -> None:
    this = log_in(tmp_path)
    acme = await world.customer("Acme")
    await tick(world.db, this)
    sizes: list[int] = []
    for acts in (0, 1, 12, 16, 17, 60):
        before = (await tick(world.db, this)).size
        async with world.db.tx(acme.live, OWNER) as tx:
            for n in range(acts):
                await record(tx, ProjectCreated("1" * 24, f"{n}"))
        sizes.append((await tick(world.db, this)).size - before)
    assert sizes == [16, 16, 16, 16, 64, 64]


async def test_nobody_has_evidence_before_anything_happened(world: World, tmp_path: Path) -> None:
    this = log_in(tmp_path)
    await world.customer("Acme")
    silent = await create_org(world.db, "Silent")
    await end_epoch(world, this)
    async with world.db.narrow("sequencer") as door:
        epoch = await sequencer.store.LAST_EPOCH.one(door, published=2**62)
    async with world.db.tx(silent.id, OWNER) as tx:
        with pytest.raises(NothingYet), Evidence(this.files, this.secret, epoch) as evidence:
            await evidence.gather(tx)


async def test_an_altered_fact_is_found(world: World, tmp_path: Path, urls: DatabaseUrls) -> None:
    """Somebody with the owner's rights changes who did something: the customer's own check names the event."""
    this = log_in(tmp_path)
    acme = await world.customer("Acme")
    for n in range(3):
        async with world.db.tx(acme.live, OWNER) as tx:
            await record(tx, ProjectCreated("1" * 24, f"{n}"))
    await end_epoch(world, this)
    async with world.db.tx(acme.live, OWNER) as tx:
        fact = await tx.conn.fetchval(
            "select fact_id from evenhand.fact where kind = 'ProjectCreated' order by fact_id offset 1 limit 1"
        )
        body = tx.seal.shut({"actor": "somebody else", "actor_kind": "person", "kind": "1"}, At("fact", fact))
    with psycopg.connect(urls.owner) as owner:
        owner.execute("alter table evenhand.fact no force row level security")
        changed = owner.execute(
            "update evenhand.fact set body = %s where fact_id = %s",
            (body, fact),
        )
        assert changed.rowcount == 1
        owner.execute("alter table evenhand.fact force row level security")
    found = faults(checked(await bundle_of(world, this, acme.live), this))
    assert found and any("alter" in one for one in found), found


async def test_the_public_part_over_http(world: World, tmp_path: Path) -> None:
    """Key, policy, checkpoint and tiles are there for everybody; what is no tile is not found."""
    this = log_in(settings_for(tmp_path).home.path)
    this.files.put_key(str(this.signer.key))
    api = world.client()
    assert (await api.get("/log/checkpoint")).status_code == 404
    for _ in range(20):
        await tick(world.db, this)
    assert (await api.get("/log/key")).text == f"{this.signer.key}\n"
    Policy.parse((await api.get("/log/policy")).content)
    head = Checkpoint.parse((await api.get("/log/checkpoint")).content)
    head.signed_by(this.signer.key)
    assert head.size == 320
    whole = await api.get("/log/tile/0/000")
    assert len(whole.content) == 256 * 32 and "immutable" in whole.headers["cache-control"]
    assert len((await api.get("/log/tile/0/001.p/64")).content) == 64 * 32
    assert (await api.get("/log/tile/0/000.p/16")).content == whole.content[: 16 * 32]
    for path in ("0/002", "0/../../keys/log.key", "0/1", "9/000", "entries/777", "0/000.p/0"):
        assert (await api.get(f"/log/tile/{path}")).status_code == 404, path
