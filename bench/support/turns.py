"""Two processes of sixteen annotators who ask for the next task: 1,000 organisations and 100,000 queues in PostgreSQL.

What is measured is everything from the request to the committed lease: the queue heads of the person, then either the scheduler's
decision, committed, or plain rotation over the same heads, which is this bench's own peer, and then the lease with its event and
the task opened with its customer's key. Everybody's seats are in one project of a customer each; the other queues are there.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
import uvloop

from bench.support.load import percentile
from bench.support.seed import ONTOLOGY, line
from bench.support.serving import ROOT, Running
from evenhand.app.opening import key_service
from evenhand.app.services import Services
from evenhand.features.people import actions as people
from evenhand.features.projects import actions as projects
from evenhand.features.projects.actions import NewProject
from evenhand.features.tasks.imports import import_lines
from evenhand.features.tasks.known import read_known
from evenhand.features.tasks.leases import Tried, heads_of
from evenhand.features.tasks.turns import Turns, turns_of
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.home import Home
from evenhand.infra.ids import new_id
from evenhand.infra.keys import load_keys
from evenhand.infra.postgres.roles import DatabaseUrls, with_database
from evenhand.infra.postgres.server import server_of

ORGS, QUEUES, ANNOTATORS, TASKS = 1_000, 100_000, 16, 10
CLASS = "label native text"
_AT_ONCE = 4
#: the queues that nobody here has a seat at, and the annotators
_SEED = """
create temporary table customer as
select org_id, row_number() over (order by org_id) - 1 as n from evenhand.org where mode = 'live';
insert into evenhand.project (org_id, project_id, name_mac, kind, medium, everyone, body)
select c.org_id, 'p' || lpad(q::text, 23, '0'), sha256(q::text::bytea), 'native', 'text', false, ''
  from generate_series(1, {more}) q join customer c on c.n = q % {orgs};
insert into evenhand.task (org_id, task_id, project_id, kind, state, body)
select org_id, 't' || right(project_id, 23), project_id, 'native', 'todo', '' from evenhand.project where left(project_id, 1) = 'p';
insert into evenhand.queue (org_id, task_id, project_id, state, overlap)
select org_id, task_id, project_id, 'open', 1 from evenhand.task where left(task_id, 1) = 't';
insert into evenhand.person (person_id, email_mac, body)
select 'a' || lpad(n::text, 23, '0'), sha256(('a' || n)::bytea), '' from generate_series(1, {people}) n;
insert into evenhand.member (org_id, person_id, role, source, body)
select c.org_id, p.person_id, 'annotator', 'pool', '' from customer c, evenhand.person p
 where left(p.person_id, 1) = 'a' and c.n % {share} = right(p.person_id, 5)::int % {share};
insert into evenhand.seat (org_id, project_id, person_id, role)
select m.org_id, p.project_id, m.person_id, 'label' from evenhand.member m
  join evenhand.project p on p.org_id = m.org_id where left(m.person_id, 1) = 'a' and left(p.project_id, 1) <> 'p';
vacuum analyze;
checkpoint;
"""  # what is left to be tidied up and written after an import is its own cost, not that of the work that follows
#: what was leased is open again for the next round
_AGAIN = """
update evenhand.assignment set state = 'withdrawn', closed_at = now(), closed_xid = pg_current_xact_id() where state = 'leased';
update evenhand.queue set state = 'open', taken = 0 where state = 'full';
"""


def _admin(running: Running, script: str) -> None:
    url = with_database(server_of(running.settings.home).admin_url, "evenhand")
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in script.split(";\n"):
            if statement.strip():
                conn.execute(statement)


def seeded(running: Running, share: int) -> list[str]:
    """Customers with their keys, a project with tasks each, enrolled with the scheduler; everybody has a seat with one in `share`
    of them. Returns the annotators."""

    async def customer(opened: Services, n: int) -> str:
        org = await people.create_org(opened.db, f"Customer {n}")
        async with opened.db.tx(org.id, SYSTEM) as tx:
            made = await projects.create_project(tx, NewProject("Letters", "text", ONTOLOGY, lease_s=3600))

        async def lines() -> AsyncIterator[list[bytes]]:
            yield [line(n) for n in range(TASKS)]

        await import_lines(opened.db, org.id, SYSTEM, made.id, lines())
        return org.id

    async def work(opened: Services) -> None:
        turns, some = Turns(opened.db), asyncio.Semaphore(_AT_ONCE)

        async def one(n: int) -> str:
            async with some:
                return await customer(opened, n)

        await turns.enrol(await turns.replica(CLASS), await asyncio.gather(*map(one, range(ORGS))))

    running.do(work)
    _admin(running, _SEED.format(orgs=ORGS, more=QUEUES - ORGS, people=ANNOTATORS, share=share))
    return [f"a{n:023d}" for n in range(1, ANNOTATORS + 1)]


# -- the process of half the annotators


async def _rotated(db: Database, person: str) -> bool:
    """Plain rotation: the seat that was served longest ago, whosesoever it is."""
    tried = Tried(db, person, "label", person)
    return await tried.of_seats(new_id(), await heads_of(db, person, "label"))


async def _scheduled(db: Database, person: str) -> bool:
    tried = Tried(db, person, "label", person)
    await tried.take(await heads_of(db, person, "label"), 1)
    return bool(tried.leased)


async def _round(db: Database, who: list[str], asked: dict[str, Any]) -> dict[str, Any]:
    """Everybody asks for `seconds`, with pauses that last `think_s` on average."""
    waits: list[float] = []
    next_task = _rotated if asked["rotation"] else _scheduled
    until = time.perf_counter() + asked["seconds"]

    async def one(person: str) -> None:
        await pause()  # nobody's days begin in the same millisecond
        while time.perf_counter() < until:
            begun = time.perf_counter()
            if not await next_task(db, person):
                raise SystemExit("nothing was handed out")
            waits.append((time.perf_counter() - begun) * 1000)
            await pause()

    async def pause() -> None:
        if asked["think_s"]:
            await asyncio.sleep(random.expovariate(1 / asked["think_s"]))

    cpu, database = time.process_time(), _backends(db)
    await asyncio.gather(*map(one, who))
    return {"waits": waits, "cpu_s": time.process_time() - cpu, "database_s": _backends(db) - database}


async def _child(given: dict[str, Any]) -> None:
    home = Home(Path(given["home"]))
    keys = load_keys(home.keys)
    async with Database(DatabaseUrls(**given["urls"]), keys, key_service(home, keys), record) as db:
        await turns_of(db).replica(CLASS)
        # what a process reads once and remembers: keys, and what a project's tasks have in common
        for org, project in {
            (r["org_id"], r["project_id"]) for p in given["people"] for r in await heads_of(db, p, "label")
        }:
            await db.seal(org, project)
            await db.within(org, SYSTEM, partial(read_known, project=project, version=0))
        print("ready", flush=True)
        while asked := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await _round(db, given["people"], json.loads(asked))), flush=True)


def _backends(db: Database) -> float:
    """Seconds of CPU that PostgreSQL's processes have used for this one's connections."""
    pools: Any = db._pools.values()
    held = [holder._con for pool in pools for holder in pool._holders if holder._con is not None]
    return sum(sum(psutil.Process(conn.get_server_pid()).cpu_times()[:2]) for conn in held)


# -- the bench's side


@dataclass
class Desks:
    """The two processes, for as long as the bench lasts."""

    running: Running
    children: list[subprocess.Popen[str]]

    def _told(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        for child in self.children:
            assert child.stdin is not None
            child.stdin.write(json.dumps(asked) + "\n")
            child.stdin.flush()
        return [json.loads(_line(child)) for child in self.children]

    def asked(self, seconds: float, *, rotation: bool, think_s: float) -> dict[str, float]:
        """CPU of both processes and of their connections for each request, and its time; `all_ms` with everything that the rest
        of the server and of the database did meanwhile: the log, charges, and sealing what was decided."""
        asked = {"rotation": rotation, "think_s": think_s}
        for lasts in (2.0, seconds):  # what comes first is not counted
            _admin(self.running, _AGAIN)
            before = sum(self.running.cpu().values())
            found = self._told({**asked, "seconds": lasts})
        rest = sum(self.running.cpu().values()) - before
        waits = [ms for one in found for ms in one["waits"]]
        python, database = (sum(one[key] for one in found) * 1000 / len(waits) for key in ("cpu_s", "database_s"))
        return {
            "requests": len(waits),
            "cpu_ms": python + database,
            "cpu_processes_ms": python,
            "all_ms": python + rest * 1000 / len(waits),
            "p50_ms": percentile(waits, 0.5),
            "p99_ms": percentile(waits, 0.99),
        }


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    found = child.stdout.readline()
    if not found:
        raise SystemExit("a process of the bench failed")
    return found


@contextmanager
def desks(running: Running, who: list[str]) -> Generator[Desks]:
    """Two processes, each for half of the annotators."""
    half = len(who) // 2
    with ExitStack() as stack:
        children: list[subprocess.Popen[str]] = []
        for some in (who[:half], who[half:]):
            given = {"home": str(running.settings.home.path), "urls": asdict(running.urls), "people": some}
            child = subprocess.Popen(
                [sys.executable, "-m", "bench.support.turns"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.callback(_end, child)
            assert child.stdin is not None
            child.stdin.write(json.dumps(given) + "\n")
            child.stdin.flush()
            children.append(child)
        for child in children:
            _line(child)
        yield Desks(running, children)


def _end(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    if child.wait() != 0:
        raise SystemExit("a process of the bench failed")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the server's processes have it
        runner.run(_child(json.loads(sys.stdin.readline())))
