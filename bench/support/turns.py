"""Two processes of sixteen annotators who ask whose turn it is: 1,000 organisations and 100,000 queues in PostgreSQL.

What is measured is everything from the request to the decision: the queue heads of the person, and then either the scheduler's
decision, committed, or plain rotation over the same heads, which is this bench's own peer. The lease that follows is the same
call for both, and `bench/dispatch.py` measures it.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

import psutil
import psycopg
import uvloop

from bench.support.load import percentile
from bench.support.serving import ROOT, Running
from evenhand.app.opening import key_service
from evenhand.features.tasks.leases import heads_of
from evenhand.features.tasks.turns import Turns, by_customer
from evenhand.infra.db import Database, Narrow
from evenhand.infra.facts import record
from evenhand.infra.home import Home
from evenhand.infra.ids import new_id
from evenhand.infra.keys import load_keys
from evenhand.infra.postgres.roles import DatabaseUrls, with_database
from evenhand.infra.postgres.server import server_of
from evenhand.pure.fairness.ledger import Flow
from evenhand.pure.scheduling import Head, order

ORGS, QUEUES, ANNOTATORS = 1_000, 100_000, 16
CLASS = "label native text"
_SEED = """
insert into evenhand.org (org_id, mode, sibling_id, name_mac, body)
select 'o' || lpad(n::text, 23, '0'), 'live', 'o' || lpad(n::text, 23, '0'), sha256(n::text::bytea), ''
  from generate_series(1, {orgs}) n;
insert into evenhand.project (org_id, project_id, name_mac, kind, medium, everyone, body)
select 'o' || lpad((1 + n % {orgs})::text, 23, '0'), 'p' || lpad(n::text, 23, '0'), sha256(n::text::bytea),
       'native', 'text', false, ''
  from generate_series(1, {queues}) n;
insert into evenhand.task (org_id, task_id, project_id, kind, state, body)
select org_id, 't' || right(project_id, 23), project_id, 'native', 'todo', '' from evenhand.project where left(org_id, 1) = 'o';
insert into evenhand.queue (org_id, task_id, project_id, state, overlap)
select org_id, task_id, project_id, 'open', 1 from evenhand.task where left(org_id, 1) = 'o';
insert into evenhand.person (person_id, email_mac, body)
select 'a' || lpad(n::text, 23, '0'), sha256(('a' || n)::bytea), '' from generate_series(1, {people}) n;
insert into evenhand.member (org_id, person_id, role, source, body)
select o.org_id, p.person_id, 'annotator', 'pool', '' from evenhand.org o, evenhand.person p
 where left(o.org_id, 1) = 'o' and left(p.person_id, 1) = 'a'
   and right(o.org_id, 5)::int % {share} = right(p.person_id, 5)::int % {share};
insert into evenhand.seat (org_id, project_id, person_id, role)
select m.org_id, p.project_id, m.person_id, 'label' from evenhand.member m
  join evenhand.project p on p.org_id = m.org_id where left(m.org_id, 1) = 'o' and right(p.project_id, 23)::bigint <= {orgs};
analyze;
"""


def seeded(running: Running, share: int) -> list[str]:
    """Everybody has a seat with one in `share` of the organisations. Returns the annotators."""
    admin = with_database(server_of(running.settings.home).admin_url, "evenhand")
    with psycopg.connect(admin, autocommit=True) as conn:
        for statement in _SEED.format(orgs=ORGS, queues=QUEUES, people=ANNOTATORS, share=share).split(";\n"):
            if statement.strip():
                conn.execute(statement)

    async def enrol(opened: Any) -> None:
        turns = Turns(opened.db)
        replica = await turns.replica(CLASS)
        async with opened.db.connection("scheduler") as conn:
            new = [f"o{n:023d}" for n in range(1, ORGS + 1)]
            while await replica.propose(Narrow(conn, opened.db.platform), [Flow(1) for _ in new], new=new) is None:
                pass
            await conn.execute("update evenhand.sched_flow set told = true")  # these have no keys and no log

    running.do(enrol)
    return [f"a{n:023d}" for n in range(1, ANNOTATORS + 1)]


async def _child(given: dict[str, Any]) -> dict[str, Any]:
    home = Home(Path(given["home"]))
    keys = load_keys(home.keys)
    waits: list[float] = []
    async with Database(DatabaseUrls(**given["urls"]), keys, key_service(home, keys), record) as db:
        turns = Turns(db)

        async def one(person: str, until: float) -> None:
            while time.perf_counter() < until:
                begun = time.perf_counter()
                rows = await heads_of(db, person, "label")
                if given["rotation"]:
                    order([Head(r["project_id"], r["served_at"].replace(tzinfo=UTC), r["waiting"]) for r in rows])
                else:
                    seats, waiting = by_customer((await turns.classes_of(rows, "label"))[CLASS])
                    turn = await turns.decide(CLASS, seats.keys(), waiting, (), new_id())
                    assert turn is not None
                    those = seats[turn.org]
                    order([Head(r["project_id"], r["served_at"].replace(tzinfo=UTC), r["waiting"]) for r in those])
                waits.append((time.perf_counter() - begun) * 1000)
                if given["think_s"]:
                    await asyncio.sleep(random.expovariate(1 / given["think_s"]))

        await asyncio.gather(*(one(p, time.perf_counter() + 2) for p in given["people"]))
        waits.clear()
        cpu, database = time.process_time(), _backends(db)
        await asyncio.gather(*(one(p, time.perf_counter() + given["seconds"]) for p in given["people"]))
        cpu, database = time.process_time() - cpu, _backends(db) - database
    return {"count": len(waits), "cpu_s": cpu, "database_s": database, "waits": waits}


def _backends(db: Database) -> float:
    """Seconds of CPU that PostgreSQL's processes have used for this one's connections."""
    pool: Any = db._pools["scheduler"]
    pids = [holder._con.get_server_pid() for holder in pool._holders if holder._con is not None]
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def asked(running: Running, people: list[str], seconds: float, *, rotation: bool, think_s: float) -> dict[str, float]:
    """CPU of both processes and of the database for each request, and its time."""
    half = len(people) // 2
    children = []
    for some in (people[:half], people[half:]):
        given = {
            "home": str(running.settings.home.path), "urls": asdict(running.urls), "people": some, "seconds": seconds,
            "rotation": rotation, "think_s": think_s,
        }  # fmt: skip
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.support.turns"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None
        child.stdin.write(json.dumps(given))
        child.stdin.close()
        children.append(child)
    found = [json.loads(child.stdout.read()) for child in children if child.stdout is not None]
    for child in children:
        if child.wait() != 0:
            raise SystemExit("a process of the bench failed")
    count = sum(one["count"] for one in found)
    waits = sorted(ms for one in found for ms in one["waits"])
    database = sum(one["database_s"] for one in found)
    return {
        "requests": count,
        "cpu_ms": (sum(one["cpu_s"] for one in found) + database) * 1000 / count,
        "cpu_processes_ms": sum(one["cpu_s"] for one in found) * 1000 / count,
        "p50_ms": percentile(waits, 0.5),
        "p99_ms": percentile(waits, 0.99),
    }


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the server's processes have it
        print(json.dumps(runner.run(_child(json.load(sys.stdin)))))
