"""Backup: one file with the database and the objects, which are ciphertext and wrapped keys, and beside it
one with the keys of the installation, to be kept elsewhere. Each part with its hash.

Both are uncompressed tars (mode 0600):
    evenhand-backup.json   what this is, whose keys open it; the version of PostgreSQL, rows of each table
    database.dump          pg_dump -Fc of one snapshot         | keys/..., demo.json
    objects/...                                                |
    manifest.json          last: size and SHA-256 of every part
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from psycopg import sql

from evenhand.infra.home import Home, make_private_folder, plain_reason
from evenhand.infra.keys import load_keys
from evenhand.infra.postgres import launch, roles
from evenhand.infra.postgres.server import Server, server_of
from evenhand.infra.postgres.trouble import PostgresTrouble

HEADER, DUMP, MANIFEST = "evenhand-backup.json", "database.dump", "manifest.json"
FORMAT = 2  # 1 had the keys in the same file
CHUNK = 1024 * 1024
_OF_KEYS = ("format", "made_at", "installation")  # what the file of keys says of itself
Progress = Callable[[str], None]


class BackupTrouble(PostgresTrouble):
    """The backup or the restore did not happen; what was there before is untouched."""


@dataclass(frozen=True)
class Report:
    """What a backup holds, or what a restore brought back."""

    file: Path
    keys_file: Path
    bytes: int
    tables: int
    rows: int
    objects: int
    made_at: str
    verified: bool


def keys_beside(archive_file: Path) -> Path:
    """Where the keys of a backup are, unless they were put elsewhere."""
    return archive_file.with_name(f"{archive_file.name}.keys")


def backup(
    home: Home,
    target: Path,
    *,
    keys_file: Path | None = None,
    database_url: str | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Writes `target` and the keys that open it, both whole or not at all, while Evenhand runs or not.

    keys_file: where the keys go; beside `target` if not told.
    database_url: for a database that is not the embedded one, a URL that sees every row (superuser or BYPASSRLS).
    """
    target = target.absolute()
    keys_target = (keys_file or keys_beside(target)).absolute()
    for path in (target, keys_target):
        if path.exists():
            raise BackupTrouble(f"{path} exists already.", hint="Name another file; nothing is ever overwritten.")
    make_private_folder(home.run)
    unfinished, unfinished_keys = (
        path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished") for path in (target, keys_target)
    )
    with tempfile.TemporaryDirectory(prefix="backup-", dir=home.run) as work_name:
        work = Path(work_name)
        try:
            # Objects never change, so links hold what the database of this moment refers to, whatever is deleted next.
            progress("Holding the objects")
            held = _hold_objects(home.objects, work / "objects")
            progress("Writing the database")
            with _database(home, database_url) as url:
                header = _dump(url, server_of(home), work / DUMP) | {"installation": _installation(home)}
            _hold_objects(home.objects, work / "objects", held)
            progress("Writing the archive")
            objects = list(_parts("objects", work / "objects"))
            _write_archive(unfinished, header, [(DUMP, work / DUMP), *objects])
            # after the database, so that whatever it refers to is there
            keys = list(_parts("keys", home.keys))
            demo = [(home.demo_file.name, home.demo_file)] if home.demo_file.is_file() else []
            _write_archive(unfinished_keys, {k: header[k] for k in _OF_KEYS}, [*keys, *demo])
            unfinished_keys.rename(keys_target)
            unfinished.rename(target)
        except OSError as error:
            raise BackupTrouble(
                f"The backup {target} cannot be written: {plain_reason(error)}.", hint="Evenhand itself is untouched."
            ) from error
        finally:
            unfinished.unlink(missing_ok=True)
            unfinished_keys.unlink(missing_ok=True)
    rows = cast(dict[str, int], header["rows"])
    return Report(
        target, keys_target, target.stat().st_size, len(rows), sum(rows.values()), len(objects),
        cast(str, header["made_at"]), False,
    )  # fmt: skip


def _installation(home: Home) -> str:
    """A name for the installation's keys, from which nothing of them can be had: which file of keys belongs to a backup."""
    return load_keys(home.keys).key("backup-name").hex()


@contextmanager
def _database(home: Home, database_url: str | None) -> Generator[str]:
    """The URL to dump from. The embedded server is started for the length of the backup if it does not run."""
    if database_url is not None:
        with roles.connect(database_url) as conn:
            sees_all = conn.execute(
                "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
        if not sees_all or not sees_all[0]:
            raise BackupTrouble(
                "This role of the database cannot see every row, so its backup would not be whole.",
                hint="Give the URL of an administrator (superuser or BYPASSRLS), or let one run pg_dump -Fc, and keep "
                f"{home.objects} and {home.keys} beside it.",
            )
        yield database_url
        return
    server = server_of(home)
    if not (server.place / "PG_VERSION").is_file():
        raise BackupTrouble(f"There is no database in {home.path} yet.", hint="Start Evenhand once first.")
    started = not server.running()
    if started:
        server.start()
    try:
        yield roles.with_database(server.admin_url, roles.DATABASE)
    finally:
        if started:
            server.stop()


def _dump(url: str, server: Server, target: Path) -> dict[str, object]:
    """pg_dump of one snapshot, in which the rows are counted too."""
    with roles.connect(url) as conn:
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = conn.execute("SELECT pg_export_snapshot()").fetchone()
        assert snapshot is not None
        rows = count_rows(conn)
        target.touch(mode=0o600)
        run_tool(
            server,
            "pg_dump",
            url,
            ["--format=custom", f"--snapshot={snapshot[0]}", f"--file={target}"],
            "The database could not be written out",
        )
        version = conn.info.server_version // 10000
    return {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "postgresql": version,
        "rows": rows,
    }


def count_rows(conn: roles.Connection) -> dict[str, int]:
    """Exact rows of every table of ours, partitions counted once."""
    tables = conn.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2"
    ).fetchall()
    counted: dict[str, int] = {}
    for schema, table in tables:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        row = conn.execute(query).fetchone()
        counted[f"{schema}.{table}"] = row[0] if row else 0
    return counted


def run_tool(server: Server, name: str, url: str, arguments: list[str], trouble: str) -> None:
    """pg_dump or pg_restore. The password goes by the environment: everybody can read a command line."""
    info = roles.connection_info(url)
    password = info.pop("password", "")
    environment = launch.environment() | {"PGPASSWORD": password}
    where = " ".join(f"{key}='{_escaped(value)}'" for key, value in info.items())
    done = subprocess.run(
        [str(server.binaries.program(name)), f"--dbname={where}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["no reason given"]
        ended = f" (ended by {signal.Signals(-done.returncode).name})" if done.returncode < 0 else ""
        if "No space left on device" in done.stderr:
            raise BackupTrouble(f"{trouble}: the disk is full.", hint="Free some space and try again.")
        raise BackupTrouble(f"{trouble}: {said[0].strip()}{ended}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _hold_objects(source: Path, target: Path, known: set[str] | None = None) -> set[str]:
    """Hard links (copies where the file system has none) of the objects not yet held; gives all names held."""
    held = set(known or ())
    target.mkdir(mode=0o700, exist_ok=True)
    for folder, _, names in os.walk(source):
        inside = Path(folder).relative_to(source)
        for name in names:
            relative = (inside / name).as_posix()
            if relative in held or "#" in name:  # `#`: an object that is still being written
                continue
            place = target / relative
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                os.link(Path(folder) / name, place)
            except FileNotFoundError:
                continue  # deleted meanwhile, before the snapshot that would refer to it
            except OSError:
                shutil.copyfile(Path(folder) / name, place)
            held.add(relative)
    return held


def _parts(name: str, folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _write_archive(target: Path, header: dict[str, object], parts: list[tuple[str, Path]]) -> None:
    manifest: dict[str, dict[str, Any]] = {}
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            _add_bytes(archive, manifest, HEADER, json.dumps(header, indent=2).encode())
            for name, path in parts:
                _add_file(archive, manifest, name, path)
            _add_bytes(archive, {}, MANIFEST, json.dumps(manifest, indent=0).encode())
        file.flush()
        os.fsync(file.fileno())


def _add_bytes(archive: tarfile.TarFile, manifest: dict[str, dict[str, Any]], name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))
    manifest[name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _add_file(archive: tarfile.TarFile, manifest: dict[str, dict[str, Any]], name: str, path: Path) -> None:
    with path.open("rb") as source:
        member = tarfile.TarInfo(name)
        member.size, member.mode = os.fstat(source.fileno()).st_size, 0o600
        hashing = _Hashing(source)
        archive.addfile(member, cast(IO[bytes], hashing))
    manifest[name] = {"size": member.size, "sha256": hashing.digest.hexdigest()}


class _Hashing:
    """A reader that hashes what goes through it, so that each file is read once."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data
