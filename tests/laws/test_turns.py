"""The laws of the scheduler, over the real database: names do not count, nobody starves, and nothing is lost by a crash."""

import asyncio
import json
import random
import sys
from dataclasses import asdict
from pathlib import Path

import asyncpg
import psycopg
import pytest

from evenhand.features.people.actions import create_org
from evenhand.features.tasks import turns_store as store
from evenhand.features.tasks.turns import Replica, Turns, open_class
from evenhand.features.trust.turns import Keeper
from evenhand.infra.db import SYSTEM, Database, Narrow
from evenhand.infra.ids import new_id
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from evenhand.pure.fairness.bounds import Extent, wait_limit_ms
from evenhand.pure.fairness.journal import decode, stored
from evenhand.pure.fairness.ledger import Charge, Decide, Ledger

pytestmark = pytest.mark.anyio
CLASS = "label native text"
KEYS_TEXT = "evenhand tests use this one key."


async def orgs(db: Database, count: int) -> list[str]:
    return [(await create_org(db, f"Customer {n}")).id for n in range(count)]


async def begin(db: Database, name: str, secret: bytes, members: list[str]) -> Turns:
    """A class with a known secret, in which the organisations come in this order."""
    async with db.narrow("scheduler") as on:
        await store.CLASS_ADD.run(on, **{"class": name}, unit=2520, secret=secret, seed=bytes(32))
    turns = Turns(db)
    replica = await turns.replica(name)
    for org in members:
        await turns.enrol(replica, [org])
    return turns


async def charge(db: Database, turns: Turns, name: str, number: int, used_ms: int) -> None:
    replica = await turns.replica(name)
    async with db.connection("scheduler") as conn:
        while await replica.propose(Narrow(conn, db.platform), [Charge(number, used_ms)]) is None:
            pass


async def test_swapping_two_customers_swaps_the_decisions(db: Database) -> None:
    members = await orgs(db, 5)
    swapped = [members[1], members[0], *members[2:]]
    told: list[list[str]] = []
    for name, order in (("one", members), ("two", swapped)):
        turns, chance = await begin(db, name, bytes(32), order), random.Random(3)
        seen: list[str] = []
        for _ in range(60):
            waiting = {order[n] for n in range(5) if chance.random() < 0.7} or {order[0]}
            turn = await turns.decide(
                name, order[: chance.choice((3, 5))], waiting & set(order[:3]) or {order[0]}, (), new_id()
            )
            assert turn is not None
            seen.append(turn.org)
            await charge(db, turns, name, turn.number, chance.randrange(1_000, 90_000))
        told.append(seen)
    rename = dict(zip(members, swapped, strict=True))
    assert told[1] == [rename[org] for org in told[0]]
    assert len(set(told[0])) > 2


async def test_whoever_waits_is_served_within_the_bound(db: Database) -> None:
    members = await orgs(db, 4)
    turns, chance = await begin(db, CLASS, bytes(32), members), random.Random(8)
    replica = await turns.replica(CLASS)
    passed = dict.fromkeys(members, 0)
    served: dict[int, str] = {}
    worst, limit = 0, 0
    for _ in range(250):
        turn = await turns.decide(CLASS, members, members, (), new_id())
        assert turn is not None
        cost = replica.ledger.queue.accounts[replica.flow_of[turn.org]].open[turn.number]
        served[turn.number] = turn.org
        passed = {org: 0 if org == turn.org else ms + cost for org, ms in passed.items()}
        if len(served) > 6:
            number = chance.choice(sorted(served))
            used = chance.randrange(1_000, 240_000)
            passed = {org: ms + max(0, used - cost) if org != served[number] else ms for org, ms in passed.items()}
            await charge(db, turns, CLASS, number, used)
            del served[number]
        extents = replica.ledger.extents
        of = [Extent(1, one.largest, one.largest * one.most_open) for one in extents]
        limit = max(wait_limit_ms(of[n], of[:n] + of[n + 1 :], 2520) for n in range(4))
        worst = max(worst, *passed.values())
    assert 0 < worst <= limit


async def test_two_processes_make_one_history(db: Database) -> None:
    members = await orgs(db, 3)
    one = await begin(db, CLASS, bytes(32), members)
    two = Turns(db)
    made = await asyncio.gather(
        *(turns.decide(CLASS, members, members, (), new_id()) for _ in range(40) for turns in (one, two))
    )
    numbers = sorted(turn.number for turn in made if turn is not None)
    assert numbers == list(range(1, 81))
    replicas = [await open_class(db, CLASS), await one.replica(CLASS), await two.replica(CLASS)]
    for turns in (one, two):
        await charge(db, turns, CLASS, 1, 5)  # by which each catches up
    assert await one.replica(CLASS) is replicas[1]
    owners = {turn.number: turn.org for turn in made if turn is not None}
    assert {n: replicas[0].orgs[f] for n, f in replicas[0].ledger.owner.items()} == owners
    counts = [list(owners.values()).count(org) for org in members]
    assert max(counts) - min(counts) <= 1


async def test_what_the_database_lost_in_a_crash_is_forgotten_by_those_who_knew_it(db: Database) -> None:
    members = await orgs(db, 2)
    turns = await begin(db, CLASS, bytes(32), members)
    for _ in range(5):
        await turns.decide(CLASS, members, members, (), new_id())
    number = (await turns.replica(CLASS)).number
    async with db.narrow("scheduler") as on:  # the last two commits had not reached the disk
        await on.conn.execute("delete from evenhand.sched_step where number > $1", number - 2)
    turn = await turns.decide(CLASS, members, members, (), new_id())
    assert turn is not None and turn.number == 4
    assert stored((await turns.replica(CLASS)).ledger) == stored((await open_class(db, CLASS)).ledger)


@pytest.mark.parametrize("known", [0, 4])
async def test_who_slept_until_its_steps_were_tidied_away_begins_anew(db: Database, known: int) -> None:
    """Also one that knew nothing but the beginning: what is left of the steps is not the history."""
    members = await orgs(db, 2)
    turns, sleeper = await begin(db, CLASS, bytes(32), members), Turns(db)
    if known:
        await sleeper.replica(CLASS)
    else:
        sleeper._classes[CLASS] = await open_class(db, CLASS, current=False)
        assert sleeper._classes[CLASS].number == 0
    for _ in range(8):
        await turns.decide(CLASS, members, members, (), new_id())
    await Keeper(db).tick(close=True)
    async with db.narrow("scheduler") as on:
        await on.conn.execute(  # as STEPS_DROP does after three days
            "delete from evenhand.sched_step s using evenhand.sched_class c where s.class = c.class and s.number < c.at"
        )
        left = await on.conn.fetchval("select min(number) from evenhand.sched_step")
    assert left > sleeper._classes[CLASS].number
    assert await sleeper.decide(CLASS, members, members, (), new_id()) is not None
    assert stored((await sleeper.replica(CLASS)).ledger) == stored((await open_class(db, CLASS)).ledger)


_KILLED = """
import asyncio, json, random, sys
from pathlib import Path
from evenhand.app.opening import key_service
from evenhand.features.tasks.turns import Turns
from evenhand.features.trust.turns import Keeper
from evenhand.infra.db import Database
from evenhand.infra.facts import record
from evenhand.infra.home import Home
from evenhand.infra.ids import new_id
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls

async def main():
    given = json.loads(sys.stdin.readline())
    keys = Keys(given["keys"].encode())
    async with Database(DatabaseUrls(**given["urls"]), keys, key_service(Home(Path(given["home"])), keys), record) as db:
        turns, keeper, chance, members = Turns(db), Keeper(db), random.Random(1), given["orgs"]
        for n in range(1_000_000):
            some = members[: chance.choice((2, 3, 4))]
            await turns.decide("CLASS", some, some[chance.randrange(2):], (), new_id())
            if n % 40 == 39:
                await keeper.tick(close=True)
            print(n, flush=True)

asyncio.run(main())
""".replace("CLASS", CLASS)


async def test_killed_it_is_rebuilt_and_gives_the_same_next_ten_thousand(
    db: Database, urls: DatabaseUrls, tmp_path: Path
) -> None:
    members = await orgs(db, 4)
    turns = await begin(db, CLASS, bytes(range(32)), members)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _KILLED, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    given = {"urls": asdict(urls), "orgs": members, "home": str(tmp_path / "home"), "keys": KEYS_TEXT}
    process.stdin.write(json.dumps(given).encode() + b"\n")
    lines = 0
    while lines < 130 and await process.stdout.readline():
        lines += 1
    process.kill()
    await process.wait()
    assert lines == 130, "it was at work when it was killed"
    rebuilt = await open_class(db, CLASS)
    followed = await turns.replica(CLASS)  # has seen nothing but the steps, from the first
    await followed_up(db, followed)
    async with db.narrow("scheduler") as on:
        at = await on.conn.fetchval("select at from evenhand.sched_class where class = $1", CLASS)
    assert 0 < at < rebuilt.number, "one was rebuilt from rows, the other from steps alone"
    assert stored(rebuilt.ledger) == stored(followed.ledger)
    assert decisions(rebuilt.ledger, 10_000) == decisions(followed.ledger, 10_000)


async def followed_up(db: Database, replica: Replica) -> None:
    async with db.narrow("scheduler") as on:
        rows = await store.STEPS.all(on, **{"class": CLASS}, after=replica.number, most=100_000)
        await replica.catch_up(on, rows)
    assert any(isinstance(step, Decide) for row in rows for step in decode(row["step"]))


def decisions(ledger: Ledger, count: int) -> list[object]:
    chance, out = random.Random(4), list[object]()
    for _ in range(count):
        out.append(ledger.apply(Decide(chance.choice(sorted(ledger.members)))))
        if len(ledger.owner) > 30:
            ledger.apply(Charge(chance.choice(sorted(ledger.owner)), chance.randrange(200_000)))
    return out


_CUT_SHORT = """
import asyncio, json, sys
from pathlib import Path
from evenhand.app.opening import key_service
from evenhand.features.tasks.turns import Turns
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.home import Home
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls

async def main():
    given = json.loads(sys.stdin.readline())
    keys = Keys(given["keys"].encode())
    async with Database(DatabaseUrls(**given["urls"]), keys, key_service(Home(Path(given["home"])), keys), record) as db:
        async with db.tx(given["org"], SYSTEM):
            pass  # its keys are open from here on
        turns = Turns(db)
        replica = await turns.replica("CLASS")
        print("ready", flush=True)
        sys.stdin.readline()
        await turns.enrol(replica, [given["org"]])
        print("done", flush=True)

asyncio.run(main())
""".replace("CLASS", CLASS)


async def enrolments(db: Database, org: str) -> list[int]:
    """The batches from which on the organisation's log says that it is scheduled."""
    async with db.tx(org, SYSTEM) as tx:
        rows = await tx.conn.fetch(
            "select fact_id, body from evenhand.fact where org_id = $1 and kind = 'FlowEnrolled'", org
        )
        return [tx.seal.open(row["body"], At("fact", row["fact_id"]))["batch"] for row in rows]


async def _flow_there(db: Database) -> None:
    for _ in range(6_000):
        async with db.narrow("scheduler") as on:
            if await on.conn.fetchval("select count(*) from evenhand.sched_flow"):
                return
        await asyncio.sleep(0.01)
    raise AssertionError("the step was not taken")


@pytest.mark.parametrize("by", ["a decision", "the worker"])
async def test_an_enrolment_that_a_crash_cut_short_is_told_before_anything_is_decided(
    db: Database, urls: DatabaseUrls, tmp_path: Path, by: str
) -> None:
    """Killed between the step, which is committed, and the event, whose row cannot be written yet."""
    one, other = await orgs(db, 2)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CUT_SHORT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    given = {"urls": asdict(urls), "org": one, "home": str(tmp_path / "home"), "keys": KEYS_TEXT}
    process.stdin.write(json.dumps(given).encode() + b"\n")
    assert await process.stdout.readline() == b"ready\n"
    async with await psycopg.AsyncConnection.connect(urls.owner) as owner:
        await owner.execute("lock table evenhand.fact in exclusive mode")
        process.stdin.write(b"go\n")
        await _flow_there(db)
        process.kill()
        await process.wait()
    async with db.narrow("scheduler") as on:
        assert await on.conn.fetchval("select told from evenhand.sched_flow where org_id = $1", one) is False
    assert await enrolments(db, one) == []
    if by == "the worker":
        await Keeper(db).tick()
        assert await enrolments(db, one) == [1]
    turns = Turns(db)
    turn = await turns.decide(CLASS, [one, other], [one], (), new_id())
    assert turn is not None and turn.org == one
    await turns.enrol(await turns.replica(CLASS), [one, other])
    await Keeper(db).tick()
    assert [await enrolments(db, org) for org in (one, other)] == [[1], [1]], "once each"


async def test_the_mark_of_an_affiliate_is_not_for_the_scheduler(db: Database) -> None:
    async with db.connection("scheduler") as conn:
        for column in ("*", "count(*)", "1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.fetch(f"select {column} from evenhand.affiliate")
