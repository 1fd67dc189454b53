"""Claim: native import runs at least at half the rate of a driver's staged COPY of ready rows.

The import goes through HTTP (NDJSON in, checked, sealed, copied). The peer copies rows that are ready made into the same
tables, keys and policies with the same driver and role, in chunks of the same size, in the same run.
"""

import argparse
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.support import seed
from bench.support.serving import Running, conclude, evenhand, say
from evenhand.app.services import Services
from evenhand.features.people import actions as people
from evenhand.features.projects import actions as projects
from evenhand.features.projects.actions import NewProject
from evenhand.features.tasks import imports
from evenhand.features.tasks.types import TaskBody, TaskData
from evenhand.infra.db import SYSTEM
from evenhand.infra.ids import new_ids
from evenhand.infra.seal import At

TARGET = 0.5


def peer(running: Running, org: str, project: str, count: int) -> tuple[float, float]:
    """(wall seconds, seconds without making the rows) of staged COPY of ready rows."""

    async def work(opened: Services) -> float:
        seal = await opened.db.seal(org, project)
        spent = 0.0
        for at in range(0, count, imports.CHUNK):
            size = min(imports.CHUNK, count - at)
            texts = (
                f"Order {n} has not arrived yet, and I should like to know where it is." for n in range(at, at + size)
            )
            rows = [
                (
                    task,
                    "open",
                    0,
                    None,
                    None,
                    False,
                    seal.shut(TaskBody(TaskData("text", text=text)), At("task", task, project)),
                )
                for task, text in zip(new_ids(size), texts, strict=True)
            ]
            begun = time.perf_counter()
            async with opened.db.tx(org, SYSTEM, role="loader") as tx:
                await tx.conn.execute(imports.STAGE)
                await tx.conn.execute("delete from pg_temp.evenhand_stage_task")
                await tx.conn.copy_records_to_table(
                    "evenhand_stage_task", schema_name="pg_temp", records=rows, columns=imports.STAGED
                )
                await tx.conn.execute(imports.INSERT_TASKS, org, project, None)
                await tx.conn.execute(imports.INSERT_QUEUE, org, project, None, 1, False, 0)
            spent += time.perf_counter() - begun
        return spent

    begun = time.perf_counter()
    spent = running.do(work)
    return time.perf_counter() - begun, spent


def through_http(running: Running, key: str, project: str, count: int) -> float:
    """Wall seconds of the import through the API, in requests of 50,000 lines."""
    spent = 0.0
    for at in range(0, count, 50_000):
        body = b"\n".join(seed.line(n) for n in range(at, min(count, at + 50_000)))
        ask = urllib.request.Request(
            f"{running.base}/api/v1/projects/{project}/tasks/bulk?import=bench&first_line={at + 1}",
            body,
            {"authorization": f"Bearer {key}", "content-type": "application/x-ndjson"},
            method="POST",
        )
        begun = time.perf_counter()
        with urllib.request.urlopen(ask) as reply:
            answer = reply.read()
        spent += time.perf_counter() - begun
        if b'"failed":0' not in answer:
            raise SystemExit(f"lines failed: {answer[:300]!r}")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    count, rounds = (50_000, 2) if quick else (250_000, 4)
    with evenhand() as running:

        async def prepare(opened: Services) -> tuple[str, str, list[str]]:
            org = await people.create_org(opened.db, "Bench")
            key = await people.create_key(opened.db, org.id, "live")
            made: list[str] = []
            for n in range(rounds * 2):
                async with opened.db.tx(org.id, SYSTEM) as tx:
                    made.append((await projects.create_project(tx, NewProject(f"P{n}", "text", seed.ONTOLOGY))).id)
            return org.id, key.key, made

        org, key, made = running.do(prepare)
        rates: list[float] = []
        ours_rates: list[float] = []
        for n in range(rounds):
            before = running.cpu()
            ours = through_http(running, key, made[2 * n], count)
            after = running.cpu()
            _, theirs = peer(running, org, made[2 * n + 1], count)
            rates.append(theirs / ours)
            ours_rates.append(count / ours)
            say(
                round=n + 1,
                tasks=count,
                import_per_s=round(count / ours),
                staged_copy_per_s=round(count / theirs),
                share=round(theirs / ours, 3),
                cpu_us_a_task={k: round((after[k] - before[k]) / count * 1e6, 1) for k in after},
            )
        rates.sort()
        say(share={"min": round(rates[0], 3), "median": round(rates[len(rates) // 2], 3), "max": round(rates[-1], 3)})
        share = rates[len(rates) // 2]
        conclude(
            f"native import of {count * rounds:,} tasks against staged COPY of ready rows (median share)",
            share, "share of the COPY's rate", TARGET, share / TARGET,
        )  # fmt: skip


if __name__ == "__main__":
    main()
