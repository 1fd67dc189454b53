"""The signed context and the roles, attacked on real connections: as injected SQL would, from inside a request's role."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from evenhand.infra import context
from evenhand.infra.db import Actor, Database, Role
from evenhand.infra.ids import new_id
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import KEYS, Customer, World
from tests.pg import TestServer

pytestmark = pytest.mark.anyio
SECRET = KEYS.key("context")
TABLES = ("task", "project", "answer", "asset", "fact", "member", "api_key", "org", "job")


@pytest.fixture
async def two(world: World) -> tuple[Customer, Customer]:
    """Two customers with a project each."""
    customers = (await world.customer("Acme"), await world.customer("Birch"))
    for customer in customers:
        made = await world.keyed(customer.live_key).post(
            "/api/v1/projects", json={"name": f"Secret of {customer.name}", "medium": "text"}
        )
        assert made.status_code == 200
        await world.keyed(customer.live_key).post(
            f"/api/v1/projects/{made.json()['id']}/tasks", json={"data": {"text": f"secret of {customer.name}"}}
        )
    return customers


@pytest.fixture
def app(urls: DatabaseUrls, two: tuple[Customer, Customer]) -> Iterator[psycopg.Connection]:
    """What injected SQL has: a connection of the request's role."""
    with psycopg.connect(urls.app, autocommit=True) as conn:
        yield conn


def count(conn: psycopg.Connection, table: str) -> int:
    row = conn.execute(f"select count(*) from evenhand.{table}").fetchone()
    assert row is not None
    return row[0]


def wear(conn: psycopg.Connection, token: str) -> None:
    conn.execute("select set_config('evenhand.ctx', %s, false)", (token,))


def token_for(conn: psycopg.Connection, org: str, **options: float) -> str:
    return context.mint(SECRET, org, "somebody", conn.info.backend_pid, **options)


async def test_without_a_context_there_is_nothing(app: psycopg.Connection) -> None:
    for token in (None, ""):
        if token is not None:
            wear(app, token)
        for table in TABLES:
            assert count(app, table) == 0, table


async def test_a_context_shows_its_own_space_only(app: psycopg.Connection, two: tuple[Customer, Customer]) -> None:
    for customer in two:
        wear(app, token_for(app, customer.live))
        rows = app.execute("select distinct org_id from evenhand.task").fetchall()
        assert rows == [(customer.live,)]
    wear(app, token_for(app, new_id()))
    assert count(app, "task") == 0


async def test_writing_into_another_space_is_refused(app: psycopg.Connection, two: tuple[Customer, Customer]) -> None:
    mine, theirs = two
    wear(app, token_for(app, mine.live))
    add = "insert into evenhand.setting (org_id, name, body) values (%s, 'x', '')"
    app.execute(add, (mine.live,))
    for org in (theirs.live, mine.test):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            app.execute(add, (org,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        app.execute("update evenhand.setting set org_id = %s", (theirs.live,))
    changed = app.execute("update evenhand.project set state = 'archived' where org_id = %s", (theirs.live,))
    assert changed.rowcount == 0


async def test_forged_contexts_are_errors(app: psycopg.Connection, two: tuple[Customer, Customer]) -> None:
    mine, theirs = two
    good = token_for(app, mine.live)
    org, actor, pid, expiry, mac = good.split(".")
    forged = {
        "another organisation under the same signature": f"{theirs.live}.{actor}.{pid}.{expiry}.{mac}",
        "another actor": f"{org}.root.{pid}.{expiry}.{mac}",
        "a later expiry": f"{org}.{actor}.{pid}.{int(expiry) + 3600}.{mac}",
        "another connection's number": f"{org}.{actor}.{int(pid) + 1}.{expiry}.{mac}",
        "a signature of another key": context.mint(b"x" * 32, theirs.live, actor, app.info.backend_pid),
        "no signature": f"{org}.{actor}.{pid}.{expiry}.",
        "half a signature": good[:-32],
        "a letter changed": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "four parts": ".".join(good.split(".")[:4]),
        "six parts": good + ".x",
        "only an organisation": theirs.live,
        "a space in front": " " + good,
        "upper case": good.upper(),
        "words": "let me in",
        "quotes": "'; select 1; --",
        "a dot": ".",
        "dots": "....",
        "an empty key": f"{org}.{actor}.{pid}.{expiry}.{'0' * 64}",
    }
    for what, token in forged.items():
        wear(app, token)
        for statement in ("select count(*) from evenhand.task", "select ctx.org()"):
            with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
                app.execute(statement)
                pytest.fail(f"{what} was taken")
    wear(app, good)
    assert count(app, "task") == 1


async def test_a_context_ends_after_a_minute(app: psycopg.Connection, two: tuple[Customer, Customer]) -> None:
    wear(app, token_for(app, two[0].live, now_s=time.time() - context.LIFE_S - 2))
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification, match="expired"):
        count(app, "task")
    wear(app, token_for(app, two[0].live, now_s=time.time() - context.LIFE_S + 5))
    assert count(app, "task") == 1


async def test_a_context_is_worth_nothing_on_another_connection(
    app: psycopg.Connection, urls: DatabaseUrls, two: tuple[Customer, Customer]
) -> None:
    stolen = token_for(app, two[0].live)
    with psycopg.connect(urls.app, autocommit=True) as other:
        wear(other, stolen)
        with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification, match="another connection"):
            count(other, "task")
    with psycopg.connect(urls.loader, autocommit=True) as loader:
        wear(loader, stolen)
        with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification, match="another connection"):
            loader.execute("select task_id from evenhand.task").fetchall()


async def test_the_old_context_does_not_outlive_its_transaction(
    app: psycopg.Connection, two: tuple[Customer, Customer]
) -> None:
    with app.transaction():
        app.execute("select set_config('evenhand.ctx', %s, true)", (token_for(app, two[0].live),))
        assert count(app, "task") == 1
    assert count(app, "task") == 0


async def test_pooled_connections_forget(db: Database, world: World, two: tuple[Customer, Customer]) -> None:
    """The next request on a pooled connection begins with nothing, after success and after failure."""
    for fail in (False, True):
        try:
            async with world.db.tx(two[0].live, Actor("person", "p")) as tx:
                assert await tx.conn.fetchval("select count(*) from evenhand.task") == 1
                if fail:
                    raise KeyError("a bug")
        except KeyError:
            pass
        async with world.db.connection("app") as conn:
            assert await conn.fetchval("select current_setting('evenhand.ctx', true)") in (None, "")
            assert await conn.fetchval("select count(*) from evenhand.task") == 0


async def test_a_shadowing_table_cannot_be_made(app: psycopg.Connection, two: tuple[Customer, Customer]) -> None:
    wear(app, token_for(app, two[0].live))
    for statement in (
        "create temp table task (org_id text, body bytea)",
        "create temporary table answer as select 1",
        "create table pg_temp.task (x int)",
        "create temp view task as select 1",
        "create temp sequence s",
        "create table evenhand.shadow (x int)",
        "create table public.task (x int)",
        "create function evenhand.f() returns int language sql as 'select 1'",
        "create function pg_temp.f() returns int language sql as 'select 1'",
        "create schema mine",
        "create type evenhand.t as (x int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)
            pytest.fail(statement)


async def test_the_request_role_has_no_way_up(app: psycopg.Connection, two: tuple[Customer, Customer]) -> None:
    wear(app, token_for(app, two[0].live))
    for statement in (
        "set role evenhand_owner",
        "set role evenhand_gate",
        "set session authorization postgres",
        "set row_security = off; select * from evenhand.task",
        "alter table evenhand.task disable row level security",
        "alter table evenhand.task no force row level security",
        "drop policy wall on evenhand.task",
        "create policy ajar on evenhand.task using (true)",
        "alter function ctx.org() security invoker",
        "create or replace function ctx.org() returns text language sql as 'select null::text'",
        "select * from ctx.secret",
        "update ctx.secret set inner_pad = inner_pad",
        "select * from evenhand.person",
        "select * from evenhand.session",
        "select * from evenhand.link",
        "select evenhand.session_person('x')",
        "select * from evenhand.queue_heads('x', 'label')",
        "delete from evenhand.task",
        "delete from evenhand.answer",
        "update evenhand.fact set kind = 'Nothing'",
        "delete from evenhand.fact",
        "truncate evenhand.task",
        "update evenhand.api_key set key_hash = 'x'",
        "update evenhand.org set mode = 'live'",
        "insert into evenhand.member (org_id, person_id, role, body) values ('x', 'y', 'owner', '')",
        "copy evenhand.task to program 'cat'",
        "copy (select 1) to '/tmp/evenhand-copy'",
        "select pg_read_file('/etc/passwd')",
        "select lo_import('/etc/passwd')",
        "load 'x'",
        "create extension dblink",
        "alter role evenhand_app superuser",
        "grant evenhand_gate to evenhand_app",
        "alter system set log_statement = 'all'",
        "select * from pg_authid",
        "set log_statement = 'all'",
        "comment on table evenhand.task is 'x'",
        "lock table evenhand.task in access exclusive mode",
    ):
        with pytest.raises(psycopg.Error):
            app.execute(statement)
            pytest.fail(f"allowed: {statement}")


#: role -> statements that it must not run. Bodies, other tables, columns beyond its grants.
BEYOND: dict[Role, tuple[str, ...]] = {
    "loader": (
        "select body from evenhand.task", "select * from evenhand.task", "select body from evenhand.asset",
        "select body from evenhand.answer", "select body from evenhand.project", "select body from evenhand.fact",
        "select 1 from evenhand.answer", "select 1 from evenhand.member", "select 1 from evenhand.queue",
        "select body from evenhand.job", "update evenhand.task set priority = 1", "delete from evenhand.task",
        "update evenhand.queue set state = 'open'", "select 1 from evenhand.session", "select 1 from ctx.secret",
    ),
    "gate": (
        "select 1 from evenhand.task", "select body from evenhand.project", "select 1 from evenhand.answer",
        "select task_id from evenhand.queue", "update evenhand.seat set served_at = now()",
        "delete from evenhand.queue", "select 1 from evenhand.fact", "select body from evenhand.api_key",
        "update evenhand.api_key set revoked_at = null",
        "insert into evenhand.api_key (org_id, key_id, key_hash, prefix, scopes, body) values ('', '', '', '', '{}', '')",
        "update evenhand.org set mode = 'live'", "update evenhand.session set person_id = 'x'",
        "update evenhand.link set person_id = 'x'", "update evenhand.member set org_id = 'x'",
        "delete from evenhand.person", "delete from evenhand.member", "delete from evenhand.org", "select ctx.org()",
        "create temp table x (y int)",
    ),
    "scheduler": (
        "select body from evenhand.task", "select 1 from evenhand.task", "select body from evenhand.assignment",
        "select person_id from evenhand.assignment", "select task_id from evenhand.assignment", "select 1 from evenhand.fact",
        "select body from evenhand.project",
        "select name_mac from evenhand.project", "select task_id from evenhand.queue", "select 1 from evenhand.answer",
        "select 1 from evenhand.member", "select 1 from evenhand.person", "update evenhand.queue set state = 'open'",
        "update evenhand.seat set served_at = now()", "insert into evenhand.seat values ('', '', '', 'label')",
        "select ctx.org()", "create temp table x (y int)",
    ),
    "picker": (
        "select body from evenhand.job", "select * from evenhand.job", "select 1 from evenhand.job_step",
        "select 1 from evenhand.task", "update evenhand.job set body = ''", "update evenhand.job set kind = 'x'",
        "update evenhand.job set org_id = 'x'", "delete from evenhand.job", "select 1 from evenhand.fact",
        "insert into evenhand.job (org_id, job_id, kind, body) values ('', '', '', '')", "create temp table x (y int)",
    ),
    "sequencer": (
        "select body from evenhand.fact", "select about_id from evenhand.fact", "select actor_id from evenhand.fact",
        "select * from evenhand.fact", "update evenhand.fact set kind = ''", "delete from evenhand.fact",
        "select 1 from evenhand.task", "select 1 from evenhand.job", "create temp table x (y int)",
    ),
    "reporter": (
        "select 1 from evenhand.task", "select 1 from evenhand.contract", "select body from evenhand.org",
        "select name_mac from evenhand.org", "select person_id from evenhand.assignment", "select task_id from evenhand.assignment",
        "select 1 from evenhand.fact", "select ctx.org()", "create temp table x (y int)",
        "select 1 from evenhand.sched_decision", "update evenhand.neutrality set day = now()", "delete from evenhand.neutrality",
    ),
    "cleaner": (
        "select body from evenhand.job", "select body from evenhand.idempotency", "select body from evenhand.job_step",
        "delete from evenhand.job_step", "update evenhand.job set state = 'done'", "delete from evenhand.fact",
        "select token_hash from evenhand.session", "select token_hash from evenhand.link", "delete from evenhand.task",
        "select subject_mac from evenhand.signin_attempt", "select 1 from evenhand.task", "select ctx.org()",
        "update evenhand.session set expires_at = now()", "create temp table x (y int)",
    ),
}  # fmt: skip


async def test_narrow_roles_stay_narrow(urls: DatabaseUrls, two: tuple[Customer, Customer]) -> None:
    for role, statements in BEYOND.items():
        with psycopg.connect(getattr(urls, role), autocommit=True) as conn:
            wear(conn, token_for(conn, two[0].live))
            for statement in statements:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(statement)
                    pytest.fail(f"{role} may: {statement}")


async def test_the_owner_itself_is_under_the_wall(urls: DatabaseUrls, two: tuple[Customer, Customer]) -> None:
    """FORCE: the migrating owner, without a policy of its own, sees no content."""
    with psycopg.connect(urls.owner, autocommit=True) as conn:
        for table in TABLES:
            assert count(conn, table) == 0, table


async def test_the_loaders_stage_is_its_own(
    pg_server: TestServer, world: World, two: tuple[Customer, Customer]
) -> None:
    """What one import staged is gone before the next one on the same connection, also when it failed half-way."""
    acme, birch = two
    for customer, lines in ((acme, b'{"data":{"text":"acme stages this"}}'), (birch, b'{"data":{"text":"mine"}}')):
        api = world.keyed(customer.live_key)
        project = (await api.get("/api/v1/projects")).json()["items"][0]["id"]
        reply = await api.post(f"/api/v1/projects/{project}/tasks/bulk", content=lines)
        assert reply.json()["created"] == 1, reply.text
        async with world.db.connection("loader") as conn:
            if await conn.fetchval("select to_regclass('pg_temp.evenhand_stage_task')") is not None:
                assert await conn.fetchval("select count(*) from pg_temp.evenhand_stage_task") == 0
    excerpts = [t["excerpt"] for t in (await world.keyed(birch.live_key).get("/api/v1/tasks")).json()["items"]]
    assert sorted(excerpts) == ["mine", "secret of Birch"]
