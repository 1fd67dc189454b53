"""The laws of the catalogue, as functions: each gives the sentences that say what breaks it. An empty list is obedience.

They walk what PostgreSQL itself says of the database, so a table, a grant or a function that is added tomorrow is seen.
"""

import re
from typing import Any

import psycopg

from evenhand.infra.postgres.roles import OWNER, SEARCH_PATH, SERVING, role_name

Connection = psycopg.Connection[Any]
ROLES = tuple(map(role_name, SERVING))

#: Tables that are found before an organisation is known, or that belong to none. Ids, times, states, MACs, ciphertext.
PLATFORM = {
    "person", "session", "link", "signin_attempt", "log_batch", "log_epoch", "log_state", "log_policy",
    "rate_card", "price_class", "neutrality",
    "passkey", "totp", "recovery_code", "ceremony",
    "sched_class", "sched_pool", "sched_step", "sched_decision", "sched_batch", "sched_account",
}  # fmt: skip
#: What the scheduler keeps for itself. It writes nowhere else.
SCHEDULERS = {table for table in PLATFORM if table.startswith("sched_")} | {"sched_flow"}
GATES = ("person", "session", "link", "signin_attempt", "passkey", "totp", "recovery_code", "ceremony")
#: Of one organisation, and asked for by the gate before it is known who is inside.
GATES_TOO = ("provider", "email_domain", "identity", "ip_rule", "entrance")
#: Unique and primary keys that may begin with something else than the organisation. Each is a platform matter.
GLOBAL_KEYS = {
    "person_pkey", "person_email_mac_key", "session_pkey", "link_pkey", "signin_attempt_pkey",
    "org_name_mac_mode_key",  # names of organisations, by MAC, seen by the gate only
    "api_key_key_hash_key",  # a key is looked up before its organisation is known
    "secret_pkey",
    "session_session_id_key", "passkey_pkey", "passkey_credential_key", "totp_pkey", "recovery_code_pkey", "ceremony_pkey",
    "email_domain_owner",  # one owner of each mail domain, by MAC
    "rate_card_pkey", "price_class_pkey", "neutrality_pkey",  # public
    "log_member_slot_key", "log_batch_pkey", "log_epoch_pkey", "log_state_pkey", "log_policy_pkey",  # the sequencer's
    *(f"{table}_pkey" for table in PLATFORM if table.startswith("sched_")), "sched_flow_index",  # the scheduler's
}  # fmt: skip
#: Plain indexes of the narrow roles, which look across organisations by design.
GLOBAL_INDEXES = {
    "session_person", "member_person", "passkey_person", "seat_person", "job_lapsed", "feed_due", "tie_person", "grant_staff",
    "assignment_closed_xid",  # the scheduler charges what has ended, in order
    "fact_xid",  # the sequencer takes what is finished, in order
    "job_ended", "idempotency_age",  # of the cleaner
    "sched_step_assignment", "sched_decision_batch", "sched_batch_closed", "sched_flow_untold",
}  # fmt: skip
#: Foreign keys to platform tables.
GLOBAL_REFERENCES = {
    f"{table}_person_id_fkey"
    for table in ("session", "link", "member", "passkey", "totp", "recovery_code", "ceremony", "identity", "entrance")
} | {"price_class_card_fkey"}
#: What runs with its owner's rights: the one function that verifies the signed context, and those whose first act is to
#: have it verified; until then the owner's policies show nothing.
DEFINERS = {"ctx.org()"}
_ENTERS = re.compile(r"\A\s*declare\n[^;]*(?:;[^;]*)*?\bbegin\n\s*v_org := ctx\.enter\(p_ctx\);\n", re.DOTALL)
#: What the owner sees of a table, by the policies "desk" and "erase".
_PROVED = "(org_id = current_setting('evenhand.org'::text, true))"
_DESK = {
    "session": "(token_hash = decode(current_setting('evenhand.session'::text, true), 'hex'::text))",
    "person": "(person_id = ( SELECT s.person_id FROM evenhand.session s"
    " WHERE (s.token_hash = decode(current_setting('evenhand.session'::text, true), 'hex'::text))))",
    # of a rival's: who worked there until when, which is what a wall asks
    "tie": "((org_id = current_setting('evenhand.org'::text, true)) OR (org_id IN ( SELECT r.rival_id FROM evenhand.rivalry r"
    " WHERE (r.org_id = current_setting('evenhand.org'::text, true)))))",
}
#: Who sees all rows of a table, by a policy that does not ask for the organisation.
OPEN_POLICIES = {
    *(("evenhand", table, "gate", role_name("gate")) for table in (*GATES, *GATES_TOO, "org", "member", "api_key")),
    *(("evenhand", table, "gate", role_name("gate")) for table in ("org_key", "data_key")),  # to add, not to read
    *(("evenhand", table, "heads", role_name("gate")) for table in ("seat", "queue", "project")),
    *(
        ("evenhand", table, "scheduler", role_name("scheduler"))
        for table in ("seat", "queue", "project", "assignment", "batch", "retention", "viewing", "fact", *SCHEDULERS)
    ),
    ("evenhand", "job", "picker", role_name("picker")),
    ("evenhand", "feed", "due", role_name("scheduler")),
    *(
        ("evenhand", table, f"public_{role}", role_name(role))
        for table in ("rate_card", "price_class")
        for role in ("app", "gate", "scheduler", "reporter")
    ),
    *(
        ("evenhand", table, "gate", role_name("gate"))
        for table in (
            "rate_card",
            "price_class",
            "contract",
            "rate_told",
            "wall",
            "conflict_group",
            "rivalry",
            "tie",
            "access_grant",
            "glass_ask",
        )
    ),
    *(("evenhand", table, "scheduler", role_name("scheduler")) for table in ("contract", "rivalry", "tie")),
    *(
        ("evenhand", table, "reporter", role_name("reporter"))
        for table in ("affiliate", "assignment", "org", "neutrality")
    ),
    *(
        ("evenhand", table, "sequencer", role_name("sequencer"))
        for table in (
            "fact",
            "log_member",
            "log_place",
            "log_batch",
            "log_epoch",
            "log_state",
            "log_policy",
            "neutrality",
        )
    ),
    # by age: tests/app/test_cleaning.py
    *(
        ("evenhand", table, "cleaner", role_name("cleaner"))
        for table in (
            "idempotency",
            "job",
            "session",
            "link",
            "signin_attempt",
            "erasure",
            "viewing",
            "ceremony",
            "entrance",
            "sched_batch",
            "sched_decision",
        )
    ),
    ("ctx", "secret", "owner_only", OWNER),
}
_WALL = "(org_id = ( SELECT ctx.org() AS org))"
_OURS = "('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_%'"


def every_law(conn: Connection) -> list[str]:
    return [
        *row_security(conn),
        *policies(conn),
        *leading_columns(conn),
        *relations(conn),
        *functions(conn),
        *roles(conn),
        *powers(conn),
    ]


def row_security(conn: Connection) -> list[str]:
    """Every table enables and forces row security and has a policy. The migrations' own list is the owner's."""
    rows = conn.execute(
        "SELECT n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity,"
        " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid), pg_get_userbyid(c.relowner)"
        f" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN {_OURS}"
        " AND c.relkind IN ('r', 'p') ORDER BY 1, 2"
    ).fetchall()
    out: list[str] = []
    for schema, table, enabled, forced, count, owner in rows:
        name = f"{schema}.{table}"
        if (schema, table) == ("evenhand_meta", "migration"):
            continue
        if schema not in ("evenhand", "ctx"):
            out.append(f"{name} is outside the schemas of the wall")
        if not enabled:
            out.append(f"{name} has no row security")
        if not forced:
            out.append(f"{name} does not force row security on its owner")
        if not count:
            out.append(f"{name} has no policy")
        if owner != OWNER:
            out.append(f"{name} belongs to {owner}")
    return out


def policies(conn: Connection) -> list[str]:
    """A policy asks for the organisation of the signed context, or stands in the list of those that look across."""
    rows = conn.execute(
        "SELECT schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies"
    ).fetchall()
    out: list[str] = []
    for schema, table, name, permissive, who, cmd, qual, check in rows:
        label = f"policy {name} on {schema}.{table}"
        for role in who:
            if role == "public":
                out.append(f"{label} is for everybody")
            elif (schema, table, name, role) in OPEN_POLICIES:
                if role == role_name("scheduler") and cmd != "SELECT" and table not in SCHEDULERS:
                    out.append(f"{label} lets the scheduler write")
            elif role == OWNER and name in ("desk", "erase"):
                asked = " ".join(qual.split())
                if asked != _DESK.get(table, _PROVED) or (check or qual) != qual or permissive != "PERMISSIVE":
                    out.append(f"{label} does not ask what was proved")
            elif role not in (role_name("app"), role_name("loader")):
                out.append(f"{label} opens all rows to {role}")
            elif qual != _WALL or check != _WALL or permissive != "PERMISSIVE":
                out.append(f"{label} does not compare org_id with the signed context for {role}")
    return out


def leading_columns(conn: Connection) -> list[str]:
    """org_id leads every key, index and foreign key: a global one would be an oracle of what others have."""
    out: list[str] = []
    rows = conn.execute(
        "SELECT n.nspname, t.relname, i.relname, x.indisunique OR x.indisprimary,"
        " (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = x.indkey[0])"
        " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
        " JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname IN ('evenhand', 'ctx') ORDER BY 3"
    ).fetchall()
    for schema, table, index, unique, first in rows:
        allowed = GLOBAL_KEYS if unique else GLOBAL_INDEXES
        if first != "org_id" and index not in allowed:
            out.append(f"{'key' if unique else 'index'} {index} of {schema}.{table} begins with {first}")
    rows = conn.execute(
        "SELECT c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text,"
        " (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1]),"
        " (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.confrelid AND a.attnum = c.confkey[1])"
        " FROM pg_constraint c WHERE c.contype = 'f' ORDER BY 1"
    ).fetchall()
    for name, table, target, mine, theirs in rows:
        if (mine, theirs) != ("org_id", "org_id") and name not in GLOBAL_REFERENCES:
            out.append(f"foreign key {name} of {table} reaches {target} by {mine}")
    rows = conn.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'evenhand' AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND a.attnotnull)"
    ).fetchall()
    out += [f"evenhand.{table} has no organisation" for (table,) in rows if table not in PLATFORM]
    return out


def relations(conn: Connection) -> list[str]:
    """No views, no materialised views, no foreign tables, no sequences: row security does not hold there, or counts
    what others do. No triggers and no rules: they run where nobody looks."""
    rows = conn.execute(
        "SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE n.nspname NOT IN {_OURS} AND c.relkind IN ('v', 'm', 'f', 'S')"
    ).fetchall()
    out = [f"{schema}.{name} is a relation of kind '{kind}'" for schema, name, kind in rows]
    rows = conn.execute("SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal").fetchall()
    out += [f"trigger {name} on {table}" for name, table in rows]
    rows = conn.execute(
        f"SELECT rulename, schemaname FROM pg_rules n WHERE schemaname NOT IN {_OURS.replace('n.nspname', 'schemaname')}"
    ).fetchall()
    return out + [f"rule {name} in {schema}" for name, schema in rows]


def functions(conn: Connection) -> list[str]:
    """One definer, none for PUBLIC, none that is owned by somebody else."""
    rows = conn.execute(
        "SELECT p.oid::regprocedure::text, p.prosecdef, has_function_privilege('public', p.oid, 'EXECUTE'),"
        " pg_get_userbyid(p.proowner), p.proconfig, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        f" WHERE n.nspname NOT IN {_OURS}"
    ).fetchall()
    out: list[str] = []
    for name, definer, public, owner, config, source in rows:
        if definer and name not in DEFINERS and not _ENTERS.match(source):
            out.append(f"{name} runs with its owner's rights")
        if definer and not any(c.startswith("search_path=pg_catalog") for c in config or ()):
            out.append(f"{name} runs with its owner's rights and a search path of the caller")
        if public:
            out.append(f"{name} may be called by everybody")
        if owner != OWNER:
            out.append(f"{name} belongs to {owner}")
    return out


def roles(conn: Connection) -> list[str]:
    """No serving role is mighty, owns anything, belongs to another role or looks for names elsewhere."""
    rows = conn.execute(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolinherit,"
        " rolconfig FROM pg_roles WHERE rolname = ANY(%s)",
        (list(ROLES),),
    ).fetchall()
    out = [f"{name} has more rights than it needs" for name, mighty, _ in rows if mighty]
    out += [f"role {name} is missing" for name in set(ROLES) - {row[0] for row in rows}]
    out += [f"{name} has the settings {config}" for name, _, config in rows if config != [f"search_path={SEARCH_PATH}"]]
    rows = conn.execute(
        "SELECT r.rolname, g.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member"
        " JOIN pg_roles g ON g.oid = m.roleid WHERE r.rolname = ANY(%(r)s) OR g.rolname = ANY(%(r)s)",
        {"r": [*ROLES, OWNER]},
    ).fetchall()
    out += [f"{member} is a member of {group}" for member, group in rows]
    rows = conn.execute(
        "SELECT pg_get_userbyid(relowner), relname FROM pg_class WHERE pg_get_userbyid(relowner)::text = ANY(%s)"
        " AND relpersistence <> 't'",
        (list(ROLES),),
    ).fetchall()
    return out + [f"{role} owns {name}" for role, name in rows]


def powers(conn: Connection) -> list[str]:
    """TEMPORARY for the loader alone, CREATE for none, nothing at all for PUBLIC."""
    out: list[str] = []
    for role in (*ROLES, "public"):
        for what in ("TEMPORARY", "CREATE", "CONNECT"):
            has = _has(conn, "has_database_privilege(%s, current_database(), %s)", role, what)
            may = (what == "CONNECT" and role != "public") or (what == "TEMPORARY" and role == role_name("loader"))
            if has and not may:
                out.append(f"{role} has {what} on the database")
        for (schema,) in conn.execute(f"SELECT nspname FROM pg_namespace n WHERE n.nspname NOT IN {_OURS}").fetchall():
            if _has(conn, "has_schema_privilege(%s, %s, 'CREATE')", role, schema):
                out.append(f"{role} may create in {schema}")
            if schema == "public" and _has(conn, "has_schema_privilege(%s, 'public', 'USAGE')", role):
                out.append(f"{role} may look into public")
    return out


def _has(conn: Connection, call: str, *given: str) -> bool:
    row = conn.execute(f"SELECT {call}", given).fetchone()
    return bool(row and row[0])


def grants(conn: Connection) -> dict[str, dict[str, dict[str, frozenset[str]]]]:
    """role -> table -> privilege -> columns ("*" stands for the whole table)."""
    out: dict[str, dict[str, dict[str, set[str]]]] = {}

    def add(role: str, table: str, what: str, column: str) -> None:
        out.setdefault(role, {}).setdefault(table, {}).setdefault(what.lower(), set()).add(column)

    whole = conn.execute(
        "SELECT grantee, table_schema || '.' || table_name, privilege_type FROM information_schema.table_privileges"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND grantee <> %s",
        (OWNER,),
    ).fetchall()
    for role, table, what in whole:
        add(role, table, what, "*")
    held = {(role, table, what) for role, table, what in whole}
    for role, table, what, column in conn.execute(
        "SELECT grantee, table_schema || '.' || table_name, privilege_type, column_name"
        " FROM information_schema.column_privileges"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND grantee <> %s",
        (OWNER,),
    ).fetchall():
        if (role, table, what) not in held:
            add(role, table, what, column)
    return {
        role: {table: {what: frozenset(c) for what, c in by.items()} for table, by in tables.items()}
        for role, tables in out.items()
    }


def executes(conn: Connection) -> dict[str, set[str]]:
    """role -> our functions that it may call."""
    out: dict[str, set[str]] = {}
    for role in ROLES:
        rows = conn.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            f" WHERE n.nspname NOT IN {_OURS.replace('%', '%%')} AND has_function_privilege(%s, p.oid, 'EXECUTE')",
            (role,),
        ).fetchall()
        out[role] = {name.split("(", 1)[0] for (name,) in rows}
    return out
