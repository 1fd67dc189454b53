"""Backup and restore: one file that holds the database, the objects and the keys, each part with its hash.

The archive is an uncompressed tar (mode 0600: it holds the keys):
    evenhand-backup.json   what this is, the version of PostgreSQL, rows of each table
    database.dump          pg_dump -Fc of one snapshot
    keys/..., demo.json, objects/...
    manifest.json          last: size and SHA-256 of every part
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from psycopg import sql

from evenhand.infra.home import Home, HomeTrouble, make_private_folder, plain_reason
from evenhand.infra.postgres import launch, roles
from evenhand.infra.postgres.server import Server, server_of
from evenhand.infra.postgres.trouble import PostgresTrouble

HEADER, DUMP, MANIFEST = "evenhand-backup.json", "database.dump", "manifest.json"
FORMAT = 1
CHUNK = 1024 * 1024
Progress = Callable[[str], None]


class BackupTrouble(PostgresTrouble):
    """The backup or the restore did not happen; what was there before is untouched."""


class BadArchive(BackupTrouble):
    hint = "Use another copy of the backup. Nothing was restored."


@dataclass(frozen=True)
class Report:
    """What a backup holds, or what a restore brought back."""

    file: Path
    bytes: int
    tables: int
    rows: int
    objects: int
    made_at: str
    verified: bool


# -- backup


def backup(home: Home, target: Path, *, database_url: str | None = None, progress: Progress = lambda _: None) -> Report:
    """Writes `target` whole or not at all, while Evenhand runs or not.

    database_url: for a database that is not the embedded one, a URL that sees every row (superuser or BYPASSRLS).
    """
    target = target.absolute()
    if target.exists():
        raise BackupTrouble(f"{target} exists already.", hint="Name another file; nothing is ever overwritten.")
    make_private_folder(home.run)
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.unfinished")
    with tempfile.TemporaryDirectory(prefix="backup-", dir=home.run) as work_name:
        work = Path(work_name)
        try:
            # Objects never change, so links hold what the database of this moment refers to, whatever is deleted next.
            progress("Holding the objects")
            held = _hold_objects(home.objects, work / "objects")
            progress("Writing the database")
            with _database(home, database_url) as url:
                header = _dump(url, server_of(home), work / DUMP)
            _hold_objects(home.objects, work / "objects", held)
            progress("Writing the archive")
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                manifest = _write_archive(file, home, work, header)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(target)
        except OSError as error:
            raise BackupTrouble(
                f"The backup {target} cannot be written: {plain_reason(error)}.", hint="Evenhand itself is untouched."
            ) from error
        finally:
            unfinished.unlink(missing_ok=True)
    objects = sum(1 for name in manifest if name.startswith("objects/"))
    rows = cast(dict[str, int], header["rows"])
    return Report(
        target, target.stat().st_size, len(rows), sum(rows.values()), objects, cast(str, header["made_at"]), False
    )


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
        _run_tool(
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


def _run_tool(server: Server, name: str, url: str, arguments: list[str], trouble: str) -> None:
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


def _write_archive(file: IO[bytes], home: Home, work: Path, header: dict[str, object]) -> dict[str, dict[str, Any]]:
    manifest: dict[str, dict[str, Any]] = {}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        _add_bytes(archive, manifest, HEADER, json.dumps(header, indent=2).encode())
        _add_file(archive, manifest, DUMP, work / DUMP)
        for path in sorted(home.keys.rglob("*")):
            if path.is_file():
                _add_file(archive, manifest, f"keys/{path.relative_to(home.keys).as_posix()}", path)
        if home.demo_file.is_file():
            _add_file(archive, manifest, home.demo_file.name, home.demo_file)
        objects = work / "objects"
        for path in sorted(objects.rglob("*")):
            if path.is_file():
                _add_file(archive, manifest, f"objects/{path.relative_to(objects).as_posix()}", path)
        _add_bytes(archive, {}, MANIFEST, json.dumps(manifest, indent=0).encode())
    return manifest


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


# -- restore


def check_archive(archive_file: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Reads the whole archive and compares every hash. Gives header and manifest; raises BadArchive."""
    seen: dict[str, dict[str, Any]] = {}
    small: dict[str, bytes] = {}
    try:
        with tarfile.open(archive_file, "r:") as archive:
            for member in archive:
                name = member.name
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or not _safe_name(name) or name in seen:
                    raise BadArchive(f"{archive_file} holds something that no backup of ours does ({name[:80]!r}).")
                digest = hashlib.sha256()
                if name in (HEADER, MANIFEST):
                    small[name] = content.read()
                    digest.update(small[name])
                else:
                    while data := content.read(CHUNK):
                        digest.update(data)
                seen[name] = {"size": member.size, "sha256": digest.hexdigest()}
    except OSError as error:
        raise BadArchive(f"{archive_file} cannot be read: {plain_reason(error)}.") from error
    except tarfile.TarError as error:
        raise BadArchive(f"{archive_file} is damaged, cut short, or no backup of Evenhand.") from error
    if HEADER not in small or MANIFEST not in small:
        raise BadArchive(f"{archive_file} is cut short, or no backup of Evenhand.")
    try:
        header, manifest = json.loads(small[HEADER]), json.loads(small[MANIFEST])
    except ValueError as error:
        raise BadArchive(f"{archive_file} is damaged.") from error
    del seen[MANIFEST]
    if seen != manifest:
        differing = sorted(name for name in seen.keys() | manifest.keys() if seen.get(name) != manifest.get(name))
        raise BadArchive(f"{archive_file} is damaged: {differing[0]} is not what was backed up.")
    if header.get("format") != FORMAT:
        raise BadArchive(f"{archive_file} was made by a newer Evenhand.")
    return header, manifest


def restore(archive_file: Path, home: Home, *, verify: bool = True, progress: Progress = lambda _: None) -> Report:
    """Brings a backup back into an empty home (embedded database). A restore that was killed is begun anew.

    verify: afterwards compares rows of every table and hashes of every object with the archive.
    """
    archive_file = archive_file.absolute()
    progress("Checking the archive")
    header, manifest = check_archive(archive_file)
    server = server_of(home)
    if server.binaries.major < int(header["postgresql"]):
        raise BackupTrouble(
            f"The backup was made with PostgreSQL {header['postgresql']}, and this one is {server.binaries.version}.",
            hint="Set EVENHAND_PG_BIN to the programs of that version or a newer one.",
        )
    make_private_folder(home.path)
    make_private_folder(home.run)
    with home.lock():
        _clear_unfinished(home)
        leftovers = sorted(path.name for path in home.path.iterdir() if path != home.run and _holds_anything(path))
        if leftovers:
            raise BackupTrouble(
                f"The home {home.path} is not empty ({', '.join(leftovers[:5])}).",
                hint="Restore into a new one: set EVENHAND_HOME. Nothing was touched.",
            )
        home.restoring_mark.touch(mode=0o600)
        try:
            progress("Bringing back keys and objects")
            home.make()
            _extract(archive_file, home)
            progress("Bringing back the database")
            rows = _restore_database(home, server)
            if verify:
                progress("Comparing with the archive")
                _verify(home, header, manifest, rows)
        except BaseException:
            _clear_unfinished(home)
            raise
        (home.run / DUMP).unlink()
        home.restoring_mark.unlink()
    return Report(
        archive_file,
        archive_file.stat().st_size,
        len(rows),
        sum(rows.values()),
        sum(1 for name in manifest if name.startswith("objects/")),
        header["made_at"],
        verify,
    )


def _holds_anything(path: Path) -> bool:
    return not path.is_dir() or any(child.is_file() for child in path.rglob("*"))


def _clear_unfinished(home: Home) -> None:
    """Takes away what a killed or failed restore left; the mark goes last."""
    if not home.restoring_mark.exists():
        return
    place = server_of(home).place
    if place != home.pg:
        shutil.rmtree(place.parent, ignore_errors=True)
    for path in (home.pg, home.objects, home.keys, home.logs):
        shutil.rmtree(path, ignore_errors=True)
    home.demo_file.unlink(missing_ok=True)
    (home.run / DUMP).unlink(missing_ok=True)
    home.restoring_mark.unlink()


def _extract(archive_file: Path, home: Home) -> None:
    try:
        with tarfile.open(archive_file, "r:") as archive:
            for member in archive:
                if member.name in (HEADER, MANIFEST):
                    continue
                target = home.run / DUMP if member.name == DUMP else home.path / member.name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                content = archive.extractfile(member)
                if content is None or not _safe_name(member.name):
                    raise BadArchive(f"{archive_file} changed while it was read.")
                with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    shutil.copyfileobj(content, out, CHUNK)
                    out.flush()
                    os.fsync(out.fileno())
    except OSError as error:
        raise BackupTrouble(f"The backup cannot be brought back: {plain_reason(error)}.") from error


def _restore_database(home: Home, server: Server) -> dict[str, int]:
    with server:
        roles.prepare(server.admin_url, passwords=home.database_keys)
        url = roles.with_database(server.admin_url, roles.DATABASE)
        with roles.connect(url) as conn:
            conn.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        _run_tool(
            server,
            "pg_restore",
            url,
            ["--exit-on-error", "--single-transaction", str(home.run / DUMP)],
            "The database could not be brought back",
        )
        with roles.connect(url) as conn:
            conn.execute("ANALYZE")
            return count_rows(conn)


def _verify(home: Home, header: dict[str, Any], manifest: dict[str, dict[str, Any]], rows: dict[str, int]) -> None:
    if rows != header["rows"]:
        differing = sorted(
            name for name in rows.keys() | header["rows"].keys() if rows.get(name) != header["rows"].get(name)
        )
        raise BackupTrouble(
            f"The restored table {differing[0]} has {rows.get(differing[0], 0)} rows and the backup "
            f"{header['rows'].get(differing[0], 0)}."
        )
    for name, part in manifest.items():
        if name in (HEADER, DUMP):
            continue
        digest = hashlib.sha256()
        with (home.path / name).open("rb") as file:
            while data := file.read(CHUNK):
                digest.update(data)
        if digest.hexdigest() != part["sha256"]:
            raise BackupTrouble(f"The restored {name} is not what was backed up; the disk may be failing.")


def refuse_unfinished_restore(home: Home) -> None:
    """`up` asks this first: half a restore must not be served."""
    if home.restoring_mark.exists():
        raise HomeTrouble(
            f"A restore into {home.path} was interrupted.",
            hint="Run `evenhand restore` again with the same archive; it begins anew.",
        )


def _safe_name(name: str) -> bool:
    if name in (HEADER, DUMP, MANIFEST, "demo.json"):
        return True
    return bool(re.fullmatch(r"(keys|objects)(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+", name))
