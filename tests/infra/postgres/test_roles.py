"""Roles on real servers: what each may and may not do, and what an external database is refused for."""

from __future__ import annotations

import stat
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest

from evenhand.infra.migrate import migrate
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls, RolesNeeded, UnsafeOwner
from evenhand.infra.postgres.server import Server
from tests.infra.postgres.conftest import MakeServer
from tests.pg import FAST


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    server = make_server(settings=FAST)
    server.start()
    return server


@pytest.fixture
def urls(server: Server, folder: Path) -> DatabaseUrls:
    return roles.prepare(server.admin_url, passwords=folder / "keys" / "database.json")


def test_no_serving_role_can_do_more_than_it_must(server: Server, urls: DatabaseUrls) -> None:
    with psycopg.connect(roles.with_database(server.admin_url, "evenhand")) as conn:
        rows = conn.execute(
            "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
            " EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)"
            " FROM pg_roles r WHERE rolname LIKE 'evenhand%'"
        ).fetchall()
    assert {row[0] for row in rows} == {roles.OWNER, *map(roles.role_name, roles.SERVING)}
    assert not any(any(row[1:]) for row in rows)


def check_powers(urls: DatabaseUrls) -> None:
    for kind in roles.SERVING:
        with psycopg.connect(getattr(urls, kind), autocommit=True) as conn:
            assert conn.execute("SHOW search_path").fetchone() == (roles.SEARCH_PATH,)
            if kind == roles.MAY_STAGE:
                conn.execute("CREATE TEMP TABLE shadow (x int)")
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute("CREATE TEMP TABLE shadow (x int)")
            for statement in ("CREATE TABLE public.x ()", "CREATE SCHEMA x", "CREATE ROLE x", "SET ROLE postgres"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(statement)


def test_only_the_loader_makes_temporary_tables_and_none_anything_else(urls: DatabaseUrls) -> None:
    check_powers(urls)


def test_no_serving_role_enters_another_database(server: Server, urls: DatabaseUrls) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(roles.with_database(urls.app, database))


def test_preparing_again_keeps_passwords_and_mends_roles(server: Server, urls: DatabaseUrls, folder: Path) -> None:
    file = folder / "keys" / "database.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("ALTER ROLE evenhand_app SUPERUSER BYPASSRLS PASSWORD 'other'")
        conn.execute("GRANT evenhand_owner TO evenhand_gate")
        conn.execute("GRANT TEMPORARY ON DATABASE evenhand TO PUBLIC")
    assert roles.prepare(server.admin_url, passwords=file) == urls
    test_no_serving_role_can_do_more_than_it_must(server, urls)
    check_powers(urls)


def test_a_lost_password_file_means_new_passwords(server: Server, urls: DatabaseUrls, folder: Path) -> None:
    file = folder / "keys" / "database.json"
    file.unlink()
    fresh = roles.prepare(server.admin_url, passwords=file)
    assert fresh.app != urls.app
    psycopg.connect(fresh.app).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls.app)


def test_urls_hide_nothing_odd_in_a_password(server: Server, folder: Path) -> None:
    odd = "a/b:c@d?e#f%20 é'\\"
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("CREATE ROLE odd LOGIN")
        conn.execute(
            psycopg.sql.SQL("ALTER ROLE odd PASSWORD {}").format(psycopg.sql.Literal(roles.scram_verifier(odd)))
        )
    psycopg.connect(roles.with_login(server.admin_url, "odd", odd, "postgres")).close()
    psycopg.connect(server.url("odd", odd, "postgres")).close()


def external(server: Server, attributes: str = "") -> str:
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE boss LOGIN PASSWORD 'secret' {attributes}")  # type: ignore[arg-type]
        conn.execute("CREATE DATABASE theirs OWNER boss")
    return server.url("boss", "secret", "theirs")


def test_external_owner_who_may_make_roles(server: Server, folder: Path) -> None:
    owner = external(server, "CREATEROLE")
    made = roles.prepare_external(owner, passwords=folder / "database.json")
    assert made.owner == owner
    assert roles.prepare_external(owner, passwords=folder / "database.json") == made
    check_powers(made)


def test_external_owner_who_may_not_gets_the_sql(server: Server, folder: Path) -> None:
    owner = external(server)
    with pytest.raises(RolesNeeded) as caught:
        roles.prepare_external(owner, passwords=folder / "database.json")
    assert caught.value.sql.count("CREATE ROLE") == len(roles.SERVING)
    for password in asdict(DatabaseUrls(*[""] * (len(roles.SERVING) + 1))):
        assert f"PASSWORD '{password}'" not in caught.value.sql
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute(caught.value.sql)  # type: ignore[arg-type]
    made = roles.prepare_external(owner, passwords=folder / "database.json")
    check_powers(made)
    with psycopg.connect(made.app) as conn:
        assert conn.execute("SHOW search_path").fetchone() == (roles.SEARCH_PATH,)


def test_external_owner_who_may_not_change_roles_that_are_there(server: Server, folder: Path) -> None:
    """Another Evenhand's roles: since 16 CREATEROLE may not change what it did not make. No bug, but the SQL."""
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        if conn.info.server_version < 160000:
            pytest.skip("before PostgreSQL 16 CREATEROLE may change every role")
        for role in roles.SERVING:
            conn.execute(f"CREATE ROLE evenhand_{role} LOGIN PASSWORD 'other'")
    with pytest.raises(RolesNeeded, match="roles of one Evenhand") as caught:
        roles.prepare_external(external(server, "CREATEROLE"), passwords=folder / "database.json")
    assert caught.value.sql.count("ALTER ROLE") == 2 * len(roles.SERVING)


@pytest.mark.parametrize("attributes", ["", "NOINHERIT"])
def test_every_owner_may_migrate(server: Server, folder: Path, attributes: str) -> None:
    """Before PostgreSQL 16 an owner without INHERIT has no rights in the schema public of its own database."""
    owner = external(server, f"CREATEROLE {attributes}")
    roles.prepare_external(owner, passwords=folder / "database.json")
    assert migrate(owner, b"k" * 32)
    assert migrate(owner, b"k" * 32) == [], "the second time there is nothing to do"


@pytest.mark.parametrize(("attributes", "why"), [("SUPERUSER", "is a superuser"), ("BYPASSRLS", "may bypass")])
def test_external_owner_who_walks_through_walls_is_refused(
    server: Server, folder: Path, attributes: str, why: str
) -> None:
    with pytest.raises(UnsafeOwner, match=why):
        roles.prepare_external(external(server, attributes), passwords=folder / "database.json")


def test_external_role_that_is_not_the_owner_is_refused(server: Server, folder: Path) -> None:
    external(server)
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    with pytest.raises(UnsafeOwner, match="does not own"):
        roles.prepare_external(server.url("guest", "guest", "theirs"), passwords=folder / "database.json")


def test_external_serving_role_with_too_many_rights_is_refused(server: Server, folder: Path) -> None:
    owner = external(server, "CREATEROLE")
    roles.prepare_external(owner, passwords=folder / "database.json")
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("ALTER ROLE evenhand_app BYPASSRLS")
    with pytest.raises(UnsafeOwner, match="evenhand_app has more rights"):
        roles.prepare_external(owner, passwords=folder / "database.json")


def test_an_unreachable_database_is_one_sentence(folder: Path) -> None:
    with pytest.raises(roles.Unreachable) as caught:
        roles.prepare_external("postgresql://a:topsecret@127.0.0.1:9/x", passwords=folder / "database.json")
    assert "\n" not in str(caught.value)
    assert "topsecret" not in str(caught.value)
    assert "refused" in str(caught.value)


def test_scram_verifiers() -> None:
    verifier = roles.scram_verifier("pässword")
    assert roles.scram_matches(verifier, "pässword")
    assert not roles.scram_matches(verifier, "password")
    assert not roles.scram_matches(None, "password")
    assert not roles.scram_matches("md5abc", "password")
