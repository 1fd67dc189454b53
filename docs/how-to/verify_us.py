"""The week of verify-us.sh: two rivals and shared workers, by the doors that everybody uses, on seven simulated days.

    python verify_us.py URL WITNESS_URL    works for a week in $EVENHAND_HOME, and leaves its results in this folder

No machine's clock runs a week in a minute, so here is one clock that is days behind, for the log, for its witness and for what is
published; a day's acts are done now, and moved to their day before the log takes them in. All else is the program as it is.
"""

import asyncio
import contextlib
import io
import json
import sys
import time
import urllib.request
import zipfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import uvicorn

from evenhand.app import worker
from evenhand.app.http.server import build
from evenhand.app.opening import database, services
from evenhand.app.services import Services
from evenhand.app.settings import settings_from_environment
from evenhand.app.transparency import the_log
from evenhand.app.witness import Witness, witness_app
from evenhand.features.contracts.affiliates import mark_affiliate
from evenhand.features.people import actions as people
from evenhand.features.trust import neutrality, sequencer, witnesses
from evenhand.features.trust.bundles import Evidence
from evenhand.features.trust.turns import Keeper
from evenhand.features.trust.types import Log
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import event_of
from evenhand.infra.jobs import Worker
from evenhand.infra.postgres.roles import with_database
from evenhand.infra.postgres.server import server_of
from evenhand.infra.witnessfiles import WitnessFiles
from evenhand.pure.log.leaves import event_digest

DAYS, TASKS_A_DAY, WORKERS = 7, 5, 3
RIVALS = {"alder": "Alder Works", "birch": "Birch Works"}
AFFILIATE = "birch"
PASSWORD = "correct horse battery"
ONTOLOGY = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}
LOG_TABLES = ("fact", "log_member", "log_place", "log_batch", "log_epoch", "log_state")


class Door:
    """The native API, with an API key or as a person who signed in."""

    def __init__(self, url: str, key: str = "") -> None:
        self._url, self._headers = url, {"content-type": "application/json"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        raw = self.raw(method, f"/api/v1{path}", None if body is None else json.dumps(body).encode())
        return json.loads(raw)

    def raw(self, method: str, path: str, content: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._url + path, content, self._headers, method=method)
        with self._open.open(request, timeout=60) as reply:
            return reply.read()

    def sign_in(self, email: str, password: str) -> None:
        found = self.ask("POST", "/session", {"email": email, "password": password})
        self._headers["x-evenhand-csrf"] = found["csrf"]


# --- the clock of the week


@dataclass(slots=True)
class Clock:
    """The days are the last seven; the seventh is today, so that a server takes over when they are done."""

    day: int = 1

    @property
    def behind(self) -> timedelta:
        return timedelta(days=DAYS - self.day)

    def now(self) -> datetime:
        return datetime.now(UTC) - self.behind

    def now_us(self) -> int:
        return int(self.now().timestamp() * 1e6)

    def now_s(self) -> float:
        return self.now().timestamp()


@contextmanager
def until_now(admin: psycopg.Connection[Any], url: str) -> Generator[str]:
    """What has been committed by now, told by a transaction number: meanwhile the log takes in nothing younger, since it takes in
    what is older than the oldest open transaction, and here is one."""
    with psycopg.connect(url) as held:
        (mine,) = held.execute("select pg_current_xact_id()::text").fetchone() or ("",)
        horizon = "select pg_snapshot_xmin(pg_current_snapshot())::text"
        while admin.execute(horizon).fetchone() != (mine,):
            time.sleep(0.01)
        yield mine


@dataclass(slots=True)
class Week:
    """An installation and what its worker would do, by the clock of the week."""

    services: Services
    log: Log
    clock: Clock
    admin: psycopg.Connection[Any]
    admin_url: str
    asking: witnesses.Asking
    keeper: Keeper
    moved: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    async def work_off(self) -> None:
        """Jobs, seats and what else is due."""
        jobs = Worker(self.services.db, worker.handlers(self.services))
        await jobs.drain()
        await worker.sweep(self.services)
        await worker.seat_everybody(self.services)
        await jobs.drain()

    async def sequence(self) -> None:
        """What happened by now is moved to its day and takes its places in the log; where an epoch ends, the witness cosigns."""
        with until_now(self.admin, self.admin_url) as mine:
            await self._move(mine)
            await sequencer.tick(self.services.db, self.log, self.clock.now_us)
        await self.asking.round()
        await self.asking.settled()

    async def _move(self, before: str) -> None:
        rows = self.admin.execute(
            "select org_id, fact_id, kind, at, about_id, salt, body from evenhand.fact f where xid < %s::text::xid8 and not exists"
            " (select from evenhand.log_place p where p.org_id = f.org_id and p.fact_id = f.fact_id)",
            (before,),
        ).fetchall()
        for org, fact, kind, at, about, salt, body in rows:
            if (org, fact) in self.moved:
                continue
            self.moved.add((org, fact))
            seal, then = await self.services.db.seal(org), at - self.clock.behind
            digest = event_digest(salt, event_of(seal, fact, kind, then, about, body))
            self.admin.execute(
                "update evenhand.fact set at = %s, digest = %s where org_id = %s and fact_id = %s",
                (then, digest, org, fact),
            )

    async def end_day(self) -> None:
        """The scheduler's batch ends and is told, the figures of days that are over are published, and an epoch ends."""
        await self.work_off()
        for _ in range(2):
            await self.keeper.tick(close=True)
        for table, column in (("sched_step", "at"), ("sched_decision", "at"), ("sched_batch", "closed")):
            done_today = (
                f"update evenhand.{table} set {column} = {column} - %s where {column} > now() - interval '12 hours'"
            )
            self.admin.execute(done_today.encode(), (self.clock.behind,))
        await neutrality.publish_due(self.services.db, self.clock.now())
        async with self.services.db.narrow("sequencer") as door:
            await sequencer.store.WANT_EPOCH.run(door)
        await self.sequence()

    async def evidence(self, name: str) -> None:
        """Both rivals' bundles as of the epoch that has ended. The door that gives them out at the end of the week looks at the
        machine's clock as well, whether the log still lives."""
        for rival, org in RIVALS.items():
            raw = await bundle_of(self.services.db, self.log, (await people.find_org(self.services.db, org)).id)
            Path(name.format(rival)).write_bytes(raw)


async def bundle_of(db: Database, log: Log, org: str) -> bytes:
    """The evidence of an organisation from the log as it is."""
    async with db.narrow("sequencer") as door:
        epoch = await sequencer.store.LAST_EPOCH.one(door, published=2**62)
    with Evidence(log.files, log.secret, epoch) as evidence, io.BytesIO() as out:
        async with db.tx(org, SYSTEM, read_only=True) as tx:
            await evidence.gather(tx)
        await evidence.write(db, out, [])
        return out.getvalue()


@asynccontextmanager
async def serving(app: Any, url: str) -> AsyncGenerator[None]:
    config = uvicorn.Config(app, host="127.0.0.1", port=urlsplit(url).port or 80, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not (server.started or task.done()):  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.02)
    if task.done():
        task.result()
        raise SystemExit(f"{url} can't be served.")
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def beginning(url: str, witness_url: str) -> AsyncGenerator[tuple[Week, dict[str, str]]]:
    """The installation with two rivals and workers that both share, and a witness that belongs to neither. Gives their API keys."""
    settings, clock = settings_from_environment(), Clock()
    with contextlib.ExitStack() as held:
        urls, keys = held.enter_context(database(settings))
        worker.listen()
        files = WitnessFiles(Path("witness"), "witness.example")
        held.callback(files.close)
        admin_url = with_database(server_of(settings.home).admin_url, "evenhand")
        admin = held.enter_context(psycopg.connect(admin_url, autocommit=True))
        witness = Witness(files, clock.now_s)
        app = build(settings, lambda: services(settings, urls, keys, process="web"), lambda _: [])
        async with (
            services(settings, urls, keys, process="worker") as opened,
            serving(app, url),
            serving(witness_app(witness), witness_url),
        ):
            db, log = opened.db, the_log(settings, keys)
            files.add_log(log.signer.key, "")
            words = witnesses.with_witness(witnesses.NOBODY, "neutral", str(witness.key), witness_url)
            await witnesses.set_policy(db, words)
            orgs = {rival: await people.create_org(db, name) for rival, name in RIVALS.items()}
            shown = {rival: (await people.create_key(db, org.id, "live")).key for rival, org in orgs.items()}
            await mark_affiliate(db, RIVALS[AFFILIATE])
            for n in range(WORKERS):
                person = await people.add_person(db, f"worker{n}@people.example", f"Worker {n}", PASSWORD)
                for org in orgs.values():
                    await people.add_member(db, org.id, person, "annotator", shared=True)
            asking = witnesses.Asking(db, log)
            yield Week(opened, log, clock, admin, admin_url, asking, Keeper(db)), shown


def a_day(workers: list[Door], most: int) -> int:
    """The shared workers take turns until nothing is left, or a minute has gone."""
    done, until = 0, time.monotonic() + 60
    while done < most and time.monotonic() < until:
        for one in workers:
            for lease in one.ask("POST", "/work/next", {"want": 1})["assignments"]:
                answer = {"annotations": [{"id": "a", "kind": "text", "field": "mood", "text": "fine"}]}
                sent = {"key": lease["handle"][-32:], "answer": answer, "seconds": 2}
                one.ask("POST", f"/work/{lease['handle']}/submit", sent)
                done += 1
    if done < most:
        raise SystemExit(f"only {done} of {most} tasks were done")
    return done


def morning(doors: dict[str, Door], projects: dict[str, str], day: int) -> None:
    for rival, door in doors.items():
        if rival not in projects:
            made = door.ask("POST", "/projects", {"name": "The week", "medium": "text", "ontology": ONTOLOGY})
            projects[rival] = made["id"]
        lines = [json.dumps({"data": {"text": f"{rival}, day {day}, text {n}"}}) for n in range(TASKS_A_DAY)]
        door.raw("POST", f"/api/v1/projects/{projects[rival]}/tasks/bulk", "\n".join(lines).encode())


async def week(url: str, witness_url: str) -> None:
    async with beginning(url, witness_url) as (this, keys):
        doors = {rival: Door(url, key) for rival, key in keys.items()}
        workers = [Door(url) for _ in range(WORKERS)]
        for n, one in enumerate(workers):
            await asyncio.to_thread(one.sign_in, f"worker{n}@people.example", PASSWORD)
        projects: dict[str, str] = {}
        for day in range(1, DAYS + 1):
            this.clock.day = day
            await asyncio.to_thread(morning, doors, projects, day)
            await this.work_off()
            done = await asyncio.to_thread(a_day, workers, 2 * TASKS_A_DAY)
            await this.end_day()
            print(f"{this.clock.now():%A, %d %B %Y}: {done} tasks done, epoch {newest(this)['epoch']} of the log ends")
            if (
                day == 3
            ):  # what each keeps: its evidence, and the checkpoint in it; and what the operator keeps: a backup
                await this.evidence("{}-midweek.zip")
                keep(this.admin, "midweek")
        for rival, key in keys.items():
            Path(f"{rival}.api-key").write_text(key)
            with zipfile.ZipFile(f"{rival}-midweek.zip") as file:
                Path(f"{rival}.checkpoint").write_bytes(file.read("checkpoint"))


def newest(this: Week) -> dict[str, Any]:
    (row,) = this.admin.execute("select record from evenhand.log_epoch order by epoch desc limit 1").fetchone() or (
        "{}",
    )
    return json.loads(row)


def keep(admin: psycopg.Connection[Any], name: str) -> None:
    """A copy of the log as it is in the database, under a name."""
    admin.execute(f"create schema {name}".encode())
    for table in LOG_TABLES:
        admin.execute(f"create table {name}.{table} as table evenhand.{table}".encode())


if __name__ == "__main__":
    asyncio.run(week(sys.argv[1], sys.argv[2]))
