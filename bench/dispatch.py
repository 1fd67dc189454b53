"""Claim: "next task" and "submit" cost little, stay quick with many annotators, and do not grow with the project.

Through HTTP with sign-in, CSRF, facts and idempotency, at several project sizes, with 1 and 16 annotators; pgbench runs the
same database functions, prepared, with as many clients, in the same run. Targets: 0.3 of pgbench's rate, 4.5 ms of CPU a
pair over all processes, p99 under 50 ms with 16 annotators, no growth with size, nor with what is done (`worn`: most of the largest
project is, and no vacuum has been there yet). Each row is measured three times, in turn with pgbench; its figures are the medians,
with the smallest and the largest beside them; `yardstick_ms` is the CPU of a fixed computation just before, which says how much of
a difference is the machine's. The last ratio is the worst of them.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg

from bench.support import seed
from bench.support.load import Connection, Result, annotate, percentile
from bench.support.serving import Running, conclude, evenhand, say
from evenhand.infra.facts import event_text
from evenhand.infra.keys import hashed
from evenhand.infra.postgres.binaries import find
from evenhand.infra.postgres.roles import with_database
from evenhand.infra.postgres.server import server_of

CPU_TARGET_MS = 4.5
P99_TARGET_MS = 50.0
SHARE_TARGET = 0.3
TURNS = 3
_BENCH_SQL = """
drop schema if exists bench cascade;
create schema bench;
do $$ begin if not exists (select from pg_roles where rolname = 'evenhand_bench') then
  create role evenhand_bench login nosuperuser nobypassrls; end if; end $$;
grant evenhand_app to evenhand_bench;
grant usage on schema bench to evenhand_bench;
create table bench.client (n int primary key, session bytea, person text);
grant select on bench.client to evenhand_bench;
create function bench.person(p int) returns text language sql stable as
  $$ select c.person from bench.client c where c.n = p $$;
create function bench.hash(p int) returns bytea language sql stable as $$ select c.session from bench.client c where c.n = p $$;
create function bench.id() returns text language sql volatile as
  $$ select substr(encode(sha256((random()::text || clock_timestamp()::text)::bytea), 'hex'), 1, 24) $$;
create function bench.mint(p_org text, p_person text) returns text language plpgsql stable security definer as $$
declare s record; t text := p_org || '.' || p_person || '.' || pg_backend_pid() || '.' ||
    (extract(epoch from clock_timestamp())::bigint + 60);
begin
  select inner_pad, outer_pad into s from ctx.secret limit 1;
  return t || '.' || encode(sha256(s.outer_pad || sha256(s.inner_pad || convert_to(t, 'UTF8'))), 'hex');
end $$;
grant execute on all functions in schema bench to evenhand_bench;
"""
_SCRIPT = r"""\set me :client_id
select bench.id() as assignment \gset
select task_id as task from evenhand.lease(bench.mint('ORG', 'session'), bench.hash(:me), bench.person(:me), 'PROJECT', 'label',
  :assignment, bench.id(), bench.hash(:me), 'EVENT', 'SEALED'::bytea, 'SEALED'::bytea, 5) \gset
select outcome as o from evenhand.submit(
  bench.mint('ORG', 'session'), bench.hash(:me), bench.person(:me), :task, :assignment,
  sha256(convert_to(:assignment, 'UTF8')), bench.id(), bench.id(), bench.id(), bench.hash(:me), 'EVENT', 'SEALED'::bytea,
  'SEALED'::bytea, 'SEALED'::bytea, 1, array[1::bigint], 1) \gset
"""
_DONE = """delete from evenhand.queue where task_id in
    (select task_id from evenhand.queue where project_id = %s order by task_id limit %s)"""
_EVENT = event_text("TaskLeased", {"actor": "0" * 24, "actor_kind": "person", "assignment": "0" * 24})
_SEALED = "\\x01" + "00" * 160  # as long as a sealed body of this size is; nobody opens it


def admin(running: Running) -> str:
    return with_database(server_of(running.settings.home).admin_url, "evenhand")


def pgbench(
    running: Running, org: str, project: str, people: list[str], sessions: list[tuple[str, str]], clients: int, s: float
) -> dict:
    """Pairs a second of the same functions without HTTP, and the database's CPU a pair."""
    with psycopg.connect(admin(running), autocommit=True) as conn:
        conn.execute(_BENCH_SQL)
        for n, ((cookie, _), person) in enumerate(zip(sessions, people, strict=True)):
            conn.execute("insert into bench.client values (%s, %s, %s)", (n, hashed(cookie.split("=", 1)[1]), person))
        conn.execute("alter role evenhand_bench password 'bench'")
        conn.execute("grant connect on database evenhand to evenhand_bench")
        conn.execute("alter role evenhand_bench set search_path = pg_catalog, evenhand, pg_temp")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(
            _SCRIPT.replace("ORG", org).replace("PROJECT", project).replace("EVENT", _EVENT).replace("SEALED", _SEALED)
        )
        script.flush()
        info = psycopg.conninfo.conninfo_to_dict(admin(running))
        before = running.cpu()
        command = [
            str(find(None).folder / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(max(1, round(s))),
            "-f", script.name, "-h", str(info["host"]), "-p", str(info["port"]), "-U", "evenhand_bench", "evenhand",
        ]  # fmt: skip
        got = subprocess.run(
            command,
            env={**os.environ, "PGPASSWORD": "bench", "PGOPTIONS": "-c enable_seqscan=off"},
            capture_output=True,
            text=True,
        )
        after = running.cpu()
    found = re.search(r"tps = ([0-9.]+) \(without", got.stdout)
    done = re.search(r"transactions actually processed: (\d+)", got.stdout)
    if got.returncode != 0 or found is None or done is None:
        raise SystemExit(f"pgbench failed:\n{got.stdout}\n{got.stderr}")
    return {
        "rate": float(found[1]),
        "cpu_ms": (after["database"] - before["database"]) * 1000 / max(1, int(done[1])),
    }


def through_http(running: Running, sessions: list[tuple[str, str]], seconds: float) -> tuple[Result, dict[str, float]]:
    async def work() -> Result:
        lines = [Connection("localhost", running.settings.port, cookie, csrf) for cookie, csrf in sessions]
        for line in lines:
            await line.open()
        try:
            return await annotate(lines, seconds, seed.ANSWER)
        finally:
            for line in lines:
                line.close()

    before = running.cpu()
    result = asyncio.run(work())
    after = running.cpu()
    if result.failed:
        raise SystemExit(f"a request failed: {result.failed[0]}")
    if len(set(result.tasks)) != len(result.tasks):
        raise SystemExit("a task was handed out twice")
    return result, {k: (after[k] - before[k]) * 1000 / max(1, result.pairs) for k in after}


def yardstick() -> float:
    """Milliseconds of CPU for what is always the same."""
    begun = time.process_time()
    if sum(n * n for n in range(500_000)) < 0:
        raise SystemExit("this machine cannot count")
    return (time.process_time() - begun) * 1000


def one_turn(
    running: Running,
    org: str,
    project: str,
    people: list[str],
    sessions: list[tuple[str, str]],
    annotators: int,
    s: float,
) -> dict[str, float]:
    """pgbench, then ourselves, for `s` seconds each."""
    peer = pgbench(running, org, project, people, sessions, annotators, s)
    pace = yardstick()
    result, cpu = through_http(running, sessions[:annotators], s)
    rate = result.pairs / result.wall_s
    return {
        "pairs_per_s": rate,
        "pgbench_pairs_per_s": peer["rate"],
        "share": rate / peer["rate"],
        "cpu_ms": sum(cpu.values()),
        "cpu_server_ms": cpu["server"],
        "cpu_database_ms": cpu["database"],
        "cpu_pgbench_database_ms": peer["cpu_ms"],
        "yardstick_ms": pace,
        **{
            f"{name}_{p}_ms": percentile(values, share)
            for name, values in (("next", result.next_ms), ("submit", result.submit_ms))
            for p, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
        },
    }


def medians(taken: list[dict[str, float]]) -> dict[str, object]:
    """Each figure's median, and the smallest and the largest of those that are judged."""
    ranges = {
        f"{name}_from_to": [round(min(t[name] for t in taken), 2), round(max(t[name] for t in taken), 2)]
        for name in ("share", "cpu_ms", "next_p99_ms", "submit_p99_ms", "yardstick_ms")
    }
    return {name: round(percentile([t[name] for t in taken], 0.5), 3) for name in taken[0]} | ranges


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    seconds = 3 if quick else 12
    rows: list[dict] = []
    with evenhand() as running:
        org, people, sessions = seed.people_with_sessions(running, 16)
        for size in sizes:
            for annotators, worn in ((1, False), (16, False), *(((16, True),) if size == sizes[-1] else ())):
                # a project for each, and short at the smallest: what is measured must not run out of tasks
                project = seed.project_with(
                    running, f"Size {size} for {annotators}{' worn' if worn else ''}", org, size
                )
                with psycopg.connect(admin(running), autocommit=True) as conn:
                    # what an import leaves to be written and tidied up is its own cost, not that of the work that follows
                    conn.execute("vacuum analyze")
                    if worn:
                        conn.execute("alter table evenhand.queue set (autovacuum_enabled = off)")
                        conn.execute(_DONE, (project, size * 3 // 4))
                    conn.execute("checkpoint")
                seats(running, org, project, people)
                lasts = min(seconds, size / 8000)
                through_http(running, sessions, 3)  # until all connections are open and their plans made
                taken = [one_turn(running, org, project, people, sessions, annotators, lasts) for _ in range(TURNS)]
                row = {"tasks": size, "annotators": annotators, "worn": worn, **medians(taken)}
                rows.append(row)
                say(**row)
                seed.pause(running, org, project)
    busy = [r for r in rows if r["annotators"] == 16]
    grown = max(r["cpu_pgbench_database_ms"] for r in busy) / min(r["cpu_pgbench_database_ms"] for r in busy)
    growth = max(r["cpu_ms"] for r in busy) / min(r["cpu_ms"] for r in busy)
    ratios = {
        "share of pgbench": min(r["share"] for r in busy) / SHARE_TARGET,
        "cpu": CPU_TARGET_MS / max(r["cpu_ms"] for r in busy),
        "p99": P99_TARGET_MS / max(max(r["next_p99_ms"], r["submit_p99_ms"]) for r in busy),
        "growth": 1.3 / growth,
    }
    say(ratios={k: round(v, 3) for k, v in ratios.items()}, growth=round(growth, 3), growth_of_pgbench=round(grown, 3))
    worst = min(ratios, key=lambda k: ratios[k])
    conclude(
        f"next + submit with 16 annotators (worst of all targets: {worst})",
        max(r["cpu_ms"] for r in busy),
        "ms of CPU a pair",
        CPU_TARGET_MS,
        ratios[worst],
    )


def seats(running: Running, org: str, project: str, people: list[str]) -> None:
    """Newcomers are seated by a job; the bench does not wait for it."""
    with psycopg.connect(admin(running), autocommit=True) as conn:
        for person in people:
            conn.execute(
                "insert into evenhand.seat (org_id, project_id, person_id, role) values (%s, %s, %s, 'label')"
                " on conflict do nothing",
                (org, project, person),
            )


if __name__ == "__main__":
    main()
