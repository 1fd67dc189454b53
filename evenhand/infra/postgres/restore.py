"""Restore: brings a backup and the keys that belong to it back into an empty home."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

from evenhand.infra.home import Home, HomeTrouble, make_private_folder, plain_reason
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.backup import (
    CHUNK,
    DUMP,
    FORMAT,
    HEADER,
    MANIFEST,
    BackupTrouble,
    Progress,
    Report,
    count_rows,
    keys_beside,
    run_tool,
)
from evenhand.infra.postgres.server import Server, server_of


class BadArchive(BackupTrouble):
    hint = "Use another copy of the backup. Nothing was restored."


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
    if header.get("format") not in (1, FORMAT):
        raise BadArchive(f"{archive_file} was made by a newer Evenhand.")
    return header, manifest


def _check_keys(keys_file: Path, header: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The manifest of the keys that belong to a backup; those of another day open it as well."""
    if not keys_file.exists():
        raise BackupTrouble(
            f"The keys of this backup are not at {keys_file}.",
            hint="They are kept apart: give their file by --keys-file.",
        )
    keys_header, manifest = check_archive(keys_file)
    if "keys/master.key" not in manifest:
        raise BadArchive(f"{keys_file} holds no keys.")
    if keys_header.get("installation") != header["installation"]:
        raise BadArchive(f"{keys_file} holds the keys of another installation.")
    return manifest


def restore(
    archive_file: Path,
    home: Home,
    *,
    keys_file: Path | None = None,
    verify: bool = True,
    progress: Progress = lambda _: None,
) -> Report:
    """Brings a backup back into an empty home (embedded database). A restore that was killed is begun anew.

    keys_file: the keys that belong to it; beside the archive if not told.
    verify: afterwards compares rows of every table and hashes of every object with the archive.
    """
    archive_file = archive_file.absolute()
    progress("Checking the archive")
    header, manifest = check_archive(archive_file)
    if DUMP not in manifest:
        raise BadArchive(f"{archive_file} holds keys and no database.")
    archives, keys_target = [archive_file], archive_file
    if header["format"] > 1:
        keys_target = (keys_file or keys_beside(archive_file)).absolute()
        manifest |= _check_keys(keys_target, header)
        archives.append(keys_target)
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
            for archive in archives:
                _extract(archive, home)
            progress("Bringing back the database")
            rows = _restore_database(home, server)
            if verify:
                progress("Comparing with the archive")
                _verify(home, header, manifest, rows)
        except BaseException:  # Ctrl-C too: half a home would pass for one
            _clear_unfinished(home)
            raise
        (home.run / DUMP).unlink()
        home.restoring_mark.unlink()
    return Report(
        archive_file,
        keys_target,
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
        run_tool(
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
