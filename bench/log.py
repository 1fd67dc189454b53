"""Claim: the log takes in at least 20,000 events a second, at most 25 µs of CPU each, with everything that belongs to it.

Facts of several organisations lie committed in the database, as after a pause of the sequencer; it then gives them their
places: reading, tags and counters, padding, the tree, the rows of their places, tiles and the signed checkpoint. Counted is
the CPU of the sequencer and of PostgreSQL; making the facts is not.

What an event costs whoever makes it is shown beside it, without a target: the same request, the reading of a task, by a process
that records it and by one that does not, in turn.
"""

import argparse
import asyncio
import gc
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from bench.support.reading import Sides, read, reader
from bench.support.seed import ONTOLOGY, line
from bench.support.serving import conclude, free_port, say
from evenhand.app.opening import database, services
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.app.transparency import the_log
from evenhand.features.people import actions as people
from evenhand.features.projects.actions import NewProject, create_project
from evenhand.features.tasks.imports import import_lines
from evenhand.features.trust.sequencer import tick
from evenhand.infra.db import SYSTEM
from evenhand.infra.home import Home
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.postgres.server import server_of

RATE_TARGET, CPU_TARGET_US = 20_000.0, 25.0
ORGANISATIONS, TASKS = 8, 200
_FACTS = """insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, at, salt, digest, body)
select $1, lpad(to_hex($2::bigint + n), 24, '0'), 'TaskViewed', 'system', 'system', lpad(to_hex(n), 24, '0'),
       clock_timestamp(), sha256(int8send(n)), sha256(int8send(n + 1)), '\\x00'::bytea
  from generate_series(1, $3::bigint) n"""
_PLACED = """select count(*) from evenhand.fact f join evenhand.log_place p using (org_id, fact_id)
              where f.org_id = $1 and f.kind = 'TaskViewed'"""


async def facts(opened: Services, orgs: list[str], round_no: int, count: int) -> None:
    each = count // len(orgs) // 100
    for part in range(100):
        for org in orgs:
            async with opened.db.tx(org, SYSTEM) as tx:
                await tx.conn.execute(_FACTS, org, (round_no << 32) + part * each, each)


async def own_places(opened: Services, org: str) -> int:
    """How many of the facts made here have a place in the log."""
    async with opened.db.tx(org, SYSTEM) as tx:
        return await tx.conn.fetchval(_PLACED, org)


def database_cpu(home: Home) -> float:
    """Seconds of CPU of PostgreSQL's processes."""
    main = psutil.Process(int((home.pg / "postmaster.pid").read_text().split("\n", 1)[0]))
    total = 0.0
    for one in (main, *main.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


async def work(opened: Services, home: Home, rounds: int, count: int) -> list[tuple[float, float]]:
    orgs = [(await people.create_org(opened.db, f"Bench {n}")).id for n in range(ORGANISATIONS)]
    this = the_log(opened.settings, opened.db.keys)
    await tick(opened.db, this)
    gc.collect()
    gc.freeze()  # as the worker does that the server forks
    out: list[tuple[float, float]] = []
    for number in range(1, rounds + 1):
        await facts(opened, orgs, number, count)
        begun, cpu = time.perf_counter(), time.process_time() + database_cpu(home)
        events = 0
        more = True
        while more:
            done = await tick(opened.db, this)
            events, more = events + done.events, done.more
        wall, spent = time.perf_counter() - begun, time.process_time() + database_cpu(home) - cpu
        taken = sum([await own_places(opened, org) for org in orgs])
        if taken != number * count:  # others, such as the opening of a key, come on top
            raise SystemExit(f"{taken} of {number * count} events were taken in")
        out.append((events / wall, spent / events * 1e6))
        say(
            round=number,
            events=events,
            events_per_s=round(events / wall),
            cpu_us_an_event=round(spent / events * 1e6, 1),
        )
    return out


async def side_by_side(opened: Services, home: Home, rounds: int, seconds: float) -> None:
    """A task is read over HTTP, with its event and without."""
    org = (await people.create_org(opened.db, "Reader")).id
    key = (await people.create_key(opened.db, org, "live")).key
    async with opened.db.tx(org, SYSTEM) as tx:
        project = (await create_project(tx, NewProject("Letters", "text", ONTOLOGY))).id

    async def lines() -> AsyncIterator[list[bytes]]:
        yield [line(n) for n in range(TASKS)]

    await import_lines(opened.db, org, SYSTEM, project, lines())
    async with opened.db.tx(org, SYSTEM) as tx:
        tasks = [r["task_id"] for r in await tx.conn.fetch("select task_id from evenhand.task where org_id = $1", org)]
    this = the_log(opened.settings, opened.db.keys)

    async def take_in() -> None:
        while (await tick(opened.db, this)).more:
            pass

    sides = Sides(lambda: database_cpu(home))
    with reader(home.path, logged=True) as one, reader(home.path, logged=False) as two:
        for at in (one, two):
            await read(at[0], key, tasks, 1)
        await take_in()
        for _ in range(rounds):
            await sides.round("without", two, key, tasks, seconds, take_in)
            await sides.round("with", one, key, tasks, seconds, take_in)
    found = sides.told()
    say(request="GET /tasks/{task}", **{f"{name}_log": told for name, told in found.items()})
    say(more_cpu_us_a_request=round(found["with"]["cpu_us"] - found["without"]["cpu_us"], 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rounds, count = (3, 80_000) if quick else (5, 400_000)
    turns, seconds = (4, 3.0) if quick else (8, 8.0)
    folder = Path(tempfile.mkdtemp(prefix="ev-bench-"))
    port = free_port()
    settings = Settings(Home(folder / "home"), port, f"http://localhost:{port}")

    async def run(urls: DatabaseUrls, keys: Keys) -> list[tuple[float, float]]:
        async with services(settings, urls, keys) as opened:
            found = await work(opened, settings.home, rounds, count)
            await side_by_side(opened, settings.home, turns, seconds)
            return found

    try:
        with database(settings) as (urls, keys):
            assert server_of(settings.home).running()
            found = sorted(asyncio.run(run(urls, keys)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rates, costs = [f[0] for f in found], sorted(f[1] for f in found)
    spread = {"min": 0, "median": len(found) // 2, "max": -1}
    say(
        events_per_s={k: round(rates[at]) for k, at in spread.items()},
        cpu_us_an_event={k: round(costs[at], 1) for k, at in spread.items()},
    )
    rate, cost = rates[len(rates) // 2], costs[len(costs) // 2]
    ratios = {"rate": rate / RATE_TARGET, "cpu": CPU_TARGET_US / cost}
    say(ratios={k: round(v, 3) for k, v in ratios.items()})
    worst = min(ratios, key=lambda k: ratios[k])
    conclude(f"events that the log takes in (worst: {worst})", cost, "us of CPU an event", CPU_TARGET_US, ratios[worst])


if __name__ == "__main__":
    main()
