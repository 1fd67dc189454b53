"""The hands of verify-us.sh: the week's work by the doors that everybody uses, and the tampering by the inside.

python verify_us.py work URL                  seven days of work for both rivals, with evidence taken midweek and at the end
python verify_us.py tamper                    writes seven bundles and tamperings.txt
python verify_us.py caught NAME CHECK CODE FILE
"""

import asyncio
import io
import json
import os
import shutil
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import psycopg

from evenhand.app.opening import database, services
from evenhand.app.settings import settings_from_environment
from evenhand.app.transparency import the_log
from evenhand.features.people.actions import find_org
from evenhand.features.trust import sequencer, store
from evenhand.features.trust.bundles import Evidence
from evenhand.features.trust.turns import Keeper
from evenhand.infra.db import SYSTEM
from evenhand.infra.facts import event_of
from evenhand.infra.seal import At
from evenhand.pure.log.leaves import event_digest

DAYS, TASKS_A_DAY = 7, 5
RIVALS = {"alder": "Alder Works", "birch": "Birch Works"}
ONTOLOGY = {"classes": [], "attributes": [], "fields": [{"key": "mood", "type": "text"}]}


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


def demo() -> dict[str, Any]:
    return json.loads((Path(os.environ["EVENHAND_HOME"]) / "demo.json").read_text())


def work(url: str) -> None:
    known = demo()
    keys = {org["name"]: org["live_key"] for org in known["organisations"]}
    doors = {rival: Door(url, keys[name]) for rival, name in RIVALS.items()}
    projects: dict[str, str] = {}
    for rival, door in doors.items():
        for project in door.ask("GET", "/projects")["items"]:  # the demo's own work is not this week's
            door.ask("PATCH", f"/projects/{project['id']}", {"state": "archived"})
        made = door.ask("POST", "/projects", {"name": "The week", "medium": "text", "ontology": ONTOLOGY})
        projects[rival] = made["id"]
    workers: list[Door] = []
    for person in known["people"]:
        if person["role"] == "annotator":
            workers.append(Door(url))
            workers[-1].sign_in(person["email"], person["password"])
    done = 0
    for day in range(1, DAYS + 1):
        for rival, door in doors.items():
            lines = [json.dumps({"data": {"text": f"{rival}, day {day}, text {n}"}}) for n in range(TASKS_A_DAY)]
            door.raw("POST", f"/api/v1/projects/{projects[rival]}/tasks/bulk", "\n".join(lines).encode())
        done += a_day(workers, 2 * TASKS_A_DAY)
        if day == 3:  # what each keeps: its evidence, and the checkpoint in it
            take(doors, "{}-midweek.zip")
        print(f"day {day}: {done} tasks done")
    asyncio.run(end_batches())
    take(doors, "{}.zip")
    for rival in doors:
        with zipfile.ZipFile(f"{rival}-midweek.zip") as file:
            Path(f"{rival}.checkpoint").write_bytes(file.read("checkpoint"))
    with zipfile.ZipFile("alder.zip") as file:
        Path("newest.checkpoint").write_bytes(file.read("checkpoint"))


async def end_batches() -> None:
    """The scheduler ends a batch of ties every ten minutes and tells of its decisions then; this week is shorter."""
    settings = settings_from_environment()
    with database(settings) as (urls, keys):
        async with services(settings, urls, keys) as opened:
            keeper = Keeper(opened.db)
            await keeper.tick(close=True)
            await keeper.tick(close=True)


def take(doors: dict[str, Door], name: str) -> None:
    """Both rivals' evidence, at the same time: each waits for the end of an epoch."""
    with ThreadPoolExecutor() as pool:
        taken = pool.map(lambda door: door.raw("GET", "/api/v1/trust/bundle"), doors.values())
        for rival, raw in zip(doors, taken, strict=True):
            Path(name.format(rival)).write_bytes(raw)


def a_day(workers: list[Door], most: int) -> int:
    """The shared workers take turns until nothing is left, or a minute has gone."""
    done, until = 0, time.monotonic() + 60
    while done < most and time.monotonic() < until:
        for worker in workers:
            for lease in worker.ask("POST", "/work/next", {"want": 1})["assignments"]:
                answer = {"annotations": [{"id": "a", "kind": "text", "field": "mood", "text": "fine"}]}
                sent = {"key": lease["handle"][-32:], "answer": answer, "seconds": 2}
                worker.ask("POST", f"/work/{lease['handle']}/submit", sent)
                done += 1
    if done < most:
        raise SystemExit(f"only {done} of {most} tasks were done")
    return done


# --- in other hands


def edited(source: str, target: str, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """A bundle whose events were changed after it left."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            if name == "events.jsonl":
                lines = [json.loads(line) for line in raw.splitlines()]
                change(lines)
                raw = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
            new.writestr(name, raw)


def swap(lines: list[dict[str, Any]]) -> None:
    lines[20]["counter"], lines[21]["counter"] = lines[21]["counter"], lines[20]["counter"]


def alter(lines: list[dict[str, Any]]) -> None:
    lines[20]["body"] = lines[20]["body"].replace('"actor":"', '"actor":"0', 1)


def tamper() -> None:
    """The holder of key and database: bundles that lie, each in its own way, and by what they are to be caught."""
    edited("alder.zip", "alter.zip", alter)
    edited("alder.zip", "reorder.zip", swap)
    shutil.copy("alder-midweek.zip", "roll-back.zip")  # the log is shown as it was on Wednesday
    asyncio.run(rewrite())
    Path("tamperings.txt").write_text(
        "dropped completeness drop.zip\n"
        "altered inclusion alter.zip\n"
        "reordered order reorder.zip\n"
        "back-dated order back-date.zip\n"
        "forked witnesses fork.zip\n"
        "rolled-back since roll-back.zip --since newest.checkpoint\n"
        "hidden epochs hide.zip\n"
    )


async def rewrite() -> None:
    """With the log's own key: an event left out, one that says it happened two hours before, the newest kept from its customer, and
    then a whole other history."""
    settings = settings_from_environment()

    def as_owner(url: str, *statements: str) -> None:
        with psycopg.connect(url) as owner:
            for statement in statements:
                owner.execute(statement.encode())

    with database(settings) as (urls, keys):
        async with services(settings, urls, keys) as opened:
            db, this = opened.db, the_log(settings, keys)
            org = (await find_org(db, RIVALS["alder"])).id

            async def bundle(name: str) -> None:
                async with db.narrow("sequencer") as door:
                    await store.WANT_EPOCH.run(door)
                await sequencer.tick(db, this)
                async with db.narrow("sequencer") as door:
                    epoch = await store.LAST_EPOCH.one(door, published=2**62)
                evidence = Evidence(this.files, this.secret, epoch)
                async with db.tx(org, SYSTEM, read_only=True) as tx:
                    await evidence.gather(tx)
                with io.BytesIO() as out:
                    await evidence.write(db, out, [])
                    Path(name).write_bytes(out.getvalue())

            await sequencer.tick(db, this)
            place = f"org_id = '{org}' and counter = 20"
            as_owner(
                urls.owner,
                "alter table evenhand.log_place no force row level security",
                f"create table public.dropped as select * from evenhand.log_place where {place}",
                f"delete from evenhand.log_place where {place}",
            )
            await bundle("drop.zip")
            as_owner(
                urls.owner,
                "insert into evenhand.log_place select * from public.dropped",
                "drop table public.dropped",
                "alter table evenhand.log_place force row level security",
            )
            async with db.tx(org, SYSTEM) as tx:
                row = await tx.conn.fetchrow(
                    "select * from evenhand.fact where org_id = $1 and kind = 'ProjectCreated' limit 1", org
                )
                fact, at = row["fact_id"][:-4] + "ffff", datetime.now(UTC) - timedelta(hours=2)
                body = event_of(tx.seal, row["fact_id"], row["kind"], at, row["about_id"], row["body"])
                sealed = tx.seal.shut(tx.seal.open(row["body"], At("fact", row["fact_id"])), At("fact", fact))
                await tx.conn.execute(
                    "insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, at, salt, digest, body)"
                    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    org, fact, row["kind"], row["actor_kind"], row["actor_id"], row["about_id"], at, row["salt"],
                    event_digest(row["salt"], body), sealed,
                )  # fmt: skip
            await bundle("back-date.zip")
            as_owner(
                urls.owner,
                "alter table evenhand.log_place no force row level security",
                f"delete from evenhand.log_place where org_id = '{org}' and counter ="
                f" (select max(counter) from evenhand.log_place where org_id = '{org}')",
                "alter table evenhand.log_place force row level security",
            )
            await bundle("hide.zip")

            as_owner(
                urls.owner,
                "truncate evenhand.log_place, evenhand.log_batch, evenhand.log_epoch, evenhand.log_member",
                "alter table evenhand.log_state no force row level security",
                "update evenhand.log_state set xid = '0', size = 0, roots = '', epoch = 0, ended = 0, batch_at = 0, epoch_at = 0,"
                " published = 0",
                "alter table evenhand.log_state force row level security",
            )
            shutil.rmtree(this.files.folder)
            await bundle("fork.zip")


def caught(name: str, check: str, code: str, said: str) -> None:
    """Exits 1 unless the check found the fault by its name."""
    report = json.loads(Path(said).read_text())
    name = name.replace("-b", " b") if name == "rolled-back" else name
    faults = [
        f for one in report.get("checks", []) if one["check"] == check for f in one["faults"] if f["name"] == name
    ]
    if code != "1" or not faults:
        print(json.dumps(report, indent=1))
        raise SystemExit(f"{name} was not caught by {check} (exit {code})")
    where = ", ".join(f"{k} {v}" for k, v in faults[0]["where"].items())
    print(f"caught: {name} ({check}: {where}): {faults[0]['what']}")


def main() -> None:
    commands: dict[str, Callable[..., None]] = {"work": work, "tamper": tamper, "caught": caught}
    commands[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
