"""The doctor finds what is wrong and says what to do; it never changes anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from evenhand.infra.home import Home
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.doctor import Check, examine
from evenhand.infra.postgres.server import Server, server_of


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def running(folder: Path) -> Iterator[tuple[Home, Server]]:
    home = Home(folder / "home").make()
    with server_of(home) as server:
        roles.prepare(server.admin_url, passwords=home.database_keys)
        yield home, server


def test_a_new_machine_is_fine_and_stays_untouched(folder: Path) -> None:
    home = Home(folder / "home")
    checks = examine(home, {"EVENHAND_PORT": free_port()})
    assert [check for check in checks if check.verdict == "fail"] == []
    assert not home.path.exists()


def test_a_healthy_server(running: tuple[Home, Server]) -> None:
    home, _ = running
    checks = examine(home, {"EVENHAND_PORT": free_port()})
    assert [check for check in checks if check.verdict != "ok"] == []
    assert {"version", "roles", "fsync", "data_checksums", "pooler", "clock"} <= by_name(checks).keys()


def test_dangerous_roles_and_settings_are_found(running: tuple[Home, Server]) -> None:
    home, server = running
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("ALTER ROLE evenhand_app BYPASSRLS")
        conn.execute("GRANT TEMPORARY ON DATABASE evenhand TO evenhand_gate")
        conn.execute("ALTER DATABASE evenhand SET synchronous_commit = off")
    checks = examine(home, {"EVENHAND_PORT": free_port()})
    wrong = [check.sentence for check in checks if check.verdict == "fail"]
    assert any("evenhand_app has more rights" in sentence for sentence in wrong)
    assert any("evenhand_gate may make temporary tables" in sentence for sentence in wrong)
    assert any("synchronous_commit" in sentence for sentence in wrong)
    assert all(check.hint for check in checks if check.verdict != "ok")


def test_an_external_superuser_is_named(running: tuple[Home, Server]) -> None:
    home, server = running
    url = roles.with_database(server.admin_url, "evenhand")
    checks = by_name(examine(home, {"EVENHAND_DATABASE_URL": url, "EVENHAND_PORT": free_port()}))
    assert checks["database"].verdict == "fail"
    assert "superuser" in checks["database"].sentence


def test_an_unreachable_database_a_taken_port_and_open_keys(folder: Path) -> None:
    home = Home(folder / "home").make()
    (home.keys / "master.key").write_bytes(b"k")
    (home.keys / "master.key").chmod(0o644)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = {
            "EVENHAND_PORT": str(taken.getsockname()[1]),
            "EVENHAND_DATABASE_URL": "postgresql://a:b@127.0.0.1:9/x",
        }
        checks = by_name(examine(home, environment))
    assert checks["port"].verdict == "fail"
    assert "another program" in checks["port"].sentence
    assert checks["database"].verdict == "fail"
    assert checks["home"].verdict == "fail"
    assert "master.key" in checks["home"].sentence


def test_nonsense_in_the_environment_is_a_finding(folder: Path) -> None:
    checks = by_name(
        examine(Home(folder / "h"), {"EVENHAND_PORT": "eighty", "EVENHAND_DATABASE_URL": "postgresql://[broken"})
    )
    assert checks["port"].verdict == "fail"
    assert checks["database"].verdict == "fail"
