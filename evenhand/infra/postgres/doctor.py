"""What `evenhand doctor` looks at: each check gives one sentence, and what to do where something is wrong."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evenhand.infra.home import Home, HomeTrouble, port_from_environment, user_name
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.binaries import NEWEST, OLDEST
from evenhand.infra.postgres.server import server_of
from evenhand.pure.trouble import Trouble

Verdict = Literal["ok", "warn", "fail"]
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `hint` says what to do; empty when there is nothing to do."""

    name: str
    verdict: Verdict
    sentence: str
    hint: str = ""


def examine(home: Home, environment: Mapping[str, str] | None = None) -> list[Check]:
    """Every check, in the order in which a person would put things right. Starts nothing and changes nothing."""
    known = os.environ if environment is None else environment
    steps: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("python", _python),
        ("home", lambda: _home(home)),
        ("disk", lambda: _disk(home)),
        ("memory", _memory),
        ("port", lambda: _port(home, known)),
        ("chromium", _chromium),
        ("programs", lambda: _programs(home, known)),
        ("database", lambda: _database(home, known)),
    ]
    found: list[Check] = []
    for name, look in steps:
        try:
            found.extend(look())
        except Trouble as trouble:
            found.append(Check(name, "fail", str(trouble), trouble.hint or ""))
        except OSError as error:
            found.append(Check(name, "fail", f"This check could not be made: {error.strerror or error}."))
    return found


def _python() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok", f"Python {version}.")


def _home(home: Home) -> Iterator[Check]:
    if not home.path.exists():
        yield Check("home", "ok", f"The home {home.path} does not exist yet; the first start makes it.")
        return
    found = home.path.stat()
    if found.st_uid != os.geteuid():
        yield Check(
            "home",
            "fail",
            f"The home {home.path} belongs to {user_name(found.st_uid)}, and this is {user_name(os.geteuid())}.",
            "Run as that user, or set EVENHAND_HOME to a folder of your own.",
        )
        return
    open_files = [path for path in _secrets(home) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if stat.S_IMODE(found.st_mode) & 0o077:
        yield Check("home", "warn", f"Other users can enter {home.path}.", f"Run: chmod 700 {home.path}")
    elif open_files:
        yield Check("home", "fail", f"Other users can read {open_files[0]}.", f"Run: chmod 600 {open_files[0]}")
    else:
        yield Check("home", "ok", f"The home {home.path} is private to {user_name(found.st_uid)}.")
    if home.restoring_mark.exists():
        yield Check(
            "restore",
            "fail",
            f"A restore into {home.path} was interrupted.",
            "Run `evenhand restore` again; it begins anew.",
        )


def _secrets(home: Home) -> list[Path]:
    keys = [path for path in home.keys.rglob("*") if path.is_file()] if home.keys.is_dir() else []
    return [*keys, *([home.demo_file] if home.demo_file.is_file() else [])]


def _disk(home: Home) -> Iterator[Check]:
    place = home.path
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    said = f"{usage.free / GIB:.1f} GiB of disk are free."
    if usage.free < GIB // 4:
        yield Check("disk", "fail", said, "Free some space: the database stops when the disk is full.")
    elif usage.free < 2 * GIB:
        yield Check("disk", "warn", said, "Free some space soon.")
    else:
        yield Check("disk", "ok", said)


def _memory() -> Iterator[Check]:
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return  # not Linux
    said = f"{free / GIB:.1f} GiB of memory are available."
    if free < GIB // 4:
        yield Check("memory", "warn", said, "Evenhand needs about 200 MB when idle; close other programs.")
    else:
        yield Check("memory", "ok", said)


def _port(home: Home, environment: Mapping[str, str]) -> Iterator[Check]:
    port = port_from_environment(environment)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            yield from _taken(home, port, error)
            return
    yield Check("port", "ok", f"Port {port} is free.")


def _taken(home: Home, port: int, error: OSError) -> Iterator[Check]:
    if isinstance(error, PermissionError):
        yield Check("port", "fail", f"This user may not listen on port {port}.", "Set EVENHAND_PORT to 1024 or above.")
        return
    try:
        if home.run.is_dir():
            home.lock().give_back()
    except HomeTrouble:
        yield Check("port", "ok", f"Port {port} is in use, and this Evenhand is running.")
        return
    yield Check(
        "port", "fail", f"Port {port} is in use by another program.", "Stop it, or set EVENHAND_PORT to another one."
    )


def _chromium() -> Iterator[Check]:
    if shutil.which("chromium") or shutil.which("google-chrome"):
        yield Check("chromium", "ok", "A Chromium is installed (the tests drive it).")
    else:
        yield Check("chromium", "ok", "There is no Chromium here; only the tests would use it.")


def _programs(home: Home, environment: Mapping[str, str]) -> Iterator[Check]:
    if environment.get("EVENHAND_DATABASE_URL"):
        return
    server = server_of(home)
    found = server.binaries
    yield Check("programs", "ok", f"PostgreSQL {found.version} in {found.folder}.")
    made_by = server.place / "PG_VERSION"
    if made_by.is_file() and made_by.read_text().strip() != str(found.major):
        yield Check(
            "programs",
            "fail",
            f"The data was made by PostgreSQL {made_by.read_text().strip()}, and the programs are {found.version}.",
            "Set EVENHAND_PG_BIN to the programs of that version, or restore a backup into a new home.",
        )


def _database(home: Home, environment: Mapping[str, str]) -> Iterator[Check]:
    url = environment.get("EVENHAND_DATABASE_URL", "")
    external = bool(url)
    if not external:
        server = server_of(home)
        if not (server.place / "PG_VERSION").is_file():
            yield Check("database", "ok", "There is no database yet; the first start makes it.")
            return
        if not server.running():
            yield Check("database", "ok", "The embedded database is not running; `evenhand up` starts it.")
            return
        url = roles.with_database(server.admin_url, roles.DATABASE)
    with roles.connect(url) as conn:
        yield Check("database", "ok", "The database answers.")
        yield from _version(conn)
        yield from _pooler(conn)
        yield from _safety(conn)
        yield from _clock(conn)
        if external:
            roles.check_external(conn)
            yield Check("owner", "ok", f"The owner {conn.info.user} neither is a superuser nor bypasses row security.")
        yield from _serving_roles(conn)


def _version(conn: roles.Connection) -> Iterator[Check]:
    major = conn.info.server_version // 10000
    if OLDEST <= major <= NEWEST:
        yield Check("version", "ok", f"The database is PostgreSQL {major}.")
    else:
        yield Check("version", "fail", f"The database is PostgreSQL {major}.", "Evenhand runs on PostgreSQL 15 to 18.")


def _pooler(conn: roles.Connection) -> Iterator[Check]:
    reason = roles.pooler_in_the_way(conn)
    if reason is None:
        yield Check("pooler", "ok", "No pooler in transaction mode stands between.")
    else:
        yield Check(
            "pooler",
            "fail",
            f"There is a connection pooler between: {reason}.",
            "Connect to PostgreSQL itself, or put the pooler into session mode.",
        )


def _safety(conn: roles.Connection) -> Iterator[Check]:
    settings: list[tuple[str, Verdict, str, str]] = [
        ("fsync", "fail", "fsync is off: a power cut would damage the database.", "Turn fsync on."),
        ("full_page_writes", "fail", "full_page_writes is off: a power cut would damage it.", "Turn it on."),
        (
            "data_checksums",
            "warn",
            "The cluster has no checksums, so a failing disk goes unnoticed.",
            "pg_checksums -e",
        ),
    ]
    for name, verdict, sentence, hint in settings:
        if _one(conn, "SELECT setting FROM pg_settings WHERE name = %s", name) == "on":
            yield Check(name, "ok", f"{name} is on.")
        else:
            yield Check(name, verdict, sentence, hint)
    if _one(conn, "SHOW synchronous_commit") == "off":
        yield Check(
            "synchronous_commit",
            "fail",
            "synchronous_commit is off: the last acknowledged moments may be lost in a crash.",
            "Turn synchronous_commit on.",
        )


def _serving_roles(conn: roles.Connection) -> Iterator[Check]:
    names = [roles.role_name(kind) for kind in roles.SERVING]
    rows = conn.execute(
        "SELECT r.rolname, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication,"
        " EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid),"
        " has_database_privilege(r.rolname, current_database(), 'TEMPORARY'),"
        " EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() AND d.datdba = r.oid)"
        " FROM pg_roles r WHERE r.rolname = ANY(%s)",
        (names,),
    ).fetchall()
    missing = sorted(set(names) - {row[0] for row in rows})
    if missing:
        yield Check("roles", "warn", f"The role {missing[0]} is missing.", "`evenhand up` makes it or prints the SQL.")
    wrong = [
        (name, what)
        for name, mighty, member, temporary, owner in rows
        for what, is_so in (
            ("has more rights than it needs", mighty),
            ("is a member of another role", member),
            ("may make temporary tables", temporary and name != roles.role_name(roles.MAY_STAGE)),
            ("owns the database", owner),
        )
        if is_so
    ]
    for name, what in wrong:
        yield Check(
            "roles", "fail", f"The role {name} {what}: the wall between customers would not hold.", "Start again."
        )
    if not missing and not wrong:
        yield Check("roles", "ok", "The serving roles own nothing and cannot bypass row security.")


def _clock(conn: roles.Connection) -> Iterator[Check]:
    before = time.time()
    theirs = float(_one(conn, "SELECT extract(epoch FROM clock_timestamp())"))
    apart = max(0.0, before - theirs, theirs - time.time())
    if apart > 5:
        yield Check(
            "clock",
            "fail" if apart > 30 else "warn",
            f"The clocks of this machine and of the database are {apart:.0f} s apart.",
            "Let both follow a time server: contexts and leases live by the clock.",
        )
    elif before < 1_750_000_000:
        yield Check("clock", "fail", "The clock of this machine is years behind.", "Set it.")
    else:
        yield Check("clock", "ok", "The clocks agree.")


def _one(conn: roles.Connection, query: Any, *values: object) -> Any:
    row = conn.execute(query, values or None).fetchone()
    return row[0] if row else None
