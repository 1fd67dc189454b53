"""The wall as PostgreSQL itself describes it. What is not written down here is refused, tomorrow's tables included."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.laws import catalogue
from tests.pg import TestServer

CONTENT = {"body"}


@pytest.fixture
def conn(pg_server: TestServer, urls: DatabaseUrls) -> Iterator[catalogue.Connection]:
    """The superuser's view of a migrated database."""
    database = roles.connection_info(urls.owner)["dbname"]
    with psycopg.connect(pg_server.admin_url_of(database), autocommit=True) as opened:
        yield opened


@pytest.fixture
def owner(urls: DatabaseUrls) -> Iterator[catalogue.Connection]:
    with psycopg.connect(urls.owner, autocommit=True) as opened:
        yield opened


def test_the_migrated_database_obeys(conn: catalogue.Connection) -> None:
    assert catalogue.every_law(conn) == []
    rows = conn.execute("SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'evenhand'::regnamespace"
                        " AND c.relkind = 'r'").fetchone()  # fmt: skip
    assert rows is not None and rows[0] > 25, "the laws looked at something"


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("create table evenhand.plan (org_id text not null, plan_id text, primary key (org_id, plan_id))",
         "evenhand.plan has no row security"),
        ("create table evenhand.plan (org_id text not null); alter table evenhand.plan enable row level security",
         "evenhand.plan does not force row security on its owner"),
        ("create table evenhand.plan (org_id text not null); alter table evenhand.plan enable row level security;"
         "alter table evenhand.plan force row level security", "evenhand.plan has no policy"),
        ("create table evenhand.plan (plan_id text primary key)", "key plan_pkey of evenhand.plan begins with plan_id"),
        ("create table evenhand.plan (plan_id text)", "evenhand.plan has no organisation"),
        ("create schema side; create table side.plan (x int)", "side.plan is outside the schemas of the wall"),
        ("create policy ajar on evenhand.task to evenhand_app using (true)",
         "policy ajar on evenhand.task does not compare org_id with the signed context for evenhand_app"),
        ("create policy ajar on evenhand.task using (org_id = (select ctx.org()))",
         "policy ajar on evenhand.task is for everybody"),
        ("create policy ajar on evenhand.answer for select to evenhand_scheduler using (true)",
         "policy ajar on evenhand.answer opens all rows to evenhand_scheduler"),
        ("alter policy wall on evenhand.task with check (true)",
         "policy wall on evenhand.task does not compare org_id with the signed context for evenhand_app"),
        ("create unique index oracle on evenhand.task (unique_mac)", "key oracle of evenhand.task begins with unique_mac"),
        ("create index loose on evenhand.task (project_id)", "index loose of evenhand.task begins with project_id"),
        ("alter table evenhand.question add foreign key (person_id) references evenhand.person",
         "foreign key question_person_id_fkey of evenhand.question reaches evenhand.person by person_id"),
        ("create view evenhand.everything as select * from evenhand.task",
         "evenhand.everything is a relation of kind 'v'"),
        ("create materialized view evenhand.everything as select * from evenhand.task",
         "evenhand.everything is a relation of kind 'm'"),
        ("create sequence evenhand.number", "evenhand.number is a relation of kind 'S'"),
        ("create function evenhand.peek() returns bigint language sql security definer as"
         " 'select count(*) from evenhand.task'", "evenhand.peek() runs with its owner's rights"),
        ("create function evenhand.peek() returns bigint language sql as 'select 1::bigint';"
         "grant execute on function evenhand.peek() to public", "evenhand.peek() may be called by everybody"),
        ("create function evenhand.spy() returns trigger language plpgsql as 'begin return new; end';"
         "create trigger spy before insert on evenhand.task for each row execute function evenhand.spy()",
         "trigger spy on evenhand.task"),
        ("create function evenhand.peek(p_ctx text) returns bigint language plpgsql security definer as"
         " 'declare\n v_org text;\nbegin\n perform 1;\n v_org := ctx.enter(p_ctx);\n return 1; end'",
         "evenhand.peek(text) runs with its owner's rights"),
        ("create policy desk on evenhand.review to current_user using (true)",
         "policy desk on evenhand.review does not ask what was proved"),
        ("grant create on schema evenhand to evenhand_app", "evenhand_app may create in evenhand"),
    ],
)  # fmt: skip
def test_the_laws_see_what_is_added_tomorrow(
    conn: catalogue.Connection, owner: catalogue.Connection, statement: str, complaint: str
) -> None:
    owner.execute(statement)
    assert complaint in catalogue.every_law(conn)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("grant temporary on database {database} to evenhand_app", "evenhand_app has TEMPORARY on the database"),
        ("grant connect on database {database} to public", "public has CONNECT on the database"),
        ("grant usage on schema public to public", "evenhand_app may look into public"),
        ("create table evenhand.mine (org_id text not null); alter table evenhand.mine owner to evenhand_app",
         "evenhand_app owns mine"),
    ],
)  # fmt: skip
def test_the_laws_see_what_an_administrator_may_do(conn: catalogue.Connection, statement: str, complaint: str) -> None:
    conn.execute(statement.format(database=conn.info.dbname))
    assert complaint in catalogue.every_law(conn)


def test_the_laws_see_a_role_that_grew(conn: catalogue.Connection) -> None:
    # roles belong to the whole server, so these are taken back by the transaction
    with conn.transaction(force_rollback=True):
        conn.execute("alter role evenhand_picker bypassrls")
        conn.execute("grant evenhand_gate to evenhand_app")
        conn.execute("alter role evenhand_loader set search_path = public")
        found = catalogue.every_law(conn)
    assert "evenhand_picker has more rights than it needs" in found
    assert "evenhand_app is a member of evenhand_gate" in found
    assert any(line.startswith("evenhand_loader has the settings") for line in found)


# --- grants, written out

WALLED = {
    "project", "project_version", "batch", "seat", "asset", "task", "queue", "assignment", "draft", "answer", "review",
    "question", "notice", "import_chunk", "delivery", "callback", "callback_try", "worker_group", "setting",
    "idempotency", "fact", "job", "job_step", "gold_task", "gold_score", "course",
    "undone", "feed",
}  # fmt: skip
ONLY_ADDED = {"fact", "import_chunk", "callback_try", "job_step", "undone"}  # what happened is never rewritten
MAY_GO = {"queue", "seat", "draft", "setting", "worker_group", "feed"}
OWN_ACCESS = ("provider", "email_domain", "ip_rule")  # what an owner says of signing in
ALL = frozenset({"*"})


def _columns(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _app() -> dict[str, dict[str, frozenset[str]]]:
    out: dict[str, dict[str, frozenset[str]]] = {}
    for table in WALLED:
        out[f"evenhand.{table}"] = {"select": ALL, "insert": ALL}
        if table not in ONLY_ADDED:
            out[f"evenhand.{table}"]["update"] = ALL
        if table in MAY_GO:
            out[f"evenhand.{table}"]["delete"] = ALL
    out["evenhand.viewing"] = {"select": ALL, "insert": ALL, "update": _columns("until ranges bytes closed_at")}
    out["evenhand.org"] = {"select": ALL}
    wrapped = frozenset({"key_id", "wrapped"})
    out["evenhand.org_key"] = {"select": ALL, "insert": ALL, "delete": ALL, "update": wrapped}
    out["evenhand.key_service"] = {"select": ALL, "insert": ALL, "update": ALL}
    out["evenhand.data_key"] = {
        "select": ALL,
        "insert": ALL,
        "update": frozenset({"under", "wrapped"}),
    }  # a project comes with its key
    out["evenhand.log_member"] = out["evenhand.log_place"] = {"select": ALL}
    out["evenhand.contract"] = out["evenhand.rate_told"] = {"select": ALL, "insert": ALL}
    out["evenhand.rate_card"] = out["evenhand.price_class"] = {"select": ALL}
    out["evenhand.hold"] = out["evenhand.erasure_file"] = {"select": ALL, "insert": ALL, "delete": ALL}
    days = frozenset({"done_days", "ended_days", "updated_at"})
    out["evenhand.retention"] = {"select": ALL, "insert": ALL, "update": days, "delete": ALL}
    progress = _columns("state batch counts files bytes keys leaves edge ended_at note receipt")
    out["evenhand.erasure"] = {"select": ALL, "insert": ALL, "update": progress}
    out["evenhand.access_grant"] = {"select": ALL, "insert": ALL, "update": _columns("ended_at")}
    out["evenhand.glass_ask"] = {"select": ALL, "insert": ALL, "update": _columns("done_at")}
    out["evenhand.wall"] = {"select": ALL, "insert": ALL, "update": _columns("cool_off_d body"), "delete": ALL}
    out["evenhand.seat"] = {
        "select": ALL,
        "update": _columns("served_at cursor_rank cursor_task cursor_until"),
        "delete": ALL,
    }
    out["evenhand.member"] = {"select": ALL, "update": frozenset({"body"})}
    out |= {f"evenhand.{table}": {"select": ALL, "insert": ALL, "update": ALL, "delete": ALL} for table in OWN_ACCESS}
    out["evenhand.identity"] = {"select": ALL, "delete": ALL}
    out["evenhand.entrance"] = {"select": ALL, "update": frozenset({"ended_at"})}
    out["evenhand.api_key"] = {"select": ALL, "insert": ALL, "update": frozenset({"revoked_at", "warned_at"})}
    return out


#: role -> table -> privilege -> columns. The narrow roles have no body but the gate, whose own are the platform's.
EXPECTED: dict[str, dict[str, dict[str, frozenset[str]]]] = {
    "evenhand_app": _app(),
    "evenhand_gate": {
        "evenhand.org": {"select": ALL, "insert": ALL, "update": _columns("state body name_mac")},
        "evenhand.person": {"select": ALL, "insert": ALL, "update": _columns("password_hash operator state body director")},
        "evenhand.session": {
            "select": ALL, "insert": ALL, "update": _columns("expires_at proved_at method seen_at barred"), "delete": ALL,
        },
        "evenhand.passkey": {
            "select": ALL, "insert": ALL, "update": _columns("sign_count used_at body"), "delete": ALL,
        },
        "evenhand.totp": {"select": ALL, "insert": ALL, "update": _columns("step confirmed_at body"), "delete": ALL},
        "evenhand.recovery_code": {"select": ALL, "insert": ALL, "update": _columns("used_at"), "delete": ALL},
        "evenhand.ceremony": {"select": ALL, "insert": ALL, "delete": ALL},
        **{f"evenhand.{table}": {"select": ALL} for table in OWN_ACCESS},
        "evenhand.identity": {"select": ALL, "insert": ALL},
        "evenhand.entrance": {"select": ALL, "insert": ALL, "update": _columns("ended_at")},
        "evenhand.link": {"select": ALL, "insert": ALL, "update": _columns("used_at")},
        "evenhand.signin_attempt": {"select": ALL, "insert": ALL, "update": _columns("tries"), "delete": ALL},
        "evenhand.member": {"select": ALL, "insert": ALL, "update": _columns("role source state body")},
        "evenhand.api_key": {
            "select": _columns("org_id key_id key_hash scopes expires_at revoked_at warned_at"),
        },
        "evenhand.org_key": {"insert": ALL},  # never read by it
        "evenhand.data_key": {"insert": ALL},
        "evenhand.rate_card": {"select": ALL, "insert": ALL, "update": _columns("told_at")},
        "evenhand.price_class": {"select": ALL, "insert": ALL},
        "evenhand.contract": {"select": _columns("org_id version class capacity_h from_at until_at")},
        "evenhand.rate_told": {"select": _columns("org_id card")},
        "evenhand.wall": {"select": _columns("org_id target kind cool_off_d")},
        "evenhand.access_grant": {
            "select": _columns("org_id grant_id kind staff_id second_id project_id from_at until_at ended_at"),
        },
        "evenhand.glass_ask": {"select": _columns("org_id ask_id staff_id project_id minutes created_at done_at")},
        "evenhand.conflict_group": {"select": ALL, "insert": ALL, "delete": ALL},
        "evenhand.rivalry": {"select": ALL, "insert": ALL, "delete": ALL, "update": _columns("cool_off_d")},
        "evenhand.tie": {
            "select": ALL, "insert": ALL, "update": _columns("barred_until console_from console_until"),
        },
        "evenhand.seat": {"select": _columns("org_id project_id person_id role served_at")},
        "evenhand.queue": {"select": _columns("org_id project_id state rank")},
        "evenhand.project": {"select": _columns("org_id project_id state")},
    },
    "evenhand_scheduler": {
        "evenhand.seat": {"select": _columns("org_id project_id person_id role served_at")},
        "evenhand.queue": {"select": _columns("org_id project_id batch_id state rank")},
        "evenhand.project": {"select": _columns("org_id project_id state kind medium")},
        "evenhand.assignment": {
            "select": _columns(
                "org_id assignment_id project_id role state leased_at lease_until closed_at closed_xid late lease_s paid_s"
            )
        },
        "evenhand.batch": {"select": _columns("org_id batch_id state")},
        "evenhand.rate_card": {"select": ALL},
        "evenhand.price_class": {"select": ALL},
        "evenhand.contract": {"select": _columns("org_id version class capacity_h from_at until_at")},
        "evenhand.retention": {"select": _columns("org_id project_id")},
        "evenhand.feed": {"select": _columns("org_id feed_id next_at")},
        "evenhand.sched_class": {"select": ALL, "insert": ALL, "update": _columns("at decided pools batch seed unit")},
        "evenhand.sched_flow": {"select": ALL, "insert": ALL, "update": _columns("state told")},
        "evenhand.sched_pool": {"select": ALL, "insert": ALL, "update": ALL, "delete": ALL},
        "evenhand.sched_step": {"select": ALL, "insert": ALL, "delete": ALL},
        "evenhand.sched_decision": {"select": ALL, "insert": ALL},
        "evenhand.sched_batch": {"select": ALL, "insert": ALL, "update": _columns("told")},
        "evenhand.sched_account": {"select": ALL, "update": _columns("xid")},
        "evenhand.rivalry": {"select": ALL},
        "evenhand.tie": {"select": ALL},
        "evenhand.viewing": {"select": _columns("org_id closed_at")},
    },
    "evenhand_reporter": {
        "evenhand.rate_card": {"select": ALL},
        "evenhand.price_class": {"select": ALL},
        "evenhand.affiliate": {"select": ALL, "insert": ALL, "delete": ALL},
        "evenhand.neutrality": {"select": ALL, "insert": ALL},
        "evenhand.assignment": {"select": _columns("org_id state role closed_at paid_s")},
        "evenhand.org": {"select": _columns("org_id mode sibling_id")},
    },
    "evenhand_picker": {
        "evenhand.job": {
            "select": _columns("org_id job_id kind state run_at lease_until fence attempts most"),
            "update": _columns("state run_at lease_until ended_at fence attempts"),
        },
    },
    "evenhand_sequencer": {
        "evenhand.fact": {"select": _columns("org_id fact_id xid at digest")},
        "evenhand.log_member": {"select": ALL, "insert": ALL, "update": _columns("count")},
        "evenhand.log_place": {"select": ALL, "insert": ALL},
        "evenhand.log_batch": {"select": ALL, "insert": ALL},
        "evenhand.log_epoch": {"select": ALL, "insert": ALL, "update": _columns("checkpoint")},
        "evenhand.log_policy": {"select": ALL, "insert": ALL},
        "evenhand.neutrality": {"select": _columns("number head")},
        "evenhand.log_state": {
            "select": ALL,
            "update": _columns("system_id xid strange size roots epoch ended batch_at epoch_at published wanted"),
        },
    },
    "evenhand_cleaner": {
        "evenhand.idempotency": {"select": _columns("org_id actor_id key_mac created_at"), "delete": ALL},
        "evenhand.job": {"select": _columns("org_id job_id state ended_at"), "delete": ALL},
        "evenhand.session": {"select": _columns("expires_at"), "delete": ALL},
        "evenhand.link": {"select": _columns("expires_at used_at"), "delete": ALL},
        "evenhand.signin_attempt": {"select": _columns("window_at"), "delete": ALL},
        "evenhand.erasure": {"select": _columns("ended_at receipt"), "update": _columns("receipt")},
        "evenhand.ceremony": {"select": _columns("expires_at"), "delete": ALL},
        "evenhand.entrance": {"select": _columns("expires_at"), "delete": ALL},
        "evenhand.viewing": {"select": _columns("org_id viewing_id closed_at"), "delete": ALL},
        "evenhand.sched_batch": {"select": _columns("class batch closed told"), "delete": ALL},
        "evenhand.sched_decision": {"select": _columns("class batch"), "delete": ALL},
    },
    "evenhand_loader": {
        "evenhand.task": {"select": _columns("org_id task_id unique_mac"), "insert": ALL},
        "evenhand.queue": {"insert": ALL},
        "evenhand.import_chunk": {"select": ALL, "insert": ALL},
        "evenhand.fact": {"insert": ALL},
        "evenhand.job": {"insert": ALL},
        "evenhand.asset": {"insert": ALL},
        "evenhand.answer": {"insert": ALL},
        "evenhand.review": {"insert": ALL},
    },
}  # fmt: skip
WEIGHTS = {"evenhand.card_at", "evenhand.weight_of", "evenhand.weights"}
CALLS = {
    "evenhand_app": {
        "ctx.org", "evenhand.lease", "evenhand.submission", "evenhand.submit", "evenhand.expire", "evenhand.free_place",
        "evenhand.hold_task", "evenhand.reset_cursors", "evenhand.card_at", "evenhand.weight_of",
        "evenhand.erase_tasks", "evenhand.erase_files",
        "evenhand.erase_project", "evenhand.erase_space",
        "evenhand.admit", "evenhand.give_seats", "evenhand.set_member",
    },
    "evenhand_gate": {
        "evenhand.session_person", "evenhand.queue_heads", "evenhand.waiting", "evenhand.kept_off",
        "evenhand.rivals_anew", "evenhand.console_shut", "evenhand.console_begins", "evenhand.console_ends",
        "evenhand.activate_member", *WEIGHTS,
    },
    "evenhand_scheduler": {"evenhand.queue_heads", "evenhand.sched_add", "evenhand.kept_off", *WEIGHTS},
    "evenhand_reporter": set(),
    "evenhand_loader": {"ctx.org"},
    "evenhand_picker": set(),
    "evenhand_sequencer": set(),
    "evenhand_cleaner": set(),
}  # fmt: skip


def test_every_role_has_exactly_these_grants(conn: catalogue.Connection) -> None:
    found: dict[str, Any] = catalogue.grants(conn)
    assert set(found) == set(EXPECTED), "grants to somebody else"
    for role, tables in EXPECTED.items():
        assert found[role] == tables, role


def test_every_role_may_call_exactly_these_functions(conn: catalogue.Connection) -> None:
    assert catalogue.executes(conn) == CALLS


def test_narrow_roles_never_see_a_body(conn: catalogue.Connection) -> None:
    narrow = [role for role in catalogue.ROLES if role not in ("evenhand_app", "evenhand_gate")]
    rows = conn.execute(
        "SELECT r.name, c.oid::regclass::text, a.attname FROM unnest(%s::text[]) AS r(name), pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'evenhand'::regnamespace AND c.relkind = 'r'"
        " AND a.attnum > 0 AND a.attname = ANY(%s) AND has_column_privilege(r.name, c.oid, a.attnum, 'SELECT')",
        (narrow, list(CONTENT)),
    ).fetchall()
    # its own report of a chunk that it has read before; line numbers and faults, kept for the same customer
    assert rows == [("evenhand_loader", "evenhand.import_chunk", "body")]


def test_nobody_but_the_owner_reaches_the_secret(conn: catalogue.Connection) -> None:
    for role in catalogue.ROLES:
        for what in ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "TRIGGER", "TRUNCATE"):
            row = conn.execute("SELECT has_table_privilege(%s, 'ctx.secret', %s)", (role, what)).fetchone()
            assert row == (False,), f"{role} may {what} the secret"
