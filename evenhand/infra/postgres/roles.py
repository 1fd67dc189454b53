"""The database's roles: one owner that never serves, and a narrow login role for each kind of work."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from evenhand.infra.home import write_private
from evenhand.infra.postgres.binaries import NEWEST, OLDEST
from evenhand.infra.postgres.trouble import PostgresTrouble, UnsupportedVersion

Connection = psycopg.Connection[tuple[Any, ...]]

DATABASE = "evenhand"
OWNER = "evenhand_owner"
SERVING = ("app", "gate", "scheduler", "picker", "sequencer", "loader", "cleaner", "reporter")
MAY_STAGE = "loader"  # the only role with TEMPORARY: COPY is refused under row security, so it stages
SEARCH_PATH = "pg_catalog, evenhand, pg_temp"
_PLAIN = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
_LOCK = 0x45564852  # two starts at once prepare one after the other


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One URL a role. `owner` migrates and never serves."""

    owner: str
    app: str
    gate: str
    scheduler: str
    picker: str
    sequencer: str
    loader: str
    cleaner: str
    reporter: str


class RolesNeeded(PostgresTrouble):
    """The roles are missing and this owner may not make them. `sql` is what an administrator runs."""

    def __init__(self, sentence: str, statements: str) -> None:
        super().__init__(
            sentence, hint="Let an administrator of the database run this, then start again:\n\n" + statements
        )
        self.sql = statements


class UnsafeOwner(PostgresTrouble):
    """The URL's role could walk through the wall between customers."""


class Unreachable(PostgresTrouble):
    hint = "Check that the database runs, and EVENHAND_DATABASE_URL: host, port, name, user and password."


class PoolerInTheWay(PostgresTrouble):
    hint = "Connect to PostgreSQL itself, or put the pooler into session mode."


def role_name(kind: str) -> str:
    return f"evenhand_{kind}"


def prepare(admin_url: str, *, passwords: Path, database: str = DATABASE) -> DatabaseUrls:
    """Embedded server: makes or mends database, owner and roles as the superuser. Repeatable.

    passwords: a 0600 file that keeps them.
    """
    secret = _passwords(passwords, (OWNER, *map(role_name, SERVING)))
    with connect(admin_url) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        with conn.transaction():
            for role in secret:
                _mend_role(conn, role, secret[role])
            for name in ("postgres", "template1"):
                conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER)))
        grant_database(conn, database)
        urls = {role: with_login(admin_url, role, secret[role], database) for role in secret}
    with connect(with_database(admin_url, database)) as conn:
        conn.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    return _urls(urls)


def prepare_external(owner_url: str, *, passwords: Path) -> DatabaseUrls:
    """An existing PostgreSQL: checks that it can be served from safely, makes the roles or says what SQL does.

    passwords: a 0600 file that keeps those of the roles. Raises RolesNeeded, UnsafeOwner, UnsupportedVersion,
    PoolerInTheWay, Unreachable.
    """
    with connect(owner_url) as conn:
        check_external(conn)
        me = conn.info.user
        database = conn.info.dbname
        secret = _passwords(passwords, tuple(map(role_name, SERVING)))
        present = {
            row[0]
            for row in conn.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(secret),)).fetchall()
        }
        urls = {role: with_login(owner_url, role, secret[role]) for role in secret}
        missing = [role for role in secret if role not in present]
        # A password that an administrator set by our SQL works; one that was changed since must be set again.
        stale = [role for role in secret if role in present and not _login_works(urls[role])]
        may_create = _one(conn, "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user")
        if missing or stale:
            if not may_create:
                raise RolesNeeded(
                    "The database lacks roles that Evenhand serves with, and its owner may not make them.",
                    external_sql(secret, me, database, missing, stale),
                )
            try:
                for role in missing:
                    conn.execute(_create_role(role, secret[role]))
                for role in stale:
                    _alter_password(conn, role, secret[role])
            except psycopg.errors.InsufficientPrivilege as error:  # since 16: roles that somebody else has made
                raise RolesNeeded(
                    "The roles that Evenhand serves with have other passwords, and this owner may not change them. "
                    "One PostgreSQL server holds the roles of one Evenhand.",
                    external_sql(secret, me, database, [], [*missing, *stale]),
                ) from error
        _check_serving_roles(conn, list(secret), me)
        grant_database(conn, database)
        for role in secret:
            if may_create:
                conn.execute(_set_search_path(role))
    return _urls({OWNER: owner_url, **urls})


def check_external(conn: Connection) -> None:
    """Version, pooler, and an owner that is no superuser and does not bypass row security."""
    major = conn.info.server_version // 10000
    if not OLDEST <= major <= NEWEST:
        raise UnsupportedVersion(f"The database is PostgreSQL {major}.")
    if (reason := pooler_in_the_way(conn)) is not None:
        raise PoolerInTheWay(f"There is a connection pooler between Evenhand and the database: {reason}.")
    row = conn.execute(
        "SELECT r.rolsuper, r.rolbypassrls, d.datdba = r.oid, current_database(), current_user"
        " FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"
    ).fetchone()
    assert row is not None
    superuser, bypass, owns, database, me = row
    if superuser or bypass:
        what = "is a superuser" if superuser else "may bypass row security"
        raise UnsafeOwner(
            f"EVENHAND_DATABASE_URL names the role {me}, which {what}; Evenhand does not serve with it.",
            hint="Give Evenhand a database of its own with an ordinary owner:\n\n"
            f"CREATE ROLE {OWNER} LOGIN PASSWORD '...' NOSUPERUSER NOBYPASSRLS CREATEROLE;\n"
            f"CREATE DATABASE {DATABASE} OWNER {OWNER};\n",
        )
    if not owns:
        raise UnsafeOwner(
            f"The role {me} of EVENHAND_DATABASE_URL does not own the database {database}.",
            hint=f"Let an administrator run: ALTER DATABASE {_quoted(database)} OWNER TO {_quoted(me)};",
        )


def pooler_in_the_way(conn: Connection) -> str | None:
    """A sentence when what answers is a pooler in transaction mode, as far as that can be told."""
    # A pooler answers with a process id of its own; PostgreSQL tells the one of the process that serves us.
    if conn.info.backend_pid != _one(conn, "SELECT pg_backend_pid()"):
        return "the process that answers is not the one that was connected to"
    seen = {_one(conn, "SELECT pg_backend_pid()") for _ in range(3)}
    if len(seen) > 1:
        return "statements of one connection reach different processes (transaction mode)"
    return None


def grant_database(conn: Connection, database: str) -> None:
    """Who may connect. Needed again for every copy: CREATE DATABASE ... TEMPLATE does not copy grants."""
    name = sql.Identifier(database)
    with conn.transaction():
        conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        for kind in SERVING:
            role = sql.Identifier(role_name(kind))
            what = "CONNECT, TEMPORARY" if kind == MAY_STAGE else "CONNECT"
            conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(name, role))
            conn.execute(sql.SQL("GRANT {} ON DATABASE {} TO {}").format(sql.SQL(what), name, role))


def connect(url: str) -> Connection:
    """One connection outside transactions, with a plain sentence when there is none."""
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10, application_name="evenhand setup")
    except psycopg.OperationalError as error:
        raise Unreachable(f"The database cannot be reached: {_first_reason(str(error))}") from error
    except psycopg.ProgrammingError as error:
        raise Unreachable("The database's URL cannot be read as one.") from error


def _first_reason(said: str) -> str:
    """Of what libpq says about each address that it tried, the first that tells why."""
    lines = [line.strip() for line in said.splitlines()]
    reasons = [
        line for line in lines if line and not line.startswith(("DETAIL:", "HINT:", "Is the server", "Multiple"))
    ]
    return reasons[0].removeprefix("connection failed: ").removeprefix("- ") if reasons else "no reason given"


def connection_info(url: str) -> dict[str, str]:
    """The parts of a URL as libpq reads them (host, port, dbname, user, password, ...)."""
    return {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}


def with_login(url: str, user: str, password: str, database: str | None = None) -> str:
    """`url` with another user and password, and another database if given."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = f"/{quote(database, safe='')}" if database is not None else parts.path
    return urlunsplit(
        (parts.scheme, f"{quote(user, safe='')}:{quote(password, safe='')}@{host}", path, parts.query, "")
    )


def with_database(url: str, database: str) -> str:
    """`url` on another database."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{quote(database, safe='')}", parts.query, ""))


def external_sql(
    secret: dict[str, str], owner: str, database: str, missing: list[str], stale: list[str] | None = None
) -> str:
    """What an administrator runs once. Passwords appear as SCRAM verifiers, never in clear."""
    lines = [
        f"-- for the database {database} and its owner {owner}",
        *(f"CREATE ROLE {role} {_PLAIN} PASSWORD '{scram_verifier(secret[role])}';" for role in missing),
        *(f"ALTER ROLE {role} {_PLAIN} PASSWORD '{scram_verifier(secret[role])}';" for role in stale or []),
        *(f"ALTER ROLE {role} SET search_path = {SEARCH_PATH};" for role in secret),
    ]
    return "\n".join(lines) + "\n"


def scram_verifier(password: str, *, salt: bytes | None = None, rounds: int = 4096) -> str:
    """What PostgreSQL keeps of a password (RFC 5803), so that the password itself never travels or reaches a log."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${rounds}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def scram_matches(verifier: str | None, password: str) -> bool:
    try:
        kind, rounds_salt, _ = (verifier or "").split("$")
        rounds, salt = rounds_salt.split(":")
        if kind != "SCRAM-SHA-256":
            return False
        return hmac.compare_digest(
            scram_verifier(password, salt=base64.b64decode(salt), rounds=int(rounds)), verifier or ""
        )
    except ValueError:
        return False


def _mend_role(conn: Connection, role: str, password: str) -> None:
    row = conn.execute(
        "SELECT rolpassword, rolcanlogin AND NOT (rolsuper OR rolinherit OR rolcreaterole OR rolcreatedb"
        " OR rolreplication OR rolbypassrls) FROM pg_authid WHERE rolname = %s",
        (role,),
    ).fetchone()
    if row is None:
        conn.execute(_create_role(role, password))
    elif not row[1] or not scram_matches(row[0], password):
        _alter_password(conn, role, password)
    memberships = conn.execute(
        "SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
        " JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = %s",
        (role,),
    ).fetchall()
    for (group,) in memberships:
        conn.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(group), sql.Identifier(role)))
    conn.execute(_set_search_path(role))


def _create_role(role: str, password: str) -> sql.Composed:
    return sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
        sql.Identifier(role), sql.SQL(_PLAIN), sql.Literal(scram_verifier(password))
    )


def _alter_password(conn: Connection, role: str, password: str) -> None:
    superuser = _one(conn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    # Who is no superuser may not name some of the attributes, not even to take them away.
    attributes = _PLAIN if superuser else "LOGIN NOINHERIT"
    conn.execute(
        sql.SQL("ALTER ROLE {} {} PASSWORD {}").format(
            sql.Identifier(role), sql.SQL(attributes), sql.Literal(scram_verifier(password))
        )
    )


def _set_search_path(role: str) -> sql.Composed:
    return sql.SQL("ALTER ROLE {} SET search_path = {}").format(sql.Identifier(role), sql.SQL(SEARCH_PATH))


def _check_serving_roles(conn: Connection, roles: list[str], owner: str) -> None:
    rows = conn.execute(
        "SELECT r.rolname, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication,"
        " EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)"
        " FROM pg_roles r WHERE r.rolname = ANY(%s)",
        (roles,),
    ).fetchall()
    for name, mighty, member in rows:
        if mighty or member or name == owner:
            what = "has more rights than it needs" if mighty else "is a member of another role"
            raise UnsafeOwner(
                f"The role {name} {what if name != owner else 'is the owner'}, so it could see across customers.",
                hint=f"Let an administrator run: ALTER ROLE {name} {_PLAIN}; and REVOKE its memberships.",
            )


def _login_works(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        # Right password, but CONNECT is only granted below.
        return "permission denied for database" in str(error)
    return True


def _passwords(file: Path, roles: tuple[str, ...]) -> dict[str, str]:
    """Reads the passwords, and makes those that are missing."""
    known: dict[str, str] = {}
    if file.is_file():
        try:
            known = {str(name): str(value) for name, value in json.loads(file.read_text()).items()}
        except (ValueError, AttributeError) as error:
            raise PostgresTrouble(
                f"The file of database passwords, {file}, cannot be read.",
                hint="Restore it from a backup, or delete it.",
            ) from error
    wanted = {role: known.get(role) or secrets.token_urlsafe(24) for role in roles}
    if any(role not in known for role in roles):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(file, json.dumps(known | wanted, indent=2) + "\n")
    return wanted


def _urls(by_role: dict[str, str]) -> DatabaseUrls:
    return DatabaseUrls(**{field.name: by_role[role_name(field.name)] for field in fields(DatabaseUrls)})


def _one(conn: Connection, query: Any) -> Any:
    row = conn.execute(query).fetchone()
    return row[0] if row else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
